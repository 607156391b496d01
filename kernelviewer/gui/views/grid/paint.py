"""What stands over the kernels: headings, the focus, the rubber band, the message."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF

from kernelviewer.gui.painting.classes import paint_square

if TYPE_CHECKING:
    from PySide6.QtCore import QRect
    from PySide6.QtGui import QPainter

    from kernelviewer.gui.theme import Tokens
    from kernelviewer.gui.views.grid.mosaic import GridGroup

HEADING_PADDING = 6
"""Above and below a heading's text, logical pixels."""
_SWATCH = 9
_MESSAGE_WIDTH = 420


def align_to_pixels(painter: QPainter, ratio: float) -> None:
    """Let the painter count in device pixels from a whole one.

    At fractional pixel ratios a widget may start between two device pixels.
    """
    painter.scale(1 / ratio, 1 / ratio)
    at = painter.deviceTransform()
    painter.translate(round(at.dx()) - at.dx(), round(at.dy()) - at.dy())


def heading_font(font: QFont) -> QFont:
    """The font of headings, from the widget's."""
    bold = QFont(font)
    bold.setWeight(QFont.Weight.DemiBold)
    return bold


def heading_height(font: QFont) -> float:
    """Height of a group's heading, logical pixels."""
    return QFontMetricsF(heading_font(font)).height() + 2 * HEADING_PADDING


def paint_heading(
    painter: QPainter, box: QRectF, group: GridGroup, theme: Tokens, font: QFont
) -> None:
    """One heading: square, title, note; the title is shortened where it must be."""
    x = box.left()
    if group.colour is not None:
        square = QRectF(x, box.center().y() - _SWATCH / 2, _SWATCH, _SWATCH)
        paint_square(painter, square, QColor(group.colour), hatched=group.hatched)
        x += _SWATCH + 6
    bold = heading_font(font)
    note_width = QFontMetricsF(font).horizontalAdvance(group.note)
    room = box.right() - x - (note_width + 12 if group.note else 0)
    metrics = QFontMetricsF(bold)
    title = metrics.elidedText(group.title, Qt.TextElideMode.ElideMiddle, room)
    baseline = box.center().y() + (metrics.ascent() - metrics.descent()) / 2
    painter.setFont(bold)
    painter.setPen(QColor(theme.text))
    painter.drawText(QPointF(x, baseline), title)
    painter.setFont(font)
    painter.setPen(QColor(theme.secondary))
    x += metrics.horizontalAdvance(title) + 12
    painter.drawText(QPointF(x, baseline), group.note)


def paint_stuck_heading(
    painter: QPainter,
    box: QRectF,
    group: GridGroup,
    theme: Tokens,
    font: QFont,
    margin: float,
) -> None:
    """The heading of the rows below, held at the top of the view while they pass."""
    painter.fillRect(box, QColor(theme.panel))
    line = QRectF(box.left(), box.bottom() - 1, box.width(), 1)
    painter.fillRect(line, QColor(theme.separator))
    inner = box.adjusted(margin, 0, -margin, 0)
    paint_heading(painter, inner, group, theme, font)


def paint_frame(painter: QPainter, box: QRect, line: int, colour: str) -> None:
    """A border just outside of a box; sharp, the painter counting device pixels."""
    outer = box.adjusted(-line, -line, line, line)
    brush = QColor(colour)
    width, height = outer.width(), outer.height()
    painter.fillRect(outer.left(), outer.top(), width, line, brush)
    painter.fillRect(outer.left(), outer.bottom() - line + 1, width, line, brush)
    painter.fillRect(outer.left(), outer.top(), line, height, brush)
    painter.fillRect(outer.right() - line + 1, outer.top(), line, height, brush)


def paint_corners(painter: QPainter, box: QRect, line: int, colour: str) -> None:
    """The corners of a border just outside of a box; all of it if the box is small."""
    outer = box.adjusted(-line, -line, line, line)
    brush, side = QColor(colour), min(outer.width(), outer.height())
    arm = side if side < 10 * line else max(3 * line, side // 4)
    right, bottom = outer.right() + 1, outer.bottom() + 1
    for x in (outer.left(), right - arm):
        painter.fillRect(x, outer.top(), arm, line, brush)
        painter.fillRect(x, bottom - line, arm, line, brush)
    for y in (outer.top(), bottom - arm):
        painter.fillRect(outer.left(), y, line, arm, brush)
        painter.fillRect(right - line, y, line, arm, brush)


def paint_band(painter: QPainter, box: QRect, line: int, theme: Tokens) -> None:
    """The rubber band."""
    inside = QColor(theme.accent)
    inside.setAlphaF(0.07)
    painter.fillRect(box, inside)
    inner = box.adjusted(line, line, -line, -line)
    paint_frame(painter, inner, line, theme.accent)


def paint_message(
    painter: QPainter, box: QRectF, text: str, theme: Tokens, font: QFont
) -> None:
    """What would fill the empty view."""
    painter.fillRect(box, QColor(theme.panel))
    painter.setFont(font)
    painter.setPen(QColor(theme.secondary))
    width = min(_MESSAGE_WIDTH, box.width() - 24)
    inner = QRectF(box.center().x() - width / 2, box.top(), width, box.height())
    flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
    painter.drawText(inner, int(flags), text)
