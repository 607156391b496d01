"""The networks of a scene as steps of one training run, and an axis of steps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from kernelviewer.figures.counts import coding_of, named
from kernelviewer.figures.errors import FigureError
from kernelviewer.figures.names import count, listing
from kernelviewer.kernels.pairing import pair
from kernelviewer.kernels.series import common_layers, order_of, own_names, unit_of
from kernelviewer.kernels.series import stored_counters as counters_of
from kernelviewer.text import shown

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from kernelviewer.figures.scene import Scene, Subject
    from kernelviewer.watch import Watch


@dataclass(frozen=True, eq=False)
class Run:
    """Networks in the order of their steps; kernels are those shown of the last one.

    Attributes
    ----------
    subjects, numbers
        S networks, and how far the run was at each.
    unit
        What the numbers count: *step* or *epoch*.
    index
        S times int [N]: the kernels in each network's `KernelSet`.
    layers
        Names of the layers, in network order.
    layer, channel
        int [N]: index into ``layers``, channel.
    left_out
        Names of networks that have other layers.
    """

    subjects: tuple[Subject, ...]
    numbers: tuple[int, ...]
    unit: str
    index: tuple[NDArray[np.intp], ...]
    layers: tuple[str, ...]
    layer: NDArray[np.intp]
    channel: NDArray[np.int32]
    left_out: tuple[str, ...]

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
