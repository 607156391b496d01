"""A table of networks, a row each, with bars of their classes: parts of views."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import (
    QAbstractTableModel,
    QEvent,
    QItemSelection,
    QItemSelectionModel,
    QRectF,
    QSize,
    QSortFilterProxyModel,
    Qt,
    Signal,
)
from PySide6.QtGui import QColor, QFont
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QLineEdit,
    QMenu,
    QPushButton,
    QSizePolicy,
    QStyledItemDelegate,
    QTableView,
    QWidget,
)

from kernelviewer.gui import theme
from kernelviewer.gui.controls import in_column, in_row, label_of, named
from kernelviewer.gui.painting.classes import fill_stack
from kernelviewer.gui.painting.pixels import AreaRing
from kernelviewer.gui.text import (
    AS_NOISE,
    as_tip,
    identified_lines,
    percent,
    shortened,
    spaced,
    with_sizes,
)
from kernelviewer.kernels.bank import size_label
from kernelviewer.text import shown

if TYPE_CHECKING:
    from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPoint
    from PySide6.QtGui import QHideEvent, QKeyEvent, QPainter, QShowEvent
    from PySide6.QtWidgets import QStyleOptionViewItem

    from kernelviewer.kernels.bank import Size
    from kernelviewer.state.tally import NetworkCounts, SummedCounts

    Index = QModelIndex | QPersistentModelIndex

Role = Qt.ItemDataRole
SORT_ROLE, COUNTS_ROLE, SEARCH_ROLE, QUIET_ROLE = (
    Role.UserRole + number for number in range(1, 5)
)
COLUMNS = (
    *("Network", "Format", "Architecture", "Sizes", "Kernels", "Flat"),
    *("Identified", "White noise", "Mean fit"),
)
(NAME, FORMAT, ARCHITECTURE, SIZES, KERNELS, FLAT, IDENTIFIED, NULL, FIT) = range(9)
FIRST, LAST = (
    (NAME, KERNELS, IDENTIFIED, NULL),
    (FIT, FLAT, SIZES, FORMAT, ARCHITECTURE),
)
"""Columns before and after the bars, as they are shown."""
TIPS = {
    FLAT: "Dead or constant kernels, which have no pattern",
    IDENTIFIED: "Share of the kernels with a pattern that are identified, of all sizes",
    NULL: "Share of as much white noise of the same sizes that would be identified",
    FIT: "Mean fit of the kernels of the size that is shown",
}
BAR = 72
"""Least width of a bar of classes, pixels."""
WIDEST = {ARCHITECTURE: 160, FORMAT: 120, SIZES: 130}
"""Of columns of texts, pixels."""
NAMES = 0.36
"""Share of the window that names may have: all else is told of them, and scrolls."""
PADDING = 18
MEASURED = 200
"""Rows whose texts say how wide columns are, as they are in view at first."""
UNKNOWN = -1.0


class NetworkRows(QAbstractTableModel):
    """The networks as rows; after the fixed columns one for each kernel size."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.rows: tuple[NetworkCounts, ...] = ()
        self.sizes: tuple[Size, ...] = ()
        self.tips = TIPS
        self._keys: dict[int, tuple[Any, ...]] = {}
        self._texts: dict[int, tuple[str, ...]] = {}

    def set_rows(
        self, rows: tuple[NetworkCounts, ...], sizes: tuple[Size, ...]
    ) -> None:
        """Show these; where networks and sizes are the same, only what is said."""
        same = sizes == self.sizes and [r.model.id for r in rows] == [
            r.model.id for r in self.rows
        ]
        if not same:
            self.beginResetModel()
        self.rows, self.sizes = rows, sizes
        self._keys.clear()
        self._texts.clear()
        if not same:
            self.endResetModel()
        elif rows:
            last = self.index(len(rows) - 1, self.columnCount() - 1)
            self.dataChanged.emit(self.index(0, 0), last)

    def rowCount(self, parent: Index | None = None) -> int:
        """Qt: networks."""
        return 0 if parent is not None and parent.isValid() else len(self.rows)

    def columnCount(self, parent: Index | None = None) -> int:
        """Qt: what is told of them."""
        return len(COLUMNS) + len(self.sizes)

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Role.DisplayRole
    ) -> Any:
        """Qt: column titles."""
        if orientation != Qt.Orientation.Horizontal:
            return None
        if role == Role.DisplayRole:
            if section < len(COLUMNS):
                return COLUMNS[section]
            return f"  {size_label(self.sizes[section - len(COLUMNS)])}"
        if role == Role.TextAlignmentRole:
            side = Qt.AlignmentFlag
            right = KERNELS <= section < len(COLUMNS)
            return (side.AlignRight if right else side.AlignLeft) | side.AlignVCenter
        if role == Role.ToolTipRole:
            return self.tips.get(
                section, "Kernels per class; sorted by the identified share"
            )
        return None

    def data(self, index: Index, role: int = Role.DisplayRole) -> Any:
        """Qt: what a cell shows."""
        if not index.isValid():
            return None
        row, column = self.rows[index.row()], index.column()
        if column >= len(COLUMNS):
            return self._bar_data(row, self.sizes[column - len(COLUMNS)], role)
        if role == Role.DisplayRole:
            return self._texts_of(index.row())[column]
        if role == SORT_ROLE:
            if (keys := self._keys.get(index.row())) is None:
                keys = self._keys[index.row()] = _sort_keys(row)
            return keys[column]
        if role == SEARCH_ROLE:
            return " ".join(self._texts_of(index.row()))
        if role == QUIET_ROLE:
            return column != NAME
        if role in (Role.ToolTipRole, Role.AccessibleDescriptionRole):
            return as_tip(_tip(row))
        if role == Role.TextAlignmentRole and column >= KERNELS:
            return Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        if role == Role.FontRole and column == NAME:
            font = QFont()
            font.setWeight(QFont.Weight.DemiBold)
            return font
        return None

    def _texts_of(self, number: int) -> tuple[str, ...]:
        if (texts := self._texts.get(number)) is None:
            texts = self._texts[number] = _texts(self.rows[number])
        return texts

    def _bar_data(self, row: NetworkCounts, size: Size, role: int) -> Any:
        found = row.sizes.get(size)
        if role == SORT_ROLE:
            known = found is not None and found.patterned
            return found.coverage if found is not None and known else UNKNOWN
        if role == COUNTS_ROLE:
            return found
        if role in (Role.ToolTipRole, Role.AccessibleTextRole):
            if size not in row.kernels:
                return ""
            head = f"{spaced(row.kernels[size])} kernels of {size_label(size)}"
            return "\n".join([head, *(identified_lines(found) if found else ())])
        return None


