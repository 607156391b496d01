"""Which names stand under the bars of the layer composition, and where. No Qt."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import TYPE_CHECKING

from kernelviewer.gui.views.classes.bars import model_runs

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from kernelviewer.gui.views.classes.bars import CompositionBar, Row

SPACE = 6.0
"""Least space between two names, logical pixels."""
LONGEST = 84.0
"""What is longer loses its beginning."""


@dataclass(frozen=True, slots=True)
class BarName:
    """A name under a bar, or under several that it holds for.

    Attributes
    ----------
    text
        The layer's short name, or the module's that the bars have in common.
    start, stop
        First and one after the last of the bars.
    left, width
        Where it stands.
    """

    text: str
    start: int
    stop: int
    left: float = 0.0
    width: float = 0.0


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
