"""One stacked bar of classes per layer, in network order (the paper's Fig. 7)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPen
from PySide6.QtWidgets import QPushButton, QWidget

from kernelviewer.gui import theme
from kernelviewer.gui.accessible import one_line
from kernelviewer.gui.controls import in_column, label_of, named
from kernelviewer.gui.painting.classes import elided, fill_stack, paint_mark
from kernelviewer.gui.painting.layers import SCROLL, ScrolledLayers
from kernelviewer.gui.painting.pixels import caption_font
from kernelviewer.gui.text import AS_NOISE, NOISE_SENTENCE, percent, spaced
from kernelviewer.gui.views.classes.bars import (
    MARGIN,
    UNIDENTIFIED,
    lay_out_bars,
    model_runs,
    place_names,
)
from kernelviewer.kernels.classes import CLASSES, class_shown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from PySide6.QtCore import QEvent, QPoint
    from PySide6.QtGui import QKeyEvent, QMouseEvent, QPaintEvent

    from kernelviewer.gui.views.classes.bars import CompositionBar, Row, SelectedPart

TOP = 6
LINE = 16
"""Height of a line of names."""
MANY, SCREENS = 4, 2.5
"""From so many networks on, and from so many views' widths of bars, they are offered as
rows."""


class TooMany(QWidget):
    """In place of slivers: how many bars there are, and what shows as much better."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAutoFillBackground(True)
        self.text = label_of(self, role="secondary", wraps=True)
        self.text.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self.overview = QPushButton("Show the Overview", self)
        named(self.overview, "offerOverview", "Show a row for each network")
        self.bars = QPushButton("Show the bars all the same", self)
        named(self.bars, "showBars", "Show a thin bar for each layer")
        self.bars.setProperty("link", True)
        layout = in_column(self, 1, self.text, margins=(12, 8, 12, 8))
        centre = Qt.AlignmentFlag.AlignHCenter
        layout.addWidget(self.overview, 0, centre)
        layout.addWidget(self.bars, 0, centre)
        layout.addStretch(1)

    def set_counts(self, bars: int, networks: int) -> None:
        """Say how many there are."""
        self.text.setText(
            f"{spaced(bars)} layers of {networks} networks are too many to be read "
            "side by side. Pick some in the overview, which has a row for each network."
        )

    def changeEvent(self, event: QEvent) -> None:
        """Qt: the ground of panels in another theme."""
        super().changeEvent(event)
        if theme.is_theme_change(event):
            palette = self.palette()
            palette.setColor(palette.ColorRole.Window, QColor(theme.tokens().panel))
            if palette != self.palette():
                self.setPalette(palette)


