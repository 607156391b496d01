"""R² by layer beside white noise, and R² against the number of keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPen, QPolygonF
from PySide6.QtWidgets import QWidget

from kernelviewer.gui import theme
from kernelviewer.gui.controls import named
from kernelviewer.gui.painting.layers import (
    RIGHT,
    TOP,
    LayerAxis,
    left_of_charts,
    paint_spread,
)
from kernelviewer.gui.painting.pixels import caption_font
from kernelviewer.gui.text import spaced

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PySide6.QtGui import QPaintEvent

    from kernelviewer.state.keys import LayerR2

_TITLE = "R² by layer"
_CURVE = "R² by number of keys"
_TICKS = (0.0, 0.5, 1.0)


class R2Chart(LayerAxis):
    """Median, quartiles and deciles of R² by layer, those of white noise pale."""

    layer_requested = Signal(object, object)
    """`LayerRef` of a layer, and the keys held."""
    wished, least = (260, 130), (150, 96)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("r2", "How much of each layer's kernels the keys keep", parent)
        self.layers: tuple[LayerR2, ...] = ()
        self.null: tuple[float, ...] = ()
        self._null_mean = float("nan")

    def set_layers(
        self,
        layers: tuple[LayerR2, ...],
        labels: Sequence[str] = (),
        null: tuple[float, ...] = (),
        null_mean: float = float("nan"),
    ) -> None:
        """Show layers under short names, beside white noise's quantiles and mean."""
        self.layers, self.null, self._null_mean = layers, null, null_mean
        self._set_labels(labels, "")

    def ask(self, number: int, keys: Qt.KeyboardModifier) -> None:
        """Ask for the layer."""
        self.layer_requested.emit(self.layers[number].ref, keys)

    def _paint_charts(self, painter: QPainter, line: float) -> None:
        tokens = theme.tokens()
        high = self.height() - TOP - line - self._foot(line)
        wide = self.width() - self.left - RIGHT
        box = QRectF(self.left, TOP + line, wide, max(8.0, high))
        painter.setPen(QColor(tokens.text))
        head = QRectF(self.left, TOP, box.width(), line)
        painter.drawText(head, Qt.AlignmentFlag.AlignVCenter, _TITLE)
        paint_scale(painter, box, line)
        self._paint_legend(painter, line, _TITLE, ("white noise", "kernels"))
        mine, null = QColor(tokens.accent), QColor(tokens.disabled)

        def paint(number: int, own: QRectF) -> None:
            wide = min(7.0, own.width() * 0.28)
            middle = own.center().x()
            for x, colour, values in (
                (middle - wide * 0.75, mine, self.layers[number].quantiles),
                (middle + wide * 0.75, null, self.null),
            ):
                places = [box.bottom() - value * box.height() for value in values]
                paint_spread(painter, x, wide, colour, places)

        self._each(painter, paint)
        self._paint_labels(painter, box.bottom() + 4, line)

    def tip(self, number: int) -> str:
        """A layer in words."""
        layer = self.layers[number]
        return (
            f"{layer.name}\n{spaced(layer.kernels)} kernels with a pattern\n"
            f"mean R² {layer.mean:.3f} (white noise {self._null_mean:.3f}), "
            f"median {layer.quantiles[2]:.3f}"
        )


class KeyCurve(QWidget):
    """Mean R² with the first 1, 2, … keys, that of white noise pale."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        named(self, "keyCurve", _CURVE)
        self.curve: tuple[tuple[float, float], ...] = ()

    def set_curve(self, curve: tuple[tuple[float, float], ...]) -> None:
        """Show R² of the kernels and of noise with 1, 2, … keys."""
        self.curve = curve
        lines = [
            f"{number}: {mean:.3f} (white noise {null:.3f})"
            for number, (mean, null) in enumerate(curve, start=1)
        ]
        shown = lines if len(lines) <= 16 else [*lines[:15], "…", lines[-1]]
        self.setToolTip("\n".join([_CURVE, *shown]) if curve else "")
        self.setAccessibleDescription(lines[-1] if lines else "")
        self.update()

    def sizeHint(self) -> QSize:
        """Qt: wished size."""
        return QSize(200, 110)

    def minimumSizeHint(self) -> QSize:
        """Qt: smallest size."""
        return QSize(140, 90)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Qt: paint both lines."""
        if not self.curve:
            return
        painter, tokens = QPainter(self), theme.tokens()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(caption_font(self.font()))
        line = QFontMetricsF(painter.font()).height()
        high = self.height() - TOP - 2 * line - 6
        left = left_of_charts(self.font())
        box = QRectF(left, TOP + line, self.width() - left - RIGHT, max(8.0, high))
        painter.setPen(QColor(tokens.text))
        head = QRectF(left, TOP, box.width(), line)
        painter.drawText(head, Qt.AlignmentFlag.AlignVCenter, _CURVE)
        paint_scale(painter, box, line)
        last = len(self.curve)
        for column, colour in ((1, tokens.disabled), (0, tokens.accent)):
            values = (0.0, *(point[column] for point in self.curve))
            points = [
                QPointF(
                    box.left() + box.width() * number / last,
                    box.bottom() - value * box.height(),
                )
                for number, value in enumerate(values)
            ]
            painter.setPen(QPen(QColor(colour), 1.5))
            painter.drawPolyline(QPolygonF(points))
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(colour))
            for point in points[1:] if last <= 24 else points[-1:]:
                painter.drawEllipse(point, 2.2, 2.2)
            painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QColor(tokens.secondary))
        at = QRectF(box.left(), box.bottom() + 2, box.width() + 8, line)
        painter.drawText(at, Qt.AlignmentFlag.AlignLeft, "0")
        text = f"{last} keys" if last > 1 else "1 key"
        painter.drawText(at, Qt.AlignmentFlag.AlignRight, text)


def paint_scale(painter: QPainter, box: QRectF, line: float) -> None:
    """R² from 0 to 1 at the left of a chart."""
    tokens = theme.tokens()
    flags = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
    painter.setPen(QColor(tokens.secondary))
    for value in _TICKS:
        y = box.bottom() - value * box.height()
        painter.fillRect(
            QRectF(box.left(), y, box.width(), 1), QColor(tokens.separator)
        )
        if value in (0.0, 1.0) or box.height() >= 2.4 * line:
            place = QRectF(0, y - line / 2, box.left() - 5, line)
            painter.drawText(place, flags, f"{value:g}")
