"""What changed between two networks, kernel by kernel, beside what chance would give.

Each pair of corresponding kernels has the cosine of its patterns, the logarithm of the
ratio of its scales, and the change of its offset, code, fit and class. A cosine says
little by itself, since kernels of one layer are alike: the **null** sets each kernel
beside those of other channels of the same two layers.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from kernelviewer.kernels.bank import KernelSet, size_label
from kernelviewer.kernels.classes import CLASSES
from kernelviewer.kernels.pairing import KernelPairs, noise_cosines, unit_patterns
from kernelviewer.kernels.statistics import find_shift
from kernelviewer.watch import NEVER

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from kernelviewer.kernels.bank import KernelBank, Size
    from kernelviewer.kernels.pairing import Pairing
    from kernelviewer.kernels.statistics import Shift
    from kernelviewer.watch import Watch

SHUFFLES = 3
"""Other channels that each kernel is set beside."""
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
_ROWS = 16_384


@dataclass(frozen=True, slots=True, eq=False)
class KernelNames:
    """What all kernels of one size of one network are called. N kernels.

    Attributes
    ----------
    code
        float32 [N] in [0, 1]; NaN for flat kernels, and where nothing gives codes.
    fit
        float32 [N], cosine with what names them; NaN for flat kernels.
    class_index
        int8 [N], index into `kernelviewer.kernels.classes.CLASSES`, *unidentified* and
        *flat* among them.
    """

    code: NDArray[np.float32]
    fit: NDArray[np.float32]
    class_index: NDArray[np.int8]


@dataclass(frozen=True, slots=True, eq=False)
class Side:
    """The kernels of one size of one network. N kernels.

    Attributes
    ----------
    kernels
        All of them; none where the network has no such kernels.
    shown
        bool [N], which of them count.
    names
        What they are called; None where nothing names them.
    """

    kernels: KernelSet
    shown: NDArray[np.bool_]
    names: KernelNames | None

    @classmethod
    def of(
        cls,
        bank: KernelBank,
        size: Size,
        names: KernelNames | None,
        shown: NDArray[np.bool_] | None,
    ) -> Side:
        """The side of a network; ``shown`` None: all its kernels count."""
        kernels = bank.sizes.get(size) or _no_kernels(size)
        every = np.ones(len(kernels), bool) if shown is None else shown
        return cls(kernels, every, names)

    def patterned_in(self, layer: int | None = None) -> NDArray[np.bool_]:
        """Kernels that count and are not flat, of all layers or one, bool [N]."""
        there = self.shown & ~self.kernels.flat
        return there if layer is None else there & (self.kernels.layer == layer)

    def patterned(self, layer: int | None = None) -> NDArray[np.float32]:
        """Their weights."""
        return self.kernels.weights[self.patterned_in(layer)]


@dataclass(frozen=True, slots=True)
class Summary:
    """Many pairs in numbers; NaN where none can tell.

    Attributes
    ----------
    pairs
        How many.
    patterned
        How many of them have a pattern on both sides: those that have a cosine.
    mean_cosine
        Of those.
    cosine, scale_ratio
        Their `QUANTILES`.
    changed
        Share of all pairs whose class changed.
    """

    pairs: int
    patterned: int
    mean_cosine: float
    cosine: tuple[float, ...]
    scale_ratio: tuple[float, ...]
    changed: float

    @property
    def median_cosine(self) -> float:
        """The middle one."""
        return self.cosine[len(QUANTILES) // 2]


@dataclass(frozen=True, slots=True, eq=False)
class LayerComparison:
    """Two layers that correspond.

    Attributes
    ----------
    layer_a, layer_b
        Indices into the networks' ``layers``.
    size, rows
        Kernel size, and the pairs' rows in the `SizeComparison` of it.
    summary, null
        The pairs, and the kernels beside those of other channels.
    noise
        Mean cosine that the best match of noise of the same spectrum reaches; NaN
        where kernels were not matched so.
    """

    layer_a: int
    layer_b: int
    size: Size
    rows: slice
    summary: Summary
    null: Summary
    noise: float


@dataclass(frozen=True, eq=False)
class SizeComparison:
    """All pairs of kernels of one size. P pairs, R shuffles; arrays are read-only.

    Attributes
    ----------
    size, pairs
        Kernel size, and which kernels correspond.
    cosine
        float32 [P], of the patterns, −1 … 1; NaN where either kernel is flat.
    scale_ratio
        float32 [P], ln(a_B / a_A) of the scales; NaN likewise.
    offset_change
        float32 [P], b_B − b_A of the offsets; flat kernels have one too.
    side_a, side_b
        The networks' kernels of the size, which of them count, and their names.
    shuffled
        int64 [R, P], rows of pairs of the same layers whose second kernel each first
        kernel is set beside in the null; −1 where the layer has no other.
    shuffled_cosine, shuffled_scale_ratio
        float32 [R, P], with those.
    layers
        Layers that correspond, in the first network's order.
    unpaired_a, unpaired_b
        int64, indices of the kernels without a partner.
    """

    size: Size
    pairs: KernelPairs
    cosine: NDArray[np.float32]
    scale_ratio: NDArray[np.float32]
    offset_change: NDArray[np.float32]
    side_a: Side
    side_b: Side
    shuffled: NDArray[np.int64]
    shuffled_cosine: NDArray[np.float32]
    shuffled_scale_ratio: NDArray[np.float32]
    layers: tuple[LayerComparison, ...]
    unpaired_a: NDArray[np.int64]
    unpaired_b: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.pairs)

    @cached_property
    def class_a(self) -> NDArray[np.int8] | None:
        """int8 [P], classes in the first network; None where nothing names them."""
        return _taken(self.side_a.names, self.pairs.index_a)

    @cached_property
    def class_b(self) -> NDArray[np.int8] | None:
        """int8 [P], classes in the second network."""
        return _taken(self.side_b.names, self.pairs.index_b)

    @cached_property
    def changed(self) -> NDArray[np.bool_] | None:
        """Bool [P], whether the class is another; None where nothing names them."""
        if self.class_a is None or self.class_b is None:
            return None
        return np.asarray(self.class_a != self.class_b)

    @cached_property
    def code_change(self) -> NDArray[np.float32]:
        """float32 [P], code after less code before; NaN where there is none."""
        first, second = self.side_a.names, self.side_b.names
        if first is None or second is None:
            return np.full(len(self), np.nan, np.float32)
        return second.code[self.pairs.index_b] - first.code[self.pairs.index_a]

    @cached_property
    def transitions(self) -> NDArray[np.int64] | None:
        """int64 [classes, classes], pairs by class before and after; sums to P."""
        if self.class_a is None or self.class_b is None:
            return None
        return _crossed(self.class_a, self.class_b, np.ones(len(self))).astype(np.int64)

    @cached_property
    def shuffled_transitions(self) -> NDArray[np.float64] | None:
        """The same with channels shuffled, a mean over the shuffles."""
        if self.class_a is None or self.class_b is None:
            return None
        there = self.shuffled >= 0
        weight = np.broadcast_to(1 / np.maximum(there.sum(axis=0), 1), there.shape)
        before = np.broadcast_to(self.class_a, there.shape)[there]
        return _crossed(before, self.class_b[self.shuffled[there]], weight[there])

    @cached_property
    def summary(self) -> Summary:
        """All pairs."""
        return self.summary_of(slice(None))

    @cached_property
    def null(self) -> Summary:
        """All pairs with channels shuffled within the layers."""
        return self.null_of(slice(None))

    @cached_property
    def noise(self) -> float:
        """Mean cosine of the best match of noise; NaN where nothing was matched so."""
        known = [item for item in self.layers if item.noise == item.noise]
        if not known:
            return float("nan")
        weights = [item.summary.pairs for item in known]
        return float(np.average([item.noise for item in known], weights=weights))

    @cached_property
    def shift(self) -> Shift | None:
        """Shift of the distribution of all kernels that count, paired or not.

        Flat ones are left out; None where a network has no others.
        """
        return find_shift(self.side_a.patterned(), self.side_b.patterned())

    def shift_of(self, layer: LayerComparison) -> Shift | None:
        """The same of all kernels of two layers."""
        first = self.side_a.patterned(layer.layer_a)
        return find_shift(first, self.side_b.patterned(layer.layer_b))

    def summary_of(self, rows: slice) -> Summary:
        """Some of the pairs."""
        changed = None if self.changed is None else self.changed[rows]
        return _summarise(self.cosine[rows], self.scale_ratio[rows], changed)

    def null_of(self, rows: slice) -> Summary:
        """Some of the pairs with channels shuffled within the layers."""
        there = self.shuffled[:, rows] >= 0
        changed = None
        if self.class_a is not None and self.class_b is not None:
            other = self.class_b[self.shuffled[:, rows][there]]
            mine = np.broadcast_to(self.class_a[rows], there.shape)[there]
            changed = np.asarray(mine != other)
        return _summarise(
            self.shuffled_cosine[:, rows][there],
            self.shuffled_scale_ratio[:, rows][there],
            changed,
        )


@dataclass(frozen=True, eq=False, repr=False)
class Comparison:
    """Two networks, what corresponds in them, and what changed.

    Attributes
    ----------
    pairing
        What corresponds, and the layers that have no partner.
    sizes
        Kernel size → its pairs, largest kernels first: all sizes that either network
        has, those without pairs too.
    """

    pairing: Pairing
    sizes: Mapping[Size, SizeComparison]

    def __len__(self) -> int:
        return len(self.pairing)

    @property
    def bank_a(self) -> KernelBank:
        """The first network."""
        return self.pairing.bank_a

    @property
    def bank_b(self) -> KernelBank:
        """The second network."""
        return self.pairing.bank_b

    @cached_property
    def layers(self) -> tuple[LayerComparison, ...]:
        """Layers that correspond, of all sizes, in the first network's order."""
        every = (item for size in self.sizes.values() for item in size.layers)
        return tuple(sorted(every, key=lambda item: item.layer_a))

    def __repr__(self) -> str:
        return f"<Comparison {self._title}: {len(self)} pairs of kernels>"

    @property
    def _title(self) -> str:
        return f"{self.bank_a.name} → {self.bank_b.name}"

    def _repr_html_(self) -> str:
        """For notebooks: each size and each layer beside what chance would give."""
        from kernelviewer import notebook

        sizes = [(size_label(size), *_row(item)) for size, item in self.sizes.items()]
        layers = [
            (self.bank_a.layers[item.layer_a].name, *_row(item)) for item in self.layers
        ]
        heads = ("pairs", "mean cosine", "shuffled", "changed class", "shuffled")
        return notebook.card(
            self._title,
            notebook.table(("size", *heads), sizes),
            notebook.table(("layer", *heads), layers),
        )


