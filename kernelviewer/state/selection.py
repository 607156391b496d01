"""What is marked: acts of selecting, evaluated to one bool mask over a pool."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from kernelviewer.state.queries import (
    All,
    Classes,
    CodeRange,
    Every,
    Kernels,
    Layers,
    Mode,
    Query,
    Similar,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kernelviewer.state.analysis import PoolLabels
    from kernelviewer.state.pool import KernelPool

__all__ = [
    "All",
    "Classes",
    "CodeRange",
    "Every",
    "Kernels",
    "Layers",
    "Mode",
    "Query",
    "Selection",
    "Similar",
    "Step",
]

_NO_CHANGE = {
    *(("replace", "add"), ("replace", "intersect"), ("add", "add")),
    *(("subtract", "subtract"), ("intersect", "intersect")),
}
"""Modes of two acts with the same query after which the second changes nothing."""
_UNDONE = ("replace", "toggle")
"""Modes of an act that toggling the same query takes back."""


@dataclass(frozen=True, slots=True)
class Step:
    """One act of selecting: a query and how it joins what was selected."""

    mode: Mode
    query: Query


@dataclass(frozen=True, slots=True)
class Selection:
    """Acts of selecting in order, the first with the mode "replace".

    Empty: nothing is selected.
    """

    steps: tuple[Step, ...] = ()

    def then(self, mode: Mode, query: Query) -> Selection:
        """The selection after one more act; acts that say the same become one."""
        if isinstance(query, Kernels) and not len(query):
            return Selection() if mode in ("replace", "intersect") else self
        if mode == "replace" or not self.steps:
            if mode in ("subtract", "intersect"):
                return self
            return Selection(_parted("replace", query))
        *before, last = self.steps
        if last.query == query and (last.mode, mode) in _NO_CHANGE:
            return self
        if last.query == query and mode == "toggle" and last.mode in _UNDONE:
            return Selection(tuple(before))
        joined = _joined(last, mode, query)
        if joined is not None:
            picked = joined.query
            kept = (joined,) if isinstance(picked, Kernels) and len(picked) else ()
            return Selection((*before, *kept))
        return Selection((*self.steps, *_parted(mode, query)))

    def without(self, number: int) -> Selection:
        """The selection as if one act had not been; what follows begins from all."""
        kept = (*self.steps[:number], *self.steps[number + 1 :])
        if not kept or number:
            return Selection(kept)
        first = kept[0]
        if first.mode == "subtract":
            if isinstance(self.steps[0].query, All):
                return Selection(kept).without(0)
            return Selection((Step("replace", All()), *kept))
        return Selection((replace(first, mode="replace"), *kept[1:]))

    def with_query(self, number: int, query: Query) -> Selection:
        """The selection with another query in the place of one act's."""
        step = replace(self.steps[number], query=query)
        return Selection((*self.steps[:number], step, *self.steps[number + 1 :]))

    def mask(
        self, pool: KernelPool, labels: PoolLabels | None = None
    ) -> NDArray[np.bool_]:
        """Bool [N]: the selected kernels of the pool."""
        chosen = np.zeros(len(pool), bool)
        for step in self.steps:
            marked = step.query.mask(pool, labels)
            match step.mode:
                case "replace":
                    chosen = marked
                case "add":
                    chosen |= marked
                case "subtract":
                    chosen &= ~marked
                case "intersect":
                    chosen &= marked
                case "toggle":
                    chosen ^= marked
        return chosen


def _parted(mode: Mode, query: Query) -> tuple[Step, ...]:
    """Acts that can be taken back one by one, where a query says several things."""
    if not isinstance(query, Every) or mode not in ("replace", "intersect"):
        return (Step(mode, query),)
    first, *others = query.queries
    return (Step(mode, first), *(Step("intersect", other) for other in others))


def _joined(last: Step, mode: Mode, query: Query) -> Step | None:
    """Two acts on single kernels as one; None if they are to stay apart."""
    old = last.query
    if not (isinstance(old, Kernels) and isinstance(query, Kernels)):
        return None
    if old.size != query.size or last.mode not in ("replace", mode):
        return None
    if last.mode == "replace":
        return Step("replace", old.joined(mode, query))
    how: Mode = mode if mode in ("toggle", "intersect") else "add"
    return Step(mode, old.joined(how, query))
