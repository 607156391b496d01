"""The search line in the tool line, and the list that drops from it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, QSize, Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QApplication, QFrame, QLabel, QLineEdit, QVBoxLayout
from shiboken6 import isValid

from kernelviewer.gui.palette.entry import find
from kernelviewer.gui.palette.list import EntryList

if TYPE_CHECKING:
    from collections.abc import Callable

    from PySide6.QtGui import QFocusEvent, QKeyEvent
    from PySide6.QtWidgets import QWidget

    from kernelviewer.gui.palette.entry import Entry

WIDTH = 720
WISH, LEAST = 190, 110
REMEMBERED = 8
NOTHING = "Nothing is called that. Try a layer, a class, a size or a command."
_MOVES = {
    Qt.Key.Key_Up: -1,
    Qt.Key.Key_Down: 1,
    Qt.Key.Key_PageUp: -10,
    Qt.Key.Key_PageDown: 10,
}


class PaletteLine(QLineEdit):
    """Finds commands, layers, classes and more as one types.

    Enter does what the marked line says, Shift+Enter what else it offers, Escape
    closes; the keyboard goes back to where it was.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("commandPalette")
        self.setAccessibleName("Search commands, layers, classes and settings")
        native = QKeySequence("Ctrl+K").toString(QKeySequence.SequenceFormat.NativeText)
        self.setPlaceholderText(f"Search…   {native.replace('+', ' ')}")
        self.setToolTip("Find a command, a layer, a class and more by typing")
        self.setMinimumWidth(LEAST)
        self._collect: Callable[[], list[Entry]] = list
        self._entries: list[Entry] = []
        self._used: list[tuple[str, ...]] = []
        self._before: QWidget | None = None
        self.popup = QFrame(self.window())
        self.popup.setObjectName("palettePopup")
        self.popup.setProperty("popup", True)
        self.list = EntryList(self.popup)
        self.hint = QLabel(self.popup)
        self.hint.setObjectName("paletteHint")
        self.hint.setProperty("role", "caption")
        self.hint.setContentsMargins(8, 4, 8, 2)
        layout = QVBoxLayout(self.popup)
        layout.setContentsMargins(5, 5, 5, 5)
        layout.setSpacing(0)
        layout.addWidget(self.list)
        layout.addWidget(self.hint)
        self.popup.hide()
        self.textEdited.connect(self._show_found)
        self.list.moved.connect(self._show_hint)
        self.list.chosen.connect(lambda: self._run(other=False))
        app = QApplication.instance()
        assert isinstance(app, QApplication)
        app.focusChanged.connect(self._on_focus_changed)

    def set_source(self, collect: Callable[[], list[Entry]]) -> None:
        """Ask this for what there is to be found, each time the list opens."""
        self._collect = collect

    def start(self) -> None:
        """Take the keyboard and open the list."""
        self.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self._open()

    def sizeHint(self) -> QSize:
        """Qt: as in the target picture."""
        return QSize(WISH, super().sizeHint().height())

    def _open(self) -> None:
        self.selectAll()
        self._entries = self._collect()
        self.popup.show()
        self.popup.raise_()
        self._show_found()

    def _close(self, *, go_back: bool) -> None:
        self.popup.hide()
        self.clear()
        self._entries = []
        self.list.set_entries([])
        before, self._before = self._before, None
        if not go_back:
            return
        if before is not None and isValid(before) and before.isVisible():
            before.setFocus(Qt.FocusReason.OtherFocusReason)
        else:
            self.clearFocus()

    def _show_found(self) -> None:
        if not self.popup.isVisible():
            self._open()
            return
        self.list.set_entries(find(self.text(), self._entries, self._used))
        self.list.setVisible(bool(self.list.entries))
        self._show_hint()
        self._place()

    def _place(self) -> None:
        """Below the line, as high as what was found, inside the window."""
        window = self.window()
        corner = self.mapTo(window, QPoint(self.width(), self.height() + 4))
        width = min(WIDTH, window.width() - 24)
        left = min(max(12, corner.x() - width), window.width() - width - 12)
        room = window.height() - corner.y() - 12
        frame = self.hint.sizeHint().height() + 12
        wish = self.list.wished_height() if self.list.entries else 0
        height = min(wish + frame, room)
        self.popup.setGeometry(left, corner.y(), width, height)

    def _show_hint(self) -> None:
        entry = self.list.current()
        if entry is None:
            self.hint.setText(NOTHING)
            return
        parts = [f"Enter: {entry.verb}" if entry.enabled else "Not possible now"]
        if entry.other is not None and entry.enabled:
            parts.append(f"Shift+Enter: {entry.other_verb}")
        self.hint.setText("   ·   ".join([*parts, "Esc: close"]))

    def _run(self, *, other: bool) -> None:
        entry = self.list.current()
        if entry is None or not entry.enabled:
            return
        act = entry.other if other else entry.run
        if act is None:
            return
        used = [key for key in self._used if key != entry.key]
        self._used = [entry.key, *used][:REMEMBERED]
        self._close(go_back=True)
        act()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Qt: arrows move in the list, Enter runs, Escape closes."""
        key = Qt.Key(event.key())
        if key == Qt.Key.Key_Escape:
            self._close(go_back=True)
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            shift = event.modifiers() & Qt.KeyboardModifier.ShiftModifier
            self._run(other=bool(shift))
        elif key in _MOVES:
            if self.popup.isVisible():
                self.list.step(_MOVES[key])
            else:
                self._open()
        else:
            super().keyPressEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Qt: a click into the line opens the list too."""
        super().focusInEvent(event)
        if event.reason() == Qt.FocusReason.MouseFocusReason:
            self._open()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Qt: whoever goes elsewhere is done."""
        super().focusOutEvent(event)
        if event.reason() != Qt.FocusReason.PopupFocusReason:
            self._close(go_back=False)

    def _on_focus_changed(self, old: QWidget | None, now: QWidget | None) -> None:
        if now is self and old is not None and old is not self:
            self._before = old