def _row(item: SizeComparison | LayerComparison) -> tuple[object, ...]:
    """Pairs, mean cosine and share of changed classes, each beside the null's."""
    found, null = item.summary, item.null
    return (
        *(found.pairs, found.mean_cosine, null.mean_cosine),
        *(found.changed, null.changed),
    )


def compare_pairs(
    pairing: Pairing,
    names: Mapping[Size, tuple[KernelNames, KernelNames]],
    *,
    seed: int = 0,
    watch: Watch = NEVER,
) -> Comparison:
    """Compare two networks whose kernels are paired.

    Parameters
    ----------
    pairing
        What corresponds.
    names
        Kernel size → what the kernels of both networks are called, as far as known.
    seed
        Of the shuffles.
    watch
        Told kernel sizes done; what it raises ends the work.
    """
    both = {*pairing.bank_a.sizes, *pairing.bank_b.sizes}
    sizes = sorted(both, reverse=True)
    found = {}
    for number, size in enumerate(sizes):
        watch.progress(number, len(sizes), "comparing kernels")
        found[size] = compare_size(
            pairing, size, names.get(size), seed=seed, watch=watch.quiet()
        )
    watch.progress(len(sizes), len(sizes), "comparing kernels")
    return Comparison(pairing, found)


def compare_size(
    pairing: Pairing,
    size: Size,
    names: tuple[KernelNames, KernelNames] | None = None,
    *,
    shown: tuple[NDArray[np.bool_], NDArray[np.bool_]] | None = None,
    seed: int = 0,
    watch: Watch = NEVER,
) -> SizeComparison:
    """Compare the kernels of one size.

    Parameters
    ----------
    shown
        Which kernels of the size count in each network, bool [N] and [M]; all.
    names, seed, watch
        As in `compare_pairs`.
    """
    first = Side.of(pairing.bank_a, size, names and names[0], shown and shown[0])
    second = Side.of(pairing.bank_b, size, names and names[1], shown and shown[1])
    pairs = pairing.sizes.get(size) or _no_pairs(size)
    pairs = pairs.take(first.shown[pairs.index_a] & second.shown[pairs.index_b])
    left_a, left_b = pairing.unpaired(size)
    parts = pairs.layers()
    shuffled = _shuffles(parts, len(pairs), seed)
    measured = _measure(first.kernels, second.kernels, pairs, parts, shuffled, watch)
    found = SizeComparison(
        size,
        pairs,
        measured.cosine[0],
        measured.scale_ratio[0],
        measured.offset_change,
        first,
        second,
        shuffled,
        measured.cosine[1:],
        measured.scale_ratio[1:],
        (),
        left_a[first.shown[left_a]],
        left_b[second.shown[left_b]],
    )
    layers = []
    for rows in parts:
        watch.check()
        layer_a, layer_b = (
            int(pairs.layer_a[rows.start]),
            int(pairs.layer_b[rows.start]),
        )
        noise = float("nan")
        if pairing.match == "best":
            noise = _noise(first, second, (layer_a, layer_b), watch)
        layers.append(
            LayerComparison(
                *(layer_a, layer_b, size, rows),
                *(found.summary_of(rows), found.null_of(rows), noise),
            )
        )
    return replace(found, layers=tuple(layers))


