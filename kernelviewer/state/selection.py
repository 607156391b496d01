"""What is marked: acts of selecting, each a query, evaluated to a mask over a pool."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from kernelviewer.kernels.classes import CLASSES
from kernelviewer.state.model import LayerRef
from kernelviewer.state.similarity import known_cosines

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from numpy.typing import NDArray

    from kernelviewer.kernels.bank import KernelBank, Size
    from kernelviewer.kernels.classes import By
    from kernelviewer.state.analysis import PoolLabels
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
    """Kernels picked one by one or with the rubber band."""

    by_label: ClassVar[bool] = False

    size: Size
    """Their size."""
    indices: Mapping[int, NDArray[np.int64]]
    """Model id → sorted int64 indices into that model's `KernelSet`."""
    name: str = ""
    """What they are, such as a change of class; empty where they were picked."""

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

    def outside(self, closed: Collection[int]) -> Kernels:
        """The same without kernels of models of these ids."""
        if self.indices.keys().isdisjoint(closed):
            return self
        left = {key: own for key, own in self.indices.items() if key not in closed}
        return replace(self, indices=left)

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
    """Kernels with a code from ``low`` to ``high``; none while there are no codes.

    ``by``: on the learned spectrum or on the family's, whatever names the kernels.
    """

    by_label: ClassVar[bool] = True

    low: float
    high: float
    by: By = "code"

    def mask(
        self, pool: KernelPool, labels: PoolLabels | None = None
    ) -> NDArray[np.bool_]:
        """Bool [N]."""
        code = None if labels is None else labels.codes(self.by)
        if code is None:
            return np.zeros(len(pool), bool)
        with np.errstate(invalid="ignore"):
            return (code >= self.low) & (code <= self.high)


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
    """

    by_label: ClassVar[bool] = False

    size: Size
    """The kernel's size."""
    taps: tuple[float, ...]
    """Its pattern, mean 0 and length 1, row by row."""
    cosine: float
    """Kernels whose pattern has at least this cosine with it are marked. The sign
    counts: a kernel and its negative have −1."""
    name: str = ""
    """What people call the kernel."""

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
        """True if one of them depends on codes or classes."""
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


# fmt: off
__all__ = [
    "All", "Classes", "CodeRange", "Every", "Kernels", "Layers", "Mode", "Query",
    "Selection", "Similar", "Step",
]
# fmt: on

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
    if old.name or query.name:
        return None
    if last.mode == "replace":
        return Step("replace", old.joined(mode, query))
    how: Mode = mode if mode in ("toggle", "intersect") else "add"
    return Step(mode, old.joined(how, query))


def moved_selection(
    selection: Selection, model: int, old: KernelBank, new: KernelBank
) -> Selection:
    """The same layers and kernels, by their names, in another bank of a model."""
    return Selection(
        tuple(
            replace(step, query=_moved(step.query, model, old, new))
            for step in selection.steps
        )
    )


def _moved(query: Query, model: int, old: KernelBank, new: KernelBank) -> Query:
    match query:
        case Layers(layers):
            places = {layer.name: index for index, layer in enumerate(new.layers)}
            own = {old.layers[r.layer].name for r in layers if r.model == model}
            there = {LayerRef(model, places[name]) for name in own & places.keys()}
            others = {ref for ref in layers if ref.model != model}
            return Layers(frozenset(others | there))
        case Kernels():
            return moved_kernels(query, model, old, new)
        case Every(queries):
            return Every(tuple(_moved(part, model, old, new) for part in queries))
        case _:
            return query


def moved_kernels(
    query: Kernels, model: int, old: KernelBank, new: KernelBank
) -> Kernels:
    """The same kernels in another bank of a model; those it lacks are left out."""
    if model not in query.indices:
        return query
    found = _places(query.indices[model], query.size, old, new)
    return replace(query, indices={**query.indices, model: found})


def _places(
    indices: NDArray[np.int64], size: Size, old: KernelBank, new: KernelBank
) -> NDArray[np.int64]:
    """Where kernels of the old bank lie in the new one; those it lacks are left out."""
    if size not in old.sizes or size not in new.sizes:
        return np.zeros(0, np.int64)
    places = {key: index for index, key in enumerate(_names(new, size))}
    names = _names(old, size)
    found = [places[names[i]] for i in indices if names[i] in places]
    return np.array(sorted(found), np.int64)


def _names(bank: KernelBank, size: Size) -> list[tuple[str, int]]:
    """Layer and channel of every kernel of a size."""
    kernels = bank.sizes[size]
    layers, channels = kernels.layer.tolist(), kernels.channel.tolist()
    return [
        (bank.layers[layer].name, channel)
        for layer, channel in zip(layers, channels, strict=True)
    ]
