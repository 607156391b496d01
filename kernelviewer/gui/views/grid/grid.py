"""The kernel grid: what mouse and keys ask for becomes signals."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, cast

import numpy as np
from PySide6.QtCore import (
    QEvent,
    QKeyCombination,
    QPoint,
    QPointF,
    QRectF,
    Qt,
    QTimer,
    Signal,
)
from PySide6.QtGui import QContextMenuEvent, QKeySequence, QPainter
from PySide6.QtWidgets import (
    QAbstractScrollArea,
    QApplication,
    QFrame,
    QPinchGesture,
    QToolTip,
)

from kernelviewer.gui import theme
from kernelviewer.gui.accessible import Listed, one_line
from kernelviewer.gui.acts import mode_of
from kernelviewer.gui.controls import named
from kernelviewer.gui.painting.pixels import AreaRing
from kernelviewer.gui.text import as_tip
from kernelviewer.gui.views.grid.geometry import Band, GridGeometry, View
from kernelviewer.gui.views.grid.painter import GridPainter, heading_height

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray
    from PySide6.QtGui import (
        QFocusEvent,
        QHelpEvent,
        QHideEvent,
        QKeyEvent,
        QMouseEvent,
        QNativeGestureEvent,
        QPaintEvent,
        QResizeEvent,
        QWheelEvent,
    )
    from PySide6.QtWidgets import QGestureEvent, QWidget

    from kernelviewer.gui.views.grid.geometry import GridLayout, Move
    from kernelviewer.gui.views.grid.mosaic import GridContent
    from kernelviewer.state.selection import Mode

_MOVES: dict[int, Move] = {
    Qt.Key.Key_Left: "left",
    Qt.Key.Key_Right: "right",
    Qt.Key.Key_Up: "up",
    Qt.Key.Key_Down: "down",
    Qt.Key.Key_PageUp: "page up",
    Qt.Key.Key_PageDown: "page down",
    Qt.Key.Key_Home: "first",
    Qt.Key.Key_End: "last",
}
_RESET_ZOOM = QKeyCombination(Qt.KeyboardModifier.ControlModifier, Qt.Key.Key_0)
_NOTCH = 120
"""Angle of one notch of the wheel, eighths of a degree."""
_SCROLL_STEP = 40
"""One line of the wheel, logical pixels."""
_TICK = 16
"""Between two steps of scrolling at the edge, milliseconds."""


class KernelGrid(Listed, QAbstractScrollArea):
    """Grid of all kernels in scope. Shows what it is told; asks by signals.

    A click or a key asks for the focus; Shift extends a range from the last focus,
    Ctrl+click or Space toggles, a rubber band selects (plain replaces, Shift adds, Ctrl
    subtracts, both intersect). Setters never emit. Scroll bars count device pixels.
    """

    focus_requested = Signal(int)
    """Kernel id."""
    selection_requested = Signal(object, str)
    """Kernel ids, int64 in drawing order, and a `Mode`."""
    activated = Signal(int)
    """Kernel id: Enter or a double click."""
    context_menu_requested = Signal(int, QPoint)
    """Kernel id (−1: none) and the place on the screen."""
    zoom_changed = Signal(float)
    """Logical pixels per tap, after the user zoomed."""

    def __init__(self, parent: QWidget | None = None) -> None:
        self._geometry = GridGeometry(View(0, 0, 1.0, 0))
        self._painter = GridPainter()
        self._tooltip: Callable[[int], str] = str
        self._name: Callable[[int], str] | None = None
        self._placing = False
        self._band: Band | None = None
        self._pressed: QPointF | None = None
        self._held = Qt.KeyboardModifier.NoModifier
        self._range_from: int | None = None
        self._extending = False
        self._turned = 0.0
        self._rolled = QPointF()
        super().__init__(parent)
        self._pull = QTimer(self, interval=_TICK)
        self._pull.timeout.connect(self._on_pull_timeout)
        named(self, "kernelGrid", "Kernel grid")
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.viewport().setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        if sys.platform != "darwin":
            # there Qt makes a pinch of the native gestures that arrive anyway
            self.viewport().grabGesture(Qt.GestureType.PinchGesture)
        AreaRing(self)

    # What is shown

    @property
    def content(self) -> GridContent | None:
        """The kernels; None: none."""
        return self._geometry.content

    @property
    def plan(self) -> GridLayout | None:
        """Where they stand; None while there is no kernel."""
        return self._geometry.plan

    @property
    def focus(self) -> int | None:
        """The focused kernel, shown or not."""
        return self._geometry.focus

    @property
    def selected(self) -> NDArray[np.bool_] | None:
        """Bool [N] by kernel id; None: nothing."""
        return self._painter.selected

    @property
    def marked(self) -> tuple[int, ...]:
        """Kernels with marked corners."""
        return self._painter.marked

    @property
    def message(self) -> str:
        """What would fill the view."""
        return self._painter.message

    @property
    def zoom(self) -> float:
        """Side of a tap in logical pixels, as drawn, or as wished without kernels."""
        return self._geometry.zoom

    @property
    def zoom_range(self) -> tuple[float, float]:
        """Smallest and largest zoom; see `GridGeometry.zoom_range`."""
        self._look()
        return self._geometry.zoom_range

    def set_content(self, content: GridContent | None) -> None:
        """Show other kernels, or the same in another order; None: the message.

        What stays in view: see `GridGeometry.set_content`. The selection is forgotten
        if there is another number of kernels in all.
        """
        self._drop_gesture()
        if _count(content) != _count(self.content):
            self._painter.selected = self._painter.preview = None
            self._painter.marked = ()
        self._look()
        self._geometry.set_content(content)
        self._place()

    def set_selection(self, selected: NDArray[np.bool_] | None) -> None:
        """Mark kernels: bool [N] by kernel id; None: none.

        Raises
        ------
        ValueError
            If it is not of as many kernels as the content's mosaic has.
        """
        count = _count(self.content)
        if selected is not None and len(selected) != count:
            raise ValueError(f"{len(selected)} marks for {count} kernels")
        chosen = selected is not None and selected.any()
        self._painter.selected = selected if chosen else None
        self._redraw()

    def set_focus(self, kernel: int | None) -> None:
        """Ring one kernel, without scrolling to it; ranges start from it."""
        if kernel == self.focus:
            return
        self._geometry.set_focus(kernel)
        self.viewport().update()
        if not self._extending:
            self._range_from = kernel
        self.setAccessibleDescription("" if kernel is None else self._tooltip(kernel))
        self.tell_item()

    def set_marked(self, kernels: tuple[int, ...]) -> None:
        """Mark the corners of some kernels, such as those nearest to the slider."""
        before, self._painter.marked = self._painter.marked, kernels
        for kernel in {*before, *kernels} if kernels != before else ():
            box = self.kernel_rect(kernel)
            if box is not None:
                self.viewport().update(box.adjusted(-8, -8, 8, 8).toAlignedRect())

    def set_tags(
        self, tags: NDArray[np.uint16] | None, colours: dict[int, str]
    ) -> None:
        """Mark tagged kernels: bit n of uint16 [N] is tag n; None: there are none."""
        self._painter.tags, self._painter.tag_colours = tags, colours
        self.viewport().update()

    def set_message(self, text: str) -> None:
        """Say what would fill the view; shown while there is no kernel."""
        self._painter.message = text
        self.viewport().update()

    def set_tooltip(
        self, tooltip: Callable[[int], str], name: Callable[[int], str] | None = None
    ) -> None:
        """What to say of a kernel id under the cursor, and in a line; plain text."""
        self._tooltip, self._name = tooltip, name

    def set_colormap(self, colormap: str) -> None:
        """Colour weights by one of `COLORMAPS`."""
        self._painter.colormap = colormap
        self._redraw()

    def set_zoom(self, zoom: float) -> None:
        """Draw taps this large; see `GridGeometry.set_zoom`."""
        self._look()
        self._geometry.set_zoom(zoom)
        self._place()

    def scroll_to(self, kernel: int) -> None:
        """Scroll as little as shows the kernel whole; nothing if it is not shown."""
        self._geometry.scroll_to(kernel)
        self._place_bars()

    def kernel_rect(self, kernel: int) -> QRectF | None:
        """Where a kernel is drawn in the viewport, logical pixels; None: not shown."""
        box, scale = self._geometry.box_of(kernel), 1 / self._geometry.view.ratio
        return None if box is None else QRectF(*(length * scale for length in box))

    def kernel_at(self, point: QPointF) -> int | None:
        """Kernel at a point of the viewport, logical pixels."""
        return self._geometry.kernel_at(point.toTuple())

    # Items, as a screen reader has them: positions in drawing order

    def item_count(self) -> int:
        """Kernels shown."""
        return 0 if self.content is None else len(self.content.order)

    def item_name(self, item: int) -> str:
        """A kernel in a line."""
        kernel = self._kernel_of(item)
        return one_line(self._tooltip(kernel)) if not self._name else self._name(kernel)

    def item_details(self, item: int) -> str:
        """What its tooltip says."""
        return self._tooltip(self._kernel_of(item))

    def item_box(self, item: int) -> QRectF | None:
        """Where it is drawn."""
        return self.kernel_rect(self._kernel_of(item))

    def item_at(self, place: QPointF) -> int | None:
        """The position of the kernel there."""
        return self._geometry.position_of(self.kernel_at(place))

    def item_now(self) -> int | None:
        """The focused kernel, if it is shown."""
        return self._geometry.focus_position

    def item_selected(self, item: int) -> bool:
        """True if it is selected."""
        return self.selected is not None and bool(self.selected[self._kernel_of(item)])

    def _kernel_of(self, item: int) -> int:
        assert self.content is not None
        return int(self.content.order[item])

    # Commands

    def select_all(self) -> None:
        """Ask for all kernels shown."""
        if self.content is not None:
            self.selection_requested.emit(self.content.order, "replace")

    def clear_selection(self) -> None:
        """Ask for no kernel."""
        self.selection_requested.emit(np.zeros(0, np.int64), "replace")

    def zoom_in(self) -> None:
        """Larger taps, about the focused kernel if it is in view."""
        self._zoom(lambda: self._geometry.zoom_by(1))

    def zoom_out(self) -> None:
        """Smaller taps, about the focused kernel if it is in view."""
        self._zoom(lambda: self._geometry.zoom_by(-1))

    def reset_zoom(self) -> None:
        """The size at which kernels are first shown."""
        self._zoom(self._geometry.reset_zoom)

    def _zoom(self, change: Callable[[], None]) -> None:
        """Zoom for the user."""
        before = self.zoom
        change()
        self._place()
        if self.zoom != before:
            self.zoom_changed.emit(self.zoom)

    # Geometry and picture

    def _look(self) -> None:
        """Tell the geometry of the viewport as it is."""
        size, ratio = self.viewport().size(), self.devicePixelRatioF()
        heading = heading_height(self.font())
        self._geometry.view = View(size.width(), size.height(), ratio, heading)

    def _rearrange(self) -> None:
        """Flow anew for another view, the first kernel in view staying there."""
        self._look()
        self._geometry.rearrange()
        self._place()

    def _place(self) -> None:
        """Show what the geometry arranged."""
        self._place_bars()
        if self._band is not None:
            self._preview(self._band)
        self._redraw()

    def _place_bars(self) -> None:
        """Bring the scroll bars where the geometry is."""
        geometry, view = self._geometry, self._geometry.view
        most_left, most_top = geometry.scroll_range
        across, down = self.horizontalScrollBar(), self.verticalScrollBar()
        self._placing = True
        for bar, most, page, value in (
            (down, most_top, view.down, geometry.top),
            (across, most_left, view.across, geometry.left),
        ):
            bar.setRange(0, most)
            bar.setPageStep(page)
            bar.setSingleStep(view.pixels(_SCROLL_STEP))
            bar.setValue(value)
        self._placing = False

    def _redraw(self) -> None:
        """Draw the kernels anew."""
        self._painter.forget()
        self.viewport().update()

    def scrollContentsBy(self, dx: int, dy: int) -> None:
        """Draw the part that is now in view; a band goes with its content."""
        if not self._placing:
            across, down = self.horizontalScrollBar(), self.verticalScrollBar()
            self._geometry.scroll(across.value(), down.value())
        if self._band is not None:
            self._preview(self._band)
        self._redraw()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Copy the kernels' picture, then draw what stands over it."""
        self._look()
        box = None if self._band is None else self._band.box
        painter = QPainter(self.viewport())
        self._painter.paint(painter, self._geometry, self.font(), box)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Flow anew."""
        super().resizeEvent(event)
        self._rearrange()

    def changeEvent(self, event: QEvent) -> None:
        """Headings follow the font, all follows the colours."""
        super().changeEvent(event)
        if theme.is_theme_change(event):
            self._redraw()
        if event.type() == QEvent.Type.FontChange:
            self._rearrange()

    def event(self, event: QEvent) -> bool:
        """Whole device pixels on whatever screen the window is."""
        done = super().event(event)
        if event.type() == QEvent.Type.DevicePixelRatioChange:
            self._rearrange()
        return done

    def viewportEvent(self, event: QEvent) -> bool:
        """Tooltips and pinches."""
        match event.type():
            case QEvent.Type.ToolTip:
                self._show_tooltip(cast("QHelpEvent", event))
                return True
            case QEvent.Type.NativeGesture:
                native = cast("QNativeGestureEvent", event)
                if native.gestureType() == Qt.NativeGestureType.ZoomNativeGesture:
                    self._pinch(1 + native.value(), native.position())
                    return True
            case QEvent.Type.Gesture:
                # a pinch is no band, though its first finger seemed to be
                self._drop_gesture()
                kind = Qt.GestureType.PinchGesture
                pinch = cast("QGestureEvent", event).gesture(kind)
                if isinstance(pinch, QPinchGesture):
                    centre = self.viewport().mapFromGlobal(pinch.centerPoint())
                    self._pinch(pinch.scaleFactor(), centre)
                    return True
        return super().viewportEvent(event)

    def _pinch(self, factor: float, point: QPointF) -> None:
        self._zoom(lambda: self._geometry.pinch(factor, point.toTuple()))

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
        keys, standard = Qt.Key, QKeySequence.StandardKey
        if event.key() in _MOVES:
            shift = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
            self._move_focus(_MOVES[event.key()], extend=shift)
        elif event.key() in (keys.Key_Return, keys.Key_Enter) and self._has_focus():
            self.activated.emit(self.focus)
        elif event.key() == keys.Key_Space and self._has_focus():
            self.selection_requested.emit(np.array([self.focus]), "toggle")
        elif event.key() == keys.Key_Escape and self._band is not None:
            self._drop_gesture()
        elif event.key() == keys.Key_Escape and self.selected is not None:
            self.clear_selection()
        elif event.matches(standard.SelectAll):
            self.select_all()
        elif event.matches(standard.ZoomIn):
            self.zoom_in()
        elif event.matches(standard.ZoomOut):
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
            self._move_focus("down", extend=False)

    def _has_focus(self) -> bool:
        """True if the focused kernel is among those shown."""
        return self._geometry.focus_position is not None

    def _move_focus(self, move: Move, *, extend: bool) -> None:
        kernel = self._geometry.moved(move)
        if kernel is None:
            return
        if extend:
            self._extend_to(kernel, "replace")
        else:
            self.focus_requested.emit(kernel)
        self.scroll_to(kernel)

    def _extend_to(self, kernel: int, mode: Mode) -> None:
        """Ask for the range from where it began to a kernel."""
        span = self._geometry.span(self._range_from, kernel)
        self._extending = True
        self.focus_requested.emit(kernel)
        self._extending = False
        self.selection_requested.emit(span, mode)

    # Mouse

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Scroll; with Ctrl zoom about the cursor."""
        angle, pixels = QPointF(event.angleDelta()), QPointF(event.pixelDelta())
        event.accept()
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self._turned += angle.y() / _NOTCH
            steps = int(self._turned)
            self._turned -= steps
            at = event.position().toTuple()
            self._zoom(lambda: self._geometry.zoom_by(steps, at))
            return
        across, down = self.horizontalScrollBar(), self.verticalScrollBar()
        if pixels.isNull():
            line = QApplication.wheelScrollLines() * down.singleStep()
            self._rolled += angle / _NOTCH * line
        else:
            self._rolled += pixels * self._geometry.view.ratio
        whole = self._rolled.toPoint()
        self._rolled -= QPointF(whole)
        across.setValue(across.value() - whole.x())
        down.setValue(down.value() - whole.y())

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
        if self._band is None and way >= QApplication.startDragDistance():
            start = self._pressed.toTuple()
            self._band = Band(self._geometry, start, mode_of(self._held))
        if self._band is not None:
            self._band.cursor = event.position().toTuple()
            if self._band.pull:
                self._pull.start()
            else:
                self._pull.stop()
            self._preview(self._band)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Ask for what the click or the band means."""
        if event.button() != Qt.MouseButton.LeftButton or self._pressed is None:
            return
        pressed, band = self._pressed, self._band
        self._drop_gesture()
        if band is not None:
            self.selection_requested.emit(band.kernels, band.mode)
            return
        kernel = self.kernel_at(pressed)
        if kernel is not None:
            self._click(kernel)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Activate."""
        kernel = self.kernel_at(event.position())
        if kernel is not None and event.button() == Qt.MouseButton.LeftButton:
            self.activated.emit(kernel)

    def _click(self, kernel: int) -> None:
        ctrl = bool(self._held & Qt.KeyboardModifier.ControlModifier)
        if self._held & Qt.KeyboardModifier.ShiftModifier:
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

    def _preview(self, band: Band) -> None:
        """Show what the selection would become."""
        count, kernels = _count(self.content), band.kernels
        self._painter.preview = combine(self.selected, count, kernels, band.mode)
        self._redraw()

    def _on_pull_timeout(self) -> None:
        bar = self.verticalScrollBar()
        if self._band is not None:
            bar.setValue(bar.value() + self._band.pull)

    def _drop_gesture(self) -> None:
        self._pressed = None
        if self._band is not None:
            self._pull.stop()
            self._band = self._painter.preview = None
            self._redraw()


def _count(content: GridContent | None) -> int:
    return 0 if content is None else len(content.mosaic)


def combine(
    selected: NDArray[np.bool_] | None, count: int, ids: NDArray[np.int64], mode: Mode
) -> NDArray[np.bool_]:
    """Selection bool [count] after a gesture on some kernels.

    Parameters
    ----------
    selected
        Bool [count] before; None: nothing.
    ids
        The kernels of the gesture.
    """
    touched = np.zeros(count, bool)
    touched[ids] = True
    before = np.zeros(count, bool) if selected is None else selected
    match mode:
        case "add":
            return before | touched
        case "subtract":
            return before & ~touched
        case "intersect":
            return before & touched
        case "toggle":
            return before ^ touched
        case _:
            return touched
