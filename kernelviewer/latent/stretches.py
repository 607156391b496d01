"""Stretches of the spectrum, each with the name of a pattern, and how it is cut.

Stretches cover [0, 1] without gaps. Editing returns new ones; `Autoencoder.stretches`
has those that the program found, so that is what a reset goes back to.

The cut is made by dynamic programming. Each point of the curve could be named by its
own class in the pattern family, but neighbouring classes overlap and the names would
flicker. So the names are chosen together: those that are right for the most kernels, at
a cost for each new stretch. A name is right for a kernel if it is the one that the
family gives it (`kernelviewer.kernels.family.family_fit`): half of that counts for the
fine class, half for the class of the paper that it belongs to, so that the names hold
in both schemes.
What counts is thus where kernels live, not how long the curve is there, and no class
that many kernels have is swallowed by a neighbour: its kernels count for it more and
more until it has a stretch.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import groupby, pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from kernelviewer.kernels.classes import (
    CLASSES,
    COLOUR,
    FINE,
    INDEX,
    PAPER,
    PAPER_OF,
    SCHEMES,
    class_shown,
)
from kernelviewer.latent import LatentError
from kernelviewer.text import printable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from kernelviewer.kernels.classes import Scheme
    from kernelviewer.kernels.family import FamilyFit
    from kernelviewer.kernels.family.spectrum import FamilySpectrum

Stretches = tuple["Stretch", ...]
NARROWEST = 1 / 2048
_DIGITS = 6


@dataclass(frozen=True, slots=True)
class Stretch:
    """A stretch of the spectrum."""

    low: float
    high: float
    """Its borders; a code on a border belongs to the stretch above it."""
    class_id: str
    """Id of its class, of either scheme of `kernelviewer.kernels.classes`."""
    sign: int = 0
    """Of its family members: −1 for the off- classes, either for derivatives; 0 where
    it is not known."""
    family_cosine: float = float("nan")
    """Mean cosine of its points with their nearest members of that class; NaN where it
    is not known."""
    name: str = ""
    colour: str = ""
    """What a user calls it in place of the class's name, and the colour that it has in
    place of the class's, ``#RRGGBB``."""
    scheme: Scheme = PAPER
    """Whose classes it shows: the paper's where it is of learned codes, unless somebody
    gave it a fine one."""

    def __post_init__(self) -> None:
        if self.class_id not in INDEX:
            msg = f"there is no class {self.class_id!r}"
            raise LatentError(msg, f"Use one of {', '.join(INDEX)}.")

    @property
    def label(self) -> str:
        """Its name for people."""
        return self.name or class_shown(self.class_index).name

    @property
    def class_index(self) -> int:
        """Index into `CLASSES` of its class in the scheme that it shows."""
        return self.index_in(self.scheme)

    def index_in(self, scheme: Scheme) -> int:
        """Index into `CLASSES` of its class in a scheme.

        What is known in the paper's classes only is the plain fine class of its sign.
        """
        if scheme is PAPER:
            return PAPER_OF[INDEX[self.class_id]]
        on_off = "off" if self.sign < 0 else "on"
        fine_id = _FINE.get(self.class_id, self.class_id).format(on_off)
        return INDEX[fine_id]


_FINE = {
    "d1-x": "edge-x",
    "d1-y": "edge-y",
    "d2-x": "{}-bar-v",
    "d2-y": "{}-bar-h",
    "d2-xy": "saddle",
}
"""Classes of the paper that have no fine class of their id."""


def check_stretches(stretches: Sequence[Stretch]) -> Stretches:
    """The stretches as a tuple, if they cover [0, 1] in order.

    Raises
    ------
    LatentError
        They do not.
    """
    borders = [0.0, *(item.high for item in stretches)]
    lows = [item.low for item in stretches]
    rising = all(low < high for low, high in pairwise(borders))
    if not stretches or lows != borders[:-1] or borders[-1] != 1 or not rising:
        msg = "the stretches do not cover the spectrum from 0 to 1 without gaps"
        raise LatentError(msg)
    return tuple(stretches)


def family_stretches(spectrum: FamilySpectrum, scheme: Scheme = FINE) -> Stretches:
    """The classes of a scheme along the family's own spectrum, each once.

    In the paper's words a diagonal is of either axis, by the angle of the kernel: its
    stretch says so, and has the class of a tie.
    """
    fine = [Stretch(*item, scheme=scheme) for item in spectrum.stretches]

    def shown(item: Stretch) -> tuple[int, str]:
        name = "" if scheme is FINE else _DIAGONALS.get(item.class_id[-6:], "")
        return item.class_index, name

    found = []
    for (index, name), group in groupby(fine, shown):
        first, *rest = group
        high = rest[-1].high if rest else first.high
        id_ = CLASSES[index].id
        found.append(replace(first, high=high, class_id=id_, name=name))
    return tuple(found)


