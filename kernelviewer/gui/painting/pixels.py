"""Painting by the pixel: device pixels, captions, and the ring of the focus."""

from __future__ import annotations

from contextlib import contextmanager
from math import floor
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import (
    QColor,
    QFocusEvent,
    QFont,
    QFontMetricsF,
    QHelpEvent,
    QPainter,
)
from PySide6.QtWidgets import QToolTip, QWidget

from kernelviewer.gui import theme
from kernelviewer.gui.text import as_tip

if TYPE_CHECKING:
    from collections.abc import Iterator

    from PySide6.QtCore import QObject, QRect
    from PySide6.QtGui import QPaintEvent
    from PySide6.QtWidgets import QAbstractScrollArea

_CAPTION = 11 / 13
_REASON = Qt.FocusReason
_BY_KEYBOARD = (
    _REASON.TabFocusReason,
    _REASON.BacktabFocusReason,
    _REASON.ShortcutFocusReason,
)
_PASSING = (
    _REASON.ActiveWindowFocusReason,
    _REASON.PopupFocusReason,
    _REASON.MenuBarFocusReason,
)
"""The focus goes to another window or a menu, and comes back."""


def caption_font(font: QFont) -> QFont:
    """Font of captions: a little smaller."""
    small = QFont(font)
    if font.pixelSize() > 0:
        small.setPixelSize(max(9, round(font.pixelSize() * _CAPTION)))
    else:
        small.setPointSizeF(font.pointSizeF() * _CAPTION)
    return small


def baseline(font: QFont, top: float, height: float) -> float:
    """Where text of this font stands that is centred in a line."""
    metrics = QFontMetricsF(font)
    return top + (height + metrics.ascent() - metrics.descent()) / 2


@contextmanager
def device_pixels(painter: QPainter, ratio: float) -> Iterator[None]:
    """Let a painter count in device pixels, from a whole one, for a while.

    At fractional pixel ratios a widget may start between two device pixels.
    """
    painter.save()
    painter.scale(1 / ratio, 1 / ratio)
    at = painter.deviceTransform()
    # halves go up, as where Qt clips; round() would send every other one down
    x, y = floor(at.dx() + 0.5), floor(at.dy() + 0.5)
    painter.translate(x - at.dx(), y - at.dy())
    yield
    painter.restore()


def device_length(length: float, ratio: float) -> int:
    """A logical length in whole device pixels, at least one."""
    return max(1, round(length * ratio))


def logical(box: QRect, ratio: float) -> QRectF:
    """A box of device pixels in logical pixels."""
    return QRectF(
        box.x() / ratio, box.y() / ratio, box.width() / ratio, box.height() / ratio
    )


def paint_outline(painter: QPainter, box: QRect, line: int, colour: QColor) -> None:
    """Border just inside of a box, sharp where the painter counts device pixels."""
    width, height = box.width(), box.height()
    painter.fillRect(box.left(), box.top(), width, line, colour)
    painter.fillRect(box.left(), box.bottom() - line + 1, width, line, colour)
    painter.fillRect(box.left(), box.top(), line, height, colour)
    painter.fillRect(box.right() - line + 1, box.top(), line, height, colour)


def is_ringed(event: QFocusEvent, before: bool) -> bool:
    """True if there is a ring after the focus came or went; ``before``: until then."""
    if event.reason() in _PASSING:
        return before
    return event.gotFocus() and event.reason() in _BY_KEYBOARD


class Ringed(QWidget):
    """Paints a ring where ``_ringed`` says so: for who came by keyboard.

    Attributes
    ----------
    wished, least
        Width and height, pixels, of one whose size does not hang on its content.
    """

    wished, least = (320, 190), (160, 100)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._ringed = False

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Qt: who comes by keyboard sees where the focus is."""
        super().focusInEvent(event)
        self._ringed = is_ringed(event, self._ringed)
        self.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Qt: the focus goes elsewhere."""
        super().focusOutEvent(event)
        self._ringed = is_ringed(event, self._ringed)
        self.update()

    def sizeHint(self) -> QSize:
        """Qt: wished size."""
        return QSize(*self.wished)

    def minimumSizeHint(self) -> QSize:
        """Qt: smallest size."""
        return QSize(*self.least)

    def words_at(self, place: QPointF) -> str | None:
        """What is under the cursor, for a tooltip; None: as the whole widget says."""
        return None

    def event(self, event: QEvent) -> bool:
        """Qt: say more about what is under the cursor."""
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            words = self.words_at(QPointF(event.pos()))
            if words is not None:
                QToolTip.showText(event.globalPos(), as_tip(words), self)
                return True
        return super().event(event)

    def paint_message(self, painter: QPainter, text: str) -> None:
        """Say in place of what is painted what would fill the widget."""
        painter.setPen(QColor(theme.tokens().secondary))
        flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
        painter.drawText(self.rect().adjusted(12, 0, -12, 0), flags, text)
        self.paint_outer_ring(painter)

    def paint_outer_ring(self, painter: QPainter) -> None:
        """A ring along the edge, for what has no parts that could have one."""
        if self._ringed:
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(self.palette().link().color())
            painter.drawRect(QRectF(self.rect()).adjusted(1.5, 0.5, -1.5, -1.5))


class AreaRing(QWidget):
    """The ring of an area that scrolls, which paints only its contents itself."""

    def __init__(self, area: QAbstractScrollArea) -> None:
        super().__init__(area)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.hide()
        self._area = area
        area.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Qt: the area gets or loses the focus, or another size."""
        if isinstance(event, QFocusEvent):
            self.setGeometry(self._area.rect())
            self.setVisible(is_ringed(event, not self.isHidden()))
            self.raise_()
        elif event.type() == QEvent.Type.Resize:
            self.setGeometry(self._area.rect())
        return False

    def paintEvent(self, event: QPaintEvent) -> None:
        """Qt: paint the ring in the colour of links, the accent."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(self.palette().link().color())
        box = QRectF(self.rect()).adjusted(1.5, 0.5, -1.5, -1.5)
        painter.drawRoundedRect(box, 4, 4)
