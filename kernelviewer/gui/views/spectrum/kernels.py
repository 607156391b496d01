"""The decoded kernels along the code, as many as fit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QRect, QSize, Qt
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
from kernelviewer.latent.axis import largest_that_shows_all, place_kernels

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PySide6.QtCore import QEvent, QPointF
    from PySide6.QtGui import QPainter
    from PySide6.QtWidgets import QWidget

    from kernelviewer.gui.views.spectrum.content import SpectrumContent
    from kernelviewer.gui.views.spectrum.strip import Axis

_TALL = 32
"""Height wished for, logical pixels; whole taps come near to it."""
_WIDEST = {1: 64, 2: _TALL, 3: 170}
"""Number of dimensions → width wished for; slices stand side by side."""
_GAPS = {1: 10, 2: 2, 3: 12}
"""Between two kernels; more where a kernel is itself a row of things."""
_BELOW = 4


class KernelStrip(Strip):
    """What the code looks like from 0 to 1: each kernel stands at its code.

    A wider strip shows more kernels; which ones is decided by the spectrum alone. In a
    narrow one kernels are up to half as large, so that each class has one.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("spectrumKernels", "Decoded kernels along the code", parent)
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)  # the slider has the keys
        fixed = QSizePolicy.Policy.Fixed
        self.setSizePolicy(QSizePolicy.Policy.Expanding, fixed)
        self._colours: NDArray[np.float64] = np.full((3, 3), 128.0)
        self._paints = self._make_paints()
        self._placed: list[tuple[float, int]] = []
        self._side = 0
        self._made_for: tuple[Axis, int] | None = None

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
        self._placed = []
        if (
            before
            and content
            and before.table is content.table
            and before.spans == content.spans
        ):
            self.content = content
            return
        super().set_content(content)
        self.updateGeometry()

    def sizeHint(self) -> QSize:
        """Qt: wished size, whole taps at this pixel ratio."""
        height = self._cell(self._largest())[1] / self.ratio
        return QSize(600, round(height) + _BELOW)

    def minimumSizeHint(self) -> QSize:
        """Qt: least size."""
        return QSize(120, self.sizeHint().height())

    def codes(self) -> list[float]:
        """Codes of the kernels that are drawn, from left to right."""
        return [code for code, _ in self.places()]

    def places(self) -> list[tuple[float, int]]:
        """The same, with the left edge of each kernel, device pixels."""
        made_for = (self.axis, self._largest())
        if not self._placed or self._made_for != made_for:
            self._made_for = made_for
            self._place(*made_for)
        return self._placed

    @property
    def wide(self) -> int:
        """Width of the kernels that are drawn, device pixels."""
        self.places()
        return self._cell(self._side)[0]

    def _place(self, axis: Axis, largest: int) -> None:
        stretches = self.content.stretches if self.content else ()
        spans = [(stretch.start, stretch.stop) for stretch in stretches]
        names = [stretch.label for stretch in stretches]
        gap = self.pixels(_GAPS[self._dimensions()])
        sides = range(largest, largest // 2, -1)
        ways = [(axis.length, self._cell(side)[0] + gap) for side in sides]
        chosen = largest_that_shows_all(spans, names, ways)
        self._side, (length, pitch) = sides[chosen], ways[chosen]
        self._placed = [
            (code, axis.left + round(at) - (pitch - gap) // 2)
            for code, at in place_kernels(spans, names, length, pitch)
        ]

    def draw(self, painter: QPainter, width: int, height: int) -> None:
        """The kernels."""
        if self.content is None:
            return
        rows = [self.content.row_at(z) for z in self.codes()]
        drawn = self._paints.pixels(self.content.table[rows])
        top = (self._cell(self._largest())[1] - self._cell(self._side)[1]) // 2
        taps = self._taps(self._side)
        for (_, left), pixels in zip(self.places(), drawn, strict=True):
            painter.drawImage(left, top, to_image(enlarge(pixels, *taps)))

    def spans(self) -> list[tuple[float, float]]:
        """The kernels."""
        return [] if self.content is None else [(z, z) for z in self.codes()]

    def _item_of(self, z: float) -> int | None:
        codes = self.codes() if self.content else []
        near = range(len(codes))
        return min(near, key=lambda item: abs(codes[item] - z), default=None)

    def tip_at(self, point: QPointF) -> tuple[str, QRect]:
        """Code and class of the kernel under the mouse."""
        if self.content is None:
            return "", QRect()
        x, wide = point.x() * self.ratio, self.wide
        z, at = min(self.places(), key=lambda place: abs(place[1] + wide / 2 - x))
        text, index = f"code {z:.3f}", self.content.stretch_at(z)
        if index is not None:
            text += f"\n{self.content.stretches[index].title}"
        left, right = at / self.ratio, (at + wide) / self.ratio
        return text, QRect(round(left), 0, round(right - left), self.height())

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

    def _box(self) -> tuple[int, int]:
        """Width and height wished for, device pixels."""
        return self.pixels(_WIDEST[self._dimensions()]), self.pixels(_TALL)

    def _largest(self) -> int:
        """Side of a tap, device pixels, where there is room."""
        return min(fit_taps(*self._shape(), *self._box()))

    def _taps(self, side: int) -> tuple[int, int]:
        """Width and height of a tap of this side, device pixels."""
        largest = self._largest()
        width, height = (length * side // largest for length in self._box())
        return fit_taps(*self._shape(), width, height)

    def _cell(self, side: int) -> tuple[int, int]:
        """Width and height of a kernel, device pixels."""
        (rows, columns), (across, down) = self._shape(), self._taps(side)
        return columns * across, rows * down
