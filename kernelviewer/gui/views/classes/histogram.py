"""Bars of how many kernels each class has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QPointF, Qt, Signal
from PySide6.QtGui import QHelpEvent
from PySide6.QtWidgets import QToolTip

from kernelviewer.gui.text import percent, spaced
from kernelviewer.gui.tips import as_tip
from kernelviewer.gui.views.classes.rows import ROWS, ClassCounts, ClassRows
from kernelviewer.kernels.classes import CLASSES, PATTERNS

if TYPE_CHECKING:
    from PySide6.QtGui import (
        QKeyEvent,
        QMouseEvent,
        QWheelEvent,
    )
    from PySide6.QtWidgets import QWidget

__all__ = ["ClassCounts", "ClassHistogram"]


class ClassHistogram(ClassRows):
    """One row a class: name, bar, count and share; several networks in columns.

    A click, or Space on the row that the arrow keys lead to, asks for the class.
    """

    classes_requested = Signal(object, object)
    """frozenset of class ids, and the keyboard modifiers held."""
    model_class_requested = Signal(int, str, object)
    """Model id, class id, and the keyboard modifiers held."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("classHistogram")
        self.setAccessibleName("Kernels per class")
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    def set_counts(
        self, content: ClassCounts | tuple[ClassCounts, ...] | None, message: str = ""
    ) -> None:
        """Show counts, of several networks side by side; or say what would fill it."""
        super().set_counts(content, message)
        self._describe()

    # Mouse and keys

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Qt: mark the row under the cursor."""
        hovered = self.row_at(event.position())
        if hovered != self._hovered:
            self._hovered = hovered
            self.update()

    def leaveEvent(self, event: QEvent) -> None:
        """Qt: no row is under the cursor."""
        self._hovered = None
        self.update()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Qt: ask to select the class."""
        index = self.row_at(event.position())
        if event.button() != Qt.MouseButton.LeftButton or index is None:
            return
        if self._contents:
            self._row = index
            self._column = self.column_at(event.position())
            self._ask(event.modifiers())

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Qt: show other networks where not all have room."""
        if len(self._columns().shown()) < len(self._contents):
            step = -1 if event.angleDelta().y() + event.angleDelta().x() > 0 else 1
            last = len(self._contents) - len(self._columns().shown())
            self._first = min(max(0, self._first + step), last)
            self.update()
            event.accept()
        else:
            super().wheelEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Qt: move from row to row; ask for the class of one."""
        keys, key = Qt.Key, event.key()
        down = {keys.Key_Down: 1, keys.Key_Up: -1}
        across = {keys.Key_Right: 1, keys.Key_Left: -1}
        ends = {keys.Key_Home: 0, keys.Key_End: len(CLASSES) - 1}
        if key in down:
            self._go_to(self._row + down[Qt.Key(key)], self._column)
        elif key in ends:
            self._go_to(ends[Qt.Key(key)], self._column)
        elif key in across and len(self._contents) > 1:
            self._go_to(self._row, self._column + across[Qt.Key(key)])
        elif key in (keys.Key_Space, keys.Key_Return, keys.Key_Enter):
            if self._contents:
                self._ask(event.modifiers())
        else:
            super().keyPressEvent(event)

    def _go_to(self, row: int, column: int) -> None:
        self._row = min(max(row, 0), len(CLASSES) - 1)
        self._column = min(max(column, 0), max(0, len(self._contents) - 1))
        shown = self._columns().shown()
        if self._column < shown.start:
            self._first = self._column
        elif self._column >= shown.stop:
            self._first = self._column - len(shown) + 1
        self._ringed = True
        self._describe()
        self.update()

    def _ask(self, held: Qt.KeyboardModifier) -> None:
        class_id, model = CLASSES[self._row].id, self._contents[self._column].model
        if model is None:
            self.classes_requested.emit(frozenset({class_id}), held)
        else:
            self.model_class_requested.emit(model, class_id, held)

    # Words

    def event(self, event: QEvent) -> bool:
        """Qt: say more about the row under the cursor."""
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            place = QPointF(event.pos())
            index, column = self.row_at(place), self.column_at(place)
            text = "" if index is None else self.tip(index, column)
            QToolTip.showText(event.globalPos(), as_tip(text), self)
            return True
        return super().event(event)

    def tip(self, index: int, column: int = 0) -> str:
        """Counts and shares of a class in words."""
        if not self._contents:
            return ""
        content = self._contents[column]
        count, total = spaced(int(content.counts[index])), spaced(content.total)
        lines = [
            CLASSES[index].name,
            f"{count} kernels of {total}, {percent(content.share(index))}",
        ]
        if content.title:
            lines.insert(0, content.title)
        if content.selected is not None:
            lines.append(f"{spaced(int(content.selected[index]))} of them selected")
        if index < len(PATTERNS):
            below = spaced(int(content.below[index]))
            lines.append(f"{below} more below the threshold have it as best class")
        return "\n".join(lines)

    def _describe(self) -> None:
        """What a screen reader says: the row that keys are at, then all of them."""
        if not self._contents:
            self.setAccessibleDescription(self._message)
            return
        content = self._contents[self._column]
        shares = [
            f"{CLASSES[i].name} {content.counts[i]}" for i in ROWS if content.counts[i]
        ]
        here = f"{CLASSES[self._row].name}: {int(content.counts[self._row])} kernels"
        self.setAccessibleDescription(". ".join([here, ", ".join(shares)]))
