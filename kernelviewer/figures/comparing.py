"""Networks of a scene beside one another: two compared, or the steps of a run."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from kernelviewer.figures.content import FigureError
from kernelviewer.figures.counts import (
    UNNAMED,
    coding_of,
    count,
    labels_of,
    listing,
    named,
)
from kernelviewer.kernels.bank import size_label
from kernelviewer.kernels.comparison import KernelNames, compare_size
from kernelviewer.kernels.pairing import pair, why_apart
from kernelviewer.kernels.series import common_layers, order_of, own_names, unit_of
from kernelviewer.kernels.series import stored_counters as counters_of
from kernelviewer.text import shown
from kernelviewer.watch import NEVER

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

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
    """Two networks, and what changed between them."""

    before: Subject
    after: Subject
    """The networks."""
    found: SizeComparison
    """All pairs of kernels that are shown."""
    yardstick: Yardstick | None
    """What named the kernels; None where nothing did."""
    match: Match
    """How kernels were paired."""
    by_hand: bool = False
    """Whether somebody said which layers correspond."""

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
        pairing, scene.size, _names(scene), shown=(first.mask, second.mask), watch=watch
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


@dataclass(frozen=True, eq=False)
class Run:
    """Networks in the order of their steps; kernels are those shown of the last one."""

    subjects: tuple[Subject, ...]
    numbers: tuple[int, ...]
    """S networks, and how far the run was at each."""
    unit: str
    """What the numbers count: *step* or *epoch*."""
    index: tuple[NDArray[np.intp], ...]
    """S times int [N]: the kernels in each network's `KernelSet`."""
    layers: tuple[str, ...]
    """Names of the layers, in network order."""
    layer: NDArray[np.intp]
    channel: NDArray[np.int32]
    """int [N]: index into ``layers``, channel."""
    left_out: tuple[str, ...]
    """Names of networks that have other layers."""

    def __len__(self) -> int:
        return len(self.subjects)

    @property
    def name(self) -> str:
        """What people call the run: the folder of its files; one alone, its name."""
        folders = {subject.bank.path.absolute().parent for subject in self.subjects}
        name = shown(next(iter(folders)).name) if len(folders) == 1 else ""
        return name if name and len(self) > 1 else self.subjects[-1].name

    def labels(self, scene: Scene) -> NDArray[np.int8]:
        """Classes int8 [S, N].

        Raises
        ------
        FigureError
            The kernels have no classes.
        """
        level = named(scene).threshold
        rows = [
            coding_of(subject).label(level)[index]
            for subject, index in zip(self.subjects, self.index, strict=True)
        ]
        return np.stack(rows).astype(np.int8)

    def sentence(self) -> str:
        """How many steps there are, and what was left out."""
        text = f"{self.unit} {self.numbers[0]}"
        if len(self) > 1:
            steps = count(len(self), self.unit)
            text = f"{steps}, {self.numbers[0]} to {self.numbers[-1]}"
        left = f" Left out, with other layers: {listing(self.left_out)}."
        return f"{text}.{left if self.left_out else ''}"


def run_of(scene: Scene, watch: Watch) -> Run:
    """The scene's networks as a run.

    They follow each other by the step that they hold, else by the numbers in their
    names; those with other layers than most are left out.

    Raises
    ------
    FigureError
        No kernels are shown.
    """
    banks = [subject.bank for subject in scene.subjects]
    names = own_names([bank.path for bank in banks])
    stored = [counters_of(bank) for bank in banks]
    here = common_layers(banks)
    order = order_of([(names[i], stored[i]) for i in here])
    subjects = [scene.subjects[here[place]] for place in order.places]
    last = subjects[-1]
    shown = last.index
    if not len(shown):
        raise FigureError("no kernels are shown", "Show a layer or another size.")
    rows = []
    for subject in subjects:
        watch.check()
        place = np.zeros(len(last.kernels), np.intp)
        pairs = pair(last.bank, subject.bank).sizes[scene.size]
        place[pairs.index_a] = pairs.index_b
        rows.append(place[shown])
    used, layer = np.unique(last.kernels.layer[shown], return_inverse=True)
    return Run(
        tuple(subjects),
        order.numbers,
        unit_of(order.by, [names[i] for i in here]),
        tuple(rows),
        tuple(last.bank.layers[i].name for i in used),
        layer.astype(np.intp),
        last.kernels.channel[shown],
        tuple(
            subject.name for i, subject in enumerate(scene.subjects) if i not in here
        ),
    )


def ticks_of(numbers: Sequence[int], places: Sequence[float]) -> Mapping[float, str]:
    """Place → name of ticks; where they are too near the first and last stay."""
    ends = [len(numbers) - 1, 0]
    rest = [i for i in range(len(numbers)) if i not in ends]
    return {places[i]: f"{numbers[i]:g}" for i in dict.fromkeys([*ends, *rest])}
