"""Kernels as 8-bit colour indices, in order and under headings. Needs no Qt.

Every kernel is quantised once, against its own largest tap; a common scale is applied
to the visible kernels when they are drawn (`kernelviewer.gui.views.grid.painter`).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING

import numpy as np

from kernelviewer.kernels.statistics import without_mean
from kernelviewer.watch import NEVER

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from kernelviewer.kernels.bank import Size
    from kernelviewer.watch import Watch

ZERO = 108
"""Index of a tap that is exactly zero; ±`ZERO` around it are the weights."""
TOP = 2 * ZERO
"""Index of the largest positive tap. What is above it is no weight."""
BLANK, MISSING, FLAT, HATCH, RING = 218, 220, 222, 224, 226
"""The panel; a tap that is not finite; a flat kernel and its hatching; selection.
Even, so that halving them (see `compose`) loses nothing."""
FRAMES = 228
"""First index of the frame colours."""
MAX_FRAMES = 256 - FRAMES
NO_FRAME = 255
"""Frame number of kernels without one."""

_CHUNK = 1 << 18
"""Taps per step: the buffers stay in the cache and cancelling answers at once."""
_TINY = 1e-30
"""Amplitudes below this are drawn as zero; their inverse would overflow."""


@dataclass(frozen=True, slots=True, eq=False)
class Mosaic:
    """All kernels of one size, quantised. N kernels."""

    size: Size
    """Kernel size: (kh, kw); (k,) for 1-D and (kd, kh, kw) for 3-D."""
    tiles: NDArray[np.uint8]
    """uint8 [N, rows, slices · (columns + 1)]: a 1-D kernel is one row, a 3-D one its
    slices side by side. A `BLANK` column follows every slice."""
    amplitude: NDArray[np.float32]
    """float32 [N], largest finite ``|tap|``: what the ends of the colour map mean."""
    beside: tuple[NDArray[np.uint8], ...] = ()
    """Further tiles of the same shape, drawn at the right of the first ones."""

    def __len__(self) -> int:
        return len(self.tiles)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Slices, rows and columns of a kernel as drawn."""
        slices, rows, columns = tile_shape(self.size)
        return slices * (1 + len(self.beside)), rows, columns


def tile_shape(size: Size) -> tuple[int, int, int]:
    """Slices, rows and columns in which a kernel of this size is drawn.

    Raises
    ------
    ValueError
        If the size is not 1-D, 2-D or 3-D.
    """
    if not 1 <= len(size) <= 3:
        raise ValueError(f"kernels of {len(size)} dimensions cannot be drawn")
    slices, rows, columns = (1,) * (3 - len(size)) + tuple(size)
    return slices, rows, columns


def build_mosaic(
    sources: Sequence[NDArray[np.float32]],
    flat: NDArray[np.bool_] | None = None,
    *,
    centred: bool = False,
    watch: Watch = NEVER,
) -> Mosaic:
    """Quantise kernels. The sources' weights are read in pieces, never copied whole.

    Parameters
    ----------
    sources
        Weights float32 [Nᵢ, *size], at least one; kernels are numbered through.
    flat
        Bool [ΣNᵢ]: kernels without a pattern, drawn as such.
    watch
        Told how many kernels are done.

    Raises
    ------
    ValueError
        If the sources are none or differ in size.
    """
    sizes = {tuple(weights.shape[1:]) for weights in sources}
    if len(sizes) != 1:
        raise ValueError(f"a mosaic shows kernels of one size, not of {len(sizes)}")
    (size,) = sizes
    total = sum(map(len, sources))
    tiles = blank_tiles(total, size)
    amplitude = np.zeros(total, np.float32)
    for here, piece in pieces(sources, watch):
        amplitude[here], indices = _quantise(without_mean(piece) if centred else piece)
        set_tiles(tiles, size, here, indices)
    if flat is not None:
        set_tiles(tiles, size, flat, FLAT)
    return Mosaic(size, tiles, amplitude)


