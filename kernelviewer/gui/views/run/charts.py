"""Charts along a run: the share of each class, and when each layer's kernels formed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPen, QPixmap, QPolygonF
from PySide6.QtWidgets import QScrollBar, QSizePolicy

from kernelviewer.gui import theme
from kernelviewer.gui.accessible import Listed, one_line
from kernelviewer.gui.controls import named
from kernelviewer.gui.painting.classes import class_colour, elided, paint_mark
from kernelviewer.gui.painting.layers import left_of_charts
from kernelviewer.gui.painting.pixels import Ringed, caption_font
from kernelviewer.gui.text import percent, spaced
from kernelviewer.kernels.classes import CLASSES, class_shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray
    from PySide6.QtCore import QEvent
    from PySide6.QtGui import (
        QKeyEvent,
        QMouseEvent,
        QPaintEvent,
        QResizeEvent,
        QWheelEvent,
    )
    from PySide6.QtWidgets import QWidget

    from kernelviewer.state.model import LayerRef

_RIGHT, _TOP, _GAP = 14.0, 8.0, 6.0
_ROW, _SCROLL = 15.0, 12
_STEPS = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}
_ROWS = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}


@dataclass(frozen=True, slots=True, eq=False)
class Axis:
    """The steps of a run along a chart."""

    unit: str
    numbers: tuple[int, ...]
    """What is counted; how far the run was at each step."""
    places: tuple[float, ...]
    """Where each stands between 0 and 1."""
    step: int
    """Index of the one that is shown."""

    @property
    def steps(self) -> tuple[object, ...]:
        """All but which one is shown."""
        return self.unit, self.numbers, self.places

    def place_of(self, number: float) -> float:
        """Where a number stands that may lie between steps."""
        return float(np.interp(number, self.numbers, self.places))


class StepsChart(Listed, Ringed):
    """What charts along the steps have in common. Setters never emit.

    A subclass paints its data; the picture is kept, as from step to step only the axis
    changes. Left, Right, Home and End ask for a step.
    """

    step_requested = Signal(int)

    def __init__(self, name: str, title: str, parent: QWidget | None) -> None:
        super().__init__(parent)
        named(self, name, title)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        policy = QSizePolicy.Policy.Expanding
        self.setSizePolicy(policy, policy)
        self.axis: Axis | None = None
        self.message = ""
        self._picture = QPixmap()

    def chart(self) -> QRectF:
        """Where the data are drawn."""
        left, font = left_of_charts(self.font()), caption_font(self.font())
        foot = QFontMetricsF(font).height() + _GAP
        return QRectF(
            left,
            _TOP,
            max(1.0, self.width() - left - _RIGHT),
            max(1.0, self.height() - _TOP - foot),
        )

    def x_of(self, place: float) -> float:
        """Where a place between 0 and 1 is, logical pixels."""
        box = self.chart()
        return box.left() + place * box.width()

    def step_at(self, x: float) -> int:
        """The step nearest to a place."""
        assert self.axis is not None
        return int(np.argmin([abs(self.x_of(p) - x) for p in self.axis.places]))

    def set_axis(self, axis: Axis | None, message: str, *, redraw: bool) -> None:
        """Stand on a step, or say why there is none; ``redraw``: of other data."""
        before, after = (a and a.steps for a in (self.axis, axis))
        self.axis, self.message = axis, message
        if redraw or before != after:
            self.redraw()
        self.update()

    def redraw(self, *_: object) -> None:
        """Paint the data anew."""
        self._picture = QPixmap()
        self.update()

    def changeEvent(self, event: QEvent) -> None:
        """Qt: other colours or letters."""
        super().changeEvent(event)
        self.redraw()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Qt: the picture, and over it the axis."""
        painter = QPainter(self)
        if not self.has_data():
            self.paint_message(painter, self.message)
            return
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        ratio = self.devicePixelRatioF()
        if self._picture.size() != (size := self.size() * ratio):
            self._picture = QPixmap(size)
            self._picture.setDevicePixelRatio(ratio)
            self._picture.fill(QColor(0, 0, 0, 0))
            inner = QPainter(self._picture)
            inner.setRenderHint(QPainter.RenderHint.Antialiasing)
            inner.setFont(caption_font(self.font()))
            self.paint_data(inner)
            inner.end()
        painter.drawPixmap(0, 0, self._picture)
        self._paint_axis(painter)

    def has_data(self) -> bool:
        """Whether there is more than a message to paint."""
        return self.axis is not None

    def paint_data(self, painter: QPainter) -> None:
        """All but the axis, captions in the painter's font."""
        raise NotImplementedError

    def _paint_axis(self, painter: QPainter) -> None:
        """The row of numbers below, and a line at the step that is shown."""
        assert self.axis is not None
        axis, box, tokens = self.axis, self.chart(), theme.tokens()
        painter.setFont(caption_font(self.font()))
        metrics, taken = painter.fontMetrics(), list[tuple[float, float]]()
        last = len(axis.numbers) - 1
        for step in dict.fromkeys([axis.step, last, 0, *range(last)]):
            text = str(axis.numbers[step])
            text = f"{axis.unit} {text}" if step == axis.step else text
            wide = metrics.horizontalAdvance(text)
            left = self.x_of(axis.places[step]) - wide / 2
            left = min(max(left, 2.0), self.width() - wide - 2)
            if any(left < b + 6 and left + wide > a - 6 for a, b in taken):
                continue
            taken.append((left, left + wide))
            shown = step == axis.step
            painter.setPen(QColor(tokens.text if shown else tokens.secondary))
            painter.drawText(QPointF(left, box.bottom() + 3 + metrics.ascent()), text)
        x = self.x_of(axis.places[axis.step])
        painter.setPen(QPen(QColor(tokens.text), 1))
        painter.drawLine(QPointF(x, box.top() - 3), QPointF(x, box.bottom()))
        if self._ringed:
            painter.setPen(QPen(QColor(tokens.accent), 1.5))
            painter.drawRect(box.adjusted(-3, -3, 3, 3))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Qt: another step."""
        axis, key = self.axis, event.key()
        ends = (Qt.Key.Key_Home, Qt.Key.Key_End)
        if axis is None or key not in (*_STEPS, *ends):
            super().keyPressEvent(event)
            return
        last = len(axis.numbers) - 1
        step = last * (key == Qt.Key.Key_End)
        if key in _STEPS:
            step = axis.step + _STEPS[Qt.Key(key)]
        self.step_requested.emit(min(max(step, 0), last))

    def tip(self, place: QPointF) -> str:
        """What is at a place, in words."""
        raise NotImplementedError

    def words_at(self, place: QPointF) -> str | None:
        """What is at a place, in words; None without a run."""
        return None if self.axis is None else self.tip(place)


class SharesChart(StepsChart):
    """Share of each class at every step, stacked. A click or drag asks for a step."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("sharesChart", "Share of each class along the run", parent)
        self.counts: NDArray[np.int64] | None = None
        self._origin: int | None = None

    def set_counts(
        self, axis: Axis | None, counts: NDArray[np.int64] | None, message: str = ""
    ) -> None:
        """Show how many kernels each class has at each step, [S, classes]."""
        step, other = None if self.axis is None else self.axis.step, self.counts
        self.counts = counts
        self.set_axis(axis, message, redraw=counts is not other)
        if axis is not None and axis.step != step:
            self.tell_item()

    def has_data(self) -> bool:
        """Whether the classes are known."""
        return super().has_data() and self.counts is not None

    def paint_data(self, painter: QPainter) -> None:
        """Areas and shares."""
        assert self.axis is not None
        box, tokens = self.chart(), theme.tokens()
        edges = self._edges()
        xs = [self.x_of(place) for place in self.axis.places]
        if len(xs) == 1:
            xs, edges = [box.left(), box.right()], np.repeat(edges, 2, axis=0)
        marks: list[tuple[int, QRectF]] = []
        painter.setPen(Qt.PenStyle.NoPen)
        for index in range(len(CLASSES)):
            lower, upper = edges[:, index], edges[:, index + 1]
            if (upper > lower).any():
                ys = box.bottom() - np.stack([lower, upper]) * box.height()
                there = [QPointF(x, y) for x, y in zip(xs, ys[0].tolist(), strict=True)]
                back = [QPointF(x, y) for x, y in zip(xs, ys[1].tolist(), strict=True)]
                painter.setBrush(class_colour(index, dark=tokens.dark))
                painter.drawPolygon(QPolygonF([*there, *back[::-1]]))
                marks.append((index, self._widest(xs, ys)))
        painter.setPen(QPen(QColor(tokens.panel), 1))
        for x in xs[1:-1]:
            painter.drawLine(QPointF(x, box.top()), QPointF(x, box.bottom()))
        for index, place in marks:
            paint_mark(painter, place, index, tokens)
            painter.setPen(Qt.PenStyle.NoPen)
        painter.setPen(QColor(tokens.secondary))
        for share in (0, 0.5, 1):
            y = box.bottom() - share * box.height()
            place = QRectF(0, y - 12, box.left() - _GAP, 24)
            flags = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
            painter.drawText(place, flags, f"{100 * share:.0f}\u202f%")

    def _widest(self, xs: list[float], ys: NDArray[np.float64]) -> QRectF:
        """Where an area has most room for letters: at one of its inner steps."""
        box, room = self.chart(), 12.0
        middles = [min(max(x, box.left() + room), box.right() - room) for x in xs]
        heights = ys[0] - ys[1]
        step = int(heights.argmax())
        top = float(ys[1, step])
        return QRectF(middles[step] - room, top, 2 * room, float(heights[step]))

    def _edges(self) -> NDArray[np.float64]:
        """Cumulated shares [S, classes + 1]."""
        assert self.counts is not None
        total = np.maximum(1, self.counts.sum(1, keepdims=True))
        shares = np.cumsum(self.counts / total, axis=1)
        return np.pad(shares, ((0, 0), (1, 0)))

    def tip(self, place: QPointF) -> str:
        """A step's counts in words."""
        assert self.axis is not None
        if self.counts is None:
            return ""
        step, box = self.step_at(place.x()), self.chart()
        row, edges = self.counts[step], self._edges()[step]
        share = (box.bottom() - place.y()) / box.height()
        here = int(np.searchsorted(edges[1:], share))
        lines = [f"{self.axis.unit} {self.axis.numbers[step]}"]
        for index, count in enumerate(row.tolist()):
            if count:
                mark = "▸ " if index == here else ""
                part = percent(count / int(row.sum()))
                lines.append(
                    f"{mark}{class_shown(index).name}: {spaced(count)}, {part}"
                )
        return "\n".join(lines)

    # Items, as a screen reader has them: steps

    def item_count(self) -> int:
        """Steps."""
        known = self.axis is not None and self.counts is not None
        return len(self.axis.numbers) if known and self.axis else 0

    def item_name(self, item: int) -> str:
        """The counts of a step."""
        assert self.axis is not None
        x = self.x_of(self.axis.places[item])
        return one_line(self.tip(QPointF(x, self.chart().bottom() + 1)))

    def item_box(self, item: int) -> QRectF | None:
        """Where it stands."""
        assert self.axis is not None
        box = self.chart()
        return QRectF(self.x_of(self.axis.places[item]) - 2, box.top(), 4, box.height())

    def item_at(self, place: QPointF) -> int | None:
        """The nearest step."""
        inside = self.item_count() and self.chart().contains(place)
        return self.step_at(place.x()) if inside else None

    def item_now(self) -> int | None:
        """The step that is shown."""
        return self.axis.step if self.axis is not None and self.item_count() else None

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Qt: the step under the mouse."""
        if event.button() == Qt.MouseButton.LeftButton and self.axis is not None:
            self._origin = self.axis.step
        self.mouseMoveEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Qt: the step under the mouse."""
        if self._origin is not None and self.axis is not None:
            self.step_requested.emit(self.step_at(event.position().x()))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Qt: let go."""
        self._origin = None

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Qt: Escape gives a drag up."""
        if event.key() == Qt.Key.Key_Escape and self._origin is not None:
            origin, self._origin = self._origin, None
            self.step_requested.emit(origin)
        else:
            super().keyPressEvent(event)


