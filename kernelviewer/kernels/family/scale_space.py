"""Kernels as differences of the discrete analogue of the Gaussian.

    T(n; σ) = exp(−σ²) I_|n|(σ²)

is the Gaussian's counterpart on a grid (Lindeberg, Babaiee, Kiasari, JMIV 68(3), 2026;
arXiv:2509.12746): its variance is σ² for any σ, also far below a pixel, where a sampled
Gaussian is one tap. The eight master key filters are modelled by it and its differences
in that paper; here each kernel is given the nearest of these models.

Rows count down and columns to the right. ``T[c+1]`` is T moved one tap to the left, so
that T[c+1] − T[c−1] falls from left to right through the middle, as +∂x of the pattern
family does.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache, partial
from typing import TYPE_CHECKING

import numpy as np

from kernelviewer.device import CPU, side_by_side
from kernelviewer.kernels.family.members import as_plane
from kernelviewer.kernels.support import middle_shift, on_support, parts
from kernelviewer.watch import NEVER

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from kernelviewer.kernels.bank import KernelSet
    from kernelviewer.watch import Watch

    Values = NDArray[np.float64]

_OPERATORS = {
    "δ": (),
    "T": ((0, 1.0),),
    "+": ((1, 1.0), (0, -1.0)),
    "-": ((-1, 1.0), (0, -1.0)),
    "c": ((1, 0.5), (-1, -0.5)),
    "2": ((1, 1.0), (0, -2.0), (-1, 1.0)),
}
"""(steps, weight): differences of T along one axis, T[n + steps] each; δ is the
impulse."""
_SPREAD = {"T": 1.0, "+": 2.0, "-": 2.0, "c": 2.0, "2": 2.245}
"""Variance along an axis, weighed by the absolute value, in units of σ², of the
Gaussian and of its first and second derivative."""

MODELS: dict[str, tuple[str, str]] = {
    "T": ("T", "T"),
    "T[c+1]-T[c-1]": ("T", "c"),
    "T[r+1]-T[r-1]": ("c", "T"),
    "T[c+1]-T[c]": ("T", "+"),
    "T[c-1]-T[c]": ("T", "-"),
    "T[r+1]-T[r]": ("+", "T"),
    "T[r-1]-T[r]": ("-", "T"),
    "T[c+1]-2T[c]+T[c-1]": ("T", "2"),
    "T[r+1]-2T[r]+T[r-1]": ("2", "T"),
    "mixed": ("c", "c"),
    "sharp": ("T", "T"),
}
"""Name → differences down and across; ``sharp`` is δ − α ∇²₅T, the paper's filter 7."""
SHARPNESS = 0.5256
"""Its α."""
NAMES = tuple(MODELS)
_SIGMAS = (0.15, 12.0)
_STEPS = (0.6, 0.4, 0.25, 0.15, 0.1, 0.05, 0.025, 0.012)
"""Of the search for σ, in ln σ: about 1 % of σ at last."""
_GRID = 0.01
"""Between the σ of the table that T is looked up in, in ln σ."""
_TRIED = 3
"""Models per kernel whose σ are searched: those nearest at the σ of the moments."""
_SHARE = 256
"""Threads share out kernels in multiples of this."""
_NOTHING = 1e-13
"""Variance of a pattern in units of its mean square that is rounding alone."""


def discrete_gaussian(sigma: Values, most: int) -> Values:
    """T(n; σ) for n = 0 … ``most``, [B, most + 1].

    By the continued fraction of I_n / I_{n−1}, which neither over- nor underflows; all
    orders sum to 1.
    """
    square = np.asarray(sigma, np.float64) ** 2
    top = most + 16 + math.ceil(8 * float(np.max(sigma, initial=0.0)))
    ratios = np.zeros((top + 2, len(square)))
    for n in range(top, 0, -1):
        ratios[n] = square / (2 * n + square * ratios[n + 1])
    ratios[0] = 1
    found = np.cumprod(ratios[: top + 1], axis=0)
    found /= 2 * found.sum(axis=0) - 1
    return np.ascontiguousarray(found[: most + 1].T)


