"""Kernels of two networks that correspond: by layer and channel, or by best match.

Layers correspond by their cleaned names; where names differ, by order and shape. A
layer that has another number of kernels, or kernels of another size, has no partner:
channel 3 of a pruned layer is not channel 3 of the whole one.

Channels of networks that were trained apart have no order: kernels of two layers, which
may have different numbers of them, are paired so that their cosines are largest in all.
Which kernel stands for which is then an assignment (Crouse, *On implementing 2D
rectangular assignment algorithms*, 2016, as scipy has it). The sign counts: x and −x
are different patterns. Any two sets of many kernels can be matched well, so the same
matching on noise that has the layers' own second moments is the baseline.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import pairwise
from threading import Thread
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from kernelviewer.kernels.bank import size_label
from kernelviewer.kernels.statistics import patterns
from kernelviewer.watch import NEVER

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from kernelviewer.kernels.bank import KernelBank, KernelSet, Size
    from kernelviewer.watch import Watch

_APART = -1.0
"""Likeness of a flat kernel and one with a pattern; two flat ones are alike."""
_WAIT = 0.05


def match_kernels(
    first: KernelSet,
    mine: NDArray[np.int64],
    second: KernelSet,
    theirs: NDArray[np.int64],
    watch: Watch = NEVER,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The best match of two layers' kernels.

    Flat kernels go to flat ones as far as there are any. Of layers with different
    numbers of kernels, those that fit worst are left out.

    Parameters
    ----------
    first, second
        Kernels of one size of two networks.
    mine, theirs
        int64 [n] and [m], indices of the layers' kernels.

    Returns
    -------
    int64 [p], int64 [p]
        Indices of the kernels of each pair, p = min(n, m), in the order of ``mine``.
    """
    x, y = unit_patterns(first, mine), unit_patterns(second, theirs)
    likeness = x @ y.T
    flat_a, flat_b = first.flat[mine], second.flat[theirs]
    likeness[flat_a] = _APART
    likeness[:, flat_b] = _APART
    likeness[np.ix_(flat_a, flat_b)] = 1.0
    a, b = best_assignment(likeness, watch)
    return mine[a], theirs[b]


