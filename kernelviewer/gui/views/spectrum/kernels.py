"""The decoded kernels along the code, as many as fit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QRect, QSize
from PySide6.QtWidgets import QSizePolicy

from kernelviewer.gui import theme
from kernelviewer.gui.painting.kernels import (
    WeightColours,
    as_pictures,
    enlarge,
    fit_taps,
    to_image,
)
from kernelviewer.gui.views.spectrum.strip import Strip

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PySide6.QtCore import QEvent, QPointF
    from PySide6.QtGui import QPainter
    from PySide6.QtWidgets import QWidget

    from kernelviewer.gui.views.spectrum.content import SpectrumContent

_TALL = 40
"""Height wished for, logical pixels; whole taps come near to it."""
_WIDEST = {1: 64, 2: _TALL, 3: 170}
"""Number of dimensions → width wished for; slices stand side by side."""
_GAPS = {1: 10, 2: 2, 3: 12}
"""Between two kernels; more where a kernel is itself a row of things."""
_BELOW = 4


class KernelStrip(Strip):
    """What the code looks like from 0 to 1: each kernel stands at its code."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("spectrumKernels", "Decoded kernels along the code", parent)
        fixed = QSizePolicy.Policy.Fixed
        self.setSizePolicy(QSizePolicy.Policy.Expanding, fixed)
        self._colours: NDArray[np.float64] = np.full((3, 3), 128.0)
        self._paints = self._make_paints()

    def changeEvent(self, event: QEvent) -> None:
        """Qt: other colours."""
        super().changeEvent(event)
        if theme.is_theme_change(event):
            self._paints = self._make_paints()

    def set_colours(self, colours: NDArray[np.float64]) -> None:
        """Colour weights by [K, 3] of 0 … 255, zero in the middle."""
        self._colours = colours
        self._paints = self._make_paints()
        self.redraw()

    def set_content(self, content: SpectrumContent | None) -> None:
        """Show another spectrum."""
        before = self.content
        if before and content and before.table is content.table:
            self.content = content
            return
        super().set_content(content)
        self.updateGeometry()

    def sizeHint(self) -> QSize:
        """Qt: wished size, whole taps at this pixel ratio."""
        height = self._cell()[1] / self.ratio
        return QSize(600, round(height) + _BELOW)

    def minimumSizeHint(self) -> QSize:
        """Qt: least size."""
        return QSize(120, self.sizeHint().height())

    def codes(self) -> list[float]:
        """Codes of the kernels that are drawn, from left to right."""
        gap = self.pixels(_GAPS[self._dimensions()])
        count = max(1, (self.axis.length + gap) // (self._cell()[0] + gap))
        return [(i + 0.5) / count for i in range(count)]

    def draw(self, painter: QPainter, width: int, height: int) -> None:
        """The kernels."""
        if self.content is None:
            return
        axis, codes = self.axis, self.codes()
        rows = [self.content.row_at(z) for z in codes]
        across, down = self._taps()
        wide = self._cell()[0]
        for z, pixels in zip(
            codes, self._paints.pixels(self.content.table[rows]), strict=True
        ):
            image = to_image(enlarge(pixels, across, down))
            painter.drawImage(axis.pixel(z) - wide // 2, 0, image)

    def tip_at(self, point: QPointF) -> tuple[str, QRect]:
        """Code and class of the kernel under the mouse."""
        if self.content is None:
            return "", QRect()
        axis, codes = self.axis, self.codes()
        z = codes[min(int(axis.code(point.x()) * len(codes)), len(codes) - 1)]
        text, index = f"code {z:.3f}", self.content.stretch_at(z)
        if index is not None:
            text += f"\n{self.content.stretches[index].title}"
        half = axis.length / len(codes) / 2 / self.ratio
        left = round(axis.logical(z) - half)
        return text, QRect(left, 0, round(2 * half), self.height())

    def _make_paints(self) -> WeightColours:
        tokens = theme.tokens()
        return WeightColours.of(self._colours, tokens.panel, tokens.neutral)

    def _shape(self) -> tuple[int, int]:
        """Rows and columns of a kernel's picture."""
        if self.content is None:
            return 7, 7
        rows, columns = as_pictures(self.content.table[:1]).shape[1:]
        return rows, columns

    def _dimensions(self) -> int:
        """Of a kernel; a strip of one row counts as one."""
        if self.content is None:
            return 2
        return 1 if self._shape()[0] == 1 else len(self.content.size)

    def _taps(self) -> tuple[int, int]:
        """Width and height of a tap, device pixels."""
        rows, columns = self._shape()
        widest = self.pixels(_WIDEST[self._dimensions()])
        return fit_taps(rows, columns, widest, self.pixels(_TALL))

    def _cell(self) -> tuple[int, int]:
        """Width and height of a kernel, device pixels."""
        (rows, columns), (across, down) = self._shape(), self._taps()
        return columns * across, rows * down
