"""The family's own spectrum: its classes in a row, for kernels of any size, untrained.

The axis from 0 to 1 is cut into stretches, each class exactly once, in an order that
runs from the on- classes over edges and bars to the off- classes; within a class σ
grows, on a logarithmic scale. A class that has both signs is gone through twice, + then
−. A code is decoded to the member of its class and σ in the standard position: at its
class's angle, in the middle. It stands where an autoencoder of the size could:
`decode`, `spectrum`, `table` are the same, and `codes` takes the place of ``encode``.

Stops are all of one length, whatever kernels there are: a code means the same in every
session, figure and network of a kernel size. What the classes are is data: a spectrum
is made of stops, by default those of all fine classes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np

from kernelviewer.kernels.classes import INDEX
from kernelviewer.kernels.family.members import CLASS_KINDS, as_plane, members, render
from kernelviewer.kernels.family.regions import (
    DISC,
    DISC_LEAST,
    SIGMA_LOBES,
    SIGMA_MIN,
    SIGMA_POINT,
    SIGMA_TAP,
    SIGMA_WIDE,
    kinds,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from kernelviewer.kernels.bank import Size
    from kernelviewer.kernels.family.fit import FamilyFit

_ORDER = (
    *("off-ring", "on-point", "on-centre", "on-disc", "on-square", "on-cross"),
    *("edge-x", "edge-d", "edge-y"),
    *("on-bar-v", "off-bar-v", "on-bar-d", "off-bar-d", "on-bar-h", "off-bar-h"),
    *("saddle", "checker"),
    *("off-cross", "off-square", "off-disc", "off-centre", "off-point", "on-ring"),
)
"""Of fine classes, such that those of one of the paper's classes lie side by side."""
_LEAST_RATIO = 1.5
_ROWS = 2048
"""Of the table."""
_ARM = 1 / 5
_LONG = [INDEX[n] for n in _ORDER if "cross" in n or "bar" in n]
"""Classes whose two σ differ: the first says how large they are."""

_THIN_DIAGONAL = 0.6
"""σ of the thinnest diagonal bar, px; thinner ones look like a piece of a checker."""


@dataclass(frozen=True, slots=True)
class Stop:
    """A part of the axis: members of one formula, one sign, and growing σ."""

    class_id: str
    """The fine class whose members it has; stops of one class that follow each other
    are one stretch."""
    sign: int
    """+1 or −1."""
    sigma: tuple[float, float]
    """Lowest and highest σ, px."""
    across: float | None = None
    """Of a cross: how wide its arms are, in units of σ, their length; None: as
    usual."""


def stops_of(size: Size) -> tuple[Stop, ...]:
    """The fine classes that kernels of a size can show, in order.

    Raises
    ------
    ValueError
        The family has no members of this size.
    """
    plane = as_plane(size)
    possible = kinds(plane)
    stops = []
    for name in _ORDER:
        index = INDEX[name]
        of_class, sign = CLASS_KINDS[index]
        if not any(kind in possible for kind in of_class):
            continue
        low, high = _sigmas(name, max(plane))
        for one in (sign,) if sign else (1, -1):
            limits = (low, max(high, _LEAST_RATIO * low))
            across = _ARM if name.endswith("cross") else None
            stops.append(Stop(name, one, limits, across))
    return tuple(stops)


def _sigmas(name: str, side: int) -> tuple[float, float]:
    """Least and largest σ of a stop, px; wider ones fill the window and look alike."""
    if name.endswith("bar-d"):
        return _THIN_DIAGONAL, side / 5
    base = name.removeprefix("on-").removeprefix("off-").partition("-")[0]
    disc = max(DISC * side, DISC_LEAST)
    limits = {
        "point": (SIGMA_MIN, SIGMA_POINT),
        "centre": (1.2 * SIGMA_POINT, disc),
        "disc": (disc, side / 2),
        "square": (SIGMA_TAP, min(side / 5, SIGMA_WIDE)),
        "cross": (SIGMA_MIN / _ARM, side / 3),
        "ring": (SIGMA_POINT, side / 4),
        "saddle": (SIGMA_LOBES, side / 5),
        "checker": (1.0, side / 2),
    }
    return limits.get(base, (SIGMA_MIN, side / 5))


