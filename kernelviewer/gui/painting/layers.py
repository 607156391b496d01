"""Layers side by side along an axis: scrolled, gone through by keys, asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPen
from PySide6.QtWidgets import QScrollBar

from kernelviewer.gui import theme
from kernelviewer.gui.accessible import Listed, one_line
from kernelviewer.gui.painting.pixels import Ringed, caption_font

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from PySide6.QtGui import (
        QFont,
        QKeyEvent,
        QMouseEvent,
        QPaintEvent,
        QResizeEvent,
        QWheelEvent,
    )
    from PySide6.QtWidgets import QWidget

RIGHT, TOP = 12, 4
"""What is free beside and above the layers, pixels."""
_WIDEST_TICK = "−00.00"
_EDGE = 14
"""Free left of the ticks and between them and the layers, pixels."""
SCROLL = 10
_LEAST = 15
"""Pixels across for a layer and its null."""
_MOST = 110


def left_of_charts(font: QFont) -> int:
    """Where charts begin that have ticks at their left, pixels."""
    metrics = QFontMetricsF(caption_font(font))
    return round(metrics.horizontalAdvance(_WIDEST_TICK)) + _EDGE


class ScrolledLayers(Listed, Ringed):
    """Layers from left to right; where not all have room the wheel scrolls along them.

    Parameters
    ----------
    name, scroll, title
        Object names of the view and of its scroll bar; what it shows.
    """

    def __init__(
        self, name: str, scroll: str, title: str, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setObjectName(name)
        self.setAccessibleName(title)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self._message = ""
        self._current = 0
        self._scroll = QScrollBar(Qt.Orientation.Horizontal, self)
        self._scroll.setObjectName(scroll)
        self._scroll.setAccessibleName("Scroll along the layers")
        self._scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._scroll.valueChanged.connect(lambda _: self.update())
        self._scroll.hide()

    def _arrange(self) -> None:
        """Lay out anew."""
        raise NotImplementedError

    def _set_beyond(self, beyond: int, left: int, right: int) -> None:
        """Scroll over what has no room, from ``left`` to ``right`` beside the edges."""
        self._scroll.setRange(0, beyond)
        self._scroll.setPageStep(max(1, self.width()))
        self._scroll.setSingleStep(40)
        self._scroll.setVisible(beyond > 0)
        top, wide = self.height() - SCROLL - 1, self.width() - left - right
        self._scroll.setGeometry(left, top, wide, SCROLL)

    def _bring_in(self, low: float, high: float) -> None:
        """Scroll until what lies between is in view, and ring it."""
        value = max(self._scroll.value(), round(low) - self.width())
        self._scroll.setValue(min(value, round(high)))
        self._ringed = True
        self._describe()
        self.update()

    def _describe(self) -> None:
        """What a screen reader says: what the keys are at."""
        raise NotImplementedError

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Qt: fill the new size."""
        self._arrange()

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Qt: scroll along the layers where not all have room."""
        if self._scroll.maximum():
            turned = event.angleDelta().y() + event.angleDelta().x()
            self._scroll.setValue(self._scroll.value() - round(turned / 2))
            event.accept()
        else:
            super().wheelEvent(event)


class LayerAxis(ScrolledLayers):
    """A place for each layer, all of the same width.

    A click asks for a layer; Left and right go from layer to layer, Space or Enter
    asks. Setters never emit.

    Attributes
    ----------
    selected
        Numbers of the layers that are marked.
    """

    def __init__(self, name: str, title: str, parent: QWidget | None = None) -> None:
        super().__init__(f"{name}Chart", f"{name}Scroll", title, parent)
        self.selected: frozenset[int] = frozenset()
        self._labels: tuple[str, ...] = ()

    def tip(self, number: int) -> str:
        """A layer in words."""
        raise NotImplementedError

    def ask(self, number: int, keys: Qt.KeyboardModifier) -> None:
        """A layer was clicked, or Enter pressed at it."""
        raise NotImplementedError

    def _set_labels(self, labels: Sequence[str], message: str) -> None:
        """Have so many layers under short names, or say what would fill the view."""
        self._labels, self._message = tuple(labels), message
        self._current = min(self._current, max(0, len(self._labels) - 1))
        self._arrange()
        self._describe()
        self.update()

    def set_selected(self, selected: frozenset[int]) -> None:
        """Mark layers, by their numbers, of which kernels are selected."""
        if selected != self.selected:
            self.selected = selected
            self.update()

    # Places

    @property
    def left(self) -> int:
        """Where the layers begin, beside the ticks, pixels."""
        return left_of_charts(self.font())

    def _step(self) -> float:
        """Pixels across for a layer."""
        room = self.width() - self.left - RIGHT
        return min(_MOST, max(_LEAST, room / max(1, len(self._labels))))

    def box_of(self, number: int) -> QRectF:
        """Where a layer lies, over all charts."""
        step = self._step()
        left = self.left + number * step - self._scroll.value()
        return QRectF(left, TOP, step, self.height() - TOP)

    def layer_at(self, place: QPointF) -> int | None:
        """Number of the layer at a place."""
        if place.x() < self.left:
            return None
        number = int((place.x() - self.left + self._scroll.value()) // self._step())
        return number if 0 <= number < len(self._labels) else None

    def _foot(self, line: float) -> float:
        """Height of what lies below the charts."""
        return line + 4 + (SCROLL if self._scroll.maximum() else 0)

    def _arrange(self) -> None:
        """Scroll where not all layers have room."""
        wide = self._step() * len(self._labels)
        beyond = max(0, round(wide - (self.width() - self.left - RIGHT)))
        self._set_beyond(beyond, self.left, 4)

    # Painting

    def paintEvent(self, event: QPaintEvent) -> None:
        """Qt: paint charts and names."""
        painter, tokens = QPainter(self), theme.tokens()
        if not self._labels:
            self.paint_message(painter, self._message)
            return
        painter.setFont(caption_font(self.font()))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        line = QFontMetricsF(painter.font()).height()
        self._paint_charts(painter, line)
        if self._ringed:
            painter.setPen(QPen(QColor(tokens.accent), 1.5))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(self.box_of(self._current).adjusted(1, 1, -1, -1))

    def _paint_charts(self, painter: QPainter, line: float) -> None:
        """Paint all but the ring, ``line`` being the height of a line of text."""
        raise NotImplementedError

    def _each(self, painter: QPainter, paint: Callable[[int, QRectF], object]) -> None:
        """Paint each layer that is seen, on a ground where it is marked."""
        wide = self.width() - self.left - RIGHT + 6
        painter.setClipRect(QRectF(self.left, 0, wide, self.height()))
        for number in range(len(self._labels)):
            box = self.box_of(number)
            if box.right() < self.left or box.left() > self.width():
                continue
            if number in self.selected:
                ground = QColor(theme.tokens().selected)
                ground.setAlphaF(0.55)
                painter.fillRect(box.adjusted(1, 0, -1, 0), ground)
            paint(number, box)

    def _paint_labels(self, painter: QPainter, top: float, line: float) -> None:
        """Names under as many layers as have room."""
        metrics = QFontMetricsF(painter.font())
        painter.setPen(QColor(theme.tokens().secondary))
        taken = -1e9
        for number, name in enumerate(self._labels):
            box = self.box_of(number)
            wide = metrics.horizontalAdvance(name) + 8
            left = max(float(self.left), box.center().x() - wide / 2)
            if left < taken or box.right() < self.left:
                continue
            taken = left + wide
            place = QRectF(left, top, wide, line)
            painter.drawText(place, Qt.AlignmentFlag.AlignCenter, name)

    def _paint_legend(
        self, painter: QPainter, line: float, title: str, names: tuple[str, str]
    ) -> None:
        """At the top right, what grey and blue are, where the title leaves room."""
        tokens, metrics = theme.tokens(), QFontMetricsF(painter.font())
        right = float(self.width() - RIGHT)
        head = self.left + metrics.horizontalAdvance(title) + 20
        wide = sum(metrics.horizontalAdvance(name) + 24 for name in names)
        if right - wide < head:  # briefly
            names = names[0].rpartition(" ")[2], names[1].rpartition(" ")[2]
        for text, colour in zip(names, (tokens.disabled, tokens.accent), strict=True):
            left = right - metrics.horizontalAdvance(text)
            if left - 10 < head:
                return
            painter.setPen(QColor(tokens.secondary))
            place = QRectF(left, TOP, right - left + 1, line)
            painter.drawText(place, Qt.AlignmentFlag.AlignVCenter, text)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(colour))
            painter.drawEllipse(QPointF(left - 8, TOP + line / 2), 3, 3)
            painter.setBrush(Qt.BrushStyle.NoBrush)
            right = left - 24

    # Mouse and keys

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Qt: ask for the layer."""
        number = self.layer_at(event.position())
        if event.button() == Qt.MouseButton.LeftButton and number is not None:
            self._current = number
            self.ask(number, event.modifiers())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Qt: go from layer to layer; ask for one."""
        keys, key = Qt.Key, event.key()
        last = len(self._labels) - 1
        places = {
            keys.Key_Left: max(0, self._current - 1),
            keys.Key_Right: min(last, self._current + 1),
            keys.Key_Home: 0,
            keys.Key_End: last,
        }
        if self._labels and key in places:
            self._current = places[Qt.Key(key)]
            box = self.box_of(self._current).translated(self._scroll.value(), 0)
            self._bring_in(box.right() + RIGHT, box.left() - self.left)
        elif self._labels and key in (keys.Key_Space, keys.Key_Return, keys.Key_Enter):
            self.ask(self._current, event.modifiers())
        else:
            super().keyPressEvent(event)

    # Words

    def words_at(self, place: QPointF) -> str:
        """The layer there, in words."""
        number = self.layer_at(place)
        return "" if number is None else self.tip(number)

    def _describe(self) -> None:
        text = self._message
        if self._labels:
            text = one_line(self.tip(self._current))
        self.setAccessibleDescription(text)
        self.tell_item()

    # Items, as a screen reader has them: layers

    def item_count(self) -> int:
        """Layers."""
        return len(self._labels)

    def item_name(self, item: int) -> str:
        """A layer in words."""
        return one_line(self.tip(item))

    def item_box(self, item: int) -> QRectF | None:
        """Where it lies, over all charts."""
        return self.box_of(item)

    def item_at(self, place: QPointF) -> int | None:
        """The layer there."""
        return self.layer_at(place)

    def item_now(self) -> int | None:
        """What the keys are at."""
        return self._current if self._labels else None

    def item_selected(self, item: int) -> bool:
        """True if kernels of it are selected."""
        return item in self.selected


def paint_spread(
    painter: QPainter, x: float, wide: float, colour: QColor, places: Sequence[float]
) -> None:
    """A line between the outer of five places, a thick one between the next, a dot.

    ``places`` lie from the bottom up; those of what is not known are not numbers.
    """
    if any(place != place for place in places):
        return
    outer, low, middle, high, top = places
    painter.fillRect(QRectF(x - 0.5, top, 1, outer - top), colour)
    painter.fillRect(QRectF(x - wide / 3, high, wide / 1.5, low - high), colour)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(colour)
    painter.drawEllipse(QPointF(x, middle), wide / 2, wide / 2)
    painter.setBrush(Qt.BrushStyle.NoBrush)
