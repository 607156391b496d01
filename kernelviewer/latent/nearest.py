"""The nearest of a table of unit patterns, for many kernels: one matrix product.

Arrays are of numpy or of torch, whichever the device computes with.
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
