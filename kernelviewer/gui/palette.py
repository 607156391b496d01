"""The search line: entries, how they match what is typed, and their list."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QAbstractListModel, QPoint, QRect, QSize, Qt, Signal
from PySide6.QtGui import QKeySequence, QPainter, QPalette
from PySide6.QtWidgets import (
    QApplication,
    QFrame,
    QLineEdit,
    QListView,
    QStyle,
    QStyledItemDelegate,
)
from shiboken6 import isValid

from kernelviewer.gui.controls import in_column, label_of, named

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from PySide6.QtCore import QModelIndex, QPersistentModelIndex
    from PySide6.QtGui import QColor
    from PySide6.QtWidgets import QStyleOptionViewItem, QWidget

    Index = QModelIndex | QPersistentModelIndex

    from PySide6.QtGui import QFocusEvent, QKeyEvent

SPELLINGS = (
    ("colour", "color"),
    ("grey", "gray"),
    ("centre", "center"),
    ("normalis", "normaliz"),
    ("labell", "label"),
    ("×", "x"),
    ("∂²", "d2"),
    ("∂", "d"),
    ("σ", "sigma"),
    ("–", "-"),
    ("…", ""),
)
"""Spellings that mean the same, and signs that no key types."""
_WORD = re.compile(r"[^\W_]+")
_WHOLE, _START, _INSIDE, _INITIALS, _SCATTERED = 100.0, 80.0, 50.0, 45.0, 10.0
ROW = 28
SHOWN = 12
KIND_WIDTH = 88
GAP = 10
WIDTH = 720
WISH, LEAST = 190, 84
SEARCH = "Search…"
_FRAME = 28
"""Beside the text of the line, pixels."""
REMEMBERED = 8
NOTHING = "Nothing is called that. Try a layer, a class, a size or a command."
_MOVES = {
    Qt.Key.Key_Up: -1,
    Qt.Key.Key_Down: 1,
    Qt.Key.Key_PageUp: -10,
    Qt.Key.Key_PageDown: 10,
}


@lru_cache(maxsize=8192)
def normal(text: str) -> str:
    """The text as it is compared: lower case, one spelling."""
    text = text.casefold()
    for one, other in SPELLINGS:
        text = text.replace(one, other)
    return text


def score(query: str, title: str, also: str = "") -> float | None:
    """How well a query fits; None: not at all.

    Parameters
    ----------
    query
        Words in any order; each has to be found.
    title
        Where a find counts most.
    also
        Other names and what stands beside the title; a find here counts half.
    """
    total = 0.0
    name, rest = normal(title), normal(also)
    for word in normal(query).split():
        here = _fit(word, name, scattered=True)
        there = _fit(word, rest, scattered=False)
        best = max(here, there / 2)
        if not best:
            return None
        total += best
    return total - min(len(name), 80) / 20


def _fit(word: str, text: str, *, scattered: bool) -> float:
    """Points for a word in a text; 0 where it is not there."""
    place = text.find(word)
    if place >= 0:
        starts = [match.start() for match in _WORD.finditer(text)]
        if any(text.startswith(word, start) for start in starts):
            ends = re.search(rf"(?<![^\W_]){re.escape(word)}(?![^\W_])", text)
            return _WHOLE if ends else _START
        return _INSIDE
    if len(word) < 2:
        return 0.0
    initials = "".join(found.group()[0] for found in _WORD.finditer(text))
    if word in initials:
        return _INITIALS
    return _spread(word, text) if scattered else 0.0


def _spread(word: str, text: str) -> float:
    """Points for letters that come in the right order, the closer the more."""
    first = last = text.find(word[0])
    if first < 0:
        return 0.0
    for letter in word[1:]:
        last = text.find(letter, last + 1)
        if last < 0:
            return 0.0
    span = last - first + 1
    return _SCATTERED * len(word) / span if span <= 3 * len(word) else 0.0


@dataclass(frozen=True, slots=True)
class Entry:
    """Something that can be found and done.

    Attributes
    ----------
    title, note
        Its name, and what stands beside it.
    """

    kind: str
    """What it is: ``Command``, ``Layer``, ``Class``, …"""
    title: str
    run: Callable[[], object]
    verb: str = "run"
    """What Enter does, and the word for it."""
    note: str = ""
    keys: str = ""
    """Its shortcut as people read it."""
    enabled: bool = True
    """False: listed, but without effect for now."""
    also: str = ""
    """Other names it is found by."""
    other: Callable[[], object] | None = None
    other_verb: str = ""
    """What Shift+Enter does, if anything."""

    @property
    def key(self) -> tuple[str, str, str]:
        """What tells it from others while the program runs."""
        return self.kind, self.title, self.note


def find(
    query: str, entries: Iterable[Entry], used: list[tuple[str, ...]]
) -> list[Entry]:
    """The entries that fit a query, best first; without one, the last used first.

    Parameters
    ----------
    used
        Keys of entries that were used, the last one first.
    """
    rank = {key: number for number, key in enumerate(used)}
    late = len(used)
    if not query.strip():
        return sorted(entries, key=lambda entry: rank.get(entry.key, late))
    found = []
    for entry in entries:
        points = score(query, entry.title, f"{entry.kind} {entry.note} {entry.also}")
        if points is not None:
            # what can be done comes before what cannot, what was used before the rest
            bonus = 5 * entry.enabled + 8 * (entry.key in rank)
            found.append((-points - bonus, entry))
    found.sort(key=lambda item: item[0])
    return [entry for _, entry in found]


class EntryModel(QAbstractListModel):
    """Entries as a list for Qt."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.entries: list[Entry] = []

    def set_entries(self, entries: list[Entry]) -> None:
        """Replace what is listed."""
        self.beginResetModel()
        self.entries = entries
        self.endResetModel()

    def rowCount(self, parent: Index | None = None) -> int:
        """Qt: as many as there are."""
        return 0 if parent is not None and parent.isValid() else len(self.entries)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Qt: the text, for accessibility as well."""
        entry = self.entries[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return entry.title
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return f"{entry.kind}: {entry.title} {entry.note} {entry.keys}".strip()
        return None


class _Delegate(QStyledItemDelegate):
    """Kind, title and note from the left, shortcut from the right."""

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(100, max(ROW, option.fontMetrics.height() + 10))

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: Index
    ) -> None:
        model = index.model()
        assert isinstance(model, EntryModel)
        entry = model.entries[index.row()]
        palette = option.palette
        quiet = palette.color(QPalette.ColorRole.PlaceholderText)
        plain = palette.color(QPalette.ColorRole.Text)
        if not entry.enabled:
            faint = palette.color(QPalette.ColorGroup.Disabled, QPalette.ColorRole.Text)
            quiet = plain = faint
        painter.save()
        if option.state & QStyle.StateFlag.State_Selected:
            _mark(painter, option)
        box = QRect(option.rect).adjusted(GAP, 0, -GAP, 0)
        if entry.keys:
            width = option.fontMetrics.horizontalAdvance(entry.keys) + 1
            box.setRight(box.right() - width - 2 * GAP)
            where = QRect(box.right() + 2 * GAP, box.top(), width, box.height())
            _write(painter, where, entry.keys, quiet)
        kind = QRect(box.left(), box.top(), KIND_WIDTH - GAP, box.height())
        _write(painter, kind, entry.kind, quiet)
        box.setLeft(box.left() + KIND_WIDTH)
        wish = option.fontMetrics.horizontalAdvance(entry.title) + 1
        most = box.width() * 3 // 5 if entry.note else box.width()
        title = QRect(box.left(), box.top(), min(wish, most), box.height())
        _write(painter, title, entry.title, plain)
        box.setLeft(title.right() + 2 * GAP)
        _write(painter, box, entry.note, quiet)
        painter.restore()


def _mark(painter: QPainter, option: QStyleOptionViewItem) -> None:
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(option.palette.highlight())
    painter.drawRoundedRect(option.rect, 4, 4)


def _write(painter: QPainter, box: QRect, text: str, colour: QColor) -> None:
    """One line of text in a box, its middle left out where it is too long."""
    painter.setPen(colour)
    mode = Qt.TextElideMode.ElideMiddle
    short = painter.fontMetrics().elidedText(text, mode, box.width())
    painter.drawText(box, Qt.AlignmentFlag.AlignVCenter, short)


class EntryList(QListView):
    """Shows entries, one of them marked; the keyboard stays in the line above."""

    chosen = Signal()
    """A line was clicked."""
    moved = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        named(self, "paletteList", "What was found")
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setUniformItemSizes(True)
        self.setMouseTracking(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._model = EntryModel(self)
        self.setModel(self._model)
        self.setItemDelegate(_Delegate(self))
        self.clicked.connect(lambda: self.chosen.emit())
        self.entered.connect(self._on_entered)

    def set_entries(self, entries: list[Entry]) -> None:
        """List these, the first one marked."""
        self._model.set_entries(entries)
        if entries:
            self.setCurrentIndex(self._model.index(0))
        self.scrollToTop()

    @property
    def entries(self) -> list[Entry]:
        """What is listed."""
        return self._model.entries

    def current(self) -> Entry | None:
        """The marked entry."""
        row = self.currentIndex().row()
        return self.entries[row] if 0 <= row < len(self.entries) else None

    def step(self, by: int) -> None:
        """Mark another line; one step past an end leads to the other end."""
        count = len(self.entries)
        if not count:
            return
        row = self.currentIndex().row() + by
        row = row % count if abs(by) == 1 else min(max(row, 0), count - 1)
        self.setCurrentIndex(self._model.index(row))
        self.moved.emit()

    def wished_height(self) -> int:
        """Height that shows what is listed, a dozen lines at the most."""
        row = max(ROW, self.fontMetrics().height() + 10)
        return row * min(len(self.entries), SHOWN) + 2

    def _on_entered(self, index: QModelIndex) -> None:
        self.setCurrentIndex(index)
        self.moved.emit()


class PaletteLine(QLineEdit):
    """Finds commands, layers, classes and more as one types.

    Enter does what the marked line says, Shift+Enter what else it offers, Escape
    closes; the keyboard goes back to where it was.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        named(self, "commandPalette", "Search commands, layers, classes and settings")
        native = QKeySequence("Ctrl+K").toString(QKeySequence.SequenceFormat.NativeText)
        self._keys = native.replace("+", " ")
        self._brief = False
        self.setPlaceholderText(f"{SEARCH}   {self._keys}")
        self.setToolTip("Find a command, a layer, a class and more by typing")
        self._collect: Callable[[], list[Entry]] = list
        self._entries: list[Entry] = []
        self._used: list[tuple[str, ...]] = []
        self._before: QWidget | None = None
        self.popup = named(QFrame(self.window()), "palettePopup")
        self.popup.setProperty("popup", True)
        self.list = EntryList(self.popup)
        self.hint = label_of(self.popup, name="paletteHint", role="caption")
        self.hint.setContentsMargins(8, 4, 8, 2)
        in_column(self.popup, self.list, self.hint, margins=(5, 5, 5, 5), spacing=0)
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

    def set_brief(self, brief: bool) -> None:
        """Take little room, or say by which keys it is reached."""
        if brief != self._brief:
            self._brief = brief
            keys = "" if brief else f"   {self._keys}"
            self.setPlaceholderText(f"{SEARCH}{keys}")
            self.updateGeometry()

    def sizeHint(self) -> QSize:
        """Qt: as in the target picture."""
        if self._brief:
            return self.minimumSizeHint()
        return QSize(self._wide(WISH, self.placeholderText()), self._height())

    def minimumSizeHint(self) -> QSize:
        """Qt: what it is for can be read."""
        return QSize(self._wide(LEAST, SEARCH), self._height())

    def _wide(self, least: int, text: str) -> int:
        return max(least, self.fontMetrics().horizontalAdvance(text) + _FRAME)

    def _height(self) -> int:
        return super().sizeHint().height()

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
