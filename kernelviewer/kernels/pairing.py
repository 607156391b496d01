"""Kernels of two networks that correspond: by layer and channel.

Layers correspond by their cleaned names; where names differ, by order and shape. A
layer that has another number of kernels, or kernels of another size, has no partner:
channel 3 of a pruned layer is not channel 3 of the whole one.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import TYPE_CHECKING, Literal

import numpy as np

from kernelviewer.kernels.statistics import patterns

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

    from kernelviewer.kernels.bank import KernelBank, KernelSet, Size

Match = Literal["names", "order"]
How = Literal["name", "order"]

_WRAPPERS = frozenset(
    (
        *("module", "model", "net", "network", "weights", "state_dict", "_orig_mod"),
        *("params", "params_ema", "ema", "ema_model", "model_ema", "averaged"),
        *("student", "teacher", "online", "target"),
    )
)
"""Modules that stand around a network in one file and not in another."""
_BATCH = 65_536


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

    Attributes
    ----------
    size
        Kernel size.
    index_a, index_b
        int64 [P], indices into the `KernelSet` of each network.
    layer_a, channel_a, layer_b, channel_b
        int32 [P], layer and channel in each network.
    """

    size: Size
    index_a: NDArray[np.int64]
    index_b: NDArray[np.int64]
    layer_a: NDArray[np.int32]
    channel_a: NDArray[np.int32]
    layer_b: NDArray[np.int32]
    channel_b: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.index_a)


@dataclass(frozen=True, slots=True, eq=False)
class PairStatistics:
    """How the kernels of each pair differ. P pairs; NaN where either is flat.

    Attributes
    ----------
    cosine
        float32 [P], of the patterns, −1 … 1.
    scale_ratio
        float32 [P], ln(a_B / a_A) of the scales.
    offset_difference
        float32 [P], b_B − b_A of the offsets; flat kernels have one too.
    """

    cosine: NDArray[np.float32]
    scale_ratio: NDArray[np.float32]
    offset_difference: NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Pairing:
    """The kernels that correspond in two networks, and those without a partner.

    Attributes
    ----------
    bank_a, bank_b
        The networks.
    layers
        Layers that correspond, in the first network's order.
    sizes
        Kernel size → pairs of kernels, largest kernels first.
    left_a, left_b
        Indices of the layers with kernels that have no partner.
    """

    bank_a: KernelBank
    bank_b: KernelBank
    layers: tuple[LayerPair, ...]
    sizes: Mapping[Size, KernelPairs]
    left_a: tuple[int, ...]
    left_b: tuple[int, ...]

    def __len__(self) -> int:
        return sum(map(len, self.sizes.values()))

    def statistics(self, size: Size) -> PairStatistics:
        """How the kernels of each pair of a size differ.

        Raises
        ------
        KeyError
            There are no pairs of that size.
        """
        pairs = self.sizes[size]
        first, second = self.bank_a.sizes[size], self.bank_b.sizes[size]
        return _statistics(first, pairs.index_a, second, pairs.index_b)


def pair(bank_a: KernelBank, bank_b: KernelBank, *, match: Match = "names") -> Pairing:
    """Find the kernels of two networks that correspond.

    Parameters
    ----------
    bank_a, bank_b
        The networks.
    match
        ``names``: layers by their names without what wraps a network in one file and
        not in the other; layers whose names have no partner by order, if those of both
        networks have the same shapes in the same order. ``order``: by order and shape
        alone, the longest runs of layers that agree.
    """
    mine, theirs = _layers(bank_a), _layers(bank_b)
    found: list[LayerPair] = []
    if match == "names":
        found = _by_name(bank_a, mine, bank_b, theirs)
        rest_a = _without(mine, {item.a for item in found})
        rest_b = _without(theirs, {item.b for item in found})
        shapes = [_shape(bank_a, i) for i in rest_a]
        if shapes == [_shape(bank_b, i) for i in rest_b]:
            found += [
                LayerPair(a, b, "order") for a, b in zip(rest_a, rest_b, strict=True)
            ]
        place = {index: number for number, index in enumerate(mine)}
        found.sort(key=lambda item: place[item.a])
    else:
        found = _by_order(bank_a, mine, bank_b, theirs)
    return Pairing(
        bank_a,
        bank_b,
        tuple(found),
        _kernels(bank_a, bank_b, found),
        tuple(_without(mine, {item.a for item in found})),
        tuple(_without(theirs, {item.b for item in found})),
    )


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


