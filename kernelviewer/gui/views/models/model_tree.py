"""The tree as a widget, and how its rows are painted."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import (
    QItemSelection,
    QItemSelectionModel,
    QModelIndex,
    QPointF,
    QRect,
    QRectF,
    QSize,
    QSortFilterProxyModel,
    Qt,
    Signal,
)
from PySide6.QtGui import (
    QColor,
    QCursor,
    QFont,
    QFontMetrics,
    QGuiApplication,
    QPainter,
    QPen,
    QPixmap,
    QPolygonF,
    QRegion,
)
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QLabel,
    QLineEdit,
    QMenu,
    QTreeView,
    QWidget,
)

from kernelviewer.gui import theme
from kernelviewer.gui.controls import in_column, in_row, named
from kernelviewer.gui.painting.classes import fill_stack
from kernelviewer.gui.painting.pixels import AreaRing
from kernelviewer.gui.text import AS_NOISE, shortened, with_sizes
from kernelviewer.gui.views.models.tree_model import (
    CLASSES_COLUMN,
    COLUMNS,
    FLAT_COLUMN,
    HEALTH_COLUMNS,
    KERNELS_COLUMN,
    NAMED_COLUMN,
    SEARCH_ROLE,
    SIZE_COLUMN,
    ModelTreeModel,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from PySide6.QtCore import QEvent, QPersistentModelIndex, QPoint, QSizeF
    from PySide6.QtGui import QKeyEvent, QMouseEvent, QPaintEvent, QResizeEvent
    from PySide6.QtWidgets import QStyleOptionViewItem

    from kernelviewer.gui.views.models.tree_model import TreeItem
    from kernelviewer.kernels.health import LayerHealth
    from kernelviewer.state.arrangement import Measure
    from kernelviewer.state.model import LayerRef, OpenModel
    from kernelviewer.state.tally import LayerCounts

STEP = 10
"""Indentation from one level to the next, pixels."""
MARK = 6
"""Ring that marks layers with kernels near to the slider, pixels."""
LEAST_WIDE = {
    SIZE_COLUMN: "7×7",
    KERNELS_COLUMN: "3 322",
    FLAT_COLUMN: "22 %",
    NAMED_COLUMN: "100 %",
}
"""Text that a column has room for at least; longer texts of its rows widen it."""
MOST_WIDE = "31×31×31"
CELL_PADDING = 9
TEXT_MARGIN = 3
"""Left and right of a text in its cell, pixels."""
BAR_WIDTH = 50
NAME_WIDTH = 150
"""Most that is kept free for names, pixels; for them columns are left out."""
MOST_NAMES = 0.8
"""Share of the names that are to be read whole before columns have room."""
LEFT_OUT = (FLAT_COLUMN, SIZE_COLUMN, NAMED_COLUMN, KERNELS_COLUMN)
"""Columns that go, one after the other, until names have room."""
SCROLL_BAR = 12
_MOST_BARS = 2048
"""Pictures of bars that are kept."""


class LayerRows(QTreeView):
    """A tree that paints its rows itself, from its items and only what is to be seen.

    Its indentation tells of kernels near to the slider: a ring stands before a layer
    that holds some, as around their points in the scatter plot; the arrow of a module
    or network above it takes the same colour. Left-out layers and the columns of counts
    recede. Long names are cut where they say least. Networks and modules have no size,
    so their names run through that column.

    Parameters
    ----------
    source
        Its rows; the tree's own model may leave some out.
    """

    def __init__(self, source: ModelTreeModel, parent: QWidget) -> None:
        super().__init__(parent)
        self._source = source
        self._hovered = QModelIndex()
        self._painted = QRegion()
        self._tokens = theme.tokens()
        self._cells: list[tuple[int, int, int]] = []
        self._bars: dict[object, QPixmap] = {}

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Qt: the right button opens a menu, and picks no layers."""
        if event.button() != Qt.MouseButton.RightButton:
            super().mousePressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Qt: see what is painted, and what is hovered."""
        self._painted, self._tokens = event.region(), theme.tokens()
        port = self.viewport()
        self._hovered = QModelIndex()
        if port.underMouse():
            at = self.indexAt(port.mapFromGlobal(QCursor.pos()))
            self._hovered = at.siblingAtColumn(0)
        self._cells = [
            (column, self.columnViewportPosition(column), self.columnWidth(column))
            for column in range(1, len(COLUMNS))
            if not self.isColumnHidden(column)
        ]
        super().paintEvent(event)

    def drawRow(
        self,
        painter: QPainter,
        options: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> None:
        """Qt: paint a row, less what is not painted anew."""
        item, row = self._item(index), options.rect
        name = self.visualRect(index)
        picked = self.selectionModel().isSelected(index)
        if picked or index == self._hovered:
            tokens = self._tokens
            painter.fillRect(row, QColor(tokens.selected if picked else tokens.hover))
        indent = QRect(0, name.top(), name.left(), name.height())
        if self._painted.intersects(indent):
            self.drawBranches(painter, indent, index)
        if item.layer is None:
            name.setRight(name.right() + self.columnWidth(SIZE_COLUMN))
        if self._painted.intersects(name):
            self._paint_name(painter, name, item)
        painter.setPen(QColor(self._tokens.secondary))
        for column, left, width in self._cells:
            cell = QRect(left, row.top(), width, row.height())
            if not self._painted.intersects(cell):
                continue
            if column == CLASSES_COLUMN:
                self._paint_bar(painter, QRectF(cell), item)
            elif item.layer or column != SIZE_COLUMN:
                self._write(painter, cell, self._source.text(item, column))

    def _paint_name(self, painter: QPainter, box: QRect, item: TreeItem) -> None:
        """A name; that of a network is bold, and marked if it is as noise."""
        tokens = self._tokens
        painter.setPen(QColor(tokens.secondary if item.excluded else tokens.text))
        if item.node is None:
            font = QFont(self.font())
            font.setWeight(QFont.Weight.DemiBold)
            painter.setFont(font)
        text = self._source.text(item, 0)
        if item.node is None and self._source.is_as_noise(item):
            text = f"{AS_NOISE}{text}"
        self._write(painter, box, text, item.elide, Qt.AlignmentFlag.AlignLeft)
        painter.setFont(self.font())

    def _write(
        self,
        painter: QPainter,
        box: QRect,
        text: str,
        cut: Qt.TextElideMode = Qt.TextElideMode.ElideRight,
        side: Qt.AlignmentFlag = Qt.AlignmentFlag.AlignRight,
    ) -> None:
        """A text as far as there is room for it."""
        room = box.adjusted(TEXT_MARGIN, 0, -TEXT_MARGIN, 0)
        text = painter.fontMetrics().elidedText(text, cut, room.width())
        painter.drawText(room, side | Qt.AlignmentFlag.AlignVCenter, text)

    def _item(self, index: QModelIndex | QPersistentModelIndex) -> TreeItem:
        proxy = self.model()
        assert isinstance(proxy, QSortFilterProxyModel)
        item = self._source.item(proxy.mapToSource(index))
        assert item is not None
        return item

    def _paint_bar(self, painter: QPainter, cell: QRectF, item: TreeItem) -> None:
        """A stacked bar of the row's classes, and a line of what is selected."""
        if (row := self._source.counts_of(item)) is None:
            return
        bar = cell.adjusted(4, cell.height() / 2 - 4, -4, 4 - cell.height() / 2)
        painter.drawPixmap(bar.topLeft(), self._bar(row.counts, bar.size()))
        if chosen := self._source.selected_of(item):
            wide = max(1.0, bar.width() * chosen / max(1, item.summary.kernels))
            line = QRectF(bar.left(), bar.bottom() + 2, wide, 2)
            painter.fillRect(line, QColor(self._tokens.accent))

    def _bar(self, counts: tuple[int, ...], size: QSizeF) -> QPixmap:
        """A bar's picture, kept: what is selected changes far more often."""
        dark, ratio = self._tokens.dark, self.devicePixelRatioF()
        key = counts, size.toTuple(), dark, ratio
        if key not in self._bars:
            if len(self._bars) >= _MOST_BARS:
                self._bars.clear()
            picture = QPixmap((size * ratio).toSize())
            picture.setDevicePixelRatio(ratio)
            picture.fill(QColor(0, 0, 0, 0))
            total, x = max(1, sum(counts)), 0.0
            parts = []
            for number, count in enumerate(counts):
                if count:
                    width = size.width() * count / total
                    parts.append((number, QRectF(x, 0, width, size.height()), False))
                    x += width
            painter = QPainter(picture)
            fill_stack(painter, parts, dark=dark, upright=False)
            painter.end()
            self._bars[key] = picture
        return self._bars[key]

    def changeEvent(self, event: QEvent) -> None:
        """Qt: classes may have other colours."""
        super().changeEvent(event)
        if theme.is_theme_change(event):
            self._bars.clear()

    def drawBranches(
        self, painter: QPainter, rect: QRect, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        """Qt: paint what is left of a name."""
        item = self._item(index)
        marked = self._source.marked_of(item)
        if not (item.children or marked):
            return
        colour = QColor(self._tokens.accent if marked else self._tokens.secondary)
        centre = QPointF(rect.right() + 1 - STEP / 2, rect.center().y() + 0.5)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if item.children:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(colour)
            painter.drawPolygon(_arrow(centre, down=self.isExpanded(index)))
        else:
            painter.setPen(QPen(colour, 1.5))
            painter.drawEllipse(centre, MARK / 2, MARK / 2)
        painter.restore()


def _arrow(centre: QPointF, *, down: bool) -> QPolygonF:
    """A triangle that points down or to the right."""
    corners = [(-3.5, -2.0), (3.5, -2.0), (0.0, 2.5)]
    if not down:
        corners = [(y, x) for x, y in corners]
    return QPolygonF([centre + QPointF(x, y) for x, y in corners])


class ModelTree(QWidget):
    """Search field and tree.

    Signals carry what the user asks for; setters draw and stay silent.
    """

    layers_requested = Signal(object)
    """frozenset of `LayerRef` to show, or None for all."""
    select_requested = Signal(object, object)
    """frozenset of `LayerRef` whose kernels to select, and the keys held."""
    close_requested = Signal(int)
    copy_requested = Signal(int, str)
    include_requested = Signal(int, str, bool)
    """Model id, layer name, whether to take its kernels in."""
    compare_requested = Signal(int, int)
    """Ids of two networks, before and after."""
    rename_requested = Signal(int, str)
    """Model id, and what it is to be called; empty: as its file."""
    details_requested = Signal(int)
    measures_requested = Signal(object)
    """Measures of the layers' health to have columns, a tuple of `Measure`."""
    menu_opening = Signal(object)
    """The context menu, before it is shown: others may add to it."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.search = QLineEdit(self)
        named(self.search, "layerSearch", "Find a layer by its name or size")
        self.search.setPlaceholderText("Find layer…")
        self.search.setClearButtonEnabled(True)
        self.source = ModelTreeModel(self)
        self.tree = LayerRows(self.source, self)
        AreaRing(self.tree)
        named(self.tree, "modelTree", "Open networks and their depthwise layers")
        self.proxy = QSortFilterProxyModel(self)
        self.proxy.setSourceModel(self.source)
        self.proxy.setRecursiveFilteringEnabled(True)
        self.proxy.setAutoAcceptChildRows(True)
        self.proxy.setFilterCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        self.proxy.setFilterRole(SEARCH_ROLE)
        self.tree.setModel(self.proxy)
        self.source.rename_requested.connect(
            self.rename_requested, Qt.ConnectionType.QueuedConnection
        )
        self.tree.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.tree.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.tree.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.tree.setUniformRowHeights(True)
        self.tree.setIndentation(STEP)
        self.tree.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        header = self.tree.header()
        header.setStretchLastSection(False)
        header.setMinimumSectionSize(20)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        self.tree.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        header.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        header.customContextMenuRequested.connect(self._on_columns_requested)
        self.measures: tuple[Measure, ...] = ()
        self.empty = QLabel("Networks that you open are listed here.", self)
        self.empty.setProperty("role", "secondary")
        self.empty.setWordWrap(True)
        self.empty.setAlignment(Qt.AlignmentFlag.AlignTop)
        find = in_row(None, self.search, margins=(0, 0, 8, 0))
        rows = (find, (self.empty, 1), (self.tree, 1))
        in_column(self, *rows, margins=(10, 4, 2, 8), spacing=6)
        self._silent = False
        self._layers: frozenset[LayerRef] | None = None
        self.search.textChanged.connect(self._on_search_changed)
        self.tree.selectionModel().selectionChanged.connect(self._on_selection_changed)
        self.tree.customContextMenuRequested.connect(self._on_menu_requested)
        for column in range(1, len(COLUMNS)):
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.Fixed)
        self._labelled, self._name_width = False, 0
        self._widths = {CLASSES_COLUMN: BAR_WIDTH}
        self.set_models(())

    def set_models(self, models: tuple[OpenModel, ...]) -> None:
        """Show these networks; new ones are opened up, others stay as they were."""
        if models and (changed := self.source.step_to(models)) is not None:
            if changed:
                self._fit_columns()
            return
        for widget in (self.search, self.tree):
            widget.setVisible(bool(models))
        self.empty.setVisible(not models)
        known = {item.model.id for item in self.source.roots}
        folded = self._folded()
        self._silent = True
        self.source.set_models(models)
        self._silent = False
        for item in self._items(self.source.roots):
            if not item.children:
                continue
            key = _key(item)
            few = len(item.children) <= 40
            fold = key in folded if item.model.id in known else not few
            self.tree.setExpanded(self._index(item), not fold)
        self._fit_columns()

    def set_layers(self, layers: frozenset[LayerRef] | None) -> None:
        """Mark the layers that are shown; None marks nothing."""
        self._layers = layers
        if layers == self._picked():
            return
        marked = QItemSelection()
        for item in self._cover(self.source.roots, layers or frozenset()):
            index = self._index(item)
            marked.select(index, index)
        flags = QItemSelectionModel.SelectionFlag
        self._silent = True
        self.tree.selectionModel().select(marked, flags.ClearAndSelect | flags.Rows)
        self._silent = False

    def sizeHint(self) -> QSize:
        """Qt: room for names such as ``stages.2.blocks.11``."""
        return QSize(300, 400)

    def set_class_counts(self, counts: dict[LayerRef, LayerCounts]) -> None:
        """Show classes and coverage per layer; an empty dict hides their columns."""
        self.source.set_class_counts(counts)
        if self._labelled == bool(counts):
            self._repaint_from(NAMED_COLUMN)
            return
        self._labelled = bool(counts)
        self._make_room()
        self.tree.viewport().update()

    def set_health(
        self, measures: tuple[Measure, ...], health: Mapping[LayerRef, LayerHealth]
    ) -> None:
        """Have columns for some measures of the layers' health."""
        if (measures, health) == (self.measures, self.source.health):
            return
        self.measures = measures
        self.source.set_health(health)
        self._fit_columns()
        self.tree.viewport().update()

    def column_menu(self) -> QMenu:
        """Offers a column for each measure of the layers' health."""
        menu = QMenu(self)
        menu.setObjectName("columnMenu")
        menu.addSection("Health of layers")
        for measure, (title, tip) in HEALTH_COLUMNS.items():
            name = tip.partition(":")[0] if ":" in tip else title
            action = menu.addAction(name)
            action.setCheckable(True)
            action.setChecked(measure in self.measures)
            action.setStatusTip(tip)
            action.setData(measure)
        menu.addSeparator()
        for text, wanted in (("All", tuple(HEALTH_COLUMNS)), ("None", ())):
            action = menu.addAction(text)
            action.setData(wanted)
            action.setEnabled(self.measures != wanted)
        menu.triggered.connect(lambda action: self._on_measure_chosen(action.data()))
        return menu

    def _on_columns_requested(self, place: QPoint) -> None:
        menu = self.column_menu()
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(self.tree.header().mapToGlobal(place))

    def _on_measure_chosen(self, chosen: Measure | tuple[Measure, ...]) -> None:
        if isinstance(chosen, str):
            wanted = {*self.measures} ^ {chosen}
            chosen = tuple(measure for measure in HEALTH_COLUMNS if measure in wanted)
        self.measures_requested.emit(tuple(chosen))

    def set_marked(self, marked: Mapping[LayerRef, int]) -> None:
        """Mark layers with kernels nearest to the slider, by how many."""
        for item in self.source.set_marked(marked):
            row = self.tree.visualRect(self._index(item))
            if not row.isEmpty():
                self.tree.viewport().update(0, row.top(), row.left(), row.height())

    def set_selected(self, selected: Mapping[LayerRef, int]) -> None:
        """Show how many kernels of the layers are selected."""
        if self.source.set_selected(selected):
            self._repaint_from(CLASSES_COLUMN)

    def _repaint_from(self, column: int) -> None:
        """Paint a column and those right of it anew: the names cost the most."""
        while column < CLASSES_COLUMN and self.tree.isColumnHidden(column):
            column += 1
        left = self.tree.columnViewportPosition(column)
        view = self.tree.viewport()
        view.update(left, 0, view.width() - left, view.height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Qt: names come first."""
        super().resizeEvent(event)
        self._make_room()

    def _fit_columns(self) -> None:
        """Make the columns as wide as what stands in them."""
        items, metrics = self._items(self.source.roots), self.fontMetrics()
        font = QFont(self.font())
        font.setPixelSize(theme.text_size("small"))
        caption = QFontMetrics(font)
        most = metrics.horizontalAdvance(MOST_WIDE)
        for column, least in LEAST_WIDE.items():
            texts = {least, *(item.text(column) for item in items)}
            width = max(map(metrics.horizontalAdvance, _longest(texts)))
            title = caption.horizontalAdvance(COLUMNS[column])
            self._widths[column] = max(min(width, most), title) + CELL_PADDING
            self.tree.header().resizeSection(column, self._widths[column])
        for column in range(CLASSES_COLUMN + 1, len(COLUMNS)):
            texts = {"", *(self.source.health_text(item, column) for item in items)}
            width = max(map(metrics.horizontalAdvance, _longest(texts)), default=0)
            title = caption.horizontalAdvance(COLUMNS[column])
            self._widths[column] = max(width, title) + CELL_PADDING
            self.tree.header().resizeSection(column, self._widths[column])
        title = caption.horizontalAdvance(COLUMNS[CLASSES_COLUMN]) + CELL_PADDING
        self._widths[CLASSES_COLUMN] = max(BAR_WIDTH, title)
        self.tree.header().resizeSection(CLASSES_COLUMN, self._widths[CLASSES_COLUMN])
        step = self.tree.indentation()
        widths = sorted(
            metrics.horizontalAdvance(item.text(0)) + (item.depth + 1) * step
            for item in items
            if item.node is not None
        )
        most = widths[round(MOST_NAMES * (len(widths) - 1))] if widths else 0
        self._name_width = min(most + CELL_PADDING, NAME_WIDTH)
        self._make_room()

    def _make_room(self) -> None:
        """Where it is narrow, columns go so that names can be read."""
        there = {*LEAST_WIDE, CLASSES_COLUMN}
        if not self._labelled:
            there -= {NAMED_COLUMN, CLASSES_COLUMN}
        for column, measure in enumerate(HEALTH_COLUMNS, CLASSES_COLUMN + 1):
            there |= {column} if measure in self.measures else set()
        if "flat" in self.measures:
            there -= {FLAT_COLUMN}
        header, room = self.tree.header(), self.tree.width() - SCROLL_BAR
        widths = {column: self._widths[column] for column in there}
        banks = [root.model.bank for root in self.source.roots]
        told = any(layer.support for bank in banks for layer in bank.layers)
        for column in LEFT_OUT:
            if told and column == SIZE_COLUMN:
                continue  # it says which taps of the kernels saw data
            if room - sum(widths.values()) < self._name_width:
                widths.pop(column, None)
        for column in range(1, header.count()):
            self.tree.setColumnHidden(column, column not in widths)

    def start_search(self) -> None:
        """Put the cursor into the search field."""
        self.search.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.search.selectAll()

    def start_rename(self, identity: int) -> None:
        """Put the cursor into the name of a network."""
        for item in self.source.roots:
            if item.model.id == identity:
                index = self._index(item)
                if not index.isValid():  # the search hides it
                    self.search.clear()
                    index = self._index(item)
                self.tree.scrollTo(index)
                self.tree.edit(index)

    def current_model(self) -> int | None:
        """Id of the network of the current row, else of the only one."""
        item = self._at(self.tree.currentIndex())
        if item is None and len(self.source.roots) == 1:
            item = self.source.roots[0]
        return item.model.id if item else None

    def marked_model(self) -> int | None:
        """Id of the one network whose own row is picked, if there is such a one."""
        rows = [self._at(i) for i in self.tree.selectionModel().selectedRows()]
        roots = [
            item for item in rows if item is not None and item in self.source.roots
        ]
        return roots[0].model.id if len(roots) == len(rows) == 1 else None

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Delete closes the network, F2 renames it, Escape shows all layers again."""
        if event.key() == Qt.Key.Key_Delete and self.tree.hasFocus():
            model = self.current_model()
            if model is not None:
                self.close_requested.emit(model)
        elif event.key() == Qt.Key.Key_F2 and self.tree.hasFocus():
            if (model := self.current_model()) is not None:
                self.start_rename(model)
        elif event.key() == Qt.Key.Key_Escape:
            if self.search.text():
                self.search.clear()
            else:
                self.tree.clearSelection()
        else:
            super().keyPressEvent(event)

    def _on_search_changed(self, text: str) -> None:
        self._silent = True
        self.proxy.setFilterFixedString(with_sizes(text))
        self._silent = False
        if text:
            self.tree.expandAll()
        self.set_layers(self._layers)

    def _on_selection_changed(self) -> None:
        if not self._silent:
            self.layers_requested.emit(self._picked())

    def _on_menu_requested(self, position: QPoint) -> None:
        if not self.source.roots:
            return
        item = self._at(self.tree.indexAt(position))
        menu = QMenu(self) if item is None else self.menu_for(item)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.menu_opening.emit(menu)
        menu.popup(self.tree.viewport().mapToGlobal(position))

    def menu_for(self, item: TreeItem) -> QMenu:
        """The context menu of a row."""
        menu = QMenu(self)
        model, bank = item.model.id, item.model.bank
        if item.refs:
            menu.addAction("Select Its Kernels", lambda: self._ask_to_select(item))
            menu.addSeparator()
        if item.layer is not None and item.layer.kind in ("ambiguous", "fixed"):
            name, included = item.layer.name, item.layer.included
            verb = "Leave Out Again" if included else "Include as Depthwise"
            menu.addAction(
                verb, lambda: self.include_requested.emit(model, name, not included)
            )
            menu.addSeparator()
        if bank.copies:
            copies = menu.addMenu("Copy of the Network")
            for copy in bank.copies:
                action = copies.addAction(
                    copy.replace("&", "&&"),
                    partial(self.copy_requested.emit, model, copy),
                )
                action.setCheckable(True)
                action.setChecked(copy == bank.copy)
        others = [r.model for r in self.source.roots if r.model.id != model]
        beside = menu.addMenu("Compare With")
        beside.setObjectName("compareWith")
        beside.setEnabled(bool(others))
        for other in others:
            name = other.name.replace("&", "&&")
            ask = partial(self.compare_requested.emit, model, other.id)
            beside.addAction(shortened(name, 48), ask)
        menu.addAction("Rename…", lambda: self.start_rename(model))
        menu.addAction("Details…", lambda: self.details_requested.emit(model))
        title = shortened(item.model.name, 48).replace("&", "&&")
        menu.addAction(f"Close “{title}”", lambda: self.close_requested.emit(model))
        return menu

    def _ask_to_select(self, item: TreeItem) -> None:
        self.select_requested.emit(item.refs, QGuiApplication.keyboardModifiers())

    def _picked(self) -> frozenset[LayerRef] | None:
        rows = [self._at(i) for i in self.tree.selectionModel().selectedRows()]
        refs = frozenset(ref for item in rows if item for ref in item.refs)
        return refs or None

    def _at(self, index: QModelIndex) -> TreeItem | None:
        return self.source.item(self.proxy.mapToSource(index))

    def _index(self, item: TreeItem) -> QModelIndex:
        return self.proxy.mapFromSource(self.source.index_of(item))

    def _items(self, items: list[TreeItem]) -> list[TreeItem]:
        return [x for item in items for x in (item, *self._items(item.children))]

    def _folded(self) -> set[tuple[int, str, int]]:
        return {
            _key(item)
            for item in self._items(self.source.roots)
            if item.children and not self.tree.isExpanded(self._index(item))
        }

    def _cover(
        self, items: list[TreeItem], layers: frozenset[LayerRef]
    ) -> list[TreeItem]:
        """The fewest rows that hold exactly these layers."""
        rows: list[TreeItem] = []
        for item in items:
            if item.refs and item.refs <= layers:
                rows.append(item)
            elif item.refs & layers:
                rows += self._cover(item.children, layers)
        return rows


def _key(item: TreeItem) -> tuple[int, str, int]:
    """What a row is known by, whatever its network is called."""
    name = item.node.text if item.node else ""
    return item.model.id, name, len(item.indices)


def _longest(texts: set[str]) -> list[str]:
    """Those that may be the widest ones."""
    most = max(map(len, texts))
    return [text for text in texts if len(text) >= most - 2]
