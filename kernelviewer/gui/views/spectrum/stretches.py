"""The stretches of the spectrum as a strip of named boxes, and changing them."""

from __future__ import annotations

from functools import partial
from math import ceil
from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, QPointF, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QContextMenuEvent, QFontMetricsF
from PySide6.QtWidgets import QMenu, QToolTip

from kernelviewer.gui import theme
from kernelviewer.gui.accessible import one_line
from kernelviewer.gui.acts import mode_of
from kernelviewer.gui.controls import named
from kernelviewer.gui.painting.classes import class_colour, swatch_icon
from kernelviewer.gui.painting.pixels import caption_font
from kernelviewer.gui.views.spectrum.content import NARROWEST
from kernelviewer.gui.views.spectrum.strip import MARGIN, Strip
from kernelviewer.kernels.classes import FINE, PAPER, class_shown
from kernelviewer.latent.axis import place_names

if TYPE_CHECKING:
    from PySide6.QtGui import QHideEvent, QKeyEvent, QMouseEvent, QPainter
    from PySide6.QtWidgets import QWidget

    from kernelviewer.gui.theme import Tokens
    from kernelviewer.gui.views.spectrum.content import SpectrumContent, StretchSpan
    from kernelviewer.latent.axis import Name


_SPACE = 8
"""Between two names, logical pixels."""
_BAND, _LINE = 7, 3
"""Heights in logical pixels: of the band, and of the lines to names."""
_ERASED = 2
"""Free beside a name that is drawn over the cursor's line."""
_REACH = 4
"""A border is taken this near to it, logical pixels."""
_STEPS = {Qt.Key.Key_Left: -0.002, Qt.Key.Key_Right: 0.002}


class StretchMenu(QMenu):
    """Menu of one stretch; gone when it is closed."""

    name_chosen = Signal(int)
    rename_chosen = Signal(int, int)
    split_chosen = Signal(int, float)
    merge_chosen = Signal(int, int)
    range_chosen = Signal(float, float, str)
    reset_chosen = Signal()

    def __init__(
        self,
        content: SpectrumContent,
        index: int,
        z: float,
        tokens: Tokens,
        parent: QWidget,
    ) -> None:
        super().__init__(parent)
        named(self, "stretchMenu", f"Stretch {content.stretches[index].title}")
        self._content, self._index = content, index
        stretch = content.stretches[index]
        select = self.addAction(f"Select Kernels of Code {stretch.span}")
        ask = partial(self.range_chosen.emit, stretch.start, stretch.stop, "replace")
        select.triggered.connect(ask)
        self.aboutToHide.connect(self.deleteLater)
        what = "Rename…" if content.editable else f"Rename “{stretch.title}”…"
        name = self.addAction(what)
        name.triggered.connect(partial(self.name_chosen.emit, index))
        if not content.editable:
            return
        self.addSeparator()
        self._add_names(tokens)
        split = self.addAction(f"Split Here, at {z:.3f}")
        room = min(z - stretch.start, stretch.stop - z)
        split.setEnabled(room >= NARROWEST)
        split.triggered.connect(partial(self.split_chosen.emit, index, z))
        self._add_merge(index - 1, "Left")
        self._add_merge(index + 1, "Right")
        self.addSeparator()
        reset = self.addAction("Reset All Stretches")
        reset.setEnabled(content.edited)
        reset.triggered.connect(self.reset_chosen)

    def _add_names(self, tokens: Tokens) -> None:
        names = self.addMenu("Rename To Class")
        ratio = self.devicePixelRatioF()
        current = self._content.stretches[self._index].class_index
        fine = QMenu("Fine Class", names)
        for class_index in sorted({*PAPER.rows[:-2], *FINE.rows[:-2]}):
            menu = names if class_index in PAPER.rows else fine
            icon = swatch_icon(class_index, tokens, ratio)
            action = menu.addAction(icon, class_shown(class_index).name)
            action.setEnabled(class_index != current)
            ask = partial(self.rename_chosen.emit, self._index, class_index)
            action.triggered.connect(ask)
        names.addSeparator()
        names.addMenu(fine)

    def _add_merge(self, neighbour: int, side: str) -> None:
        there = 0 <= neighbour < len(self._content.stretches)
        text = f"Merge with {side}"
        if there:
            text += f", as {self._content.stretches[neighbour].title}"
        merge = self.addAction(text)
        merge.setEnabled(there)
        merge.triggered.connect(partial(self.merge_chosen.emit, self._index, neighbour))


