"""How far the kernels of each layer moved: patterns, scales and classes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QRectF, Qt, Signal
from PySide6.QtGui import QColor

from kernelviewer.gui import theme
from kernelviewer.gui.painting.layers import RIGHT, TOP, LayerAxis, paint_spread
from kernelviewer.gui.text import percent, signed, spaced

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PySide6.QtGui import QPainter
    from PySide6.QtWidgets import QWidget

    from kernelviewer.state.comparing import LayerDrift

_TITLES = ("1 − cosine", "ln scale ratio", "class changed")
_DOT = 4.0
"""Room above a chart, px, for a median at its very top."""
_LINES = 3.2
"""Least height of a chart with its title, lines of text."""


@dataclass(frozen=True, slots=True)
class _Track:
    """One of the charts above each other: range of its values, and where it lies."""

    title: str
    low: float
    high: float
    box: QRectF

    def place(self, value: float) -> float:
        """How far down a value lies."""
        value = min(max(value, self.low), self.high)
        share = (value - self.low) / (self.high - self.low)
        return self.box.bottom() - share * self.box.height()


class DriftChart(LayerAxis):
    """Medians, quartiles and 5 to 95 % by layer, the null pale beside."""

    layer_requested = Signal(object, object)
    """Both layers, a pair of `LayerRef`, and the keys held."""
    wished = (420, 200)

    def __init__(self, parent: QWidget | None = None) -> None:
        title = "How far the kernels of each layer moved"
        super().__init__("drift", title, parent)
        self.layers: tuple[LayerDrift, ...] = ()

    def set_layers(
        self,
        layers: tuple[LayerDrift, ...],
        labels: Sequence[str] = (),
        message: str = "",
    ) -> None:
        """Show layers under short names, or say what would fill the view."""
        self.layers = layers
        self._set_labels(labels, message)

    def ask(self, number: int, keys: Qt.KeyboardModifier) -> None:
        """Ask for both layers."""
        self.layer_requested.emit(self.layers[number].refs, keys)

    def _tracks(self, line: float) -> list[_Track]:
        """The charts from top to bottom, as many as can be read.

        The null's outer parts may be beyond them.
        """
        apart, ratios = [0.05], [0.05]
        for layer in self.layers:
            apart += [1 - value for value in layer.summary.cosine]
            apart.append(1 - layer.null.median_cosine)
            ratios += map(abs, layer.summary.scale_ratio)
            ratios += map(abs, layer.null.scale_ratio[1:-1])
        furthest = max(value for value in apart if value == value)
        reach = max(value for value in ratios if value == value)
        room = self.height() - TOP - self._foot(line)
        many = min(3, max(1, int(room / (_LINES * line))))
        ranges = ((0.0, furthest), (-reach, reach), (0.0, 1.0))[:many]
        high = room / many
        return [
            _Track(
                title,
                *span,
                QRectF(
                    self.left,
                    TOP + number * high + line + _DOT,
                    self.width() - self.left - RIGHT,
                    max(8.0, high - line - _DOT - 5),
                ),
            )
            for number, (title, span) in enumerate(zip(_TITLES, ranges, strict=False))
        ]

    def _paint_charts(self, painter: QPainter, line: float) -> None:
        tracks = self._tracks(line)
        for track in tracks:
            self._paint_track(painter, track, line)
        names = ("channels shuffled", "pairs")
        self._paint_legend(painter, line, _TITLES[0], names)

        def paint(number: int, box: QRectF) -> None:
            layer = self.layers[number]
            painter.setOpacity(1.0 if layer.shown else 0.35)
            self._paint_layer(painter, tracks, box, layer)
            painter.setOpacity(1.0)

        self._each(painter, paint)
        self._paint_labels(painter, tracks[-1].box.bottom() + 4, line)

    def _paint_track(self, painter: QPainter, track: _Track, line: float) -> None:
        tokens, box = theme.tokens(), track.box
        painter.setPen(QColor(tokens.text))
        head = QRectF(self.left, box.top() - _DOT - line, box.width(), line)
        painter.drawText(head, Qt.AlignmentFlag.AlignVCenter, track.title)
        values = [track.low, track.high]
        if track.low < 0:
            values.append(0.0)
        for value in values:
            y = track.place(value)
            painter.fillRect(
                QRectF(box.left(), y, box.width(), 1), QColor(tokens.separator)
            )
            text = f"{100 * value:.0f} %" if track.title == _TITLES[2] else _tick(value)
            place = QRectF(0, y - line / 2, box.left() - 5, line)
            flags = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
            painter.setPen(QColor(tokens.secondary))
            if value or box.height() >= 2.4 * line or track.low == 0:
                painter.drawText(place, flags, text)

    def _paint_layer(
        self, painter: QPainter, tracks: list[_Track], box: QRectF, layer: LayerDrift
    ) -> None:
        tokens = theme.tokens()
        mine, null = QColor(tokens.accent), QColor(tokens.disabled)
        wide = min(7.0, box.width() * 0.28)
        at, beside = box.center().x() - wide * 0.75, box.center().x() + wide * 0.75
        both = (
            (at, mine, layer.summary, layer.changed),
            (beside, null, layer.null, layer.null_changed),
        )
        for x, colour, summary, changed in both:
            apart = tuple(1 - value for value in reversed(summary.cosine))
            for track, values in zip(
                tracks, (apart, summary.scale_ratio), strict=False
            ):
                places = [track.place(value) for value in values]
                paint_spread(painter, x, wide, colour, places)
            for track in tracks[2:] if changed == changed else ():
                top = track.place(changed)
                bar = QRectF(x - wide / 2, top, wide, track.box.bottom() - top)
                painter.fillRect(bar.adjusted(0, -1, 0, 0), colour)

    def tip(self, number: int) -> str:
        """A layer in words."""
        layer = self.layers[number]
        before, after = layer.names
        summary, null = layer.summary, layer.null
        lines = [before if before == after else f"{before} → {after}"]
        lines.append(f"{spaced(summary.pairs)} pairs")
        if flat := summary.pairs - summary.patterned:
            lines[-1] += f", {spaced(flat)} of them with a flat kernel"
        if summary.patterned:
            lines.append(
                f"median cosine {_number(summary.median_cosine)} "
                f"(channels shuffled {_number(null.median_cosine)})"
            )
            middle = len(summary.scale_ratio) // 2
            ratio = signed(f"{summary.scale_ratio[middle]:+.3f}")
            lines.append(f"median ln scale ratio {ratio}")
        if layer.changed == layer.changed:
            text = f"{percent(layer.changed)} changed class"
            if layer.null_changed == layer.null_changed:
                text += f" (channels shuffled {percent(layer.null_changed)})"
            lines.append(text)
        return "\n".join(lines)


def _number(value: float) -> str:
    return "unknown" if value != value else signed(f"{value:.3f}")


def _tick(value: float) -> str:
    return signed(f"{value:.2f}" if abs(value) < 10 else f"{value:.0f}")
