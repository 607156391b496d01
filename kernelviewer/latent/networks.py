"""Training data by network: what counts once, and what must not be split apart.

The same network in two containers, a copy, or two epochs of one run is one network; two
fine-tunings of one parent are siblings, which stay on one side of every split and share
the weight of one network.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from kernelviewer.formats.registry import network_hash
from kernelviewer.kernels.equality import find_equal
from kernelviewer.kernels.statistics import patterns as patterns_of
from kernelviewer.text import shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from kernelviewer.kernels import KernelBank, Size

SIBLINGS = 0.8
"""Mean cosine of corresponding kernels from which on networks are siblings."""
SAME_RUN = 0.9
"""Mean cosine from which on they count as one network."""


@dataclass(frozen=True, slots=True, eq=False)
class Network:
    """The kernels of one size of one trained network."""

    name: str
    sha256: str
    """Name of its file, and the hash of what was read; empty where that is not
    known."""
    patterns: NDArray[np.float32]
    """float32 [N, *size], without flat kernels."""
    layer: NDArray[np.int32]
    """int32 [N], a number for each kernel's layer."""
    family: int = 0
    """Number of its family: siblings share one."""
    same: tuple[str, ...] = ()
    """Names of files that hold the same network, or another epoch of it."""

    def __len__(self) -> int:
        return len(self.patterns)


@dataclass(frozen=True, slots=True)
class Group:
    """Indices of banks that are one family: those that count, and repeats of them."""

    members: tuple[int, ...]
    repeats: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True, eq=False)
class Parts:
    """Networks to train on, those held out, and names of files left out of both.

    What is left out are siblings, in the training files, of held-out networks.
    """

    networks: tuple[Network, ...]
    held_out: tuple[Network, ...]
    left_out: tuple[str, ...]


def split(
    seen: Sequence[KernelBank], unseen: Sequence[KernelBank], size: Size
) -> Parts:
    """Networks with kernels of a size to train on and to measure on, no family on both.

    Parameters
    ----------
    seen, unseen
        The files for training, and those to hold out. Kernels that several of the
        former have alike, as where layers were frozen, are trained on once.
    """
    banks = [*seen, *unseen]
    held: list[Network] = []
    trained: list[Network] = []
    left: list[str] = []
    groups = families(banks)
    fresh = _fresh(banks, size, _training(groups, len(seen)))
    for family, group in enumerate(groups):
        everyone = {*group.members, *(index for index, _ in group.repeats)}
        outside = any(index >= len(seen) for index in everyone)
        for index, names in _kept(banks, group):
            network = _network(banks[index], size, family, names, fresh.get(index))
            if network is not None and outside == (index >= len(seen)):
                (held if outside else trained).append(network)
        if outside:
            left += [
                shown(banks[i].path.name) for i in sorted(everyone) if i < len(seen)
            ]
    return Parts(tuple(trained), tuple(held), tuple(left))


def collect(
    banks: Sequence[KernelBank], size: Size, *, joined: bool = False
) -> tuple[Network, ...]:
    """The distinct networks among the banks that have kernels of a size.

    Of repeats of a network the last in order is kept, so that epochs in order leave the
    most trained. Networks keep their order.

    Parameters
    ----------
    joined
        Whether they are taken together, as for training: then kernels that several of
        them have alike count once, where networks are judged one by one each has all.
    """
    found: dict[int, Network] = {}
    groups = families(banks)
    fresh = _fresh(banks, size, _training(groups, len(banks))) if joined else {}
    for family, group in enumerate(groups):
        for index, names in _kept(banks, group):
            network = _network(banks[index], size, family, names, fresh.get(index))
            if network is not None:
                found[index] = network
    return tuple(found[index] for index in sorted(found))


def families(banks: Sequence[KernelBank]) -> list[Group]:
    """Banks by family, in the order of their first members."""
    alike = {
        (i, j): likeness(banks[i], banks[j])
        for j in range(len(banks))
        for i in range(j)
    }
    groups = []
    for together in _linked(len(banks), alike, SIBLINGS):
        local = {pair: alike[pair] for pair in alike if set(pair) <= set(together)}
        members, repeats = [], []
        for run in _linked(len(banks), local, SAME_RUN):
            if run[0] not in together:
                continue
            members.append(run[-1])
            repeats += [(index, run[-1]) for index in run[:-1]]
        groups.append(Group(tuple(members), tuple(repeats)))
    return groups


def likeness(first: KernelBank, second: KernelBank) -> float:
    """Mean |cosine| of the corresponding kernels of two networks; 0 if they differ.

    Layers correspond by kernel size and count; where several have the same, as in
    containers that keep no order, those that are most alike do. The sign is left
    aside: folding normalisation into the weights may turn it.
    """
    mine, theirs = _layers(first), _layers(second)
    shapes = {key: len(value) for key, value in mine.items()}
    if not mine or shapes != {key: len(value) for key, value in theirs.items()}:
        return 0.0
    total, kernels = 0.0, 0
    for key, layers in mine.items():
        for cosine, count in _matched(layers, theirs[key]):
            total += cosine * count
            kernels += count
    return total / kernels if kernels else 0.0


