"""Where each kernel of the grid stands, in device pixels. Needs no Qt.

A *position* counts kernels in drawing order; *content* coordinates start at the top
left corner of the whole scrolled picture.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

_WIDEST_GAP = 12
"""Space between kernels at the largest zoom, logical pixels."""
_ZOOM_STEP = 1.2


@dataclass(frozen=True, slots=True)
class Cell:
    """One kernel and the space around it, device pixels.

    Attributes
    ----------
    slices, rows, columns
        Taps, as `kernelviewer.gui.views.grid.mosaic.tile_shape` gives them.
    tap
        Pixels per tap.
    gap, slice_gap
        Space between kernels and between the slices of a 3-D kernel.
    """

    slices: int
    rows: int
    columns: int
    tap: int
    gap: int
    slice_gap: int

    @classmethod
    def fit(cls, shape: tuple[int, int, int], tap: int, ratio: float) -> Cell:
        """Cell at ``tap`` pixels per tap on a screen of the given pixel ratio."""
        slices, rows, columns = shape
        side = tap * (rows + slices * columns) / 2
        widest = min(_WIDEST_GAP * ratio, max(tap, 3 * ratio))
        gap = max(1, round(min(side / 10, widest)))
        return cls(slices, rows, columns, tap, gap, max(1, gap // 2))

    @property
    def width(self) -> int:
        """Width of the drawn kernel."""
        taps = self.slices * self.columns * self.tap
        return taps + (self.slices - 1) * self.slice_gap

    @property
    def height(self) -> int:
        """Height of the drawn kernel."""
        return self.rows * self.tap

    @property
    def lead(self) -> int:
        """The part of the gap that lies left of and above the kernel."""
        return self.gap // 2

    @property
    def pitch_x(self) -> int:
        """Distance from one kernel to the next in its row."""
        return self.width + self.gap

    @property
    def pitch_y(self) -> int:
        """Distance from one row of kernels to the next."""
        return self.height + self.gap


def default_tap(shape: tuple[int, int, int]) -> float:
    """Logical pixels per tap at which kernels of this shape are first shown."""
    slices, rows, columns = shape
    return min(max(round(42 / sqrt(rows * slices * columns)), 2), 14)


def zoomed_tap(tap: int, steps: int) -> int:
    """Device pixels per tap some zoom steps further in (or out, if negative)."""
    for _ in range(abs(steps)):
        if steps > 0:
            tap = max(tap + 1, round(tap * _ZOOM_STEP))
        else:
            tap = max(1, min(tap - 1, round(tap / _ZOOM_STEP)))
    return tap


@dataclass(frozen=True, slots=True)
class Block:
    """Whole rows of one group: ``rows`` of them, from position ``first``, at ``y``."""

    first: int
    stop: int
    rows: int
    y: int


class GridLayout:
    """Groups of kernels flowing in rows from left to right.

    Parameters
    ----------
    cell
        Size of one kernel's cell.
    count
        Number of kernels.
    starts
        Int [G]: first position of each group, ascending, the first 0.
    width
        Width of the view.
    margin, heading, space
        Around the whole; height of a group's heading; space between groups.
    """

    def __init__(
        self,
        cell: Cell,
        count: int,
        starts: NDArray[np.int64],
        *,
        width: int,
        margin: int,
        heading: int,
        space: int,
    ) -> None:
        self.cell = cell
        self.count = count
        self.starts = starts
        self.margin = margin
        self.heading = heading
        self.columns = max(1, (width - 2 * margin + cell.gap) // cell.pitch_x)
        self.ends = np.append(starts[1:], count)[: len(starts)]
        self.rows = -(-(self.ends - starts) // self.columns)
        heights = heading + self.rows * cell.pitch_y
        below = np.cumsum(heights + space)
        top = margin if heading == 0 else 0
        self.tops = top + below - heights - space
        self.bottoms = self.tops + heights
        self.height = int(self.bottoms[-1]) + margin if len(starts) else 0
        self.width = 2 * margin + self.columns * cell.pitch_x - cell.gap

    @property
    def left(self) -> int:
        """Content x of the first cell."""
        return self.margin - self.cell.lead

    def group_of(self, position: int) -> int:
        """Index of the group that holds a position."""
        return int(np.searchsorted(self.starts, position, side="right")) - 1

    def group_at(self, y: int) -> int:
        """Index of the last group whose heading starts at or above content y."""
        return max(0, int(np.searchsorted(self.tops, y, side="right")) - 1)

    def origin(self, position: int) -> tuple[int, int]:
        """Content x, y of the top left pixel of a kernel (its gap not counted)."""
        group = self.group_of(position)
        row, column = divmod(position - int(self.starts[group]), self.columns)
        x = self.margin + column * self.cell.pitch_x
        y = int(self.tops[group]) + self.heading + row * self.cell.pitch_y
        return x, y + self.cell.lead

    def position_at(self, x: int, y: int) -> int | None:
        """Position whose cell (kernel and its share of the gap) holds the point."""
        if not self.count or y < 0 or y >= self.height:
            return None
        group = self.group_at(y)
        row = (y - int(self.tops[group]) - self.heading) // self.cell.pitch_y
        column = (x - self.left) // self.cell.pitch_x
        if row < 0 or not 0 <= column < self.columns:
            return None
        position = int(self.starts[group]) + row * self.columns + column
        return position if position < self.ends[group] else None

    def nearest(self, x: int, y: int) -> int | None:
        """Position whose cell is nearest to the point; None if there is no kernel."""
        if not self.count:
            return None
        group = self.group_at(y)
        while group > 0 and self.rows[group] == 0:
            group -= 1
        while self.rows[group] == 0:
            group += 1
        row = (y - int(self.tops[group]) - self.heading) // self.cell.pitch_y
        column = (x - self.left) // self.cell.pitch_x
        row = min(max(row, 0), int(self.rows[group]) - 1)
        column = min(max(column, 0), self.columns - 1)
        start, end = int(self.starts[group]), int(self.ends[group])
        return min(start + row * self.columns + column, end - 1)

    def beside(self, position: int, rows: int) -> int:
        """Position in the same column, one row down (+1) or up (−1), over groups."""
        group = self.group_of(position)
        row, column = divmod(position - int(self.starts[group]), self.columns)
        row += rows
        while not 0 <= row < self.rows[group]:
            group += 1 if rows > 0 else -1
            if not 0 <= group < len(self.starts):
                return position
            row = 0 if rows > 0 else int(self.rows[group]) - 1
        target = int(self.starts[group]) + row * self.columns + column
        return min(target, int(self.ends[group]) - 1)

    def groups_in(self, y0: int, y1: int) -> range:
        """Groups that show something between two content heights."""
        first = int(np.searchsorted(self.bottoms, y0, side="right"))
        return range(first, int(np.searchsorted(self.tops, y1, side="left")))

    def blocks_in(self, y0: int, y1: int) -> Iterator[Block]:
        """Whole rows of kernels between two content heights, one block a group."""
        pitch = self.cell.pitch_y
        for group in self.groups_in(y0, y1):
            top = int(self.tops[group]) + self.heading
            row = max(0, (y0 - top) // pitch)
            stop_row = min(int(self.rows[group]), -((top - y1) // pitch))
            if stop_row <= row:
                continue
            first = int(self.starts[group]) + row * self.columns
            stop = int(self.starts[group]) + stop_row * self.columns
            stop = min(stop, int(self.ends[group]))
            yield Block(first, stop, stop_row - row, top + row * pitch)

    def positions_in(self, x0: int, y0: int, x1: int, y1: int) -> NDArray[np.int64]:
        """Positions of the kernels that a rectangle touches, ascending, int64."""
        cell = self.cell
        column0 = max(0, (x0 - self.margin + cell.gap) // cell.pitch_x)
        column1 = min(self.columns, (x1 - self.margin) // cell.pitch_x + 1)
        groups = np.asarray(self.groups_in(y0, y1 + 1), np.int64)
        tops = self.tops[groups] + self.heading + cell.lead
        row0 = np.maximum((y0 - tops + cell.gap) // cell.pitch_y, 0)
        row1 = np.minimum((y1 - tops) // cell.pitch_y + 1, self.rows[groups])
        rows = np.maximum(row1 - row0, 0)
        within = np.arange(rows.sum()) - np.repeat(np.cumsum(rows) - rows, rows)
        row = within + np.repeat(row0, rows)
        firsts = np.repeat(self.starts[groups], rows) + row * self.columns
        positions = firsts[:, None] + np.arange(column0, max(column0, column1))
        found: NDArray[np.int64] = positions[
            positions < np.repeat(self.ends[groups], rows)[:, None]
        ]
        return found
