"""Zooming and scrolling of the grid by wheel, pinch and commands."""

from __future__ import annotations

import sys
from math import floor
from typing import TYPE_CHECKING, cast

from PySide6.QtCore import QEvent, QPointF, Qt, Signal
from PySide6.QtWidgets import QApplication, QPinchGesture

from kernelviewer.gui.views.grid.layout import default_tap, zoomed_tap
from kernelviewer.gui.views.grid.view import GridView

if TYPE_CHECKING:
    from PySide6.QtGui import QNativeGestureEvent, QWheelEvent
    from PySide6.QtWidgets import QGestureEvent, QWidget

    from kernelviewer.gui.views.grid.arranged import Anchor

_NOTCH = 120
"""Angle of one notch of the wheel, eighths of a degree."""


class ZoomingView(GridView):
    """The grid's picture, scrolled and zoomed by the user."""

    zoom_changed = Signal(float)
    """Logical pixels per tap, after the user zoomed."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._turned = 0.0
        self._rolled = QPointF()
        self._pinched = 1.0
        self._zoom_point = QPointF()
        self._zoom_anchor: Anchor | None = None
        if sys.platform != "darwin":
            # there Qt makes a pinch of the native gestures that arrive anyway
            self.viewport().grabGesture(Qt.GestureType.PinchGesture)

    def zoom_in(self) -> None:
        """Larger taps, about the focused kernel if it is in view."""
        self._step_zoom(1, None)

    def zoom_out(self) -> None:
        """Smaller taps, about the focused kernel if it is in view."""
        self._step_zoom(-1, None)

    def reset_zoom(self) -> None:
        """The size at which kernels are first shown."""
        if self.content is not None:
            self._ask_zoom(default_tap(self.content.mosaic.shape) * self.ratio, None)

    def _step_zoom(self, steps: int, point: QPointF | None) -> None:
        if self.plan is not None and steps:
            self._ask_zoom(zoomed_tap(self.plan.cell.tap, steps), point)

    def _ask_zoom(self, tap: float, point: QPointF | None) -> None:
        """Zoom for the user, about a point of the viewport if there is one."""
        if self.plan is None:
            return
        if point is None:
            anchor = self._focus_anchor() or self._keep()
        else:
            anchor = self._anchor_under(point)
        before = self.zoom
        self._zoom_to(tap, anchor)
        if self.zoom != before:
            self.zoom_changed.emit(self.zoom)

    def _anchor_under(self, point: QPointF) -> Anchor | None:
        """What keeps the kernel under the cursor at its height.

        While the cursor rests, it is the kernel that was there at first: rows reflow,
        and the one that is looked at must not get lost.
        """
        same = self._pin is not None and self._pin is self._zoom_anchor
        if same and point == self._zoom_point:
            return self._zoom_anchor
        assert self.plan is not None
        position = self.plan.nearest(*self.content_point(point))
        if position is None:
            return None
        self._zoom_point = QPointF(point)
        self._zoom_anchor = self._anchor_at(position, floor(point.y() * self.ratio))
        return self._zoom_anchor

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Scroll; with Ctrl zoom about the cursor."""
        angle, pixels = QPointF(event.angleDelta()), QPointF(event.pixelDelta())
        event.accept()
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self._turned += angle.y() / _NOTCH
            steps = int(self._turned)
            self._turned -= steps
            self._step_zoom(steps, event.position())
            return
        line = QApplication.wheelScrollLines() * self.verticalScrollBar().singleStep()
        self._rolled += (
            angle / _NOTCH * line if pixels.isNull() else pixels * self.ratio
        )
        whole = self._rolled.toPoint()
        self._rolled -= QPointF(whole)
        for bar, delta in (
            (self.horizontalScrollBar(), whole.x()),
            (self.verticalScrollBar(), whole.y()),
        ):
            bar.setValue(bar.value() - delta)

    def viewportEvent(self, event: QEvent) -> bool:
        """Pinches."""
        if event.type() == QEvent.Type.NativeGesture:
            native = cast("QNativeGestureEvent", event)
            if native.gestureType() == Qt.NativeGestureType.ZoomNativeGesture:
                self._pinch_by(1 + native.value(), native.position())
                return True
        elif event.type() == QEvent.Type.Gesture:
            kind = Qt.GestureType.PinchGesture
            pinch = cast("QGestureEvent", event).gesture(kind)
            if isinstance(pinch, QPinchGesture):
                centre = self.viewport().mapFromGlobal(pinch.centerPoint())
                self._pinch_by(pinch.scaleFactor(), centre)
                return True
        return super().viewportEvent(event)

    def _pinch_by(self, factor: float, point: QPointF) -> None:
        """Zoom by small factors; what is less than a device pixel is kept."""
        if self.plan is None:
            return
        tap = self.plan.cell.tap
        wanted = max(tap * self._pinched * factor, 0.5)
        target = max(1, round(wanted))
        self._pinched = wanted / target
        if target != tap:
            self._ask_zoom(target, point)
