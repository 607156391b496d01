"""The task that compares two open networks kernel by kernel."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernelviewer.kernels.comparison import compare_pairs
from kernelviewer.kernels.pairing import LayerPair, pair, pair_layers
from kernelviewer.state.comparing import layers_by_name

if TYPE_CHECKING:
    from kernelviewer.jobs.runner import Ticket
    from kernelviewer.kernels.bank import KernelBank
    from kernelviewer.kernels.comparison import Comparison
    from kernelviewer.kernels.pairing import Pairing
    from kernelviewer.state.comparing import Comparing
    from kernelviewer.watch import Watch


def compare_networks(
    ticket: Ticket, first: KernelBank, second: KernelBank, how: Comparing
) -> Comparison:
    """What changed from the first network to the second; classes are left to views."""
    return compare_pairs(pairing_of(first, second, how, ticket), {}, watch=ticket)


def pairing_of(
    first: KernelBank, second: KernelBank, how: Comparing, watch: Watch
) -> Pairing:
    """Which kernels correspond; pairs of layers that cannot are left out."""
    if how.layers is None:
        return pair(first, second, match=how.match, watch=watch)
    found = layers_by_name(first, second, how.layers)
    layers = [LayerPair(a, b, "hand") for a, b in found.items()]
    return pair_layers(first, second, layers, match=how.match, watch=watch)
