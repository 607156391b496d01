"""Where the docks are, as text that stays the same until somebody moves them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QByteArray, QChildEvent, QEvent, QObject
from PySide6.QtWidgets import QTabBar

if TYPE_CHECKING:
    from collections.abc import Mapping

    from PySide6.QtWidgets import QDockWidget, QMainWindow

LAYOUT_VERSION = 1


class DockLayout(QObject):
    """Saves and restores the docks of a window.

    Qt's own bytes differ with the size of the window and with panels that come and go
    by themselves, so the text that was restored is kept as long as the user has not
    changed the arrangement.

    Parameters
    ----------
    window
        Whose docks.
    docks
        They by name.
    fleeting
        Names of docks that come and go by themselves.

    Attributes
    ----------
    restored
        Whether an arrangement was restored.
    """

    def __init__(
        self,
        window: QMainWindow,
        docks: Mapping[str, QDockWidget],
        fleeting: tuple[str, ...],
    ) -> None:
        super().__init__(window)
        self._window, self._docks = window, docks
        self._fleeting = fleeting
        self._text = ""
        self._known: object = None
        self.restored = False
        window.installEventFilter(self)

    def text(self) -> str:
        """The arrangement, base64."""
        now = self._arrangement()
        if not self._text or now != self._known:
            self._text = to_text(self._window.saveState(LAYOUT_VERSION))
            self._known = now
        return self._text

    def restore(self, text: str) -> bool:
        """Arrange the docks as they were; False if the text is no arrangement."""
        fleeting = [self._docks[name] for name in self._fleeting]
        hidden = [dock.isHidden() for dock in fleeting]
        done = self._window.restoreState(from_text(text), LAYOUT_VERSION)
        for dock, was_hidden in zip(fleeting, hidden, strict=True):
            dock.setHidden(was_hidden)
        if done:
            self._text, self._known = text, self._arrangement()
            self.restored = True
        return done

    def note_change(self) -> None:
        """The user has changed something: what was restored holds no longer."""
        self._known = None

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Qt: a press on the window itself is one on the lines between docks."""
        if event.type() == QEvent.Type.MouseButtonPress:
            self.note_change()
        if event.type() == QEvent.Type.ChildPolished:
            assert isinstance(event, QChildEvent)
            child = event.child()
            if isinstance(child, QTabBar):
                child.tabBarClicked.connect(self.note_change)
        return False

    def _arrangement(self) -> object:
        """What only the user changes."""
        window = self._window
        fleeting = [self._docks[name] for name in self._fleeting]
        return [
            (
                name,
                dock.isHidden(),
                dock.isFloating(),
                window.dockWidgetArea(dock),
                [
                    other.objectName()
                    for other in window.tabifiedDockWidgets(dock)
                    if other not in fleeting
                ],
            )
            for name, dock in self._docks.items()
            if name not in self._fleeting
        ]


def to_text(data: QByteArray) -> str:
    """Bytes as base64."""
    return bytes(data.toBase64().data()).decode("ascii")


def from_text(text: str) -> QByteArray:
    """What `to_text` wrote; something else gives some bytes or none."""
    return QByteArray.fromBase64(text.encode("ascii", "ignore"))
