"""Rows of kernels below each other, every tap a whole number of pixels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kernelviewer.figures.mosaic import Mosaic, palette
from kernelviewer.watch import NEVER

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from kernelviewer.figures.page import Page
    from kernelviewer.watch import Watch

_MIN_GAP = 0.25
_GAP = 0.11
"""Space between kernels in units of their smaller side."""


@dataclass(frozen=True, slots=True)
class Blocks:
    """What has to be tiled.

    Attributes
    ----------
    cell
        Rows and columns of a kernel, in taps or a multiple of them.
    counts
        Kernels of each block.
    width
        Room across in mm.
    dpi
        Raster.
    before, after
        Room above and below each block in mm.
    per_row
        Kernels in a row; 0: as many as fit.
    least
        A block is at least so high, in mm.
    """

    cell: tuple[int, int]
    counts: tuple[int, ...]
    width: float
    dpi: int
    before: float = 0.0
    after: float = 0.0
    per_row: int = 0
    least: float = 0.0

    def tile(self, tap_pixels: int) -> Tiling:
        """Lay the blocks out with taps of so many pixels."""
        height, width = self.cell
        tap = tap_pixels * 25.4 / self.dpi
        gap = max(1, round(max(_MIN_GAP / tap, _GAP * min(self.cell))))
        columns = int(self.width / tap + 1e-6)
        per_row = self.per_row or max(1, (columns + gap) // (width + gap))
        starts, row = [], 0
        for n in self.counts:
            row += _ceil(self.before / tap)
            starts.append(row)
            lines = max(1, _ceil(n / per_row))
            row += max(lines * (height + gap) - gap, _ceil(self.least / tap))
            row += gap + _ceil(self.after / tap)
        return Tiling(self.cell, tap_pixels, tap, gap, per_row, tuple(starts), row)

    def fit(self, height: float, largest: float) -> Tiling | None:
        """The largest taps with which all fits into ``height`` mm.

        Parameters
        ----------
        height
            Room downwards in mm.
        largest
            No kernel is larger than so many mm.

        Returns
        -------
        Tiling or None
            None if it fits with no size.
        """
        for tap_pixels in range(self.most_pixels(largest), 0, -1):
            tiling = self.tile(tap_pixels)
            if tiling.height <= height and tiling.width <= self.width + 1e-6:
                return tiling
        return None

    def most_pixels(self, largest: float) -> int:
        """Pixels per tap of a kernel of at most ``largest`` mm; at least 1."""
        return max(1, int(largest / max(self.cell) * self.dpi / 25.4))


@dataclass(frozen=True, slots=True)
class Tiling:
    """Where the kernels go; rows, columns and gaps are counted in taps.

    Attributes
    ----------
    cell
        Rows and columns of a kernel.
    tap_pixels, tap
        Side of a tap in pixels and in mm.
    gap
        Taps between kernels.
    per_row
        Kernels in a row.
    starts
        First row of each block.
    rows
        All rows.
    """

    cell: tuple[int, int]
    tap_pixels: int
    tap: float
    gap: int
    per_row: int
    starts: tuple[int, ...]
    rows: int

    @property
    def columns(self) -> int:
        """All columns."""
        return self.per_row * (self.cell[1] + self.gap) - self.gap

    @property
    def width(self) -> float:
        """Width in mm."""
        return self.columns * self.tap

    @property
    def height(self) -> float:
        """Height in mm."""
        return self.rows * self.tap

    @property
    def cell_height(self) -> float:
        """Height of a kernel in mm."""
        return self.cell[0] * self.tap

    @property
    def pitch(self) -> float:
        """Distance from row to row in mm."""
        return (self.cell[0] + self.gap) * self.tap

    def tops(self, y: float) -> Iterator[float]:
        """Upper edge of each block in mm, if the tiling begins at y."""
        return (y + start * self.tap for start in self.starts)

    def draw(
        self,
        page: Page,
        kernels: Sequence[NDArray[np.uint16]],
        x: float,
        y: float,
        watch: Watch = NEVER,
    ) -> None:
        """Draw the blocks, indices of colours [n, rows, columns], as one picture.

        Kernels smaller than the cell are enlarged to it.
        """
        mosaic = Mosaic(self.rows, self.columns)
        pitch = (self.cell[0] + self.gap, self.cell[1] + self.gap)
        for block, start in zip(kernels, self.starts, strict=True):
            watch.check()
            zoom = self.cell[0] // block.shape[1]
            enlarged = block.repeat(zoom, axis=1).repeat(zoom, axis=2)
            mosaic.place(enlarged, start, self.per_row, pitch)
        picture = mosaic.picture(palette(page.options, page.ink), self.tap_pixels)
        page.image(picture, page.snap(x), page.snap(y), self.width, self.height)


def _ceil(value: float) -> int:
    return -int(-(value - 1e-9) // 1)
