"""The nearest of a table of unit patterns, for many kernels, and K-means by it.

Nearest is one matrix product; arrays are of numpy or of torch, whichever the device
computes with. K-means is the plain way to cluster patterns, and the curve's starting
point: Dhillon and Modha, *Concept decompositions for large sparse text data using
clustering* (Machine Learning, 2001), started as k-means++ does, on 1 − cosine.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from kernelviewer.device import CPU, host, namespace_of
from kernelviewer.watch import NEVER

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from numpy.typing import NDArray
    from torch import Tensor

    from kernelviewer.device import Array, Device
    from kernelviewer.watch import Watch


_PRODUCTS = {"numpy": 2**22, "torch": 2**25}
"""Products in a batch: on a CPU they stay in the cache while they are searched."""
_CONSTANT = 1e-6
_NONE = -2.0
"""Less than any cosine."""
NEAR_TIE = 1e-6
"""Cosines of float32 that are no further apart may stand in another order than the
exact ones."""


def unit(kernels: Array, dtype: Any = None) -> tuple[Array, Array]:
    """Patterns of kernels [n, taps], and which rows have one.

    Patterns come as [n, taps] of ``dtype`` (by default float32), tap by tap in memory
    so that sums over the taps vectorise; zero for constant kernels and such with NaN or
    infinite weights. Weights may share an offset thousands of times larger than what
    differs between them: the differences from the first tap, of which the mean is
    taken, lose nothing to it.
    """
    xp = namespace_of(kernels)
    columns = xp.empty(
        kernels.shape[::-1], dtype=dtype or xp.float32, device=kernels.device
    )
    columns[...] = kernels.T
    with np.errstate(all="ignore"):  # what is no number is found below
        columns /= 2  # lest differences overflow
        first = xp.asarray(columns[0], copy=True)
        columns -= first
        largest = xp.max(xp.abs(columns), axis=0)
        valid = largest > _CONSTANT * (xp.abs(first) + largest)
        columns /= largest
        columns -= xp.mean(columns, axis=0)
        columns /= xp.sqrt(xp.sum(columns * columns, axis=0))
    return xp.where(valid, columns, xp.zeros_like(columns)).T, valid


class Table:
    """Unit patterns among which the nearest is sought, batch after batch.

    Parameters
    ----------
    rows
        float32 [m, taps].
    where
        The device that the products are made on.
    """

    def __init__(self, rows: NDArray[np.float32], where: Device) -> None:
        self.device = where
        self.rows = where.put(rows)
        self._exact = rows
        self._step = max(1, _PRODUCTS[where.library] // max(1, len(rows)))
        # memory claimed anew for each batch would be cleared by the system each time
        self._room = where.xp.empty(
            (self._step, len(rows)), dtype=where.xp.float32, device=where.type
        )

    def batches(self, count: int) -> Iterator[slice]:
        """Slices of ``count`` patterns, each for one call of `nearest`."""
        for first in range(0, count, self._step):
            yield slice(first, min(first + self._step, count))

    def nearest(self, patterns: Array) -> tuple[Array, Array]:
        """Cosine [n] and row [n] of the row nearest to each pattern of a batch."""
        products = self._products(patterns)
        row = self.device.xp.argmax(products, axis=1)
        return self._at(products, row), row

    def nearest_exactly(self, kernels: Array) -> tuple[Array, Array, Array]:
        """As `nearest`, of kernels [n, taps] of a batch; and which have a pattern.

        Where float32 cannot tell which row is nearer, float64 does, on the host: every
        device finds the same rows.
        """
        xp = self.device.xp
        patterns, valid = unit(self.device.put(kernels))
        products = self._products(patterns)
        row = xp.argmax(products, axis=1)
        cosine = self._at(products, row)
        products[xp.arange(len(row), device=self.device.type), row] = _NONE
        close = valid & (cosine - xp.max(products, axis=1) <= NEAR_TIE)
        tied = np.flatnonzero(host(close))
        if len(tied):
            exact, _ = unit(host(kernels)[tied], np.float64)
            found = (exact @ self._exact.T.astype(np.float64)).argmax(axis=1)
            row[self.device.put(tied, np.int64)] = self.device.put(found, np.int64)
        return cosine, row, valid

    def _products(self, patterns: Array) -> Array:
        room = self._room[: len(patterns)]
        return self.device.xp.matmul(patterns, self.rows.T, out=room)

    def _at(self, products: Array, row: Array) -> Array:
        place = self.device.xp.arange(len(row), device=self.device.type)
        return products[place, row]


def nearest_in_batches(
    patterns: NDArray[np.float32],
    table: NDArray[np.float32],
    where: Device = CPU,
    watch: Watch = NEVER,
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Cosine [n] and row [n] of the row of ``table`` [m, taps] nearest to each pattern.

    The products are made on the device; ``watch`` is checked between batches.
    """
    cosine = np.empty(len(patterns), np.float32)
    row = np.empty(len(patterns), np.int64)
    among = Table(table, where)
    for here in among.batches(len(patterns)):
        watch.check()
        found = among.nearest(where.put(patterns[here]))
        cosine[here], row[here] = map(host, found)
    return cosine, row


ITERATIONS = 30
_LEAST = 1e-6


def spherical_kmeans(
    patterns: Tensor,
    count: int,
    *,
    weights: Tensor | None = None,
    iterations: int = ITERATIONS,
    seed: int = 0,
    device: Device | None = None,
    watch: Watch = NEVER,
) -> Tensor:
    """Unit centroids of patterns.

    Parameters
    ----------
    patterns
        float32 [N, taps], mean 0 and length 1, N ≥ 1.
    count
        Centroids wanted; fewer come back if there are fewer patterns.
    weights
        [N], how much each pattern counts.
    iterations, seed
        Sweeps over all patterns at most, and the seed of the first centroids.

    Returns
    -------
    Tensor
        float32 [min(count, N), taps], on the host.
    """
    import torch

    device = device or CPU
    weights = torch.ones(len(patterns)) if weights is None else weights
    centroids = _spread(patterns, min(count, len(patterns)), weights, seed, watch)
    before = None
    for _ in range(iterations):
        table = centroids.numpy()
        _, found = nearest_in_batches(patterns.numpy(), table, device, watch)
        member = torch.from_numpy(found)
        if before is not None and torch.equal(member, before):
            break
        before = member
        sums = torch.zeros_like(centroids)
        sums.index_add_(0, member, patterns * weights[:, None])
        length = sums.norm(dim=1, keepdim=True)
        # a centroid that has lost its members stays where it was
        alive = length > _LEAST * weights.mean()
        centroids = torch.where(alive, sums / length.clamp(min=1e-30), centroids)
    return centroids


def _spread(
    patterns: Tensor, count: int, weights: Tensor, seed: int, watch: Watch
) -> Tensor:
    """First centroids: patterns drawn with chances by their distance to the others."""
    import torch

    generator = torch.Generator().manual_seed(seed)
    first = torch.multinomial(weights, 1, generator=generator)
    chosen = [int(first)]
    closest = patterns @ patterns[chosen[0]]
    while len(chosen) < count:
        watch.check()
        chances = (1 - closest).clamp(min=_LEAST) * weights
        chosen.append(int(torch.multinomial(chances, 1, generator=generator)))
        closest = torch.maximum(closest, patterns @ patterns[chosen[-1]])
    return patterns[chosen].clone()
