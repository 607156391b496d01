"""Draws the rows of the model tree."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPalette, QPen
from PySide6.QtWidgets import QStyledItemDelegate

from kernelviewer.gui.painting.class_boxes import fill_stack
from kernelviewer.gui.theme import LIGHT
from kernelviewer.gui.views.tree_model import (
    CLASSES_COLUMN,
    COUNTS_ROLE,
    EXCLUDED_ROLE,
    MARKED_ROLE,
    SELECTED_ROLE,
)

if TYPE_CHECKING:
    from PySide6.QtCore import QModelIndex, QPersistentModelIndex
    from PySide6.QtWidgets import QStyleOptionViewItem, QTreeView

MARK = 6
"""Ring that marks layers with kernels near to the slider, pixels."""


class TreeDelegate(QStyledItemDelegate):
    """Left-out layers and the count columns recede.

    Long names lose their middle, those of networks their end. Networks and modules
    have no size, so their names run through that column.
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
        if index.column() == CLASSES_COLUMN:
            super().paint(painter, option, index)
            self._paint_bar(painter, QRectF(option.rect), index)
            return
        wide = not index.sibling(index.row(), 1).data()
        if wide and index.column() == 1:
            return
        if wide and index.column() == 0:
            option.rect.setWidth(option.rect.width() + self._tree.columnWidth(1))
        marked = index.column() == 0 and index.data(MARKED_ROLE)
        if marked:
            option.rect.setWidth(option.rect.width() - MARK - 6)
        super().paint(painter, option, index)
        if marked:
            self._paint_mark(painter, QRectF(option.rect))

    def _paint_mark(self, painter: QPainter, cell: QRectF) -> None:
        """A ring, as around the points of such kernels in the scatter plot."""
        ring = QRectF(cell.right() + 2, cell.center().y() - MARK / 2, MARK, MARK)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(QColor(self.accent), 1.5))
        painter.drawEllipse(ring)
        painter.restore()

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
        network = not index.parent().isValid()
        modes = Qt.TextElideMode
        option.textElideMode = modes.ElideRight if network else modes.ElideMiddle
        if index.column() or index.data(EXCLUDED_ROLE):
            quiet = option.palette.color(QPalette.ColorRole.PlaceholderText)
            option.palette.setColor(QPalette.ColorRole.Text, quiet)
            option.palette.setColor(QPalette.ColorRole.HighlightedText, quiet)
