"""What is marked: a query that is evaluated to one bool mask over a pool."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np

from kernelviewer.kernels.classes import CLASSES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from kernelviewer.kernels.bank import Size
    from kernelviewer.state.analysis import PoolLabels
    from kernelviewer.state.model import LayerRef
    from kernelviewer.state.pool import KernelPool

    Mask = NDArray[np.bool_]

Mode = Literal["replace", "add", "subtract", "intersect", "toggle"]


@dataclass(frozen=True, slots=True)
class All:
    """Every kernel."""

    by_label: ClassVar[bool] = False

    def mask(
        self, pool: KernelPool, labels: PoolLabels | None = None
    ) -> NDArray[np.bool_]:
        """Bool [N]."""
        return np.ones(len(pool), bool)


@dataclass(frozen=True, slots=True)
class Layers:
    """Every kernel of some layers."""

    by_label: ClassVar[bool] = False

    layers: frozenset[LayerRef]

    def mask(
        self, pool: KernelPool, labels: PoolLabels | None = None
    ) -> NDArray[np.bool_]:
        """Bool [N]."""
        return pool.layers_mask(self.layers)


@dataclass(frozen=True, slots=True, eq=False)
class Kernels:
    """Kernels picked one by one or with the rubber band.

    Attributes
    ----------
    size
        Their size.
    indices
        Model id → sorted int64 indices into that model's `KernelSet`.
    """

    by_label: ClassVar[bool] = False

    size: Size
    indices: Mapping[int, NDArray[np.int64]]

    @staticmethod
    def of(pool: KernelPool, chosen: NDArray[np.bool_]) -> Kernels:
        """Kernels whose entry in the bool mask [N] is set."""
        return Kernels(
            pool.size,
            {
                model.id: np.flatnonzero(chosen[start:end])
                for model, start, end in zip(
                    pool.models, pool.starts[:-1], pool.starts[1:], strict=True
                )
            },
        )

    def mask(
        self, pool: KernelPool, labels: PoolLabels | None = None
    ) -> NDArray[np.bool_]:
        """Bool [N]."""
        chosen = np.zeros(len(pool), bool)
        if pool.size == self.size:
            for model, start in zip(pool.models, pool.starts[:-1], strict=True):
                if model.id in self.indices:
                    chosen[start + self.indices[model.id]] = True
        return chosen


@dataclass(frozen=True, slots=True)
class CodeRange:
    """Kernels with a code from ``low`` to ``high``; none while there are no codes."""

    by_label: ClassVar[bool] = True

    low: float
    high: float

    def mask(
        self, pool: KernelPool, labels: PoolLabels | None = None
    ) -> NDArray[np.bool_]:
        """Bool [N]."""
        if labels is None:
            return np.zeros(len(pool), bool)
        with np.errstate(invalid="ignore"):
            return (labels.code >= self.low) & (labels.code <= self.high)


@dataclass(frozen=True, slots=True)
class Classes:
    """Kernels of some classes, by their ids; none while there are no labels."""

    by_label: ClassVar[bool] = True

    ids: frozenset[str]

    def mask(
        self, pool: KernelPool, labels: PoolLabels | None = None
    ) -> NDArray[np.bool_]:
        """Bool [N]."""
        if labels is None:
            return np.zeros(len(pool), bool)
        wanted = np.array([item.id in self.ids for item in CLASSES])
        return wanted[labels.label]


Query = All | Layers | Kernels | CodeRange | Classes


@dataclass(frozen=True, slots=True)
class Step:
    """One act of selecting: a query and how it joins what was selected."""

    mode: Mode
    query: Query


@dataclass(frozen=True, slots=True)
class Selection:
    """Acts of selecting in order; empty: nothing is selected."""

    steps: tuple[Step, ...] = ()

    def then(self, mode: Mode, query: Query) -> Selection:
        """The selection after one more act."""
        if mode == "replace":
            return Selection((Step("replace", query),))
        return Selection((*self.steps, Step(mode, query)))

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
