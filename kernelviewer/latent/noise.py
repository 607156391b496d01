"""What noise reaches: the null that every coverage is shown beside."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from kernelviewer.kernels import Size

KERNELS = 100_000
SEED = 0
BINS = 1000
LOWEST_THRESHOLD = 0.7
DEFAULT_SHARE = 0.01
PRESETS = (0.001, 0.01, 0.05)
"""Null coverages that a threshold can be chosen by."""
_TAPS = 2**20


@dataclass(frozen=True, slots=True, eq=False)
class Null:
    """How well white noise fits."""

    counts: NDArray[np.int64]
    """int [BINS], noise kernels whose fit lies in each part of [0, 1]; fits below 0
    count as 0."""

    @classmethod
    def of(cls, fits: NDArray[np.floating]) -> Null:
        """The null of noise kernels with these fits."""
        bins = np.clip((np.asarray(fits, np.float64) * BINS).astype(int), 0, BINS - 1)
        return cls(np.bincount(bins, minlength=BINS))

    @property
    def kernels(self) -> int:
        """Noise kernels in it."""
        return int(self.counts.sum())

    def coverage(self, threshold: float) -> float:
        """Share of the noise kernels whose fit is at least ``threshold``."""
        above = np.append(self.counts[::-1].cumsum()[::-1], 0)
        at = np.clip(threshold, 0, 1) * BINS
        reached = np.interp(at, np.arange(BINS + 1), above)
        return float(reached) / max(1, self.kernels) if threshold <= 1 else 0.0

    def threshold(self, share: float) -> float:
        """The lowest fit, to three decimals, that at most ``share`` of it reaches."""
        above = np.append(self.counts[::-1].cumsum()[::-1], 0)
        return int((above > share * self.kernels).sum()) / BINS

    @property
    def default_threshold(self) -> float:
        """0.7, or what 1 % of the noise reaches where that is more."""
        return max(LOWEST_THRESHOLD, self.threshold(DEFAULT_SHARE))


def white_noise(
    size: Size, count: int = KERNELS, seed: int = SEED
) -> Iterator[NDArray[np.float32]]:
    """Kernels of independent normal weights, in batches float32 [n, *size]."""
    random = np.random.default_rng(seed)
    step = max(1, _TAPS // math.prod(size))
    for first in range(0, count, step):
        rows = min(step, count - first)
        yield random.standard_normal((rows, *size), dtype=np.float32)
