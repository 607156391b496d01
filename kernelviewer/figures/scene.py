"""What a figure shows: networks, a kernel size, and which of the kernels."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from kernelviewer.figures.content import FigureError
from kernelviewer.kernels.bank import size_key, size_label
from kernelviewer.kernels.classes import CLASSES, INDEX, PAPER, PATTERNS, own_to_json
from kernelviewer.kernels.equality import best_match, find_equal, network_names
from kernelviewer.latent.labels import reaches
from kernelviewer.latent.stretches import to_json

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from kernelviewer.kernels.bank import KernelBank, KernelSet, Size
    from kernelviewer.kernels.classes import By, OwnName, Scheme
    from kernelviewer.latent.noise import Null
    from kernelviewer.latent.stretches import Stretches

FAMILY = "pattern family"


@dataclass(frozen=True, eq=False)
class Coding:
    """Codes and classes of every kernel of a subject."""

    code: NDArray[np.float32]
    """float32 [N], on the spectrum of what names the kernels; NaN for flat ones."""
    fit: NDArray[np.float32]
    """float32 [N], cosine with what names the kernel: its reconstruction, or its member
    of the pattern family; NaN for flat kernels."""
    best: NDArray[np.int64]
    """int [N]: index into `CLASSES` of the class that fits best, whatever the
    threshold; that of *flat* for flat kernels."""

    def label(self, threshold: float) -> NDArray[np.int64]:
        """Class [N] of each kernel: its best if the fit reaches the threshold."""
        enough = reaches(self.fit, threshold)
        named = (enough & (self.best < len(PATTERNS))) | (self.best == INDEX["flat"])
        return np.where(named, self.best, INDEX["unidentified"])


@dataclass(frozen=True, eq=False)
class Yardstick:
    """What names the kernels of one size, and what white noise reaches by it."""

    method: str
    """What it is, for people and captions: `FAMILY` or an autoencoder."""
    threshold: float
    """Least fit of an identified kernel."""
    null: Null | None = None
    """What white noise reaches; None where it is not known."""
    spectrum: NDArray[np.float32] | None = None
    """float32 [P, *size]: the decoded patterns at evenly spaced codes 0 … 1; None:
    there are no codes."""
    stretches: Stretches = ()
    """The named parts of the code's axis, from 0 to 1."""
    sha256: str = ""
    """Fingerprint of the autoencoder that names them; empty: the family does."""
    edited: bool = False
    """Whether somebody has given the stretches other borders or names by hand."""
    scheme: Scheme = PAPER
    """The classes that the kernels are named by."""
    noise: float | None = None
    """Share of white noise that reaches the threshold, where there is no ``null``."""
    own: Mapping[str, OwnName] = field(default_factory=dict)
    """The user's names and colours of classes, by class id."""

    @property
    def by(self) -> By:
        """Whether codes name the kernels, or the family."""
        return "family" if self.method == FAMILY else "code"

    @property
    def least(self) -> str:
        """The threshold as captions say it: 0.996 is not all."""
        return f"{self.threshold:.{3 if self.threshold >= 0.99 else 2}f}"

    @property
    def words(self) -> str:
        """The name of what named the kernels, for captions."""
        if self.by == "family":
            whose = ", in the paper's classes" if self.scheme is PAPER else ""
            return f"named by the {FAMILY}{whose}"
        edited = ", stretches edited by hand" if self.edited else ""
        return f"named by the code, {self.method}{edited}"

    def to_json(self) -> dict[str, Any]:
        """The facts kept in a figure's file."""
        facts: dict[str, Any] = {"method": self.method, "threshold": self.threshold}
        if self.by == "family":
            facts["words"] = self.scheme.id
        if self.sha256:
            facts["sha256"] = self.sha256
        if self.stretches and self.by == "code":
            facts["stretches"] = to_json(self.stretches)
        if self.own:
            facts["own"] = own_to_json(self.own)
        return facts

    @property
    def own_words(self) -> str:
        """Which names somebody gave by hand, a sentence; mostly empty."""
        told = [
            f"“{own.name}” for {CLASSES[INDEX[class_id]].name}"
            for class_id, own in self.own.items()
            if own.name
        ]
        told += [
            f"“{item.name}” for codes {item.low:.3f}–{item.high:.3f}"
            for item in self.stretches
            if item.name
        ]
        return f"Names edited by hand: {', '.join(told)}." if told else ""

    @property
    def null_coverage(self) -> float:
        """Share of white noise that reaches the threshold; NaN if not known."""
        if self.null is None:
            return float("nan") if self.noise is None else self.noise
        return self.null.coverage(self.threshold)


