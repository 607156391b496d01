"""Two open networks that are compared: which, how paired, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from kernelviewer.kernels.classes import CLASSES
from kernelviewer.state.model import LayerRef
from kernelviewer.state.selection import Kernels

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from numpy.typing import NDArray

    from kernelviewer.kernels.bank import KernelBank
    from kernelviewer.kernels.comparison import Comparison, SizeComparison, Summary
    from kernelviewer.state.analysis import PoolLabels
    from kernelviewer.state.model import OpenModel
    from kernelviewer.state.pool import KernelPool

Match = Literal["names", "order", "best"]
"""As in `kernelviewer.kernels.pairing`, which is not needed before it is."""
KEPT = 4
"""So many comparisons are kept, to go back to without computing them again."""


@dataclass(frozen=True, slots=True)
class Comparing:
    """Two open networks, before and after."""

    a: int
    b: int
    """Ids of the networks."""
    match: Match = "names"
    """Which of their kernels correspond, as `kernelviewer.kernels.pairing.pair` takes
    it."""
    layers: tuple[tuple[str, str], ...] | None = None
    """Layers that correspond by hand, by their names in each; None: found by
    ``match``."""

    def swapped(self) -> Comparing:
        """The same with before and after exchanged."""
        layers = self.layers and tuple((b, a) for a, b in self.layers)
        return replace(self, a=self.b, b=self.a, layers=layers)

    def is_among(self, models: Collection[int]) -> bool:
        """True if one of the two has an id among these."""
        return self.a in models or self.b in models


class Comparisons:
    """Comparisons of open networks; they go with the first of the two that is closed.

    A comparison holds its networks, so it cannot be kept by weak references to them.
    """

    def __init__(self) -> None:
        self._kept: dict[tuple[object, ...], Comparison] = {}

    def put(self, how: Comparing, found: Comparison) -> None:
        """Keep what came of comparing two networks."""
        key = self._key(found.bank_a, found.bank_b, how)
        self._kept = {**self._kept, key: found}
        for old in [*self._kept][:-KEPT]:
            del self._kept[old]

    def get(
        self, how: Comparing | None, models: Iterable[OpenModel]
    ) -> Comparison | None:
        """What is known of two of these networks."""
        if how is None:
            return None
        banks = {model.id: model.bank for model in models}
        return self._kept.get(self._key(banks[how.a], banks[how.b], how))

    def look(self, banks: Collection[KernelBank]) -> None:
        """Forget what is not about these networks alone."""
        there = set(map(id, banks))
        self._kept = {
            key: found
            for key, found in self._kept.items()
            if {id(found.bank_a), id(found.bank_b)} <= there
        }

    @staticmethod
    def _key(a: KernelBank, b: KernelBank, how: Comparing) -> tuple[object, ...]:
        return id(a), id(b), how.match, how.layers


@dataclass(frozen=True, slots=True, eq=False)
class PoolPairs:
    """Corresponding kernels of a pool. P pairs, N kernels."""

    pool: KernelPool
    how: Comparing
    """The kernels, and what is compared."""
    whole: Comparison
    found: SizeComparison
    """The comparison, and its part about kernels of the pool's size; without names,
    which depend on the threshold."""
    first: NDArray[np.int64]
    second: NDArray[np.int64]
    """int64 [P], pool numbers of the kernels before and after."""
    row: NDArray[np.int64]
    """int64 [N], each kernel's pair; −1 where it has none."""

    def __len__(self) -> int:
        return len(self.first)

    def inside(self, mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Bool [P]: pairs of which either kernel is in a mask [N]."""
        return mask[self.first] | mask[self.second]

    def spread(self, mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """A mask [N] of kernels and of their partners."""
        spread = mask.copy()
        inside = self.inside(mask)
        spread[self.first[inside]] = spread[self.second[inside]] = True
        return spread

    def both(self, numbers: NDArray[np.int64]) -> NDArray[np.int64]:
        """Pool numbers of kernels and of their partners."""
        mask = np.zeros(len(self.row), bool)
        mask[numbers] = True
        return np.flatnonzero(self.spread(mask))

    def as_before(self, mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Bool [N]: the kernels before of pairs of which either is in a mask [N]."""
        found = np.zeros(len(self.row), bool)
        found[self.first[self.inside(mask)]] = True
        return found

    def bits_before(self, bits: NDArray[np.uint16]) -> NDArray[np.uint16]:
        """uint16 [N]: at the kernel before of each pair the bits of both, else 0."""
        found = np.zeros(len(self.row), np.uint16)
        found[self.first] = bits[self.first] | bits[self.second]
        return found

    def befores(self, numbers: NDArray[np.int64]) -> NDArray[np.int64]:
        """The kernels before of the pairs that some kernels are in, each once."""
        rows = self.row[numbers]
        return np.array(
            [*dict.fromkeys(self.first[rows[rows >= 0]].tolist())], np.int64
        )

    def before(self, number: int) -> int | None:
        """The first kernel of the pair that a kernel is in; None if it has none."""
        row = int(self.row[number])
        return None if row < 0 else int(self.first[row])

    def classes(
        self, labels: PoolLabels
    ) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """uint8 [P], classes before and after."""
        return labels.label[self.first], labels.label[self.second]

    def kinds(self, labels: PoolLabels) -> NDArray[np.int64]:
        """int64 [P], number of each pair's transition: before · classes + after."""
        before, after = self.classes(labels)
        return before.astype(np.int64) * len(CLASSES) + after

    def kernels(self, rows: NDArray[np.bool_], name: str = "") -> Kernels:
        """The kernels of some pairs [P], in both networks."""
        chosen = np.zeros(len(self.row), bool)
        chosen[self.first[rows]] = chosen[self.second[rows]] = True
        return replace(Kernels.of(self.pool, chosen), name=name)

    @property
    def unpaired(self) -> tuple[int, int]:
        """Kernels of the size without a partner, before and after."""
        return len(self.found.unpaired_a), len(self.found.unpaired_b)


def pairs_of(
    pool: KernelPool | None, how: Comparing | None, whole: Comparison | None
) -> PoolPairs | None:
    """The pairs of a pool; None where nothing is compared."""
    if pool is None or how is None or whole is None:
        return None
    found = whole.sizes.get(pool.size)
    starts = dict(zip((m.id for m in pool.models), pool.starts.tolist(), strict=False))
    nothing = np.zeros(0, np.int64)
    if found is None:
        return None
    first = second = nothing
    if len(found):
        first = found.pairs.index_a + starts[how.a]
        second = found.pairs.index_b + starts[how.b]
    row = np.full(len(pool), -1, np.int64)
    row[first] = row[second] = np.arange(len(first))
    return PoolPairs(pool, how, whole, found, first, second, row)


def crossed(
    kinds: NDArray[np.int64], weight: NDArray[np.float64] | None = None
) -> NDArray[np.float64]:
    """Transitions counted, float64 [classes, classes], rows before."""
    side = len(CLASSES)
    found = np.bincount(kinds, weights=weight, minlength=side * side)
    return found.astype(np.float64).reshape(side, side)


def shuffled_kinds(
    pairs: PoolPairs, labels: PoolLabels, inside: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Transitions of pairs with channels shuffled within the layers, and weights."""
    before, after = pairs.classes(labels)
    shuffled = pairs.found.shuffled[:, inside]
    there = shuffled >= 0
    weight = np.broadcast_to(1 / np.maximum(there.sum(axis=0), 1), there.shape)
    first = np.broadcast_to(before[inside], there.shape)[there].astype(np.int64)
    return first * len(CLASSES) + after[shuffled[there]], weight[there]


@dataclass(frozen=True, slots=True, eq=False)
class LayerDrift:
    """How far the kernels of two corresponding layers moved."""

    refs: tuple[LayerRef, LayerRef]
    """The layer before and the one after."""
    names: tuple[str, str]
    """Their names."""
    summary: Summary
    null: Summary
    """Of their pairs, and of kernels beside those of other channels."""
    changed: float
    null_changed: float
    """Share of the pairs whose class changed; NaN without classes."""
    shown: bool
    """Whether any of its kernels is in scope."""


def drift_of(
    pairs: PoolPairs, labels: PoolLabels | None, shown: NDArray[np.bool_]
) -> tuple[LayerDrift, ...]:
    """The layers that correspond, in the first network's order."""
    inside = pairs.inside(shown)
    banks = pairs.whole.bank_a, pairs.whole.bank_b
    changed = None
    if labels is not None:
        before, after = pairs.classes(labels)
        changed = before != after
    layers = []
    for item in pairs.found.layers:
        share = null = float("nan")
        if changed is not None and labels is not None:
            share = float(changed[item.rows].mean())
            shuffled = pairs.found.shuffled[:, item.rows]
            there = shuffled >= 0
            first = np.broadcast_to(before[item.rows], there.shape)[there]
            if there.any():
                null = float((first != after[shuffled[there]]).mean())
        names = tuple(
            bank.layers[i].name
            for bank, i in zip(banks, (item.layer_a, item.layer_b), strict=True)
        )
        layers.append(
            LayerDrift(
                (
                    LayerRef(pairs.how.a, item.layer_a),
                    LayerRef(pairs.how.b, item.layer_b),
                ),
                (names[0], names[1]),
                item.summary,
                item.null,
                share,
                null,
                bool(inside[item.rows].any()),
            )
        )
    return tuple(layers)
