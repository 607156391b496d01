"""Quantised weights back to real numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


def dequantized(
    values: NDArray[np.generic], scale: ArrayLike, zero: ArrayLike
) -> NDArray[np.float32]:
    """(values − zero) · scale as float32; the arrays broadcast."""
    with np.errstate(all="ignore"):  # scales of a damaged file: infinities may come out
        steps = values.astype(np.float32) - np.asarray(zero, np.float32)
        return np.asarray(steps * np.asarray(scale, np.float32), np.float32)


def unpack_nibbles(
    raw: NDArray[np.uint8], count: int, *, signed: bool
) -> NDArray[np.generic]:
    """4-bit numbers, two a byte, the low half first, as int8 or uint8 [count]."""
    halves = np.stack([raw & 0x0F, raw >> 4], axis=1).ravel()[:count]
    if not signed:
        return halves
    return np.where(halves > 7, halves.astype(np.int16) - 16, halves).astype(np.int8)
