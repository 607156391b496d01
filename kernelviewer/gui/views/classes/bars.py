"""Bars of the layer composition: what they show, and where they stand."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import TYPE_CHECKING

from PySide6.QtCore import QRectF

from kernelviewer.kernels.classes import INDEX

if TYPE_CHECKING:
    from collections.abc import Sequence

MARGIN = 12.0
WIDEST, NARROWEST = 84.0, 5.0
"""Of a bar with its gap, logical pixels; what then has no room is scrolled to."""
BETWEEN_MODELS = 16.0
UNIDENTIFIED = INDEX["unidentified"]
MARK = 4.0
"""Widest strip along what is selected, logical pixels."""


@dataclass(frozen=True, slots=True)
class CompositionBar:
    """A layer's bar.

    Attributes
    ----------
    key
        What names the layer to whoever asked for the bar; given back in requests.
    label, title
        Short name under the bar, full name for the tooltip.
    model
        Bars of different models stand apart.
    counts
        Kernels per class, in the order of `CLASSES`.
    shown
        Whether the layer is in scope; others recede.
    below
        Unidentified kernels per best class, to be shown paler; empty: all as one.
    network
        Name of the model.
    """

    key: object
    label: str
    title: str
    model: int
    counts: tuple[int, ...]
    shown: bool = True
    below: tuple[int, ...] = ()
    network: str = ""

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
    """Bars side by side, as far right as they need.

    Attributes
    ----------
    boxes
        Of the bars, before scrolling.
    width
        What they take with their margins.
    """

    boxes: tuple[QRectF, ...]
    width: float


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