def _texts(row: NetworkCounts) -> tuple[str, ...]:
    """What the fixed columns say of a network."""
    bank, total = row.model.bank, row.total
    known = total is not None and total.patterned > 0
    mark = AS_NOISE if total is not None and total.is_as_noise else ""
    null = None if total is None else total.null
    return (
        f"{mark}{row.model.name}",
        bank.format,
        bank.architecture or "",
        ", ".join(map(size_label, row.kernels)),
        spaced(row.count),
        percent(row.flat / row.count) if row.flat else "–",
        percent(total.coverage) if total is not None and known else "",
        "" if null is None else percent(null),
        "" if row.fit != row.fit else f"{row.fit:.3f}",
    )


def _sort_keys(row: NetworkCounts) -> tuple[Any, ...]:
    """What the fixed columns are sorted by."""
    bank, total = row.model.bank, row.total
    known = total is not None and total.patterned > 0
    null = None if total is None else total.null
    return (
        row.model.name.casefold(),
        bank.format.casefold(),
        (bank.architecture or "\uffff").casefold(),
        float(max(map(prod, row.kernels), default=0)),
        float(row.count),
        row.flat / max(1, row.count),
        total.coverage if total is not None and known else UNKNOWN,
        UNKNOWN if null is None else null,
        UNKNOWN if row.fit != row.fit else row.fit,
    )


