"""The list of the palette: what it is, its name, its shortcut."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import (
    QAbstractListModel,
    QRect,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QPainter, QPalette
from PySide6.QtWidgets import (
    QListView,
    QStyle,
    QStyledItemDelegate,
)

if TYPE_CHECKING:
    from PySide6.QtCore import (
        QModelIndex,
        QPersistentModelIndex,
    )
    from PySide6.QtGui import QColor
    from PySide6.QtWidgets import (
        QStyleOptionViewItem,
        QWidget,
    )

    from kernelviewer.gui.palette.entry import Entry

    Index = QModelIndex | QPersistentModelIndex

ROW = 28
SHOWN = 12
KIND_WIDTH = 88
GAP = 10


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
        self.setObjectName("paletteList")
        self.setAccessibleName("What was found")
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
