"""The brush: a range of codes, drawn with the mouse or moved with keys."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QApplication

from kernelviewer.gui.views.spectrum.strip import Strip

if TYPE_CHECKING:
    from PySide6.QtCore import QPointF
    from PySide6.QtGui import QHideEvent, QKeyEvent, QMouseEvent, QPainter
    from PySide6.QtWidgets import QWidget

    from kernelviewer.state.selection import Mode

_REACH = 4
"""An edge of the range is taken this near to it, logical pixels."""
_STEPS = {Qt.Key.Key_Left: -0.01, Qt.Key.Key_Right: 0.01}
_FIRST_RANGE = 0.02
"""On both sides of the cursor, when a key begins a range."""
_NARROWEST = 1e-3
"""Ranges that keys make are at least this wide."""


@dataclass(slots=True)
class Brush:
    """A range from where it began to the mouse, and how it joins the selection."""

    anchor: float
    end: float
    mode: Mode

    @property
    def range(self) -> tuple[float, float]:
        """Lower and upper code."""
        return min(self.anchor, self.end), max(self.anchor, self.end)


class BrushedStrip(Strip):
    """A strip on which ranges of codes are drawn.

    A drag asks for a range (plain replaces, Shift adds, Ctrl subtracts, both
    intersect); dragging an edge of the range that is shown changes it; a click moves
    the cursor. The arrow keys move the range, with Shift its upper and with Ctrl its
    lower edge.
    """

    range_moved = Signal(float, float, str)
    """Lower and upper code and a `Mode`, while the brush is drawn."""
    range_requested = Signal(float, float, str)
    """The same, when it is let go."""
    range_dropped = Signal()
    """The brush was given up: nothing is to change."""
    clear_requested = Signal()
    """Escape, while a range is shown."""

    def __init__(self, name: str, title: str, parent: QWidget | None = None) -> None:
        super().__init__(name, title, parent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._ranges: tuple[tuple[float, float], ...] = ()
        self._brush: Brush | None = None
        self._pressed: QPointF | None = None
        self._held = Qt.KeyboardModifier.NoModifier

    def set_ranges(self, ranges: tuple[tuple[float, float], ...]) -> None:
        """Mark the ranges of codes that are selected by code."""
        if ranges != self._ranges:
            self._ranges = ranges
            self.update()

    def can_brush(self) -> bool:
        """Whether there is something to select."""
        return self.content is not None

    def drop(self) -> None:
        """Give the brush up."""
        brush, self._brush, self._pressed = self._brush, None, None
        if brush is not None:
            self.update()
            self.range_dropped.emit()

    def draw_over(self, painter: QPainter, width: int, height: int) -> None:
        """The ranges, the brush, the cursor."""
        replaced = self._brush is not None and self._brush.mode == "replace"
        for low, high in () if replaced else self._ranges:
            self._draw_range(painter, low, high, height)
        if self._brush is not None:
            self._draw_range(painter, *self._brush.range, height)
        super().draw_over(painter, width, height)

    def _draw_range(
        self, painter: QPainter, low: float, high: float, height: int
    ) -> None:
        left, right = self.axis.pixel(low), self.axis.pixel(high)
        for z in (low, high):
            self.draw_line(painter, z, self.tokens.accent)
        accent = QColor(self.tokens.accent)
        accent.setAlphaF(0.12)
        painter.fillRect(left, 0, right - left, height, accent)

    # Mouse

    def take_press(self, event: QMouseEvent) -> bool:
        """A brush may begin here; a click moves the cursor when it ends."""
        self._pressed, self._held = event.position(), event.modifiers()
        return True

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Draw the brush."""
        x = event.position().x()
        if self._pressed is None:
            near = self._edge_at(x) is not None
            shapes = Qt.CursorShape
            self.setCursor(shapes.SizeHorCursor if near else shapes.ArrowCursor)
            return
        far = abs(x - self._pressed.x()) >= QApplication.startDragDistance()
        if self._brush is None and far and self.can_brush():
            self._brush = self._begin(self._pressed.x())
        if self._brush is not None:
            self._brush.end = self.axis.code(x)
            self.update()
            self.range_moved.emit(*self._brush.range, self._brush.mode)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Ask for what the brush or the click means."""
        if event.button() != Qt.MouseButton.LeftButton or self._pressed is None:
            return
        brush, self._brush = self._brush, None
        pressed, self._pressed = self._pressed, None
        self.update()
        if brush is not None:
            self.range_requested.emit(*brush.range, brush.mode)
        elif self.content is not None:
            self.position_requested.emit(self.axis.code(pressed.x()))

    def _begin(self, x: float) -> Brush:
        """A new range, or the one shown taken by an edge."""
        edge, mode = self._edge_at(x), brush_mode(self._held)
        if edge is not None and mode == "replace":
            low, high = self._ranges[0]
            return Brush(high if edge == low else low, edge, mode)
        z = self.axis.code(x)
        return Brush(z, z, mode)

    def _edge_at(self, x: float) -> float | None:
        """The edge of the only range that is near, as a code."""
        if len(self._ranges) != 1:
            return None
        axis = self.axis
        near = [z for z in self._ranges[0] if abs(axis.logical(z) - x) <= _REACH]
        return min(near, key=lambda z: abs(axis.logical(z) - x), default=None)

    def hideEvent(self, event: QHideEvent) -> None:
        """A hidden strip has no gesture."""
        self.drop()
        super().hideEvent(event)

    # Keyboard

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Move the range or its edges; Escape gives up or clears."""
        escape = event.key() == Qt.Key.Key_Escape
        if escape and self._brush is not None:
            self.drop()
        elif escape and self._ranges:
            self.clear_requested.emit()
        elif event.key() in _STEPS and self.can_brush():
            self._ask_by_key(_STEPS[Qt.Key(event.key())], event.modifiers())
        else:
            super().keyPressEvent(event)

    def _ask_by_key(self, by: float, held: Qt.KeyboardModifier) -> None:
        if len(self._ranges) == 1:
            low, high = moved_range(*self._ranges[0], by, held)
        else:
            low = max(self.position - _FIRST_RANGE, 0.0)
            high = min(self.position + _FIRST_RANGE, 1.0)
        self.range_requested.emit(low, high, "replace")


def brush_mode(held: Qt.KeyboardModifier) -> Mode:
    """What a brush does that begins while these keys are held."""
    ctrl = bool(held & Qt.KeyboardModifier.ControlModifier)
    if held & Qt.KeyboardModifier.ShiftModifier:
        return "intersect" if ctrl else "add"
    return "subtract" if ctrl else "replace"


def moved_range(
    low: float, high: float, by: float, held: Qt.KeyboardModifier
) -> tuple[float, float]:
    """A range after a key: plain moves it, Shift its upper, Ctrl its lower end."""
    if held & Qt.KeyboardModifier.ShiftModifier:
        return low, min(max(high + by, low + _NARROWEST), 1.0)
    if held & Qt.KeyboardModifier.ControlModifier:
        return max(min(low + by, high - _NARROWEST), 0.0), high
    by = min(max(by, -low), 1 - high)
    return low + by, high + by
