"""One stacked bar of classes per layer, in network order (the paper's Fig. 7)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QHelpEvent, QPainter, QPen
from PySide6.QtWidgets import QToolTip, QWidget

from kernelviewer.gui.painting.class_boxes import elided, fill_class
from kernelviewer.gui.text import percent, spaced
from kernelviewer.gui.theme import LIGHT
from kernelviewer.kernels.classes import CLASSES

if TYPE_CHECKING:
    from PySide6.QtGui import QMouseEvent, QPaintEvent

    from kernelviewer.gui.theme import Tokens

MARGIN = 12
LABEL = 18
"""Height of the line of layer names."""
WIDEST_BAR = 48.0
BETWEEN_MODELS = 12.0


@dataclass(frozen=True, slots=True)
class CompositionBar:
    """A layer's bar.

    Attributes
    ----------
    key
        What names the layer to whoever asked for the bar; given back in requests.
    label, title
        Short name under the bar, full name for the tooltip.
    model
        Bars of different models stand apart.
    counts
        Kernels per class, in the order of `CLASSES`.
    shown
        Whether the layer is in scope; others recede.
    """

    key: object
    label: str
    title: str
    model: int
    counts: tuple[int, ...]
    shown: bool = True


class LayerComposition(QWidget):
    """Stacked shares; a click asks for the layer, or for a class within it."""

    layer_requested = Signal(object, object)
    """Key of the layer, keyboard modifiers held."""
    part_requested = Signal(object, str, object)
    """Key of the layer, class id, keyboard modifiers held."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("layerComposition")
        self.setAccessibleName("Share of each class per layer")
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._tokens = LIGHT
        self._bars: tuple[CompositionBar, ...] = ()
        self._message = ""

    def set_theme(self, tokens: Tokens) -> None:
        """Use these colours."""
        self._tokens = tokens
        self.update()

    def set_bars(self, bars: tuple[CompositionBar, ...], message: str = "") -> None:
        """Show layers, or say what would fill the view."""
        self._bars, self._message = bars, message
        self.update()

    def sizeHint(self) -> QSize:
        """Qt: wished size."""
        return QSize(320, 190)

    def minimumSizeHint(self) -> QSize:
        """Qt: smallest size."""
        return QSize(160, 100)

    def boxes(self) -> list[QRectF]:
        """Where each bar stands."""
        if not self._bars:
            return []
        room = self.width() - 2 * MARGIN
        breaks = np.array(
            [
                a.model != b.model
                for a, b in zip(self._bars, self._bars[1:], strict=False)
            ]
        )
        apart = min(BETWEEN_MODELS * int(breaks.sum()), room / 4)
        step = min(WIDEST_BAR, (room - apart) / len(self._bars))
        gap = min(3.0, step / 5)
        boxes, x = [], float(MARGIN)
        for number in range(len(self._bars)):
            if number and breaks[number - 1]:
                x += apart / int(breaks.sum())
            boxes.append(
                QRectF(x, 8, max(0.5, step - gap), self.height() - 8 - LABEL - 6)
            )
            x += step
        return boxes

    def bar_at(self, x: float) -> int | None:
        """Number of the bar at a place across, or None."""
        for number, box in enumerate(self.boxes()):
            if box.left() <= x <= box.right():
                return number
        return None

    def part_at(self, place: QPointF) -> tuple[int, int | None] | None:
        """Number of the bar and class index at a place; class None on the name."""
        number = self.bar_at(place.x())
        if number is None:
            return None
        for index, box in self._parts(number, self.boxes()[number]):
            if box.contains(place):
                return number, index
        return number, None

    def paintEvent(self, event: QPaintEvent) -> None:
        """Qt: paint bars and names."""
        painter = QPainter(self)
        font = painter.font()
        font.setPixelSize(11)
        painter.setFont(font)
        if not self._bars:
            painter.setPen(QColor(self._tokens.secondary))
            flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            whole = self.rect().adjusted(MARGIN, 0, -MARGIN, 0)
            painter.drawText(whole, flags, self._message)
            return
        boxes = self.boxes()
        for number, box in enumerate(boxes):
            painter.setOpacity(1.0 if self._bars[number].shown else 0.35)
            for index, part in self._parts(number, box):
                fill_class(painter, part, index, dark=self._tokens.dark)
        painter.setOpacity(1.0)
        self._paint_labels(painter, boxes)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Qt: ask for the class within the layer, or for the layer by its name."""
        found = self.part_at(event.position())
        if event.button() != Qt.MouseButton.LeftButton or found is None:
            return
        number, index = found
        key = self._bars[number].key
        if index is None:
            self.layer_requested.emit(key, event.modifiers())
        else:
            self.part_requested.emit(key, CLASSES[index].id, event.modifiers())

    def event(self, event: QEvent) -> bool:
        """Qt: say more about the part under the cursor."""
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            found = self.part_at(QPointF(event.pos()))
            QToolTip.showText(event.globalPos(), self.tip(found), self)
            return True
        return super().event(event)

    def tip(self, found: tuple[int, int | None] | None) -> str:
        """A layer's counts in words."""
        if found is None:
            return ""
        bar = self._bars[found[0]]
        total = max(1, sum(bar.counts))
        lines = [bar.title]
        for index, count in enumerate(bar.counts):
            if count:
                mark = "▸ " if index == found[1] else ""
                name, share = CLASSES[index].short, percent(count / total)
                lines.append(f"{mark}{name}: {spaced(count)}, {share}")
        return "\n".join(lines)

    def _parts(self, number: int, box: QRectF) -> list[tuple[int, QRectF]]:
        """Class index and box of each part, from the bottom up."""
        counts = self._bars[number].counts
        total = sum(counts)
        parts, bottom = [], box.bottom()
        for index, count in enumerate(counts):
            if count:
                height = box.height() * count / total
                part = QRectF(box.left(), bottom - height, box.width(), height)
                parts.append((index, part))
                bottom -= height
        return parts

    def _paint_labels(self, painter: QPainter, boxes: list[QRectF]) -> None:
        """Names under as many bars as they fit, evenly."""
        painter.setPen(QPen(QColor(self._tokens.secondary)))
        metrics = painter.fontMetrics()
        widest = max(metrics.horizontalAdvance(bar.label) for bar in self._bars) + 6
        step = boxes[1].left() - boxes[0].left() if len(boxes) > 1 else self.width()
        every = max(1, int(np.ceil(min(widest, 60) / max(step, 1e-6))))
        for number in range(0, len(boxes), every):
            box = boxes[number]
            width = max(step * every - 4, 8)
            width = min(width, self.width() - box.left() - 2)
            place = QRectF(box.left(), box.bottom() + 4, width, LABEL)
            text = elided(painter, self._bars[number].label, width)
            side = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
            painter.drawText(place, side, text)
