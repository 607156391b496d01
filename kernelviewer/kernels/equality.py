"""Kernels that several networks have alike, bit for bit: evidence that counts once.

Two kernels of *different* networks are equal if they have the same size and the same
float32 weights, bit for bit, wherever they stand. Kernels that repeat within one
network are never merged: of five in one network and three like them in another, three
are equal. A flat kernel is no evidence by itself, since all dead kernels look alike:
it is equal only where its whole layer is, and in a layer of nothing but flat kernels
only where all kernels of its size are.

Every kernel is known by a hash of 64 bits, with which of a million kernels two that
differ coincide once in tens of millions of times.

Networks that have much alike often have alike names too: `network_names` tells them
apart.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from itertools import product
from pathlib import PurePath
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from numpy.typing import NDArray

    from kernelviewer.kernels.bank import KernelBank, KernelSet

_ROWS = 2048  # kernels at a time: their hashes' parts stay in the cache
_ODD = np.uint64(0x9E3779B97F4A7C15)
_MIX = np.uint64(0xD6E8FEB86659FD93)
_HALF = np.uint64(32)
_PART = re.compile(r"[^\W_]+")
_WORD = re.compile(r"[^\W\d_]{3,}")
"""A part of a name that says something by itself: not ``2``, ``v1`` or ``b``."""


def _nothing() -> NDArray[np.int64]:
    return np.zeros(0, np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class Keys:
    """Fingerprints of the kernels of one set. P ≤ N kernels."""

    value: NDArray[np.uint64]
    """uint64 [P], rising, each once."""
    index: NDArray[np.int64]
    """int64 [P], the kernels' indices in the set."""


_KEYS: WeakKeyDictionary[KernelSet, Keys] = WeakKeyDictionary()
_MATCHES: WeakKeyDictionary[KernelBank, WeakKeyDictionary[KernelBank, Match]]
_MATCHES = WeakKeyDictionary()


