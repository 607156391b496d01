"""Classes as colours: swatches, and boxes filled by class."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QIcon, QPainter, QPen, QPixmap
from PySide6.QtWidgets import QSizePolicy, QWidget

from kernelviewer.gui import theme
from kernelviewer.kernels.classes import CLASSES, FLAT, class_shown, ink_on

if TYPE_CHECKING:
    from collections.abc import Iterable

    from PySide6.QtGui import QPaintEvent

    from kernelviewer.gui.theme import Tokens

SWATCH = 10
_HATCH = 3.5
"""Distance of the hatching's lines, logical pixels."""
HATCH = 5
"""Distance of the lines that mark flat kernels, pixels."""
PARTING = 0.8
"""Free line between the parts of a bar, pixels."""
LEAST_PARTED = 3
"""Parts this thick, pixels, have such a line."""
PALE = 0.38
"""Opacity of kernels below the threshold, in the colour of their best class."""


def class_colour(class_index: int, *, dark: bool) -> QColor:
    """Colour of a class, an index into `kernelviewer.kernels.classes.CLASSES`."""
    found = class_shown(class_index)
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
        self._class_index: int | None = None
        self._colour = ""

    def set_class(self, class_index: int | None, colour: str = "") -> None:
        """Show the colour of a class, or its own ``#RRGGBB``; None: nothing."""
        if (class_index, colour) != (self._class_index, self._colour):
            self._class_index, self._colour = class_index, colour
            self.update()

    def sizeHint(self) -> QSize:
        """Qt: wished size."""
        return QSize(SWATCH, SWATCH)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Qt: paint the square."""
        if self._class_index is not None:
            painter, box = QPainter(self), QRectF(self.rect())
            if self._colour:
                painter.fillRect(box, QColor(self._colour))
            else:
                paint_swatch(painter, box, self._class_index, theme.tokens())


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


def paint_mark(
    painter: QPainter, box: QRectF, index: int, tokens: Tokens, *, pale: bool = False
) -> None:
    """A class's letters in the middle of a box, if they have room there."""
    metrics, text = QFontMetricsF(painter.font()), CLASSES[index].mark
    if box.height() < metrics.height() - 1 or box.width() < (
        metrics.horizontalAdvance(text) + 2
    ):
        return
    colour = class_colour(index, dark=tokens.dark)
    plain = pale or CLASSES[index] is FLAT
    ink = tokens.text if plain else ink_on(colour.name())
    if CLASSES[index] is FLAT:
        room = QRectF(0, 0, metrics.horizontalAdvance(text) + 2, metrics.height() - 2)
        room.moveCenter(box.center())
        painter.fillRect(room, QColor(tokens.panel))
    painter.setPen(QColor(ink))
    painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)


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
