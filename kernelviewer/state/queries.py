"""What kernels have in common: queries, each a bool mask over a pool."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from kernelviewer.kernels.classes import CLASSES
from kernelviewer.state.similarity import known_cosines

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from kernelviewer.kernels.bank import Size
    from kernelviewer.state.analysis import PoolLabels
    from kernelviewer.state.model import LayerRef
    from kernelviewer.state.pool import KernelPool

Mode = Literal["replace", "add", "subtract", "intersect", "toggle"]
_JOIN: dict[str, Callable[..., NDArray[Any]]] = {
    "replace": lambda old, new: new,
    "add": np.union1d,
    "subtract": np.setdiff1d,
    "intersect": np.intersect1d,
    "toggle": np.setxor1d,
}


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
                if chosen[start:end].any()
            },
        )

    def __len__(self) -> int:
        return sum(len(own) for own in self.indices.values())

    def joined(self, how: Mode, other: Kernels) -> Kernels:
        """These after another act on kernels of the same size."""
        join = _JOIN[how]
        nothing = np.zeros(0, np.int64)
        return Kernels(
            self.size,
            {
                model: join(
                    self.indices.get(model, nothing), other.indices.get(model, nothing)
                )
                for model in sorted({*self.indices, *other.indices})
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


@dataclass(frozen=True, slots=True)
class Similar:
    """Kernels whose pattern is like that of one kernel; flat ones never are.

    The pattern is kept, not the kernel's place: its network may be closed.

    Attributes
    ----------
    size
        The kernel's size.
    taps
        Its pattern, mean 0 and length 1, row by row.
    cosine
        Kernels whose pattern has at least this cosine with it are marked. The sign
        counts: a kernel and its negative have −1.
    name
        What people call the kernel.
    """

    by_label: ClassVar[bool] = False

    size: Size
    taps: tuple[float, ...]
    cosine: float
    name: str = ""

    def mask(
        self, pool: KernelPool, labels: PoolLabels | None = None
    ) -> NDArray[np.bool_]:
        """Bool [N]."""
        if pool.size != self.size:
            return np.zeros(len(pool), bool)
        enough = known_cosines(pool, self.taps) >= np.float32(self.cosine)
        return enough & ~pool.flat


@dataclass(frozen=True, slots=True)
class Every:
    """Kernels that each of some queries marks, such as a class within a layer."""

    queries: tuple[Query, ...]

    @property
    def by_label(self) -> bool:
        """Whether one of them depends on codes or classes."""
        return any(query.by_label for query in self.queries)

    def mask(
        self, pool: KernelPool, labels: PoolLabels | None = None
    ) -> NDArray[np.bool_]:
        """Bool [N]."""
        chosen = np.ones(len(pool), bool)
        for query in self.queries:
            chosen &= query.mask(pool, labels)
        return chosen


Query = All | Layers | Kernels | CodeRange | Classes | Similar | Every