@dataclass(frozen=True, eq=False)
class Subject:
    """One network in a figure."""

    bank: KernelBank
    size: Size
    """Its kernels and the size looked at."""
    shown: NDArray[np.bool_] | None = None
    """Which of them, bool [N]; None: all."""
    coding: Coding | None = None
    """Their codes and classes; None where nothing names them."""
    sha256: str = ""
    """Hash of the file, hexadecimal; empty where it is not known."""
    called: str = ""
    """What it is called among the networks; empty: as its bank."""
    tags: NDArray[np.str_] | None = None
    """str [N]: names of the tags of each kernel; None: there are none."""

    @property
    def name(self) -> str:
        """The network's name for people."""
        return self.called or self.bank.name

    @property
    def kernels(self) -> KernelSet:
        """All kernels of the size."""
        return self.bank.sizes[self.size]

    @property
    def mask(self) -> NDArray[np.bool_]:
        """Which of its kernels are shown, bool [N]."""
        return np.ones(len(self.kernels), bool) if self.shown is None else self.shown

    @cached_property
    def index(self) -> NDArray[np.intp]:
        """Indices of what is shown, by layer and channel."""
        kernels = self.kernels
        order = np.lexsort((kernels.channel, kernels.layer))
        return order if self.shown is None else order[self.shown[order]]

    def layers(self) -> list[tuple[str, NDArray[np.intp]]]:
        """Name and indices of what is shown of each layer, in network order."""
        index = self.index
        layer = self.kernels.layer[index]
        starts = np.flatnonzero(np.diff(layer, prepend=-1))
        return [
            (self.bank.layers[layer[part[0]]].name, index[part])
            for part in np.split(np.arange(len(index)), starts[1:])
            if len(part)
        ]


@dataclass(frozen=True, eq=False)
class Counted:
    """A network whose kernels are counted already, as in a corpus.

    Attributes
    ----------
    name, architecture
        For people.
    """

    name: str
    by_class: NDArray[np.int64]
    """int [classes], kernels of each of `CLASSES`."""
    accuracy: float | None = None
    """What the user told of it; None: nothing."""
    architecture: str = ""


@dataclass(frozen=True, eq=False)
class Scene:
    """The networks of a figure, all seen at one kernel size."""

    subjects: tuple[Subject, ...]
    size: Size
    """Networks and the kernel size."""
    yardstick: Yardstick | None = None
    """What named their kernels, if anything did."""
    selection: str = ""
    """What is shown of them in words, if it is not all."""
    count_equal: bool = False
    """Whether kernels that several networks have alike count every time where networks
    are counted together."""
    counted: tuple[Counted, ...] = ()
    measured: str = ""
    """Networks of which there are only counts, for exhibits that need no more; what
    their accuracies are called."""

    @property
    def count(self) -> int:
        """Number of kernels shown."""
        return sum(len(subject.index) for subject in self.subjects)

    @cached_property
    def pooled(self) -> Scene:
        """What of it is shown where networks are counted together.

        Of kernels that networks have alike only the first is.
        """
        equal = find_equal([subject.kernels for subject in self.subjects])
        if self.count_equal or not equal:
            return self
        shown = np.concatenate([subject.mask for subject in self.subjects])
        once = equal.once(shown)
        if once is shown:
            return self
        ends = np.cumsum([len(subject.kernels) for subject in self.subjects])
        parts = np.split(once, ends[:-1])
        subjects = [
            replace(subject, shown=part)
            for subject, part in zip(self.subjects, parts, strict=True)
        ]
        return replace(self, subjects=tuple(subjects))

    @property
    def repeated(self) -> int:
        """How many of its kernels do not count where networks are joined."""
        return self.count - self.pooled.count

    def equal_sentences(self) -> str:
        """Which networks have kernels that an earlier one has too; mostly empty."""
        told = []
        for number, subject in enumerate(self.subjects):
            earlier = {other.bank: other.name for other in self.subjects[:number]}
            if found := best_match(subject.bank, earlier):
                other, match = found
                told.append(f"{subject.name}: {match.describe(earlier[other])}.")
        return " ".join(told)

    def name_sentences(self, *, drawn: bool = True) -> str:
        """What is called otherwise than the files and the program do; mostly empty.

        ``drawn``: whether networks stand there by their names, as steps do not.
        """
        told = [
            f"“{subject.name}” is {subject.bank.name}"
            for subject in self.subjects
            if drawn and subject.name != subject.bank.name
        ]
        words = self.yardstick.own_words if self.yardstick else ""
        return f"{', '.join(told)}. {words}".rstrip() if told else words


def make_scene(banks: Sequence[KernelBank], size: Size | None = None) -> Scene:
    """Scene of all kernels of a size.

    Parameters
    ----------
    banks
        Networks; those without kernels of the size are left out.
    size
        Default: the size with most kernels in all of them together.

    Raises
    ------
    FigureError
        No network has kernels of the size, or there are none at all.
    """
    counts: dict[Size, int] = {}
    for bank in banks:
        for key, kernels in bank.sizes.items():
            counts[key] = counts.get(key, 0) + len(kernels)
    names = ", ".join(bank.name for bank in banks)
    if not counts:
        raise FigureError(f"{names}: there are no depthwise kernels to show")
    size = size or max(counts, key=lambda key: (counts[key], key))
    if size not in counts:
        sizes = ", ".join(map(size_key, counts))
        problem = f"{names}: there are no {size_label(size)} kernels"
        raise FigureError(problem, f"There are kernels of the sizes {sizes}.")
    there = [bank for bank in banks if size in bank.sizes]
    subjects = (
        Subject(bank, size, called="" if name == bank.name else name)
        for bank, name in zip(there, network_names(there), strict=True)
    )
    return Scene(tuple(subjects), size)
