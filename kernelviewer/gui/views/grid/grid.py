"""The kernel grid: what mouse and keys ask for becomes signals."""

from __future__ import annotations

import sys
from math import floor
from typing import TYPE_CHECKING, cast

import numpy as np
from PySide6.QtCore import QEvent, QKeyCombination, QPoint, QPointF, Qt, Signal
from PySide6.QtGui import (
    QAccessible,
    QAccessibleEvent,
    QContextMenuEvent,
    QKeySequence,
)
from PySide6.QtWidgets import QApplication, QPinchGesture, QToolTip

from kernelviewer.gui.views.grid.band import RubberBand
from kernelviewer.gui.views.grid.keys import ENDS, MOVES, moved
from kernelviewer.gui.views.grid.layout import default_tap, zoomed_tap
from kernelviewer.gui.views.grid.paint import paint_band
from kernelviewer.gui.views.grid.selecting import band_mode
from kernelviewer.gui.views.grid.view import GridView

if TYPE_CHECKING:
    from collections.abc import Callable

    from PySide6.QtGui import (
        QHelpEvent,
        QHideEvent,
        QKeyEvent,
        QMouseEvent,
        QNativeGestureEvent,
        QPainter,
        QWheelEvent,
    )
    from PySide6.QtWidgets import QGestureEvent, QWidget

    from kernelviewer.gui.views.grid.arranged import Anchor
    from kernelviewer.gui.views.grid.content import GridContent
    from kernelviewer.gui.views.grid.selecting import Mode

_NOTCH = 120
"""Angle of one notch of the wheel, eighths of a degree."""
_RESET_ZOOM = QKeyCombination(Qt.KeyboardModifier.ControlModifier, Qt.Key.Key_0)


