"""How many kernels bear which code: counted, drawn, and brushed for a range."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QPointF, QRect, QSize, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPen, QPolygonF
from PySide6.QtWidgets import QApplication, QSizePolicy

from kernelviewer.gui import theme
from kernelviewer.gui.acts import mode_of
from kernelviewer.gui.painting.pixels import baseline
from kernelviewer.gui.text import spaced
from kernelviewer.gui.views.spectrum.strip import Strip

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PySide6.QtGui import QHideEvent, QKeyEvent, QMouseEvent
    from PySide6.QtWidgets import QWidget

    from kernelviewer.gui.views.spectrum.content import SpectrumContent
    from kernelviewer.state.selection import Mode

BINS = 1024
"""Bins of the code's axis; the view joins as many as a bar is wide."""
_NO_CODE = BINS
_HIDDEN, _MARKED = np.uint16(1 << 11), np.uint16(1 << 12)
_REACH = 4
"""An edge of the range is taken this near to it, logical pixels."""
_STEPS = {Qt.Key.Key_Left: -0.01, Qt.Key.Key_Right: 0.01}
_FIRST_RANGE = 0.02
"""On both sides of the cursor, when a key begins a range."""
_NARROWEST = 1e-3
"""Ranges that keys make are at least this wide."""
_HEIGHT, _LOWEST = 46, 28
_BAR, _DOT = 4, 2
"""Narrowest bar, logical pixels."""
_HEADROOM = 2
"""Above the highest bar."""


@dataclass(frozen=True, slots=True, eq=False)
class Density:
    """Kernels per bin of the code."""

    shown: NDArray[np.int64]
    selected: NDArray[np.int64]
    """int64 [BINS]; selected kernels are among those shown."""


def bin_codes(codes: NDArray[np.float32]) -> NDArray[np.uint16]:
    """Bin of each code [N], to be kept; kernels without a code (NaN) get none."""
    with np.errstate(invalid="ignore"):
        scaled = codes * np.float32(BINS)
        bins = scaled.astype(np.int32)
        outside = ~((scaled >= 0) & (scaled <= BINS))
    np.minimum(bins, BINS - 1, out=bins)
    bins[outside] = _NO_CODE
    return bins.astype(np.uint16)


def count_codes(
    bins: NDArray[np.uint16],
    shown: NDArray[np.bool_] | None = None,
    selected: NDArray[np.bool_] | None = None,
) -> Density:
    """Count the kernels of each bin: 2 ms for a million.

    Parameters
    ----------
    bins
        What `bin_codes` gave, [N].
    shown, selected
        bool [N]: kernels in scope (None: all), and those marked (None: none).
    """
    # Telling kinds of kernels apart by higher bits counts all of them in one pass;
    # picking kernels by a mask would take three times as long.
    index = bins
    if shown is not None:
        index = index + (~shown) * _HIDDEN
    if selected is not None:
        index = index + selected * _MARKED
    counts = np.bincount(index, minlength=2 * int(_MARKED)).reshape(2, 2, -1)
    unmarked, marked = counts[:, 0, :BINS]
    return Density(unmarked + marked, marked)


def join_bins(counts: NDArray[np.int64], bars: int) -> NDArray[np.int64]:
    """Counts of ``bars`` equal bars, a divisor of `BINS`."""
    joined: NDArray[np.int64] = counts.reshape(bars, -1).sum(axis=1)
    return joined


def fitting_bars(pixels: int, narrowest: int) -> int:
    """Number of bars, a divisor of `BINS`, that are at least so many pixels wide."""
    bars = BINS
    while bars > 1 and pixels < bars * narrowest:
        bars //= 2
    return bars


@dataclass(slots=True)
class Brush:
    """A range from where it began to the mouse, and how it joins the selection."""

    anchor: float
    end: float
    mode: Mode

    @property
    def range(self) -> tuple[float, float]:
        """Lower and upper code."""
        return min(self.anchor, self.end), max(self.anchor, self.end)


