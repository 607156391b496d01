"""A kernel as a surface that can be turned: the projection, and its widget."""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, radians, sin
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QElapsedTimer, QPointF, QRectF, Qt, QTimer
from PySide6.QtGui import QBrush, QColor, QFontMetricsF, QPainter, QPen
from PySide6.QtWidgets import QSizePolicy

from kernelviewer.gui import theme
from kernelviewer.gui.controls import named
from kernelviewer.gui.painting.kernels import WeightColours
from kernelviewer.gui.painting.pixels import Ringed, caption_font

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PySide6.QtGui import QKeyEvent, QMouseEvent, QPaintEvent
    from PySide6.QtWidgets import QWidget


RISE = 0.42
"""Height of the largest tap, the longer side of the ground being 1."""
_SHORTEST = 0.25
"""Shorter side of the ground at the least."""
_LIGHT = np.array([-0.45, -0.35, 0.82])
"""Where light comes from: x right, y towards the viewer, z up."""
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


@dataclass(frozen=True, slots=True)
class Camera:
    """From where a surface is seen, degrees.

    ``azimuth`` turns it about its axis; ``elevation`` is 0 from the side and 90 from
    above.
    """

    azimuth: float = 35.0
    elevation: float = 32.0

    def turned(self, azimuth: float, elevation: float) -> Camera:
        """Turned further; never to be seen from below or quite from the side."""
        raised = min(max(self.elevation + elevation, 5.0), 90.0)
        return Camera((self.azimuth + azimuth) % 360, raised)


@dataclass(frozen=True, slots=True, eq=False)
class Mesh:
    """Quads between taps in drawing order, far ones first. Q quads of P parts.

    On the screen x runs right and y down; the middle of the ground is at 0.
    """

    outline: NDArray[np.float64]
    """float64 [Q, 4, 2]: corners of the quads."""
    parts: NDArray[np.float64]
    """float64 [Q, P, 4, 2]: corners of what they are coloured by."""
    level: NDArray[np.float64]
    """float64 [Q, P]: mean height, −1 … 1."""
    light: NDArray[np.float64]
    """float64 [Q, P]: how much light falls there, 0 … 1."""


def heights_of(taps: NDArray[np.float32]) -> NDArray[np.float64]:
    """Heights [rows, columns] within −1 … 1 of taps [rows, columns].

    What is one tap wide is drawn as a ribbon; what is not a number as 0.
    """
    values = np.where(np.isfinite(taps), taps, 0).astype(np.float64)
    values /= np.abs(values).max(initial=0) or 1.0
    rows, columns = values.shape
    return values.repeat(2 if rows == 1 else 1, 0).repeat(2 if columns == 1 else 1, 1)


def ground_of(shape: tuple[int, int]) -> tuple[float, float]:
    """Half the length of the ground along x and along y, for rows and columns."""
    down, across = shape[0] - 1, shape[1] - 1
    longest = max(down, across)
    return max(across / longest, _SHORTEST) / 2, max(down / longest, _SHORTEST) / 2


