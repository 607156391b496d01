"""Members of the pattern family: as people name them, at random, and all in a grid."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from kernelviewer.kernels.bank import size_label
from kernelviewer.kernels.classes import FINE, INDEX
from kernelviewer.kernels.family.formulas import KINDS, OX, OY, TURNED, A, B, E, planes
from kernelviewer.kernels.family.regions import boxes, kinds

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from kernelviewer.device import Array, Device
    from kernelviewer.kernels.bank import Size
    from kernelviewer.kernels.family.regions import Box, Interval


def _kinds_of(class_id: str) -> tuple[tuple[str, ...], int]:
    """Kinds of a class, and its sign: 0 where it has both."""
    for prefix, sign in (("on-", 1), ("off-", -1)):
        if class_id.startswith(prefix):
            kind = class_id.removeprefix(prefix)
            if kind.startswith("bar-"):
                way = kind[-1]
                return (f"ridge-{way}", f"line-{way}"), sign
            return ((kind, "plate") if kind == "disc" else (kind,)), sign
    return (class_id,), 0


CLASS_KINDS = tuple(_kinds_of(item.id) for item in FINE.patterns)
"""For each fine class its kinds, and its sign: 0 where it has both."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Members:
    """Members of the pattern family. N members; arrays of length N."""

    class_index: NDArray[np.int8]
    """int8, index into `kernelviewer.kernels.classes.FINE.patterns`, and with them
    `CLASSES`."""
    kind: NDArray[np.int8]
    """int8, index into `kernelviewer.kernels.family.formulas.KINDS`: a bar is a ridge,
    with flanks, or a line; a disc's top may be flat, a plate."""
    sign: NDArray[np.int8]
    """int8, +1 or −1: the on- classes have +1, the off- classes −1, edge, saddle and
    checker either. A positive edge falls in the direction of ``angle``, a positive
    checker has a positive tap in the middle."""
    sigma_x: NDArray[np.float32]
    sigma_y: NDArray[np.float32]
    """float32, px. Of edge, bar and saddle: in the direction of ``angle``, and across
    it (a bar's length). Of a cross: along and across its arms."""
    offset_x: NDArray[np.float32]
    offset_y: NDArray[np.float32]
    """float32, px: the centre, from the middle of the kernel to the right and down."""
    angle: NDArray[np.float32]
    """float32, degrees from x (right) towards y (down), in [−60, 120]: of an edge the
    direction in which it falls or rises, of a bar that across it, of a saddle that
    between its lobes. 0 for other classes."""
    gamma: NDArray[np.float32]
    """float32, weight of the surround of point, centre, square and disc, or of the
    hollow in the middle of a plate and a ring; 0 for other kinds."""

    def __len__(self) -> int:
        return len(self.class_index)


MOST_TAPS = 51 * 51


def supported(size: Size) -> bool:
    """True if the family has members of this kernel size.

    It has for (k,), k ≥ 3, and for (rows, columns) with three taps along one axis or
    two along both; not for 3-D kernels, nor for more than 51 × 51 taps, whose bank
    would take minutes and gigabytes.
    """
    if math.prod(size) > MOST_TAPS:
        return False
    if len(size) not in (1, 2) or min(size) < 1:
        return False
    return max(size) > 2 or size == (2, 2)


def as_plane(size: Size) -> tuple[int, int]:
    """(rows, columns) of a kernel size; a 1-D kernel is one row.

    Raises
    ------
    ValueError
        The family has no members of this size.
    """
    if not size:
        msg = "kernels have to come as [N, rows, columns] or, 1-D ones, as [N, taps]"
        raise ValueError(msg)
    if len(size) > 2:
        msg = f"the pattern family is flat: it has no {size_label(size)} kernels"
        raise ValueError(msg)
    if not supported(size):
        msg = f"{size_label(size)} kernels have too few taps for the pattern family"
        raise ValueError(msg)
    return (1, size[0]) if len(size) == 1 else (size[0], size[1])


def member(
    class_id: str, size: Size, *, sigma: float = 1.0, **given: Any
) -> NDArray[np.float32]:
    """One member of the family, float32 of shape ``size``, mean 0 and length 1.

    Parameters and errors are those of `members`.
    """
    found: NDArray[np.float32] = render(
        members(class_id, size, np.array([sigma]), **given), size
    )[0]
    return found