class KernelGrid(GridView):
    """Grid of all kernels in scope. Shows what it is told; asks by signals.

    A click or a key asks for the focus; Shift extends a range from the last focus,
    Ctrl+click or Space toggles, a rubber band selects (plain replaces, Shift adds, Ctrl
    subtracts, both intersect).

    """

    focus_requested = Signal(int)
    """Kernel id."""
    selection_requested = Signal(object, str)
    """Kernel ids, int64 in drawing order, and a `Mode` of `selecting`."""
    activated = Signal(int)
    """Kernel id: Enter or a double click."""
    zoom_changed = Signal(float)
    """Logical pixels per tap, after a gesture of the user."""
    context_menu_requested = Signal(int, QPoint)
    """Kernel id (−1: none) and the place on the screen."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._tooltip: Callable[[int], str] = str
        self._band = RubberBand(self)
        self._pressed: QPointF | None = None
        self._range_from: int | None = None
        self._extending = False
        self._held = Qt.KeyboardModifier.NoModifier
        self._turned = 0.0
        self._rolled = QPointF()
        self._pinched = 1.0
        self._zoom_point = QPointF()
        self._zoom_anchor: Anchor | None = None
        self.setObjectName("kernelGrid")
        self.setAccessibleName("Kernel grid")
        if sys.platform != "darwin":
            # there Qt makes a pinch of the native gestures that arrive anyway
            self.viewport().grabGesture(Qt.GestureType.PinchGesture)

    def set_content(self, content: GridContent | None) -> None:
        """Show other kernels; see `GridView.set_content`."""
        self._drop_gesture()
        self._zoom_anchor = None
        super().set_content(content)

    def set_focus(self, kernel: int | None) -> None:
        """Ring one kernel; ranges start from it."""
        if kernel == self.focus:
            return
        super().set_focus(kernel)
        if not self._extending:
            self._range_from = kernel
        self.setAccessibleDescription("" if kernel is None else self._tooltip(kernel))
        change = QAccessible.Event.DescriptionChanged
        QAccessible.updateAccessibility(QAccessibleEvent(self, change))

    def set_tooltip(self, tooltip: Callable[[int], str]) -> None:
        """What to say of a kernel id under the cursor; plain text."""
        self._tooltip = tooltip

    # Commands

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

    def select_all(self) -> None:
        """Ask for all kernels shown."""
        if self.content is not None:
            self.selection_requested.emit(self.content.order, "replace")

    def clear_selection(self) -> None:
        """Ask for no kernel."""
        self.selection_requested.emit(np.zeros(0, np.int64), "replace")

    # Zoom and scrolling

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
        """Tooltips and pinches."""
        match event.type():
            case QEvent.Type.ToolTip:
                self._show_tooltip(cast("QHelpEvent", event))
                return True
            case QEvent.Type.NativeGesture:
                native = cast("QNativeGestureEvent", event)
                if native.gestureType() == Qt.NativeGestureType.ZoomNativeGesture:
                    self._pinch_by(1 + native.value(), native.position())
                    return True
            case QEvent.Type.Gesture:
                kind = Qt.GestureType.PinchGesture
                pinch = cast("QGestureEvent", event).gesture(kind)
                if isinstance(pinch, QPinchGesture):
                    centre = self.viewport().mapFromGlobal(pinch.centerPoint())
                    self._pinch_by(pinch.scaleFactor(), centre)
                    return True
        return super().viewportEvent(event)

    def _pinch_by(self, factor: float, point: QPointF) -> None:
        """Zoom by small factors; they add up to whole device pixels."""
        if self.plan is None:
            return
        tap = self.plan.cell.tap
        self._pinched = max(self._pinched, 0.01) * factor
        target = round(tap * self._pinched)
        if target != tap:
            self._pinched *= tap / max(target, 1)
            self._ask_zoom(target, point)

    def _show_tooltip(self, event: QHelpEvent) -> None:
        kernel = self.kernel_at(QPointF(event.pos()))
        box = None if kernel is None else self.kernel_rect(kernel)
        if kernel is None or box is None:
            QToolTip.hideText()
            return
        text, area = self._tooltip(kernel), box.toAlignedRect()
        QToolTip.showText(event.globalPos(), text, self.viewport(), area)

    # Keys

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Move the focus, select, zoom; all that the mouse can do."""
        event.accept()
        shift = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        keys = Qt.Key
        if event.key() in MOVES:
            self._move_focus(event.key(), extend=shift)
        elif event.key() in (keys.Key_Return, keys.Key_Enter) and self._has_focus():
            self.activated.emit(self.focus)
        elif event.key() == keys.Key_Space and self._has_focus():
            self.selection_requested.emit(np.array([self.focus]), "toggle")
        elif event.key() == keys.Key_Escape and self._band.active:
            self._drop_gesture()
        elif event.key() == keys.Key_Escape and self.selected is not None:
            self.clear_selection()
        elif event.matches(QKeySequence.StandardKey.SelectAll):
            self.select_all()
        elif event.matches(QKeySequence.StandardKey.ZoomIn):
            self.zoom_in()
        elif event.matches(QKeySequence.StandardKey.ZoomOut):
            self.zoom_out()
        elif event.keyCombination() == _RESET_ZOOM:
            self.reset_zoom()
        else:
            event.ignore()

    def _has_focus(self) -> bool:
        """Whether the focused kernel is among those shown."""
        return self.focus_position is not None

    def _move_focus(self, key: int, *, extend: bool) -> None:
        if self.plan is None or self.content is None:
            return
        position = self.focus_position
        if position is None and key not in ENDS:
            position = self.plan.nearest(0, self.scrolled()[1] + self.stuck_bottom())
        else:
            position = moved(self.plan, position or 0, key, self.view_height)
        if position is None:
            return
        kernel = int(self.content.order[position])
        if extend:
            self._extend_to(kernel, "replace")
        else:
            self.focus_requested.emit(kernel)
        self.scroll_to(kernel)

    def _extend_to(self, kernel: int, mode: Mode) -> None:
        """Ask for the range from where it began to a kernel."""
        assert self.content is not None
        start, stop = self.position_of(self._range_from), self.position_of(kernel)
        assert stop is not None
        first, last = sorted((stop if start is None else start, stop))
        self._extending = True
        self.focus_requested.emit(kernel)
        self._extending = False
        self.selection_requested.emit(self.content.order[first : last + 1], mode)

    # Mouse

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Begin a click or a band."""
        if event.button() == Qt.MouseButton.LeftButton:
            self._pressed = event.position()
            self._held = event.modifiers()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Draw the band."""
        if self._pressed is None or self.plan is None:
            return
        way = (event.position() - self._pressed).manhattanLength()
        if not self._band.active and way >= QApplication.startDragDistance():
            self._band.start(self._pressed, band_mode(*_shift_ctrl(self._held)))
        if self._band.active:
            self._band.move(event.position())

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Ask for what the click or the band means."""
        if event.button() != Qt.MouseButton.LeftButton or self._pressed is None:
            return
        pressed, self._pressed = self._pressed, None
        if self._band.active:
            self.selection_requested.emit(*self._band.finish())
            return
        kernel = self.kernel_at(pressed)
        if kernel is not None:
            self._click(kernel, *_shift_ctrl(self._held))

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Activate."""
        kernel = self.kernel_at(event.position())
        if kernel is not None and event.button() == Qt.MouseButton.LeftButton:
            self.activated.emit(kernel)

    def _click(self, kernel: int, shift: bool, ctrl: bool) -> None:
        if shift:
            self._extend_to(kernel, "add" if ctrl else "replace")
            return
        self.focus_requested.emit(kernel)
        if ctrl:
            self.selection_requested.emit(np.array([kernel]), "toggle")

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Ask for the menu of a kernel: the one clicked, or with the key the focus."""
        place, kernel = event.globalPos(), self.kernel_at(QPointF(event.pos()))
        if event.reason() == QContextMenuEvent.Reason.Keyboard:
            kernel = self.focus if self._has_focus() else None
            box = None if kernel is None else self.kernel_rect(kernel)
            if box is not None:
                place = self.viewport().mapToGlobal(box.center().toPoint())
        self.context_menu_requested.emit(-1 if kernel is None else kernel, place)

    def hideEvent(self, event: QHideEvent) -> None:
        """A hidden view has no gesture."""
        self._drop_gesture()
        super().hideEvent(event)

    def _drop_gesture(self) -> None:
        self._band.drop()
        self._pressed = None

    def _paint_gesture(self, painter: QPainter) -> None:
        box = self._band.box()
        if box is not None:
            paint_band(painter, box, self.pixels(1), self._picture.theme)


def _shift_ctrl(held: Qt.KeyboardModifier) -> tuple[bool, bool]:
    keys = Qt.KeyboardModifier
    return bool(held & keys.ShiftModifier), bool(held & keys.ControlModifier)
