"""Colours and marks of the pattern classes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, QSize
from PySide6.QtGui import QColor, QIcon, QPainter, QPen, QPixmap
from PySide6.QtWidgets import QSizePolicy, QWidget

from kernelviewer.gui.theme import LIGHT
from kernelviewer.kernels.classes import CLASSES, FLAT

if TYPE_CHECKING:
    from PySide6.QtGui import QPaintEvent

    from kernelviewer.gui.theme import Tokens

SWATCH = 10
_HATCH = 3.5
"""Distance of the hatching's lines, logical pixels."""


def class_colour(class_index: int, *, dark: bool) -> QColor:
    """Colour of a class, an index into `kernelviewer.kernels.classes.CLASSES`."""
    found = CLASSES[class_index]
    return QColor(found.dark if dark else found.light)


def paint_swatch(
    painter: QPainter, box: QRectF, class_index: int, tokens: Tokens
) -> None:
    """Square of a class's colour; that of flat kernels is hatched."""
    colour = class_colour(class_index, dark=tokens.dark)
    paint_square(painter, box, colour, hatched=CLASSES[class_index] is FLAT)


def paint_square(
    painter: QPainter, box: QRectF, colour: QColor, *, hatched: bool
) -> None:
    """Square of a colour, full or hatched."""
    if not hatched:
        painter.fillRect(box, colour)
        return
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setClipRect(box)
    painter.setPen(QPen(colour, 1.2))
    x = box.left() - box.height()
    while x < box.right():
        foot, head = QPointF(x, box.bottom()), QPointF(x + box.height(), box.top())
        painter.drawLine(foot, head)
        x += _HATCH
    painter.drawRect(box)
    painter.restore()


def swatch_icon(class_index: int, tokens: Tokens, ratio: float) -> QIcon:
    """The same as an icon for menus."""
    side = round(SWATCH * ratio)
    picture = QPixmap(side, side)
    picture.setDevicePixelRatio(ratio)
    picture.fill(QColor(0, 0, 0, 0))
    painter = QPainter(picture)
    paint_swatch(painter, QRectF(0, 0, SWATCH, SWATCH), class_index, tokens)
    painter.end()
    return QIcon(picture)


class ClassSwatch(QWidget):
    """Square in the colour of a class; empty without one. Its name stands beside."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        fixed = QSizePolicy.Policy.Fixed
        self.setSizePolicy(fixed, fixed)
        self._tokens = LIGHT
        self._class_index: int | None = None

    def set_theme(self, tokens: Tokens) -> None:
        """Use these colours."""
        self._tokens = tokens
        self.update()

    def set_class(self, class_index: int | None) -> None:
        """Show the colour of a class; None: nothing."""
        if class_index != self._class_index:
            self._class_index = class_index
            self.update()

    def sizeHint(self) -> QSize:
        """Qt: wished size."""
        return QSize(SWATCH, SWATCH)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Qt: paint the square."""
        if self._class_index is not None:
            painter = QPainter(self)
            paint_swatch(painter, QRectF(self.rect()), self._class_index, self._tokens)
