"""The two networks of a scene, compared kernel by kernel."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from kernelviewer.figures.counts import UNNAMED, coding_of, labels_of
from kernelviewer.figures.errors import FigureError
from kernelviewer.figures.names import count
from kernelviewer.kernels.bank import size_label
from kernelviewer.kernels.comparison import KernelNames, compare_size
from kernelviewer.kernels.equality import told_apart
from kernelviewer.kernels.pairing import pair, why_apart
from kernelviewer.watch import NEVER

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kernelviewer.figures.options import FigureOptions
    from kernelviewer.figures.scene import Scene, Subject, Yardstick
    from kernelviewer.kernels.bank import KernelBank, Size
    from kernelviewer.kernels.comparison import LayerComparison, SizeComparison
    from kernelviewer.kernels.pairing import Match
    from kernelviewer.watch import Watch

_WORDS = {
    "names": "the same layer and channel in both",
    "order": "the same place and channel in both",
    "best": "the best match within each layer",
}
_BY_HAND = (
    "the same channel of layers paired by hand",
    "the best match within layers paired by hand",
)


@dataclass(frozen=True, eq=False)
class Compared:
    """Two networks, and what changed between them.

    Attributes
    ----------
    before, after
        The networks.
    found
        All pairs of kernels that are shown.
    yardstick
        What named the kernels; None where nothing did.
    match
        How kernels were paired.
    by_hand
        Whether somebody said which layers correspond.
    """

    before: Subject
    after: Subject
    found: SizeComparison
    yardstick: Yardstick | None
    match: Match
    by_hand: bool = False

    @property
    def size(self) -> Size:
        """The kernel size."""
        return self.found.size

    @property
    def names(self) -> tuple[str, str]:
        """The networks' names; those of their files where they share one."""
        return told_apart(self.before.bank, self.after.bank)

    def layer_name(self, layer: LayerComparison) -> str:
        """The name of a layer, in the first network."""
        return self.before.bank.layers[layer.layer_a].name

    @property
    def sentence(self) -> str:
        """Which kernels correspond, and how many have no partner."""
        left = len(self.found.unpaired_a), len(self.found.unpaired_b)
        alone = f"; without a partner {count(left[0])} and {count(left[1])}"
        best = self.match == "best"
        how = _BY_HAND[best] if self.by_hand else _WORDS[self.match]
        return (
            f"{count(len(self.found), 'pair')} of {size_label(self.size)} kernels of "
            f"{self.names[0]} and {self.names[1]}, {how}{alone if any(left) else ''}."
        )


def compare_scene(
    scene: Scene, options: FigureOptions, watch: Watch = NEVER
) -> Compared:
    """Compare the two networks of a scene.

    Raises
    ------
    FigureError
        There are not two networks, none of their kernels correspond, or layers named
        in the options cannot be paired.
    """
    number = len(scene.subjects)
    if number != 2:
        are = "network has" if number == 1 else "networks have"
        raise FigureError(
            f"{count(number)} {are} kernels of this size", "Choose two to compare."
        )
    first, second = scene.subjects
    if not len(first.index) or not len(second.index):
        raise FigureError("no kernels are shown", "Show a layer or another size.")
    match, layers = options.match, options.pairing
    if problem := why_apart(first.bank, second.bank, layers or ()):
        raise FigureError(problem, "Name layers as kernelviewer info lists them.")
    one, other = (_bank(subject, match) for subject in scene.subjects)
    pairing = pair(one, other, match=match, layers=layers, watch=watch)
    found = compare_size(
        pairing,
        scene.size,
        _names(scene),
        shown=(first.mask, second.mask),
        watch=watch,
    )
    if not len(found):
        raise FigureError(
            "no kernels of the two networks correspond",
            "Show other layers, or match by order or best.",
        )
    by_hand = layers is not None
    return Compared(first, second, found, scene.yardstick, match, by_hand)


def classes_of(compared: Compared) -> tuple[NDArray[np.int8], NDArray[np.int8]]:
    """Classes of the pairs, before and after, int8 [P] each.

    Raises
    ------
    FigureError
        Nothing names the kernels.
    """
    before, after = compared.found.class_a, compared.found.class_b
    if before is None or after is None:
        raise FigureError(*UNNAMED)
    return before, after


def _bank(subject: Subject, match: Match) -> KernelBank:
    """The network; only its kernels of this size where matching takes long."""
    if match != "best":
        return subject.bank
    return replace(subject.bank, sizes={subject.size: subject.kernels})


def _names(scene: Scene) -> tuple[KernelNames, KernelNames] | None:
    """What the kernels of both networks are called; None where nothing names them."""
    yardstick = scene.yardstick
    if yardstick is None or any(item.coding is None for item in scene.subjects):
        return None
    first, second = (
        KernelNames(
            coding_of(item).code,
            coding_of(item).fit,
            labels_of(item, yardstick).astype(np.int8),
        )
        for item in scene.subjects
    )
    return first, second