def project(
    points: NDArray[np.float64], camera: Camera
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Places [..., 2] on the screen, and nearness [...], of points [..., 3] in space.

    In space x runs along columns, y along rows and z up.
    """
    turn, tilt = radians(camera.azimuth), radians(camera.elevation)
    x, y, z = np.moveaxis(points, -1, 0)
    across = x * cos(turn) - y * sin(turn)
    near = x * sin(turn) + y * cos(turn)
    down = near * sin(tilt) - z * cos(tilt)
    return np.stack([across, down], axis=-1), near


def make_mesh(heights: NDArray[np.float64], camera: Camera, cuts: int = 1) -> Mesh:
    """The quads between the taps of ``heights`` [rows, columns], seen from a side.

    Parameters
    ----------
    cuts
        Into so many parts along each side a quad is cut, for the sake of its colours.
    """
    whole = _quads(_points(heights))
    outline, near = project(whole.reshape(-1, 4, 3), camera)
    # between quads of one size, nearness of the middles says which covers which
    order = np.argsort(near.mean(axis=1), kind="stable")
    fine = _quads(_points(_refined(_refined(heights, cuts).T, cuts).T))
    rows, columns = whole.shape[:2]
    cut = fine.reshape(rows, cuts, columns, cuts, 4, 3).swapaxes(1, 2)
    cut = cut.reshape(rows * columns, cuts * cuts, 4, 3)[order]
    # all quads are alike on the ground, so their parts cover each other alike
    _, near = project(cut[:1], camera)
    cut = cut[:, np.argsort(near[0].mean(axis=1), kind="stable")]
    level = cut[..., 2].mean(axis=2) / RISE
    parts, _ = project(cut, camera)
    return Mesh(outline[order], parts, level, _light_on(cut, camera))


def extent(heights: NDArray[np.float64], camera: Camera) -> tuple[float, float, float]:
    """Reach of a surface sideways, up and down from the middle of its ground.

    The same however it is turned about its axis.
    """
    points = _points(heights)
    radius = np.hypot(points[..., 0], points[..., 1])
    flat = radius * sin(radians(camera.elevation))
    rise = points[..., 2] * cos(radians(camera.elevation))
    return (float(radius.max()), float((flat + rise).max()), float((flat - rise).max()))


def _points(heights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Heights [rows, columns] as points [rows, columns, 3] in space."""
    rows, columns = heights.shape
    half_x, half_y = ground_of((rows, columns))
    x, y = np.linspace(-half_x, half_x, columns), np.linspace(-half_y, half_y, rows)
    down, across = np.meshgrid(y, x, indexing="ij")
    return np.stack([across, down, RISE * heights], axis=-1)


def _quads(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Points [rows, columns, 3] as the quads [rows − 1, columns − 1, 4, 3] between."""
    corners = (points[:-1, :-1], points[:-1, 1:], points[1:, 1:], points[1:, :-1])
    return np.stack(corners, axis=2)


def _refined(heights: NDArray[np.float64], cuts: int) -> NDArray[np.float64]:
    """Rows between the rows, on straight lines."""
    at = np.arange((len(heights) - 1) * cuts + 1) / cuts
    low = np.minimum(at.astype(int), len(heights) - 2)
    share = (at - low)[:, None]
    refined: NDArray[np.float64] = heights[low] * (1 - share) + heights[low + 1] * share
    return refined


def _light_on(solid: NDArray[np.float64], camera: Camera) -> NDArray[np.float64]:
    """Light on quads [..., 4, 3], by Lambert's law; it stays where the viewer is."""
    normal = np.cross(
        solid[..., 2, :] - solid[..., 0, :], solid[..., 3, :] - solid[..., 1, :]
    )
    normal /= np.maximum(np.linalg.norm(normal, axis=-1, keepdims=True), 1e-12)
    turn = radians(camera.azimuth)
    x = normal[..., 0] * cos(turn) - normal[..., 1] * sin(turn)
    y = normal[..., 0] * sin(turn) + normal[..., 1] * cos(turn)
    light = x * _LIGHT[0] + y * _LIGHT[1] + normal[..., 2] * _LIGHT[2]
    lit: NDArray[np.float64] = np.clip(light / np.linalg.norm(_LIGHT), 0, 1)
    return lit


def lower_edge(outline: NDArray[np.float64], x: float) -> float:
    """How far down quads [N, 4, 2] reach at a place across; −inf beside them."""
    after = np.roll(outline, -1, axis=1)
    (x0, y0), (x1, y1) = np.moveaxis(outline, 2, 0), np.moveaxis(after, 2, 0)
    crosses = (np.minimum(x0, x1) <= x) & (x <= np.maximum(x0, x1)) & (x0 != x1)
    if not crosses.any():
        return float("-inf")
    x0, y0, x1, y1 = (part[crosses] for part in (x0, y0, x1, y1))
    return float((y0 + (y1 - y0) * (x - x0) / (x1 - x0)).max())


class KernelSurface(Ringed):
    """Surface of a 2-D kernel; drag or arrow keys turn it, a double click resets."""

    wished, least = (240, 160), (120, 100)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        named(self, "kernelSurface", "Surface of the decoded kernel")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.OpenHandCursor)
        self.setToolTip("Drag to turn, double-click to reset")
        expanding = QSizePolicy.Policy.Expanding
        self.setSizePolicy(expanding, expanding)
        self._paints = WeightColours.of(np.full((3, 3), 128.0), "#FFFFFF", "#C9C9C4")
        self._heights: NDArray[np.float64] | None = None
        self._mesh: Mesh | None = None
        self.camera = Camera()
        self._hurried = False
        self._since = QElapsedTimer()
        self._calm = QTimer(self, singleShot=True, interval=_CALM)
        self._calm.timeout.connect(self._on_calm)
        self._last: QPointF | None = None
        self._origin = self.camera

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
        self.camera = self.camera.turned(azimuth, elevation)
        self._mesh = None
        self.update()

    def reset(self) -> None:
        """See it as at first."""
        self.camera = Camera()
        self._mesh = None
        self.update()

    # Drawing

    def paintEvent(self, event: QPaintEvent) -> None:
        """Quads, and which way x and y run."""
        if self._heights is None:
            return
        if self._mesh is None:
            size = self._heights.size
            cuts = next((cuts for most, cuts in _CUTS if size <= most), 1)
            cuts = 1 if self._hurried else cuts
            self._mesh = make_mesh(self._heights, self.camera, cuts)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        scale, middle = self._placing(self._heights)
        self._paint_quads(painter, self._mesh, scale, middle)
        self._paint_axes(painter, self._heights, scale, middle)
        if self._ringed:
            painter.setPen(QColor(theme.tokens().accent))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            box = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
            painter.drawRoundedRect(box, 4, 4)

    def _placing(self, heights: NDArray[np.float64]) -> tuple[float, QPointF]:
        """Pixels per unit, and where the middle of the ground lies."""
        side, up, down = extent(heights, self.camera)
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
        line = QColor(theme.tokens().secondary)
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
        painter.setPen(QColor(theme.tokens().secondary))
        beyond = 0.8 * metrics.height() / scale
        x_axis, y_axis = np.array([1.0, 0, 0]), np.array([0, 1.0, 0])
        _, (near_x, near_y) = project(np.stack([x_axis, y_axis]), self.camera)
        by_x = half_x * 0.8 * x_axis + np.sign(near_y) * (half_y + beyond) * y_axis
        by_y = half_y * 0.8 * y_axis + np.sign(near_x) * (half_x + beyond) * x_axis
        places, _ = project(np.stack([by_x, by_y]), self.camera)
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
            self._last, self._origin = event.position(), self.camera
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
        """Turn with the arrow keys; Home resets, Escape gives a drag up."""
        if event.key() in _TURNS:
            azimuth, elevation = _TURNS[Qt.Key(event.key())]
            self.turn(-_KEY_DEGREES * azimuth, _KEY_DEGREES * elevation)
        elif event.key() == Qt.Key.Key_Home:
            self.reset()
        elif event.key() == Qt.Key.Key_Escape and self._last is not None:
            self._last, self.camera, self._mesh = None, self._origin, None
            self.setCursor(Qt.CursorShape.OpenHandCursor)
            self.update()
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
