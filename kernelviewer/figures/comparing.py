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
from kernelviewer.kernels.pairing import pair
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
    "names": "the same layer and channel",
    "order": "the same place and channel",
    "best": "the best match within each layer",
}


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
    """

    before: Subject
    after: Subject
    found: SizeComparison
    yardstick: Yardstick | None
    match: Match

    @property
    def size(self) -> Size:
        """The kernel size."""
        return self.found.size

    @property
    def names(self) -> tuple[str, str]:
        """What the networks are called."""
        return self.before.name, self.after.name

    def layer_name(self, layer: LayerComparison) -> str:
        """The name of a layer, in the first network."""
        return self.before.bank.layers[layer.layer_a].name

    @property
    def sentence(self) -> str:
        """Which kernels correspond, and how many have no partner."""
        left = len(self.found.unpaired_a), len(self.found.unpaired_b)
        alone = f"; without a partner {count(left[0])} and {count(left[1])}"
        return (
            f"{count(len(self.found), 'pair')} of {size_label(self.size)} kernels of "
            f"{self.names[0]} and {self.names[1]}, {_WORDS[self.match]} in both"
            f"{alone if any(left) else ''}."
        ).replace("each layer in both", "each layer")


def compare_scene(
    scene: Scene, options: FigureOptions, watch: Watch = NEVER
) -> Compared:
    """Compare the two networks of a scene.

    Raises
    ------
    FigureError
        There are not two networks, or none of their kernels correspond.
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
    match = options.match
    one, other = (_bank(subject, match) for subject in scene.subjects)
    pairing = pair(one, other, match=match, watch=watch)
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
    return Compared(first, second, found, scene.yardstick, match)


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
