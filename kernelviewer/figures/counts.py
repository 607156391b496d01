"""How many kernels of each class there are, and what share is identified."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from kernelviewer.figures.errors import FigureError
from kernelviewer.figures.names import percent
from kernelviewer.figures.scene import Counted
from kernelviewer.kernels.classes import CLASSES, INDEX, PAPER

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from kernelviewer.figures.scene import Coding, Scene, Subject, Yardstick
    from kernelviewer.latent.noise import Null

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
        f"Identified: {percent(coverage)} at a fit of {yardstick.threshold:.2f} or "
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
