"""The stretches of the spectrum as a strip of named boxes; no gestures."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRect, QRectF, QSize
from PySide6.QtGui import QColor, QFontMetricsF

from kernelviewer.gui import theme
from kernelviewer.gui.accessible import one_line
from kernelviewer.gui.painting.classes import class_colour
from kernelviewer.gui.painting.pixels import caption_font
from kernelviewer.gui.views.spectrum.strip import MARGIN, Strip
from kernelviewer.latent.axis import place_names

if TYPE_CHECKING:
    from PySide6.QtGui import QPainter
    from PySide6.QtWidgets import QWidget

    from kernelviewer.gui.views.spectrum.content import SpectrumContent, StretchSpan
    from kernelviewer.latent.axis import Name

_SPACE = 8
"""Between two names, logical pixels."""
_BAND, _LINE = 7, 3
"""Heights in logical pixels: of the band, and of the lines to names."""
_ERASED = 2
"""Free beside a name that is drawn over the cursor's line."""


class StretchStrip(Strip):
    """A band in the colours of the classes, with the names that find room around it."""

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
        return QSize(600, lines + 2 * _LINE + _BAND + 2)

    def minimumSizeHint(self) -> QSize:
        """Qt: least size; names go where there is no room for them."""
        return QSize(120, self.sizeHint().height())

    def spans(self) -> list[tuple[float, float]]:
        """The stretches."""
        return [] if self.drawn is None else self.drawn.spans

    def item_name(self, item: int) -> str:
        """What a stretch is."""
        assert self.drawn is not None
        return one_line(describe(self.drawn.stretches[item]))

    def item_box(self, item: int) -> QRectF | None:
        """Where a stretch is."""
        low, high = (self.axis.logical(z) for z in self.spans()[item])
        return QRectF(low, 0, high - low, self.height())

    def _item_of(self, z: float) -> int | None:
        return None if self.drawn is None else self.drawn.stretch_at(z)

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
        top, band = self._band_rows()
        for stretch in self.drawn.stretches:
            left, bar = self._band(stretch)
            painter.fillRect(left, top, bar, band, self._colour(stretch))
        self._names = self._place()
        line = self.pixels(1)
        for name in self._names:
            if name.led:
                stretch = self.drawn.stretches[name.index]
                left, bar = self._band(stretch)
                x, long = left + (bar - line) // 2, self.pixels(_LINE)
                y = top - long if name.above else top + band
                painter.fillRect(x, y, line, long, self._colour(stretch))
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
            [stretch.label for stretch in stretches],
            [metrics.horizontalAdvance(stretch.label) for stretch in stretches],
            (MARGIN / 2, self.width() - MARGIN / 2),
            _SPACE,
        )

    def _box(self, name: Name) -> QRectF:
        """Where a name stands, logical pixels."""
        line = self._line_height()
        top = 0 if name.above else ceil(line) + 2 * _LINE + _BAND
        return QRectF(name.left, top, name.width, line)

    def _band_rows(self) -> tuple[int, int]:
        """Top and height of the band, device pixels."""
        return self.pixels(ceil(self._line_height()) + _LINE), self.pixels(_BAND)

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
