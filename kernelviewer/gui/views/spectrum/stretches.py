"""The coloured stretches of the spectrum, with their names under them."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRect, QRectF, QSize
from PySide6.QtGui import QColor, QFontMetricsF

from kernelviewer.gui.painting.classes import class_colour
from kernelviewer.gui.painting.fonts import caption_font
from kernelviewer.gui.views.spectrum.axis import MARGIN
from kernelviewer.gui.views.spectrum.labels import place_names
from kernelviewer.gui.views.spectrum.strip import Strip

if TYPE_CHECKING:
    from PySide6.QtGui import QPainter
    from PySide6.QtWidgets import QWidget

    from kernelviewer.gui.views.spectrum.content import SpectrumContent, StretchSpan
    from kernelviewer.gui.views.spectrum.labels import Name

_ABOVE, _BAND, _UNDER, _BETWEEN, _BELOW = 3, 7, 3, 2, 3
"""Heights in logical pixels: free, band, free, (name,) free, (name,) free."""
_ERASED = 2
"""Free beside a name that is drawn over the cursor's line."""


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
            self._draw_name(painter, name, self.tokens.secondary)

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
                painter.fillRect(ground.toAlignedRect(), QColor(self.tokens.panel))
                colour = self.tokens.text if mine else self.tokens.secondary
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
        return class_colour(stretch.class_index, dark=self.tokens.dark)

    def _line_height(self) -> float:
        return QFontMetricsF(caption_font(self.font())).height()


def describe(stretch: StretchSpan) -> str:
    """A stretch in words."""
    lines = (stretch.title, f"code {stretch.span}", stretch.quality, stretch.note)
    return "\n".join(line for line in lines if line)
