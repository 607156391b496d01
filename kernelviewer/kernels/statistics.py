"""Statistics of kernels: scale, offset, flatness, pattern; the shift between two sets.

The definitions are those of `docs/pages/science.md`. A kernel ``w`` has offset
``b = mean(w)``, scale ``a = ‖w − b‖₂`` and pattern ``x = (w − b) / a``. Sums run in
float64: the weights of a kernel may share an offset thousands of times larger than what
differs between them.

Shift is measured as CNN-Filter-DB does. Gavrikov and Keuper, *CNN Filter DB* (CVPR
2022), §4: each kernel is divided by its largest |w|; the principal components of both
sets together give each kernel coordinates; the histograms P and Q of each coordinate,
70 bins over the common range, are compared by D = Σᵢ λᵢ [KL(Pᵢ‖Qᵢ) + KL(Qᵢ‖Pᵢ)], λ the
shares of variance, an empty bin counting as the smallest step of a float. Kernels need
no partners.

D of few kernels is large whatever they are, since most bins are empty: beside it stands
what the same kernels give when they are dealt to the two sets at random.
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
    """Statistics of one layer's kernels."""

    scale: NDArray[np.float32]
    offset: NDArray[np.float32]
    """float32 [N]; 0 for kernels with NaN or infinite weights."""
    flat: NDArray[np.bool_]
    """bool [N]: no pattern."""
    broken: NDArray[np.bool_]
    """bool [N]: NaN or infinite weights."""


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
    with np.errstate(over="ignore", invalid="ignore"):  # looked at below
        mean = rows.mean(axis=1)
    if not np.isfinite(mean).all():
        there = np.isfinite(rows)
        total = np.where(there, rows, 0).sum(axis=1, dtype=np.float64)
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


BINS = 70
DEALS = 10
"""Random deals that the null is the mean of."""
_EMPTY = float(np.finfo(np.float64).eps)
_ROWS_AT_ONCE = 65_536


@dataclass(frozen=True, slots=True, eq=False)
class Shift:
    """How two sets of kernels differ as distributions. C components."""

    value: float
    """D, in nats; 0 for equal sets."""
    null: float
    """Mean D of the same kernels dealt at random."""
    variance: NDArray[np.float64]
    """float64 [C], each component's share of the variance, falling; sums to 1."""
    components: NDArray[np.float32]
    """float32 [C, *size], of length 1."""
    edges: NDArray[np.float64]
    """float64 [C, 2], the range of the histograms."""
    counts_a: NDArray[np.int64]
    counts_b: NDArray[np.int64]
    """int64 [C, BINS], kernels of each set."""


def find_shift(first: NDArray[np.float32], second: NDArray[np.float32]) -> Shift | None:
    """The shift between two sets of kernels [n, *size] and [m, *size].

    Kernels of zeros and those with weights that are NaN or infinite are left out; None
    where a set has no others.
    """
    x, y = _scaled(first), _scaled(second)
    if not len(x) or not len(y):
        return None
    rows = np.concatenate([x, y])
    variance, axes = _components(rows)
    spread = rows @ axes.T
    low, high = spread.min(axis=0), spread.max(axis=0)
    scale = np.where(high > low, BINS / np.maximum(high - low, 1e-30), 0)
    counts_a = _histograms(spread[: len(x)], low, scale)
    counts_b = _histograms(spread[len(x) :], low, scale)
    value = _divergence(counts_a, counts_b, variance)
    null = _null(counts_a, counts_b, variance)
    return Shift(
        value,
        null,
        variance,
        axes.reshape(-1, *first.shape[1:]).astype(np.float32),
        np.stack([low, high], axis=1).astype(np.float64),
        counts_a,
        counts_b,
    )


def _scaled(kernels: NDArray[np.float32]) -> NDArray[np.float32]:
    """Kernels [n, taps] divided by their largest |w|."""
    rows = kernels.reshape(len(kernels), math.prod(kernels.shape[1:]))
    largest = np.abs(rows).max(axis=1, initial=0.0)
    there = np.isfinite(largest) & (largest > 0)
    scaled: NDArray[np.float32] = rows[there] / largest[there, None]
    return scaled


def _components(
    rows: NDArray[np.float32],
) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
    """Shares of variance [C] and principal axes [C, taps]; at least one of them."""
    mean = rows.mean(axis=0, dtype=np.float64)
    count, taps = rows.shape
    if count > taps:
        product = np.zeros((taps, taps))
        for start in range(0, count, _ROWS_AT_ONCE):
            part = rows[start : start + _ROWS_AT_ONCE] - mean.astype(np.float32)
            product += part.T @ part
        values, vectors = np.linalg.eigh(product)
        axes = vectors.T
    else:
        centred = rows - mean
        values, vectors = np.linalg.eigh(centred @ centred.T)
        axes = vectors.T @ centred
        axes /= np.maximum(np.linalg.norm(axes, axis=1, keepdims=True), 1e-30)
    values, axes = np.maximum(values[::-1], 0), axes[::-1]
    kept = values > 1e-9 * max(float(values[0]), 1e-30)
    kept[0] = True
    values, axes = values[kept], axes[kept]
    total = float(values.sum())
    return values / total if total else np.zeros(len(values)), axes.astype(np.float32)


def _histograms(
    spread: NDArray[np.float32], low: NDArray[np.float32], scale: NDArray[np.floating]
) -> NDArray[np.int64]:
    """Counts [C, BINS] of coordinates [n, C]."""
    components = spread.shape[1]
    counts = np.zeros(components * BINS, np.int64)
    offset = np.arange(components, dtype=np.int32) * BINS
    for start in range(0, len(spread), _ROWS_AT_ONCE):
        place = ((spread[start : start + _ROWS_AT_ONCE] - low) * scale).astype(np.int32)
        np.minimum(place, BINS - 1, out=place)
        place += offset
        counts += np.bincount(place.ravel(), minlength=len(counts))
    return counts.reshape(components, BINS)


def _divergence(
    counts_a: NDArray[np.int64],
    counts_b: NDArray[np.int64],
    variance: NDArray[np.float64],
) -> float:
    p = counts_a / counts_a.sum(axis=1, keepdims=True)
    q = counts_b / counts_b.sum(axis=1, keepdims=True)
    p, q = np.where(p, p, _EMPTY), np.where(q, q, _EMPTY)
    both = ((p - q) * np.log(p / q)).sum(axis=1)  # KL(P‖Q) + KL(Q‖P)
    return float(variance @ both)


def _null(
    counts_a: NDArray[np.int64],
    counts_b: NDArray[np.int64],
    variance: NDArray[np.float64],
) -> float:
    """Mean D of random deals: each histogram is then drawn from both together."""
    rng = np.random.default_rng(0)
    both = counts_a + counts_b
    kernels = int(counts_a[0].sum())
    dealt = np.stack(
        [rng.multivariate_hypergeometric(row, kernels, DEALS) for row in both], axis=1
    )
    found = [_divergence(deal, both - deal, variance) for deal in dealt]
    return float(np.mean(found))
