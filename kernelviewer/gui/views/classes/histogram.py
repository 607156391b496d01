"""Bars of how many kernels each class has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QHelpEvent, QPainter
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from kernelviewer.gui.painting.class_boxes import elided, fill_class
from kernelviewer.gui.text import percent, spaced
from kernelviewer.gui.theme import LIGHT
from kernelviewer.kernels.classes import CLASSES, PATTERNS

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PySide6.QtGui import QMouseEvent, QPaintEvent

    from kernelviewer.gui.theme import Tokens

ROW = 14
MARGIN = 12
GAP = 8


@dataclass(frozen=True, slots=True, eq=False)
class ClassCounts:
    """How many kernels each class has; arrays of `CLASSES` length, int64.

    Attributes
    ----------
    counts
        Identified kernels per pattern, then unidentified, then flat.
    below
        Per pattern: unidentified kernels whose best class it is (they are counted
        under unidentified).
    selected
        The selected part of ``counts``; None where nothing is selected.
    """

    counts: NDArray[np.int64]
    below: NDArray[np.int64]
    selected: NDArray[np.int64] | None = None


class ClassHistogram(QWidget):
    """One row a class: name, bar, count. A click asks to select the class."""

    classes_requested = Signal(object, object)
    """frozenset of class ids, and the keyboard modifiers held."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("classHistogram")
        self.setAccessibleName("Kernels per class")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._tokens = LIGHT
        self._content: ClassCounts | None = None
        self._message = ""
        self._hovered: int | None = None

    def set_theme(self, tokens: Tokens) -> None:
        """Use these colours."""
        self._tokens = tokens
        self.update()

    def set_counts(self, content: ClassCounts | None, message: str = "") -> None:
        """Show counts, or say what would fill the view."""
        self._content, self._message = content, message
        if content is not None:
            shares = [
                f"{CLASSES[i].name} {content.counts[i]}"
                for i in self._rows()
                if content.counts[i]
            ]
            self.setAccessibleDescription(", ".join(shares))
        self.update()

    def sizeHint(self) -> QSize:
        """Qt: every class has a row."""
        return QSize(320, len(CLASSES) * ROW + 2 * GAP)

    def minimumSizeHint(self) -> QSize:
        """Qt: rows shrink to what can still be read."""
        return QSize(180, len(CLASSES) * 13)

    def row_at(self, y: float) -> int | None:
        """Class index of the row at a height, or None."""
        rows = self._rows()
        number = int((y - GAP / 2) // self._row_height())
        return rows[number] if 0 <= number < len(rows) else None

    def bar_box(self, index: int) -> QRectF:
        """Where the bar of a class lies."""
        height = self._row_height()
        number = self._rows().index(index)
        left, right = self._bar_edges()
        thick = max(5.0, min(11.0, height - 6))
        top = GAP / 2 + number * height + (height - thick) / 2
        return QRectF(left, top, max(0.0, right - left), thick)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Qt: paint the rows."""
        painter = QPainter(self)
        font = painter.font()
        font.setPixelSize(12 if self._row_height() >= 15 else 11)
        painter.setFont(font)
        if self._content is None:
            painter.setPen(QColor(self._tokens.secondary))
            box = self.rect().adjusted(MARGIN, 0, -MARGIN, 0)
            flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            painter.drawText(box, flags, self._message)
            return
        top = max(1, int((self._content.counts + self._content.below).max()))
        for index in self._rows():
            self._paint_row(painter, self._content, index, top)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Qt: mark the row under the cursor."""
        hovered = self.row_at(event.position().y())
        if hovered != self._hovered:
            self._hovered = hovered
            self.update()

    def leaveEvent(self, event: QEvent) -> None:
        """Qt: no row is under the cursor."""
        self._hovered = None
        self.update()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Qt: ask to select the class."""
        index = self.row_at(event.position().y())
        if event.button() != Qt.MouseButton.LeftButton or index is None:
            return
        if self._content is not None:
            chosen = frozenset({CLASSES[index].id})
            self.classes_requested.emit(chosen, event.modifiers())

    def event(self, event: QEvent) -> bool:
        """Qt: say more about the row under the cursor."""
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            index = self.row_at(event.pos().y())
            text = "" if index is None else self.tip(index)
            QToolTip.showText(event.globalPos(), text, self)
            return True
        return super().event(event)

    def tip(self, index: int) -> str:
        """Counts and shares of a class in words."""
        if self._content is None:
            return ""
        counts, below = self._content.counts, self._content.below
        share = counts[index] / max(1, int(counts.sum()))
        lines = [
            CLASSES[index].name,
            f"{spaced(int(counts[index]))} kernels, {percent(float(share))}",
        ]
        if index < len(PATTERNS):
            lines.append(f"{spaced(int(below[index]))} more below the threshold")
        return "\n".join(lines)

    def _rows(self) -> list[int]:
        return list(range(len(CLASSES)))

    def _row_height(self) -> float:
        return min(20.0, (self.height() - GAP) / len(CLASSES))

    def _bar_edges(self) -> tuple[float, float]:
        metrics = self.fontMetrics()
        names = max(metrics.horizontalAdvance(item.short) for item in CLASSES)
        numbers = metrics.horizontalAdvance("000 000")
        return MARGIN + names + GAP, self.width() - MARGIN - numbers - GAP

    def _paint_row(
        self, painter: QPainter, content: ClassCounts, index: int, top: int
    ) -> None:
        bar = self.bar_box(index)
        height = self._row_height()
        line = QRectF(0, bar.center().y() - height / 2, self.width(), height)
        if index == self._hovered:
            painter.fillRect(line, QColor(self._tokens.hover))
        count, below = int(content.counts[index]), int(content.below[index])
        painter.setPen(QColor(self._tokens.text if count else self._tokens.secondary))
        name = QRectF(MARGIN, line.top(), bar.left() - MARGIN - GAP, height)
        right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        painter.drawText(
            name, right, elided(painter, CLASSES[index].short, name.width())
        )
        width = bar.width() * count / top
        solid = QRectF(bar.left(), bar.top(), width, bar.height())
        fill_class(painter, solid, index, dark=self._tokens.dark)
        pale = QRectF(solid.right(), bar.top(), bar.width() * below / top, bar.height())
        fill_class(painter, pale, index, dark=self._tokens.dark, pale=True)
        if content.selected is not None:
            chosen = bar.width() * int(content.selected[index]) / top
            mark = QRectF(bar.left(), bar.bottom() + 1, chosen, 2)
            painter.fillRect(mark, QColor(self._tokens.accent))
        painter.setPen(QColor(self._tokens.secondary))
        number = QRectF(pale.right() + 6, line.top(), self.width(), height)
        left = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        painter.drawText(number, left, spaced(count))
