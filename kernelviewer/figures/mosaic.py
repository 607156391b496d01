"""Many kernels as one small picture with a pixel per tap."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from kernelviewer.figures.colours import LEVELS, mix, rgb, weight_colours

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kernelviewer.figures.colours import Ink
    from kernelviewer.figures.options import FigureOptions

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
    factor = middle / np.where(reach > 0, reach, np.inf)
    steps = np.clip(np.rint(weights * factor[:, None, None]), -middle, middle)
    indices = (steps + middle).astype(np.uint16)
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