@dataclass(frozen=True, slots=True, eq=False)
class Equal:
    """Groups of equal kernels among N kernels of several networks."""

    member: NDArray[np.int64] = field(default_factory=_nothing)
    group: NDArray[np.int64] = field(default_factory=_nothing)
    """int64 [M]: numbers of the kernels that have an equal one in another network, and
    the group of each. Groups stand together; within one, numbers rise."""

    def __bool__(self) -> bool:
        return len(self.member) > 0

    @property
    def repeats(self) -> int:
        """How many kernels are equal to an earlier one."""
        return int(np.count_nonzero(self.group[1:] == self.group[:-1]))

    def once(self, mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Of the kernels in a mask, bool [N], the first of each group and all others.

        The mask itself where nothing in it is equal.
        """
        inside = mask[self.member]
        member, group = self.member[inside], self.group[inside]
        repeated = member[1:][group[1:] == group[:-1]]
        if not len(repeated):
            return mask
        kept = mask.copy()
        kept[repeated] = False
        return kept

    def spread(self, mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """The mask, bool [N], with all that is equal to something in it."""
        touched = np.unique(self.group[mask[self.member]])
        if not len(touched):
            return mask
        wider = mask.copy()
        wider[self.member[np.isin(self.group, touched)]] = True
        return wider

    def like(self, number: int) -> NDArray[np.int64]:
        """Numbers of a kernel and of all that are equal to it."""
        place = np.flatnonzero(self.member == number)
        if not len(place):
            return np.array([number], np.int64)
        found: NDArray[np.int64] = self.member[self.group == self.group[place[0]]]
        return found


def find_equal(sets: Sequence[KernelSet]) -> Equal:
    """Equal kernels of several networks, one set each, numbered one after the other."""
    if len(sets) < 2:
        return Equal()
    starts = np.cumsum([0, *map(len, sets)])
    keys = [keys_of(kernels) for kernels in sets]
    value = np.concatenate([part.value for part in keys])
    order = np.argsort(value, kind="stable")  # merges what is sorted already
    value = value[order]
    same = value[1:] == value[:-1]
    if not same.any():
        return Equal()
    number = np.concatenate(
        [part.index + start for part, start in zip(keys, starts[:-1], strict=True)]
    )
    inside = np.append(same, False)
    inside[1:] |= same
    group = np.cumsum(np.append(True, ~same))
    return Equal(number[order][inside], group[inside])


def keys_of(kernels: KernelSet) -> Keys:
    """Fingerprints of the kernels of a set; computed once."""
    found = _KEYS.get(kernels)
    if found is None:
        found = _KEYS[kernels] = _keys(kernels)
    return found


def prepare(bank: KernelBank) -> None:
    """Compute what all comparisons of a network need."""
    for kernels in bank.sizes.values():
        keys_of(kernels)


@dataclass(frozen=True, slots=True)
class Match:
    """How much of a network is equal to another.

    Attributes
    ----------
    layer_count, kernel_count
        How many layers and kernels it has.
    """

    layers: frozenset[int]
    """Indices of its layers that the other has whole."""
    layer_count: int
    kernels: int
    """How many of its kernels the other has."""
    kernel_count: int
    further: int
    """How many of those stand in none of ``layers``."""

    def __bool__(self) -> bool:
        return self.kernels > 0

    @property
    def is_whole(self) -> bool:
        """True if the other network has every kernel of this one."""
        return 0 < self.kernels == self.kernel_count

    def describe(self, other: str) -> str:
        """The equal part in words: ``12 of 18 layers are equal to those of “best”``."""
        whole, count = len(self.layers), self.layer_count
        if self.is_whole and whole == count:
            return f"all {count} layers are equal to those of “{other}”"
        further = f"{self.further:,}".replace(",", " ")
        further += " kernel" if self.further == 1 else " kernels"
        if not whole:
            are = "is" if self.further == 1 else "are"
            return f"{further} {are} equal to kernels of “{other}”"
        are = "is" if whole == 1 else "are"
        text = f"{whole} of {count} layers {are} equal to those of “{other}”"
        return f"{text}, and {further} of other layers" if self.further else text


def match(bank: KernelBank, other: KernelBank) -> Match:
    """How much of a network is equal to another; computed once for every pair."""
    known = _MATCHES.setdefault(bank, WeakKeyDictionary())
    found = known.get(other)
    if found is None:
        found = known[other] = _match(bank, other)
    return found


def best_match(
    bank: KernelBank, earlier: Iterable[KernelBank]
) -> tuple[KernelBank, Match] | None:
    """The network that has most of a network's kernels; None where none has any."""
    matches = [(other, match(bank, other)) for other in earlier]
    best = max(matches, key=lambda item: item[1].kernels, default=None)
    return best if best is not None and best[1] else None


def told_apart(bank: KernelBank, other: KernelBank) -> tuple[str, str]:
    """Names of two networks; those of their files where they share one."""
    for names in (
        (bank.name, other.name),
        (bank.path.name, other.path.name),
        (str(bank.path), str(other.path)),
    ):
        if names[0] != names[1]:
            return names
    return bank.name, other.name


def network_names(banks: Sequence[KernelBank], own: Sequence[str] = ()) -> list[str]:
    """Names by which networks are told apart, no two the same.

    What all files' names begin or end with is left out: ``resnet_best``,
    ``resnet_final`` are ``best``, ``final``. Files of one name are told apart by
    suffix, folder or copy.

    Parameters
    ----------
    own
        The user's name of each network; empty: that of its file.
    """
    names = elided([bank.name for bank in banks])
    names = [mine or name for mine, name in zip(own or names, names, strict=True)]
    apart: tuple[Callable[[KernelBank], str], ...] = (
        lambda bank: bank.path.name,
        lambda bank: "/".join(PurePath(bank.path).parts[-2:]),
        lambda bank: str(bank.path),
        lambda bank: f"{bank.name} ({bank.copy})" if bank.copy else bank.name,
    )
    for name in [name for name, count in Counter(names).items() if count > 1]:
        places = [i for i, other in enumerate(names) if other == name]
        if not any(own[i] for i in places if own):
            for how in apart:
                found = [how(banks[i]) for i in places]
                if len(set(found)) == len(found):
                    for place, text in zip(places, found, strict=True):
                        names[place] = text
                    break
    taken: set[str] = set()
    for place, name in enumerate(names):
        number, wish = 1, name
        while wish in taken:
            number += 1
            wish = f"{name} ({number})"
        taken.add(wish)
        names[place] = wish
    return names


def elided(names: Sequence[str]) -> list[str]:
    """Names without the parts that all of them begin or end with.

    They stay whole where one would have nothing left that says something by itself.
    """
    split = [[match.span() for match in _PART.finditer(name)] for name in names]
    if len(set(names)) < 2 or not all(split):
        return list(names)
    words = [
        [name[a:b] for a, b in spans] for name, spans in zip(names, split, strict=True)
    ]
    most = min(map(len, words)) - 1
    start = end = 0
    while start < most and len({own[start] for own in words}) == 1:
        start += 1
    while start + end < most and len({own[-1 - end] for own in words}) == 1:
        end += 1
    for last, first in product(dict.fromkeys((end, 0)), range(start, -1, -1)):
        found = [
            name[
                spans[first][0] if first else 0 : spans[-1 - last][1] if last else None
            ]
            for name, spans in zip(names, split, strict=True)
        ]
        if all(map(_WORD.search, found)):
            return found
    return list(names)


def _match(bank: KernelBank, other: KernelBank) -> Match:
    layers: set[int] = set()
    count = further = 0
    for size, kernels in bank.sizes.items():
        theirs = other.sizes.get(size)
        if theirs is None:
            continue
        pairs = find_equal((kernels, theirs)).member.reshape(-1, 2)
        here, there = pairs[:, 0], pairs[:, 1] - len(kernels)
        ours = kernels.layer[here]
        whole = _whole(kernels.layer, ours, theirs.layer, theirs.layer[there])
        layers |= set(whole)
        count += len(here)
        further += int(np.count_nonzero(~np.isin(ours, whole)))
    used = {int(i) for kernels in bank.sizes.values() for i in np.unique(kernels.layer)}
    return Match(frozenset(layers), len(used), count, len(bank), further)


def _whole(
    layer: NDArray[np.int32],
    matched: NDArray[np.int32],
    other: NDArray[np.int32],
    partner: NDArray[np.int32],
) -> list[int]:
    """Layers all of whose kernels are those of one layer of the other network.

    ``matched`` and ``partner`` are the layers of each pair of equal kernels.
    """
    if not len(matched):
        return []
    most = max(int(other.max()), 0) + 1
    pairs, counts = np.unique(
        matched.astype(np.int64) * most + partner, return_counts=True
    )
    sizes, its = np.bincount(layer), np.bincount(other)
    mine, theirs = pairs // most, pairs % most
    equal = (counts == sizes[mine]) & (counts == its[theirs])
    return [int(index) for index in mine[equal]]


def _keys(kernels: KernelSet) -> Keys:
    value = _hash_rows(kernels.weights)
    if kernels.flat.any():
        value = _with_layers(kernels, value)
    there = np.arange(len(kernels))
    if kernels.flat.all():
        there = there[:0]
    value = value[there]
    order = np.argsort(value, kind="stable")
    value = value[order]
    same = np.append(False, value[1:] == value[:-1])[: len(value)]
    if same.any():  # the second of them in one network is the second in another
        place = np.arange(len(value))
        first = np.maximum.accumulate(np.where(same, 0, place))
        value[same] = _mixed(value[same] + (place - first)[same].astype(np.uint64))
        again = np.argsort(value, kind="stable")
        order, value = order[again], value[again]
    return Keys(value, there[order])


def _with_layers(kernels: KernelSet, value: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Hashes in which flat kernels are known by their layer as well."""
    channel = kernels.channel.astype(np.uint64)
    used, row = np.unique(kernels.layer, return_inverse=True)
    layers = np.zeros(len(used), np.uint64)
    np.add.at(layers, row, _mixed(value + _ODD * (channel + np.uint64(1))))
    patterned = np.bincount(row[~kernels.flat], minlength=len(used)) > 0
    places = np.arange(1, len(used) + 1, dtype=np.uint64)
    everything = _mixed(_mixed(layers) + _ODD * places).sum(dtype=np.uint64)
    layers[~patterned] += everything
    return np.where(kernels.flat, _mixed(value ^ _mixed(layers)[row]), value)


def _hash_rows(weights: NDArray[np.float32]) -> NDArray[np.uint64]:
    """A hash of each kernel's bits, uint64 [N]."""
    count = len(weights)
    rows = np.ascontiguousarray(weights).reshape(count, -1).view(np.uint32)
    rng = np.random.default_rng(rows.shape[1])
    factors = rng.integers(0, 2**63, rows.shape[1], np.uint64) * np.uint64(2)
    factors += np.uint64(1)
    value = np.empty(count, np.uint64)
    for start in range(0, count, _ROWS):
        part = slice(start, start + _ROWS)
        block = rows[part].astype(np.uint64)
        block *= _ODD
        block ^= block >> _HALF
        value[part] = np.einsum("ij,j->i", block, factors)
    return _mixed(value)


def _mixed(value: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Bits spread over the whole number."""
    value = value ^ (value >> _HALF)
    value = value * _MIX
    value ^= value >> _HALF
    value *= _ODD
    return value ^ (value >> _HALF)
