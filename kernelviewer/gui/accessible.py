"""What a screen reader is told: painted items as lists, and what just happened.

A widget that paints many things is one object to Qt. Here it becomes a list whose items
have names, places and states. They are made when they are asked for; 100 000 kernels
aren't 100 000 objects. Items offer no actions of their own: the keyboard has them all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import shiboken6
from PySide6 import QtGui
from PySide6.QtCore import QPoint, QPointF, QRect, QRectF
from PySide6.QtGui import QAccessible, QAccessibleEvent, QAccessibleInterface
from PySide6.QtWidgets import QAbstractScrollArea, QAccessibleWidget, QWidget

if TYPE_CHECKING:
    from collections.abc import Callable

    from PySide6.QtCore import QObject

KEPT = 512
"""Items of a list that stay made; of more, those asked for longest ago go."""
_NONE = QRect()


class Listed:
    """What a widget says of the items that it paints; to be inherited beside QWidget.

    Places are in the coordinates of the widget, or of the viewport of one that scrolls.
    """

    def item_count(self) -> int:
        """How many items there are, in view or not."""
        raise NotImplementedError

    def item_name(self, item: int) -> str:
        """What an item is, in a line."""
        raise NotImplementedError

    def item_details(self, item: int) -> str:
        """More of it: what its tooltip says."""
        return ""

    def item_box(self, item: int) -> QRectF | None:
        """Where it is painted; None: nowhere now."""
        raise NotImplementedError

    def item_at(self, place: QPointF) -> int | None:
        """The item at a place."""
        return None

    def item_now(self) -> int | None:
        """The item that the keys are at; None: none."""
        raise NotImplementedError

    def item_selected(self, item: int) -> bool:
        """True if it is selected."""
        return False

    def tell_item(self) -> None:
        """Tell a screen reader that the keys are at another item, or it has changed."""
        assert isinstance(self, QWidget)
        now = self.item_now()
        if now is None or not QAccessible.isActive() or not self.hasFocus():
            return
        found = QAccessible.queryAccessibleInterface(self)
        if isinstance(found, _List):
            notify(QAccessibleEvent(found.item(now), QAccessible.Event.Focus))


def one_line(text: str) -> str:
    """Lines of a tooltip as a sentence."""
    return ", ".join(filter(None, text.replace("▸ ", "").split("\n")))


def _surface(widget: QWidget) -> QWidget:
    """What the items are painted on."""
    return widget.viewport() if isinstance(widget, QAbstractScrollArea) else widget


class _Item(QAccessibleInterface):
    """One item of a list."""

    def __init__(self, owner: _List, number: int) -> None:
        super().__init__()
        self.owner, self.number = owner, number

    def isValid(self) -> bool:
        """Qt: whether the list still has it."""
        return self.owner.isValid() and self.number < self.owner.listed.item_count()

    def object(self) -> QObject:
        """Qt: there is none."""
        return None  # type: ignore[return-value]

    def parent(self) -> QAccessibleInterface:
        """Qt: the list."""
        return self.owner

    def child(self, index: int) -> QAccessibleInterface:
        """Qt: nothing is in it."""
        return None  # type: ignore[return-value]

    def childCount(self) -> int:
        """Qt: nothing is in it."""
        return 0

    def childAt(self, x: int, y: int) -> QAccessibleInterface:
        """Qt: nothing is in it."""
        return None  # type: ignore[return-value]

    def indexOfChild(self, child: QAccessibleInterface) -> int:
        """Qt: nothing is in it."""
        return -1

    def rect(self) -> QRect:
        """Qt: where it is on the screen."""
        box = self.owner.listed.item_box(self.number) if self.isValid() else None
        if box is None:
            return _NONE
        place = box.toAlignedRect()
        corner = _surface(self.owner.shown).mapToGlobal(place.topLeft())
        return QRect(corner, place.size())

    def role(self) -> QAccessible.Role:
        """Qt: what it is."""
        return QAccessible.Role.ListItem

    def state(self) -> QAccessible.State:
        """Qt: focused, selected, out of view."""
        state, listed, shown = QAccessible.State(), self.owner.listed, self.owner.shown
        state.focusable = state.selectable = True
        if not self.isValid():
            state.invalid = True
            return state
        now = listed.item_now() == self.number
        state.active = now
        state.focused = now and shown.hasFocus()
        state.selected = listed.item_selected(self.number)
        box, surface = listed.item_box(self.number), _surface(shown)
        inside = box is not None and box.intersects(QRectF(surface.rect()))
        state.offscreen = not inside
        state.invisible = not shown.isVisible()
        return state

    def text(self, kind: QAccessible.Text) -> str:
        """Qt: its name, and more of it."""
        if not self.isValid():
            return ""
        if kind == QAccessible.Text.Name:
            return self.owner.listed.item_name(self.number)
        if kind == QAccessible.Text.Description:
            return one_line(self.owner.listed.item_details(self.number))
        return ""

    def setText(self, kind: QAccessible.Text, text: str) -> None:
        """Qt: names can't be set from outside."""