@dataclass(frozen=True, eq=False)
class FamilySpectrum:
    """Codes in [0, 1] ↔ members of the family, for kernels of one size. Immutable."""

    size: Size
    """The kernel size."""
    stops: tuple[Stop, ...]
    """In the order of the axis."""

    @classmethod
    def of(cls, size: Size) -> FamilySpectrum:
        """The spectrum of all classes.

        Raises
        ------
        ValueError
            The family has no members of this size.
        """
        return cls(size, stops_of(size))

    @cached_property
    def borders(self) -> NDArray[np.float64]:
        """Borders of the stops, float64 [stops + 1], from 0 to 1."""
        return np.linspace(0.0, 1.0, len(self.stops) + 1)

    @property
    def stretches(self) -> tuple[tuple[float, float, str], ...]:
        """(low, high, class id), each class once, from 0 to 1."""
        found = []
        for name, group in groupby(
            range(len(self.stops)), lambda number: self.stops[number].class_id
        ):
            numbers = list(group)
            low, high = self.borders[numbers[0]], self.borders[numbers[-1] + 1]
            found.append((float(low), float(high), name))
        return tuple(found)

    def decode(self, code: NDArray[np.floating]) -> NDArray[np.float32]:
        """Patterns of codes: float32 [n, *size], mean 0 and length 1.

        Codes beyond [0, 1] give the pattern of the nearer end.
        """
        codes = np.clip(np.atleast_1d(np.asarray(code, np.float64)), 0, 1)
        numbers = np.searchsorted(self.borders, codes, side="right") - 1
        found = np.empty((len(codes), *self.size), np.float32)
        numbers = np.minimum(numbers, len(self.stops) - 1)
        for number in np.unique(numbers).tolist():
            stop, here = self.stops[number], numbers == number
            low, high = self.borders[number : number + 2]
            part = (codes[here] - low) / (high - low)
            sigma = stop.sigma[0] * (stop.sigma[1] / stop.sigma[0]) ** part
            across = None if stop.across is None else stop.across * sigma
            some = members(
                *(stop.class_id, self.size, sigma), sigma_y=across, sign=stop.sign
            )
            found[here] = render(some, self.size)
        return found

    def spectrum(self, count: int = 256) -> NDArray[np.float32]:
        """Patterns [count, *size] of codes that lie evenly from 0 to 1."""
        return self.decode(np.linspace(0.0, 1.0, count))

    @cached_property
    def table(self) -> NDArray[np.float32]:
        """The spectrum at 2 048 codes, as an autoencoder's."""
        return self.spectrum(_ROWS)

    def codes(self, fit: FamilyFit) -> NDArray[np.float32]:
        """Codes [N] of kernels from their nearest members; NaN where no stop has them.

        The stop is that of class and sign; σ beyond its limits counts as the limit.
        """
        which, part = _places(self.stops, fit)
        low, high = self.borders[:-1][which], self.borders[1:][which]
        # a row off the borders: the nearest row of the table is of the same stop
        codes = (low + part * (high - low)).clip(low + 1 / _ROWS, high - 1 / _ROWS)
        return np.where(which < 0, np.nan, codes).astype(np.float32)


@lru_cache(maxsize=16)
def family_spectrum(size: Size) -> FamilySpectrum:
    """The spectrum of a size, the same object each time, so that it is drawn once.

    Raises
    ------
    ValueError
        The family has no members of this size.
    """
    return FamilySpectrum.of(size)


def _places(
    stops: Sequence[Stop], fit: FamilyFit
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Number of each kernel's stop, −1: none, and how far along it σ is, 0 … 1."""
    which = np.full(len(fit), -1, np.int64)
    part = np.zeros(len(fit))
    beyond = np.full(len(fit), np.inf)
    wide = np.log(fit.sigma_x.astype(np.float64))
    log = np.where(
        np.isin(fit.class_index, _LONG),
        wide,  # along an arm, across a bar
        (wide + np.log(fit.sigma_y.astype(np.float64))) / 2,
    )
    for number, stop in enumerate(stops):
        low, high = map(math.log, stop.sigma)
        here = (fit.class_index == INDEX[stop.class_id]) & (fit.sign == stop.sign)
        excess = np.maximum(low - log, 0) + np.maximum(log - high, 0)
        here &= excess < beyond
        which[here], beyond[here] = number, excess[here]
        part[here] = ((log[here] - low) / (high - low)).clip(0, 1)
    return which, part
