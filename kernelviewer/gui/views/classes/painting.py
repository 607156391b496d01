"""Boxes in class colours, the same in both class charts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor, QPen

from kernelviewer.kernels.classes import CLASSES, FLAT

if TYPE_CHECKING:
    from PySide6.QtCore import QRectF
    from PySide6.QtGui import QPainter

    from kernelviewer.gui.theme import Tokens

HATCH = 5
"""Distance of the lines that mark flat kernels, pixels."""
PALE = 0.38
"""Opacity of kernels below the threshold, in the colour of their best class."""


def class_colour(index: int, tokens: Tokens) -> QColor:
    """Colour of a class by its index into `CLASSES`."""
    item = CLASSES[index]
    return QColor(item.dark if tokens.dark else item.light)


def fill_class(
    painter: QPainter, box: QRectF, index: int, tokens: Tokens, *, pale: bool = False
) -> None:
    """Fill a box in a class's colour; flat kernels are hatched."""
    colour = class_colour(index, tokens)
    if CLASSES[index] is FLAT:
        _hatch(painter, box, colour)
        return
    if pale:
        colour.setAlphaF(PALE)
    painter.fillRect(box, colour)


def _hatch(painter: QPainter, box: QRectF, colour: QColor) -> None:
    painter.save()
    painter.setClipRect(box)
    painter.setPen(QPen(colour, 1))
    x = box.left() - box.height()
    while x < box.right():
        painter.drawLine(QPointF(x, box.bottom()), QPointF(x + box.height(), box.top()))
        x += HATCH
    painter.restore()


def elided(painter: QPainter, text: str, width: float) -> str:
    """As much of the text as fits, its middle left out."""
    middle = Qt.TextElideMode.ElideMiddle
    return painter.fontMetrics().elidedText(text, middle, int(width))
