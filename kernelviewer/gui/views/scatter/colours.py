"""What the colours of the points say, and the legend that tells it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF

from kernelviewer.gui.painting.pixels import baseline
from kernelviewer.gui.text import spaced
from kernelviewer.kernels.classes import (
    CLASSES,
    NETWORK_COLOURS,
    class_shown,
    classes_shown,
)
from kernelviewer.state.analysis import UNIDENTIFIED
from kernelviewer.state.layer_tree import short_names

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PySide6.QtGui import QFont, QPainter

    from kernelviewer.gui.theme import Tokens
    from kernelviewer.state.pool import KernelPool
    from kernelviewer.state.view_state import ViewState

    Coloured = tuple[NDArray[np.uint8], tuple[str, ...], "Legend"]

_LINE = 15
_SWATCH, _GAP, _SPACE = 8, 4, 10
_BAR = 84
_MOST = 0.2
"""A legend that would take more of the height than this is left to tooltips."""
STEPS = 48
"""Colours of a bar."""
CIVIDIS = (
    *("#00224E", "#123570", "#3B496C", "#575D6D", "#707173"),
    *("#8A8678", "#A59C74", "#C3B369", "#E1CC55", "#FEE838"),
)
"""Dark to light, told apart without seeing red or green (Nuñez et al. 2018)."""
DARKEST_ON_DARK = 0.3
"""Where the bar begins on dark ground: darker colours would not be seen."""


@dataclass(frozen=True, slots=True)
class Legend:
    """Swatches, or a bar."""

    entries: tuple[tuple[str, str], ...] = ()
    """Colour ``#RRGGBB`` and name of each swatch."""
    bar: tuple[str, ...] = ()
    """Colours from the low to the high end; with a bar there are no entries."""
    low: str = ""
    high: str = ""
    """What stands at the bar's ends."""
    classes: tuple[int, ...] = ()
    """The class of each swatch, where they are classes."""


class LegendStrip:
    """A legend laid out over a width.

    Attributes
    ----------
    places
        Boxes of its entries; none where they would take too much of the view.
    height
        That it takes, logical pixels.
    """

    def __init__(
        self, legend: Legend, font: QFont, width: float, room: float, margin: float
    ) -> None:
        self._legend, self._font, self._margin = legend, font, margin
        self._metrics = QFontMetricsF(font)
        self.places, lines = self._flow(width)
        if lines * _LINE > _MOST * room:
            self.places, lines = [], 0
        self.height = _LINE if legend.bar else lines * _LINE

    def _flow(self, width: float) -> tuple[list[QRectF], int]:
        """Boxes of the entries from left to right, and how many lines they take."""
        places, x, line = [], self._margin, 0
        for _, name in self._legend.entries:
            wide = _SWATCH + _GAP + self._metrics.horizontalAdvance(name)
            if x > self._margin and x + wide > width - self._margin:
                x, line = self._margin, line + 1
            places.append(QRectF(x, line * _LINE, wide, _LINE))
            x += wide + _SPACE
        return places, line + 1 if places else 0

    def entry_at(self, place: QPointF) -> int | None:
        """Which entry stands at a place."""
        for number, box in enumerate(self.places):
            if box.adjusted(-1, 0, 1, 0).contains(place):
                return number
        return None

    def paint(self, painter: QPainter, tokens: Tokens) -> None:
        """At the top of the view."""
        painter.setFont(self._font)
        if self._legend.bar:
            self._paint_bar(painter, tokens)
            return
        for box, (colour, name) in zip(self.places, self._legend.entries, strict=False):
            top = box.top() + (_LINE - _SWATCH) / 2
            swatch = QRectF(box.left(), top, _SWATCH, _SWATCH)
            painter.fillRect(swatch, QColor(colour))
            painter.setPen(QColor(tokens.secondary))
            y = baseline(self._font, box.top(), _LINE)
            painter.drawText(QPointF(box.left() + _SWATCH + _GAP, y), name)

    def _paint_bar(self, painter: QPainter, tokens: Tokens) -> None:
        legend, x = self._legend, self._margin
        painter.setPen(QColor(tokens.secondary))
        y = baseline(self._font, 0, _LINE)
        painter.drawText(QPointF(x, y), legend.low)
        x += self._metrics.horizontalAdvance(legend.low) + _GAP
        step = _BAR / len(legend.bar)
        painter.setRenderHint(painter.RenderHint.Antialiasing, False)
        for number, colour in enumerate(legend.bar):
            part = QRectF(x + number * step, (_LINE - _SWATCH) / 2, step + 1, _SWATCH)
            painter.fillRect(part, QColor(colour))
        painter.drawText(QPointF(x + _BAR + _GAP + 1, y), legend.high)


