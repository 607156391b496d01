"""The scatter plot: zoom, pan, rubber band, lasso, thumbnails."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QHelpEvent,
    QPainter,
    QPen,
    QPolygonF,
)
from PySide6.QtWidgets import QApplication, QToolTip, QWidget

from kernelviewer.gui.text import spaced
from kernelviewer.gui.theme import LIGHT
from kernelviewer.gui.views.scatter.cloud import (
    THUMBNAIL_CELL,
    Cloud,
)
from kernelviewer.gui.views.scatter.raster import DENSITY_FROM, inside_polygon

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray
    from PySide6.QtGui import (
        QImage,
        QMouseEvent,
        QPaintEvent,
        QResizeEvent,
        QWheelEvent,
    )

    from kernelviewer.gui.theme import Tokens
    from kernelviewer.gui.views.scatter.cloud import (
        ScatterContent,
    )

MARGIN = 16
CAPTION = 20
REACH = 6
"""How far from a point a click still means it, logical pixels."""


class ScatterView(QWidget):
    """Shows what it is told; asks by signals."""

    focus_requested = Signal(int)
    selection_requested = Signal(object, object)
    """Kernel numbers, int64, and the keyboard modifiers held."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("scatterView")
        self.setAccessibleName("Principal components of the kernels' patterns")
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._tokens = LIGHT
        self._content: ScatterContent | None = None
        self._classes: NDArray[np.uint8] = np.zeros(0, np.uint8)
        self._class_colours: tuple[str, ...] = ("#808080",)
        self._selected: NDArray[np.bool_] | None = None
        self._focus: int | None = None
        self._marked: NDArray[np.int64] = np.zeros(0, np.int64)
        self._message = ""
        self._tooltip: Callable[[int], str] = str
        self._thumbnail: Callable[[int], QImage | None] = lambda number: None
        self._box = (-1.0, 1.0, -1.0, 1.0)
        self._image: QImage | None = None
        self._places: NDArray[np.int32] = np.zeros((0, 2), np.int32)
        self._cloud = Cloud()
        self._path: list[QPointF] = []
        self._pan_from: QPointF | None = None

    def set_content(self, content: ScatterContent | None, message: str = "") -> None:
        """Show other points, or say what would fill the view."""
        self._content, self._message = content, message
        self._selected = None
        if content is not None:
            self._classes = np.zeros(len(content.points), np.uint8)
        self.reset_zoom()

    @property
    def content(self) -> ScatterContent | None:
        """The points that are shown."""
        return self._content

    def set_classes(self, classes: NDArray[np.uint8], colours: tuple[str, ...]) -> None:
        """Colour the points: uint8 [P] into at most 127 colours, ``#RRGGBB``."""
        self._classes, self._class_colours = classes, colours
        self._redraw()

    def set_selection(self, selected: NDArray[np.bool_] | None) -> None:
        """Mark points, bool [P]; None or all False: none."""
        some = selected is not None and bool(selected.any())
        self._selected = selected if some else None
        self._redraw()

    def set_focus(self, number: int | None) -> None:
        """Ring one kernel."""
        self._focus = number
        self.update()

    def set_marked(self, numbers: NDArray[np.int64]) -> None:
        """Mark kernels with a cross, such as those nearest to the slider."""
        self._marked = numbers
        self.update()

    def set_theme(self, tokens: Tokens) -> None:
        """Use these colours."""
        self._tokens = tokens
        self._redraw()

    def set_tooltip(self, tooltip: Callable[[int], str]) -> None:
        """What to say of a kernel under the cursor."""
        self._tooltip = tooltip

    def set_thumbnail(self, thumbnail: Callable[[int], QImage | None]) -> None:
        """How to draw a kernel small."""
        self._thumbnail = thumbnail

    def reset_zoom(self) -> None:
        """Show all points."""
        if self._content is not None and len(self._content.points):
            low, high = self._content.points.min(0), self._content.points.max(0)
            room = np.maximum(0.04 * (high - low), 1e-3)
            low, high = low - room, high + room
            self._box = (float(low[0]), float(high[0]), float(low[1]), float(high[1]))
        self._redraw()

    def place_of(self, number: int) -> QPointF | None:
        """Where a kernel's point lies in the widget; None if it has none."""
        if self._content is None:
            return None
        row = int(np.searchsorted(self._content.numbers, number))
        if row >= len(self._content.numbers) or self._content.numbers[row] != number:
            return None
        self._ensure_image()
        column, line = self._places[row] / self.devicePixelRatioF()
        return QPointF(float(column), float(line))

    def number_at(self, place: QPointF) -> int | None:
        """The kernel whose point lies nearest to a place, within reach."""
        if self._content is None or not len(self._places):
            return None
        ratio = self.devicePixelRatioF()
        away = self._places - np.array([place.x(), place.y()]) * ratio
        distance = (away**2).sum(1)
        best = int(distance.argmin())
        if distance[best] > (REACH * ratio) ** 2:
            return None
        return int(self._content.numbers[best])

    def sizeHint(self) -> QSize:
        """Qt: wished size."""
        return QSize(320, 190)

    def minimumSizeHint(self) -> QSize:
        """Qt: smallest size."""
        return QSize(160, 100)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Qt: paint the cloud, what is marked, the axes' names."""
        painter = QPainter(self)
        if self._content is None or not len(self._content.points):
            painter.setPen(QColor(self._tokens.secondary))
            box = self.rect().adjusted(MARGIN, 0, -MARGIN, 0)
            flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            painter.drawText(box, flags, self._message)
            return
        self._ensure_image()
        if self._image is not None:
            painter.drawImage(QPointF(0, 0), self._image)
        self._paint_thumbnails(painter, self._content)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._paint_marks(painter)
        self._paint_captions(painter, self._content)
        if self._path:
            painter.setPen(QPen(QColor(self._tokens.accent), 1))
            fill = QColor(self._tokens.accent)
            fill.setAlphaF(0.12)
            painter.setBrush(fill)
            painter.drawPolygon(QPolygonF(self._path))

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Qt: zoom at the cursor."""
        factor = 0.999 ** event.angleDelta().y()
        place, (left, right, bottom, top) = event.position(), self._box
        x = left + (right - left) * place.x() / max(1, self.width())
        y = top - (top - bottom) * place.y() / max(1, self.height() - CAPTION)
        self._box = (
            x + (left - x) * factor,
            x + (right - x) * factor,
            y + (bottom - y) * factor,
            y + (top - y) * factor,
        )
        self._redraw()
        event.accept()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Qt: begin a band (left; Alt: lasso) or move the picture (middle, right)."""
        if event.button() == Qt.MouseButton.LeftButton:
            self._path = [event.position()]
        else:
            self._pan_from = event.position()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Qt: go on with what was begun."""
        place = event.position()
        if self._pan_from is not None:
            self._pan(place - self._pan_from)
            self._pan_from = place
        elif self._path:
            start = self._path[0]
            if event.modifiers() & Qt.KeyboardModifier.AltModifier:
                self._path.append(place)
            else:
                corners = QRectF(start, place)
                self._path = [
                    start,
                    QPointF(corners.right(), corners.top()),
                    place,
                    QPointF(corners.left(), corners.bottom()),
                ]
            self.update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Qt: a click asks for the focus, a band for the selection."""
        if event.button() != Qt.MouseButton.LeftButton:
            self._pan_from = None
            return
        path, self._path = self._path, []
        self.update()
        if self._content is None or not path:
            return
        far = (event.position() - path[0]).manhattanLength()
        if far < QApplication.startDragDistance():
            number = self.number_at(event.position())
            if number is not None:
                self.focus_requested.emit(number)
            return
        corners = np.array([[p.x(), p.y()] for p in path]) * self.devicePixelRatioF()
        inside = inside_polygon(self._places, corners)
        numbers = self._content.numbers[inside]
        self.selection_requested.emit(numbers, event.modifiers())

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Qt: show all points again."""
        self.reset_zoom()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Qt: draw anew."""
        self._redraw()

    def event(self, event: QEvent) -> bool:
        """Qt: name the kernel under the cursor."""
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            number = self.number_at(QPointF(event.pos()))
            text = "" if number is None else self._tooltip(number)
            QToolTip.showText(event.globalPos(), text, self)
            return True
        return super().event(event)

    def _pan(self, by: QPointF) -> None:
        left, right, bottom, top = self._box
        dx = -by.x() * (right - left) / max(1, self.width())
        dy = by.y() * (top - bottom) / max(1, self.height() - CAPTION)
        self._box = (left + dx, right + dx, bottom + dy, top + dy)
        self._redraw()

    def _redraw(self) -> None:
        self._image = None
        self.update()

    def _ensure_image(self) -> None:
        """Draw the cloud if it is not up to date; hidden views never come here."""
        if self._image is not None or self._content is None:
            return
        ratio = self.devicePixelRatioF()
        size = round(self.width() * ratio), round(self.height() * ratio)
        places = self._cloud.place(
            self._content, self._box, size, ratio, round(CAPTION * ratio)
        )
        self._places = places
        self._image = self._cloud.draw(
            self._classes, self._class_colours, self._selected, self._tokens.panel
        )

    def _paint_thumbnails(self, painter: QPainter, content: ScatterContent) -> None:
        ratio = self.devicePixelRatioF()
        if min(self.width(), self.height()) < 2 * THUMBNAIL_CELL:
            return
        for row in self._cloud.shown_small:
            picture = self._thumbnail(int(content.numbers[row]))
            if picture is not None:
                column, line = self._places[row] / ratio
                box = QRectF(0, 0, picture.width() / ratio, picture.height() / ratio)
                box.moveCenter(QPointF(float(column), float(line)))
                painter.drawImage(box, picture)
                painter.setPen(QPen(QColor(self._tokens.separator), 1))
                painter.drawRect(box)

    def _paint_marks(self, painter: QPainter) -> None:
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(QColor(self._tokens.accent), 1.5))
        for number in self._marked:
            if (place := self.place_of(int(number))) is not None:
                painter.drawEllipse(place, 5, 5)
        if self._focus is not None and (place := self.place_of(self._focus)):
            painter.setPen(QPen(QColor(self._tokens.text), 2))
            painter.drawEllipse(place, 6, 6)

    def _paint_captions(self, painter: QPainter, content: ScatterContent) -> None:
        font = painter.font()
        font.setPixelSize(11)
        painter.setFont(font)
        painter.setPen(QColor(self._tokens.secondary))
        text = "   ".join(content.axes)
        if len(content.points) > DENSITY_FROM:
            text += f"   density of {spaced(len(content.points))} kernels"
        box = QRectF(MARGIN, self.height() - CAPTION, self.width() - MARGIN, CAPTION)
        painter.drawText(box, Qt.AlignmentFlag.AlignVCenter, text)
