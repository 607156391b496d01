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
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from kernelviewer.kernels.family.members import as_plane
from kernelviewer.kernels.support import middle_shift, on_support, parts
from kernelviewer.watch import NEVER

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kernelviewer.kernels.bank import KernelSet
    from kernelviewer.watch import Watch

    Values = NDArray[np.float64]

_OPERATORS = {
    "T": ((0, 1.0),),
    "+": ((1, 1.0), (0, -1.0)),
    "-": ((-1, 1.0), (0, -1.0)),
    "c": ((1, 0.5), (-1, -0.5)),
    "2": ((1, 1.0), (0, -2.0), (-1, 1.0)),
}
"""(steps, weight): differences of T along one axis, T[n + steps] each."""
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
_BATCH = 4096


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
    """T(n; σ) for every σ of a fine grid, [σ, most + 1]."""
    low, high = map(math.log, _SIGMAS)
    count = math.ceil((high - low) / _GRID) + 1
    return discrete_gaussian(np.exp(low + _GRID * np.arange(count)), most)


def _looked_up(sigma: Values, most: int) -> Values:
    """`discrete_gaussian` to five decimals, from the table; σ within its limits."""
    table = _table(most)
    place = (np.log(np.asarray(sigma, np.float64).clip(*_SIGMAS) / _SIGMAS[0])) / _GRID
    row = np.minimum(place.astype(np.int64), len(table) - 2)
    part = (place - row)[:, None]
    values: Values = (1 - part) * table[row] + part * table[row + 1]
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
    axes = []
    for number, taps in enumerate(size):
        centre = np.full(len(sigma[number]), (taps - 1) / 2 // 1)
        if middle is not None:
            centre = middle[number]
        axes.append(_Axis(taps, sigma[number], centre))
    down, across = MODELS[name]
    planes = _product(axes, down, across)
    if name == "sharp":
        rows, columns = (axis.places == 0 for axis in axes)
        impulse = rows[:, :, None] & columns[:, None, :]
        laplacian = _product(axes, "2", "T") + _product(axes, "T", "2")
        planes = impulse - SHARPNESS * laplacian
    return _unit(planes)


class _Axis:
    """T and its differences along one axis; a single tap has no extent."""

    def __init__(self, taps: int, sigma: Values, middle: Values) -> None:
        self.places = np.arange(taps) - np.rint(middle).astype(np.int64)[:, None]
        self._single = taps == 1
        self._values = _looked_up(sigma, taps + 1)

    def along(self, operator: str) -> Values:
        if self._single:
            return np.full(self.places.shape, float(operator == "T"))
        return np.asarray(
            sum(
                weight
                * np.take_along_axis(self._values, np.abs(self.places + steps), axis=1)
                for steps, weight in _OPERATORS[operator]
            )
        )


def _product(axes: list[_Axis], down: str, across: str) -> Values:
    return axes[0].along(down)[:, :, None] * axes[1].along(across)[:, None, :]


def _unit(planes: Values) -> Values:
    planes = planes - planes.mean(axis=(1, 2), keepdims=True)
    length = np.sqrt(np.einsum("ijk,ijk->i", planes, planes))
    planes /= np.maximum(length, 1e-30)[:, None, None]
    return planes


@dataclass(frozen=True, slots=True, eq=False)
class ScaleSpaceFit:
    """The nearest model of each of N kernels.

    Attributes
    ----------
    model
        int8 [N], index into `NAMES`.
    sign
        int8 [N], +1 or −1.
    sigma_x, sigma_y
        float32 [N], px, of the nearest member of the model.
    moment_x, moment_y
        float32 [N], px: σ in closed form, by the moments of the kernel.
    offset_x, offset_y
        float32 [N], px: the tap of the middle, from the middle of the window.
    cosine
        float32 [N], with the kernel's pattern.
    """

    model: NDArray[np.int8]
    sign: NDArray[np.int8]
    sigma_x: NDArray[np.float32]
    sigma_y: NDArray[np.float32]
    moment_x: NDArray[np.float32]
    moment_y: NDArray[np.float32]
    offset_x: NDArray[np.float32]
    offset_y: NDArray[np.float32]
    cosine: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.cosine)