def note_box(width: float, top: float, margin: float) -> tuple[QRectF, int]:
    """Where the note under the legend stands, and how it is aligned."""
    flags = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
    return QRectF(margin, top, width - 2 * margin, _LINE), int(flags)


def colours_of(
    state: ViewState, numbers: NDArray[np.int64], tokens: Tokens
) -> Coloured:
    """Colour index of each point, the colours, and what they mean.

    What depends on labels falls back to one colour while there are none.

    Parameters
    ----------
    numbers
        int64 [P], pool numbers of the points.
    """
    pool, by = state.pool, state.charts.colour_by
    assert pool is not None
    if by == "layer":
        return _by_layer(pool, numbers, tokens)
    if by == "model":
        return _by_model(pool, numbers)
    if state.labels is None:
        return np.zeros(len(numbers), np.uint8), (tokens.neutral,), Legend()
    if by == "fit":
        return _by_fit(state.labels.fit[numbers], tokens)
    return _by_class(state.labels.label[numbers], tokens)


def bar_colours(tokens: Tokens) -> tuple[str, ...]:
    """The bar's colours from its low to its high end."""
    stops = np.array([[int(c[i : i + 2], 16) for i in (1, 3, 5)] for c in CIVIDIS])
    first = DARKEST_ON_DARK if tokens.dark else 0.0
    at = np.linspace(first, 1, STEPS) * (len(stops) - 1)
    known = np.arange(len(stops))
    parts = [np.interp(at, known, stops[:, i]).round().astype(int) for i in range(3)]
    return tuple(f"#{r:02X}{g:02X}{b:02X}" for r, g, b in zip(*parts, strict=True))


def _by_class(label: NDArray[np.uint8], tokens: Tokens) -> Coloured:
    colours = tuple(
        item.dark if tokens.dark else item.light for item in classes_shown()
    )
    there = np.flatnonzero(np.bincount(label, minlength=len(CLASSES)))
    ordered = [int(i) for i in there if i < UNIDENTIFIED]
    ordered += [UNIDENTIFIED] if UNIDENTIFIED in there else []
    entries = tuple((colours[i], class_shown(i).short) for i in ordered)
    return label, colours, Legend(entries, classes=tuple(ordered))


def _by_fit(fit: NDArray[np.float32], tokens: Tokens) -> Coloured:
    known = fit[~np.isnan(fit)]
    low = float(np.floor(10 * np.quantile(known, 0.02)) / 10) if len(known) else 0.0
    low = min(max(low, 0.0), 0.9)
    steps = np.nan_to_num((fit - low) / (1 - low)) * (STEPS - 1)
    index = np.clip(np.rint(steps), 0, STEPS - 1).astype(np.uint8)
    edge = "fit ≤ " if len(known) and known.min() < low else "fit "
    return (
        index,
        bar_colours(tokens),
        Legend(bar=bar_colours(tokens), low=f"{edge}{low:.1f}", high="1"),
    )


def _by_layer(pool: KernelPool, numbers: NDArray[np.int64], tokens: Tokens) -> Coloured:
    """By depth: each network's layers of this size from its first to its last."""
    models = np.array([ref.model for ref in pool.layer_refs])
    depth = np.zeros(len(models))
    for model in np.unique(models):
        rows = np.flatnonzero(models == model)
        depth[rows] = np.linspace(0, 1, len(rows)) if len(rows) > 1 else 0.5
    index = np.rint(depth[pool.layer[numbers]] * (STEPS - 1)).astype(np.uint8)
    low, high = "first layer", f"last of {spaced(len(models))}"
    if len(pool.models) > 1:
        high = "last"
    else:
        names = short_names(pool.models[0].bank)
        ends = [names[pool.layer_refs[at].layer] for at in (0, -1)]
        if max(map(len, ends)) <= 8:
            low, high = f"layer {ends[0]}", ends[1]
    colours = bar_colours(tokens)
    return index, colours, Legend(bar=colours, low=low, high=high)


def _by_model(pool: KernelPool, numbers: NDArray[np.int64]) -> Coloured:
    row = np.searchsorted(pool.starts, numbers, side="right") - 1
    last = len(NETWORK_COLOURS) - 1
    names = [model.name for model in pool.models]
    entries = tuple(zip(NETWORK_COLOURS, names[:last], strict=False))
    if len(names) > last:
        entries = (*entries, (NETWORK_COLOURS[last], f"{len(names) - last} more"))
    return np.minimum(row, last).astype(np.uint8), NETWORK_COLOURS, Legend(entries)