def _tip(row: NetworkCounts) -> str:
    bank = row.model.bank
    lines = [shown(bank.path), f"{bank.format}, {bank.size_bytes / 1e6:.1f} MB"]
    if row.total is not None:
        lines += identified_lines(row.total)
    return "\n".join([*lines, *bank.warnings])


class _Order(QSortFilterProxyModel):
    """Rows by the values behind the texts; what is not known comes last."""

    def lessThan(self, left: Index, right: Index) -> bool:
        """Qt: compare two cells."""
        a, b = left.data(SORT_ROLE), right.data(SORT_ROLE)
        if UNKNOWN in (a, b) and a != b:
            falling = self.sortOrder() == Qt.SortOrder.DescendingOrder
            return bool((a == UNKNOWN) == falling)
        return bool(a < b)


class _Delegate(QStyledItemDelegate):
    """The name stands out, bars are painted with their identified share."""

    def initStyleOption(self, option: QStyleOptionViewItem, index: Index) -> None:
        """Qt: how a cell looks."""
        super().initStyleOption(option, index)
        if index.data(QUIET_ROLE):
            quiet = option.palette.color(option.palette.ColorRole.PlaceholderText)
            option.palette.setColor(option.palette.ColorRole.Text, quiet)
            option.palette.setColor(option.palette.ColorRole.HighlightedText, quiet)
        option.textElideMode = Qt.TextElideMode.ElideMiddle

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: Index
    ) -> None:
        """Qt: paint a cell."""
        super().paint(painter, option, index)
        counts: SummedCounts | None = index.data(COUNTS_ROLE)
        if counts is None or not counts.kernels:
            return
        cell = QRectF(option.rect)
        text = percent(counts.coverage) if counts.patterned else "flat"
        wide = option.fontMetrics.horizontalAdvance("100.0\u202f%") + 6
        bar = cell.adjusted(12, cell.height() / 2 - 4, -wide, 4 - cell.height() / 2)
        x, parts = bar.left(), []
        for number, kernels in enumerate(counts.counts):
            if kernels:
                width = bar.width() * kernels / counts.kernels
                parts.append((number, QRectF(x, bar.top(), width, bar.height()), False))
                x += width
        fill_stack(painter, parts, dark=theme.tokens().dark, upright=False)
        painter.setPen(QColor(theme.tokens().secondary))
        side = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        painter.drawText(cell.adjusted(0, 0, -4, 0), side, text)

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        """Qt: room for a bar and its share."""
        hint = super().sizeHint(option, index)
        if index.column() >= len(COLUMNS):
            wide = option.fontMetrics.horizontalAdvance("100.0\u202f%")
            return QSize(BAR + wide, hint.height())
        return hint