class StretchEditor(Strip):
    """A band in the colours of the classes, with the names that find room around it.

    The stretches can be changed: it only asks; what it drags it shows.
    Borders are dragged; with the keyboard Shift+arrows move the right border of the
    stretch that the cursor is in, and Ctrl+arrows its left one. Stretch ``i`` lies
    between borders ``i - 1`` and ``i``.
    """

    border_moved = Signal(int, float)
    """Border and code, while it is dragged."""
    border_set = Signal(int, float)
    """The same, when it is let go."""
    border_dropped = Signal(int)
    """Dragging was given up: the border is to stay where it was."""
    name_requested = Signal(int)
    """Ask what a stretch is to be called."""
    rename_requested = Signal(int, int)
    """Stretch and class index."""
    split_requested = Signal(int, float)
    """Stretch and code."""
    merge_requested = Signal(int, int)
    """StretchSpan, and the neighbour whose class it takes."""
    reset_requested = Signal()
    range_requested = Signal(float, float, str)
    """Select the kernels of a stretch: lower and upper code and a `Mode`."""
    step_requested = Signal(int)
    """Move the cursor to the next (1) or last (−1) stretch."""
    menu_opening = Signal(object)
    """The menu of a stretch, before it is shown: others may add to it."""
    guide_moved = Signal(object)
    """Code of the border that is dragged; None when it is let go."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("spectrumStretches", "Stretches of the spectrum", parent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._border: int | None = None
        self._grip = 0.0
        self._preview: SpectrumContent | None = None
        self._names: list[Name] = []

    @property
    def drawn(self) -> SpectrumContent | None:
        """The stretches as they are, or as they would be."""
        return self._preview or self.content

    def set_content(self, content: SpectrumContent | None) -> None:
        """Show other stretches; a drag goes on if there are as many as before."""
        if _count(content) != _count(self.content):
            self._end()
        super().set_content(content)

    def set_position(self, z: float) -> None:
        """Move the cursor; the name of the stretch it is in stands out."""
        before = self._current()
        super().set_position(z)
        if self._current() is not before:
            self.update()

    def names(self) -> list[tuple[str, QRectF]]:
        """Names that are drawn, with their places in logical pixels."""
        if self.drawn is None:
            return []
        stretches = self.drawn.stretches
        return [
            (stretches[name.index].label, self._box(name)) for name in self._place()
        ]

    def sizeHint(self) -> QSize:
        """Qt: wished size."""
        lines = 2 * ceil(self._line_height())
        return QSize(600, lines + 2 * _LINE + _BAND + 2)

    def minimumSizeHint(self) -> QSize:
        """Qt: least size; names go where there is no room for them."""
        return QSize(120, self.sizeHint().height())

    def spans(self) -> list[tuple[float, float]]:
        """The stretches."""
        return [] if self.drawn is None else self.drawn.spans

    def item_name(self, item: int) -> str:
        """What a stretch is."""
        assert self.drawn is not None
        return one_line(describe(self.drawn.stretches[item]))

    def item_box(self, item: int) -> QRectF | None:
        """Where a stretch is."""
        low, high = (self.axis.logical(z) for z in self.spans()[item])
        return QRectF(low, 0, high - low, self.height())

    def _item_of(self, z: float) -> int | None:
        return None if self.drawn is None else self.drawn.stretch_at(z)

    def tip_at(self, point: QPointF) -> tuple[str, QRect]:
        """What a stretch is."""
        axis = self.axis
        if self.drawn is None:
            return "", QRect()
        index = self.drawn.stretch_at(axis.code(point.x()))
        if index is None:
            return "", QRect()
        stretch = self.drawn.stretches[index]
        left, right = axis.logical(stretch.start), axis.logical(stretch.stop)
        area = QRectF(left, 0, right - left, self.height())
        return describe(stretch), area.toAlignedRect()

    def draw(self, painter: QPainter, width: int, height: int) -> None:
        """Bands, leading lines and names."""
        self._names = []
        if self.drawn is None:
            return
        top, band = self._band_rows()
        for stretch in self.drawn.stretches:
            left, bar = self._band(stretch)
            painter.fillRect(left, top, bar, band, self._colour(stretch))
        self._names = self._place()
        line = self.pixels(1)
        for name in self._names:
            if name.led:
                stretch = self.drawn.stretches[name.index]
                left, bar = self._band(stretch)
                x, long = left + (bar - line) // 2, self.pixels(_LINE)
                y = top - long if name.above else top + band
                painter.fillRect(x, y, line, long, self._colour(stretch))
        for name in self._names:
            self._draw_name(painter, name, theme.tokens().secondary)

    def draw_over(self, painter: QPainter, width: int, height: int) -> None:
        """The cursor, and over its line the names that it meets."""
        super().draw_over(painter, width, height)
        if self.drawn is None:
            return
        x, current = self.axis.logical(self.position), self._current()
        for name in self._names:
            mine = self.drawn.stretches[name.index] is current
            box = self._box(name).adjusted(-_ERASED, 0, _ERASED, 0)
            if mine or box.left() <= x <= box.right():
                ground = QRectF(box.topLeft() * self.ratio, box.size() * self.ratio)
                painter.fillRect(ground.toAlignedRect(), QColor(theme.tokens().panel))
                colour = theme.tokens().text if mine else theme.tokens().secondary
                self._draw_name(painter, name, colour)

    def _draw_name(self, painter: QPainter, name: Name, colour: str) -> None:
        assert self.drawn is not None
        font, box = caption_font(self.font()), self._box(name)
        y = box.top() + QFontMetricsF(font).ascent()
        painter.save()
        painter.scale(self.ratio, self.ratio)
        painter.setFont(font)
        painter.setPen(QColor(colour))
        text = self.drawn.stretches[name.index].label
        painter.drawText(QPointF(round(box.left()), y), text)
        painter.restore()

    def _place(self) -> list[Name]:
        assert self.drawn is not None
        metrics, axis = QFontMetricsF(caption_font(self.font())), self.axis
        stretches = self.drawn.stretches
        return place_names(
            [(axis.logical(s.start), axis.logical(s.stop)) for s in stretches],
            [stretch.label for stretch in stretches],
            [metrics.horizontalAdvance(stretch.label) for stretch in stretches],
            (MARGIN / 2, self.width() - MARGIN / 2),
            _SPACE,
        )

    def _box(self, name: Name) -> QRectF:
        """Where a name stands, logical pixels."""
        line = self._line_height()
        top = 0 if name.above else ceil(line) + 2 * _LINE + _BAND
        return QRectF(name.left, top, name.width, line)

    def _band_rows(self) -> tuple[int, int]:
        """Top and height of the band, device pixels."""
        return self.pixels(ceil(self._line_height()) + _LINE), self.pixels(_BAND)

    def _band(self, stretch: StretchSpan) -> tuple[int, int]:
        """Left and width of a stretch's band, a pixel free between two of them."""
        axis = self.axis
        left, right = axis.pixel(stretch.start), axis.pixel(stretch.stop)
        gap = self.pixels(1) if stretch.stop < 1 else 0
        return left, max(1, right - left - gap)

    def _current(self) -> StretchSpan | None:
        if self.drawn is None:
            return None
        index = self.drawn.stretch_at(self.position)
        return None if index is None else self.drawn.stretches[index]

    def _colour(self, stretch: StretchSpan) -> QColor:
        if stretch.colour:
            return QColor(stretch.colour)
        return class_colour(stretch.class_index, dark=theme.tokens().dark)

    def _line_height(self) -> float:
        return QFontMetricsF(caption_font(self.font())).height()

    # Mouse

    def take_press(self, event: QMouseEvent) -> bool:
        """Take a border."""
        x = event.position().x()
        self._border = self._border_at(x)
        if self._border is None:
            return False
        assert self.content is not None
        stop = self.content.stretches[self._border].stop
        self._grip = self.axis.logical(stop) - x
        return True

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Drag the border; show which one could be taken."""
        if self._border is not None:
            self._drag(event.position().x(), event.globalPosition())
            return
        if not event.buttons():
            near = self._border_at(event.position().x()) is not None
            shapes = Qt.CursorShape
            self.setCursor(shapes.SplitHCursor if near else shapes.ArrowCursor)
        super().mouseMoveEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Let the border go where it is."""
        if event.button() == Qt.MouseButton.LeftButton and self._border is not None:
            border, preview = self._border, self._preview
            if preview is not None:
                self.border_set.emit(border, preview.stretches[border].stop)
            self._end()
        super().mouseReleaseEvent(event)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Ask what the stretch is to be called; with a key held select its kernels."""
        if self.content is None or event.button() != Qt.MouseButton.LeftButton:
            return
        index = self.content.stretch_at(self.axis.code(event.position().x()))
        if index is None:
            return
        mode = mode_of(event.modifiers())
        if mode == "replace":
            self.drop()
            self.name_requested.emit(index)
        else:
            stretch = self.content.stretches[index]
            self.range_requested.emit(stretch.start, stretch.stop, mode)

    def _drag(self, x: float, place: QPointF) -> None:
        if self.content is None or self._border is None:
            return
        low, high = self.content.limits_of(self._border)
        z = min(max(self.axis.code(x + self._grip), low), high)
        self._preview = self.content.with_border(self._border, z)
        self.redraw()
        self.guide_moved.emit(z)
        self.border_moved.emit(self._border, z)
        QToolTip.showText(place.toPoint(), f"border at {z:.3f}", self, QRect())

    def _end(self) -> None:
        """No border is dragged any more."""
        if self._border is not None:
            self._border = self._preview = None
            QToolTip.hideText()
            self.guide_moved.emit(None)
            self.redraw()

    def drop(self) -> None:
        """Give the drag up."""
        if self._border is not None:
            border = self._border
            self._end()
            self.border_dropped.emit(border)

    def _border_at(self, x: float) -> int | None:
        """The nearest border, if it is near and can be moved."""
        if self.content is None or not self.content.editable:
            return None
        axis = self.axis
        far = [abs(axis.logical(s.stop) - x) for s in self.content.stretches[:-1]]
        nearest = min(range(len(far)), key=far.__getitem__, default=None)
        return nearest if nearest is not None and far[nearest] <= _REACH else None

    def hideEvent(self, event: QHideEvent) -> None:
        """A hidden strip has no gesture."""
        self.drop()
        super().hideEvent(event)

    # Keyboard and menu

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Another stretch, its borders, its menu."""
        keys = Qt.Key
        if event.key() == keys.Key_Escape and self._border is not None:
            self.drop()
        elif event.key() in _STEPS and self.content is not None:
            self._act_on_arrow(_STEPS[Qt.Key(event.key())], event.modifiers())
        elif event.key() == keys.Key_F2 and self.content is not None:
            if (index := self.content.stretch_at(self.position)) is not None:
                self.name_requested.emit(index)
        elif event.key() in (keys.Key_Return, keys.Key_Enter):
            x = self.axis.logical(self.position)
            self._open_menu(self.position, QPoint(round(x), self.height()))
        else:
            super().keyPressEvent(event)

    def _act_on_arrow(self, by: float, held: Qt.KeyboardModifier) -> None:
        shift = bool(held & Qt.KeyboardModifier.ShiftModifier)
        if not shift and not held & Qt.KeyboardModifier.ControlModifier:
            self.step_requested.emit(1 if by > 0 else -1)
            return
        assert self.content is not None
        current = self.content.stretch_at(self.position)
        border = -1 if current is None else current - (not shift)
        there = 0 <= border < len(self.content.stretches) - 1
        if there and self.content.editable:
            low, high = self.content.limits_of(border)
            z = self.content.stretches[border].stop + by
            self.border_set.emit(border, min(max(z, low), high))

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Offer what can be done with a stretch."""
        if event.reason() == QContextMenuEvent.Reason.Keyboard:
            x = self.axis.logical(self.position)
            self._open_menu(self.position, QPoint(round(x), self.height()))
        else:
            self._open_menu(self.axis.code(event.pos().x()), event.pos())

    def _open_menu(self, z: float, at: QPoint) -> None:
        index = None if self.content is None else self.content.stretch_at(z)
        if self.content is None or index is None:
            return
        self.touched.emit()
        menu = StretchMenu(self.content, index, z, theme.tokens(), self)
        menu.name_chosen.connect(self.name_requested)
        menu.rename_chosen.connect(self.rename_requested)
        menu.split_chosen.connect(self.split_requested)
        menu.merge_chosen.connect(self.merge_requested)
        menu.reset_chosen.connect(self.reset_requested)
        menu.range_chosen.connect(self.range_requested)
        self.menu_opening.emit(menu)
        menu.popup(self.mapToGlobal(at))


def describe(stretch: StretchSpan) -> str:
    """A stretch in words."""
    lines = (stretch.title, f"code {stretch.span}", stretch.quality, stretch.note)
    return "\n".join(line for line in lines if line)


def _count(content: SpectrumContent | None) -> int:
    return 0 if content is None else len(content.stretches)