class _List(QAccessibleWidget):
    """A widget with its child widgets, then its items."""

    def __init__(self, shown: QWidget) -> None:
        super().__init__(shown, QAccessible.Role.List)
        self._made: dict[int, _Item] = {}

    @property
    def shown(self) -> QWidget:
        """The widget; it isn't kept alive here."""
        return cast("QWidget", self.object())

    @property
    def listed(self) -> Listed:
        """The same, as what says what its items are."""
        return cast("Listed", self.object())

    def item(self, number: int) -> _Item:
        """An item, made if it isn't yet."""
        found = self._made.pop(number, None)
        if found is None:
            found = _Item(self, number)
            QAccessible.registerAccessibleInterface(found)
        self._made[number] = found
        while len(self._made) > KEPT:
            self._drop(next(iter(self._made)))
        return found

    def made(self) -> int:
        """How many items are made."""
        return len(self._made)

    def forget(self) -> None:
        """Make all items anew when they are asked for again."""
        for number in list(self._made):
            self._drop(number)

    def _drop(self, number: int) -> None:
        _delete(self._made.pop(number))

    def childCount(self) -> int:
        """Qt: widgets and items."""
        return super().childCount() + self.listed.item_count()

    def child(self, index: int) -> QAccessibleInterface:
        """Qt: a widget or an item."""
        widgets = super().childCount()
        if index < widgets:
            return super().child(index)
        if index - widgets < self.listed.item_count():
            return self.item(index - widgets)
        return None  # type: ignore[return-value]

    def childAt(self, x: int, y: int) -> QAccessibleInterface:
        """Qt: the item there, or the widget."""
        place = _surface(self.shown).mapFromGlobal(QPoint(x, y))
        number = self.listed.item_at(QPointF(place))
        return super().childAt(x, y) if number is None else self.item(number)

    def indexOfChild(self, child: QAccessibleInterface) -> int:
        """Qt: where a widget or an item stands."""
        if isinstance(child, _Item) and child.owner is self:
            return super().childCount() + child.number
        return super().indexOfChild(child)

    def focusChild(self) -> QAccessibleInterface:
        """Qt: the item that the keys are at."""
        now = self.listed.item_now()
        if now is None or not self.shown.hasFocus():
            return super().focusChild()
        return self.item(now)


_LISTS: dict[int, list[_List]] = {}
"""By the address of the widget. Python would free what only Qt knows."""


def _make(name: str, found: QObject) -> QAccessibleInterface | None:
    """A list for a widget that says what its items are; another one each time.

    Qt asks again when the widget has another meta-object, as after signals were
    connected, and frees each answer by itself.
    """
    if not isinstance(found, QWidget) or not issubclass(type(found), Listed):
        return None
    (key,) = shiboken6.getCppPointer(found)
    if key not in _LISTS:
        _LISTS[key] = []
        found.destroyed.connect(lambda *_: _forget(key))
    _LISTS[key].append(_List(found))
    return _LISTS[key][-1]


def _forget(key: int) -> None:
    for gone in _LISTS.pop(key, ()):
        gone.forget()
        _delete(gone)


def _delete(gone: QAccessibleInterface) -> None:
    """Have Qt forget an interface before Python frees it: Qt would free it again."""
    if shiboken6.isValid(gone):
        QAccessible.deleteAccessibleInterface(QAccessible.uniqueId(gone))


def install() -> None:
    """Let Qt ask here what a widget is, once in a program."""
    if not _INSTALLED:
        _INSTALLED.append(True)
        QAccessible.installFactory(_make)


_INSTALLED: list[bool] = []


def announce(widget: QWidget, text: str) -> None:
    """Let a screen reader say what has happened, when it has said all else."""
    if not text:
        return
    kind: Callable[..., QAccessibleEvent] | None
    kind = getattr(QtGui, "QAccessibleAnnouncementEvent", None)
    if kind is None:  # Qt before 6.8
        notify(QAccessibleEvent(widget, QAccessible.Event.Alert))
    else:
        notify(kind(widget, text))


def notify(event: QAccessibleEvent) -> None:
    """Hand an event to Qt, which drops it where nobody listens."""
    QAccessible.updateAccessibility(event)
