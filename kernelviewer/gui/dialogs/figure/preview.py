"""The figure as it will be written; it can be dragged into another program."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QImage, QPainter
from PySide6.QtWidgets import QApplication, QSizePolicy, QWidget

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PySide6.QtGui import QMouseEvent, QPaintEvent, QResizeEvent

_BORDER = 12
_PATIENCE = "Drawing…"


class FigurePreview(QWidget):
    """Shows pixels as large as they fit, or a sentence. Setters never emit."""

    resized = Signal()
    grasped = Signal()
    """The mouse was pressed on the figure: it may be dragged out."""
    dragged = Signal()
    """The mouse has been moved far enough."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("figurePreview")
        self.setAccessibleName("The figure as it will be written")
        policy = QSizePolicy.Policy.Expanding
        self.setSizePolicy(policy, policy)
        self.setMinimumSize(280, 160)
        self._image = QImage()
        self._text = _PATIENCE
        self._stale = False
        self._pressed: QPointF | None = None

    @property
    def image(self) -> QImage:
        """The pixels shown; null if there are none."""
        return self._image

    @property
    def text(self) -> str:
        """The sentence shown in place of a figure."""
        return self._text

    def room(self) -> tuple[int, int]:
        """Device pixels across and down that there are for the figure."""
        ratio = self.devicePixelRatioF()
        wide, high = self.width() - 2 * _BORDER, self.height() - 2 * _BORDER
        return round(max(wide, 1) * ratio), round(max(high, 1) * ratio)

    def set_pixels(self, pixels: NDArray[np.uint8]) -> None:
        """Show a figure, RGBA [rows, columns, 4]."""
        rows, columns = pixels.shape[:2]
        kind = QImage.Format.Format_RGBA8888
        data = pixels.tobytes()
        self._image = QImage(data, columns, rows, 4 * columns, kind).copy()
        self._text, self._stale = "", False
        self.setCursor(Qt.CursorShape.OpenHandCursor)
        self.setToolTip("Drag the figure into another program")
        self.update()

    def set_text(self, text: str) -> None:
        """Say why there is no figure."""
        text = f"{text[:1].upper()}{text[1:]}"
        self._image, self._text, self._stale = QImage(), text, False
        self._pressed = None
        self.unsetCursor()
        self.setToolTip("")
        self.setAccessibleDescription(text)
        self.update()

    def set_stale(self, stale: bool) -> None:
        """True if another figure is on its way."""
        if self._stale != stale:
            self._stale = stale
            self.update()

    def sizeHint(self) -> QSize:
        """Qt: room for a column beside the options."""
        return QSize(640, 480)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Qt: the figure on a sheet, or the sentence."""
        painter = QPainter(self)
        if self._image.isNull():
            painter.setPen(self.palette().placeholderText().color())
            room = self.rect().adjusted(24, 24, -24, -24)
            wrap = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            painter.drawText(room, wrap, self._text)
            return
        box = self._box()
        painter.setPen(self.palette().mid().color())
        painter.drawRect(box.adjusted(-1, -1, 0, 0))
        smooth = QPainter.RenderHint.SmoothPixmapTransform
        painter.setRenderHint(smooth)
        painter.drawImage(box, self._scaled())
        if self._stale:
            dot = QColor(self.palette().link().color())
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setBrush(dot)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.drawEllipse(QPointF(self.width() - 10.0, 10.0), 4.0, 4.0)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Qt: a drag may begin."""
        on_it = self._box().contains(event.position())
        if event.button() == Qt.MouseButton.LeftButton and on_it and not self._text:
            self._pressed = event.position()
            self.grasped.emit()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Qt: far enough, and it is one."""
        if self._pressed is None:
            return
        moved = (event.position() - self._pressed).manhattanLength()
        if moved >= QApplication.startDragDistance():
            self._pressed = None
            self.dragged.emit()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Qt: it was none."""
        self._pressed = None

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Qt: the figure may need other pixels."""
        super().resizeEvent(event)
        self.resized.emit()

    def _box(self) -> QRectF:
        """Where the figure lies, logical pixels."""
        if self._image.isNull():
            return QRectF()
        wide, high = (side / self.devicePixelRatioF() for side in self.room())
        scale = min(wide / self._image.width(), high / self._image.height())
        width, height = self._image.width() * scale, self._image.height() * scale
        left, top = (self.width() - width) / 2, (self.height() - height) / 2
        return QRectF(round(left), round(top), round(width), round(height))

    def _scaled(self) -> QImage:
        """The pixels averaged to those of the screen, where there are more of them."""
        ratio, box = self.devicePixelRatioF(), self._box()
        size = QSize(round(box.width() * ratio), round(box.height() * ratio))
        if size.width() >= self._image.width():
            return self._image
        smooth = Qt.TransformationMode.SmoothTransformation
        keep = Qt.AspectRatioMode.IgnoreAspectRatio
        return self._image.scaled(size, keep, smooth)
