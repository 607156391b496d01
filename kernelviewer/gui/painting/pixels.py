"""Painting in whole device pixels, at any pixel ratio."""

from __future__ import annotations

from contextlib import contextmanager
from math import floor
from typing import TYPE_CHECKING

from PySide6.QtCore import QRectF

if TYPE_CHECKING:
    from collections.abc import Iterator

    from PySide6.QtCore import QRect
    from PySide6.QtGui import QColor, QPainter


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