_DIAGONALS = {"edge-d": "∂x or ∂y, by its angle", "-bar-d": "∂²x or ∂²y, by its angle"}


def same_names(some: Stretches, others: Stretches) -> bool:
    """True if stretches have the same borders, classes, names and colours."""
    return [_named(item) for item in some] == [_named(item) for item in others]


def stretch_at(stretches: Stretches, code: float) -> int:
    """Index of the stretch that a code falls in."""
    return int(stretch_of(stretches, np.array([code]))[0])


def stretch_of(stretches: Stretches, code: NDArray[np.floating]) -> NDArray[np.intp]:
    """Index of the stretch of each code [N]; NaN counts as the last."""
    borders = np.array([item.low for item in stretches[1:]], dtype=np.float64)
    return np.searchsorted(borders, code, side="right")


def move_border(stretches: Stretches, index: int, code: float) -> Stretches:
    """Move the border between stretches ``index`` and ``index + 1``.

    It stops short of the next borders, so that no stretch vanishes.
    """
    _need(0 <= index < len(stretches) - 1, f"there is no border {index}")
    left, right = stretches[index], stretches[index + 1]
    if left.low + NARROWEST > right.high - NARROWEST:
        return stretches
    at = _round(min(max(code, left.low + NARROWEST), right.high - NARROWEST))
    return _put(stretches, index, 2, replace(left, high=at), replace(right, low=at))


def rename(
    stretches: Stretches,
    index: int,
    class_id: str | None = None,
    name: str | None = None,
    colour: str | None = None,
    scheme: Scheme | None = None,
) -> Stretches:
    """Change a stretch's class, its name, its colour, or whose classes it shows.

    How well the family explains a stretch holds for its class and goes with it.
    """
    _need(0 <= index < len(stretches), f"there is no stretch {index}")
    item = stretches[index]
    item = replace(item, scheme=scheme or item.scheme)
    if class_id is not None and class_id != item.class_id:
        item = replace(item, class_id=class_id, sign=0, family_cosine=float("nan"))
    if name is not None:
        item = replace(item, name=printable(" ".join(name.split())))
    if colour is not None:
        item = replace(item, colour=colour)
    return _put(stretches, index, 1, item)


def split(stretches: Stretches, code: float, class_id: str | None = None) -> Stretches:
    """Cut the stretch at ``code`` in two; the upper part may get another class."""
    index = stretch_at(stretches, code)
    item, at = stretches[index], _round(code)
    if not item.low + NARROWEST <= at <= item.high - NARROWEST:
        msg = "there is no room for another stretch here"
        raise LatentError(msg, "Split further away from the border.")
    parts = (replace(item, high=at), replace(item, low=at))
    cut = _put(stretches, index, 1, *parts)
    return cut if class_id is None else rename(cut, index + 1, class_id, "", "")


def merge(stretches: Stretches, index: int, like: int | None = None) -> Stretches:
    """Join stretches ``index`` and ``index + 1``.

    The class of the one that is ``like`` stays; None: of the longer one.
    """
    _need(0 <= index < len(stretches) - 1, f"there is no border {index}")
    left, right = stretches[index], stretches[index + 1]
    widths = left.high - left.low, right.high - right.low
    kept = left if widths[0] >= widths[1] else right
    kept = kept if like is None else stretches[like]
    cosine = kept.family_cosine
    if left.class_id == right.class_id:
        both = [left.family_cosine, right.family_cosine]
        cosine = round(float(np.average(both, weights=widths)), 4)
    joined = replace(kept, low=left.low, high=right.high, family_cosine=cosine)
    return _put(stretches, index, 2, joined)


def stretches_from_path(
    path: NDArray[np.integer],
    class_cosine: NDArray[np.floating],
    sign: NDArray[np.integer],
) -> Stretches:
    """Stretches of a table of n points from each point's class.

    Parameters
    ----------
    path
        int [n], the fine class of each point.
    class_cosine
        [n, classes], cosine of each point with the nearest member of each class.
    sign
        int [n], sign of each point's nearest member of all.
    """
    count = len(path)
    cuts = np.flatnonzero(np.diff(path)) + 1
    items = []
    for low, high in pairwise([0, *cuts.tolist(), count]):
        index = int(path[low])
        items.append(
            Stretch(
                _border(low, count),
                _border(high, count),
                FINE.patterns[index].id,
                _sign(index, sign[low:high]),
                round(float(class_cosine[low:high, index].mean()), 4),
            )
        )
    return tuple(items)


