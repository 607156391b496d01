"""Rings show the keyboard's focus to those who use the keyboard."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QRectF, Qt
from PySide6.QtGui import QFocusEvent, QPainter
from PySide6.QtWidgets import QWidget

if TYPE_CHECKING:
    from PySide6.QtCore import QObject
    from PySide6.QtGui import QPaintEvent
    from PySide6.QtWidgets import QAbstractScrollArea

_REASON = Qt.FocusReason
_BY_KEYBOARD = (
    _REASON.TabFocusReason,
    _REASON.BacktabFocusReason,
    _REASON.ShortcutFocusReason,
)
_PASSING = (
    _REASON.ActiveWindowFocusReason,
    _REASON.PopupFocusReason,
    _REASON.MenuBarFocusReason,
)
"""The focus goes to another window or a menu, and comes back."""


def is_ringed(event: QFocusEvent, before: bool) -> bool:
    """Whether there is a ring after the focus came or went; ``before``: until then."""
    if event.reason() in _PASSING:
        return before
    return event.gotFocus() and event.reason() in _BY_KEYBOARD


class Ringed(QWidget):
    """Paints a ring where ``_ringed`` says so: for who came by keyboard."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._ringed = False

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Qt: who comes by keyboard sees where the focus is."""
        super().focusInEvent(event)
        self._ringed = is_ringed(event, self._ringed)
        self.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Qt: the focus goes elsewhere."""
        super().focusOutEvent(event)
        self._ringed = is_ringed(event, self._ringed)
        self.update()


class AreaRing(QWidget):
    """The ring of an area that scrolls, which paints only its contents itself."""

    def __init__(self, area: QAbstractScrollArea) -> None:
        super().__init__(area)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.hide()
        self._area = area
        area.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Qt: the area gets or loses the focus, or another size."""
        if isinstance(event, QFocusEvent):
            self.setGeometry(self._area.rect())
            self.setVisible(is_ringed(event, not self.isHidden()))
            self.raise_()
        elif event.type() == QEvent.Type.Resize:
            self.setGeometry(self._area.rect())
        return False

    def paintEvent(self, event: QPaintEvent) -> None:
        """Qt: paint the ring in the colour of links, the accent."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(self.palette().link().color())
        box = QRectF(self.rect()).adjusted(1.5, 0.5, -1.5, -1.5)
        painter.drawRoundedRect(box, 4, 4)