@dataclass(frozen=True, slots=True)
class FormationRow:
    """When the kernels of a layer formed."""

    layer: LayerRef
    """Which one."""
    name: str
    title: str
    """Short name; whole name."""
    kernels: int
    formed: int
    """How many it has, and how many of them formed."""
    quartiles: tuple[float, ...]
    """How far the run was when a quarter, half and three quarters of those that formed
    had; empty without any."""


class FormationChart(StepsChart):
    """A row for each layer: from when on its kernels are what they are at the end.

    A click asks for the layer, as do Up and Down, then Enter or Space; the wheel
    scrolls where not all have room.
    """

    layer_requested = Signal(object, object)
    """`LayerRef` and the keys held."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(
            "formationChart", "When the kernels of each layer form", parent
        )
        self.rows: tuple[FormationRow, ...] = ()
        self._names, self._facts = 0.0, 0.0
        self._row = 0
        self._scroll = QScrollBar(Qt.Orientation.Vertical, self)
        named(self._scroll, "formationScroll", "Scroll along the layers")
        self._scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._scroll.valueChanged.connect(self.redraw)
        self._scroll.hide()

    def set_rows(
        self, axis: Axis | None, rows: tuple[FormationRow, ...], message: str = ""
    ) -> None:
        """Show these layers."""
        other, self.rows = self.rows, rows
        self._row = min(self._row, max(0, len(rows) - 1))
        self.set_axis(axis, message, redraw=rows != other)
        self._arrange()

    def chart(self) -> QRectF:
        """Where the data are drawn: between names and numbers."""
        box = super().chart()
        room = self._scroll.width() if self._scroll.isVisibleTo(self) else 0
        left, right = 12 + self._names + 12, self.width() - 12 - self._facts - room
        return QRectF(left, box.top(), max(20.0, right - 12 - left), box.height())

    def row_height(self) -> float:
        """Of each layer: what there is room for, or the least."""
        return max(_ROW, min(24.0, self.chart().height() / max(1, len(self.rows))))

    def row_at(self, y: float) -> int | None:
        """Number of the layer at a place, or None."""
        box = self.chart()
        number = int((y - box.top() + self._scroll.value()) // self.row_height())
        inside = box.top() <= y <= box.bottom()
        return number if inside and 0 <= number < len(self.rows) else None

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Qt: fill the new size."""
        self._arrange()

    def _arrange(self) -> None:
        metrics = QFontMetricsF(caption_font(self.font()))
        wide = metrics.horizontalAdvance
        self._names = max((wide(row.name) for row in self.rows), default=0.0)
        self._names = min(self._names, self.width() * 0.34)
        self._facts = max((wide(_share(row)) for row in self.rows), default=0.0)
        box = super().chart()
        beyond = round(self.row_height() * len(self.rows) - box.height())
        self._scroll.setRange(0, max(0, beyond))
        self._scroll.setPageStep(round(box.height()))
        self._scroll.setSingleStep(round(_ROW))
        self._scroll.setVisible(beyond > 0)
        place = self.width() - _SCROLL - 1, round(box.top())
        self._scroll.setGeometry(*place, _SCROLL, round(box.height()))

    def paintEvent(self, event: QPaintEvent) -> None:
        """Qt: and a ring around the layer that the keys are at."""
        super().paintEvent(event)
        if self._ringed and self.rows and self.axis is not None:
            painter = QPainter(self)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setClipRect(self._rows_box())
            painter.setPen(QPen(QColor(theme.tokens().accent), 1.5))
            painter.drawRect(self._line(self._row).adjusted(3, 1, -3, -1))

    def _rows_box(self) -> QRectF:
        box = self.chart()
        return QRectF(0, box.top(), self.width(), box.height())

    def paint_data(self, painter: QPainter) -> None:
        """Names, spans and medians, how many formed."""
        assert self.axis is not None
        tokens, box = theme.tokens(), self.chart()
        painter.setPen(QPen(QColor(tokens.separator), 1))
        for place in self.axis.places:
            x = self.x_of(place)
            painter.drawLine(QPointF(x, box.top()), QPointF(x, box.bottom()))
        painter.setClipRect(self._rows_box())
        for row, y in self._places():
            self._paint_row(painter, row, y)

    def _line(self, row: int) -> QRectF:
        """Where a layer's line is, in view or not."""
        high = self.row_height()
        top = self.chart().top() + row * high - self._scroll.value()
        return QRectF(0, top, self.width(), high)

    def _places(self) -> Iterator[tuple[FormationRow, float]]:
        """Rows in view and the middles of their lines."""
        box, high = self.chart(), self.row_height()
        for number, row in enumerate(self.rows):
            y = box.top() + (number + 0.5) * high - self._scroll.value()
            if box.top() - high < y < box.bottom() + high:
                yield row, y

    def _paint_row(self, painter: QPainter, row: FormationRow, y: float) -> None:
        assert self.axis is not None
        tokens, box = theme.tokens(), self.chart()
        middle = Qt.AlignmentFlag.AlignVCenter
        painter.setPen(QColor(tokens.text))
        name = QRectF(12, y - 8, self._names + 2, 16)
        painter.drawText(name, middle, elided(painter, row.name, self._names + 1))
        painter.setPen(QColor(tokens.secondary))
        facts = QRectF(box.right() + 12, y - 8, self._facts + 2, 16)
        painter.drawText(facts, middle | Qt.AlignmentFlag.AlignRight, _share(row))
        if row.quartiles:
            low, half, high = (
                self.x_of(self.axis.place_of(number)) for number in row.quartiles
            )
            cap = Qt.PenCapStyle.RoundCap
            painter.setPen(QPen(QColor(tokens.accent), 3, c=cap))
            painter.drawLine(QPointF(low, y), QPointF(high, y))
            painter.setPen(QPen(QColor(tokens.panel), 1.5))
            painter.setBrush(QColor(tokens.text))
            painter.drawEllipse(QPointF(half, y), 4, 4)

    def tip(self, place: QPointF) -> str:
        """A layer's formation in words."""
        number = self.row_at(place.y())
        return "" if number is None or self.axis is None else self._words(number)

    def _words(self, number: int) -> str:
        assert self.axis is not None
        row, unit = self.rows[number], self.axis.unit
        formed = f"{spaced(row.formed)} of {spaced(row.kernels)} kernels"
        lines = [row.title, f"{formed} keep class and fit from some {unit} on"]
        if row.quartiles:
            low, half, high = row.quartiles
            lines.append(
                f"median {unit} {half:g}, half of them from {low:g} to {high:g}"
            )
        return "\n".join(lines)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Qt: ask for the layer."""
        number = self.row_at(event.position().y())
        if event.button() == Qt.MouseButton.LeftButton and number is not None:
            self._row = number
            self.layer_requested.emit(self.rows[number].layer, event.modifiers())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Qt: go from layer to layer and ask for one; or for another step."""
        keys, key = Qt.Key, event.key()
        if self.rows and key in _ROWS:
            self._row = min(max(self._row + _ROWS[keys(key)], 0), len(self.rows) - 1)
            box, line, value = self.chart(), self._line(self._row), self._scroll.value()
            low = value + round(line.bottom() - box.bottom())
            high = value + round(line.top() - box.top())
            self._scroll.setValue(min(max(value, low), high))
            self._ringed = True
            self.tell_item()
            self.update()
        elif self.rows and key in (keys.Key_Return, keys.Key_Enter, keys.Key_Space):
            self.layer_requested.emit(self.rows[self._row].layer, event.modifiers())
        else:
            super().keyPressEvent(event)

    # Items, as a screen reader has them: layers

    def item_count(self) -> int:
        """Layers."""
        return 0 if self.axis is None else len(self.rows)

    def item_name(self, item: int) -> str:
        """When a layer's kernels formed."""
        return one_line(self._words(item))

    def item_box(self, item: int) -> QRectF | None:
        """Its line."""
        return self._line(item)

    def item_at(self, place: QPointF) -> int | None:
        """The layer at a place."""
        return self.row_at(place.y())

    def item_now(self) -> int | None:
        """What the keys are at."""
        return self._row if self.item_count() else None

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Qt: scroll along the layers where not all have room."""
        if self._scroll.maximum():
            turned = event.angleDelta().y()
            self._scroll.setValue(self._scroll.value() - round(turned / 2))
            event.accept()
        else:
            super().wheelEvent(event)


def _share(row: FormationRow) -> str:
    return f"{spaced(row.formed)} / {spaced(row.kernels)}"
