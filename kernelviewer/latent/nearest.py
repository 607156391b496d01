"""The nearest of a table of unit patterns, for many kernels: one matrix product."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from torch import Tensor

_PRODUCTS = {"cpu": 2**22}
"""Products in a batch: on a CPU they stay in the cache while they are searched."""
_PRODUCTS_DEVICE = 2**25
_GROUP = 32
_CONSTANT = 1e-6


def unit(kernels: Tensor) -> tuple[Tensor, Tensor]:
    """Patterns of kernels [n, taps], and which rows have one.

    Patterns come as float32 [n, taps], tap by tap in memory so that sums over the taps
    vectorise; zero for constant kernels and such with NaN or infinite weights. Weights
    may share an offset thousands of times larger than what differs between them: the
    differences from the first tap, of which the mean is taken, lose nothing to it.
    """
    import torch

    # halves, lest differences overflow
    columns = kernels.T.float().contiguous() / 2
    first = columns[0].clone()
    columns -= first
    largest = columns.abs().amax(0)
    valid = largest > _CONSTANT * (first.abs() + largest)
    columns /= largest
    columns -= columns.mean(0)
    columns /= columns.square().sum(0).sqrt()
    return torch.where(valid, columns, 0.0).T, valid


class Table:
    """Unit patterns among which the nearest is sought, batch after batch.

    Parameters
    ----------
    rows
        float32 [m, taps], on the device where the products are made.
    """

    def __init__(self, rows: Tensor) -> None:
        import torch

        self.rows = rows
        most = _PRODUCTS.get(rows.device.type, _PRODUCTS_DEVICE)
        self._step = max(1, most // max(1, len(rows)))
        # memory claimed anew for each batch would be cleared by the system each time
        self._room = torch.empty(len(rows), self._step, device=rows.device)

    def batches(self, count: int) -> Iterator[slice]:
        """Slices of ``count`` patterns, each for one call of `nearest`."""
        for first in range(0, count, self._step):
            yield slice(first, min(first + self._step, count))

    def nearest(self, patterns: Tensor) -> tuple[Tensor, Tensor]:
        """Cosine [n] and row [n] of the row nearest to each pattern of a batch.

        The largest product is sought among groups of rows and then within one, which
        vectorises where a search along a row does not.
        """
        import torch

        rows = self.rows
        room = self._room.view(-1)[: len(rows) * len(patterns)]
        if len(rows) % _GROUP:
            products = room.view(len(patterns), len(rows))
            cosine, row = torch.mm(patterns, rows.T, out=products).max(1)
            return cosine, row
        products = room.view(len(rows), len(patterns))
        torch.mm(rows, patterns.T, out=products)
        groups = products.view(-1, _GROUP, len(patterns))
        cosine, group = groups.amax(1).max(0)
        # max notes the place of the largest far faster than argmax seeks it
        row = groups.gather(0, group.expand(1, _GROUP, -1))[0].max(0).indices
        return cosine, group * _GROUP + row


def nearest_in_batches(
    patterns: Tensor,
    table: Tensor,
    check: Callable[[], object] = lambda: None,
) -> tuple[Tensor, Tensor]:
    """Cosine [n] and row [n] of the row of ``table`` [m, taps] nearest to each pattern.

    The patterns, any number of them, are on the host, and the results; the products are
    made where ``table`` is; ``check`` is called between batches.
    """
    import torch

    cosine = torch.empty(len(patterns))
    row = torch.empty(len(patterns), dtype=torch.int64)
    among = Table(table)
    for here in among.batches(len(patterns)):
        check()
        cosine[here], row[here] = among.nearest(patterns[here].to(table.device))
    return cosine, row
