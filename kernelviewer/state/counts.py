"""How many kernels there are, as the lines around the grid say it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from kernelviewer.state.view_state import ViewState


@dataclass(frozen=True, slots=True, eq=False)
class Counts:
    """How many kernels of the current size there are, are in scope, are selected.

    ``only_selected``: the grid leaves out what is not selected.
    """

    total: int
    shown: int
    selected: int
    only_selected: bool = False


def count_kernels(state: ViewState) -> Counts:
    """The counts of a state."""
    return Counts(
        total=len(state.pool) if state.pool else 0,
        shown=int(np.count_nonzero(state.shown)),
        selected=int(np.count_nonzero(state.selected)),
        only_selected=state.only_selected,
    )