def _without(indices: list[int], taken: set[int]) -> list[int]:
    return [index for index in indices if index not in taken]


def _by_name(
    bank_a: KernelBank, mine: list[int], bank_b: KernelBank, theirs: list[int]
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
                and _shape(bank_a, a) == _shape(bank_b, partners[name])
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
    bank_a: KernelBank, mine: list[int], bank_b: KernelBank, theirs: list[int]
) -> list[LayerPair]:
    """Layers of the same shape in runs that both networks have in the same order."""
    first = [_shape(bank_a, i) for i in mine]
    second = [_shape(bank_b, i) for i in theirs]
    matcher = SequenceMatcher(None, first, second, autojunk=False)
    return [
        LayerPair(mine[run.a + step], theirs[run.b + step], "order")
        for run in matcher.get_matching_blocks()
        for step in range(run.size)
    ]


def _kernels(
    bank_a: KernelBank, bank_b: KernelBank, layers: list[LayerPair]
) -> dict[Size, KernelPairs]:
    """The kernels of layers that correspond, channel by channel."""
    found: dict[Size, KernelPairs] = {}
    for size, kernels in bank_a.sizes.items():
        here = [item for item in layers if bank_a.layers[item.a].size == size]
        if not here:
            continue
        other = bank_b.sizes[size]
        mine, theirs = _by_channel(kernels), _by_channel(other)
        index_a = np.concatenate([mine[item.a] for item in here])
        index_b = np.concatenate([theirs[item.b] for item in here])
        columns = (
            *(index_a, index_b),
            *(kernels.layer[index_a], kernels.channel[index_a]),
            *(other.layer[index_b], other.channel[index_b]),
        )
        for column in columns:
            column.flags.writeable = False
        found[size] = KernelPairs(size, *columns)
    return found


def _by_channel(kernels: KernelSet) -> dict[int, NDArray[np.int64]]:
    """Layer → indices of its kernels, by rising channel."""
    order = np.lexsort((kernels.channel, kernels.layer))
    layer = kernels.layer[order]
    starts = np.flatnonzero(np.diff(layer, prepend=-1))
    parts = np.split(order, starts[1:])
    return {int(layer[s]): part for s, part in zip(starts, parts, strict=True)}


def _statistics(
    first: KernelSet,
    index_a: NDArray[np.int64],
    second: KernelSet,
    index_b: NDArray[np.int64],
) -> PairStatistics:
    there = ~(first.flat[index_a] | second.flat[index_b])
    cosine = np.full(len(there), np.nan, np.float32)
    ratio = np.full(len(there), np.nan, np.float32)
    rows = np.flatnonzero(there)
    for start in range(0, len(rows), _BATCH):
        part = rows[start : start + _BATCH]
        mine, theirs = _patterns(first, index_a[part]), _patterns(second, index_b[part])
        cosine[part] = np.clip(np.einsum("ij,ij->i", mine, theirs), -1, 1)
    scale_a = first.scale[index_a[rows]].astype(np.float64)
    ratio[rows] = np.log(second.scale[index_b[rows]] / scale_a)
    offset = second.offset[index_b] - first.offset[index_a]
    for column in (cosine, ratio, offset):
        column.flags.writeable = False
    return PairStatistics(cosine, ratio, offset)


def _patterns(kernels: KernelSet, index: NDArray[np.int64]) -> NDArray[np.float32]:
    found = patterns(
        kernels.weights[index], kernels.scale[index], kernels.offset[index]
    )
    return found.reshape(len(index), -1)
