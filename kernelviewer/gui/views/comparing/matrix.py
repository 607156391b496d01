"""Classes before (rows) and after (columns), and how many pairs went which way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFont,
    QFontInfo,
    QFontMetricsF,
    QPainter,
    QPen,
    QPixmap,
)

from kernelviewer.gui import theme
from kernelviewer.gui.accessible import Listed, one_line
from kernelviewer.gui.controls import named
from kernelviewer.gui.painting.classes import paint_swatch
from kernelviewer.gui.painting.pixels import Ringed, caption_font
from kernelviewer.gui.text import percent, spaced
from kernelviewer.kernels.classes import class_shown

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray
    from PySide6.QtCore import QEvent
    from PySide6.QtGui import QKeyEvent, QMouseEvent, QPaintEvent, QResizeEvent
    from PySide6.QtWidgets import QWidget

    from kernelviewer.state.arrangement import Matrix

_MARGIN, _GAP = 10, 5
_SWATCH = 9
_TIGHT = 0.8
"""Height of a row that can be read, in lines of text."""
_SMALLEST = 7
"""Height of the smallest numbers, pixels."""
_UPRIGHT = 17
"""Width of a column that has room for an upright name."""


@dataclass(frozen=True, slots=True, eq=False)
class Transitions:
    """Pairs by class before and after; C classes."""

    counts: NDArray[np.int64]
    selected: NDArray[np.int64]
    """int64 [C, C], pairs in scope, and how many of them are selected."""
    null: NDArray[np.float64]
    """float64 [C, C], the same with channels shuffled, a mean over the shuffles."""

    def same_pairs(self, other: Transitions) -> bool:
        """True if only what is selected differs."""
        return self.counts is other.counts and self.null is other.null

    @property
    def kinds(self) -> list[int]:
        """Classes that occur, before or after."""
        return np.flatnonzero(self.counts.sum(0) + self.counts.sum(1)).tolist()

    @property
    def changed(self) -> float:
        """Share of the pairs whose class changed; NaN without pairs."""
        return _changed(self.counts)

    @property
    def null_changed(self) -> float:
        """The same with channels shuffled."""
        return _changed(self.null)


def _changed(matrix: NDArray[np.int64] | NDArray[np.float64]) -> float:
    total = float(matrix.sum())
    return 1 - float(np.trace(matrix)) / total if total else float("nan")


class TransitionMatrix(Listed, Ringed):
    """A click asks for the kernels of a cell, of a row or of a column.

    Arrow keys go from cell to cell, Space or Enter asks. Setters never emit.
    """

    cells_requested = Signal(object, object, object)
    """Class before and class after, either None for any, and the keys held."""
    wished = (340, 300)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        named(self, "transitionMatrix", "Classes before and after")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.content: Transitions | None = None
        self._message = ""
        self._shows: Matrix = "numbers"
        self._current = (0, 0)
        self._picture: QPixmap | None = None

    def set_content(self, content: Transitions | None, message: str = "") -> None:
        """Show other pairs, or say what would fill the view."""
        old = self.content
        if old is None or content is None or not content.same_pairs(old):
            self._picture = None
        self.content, self._message = content, message
        last = max(0, len(content.kinds) - 1) if content else 0
        self._current = min(self._current[0], last), min(self._current[1], last)
        self._describe()
        self.update()

    def set_shows(self, shows: Matrix) -> None:
        """Show numbers, shares of the rows, or numbers with channels shuffled."""
        if shows != self._shows:
            self._shows, self._picture = shows, None
            self.update()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Qt: draw anew."""
        self._picture = None
        super().resizeEvent(event)

    def changeEvent(self, event: QEvent) -> None:
        """Qt: other colours or letters."""
        self._picture = None
        super().changeEvent(event)

    # Places

    def boxes(self) -> dict[tuple[int, int], QRectF]:
        """Where the cell of each two classes that occur lies."""
        if self.content is None or not self.content.kinds:
            return {}
        kinds, field = self.content.kinds, self._field()
        wide, high = field.width() / len(kinds), field.height() / len(kinds)
        return {
            (before, after): QRectF(
                field.left() + column * wide, field.top() + row * high, wide, high
            )
            for row, before in enumerate(kinds)
            for column, after in enumerate(kinds)
        }

    def _field(self) -> QRectF:
        """The cells, without names and shares."""
        assert self.content is not None
        kinds = self.content.kinds
        metrics = QFontMetricsF(caption_font(self.font()))
        names = max(
            metrics.horizontalAdvance(class_shown(kind).short) for kind in kinds
        )
        names = min(names, self.width() * 0.3)
        right = metrics.horizontalAdvance("100 %") + _GAP + _MARGIN
        line = metrics.height()
        above = 2 * line + _SWATCH + 2 * _GAP
        if self.height() - above - _GAP < _TIGHT * line * len(kinds):  # swatches alone
            names, right = 0.0, _MARGIN
        left = _MARGIN + names + 2 * _GAP + _SWATCH
        wide = max(40.0, self.width() - left - right)
        spare = self.height() - above - names - line * len(kinds)
        if wide / max(1, len(kinds)) >= _UPRIGHT and spare > 0:
            above += names
        high = max(20.0, self.height() - above - _GAP)
        return QRectF(left, above, wide, min(high, 30.0 * len(kinds)))

    def found_at(self, place: QPointF) -> tuple[int | None, int | None] | None:
        """Classes before and after at a place; None for one on the names."""
        if self.content is None or not self.content.kinds:
            return None
        kinds, field = self.content.kinds, self._field()
        row = int((place.y() - field.top()) // (field.height() / len(kinds)))
        column = int((place.x() - field.left()) // (field.width() / len(kinds)))
        before = kinds[row] if 0 <= row < len(kinds) else None
        after = kinds[column] if 0 <= column < len(kinds) else None
        if place.x() >= field.left() and place.y() >= field.top():
            return None if before is None or after is None else (before, after)
        if before is not None and place.x() < field.left():
            return before, None
        if after is not None and place.y() < field.top():
            return None, after
        return None

    # Painting

    def paintEvent(self, event: QPaintEvent) -> None:
        """Qt: paint cells and names."""
        painter, tokens = QPainter(self), theme.tokens()
        if self.content is None or not self.content.kinds:
            self.paint_message(painter, self._message)
            return
        ratio = self.devicePixelRatioF()
        if self._picture is None or self._picture.devicePixelRatioF() != ratio:
            self._picture = self._drawn(ratio)
        painter.drawPixmap(0, 0, self._picture)
        self._paint_selected(painter)
        if self._ringed:
            kinds = self.content.kinds
            row, column = self._current
            box = self.boxes()[kinds[row], kinds[column]]
            painter.setPen(QPen(QColor(tokens.accent), 2))
            painter.drawRect(box.adjusted(1, 1, -2, -2))

    def _drawn(self, ratio: float) -> QPixmap:
        """All but what is selected, which changes most often."""
        picture = QPixmap(self.size() * ratio)
        picture.setDevicePixelRatio(ratio)
        picture.fill(QColor(0, 0, 0, 0))
        painter = QPainter(picture)
        painter.setFont(caption_font(self.font()))
        self._paint_names(painter)
        self._paint_cells(painter)
        painter.end()
        return picture

    def _paint_selected(self, painter: QPainter) -> None:
        """Frames around cells with selected pairs; a line as long as their share."""
        assert self.content is not None
        if not self.content.selected.any():
            return
        accent = QColor(theme.tokens().accent)
        for cell, box in self.boxes().items():
            if chosen := int(self.content.selected[cell]):
                inner = box.adjusted(0.5, 0.5, -0.5, -0.5)
                part = chosen / max(1, int(self.content.counts[cell]))
                painter.setPen(QPen(accent, 1.5))
                painter.drawRect(inner.adjusted(0.5, 0.5, -0.5, -0.5))
                line = QRectF(inner.left(), inner.bottom() - 2, inner.width() * part, 2)
                painter.fillRect(line, accent)

    def _matrix(self) -> NDArray[np.int64] | NDArray[np.float64]:
        assert self.content is not None
        return self.content.null if self._shows == "shuffled" else self.content.counts

    def _paint_names(self, painter: QPainter) -> None:
        assert self.content is not None
        tokens, field = theme.tokens(), self._field()
        kinds, metrics = self.content.kinds, QFontMetricsF(painter.font())
        line, flags = metrics.height(), Qt.AlignmentFlag
        wide, high = field.width() / len(kinds), field.height() / len(kinds)
        painter.setPen(QColor(tokens.secondary))
        head = QRectF(_MARGIN, 2, self.width() - 2 * _MARGIN, line)
        text = metrics.elidedText(
            self._headline(), Qt.TextElideMode.ElideRight, head.width()
        )
        painter.drawText(head, flags.AlignVCenter, text)
        if high >= _TIGHT * line:
            kept = QRectF(field.right() + _GAP, field.top() - line - 2, 60, line)
            painter.drawText(kept, flags.AlignVCenter, "kept")
        upright = field.top() > 2 * line + _SWATCH + 3 * _GAP
        for number, kind in enumerate(kinds):
            name = class_shown(kind).short
            y = field.top() + (number + 0.5) * high
            x = field.left() + (number + 0.5) * wide
            room = field.left() - _MARGIN - 2 * _GAP - _SWATCH
            cut = metrics.elidedText(name, Qt.TextElideMode.ElideRight, room)
            painter.setPen(QColor(tokens.text))
            if high >= _TIGHT * line:
                place = QRectF(_MARGIN, y - line / 2, room, line)
                painter.drawText(place, flags.AlignRight | flags.AlignVCenter, cut)
            square = QRectF(0, 0, _SWATCH, min(_SWATCH, high - 1))
            square.moveCenter(QPointF(field.left() - _GAP - _SWATCH / 2, y))
            paint_swatch(painter, square, kind, tokens)
            square.setHeight(_SWATCH)
            square.moveCenter(QPointF(x, field.top() - _GAP - _SWATCH / 2))
            paint_swatch(painter, square, kind, tokens)
            if upright:
                painter.save()
                painter.translate(x, field.top() - 2 * _GAP - _SWATCH)
                painter.rotate(-90)
                painter.drawText(
                    QRectF(0, -line / 2, 400, line), flags.AlignVCenter, name
                )
                painter.restore()

    def _paint_cells(self, painter: QPainter) -> None:
        """Every cell: its share of the row as a colour, its number where there is room.

        All numbers have one size: the largest with which the longest fits, if any.
        """
        assert self.content is not None
        matrix, tokens = self._matrix(), theme.tokens()
        kinds, boxes = self.content.kinds, self.boxes()
        totals = np.maximum(matrix.sum(axis=1, keepdims=True), 1e-9)
        shares = matrix / totals
        texts = {
            cell: percent(float(shares[cell]), 0)
            if self._shows == "shares"
            else spaced(round(float(matrix[cell])))
            for cell in boxes
            if round(float(matrix[cell]))
        }
        side = next(iter(boxes.values())).adjusted(1, 1, -1, -1)
        small = _fitting(painter.font(), texts.values(), side.width())
        name = painter.font()
        painter.setFont(small)
        low = side.height() < small.pixelSize()
        advance = QFontMetricsF(small).horizontalAdvance
        readable = {
            text
            for text in {*texts.values()}
            if not low and advance(text) <= side.width()
        }
        empty = QColor(tokens.hover)
        ink, paper = QColor(tokens.text), QColor(tokens.panel)
        for cell, box in boxes.items():
            inner = box.adjusted(0.5, 0.5, -0.5, -0.5)
            painter.fillRect(inner, empty)
            if cell not in texts:
                continue
            kept = cell[0] == cell[1]
            ground = QColor(tokens.secondary if kept else tokens.positive)
            strength = 0.12 + 0.88 * float(shares[cell]) ** 0.5
            ground.setAlphaF(strength)
            painter.fillRect(inner, ground)
            if texts[cell] in readable:
                painter.setPen(paper if strength > 0.55 and not tokens.dark else ink)
                painter.drawText(inner, Qt.AlignmentFlag.AlignCenter, texts[cell])
        painter.setFont(name)
        self._paint_kept(painter, [float(shares[k, k]) for k in kinds], totals[kinds])

    def _paint_kept(
        self, painter: QPainter, shares: list[float], totals: NDArray[np.float64]
    ) -> None:
        """At the right of each row, what kept its class."""
        field = self._field()
        high = field.height() / len(shares)
        if high < _TIGHT * QFontMetricsF(painter.font()).height():
            return
        painter.setPen(QColor(theme.tokens().secondary))
        for row, share in enumerate(shares):
            if totals[row] >= 0.5:
                box = QRectF(field.right() + _GAP, field.top() + row * high, 60, high)
                flags = Qt.AlignmentFlag.AlignVCenter
                painter.drawText(box, flags, percent(share, 0))

    def _headline(self) -> str:
        """How many classes changed, beside chance."""
        assert self.content is not None
        null = percent(self.content.null_changed)
        if self._shows == "shuffled":
            return f"with channels shuffled: {null} changed"
        changed = percent(self.content.changed)
        return f"{changed} changed (channels shuffled: {null})"

    # Mouse and keys

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Qt: ask for what lies there."""
        found = self.found_at(event.position())
        if event.button() != Qt.MouseButton.LeftButton or found is None:
            return
        assert self.content is not None
        kinds = self.content.kinds
        self._current = (
            self._current[0] if found[0] is None else kinds.index(found[0]),
            self._current[1] if found[1] is None else kinds.index(found[1]),
        )
        self.cells_requested.emit(*found, event.modifiers())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Qt: go from cell to cell; ask for one."""
        keys, key = Qt.Key, event.key()
        steps = {
            keys.Key_Left: (0, -1),
            keys.Key_Right: (0, 1),
            keys.Key_Up: (-1, 0),
            keys.Key_Down: (1, 0),
        }
        kinds = self.content.kinds if self.content is not None else []
        if kinds and key in steps:
            down, across = steps[Qt.Key(key)]
            last = len(kinds) - 1
            self._current = (
                min(max(self._current[0] + down, 0), last),
                min(max(self._current[1] + across, 0), last),
            )
            self._ringed = True
            self._describe()
            self.update()
        elif kinds and key in (keys.Key_Space, keys.Key_Return, keys.Key_Enter):
            before, after = (kinds[number] for number in self._current)
            self.cells_requested.emit(before, after, event.modifiers())
        else:
            super().keyPressEvent(event)

    # Words

    def words_at(self, place: QPointF) -> str:
        """The cell there, in words."""
        return self.tip(self.found_at(place))

    def tip(self, found: tuple[int | None, int | None] | None) -> str:
        """A cell, a row or a column in words."""
        if found is None or self.content is None:
            return ""
        before, after = found
        counts, null = self.content.counts, self.content.null
        if before is None or after is None:
            kind = before if after is None else after
            assert kind is not None
            total = int((counts[kind] if after is None else counts[:, kind]).sum())
            when = "before" if after is None else "after"
            return f"{class_shown(kind).name} {when}: {_pairs(total)}"
        count, total = int(counts[before, after]), int(counts[before].sum())
        name = class_shown(before).name
        lines = [f"{name} → {class_shown(after).name}: {_pairs(count)}"]
        if before == after:
            lines = [f"{name}, as before: {_pairs(count)}"]
        if total:
            lines.append(
                f"{percent(count / total)} of the {spaced(total)} that were {name}"
            )
            shuffled = float(null[before, after])
            lines.append(
                f"with channels shuffled: {shuffled:.1f}, {percent(shuffled / total)}"
            )
        if chosen := int(self.content.selected[before, after]):
            lines.append(f"{spaced(chosen)} selected")
        return "\n".join(lines)

    def _describe(self) -> None:
        """What a screen reader says: the cell that keys are at."""
        if self.content is None or not self.content.kinds:
            self.setAccessibleDescription(self._message)
            return
        kinds = self.content.kinds
        row, column = self._current
        self.setAccessibleDescription(one_line(self.tip((kinds[row], kinds[column]))))
        self.tell_item()

    # Items, as a screen reader has them: cells, row by row

    def _cell(self, item: int) -> tuple[int, int]:
        assert self.content is not None
        row, column = divmod(item, len(self.content.kinds))
        return self.content.kinds[row], self.content.kinds[column]

    def item_count(self) -> int:
        """Cells."""
        return 0 if self.content is None else len(self.content.kinds) ** 2

    def item_name(self, item: int) -> str:
        """A cell in words."""
        return one_line(self.tip(self._cell(item)))

    def item_box(self, item: int) -> QRectF | None:
        """Where it lies."""
        return self.boxes()[self._cell(item)]

    def item_at(self, place: QPointF) -> int | None:
        """The cell there."""
        before, after = self.found_at(place) or (None, None)
        if self.content is None or before is None or after is None:
            return None
        kinds = self.content.kinds
        return kinds.index(before) * len(kinds) + kinds.index(after)

    def item_now(self) -> int | None:
        """What the keys are at."""
        if self.content is None or not self.content.kinds:
            return None
        return self._current[0] * len(self.content.kinds) + self._current[1]

    def item_selected(self, item: int) -> bool:
        """True if a pair of it is selected."""
        assert self.content is not None
        return bool(self.content.selected[self._cell(item)])


def _fitting(font: QFont, texts: Iterable[str], room: float) -> QFont:
    """The font, smaller where the longest text has no room."""
    longest = max(texts, key=len, default="")
    small = QFont(font)
    for size in range(QFontInfo(font).pixelSize(), _SMALLEST - 1, -1):
        small.setPixelSize(size)
        if QFontMetricsF(small).horizontalAdvance(longest) <= room:
            break
    return small


def _pairs(count: int) -> str:
    return f"{spaced(count)} pair{'' if count == 1 else 's'}"