class BrushedStrip(Strip):
    """A strip on which ranges of codes are drawn.

    A drag asks for a range (plain replaces, Shift adds, Ctrl subtracts, both
    intersect); dragging an edge of the range that is shown changes it; a click moves
    the cursor. The arrow keys move the range, with Shift its upper and with Ctrl its
    lower edge.
    """

    range_moved = Signal(float, float, str)
    """Lower and upper code and a `Mode`, while the brush is drawn."""
    range_requested = Signal(float, float, str)
    """The same, when it is let go."""
    range_dropped = Signal()
    """The brush was given up: nothing is to change."""
    clear_requested = Signal()
    """Escape, while a range is shown."""

    def __init__(self, name: str, title: str, parent: QWidget | None = None) -> None:
        super().__init__(name, title, parent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._ranges: tuple[tuple[float, float], ...] = ()
        self._brush: Brush | None = None
        self._pressed: QPointF | None = None
        self._held = Qt.KeyboardModifier.NoModifier

    def set_ranges(self, ranges: tuple[tuple[float, float], ...]) -> None:
        """Mark the ranges of codes that are selected by code."""
        if ranges != self._ranges:
            self._ranges = ranges
            self.update()

    def can_brush(self) -> bool:
        """Whether there is something to select."""
        return self.content is not None

    def drop(self) -> None:
        """Give the brush up."""
        brush, self._brush, self._pressed = self._brush, None, None
        if brush is not None:
            self.update()
            self.range_dropped.emit()

    def draw_over(self, painter: QPainter, width: int, height: int) -> None:
        """The ranges, the brush, the cursor."""
        replaced = self._brush is not None and self._brush.mode == "replace"
        for low, high in () if replaced else self._ranges:
            self._draw_range(painter, low, high, height)
        if self._brush is not None:
            self._draw_range(painter, *self._brush.range, height)
        super().draw_over(painter, width, height)

    def _draw_range(
        self, painter: QPainter, low: float, high: float, height: int
    ) -> None:
        left, right = self.axis.pixel(low), self.axis.pixel(high)
        for z in (low, high):
            self.draw_line(painter, z, theme.tokens().accent)
        accent = QColor(theme.tokens().accent)
        accent.setAlphaF(0.12)
        painter.fillRect(left, 0, right - left, height, accent)

    # Mouse

    def take_press(self, event: QMouseEvent) -> bool:
        """A brush may begin here; a click moves the cursor when it ends."""
        self._pressed, self._held = event.position(), event.modifiers()
        return True

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Draw the brush."""
        x = event.position().x()
        if self._pressed is None:
            near = self._edge_at(x) is not None
            shapes = Qt.CursorShape
            self.setCursor(shapes.SizeHorCursor if near else shapes.ArrowCursor)
            return
        far = abs(x - self._pressed.x()) >= QApplication.startDragDistance()
        if self._brush is None and far and self.can_brush():
            self._brush = self._begin(self._pressed.x())
        if self._brush is not None:
            self._brush.end = self.axis.code(x)
            self.update()
            self.range_moved.emit(*self._brush.range, self._brush.mode)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Ask for what the brush or the click means."""
        if event.button() != Qt.MouseButton.LeftButton or self._pressed is None:
            return
        brush, self._brush = self._brush, None
        pressed, self._pressed = self._pressed, None
        self.update()
        if brush is not None:
            self.range_requested.emit(*brush.range, brush.mode)
        elif self.content is not None:
            self.position_requested.emit(self.axis.code(pressed.x()))

    def _begin(self, x: float) -> Brush:
        """A new range, or the one shown taken by an edge."""
        edge, mode = self._edge_at(x), mode_of(self._held)
        if edge is not None and mode == "replace":
            low, high = self._ranges[0]
            return Brush(high if edge == low else low, edge, mode)
        z = self.axis.code(x)
        return Brush(z, z, mode)

    def _edge_at(self, x: float) -> float | None:
        """The edge of the only range that is near, as a code."""
        if len(self._ranges) != 1:
            return None
        axis = self.axis
        near = [z for z in self._ranges[0] if abs(axis.logical(z) - x) <= _REACH]
        return min(near, key=lambda z: abs(axis.logical(z) - x), default=None)

    def hideEvent(self, event: QHideEvent) -> None:
        """A hidden strip has no gesture."""
        self.drop()
        super().hideEvent(event)

    # Keyboard

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Move the range or its edges; Escape gives up or clears."""
        escape = event.key() == Qt.Key.Key_Escape
        if escape and self._brush is not None:
            self.drop()
        elif escape and self._ranges:
            self.clear_requested.emit()
        elif event.key() in _STEPS and self.can_brush():
            self._ask_by_key(_STEPS[Qt.Key(event.key())], event.modifiers())
        else:
            super().keyPressEvent(event)

    def _ask_by_key(self, by: float, held: Qt.KeyboardModifier) -> None:
        if len(self._ranges) == 1:
            low, high = moved_range(*self._ranges[0], by, held)
        else:
            low = max(self.position - _FIRST_RANGE, 0.0)
            high = min(self.position + _FIRST_RANGE, 1.0)
        self.range_requested.emit(low, high, "replace")


def moved_range(
    low: float, high: float, by: float, held: Qt.KeyboardModifier
) -> tuple[float, float]:
    """A range after a key: plain moves it, Shift its upper, Ctrl its lower end."""
    if held & Qt.KeyboardModifier.ShiftModifier:
        return low, min(max(high + by, low + _NARROWEST), 1.0)
    if held & Qt.KeyboardModifier.ControlModifier:
        return max(min(low + by, high - _NARROWEST), 0.0), high
    by = min(max(by, -low), 1 - high)
    return low + by, high + by


class CodeHistogram(BrushedStrip):
    """Histogram of the codes, the selected part in the accent colour, with a brush."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("codeHistogram", "Histogram of the codes", parent)
        expanding = QSizePolicy.Policy.Expanding
        self.setSizePolicy(expanding, expanding)
        self.density: Density | None = None
        self.path: tuple[float, ...] = ()
        self._step = 0
        self._message = ""

    def set_content(self, content: SpectrumContent | None) -> None:
        """Know the spectrum; none of it is drawn here."""
        self.content = content

    def set_density(self, density: Density | None) -> None:
        """Show other counts; None: the message."""
        self.density = density
        self.redraw()

    def set_message(self, text: str) -> None:
        """Say why there are no counts yet."""
        self._message = text
        self.redraw()

    def set_path(self, path: tuple[float, ...], step: int) -> None:
        """Draw the way of one kernel along a run, from the top down.

        Parameters
        ----------
        path
            Its code at each step; NaN where it has none. Empty: no way.
        step
            Index of the present one.
        """
        self.path, self._step = path, step
        self.update()

    def can_brush(self) -> bool:
        """Whether there are codes to select."""
        return self.density is not None

    @property
    def bars(self) -> int:
        """Number of bars."""
        return fitting_bars(self.axis.length, self.pixels(_BAR))

    def sizeHint(self) -> QSize:
        """Qt: wished size."""
        return QSize(600, _HEIGHT)

    def minimumSizeHint(self) -> QSize:
        """Qt: least size."""
        return QSize(120, _LOWEST)

    def draw(self, painter: QPainter, width: int, height: int) -> None:
        """The bars."""
        if self.density is None:
            self._draw_message(painter)
            return
        bars, axis = self.bars, self.axis
        shown = join_bins(self.density.shown, bars)
        selected = join_bins(self.density.selected, bars)
        scale = (height - self.pixels(_HEADROOM)) / max(1, int(shown.max()))
        grey, accent = QColor(theme.tokens().neutral), QColor(theme.tokens().accent)
        there = shown.nonzero()[0]
        places = np.rint(np.arange(bars + 1) / bars * axis.length).astype(int)
        wide = np.maximum(1, np.diff(places) - self.pixels(1))
        tall = np.maximum(1, np.rint(shown * scale)).astype(int)
        marked = np.minimum(tall, np.rint(selected * scale).astype(int))
        marked = np.maximum(marked, selected > 0)
        columns = (axis.left + places[:-1], wide, tall, marked)
        for left, bar, high, low in np.stack(columns, 1)[there].tolist():
            painter.fillRect(left, height - high, bar, high - low, grey)
            if low:
                painter.fillRect(left, height - low, bar, low, accent)

    def draw_over(self, painter: QPainter, width: int, height: int) -> None:
        """The way of the focused kernel under the ranges and the cursor."""
        if self.path:
            self._draw_path(painter, height)
        super().draw_over(painter, width, height)

    def _draw_path(self, painter: QPainter, height: int) -> None:
        radius = float(self.pixels(_DOT))
        down = np.linspace(2 * radius, height - 2 * radius, len(self.path))
        places = {
            step: QPointF(self.axis.pixel(code), y)
            for step, (code, y) in enumerate(zip(self.path, down, strict=True))
            if code == code
        }
        text, accent = QColor(theme.tokens().text), QColor(theme.tokens().accent)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(text, self.pixels(1)))
        painter.drawPolyline(QPolygonF([*places.values()]))
        painter.setPen(Qt.PenStyle.NoPen)
        for step, place in places.items():
            now = step == self._step
            painter.setBrush(accent if now else text)
            painter.drawEllipse(place, radius * (1 + now), radius * (1 + now))
        painter.restore()

    def _draw_message(self, painter: QPainter) -> None:
        painter.scale(self.ratio, self.ratio)
        painter.setPen(QColor(theme.tokens().secondary))
        y = baseline(self.font(), 0, self.height())
        painter.drawText(QPointF(self.axis.logical(0), y), self._message)

    def spans(self) -> list[tuple[float, float]]:
        """The bars."""
        if self.density is None:
            return []
        bars = self.bars
        there = join_bins(self.density.shown, bars).nonzero()[0].tolist()
        return [(bar / bars, (bar + 1) / bars) for bar in there]

    def tip_at(self, point: QPointF) -> tuple[str, QRect]:
        """How many kernels a bar stands for."""
        if self.density is None:
            return "", QRect()
        bars, axis = self.bars, self.axis
        bar = min(int(axis.code(point.x()) * bars), bars - 1)
        shown = int(join_bins(self.density.shown, bars)[bar])
        selected = int(join_bins(self.density.selected, bars)[bar])
        text = (
            f"code {bar / bars:.3f}–{(bar + 1) / bars:.3f}\n"
            f"{spaced(shown)} of {spaced(int(self.density.shown.sum()))} kernels"
        )
        if selected:
            text += f", {spaced(selected)} of them selected"
        if self.path:
            text += "\nthe line: the focused kernel's code, first step at the top"
        left, right = (round(axis.logical(i / bars)) for i in (bar, bar + 1))
        return text, QRect(left, 0, max(1, right - left), self.height())
