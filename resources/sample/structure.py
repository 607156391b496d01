"""How much structure do kernels have? Numbers for the sample's README, numpy only."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    Kernels = NDArray[np.float32]

SIGMAS = (0.35, 0.45, 0.6, 0.75, 0.9, 1.1, 1.35, 1.65, 2.2)
OFFSETS = (-1.0, -0.5, 0.0, 0.5, 1.0)


def patterns(kernels: Kernels) -> Kernels:
    """Mean-free rows of unit length: [N, k, k] to [N, k * k]."""
    flat = kernels.reshape(len(kernels), -1).astype(np.float32)
    flat = flat - flat.mean(axis=1, keepdims=True)
    length = np.linalg.norm(flat, axis=1, keepdims=True)
    unit: Kernels = np.divide(
        flat, length, out=np.zeros_like(flat), where=length > 1e-12
    )
    return unit


def moran(kernels: Kernels) -> Kernels:
    """Moran's I of each kernel, its taps being neighbours up, down, left and right.

    Near -1/(k * k - 1) for taps without order, towards 1 for a smooth kernel.
    """
    side = kernels.shape[-1]
    grid = patterns(kernels).reshape(-1, side, side)
    pairs: Kernels = (grid[:, 1:] * grid[:, :-1]).sum((1, 2))
    pairs += (grid[:, :, 1:] * grid[:, :, :-1]).sum((1, 2))
    pairs *= side * side / (2 * side * (side - 1))
    return pairs


def leading_variance(kernels: Kernels, components: int = 5) -> float:
    """Share of the patterns' variance that the first principal components hold."""
    rows = patterns(kernels)
    spread = np.linalg.svd(rows - rows.mean(axis=0), compute_uv=False) ** 2
    return float(spread[:components].sum() / spread.sum())


def _profiles(grid: Kernels, sigma: float) -> tuple[Kernels, Kernels, Kernels]:
    """Gaussian of unit sum on a line, with its first and second derivative."""
    bell = np.exp(-0.5 * (grid / sigma) ** 2)
    bell /= bell.sum()
    return bell, -grid * bell, (grid**2 / sigma**2 - 1) * bell


def _members(side: int) -> Iterator[Kernels]:
    """Difference of Gaussians, crosses and derivatives; one sign of each."""
    line = np.arange(side, dtype=np.float32) - (side - 1) / 2
    for dy in OFFSETS:
        for dx in OFFSETS:
            along_y = [_profiles(line - dy, sigma) for sigma in SIGMAS]
            along_x = [_profiles(line - dx, sigma) for sigma in SIGMAS]
            for i, (gy, dgy, ddgy) in enumerate(along_y):
                for j, (gx, dgx, ddgx) in enumerate(along_x):
                    yield np.outer(gy, dgx)
                    yield np.outer(dgy, gx)
                    yield np.outer(gy, ddgx)
                    yield np.outer(ddgy, gx)
                    if i == j:
                        yield np.outer(dgy, dgx)
                    if i < j:
                        wide = np.outer(along_y[j][0], along_x[j][0])
                        narrow = np.outer(gy, along_x[i][0])
                        for gamma in (0.5, 0.8, 1.0):
                            yield narrow - gamma * wide
                        yield np.outer(gy, gx) + np.outer(along_y[j][0], along_x[i][0])
                yield np.outer(gy, along_x[i][0])


def family(side: int) -> Kernels:
    """Patterns of the analytic family on a side x side grid: [members, side**2]."""
    return patterns(np.stack(list(_members(side))).astype(np.float32))


def family_cosine(kernels: Kernels) -> Kernels:
    """Best cosine of each kernel with any member of the family, of either sign."""
    bank = family(kernels.shape[-1]).T
    rows = patterns(kernels)
    return np.concatenate(
        [np.abs(part @ bank).max(axis=1) for part in np.array_split(rows, 32)]
    )
