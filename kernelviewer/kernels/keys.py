"""Keys: a few patterns that stand for all kernels, each up to gain and offset.

A kernel y is approximated as ŷ = a·f̂ + b by the key f̂ (mean 0, length 1) with the
largest |⟨y, f̂⟩|: a = ⟨y, f̂⟩, which may be negative, and b = mean(y). The share of the
kernel's variance that it keeps is R² = cos²(y − b, f̂). Babaiee, Kiasari, Rus, Grosu,
*The Quest for Universal Master Key Filters in DS-CNNs* (NeurIPS 2025,
arXiv:2509.11711), where 8 keys carry whole networks; they removed keys by accuracy,
`search_keys` adds and exchanges them by the mean R² of networks, for which no data set
is needed.

Rows of a kernel count down, columns to the right. All taps count, whatever a layer's
support is: a file that is rewritten with keys has values in all of them.
"""

from __future__ import annotations

import csv
import io
import math
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

import numpy as np

from kernelviewer.files import write_text
from kernelviewer.kernels.bank import size_label
from kernelviewer.kernels.statistics import measure, patterns
from kernelviewer.text import csv_text
from kernelviewer.watch import NEVER

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from kernelviewer.kernels.bank import Size
    from kernelviewer.text import AnyPath
    from kernelviewer.watch import Watch

AXES = {1: ("tap",), 2: ("row", "column"), 3: ("depth", "row", "column")}
"""Number of dimensions → what the columns of a file call a tap's place."""
MOST_KEYS = 4096
_MOST_TEXT = 1 << 26
_PRODUCTS = 1 << 22
_LEAST_GAIN = 1e-5
_ROUNDS = 50
_SAMPLE = 6000


class KeysError(ValueError):
    """Keys that cannot be used; the message is a sentence for people."""


@dataclass(frozen=True, slots=True, eq=False)
class Keys:
    """K patterns of one size."""

    name: str
    """What they are, for people: ``published``, ``8 of the curve``, a file's name."""
    patterns: NDArray[np.float32]
    """float32 [K, *size], mean 0 and length 1."""

    @classmethod
    def of(cls, name: str, kernels: NDArray[np.floating]) -> Keys:
        """Keys of kernels [K, *size]: their patterns.

        Raises
        ------
        KeysError
            There are none or too many, or one is constant or not finite.
        """
        with np.errstate(over="ignore"):  # what is too large is not finite then
            weights = np.asarray(kernels, np.float32)
        if not 0 < len(weights) <= MOST_KEYS or weights.ndim < 2:
            raise KeysError(f"{len(weights):,} keys: there have to be 1 to {MOST_KEYS}")
        found = measure(weights)
        if not (found.scale > 0).all():
            number = int(np.argmin(found.scale)) + 1
            msg = f"key {number} of {name} is constant or not finite: it has no pattern"
            raise KeysError(msg)
        return cls(name, patterns(weights, found.scale, found.offset))

    def __len__(self) -> int:
        return len(self.patterns)

    @property
    def size(self) -> Size:
        """The kernel size."""
        return self.patterns.shape[1:]

    @property
    def rows(self) -> NDArray[np.float32]:
        """The patterns as float32 [K, taps]."""
        return self.patterns.reshape(len(self), -1)


@dataclass(frozen=True, slots=True, eq=False)
class Approximation:
    """N kernels by keys. Arrays of length N."""

    key: NDArray[np.int16]
    """int16, the key of each kernel; −1 for kernels without a pattern."""
    gain: NDArray[np.float32]
    offset: NDArray[np.float32]
    """float32, a and b of ŷ = a·f̂ + b; the gain is 0 without a pattern."""
    r2: NDArray[np.float32]
    """float32 in [0, 1], the share of the variance that is kept; NaN without a
    pattern."""

    def kernels(self, keys: Keys) -> NDArray[np.float32]:
        """What stands for the kernels, ŷ, float32 [N, *size]."""
        rows = keys.rows[np.maximum(self.key, 0)]
        found = self.gain[:, None] * rows + self.offset[:, None]
        return found.reshape(len(found), *keys.size)


