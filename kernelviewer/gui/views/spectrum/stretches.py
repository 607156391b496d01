"""The stretches of the spectrum as a strip of named boxes; no gestures."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRect, QRectF, QSize
from PySide6.QtGui import QColor, QFontMetricsF

from kernelviewer.gui import theme
from kernelviewer.gui.painting.classes import class_colour
from kernelviewer.gui.painting.pixels import caption_font
from kernelviewer.gui.views.spectrum.strip import MARGIN, Strip

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PySide6.QtGui import QPainter
    from PySide6.QtWidgets import QWidget

    from kernelviewer.gui.views.spectrum.content import SpectrumContent, StretchSpan

_PADDING = 3
"""Free on both sides of a name within its stretch, logical pixels."""
_SPACE = 8
"""Between two names that are led out."""
_HOLD = 3
"""A leading line ends at least this far inside of its name."""
_ABOVE, _BAND, _UNDER, _BETWEEN, _BELOW = 3, 7, 3, 2, 3
"""Heights in logical pixels: free, band, free, (name,) free, (name,) free."""
_ERASED = 2
"""Free beside a name that is drawn over the cursor's line."""


@dataclass(frozen=True, slots=True)
class Name:
    """A name that found a place.

    Attributes
    ----------
    index
        Of its stretch.
    left, width
        Logical pixels.
    led
        In the second line, with a line leading to it from the stretch.
    """

    index: int
    left: float
    width: float
    led: bool


def place_names(
    spans: Sequence[tuple[float, float]],
    widths: Sequence[float],
    limits: tuple[float, float],
) -> list[Name]:
    """Place names under their stretches, or lead them out; none is cut or overlaps.

    Those that fit neither way are left out, the names of short stretches first.

    Parameters
    ----------
    spans
        Left and right end of each stretch, logical pixels.
    widths
        Of each name.
    limits
        Between which names may stand.
    """
    placed: list[Name] = []
    narrow: list[int] = []
    for index, ((left, right), width) in enumerate(zip(spans, widths, strict=True)):
        if width + 2 * _PADDING <= right - left:
            placed.append(Name(index, (left + right - width) / 2, width, led=False))
        else:
            narrow.append(index)
    narrow.sort(key=lambda index: spans[index][0] - spans[index][1])
    led: list[Name] = []
    for index in narrow:
        width = widths[index]
        lefts = _places(sum(spans[index]) / 2, width, limits)
        free = [left for left in lefts if _is_free(left, width, led)]
        led += [Name(index, left, width, led=True) for left in free[:1]]
    return sorted(placed + led, key=lambda name: name.index)


def _places(middle: float, width: float, limits: tuple[float, float]) -> list[float]:
    """Where a name may stand so that the line from the middle ends at it."""
    first, last = middle - width + _HOLD, middle - _HOLD
    wished = (middle - width / 2, middle - width / 4, middle - width * 3 / 4)
    low, high = limits[0], limits[1] - width
    held = [min(max(left, low), high) for left in (*wished, last, first)]
    return [left for left in held if low <= left and first <= left <= last]


def _is_free(left: float, width: float, others: Sequence[Name]) -> bool:
    return all(
        left + width + _SPACE <= other.left or other.left + other.width + _SPACE <= left
        for other in others
    )


