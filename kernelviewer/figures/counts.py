"""Names, numbers and shares as people read them in a figure, and what they count."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from kernelviewer.figures.content import FigureError
from kernelviewer.figures.scene import Counted
from kernelviewer.kernels.classes import CLASSES, INDEX, PAPER
from kernelviewer.text import percent
from kernelviewer.text import printable as as_printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from kernelviewer.figures.scene import Coding, Scene, Subject, Yardstick
    from kernelviewer.latent.noise import Null

THIN_SPACE = "\u202f"
_BREAKS = re.compile(r"[\t-\r\u2028\u2029]")


def short_names(names: Sequence[str]) -> list[str]:
    """Layer names without the parts that all of them end or begin with.

    ``blocks.1.conv_dw``, ``blocks.4.conv_dw`` become ``blocks.1``, ``blocks.4``: a
    part in front stays where bare numbers would be left.
    """
    split = [name.split(".") for name in names]
    if len(set(names)) < 2:
        return list(names)
    while _shared(split, -1):
        split = [parts[:-1] for parts in split]
    while _shared(split, 0) and not any(parts[1].isdigit() for parts in split):
        split = [parts[1:] for parts in split]
    return [".".join(parts) for parts in split]


def count(number: int, noun: str = "") -> str:
    """``1 204 kernels``, with thin spaces between thousands; ``1 kernel``."""
    digits = f"{number:,}".replace(",", THIN_SPACE)
    if not noun:
        return digits
    return f"{digits} {noun}" if number == 1 else f"{digits} {noun}s"


def decimal(value: float) -> str:
    """``0.908``; a dash where there is no number."""
    return "–" if value != value else f"{value:.3f}"


def printable(text: str) -> str:
    """The text in one line, without what no file format takes."""
    return as_printable(_BREAKS.sub(" ", text))


def listing(words: Sequence[str]) -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} and {words[-1]}"


def _shared(split: list[list[str]], at: int) -> bool:
    """True if all have the same part there, and something else besides."""
    return min(map(len, split)) > 1 and len({parts[at] for parts in split}) == 1


UNNAMED = (
    "these kernels have no classes yet",
    "Name them first, by an autoencoder of their size or by the pattern family.",
)
"""What is said where classes are needed: the problem and a hint."""
_UNIDENTIFIED, _FLAT = INDEX["unidentified"], INDEX["flat"]


@dataclass(frozen=True, eq=False)
class Counts:
    """Kernels of each class: int [classes], flat and unidentified ones last."""

    by_class: NDArray[np.int64]

    @property
    def kernels(self) -> int:
        """All of them."""
        return int(self.by_class.sum())

    @property
    def flat(self) -> int:
        """Without a pattern."""
        return int(self.by_class[_FLAT])

    @property
    def coverage(self) -> float:
        """Identified of all that have a pattern; NaN if none has."""
        patterned = self.kernels - self.flat
        if not patterned:
            return float("nan")
        return 1 - int(self.by_class[_UNIDENTIFIED]) / patterned


def count_labels(label: NDArray[np.int64]) -> Counts:
    """Counts of labels [N]."""
    return Counts(np.bincount(label, minlength=len(CLASSES)))


def listed(yardstick: Yardstick | None, *counted: Counts) -> list[int]:
    """Classes that a list of counts has, indices into `CLASSES`."""
    scheme = PAPER if yardstick is None else yardstick.scheme
    there = [np.flatnonzero(item.by_class) for item in counted]
    return list(scheme.listed(np.concatenate(there).tolist() if there else ()))


def named(scene: Scene) -> Yardstick:
    """The yardstick that names the scene's kernels.

    Raises
    ------
    FigureError
        Nothing does.
    """
    if scene.yardstick is None or any(item.coding is None for item in scene.subjects):
        raise FigureError(*UNNAMED)
    return scene.yardstick


def coding_of(subject: Subject) -> Coding:
    """The codes of a subject that `named` has looked at."""
    assert subject.coding is not None
    return subject.coding


def labels_of(subject: Subject, yardstick: Yardstick) -> NDArray[np.int64]:
    """Classes of all kernels of a subject, shown or not."""
    return coding_of(subject).label(yardstick.threshold)


def counted_networks(scene: Scene, yardstick: Yardstick) -> tuple[Counted, ...]:
    """The networks of a scene with the kernels of each class that are shown.

    Those without any are left out.

    Raises
    ------
    FigureError
        There are none.
    """
    found = scene.counted or tuple(
        Counted(
            item.name,
            count_labels(labels_of(item, yardstick)[item.index]).by_class,
            architecture=item.bank.architecture,
        )
        for item in scene.subjects
    )
    shown = tuple(item for item in found if item.by_class.any())
    if not shown:
        raise FigureError("no kernels are shown", "Show a layer or another size.")
    return shown


def coverage_facts(coverage: float, yardstick: Yardstick) -> tuple[str, ...]:
    """The same for a heading, longest first."""
    share, noise = percent(coverage), percent(yardstick.null_coverage)
    return (
        f"{share} identified (white noise {noise})",
        f"{share} (noise {noise})",
        share,
    )


def coverage_sentence(coverage: float, yardstick: Yardstick) -> str:
    """A coverage is never said without what white noise reaches."""
    return (
        f"Identified: {percent(coverage)} at a fit of {yardstick.least} or "
        f"more (white noise: {percent(yardstick.null_coverage)}; {yardstick.words})."
    )


def coverage_sentences(
    networks: Sequence[tuple[str, float]], yardstick: Yardstick
) -> str:
    """A sentence for each network's coverage, led by its name if there are several."""
    sentences = [
        (name, coverage_sentence(coverage, yardstick)) for name, coverage in networks
    ]
    if len(sentences) == 1:
        return sentences[0][1]
    return " ".join(f"{name}: {sentence}" for name, sentence in sentences)


def scene_coverage(scene: Scene) -> str:
    """Sentences on how much of what is shown is identified; empty without classes."""
    yardstick = scene.yardstick
    if yardstick is None or any(item.coding is None for item in scene.subjects):
        return ""
    networks = [
        (item.name, count_labels(labels_of(item, yardstick)[item.index]).coverage)
        for item in scene.subjects
        if len(item.index)
    ]
    return coverage_sentences(networks, yardstick) if networks else ""


def null_shares(null: Null | None, bins: int) -> NDArray[np.float64]:
    """Share of white noise in each of ``bins`` equal parts of [0, 1]; 0 if not known.

    ``bins`` divides the null's own number of parts.
    """
    if null is None:
        return np.zeros(bins)
    counts = null.counts.reshape(bins, -1).sum(axis=1)
    return np.asarray(counts / max(null.kernels, 1), np.float64)