def members(
    class_id: str,
    size: Size,
    sigma: NDArray[np.floating],
    *,
    sigma_x: float | NDArray[np.floating] | None = None,
    sigma_y: float | NDArray[np.floating] | None = None,
    offset_x: float | None = None,
    offset_y: float | None = None,
    angle: float | None = None,
    gamma: float | None = None,
    sign: int = 1,
    kind: str | None = None,
) -> Members:
    """Members of one class, alike but for their σ, for any parameters.

    Parameters
    ----------
    class_id
        A fine class such as ``on-centre`` or ``edge-x``.
    sigma, sigma_x, sigma_y
        px, [N]; ``sigma`` stands for what is not given. A cross's arms and a bar are by
        default three times as long as wide; for these ``sigma`` is the length of an
        arm, or the width of the bar.
    offset_x, offset_y
        px, right and down. By default 0, and for a square half a pixel where that
        lies between taps.
    angle
        Degrees, as in `Members`; by default that of the class, 45° for a diagonal.
    gamma, sign
        As in `Members`; by default 0.6, and for a ring 1.2. ``sign`` is for edge,
        saddle and checker.
    kind
        Of the class's kinds; by default the first.

    Raises
    ------
    ValueError
        No such class, or the family has no members of this size.
    """
    place = INDEX.get(class_id, len(FINE.patterns))
    if place >= len(FINE.patterns):
        names = ", ".join(item.id for item in FINE.patterns)
        raise ValueError(f"no pattern class is called {class_id!r}; there are {names}")
    rows, columns = as_plane(size)
    kinds, only_sign = CLASS_KINDS[place]
    kind = kind or kinds[0]
    base, _, way = kind.partition("-")
    across = {"cross": sigma / 3, "ridge": 3 * sigma, "line": 3 * sigma}
    between = 0.5 if kind == "square" else 0.0
    usual = {"y": 90.0, "h": 90.0, "d": 45.0}.get(way, 0.0)

    def each(value: float | NDArray[np.floating]) -> NDArray[np.float32]:
        return np.full(len(sigma), value, np.float32)

    return Members(
        class_index=np.full(len(sigma), place, np.int8),
        kind=np.full(len(sigma), KINDS.index(kind), np.int8),
        sign=np.full(len(sigma), only_sign or sign, np.int8),
        sigma_x=each(sigma if sigma_x is None else sigma_x),
        sigma_y=each(across.get(base, sigma) if sigma_y is None else sigma_y),
        offset_x=each(between * (columns % 2) if offset_x is None else offset_x),
        offset_y=each(between * (rows % 2) if offset_y is None else offset_y),
        angle=each(usual if angle is None else angle),
        gamma=each((1.2 if kind == "ring" else 0.6) if gamma is None else gamma),
    )


def render(members: Members, size: Size) -> NDArray[np.float32]:
    """Patterns of family members.

    Parameters
    ----------
    members
        N members, such as a `FamilyFit`.
    size
        Kernel size; ``members`` may have been fitted to another one.

    Returns
    -------
    float32 [N, *size], each with mean 0 and length 1.

    Raises
    ------
    ValueError
        The family has no members of this size.
    """
    plane = as_plane(size)
    found = np.empty((len(members), plane[0] * plane[1]), np.float32)
    for number, kind in enumerate(KINDS):
        rows = np.flatnonzero(members.kind == number)
        if len(rows):
            patterns = planes(kind, _parameters(kind, members, rows), plane).T
            found[rows] = patterns * members.sign[rows, None]
    found -= found.mean(axis=1, keepdims=True)
    found /= np.linalg.norm(found, axis=1, keepdims=True)
    return found.reshape(len(members), *size)


_IS_TURNED = [kind in TURNED for kind in KINDS]
_HAS_GAMMA = [kind not in (*TURNED, "cross", "checker") for kind in KINDS]


def named(
    kind: NDArray[np.int8], p: NDArray[np.float32], plane: tuple[int, int]
) -> dict[str, NDArray[np.float32]]:
    """The arrays of `Members` from the parameters [5, N] of the formulas.

    Along an axis of one tap σ has no meaning; it gets the other axis's.
    """
    turned, cross = np.array(_IS_TURNED)[kind], kind == KINDS.index("cross")
    log_x = np.where(turned | cross, p[A], p[A] - p[B] / 2)
    log_y = np.where(turned, p[A] + p[B], np.where(cross, p[A] - p[B], p[A] + p[B] / 2))
    angle = np.degrees(np.where(turned, p[E], 0))
    return {
        "sigma_x": np.exp(log_x, dtype=np.float32),
        "sigma_y": np.exp(log_x if min(plane) == 1 else log_y, dtype=np.float32),
        "offset_x": p[OX],
        "offset_y": p[OY],
        "angle": angle.astype(np.float32),
        "gamma": np.where(np.array(_HAS_GAMMA)[kind], p[E], 0).astype(np.float32),
    }


def _parameters(
    kind: str, members: Members, rows: NDArray[np.intp]
) -> NDArray[np.float32]:
    """The parameters that the formulas call OX, OY, A, B and E, [5, n]."""
    p = np.zeros((5, len(rows)), dtype=np.float32)
    p[OX], p[OY] = members.offset_x[rows], members.offset_y[rows]
    x, y = np.log(members.sigma_x[rows]), np.log(members.sigma_y[rows])
    if kind in TURNED:
        p[A], p[B], p[E] = x, y - x, np.radians(members.angle[rows])
    elif kind == "cross":
        p[A], p[B] = x, x - y
    else:
        p[A], p[B], p[E] = (x + y) / 2, y - x, members.gamma[rows]
    return p


_THINNEST = 0.05
"""What a limit counts at least, so that boxes without extent are drawn from as well."""


_SHARES = {"disc": 1 / 2, "plate": 1 / 2, "edge": 2 / 3, "ridge": 1 / 3, "line": 1 / 3}
"""How many members a kind has of its base's: there are three directions."""


