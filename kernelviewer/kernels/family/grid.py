"""The bank of family members that fits start from, one for each kernel size."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from typing import TYPE_CHECKING

import numpy as np

from kernelviewer.kernels.family.formulas import planes
from kernelviewer.kernels.family.regions import ORDERS, boxes, kinds

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kernelviewer.device import Array, Device
    from kernelviewer.kernels.family.regions import Box, Interval

LADDER = tuple(math.log(0.4 * 1.5**i) for i in range(12))
"""ln σ of the bank, from 0.4 px: as far as the kernel's size allows."""
SPACING = 1.0
"""Offsets of the bank lie this many σ apart, but no closer than 0.4 px."""
ARM_RATIOS = (2.2, 3.5, 6.0)
GAMMAS = (0.0, 0.6, 1.0)


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
    """The bank for kernels of ``size`` (rows, columns): about 2 000 members at 7×7."""
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
    if kind in ORDERS:
        third = (2 / 3 * box.e[0], 0.0, 2 / 3 * box.e[1]) if box.e[1] else (0.0,)
        starts = (
            (x, y, a, b, e)
            for a in _ladder(box.a)
            for b in _ladder(box.b)
            for x in _offsets(box.offset_x, a)
            for y in _offsets(box.offset_y, b)
            for e in third
        )
    else:
        starts = (
            (x, y, a, b, e)
            for a in _ladder(box.a)
            for x in _offsets(box.offset_x, a)
            for y in _offsets(box.offset_y, a)
            for b, e in product(*_shapes(kind, box))
        )
    for start in starts:
        yield *start, *limits


def _shapes(kind: str, box: Box) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Values of B and E for what is not a derivative."""
    if kind == "cross":
        return tuple(map(math.log, ARM_RATIOS)), (0.0,)
    ovals = (2 / 3 * box.b[0], 0.0, 2 / 3 * box.b[1]) if box.b[1] else (0.0,)
    return ovals, GAMMAS


def _ladder(log_sigma: Interval) -> list[float]:
    low, high = log_sigma
    return [rung for rung in LADDER if low <= rung <= high] or [(low + high) / 2]


def _offsets(interval: Interval, log_sigma: float) -> list[float]:
    """Middles of an odd number of equal cells, so the interval's middle is there."""
    low, high = interval
    cells = math.ceil((high - low) / max(0.4, SPACING * math.exp(log_sigma))) | 1
    return [low + (i + 0.5) * (high - low) / cells for i in range(cells)]
