"""Cutting the spectrum into stretches, by dynamic programming.

Each point of the curve could be named by its own class in the pattern family, but
neighbouring classes overlap and the names would flicker. So the names are chosen
together: those that are right for the most kernels, at a cost for each new stretch. A
name is right for a kernel if it is the one that the family gives it
(`kernelviewer.kernels.family.family_fit`): half of that counts for the fine
class, half for the class of the paper that it belongs to, so that the names hold in
both schemes. What counts is thus where kernels live, not how long the curve is there,
and no class that many kernels have is swallowed by a neighbour: its kernels count for
it more and more until it has a stretch.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from kernelviewer.kernels.classes import CLASSES, FINE, PAPER, PAPER_OF

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kernelviewer.kernels.family import FamilyFit

TOLERANCE = 0.05
"""Cosine within which a class explains a kernel about as well as its own."""
_BARE = 0.2
"""What the points' own classes count beside the kernels'."""
_DOUBLINGS = 10
_COLUMN = np.array(
    [
        PAPER.patterns.index(item) if item in PAPER.patterns else len(PAPER.patterns)
        for item in CLASSES
    ]
)
"""Index into `CLASSES` → place among the paper's patterns; behind them without any."""
_PAPER_OF = _COLUMN[list(PAPER_OF[: len(FINE.patterns)])]
_NAMED = np.flatnonzero(len(PAPER.patterns) > _PAPER_OF)
"""Fine classes that a stretch may have: those that the paper has a class for, so that
as many kernels are identified in either scheme."""


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
        Share of the kernels from which on a class of the paper gets a stretch.
    """

    cost: float = 0.0005
    shortest: float = 0.0105
    most: int = 24
    common: float = 0.02


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """What the names have to agree with. n points, 23 fine classes.

    Attributes
    ----------
    fine
        [n, 23], weight of the kernels at each point that are of each fine class.
    paper
        [n, 23], weight of those of the class of the paper that each belongs to.
    common
        bool [11], the classes of the paper that have to have a stretch.
    """

    fine: NDArray[np.float64]
    paper: NDArray[np.float64]
    common: NDArray[np.bool_]


def evidence(
    points: FamilyFit,
    kernels: tuple[NDArray[np.integer], NDArray[np.integer]],
    at: NDArray[np.integer],
    weight: NDArray[np.floating],
    common: NDArray[np.bool_],
) -> Evidence:
    """Evidence from identified kernels and from the points themselves.

    Parameters
    ----------
    points
        `family_fit` of the n points.
    kernels
        Fine class and class of the paper of N identified kernels, each int [N].
    at, weight
        Nearest point of each kernel, int [N], and how much it counts, [N].
    common
        As in `Evidence`.
    """
    count = len(points)
    whole = max(float(weight.sum()), 1e-30)
    fine = np.zeros((count, len(FINE.patterns)))
    paper = np.zeros((count, len(PAPER.patterns) + 1))
    for place, (some, papers), share in (
        (at, kernels, (1 - _BARE) * weight / whole),
        # where no kernel lives the curve itself has a say
        (
            np.arange(count),
            (points.class_index, points.paper_index),
            np.full(count, _BARE / count),
        ),
    ):
        np.add.at(fine, (place, some), share)
        np.add.at(paper, (place, _COLUMN[papers]), share)
    return Evidence(fine, paper[:, _PAPER_OF], common)


def common_classes(class_index: NDArray[np.integer], share: float) -> NDArray[np.bool_]:
    """Which of `PAPER.patterns` at least ``share`` of the kernels have, bool [11].

    ``class_index`` is into `CLASSES`.
    """
    counts = np.bincount(class_index, minlength=len(CLASSES))[list(PAPER.rows[:-2])]
    return counts >= max(1.0, share * len(class_index))


def name_points(
    known: Evidence, options: NamingOptions | None = None
) -> NDArray[np.intp]:
    """Fine class of each point, [n], alike within a stretch."""
    options = options or NamingOptions()
    count = len(known.fine)
    shortest = min(max(1, int(np.ceil(options.shortest * count))), count)
    cost = options.cost
    while True:
        path = _with_all(known, cost, shortest)
        if np.count_nonzero(np.diff(path)) < options.most or cost > 1:
            return path
        cost *= 1.25


def _with_all(known: Evidence, cost: float, shortest: int) -> NDArray[np.intp]:
    """The best path on which all common classes occur."""
    right = (known.fine + known.paper) / 2
    bonus = np.zeros(len(known.common) + 1)
    for _ in range(_DOUBLINGS):
        price = -right - bonus[_PAPER_OF] * known.paper
        path = _NAMED[best_path(price[:, _NAMED], cost, shortest)]
        missing = known.common & ~np.isin(np.arange(len(known.common)), _PAPER_OF[path])
        if not missing.any():
            break
        bonus[:-1][missing] = np.maximum(2 * bonus[:-1][missing], 0.25)
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
    """Bits of the paper's classes that explain a kernel about as well as its member."""
    close = found.cosine[:, None] - found.paper_cosine <= TOLERANCE
    bits = np.uint64(1) << np.array(PAPER.rows[:-2], np.uint64)
    return np.asarray((close * bits).sum(axis=1), np.uint64)
