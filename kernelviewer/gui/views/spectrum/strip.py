"""A picture along the code, 0 … 1, and the axis that all of them share."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, floor
from typing import TYPE_CHECKING, cast

from PySide6.QtCore import QEvent, QPointF, QRect, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QImage, QPainter
from PySide6.QtWidgets import QSizePolicy, QToolTip

from kernelviewer.gui import theme
from kernelviewer.gui.accessible import Listed, one_line
from kernelviewer.gui.controls import named
from kernelviewer.gui.painting.pixels import (
    Ringed,
    device_length,
    device_pixels,
    paint_outline,
)
from kernelviewer.gui.text import as_tip

if TYPE_CHECKING:
    from PySide6.QtGui import (
        QHelpEvent,
        QKeyEvent,
        QMouseEvent,
        QPaintEvent,
        QResizeEvent,
    )
    from PySide6.QtWidgets import QWidget

    from kernelviewer.gui.views.spectrum.content import SpectrumContent

MARGIN = 12
"""At both ends, logical pixels."""
_TICK_STEPS = (0.05, 0.1, 0.2, 0.25, 0.5, 1.0)
CURSOR = 1.5
"""Width of the cursor's line, logical pixels."""


@dataclass(frozen=True, slots=True)
class Axis:
    """Codes 0 … 1 along device pixels."""

    left: int
    length: int
    """Where code 0 lies, and how much further code 1: device pixels."""
    ratio: float
    """Device pixels per logical pixel."""

    @classmethod
    def across(cls, width: int, ratio: float) -> Axis:
        """The axis of a widget of this logical width."""
        left = round(MARGIN * ratio)
        return cls(left, max(1, int(width * ratio) - 2 * left - 1), ratio)

    def pixel(self, z: float) -> int:
        """Device pixel of a code."""
        return self.left + round(min(max(z, 0.0), 1.0) * self.length)

    def logical(self, z: float) -> float:
        """Logical x of a code."""
        return self.pixel(z) / self.ratio

    def code(self, x: float) -> float:
        """Code at a logical x, held within 0 … 1."""
        return min(max((x * self.ratio - self.left) / self.length, 0.0), 1.0)

    def span(self, width: float) -> float:
        """How much of the axis so many logical pixels are."""
        return width * self.ratio / self.length

    def ticks(self, widest: float) -> list[tuple[float, str]]:
        """Codes to mark, with their text, none wider than ``widest`` logical pixels."""
        room = self.length / self.ratio
        step = next((s for s in _TICK_STEPS if s * room >= widest), 1.0)
        decimals = 2 if step in (0.05, 0.25) else 1
        codes = [round(i * step, 2) for i in range(round(1 / step) + 1)]
        return [(z, f"{z:.0f}" if z in (0, 1) else f"{z:.{decimals}f}") for z in codes]