def best_assignment(
    likeness: NDArray[np.float32], watch: Watch = NEVER
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows and columns of an [n, m] array, each at most once, with the largest sum.

    Exact; about 0.5 s for 1 000 × 1 000. It runs on a thread of its own, which is left
    to itself if ``watch`` ends the work.
    """
    from scipy.optimize import linear_sum_assignment

    cost = 1.0 - likeness.astype(np.float64)
    if not cost.size:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    if len(cost) <= cost.shape[1]:  # with a zero in each row the paths are short
        cost -= cost.min(axis=1, keepdims=True)
    if len(cost) >= cost.shape[1]:
        cost -= cost.min(axis=0)
    found: list[tuple[NDArray[np.int64], NDArray[np.int64]]] = []
    failed: list[Exception] = []

    def work() -> None:
        try:
            found.append(linear_sum_assignment(cost))
        except Exception as error:  # raised on the thread that waits
            failed.append(error)

    thread = Thread(target=work, name="assignment", daemon=True)
    thread.start()
    while thread.is_alive():
        thread.join(_WAIT)
        watch.check()
    if failed:
        raise failed[0]
    return found[0]


def noise_cosines(
    first: NDArray[np.float32],
    second: NDArray[np.float32],
    seed: int = 0,
    watch: Watch = NEVER,
) -> NDArray[np.float32]:
    """Cosines that the best match of noise reaches, float32 [min(n, m)].

    Parameters
    ----------
    first, second
        Patterns [n, taps] and [m, taps] of two layers. The noise is normal, with the
        same second moments XᵀX/n: the same spectrum, but no common patterns.
    seed
        Of the noise.

    Returns
    -------
    float32 [min(n, m)]
        Empty where a layer has fewer than two patterns: its noise would be they.
    """
    if min(len(first), len(second)) < 2:
        return np.zeros(0, np.float32)
    rng = np.random.default_rng(seed)
    x, y = _noise_like(first, rng), _noise_like(second, rng)
    likeness = x @ y.T
    reached: NDArray[np.float32] = likeness[best_assignment(likeness, watch)]
    return reached


def unit_patterns(kernels: KernelSet, index: NDArray[np.int64]) -> NDArray[np.float32]:
    """Patterns of some kernels, float32 [n, taps]."""
    found = patterns(
        kernels.weights[index], kernels.scale[index], kernels.offset[index]
    )
    return found.reshape(len(index), math.prod(kernels.size))


def _noise_like(
    rows: NDArray[np.float32], rng: np.random.Generator
) -> NDArray[np.float32]:
    """As many normal rows with the same second moments, of length 1."""
    mixed: NDArray[np.float32]
    mixed = rng.standard_normal((len(rows), len(rows)), np.float32) @ rows
    length = np.linalg.norm(mixed, axis=1, keepdims=True)
    mixed /= np.maximum(length, np.finfo(np.float32).tiny)
    return mixed


Match = Literal["names", "order", "best"]
MATCHES: tuple[Match, ...] = ("names", "order", "best")
How = Literal["name", "order", "hand"]

_WRAPPERS = frozenset(
    (
        *("module", "model", "net", "network", "weights", "state_dict", "_orig_mod"),
        *("params", "params_ema", "ema", "ema_model", "model_ema", "averaged"),
        *("student", "teacher", "online", "target"),
    )
)
"""Modules that stand around a network in one file and not in another."""


@dataclass(frozen=True, slots=True)
class LayerPair:
    """Two layers that correspond: indices into the banks' ``layers``, and by what."""

    a: int
    b: int
    how: How


@dataclass(frozen=True, slots=True, eq=False)
class KernelPairs:
    """Corresponding kernels of one size, in the first network's order. P pairs.

    Arrays are read-only.
    """

    size: Size
    """Kernel size."""
    index_a: NDArray[np.int64]
    index_b: NDArray[np.int64]
    """int64 [P], indices into the `KernelSet` of each network."""
    layer_a: NDArray[np.int32]
    channel_a: NDArray[np.int32]
    layer_b: NDArray[np.int32]
    channel_b: NDArray[np.int32]
    """int32 [P], layer and channel in each network."""

    def __len__(self) -> int:
        return len(self.index_a)

    def layers(self) -> list[slice]:
        """The pairs of each two layers, in order."""
        other = np.diff(self.layer_a, prepend=-1) != 0
        other |= np.diff(self.layer_b, prepend=-1) != 0
        borders = [*np.flatnonzero(other).tolist(), len(self)]
        return [slice(a, b) for a, b in pairwise(borders)]

    def take(self, wanted: NDArray[np.bool_]) -> KernelPairs:
        """Only some of the pairs, bool [P]."""
        columns = [column[wanted] for column in self._columns()]
        for column in columns:
            column.flags.writeable = False
        return KernelPairs(self.size, *columns)

    def _columns(self) -> tuple[NDArray[Any], ...]:
        return (
            *(self.index_a, self.index_b, self.layer_a, self.channel_a),
            *(self.layer_b, self.channel_b),
        )


@dataclass(frozen=True, slots=True, eq=False)
class Pairing:
    """The kernels that correspond in two networks, and those without a partner."""

    bank_a: KernelBank
    bank_b: KernelBank
    """The networks."""
    layers: tuple[LayerPair, ...]
    """Layers that correspond, in the first network's order."""
    sizes: Mapping[Size, KernelPairs]
    """Kernel size → pairs of kernels, largest kernels first."""
    left_a: tuple[int, ...]
    left_b: tuple[int, ...]
    """Indices of the layers with kernels that have no partner."""
    match: Match = "names"
    """How kernels were paired."""

    def __len__(self) -> int:
        return sum(map(len, self.sizes.values()))

    def unpaired(self, size: Size) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Indices of the kernels of a size without a partner, in each network."""
        pairs = self.sizes.get(size)
        found = []
        for bank, index in (
            (self.bank_a, None if pairs is None else pairs.index_a),
            (self.bank_b, None if pairs is None else pairs.index_b),
        ):
            count = len(bank.sizes[size]) if size in bank.sizes else 0
            left = np.ones(count, bool)
            if index is not None:
                left[index] = False
            found.append(np.flatnonzero(left))
        return found[0], found[1]


def pair(
    bank_a: KernelBank,
    bank_b: KernelBank,
    *,
    match: Match = "names",
    layers: Iterable[tuple[str, str]] | None = None,
    watch: Watch = NEVER,
) -> Pairing:
    """Find the kernels of two networks that correspond.

    Parameters
    ----------
    match
        ``names``: layers by their names without what wraps a network in one file and
        not in the other; layers whose names have no partner by order, if those of both
        networks have the same shapes in the same order. ``order``: by order and shape
        alone, the longest runs of layers that agree. Kernels then correspond by
        channel. ``best``: layers of the same kernel size by name, the others in the
        longest runs that agree; within a layer, kernels so that their cosines are
        largest in all, with their signs.
    layers
        Names of the layers that correspond, before and after, and no others do; those
        that cannot are left out (`why_apart`). None: found by ``match``.
    watch
        Told layers done, of ``best``; what it raises ends the work.
    """
    if layers is None:
        found = find_layers(bank_a, bank_b, match=match)
    else:
        known = layers_by_name(bank_a, bank_b, layers)
        found = [LayerPair(a, b, "hand") for a, b in known.items()]
    return pair_layers(bank_a, bank_b, found, match=match, watch=watch)


def find_layers(
    bank_a: KernelBank, bank_b: KernelBank, *, match: Match = "names"
) -> list[LayerPair]:
    """Find the layers of two networks that correspond, as `pair` does.

    They are in the first network's order.
    """
    shape = _size if match == "best" else _shape
    mine, theirs = _layers(bank_a), _layers(bank_b)
    found: list[LayerPair] = []
    if match != "order":
        found = _by_name(bank_a, mine, bank_b, theirs, shape)
    rest_a = _without(mine, {item.a for item in found})
    rest_b = _without(theirs, {item.b for item in found})
    same = [shape(bank_a, i) for i in rest_a] == [shape(bank_b, i) for i in rest_b]
    if match != "names" or same:
        found += _by_order(bank_a, rest_a, bank_b, rest_b, shape)
    place = {index: number for number, index in enumerate(mine)}
    return sorted(found, key=lambda item: place[item.a])


def pair_layers(
    bank_a: KernelBank,
    bank_b: KernelBank,
    layers: Sequence[LayerPair],
    *,
    match: Match = "names",
    watch: Watch = NEVER,
) -> Pairing:
    """Pair the kernels of layers that are known to correspond.

    Layers have kernels of one size. Channels that only one of two layers has are left
    without a partner.

    Parameters
    ----------
    layers
        Each layer at most once.
    match, watch
        As in `pair`.
    """
    return Pairing(
        bank_a,
        bank_b,
        tuple(layers),
        _kernels(bank_a, bank_b, layers, match, watch),
        tuple(_without(_layers(bank_a), {item.a for item in layers})),
        tuple(_without(_layers(bank_b), {item.b for item in layers})),
        match,
    )


def kernel_sizes(bank: KernelBank) -> dict[int, tuple[Size, int]]:
    """Layers that have kernels → their size and how many kernels they have."""
    found = {}
    for size, kernels in bank.sizes.items():
        layers, counts = np.unique(kernels.layer, return_counts=True)
        for layer, count in zip(layers.tolist(), counts.tolist(), strict=True):
            found[layer] = size, count
    return dict(sorted(found.items()))


def layers_by_name(
    first: KernelBank, second: KernelBank, names: Iterable[tuple[str, str]]
) -> dict[int, int]:
    """Layers that correspond by hand, in the first network's order.

    Those that cannot are left out, as `why_apart` tells.
    """
    return dict(sorted(_by_hand(first, second, names)[0].items()))


def why_apart(
    first: KernelBank, second: KernelBank, names: Iterable[tuple[str, str]]
) -> str:
    """Why the first of some layers named cannot be paired; empty if all can.

    A network does not have the name, the kernels have different sizes, or one of the
    layers has a partner already.
    """
    return next(iter(_by_hand(first, second, names)[1]), "")


def _by_hand(
    first: KernelBank, second: KernelBank, names: Iterable[tuple[str, str]]
) -> tuple[dict[int, int], list[str]]:
    """The layers that can be paired, and what is said of the others."""
    mine, theirs = kernel_sizes(first), kernel_sizes(second)
    places_a = {first.layers[i].name: i for i in reversed(mine)}
    places_b = {second.layers[i].name: i for i in reversed(theirs)}
    found: dict[int, int] = {}
    refused = []
    for one, other in names:
        a, b = places_a.get(one), places_b.get(other)
        if a is None or b is None:
            name, bank = (one, first) if a is None else (other, second)
            refused.append(f"{bank.name} has no kernels in a layer {name!r}")
        elif a in found or b in found.values():
            refused.append(f"{(one if a in found else other)!r} is in two pairs")
        elif mine[a][0] != theirs[b][0]:
            sizes = f"{size_label(mine[a][0])} and {size_label(theirs[b][0])} kernels"
            refused.append(f"{one!r} and {other!r} have {sizes}")
        else:
            found[a] = b
    return found, refused


def cleaned_names(names: Iterable[str]) -> list[str]:
    """Layer names without what wraps the network that all of them are in.

    Modules around everything go where they are known wrappers; ``/`` counts as a dot.
    """
    parts = [name.replace("/", ".").strip(".").split(".") for name in names]
    while (
        parts
        and all(len(part) > 1 for part in parts)
        and len({part[0] for part in parts}) == 1
        and parts[0][0].lower() in _WRAPPERS
    ):
        parts = [part[1:] for part in parts]
    return [".".join(part) for part in parts]


def _layers(bank: KernelBank) -> list[int]:
    """Layers that have kernels in the bank, in network order."""
    used = {int(i) for kernels in bank.sizes.values() for i in np.unique(kernels.layer)}
    return sorted(used)


def _shape(bank: KernelBank, index: int) -> tuple[Size, int]:
    layer = bank.layers[index]
    return layer.size, layer.kernels


def _size(bank: KernelBank, index: int) -> tuple[Size, int]:
    return bank.layers[index].size, 0


def _without(indices: list[int], taken: set[int]) -> list[int]:
    return [index for index in indices if index not in taken]


def _by_name(
    bank_a: KernelBank,
    mine: list[int],
    bank_b: KernelBank,
    theirs: list[int],
    shape: Callable[[KernelBank, int], tuple[Size, int]],
) -> list[LayerPair]:
    """Layers of the same name and shape.

    A module around all layers of one network, such as ``backbone``, is taken off where
    more names agree without it.
    """
    names_a = _spellings([bank_a.layers[i].name for i in mine])
    names_b = _spellings([bank_b.layers[i].name for i in theirs])
    best: list[LayerPair] = []
    for one in names_a:
        for other in names_b:
            partners = dict(zip(_unique(other), theirs, strict=True))
            found = [
                LayerPair(a, partners[name], "name")
                for name, a in zip(_unique(one), mine, strict=True)
                if name in partners
                and shape(bank_a, a) == shape(bank_b, partners[name])
            ]
            if len(found) > len(best):
                best = found
    return best


def _spellings(names: list[str]) -> list[list[str]]:
    """The cleaned names, and the same without the modules that all of them are in."""
    cleaned = cleaned_names(names)
    parts = [name.split(".") for name in cleaned]
    shared = 0
    while (
        len(parts) > 1
        and all(len(part) > shared + 1 for part in parts)
        and len({part[shared] for part in parts}) == 1
    ):
        shared += 1
    shorter = [[".".join(part[cut:]) for part in parts] for cut in range(1, shared + 1)]
    return [cleaned, *shorter]


def _unique(names: list[str]) -> list[object]:
    """The names; one that stands more than once fits nothing."""
    counts = Counter(names)
    return [name if counts[name] == 1 else object() for name in names]


def _by_order(
    bank_a: KernelBank,
    mine: list[int],
    bank_b: KernelBank,
    theirs: list[int],
    shape: Callable[[KernelBank, int], tuple[Size, int]],
) -> list[LayerPair]:
    """Layers of the same shape in runs that both networks have in the same order."""
    first = [shape(bank_a, i) for i in mine]
    second = [shape(bank_b, i) for i in theirs]
    matcher = SequenceMatcher(None, first, second, autojunk=False)
    return [
        LayerPair(mine[run.a + step], theirs[run.b + step], "order")
        for run in matcher.get_matching_blocks()
        for step in range(run.size)
    ]


def _kernels(
    bank_a: KernelBank,
    bank_b: KernelBank,
    layers: Sequence[LayerPair],
    match: Match,
    watch: Watch,
) -> dict[Size, KernelPairs]:
    """The kernels of layers that correspond."""
    found: dict[Size, KernelPairs] = {}
    done = 0
    for size, kernels in bank_a.sizes.items():
        here = [item for item in layers if bank_a.layers[item.a].size == size]
        if not here:
            continue
        other = bank_b.sizes[size]
        mine, theirs = _by_channel(kernels), _by_channel(other)
        parts = []
        for item in here:
            watch.progress(done, len(layers), "matching kernels")
            done += 1
            rows = mine[item.a], theirs[item.b]
            if match == "best":
                parts.append(match_kernels(kernels, rows[0], other, rows[1], watch))
            else:
                parts.append(_same_channels(kernels, rows[0], other, rows[1]))
        index_a = np.concatenate([part[0] for part in parts])
        index_b = np.concatenate([part[1] for part in parts])
        columns = (
            *(index_a, index_b),
            *(kernels.layer[index_a], kernels.channel[index_a]),
            *(other.layer[index_b], other.channel[index_b]),
        )
        for column in columns:
            column.flags.writeable = False
        found[size] = KernelPairs(size, *columns)
    watch.progress(len(layers), len(layers), "matching kernels")
    return found


def _same_channels(
    first: KernelSet,
    mine: NDArray[np.int64],
    second: KernelSet,
    theirs: NDArray[np.int64],
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Kernels of the same channel in two layers."""
    _, a, b = np.intersect1d(
        first.channel[mine],
        second.channel[theirs],
        assume_unique=True,
        return_indices=True,
    )
    return mine[a], theirs[b]


def _by_channel(kernels: KernelSet) -> dict[int, NDArray[np.int64]]:
    """Layer → indices of its kernels, by rising channel."""
    order = np.lexsort((kernels.channel, kernels.layer))
    layer = kernels.layer[order]
    starts = np.flatnonzero(np.diff(layer, prepend=-1))
    parts = np.split(order, starts[1:])
    return {int(layer[s]): part for s, part in zip(starts, parts, strict=True)}
