"""Kernels per layer and class, and how they follow a threshold without a recount.

Between two thresholds only the kernels whose fit lies between them change. They are
found at once in the order of the fits, so that a drag costs what it changes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from kernelviewer.kernels.classes import CLASSES
from kernelviewer.state.analysis import UNIDENTIFIED, identified
from kernelviewer.state.memo import Memo
from kernelviewer.state.model import LayerRef
from kernelviewer.state.pool import make_pool

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from kernelviewer.kernels.bank import Size
    from kernelviewer.kernels.classes import Words
    from kernelviewer.latent.noise import Null
    from kernelviewer.latent.stretches import Stretches
    from kernelviewer.state.analysis import Known, PoolLabels
    from kernelviewer.state.document import Document
    from kernelviewer.state.model import OpenModel
    from kernelviewer.state.pool import KernelPool
    from kernelviewer.state.view_state import ViewState


KINDS = len(CLASSES)
FEWEST, CHANCE = 50, 0.05
"""Of fewer kernels nothing is said; how rarely noise has as many identified."""
MANY = 500
"""Events expected from which on their number is as good as normally distributed."""
MOST_CHANGED = 8
"""A change of more than one in so many kernels is cheaper to count anew."""


@dataclass(frozen=True, slots=True, eq=False)
class Tally:
    """Counts of a pool's kernels; int64 [layers of the pool, classes] each."""

    label: NDArray[np.int64]
    best: NDArray[np.int64]
    """By label, and by best class whatever the fit."""

    def among(
        self, layers: NDArray[np.bool_]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Kernels of some layers (bool [layers]): per label, and `below`."""
        return self.label[layers].sum(0), self.below[layers].sum(0)

    @property
    def below(self) -> NDArray[np.int64]:
        """Unidentified kernels by the class they would have, [layers, classes]."""
        below = self.best - self.label
        below[:, UNIDENTIFIED:] = 0
        return below


def tally(
    pool: KernelPool, labels: PoolLabels, best: NDArray[np.int64] | None = None
) -> Tally:
    """Count all kernels; ``best`` is that table if it is known."""
    if best is None:
        best = _count(pool, pool.layer, labels.best)
    if labels.label is labels.best:
        return Tally(best, best)
    return Tally(_count(pool, pool.layer, labels.label), best)


def tally_of(
    pool: KernelPool, labels: PoolLabels, whole: Tally, chosen: NDArray[np.bool_]
) -> Tally:
    """Count the kernels of a mask, bool [N]; ``whole`` is the count of all.

    Where most kernels are in the mask, the others are counted.
    """
    most = 2 * int(np.count_nonzero(chosen)) > len(pool)
    rows = np.flatnonzero(~chosen if most else chosen)
    layer = pool.layer[rows]
    label = _count(pool, layer, labels.label[rows])
    best = _count(pool, layer, labels.best[rows])
    if most:
        return Tally(whole.label - label, whole.best - best)
    return Tally(label, best)


def moved(
    pool: KernelPool,
    known: Mapping[tuple[int, Size], Known],
    before: tuple[PoolLabels, Tally],
    thresholds: tuple[float, float],
) -> tuple[PoolLabels, Tally] | None:
    """Labels and counts at another threshold.

    Parameters
    ----------
    before
        Those at the first of the ``thresholds``; wanted are those at the second.

    Returns
    -------
    tuple or None
        None where counting anew is as good.
    """
    old, new = (np.float32(value if value < 1 else np.inf) for value in thresholds)
    rows = _between(pool, known, min(old, new), max(old, new))
    if rows is None or len(rows) * MOST_CHANGED > len(pool):
        return None
    labels, counted = before
    label = labels.label.copy()
    best = labels.best[rows]
    change = _count(pool, pool.layer[rows], best)
    table = counted.label.copy()
    if new > old:
        label[rows] = UNIDENTIFIED
        table -= change
        table[:, UNIDENTIFIED] += change.sum(1)
    else:
        label[rows] = best
        table += change
        table[:, UNIDENTIFIED] -= change.sum(1)
    made = replace(labels, label=label)
    return made, Tally(table, counted.best)


def order_of(values: NDArray[np.float32]) -> NDArray[np.int32]:
    """Indices int32 of the values that are not NaN, by rising value.

    Sorted by the lower half of their bits, then by the upper one: NumPy sorts numbers
    of 16 bits ten times faster.
    """
    there = np.flatnonzero(~np.isnan(values)).astype(np.int32)
    bits = values[there].view(np.uint32)
    bits = np.where(bits >> 31, ~bits, bits | np.uint32(1 << 31))
    lower = np.argsort(bits.astype(np.uint16), kind="stable")
    upper = (bits[lower] >> 16).astype(np.uint16)
    return there[lower[np.argsort(upper, kind="stable")]]


def _between(
    pool: KernelPool,
    known: Mapping[tuple[int, Size], Known],
    low: np.float32,
    high: np.float32,
) -> NDArray[np.int64] | None:
    """Pool numbers of the kernels whose fit is from ``low`` to below ``high``."""
    parts = []
    for model, start in zip(pool.models, pool.starts[:-1], strict=True):
        own = known[model.id, pool.size]
        if own.order is None:
            return None
        first, last = (_place(own.fit, own.order, at) for at in (low, high))
        parts.append(own.order[first:last] + start)
    return np.concatenate(parts) if parts else np.zeros(0, np.int64)


def _place(
    fit: NDArray[np.float32], order: NDArray[np.int32], value: np.float32
) -> int:
    """How many kernels have a fit below a value, by bisection of their order."""
    low, high = 0, len(order)
    while low < high:
        middle = (low + high) // 2
        if fit[order[middle]] < value:
            low = middle + 1
        else:
            high = middle
    return low


def _count(
    pool: KernelPool, layer: NDArray[np.int32], kind: NDArray[np.uint8]
) -> NDArray[np.int64]:
    joint = layer * np.int32(KINDS) + kind
    table = np.bincount(joint, minlength=len(pool.layer_refs) * KINDS)
    return table.reshape(len(pool.layer_refs), KINDS)


@dataclass(frozen=True, slots=True)
class LayerCounts:
    """A layer's kernels."""

    counts: tuple[int, ...]
    """Kernels per class, in the order of `CLASSES`."""
    null: float | None = None
    """Share of white noise that would be identified; None: not known."""


@dataclass(frozen=True, slots=True)
class SummedCounts:
    """Kernels of several layers together."""

    counts: tuple[int, ...]
    """Kernels per class, in the order of `CLASSES`."""
    null: float | None
    """Share of white noise that would be identified, over the sizes of the kernels;
    None: not known."""

    @property
    def kernels(self) -> int:
        """All of them."""
        return sum(self.counts)

    @property
    def named(self) -> int:
        """Identified kernels."""
        return sum(self.counts[:UNIDENTIFIED])

    @property
    def patterned(self) -> int:
        """Kernels that are not flat."""
        return sum(self.counts[: UNIDENTIFIED + 1])

    @property
    def coverage(self) -> float:
        """Identified share of the kernels that are not flat; NaN without any."""
        return self.named / self.patterned if self.patterned else float("nan")

    @property
    def is_as_noise(self) -> bool:
        """Whether no more are identified than might be of as much white noise.

        At most one in twenty sets of noise has as many; of few kernels it is not said.
        """
        if self.null is None or self.patterned < FEWEST:
            return False
        return poisson_tail(self.named, self.null * self.patterned) >= CHANCE


def poisson_tail(least: int, mean: float) -> float:
    """Probability of ``least`` or more events where ``mean`` are expected."""
    if mean > MANY:  # so does the normal distribution
        return 0.5 * math.erfc((least - 0.5 - mean) / math.sqrt(2 * mean))
    below, term = 0.0, math.exp(-mean)
    for number in range(least):
        below += term
        term *= mean / (number + 1)
        if term == 0.0:
            break
    return max(0.0, 1.0 - below)


def add_up(layers: Sequence[LayerCounts]) -> SummedCounts:
    """Layers together; noise is weighed as the kernels with a pattern."""
    counts = tuple(map(sum, zip(*(layer.counts for layer in layers), strict=True)))
    weights = [sum(layer.counts[: UNIDENTIFIED + 1]) for layer in layers]
    nulls = [layer.null for layer in layers]
    if any(null is None for null in nulls) or not sum(weights):
        return SummedCounts(counts, None)
    pairs = zip(nulls, weights, strict=True)
    mean = sum(null * weight for null, weight in pairs if null is not None)
    return SummedCounts(counts, mean / sum(weights))


@dataclass(frozen=True, slots=True)
class NetworkCounts:
    """A network as one row: what is known of it without looking at its layers."""

    model: OpenModel
    """The network."""
    kernels: Mapping[Size, int]
    flat: int
    """How many of every size."""
    total: SummedCounts | None
    sizes: Mapping[Size, SummedCounts]
    """Its kernels by class, all together and of each size; None, and left out, while
    they are not named."""
    fit: float
    """Mean fit of the kernels of the size in use; NaN without any."""

    @property
    def count(self) -> int:
        """All its kernels."""
        return sum(self.kernels.values())


def count_networks(
    state: ViewState, layers: Mapping[LayerRef, LayerCounts]
) -> tuple[NetworkCounts, ...]:
    """A row for each open network, from the counts of its layers."""
    fits = _mean_fits(state)
    rows = []
    for model in state.models:
        bank = model.bank
        by_size: dict[Size, list[LayerCounts]] = {}
        for number, layer in enumerate(bank.layers):
            if (found := layers.get(LayerRef(model.id, number))) is not None:
                by_size.setdefault(layer.size, []).append(found)
        together = [found for parts in by_size.values() for found in parts]
        rows.append(
            NetworkCounts(
                model,
                {size: len(kernels) for size, kernels in bank.sizes.items()},
                sum(int(np.count_nonzero(k.flat)) for k in bank.sizes.values()),
                add_up(together) if together else None,
                {size: add_up(parts) for size, parts in by_size.items()},
                fits.get(model.id, float("nan")),
            )
        )
    return tuple(rows)


def _mean_fits(state: ViewState) -> dict[int, float]:
    """Model id → mean fit of its kernels of the current size."""
    pool, labels = state.pool, state.labels
    if pool is None or labels is None:
        return {}
    known = np.isfinite(labels.fit)
    fit = np.where(known, labels.fit, 0).astype(np.float64)
    starts = pool.starts[:-1]
    sums, counts = (np.add.reduceat(a, starts) for a in (fit, known.astype(np.int64)))
    pairs = zip(pool.models, sums.tolist(), counts.tolist(), strict=True)
    return {model.id: total / n if n else float("nan") for model, total, n in pairs}


class AllSizes:
    """Counts the classes of all open kernels, of each size only when it changed."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._sizes: dict[Size, Memo[..., dict[LayerRef, LayerCounts]]] = {}
        self._state: ViewState | None = None

    def count(self, state: ViewState) -> dict[LayerRef, LayerCounts]:
        """Layer → its kernels; layers whose kernels have no classes are left out."""
        document = self._document
        counted: dict[LayerRef, LayerCounts] = {}
        self._sizes = {
            size: self._sizes.get(size) or Memo(self._count) for size in state.sizes
        }
        self._state = state
        for size, count in self._sizes.items():
            models = tuple(m for m in document.models if size in m.bank.sizes)
            known = document.known_of(size)
            counted |= count(
                size,
                models,
                tuple(known.get((model.id, size)) for model in models),
                document.stretches_of(size),
                document.threshold_of(size),
                document.null_of(size),
                document.naming.words,
            )
        self._state = None
        return counted

    def _count(
        self,
        size: Size,
        models: tuple[OpenModel, ...],
        known: tuple[Known | None, ...],
        stretches: Stretches | None,
        threshold: float | None,
        noise: Null | None,
        words: Words,
    ) -> dict[LayerRef, LayerCounts]:
        """The layers of one size; where it is shown the view state has their tally."""
        pool, counted = None, None
        if self._state is not None and size == self._state.size:
            pool, counted = self._state.pool, self._state.tally
        elif None not in known:
            pool = make_pool(models, size)
            labels = self._document.best_of(pool)
            if labels is not None and threshold is not None:
                labels = identified(labels, threshold)
            counted = tally(pool, labels) if labels is not None else None
        if pool is None or counted is None:
            return {}
        null = None
        if noise is not None and threshold is not None:
            null = noise.coverage(threshold)
        rows = counted.label.tolist()
        return {
            ref: LayerCounts(tuple(row), null)
            for ref, row in zip(pool.layer_refs, rows, strict=True)
        }


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
