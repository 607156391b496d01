"""How far the kernels of each layer moved: patterns, scales and classes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFontMetricsF, QHelpEvent, QPainter, QPen
from PySide6.QtWidgets import QScrollBar, QToolTip

from kernelviewer.gui import theme
from kernelviewer.gui.accessible import Listed, one_line
from kernelviewer.gui.painting.pixels import Ringed, caption_font
from kernelviewer.gui.text import as_tip, percent, signed, spaced

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PySide6.QtGui import (
        QKeyEvent,
        QMouseEvent,
        QPaintEvent,
        QResizeEvent,
        QWheelEvent,
    )
    from PySide6.QtWidgets import QWidget

    from kernelviewer.state.comparing import LayerDrift

_LEFT, _RIGHT, _TOP = 40, 12, 4
_LEAST = 15
"""Pixels across for a layer and its null."""
_MOST = 110
_SCROLL = 10
_TITLES = ("1 − cosine", "ln scale ratio", "class changed")


@dataclass(frozen=True, slots=True)
class _Track:
    """One of the charts above each other: range of its values, and where it lies."""

    title: str
    low: float
    high: float
    box: QRectF

    def place(self, value: float) -> float:
        """How far down a value lies."""
        value = min(max(value, self.low), self.high)
        share = (value - self.low) / (self.high - self.low)
        return self.box.bottom() - share * self.box.height()


class DriftChart(Listed, Ringed):
    """Medians, quartiles and 5 to 95 % by layer, the null pale beside.

    A click asks for a layer; Left and right go from layer to layer, Space or Enter
    asks. Setters never emit.
    """

    layer_requested = Signal(object, object)
    """Both layers, a pair of `LayerRef`, and the keys held."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("driftChart")
        self.setAccessibleName("How far the kernels of each layer moved")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.layers: tuple[LayerDrift, ...] = ()
        self.selected: frozenset[int] = frozenset()
        self._labels: tuple[str, ...] = ()
        self._message = ""
        self._current = 0
        self._scroll = QScrollBar(Qt.Orientation.Horizontal, self)
        self._scroll.setObjectName("driftScroll")
        self._scroll.setAccessibleName("Scroll along the layers")
        self._scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._scroll.valueChanged.connect(lambda _: self.update())
        self._scroll.hide()

    def set_layers(
        self,
        layers: tuple[LayerDrift, ...],
        labels: Sequence[str] = (),
        message: str = "",
    ) -> None:
        """Show layers under short names, or say what would fill the view."""
        self.layers, self._labels, self._message = layers, tuple(labels), message
        self._current = min(self._current, max(0, len(layers) - 1))
        self._arrange()
        self._describe()
        self.update()

    def set_selected(self, selected: frozenset[int]) -> None:
        """Mark layers, by their numbers, of which kernels are selected."""
        if selected != self.selected:
            self.selected = selected
            self.update()

    def sizeHint(self) -> QSize:
        """Qt: wished size."""
        return QSize(420, 200)

    def minimumSizeHint(self) -> QSize:
        """Qt: smallest size."""
        return QSize(160, 100)

    # Places

    def _step(self) -> float:
        """Pixels across for a layer."""
        room = self.width() - _LEFT - _RIGHT
        return min(_MOST, max(_LEAST, room / max(1, len(self.layers))))

    def box_of(self, number: int) -> QRectF:
        """Where a layer lies, over all charts."""
        step = self._step()
        left = _LEFT + number * step - self._scroll.value()
        return QRectF(left, _TOP, step, self.height() - _TOP)

    def layer_at(self, place: QPointF) -> int | None:
        """Number of the layer at a place."""
        if place.x() < _LEFT:
            return None
        number = int((place.x() - _LEFT + self._scroll.value()) // self._step())
        return number if 0 <= number < len(self.layers) else None

    def _tracks(self, line: float) -> list[_Track]:
        """The charts from top to bottom; the null's outer parts may be beyond them."""
        apart, ratios = [0.05], [0.05]
        for layer in self.layers:
            apart += [1 - value for value in layer.summary.cosine]
            apart.append(1 - layer.null.median_cosine)
            ratios += map(abs, layer.summary.scale_ratio)
            ratios += map(abs, layer.null.scale_ratio[1:-1])
        furthest = max(value for value in apart if value == value)
        reach = max(value for value in ratios if value == value)
        ranges = ((0.0, furthest), (-reach, reach), (0.0, 1.0))
        foot = line + 4 + (_SCROLL if self._scroll.maximum() else 0)
        high = (self.height() - _TOP - foot) / len(ranges)
        return [
            _Track(
                title,
                *span,
                QRectF(
                    _LEFT,
                    _TOP + number * high + line,
                    self.width() - _LEFT - _RIGHT,
                    max(8.0, high - line - 5),
                ),
            )
            for number, (title, span) in enumerate(zip(_TITLES, ranges, strict=True))
        ]

    def _arrange(self) -> None:
        """Scroll where not all layers have room."""
        wide = self._step() * len(self.layers)
        beyond = max(0, round(wide - (self.width() - _LEFT - _RIGHT)))
        self._scroll.setRange(0, beyond)
        self._scroll.setPageStep(max(1, self.width()))
        self._scroll.setSingleStep(40)
        self._scroll.setVisible(beyond > 0)
        self._scroll.setGeometry(
            _LEFT, self.height() - _SCROLL - 1, self.width() - _LEFT - 4, _SCROLL
        )

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Qt: fill the new size."""
        self._arrange()

    # Painting

    def paintEvent(self, event: QPaintEvent) -> None:
        """Qt: paint charts and names."""
        painter, tokens = QPainter(self), theme.tokens()
        if not self.layers:
            painter.setPen(QColor(tokens.secondary))
            flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            painter.drawText(self.rect().adjusted(10, 0, -10, 0), flags, self._message)
            self.paint_outer_ring(painter)
            return
        painter.setFont(caption_font(self.font()))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        line = QFontMetricsF(painter.font()).height()
        tracks = self._tracks(line)
        for track in tracks:
            self._paint_track(painter, track, line)
        self._paint_legend(painter, line)
        inside = QRectF(_LEFT, 0, self.width() - _LEFT - _RIGHT + 6, self.height())
        painter.setClipRect(inside)
        for number, layer in enumerate(self.layers):
            box = self.box_of(number)
            if box.right() < _LEFT or box.left() > self.width():
                continue
            if number in self.selected:
                ground = QColor(tokens.selected)
                ground.setAlphaF(0.55)
                painter.fillRect(box.adjusted(1, 0, -1, 0), ground)
            painter.setOpacity(1.0 if layer.shown else 0.35)
            self._paint_layer(painter, tracks, box, layer)
            painter.setOpacity(1.0)
        self._paint_labels(painter, tracks[-1].box.bottom() + 4, line)
        if self._ringed:
            painter.setPen(QPen(QColor(tokens.accent), 1.5))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(self.box_of(self._current).adjusted(1, 1, -1, -1))

    def _paint_track(self, painter: QPainter, track: _Track, line: float) -> None:
        tokens, box = theme.tokens(), track.box
        painter.setPen(QColor(tokens.text))
        head = QRectF(_LEFT, box.top() - line, box.width(), line)
        painter.drawText(head, Qt.AlignmentFlag.AlignVCenter, track.title)
        values = [track.low, track.high]
        if track.low < 0:
            values.append(0.0)
        for value in values:
            y = track.place(value)
            painter.fillRect(
                QRectF(box.left(), y, box.width(), 1), QColor(tokens.separator)
            )
            text = f"{100 * value:.0f} %" if track.title == _TITLES[2] else _tick(value)
            place = QRectF(0, y - line / 2, _LEFT - 5, line)
            flags = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
            painter.setPen(QColor(tokens.secondary))
            if value or box.height() >= 2.4 * line or track.low == 0:
                painter.drawText(place, flags, text)

    def _paint_legend(self, painter: QPainter, line: float) -> None:
        """At the top right, what blue and grey are, where there is room."""
        tokens, metrics = theme.tokens(), QFontMetricsF(painter.font())
        right = float(self.width() - _RIGHT)
        head = _LEFT + metrics.horizontalAdvance(_TITLES[0]) + 20
        for text, colour in (
            ("channels shuffled", tokens.disabled),
            ("pairs", tokens.accent),
        ):
            left = right - metrics.horizontalAdvance(text)
            if left - 10 < head:
                return
            painter.setPen(QColor(tokens.secondary))
            place = QRectF(left, _TOP, right - left + 1, line)
            painter.drawText(place, Qt.AlignmentFlag.AlignVCenter, text)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(colour))
            painter.drawEllipse(QPointF(left - 8, _TOP + line / 2), 3, 3)
            painter.setBrush(Qt.BrushStyle.NoBrush)
            right = left - 24

    def _paint_layer(
        self, painter: QPainter, tracks: list[_Track], box: QRectF, layer: LayerDrift
    ) -> None:
        tokens = theme.tokens()
        mine, null = QColor(tokens.accent), QColor(tokens.disabled)
        wide = min(7.0, box.width() * 0.28)
        at, beside = box.center().x() - wide * 0.75, box.center().x() + wide * 0.75
        both = (
            (at, mine, layer.summary, layer.changed),
            (beside, null, layer.null, layer.null_changed),
        )
        for x, colour, summary, changed in both:
            apart = tuple(1 - value for value in reversed(summary.cosine))
            _paint_spread(painter, tracks[0], x, wide, colour, apart)
            _paint_spread(painter, tracks[1], x, wide, colour, summary.scale_ratio)
            if changed == changed:
                track = tracks[2]
                top = track.place(changed)
                bar = QRectF(x - wide / 2, top, wide, track.box.bottom() - top)
                painter.fillRect(bar.adjusted(0, -1, 0, 0), colour)

    def _paint_labels(self, painter: QPainter, top: float, line: float) -> None:
        """Names under as many layers as have room."""
        metrics = QFontMetricsF(painter.font())
        painter.setPen(QColor(theme.tokens().secondary))
        taken = -1e9
        for number, name in enumerate(self._labels):
            box = self.box_of(number)
            wide = metrics.horizontalAdvance(name) + 8
            left = max(_LEFT - 0.0, box.center().x() - wide / 2)
            if left < taken or box.right() < _LEFT:
                continue
            taken = left + wide
            place = QRectF(left, top, wide, line)
            painter.drawText(place, Qt.AlignmentFlag.AlignCenter, name)

    # Mouse and keys

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Qt: ask for the layer."""
        number = self.layer_at(event.position())
        if event.button() == Qt.MouseButton.LeftButton and number is not None:
            self._current = number
            self.layer_requested.emit(self.layers[number].refs, event.modifiers())

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Qt: scroll along the layers where not all have room."""
        if self._scroll.maximum():
            turned = event.angleDelta().y() + event.angleDelta().x()
            self._scroll.setValue(self._scroll.value() - round(turned / 2))
            event.accept()
        else:
            super().wheelEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Qt: go from layer to layer; ask for one."""
        keys, key = Qt.Key, event.key()
        last = len(self.layers) - 1
        places = {
            keys.Key_Left: max(0, self._current - 1),
            keys.Key_Right: min(last, self._current + 1),
            keys.Key_Home: 0,
            keys.Key_End: last,
        }
        if self.layers and key in places:
            self._current = places[Qt.Key(key)]
            self._ringed = True
            box = self.box_of(self._current).translated(self._scroll.value(), 0)
            low = round(box.right()) - self.width() + _RIGHT
            value = self._scroll.value()
            self._scroll.setValue(min(max(value, low), round(box.left()) - _LEFT))
            self._describe()
            self.update()
        elif self.layers and key in (keys.Key_Space, keys.Key_Return, keys.Key_Enter):
            refs = self.layers[self._current].refs
            self.layer_requested.emit(refs, event.modifiers())
        else:
            super().keyPressEvent(event)

    # Words

    def event(self, event: QEvent) -> bool:
        """Qt: say more about the layer under the cursor."""
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            number = self.layer_at(QPointF(event.pos()))
            text = "" if number is None else self.tip(number)
            QToolTip.showText(event.globalPos(), as_tip(text), self)
            return True
        return super().event(event)

    def tip(self, number: int) -> str:
        """A layer in words."""
        layer = self.layers[number]
        before, after = layer.names
        summary, null = layer.summary, layer.null
        lines = [before if before == after else f"{before} → {after}"]
        lines.append(f"{spaced(summary.pairs)} pairs")
        if flat := summary.pairs - summary.patterned:
            lines[-1] += f", {spaced(flat)} of them with a flat kernel"
        if summary.patterned:
            lines.append(
                f"median cosine {_number(summary.median_cosine)} "
                f"(channels shuffled {_number(null.median_cosine)})"
            )
            middle = len(summary.scale_ratio) // 2
            ratio = signed(f"{summary.scale_ratio[middle]:+.3f}")
            lines.append(f"median ln scale ratio {ratio}")
        if layer.changed == layer.changed:
            text = f"{percent(layer.changed)} changed class"
            if layer.null_changed == layer.null_changed:
                text += f" (channels shuffled {percent(layer.null_changed)})"
            lines.append(text)
        return "\n".join(lines)

    def _describe(self) -> None:
        """What a screen reader says: the layer that keys are at."""
        text = self._message
        if self.layers:
            text = one_line(self.tip(self._current))
        self.setAccessibleDescription(text)
        self.tell_item()

    # Items, as a screen reader has them: layers

    def item_count(self) -> int:
        """Layers."""
        return len(self.layers)

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
        return self._current if self.layers else None

    def item_selected(self, item: int) -> bool:
        """Whether kernels of it are selected."""
        return item in self.selected


def _paint_spread(
    painter: QPainter,
    track: _Track,
    x: float,
    wide: float,
    colour: QColor,
    values: tuple[float, ...],
) -> None:
    """A line from 5 to 95 %, a thick one between quartiles, a dot for the median."""
    if any(value != value for value in values):
        return
    outer, low, middle, high, top = (track.place(value) for value in values)
    painter.fillRect(QRectF(x - 0.5, top, 1, outer - top), colour)
    painter.fillRect(QRectF(x - wide / 3, high, wide / 1.5, low - high), colour)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(colour)
    painter.drawEllipse(QPointF(x, middle), wide / 2, wide / 2)
    painter.setBrush(Qt.BrushStyle.NoBrush)


def _number(value: float) -> str:
    return "unknown" if value != value else signed(f"{value:.3f}")


def _tick(value: float) -> str:
    return signed(f"{value:.2f}" if abs(value) < 10 else f"{value:.0f}")
