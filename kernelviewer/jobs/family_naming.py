"""The task that finds every kernel's own best family class."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from kernelviewer.device import choose_device
from kernelviewer.jobs.memory import give_back
from kernelviewer.kernels.classes import INDEX, PATTERNS
from kernelviewer.latent.naming import TOLERANCE
from kernelviewer.state.analysis import FamilyNames

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kernelviewer.jobs.ticket import Ticket
    from kernelviewer.kernels.bank import KernelSet
    from kernelviewer.kernels.family import FamilyFit

BATCH = 4096


def name_by_family(ticket: Ticket, kernels: KernelSet, device: str) -> FamilyNames:
    """Best and near family classes, batch by batch; other tasks go first in between."""
    from kernelviewer.kernels.family import family_fit

    best = np.full(len(kernels), INDEX["flat"], np.uint8)
    near = np.zeros(len(kernels), np.uint16)
    there = np.flatnonzero(~kernels.flat)
    for first in range(0, len(there), BATCH):
        ticket.give_way()
        ticket.progress(first, len(there), "kernels compared with the family")
        rows = there[first : first + BATCH]
        found = family_fit(
            kernels.weights[rows], device=choose_device(device), watch=ticket.quiet()
        )
        best[rows] = found.class_index
        near[rows] = near_classes(found)
    give_back()
    return FamilyNames(best, near)


def near_classes(found: FamilyFit) -> NDArray[np.uint16]:
    """Bits of the classes that explain a kernel about as well as its best, [N]."""
    cosine = found.class_cosine
    close = cosine.max(axis=1, keepdims=True) - cosine <= TOLERANCE
    bits = np.uint16(1) << np.arange(len(PATTERNS), dtype=np.uint16)
    return np.asarray((close * bits).sum(axis=1), np.uint16)
