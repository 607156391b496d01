"""Kernels as pictures: taps → colours → whole device pixels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtGui import QColor, QImage

if TYPE_CHECKING:
    from numpy.typing import NDArray

_THINNEST = 4
"""A side of one tap is widened up to this part of the other side."""
_GAP = np.float32(np.inf)
"""Stands between the slices of a 3-D kernel, where there is no tap."""


def as_pictures(kernels: NDArray[np.float32]) -> NDArray[np.float32]:
    """Kernels [n, *size] as [n, rows, columns].

    A 1-D kernel is one row; of a 3-D one the slices stand side by side, with a column
    of infinity, which is drawn as the ground, between them. Taps that are not finite
    become not a number.

    Raises
    ------
    ValueError
        If the kernels are not 1-D, 2-D or 3-D.
    """
    kernels = np.where(np.isfinite(kernels), kernels, np.float32(np.nan))
    dimensions = kernels.ndim - 1
    if dimensions == 1:
        return kernels[:, None]
    if dimensions == 2:
        return kernels
    if dimensions != 3:
        raise ValueError(f"kernels of {dimensions} dimensions cannot be drawn")
    count, slices, rows, columns = kernels.shape
    tiles = np.full((count, rows, slices, columns + 1), _GAP, np.float32)
    tiles[..., :columns] = kernels.transpose(0, 2, 1, 3)
    return tiles.reshape(count, rows, -1)[..., :-1]


def amplitudes(pictures: NDArray[np.float32]) -> NDArray[np.float32]:
    """Largest finite ``|tap|`` of each picture [n, rows, columns]; 1 for none."""
    finite = np.where(np.isfinite(pictures), np.abs(pictures), np.float32(0))
    top = finite.max(axis=(1, 2), initial=0)
    return np.where(top > 0, top, np.float32(1))


@dataclass(frozen=True, slots=True, eq=False)
class WeightColours:
    """Colours of weights, of the ground, and of taps that are not numbers."""

    table: NDArray[np.uint32]
    """uint32 [K + 2], ``0xFFRRGGBB``: from the most negative weight to the most
    positive one, then the ground, then not a number."""

    @classmethod
    def of(
        cls, colours: NDArray[np.float64], ground: str, missing: str
    ) -> WeightColours:
        """From colours [K, 3] of 0 … 255, zero in the middle, and two ``#RRGGBB``."""
        red, green, blue = np.round(colours).astype(np.uint32).T
        weights = np.uint32(0xFF000000) | red << 16 | green << 8 | blue
        others = [QColor(ground).rgb(), QColor(missing).rgb()]
        return cls(np.concatenate([weights, np.array(others, np.uint32)]))

    def levels(
        self, pictures: NDArray[np.float32], top: NDArray[np.float32]
    ) -> NDArray[np.intp]:
        """Entries of the table [n, rows, columns], ±``top`` [n] being the ends."""
        weights = len(self.table) - 2
        middle = (weights - 1) / 2
        share = np.divide(pictures, top[:, None, None])
        gap, missing = np.isinf(share), np.isnan(share)
        share = np.where(gap | missing, np.float32(0), share)
        index = np.rint(middle * (1 + np.clip(share, -1, 1))).astype(np.intp)
        index[gap] = weights
        index[missing] = weights + 1
        return index

    def pixels(
        self, kernels: NDArray[np.float32], top: NDArray[np.float32] | None = None
    ) -> NDArray[np.uint32]:
        """Kernels [n, *size] as pixels [n, rows, columns], one a tap.

        Each is drawn on its own scale, or on that of ``top`` [n].
        """
        pictures = as_pictures(kernels)
        top = amplitudes(pictures) if top is None else top
        return self.table[self.levels(pictures, top)]

    def shaded(
        self, shares: NDArray[np.float64], shade: NDArray[np.float64]
    ) -> NDArray[np.uint32]:
        """``0xFFRRGGBB`` of weights −1 … 1 of the largest one, darkened by factors."""
        middle = (len(self.table) - 3) / 2
        index = np.rint(middle * (1 + np.clip(shares, -1, 1))).astype(np.intp)
        weights = self.table[index]
        shaded = np.full_like(weights, 0xFF000000)
        for shift in (16, 8, 0):
            part = (weights >> np.uint32(shift) & np.uint32(0xFF)) * shade
            shaded |= part.astype(np.uint32) << np.uint32(shift)
        return shaded

    def colour(self, share: float) -> QColor:
        """Colour of a weight, given as a share −1 … 1 of the largest one."""
        weights = len(self.table) - 2
        level = round((weights - 1) / 2 * (1 + min(max(share, -1.0), 1.0)))
        return QColor(int(self.table[level]))


def fit_taps(rows: int, columns: int, width: int, height: int) -> tuple[int, int]:
    """Width and height of a tap, whole pixels, so that a kernel fits a box.

    Taps are square; but a strip one tap wide is widened, or it would be a hair.
    """
    side = max(1, min(width // columns, height // rows))
    across = down = side
    if columns == 1 and rows > 1:
        across = max(side, min(width, rows * side // _THINNEST))
    if rows == 1 and columns > 1:
        down = max(side, min(height, columns * side // _THINNEST))
    return across, down


def enlarge(pixels: NDArray[np.uint32], across: int, down: int) -> NDArray[np.uint32]:
    """Pixels [rows, columns] with each ``across`` × ``down`` times as large."""
    return pixels.repeat(down, axis=0).repeat(across, axis=1)


def to_image(pixels: NDArray[np.uint32]) -> QImage:
    """Pixels [height, width] as a picture that owns its memory."""
    height, width = pixels.shape
    buffer = np.ascontiguousarray(pixels)
    form = QImage.Format.Format_RGB32
    return QImage(buffer.data, width, height, 4 * width, form).copy()
