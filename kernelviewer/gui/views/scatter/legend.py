"""What the colours of the points mean: swatches with names, or a bar with its ends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF

from kernelviewer.gui.painting.fonts import baseline

if TYPE_CHECKING:
    from PySide6.QtGui import QFont, QPainter

    from kernelviewer.gui.theme import Tokens

_LINE = 15
_SWATCH, _GAP, _SPACE = 8, 4, 10
_BAR = 84
_MOST = 0.2
"""A legend that would take more of the height than this is left to tooltips."""


@dataclass(frozen=True, slots=True)
class Legend:
    """Swatches, or a bar.

    Attributes
    ----------
    entries
        Colour ``#RRGGBB`` and name of each swatch.
    bar
        Colours from the low to the high end; with a bar there are no entries.
    low, high
        What stands at the bar's ends.
    """

    entries: tuple[tuple[str, str], ...] = ()
    bar: tuple[str, ...] = ()
    low: str = ""
    high: str = ""


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
