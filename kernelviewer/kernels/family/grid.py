"""The bank of family members that fits start from, one for each kernel size."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from kernelviewer.kernels.family.formulas import OX, OY, TURNED, A, planes
from kernelviewer.kernels.family.regions import boxes, kinds

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from kernelviewer.device import Array, Device
    from kernelviewer.kernels.family.regions import Box, Interval

LADDER = tuple(math.log(0.4 * 1.5**i) for i in range(12))
"""ln σ of the bank, from 0.4 px: as far as the kernel's size allows."""
SPACING = 1.0
"""Offsets of the bank lie this many σ apart, but no closer than 0.4 px."""
RATIO, TURN = math.log(1.8), math.radians(25)
"""Values of B and of θ in the bank are at most that far apart."""
GAMMAS = {"plate": 2, "ring": 2}
"""How many values of γ are in the bank, where these are not three."""

WIDTHS, BESIDE = (0.55, 0.8, 1.2, 1.8), 0.55
"""Where `COMMON` divides σ, and offsets, in px."""
COMMON = {
    "point": ((0.0, 0.0),) * 5,
    "centre": ((0.0, 0.0),) * 5,
    "square": ((0.0, 0.0),) * 5,
    "disc": ((0.0, 0.0),) * 5,
    "plate": ((0.0, 0.0),) * 5,
    "cross": ((0.0, 0.0),) * 5,
    "ring": ((0.0, 0.0),) * 5,
    "edge": ((0.0, 0.0),) * 5,
    "edge-d": ((0.0, 0.0),) * 5,
    "ridge": ((0.0, 0.0),) * 5,
    "ridge-d": ((0.0, 0.0),) * 5,
    "line": ((0.0, 0.0),) * 5,
    "line-d": ((0.0, 0.0),) * 5,
    "saddle": ((0.0, 0.0),) * 5,
    "checker": ((0.0, 0.0),) * 5,
}
"""How common members are, as ln of a weight: of each shape by its σ, each near the
middle and beside it."""


@dataclass(frozen=True, slots=True, eq=False)
class Bank:
    """Members of all kinds, side by side. n members, arrays on one device.

    Attributes
    ----------
    kinds
        Each kind with its first member and the one after its last.
    parameters, low, high
        [5, n]: where a fit starts, and the limits within which it stays.
    patterns
        [taps, n], mean 0, length 1.
    common
        [n], how common each member is: of n of a kind each has 1/n, times what `COMMON`
        says.
    """

    kinds: tuple[tuple[str, int, int], ...]
    parameters: Array
    low: Array
    high: Array
    patterns: Array
    common: Array


@lru_cache(maxsize=8)
def bank(size: tuple[int, int], device: Device) -> Bank:
    """The bank for kernels of ``size`` (rows, columns): about 4 700 members at 7×7."""
    xp = device.xp
    spans, tables, members, common, first = [], [], [], [], 0
    for kind in kinds(size):
        rows = [row for box in boxes(kind, size) for row in _members(kind, box)]
        table = device.put(np.array(rows, np.float32)).T
        found = planes(kind, table[:5], size)
        found = found - xp.mean(found, axis=0)
        members.append(found / xp.sqrt(xp.sum(found * found, axis=0)))
        tables.append(table)
        common.append(_common(kind, np.array(rows, np.float32).T[:5]))
        spans.append((kind, first, first + len(rows)))
        first += len(rows)
    table = xp.concat(tables, axis=1)
    patterns = xp.concat(members, axis=1)
    every = device.put(np.concatenate(common))
    return Bank(tuple(spans), table[:5], table[5:10], table[10:], patterns, every)


def place_in_common(
    kind: str, p: NDArray[np.float32]
) -> tuple[str, NDArray[np.intp], NDArray[np.intp]]:
    """Where members of a kind, with parameters [5, n], stand in `COMMON`.

    Returns
    -------
    shape, width, beside
        The row, and of each member its width's place and whether it is off the middle.
    """
    base, _, way = kind.partition("-")
    beside = np.maximum(np.abs(p[OX]), np.abs(p[OY])) > BESIDE
    width = np.digitize(np.exp(p[A]), WIDTHS)
    return (kind if way == "d" else base), width, beside.astype(np.intp)


def _common(kind: str, p: NDArray[np.float32]) -> NDArray[np.float32]:
    """How common members of a kind are, [n], of their parameters [5, n]."""
    shape, width, beside = place_in_common(kind, p)
    logs = np.array(COMMON[shape])[width, beside]
    return (np.exp(logs) / p.shape[1]).astype(np.float32)


def _members(kind: str, box: Box) -> Iterator[tuple[float, ...]]:
    """Starts within a box, each with the box's low and high limits."""
    limits = (*(low for low, _ in box), *(high for _, high in box))
    if kind in TURNED:
        last = _cells(box.e, math.ceil((box.e[1] - box.e[0]) / TURN))
    else:
        last = _cells(box.e, GAMMAS.get(kind, 3)) if box.e[1] else [0.0]
    ratios = _cells(box.b, math.ceil((box.b[1] - box.b[0]) / RATIO))
    for a in _ladder(box.a):
        for x in _offsets(box.offset_x, a):
            for y in _offsets(box.offset_y, a):
                for b in ratios:
                    for e in last:
                        yield x, y, a, b, e, *limits


def _cells(interval: Interval, cells: int) -> list[float]:
    """Middles of equal cells."""
    low, high = interval
    cells = max(cells, 1)
    return [low + (i + 0.5) * (high - low) / cells for i in range(cells)]


def _ladder(log_sigma: Interval) -> list[float]:
    low, high = log_sigma
    return [rung for rung in LADDER if low <= rung <= high] or [(low + high) / 2]


def _offsets(interval: Interval, log_sigma: float) -> list[float]:
    """Middles of an odd number of equal cells, so the interval's middle is there."""
    low, high = interval
    cells = math.ceil((high - low) / max(0.4, SPACING * math.exp(log_sigma))) | 1
    return _cells(interval, cells)