def scale_space_fit(
    kernels: KernelSet,
    rows: NDArray[np.int64] | None = None,
    *,
    watch: Watch = NEVER,
) -> ScaleSpaceFit:
    """The discrete scale-space model nearest to each kernel of a network.

    Each kernel stands on its layer's support. Its middle is the tap nearest to that of
    its moments; σ starts in closed form and is then searched, for the models that come
    nearest.

    Parameters
    ----------
    kernels
        Kernels of one size.
    rows
        int64 [n], the kernels to fit, none of them flat; None: all that are not flat.
    watch
        Checked between batches; what it raises ends the fit.

    Raises
    ------
    ValueError
        The pattern family has no members of this size.
    """
    rows = np.flatnonzero(~kernels.flat) if rows is None else rows
    found = np.empty((9, len(rows)), np.float32)
    for place, support in parts(kernels.layer[rows], kernels.supports):
        whole = as_plane(kernels.size)
        down = right = 0.0
        if support is not None:
            down, right = (0.0, *middle_shift(kernels.size, support))[-2:]
        for first in range(0, len(place), _BATCH):
            watch.check()
            here = place[first : first + _BATCH]
            weights = on_support(kernels.weights, support)[rows[here]]
            plane = as_plane(weights.shape[1:]) if len(weights) else whole
            found[:, here] = _fit(weights.reshape(-1, *plane).astype(np.float64))
            found[6, here] += right
            found[7, here] += down
    which, sign, *rest = found
    return ScaleSpaceFit(which.astype(np.int8), sign.astype(np.int8), *rest)


def _fit(kernels: Values) -> Values:
    """The fields of `ScaleSpaceFit` for some kernels, [9, n]."""
    size = (kernels.shape[1], kernels.shape[2])
    background = np.median(kernels, axis=(1, 2), keepdims=True)
    middle, variance = moments(kernels - background)
    middle = np.rint(middle)
    patterns = _unit(kernels)
    names = [name for name in NAMES if _has(name, size)]
    cosine = np.stack(
        [_cosine(name, patterns, _start(name, variance), middle) for name in names]
    )
    order = np.argsort(-np.abs(cosine), axis=0)[:_TRIED]
    found = np.zeros((9, len(kernels)))
    for number, name in enumerate(names):
        here = np.flatnonzero((order == number).any(axis=0))
        if not len(here):
            continue
        start = _start(name, variance[:, here])
        log, value = _search(name, patterns[here], np.log(start), middle[:, here])
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


def _cosine(name: str, patterns: Values, sigma: Values, middle: Values) -> Values:
    size = (patterns.shape[1], patterns.shape[2])
    made = model(name, size, (sigma[0], sigma[1]), (middle[0], middle[1]))
    return np.asarray(np.einsum("ijk,ijk->i", patterns, made))


def _search(
    name: str, patterns: Values, log: Values, middle: Values
) -> tuple[Values, Values]:
    """Logarithms of σ, [2, n], of the largest cosine in either sign, and that cosine.

    Compass search: a step along either axis, taken where it is better, shorter each
    time.
    """
    limits = np.log(_SIGMAS)
    value = _cosine(name, patterns, np.exp(log), middle)
    for step in _STEPS:
        for axis in (0, 1):
            for way in (step, -step):
                trial = log.copy()
                trial[axis] = (trial[axis] + way).clip(*limits)
                tried = _cosine(name, patterns, np.exp(trial), middle)
                better = np.abs(tried) > np.abs(value)
                log = np.where(better, trial, log)
                value = np.where(better, tried, value)
    return log, value