def pair_cosines(
    pairing: Pairing, size: Size, watch: Watch = NEVER
) -> NDArray[np.float32]:
    """Cosines [P] of the pairs of one size; NaN where one of the two is flat."""
    pairs = pairing.sizes[size]
    first, second = pairing.bank_a.sizes[size], pairing.bank_b.sizes[size]
    alone = np.empty((0, len(pairs)), np.int64)
    measured = _measure(first, second, pairs, pairs.layers(), alone, watch)
    return np.asarray(measured.cosine[0])


@dataclass(frozen=True, slots=True, eq=False)
class _Measured:
    """Of the pairs (row 0) and of each shuffle: float32 [1 + R, P]; offsets [P]."""

    cosine: NDArray[np.float32]
    scale_ratio: NDArray[np.float32]
    offset_change: NDArray[np.float32]


def _measure(
    first: KernelSet,
    second: KernelSet,
    pairs: KernelPairs,
    parts: list[slice],
    shuffled: NDArray[np.int64],
    watch: Watch,
) -> _Measured:
    here = np.arange(len(pairs))
    beside = np.vstack([here, shuffled])
    other = pairs.index_b[np.maximum(beside, 0)]
    none = first.flat[pairs.index_a] | second.flat[other] | (beside < 0)
    cosine = np.empty(beside.shape, np.float32)
    for rows in _blocks(parts):
        watch.check()
        x = unit_patterns(first, pairs.index_a[rows])
        y = unit_patterns(second, pairs.index_b[rows])
        for number, places in enumerate(np.maximum(beside[:, rows] - rows.start, 0)):
            cosine[number, rows] = np.einsum("ij,ij->i", x, y[places])
    np.clip(cosine, -1, 1, out=cosine)
    with np.errstate(divide="ignore", invalid="ignore"):  # flat ones
        before = np.log(first.scale[pairs.index_a], dtype=np.float64)
        after = np.log(second.scale, dtype=np.float64)[other]
        ratio = (after - before).astype(np.float32)
    cosine[none] = ratio[none] = np.nan
    offset = second.offset[pairs.index_b] - first.offset[pairs.index_a]
    for column in (cosine, ratio, offset):
        column.flags.writeable = False
    return _Measured(cosine, ratio, offset)