def random_members(size: Size, count: int, seed: int = 0) -> NDArray[np.float32]:
    """Patterns of random members: as many of each base, twice as many edges and bars.

    Parameters are drawn evenly between the limits
    of `kernelviewer.kernels.family.regions`, σ on a logarithmic scale; either sign is
    as likely.

    Parameters
    ----------
    count
        Members of each base, such as a cross or a saddle.
    seed
        The same seed gives the same members.

    Returns
    -------
    float32 [n, *size], mean 0 and length 1.

    Raises
    ------
    ValueError
        The family has no members of this size.
    """
    plane = as_plane(size)
    random = np.random.default_rng(seed)
    found = []
    for kind in kinds(plane):
        some = math.ceil(count * _SHARES.get(kind.split("-")[0], 1.0))
        p = _drawn(kind, plane, some, random)
        rows = planes(kind, p, plane).T
        rows = rows - rows.mean(axis=1, keepdims=True)
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
        found.append(rows * random.choice([-1.0, 1.0], (some, 1)))
    return np.concatenate(found).astype(np.float32).reshape(-1, *size)


def _drawn(
    kind: str, plane: tuple[int, int], count: int, random: np.random.Generator
) -> NDArray[np.float32]:
    """Parameters [5, count] within the boxes of a kind, the larger ones more often."""
    limits = np.array(boxes(kind, plane))
    low, extent = limits[..., 0], limits[..., 1] - limits[..., 0]
    # turning is no extent of a pattern's shape: a box that turns counts no more
    volume = np.prod(np.maximum(extent[:, :4], _THINNEST), axis=1)
    box = random.choice(len(limits), count, p=volume / math.fsum(volume))
    drawn = low[box] + extent[box] * random.random((count, 5))
    return np.ascontiguousarray(drawn.T, np.float32)


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
DIAGONAL = -0.5
"""What a diagonal has less: where two directions fit alike, eyes take the axis."""
COMMON = {
    "point": ((0.0, -3.9), (-2.1, -2.6), (-2.7, -2.9), (-3.0, -3.1), (-3.1, -3.1)),
    "centre": ((-7.1, -6.6), (-6.9, -6.6), (-7.7, -6.6), (-6.1, -6.3), (-5.9, -6.2)),
    "square": ((-6.0, -6.0), (-5.9, -6.0), (-5.7, -6.0), (-6.6, -6.1), (-6.4, -6.2)),
    "disc": ((-7.5, -7.4), (-7.7, -7.4), (-8.0, -7.5), (-7.7, -7.4), (-7.2, -7.3)),
    "plate": ((-8.1, -8.0), (-8.3, -8.1), (-8.9, -8.2), (-9.2, -8.3), (-9.5, -8.4)),
    "cross": ((-8.5, -8.4), (-8.5, -8.4), (-8.6, -8.2), (-6.6, -7.8), (-6.3, -7.7)),
    "ring": ((-8.5, -8.6), (-8.3, -8.6), (-7.9, -8.5), (-8.6, -8.7), (-9.1, -8.8)),
    "edge": ((-1.7, -3.5), (-0.9, -3.7), (-1.3, -2.8), (-1.5, -2.1), (-1.3, -2.0)),
    "ridge": ((-2.4, -4.8), (-4.5, -5.1), (-4.3, -5.4), (-4.5, -4.9), (-4.8, -5.0)),
    "line": ((-5.7, -6.1), (-6.1, -7.0), (-6.7, -7.6), (-7.0, -8.3), (-7.0, -7.6)),
    "saddle": ((-7.3, -7.0), (-7.7, -7.0), (-7.9, -7.0), (-7.4, -7.0), (-7.1, -6.9)),
    "checker": ((-9.1, -9.0), (-9.2, -9.0), (-9.5, -9.0), (-8.8, -8.9), (-7.9, -8.7)),
}
"""How common members are, as ln of a weight: of each shape by its σ, each near the
middle and beside it."""


@dataclass(frozen=True, slots=True, eq=False)
class Bank:
    """Members of all kinds, side by side. n members, arrays on one device."""

    kinds: tuple[tuple[str, int, int], ...]
    """Each kind with its first member and the one after its last."""
    parameters: Array
    low: Array
    high: Array
    """[5, n]: where a fit starts, and the limits within which it stays."""
    patterns: Array
    """[taps, n], mean 0, length 1."""
    common: Array
    """[n], how common each member is: of n of a kind each has 1/n, times what `COMMON`
    says."""


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
    beside = np.maximum(np.abs(p[OX]), np.abs(p[OY])) > BESIDE
    width = np.digitize(np.exp(p[A]), WIDTHS)
    return kind.partition("-")[0], width, beside.astype(np.intp)


def _common(kind: str, p: NDArray[np.float32]) -> NDArray[np.float32]:
    """How common members of a kind are, [n], of their parameters [5, n]."""
    shape, width, beside = place_in_common(kind, p)
    logs = np.array(COMMON[shape])[width, beside] + DIAGONAL * kind.endswith("-d")
    found: NDArray[np.float32] = (np.exp(logs) / p.shape[1]).astype(np.float32)
    return found


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
