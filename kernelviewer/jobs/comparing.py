"""The task that compares two open networks kernel by kernel."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernelviewer.kernels.comparison import compare_pairs
from kernelviewer.kernels.pairing import pair

if TYPE_CHECKING:
    from kernelviewer.jobs.runner import Ticket
    from kernelviewer.kernels.bank import KernelBank
    from kernelviewer.kernels.comparison import Comparison
    from kernelviewer.state.comparing import Comparing


def compare_networks(
    ticket: Ticket, first: KernelBank, second: KernelBank, how: Comparing
) -> Comparison:
    """What changed from the first network to the second; classes are left to views."""
    pairing = pair(first, second, match=how.match, layers=how.layers, watch=ticket)
    return compare_pairs(pairing, {}, watch=ticket)