def _blocks(parts: list[slice]) -> Iterator[slice]:
    """Whole layers together, some thousands of pairs at a time."""
    start = 0
    for number, rows in enumerate(parts):
        last = number + 1 == len(parts)
        if last or parts[number + 1].stop - start > _ROWS:
            yield slice(start, rows.stop)
            start = rows.stop


def _shuffles(parts: list[slice], count: int, seed: int) -> NDArray[np.int64]:
    """Rows [R, P] of other pairs of the same layers, each once in every row.

    The pairs of a layer stand in a random circle, and each looks 1 … R places on.
    """
    rng = np.random.default_rng(seed)
    found = np.full((SHUFFLES, count), -1, np.int64)
    for rows in parts:
        circle = rng.permutation(np.arange(rows.start, rows.stop))
        for step in range(1, min(SHUFFLES, len(circle) - 1) + 1):
            found[step - 1, circle] = np.roll(circle, -step)
    found.flags.writeable = False
    return found


def _noise(first: Side, second: Side, layers: tuple[int, int], watch: Watch) -> float:
    """Mean cosine of the best match of noise like the layers' patterns."""
    x, y = (
        unit_patterns(side.kernels, np.flatnonzero(side.patterned_in(layer)))
        for side, layer in zip((first, second), layers, strict=True)
    )
    found = noise_cosines(x, y, layers[0], watch)
    return float(found.mean()) if len(found) else float("nan")


