"""Rings show the keyboard's focus to those who use the keyboard."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt

if TYPE_CHECKING:
    from PySide6.QtGui import QFocusEvent

_BY_KEYBOARD = (Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason)


def came_by_keyboard(event: QFocusEvent) -> bool:
    """Whether the focus was brought by a key."""
    return event.reason() in _BY_KEYBOARD
