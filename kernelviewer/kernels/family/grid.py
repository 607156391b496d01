"""The bank of family members that fits start from, one for each kernel size."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from kernelviewer.kernels.family.formulas import TURNED, planes
from kernelviewer.kernels.family.regions import boxes, kinds

if TYPE_CHECKING:
    from collections.abc import Iterator

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
    """

    kinds: tuple[tuple[str, int, int], ...]
    parameters: Array
    low: Array
    high: Array
    patterns: Array


@lru_cache(maxsize=8)
def bank(size: tuple[int, int], device: Device) -> Bank:
    """The bank for kernels of ``size`` (rows, columns): about 4 700 members at 7×7."""
    xp = device.xp
    spans, tables, members, first = [], [], [], 0
    for kind in kinds(size):
        rows = [row for box in boxes(kind, size) for row in _members(kind, box)]
        table = device.put(np.array(rows, np.float32)).T
        found = planes(kind, table[:5], size)
        found = found - xp.mean(found, axis=0)
        members.append(found / xp.sqrt(xp.sum(found * found, axis=0)))
        tables.append(table)
        spans.append((kind, first, first + len(rows)))
        first += len(rows)
    table = xp.concat(tables, axis=1)
    patterns = xp.concat(members, axis=1)
    return Bank(tuple(spans), table[:5], table[5:10], table[10:], patterns)


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