@cache
def _table(most: int) -> Values:
    """T(n; σ) for every σ of a fine grid, [most + 1, σ]."""
    low, high = map(math.log, _SIGMAS)
    count = math.ceil((high - low) / _GRID) + 1
    found = discrete_gaussian(np.exp(low + _GRID * np.arange(count)), most)
    return np.ascontiguousarray(found.T)


def _looked_up(log_sigma: Values, most: int) -> Values:
    """T(n; σ) of ln σ [B] to five decimals, from the table, [most + 1, B]."""
    table = _table(most)
    place = (log_sigma.clip(*np.log(_SIGMAS)) - math.log(_SIGMAS[0])) / _GRID
    row = np.minimum(place.astype(np.int64), table.shape[1] - 2)
    part = place - row
    below, above = table.take(row, axis=1), table.take(row + 1, axis=1)
    values: Values = (1 - part) * below + part * above
    return values


def moments(kernels: Values) -> tuple[Values, Values]:
    """Middle and variance by |h|, each [2, N]: down and across, in taps.

    M = Σ p|h| / Σ|h| and V = Σ p²|h| / Σ|h| − M². Kernels [N, rows, columns] have the
    background 0.
    """
    weight = np.abs(kernels)
    total = weight.sum(axis=(1, 2))
    middle, variance = [], []
    for axis in (0, 1):
        along = weight.sum(axis=2 - axis)
        p = np.arange(along.shape[1], dtype=np.float64)
        mean = along @ p / total
        middle.append(mean)
        # of a lone tap: 0, which rounding could make negative
        variance.append(np.maximum(along @ p**2 / total - mean**2, 0))
    return np.stack(middle), np.stack(variance)