def network_weights(networks: Sequence[Network]) -> NDArray[np.float32]:
    """Weight of each kernel of the networks, one after the other.

    Families weigh equally, and so do the kernels of a family; the sum is 1.
    """
    sizes: Counter[int] = Counter()
    for network in networks:
        sizes[network.family] += len(network)
    parts = [
        np.full(len(network), 1 / sizes[network.family], np.float32)
        for network in networks
        if len(network)
    ]
    weights = np.concatenate(parts) if parts else np.zeros(0, np.float32)
    return weights / weights.sum() if len(weights) else weights


def _kept(
    banks: Sequence[KernelBank], group: Group
) -> Iterator[tuple[int, tuple[str, ...]]]:
    """The members of a family, and the names of files that repeat each."""
    for index in group.members:
        again = [repeat for repeat, of in group.repeats if of == index]
        yield index, tuple(shown(banks[i].path.name) for i in again)


def _training(groups: Sequence[Group], seen: int) -> list[int]:
    """Members of the families that are all among the first ``seen`` banks, in order."""
    inside = [
        group.members
        for group in groups
        if all(index < seen for index in group.members)
        and all(index < seen for index, _ in group.repeats)
    ]
    return sorted(index for members in inside for index in members)


def _fresh(
    banks: Sequence[KernelBank], size: Size, indices: Sequence[int]
) -> dict[int, NDArray[np.bool_]]:
    """Bank → which of its kernels, bool [N], no earlier one of the banks has."""
    having = [index for index in indices if size in banks[index].sizes]
    sets = [banks[index].sizes[size] for index in having]
    ends = np.cumsum([len(kernels) for kernels in sets], dtype=np.int64)
    once = find_equal(sets).once(np.ones(sum(map(len, sets)), bool))
    return dict(zip(having, np.split(once, ends[:-1]), strict=False))


def _network(
    bank: KernelBank,
    size: Size,
    family: int,
    same: tuple[str, ...],
    fresh: NDArray[np.bool_] | None = None,
) -> Network | None:
    kernels = bank.sizes.get(size)
    if kernels is None:
        return None
    there = ~kernels.flat if fresh is None else ~kernels.flat & fresh
    if not there.any():
        return None
    patterns = patterns_of(
        kernels.weights[there], kernels.scale[there], kernels.offset[there]
    )
    return Network(
        shown(bank.path.name),
        network_hash(bank.files),
        patterns,
        kernels.layer[there],
        family,
        same,
    )


def _linked(
    count: int, alike: dict[tuple[int, int], float], least: float
) -> list[list[int]]:
    """Groups in which each is alike to at least one other, in order."""
    group = list(range(count))
    for (i, j), value in alike.items():
        if value > least:
            old, new = max(group[i], group[j]), min(group[i], group[j])
            group = [new if item == old else item for item in group]
    linked = defaultdict(list)
    for index, item in enumerate(group):
        linked[item].append(index)
    return [linked[item] for item in sorted(linked)]


def _layers(bank: KernelBank) -> dict[tuple[Size, int], list[NDArray[np.float32]]]:
    """Patterns [n, taps] of the layers of each kernel size and count."""
    found: dict[tuple[Size, int], list[NDArray[np.float32]]] = defaultdict(list)
    for size, kernels in bank.sizes.items():
        patterns = patterns_of(kernels.weights, kernels.scale, kernels.offset)
        patterns[kernels.flat] = 0
        rows = patterns.reshape(len(kernels), -1)
        for layer in np.unique(kernels.layer):
            part = rows[kernels.layer == layer]
            found[(size, len(part))].append(part)
    return dict(found)


def _matched(
    mine: list[NDArray[np.float32]], theirs: list[NDArray[np.float32]]
) -> list[tuple[float, int]]:
    """(mean |cosine|, kernels that have a pattern) of layers that correspond."""
    alike = np.array([[_mean_cosine(a, b)[0] for b in theirs] for a in mine])
    found = []
    for _ in mine:
        i, j = np.unravel_index(int(alike.argmax()), alike.shape)
        found.append(_mean_cosine(mine[i], theirs[j]))
        alike[i, :] = alike[:, j] = -np.inf
    return found


def _mean_cosine(
    first: NDArray[np.float32], second: NDArray[np.float32]
) -> tuple[float, int]:
    cosine = np.abs(np.einsum("ij,ij->i", first, second))
    there = first.any(axis=1) & second.any(axis=1)
    count = int(there.sum())
    return (float(cosine[there].mean()) if count else 0.0), count
