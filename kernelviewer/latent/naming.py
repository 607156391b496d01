"""Cutting the spectrum into stretches, by dynamic programming.

Each point of the curve could be named by its own nearest family member, but
neighbouring classes overlap and the names would flicker. So the names are chosen
together: those that wrong the fewest kernels, at a cost for each new stretch. A kernel
is wronged where its stretch's class explains it worse, by more than `TOLERANCE` in
cosine, than its own best class. What counts is thus where kernels live, not how long
the curve is there, and no class that many kernels have is swallowed by a neighbour: its
kernels count for it more and more until it has a stretch.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from kernelviewer.kernels.classes import PATTERNS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kernelviewer.kernels.family import FamilyFit

TOLERANCE = 0.05
_UNEXPLAINED = 0.1
_EXACT = 0.1
_BARE = 0.2
_DOUBLINGS = 10


@dataclass(frozen=True, slots=True)
class NamingOptions:
    """How the spectrum is cut.

    Attributes
    ----------
    cost
        Share of the kernels that another stretch has to set right.
    shortest
        Shortest stretch, as a part of the axis.
    most
        Stretches at most: the cost rises until that holds.
    common
        Share of the kernels from which on a class gets a stretch of its own.
    """

    cost: float = 0.002
    shortest: float = 0.0105
    most: int = 24
    common: float = 0.02


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """The evidence that names have to agree with. n points, N kernels, C classes.

    Attributes
    ----------
    point_cosine
        [n, C], cosine of each point with the nearest member of each class.
    point, kernel_cosine
        int [N], nearest point of each *identified* kernel, and [N, C], as for points.
    weight
        [N], how much each of them counts.
    common
        bool [C], the classes that have to have a stretch.
    """

    point_cosine: NDArray[np.floating]
    point: NDArray[np.integer]
    kernel_cosine: NDArray[np.floating]
    weight: NDArray[np.floating]
    common: NDArray[np.bool_]


def common_classes(class_index: NDArray[np.integer], share: float) -> NDArray[np.bool_]:
    """Which classes at least ``share`` of the kernels have, bool [C]."""
    counts = np.bincount(class_index, minlength=len(PATTERNS))[: len(PATTERNS)]
    return counts >= max(1.0, share * len(class_index))


def name_points(
    evidence: Evidence, options: NamingOptions | None = None
) -> NDArray[np.intp]:
    """Class of each point, [n]: an index into the classes, alike within a stretch."""
    options = options or NamingOptions()
    count = len(evidence.point_cosine)
    shortest = min(max(1, int(np.ceil(options.shortest * count))), count)
    wrong, mine = _wronged(evidence)
    share = np.zeros(wrong.shape[1])
    cost = options.cost
    while True:
        path = _with_all(wrong, mine, share, cost, shortest, evidence.common)
        if np.count_nonzero(np.diff(path)) < options.most or cost > 1:
            return path
        cost *= 1.25


def _wronged(
    evidence: Evidence,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Shares of the kernels [n, C]: wronged by a class at a point; of that class."""
    shape = evidence.point_cosine.shape
    weight = evidence.weight / max(float(evidence.weight.sum()), 1e-30)
    loss = evidence.kernel_cosine.max(axis=1, keepdims=True) - evidence.kernel_cosine
    wrong = (loss > TOLERANCE) + _EXACT * np.minimum(loss / TOLERANCE, 1)
    kernels, mine = np.zeros(shape), np.zeros(shape)
    np.add.at(kernels, evidence.point, weight[:, None] * wrong)
    best = evidence.kernel_cosine.argmax(axis=1)
    np.add.at(mine, (evidence.point, best), weight)
    # where no kernel lives the curve itself has a say
    own = evidence.point_cosine.max(axis=1, keepdims=True) - evidence.point_cosine
    own = np.minimum(own / _UNEXPLAINED, 1) / shape[0]
    return (1 - _BARE) * kernels + _BARE * own, mine


def _with_all(
    wrong: NDArray[np.float64],
    mine: NDArray[np.float64],
    share: NDArray[np.float64],
    cost: float,
    shortest: int,
    common: NDArray[np.bool_],
) -> NDArray[np.intp]:
    """The best path on which all common classes occur."""
    bonus = share.copy()
    for _ in range(_DOUBLINGS):
        path = best_path(wrong - bonus * mine, cost, shortest)
        missing = common & ~np.isin(np.arange(len(common)), path)
        if not missing.any():
            break
        bonus[missing] = np.maximum(2 * bonus[missing], 0.25)
    return path


def best_path(
    price: NDArray[np.float64], cost: float, shortest: int
) -> NDArray[np.intp]:
    """Class of each point such that prices and switches cost least.

    Parameters
    ----------
    price
        [n, C] of giving point i class c.
    cost
        Of each switch.
    shortest
        Points that each stretch has at least, at most n.
    """
    count, classes = price.shape
    sums = np.vstack([np.zeros(classes), price.cumsum(axis=0)])
    total = np.full((count + 1, classes), np.inf)
    begin = np.full((count + 1, classes), -1)
    before = np.full((count + 1, classes), -1)
    for end in range(shortest, count + 1):
        first = end - shortest
        if first == 0:
            entry, source = np.zeros(classes), np.full(classes, -1)
        elif first < shortest:
            entry, source = np.full(classes, np.inf), np.full(classes, -1)
        else:
            entry, source = _cheapest_other(total[first])
            entry = entry + cost
        fresh = entry + sums[end] - sums[first]
        longer = total[end - 1] + price[end - 1]
        new = fresh <= longer
        total[end] = np.where(new, fresh, longer)
        begin[end] = np.where(new, first, begin[end - 1])
        before[end] = np.where(new, source, before[end - 1])
    return _trace(total[count], begin, before)


def _cheapest_other(
    total: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """For each class the cheapest of the other classes, and which that is."""
    classes = len(total)
    if classes == 1:
        return np.full(1, np.inf), np.full(1, -1)
    order = np.argsort(total, kind="stable")
    source = np.full(classes, order[0])
    source[order[0]] = order[1]
    return total[source], source


def _trace(
    last: NDArray[np.float64], begin: NDArray[np.intp], before: NDArray[np.intp]
) -> NDArray[np.intp]:
    end, index = len(begin) - 1, int(last.argmin())
    path = np.empty(end, np.intp)
    while end > 0:
        first, following = int(begin[end, index]), int(before[end, index])
        path[first:end] = index
        end, index = first, following
    return path


def near_classes(found: FamilyFit) -> NDArray[np.uint64]:
    """Bits of the classes that explain a kernel about as well as its best, [N]."""
    cosine = found.paper_cosine
    close = cosine.max(axis=1, keepdims=True) - cosine <= TOLERANCE
    bits = np.uint64(1) << np.arange(len(PATTERNS), dtype=np.uint64)
    return np.asarray((close * bits).sum(axis=1), np.uint64)