def to_json(stretches: Stretches) -> list[dict[str, Any]]:
    """As plain values, for files."""
    keys = ("low", "high", "class_id", "sign", "name")
    return [
        {key: getattr(item, key) for key in keys}
        | {
            "family_cosine": None
            if np.isnan(item.family_cosine)
            else item.family_cosine
        }
        | ({"colour": item.colour} if item.colour else {})
        | ({"words": FINE.id} if item.scheme is FINE else {})
        for item in stretches
    ]


def from_json(values: Sequence[Mapping[str, Any]]) -> Stretches:
    """Stretches from what `to_json` made.

    Raises
    ------
    LatentError
        The values are something else.
    KeyError
        One is missing.
    """
    _need(isinstance(values, list | tuple), "the stretches are no list")
    items = []
    for value in values:
        _need(isinstance(value, dict), "a stretch is no table")
        cosine, sign = value["family_cosine"], value["sign"]
        texts = value["class_id"], value["name"], value.get("colour", "")
        _need(all(isinstance(text, str) for text in texts), "a name is no text")
        good = not texts[2] or COLOUR.fullmatch(texts[2]) is not None
        _need(good, "a colour is not like #1A2B3C")
        _need(type(sign) is int and -1 <= sign <= 1, "a sign is not −1, 0 or 1")
        items.append(
            Stretch(
                _number(value["low"]),
                _number(value["high"]),
                texts[0],
                sign,
                float("nan") if cosine is None else _number(cosine),
                printable(texts[1]),
                texts[2],
                SCHEMES.get(str(value.get("words")), PAPER),
            )
        )
    return check_stretches(items)


def _named(item: Stretch) -> tuple[float, float, str, str, str, str]:
    return item.low, item.high, item.class_id, item.scheme.id, item.name, item.colour


def _number(value: object) -> float:
    """A plain number as a float."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise LatentError("a border or cosine is no number")
    _need(abs(value) < 2, "a border or cosine is out of range")
    return float(value)


def _border(point: int, count: int) -> float:
    """Code halfway between two points of a table of ``count``."""
    if point in (0, count):
        return float(point == count)
    return _round((point - 0.5) / (count - 1))


def _sign(class_index: int, signs: NDArray[np.integer]) -> int:
    id_ = FINE.patterns[class_index].id
    if id_.startswith(("on-", "off-")):
        return 1 if id_.startswith("on-") else -1
    return 1 if int(signs.sum()) >= 0 else -1


def _round(code: float) -> float:
    return round(code, _DIGITS)


def _put(stretches: Stretches, index: int, count: int, *items: Stretch) -> Stretches:
    return (*stretches[:index], *items, *stretches[index + count :])


def _need(condition: bool, problem: str) -> None:
    if not condition:
        raise LatentError(problem)


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
    """How the spectrum is cut."""

    cost: float = 0.0005
    """Share of the kernels that another stretch has to set right."""
    shortest: float = 0.0105
    """Shortest stretch, as a part of the axis."""
    most: int = 24
    """Stretches at most: the cost rises until that holds."""
    common: float = 0.02
    """Share of the kernels from which on a class of the paper gets a stretch."""


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """What the names have to agree with. n points, 23 fine classes."""

    fine: NDArray[np.float64]
    """[n, 23], weight of the kernels at each point that are of each fine class."""
    paper: NDArray[np.float64]
    """[n, 23], weight of those of the class of the paper that each belongs to."""
    common: NDArray[np.bool_]
    """bool [11], the classes of the paper that have to have a stretch."""


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
    new = np.zeros((count + 1, classes), np.bool_)
    before = np.full((count + 1, classes), -1)
    # stretches that end here begin where the sums of the block before are known
    for low in range(shortest, count + 1, shortest):
        ends = np.arange(low, min(low + shortest, count + 1))
        first = ends - shortest
        entry = np.full((len(ends), classes), np.inf)
        entry[first == 0] = 0
        if low > shortest:
            entry, before[ends] = _cheapest_other(total[first])
            entry = entry + cost
        fresh = entry + sums[ends] - sums[first]
        for end, row in zip(ends, fresh, strict=True):
            longer = np.add(total[end - 1], price[end - 1], out=total[end])
            np.less_equal(row, longer, out=new[end])
            np.minimum(row, longer, out=longer)
    latest = np.where(new, np.arange(count + 1)[:, None], 0)
    latest = np.maximum.accumulate(latest, axis=0)
    return _trace(
        total[count], latest - shortest, np.take_along_axis(before, latest, axis=0)
    )


def _cheapest_other(
    total: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """For each class in a row the cheapest of the others, and which that is."""
    if total.shape[1] == 1:
        return np.full_like(total, np.inf), np.full(total.shape, -1)
    best, second = np.argsort(total, axis=1, kind="stable")[:, :2].T
    source = np.tile(best[:, None], total.shape[1])
    source[np.arange(len(best)), best] = second
    return np.take_along_axis(total, source, axis=1), source


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