class StretchStrip(Strip):
    """A band in the colours of the classes, and the names that find room."""

    def __init__(self, name: str, title: str, parent: QWidget | None = None) -> None:
        super().__init__(name, title, parent)
        self._names: list[Name] = []

    @property
    def drawn(self) -> SpectrumContent | None:
        """What is drawn; a subclass may be changing it."""
        return self.content

    def set_position(self, z: float) -> None:
        """Move the cursor; the name of the stretch it is in stands out."""
        before = self._current()
        super().set_position(z)
        if self._current() is not before:
            self.update()

    def names(self) -> list[tuple[str, QRectF]]:
        """Names that are drawn, with their places in logical pixels."""
        if self.drawn is None:
            return []
        stretches = self.drawn.stretches
        return [
            (stretches[name.index].label, self._box(name)) for name in self._place()
        ]

    def sizeHint(self) -> QSize:
        """Qt: wished size."""
        lines = 2 * ceil(self._line_height())
        return QSize(600, _ABOVE + _BAND + _UNDER + lines + _BETWEEN + _BELOW)

    def minimumSizeHint(self) -> QSize:
        """Qt: least size; names go where there is no room for them."""
        return QSize(120, self.sizeHint().height())

    def tip_at(self, point: QPointF) -> tuple[str, QRect]:
        """What a stretch is."""
        axis = self.axis
        if self.drawn is None:
            return "", QRect()
        index = self.drawn.stretch_at(axis.code(point.x()))
        if index is None:
            return "", QRect()
        stretch = self.drawn.stretches[index]
        left, right = axis.logical(stretch.start), axis.logical(stretch.stop)
        area = QRectF(left, 0, right - left, self.height())
        return describe(stretch), area.toAlignedRect()

    def draw(self, painter: QPainter, width: int, height: int) -> None:
        """Bands, leading lines and names."""
        self._names = []
        if self.drawn is None:
            return
        top, band = self.pixels(_ABOVE), self.pixels(_BAND)
        for stretch in self.drawn.stretches:
            left, bar = self._band(stretch)
            painter.fillRect(left, top, bar, band, self._colour(stretch))
        self._names = self._place()
        line = self.pixels(1)
        for name in self._names:
            if name.led:
                stretch = self.drawn.stretches[name.index]
                left, bar = self._band(stretch)
                x, end = left + (bar - line) // 2, self.pixels(self._box(name).top())
                foot = top + band
                painter.fillRect(x, foot, line, end - foot, self._colour(stretch))
        for name in self._names:
            self._draw_name(painter, name, theme.tokens().secondary)

    def draw_over(self, painter: QPainter, width: int, height: int) -> None:
        """The cursor, and over its line the names that it meets."""
        super().draw_over(painter, width, height)
        if self.drawn is None:
            return
        x, current = self.axis.logical(self.position), self._current()
        for name in self._names:
            mine = self.drawn.stretches[name.index] is current
            box = self._box(name).adjusted(-_ERASED, 0, _ERASED, 0)
            if mine or box.left() <= x <= box.right():
                ground = QRectF(box.topLeft() * self.ratio, box.size() * self.ratio)
                painter.fillRect(ground.toAlignedRect(), QColor(theme.tokens().panel))
                colour = theme.tokens().text if mine else theme.tokens().secondary
                self._draw_name(painter, name, colour)

    def _draw_name(self, painter: QPainter, name: Name, colour: str) -> None:
        assert self.drawn is not None
        font, box = caption_font(self.font()), self._box(name)
        y = box.top() + QFontMetricsF(font).ascent()
        painter.save()
        painter.scale(self.ratio, self.ratio)
        painter.setFont(font)
        painter.setPen(QColor(colour))
        text = self.drawn.stretches[name.index].label
        painter.drawText(QPointF(round(box.left()), y), text)
        painter.restore()

    def _place(self) -> list[Name]:
        assert self.drawn is not None
        metrics, axis = QFontMetricsF(caption_font(self.font())), self.axis
        stretches = self.drawn.stretches
        return place_names(
            [(axis.logical(s.start), axis.logical(s.stop)) for s in stretches],
            [metrics.horizontalAdvance(stretch.label) for stretch in stretches],
            (MARGIN / 2, self.width() - MARGIN / 2),
        )

    def _box(self, name: Name) -> QRectF:
        """Where a name stands, logical pixels."""
        line = self._line_height()
        top = _ABOVE + _BAND + _UNDER + (ceil(line) + _BETWEEN if name.led else 0)
        return QRectF(name.left, top, name.width, line)

    def _band(self, stretch: StretchSpan) -> tuple[int, int]:
        """Left and width of a stretch's band, a pixel free between two of them."""
        axis = self.axis
        left, right = axis.pixel(stretch.start), axis.pixel(stretch.stop)
        gap = self.pixels(1) if stretch.stop < 1 else 0
        return left, max(1, right - left - gap)

    def _current(self) -> StretchSpan | None:
        if self.drawn is None:
            return None
        index = self.drawn.stretch_at(self.position)
        return None if index is None else self.drawn.stretches[index]

    def _colour(self, stretch: StretchSpan) -> QColor:
        if stretch.colour:
            return QColor(stretch.colour)
        return class_colour(stretch.class_index, dark=theme.tokens().dark)

    def _line_height(self) -> float:
        return QFontMetricsF(caption_font(self.font())).height()


def describe(stretch: StretchSpan) -> str:
    """A stretch in words."""
    lines = (stretch.title, f"code {stretch.span}", stretch.quality, stretch.note)
    return "\n".join(line for line in lines if line)
