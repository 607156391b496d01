"""The bars of the composition: one a layer, and how they are named."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import TYPE_CHECKING

from PySide6.QtCore import QRectF

from kernelviewer.kernels.classes import INDEX

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

MARGIN = 12.0
WIDEST, NARROWEST = 84.0, 5.0
"""Of a bar with its gap, logical pixels; what then has no room is scrolled to."""
BETWEEN_MODELS = 16.0
UNIDENTIFIED = INDEX["unidentified"]
MARK = 4.0
"""Widest strip along what is selected, logical pixels."""
SPACE = 6.0
"""Least space between two names, logical pixels."""
LONGEST = 84.0
"""What is longer loses its beginning."""


@dataclass(frozen=True, slots=True)
class CompositionBar:
    """A layer's bar."""

    key: object
    """What names the layer to whoever asked for the bar; given back in requests."""
    label: str
    title: str
    """Short name under the bar, full name for the tooltip."""
    model: int
    """Bars of different models stand apart."""
    counts: tuple[int, ...]
    """Kernels per class, in the order of `CLASSES`."""
    shown: bool = True
    """Whether the layer is in scope; others recede."""
    below: tuple[int, ...] = ()
    """Unidentified kernels per best class, to be shown paler; empty: all as one."""
    network: str = ""
    as_noise: bool = False
    """Name of the model; whether no more of its kernels are identified than of
    noise."""

    def parts(self) -> list[tuple[int, int, bool]]:
        """Class index, count, and whether it is pale, from the bottom up."""
        parts: list[tuple[int, int, bool]] = []
        for index, count in enumerate(self.counts):
            if index == UNIDENTIFIED and self.below:
                parts += [(i, n, True) for i, n in enumerate(self.below) if n]
            elif count:
                parts.append((index, count, False))
        return parts

    def stacked(self, box: QRectF) -> list[tuple[int, QRectF, bool]]:
        """Class index, box, and whether it is pale, from the bottom up."""
        total, bottom = max(1, sum(self.counts)), box.bottom()
        stacked = []
        for index, count, pale in self.parts():
            height = box.height() * count / total
            part = QRectF(box.left(), bottom - height, box.width(), height)
            stacked.append((index, part, pale))
            bottom -= height
        return stacked


@dataclass(frozen=True, slots=True)
class SelectedPart:
    """The selected kernels of a layer: ``counts`` and ``below`` as in its bar."""

    counts: tuple[int, ...]
    below: tuple[int, ...] = ()

    def marks(self, bar: CompositionBar, box: QRectF) -> list[QRectF]:
        """Strips along the parts of the bar, each as tall as its selected share."""
        wide = max(1.0, min(MARK, box.width() / 4))
        strips = []
        stacked = zip(bar.parts(), bar.stacked(box), strict=True)
        for (index, count, pale), (_, part, _) in stacked:
            chosen = self.below[index] if pale else self.counts[index]
            if chosen:
                tall = max(1.0, part.height() * chosen / count)
                strips.append(QRectF(part.left(), part.bottom() - tall, wide, tall))
        return strips


@dataclass(frozen=True, slots=True)
class Row:
    """Bars side by side, as far right as they need."""

    boxes: tuple[QRectF, ...]
    """Of the bars, before scrolling."""
    width: float
    """What they take with their margins."""


def lay_out_bars(
    bars: Sequence[CompositionBar], width: float, top: float, height: float
) -> Row:
    """Bars as wide as there is room for, those of different models apart."""
    if not bars:
        return Row((), 0)
    breaks = [a.model != b.model for a, b in pairwise(bars)]
    apart = BETWEEN_MODELS * sum(breaks)
    step = (width - 2 * MARGIN - apart) / len(bars)
    step = min(WIDEST, max(NARROWEST, step))
    gap = min(3.0, step / 5)
    boxes, x = [], MARGIN
    for number in range(len(bars)):
        if number and breaks[number - 1]:
            x += BETWEEN_MODELS
        boxes.append(QRectF(x, top, step - gap, height))
        x += step
    return Row(tuple(boxes), x + MARGIN - gap)


def model_runs(bars: Sequence[CompositionBar]) -> list[tuple[int, int]]:
    """First and one after the last bar of each model."""
    runs, start = [], 0
    for _, group in groupby(bars, key=lambda bar: bar.model):
        stop = start + len(list(group))
        runs.append((start, stop))
        start = stop
    return runs


@dataclass(frozen=True, slots=True)
class BarName:
    """A name under a bar, or under several that it holds for."""

    text: str
    """The layer's short name, or the module's that the bars have in common."""
    start: int
    stop: int
    """First and one after the last of the bars."""
    left: float = 0.0
    width: float = 0.0
    """Where it stands."""


def place_names(
    bars: Sequence[CompositionBar], row: Row, measure: Callable[[str], float]
) -> list[BarName]:
    """The names that have room, none into another.

    Layers whose own names have no room side by side are named by the module that they
    are in. The first and the last name of each network come first, then every second,
    fourth … of the others as far as they fit.
    """
    names = [
        [_placed(name, row, measure) for name in _names(bars, run, row, measure)]
        for run in model_runs(bars)
    ]
    chosen: list[BarName] = []

    def offer(name: BarName) -> None:
        if all(_apart(name, other) for other in chosen):
            chosen.append(name)

    for own in names:
        offer(own[0])
        offer(own[-1])
    for own in names:
        stride = 1
        while not _side_by_side(own[::stride]):
            stride *= 2
        for name in own[::stride]:
            offer(name)
    return sorted(chosen, key=lambda name: name.left)


def _names(
    bars: Sequence[CompositionBar],
    run: tuple[int, int],
    row: Row,
    measure: Callable[[str], float],
) -> list[BarName]:
    """A network's layers one by one if all have room, else its modules."""
    own = [BarName(bars[i].label, i, i + 1) for i in range(*run)]
    if _side_by_side([_placed(name, row, measure) for name in own]):
        return own
    modules, start = [], run[0]
    for text, group in groupby(bars[slice(*run)], lambda bar: bar.label.split(".")[0]):
        stop = start + len(list(group))
        modules.append(BarName(text, start, stop))
        start = stop
    return modules if 1 < len(modules) < len(own) else own


def _placed(name: BarName, row: Row, measure: Callable[[str], float]) -> BarName:
    """Under the middle of its bars, never beyond the edges."""
    wide = min(LONGEST, measure(name.text))
    first, last = row.boxes[name.start], row.boxes[name.stop - 1]
    middle = (first.left() + last.right()) / 2
    left = max(2.0, min(middle - wide / 2, row.width - 2 - wide))
    return BarName(name.text, name.start, name.stop, left, wide)


def _apart(a: BarName, b: BarName) -> bool:
    return a.left + a.width + SPACE <= b.left or b.left + b.width + SPACE <= a.left


def _side_by_side(names: Sequence[BarName]) -> bool:
    return all(_apart(a, b) and a.left < b.left for a, b in pairwise(names))
