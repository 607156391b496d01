"""A kernel as a surface that can be turned, painted far quads first."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QElapsedTimer, QPointF, QRectF, QSize, Qt, QTimer
from PySide6.QtGui import QBrush, QColor, QFontMetricsF, QPainter, QPen
from PySide6.QtWidgets import QSizePolicy

from kernelviewer.gui.painting.focus import Ringed
from kernelviewer.gui.painting.fonts import caption_font
from kernelviewer.gui.painting.kernels import WeightColours
from kernelviewer.gui.theme import LIGHT
from kernelviewer.gui.views.reconstruction.projection import (
    Camera,
    extent,
    ground_of,
    heights_of,
    lower_edge,
    make_mesh,
    project,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PySide6.QtGui import QKeyEvent, QMouseEvent, QPaintEvent
    from PySide6.QtWidgets import QWidget

    from kernelviewer.gui.theme import Tokens
    from kernelviewer.gui.views.reconstruction.projection import (
        Mesh,
    )

_MARGIN = 6
_DEGREES = 0.5
"""Per logical pixel of a drag."""
_KEY_DEGREES = 5.0
_SHADE = 0.16
"""How much darker the darkest side is."""
_CUTS = ((64, 3), (256, 2))
"""Up to so many quads are cut into so many parts along each side, to be coloured."""
_CALM = 60
"""Kernels that follow each other faster, milliseconds, are painted in whole quads."""
_EVEN = 0.08
"""Quads whose heights differ less are painted in one colour."""
_MANY = 400
"""Quads; more are drawn without their outlines, which would hide them."""
_TURNS = {
    Qt.Key.Key_Left: (-1, 0),
    Qt.Key.Key_Right: (1, 0),
    Qt.Key.Key_Up: (0, 1),
    Qt.Key.Key_Down: (0, -1),
}


class KernelSurface(Ringed):
    """Surface of a 2-D kernel; drag or arrow keys turn it, a double click resets."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("kernelSurface")
        self.setAccessibleName("Surface of the decoded kernel")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.OpenHandCursor)
        self.setToolTip("Drag to turn, double-click to reset")
        expanding = QSizePolicy.Policy.Expanding
        self.setSizePolicy(expanding, expanding)
        self._tokens = LIGHT
        self._paints = WeightColours.of(np.full((3, 3), 128.0), "#FFFFFF", "#C9C9C4")
        self._heights: NDArray[np.float64] | None = None
        self._mesh: Mesh | None = None
        self._camera = Camera()
        self._hurried = False
        self._since = QElapsedTimer()
        self._calm = QTimer(self, singleShot=True, interval=_CALM)
        self._calm.timeout.connect(self._on_calm)
        self._last: QPointF | None = None

    @property
    def camera(self) -> Camera:
        """From where the surface is seen."""
        return self._camera

    def set_theme(self, tokens: Tokens) -> None:
        """Show other colours."""
        self._tokens = tokens
        self.update()

    def set_paints(self, paints: WeightColours) -> None:
        """Colour weights otherwise."""
        self._paints = paints
        self.update()

    def set_taps(self, taps: NDArray[np.float32] | None) -> None:
        """Show a kernel [rows, columns]; None: nothing."""
        self._heights = None if taps is None else heights_of(taps)
        self._hurried = self._since.isValid() and self._since.elapsed() < _CALM
        self._since.start()
        if self._hurried:
            self._calm.start()
        self._mesh = None
        self.update()

    def _on_calm(self) -> None:
        """Nothing moves any more: paint it finely."""
        self._hurried = False
        self._mesh = None
        self.update()

    def turn(self, azimuth: float, elevation: float) -> None:
        """Turn by so many degrees."""
        self._camera = self._camera.turned(azimuth, elevation)
        self._mesh = None
        self.update()

    def reset(self) -> None:
        """See it as at first."""
        self._camera = Camera()
        self._mesh = None
        self.update()

    # Drawing

    def sizeHint(self) -> QSize:
        """Qt: wished size."""
        return QSize(240, 160)

    def minimumSizeHint(self) -> QSize:
        """Qt: least size."""
        return QSize(120, 100)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Quads, and which way x and y run."""
        if self._heights is None:
            return
        if self._mesh is None:
            size = self._heights.size
            cuts = next((cuts for most, cuts in _CUTS if size <= most), 1)
            cuts = 1 if self._hurried else cuts
            self._mesh = make_mesh(self._heights, self._camera, cuts)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        scale, middle = self._placing(self._heights)
        self._paint_quads(painter, self._mesh, scale, middle)
        self._paint_axes(painter, self._heights, scale, middle)
        if self._ringed:
            painter.setPen(QColor(self._tokens.accent))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            box = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
            painter.drawRoundedRect(box, 4, 4)

    def _placing(self, heights: NDArray[np.float64]) -> tuple[float, QPointF]:
        """Pixels per unit, and where the middle of the ground lies."""
        side, up, down = extent(heights, self._camera)
        caption = QFontMetricsF(caption_font(self.font())).height()
        free_x = self.width() - 2 * _MARGIN - caption
        free_y = self.height() - _MARGIN - 2 * caption
        scale = max(1.0, min(free_x / (2 * side), free_y / (up + down)))
        low = (self.height() - caption - (up + down) * scale) / 2
        return scale, QPointF(self.width() / 2, low + up * scale)

    def _paint_quads(
        self, painter: QPainter, mesh: Mesh, scale: float, middle: QPointF
    ) -> None:
        """Quads with their outlines; those of several colours part by part."""
        at = (middle.x(), middle.y())
        outlines = _Polygons(mesh.outline * scale + at)
        parts = _Polygons(mesh.parts * scale + at)
        shade, cuts = 1 - _SHADE * (1 - mesh.light), mesh.parts.shape[1]
        colours: list[int] = self._paints.shaded(mesh.level, shade).ravel().tolist()
        uneven: list[bool] = (np.ptp(mesh.level, axis=1) > _EVEN).tolist()
        line = QColor(self._tokens.secondary)
        line.setAlphaF(0.6)
        pen = QPen(line, 0.8)
        if len(uneven) > _MANY:
            pen = QPen(Qt.PenStyle.NoPen)
        for quad, cut in enumerate(uneven):
            brush = QBrush(QColor(colours[quad * cuts + cuts // 2]))
            if cut and cuts > 1:
                # without smoothing, neighbouring parts leave no seam between them
                painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
                painter.setPen(Qt.PenStyle.NoPen)
                for part in range(quad * cuts, quad * cuts + cuts):
                    painter.setBrush(QColor(colours[part]))
                    painter.drawConvexPolygon(parts.points(part))
                painter.setRenderHint(QPainter.RenderHint.Antialiasing)
                brush = QBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(pen)
            painter.setBrush(brush)
            painter.drawConvexPolygon(outlines.points(quad))

    def _paint_axes(
        self,
        painter: QPainter,
        heights: NDArray[np.float64],
        scale: float,
        middle: QPointF,
    ) -> None:
        """An x and a y beyond the near edges of the ground, below the surface."""
        half_x, half_y = ground_of((heights.shape[0], heights.shape[1]))
        font = caption_font(self.font())
        metrics = QFontMetricsF(font)
        painter.setFont(font)
        painter.setPen(QColor(self._tokens.secondary))
        beyond = 0.8 * metrics.height() / scale
        x_axis, y_axis = np.array([1.0, 0, 0]), np.array([0, 1.0, 0])
        _, (near_x, near_y) = project(np.stack([x_axis, y_axis]), self._camera)
        by_x = half_x * 0.8 * x_axis + np.sign(near_y) * (half_y + beyond) * y_axis
        by_y = half_y * 0.8 * y_axis + np.sign(near_x) * (half_x + beyond) * x_axis
        places, _ = project(np.stack([by_x, by_y]), self._camera)
        assert self._mesh is not None
        outline, lowest = self._mesh.outline * scale, self.height() - middle.y()
        for text, (x, y) in zip("xy", (places * scale).tolist(), strict=True):
            half, tall = metrics.horizontalAdvance(text) / 2, metrics.ascent()
            edge = [lower_edge(outline, at) for at in (x - half, x, x + half)]
            line = max(y + tall / 2, *(end + tall for end in edge))
            line = min(line, lowest - metrics.descent())
            painter.drawText(middle + QPointF(x - half, line), text)

    # Turning

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Take hold."""
        if event.button() == Qt.MouseButton.LeftButton:
            self._last = event.position()
            self.setCursor(Qt.CursorShape.ClosedHandCursor)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Turn with the mouse."""
        if self._last is not None:
            way = event.position() - self._last
            self._last = event.position()
            self.turn(-_DEGREES * way.x(), _DEGREES * way.y())

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Let go."""
        self._last = None
        self.setCursor(Qt.CursorShape.OpenHandCursor)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """See it as at first."""
        self.reset()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Turn with the arrow keys; Home resets."""
        if event.key() in _TURNS:
            azimuth, elevation = _TURNS[Qt.Key(event.key())]
            self.turn(-_KEY_DEGREES * azimuth, _KEY_DEGREES * elevation)
        elif event.key() == Qt.Key.Key_Home:
            self.reset()
        else:
            super().keyPressEvent(event)


class _Polygons:
    """Corners of many quads, in one list of numbers.

    Lists of lists would set off the garbage collector while the mouse turns a surface.
    """

    def __init__(self, corners: NDArray[np.float64]) -> None:
        self._numbers: list[float] = corners.ravel().tolist()

    def points(self, index: int) -> list[QPointF]:
        """Corners of one quad."""
        x0, y0, x1, y1, x2, y2, x3, y3 = self._numbers[8 * index : 8 * index + 8]
        return [QPointF(x0, y0), QPointF(x1, y1), QPointF(x2, y2), QPointF(x3, y3)]
