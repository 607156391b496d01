"""Reconstructions and residuals as tiles of a mosaic. Needs no Qt."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from kernelviewer.gui.views.grid.mosaic import (
    FLAT,
    TOP,
    ZERO,
    blank_tiles,
    gains,
    pieces,
    set_tiles,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from kernelviewer.gui.views.grid.mosaic import Mosaic

Part = Literal["reconstruction", "residual"]


def decoded_tiles(
    mosaic: Mosaic,
    sources: Sequence[NDArray[np.float32]],
    flat: NDArray[np.bool_],
    code: NDArray[np.float32],
    table: NDArray[np.float32],
    parts: Sequence[Part],
    *,
    check: Callable[[], None] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> dict[Part, NDArray[np.uint8]]:
    """Tiles of what the codes give back of kernels, and of what that leaves over.

    A reconstruction is the kernel's best a·pattern + b with the pattern at its code.
    Both are drawn on the kernel's own scale. Kernels without a code stay blank.

    Parameters
    ----------
    mosaic
        The kernels themselves.
    sources, flat
        What it was built from.
    code
        float32 [N], 0 … 1 or NaN.
    table
        float32 [M, *size], decoded patterns at M equal steps of the code.
    parts
        What is wanted.
    check, progress
        As for `build_mosaic`.
    """
    patterns = _unit(table.reshape(len(table), -1))
    tiles = {part: blank_tiles(len(mosaic), mosaic.size) for part in parts}
    for here, piece in pieces(sources, check, progress):
        there = np.flatnonzero(~np.isnan(code[here]) & ~flat[here])
        which = here.start + there
        kernels = np.asarray(piece[there], np.float32).reshape(len(there), -1)
        rows = np.rint(code[which] * (len(table) - 1)).astype(np.intp)
        found = _reconstruct(kernels, patterns[rows])
        gain = gains(mosaic.amplitude[which])[:, None]
        for part in parts:
            values = found if part == "reconstruction" else kernels - found
            steps = np.clip(values * gain + (ZERO + 0.5), 0, TOP + 0.5)
            set_tiles(tiles[part], mosaic.size, which, steps.astype(np.uint8))
    for part in parts:
        set_tiles(tiles[part], mosaic.size, flat, FLAT)
    return tiles


def _unit(patterns: NDArray[np.float32]) -> NDArray[np.float32]:
    """Rows with mean 0 and length 1."""
    free = patterns - patterns.mean(axis=1, keepdims=True)
    length = np.linalg.norm(free, axis=1, keepdims=True)
    return np.asarray(free / np.maximum(length, 1e-30), np.float32)


def _reconstruct(
    kernels: NDArray[np.float32], patterns: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Best a·pattern + b for each kernel, [n, taps]."""
    offset = kernels.mean(axis=1, keepdims=True)
    amount = np.einsum("nt,nt->n", kernels - offset, patterns)[:, None]
    return np.asarray(amount * patterns + offset, np.float32)
