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

    ``only_selected``: the grid leaves out what is not selected. ``counted`` and
    ``counted_selected`` are what counts of them where networks are counted together,
    ``opened`` what counts of all sizes, ``opened_repeated`` what does not.
    """

    total: int
    shown: int
    selected: int
    only_selected: bool = False
    counted: int = 0
    counted_selected: int = 0
    opened: int = 0
    opened_repeated: int = 0


def count_kernels(state: ViewState) -> Counts:
    """The counts of a state."""
    opened = sum(state.sizes.values())
    return Counts(
        total=len(state.pool) if state.pool else 0,
        shown=int(np.count_nonzero(state.shown)),
        selected=int(np.count_nonzero(state.selected)),
        only_selected=state.only_selected,
        counted=int(np.count_nonzero(state.counted)),
        counted_selected=int(np.count_nonzero(state.counted_selected)),
        opened=opened,
        opened_repeated=sum(len(model.bank) for model in state.models) - opened,
    )
