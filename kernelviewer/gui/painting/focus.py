"""Rings show the keyboard's focus to those who use the keyboard."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget

if TYPE_CHECKING:
    from PySide6.QtGui import QFocusEvent

_BY_KEYBOARD = (Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason)


class Ringed(QWidget):
    """Paints a ring where ``_ringed`` says so: for who came by keyboard."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._ringed = False

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Qt: who comes by keyboard sees where the focus is."""
        super().focusInEvent(event)
        self._ringed = event.reason() in _BY_KEYBOARD
        self.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Qt: the focus goes elsewhere."""
        super().focusOutEvent(event)
        self._ringed = False
        self.update()