def approximate_kernels(
    weights: NDArray[np.float32],
    keys: Keys,
    flat: NDArray[np.bool_] | None = None,
    watch: Watch = NEVER,
) -> Approximation:
    """Approximate kernels by the nearest of the keys, of either sign.

    Parameters
    ----------
    weights
        float32 [N, *size], of the keys' size.
    flat
        bool [N], kernels without a pattern beside those that are constant.

    Raises
    ------
    KeysError
        The keys are of another size.
    """
    if weights.shape[1:] != keys.size:
        raise KeysError(
            f"the keys of {keys.name} are {size_label(keys.size)}: the kernels are not"
        )
    count = len(weights)
    key = np.full(count, -1, np.int16)
    gain = np.zeros(count, np.float32)
    r2 = np.full(count, np.nan, np.float32)
    measures = measure(weights)
    scale = measures.scale
    there = np.flatnonzero(scale > 0 if flat is None else (scale > 0) & ~flat)
    step = max(1, _PRODUCTS // len(keys))
    for first in range(0, len(there), step):
        watch.check()
        here = there[first : first + step]
        unit = patterns(weights[here], scale[here], measures.offset[here])
        cosines = unit.reshape(len(here), -1) @ keys.rows.T
        best = np.abs(cosines).argmax(axis=1)
        cosine = cosines[np.arange(len(here)), best]
        key[here] = best
        gain[here] = cosine * scale[here]
        r2[here] = np.minimum(cosine * cosine, 1)
    return Approximation(key, gain, measures.offset, r2)


@dataclass(frozen=True, slots=True, eq=False)
class Search:
    """Keys that were found among candidates."""

    chosen: tuple[int, ...]
    """Indices of candidates: the keys, in the order of what each adds."""
    curve: tuple[float, ...]
    """Mean R² of the first 1, 2, … of the keys found by forward search, before any was
    exchanged."""
    mean: float
    """Mean R² of ``chosen``."""
    exchanges: int
    """How often a key was exchanged."""


def search_keys(
    kernels: NDArray[np.float32],
    candidates: NDArray[np.float32],
    count: int,
    weights: NDArray[np.float32] | None = None,
    *,
    exchange: bool = True,
    watch: Watch = NEVER,
) -> Search:
    """The candidates that approximate kernels best together.

    Forward, the candidate that raises the mean R² most is added; then keys are
    exchanged for candidates until no single exchange raises it by 1e-5. What a
    candidate adds only shrinks as others are added (a mean of maxima is submodular), so
    that forward only those are computed anew that may still be the best (Minoux,
    *Accelerated greedy algorithms*, 1978); all exchanges with a candidate are judged at
    once (Schubert and Rousseeuw, *Faster k-medoids clustering*, SISAP 2019). No table
    of all products is held: memory beyond the input stays near 100 MB for 50 000
    kernels.

    Parameters
    ----------
    kernels, candidates
        float32 [N, taps] and [M, taps], patterns: mean 0 and length 1. Signs don't
        matter.
    count
        Keys wanted; as many as there are candidates at most.
    weights
        float32 [N], how much each kernel counts; the sum does not matter.
    exchange
        Whether to exchange after adding.
    watch
        Told keys added and ``count``; checked often. What it raises ends the search.
    """
    return _Searching(kernels, candidates, weights, watch).run(count, exchange)


class _Searching:
    """The state of a search: the best R² of each kernel, and where it comes from."""

    def __init__(
        self,
        kernels: NDArray[np.float32],
        candidates: NDArray[np.float32],
        weights: NDArray[np.float32] | None,
        watch: Watch,
    ) -> None:
        if not len(kernels) or not len(candidates):
            msg = "there are no kernels, or no candidates, to search keys for"
            raise KeysError(msg)
        self.kernels, self.candidates, self.watch = kernels, candidates, watch
        shares = np.ones(len(kernels)) if weights is None else weights.astype(float)
        self.weights = (shares / shares.sum()).astype(np.float32)
        self.step = int(np.clip(_PRODUCTS // len(kernels), 8, 256))

    def run(self, count: int, exchange: bool) -> Search:
        """Add, exchange, and put into order."""
        chosen, curve = self._add(min(count, len(self.candidates)))
        exchanges = 0
        if exchange and len(chosen) > 1:
            part = slice(None, None, max(1, len(self.kernels) // _SAMPLE))
            if part.step > 1:  # most exchanges are found by a part of the kernels
                sample = self.kernels[part], self.candidates, self.weights[part]
                exchanges += _Searching(*sample, self.watch)._exchange(chosen)
            exchanges += self._exchange(chosen)
        order = self._order(chosen) if exchanges else range(len(chosen))
        mean = float(self.weights @ self._squares(chosen).max(axis=1))
        ordered = tuple(chosen[place] for place in order)
        return Search(ordered, tuple(curve), mean, exchanges)

    def _squares(
        self, indices: Sequence[int] | NDArray[np.intp]
    ) -> NDArray[np.float32]:
        """R² of all kernels by some candidates, float32 [N, n]."""
        products: NDArray[np.float32] = self.kernels @ self.candidates[indices].T
        products *= products
        return products

    def _add(self, count: int) -> tuple[list[int], list[float]]:
        best = np.zeros(len(self.kernels), np.float32)
        bounds = np.full(len(self.candidates), np.inf)
        chosen: list[int] = []
        curve: list[float] = []
        for number in range(count):
            self.watch.progress(number, count, "searching keys")
            stale = np.ones(len(bounds), np.bool_)
            while True:
                top = np.argsort(-np.where(stale, bounds, -np.inf))[: self.step]
                top = np.sort(top[stale[top]])
                fresh = bounds[~stale].max(initial=-np.inf)
                if not len(top) or bounds[top].max() <= fresh:
                    break
                self.watch.check()
                squares = np.maximum(self._squares(top), best[:, None])
                bounds[top] = self.weights @ squares - self.weights @ best
                bounds[chosen] = -np.inf
                stale[top] = False
            winner = int(np.argmax(np.where(stale, -np.inf, bounds)))
            chosen.append(winner)
            bounds[winner] = -np.inf
            best = np.maximum(best, self._squares([winner])[:, 0])
            curve.append(float(self.weights @ best))
        self.watch.progress(count, count, "searching keys")
        return chosen, curve

    def _exchange(self, chosen: list[int]) -> int:
        """Exchange keys in place until no exchange helps; how many there were."""
        exchanges, quiet = 0, 0
        blocks = range(0, len(self.candidates), self.step)
        groups = self._groups(chosen)
        for first in (first for _ in range(_ROUNDS) for first in blocks):
            self.watch.check()
            gains = self._gains(slice(first, first + self.step), groups)
            key, column = np.unravel_index(int(gains.argmax()), gains.shape)
            if gains[key, column] > _LEAST_GAIN:
                chosen[key] = first + int(column)
                groups = self._groups(chosen)
                exchanges, quiet = exchanges + 1, 0
            else:
                quiet += 1
            if quiet >= len(blocks):
                break
        return exchanges

    def _groups(self, chosen: Sequence[int]) -> _Groups:
        """Kernels by their key, with the R² of their best and second best key."""
        squares = self._squares(list(chosen))
        nearest = squares.argmax(axis=1)
        order = np.argsort(nearest, kind="stable")
        first_two = np.partition(squares[order], -2, axis=1)[:, -2:]
        ends = np.searchsorted(nearest[order], np.arange(len(chosen) + 1))
        return _Groups(
            self.kernels[order], self.weights[order], ends, first_two[:, 1],
            first_two[:, 0],
        )  # fmt: skip

    def _gains(self, block: slice, groups: _Groups) -> NDArray[np.float64]:
        """What the mean R² gains if a key [K] goes and a candidate [n] comes."""
        candidates = self.candidates[block]
        gains = np.empty((len(groups.ends) - 1, len(candidates)))
        added = np.zeros(len(candidates))
        for key, (start, end) in enumerate(
            zip(groups.ends, groups.ends[1:], strict=False)
        ):
            rows = slice(start, end)
            squares = groups.kernels[rows] @ candidates.T
            squares *= squares
            weights, best = groups.weights[rows], groups.best[rows]
            kept = weights @ np.maximum(squares, best[:, None])
            gone = weights @ np.maximum(squares, groups.second[rows][:, None])
            added += kept - weights @ best
            gains[key] = gone - kept
        return gains + added

    def _order(self, chosen: Sequence[int]) -> list[int]:
        """Places of the keys by what each adds to those before it."""
        squares = self._squares(list(chosen))
        best = np.zeros(len(squares), np.float32)
        order: list[int] = []
        while len(order) < len(chosen):
            means = self.weights @ np.maximum(squares, best[:, None])
            means[order] = -np.inf
            order.append(int(means.argmax()))
            best = np.maximum(best, squares[:, order[-1]])
        return order


@dataclass(frozen=True, slots=True, eq=False)
class _Groups:
    """Kernels in the order of their keys; group k is ``ends[k]:ends[k + 1]``."""

    kernels: NDArray[np.float32]
    weights: NDArray[np.float32]
    ends: NDArray[np.intp]
    best: NDArray[np.float32]
    second: NDArray[np.float32]


def write_keys(path: AnyPath, keys: Keys, notes: Sequence[str] = ()) -> None:
    """Write keys as CSV, a row per tap: ``key,row,column,value``, rows down.

    Parameters
    ----------
    notes
        Lines that come first, after ``#``: where the keys come from.

    Raises
    ------
    OSError
        The folder is read-only or the disk is full; nothing is left there.
    """
    text = io.StringIO()
    for note in notes:
        text.write(f"# {csv_text(' '.join(note.split()))}\n")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("key", *AXES[len(keys.size)], "value"))
    for number, pattern in enumerate(keys.patterns, start=1):
        for place in product(*map(range, keys.size)):
            writer.writerow((number, *place, f"{pattern[place]:.7g}"))
    write_text(path, text.getvalue())


def read_keys(path: AnyPath) -> Keys:
    """Read keys as `write_keys` writes them.

    Lines that start with ``#`` are left out. The first column numbers the keys, the
    last is the value, those between are the tap's place: ``row,column`` from 0, rows
    down.

    Raises
    ------
    KeysError
        The file cannot be read, is no such table, or a tap is missing or twice there.
    """
    from pathlib import Path

    path = Path(path)
    try:
        if path.stat().st_size > _MOST_TEXT:
            raise KeysError(f"{path.name} is far larger than any file of keys")
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no text"
        raise KeysError(f"{path.name}: cannot be read ({reason})") from None
    try:
        rows = list(csv.reader(line for line in lines if line and line[0] != "#"))
    except csv.Error:
        raise KeysError(f"{path.name} is no table: a cell of it does not end") from None
    dimensions = len(rows[0]) - 2 if rows else 0
    if dimensions not in AXES or tuple(rows[0][1:-1]) != AXES[dimensions]:
        raise KeysError(
            f"{path.name} is no table of keys: its first line has to be "
            "key,row,column,value (key,tap,value for 1-D kernels)"
        )
    return Keys.of(path.name, _table(path.name, rows[1:], dimensions))


def _table(
    name: str, rows: Sequence[Sequence[str]], dimensions: int
) -> NDArray[np.float64]:
    """Kernels [K, *size] of the rows of a file; raises `KeysError`."""
    try:
        numbers = [[int(cell) for cell in row[:-1]] for row in rows]
        places = np.array(numbers, np.int64).reshape(len(rows), dimensions + 1)
        values = np.array([float(row[-1]) for row in rows])
    except (ValueError, IndexError, OverflowError):
        msg = f"{name}: a row is no number of a key, place and value"
        raise KeysError(msg) from None
    if not len(places):
        raise KeysError(f"{name} has no keys")
    names, places[:, 0] = np.unique(places[:, 0], return_inverse=True)
    shape = (len(names), *(int(last) + 1 for last in places[:, 1:].max(axis=0)))
    if (places < 0).any() or math.prod(shape) != len(places):
        raise KeysError(f"{name}: each key needs a value for each tap, once")
    kernels = np.full(shape, np.nan)
    kernels[tuple(places.T)] = values
    if np.isnan(kernels).any():
        msg = f"{name}: each key needs a value for each tap, once, and a number"
        raise KeysError(msg)
    return kernels
