"""Health of layers: whether their kernels say something, and different things.

Sparsity and variance entropy are those of Gavrikov and Keuper, *CNN Filter DB* (CVPR
2022), orthogonality that of their ``torchconvquality``. Entropy depends on the number
of kernels, so it stands beside that of white noise of the same number and taps; their
threshold is fitted to 3×3 alone.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from kernelviewer.kernels.support import on_support, support_size
from kernelviewer.watch import NEVER

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kernelviewer.kernels.bank import KernelBank, Size
    from kernelviewer.watch import Watch

NEARLY_NOTHING = 0.01
_DRAWS = 4
_ROWS = 4096


@dataclass(frozen=True, slots=True)
class LayerHealth:
    """What the kernels of a layer of one size are like. NaN where it has no meaning."""

    layer: int
    name: str
    decile: int
    """Index and name of the layer; its place in the network's depth, 1 … 10."""
    kernels: int
    """How many it has."""
    sparsity: float
    """Share of kernels of which no weight reaches a hundredth of the layer's
    largest."""
    flat: float
    """Share of flat kernels."""
    entropy: float
    """Variance entropy of the kernels on their support: −Σ p log₁₀ p, p the share of
    each principal component. 0: all of one pattern up to gain; log₁₀ of the taps at
    most."""
    noise_entropy: float
    """The same of white noise, as many kernels of as many taps."""
    orthogonality: float
    """1 − the mean of |cosine| of two different kernels; 1: all orthogonal."""
    support: Size
    """Taps that ever saw data."""
    scale: float
    """Mean scale ‖w − mean(w)‖ of the kernels that are not flat."""

    def to_json(self) -> dict[str, Any]:
        """For ``info --json``: the measures, None where they have no meaning."""
        found: dict[str, Any] = {}
        for item in fields(self):
            value = getattr(self, item.name)
            if item.name in MEASURES:
                found[item.name] = round(value, 6) if math.isfinite(value) else None
        return {"decile": self.decile, "support": list(self.support), **found}


MEASURES = ("sparsity", "flat", "entropy", "noise_entropy", "orthogonality", "scale")


def layer_health(bank: KernelBank, watch: Watch = NEVER) -> list[LayerHealth]:
    """The health of every layer whose kernels are in the bank, in network order."""
    found: list[LayerHealth] = []
    there = sorted(
        (int(index), size)
        for size, kernels in bank.sizes.items()
        for index in np.unique(kernels.layer)
    )
    for place, (index, size) in enumerate(there):
        watch.progress(place, len(there), bank.layers[index].name)
        kernels = bank.sizes[size]
        own = kernels.layer == index
        weights, flat = kernels.weights[own], kernels.flat[own]
        support = kernels.supports.get(index)
        seen = on_support(weights, support).reshape(len(weights), -1)
        sound = np.isfinite(seen).all(axis=1)
        scale = kernels.scale[own][~flat]
        rows = seen[sound].astype(np.float64)
        found.append(
            LayerHealth(
                index,
                bank.layers[index].name,
                1 + 10 * place // len(there),
                len(weights),
                sparsity(weights),
                float(flat.mean()),
                variance_entropy(rows),
                noise_entropy(*rows.shape),
                orthogonality(rows),
                size if support is None else support_size(support),
                float(scale.mean(dtype=np.float64)) if len(scale) else math.nan,
            )
        )
    return found


def sparsity(weights: NDArray[np.floating]) -> float:
    """Share of kernels [N, …] whose largest |weight| is under 1 % of the layer's."""
    largest = np.abs(weights.reshape(len(weights), -1)).max(axis=1)
    top = largest[np.isfinite(largest)].max(initial=0.0)
    return float((largest < NEARLY_NOTHING * top).mean()) if top > 0 else 1.0


def variance_entropy(rows: NDArray[np.floating]) -> float:
    """Entropy (log₁₀) of how the variance of kernels [N, taps] spreads over components.

    NaN where all kernels are equal, or there are fewer than two.
    """
    if len(rows) < 2:
        return math.nan
    values = np.asarray(rows, np.float64)
    values = values - values.mean(axis=0)
    wide = values.shape[1] > len(values)
    products = values @ values.T if wide else values.T @ values
    variance = np.maximum(np.linalg.eigvalsh(products), 0)
    if not variance.sum() > 0:
        return math.nan
    share = variance / variance.sum()
    share = share[share > 0]
    return float(abs((share * np.log10(share)).sum()))


@lru_cache(maxsize=1024)
def noise_entropy(count: int, taps: int) -> float:
    """Mean variance entropy of white noise, ``count`` kernels of ``taps`` taps."""
    random = np.random.default_rng(0)
    draws = [
        variance_entropy(random.standard_normal((count, taps))) for _ in range(_DRAWS)
    ]
    return float(np.mean(draws))


def orthogonality(rows: NDArray[np.floating]) -> float:
    """1 − Σ|ŴŴ' − I| / (n (n − 1)) with unit rows Ŵ; kernels of zeros are left out."""
    length = np.linalg.norm(rows, axis=1)
    unit = (rows[length > 0] / length[length > 0, None]).astype(np.float32)
    count = len(unit)
    if count < 2:
        return math.nan
    total = 0.0
    for first in range(0, count, _ROWS):
        total += float(np.abs(unit[first : first + _ROWS] @ unit.T).sum(dtype=float))
    return 1 - (total - count) / (count * (count - 1))