def pieces(
    sources: Sequence[NDArray[np.float32]], watch: Watch
) -> Iterator[tuple[slice, NDArray[np.float32]]]:
    """Where kernels [n, *size] stand among all of them, and their weights."""
    total = sum(map(len, sources))
    first = 0
    for weights in sources:
        step = max(1, _CHUNK // max(1, prod(weights.shape[1:])))
        for start in range(0, len(weights), step):
            piece = weights[start : start + step]
            here = slice(first, first + len(piece))
            yield here, piece
            first = here.stop
            watch.progress(first, total)


def blank_tiles(count: int, size: Size) -> NDArray[np.uint8]:
    """Tiles of a mosaic with nothing in them."""
    slices, rows, columns = tile_shape(size)
    return np.full((count, rows, slices * (columns + 1)), BLANK, np.uint8)


def set_tiles(
    tiles: NDArray[np.uint8],
    size: Size,
    which: slice | NDArray[np.bool_] | NDArray[np.int64],
    indices: NDArray[np.uint8] | int,
) -> None:
    """Give some tiles indices [n, taps], or one index for all their taps."""
    slices, rows, columns = tile_shape(size)
    shaped = tiles.reshape(-1, rows, slices, columns + 1)
    if not isinstance(indices, int):
        indices = indices.reshape(-1, slices, rows, columns).transpose(0, 2, 1, 3)
    shaped[which, ..., :columns] = indices


def _quantise(
    weights: NDArray[np.float32],
) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """Amplitude [n] and indices [n, taps] of one piece."""
    taps = np.asarray(weights, np.float32).reshape(len(weights), -1)
    values = np.abs(taps)
    amplitude: NDArray[np.float32] = values.max(axis=1, initial=0)
    missing = None
    if not np.isfinite(amplitude).all():
        missing = ~np.isfinite(taps)
        taps = np.where(missing, np.float32(0), taps)
        amplitude = np.abs(taps).max(axis=1, initial=0)
    np.multiply(taps, gains(amplitude)[:, None], out=values)
    values += ZERO + 0.5
    indices = values.astype(np.uint8)
    if missing is not None:
        indices[missing] = MISSING
    return amplitude, indices


def gains(amplitude: NDArray[np.float32]) -> NDArray[np.float32]:
    """Factors [n] from weights to steps away from `ZERO`."""
    small = amplitude < _TINY
    gain = np.where(small, 0, ZERO / np.where(small, 1, amplitude))
    return gain.astype(np.float32)


def common_gain(
    mosaic: Mosaic,
    layer: NDArray[np.integer] | None = None,
    shown: NDArray[np.bool_] | None = None,
) -> NDArray[np.float32]:
    """Gains float32 [N] that draw kernels on a common scale instead of each its own.

    Parameters
    ----------
    layer
        Int [N], at least 0: one scale for all kernels of equal number; None: one for
        all.
    shown
        Bool [N]: only these count for the scale; None: all.
    """
    amplitude = mosaic.amplitude
    if shown is not None:
        amplitude = np.where(shown, amplitude, np.float32(0))
    if not len(amplitude):
        return amplitude
    groups = np.zeros(len(amplitude), np.intp) if layer is None else layer
    largest = np.zeros(int(groups.max()) + 1, np.float32)
    np.maximum.at(largest, groups, amplitude)
    largest[largest < _TINY] = 1
    gain: NDArray[np.float32] = np.minimum(mosaic.amplitude / largest[groups], 1)
    return gain


def shrink(picture: NDArray[np.uint8], gain: NDArray[np.float32], width: int) -> None:
    """Shrink weights towards zero in 8-bit fixed point.

    Parameters
    ----------
    picture
        uint8 [rows, lines, columns · width]: what is above `TOP` stays.
    gain
        float32 [rows, columns] in 0 … 1, of each kernel.
    width
        Taps across a kernel.
    """
    factors = np.round(gain * 256).astype(np.int16).repeat(width, axis=1)
    values = picture.astype(np.int16)
    values -= ZERO
    values *= factors[:, None]
    values += 128
    values >>= 8
    values += ZERO
    np.copyto(picture, values, where=picture <= TOP, casting="unsafe")


@dataclass(frozen=True, slots=True)
class GridGroup:
    """Kernels under one heading."""

    start: int
    """First position in the drawing order; the group ends where the next one starts."""
    title: str
    note: str = ""
    """Heading, and what stands beside it in grey (a count)."""
    colour: str | None = None
    """``#RRGGBB`` of a small square before the title; None: no square."""
    hatched: bool = False
    """Whether the square is hatched, as flat kernels are."""


@dataclass(frozen=True, slots=True, eq=False)
class GridContent:
    """Everything the grid shows but the selection and the focus. Cheap to make anew.

    Raises
    ------
    ValueError
        If the groups do not fit the order, or there are too many frame colours.
    """

    mosaic: Mosaic
    """The kernels; their numbers 0 … N−1 are the kernel ids."""
    order: NDArray[np.int64]
    """int64 [shown], kernel ids in drawing order, each at most once."""
    groups: tuple[GridGroup, ...] = ()
    """Ascending, the first at 0; empty: one group without a heading."""
    gain: NDArray[np.float32] | None = None
    """float32 [N] in 0 … 1, a common scale (`common_gain`); None: each its own."""
    frames: NDArray[np.uint8] | None = None
    """uint8 [N], index into ``frame_colours``, or `NO_FRAME`; None: no frames."""
    frame_colours: tuple[str, ...] = ()
    """``#RRGGBB``, at most `MAX_FRAMES`."""
    pane: int | None = None
    """Which of the tiles beside each other is marked, from 0; None: none is."""

    def __post_init__(self) -> None:
        starts = self.starts
        if len(starts) and (starts[0] != 0 or np.any(np.diff(starts) < 0)):
            raise ValueError("groups must ascend from position 0")
        if len(starts) and starts[-1] > len(self.order):
            raise ValueError("a group starts behind the last kernel")
        if len(self.frame_colours) > MAX_FRAMES:
            raise ValueError(f"at most {MAX_FRAMES} frame colours can be shown")

    @property
    def starts(self) -> NDArray[np.int64]:
        """int64 [G], first position of each group; one group if none are given."""
        if self.groups:
            return np.array([group.start for group in self.groups], np.int64)
        return np.zeros(min(1, len(self.order)), np.int64)

    @property
    def headed(self) -> bool:
        """True if any group has a heading."""
        return any(group.title or group.note for group in self.groups)

    def same_places(self, other: GridContent | None) -> bool:
        """True if every kernel stands where it stands in the other content."""
        if other is None or self.mosaic.shape != other.mosaic.shape:
            return False
        same_order = self.order is other.order or np.array_equal(
            self.order, other.order
        )
        return same_order and np.array_equal(self.starts, other.starts)
