"""Bars of how many kernels each class has, networks side by side in columns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFont, QFontMetrics, QFontMetricsF, QPainter, QPen
from PySide6.QtWidgets import QScrollBar, QSizePolicy

from kernelviewer.gui import theme
from kernelviewer.gui.accessible import Listed, one_line
from kernelviewer.gui.controls import named
from kernelviewer.gui.painting.classes import elided, fill_class
from kernelviewer.gui.painting.pixels import Ringed, caption_font
from kernelviewer.gui.text import percent, spaced
from kernelviewer.kernels.classes import CLASSES, PAPER, PATTERNS, class_shown

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PySide6.QtCore import QEvent, QPoint
    from PySide6.QtGui import (
        QKeyEvent,
        QMouseEvent,
        QPaintEvent,
        QResizeEvent,
        QWheelEvent,
    )
    from PySide6.QtWidgets import QWidget

    from kernelviewer.kernels.classes import Scheme


NARROWEST = 72
"""A column with bars and numbers is at least this wide, pixels."""
_SPACE = 10
_MARKS_FROM = 230
"""Width of a block that has room for letters beside the names, pixels."""
ROW = 14
CAPTION = 16
MARGIN = 12
GAP = 8
_USUAL = 13.0
"""Size of text, pixels, of which the heights of rows here are; larger text has more."""
_LEAST_ROW = 11.0
"""Rows that would be lower stand in two blocks beside each other, then scroll."""
_SCROLLED_ROW, _MOST_ROW = 14.0, 20.0
_WIDE_FROM = 560
"""A view as wide has two blocks as soon as rows would be lower than `_GOOD_ROW`."""
_GOOD_ROW = 15.0
_SHARES_FROM = 250
"""Narrower views say shares in their tooltips only."""
BLOCKS = 3
"""The most that a wide view has beside each other."""
_BAR = 24
"""Least length of the longest bar where blocks stand beside each other, pixels."""
_SCROLL = 10


@dataclass(frozen=True, slots=True)
class Columns:
    """Equal columns between two edges; those without room are scrolled to."""

    left: float
    right: float
    """Edges of all of them."""
    count: int
    first: int
    """How many there are, and the first one in view."""
    numbers: float
    """What stays free for numbers after the longest bar of each."""
    blocks: int
    """How many parts of the rows stand side by side."""
    top: float
    row: float
    """Where rows begin, and how high each is."""

    def shown(self) -> range:
        """The columns in view."""
        room = max(1, int((self.right - self.left + _SPACE) // NARROWEST))
        many = min(self.count, room)
        first = min(self.first, self.count - many)
        return range(first, first + many)

    def whole(self, column: int) -> tuple[float, float]:
        """Left and right edge of a column; beyond the view for others."""
        shown = self.shown()
        pitch = (self.right - self.left + _SPACE) / len(shown)
        left = self.left + (column - shown.start) * pitch
        return left, left + pitch - _SPACE

    def bar(self, column: int) -> tuple[float, float]:
        """Foot and end of the longest bar of a column."""
        left, right = self.whole(column)
        return left, max(left + 8, right - self.numbers)

    def at(self, x: float) -> int:
        """The column in view at a place, or the nearest one."""
        shown = self.shown()
        pitch = (self.right - self.left + _SPACE) / len(shown)
        number = int((x - self.left) // pitch)
        return shown.start + min(max(number, 0), len(shown) - 1)


@dataclass(frozen=True, slots=True, eq=False)
class ClassCounts:
    """How many kernels each class has; arrays of `CLASSES` length, int64."""

    counts: NDArray[np.int64]
    """Identified kernels per pattern, then unidentified, then flat."""
    below: NDArray[np.int64]
    """Per pattern: unidentified kernels whose best class it is (they are counted under
    unidentified)."""
    selected: NDArray[np.int64] | None = None
    """The selected part of ``counts``; None where nothing is selected."""
    title: str = ""
    """Whose kernels these are; empty: all that is in scope."""
    model: int | None = None
    """Id of the network that they are of; None: of several."""

    @property
    def total(self) -> int:
        """All kernels, flat ones included."""
        return int(self.counts.sum())

    def share(self, index: int) -> float:
        """Of a class among all kernels."""
        return int(self.counts[index]) / max(1, self.total)


class ClassRows(Ringed):
    """One row a class: name, bar, count and share; several networks in columns.

    Attributes
    ----------
    rows, contents
        The classes that have a row, from above, indices into `CLASSES`; what is
        counted, from left to right.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.contents: tuple[ClassCounts, ...] = ()
        self._message = ""
        self._hovered: int | None = None
        self._row, self._column, self._first = 0, 0, 0
        self._painted: Columns | None = None
        self.rows = PAPER.rows
        self._scroll = QScrollBar(Qt.Orientation.Vertical, self)
        named(self._scroll, "classScroll", "Scroll along the classes")
        self._scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._scroll.valueChanged.connect(lambda _: self.update())
        self._scroll.hide()

    def set_counts(
        self,
        content: ClassCounts | tuple[ClassCounts, ...] | None,
        message: str = "",
        scheme: Scheme = PAPER,
    ) -> None:
        """Show counts, of several networks side by side; or say what would fill it.

        There is a row for each class that a list of the scheme has.
        """
        if content is None:
            content = ()
        self.contents = (content,) if isinstance(content, ClassCounts) else content
        there = (item.counts + item.below for item in self.contents)
        kinds = {kind for counts in there for kind in counts.nonzero()[0].tolist()}
        self.rows = scheme.listed(kinds) if self.contents else PAPER.rows
        self._row = min(self._row, len(self.rows) - 1)
        self._message = message
        self._column = min(self._column, max(0, len(self.contents) - 1))
        self._first = min(self._first, max(0, len(self.contents) - 1))
        self._arrange()
        self.update()

    def sizeHint(self) -> QSize:
        """Qt: every class of the paper has a row."""
        return QSize(320, len(PAPER.rows) * ROW + CAPTION + GAP)

    def minimumSizeHint(self) -> QSize:
        """Qt: rows shrink to what can still be read."""
        return QSize(180, -(-len(PAPER.rows) // 2) * 13 + GAP)

    # Places

    def row_at(self, place: QPointF) -> int | None:
        """Class index of the row at a place, or None."""
        if not self._top() <= place.y():
            return None
        line = int(
            (place.y() - self._top() + self._scroll.value()) // self._row_height()
        )
        number = self._block_at(place.x()) * self._lines() + line
        there = 0 <= line < self._lines() and number < len(self.rows)
        return self.rows[number] if there else None

    def column_at(self, place: QPointF) -> int:
        """Number of the column at a place, or of the nearest one."""
        return self._columns().at(place.x() - self._shift(self._block_at(place.x())))

    def row_box(self, index: int) -> QRectF:
        """Where the row of a class lies."""
        block, line = divmod(self.rows.index(index), self._lines())
        top = self._top() + line * self._row_height() - self._scroll.value()
        return QRectF(self._shift(block), top, self._block_width(), self._row_height())

    def bar_box(self, index: int, column: int = 0) -> QRectF:
        """Where the bar of a class lies, from its foot to the longest possible."""
        row = self.row_box(index)
        left, right = self._columns().bar(column)
        thick = max(5.0, min(11.0, row.height() - 6))
        top = row.top() + (row.height() - thick) / 2
        return QRectF(row.left() + left, top, max(0.0, right - left), thick)

    def _unit(self) -> float:
        """How much larger text is than usual; never smaller."""
        return max(1.0, self.fontInfo().pixelSize() / _USUAL)

    def _font(self, height: float) -> QFont:
        """Of names and numbers in rows of a height."""
        font, unit = QFont(self.font()), self._unit()
        size = 12 if height >= 15 * unit else 11 if height >= 12.5 * unit else 10
        font.setPixelSize(round(size * unit))
        return font

    def _blocks(self) -> int:
        """More than one where the view is too low for all rows below each other."""
        if self._painted:
            return self._painted.blocks
        wide = self.width() >= _WIDE_FROM and len(self.contents) < 2
        least, most = (_GOOD_ROW, BLOCKS) if wide else (_LEAST_ROW, 2)
        least *= self._unit()
        narrowest = self._beside_bars(self._font(0)) + _BAR
        most = min(most, max(1, int(self.width() // narrowest)))
        room = self._room()
        high = (n for n in range(1, most) if room / -(-len(self.rows) // n) >= least)
        return next(high, most)

    def _beside_bars(self, font: QFont) -> float:
        """What names and counts of a block take, pixels."""
        metrics = QFontMetricsF(font)
        shorts = (class_shown(index).short for index in self.rows)
        most = max((int(item.counts.max()) for item in self.contents), default=0)
        names = max(map(metrics.horizontalAdvance, shorts))
        return MARGIN + names + 3 * GAP + metrics.horizontalAdvance(spaced(most))

    def _room(self) -> float:
        """Height for rows."""
        return self.height() - self._top() - GAP / 2

    def _arrange(self) -> None:
        """Scroll where not all rows have room."""
        beyond = round(self._lines() * self._row_height() - self._room())
        self._scroll.setRange(0, max(0, beyond))
        self._scroll.setPageStep(max(1, round(self._room())))
        self._scroll.setSingleStep(round(self._row_height()))
        self._scroll.setVisible(beyond > 0 and bool(self.contents))
        top = round(self._top())
        self._scroll.setGeometry(
            self.width() - _SCROLL, top, _SCROLL, self.height() - top - 2
        )

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Qt: fill the new size."""
        self._arrange()

    def _lines(self) -> int:
        return -(-len(self.rows) // self._blocks())

    def _block_width(self) -> float:
        free = 0 if self._scroll.isHidden() else _SCROLL
        return (self.width() - free) / self._blocks()

    def _block_at(self, x: float) -> int:
        return min(max(int(x // self._block_width()), 0), self._blocks() - 1)

    def _shift(self, block: int) -> float:
        return block * self._block_width()

    def _columns(self) -> Columns:
        """The columns of the first block; while it is painted they stay."""
        return self._painted or self._lay_out()

    def _lay_out(self) -> Columns:
        metrics = QFontMetrics(self._font(self._row_height()))
        shorts = (class_shown(index).short for index in self.rows)
        names = max(map(metrics.horizontalAdvance, shorts))
        several = self._blocks() > 1
        left = MARGIN + names + 2 + self._mark_width() + GAP
        count = max(1, len(self.contents))
        most = max((int(item.counts.max()) for item in self.contents), default=0)
        widest = "00 %" if count > 1 else "00 000  00 %"
        if not self._shares():
            widest = spaced(most) if several else "00 000"
        numbers = metrics.horizontalAdvance(widest)
        end = self._block_width() - (GAP / 2 if several else MARGIN)
        return Columns(
            *(left, end, count, self._first, numbers + GAP, self._blocks()),
            *(self._top(), self._row_height()),
        )

    def _mark_width(self) -> float:
        """Room for the letters that stand for a class in charts."""
        if self._block_width() < _MARKS_FROM:
            return 0.0
        metrics = QFontMetricsF(self._font(self._row_height()))
        return metrics.horizontalAdvance("X−") + 2

    def _shares(self) -> bool:
        """True if there is room for shares beside the counts."""
        return len(self.contents) > 1 or self._block_width() >= _SHARES_FROM

    def _row_height(self) -> float:
        if self._painted:
            return self._painted.row
        unit, even = self._unit(), self._room() / self._lines()
        if even < _LEAST_ROW * unit:
            return _SCROLLED_ROW * unit
        return min(_MOST_ROW * unit, even)

    def _top(self) -> float:
        """Where the rows begin; a low view has no line above them."""
        if self._painted:
            return self._painted.top
        unit, caption = self._unit(), CAPTION * self._unit()
        low = self.height() < len(PAPER.rows) * 12 * unit + caption
        return GAP / 2 if low and len(self.contents) < 2 else caption

    # Painting

    def paintEvent(self, event: QPaintEvent) -> None:
        """Qt: paint the rows."""
        painter = QPainter(self)
        if not self.contents:
            self.paint_message(painter, self._message)
            return
        columns = self._painted = self._lay_out()
        self._paint_captions(painter, columns)
        painter.setFont(self._font(self._row_height()))
        painter.setClipRect(QRectF(0, self._top(), self.width(), self._room() + 2))
        self._paint_names(painter, columns)
        top = max(self._longest(content) for content in self.contents)
        for column in columns.shown():
            content = self.contents[column]
            unit = top if len(self.contents) == 1 else top * max(1, content.total)
            for index in self.rows:
                self._paint_bar(painter, content, column, index, unit)
        self._painted = None

    def _longest(self, content: ClassCounts) -> float:
        """The longest bar: kernels, or with several columns their share."""
        most = max(1, int((content.counts + content.below).max()))
        return most if len(self.contents) == 1 else most / max(1, content.total)

    def _paint_captions(self, painter: QPainter, columns: Columns) -> None:
        """Above the bars: how many kernels there are in all, and whose."""
        high = self._top()
        if high < CAPTION:
            return
        painter.setFont(caption_font(self.font()))
        painter.setPen(QColor(theme.tokens().secondary))
        flags = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        for column in columns.shown():
            content = self.contents[column]
            left, right = columns.whole(column)
            total = f"{spaced(content.total)} kernels"
            if len(self.contents) > 1:
                total = content.title
            elif content.title:
                total = f"{content.title}: {total}"
            if self._blocks() > 1 and len(self.contents) == 1:
                left, right = MARGIN, self.width() - MARGIN
            box = QRectF(left, 0, right - left, high)
            painter.drawText(box, flags, elided(painter, total, box.width()))
        if hidden := len(self.contents) - len(columns.shown()):
            box = QRectF(MARGIN, 0, columns.left - MARGIN - GAP, high)
            text = elided(painter, f"+{hidden} (wheel)", box.width())
            painter.drawText(box, Qt.AlignmentFlag.AlignVCenter, text)

    def _paint_names(self, painter: QPainter, columns: Columns) -> None:
        right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        for index in self.rows:
            line = self.row_box(index)
            if index == self._hovered:
                painter.fillRect(line, QColor(theme.tokens().hover))
            there = any(content.counts[index] for content in self.contents)
            ink = theme.tokens().text if there else theme.tokens().secondary
            painter.setPen(QColor(ink))
            name = line.adjusted(MARGIN, 0, 0, 0)
            marks = self._mark_width()
            name.setWidth(columns.left - MARGIN - GAP - marks)
            text = elided(painter, class_shown(index).short, name.width())
            painter.drawText(name, right, text)
            if marks:
                painter.setPen(QColor(theme.tokens().secondary))
                mark = QRectF(name.right() + GAP / 2, line.top(), marks, line.height())
                painter.drawText(mark, right, CLASSES[index].mark)
        if self._ringed:
            left, end = columns.whole(self._column)
            start = 2 if len(self.contents) == 1 else left - 4
            ring = self.row_box(self.rows[self._row])
            ring = QRectF(
                ring.left() + start, ring.top(), end + GAP - 2 - start, ring.height()
            )
            painter.setPen(QPen(QColor(theme.tokens().accent), 1))
            painter.drawRect(ring.adjusted(0.5, 0.5, -0.5, -0.5))

    def _paint_bar(
        self,
        painter: QPainter,
        content: ClassCounts,
        column: int,
        index: int,
        unit: float,
    ) -> None:
        bar, dark = self.bar_box(index, column), theme.tokens().dark
        count, below = int(content.counts[index]), int(content.below[index])
        width = bar.width() * count / unit
        solid = QRectF(bar.left(), bar.top(), width, bar.height())
        fill_class(painter, solid, index, dark=dark)
        rest = bar.width() * below / unit
        pale = QRectF(solid.right(), bar.top(), rest, bar.height())
        fill_class(painter, pale, index, dark=dark, pale=True)
        if content.selected is not None:
            chosen = bar.width() * int(content.selected[index]) / unit
            mark = QRectF(bar.left(), bar.bottom() + 1, chosen, 2)
            painter.fillRect(mark, QColor(theme.tokens().accent))
        painter.setPen(QColor(theme.tokens().secondary))
        share = percent(content.share(index), 0)
        text = share if len(self.contents) > 1 else spaced(count)
        if len(self.contents) == 1 and count and self._shares():
            text += f"  {share}"
        row, end = self.row_box(index), self._columns().whole(column)[1] + GAP
        number = QRectF(row)
        number.setLeft(pale.right() + 6)
        number.setRight(row.left() + end)
        left = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        if count or len(self.contents) == 1:
            painter.drawText(number, left, text)


class ClassHistogram(Listed, ClassRows):
    """One row a class: name, bar, count and share; several networks in columns.

    A click, or Space on the row that the arrow keys lead to, asks for the class.
    """

    classes_requested = Signal(object, object)
    """frozenset of class ids, and the keyboard modifiers held."""
    model_class_requested = Signal(int, str, object)
    """Model id, class id, and the keyboard modifiers held."""
    name_requested = Signal(str)
    """Id of a class that is to be called otherwise."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        named(self, "classHistogram", "Kernels per class")
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    def set_counts(
        self,
        content: ClassCounts | tuple[ClassCounts, ...] | None,
        message: str = "",
        scheme: Scheme = PAPER,
    ) -> None:
        """Show counts, of several networks side by side; or say what would fill it."""
        super().set_counts(content, message, scheme)
        self._describe()

    # Mouse and keys

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Qt: mark the row under the cursor."""
        hovered = self.row_at(event.position())
        if hovered != self._hovered:
            self._hovered = hovered
            self.update()

    def leaveEvent(self, event: QEvent) -> None:
        """Qt: no row is under the cursor."""
        self._hovered = None
        self.update()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Qt: ask to select the class."""
        index = self.row_at(event.position())
        if event.button() != Qt.MouseButton.LeftButton or index is None:
            return
        if self.contents:
            self._row = self.rows.index(index)
            self._column = self.column_at(event.position())
            self._ask(event.modifiers())

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Qt: ask what the class is to be called."""
        index = self.row_at(event.position())
        if event.button() == Qt.MouseButton.LeftButton and index is not None:
            self.name_requested.emit(CLASSES[index].id)

    def class_at(self, place: QPoint | None) -> int | None:
        """Class index of the row at a place, or (None) that the keys are at."""
        if place is None:
            return self.rows[self._row]
        return self.row_at(QPointF(place))

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Qt: show other networks where not all have room."""
        if len(self._columns().shown()) < len(self.contents):
            step = -1 if event.angleDelta().y() + event.angleDelta().x() > 0 else 1
            last = len(self.contents) - len(self._columns().shown())
            self._first = min(max(0, self._first + step), last)
            self.update()
            event.accept()
        elif self._scroll.maximum():
            turned = event.angleDelta().y()
            self._scroll.setValue(self._scroll.value() - round(turned / 4))
            event.accept()
        else:
            super().wheelEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Qt: move from row to row; ask for the class of one."""
        keys, key = Qt.Key, event.key()
        down = {keys.Key_Down: 1, keys.Key_Up: -1}
        across = {keys.Key_Right: 1, keys.Key_Left: -1}
        ends = {keys.Key_Home: 0, keys.Key_End: len(self.rows) - 1}
        if key in down:
            self._go_to(self._row + down[Qt.Key(key)], self._column)
        elif key in ends:
            self._go_to(ends[Qt.Key(key)], self._column)
        elif key in across and len(self.contents) > 1:
            self._go_to(self._row, self._column + across[Qt.Key(key)])
        elif key == keys.Key_F2:
            self.name_requested.emit(CLASSES[self.rows[self._row]].id)
        elif key in (keys.Key_Space, keys.Key_Return, keys.Key_Enter):
            if self.contents:
                self._ask(event.modifiers())
        else:
            super().keyPressEvent(event)

    def _go_to(self, row: int, column: int) -> None:
        self._row = min(max(row, 0), len(self.rows) - 1)
        self._column = min(max(column, 0), max(0, len(self.contents) - 1))
        shown = self._columns().shown()
        if self._column < shown.start:
            self._first = self._column
        elif self._column >= shown.stop:
            self._first = self._column - len(shown) + 1
        self._ringed = True
        box = self.row_box(self.rows[self._row])
        above, below = box.top() - self._top(), box.bottom() - self.height() + GAP / 2
        self._scroll.setValue(self._scroll.value() + round(min(above, max(0, below))))
        self._describe()
        self.update()

    def _ask(self, held: Qt.KeyboardModifier) -> None:
        index = self.rows[self._row]
        class_id, model = CLASSES[index].id, self.contents[self._column].model
        if model is None:
            self.classes_requested.emit(frozenset({class_id}), held)
        else:
            self.model_class_requested.emit(model, class_id, held)

    # Words

    def words_at(self, place: QPointF) -> str:
        """The row there, in words."""
        index, column = self.row_at(place), self.column_at(place)
        return "" if index is None else self.tip(index, column)

    def tip(self, index: int, column: int = 0) -> str:
        """Counts and shares of a class in words."""
        if not self.contents:
            return ""
        content = self.contents[column]
        count, total = spaced(int(content.counts[index])), spaced(content.total)
        lines = [
            class_shown(index).name,
            f"{count} kernels of {total}, {percent(content.share(index))}",
        ]
        if content.title:
            lines.insert(0, content.title)
        if content.selected is not None:
            lines.append(f"{spaced(int(content.selected[index]))} of them selected")
        if index < len(PATTERNS):
            below = spaced(int(content.below[index]))
            lines.append(f"{below} more below the threshold have it as best class")
        return "\n".join(lines)

    def _describe(self) -> None:
        """What a screen reader says: the row that keys are at, then all of them."""
        if not self.contents:
            self.setAccessibleDescription(self._message)
            return
        content = self.contents[self._column]
        shares = [
            f"{class_shown(i).name} {content.counts[i]}"
            for i in self.rows
            if content.counts[i]
        ]
        index = self.rows[self._row]
        here = f"{class_shown(index).name}: {int(content.counts[index])} kernels"
        self.setAccessibleDescription(". ".join([here, ", ".join(shares)]))
        self.tell_item()

    # Items, as a screen reader has them: each class of each network

    def item_count(self) -> int:
        """Rows and columns."""
        return len(self.rows) * len(self.contents)

    def item_name(self, item: int) -> str:
        """Counts and share of a class."""
        column, row = divmod(item, len(self.rows))
        return one_line(self.tip(self.rows[row], column))

    def item_box(self, item: int) -> QRectF | None:
        """Its row within the column; None for a column that has no room."""
        column, row = divmod(item, len(self.rows))
        columns, box = self._columns(), self.row_box(self.rows[row])
        if column not in columns.shown():
            return None
        left, right = columns.whole(column)
        if len(self.contents) > 1:
            box.setRight(box.left() + right)
            box.setLeft(box.left() + left)
        return box

    def item_at(self, place: QPointF) -> int | None:
        """The row and column at a place."""
        index = self.row_at(place)
        if index is None or not self.contents:
            return None
        return self.column_at(place) * len(self.rows) + self.rows.index(index)

    def item_now(self) -> int | None:
        """What the keys are at."""
        there = bool(self.contents)
        return self._column * len(self.rows) + self._row if there else None

    def item_selected(self, item: int) -> bool:
        """True if a kernel of it is selected."""
        column, row = divmod(item, len(self.rows))
        chosen = self.contents[column].selected
        return chosen is not None and bool(chosen[self.rows[row]])
