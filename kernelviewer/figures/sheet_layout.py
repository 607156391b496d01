"""Where the layers of a sheet go: in columns, with kernels as large as fit the page."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from kernelviewer.figures.errors import FigureError
from kernelviewer.figures.names import count
from kernelviewer.figures.tiling import Blocks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kernelviewer.figures.fonts import Face
    from kernelviewer.figures.options import FigureOptions
    from kernelviewer.figures.tiling import Tiling

_PAGE_HEIGHT = 240.0
_LARGEST, _LARGEST_TAP = 2.4, 0.14
"""A kernel is at most so large, or its taps are, in units of the font size."""
_SMALLEST = 1.0
"""It is not made smaller than this, in mm, just to stay on one page."""
_NUMBER = 0.75
"""Height of a channel's number in the same units."""
_MOST_COLUMNS = 6
_COLUMN = 18.0
"""Least width of a column in units of the font size."""


@dataclass(frozen=True, slots=True)
class Column:
    """Layers ``first … last − 1`` below each other, from ``x`` mm on."""

    first: int
    last: int
    x: float
    tiling: Tiling


@dataclass(frozen=True, slots=True)
class SheetLayout:
    """The columns of a sheet and their width in mm, channel numbers included."""

    columns: tuple[Column, ...]
    width: float

    @property
    def height(self) -> float:
        """Height of the tallest column in mm."""
        return max(column.tiling.height for column in self.columns)

    @property
    def tap_pixels(self) -> int:
        """Pixels of a tap."""
        return self.columns[0].tiling.tap_pixels


def arrange(
    cell: tuple[int, int],
    counts: Sequence[int],
    options: FigureOptions,
    face: Face,
    gutter: float,
    rest: float,
) -> SheetLayout:
    """The layout with the largest kernels; of equal ones that with fewer columns.

    Parameters
    ----------
    cell
        Rows and columns of a kernel.
    counts
        Kernels of each layer.
    gutter
        Room for channel numbers left of each column, mm.
    rest
        Height in mm that is taken already.

    Raises
    ------
    FigureError
        It does not fit into the height or the width asked for.
    """
    grid = _Grid(cell, tuple(counts), options, face, gutter)
    room = (options.height_mm or _PAGE_HEIGHT) - rest
    found = [
        layout for columns in grid.choices() if (layout := grid.largest(columns, room))
    ]
    best = max(found, key=lambda layout: layout.tap_pixels, default=None)
    if best and (options.height_mm or best.tap_pixels >= grid.comfortable):
        return best
    smallest = [grid.lay_out(columns, 1) for columns in grid.choices()]
    fitting = [layout for layout in smallest if grid.is_narrow(layout)]
    if not fitting:
        raise FigureError(
            f"a kernel is wider than {options.width_mm - 2 * face.margin:.0f} mm at "
            f"{options.dpi} dpi",
            "Make the figure wider or its resolution higher.",
        )
    if options.height_mm is not None:
        needed = min(layout.height for layout in fitting) + rest
        raise FigureError(
            f"{count(len(counts), 'layer')} do not fit into {options.height_mm:g} mm",
            f"Make the figure {needed:.0f} mm high, or show less.",
        )
    tall = [grid.lay_out(columns, grid.comfortable) for columns in grid.choices()]
    narrow = [layout for layout in tall if grid.is_narrow(layout)] or fitting
    return min(narrow, key=lambda layout: layout.height)


@dataclass(frozen=True, slots=True)
class _Grid:
    """What is to be laid out."""

    cell: tuple[int, int]
    counts: tuple[int, ...]
    options: FigureOptions
    face: Face
    gutter: float

    @property
    def comfortable(self) -> int:
        """Pixels of a tap below which kernels are hard to see."""
        pixel = 25.4 / self.options.dpi
        return max(1, -int(-_SMALLEST / max(self.cell) / pixel // 1))

    def choices(self) -> range:
        """Numbers of columns to try."""
        room = self.options.width_mm - 2 * self.face.margin
        fits = int((room + self._between) / (_COLUMN * self.face.em + self._between))
        return range(1, max(1, min(fits, _MOST_COLUMNS, len(self.counts))) + 1)

    def largest(self, columns: int, room: float) -> SheetLayout | None:
        """The layout with the largest taps that fits into ``room`` mm."""
        em = self.face.em
        largest = max(_LARGEST * em, _LARGEST_TAP * em * max(self.cell))
        most = self._blocks(columns).most_pixels(largest)
        for tap_pixels in range(most, 0, -1):
            layout = self.lay_out(columns, tap_pixels)
            if layout.height <= room and self.is_narrow(layout):
                return layout
        return None

    def is_narrow(self, layout: SheetLayout) -> bool:
        """Whether the kernels fit into the width of their column."""
        room = layout.width - self.gutter + 1e-6
        return all(column.tiling.width <= room for column in layout.columns)

    def lay_out(self, columns: int, tap_pixels: int) -> SheetLayout:
        """Columns of about equal height for one size of taps."""
        plan = self._blocks(columns)
        whole = plan.tile(tap_pixels)
        ends = (*whole.starts[1:], whole.rows)
        heights = [end - start for start, end in zip(whole.starts, ends, strict=True)]
        width = plan.width + self.gutter
        found = []
        for number, (first, last) in enumerate(_split(heights, columns)):
            some = self.counts[first:last]
            per_row = min(whole.per_row, max(some))
            tiling = replace(plan, counts=some, per_row=per_row).tile(tap_pixels)
            x = self.face.margin + number * (width + self._between)
            found.append(Column(first, last, x, tiling))
        return SheetLayout(tuple(found), width)

    @property
    def _between(self) -> float:
        return 1.5 * self.face.em

    def _blocks(self, columns: int) -> Blocks:
        room = self.options.width_mm - 2 * self.face.margin
        width = (room - (columns - 1) * self._between) / columns
        return Blocks(
            cell=self.cell,
            counts=self.counts,
            width=width - self.gutter,
            dpi=self.options.dpi,
            before=1.15 * self.face.line() if self.options.labels else 0.0,
            after=0.25 * self.face.line(),
            least=_NUMBER * self.face.em if self.gutter else 0.0,
        )


def _split(heights: Sequence[int], columns: int) -> list[tuple[int, int]]:
    """Ranges of up to ``columns`` groups in order, the tallest as low as can be."""
    low, high = max(heights), sum(heights)
    while low < high:
        middle = (low + high) // 2
        if len(_packed(heights, middle)) <= columns:
            high = middle
        else:
            low = middle + 1
    return _packed(heights, low)


def _packed(heights: Sequence[int], most: int) -> list[tuple[int, int]]:
    """Ranges of groups that are filled one after the other up to ``most``."""
    groups: list[tuple[int, int]] = []
    first, filled = 0, 0
    for number, height in enumerate(heights):
        if filled + height > most and number > first:
            groups.append((first, number))
            first, filled = number, 0
        filled += height
    return [*groups, (first, len(heights))]