def _summarise(
    cosine: NDArray[np.float32],
    scale_ratio: NDArray[np.float32],
    changed: NDArray[np.bool_] | None,
) -> Summary:
    there = ~np.isnan(cosine)
    known = cosine[there].astype(np.float64)
    nothing = (float("nan"),) * len(QUANTILES)
    some = len(known) > 0
    return Summary(
        pairs=len(cosine),
        patterned=len(known),
        mean_cosine=float(known.mean()) if some else float("nan"),
        cosine=tuple(np.quantile(known, QUANTILES).tolist()) if some else nothing,
        scale_ratio=(
            tuple(np.quantile(scale_ratio[there], QUANTILES).tolist())
            if some
            else nothing
        ),
        changed=(
            float(changed.mean())
            if changed is not None and len(changed)
            else float("nan")
        ),
    )


def _crossed(
    before: NDArray[np.int8], after: NDArray[np.int8], weight: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Weights by class before and after, float64 [classes, classes]."""
    count = len(CLASSES)
    places = before.astype(np.int64) * count + after
    found = np.bincount(places, weights=weight, minlength=count * count)
    return found.astype(np.float64).reshape(count, count)


def _taken(
    names: KernelNames | None, index: NDArray[np.int64]
) -> NDArray[np.int8] | None:
    return None if names is None else names.class_index[index]


def _no_pairs(size: Size) -> KernelPairs:
    index, place = np.zeros(0, np.int64), np.zeros(0, np.int32)
    return KernelPairs(size, index, index, place, place, place, place)


def _no_kernels(size: Size) -> KernelSet:
    nothing = np.zeros(0, np.float32)
    place = np.zeros(0, np.int32)
    return KernelSet(
        *(size, np.zeros((0, *size), np.float32), place, place, nothing, nothing),
        np.zeros(0, bool),
    )
