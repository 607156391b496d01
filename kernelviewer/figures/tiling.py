"""Kernels as pictures: many in rows, every tap whole pixels; one as a surface."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from kernelviewer.figures.colours import LEVELS, mix, rgb, weight_colours
from kernelviewer.kernels.statistics import without_mean
from kernelviewer.watch import NEVER

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from kernelviewer.figures.colours import Ink
    from kernelviewer.figures.options import FigureOptions
    from kernelviewer.figures.page import Page
    from kernelviewer.watch import Watch

PAPER, PLAIN, HATCH = LEVELS, LEVELS + 1, LEVELS + 2
"""Indices after the colour map: between kernels, and the two tones of flat ones."""
_MAX_PIXELS = 4_000_000
_HATCH_STEP = 3
_THICK = 0.3
"""Width of a kernel with one row in units of its length."""


def as_pictures(weights: NDArray[np.float32]) -> NDArray[np.float32]:
    """Kernels [N, *size] as pictures [N, rows, columns].

    Kernels with one row or one column are drawn thicker than a tap, to be seen; the
    slices of 3-D kernels stand side by side.
    """
    if weights.ndim == 2:
        weights = weights[:, None, :]
    if weights.ndim == 4:
        n, depth, rows, columns = weights.shape
        weights = weights.transpose(0, 2, 1, 3).reshape(n, rows, depth * columns)
    for axis, other in ((1, 2), (2, 1)):
        if weights.shape[axis] == 1:
            thick = max(1, round(_THICK * weights.shape[other]))
            weights = weights.repeat(thick, axis=axis)
    return weights


def drawn_weights(
    weights: NDArray[np.float32], options: FigureOptions
) -> NDArray[np.float32]:
    """Kernels [N, *size] as they are drawn: with their mean or without."""
    return without_mean(weights) if options.mean == "without" else weights


def quantise(
    pictures: NDArray[np.float32],
    flat: NDArray[np.bool_],
    reach: NDArray[np.float32] | None = None,
) -> NDArray[np.uint16]:
    """Indices [N, rows, columns] of the colours of weights.

    Parameters
    ----------
    pictures
        Weights [N, rows, columns]; what is not finite counts as zero.
    flat
        Bool [N]: kernels that get the hatch of flat ones instead.
    reach
        Weight [N] that gets the last colour; default: each kernel's largest.
    """
    weights = np.nan_to_num(pictures, nan=0.0, posinf=0.0, neginf=0.0)
    if reach is None:
        reach = np.abs(weights).max(axis=(1, 2), initial=0.0)
    middle = LEVELS // 2
    reach = np.where(reach > 0, reach, np.inf)[:, None, None]
    with np.errstate(over="ignore"):  # beyond the reach, however far
        steps = np.clip(np.rint(weights / reach * middle), -middle, middle)
    indices: NDArray[np.uint16] = (steps + middle).astype(np.uint16)
    rows, columns = np.indices(pictures.shape[1:])
    hatch = np.where((rows + columns) % _HATCH_STEP, PLAIN, HATCH).astype(np.uint16)
    indices[flat] = hatch
    return indices


def palette(options: FigureOptions, ground: Ink) -> NDArray[np.uint8]:
    """RGB [LEVELS + 3, 3] of the indices."""
    extra = (ground.paper, mix(ground.paper, ground.neutral, 0.22))
    hatch = mix(ground.paper, ground.neutral, 0.75)
    rows = [rgb(colour).astype(np.uint8) for colour in (*extra, hatch)]
    return np.vstack([weight_colours(options.colormap, ground), *rows])


class Mosaic:
    """A picture being filled with kernels, a pixel per tap.

    Parameters
    ----------
    rows, columns
        Its size in taps.
    """

    def __init__(self, rows: int, columns: int) -> None:
        self.indices = np.full((rows, columns), PAPER, np.uint16)

    def place(
        self,
        kernels: NDArray[np.uint16],
        row: int,
        per_row: int,
        pitch: tuple[int, int],
        column: int = 0,
    ) -> None:
        """Fill in kernels [N, rows, columns] row by row.

        Parameters
        ----------
        row, column
            Tap of the first kernel's corner.
        per_row
            Kernels in a row.
        pitch
            Taps from one kernel to the next, down and across.
        """
        n, height, width = kernels.shape
        lines = -(-n // per_row)
        cells = np.full((lines * per_row, *pitch), PAPER, np.uint16)
        cells[:n, :height, :width] = kernels
        down, across = lines * pitch[0], per_row * pitch[1]
        tiles = cells.reshape(lines, per_row, *pitch)
        block = tiles.swapaxes(1, 2).reshape(down, across)
        target = self.indices[row:, column:]
        down, across = min(down, target.shape[0]), min(across, target.shape[1])
        target[:down, :across] = block[:down, :across]

    def picture(
        self, colours: NDArray[np.uint8], enlarged: int = 1
    ) -> NDArray[np.uint8]:
        """RGB [rows, columns, 3], each tap up to ``enlarged`` pixels wide.

        Viewers that smooth pictures then blur only the borders of taps.
        """
        most = int((_MAX_PIXELS / max(self.indices.size, 1)) ** 0.5)
        times = max(1, min(enlarged, most))
        picture = colours[self.indices]
        return picture.repeat(times, axis=0).repeat(times, axis=1)


_MIN_GAP = 0.25
_GAP = 0.11
"""Space between kernels in units of their smaller side."""


@dataclass(frozen=True, slots=True)
class Blocks:
    """The blocks to be tiled."""

    cell: tuple[int, int]
    """Rows and columns of a kernel, in taps or a multiple of them."""
    counts: tuple[int, ...]
    """Kernels of each block."""
    width: float
    """Room across in mm."""
    dpi: int
    """Raster."""
    before: float = 0.0
    after: float = 0.0
    """Room above and below each block in mm."""
    per_row: int = 0
    """Kernels in a row; 0: as many as fit."""
    least: float = 0.0
    """A block is at least so high, in mm."""

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
    """Where the kernels go; rows, columns and gaps are counted in taps."""

    cell: tuple[int, int]
    """Rows and columns of a kernel."""
    tap_pixels: int
    tap: float
    """Side of a tap in pixels and in mm."""
    gap: int
    """Taps between kernels."""
    per_row: int
    """Kernels in a row."""
    starts: tuple[int, ...]
    """First row of each block."""
    rows: int
    """All rows."""

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


_TILT = 0.34
"""Depth of the ground seen, in units of its width."""
_RISE = 0.42
"""Height of the largest weight in the same units; patterns fade towards the corners."""


def surface_height(width: float) -> float:
    """Height in mm of the drawing of a surface of this width."""
    return width * (2 * _RISE + 0.06)


def draw_surface(
    page: Page, values: NDArray[np.float64], x: float, y: float, width: float
) -> None:
    """Draw heights [n, n] within −1 … 1; the first row is at the back.

    Parameters
    ----------
    x, y
        Upper left corner of the drawing in mm.
    width
        Its width; its height is `surface_height`.
    """
    from matplotlib.collections import PolyCollection

    steps = np.linspace(-0.5, 0.5, values.shape[0])
    down, across = np.meshgrid(steps, steps, indexing="ij")
    middle = y + surface_height(width) / 2
    points = np.stack(
        [
            x + width * (0.5 + (across - down) / 2),
            middle + width * (_TILT * (across + down) / 2 - _RISE * values),
        ],
        axis=-1,
    )
    corners = (points[:-1, :-1], points[:-1, 1:], points[1:, 1:], points[1:, :-1])
    quads = np.stack(corners, axis=2).reshape(-1, 4, 2)
    mean = (values[:-1, :-1] + values[:-1, 1:] + values[1:, 1:] + values[1:, :-1]) / 4
    colours = weight_colours(page.options.colormap, page.ink)
    index = np.rint((np.clip(mean.ravel(), -1, 1) + 1) / 2 * (LEVELS - 1))
    depth = (down + across)[:-1, :-1].ravel()
    order = np.argsort(depth, kind="stable")  # far ones first
    page.ground.add_collection(
        PolyCollection(
            list(quads[order]),
            facecolors=colours[index.astype(int)][order] / 255,
            edgecolors=mix(page.ink.line, page.ink.paper, 0.35),
            linewidths=0.15,
            zorder=2,
        ),
        autolim=False,
    )
