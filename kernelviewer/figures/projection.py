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


def project(
    patterns: NDArray[np.float32], components: tuple[int, int] = (1, 2)
) -> Projection:
    """Two principal components of patterns [N, taps]; the sign of each axis is fixed.

    The coefficient of largest magnitude is positive, so that equal kernels give an
    equal picture everywhere. ``components`` count from 1; those that there are not
    are zero.
    """
    n = len(patterns)
    if n < 2:
        return Projection(np.zeros((n, 2)), np.zeros(2))
    mean = patterns.mean(axis=0, dtype=np.float64)
    axes, variance = _principal(patterns - mean, max(components))
    kept = len(variance)
    axes *= np.where(axes[np.abs(axes).argmax(axis=0), np.arange(kept)] < 0, -1.0, 1.0)
    chosen = [number - 1 for number in components]
    there = [at for at, index in enumerate(chosen) if index < kept]
    points, shares = np.zeros((n, 2)), np.zeros(2)
    wanted = [chosen[at] for at in there]
    points[:, there] = (patterns - mean) @ axes[:, wanted]
    shares[there] = variance[wanted]
    return Projection(points, shares)


def _principal(
    centred: NDArray[np.float64], most: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Up to ``most`` axes [taps, k] and the share of variance [k] along each."""
    wide = centred.shape[0] < centred.shape[1]
    gram = centred @ centred.T if wide else centred.T @ centred
    values, vectors = np.linalg.eigh(gram)
    values, vectors = values[::-1][:most].clip(0), vectors[:, ::-1][:, :most]
    axes = centred.T @ vectors if wide else vectors
    length = np.linalg.norm(axes, axis=0)
    axes = axes / np.where(length > 0, length, 1.0)
    return axes, values / max(float(np.trace(gram)), 1e-30)


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
