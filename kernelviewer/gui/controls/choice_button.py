"""A flat button that shows a choice and offers the others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QActionGroup
from PySide6.QtWidgets import QMenu, QToolButton

if TYPE_CHECKING:
    from collections.abc import Callable

    from PySide6.QtGui import QAction, QIcon, QKeyEvent
    from PySide6.QtWidgets import QWidget

PADDING = 7
_ICON_GAP = 4


class ChoiceButton(QToolButton):
    """Shows the choice made; a click, Space or the down key offers the others.

    Parameters
    ----------
    name, title
        Object name; what is chosen, for tooltip and screen readers.
    choices
        Key → text in the menu and on the button.
    short
        Key → text on the button where room is scarce.
    """

    chosen = Signal(str)

    def __init__(
        self,
        name: str,
        title: str,
        choices: dict[str, str],
        parent: QWidget,
        short: dict[str, str] | None = None,
    ) -> None:
        super().__init__(parent)
        self.setObjectName(name)
        self._title, self._short = title, short or {}
        self._brief = self._bare = False
        self._key = ""
        self.setToolTip(title)
        self._menu = QMenu(self)
        self._group = QActionGroup(self)
        self._actions: dict[str, QAction] = {}
        self.set_choices(choices)
        self.clicked.connect(self._open_menu)
        self._group.triggered.connect(lambda action: self.chosen.emit(action.data()))

    @property
    def choices(self) -> dict[str, str]:
        """What is offered, by key."""
        return {key: action.text() for key, action in self._actions.items()}

    def set_choices(self, choices: dict[str, str]) -> None:
        """Offer these, by key."""
        if self.choices == choices:
            return
        for action in self._actions.values():
            self._group.removeAction(action)
        self._actions = {}
        self._menu.clear()
        for key, text in choices.items():
            action = self._menu.addAction(text)
            action.setCheckable(True)
            action.setData(key)
            self._group.addAction(action)
            self._actions[key] = action
        if self._key in self._actions:
            self.set_choice(self._key)

    def set_choice(self, key: str) -> None:
        """Show this choice as made."""
        self._key = key
        action = self._actions[key]
        action.setChecked(True)
        self._show_text()
        self.setAccessibleName(f"{self._title}: {action.text()}")
        self.setToolTip(f"{self._title}: {action.text()}")

    def set_icons(self, icons: dict[str, QIcon], size: QSize) -> None:
        """Show pictures beside the menu's texts, and in their place on the button."""
        self._bare = True
        self.setIconSize(size)
        for key, icon in icons.items():
            self._actions[key].setIcon(icon)
        self._show_text()

    def set_brief(self, brief: bool) -> None:
        """Use the short texts, or the long ones."""
        if brief != self._brief:
            self._brief = brief
            self._show_text()

    @property
    def choice(self) -> str:
        """Key of the choice shown."""
        return self._key

    def step(self) -> None:
        """Ask for the next choice, the first after the last; nothing if disabled."""
        if not self.isEnabled():
            return
        keys = list(self._actions)
        self.chosen.emit(keys[(keys.index(self._key) + 1) % len(keys)])

    def _show_text(self) -> None:
        if self._key not in self._actions:
            return
        action = self._actions[self._key]
        if self._bare:
            self.setIcon(action.icon())
            return
        text = self._short.get(self._key, action.text()) if self._brief else None
        self.setText(f"{text or action.text()} ▾")
        self.updateGeometry()

    def sizeHint(self) -> QSize:
        """Qt: as wide as its text; a tool button would add two letters."""
        height = super().sizeHint().height()
        if self._bare:
            return QSize(self.iconSize().width() + 2 * PADDING, height)
        text = self.fontMetrics().horizontalAdvance(self.text())
        return QSize(text + 2 * PADDING, height)

    def minimumSizeHint(self) -> QSize:
        """Qt: the text is never cut."""
        return self.sizeHint()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Qt: the down key opens the menu, as in combo boxes."""
        if event.key() == Qt.Key.Key_Down:
            self._open_menu()
        else:
            super().keyPressEvent(event)

    def _open_menu(self) -> None:
        """A menu set on the button would make it wider for an arrow of its own."""
        self._menu.popup(self.mapToGlobal(self.rect().bottomLeft()))
        if self._key in self._actions:
            self._menu.setActiveAction(self._actions[self._key])


def chart_choice(
    name: str, title: str, choices: dict[str, str], short: dict[str, str] | None = None
) -> Callable[[QWidget], ChoiceButton]:
    """How to make a small choice for the title line of a panel; the first is made."""

    def make(parent: QWidget) -> ChoiceButton:
        button = ChoiceButton(name, title, choices, parent, short)
        button.setProperty("quiet", True)
        button.set_brief(True)
        button.set_choice(next(iter(choices)))
        return button

    return make
