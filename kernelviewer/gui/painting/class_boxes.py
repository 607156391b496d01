"""Boxes in class colours: bars of charts and of the tree."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QPen

from kernelviewer.gui.painting.classes import class_colour
from kernelviewer.kernels.classes import CLASSES, FLAT

if TYPE_CHECKING:
    from collections.abc import Iterable

    from PySide6.QtCore import QRectF
    from PySide6.QtGui import QColor, QPainter


HATCH = 5
"""Distance of the lines that mark flat kernels, pixels."""
PARTING = 0.8
"""Free line between the parts of a bar, pixels."""
LEAST_PARTED = 3
"""Parts this thick, pixels, have such a line."""
PALE = 0.38
"""Opacity of kernels below the threshold, in the colour of their best class."""


def fill_class(
    painter: QPainter, box: QRectF, index: int, *, dark: bool, pale: bool = False
) -> None:
    """Fill a box in a class's colour; flat kernels are hatched."""
    colour = class_colour(index, dark=dark)
    if CLASSES[index] is FLAT:
        _hatch(painter, box, colour)
        return
    if pale:
        colour.setAlphaF(PALE)
    painter.fillRect(box, colour)


def fill_stack(
    painter: QPainter,
    parts: Iterable[tuple[int, QRectF, bool]],
    *,
    dark: bool,
    upright: bool,
) -> None:
    """Fill the parts of a stacked bar: class index, box, and whether it is pale.

    A line of the ground stays free between parts that are thick enough, so that
    neighbours are told apart without their colours.
    """
    for index, box, pale in parts:
        if upright and box.height() >= LEAST_PARTED:
            box = box.adjusted(0, PARTING, 0, 0)
        elif not upright and box.width() >= LEAST_PARTED:
            box = box.adjusted(0, 0, -PARTING, 0)
        fill_class(painter, box, index, dark=dark, pale=pale)


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