class NetworkOverview(QWidget):
    """Search line, table, and a sentence on what is as noise.

    Signals carry what the user asks for; setters draw and stay silent.
    """

    scope_requested = Signal(object)
    """frozenset of ids of networks whose layers to show, or None for all."""
    open_requested = Signal(int)
    """Id of a network to show the kernels of."""
    kernels_requested = Signal()
    """Show the kernels of what is picked."""
    leave_requested = Signal()
    close_requested = Signal(object)
    """Ids of networks to close."""
    visibility_changed = Signal(bool)
    menu_opening = Signal(object)
    """The context menu, before it is shown: others may add to it."""
    first: tuple[int, ...] = FIRST
    last: tuple[int, ...] = LAST

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.search = QLineEdit(self)
        self.search.setObjectName("networkSearch")
        self.search.setAccessibleName("Find networks by name, format or architecture")
        self.search.setPlaceholderText("Find networks…")
        self.search.setClearButtonEnabled(True)
        self.search.setMaximumWidth(320)
        self.counts = label_of(self, name="overviewCounts", role="secondary")
        self.kernels = QPushButton("Show Kernels", self)
        named(self.kernels, "showKernels", "Show the kernels of the picked networks")
        self.kernels.clicked.connect(lambda: self.kernels_requested.emit())
        self.source = NetworkRows(self)
        self.proxy = _Order(self)
        self.proxy.setSourceModel(self.source)
        self.proxy.setFilterRole(SEARCH_ROLE)
        self.proxy.setFilterCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        self.table = QTableView(self)
        named(self.table, "networkTable", "Open networks, a row each")
        AreaRing(self.table)
        self.table.setModel(self.proxy)
        self.table.setItemDelegate(_Delegate(self.table))
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.table.setShowGrid(False)
        self.table.setWordWrap(False)
        self.table.setTabKeyNavigation(False)
        self.table.setSortingEnabled(True)
        self.table.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.table.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.table.verticalHeader().hide()
        header = self.table.horizontalHeader()
        header.setHighlightSections(False)
        header.setResizeContentsPrecision(MEASURED)
        header.setSectionsMovable(True)
        header.setSortIndicatorClearable(True)
        self.table.sortByColumn(-1, Qt.SortOrder.AscendingOrder)
        self.note = label_of(
            self, name="noiseNote", role="secondary", wraps=True, plain=True
        )
        self.note.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)
        line = in_row(None, (self.search, 1), self.counts, 1, self.kernels, spacing=12)
        in_column(
            self, line, (self.table, 1), self.note, margins=(12, 4, 12, 8), spacing=8
        )
        self._picked: frozenset[int] = frozenset()
        self._silent = False
        self.search.textChanged.connect(self._on_search_changed)
        self.table.doubleClicked.connect(self._on_activated)
        self.table.installEventFilter(self)
        self.table.customContextMenuRequested.connect(self._on_menu_requested)
        self.table.selectionModel().selectionChanged.connect(self._on_picked)

    # Setters

    def set_rows(
        self, rows: tuple[NetworkCounts, ...], sizes: tuple[Size, ...]
    ) -> None:
        """Show these networks, with a bar of classes for each of the sizes."""
        anew = sizes != self.source.sizes or len(rows) != len(self.source.rows)
        self._silent = True
        self.source.set_rows(rows, sizes)
        self._silent = False
        if anew:
            self.fit_columns()
        self.set_picked(self._picked)
        self._say()

    def set_picked(self, picked: frozenset[int]) -> None:
        """Mark the rows of networks that are in scope by themselves, by their ids."""
        self._picked = picked
        if picked == self.picked():
            return
        marked = QItemSelection()
        for number, row in enumerate(self.source.rows):
            if row.model.id in picked:
                index = self.proxy.mapFromSource(self.source.index(number, 0))
                if index.isValid():
                    marked.select(index, index)
        flags = QItemSelectionModel.SelectionFlag
        self._silent = True
        self.table.selectionModel().select(marked, flags.ClearAndSelect | flags.Rows)
        self._silent = False

    def picked(self) -> frozenset[int]:
        """Ids of the networks whose rows are marked."""
        rows = self.table.selectionModel().selectedRows()
        return frozenset(self._id(index) for index in rows)

    def current(self) -> int | None:
        """Id of the network that the keys are at."""
        index = self.table.currentIndex()
        return self._id(index) if index.isValid() else None

    def fit_columns(self) -> None:
        """Make the columns as wide as what stands in them, names first."""
        header = self.table.horizontalHeader()
        bars = range(len(COLUMNS), self.source.columnCount())
        for place, column in enumerate((*self.first, *bars, *self.last)):
            header.moveSection(header.visualIndex(column), place)
        told = any(row.model.bank.architecture for row in self.source.rows)
        self.table.setColumnHidden(ARCHITECTURE, not told)
        self.table.resizeColumnsToContents()
        scale = self.fontMetrics().height() / 16
        most = {name: wide * max(1.0, scale) for name, wide in WIDEST.items()}
        most[NAME] = self.window().width() * NAMES
        for column, wide in most.items():
            needed = self.table.columnWidth(column) + PADDING
            self.table.setColumnWidth(column, min(needed, round(wide)))
        self.table.verticalHeader().setDefaultSectionSize(
            self.fontMetrics().height() + 9
        )
        header.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)

    def minimumSizeHint(self) -> QSize:
        """Qt: it scrolls."""
        return QSize(240, 120)

    def _say(self) -> None:
        """How many there are, and which of them are no more than noise."""
        total, listed = len(self.source.rows), self.proxy.rowCount()
        networks = f"{spaced(total)} network{'s' * (total != 1)}"
        text = networks if listed == total else f"{spaced(listed)} of {networks}"
        self.counts.setText(text)
        names = [
            row.model.name
            for row in self.source.rows
            if row.total is not None and row.total.is_as_noise
        ]
        self.note.setVisible(bool(names))
        if names:
            some = ", ".join(shortened(name, 40) for name in names[:3])
            more = f" and {len(names) - 3} more" if len(names) > 3 else ""
            self.note.setText(
                f"{AS_NOISE}{some}{more}: no more of the kernels are identified than "
                "of white noise, as where nothing was trained. Where networks are "
                "counted together they count too: pick the others to leave them out."
            )
            self.note.setToolTip(as_tip("\n".join(names)))

    # Qt

    def eventFilter(self, watched: Any, event: QEvent) -> bool:
        """Qt: keys of the table that it would use otherwise."""
        if watched is self.table and event.type() == QEvent.Type.KeyPress:
            key_event: QKeyEvent = event  # type: ignore[assignment]
            return self._on_key(key_event.key())
        return super().eventFilter(watched, event)

    def _on_key(self, key: int) -> bool:
        if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            if (identity := self.current()) is not None:
                self.open_requested.emit(identity)
        elif key == Qt.Key.Key_Delete:
            if picked := self.picked():
                self.close_requested.emit(picked)
        elif key == Qt.Key.Key_Escape:
            if self.search.text():
                self.search.clear()
            elif self.picked():
                self.table.clearSelection()
            else:
                self.leave_requested.emit()
        else:
            return False
        return True

    def showEvent(self, event: QShowEvent) -> None:
        """Qt: it is seen."""
        super().showEvent(event)
        self.visibility_changed.emit(True)

    def hideEvent(self, event: QHideEvent) -> None:
        """Qt: it is not seen any more."""
        super().hideEvent(event)
        self.visibility_changed.emit(False)

    def changeEvent(self, event: QEvent) -> None:
        """Qt: texts of another size need other columns."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange:
            self.fit_columns()

    def _id(self, index: QModelIndex) -> int:
        return self.source.rows[self.proxy.mapToSource(index).row()].model.id

    def _on_search_changed(self, text: str) -> None:
        self._silent = True
        self.proxy.setFilterFixedString(with_sizes(text))
        self._silent = False
        self.set_picked(self._picked)
        self._say()

    def _on_picked(self) -> None:
        if not self._silent:
            self._picked = self.picked()
            self.scope_requested.emit(self._picked or None)

    def _on_activated(self, index: QModelIndex) -> None:
        self.open_requested.emit(self._id(index))

    def _on_menu_requested(self, place: QPoint) -> None:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        if picked := self.picked():
            self.fill_menu(menu, picked)
        self.menu_opening.emit(menu)
        menu.popup(self.table.viewport().mapToGlobal(place))

    def fill_menu(self, menu: QMenu, picked: frozenset[int]) -> None:
        """Offer what can be done with the picked networks."""
        several = len(picked) > 1
        text = f"Close {len(picked)} Networks" if several else "Close the Network"
        menu.addAction("Show Kernels", self.kernels_requested.emit)
        menu.addAction(text, lambda: self.close_requested.emit(picked))