class Strip(Listed, Ringed):
    """A picture along the axis that is kept, and the cursor's line over it.

    A subclass draws the picture in `draw` and what moves in `draw_over`, both in device
    pixels; a press that it does not take moves the cursor. Setters never emit.
    """

    position_requested = Signal(float)
    touched = Signal()
    """A mouse button went down."""

    def __init__(self, name: str, title: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        named(self, name, title)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setMouseTracking(True)
        horizontal, fixed = QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed
        self.setSizePolicy(horizontal, fixed)
        self.content: SpectrumContent | None = None
        self.position = 0.0
        self._guide: float | None = None
        self._scrubbing = False
        self._origin = 0.0
        self._picture: QImage | None = None

    # Setters

    def set_content(self, content: SpectrumContent | None) -> None:
        """Show another spectrum."""
        self.content = content
        self.redraw()

    def set_position(self, z: float) -> None:
        """Move the cursor."""
        if z != self.position:
            item = self.item_now() if self.hasFocus() else None
            before, self.position = self.position, z
            self._update_columns(before, z)
            if self.hasFocus() and self.item_now() != item:
                self.tell_item()

    def set_guide(self, z: float | None) -> None:
        """Mark a place that is being chosen; None: none."""
        if z != self._guide:
            before, self._guide = self._guide, z
            self._update_columns(*(at for at in (before, z) if at is not None))

    # For subclasses

    @property
    def ratio(self) -> float:
        """Device pixels per logical pixel."""
        return self.devicePixelRatioF()

    @property
    def axis(self) -> Axis:
        """Where codes lie."""
        return Axis.across(self.width(), self.ratio)

    def pixels(self, length: float) -> int:
        """Logical to device pixels, at least one."""
        return device_length(length, self.ratio)

    def redraw(self) -> None:
        """Draw the picture anew."""
        self._picture = None
        self.update()

    def draw(self, painter: QPainter, width: int, height: int) -> None:
        """Draw the picture on the panel's ground, in device pixels."""

    def draw_over(self, painter: QPainter, width: int, height: int) -> None:
        """Draw what moves, in device pixels."""
        self.draw_line(painter, self.position, theme.tokens().accent, CURSOR)

    def draw_line(
        self, painter: QPainter, z: float, colour: str, width: float = 1
    ) -> None:
        """A line across the strip at a code; beyond its ends, so that lines join."""
        line, height = self.pixels(width), ceil(self.height() * self.ratio)
        x = self.axis.pixel(z) - line // 2
        painter.fillRect(x, -2, line, height + 4, QColor(colour))

    def tip_at(self, point: QPointF) -> tuple[str, QRect]:
        """What to say of a place, and where it holds; empty: nothing."""
        return "", QRect()

    def spans(self) -> list[tuple[float, float]]:
        """Lower and upper code of each item, in order."""
        return []

    def take_press(self, event: QMouseEvent) -> bool:
        """True if a press begins something else than moving the cursor."""
        return False

    def _update_columns(self, *codes: float) -> None:
        """Paint anew where lines were and are."""
        axis, wide = self.axis, ceil(CURSOR) + 2
        for z in codes:
            left = floor(axis.logical(z)) - wide
            self.update(left, 0, 2 * wide, self.height())

    # Items, as a screen reader has them: what has a tooltip of its own

    def _tip_of(self, item: int) -> tuple[str, QRect]:
        low, high = self.spans()[item]
        x = self.axis.logical((low + high) / 2)
        return self.tip_at(QPointF(x, self.height() / 2))

    def item_count(self) -> int:
        """Parts of the axis that say something."""
        return len(self.spans())

    def item_name(self, item: int) -> str:
        """What a part says."""
        return one_line(self._tip_of(item)[0])

    def item_box(self, item: int) -> QRectF | None:
        """Where it is."""
        return QRectF(self._tip_of(item)[1])

    def item_at(self, place: QPointF) -> int | None:
        """The part at a place."""
        return self._item_of(self.axis.code(place.x()))

    def item_now(self) -> int | None:
        """The part that the cursor is in."""
        return self._item_of(self.position)

    def _item_of(self, z: float) -> int | None:
        return next(
            (i for i, (low, high) in enumerate(self.spans()) if low <= z <= high), None
        )

    # Qt

    def paintEvent(self, event: QPaintEvent) -> None:
        """Copy the picture, then draw what moves."""
        ratio = self.ratio
        width, height = ceil(self.width() * ratio), ceil(self.height() * ratio)
        if self._picture is None:
            self._picture = self._draw(width, height)
        painter = QPainter(self)
        # at fractional ratios the strip may begin and end between two device pixels
        ground = QColor(theme.tokens().panel)
        painter.fillRect(self.rect().adjusted(-1, -1, 1, 1), ground)
        with device_pixels(painter, ratio):
            painter.drawImage(0, 0, self._picture)
            self.draw_over(painter, width, height)
            if self._guide is not None:
                self.draw_line(painter, self._guide, theme.tokens().text)
            if self._ringed:
                box, accent = QRect(0, 0, width, height), QColor(theme.tokens().accent)
                paint_outline(painter, box, self.pixels(1), accent)

    def _draw(self, width: int, height: int) -> QImage:
        picture = QImage(width, height, QImage.Format.Format_RGB32)
        picture.fill(QColor(theme.tokens().panel))
        painter = QPainter(picture)
        painter.setFont(self.font())
        self.draw(painter, width, height)
        painter.end()
        return picture

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Begin to move the cursor, or what the subclass does."""
        if event.button() != Qt.MouseButton.LeftButton:
            event.ignore()
            return
        self.touched.emit()
        if not self.take_press(event) and self.content is not None:
            self._scrubbing, self._origin = True, self.position
            self.position_requested.emit(self.axis.code(event.position().x()))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """The cursor follows the mouse."""
        if self._scrubbing:
            self.position_requested.emit(self.axis.code(event.position().x()))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Let go."""
        if event.button() == Qt.MouseButton.LeftButton:
            self._scrubbing = False

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Escape gives moving the cursor up."""
        if event.key() == Qt.Key.Key_Escape and self._scrubbing:
            self._scrubbing = False
            self.position_requested.emit(self._origin)
        else:
            super().keyPressEvent(event)

    def event(self, event: QEvent) -> bool:
        """Tooltips; and whole device pixels on whatever screen the window is."""
        if event.type() == QEvent.Type.ToolTip:
            self._show_tip(cast("QHelpEvent", event))
            return True
        done = super().event(event)
        if event.type() == QEvent.Type.DevicePixelRatioChange:
            self.updateGeometry()
            self.redraw()
        return done

    def changeEvent(self, event: QEvent) -> None:
        """Names follow the font, all follows the colours."""
        super().changeEvent(event)
        if theme.is_theme_change(event):
            self.redraw()
        if event.type() == QEvent.Type.FontChange:
            self.updateGeometry()
            self.redraw()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Fill the new width."""
        super().resizeEvent(event)
        self.redraw()

    def _show_tip(self, event: QHelpEvent) -> None:
        text, area = self.tip_at(QPointF(event.pos()))
        if text:
            QToolTip.showText(event.globalPos(), as_tip(text), self, area)
        else:
            QToolTip.hideText()
