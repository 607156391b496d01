"""The kernel grid: what mouse and keys ask for becomes signals."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import numpy as np
from PySide6.QtCore import QEvent, QKeyCombination, QPoint, QPointF, Qt, Signal
from PySide6.QtGui import (
    QAccessible,
    QAccessibleEvent,
    QContextMenuEvent,
    QKeySequence,
)
from PySide6.QtWidgets import QApplication, QToolTip

from kernelviewer.gui.painting.focus import AreaRing
from kernelviewer.gui.tips import as_tip
from kernelviewer.gui.views.grid.band import RubberBand
from kernelviewer.gui.views.grid.keys import ENDS, MOVES, moved
from kernelviewer.gui.views.grid.paint import paint_band
from kernelviewer.gui.views.grid.selecting import band_mode
from kernelviewer.gui.views.grid.zooming import ZoomingView

if TYPE_CHECKING:
    from collections.abc import Callable

    from PySide6.QtGui import (
        QFocusEvent,
        QHelpEvent,
        QHideEvent,
        QKeyEvent,
        QMouseEvent,
        QPainter,
    )
    from PySide6.QtWidgets import QWidget

    from kernelviewer.gui.views.grid.mosaic import GridContent
    from kernelviewer.gui.views.grid.selecting import Mode

_RESET_ZOOM = QKeyCombination(Qt.KeyboardModifier.ControlModifier, Qt.Key.Key_0)


class KernelGrid(ZoomingView):
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
        self.setObjectName("kernelGrid")
        self.setAccessibleName("Kernel grid")
        AreaRing(self)

    def set_content(self, content: GridContent | None) -> None:
        """Show other kernels; see `ArrangedArea.set_content`."""
        self._drop_gesture()
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

    def select_all(self) -> None:
        """Ask for all kernels shown."""
        if self.content is not None:
            self.selection_requested.emit(self.content.order, "replace")

    def clear_selection(self) -> None:
        """Ask for no kernel."""
        self.selection_requested.emit(np.zeros(0, np.int64), "replace")

    def viewportEvent(self, event: QEvent) -> bool:
        """Tooltips; and a pinch is no band, though its first finger seemed to be."""
        if event.type() == QEvent.Type.Gesture:
            self._drop_gesture()
        if event.type() == QEvent.Type.ToolTip:
            self._show_tooltip(cast("QHelpEvent", event))
            return True
        return super().viewportEvent(event)

    def _show_tooltip(self, event: QHelpEvent) -> None:
        kernel = self.kernel_at(QPointF(event.pos()))
        box = None if kernel is None else self.kernel_rect(kernel)
        if kernel is None or box is None:
            QToolTip.hideText()
            return
        text, area = self._tooltip(kernel), box.toAlignedRect()
        QToolTip.showText(event.globalPos(), as_tip(text), self.viewport(), area)

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

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Whoever comes by Tab finds a focused kernel, as in Qt's own lists."""
        super().focusInEvent(event)
        reasons = Qt.FocusReason
        tabbed = event.reason() in (reasons.TabFocusReason, reasons.BacktabFocusReason)
        if tabbed and not self._has_focus():
            self._move_focus(Qt.Key.Key_Down, extend=False)

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

    def scrollContentsBy(self, dx: int, dy: int) -> None:
        """A band goes with its content."""
        super().scrollContentsBy(dx, dy)
        if self._band.active:
            self._band.refresh()

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
