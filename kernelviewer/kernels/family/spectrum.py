"""The family's own spectrum: its classes in a row, for kernels of any size, untrained.

The axis from 0 to 1 is cut into stretches, each class exactly once, in an order that
runs from the on- classes over the derivatives to the off- classes; within a class σ
grows, on a logarithmic scale. A class that has both signs is gone through twice, + then
−. A code is decoded to the member of its class and σ in the standard position: at angle
and offset 0. It stands where an autoencoder of the size could: `decode`, `spectrum`,
`stretches` are the same, and `codes` takes the place of ``encode``.

What the classes are is data: a spectrum is made of stops, by default those of the
paper's classes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cached_property
from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np

from kernelviewer.kernels.classes import INDEX, PATTERNS
from kernelviewer.kernels.family.members import CLASS_KINDS, as_plane, member
from kernelviewer.kernels.family.regions import (
    SIGMA_LOBES,
    SIGMA_MIN,
    SIGMA_SQUARE,
    kinds,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from kernelviewer.kernels.bank import Size
    from kernelviewer.kernels.family.fit import FamilyFit

EVEN = 0.25
"""Share of the axis that stops have alike, however few kernels live there."""
_SIGMAS = {
    "centre": (SIGMA_MIN, 2 / 5),
    "square": (SIGMA_SQUARE, 1 / 5),
    "cross": (3 * SIGMA_MIN, 1 / 3),
    "d2-xy": (SIGMA_LOBES, 1 / 5),
}
_DERIVATIVE = (SIGMA_MIN, 1 / 5)
"""Least σ in px, and the largest in units of the longer axis; of a cross: along an arm.
Wider ones fill the window and look alike."""
_LEAST_RATIO = 1.5


@dataclass(frozen=True, slots=True)
class Stop:
    """A part of the axis: members of one formula, one sign, and growing σ.

    Attributes
    ----------
    class_id
        What the part is called; stops of one class that follow each other are one
        stretch.
    members
        The class of `kernelviewer.kernels.classes.PATTERNS` whose formula it has.
    sign
        +1 or −1.
    sigma
        Lowest and highest σ, px.
    more
        Other arguments of `member`, such as ``angle``.
    """

    class_id: str
    members: str
    sign: int
    sigma: tuple[float, float]
    more: Mapping[str, float] = field(default_factory=dict)


def paper_stops(size: Size) -> tuple[Stop, ...]:
    """The paper's classes that kernels of a size can show, in order.

    Raises
    ------
    ValueError
        The family has no members of this size.
    """
    plane = as_plane(size)
    there = [
        (item.id, kind, sign)
        for item, (kind, sign) in zip(PATTERNS, CLASS_KINDS, strict=True)
        if kind in kinds(plane)
    ]
    on = [entry for entry in there if entry[2] > 0]
    both = [(name, kind, sign) for name, kind, _ in _of(there, 0) for sign in (1, -1)]
    stops = []
    for name, kind, sign in (*on, *both, *reversed(_of(there, -1))):
        low, share = _SIGMAS.get(kind, _DERIVATIVE)
        high = max(share * max(plane), _LEAST_RATIO * low)
        stops.append(Stop(name, name, sign, (low, high)))
    return tuple(stops)


def _of(entries: list[tuple[str, str, int]], sign: int) -> list[tuple[str, str, int]]:
    return [entry for entry in entries if entry[2] == sign]


@dataclass(frozen=True, eq=False)
class FamilySpectrum:
    """Codes in [0, 1] ↔ members of the family, for kernels of one size. Immutable.

    Attributes
    ----------
    size
        The kernel size.
    stops
        In the order of the axis.
    borders
        float64 [stops + 1], from 0 to 1, rising.
    """

    size: Size
    stops: tuple[Stop, ...]
    borders: NDArray[np.float64]

    @classmethod
    def of(
        cls,
        size: Size,
        fit: FamilyFit | None = None,
        stops: Sequence[Stop] | None = None,
    ) -> FamilySpectrum:
        """A spectrum of a size, longer where more kernels live.

        Parameters
        ----------
        size
            Kernel size.
        fit
            Kernels that say how long the stops are; None: all alike.
        stops
            None: those of the paper's classes.

        Raises
        ------
        ValueError
            The family has no members of this size.
        """
        found = paper_stops(size) if stops is None else tuple(stops)
        lengths = np.full(len(found), 1 / len(found))
        if fit is not None and len(fit):
            which, _ = _places(found, fit)
            kernels = np.bincount(which[which >= 0], minlength=len(found))
            share = kernels / max(1, kernels.sum())
            lengths = EVEN * lengths + (1 - EVEN) * share
        borders = np.concatenate([[0.0], np.cumsum(lengths)])
        return cls(size, found, borders / borders[-1])

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
        for at, number in enumerate(np.minimum(numbers, len(self.stops) - 1).tolist()):
            stop = self.stops[number]
            low, high = self.borders[number : number + 2]
            part = (codes[at] - low) / (high - low)
            sigma = stop.sigma[0] * (stop.sigma[1] / stop.sigma[0]) ** part
            found[at] = member(
                stop.members, self.size, sigma=sigma, sign=stop.sign, **stop.more
            )
        return found

    def spectrum(self, count: int = 256) -> NDArray[np.float32]:
        """Patterns [count, *size] of codes that lie evenly from 0 to 1."""
        return self.decode(np.linspace(0.0, 1.0, count))

    @cached_property
    def table(self) -> NDArray[np.float32]:
        """The spectrum at 2 048 codes, as an autoencoder's."""
        return self.spectrum(2048)

    def codes(self, fit: FamilyFit) -> NDArray[np.float32]:
        """Codes [N] of kernels from their nearest members; NaN where no stop has them.

        The stop is that of class and sign; σ beyond its limits counts as the limit.
        """
        which, part = _places(self.stops, fit)
        low, high = self.borders[:-1][which], self.borders[1:][which]
        # a border belongs to the stretch above it: the last of a stop lies below
        codes = low + np.minimum(part, 1 - 1e-4) * (high - low)
        return np.where(which < 0, np.nan, codes).astype(np.float32)


def _places(
    stops: Sequence[Stop], fit: FamilyFit
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Number of each kernel's stop, −1: none, and how far along it σ is, 0 … 1."""
    which = np.full(len(fit), -1, np.int64)
    part = np.zeros(len(fit))
    beyond = np.full(len(fit), np.inf)
    cross = [INDEX[name] for name in ("on-cross", "off-cross")]
    wide = np.log(fit.sigma_x.astype(np.float64))
    log = np.where(
        np.isin(fit.class_index, cross),
        wide,  # along an arm
        (wide + np.log(fit.sigma_y.astype(np.float64))) / 2,
    )
    for number, stop in enumerate(stops):
        low, high = map(math.log, stop.sigma)
        here = (fit.class_index == INDEX[stop.members]) & (fit.sign == stop.sign)
        excess = np.maximum(low - log, 0) + np.maximum(log - high, 0)
        here &= excess < beyond
        which[here], beyond[here] = number, excess[here]
        part[here] = ((log[here] - low) / (high - low)).clip(0, 1)
    return which, part
