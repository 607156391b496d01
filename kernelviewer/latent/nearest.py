"""The nearest of a table of unit patterns, for many kernels: one matrix product."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import torch
    from torch import Tensor

_PRODUCTS = {"cpu": 2**20}
"""Products in a batch: on a CPU they stay in the cache while they are searched."""
_PRODUCTS_DEVICE = 2**25
_GROUP = 32
_CONSTANT = 1e-6


def batches(count: int, columns: int, device: torch.device) -> Iterator[slice]:
    """Slices of ``count`` rows whose products with ``columns`` patterns stay small."""
    most = _PRODUCTS.get(device.type, _PRODUCTS_DEVICE)
    step = max(1, most // max(1, columns))
    for first in range(0, count, step):
        yield slice(first, min(first + step, count))


def unit(kernels: Tensor) -> tuple[Tensor, Tensor]:
    """Patterns of kernels [n, taps], and which rows have one.

    Patterns come as float32 [n, taps], zero for constant kernels and such with NaN or
    infinite weights. The mean is taken off in float64, where the device has it:
    weights may share an offset thousands of times larger than what differs between
    them.
    """
    import torch

    wide = kernels.float() if kernels.device.type == "mps" else kernels.double()
    free = wide - wide.mean(1, keepdim=True)
    length = free.norm(dim=1, keepdim=True)
    valid = (length > _CONSTANT * wide.norm(dim=1, keepdim=True)) & length.isfinite()
    return torch.where(valid, free / length, 0.0).float(), valid[:, 0]


def nearest(patterns: Tensor, table: Tensor) -> tuple[Tensor, Tensor]:
    """Cosine [n] and row [n] of the row of ``table`` [m, taps] nearest to each pattern.

    The largest product is sought among groups of rows and then within one, which
    vectorises where a search along a row does not.
    """
    import torch

    if len(table) % _GROUP or not len(patterns):
        products = patterns @ table.T
        if not len(patterns):
            return products.sum(1), products.sum(1).long()
        cosine, row = products.max(1)
        return cosine, row
    products = (table @ patterns.T).view(-1, _GROUP, len(patterns))
    cosine, group = products.amax(1).max(0)
    each = torch.arange(len(patterns), device=patterns.device)
    return cosine, group * _GROUP + products[group, :, each].argmax(1)


def nearest_in_batches(
    patterns: Tensor,
    table: Tensor,
    check: Callable[[], object] = lambda: None,
) -> tuple[Tensor, Tensor]:
    """As `nearest`, for any number of patterns on the host; the results are there too.

    The products are made where ``table`` is; ``check`` is called between batches.
    """
    import torch

    cosine = torch.empty(len(patterns))
    row = torch.empty(len(patterns), dtype=torch.int64)
    for here in batches(len(patterns), len(table), table.device):
        check()
        cosine[here], row[here] = nearest(patterns[here].to(table.device), table)
    return cosine, row
