"""Draws the rows of the model tree."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QModelIndex, QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QCursor, QPainter, QPalette, QPen, QPolygonF
from PySide6.QtWidgets import QStyledItemDelegate, QTreeView

from kernelviewer.gui.painting.class_boxes import fill_stack
from kernelviewer.gui.theme import LIGHT
from kernelviewer.gui.views.models.tree_model import (
    CLASSES_COLUMN,
    COUNTS_ROLE,
    ELIDE_ROLE,
    EXCLUDED_ROLE,
    MARKED_ROLE,
    SELECTED_ROLE,
)

if TYPE_CHECKING:
    from PySide6.QtCore import QPersistentModelIndex
    from PySide6.QtGui import QPaintEvent
    from PySide6.QtWidgets import QStyleOptionViewItem

STEP = 10
"""Indentation from one level to the next, pixels."""
MARK = 6
"""Ring that marks layers with kernels near to the slider, pixels."""


class LayerRows(QTreeView):
    """A tree whose indentation tells of kernels near to the slider.

    A ring stands before a layer that holds some, as around their points in the scatter
    plot; the arrow of a module or network above it takes the same colour.
    """

    accent = LIGHT.accent
    _painted_to = 0
    _hovered = QModelIndex()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Qt: remember how far to the right it is painted, and what is hovered."""
        self._painted_to = event.region().boundingRect().right()
        port = self.viewport()
        self._hovered = QModelIndex()
        if port.underMouse():
            at = self.indexAt(port.mapFromGlobal(QCursor.pos()))
            self._hovered = at.siblingAtColumn(0)
        super().paintEvent(event)

    def drawRow(
        self,
        painter: QPainter,
        options: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> None:
        """Qt: where just rings changed, as while the slider moves, no cell is drawn."""
        name = self.visualRect(index)
        if index == self._hovered:
            painter.fillRect(options.rect, self.palette().alternateBase())
        if self._painted_to < name.left():
            left = QRect(0, name.top(), name.left(), name.height())
            self.drawBranches(painter, left, index)
        else:
            super().drawRow(painter, options, index)

    def drawBranches(
        self,
        painter: QPainter,
        rect: QRect,
        index: QModelIndex | QPersistentModelIndex,
    ) -> None:
        """Qt: paint what is left of a name."""
        if (rows := self.selectionModel()) and rows.isSelected(index):
            painter.fillRect(rect, self.palette().color(QPalette.ColorRole.Highlight))
        parent, marked = bool(self.model().rowCount(index)), index.data(MARKED_ROLE)
        if not (parent or marked):
            return
        quiet = self.palette().color(QPalette.ColorRole.PlaceholderText)
        colour = QColor(self.accent) if marked else quiet
        centre = QPointF(rect.right() + 1 - STEP / 2, rect.center().y() + 0.5)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if parent:
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


class TreeDelegate(QStyledItemDelegate):
    """Left-out layers and the count columns recede.

    Long names are cut where they say least. Networks and modules have no size, so
    their names run through that column.
    """

    def __init__(self, tree: QTreeView) -> None:
        super().__init__(tree)
        self._tree = tree
        self.dark = False
        self.accent = LIGHT.accent

    def paint(
        self,
        painter: QPainter,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> None:
        """Qt: paint a cell."""
        column = index.column()
        if column < 2 and not index.sibling(index.row(), 1).data():  # has no size
            if column:
                return
            option.rect.setWidth(option.rect.width() + self._tree.columnWidth(1))
        super().paint(painter, option, index)
        if column == CLASSES_COLUMN:
            self._paint_bar(painter, QRectF(option.rect), index)

    def _paint_bar(
        self,
        painter: QPainter,
        cell: QRectF,
        index: QModelIndex | QPersistentModelIndex,
    ) -> None:
        """A stacked bar of the row's classes."""
        counts = index.data(COUNTS_ROLE)
        if not counts:
            return
        bar = cell.adjusted(4, cell.height() / 2 - 4, -4, 4 - cell.height() / 2)
        total, x = max(1, sum(counts)), bar.left()
        parts = []
        for number, count in enumerate(counts):
            if count:
                width = bar.width() * count / total
                parts.append((number, QRectF(x, bar.top(), width, bar.height()), False))
                x += width
        fill_stack(painter, parts, dark=self.dark, upright=False)
        if chosen := index.data(SELECTED_ROLE):
            wide = max(1.0, bar.width() * chosen)
            line = QRectF(bar.left(), bar.bottom() + 2, wide, 2)
            painter.fillRect(line, QColor(self.accent))

    def initStyleOption(
        self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        """Qt: how a cell looks."""
        super().initStyleOption(option, index)
        if index.column() == 0:
            option.textElideMode = index.data(ELIDE_ROLE)
        if index.column() or index.data(EXCLUDED_ROLE):
            quiet = option.palette.color(QPalette.ColorRole.PlaceholderText)
            option.palette.setColor(QPalette.ColorRole.Text, quiet)
            option.palette.setColor(QPalette.ColorRole.HighlightedText, quiet)
