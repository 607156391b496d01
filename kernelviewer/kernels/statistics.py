"""Scale, offset, flatness and pattern of kernels (definitions of method.md, §3).

A kernel ``w`` has offset ``b = mean(w)``, scale ``a = ‖w − b‖₂`` and pattern
``x = (w − b) / a``. Sums run in float64: the weights of a kernel may share an offset
thousands of times larger than what differs between them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

FLAT_RATIO = 1e-3
FLAT_SCALE = 1e-6

_ROWS = 2048  # kernels at a time: float64 copies of 7×7 blocks stay in the cache
_LARGEST = float(np.finfo(np.float32).max)
_MOST_FILTERS = 8
_FEWEST_REPEATS = 3
_PROBE = 64


@dataclass(frozen=True, slots=True)
class Measures:
    """Statistics of one layer's kernels.

    Attributes
    ----------
    scale, offset
        float32 [N]; 0 for kernels with NaN or infinite weights.
    flat
        bool [N]: no pattern.
    broken
        bool [N]: NaN or infinite weights.
    """

    scale: NDArray[np.float32]
    offset: NDArray[np.float32]
    flat: NDArray[np.bool_]
    broken: NDArray[np.bool_]


def measure(weights: NDArray[np.float32]) -> Measures:
    """Scale, offset and flatness of the kernels of **one layer**.

    A kernel is flat if its scale is under 1e-3 of the median scale of the layer's
    non-zero kernels, or under 1e-6, or if a weight is NaN or infinite: such a kernel
    has no pattern either.

    Parameters
    ----------
    weights
        float32 [N, *size].
    """
    count = len(weights)
    scale = np.zeros(count, np.float32)
    offset = np.zeros(count, np.float32)
    broken = np.zeros(count, np.bool_)
    with np.errstate(invalid="ignore"):  # infinite weights minus their mean
        for rows, block in _blocks(weights):
            mean = _means(block)
            block -= mean[:, None]
            norm = np.sqrt(np.einsum("ij,ij->i", block, block))
            broken[rows] = ~np.isfinite(norm)
            offset[rows] = np.where(broken[rows], 0, mean)
            scale[rows] = np.where(broken[rows], 0, np.minimum(norm, _LARGEST))
    zero = (scale == 0) & (offset == 0)
    present = scale[~zero]
    threshold = (
        FLAT_RATIO * float(np.median(present.astype(np.float64)))
        if present.size
        else 0.0
    )
    flat = broken | (scale < max(threshold, FLAT_SCALE))
    return Measures(scale, offset, flat, broken)


def patterns(
    weights: NDArray[np.float32],
    scale: NDArray[np.float32],
    offset: NDArray[np.float32],
) -> NDArray[np.float32]:
    """Patterns of a batch: mean 0, length 1.

    Parameters
    ----------
    weights
        float32 [N, *size].
    scale, offset
        float32 [N], as `measure` gives them.

    Returns
    -------
    float32 [N, *size]
        Zeros where the scale is 0. Flat kernels have no meaningful pattern: leave them
        out before or after.
    """
    result = np.zeros(weights.shape, np.float32)
    flattened = result.reshape(len(weights), math.prod(weights.shape[1:]))
    for rows, block in _blocks(weights):
        some = scale[rows] > 0
        block = block[some]
        block -= offset[rows][some, None]
        block -= _means(block)[:, None]  # what float32 cut off the offset
        norm = np.sqrt(np.einsum("ij,ij->i", block, block))
        norm[norm == 0] = 1
        block /= norm[:, None]
        flattened[rows][some] = block
    return result


def without_mean(weights: NDArray[np.float32]) -> NDArray[np.float32]:
    """Kernels [N, *size] less the mean of each: what their classes are of.

    Taps that are not finite stay as they are and do not count.
    """
    taps = math.prod(weights.shape[1:])
    rows = np.asarray(weights, np.float32).reshape(len(weights), taps)
    mean = rows.mean(axis=1)
    if not np.isfinite(mean).all():
        there = np.isfinite(rows)
        total = np.where(there, rows, 0).sum(axis=1)
        mean = total / np.maximum(there.sum(axis=1), 1)
    free: NDArray[np.float32] = (rows - mean[:, None]).astype(np.float32)
    return free.reshape(weights.shape)


def is_filter_bank(weights: NDArray[np.float32]) -> bool:
    """True if a layer just repeats a filter or a few: nothing that was trained.

    True if all kernels are equal, or if each of at most 8 filters stands there equally
    often (Sobel x and y for every channel, the four of a Haar transform). Kernels of
    zeros do not count: a dead layer is not a filter.

    Parameters
    ----------
    weights
        float32 [N, *size] of one layer.
    """
    if len(weights) < 2:
        return False
    rows = np.ascontiguousarray(weights.reshape(len(weights), -1))
    if len({row.tobytes() for row in rows[:_PROBE]}) > _MOST_FILTERS:
        return False
    if not rows.any(axis=1).all() or not np.isfinite(rows).all():
        return False
    distinct, counts = np.unique(rows, axis=0, return_counts=True)
    equally_often = counts.min() == counts.max() >= _FEWEST_REPEATS
    return len(distinct) == 1 or (len(distinct) <= _MOST_FILTERS and equally_often)


def _means(block: NDArray[np.float64]) -> NDArray[np.float64]:
    """Means of short rows; ``mean`` along them is five times slower."""
    means: NDArray[np.float64] = np.einsum("ij->i", block) / block.shape[1]
    return means


def _blocks(
    weights: NDArray[np.float32],
) -> Iterator[tuple[slice, NDArray[np.float64]]]:
    """Row ranges and float64 copies [n, taps] of the kernels in them."""
    flattened = weights.reshape(len(weights), math.prod(weights.shape[1:]))
    for start in range(0, len(weights), _ROWS):
        rows = slice(start, start + _ROWS)
        yield rows, flattened[rows].astype(np.float64)
