"""The density strip: how many kernels bear which code."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRect, QSize
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QSizePolicy

from kernelviewer.gui.painting.fonts import baseline
from kernelviewer.gui.text import spaced
from kernelviewer.gui.views.spectrum.brush import BrushedStrip
from kernelviewer.gui.views.spectrum.density import fitting_bars, join_bins

if TYPE_CHECKING:
    from PySide6.QtGui import QPainter
    from PySide6.QtWidgets import QWidget

    from kernelviewer.gui.views.spectrum.content import SpectrumContent
    from kernelviewer.gui.views.spectrum.density import Density

_HEIGHT, _LOWEST = 46, 28
_BAR = 4
"""Narrowest bar, logical pixels."""
_HEADROOM = 2
"""Above the highest bar."""


class CodeHistogram(BrushedStrip):
    """Histogram of the codes, the selected part in the accent colour, with a brush."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("codeHistogram", "Histogram of the codes", parent)
        expanding = QSizePolicy.Policy.Expanding
        self.setSizePolicy(expanding, expanding)
        self.density: Density | None = None
        self._message = ""

    def set_content(self, content: SpectrumContent | None) -> None:
        """Know the spectrum; none of it is drawn here."""
        self.content = content

    def set_density(self, density: Density | None) -> None:
        """Show other counts; None: the message."""
        self.density = density
        self.redraw()

    def set_message(self, text: str) -> None:
        """Say why there are no counts yet."""
        self._message = text
        self.redraw()

    def can_brush(self) -> bool:
        """Whether there are codes to select."""
        return self.density is not None

    @property
    def bars(self) -> int:
        """Number of bars."""
        return fitting_bars(self.axis.length, self.pixels(_BAR))

    def sizeHint(self) -> QSize:
        """Qt: wished size."""
        return QSize(600, _HEIGHT)

    def minimumSizeHint(self) -> QSize:
        """Qt: least size."""
        return QSize(120, _LOWEST)

    def draw(self, painter: QPainter, width: int, height: int) -> None:
        """The bars."""
        if self.density is None:
            self._draw_message(painter)
            return
        bars, axis = self.bars, self.axis
        shown = join_bins(self.density.shown, bars)
        selected = join_bins(self.density.selected, bars)
        scale = (height - self.pixels(_HEADROOM)) / max(1, int(shown.max()))
        grey, accent = QColor(self.tokens.neutral), QColor(self.tokens.accent)
        edges = [axis.pixel(i / bars) for i in range(bars + 1)]
        gap = self.pixels(1)
        for i in shown.nonzero()[0].tolist():
            left, bar = edges[i], max(1, edges[i + 1] - edges[i] - gap)
            tall = max(1, round(int(shown[i]) * scale))
            marked = min(tall, round(int(selected[i]) * scale))
            marked = max(marked, int(selected[i] > 0))
            painter.fillRect(left, height - tall, bar, tall - marked, grey)
            painter.fillRect(left, height - marked, bar, marked, accent)

    def _draw_message(self, painter: QPainter) -> None:
        painter.scale(self.ratio, self.ratio)
        painter.setPen(QColor(self.tokens.secondary))
        y = baseline(self.font(), 0, self.height())
        painter.drawText(QPointF(self.axis.logical(0), y), self._message)

    def tip_at(self, point: QPointF) -> tuple[str, QRect]:
        """How many kernels a bar stands for."""
        if self.density is None:
            return "", QRect()
        bars, axis = self.bars, self.axis
        bar = min(int(axis.code(point.x()) * bars), bars - 1)
        shown = int(join_bins(self.density.shown, bars)[bar])
        selected = int(join_bins(self.density.selected, bars)[bar])
        text = (
            f"code {bar / bars:.3f}–{(bar + 1) / bars:.3f}\n"
            f"{spaced(shown)} of {spaced(int(self.density.shown.sum()))} kernels"
        )
        if selected:
            text += f", {spaced(selected)} of them selected"
        left, right = (round(axis.logical(i / bars)) for i in (bar, bar + 1))
        return text, QRect(left, 0, max(1, right - left), self.height())
