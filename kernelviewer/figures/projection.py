"""Patterns seen in the plane of their first principal components."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_BINS = 48
_SMOOTH = 2.0


@dataclass(frozen=True, eq=False)
class Projection:
    """Coordinates [N, 2] of patterns and the variance [2] each axis explains."""

    points: NDArray[np.float64]
    variance: NDArray[np.float64]


def project(patterns: NDArray[np.float32]) -> Projection:
    """Principal components of patterns [N, taps]; the sign of each axis is fixed.

    The coefficient of largest magnitude is positive, so that equal kernels give an
    equal picture everywhere.
    """
    n, taps = patterns.shape
    if n < 2:
        return Projection(np.zeros((n, 2)), np.zeros(2))
    mean = patterns.mean(axis=0, dtype=np.float64)
    gram = patterns.T.astype(np.float64) @ patterns
    covariance = gram / n - np.outer(mean, mean)
    values, vectors = np.linalg.eigh(covariance)
    axes = np.zeros((taps, 2))
    kept = min(2, taps)
    axes[:, :kept] = vectors[:, ::-1][:, :kept]
    largest = np.abs(axes).argmax(axis=0)
    axes *= np.where(axes[largest, [0, 1]] < 0, -1.0, 1.0)
    total = max(float(values.clip(0).sum()), 1e-30)
    variance = np.zeros(2)
    variance[:kept] = values[::-1][:kept].clip(0) / total
    return Projection((patterns - mean.astype(np.float32)) @ axes, variance)


def peaks(
    points: NDArray[np.float64], span: NDArray[np.float64], most: int, apart: float
) -> list[NDArray[np.float64]]:
    """Up to ``most`` dense places [2] of points [N, 2], the densest first.

    Parameters
    ----------
    span
        Lowest and highest coordinates [2, 2] of the plane.
    apart
        Least distance between places, as a share of the plane.
    """
    density = _density(points, span)
    places: list[NDArray[np.float64]] = []
    grid = np.indices(density.shape) + 0.5
    while len(places) < most and density.max() > 0:
        at = np.array(np.unravel_index(int(density.argmax()), density.shape)) + 0.5
        places.append(span[0] + at / _BINS * (span[1] - span[0]))
        distance = np.hypot(*(grid - at[:, None, None]))
        density = np.where(distance < apart * _BINS, 0.0, density)
    return places


def _density(
    points: NDArray[np.float64], span: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Smoothed numbers of points in the bins of a plane."""
    edges = [np.linspace(low, high, _BINS + 1) for low, high in span.T]
    counts, _, _ = np.histogram2d(points[:, 0], points[:, 1], bins=edges)
    steps = np.arange(_BINS)
    kernel = np.exp(-(((steps[:, None] - steps) / _SMOOTH) ** 2) / 2)
    smooth: NDArray[np.float64] = kernel @ counts @ kernel
    return smooth
