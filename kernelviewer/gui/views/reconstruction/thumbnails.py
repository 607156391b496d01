"""Real kernels in a row of small pictures."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING, cast

import numpy as np
from PySide6.QtCore import QEvent, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QPainter
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from kernelviewer.gui import theme
from kernelviewer.gui.accessible import Listed, one_line
from kernelviewer.gui.controls import named
from kernelviewer.gui.painting.kernels import (
    WeightColours,
    as_pictures,
    enlarge,
    fit_taps,
    to_image,
)
from kernelviewer.gui.painting.pixels import device_length, device_pixels, paint_outline
from kernelviewer.gui.text import as_tip

if TYPE_CHECKING:
    from PySide6.QtCore import QPoint, QPointF
    from PySide6.QtGui import (
        QFocusEvent,
        QHelpEvent,
        QImage,
        QKeyEvent,
        QMouseEvent,
        QPaintEvent,
        QResizeEvent,
    )

    from kernelviewer.gui.views.reconstruction.content import NearKernel

_TALL, _LONG = 36, 112
"""Height of a picture, and width of one that is longer than high."""
_GAP = 6
_RING = 2
_STEPS = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}
_ROWS = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}


class Thumbnails(Listed, QWidget):
    """Small pictures in rows; a click asks for one, or Enter for the ringed one."""

    kernel_requested = Signal(int)
    """Kernel id."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        named(self, "nearestKernels", "Nearest kernels")
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self._paints = WeightColours.of(np.full((3, 3), 128.0), "#FFFFFF", "#C9C9C4")
        self._kernels: tuple[NearKernel, ...] = ()
        self._images: list[QImage] = []
        self._current = 0
        self._tile = QSize(_TALL, _TALL)
        self._hovered: int | None = None

    def set_paints(self, paints: WeightColours) -> None:
        """Colour weights otherwise."""
        self._paints = paints
        self._redraw()

    @property
    def count(self) -> int:
        """How many are shown."""
        return len(self._kernels)

    def set_kernels(self, kernels: tuple[NearKernel, ...]) -> None:
        """Show these, the nearest first."""
        rows = self._row_count(self.width())
        self._kernels = kernels
        self._tile = self._tile_size()
        self._current = min(self._current, max(0, len(kernels) - 1))
        self._hovered = None
        self._describe()
        if self._row_count(self.width()) != rows:
            self.updateGeometry()
        self._redraw()

    # Places

    def kernel_rect(self, index: int) -> QRect:
        """Where a kernel stands, logical pixels."""
        row, column = divmod(index, self._columns(self.width()))
        wide, tall = self._tile.width(), self._tile.height()
        x, y = column * (wide + _GAP), row * (tall + _GAP)
        return QRect(_RING + x, _RING + y, wide, tall)

    def index_at(self, point: QPoint) -> int | None:
        """Which kernel stands there."""
        for index in range(len(self._kernels)):
            if self.kernel_rect(index).contains(point):
                return index
        return None

    def _taps(self, rows: int, columns: int) -> tuple[int, int]:
        """Width and height of a tap, device pixels."""
        ratio = self.devicePixelRatioF()
        longest = _LONG if columns > rows else _TALL
        return fit_taps(rows, columns, int(longest * ratio), int(_TALL * ratio))

    def _tile_size(self) -> QSize:
        """Room for a kernel, logical pixels."""
        if not self._kernels:
            return QSize(_TALL, _TALL)
        rows, columns = as_pictures(self._kernels[0].taps[None]).shape[1:]
        across, down = self._taps(rows, columns)
        ratio = self.devicePixelRatioF()
        return QSize(ceil(columns * across / ratio), ceil(rows * down / ratio))

    def _columns(self, width: int) -> int:
        return max(1, (width - 2 * _RING + _GAP) // (self._tile.width() + _GAP))

    def _row_count(self, width: int) -> int:
        return max(1, ceil(len(self._kernels) / self._columns(width)))

    def heightForWidth(self, width: int) -> int:
        """Qt: height of all rows."""
        pitch = self._tile.height() + _GAP
        return self._row_count(width) * pitch - _GAP + 2 * _RING

    def sizeHint(self) -> QSize:
        """Qt: wished size."""
        wide = 6 * (_TALL + _GAP)
        return QSize(wide, self.heightForWidth(max(wide, self.width())))

    def minimumSizeHint(self) -> QSize:
        """Qt: least size."""
        return QSize(
            self._tile.width() + 2 * _RING, self.heightForWidth(max(1, self.width()))
        )

    # Drawing

    def _redraw(self) -> None:
        self._images = []
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Qt: the pictures, and a ring around the one that keys or mouse are at."""
        ratio = self.devicePixelRatioF()
        if len(self._images) != len(self._kernels):
            self._images = self._draw()
        painter = QPainter(self)
        line, accent = device_length(_RING, ratio), QColor(theme.tokens().accent)
        ringed = self._current if self.hasFocus() else self._hovered
        with device_pixels(painter, ratio):
            for index, image in enumerate(self._images):
                place = self.kernel_rect(index)
                x, y = round(place.x() * ratio), round(place.y() * ratio)
                painter.drawImage(x, y, image)
                if index == ringed:
                    box = QRect(x, y, image.width(), image.height())
                    box.adjust(-line, -line, line, line)
                    paint_outline(painter, box, line, accent)

    def _draw(self) -> list[QImage]:
        images = []
        for kernel in self._kernels:
            pixels = self._paints.pixels(kernel.taps[None])[0]
            images.append(to_image(enlarge(pixels, *self._taps(*pixels.shape))))
        return images

    # Mouse and keys

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Show what a click would take."""
        hovered = self.index_at(event.position().toPoint())
        if hovered != self._hovered:
            self._hovered = hovered
            shapes = Qt.CursorShape
            hand = hovered is not None
            self.setCursor(shapes.PointingHandCursor if hand else shapes.ArrowCursor)
            self.update()

    def leaveEvent(self, event: QEvent) -> None:
        """The mouse went elsewhere."""
        self._hovered = None
        self.update()
        super().leaveEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Ask for a kernel."""
        index = self.index_at(event.position().toPoint())
        if index is not None and event.button() == Qt.MouseButton.LeftButton:
            self._go_to(index)
            self.kernel_requested.emit(self._kernels[index].id)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Move the ring; ask for the kernel in it."""
        keys = Qt.Key
        if event.key() in _STEPS:
            self._go_to(self._current + _STEPS[Qt.Key(event.key())])
        elif event.key() in _ROWS:
            rows = _ROWS[Qt.Key(event.key())]
            self._go_to(self._current + rows * self._columns(self.width()))
        elif event.key() in (keys.Key_Return, keys.Key_Enter, keys.Key_Space):
            if self._kernels:
                self.kernel_requested.emit(self._kernels[self._current].id)
        else:
            super().keyPressEvent(event)

    def _go_to(self, index: int) -> None:
        if 0 <= index < len(self._kernels):
            self._current = index
            self._describe()
            self.update()

    def _describe(self) -> None:
        text = describe(self._kernels[self._current]) if self._kernels else ""
        self.setAccessibleDescription(text)
        self.tell_item()

    # Items, as a screen reader has them

    def item_count(self) -> int:
        """Kernels."""
        return len(self._kernels)

    def item_name(self, item: int) -> str:
        """A near kernel in a line."""
        return one_line(describe(self._kernels[item]))

    def item_box(self, item: int) -> QRectF | None:
        """Where it stands."""
        return QRectF(self.kernel_rect(item))

    def item_at(self, place: QPointF) -> int | None:
        """The kernel there."""
        return self.index_at(place.toPoint())

    def item_now(self) -> int | None:
        """What the keys are at."""
        return self._current if self._kernels else None

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Show the ring."""
        super().focusInEvent(event)
        self.update()

    def event(self, event: QEvent) -> bool:
        """Tooltips; and whole device pixels on whatever screen the window is."""
        if event.type() == QEvent.Type.ToolTip:
            tip = cast("QHelpEvent", event)
            index = self.index_at(tip.pos())
            text = "" if index is None else describe(self._kernels[index])
            QToolTip.showText(tip.globalPos(), as_tip(text), self)
            return True
        if event.type() == QEvent.Type.DevicePixelRatioChange:
            self._tile = self._tile_size()
            self._redraw()
        return super().event(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Flow anew."""
        super().resizeEvent(event)
        self.update()


def describe(kernel: NearKernel) -> str:
    """A near kernel in words."""
    text = f"cosine {kernel.cosine:.3f}"
    return f"{text}\n{kernel.title}" if kernel.title else text