def model(
    name: str,
    size: tuple[int, int],
    sigma: tuple[Values, Values],
    middle: tuple[Values, Values] | None = None,
) -> Values:
    """Patterns of one model, [B, rows, columns], mean 0 and length 1.

    Parameters
    ----------
    name
        One of `MODELS`.
    size
        Rows and columns.
    sigma
        σy and σx, [B] each.
    middle
        The tap of the middle, down and across, [B] each; None: the window's.
    """
    if middle is None:
        ones = np.ones(len(sigma[0]))
        middle = (ones * ((size[0] - 1) // 2), ones * ((size[1] - 1) // 2))
    down, across = (
        _Axis(name, number, size, middle[number]).along(np.log(sigma[number]))
        for number in (0, 1)
    )
    weights = [weight for weight, *_ in _terms(name)]
    return _unit(np.einsum("t,tib,tjb->bij", weights, down, across))


def _terms(name: str) -> list[tuple[float, str, str]]:
    """A model as a sum of products: weight, difference down, difference across."""
    if name == "sharp":
        return [(1, "δ", "δ"), (-SHARPNESS, "2", "T"), (-SHARPNESS, "T", "2")]
    return [(1, *MODELS[name])]


class _Axis:
    """The factors of a model along one axis of B kernels.

    Parameters
    ----------
    number
        0: down, 1: across.
    size
        Rows and columns; a single tap has no extent.
    middle
        The tap of the middle, [B].
    """

    def __init__(
        self, name: str, number: int, size: tuple[int, int], middle: Values
    ) -> None:
        self._operators = [axes[number] for _, *axes in _terms(name)]
        self._taps = size[number]
        self._places = np.arange(self._taps)[:, None] - np.rint(middle).astype(np.int64)
        steps = {s for name in self._operators for s, _ in _OPERATORS[name]}
        column = np.arange(len(middle))
        self._at = {
            step: np.abs(self._places + step) * len(middle) + column for step in steps
        }

    def along(self, log_sigma: Values) -> Values:
        """The factor of each term, [terms, taps, B], at ln σ [B]."""
        found: Values = np.zeros((len(self._operators), *self._places.shape))
        if self._taps == 1:
            found[[name in "Tδ" for name in self._operators]] = 1
            return found
        values = _looked_up(log_sigma, self._taps + 1)
        moved = {step: values.take(at) for step, at in self._at.items()}
        for own, name in zip(found, self._operators, strict=True):
            if name == "δ":
                own[self._places == 0] = 1
            for step, weight in _OPERATORS[name]:
                own += weight * moved[step]
        return found


class _Half:
    """Cosines of B patterns with a model of which the factors of one axis are known.

    Parameters
    ----------
    patterns
        [taps of the other axis, taps of this, B], mean 0 and length 1.
    known
        Factors of this axis, [terms, taps, B].
    """

    def __init__(self, name: str, patterns: Values, known: Values) -> None:
        weights = np.array([weight for weight, *_ in _terms(name)])[:, None, None]
        known = weights * known
        self._taps = patterns.shape[0] * patterns.shape[1]
        self._onto = np.stack([(patterns * own).sum(axis=1) for own in known])
        self._sums = known.sum(axis=1)
        self._squares = np.einsum("tjb,ujb->tub", known, known)

    def cosine(self, other: Values) -> Values:
        """[B], with the factors of the other axis, [terms, taps, B]."""
        onto = (self._onto * other).sum(axis=(0, 1))
        total = (self._sums * other.sum(axis=1)).sum(axis=0)
        products = np.einsum("tib,uib->tub", other, other)
        square = (self._squares * products).sum(axis=(0, 1))
        around = square - total**2 / self._taps
        there = around > _NOTHING * square
        return np.where(there, onto / np.sqrt(np.where(there, around, 1)), 0.0)


def _unit(planes: Values) -> Values:
    planes = planes - planes.mean(axis=(1, 2), keepdims=True)
    length = np.sqrt(np.einsum("ijk,ijk->i", planes, planes))
    planes /= np.maximum(length, 1e-30)[:, None, None]
    return planes


@dataclass(frozen=True, slots=True, eq=False)
class ScaleSpaceFit:
    """The nearest model of each of N kernels."""

    model: NDArray[np.int8]
    """int8 [N], index into `NAMES`."""
    sign: NDArray[np.int8]
    """int8 [N], +1 or −1."""
    sigma_x: NDArray[np.float32]
    sigma_y: NDArray[np.float32]
    """float32 [N], px, of the nearest member of the model."""
    moment_x: NDArray[np.float32]
    moment_y: NDArray[np.float32]
    """float32 [N], px: σ in closed form, by the moments of the kernel."""
    offset_x: NDArray[np.float32]
    offset_y: NDArray[np.float32]
    """float32 [N], px: the tap of the middle, from the middle of the window."""
    cosine: NDArray[np.float32]
    """float32 [N], with the kernel's pattern."""

    def __len__(self) -> int:
        return len(self.cosine)


def scale_space_fit(
    kernels: KernelSet, rows: NDArray[np.int64] | None = None, *, watch: Watch = NEVER
) -> ScaleSpaceFit:
    """The discrete scale-space model nearest to each kernel of a network.

    Each kernel stands on its layer's support. Its middle is the tap nearest to that of
    its moments; σ starts in closed form and is then searched, for the models that come
    nearest.

    Parameters
    ----------
    rows
        int64 [n], the kernels to fit, none of them flat; None: all that are not flat.

    Raises
    ------
    ValueError
        The pattern family has no members of this size.
    """
    rows = np.flatnonzero(~kernels.flat) if rows is None else rows
    found = np.empty((9, len(rows)), np.float32)
    for place, support in parts(kernels.layer[rows], kernels.supports):
        weights = on_support(kernels.weights, support)
        batches = CPU.batches(len(place), math.prod(weights.shape[1:]), _SHARE)
        work = partial(_fit_batch, weights, rows, place, batches.step, found, watch)
        for _ in side_by_side(work, batches, CPU):
            pass
        if support is not None:
            down, right = (0.0, *middle_shift(kernels.size, support))[-2:]
            found[6, place] += right
            found[7, place] += down
    which, sign, *rest = found
    return ScaleSpaceFit(which.astype(np.int8), sign.astype(np.int8), *rest)


def _fit_batch(
    weights: NDArray[np.float32],
    rows: NDArray[np.int64],
    place: NDArray[np.intp],
    count: int,
    found: NDArray[np.float32],
    watch: Watch,
    first: int,
) -> None:
    """Fit the kernels at ``count`` places from ``first`` on, into ``found``."""
    watch.check()
    here = place[first : first + count]
    plane = as_plane(weights.shape[1:])
    found[:, here] = _fit(weights[rows[here]].reshape(-1, *plane).astype(np.float64))


def _fit(kernels: Values) -> Values:
    """The fields of `ScaleSpaceFit` for some kernels, [9, n]."""
    size = (kernels.shape[1], kernels.shape[2])
    background = np.median(kernels, axis=(1, 2), keepdims=True)
    middle, variance = moments(kernels - background)
    middle = np.rint(middle)
    patterns = np.ascontiguousarray(_unit(kernels).transpose(1, 2, 0))
    names = [name for name in NAMES if _has(name, size)]
    starts = [np.log(_start(name, variance)) for name in names]
    cosine = np.stack(
        [
            _search(name, patterns, start, middle, ())[1]
            for name, start in zip(names, starts, strict=True)
        ]
    )
    order = np.argsort(-np.abs(cosine), axis=0)[:_TRIED]
    found = np.zeros((9, len(kernels)))
    for number, name in enumerate(names):
        here = np.flatnonzero((order == number).any(axis=0))
        if not len(here):
            continue
        start = _start(name, variance[:, here])
        log, value = _search(
            name, patterns[:, :, here], np.log(start), middle[:, here], _STEPS
        )
        better = np.abs(value) > found[8, here]
        here, sigma = here[better], np.exp(log[:, better])
        found[0, here] = NAMES.index(name)
        found[1, here] = np.sign(value[better])
        found[2, here], found[3, here] = sigma[::-1]
        found[4, here], found[5, here] = start[::-1, better]
        found[8, here] = np.abs(value[better])
    for low, single in ((2, size[1] == 1), (3, size[0] == 1)):
        if single:  # σ has no meaning along an axis of one tap: it gets the other's
            found[[low, low + 2]] = found[[5 - low, 7 - low]]
    found[6] = middle[1] - (size[1] - 1) / 2
    found[7] = middle[0] - (size[0] - 1) / 2
    return found


def _has(name: str, size: tuple[int, int]) -> bool:
    """True if a model's differences have taps along them."""
    return all(
        taps > 1 or operator == "T"
        for taps, operator in zip(size, MODELS[name], strict=True)
    )


def _start(name: str, variance: Values) -> Values:
    """σy and σx in closed form, [2, n]."""
    spread = np.array([_SPREAD[operator] for operator in MODELS[name]])
    sigma: Values = np.sqrt(variance / spread[:, None]).clip(*_SIGMAS)
    return sigma


def _search(
    name: str, patterns: Values, log: Values, middle: Values, steps: Iterable[float]
) -> tuple[Values, Values]:
    """Logarithms of σ, [2, n], of the largest cosine in either sign, and that cosine.

    Compass search: a step along either axis, taken where it is better, shorter each
    time. Patterns are [rows, columns, n]; without steps, the cosine at the start.
    """
    size = (patterns.shape[0], patterns.shape[1])
    limits = np.log(_SIGMAS)
    axes = [_Axis(name, number, size, middle[number]) for number in (0, 1)]
    log = log.copy()
    factors = [axis.along(own) for axis, own in zip(axes, log, strict=True)]
    views = (patterns, patterns.swapaxes(0, 1))
    value = _Half(name, patterns, factors[1]).cosine(factors[0])
    for step in steps:
        for number, axis in enumerate(axes):
            half = _Half(name, views[number], factors[1 - number])
            for way in (step, -step):
                trial = (log[number] + way).clip(*limits)
                made = axis.along(trial)
                tried = half.cosine(made)
                better = np.abs(tried) > np.abs(value)
                log[number] = np.where(better, trial, log[number])
                value = np.where(better, tried, value)
                factors[number] = np.where(better, made, factors[number])
    return log, value
