"""A kernel as a picture, a cell per tap, with its values where they fit."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, cast

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFontMetricsF, QPainter
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from kernelviewer.gui.controls import named
from kernelviewer.gui.painting.kernels import (
    WeightColours,
    amplitudes,
    as_pictures,
    enlarge,
    fit_taps,
    to_image,
)
from kernelviewer.gui.painting.pixels import caption_font, device_pixels, logical
from kernelviewer.gui.text import as_tip, signed

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PySide6.QtGui import QHelpEvent, QImage, QPaintEvent, QResizeEvent

_DARK_INK, _LIGHT_INK = "#1F1F1C", "#FFFFFF"
_BRIGHT = 0.55
"""Grounds brighter than this bear dark values."""


class TapsPicture(QWidget):
    """Paints a 1-D, 2-D or 3-D kernel with whole device pixels per tap."""

    resized = Signal()

    def __init__(
        self, name: str, title: str, side: int, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        named(self, name, title)
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self._side = side
        self._paints = WeightColours.of(np.full((3, 3), 128.0), "#FFFFFF", "#C9C9C4")
        self._taps: NDArray[np.float32] | None = None
        self._top: float | None = None
        self._values = False
        self._image: QImage | None = None

    def set_paints(self, paints: WeightColours) -> None:
        """Colour weights otherwise."""
        self._paints = paints
        self._redraw()

    def set_taps(
        self, taps: NDArray[np.float32] | None, top: float | None = None
    ) -> None:
        """Show a kernel [*size], the colours reaching to ±``top``; None: nothing."""
        same = _shape(taps) == _shape(self._taps)
        self._taps, self._top = taps, top
        if not same:
            self.updateGeometry()
        self._redraw()

    def set_side(self, side: int) -> None:
        """Be at most this high, logical pixels."""
        if side != self._side:
            self._side = side
            self.updateGeometry()
            self._redraw()

    def set_values(self, shown: bool) -> None:
        """Write the values into the cells, where they fit."""
        self._values = shown
        self._redraw()

    def heightForWidth(self, width: int) -> int:
        """Qt: the height of whole taps of this width."""
        if self._taps is None:
            return self._side
        rows, _, down = self._fit(width, self._side)
        return math.ceil(rows * down / self.devicePixelRatioF())

    def sizeHint(self) -> QSize:
        """Qt: wished size."""
        return QSize(self._side, self.heightForWidth(self._side))

    def minimumSizeHint(self) -> QSize:
        """Qt: least size."""
        return QSize(48, 12)

    def picture_rect(self) -> QRectF:
        """Where the kernel is drawn, logical pixels."""
        return logical(self._box(), self.devicePixelRatioF())

    def _redraw(self) -> None:
        self._image = None
        self.update()

    def _pictures(self) -> NDArray[np.float32]:
        assert self._taps is not None
        return as_pictures(self._taps[None])

    def _fit(self, width: float, height: float) -> tuple[int, int, int]:
        """Rows, and width and height of a tap in device pixels, for logical sizes."""
        ratio = self.devicePixelRatioF()
        rows, columns = self._pictures().shape[1:]
        across, down = fit_taps(rows, columns, int(width * ratio), int(height * ratio))
        return rows, across, down

    def _box(self) -> QRect:
        """Where the kernel is drawn, device pixels."""
        if self._taps is None:
            return QRect()
        rows, across, down = self._fit(self.width(), self._side)
        columns = self._pictures().shape[2]
        return QRect(0, 0, columns * across, rows * down)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Qt: copy the picture; write the values."""
        if self._taps is None:
            return
        painter, box = QPainter(self), self._box()
        if self._image is None:
            self._image = self._draw(box)
        with device_pixels(painter, self.devicePixelRatioF()):
            painter.drawImage(box.topLeft(), self._image)
        if self._values and self.has_room_for_values():
            self._write_values(painter)

    def _draw(self, box: QRect) -> QImage:
        top = None if self._top is None else np.array([self._top], np.float32)
        assert self._taps is not None
        pixels = self._paints.pixels(self._taps[None], top)[0]
        rows, columns = pixels.shape
        across, down = box.width() // columns, box.height() // rows
        return to_image(enlarge(pixels, across, down))

    def _write_values(self, painter: QPainter) -> None:
        pictures = self._pictures()
        rows, columns = pictures.shape[1:]
        place = self.picture_rect()
        wide, tall = place.width() / columns, place.height() / rows
        painter.setFont(caption_font(self.font()))
        unit = 10.0 ** self.exponent()
        top = self._top or float(amplitudes(pictures)[0])
        for (row, column), value in np.ndenumerate(pictures[0]):
            if np.isfinite(value):
                x, y = place.x() + column * wide, place.y() + row * tall
                ground = self._paints.colour(float(value) / top)
                painter.setPen(_readable_on(ground))
                text = signed(f"{round(float(value / unit), 1) + 0.0:.1f}")
                box = QRectF(x, y, wide, tall)
                painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)

    def has_room_for_values(self) -> bool:
        """True if a value fits into a cell."""
        if self._taps is None:
            return False
        rows, columns = self._pictures().shape[1:]
        place, metrics = self.picture_rect(), QFontMetricsF(caption_font(self.font()))
        fits_across = metrics.horizontalAdvance("−0.0") <= place.width() / columns
        return fits_across and bool(metrics.height() <= place.height() / rows)

    def exponent(self) -> int:
        """Power of ten that the values are written in."""
        if self._taps is None:
            return 0
        finite = np.abs(self._taps[np.isfinite(self._taps)])
        top = float(finite.max(initial=0.0))
        return math.floor(math.log10(top)) if top > 0 else 0

    def tip_at(self, point: QPointF) -> str:
        """The value under the mouse."""
        place = self.picture_rect()
        if self._taps is None or not place.contains(point):
            return ""
        picture = self._pictures()[0]
        rows, columns = picture.shape
        row = min(int((point.y() - place.y()) / place.height() * rows), rows - 1)
        column = min(
            int((point.x() - place.x()) / place.width() * columns), columns - 1
        )
        value = float(picture[row, column])
        if math.isinf(value):
            return ""
        return f"row {row}, column {column}: {signed(f'{value:.4g}')}"

    def event(self, event: QEvent) -> bool:
        """Tooltips; and whole device pixels on whatever screen the window is."""
        if event.type() == QEvent.Type.ToolTip:
            tip = cast("QHelpEvent", event)
            text = as_tip(self.tip_at(QPointF(tip.pos())))
            QToolTip.showText(tip.globalPos(), text, self)
            return True
        if event.type() == QEvent.Type.DevicePixelRatioChange:
            self._redraw()
        return super().event(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Fill the new room."""
        super().resizeEvent(event)
        self._redraw()
        self.resized.emit()


def _shape(taps: NDArray[np.float32] | None) -> tuple[int, ...]:
    return () if taps is None else taps.shape


def _readable_on(ground: QColor) -> QColor:
    light = 0.299 * ground.redF() + 0.587 * ground.greenF() + 0.114 * ground.blueF()
    return QColor(_DARK_INK if light > _BRIGHT else _LIGHT_INK)