class LayerComposition(ScrolledLayers):
    """Stacked shares; a click asks for the layer, or for a class within it.

    Left and right go from layer to layer, up and down from class to class; Space asks
    for the class within the layer, Enter for the layer.
    """

    layer_requested = Signal(object, object)
    """Key of the layer, keyboard modifiers held."""
    part_requested = Signal(object, str, object)
    """Key of the layer, class id, keyboard modifiers held."""
    overview_requested = Signal()
    """A row for each network, as there are too many bars to be read."""
    name_requested = Signal(str)
    """Id of a class that is to be called otherwise."""

    def __init__(self, parent: QWidget | None = None) -> None:
        title = "Share of each class per layer"
        super().__init__("layerComposition", "compositionScroll", title, parent)
        self.bars: tuple[CompositionBar, ...] = ()
        self._selected: Mapping[Any, SelectedPart] = {}
        self._row: Row | None = None
        self._part = 0
        self._parts: tuple[tuple[int, int], ...] = ()
        self._insists = False
        self.offer = TooMany(self)
        self.offer.hide()
        self.offer.overview.clicked.connect(lambda: self.overview_requested.emit())
        self.offer.bars.clicked.connect(self._insist)

    def set_bars(self, bars: tuple[CompositionBar, ...], message: str = "") -> None:
        """Show layers, or say what would fill the view."""
        same = [bar.key for bar in bars] == [bar.key for bar in self.bars]
        self.bars, self._message = bars, message
        self._parts = tuple(
            (number, part)
            for number, bar in enumerate(bars)
            for part in range(len(bar.parts()))
        )
        if not same:
            self._current = self._part = 0
            self._insists = False
            self._arrange()
        self._describe()
        self.update()

    def set_selected(self, selected: Mapping[Any, SelectedPart]) -> None:
        """Mark what is selected of the layers, by their keys."""
        if selected != self._selected:
            self._selected = selected
            self.update()

    # Places

    def boxes(self) -> list[QRectF]:
        """Where each bar stands; some may lie beyond the view's edges."""
        left = self._scroll.value()
        return [box.translated(-left, 0) for box in self._lay_out().boxes]

    def bar_at(self, x: float) -> int | None:
        """Number of the bar at a place across, or None."""
        for number, box in enumerate(self.boxes()):
            if box.left() <= x <= box.right():
                return number
        return None

    def part_at(self, place: QPointF) -> tuple[int, int | None] | None:
        """Number of the bar and class index at a place; class None on the name.

        Kernels below the threshold are unidentified, whatever their colour.
        """
        number = self.bar_at(place.x())
        if number is None:
            return None
        box = self.boxes()[number]
        for index, part, pale in self.bars[number].stacked(box):
            if part.contains(place):
                return number, UNIDENTIFIED if pale else index
        return number, None

    def _lay_out(self) -> Row:
        if self._row is None:
            below = LINE * (2 if self._several() else 1) + 4
            height = self.height() - TOP - below - SCROLL
            self._row = lay_out_bars(self.bars, self.width(), TOP, max(8, height))
        return self._row

    def _several(self) -> bool:
        return len({bar.model for bar in self.bars}) > 1

    def _arrange(self) -> None:
        """Lay out anew; the scroll bar shows if not all bars have room."""
        self._row = None
        extent = round(self._lay_out().width)
        self._set_beyond(max(0, extent - self.width()), 4, 4)
        networks = len(model_runs(self.bars))
        slivers = networks >= MANY and extent > SCREENS * self.width()
        self.offer.set_counts(len(self.bars), networks)
        self.offer.setGeometry(self.rect())
        self.offer.setVisible(slivers and not self._insists)

    def _insist(self) -> None:
        """Show the bars, however thin."""
        self._insists = True
        self._arrange()
        self.setFocus()

    # Painting

    def paintEvent(self, event: QPaintEvent) -> None:
        """Qt: paint bars and names."""
        painter = QPainter(self)
        if not self.bars:
            self.paint_message(painter, self._message)
            return
        painter.setFont(caption_font(self.font()))
        boxes = self.boxes()
        for bar, box in zip(self.bars, boxes, strict=True):
            if box.right() < 0 or box.left() > self.width():
                continue
            painter.setOpacity(1.0 if bar.shown else 0.35)
            stacked = bar.stacked(box)
            fill_stack(painter, stacked, dark=theme.tokens().dark, upright=True)
            for index, part, pale in stacked:
                paint_mark(painter, part, index, theme.tokens(), pale=pale)
            if (chosen := self._selected.get(bar.key)) is not None:
                for strip in chosen.marks(bar, box):
                    edge = strip.adjusted(0, 0, 1, 0)
                    painter.fillRect(edge, QColor(theme.tokens().panel))
                    painter.fillRect(strip, QColor(theme.tokens().accent))
        painter.setOpacity(1.0)
        self._paint_labels(painter, boxes)
        if self._several():
            self._paint_networks(painter, boxes)
        if self._ringed:
            self._paint_ring(painter, boxes[self._current])

    def _paint_labels(self, painter: QPainter, boxes: list[QRectF]) -> None:
        """Names under as many bars as have room."""
        left, row = self._scroll.value(), self._lay_out()
        top = boxes[0].bottom() + 4
        metrics, cut = painter.fontMetrics(), Qt.TextElideMode.ElideLeft
        painter.setPen(QPen(QColor(theme.tokens().secondary)))
        for name in place_names(self.bars, row, metrics.horizontalAdvance):
            place = QRectF(name.left - left, top, name.width + 1, LINE)
            text = metrics.elidedText(name.text, cut, int(place.width()) + 1)
            painter.drawText(place, Qt.AlignmentFlag.AlignCenter, text)
            if name.stop - name.start > 1:
                first, last = boxes[name.start], boxes[name.stop - 1]
                line = QRectF(first.left(), top - 2, last.right() - first.left(), 1)
                painter.fillRect(line, QColor(theme.tokens().separator))

    def _paint_networks(self, painter: QPainter, boxes: list[QRectF]) -> None:
        """The networks' names under their layers, with a line over each."""
        for start, stop in model_runs(self.bars):
            left, right = boxes[start].left(), boxes[stop - 1].right()
            if right < 0 or left > self.width():
                continue
            y = boxes[start].bottom() + LINE + 4
            line = QRectF(left, y, right - left, 1)
            painter.fillRect(line, QColor(theme.tokens().separator))
            left, right = max(left, MARGIN), min(right, self.width() - MARGIN)
            place = QRectF(left, y + 1, max(0.0, right - left), LINE)
            painter.setPen(QColor(theme.tokens().text))
            mark = AS_NOISE if self.bars[start].as_noise else ""
            name = f"{mark}{self.bars[start].network}"
            text = elided(painter, name, place.width())
            painter.drawText(place, Qt.AlignmentFlag.AlignCenter, text)

    def _paint_ring(self, painter: QPainter, box: QRectF) -> None:
        painter.setPen(QPen(QColor(theme.tokens().accent), 1.5))
        painter.drawRect(box.adjusted(-2, -2, 2, 2))
        stacked = self.bars[self._current].stacked(box)
        if self._part < len(stacked):
            painter.setPen(QPen(QColor(theme.tokens().text), 2))
            painter.drawRect(stacked[self._part][1].adjusted(0, 1, 0, -1))

    # Mouse and keys

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Qt: ask for the class within the layer, or for the layer by its name."""
        found = self.part_at(event.position())
        if event.button() != Qt.MouseButton.LeftButton or found is None:
            return
        number, index = found
        key = self.bars[number].key
        self._current = number
        if index is None:
            self.layer_requested.emit(key, event.modifiers())
        else:
            self.part_requested.emit(key, CLASSES[index].id, event.modifiers())

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Qt: ask what the class is to be called."""
        index = self.class_at(event.position().toPoint())
        if event.button() == Qt.MouseButton.LeftButton and index is not None:
            self.name_requested.emit(CLASSES[index].id)

    def class_at(self, place: QPoint | None) -> int | None:
        """Class index of the part at a place, or (None) that the keys are at."""
        if place is not None:
            found = self.part_at(QPointF(place))
            return None if found is None else found[1]
        parts = self.bars[self._current].parts() if self.bars else []
        return parts[self._part][0] if self._part < len(parts) else None

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Qt: go from layer to layer and class to class; ask for either."""
        keys, key = Qt.Key, event.key()
        across = {keys.Key_Left: -1, keys.Key_Right: 1}
        up = {keys.Key_Up: 1, keys.Key_Down: -1}
        ends = {keys.Key_Home: 0, keys.Key_End: len(self.bars) - 1}
        if not self.bars:
            super().keyPressEvent(event)
        elif key in across:
            self._go_to(self._current + across[Qt.Key(key)], self._part)
        elif key in ends:
            self._go_to(ends[Qt.Key(key)], self._part)
        elif key in up:
            self._go_to(self._current, self._part + up[Qt.Key(key)])
        elif key == keys.Key_F2:
            if (index := self.class_at(None)) is not None:
                self.name_requested.emit(CLASSES[index].id)
        elif key == keys.Key_Space:
            index, _, pale = self.bars[self._current].parts()[self._part]
            wanted = CLASSES[UNIDENTIFIED if pale else index].id
            bar = self.bars[self._current]
            self.part_requested.emit(bar.key, wanted, event.modifiers())
        elif key in (keys.Key_Return, keys.Key_Enter):
            bar = self.bars[self._current]
            self.layer_requested.emit(bar.key, event.modifiers())
        else:
            super().keyPressEvent(event)

    def _go_to(self, number: int, part: int) -> None:
        self._current = min(max(number, 0), len(self.bars) - 1)
        parts = len(self.bars[self._current].parts())
        self._part = min(max(part, 0), max(0, parts - 1))
        box = self._lay_out().boxes[self._current]
        self._bring_in(box.right() + MARGIN, box.left() - MARGIN)

    # Words

    def words_at(self, place: QPointF) -> str:
        """The part there, in words."""
        return self.tip(self.part_at(place))

    def tip(self, found: tuple[int, int | None] | None) -> str:
        """A layer's counts in words."""
        if found is None:
            return ""
        bar = self.bars[found[0]]
        total = sum(bar.counts)
        lines = [bar.network] if bar.network and self._several() else []
        lines += [NOISE_SENTENCE] if bar.as_noise else []
        lines += [bar.title, f"{spaced(total)} kernels"]
        if (chosen := self._selected.get(bar.key)) is not None:
            lines[-1] += f", {spaced(sum(chosen.counts))} selected"
        for index, count in enumerate(bar.counts):
            if count:
                mark = "▸ " if index == found[1] else ""
                name, share = class_shown(index).name, percent(count / max(1, total))
                lines.append(f"{mark}{name}: {spaced(count)}, {share}")
        if any(bar.below):
            best = [
                f"{class_shown(i).short} {spaced(n)}"
                for i, n in enumerate(bar.below)
                if n
            ]
            lines.append(f"best class of the unidentified: {', '.join(best)}")
        return "\n".join(lines)

    def _describe(self) -> None:
        if not self.bars:
            self.setAccessibleDescription(self._message)
            return
        bar = self.bars[self._current]
        parts = bar.parts()
        part = parts[min(self._part, len(parts) - 1)][0] if parts else None
        self.setAccessibleDescription(one_line(self.tip((self._current, part))))
        self.tell_item()

    # Items, as a screen reader has them: classes within layers

    def item_count(self) -> int:
        """Parts of all bars."""
        return len(self._parts)

    def item_name(self, item: int) -> str:
        """A class within a layer."""
        number, part = self._parts[item]
        bar = self.bars[number]
        index, count, pale = bar.parts()[part]
        total = sum(bar.counts)
        name = class_shown(index).name
        who = f"unidentified, best class {name}" if pale else name
        owner = f" of {bar.network}" if self._several() else ""
        share = percent(count / max(1, total))
        text = f"{bar.title}{owner}, {who}: {spaced(count)} of {spaced(total)}, {share}"
        chosen = self._chosen(item)
        return f"{text}, {spaced(chosen)} selected" if chosen else text

    def item_details(self, item: int) -> str:
        """All of its layer."""
        return self.tip((self._parts[item][0], None))

    def item_box(self, item: int) -> QRectF | None:
        """Where it stands, in view or not."""
        number, part = self._parts[item]
        box = self._lay_out().boxes[number].translated(-self._scroll.value(), 0)
        return self.bars[number].stacked(box)[part][1]

    def item_at(self, place: QPointF) -> int | None:
        """The part there."""
        number = self.bar_at(place.x())
        if number is None:
            return None
        stacked = self.bars[number].stacked(self.boxes()[number])
        for part, (_, box, _) in enumerate(stacked):
            if box.contains(place):
                return self._parts.index((number, part))
        return None

    def item_now(self) -> int | None:
        """What the keys are at."""
        now = self._current, self._part
        return self._parts.index(now) if now in self._parts else None

    def item_selected(self, item: int) -> bool:
        """True if a kernel of it is selected."""
        return self._chosen(item) > 0

    def _chosen(self, item: int) -> int:
        number, part = self._parts[item]
        bar = self.bars[number]
        found = self._selected.get(bar.key)
        if found is None:
            return 0
        index, _, pale = bar.parts()[part]
        return found.below[index] if pale else found.counts[index]
