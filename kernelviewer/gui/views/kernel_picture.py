"""One kernel, large: a cell per tap with its value where it fits."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter
from PySide6.QtWidgets import QSizePolicy, QWidget

from kernelviewer.gui.text import signed

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PySide6.QtGui import QPaintEvent

MAX_CELL = 34
MAX_VALUE_WIDTH = 0.86


class KernelPicture(QWidget):
    """Paints a 1-D, 2-D or 3-D kernel with whole device pixels per tap."""

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName(name)
        self.setAccessibleName("Picture of the focused kernel")
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self._taps: NDArray[np.float32] | None = None
        self._colours: NDArray[np.float64] = np.full((1, 3), 128.0)

    def set_colours(self, colours: NDArray[np.float64]) -> None:
        """Use these colours [K, 3] of 0 … 255, zero in the middle."""
        self._colours = colours
        self.update()

    def set_taps(self, taps: NDArray[np.float32] | None) -> None:
        """Show a kernel (None: nothing)."""
        self._taps = None if taps is None else unfold(taps)
        self.updateGeometry()
        self.update()

    def heightForWidth(self, width: int) -> int:
        """Qt: the height that keeps taps square."""
        if self._taps is None:
            return 0
        rows, columns = self._taps.shape
        return max(12, int(min(width / columns, MAX_CELL) * rows))

    def sizeHint(self) -> QSize:
        """Qt: wished size."""
        return QSize(200, self.heightForWidth(200))

    def paintEvent(self, event: QPaintEvent) -> None:
        """Qt: paint the taps."""
        if self._taps is None:
            return
        painter = QPainter(self)
        ratio = self.devicePixelRatioF()
        rows, columns = self._taps.shape
        room = min(self.width() / columns, self.height() / rows, MAX_CELL) * ratio
        cell = max(1, int(room)) / ratio
        left = (self.width() - cell * columns) / 2
        finite = self._taps[np.isfinite(self._taps)]
        top = float(np.abs(finite).max(initial=0.0))
        font = painter.font()
        font.setPixelSize(max(6, int(cell * 0.32)))
        painter.setFont(font)
        widest = QFontMetricsF(font).horizontalAdvance("−0.0")
        show_values = cell >= 22 and widest <= cell * MAX_VALUE_WIDTH
        unit = 10.0 ** decimal_exponent(self._taps)
        for row in range(rows):
            for column in range(columns):
                value = float(self._taps[row, column])
                box = QRectF(left + column * cell, row * cell, cell, cell)
                colour = self._colour(value, top)
                painter.fillRect(box, colour)
                if show_values and np.isfinite(value):
                    painter.setPen(readable_on(colour))
                    text = signed(f"{round(value / unit, 1) + 0.0:.1f}")
                    painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)

    def _colour(self, value: float, top: float) -> QColor:
        if not np.isfinite(value):
            return self.palette().color(self.palette().ColorRole.Mid)
        middle = (len(self._colours) - 1) / 2
        level = round(middle * (1 + (value / top if top else 0.0)))
        return QColor(*(round(part) for part in self._colours[level]))


def unfold(taps: NDArray[np.float32]) -> NDArray[np.float32]:
    """A kernel of any dimension as rows × columns; 3-D slices stand side by side."""
    if taps.ndim == 1:
        return taps[None]
    if taps.ndim == 2:
        return taps
    return np.concatenate(list(taps.reshape(-1, *taps.shape[-2:])), axis=1)


def decimal_exponent(taps: NDArray[np.float32]) -> int:
    """Power of ten that the largest finite |tap| is written with."""
    finite = np.abs(taps[np.isfinite(taps)])
    top = float(finite.max(initial=0.0))
    return math.floor(math.log10(top)) if top > 0 else 0


def readable_on(ground: QColor) -> QColor:
    """Black or white, whichever reads better on ``ground``."""
    light = 0.299 * ground.redF() + 0.587 * ground.greenF() + 0.114 * ground.blueF()
    return QColor("#1F1F1C") if light > 0.55 else QColor("#FFFFFF")
