"""Shift between the distributions of two sets of kernels, as CNN-Filter-DB measures it.

Gavrikov and Keuper, *CNN Filter DB* (CVPR 2022), §4: each kernel is divided by its
largest |w|; the principal components of both sets together give each kernel
coordinates; the histograms P and Q of each coordinate, 70 bins over the common range,
are compared by D = Σᵢ λᵢ [KL(Pᵢ‖Qᵢ) + KL(Qᵢ‖Pᵢ)], λ the shares of variance, an empty
bin counting as the smallest step of a float. Kernels need no partners.

D of few kernels is large whatever they are, since most bins are empty: beside it stands
what the same kernels give when they are dealt to the two sets at random.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

BINS = 70
DEALS = 10
"""Random deals that the null is the mean of."""
_EMPTY = float(np.finfo(np.float64).eps)
_ROWS = 65_536


@dataclass(frozen=True, slots=True, eq=False)
class Shift:
    """How two sets of kernels differ as distributions. C components.

    Attributes
    ----------
    value
        D, in nats; 0 for equal sets.
    null
        Mean D of the same kernels dealt at random.
    variance
        float64 [C], each component's share of the variance, falling; sums to 1.
    components
        float32 [C, *size], of length 1.
    edges
        float64 [C, 2], the range of the histograms.
    counts_a, counts_b
        int64 [C, BINS], kernels of each set.
    """

    value: float
    null: float
    variance: NDArray[np.float64]
    components: NDArray[np.float32]
    edges: NDArray[np.float64]
    counts_a: NDArray[np.int64]
    counts_b: NDArray[np.int64]


def find_shift(
    first: NDArray[np.float32], second: NDArray[np.float32], seed: int = 0
) -> Shift | None:
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
    null = _null(counts_a, counts_b, variance, seed)
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
        for start in range(0, count, _ROWS):
            part = rows[start : start + _ROWS] - mean.astype(np.float32)
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
    for start in range(0, len(spread), _ROWS):
        place = ((spread[start : start + _ROWS] - low) * scale).astype(np.int32)
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
    seed: int,
) -> float:
    """Mean D of random deals: each histogram is then drawn from both together."""
    rng = np.random.default_rng(seed)
    both = counts_a + counts_b
    kernels = int(counts_a[0].sum())
    dealt = np.stack(
        [rng.multivariate_hypergeometric(row, kernels, DEALS) for row in both], axis=1
    )
    found = [_divergence(deal, both - deal, variance) for deal in dealt]
    return float(np.mean(found))
