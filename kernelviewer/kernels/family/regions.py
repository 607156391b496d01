"""What belongs to which class: limits on the parameters that no two classes share.

Each class is a union of boxes in the parameters of
`kernelviewer.kernels.family.formulas`. A fit stays inside the box that it starts in, so
a member's class and its parameters always agree. In px, on axes of up to seven taps:

==========  ==========================================================================
centre      at most ½ off the middle on both axes and at most ¼ on one; the two σ within
            a factor 1.5 of each other
square      ¼ to ¾ off the middle on both axes, so that an even block of taps lights up;
            σ as for the centre, and the full width at half maximum above 1.2
cross       at most ½ off the middle; arms 2 to 10 times as long as wide
d1-x, d1-y  at most 1 off the middle, with both lobes inside the window; turned by at
            most 45°
d2-x, d2-y  the same, with both flanks inside the window
d2-xy       at most ½ off the middle; σ at least ½; turned by at most 22.5°
==========  ==========================================================================

Where an axis has an even number of taps, a centre and a cross are that far off one of
the two middle taps, and a square's place is between them.

Members are sampled at the taps, which sets three more limits. σ is at least 0.35:
below, all of a pattern falls between the taps. A second derivative with σ below ½ along
the derivative has its ridge on a tap: elsewhere it would look like a first derivative.
And patterns turn only where both σ are wide enough for lobes that lie across the axes:
½ for first derivatives, 0.7 for second ones (there the lobes of ∂²xy keep 0.7 of the
length of those of ½(∂²y − ∂²x), at σ = ½ only 0.3).

A derivative turned further than its limit belongs to the other axis. ∂²xy turned by 45°
is ½(∂²y − ∂²x), which has no class: beyond 22.5° a saddle gets the class that comes
nearest among the rest. On an axis of more than seven taps, members with σ above 2 may
be off the middle in proportion to the axis; half a pixel changes those by less than 3 %
(so there are no wide squares either).
"""

from __future__ import annotations

import math
from itertools import pairwise, product
from typing import NamedTuple

from kernelviewer.kernels.family.formulas import KINDS

Interval = tuple[float, float]

SIGMA_MIN = 0.35
SIGMA_LOBES = 0.5
SIGMA_TURNED = {1: 0.5, 2: 0.7}
"""By the order of the derivative."""
SIGMA_SQUARE = 1.2 / math.sqrt(8 * math.log(2))
SIGMA_WIDE = 2.0
OVAL = 1.5
ARMS = (2.0, 10.0)
ANGLE, ANGLE_SADDLE = 45.0, 22.5
PLAIN_TAPS = 7
ORDERS = {
    "d1-x": (1, 0),
    "d1-y": (0, 1),
    "d2-x": (2, 0),
    "d2-y": (0, 2),
    "d2-xy": (1, 1),
}
"""Order of the derivative along x and along y."""


class Box(NamedTuple):
    """Limits of the parameters OX, OY, A, B and E."""

    offset_x: Interval
    offset_y: Interval
    a: Interval
    b: Interval
    e: Interval


class Axis(NamedTuple):
    """Limits of a derivative along one axis."""

    offset: Interval
    log_sigma: Interval


def kinds(size: tuple[int, int]) -> tuple[str, ...]:
    """Kinds that kernels of this size can show: those with taps for their lobes."""
    rows, columns = size
    needs = {kind: (y + 1, x + 1) for kind, (x, y) in ORDERS.items()}
    needs |= {"centre": (1, 1), "square": (3, 3), "cross": (3, 3)}
    return tuple(
        kind for kind in KINDS if rows >= needs[kind][0] and columns >= needs[kind][1]
    )


def boxes(kind: str, size: tuple[int, int]) -> list[Box]:
    """Boxes of the parameters of a class, for kernels of ``size`` (rows, columns)."""
    if kind in ORDERS:
        return _derivative(kind, size)
    return {"centre": _centre, "square": _square, "cross": _cross}[kind](size)


def _centre(size: tuple[int, int]) -> list[Box]:
    rows, columns = size
    top = max(max(size) / 2, 1.0)
    oval, gamma = _oval(size), (0.0, 1.0)
    sigma = _logs(SIGMA_MIN, _narrow(top, max(size)))
    places = [
        *product(_on_taps(columns, 0.25), _on_taps(rows, 0.5)),
        *product(_on_taps(columns, 0.5), _on_taps(rows, 0.25)),
    ]
    found = [Box(x, y, sigma, oval, gamma) for x, y in places]
    if max(size) > PLAIN_TAPS:
        wide = _logs(SIGMA_WIDE, top)
        found.append(Box(_far(columns, 0.5), _far(rows, 0.5), wide, oval, gamma))
    return found


def _square(size: tuple[int, int]) -> list[Box]:
    rows, columns = size
    sigma = _logs(SIGMA_SQUARE, SIGMA_WIDE)
    places = product(_between_taps(columns), _between_taps(rows))
    return [Box(x, y, sigma, _oval(size), (0.0, 1.0)) for x, y in places]


def _cross(size: tuple[int, int]) -> list[Box]:
    rows, columns = size
    top = max(min(size) / 4, 1.0)
    sigma, arms, none = _logs(SIGMA_MIN, min(top, SIGMA_WIDE)), _logs(*ARMS), (0.0, 0.0)
    places = product(_on_taps(columns, 0.5), _on_taps(rows, 0.5))
    found = [Box(x, y, sigma, arms, none) for x, y in places]
    if top > SIGMA_WIDE:
        wide = _logs(SIGMA_WIDE, top)
        found.append(Box(_far(columns, 0.5), _far(rows, 0.5), wide, arms, none))
    return found


def _derivative(kind: str, size: tuple[int, int]) -> list[Box]:
    rows, columns = size
    order_x, order_y = ORDERS[kind]
    order = order_x + order_y
    saddle = kind == "d2-xy"
    lowest, reach = (SIGMA_LOBES, 0.5) if saddle else (SIGMA_MIN, 1.0)
    limit = math.radians(ANGLE_SADDLE if saddle else ANGLE)
    found = []
    for x in _axes(columns, order_x, order, reach):
        for y in _axes(rows, order_y, order, reach):
            narrower = min(x.log_sigma[0], y.log_sigma[0])
            if narrower < math.log(lowest):
                continue
            turns = min(size) > order and narrower >= math.log(SIGMA_TURNED[order])
            angle = (-limit, limit) if turns else (0.0, 0.0)
            found.append(Box(x.offset, y.offset, x.log_sigma, y.log_sigma, angle))
    return found


def _axes(taps: int, order: int, whole: int, reach: float) -> list[Axis]:
    """Limits along an axis of ``taps``, ``order`` of the ``whole`` order falling to it.

    Cut where a pattern may start to leave the taps, to turn, and to be far off.
    """
    if taps == 1:
        return [Axis((0.0, 0.0), (0.0, 0.0))]
    # the lobes have to be in the window: those of p_1 peak at σ, those of p_2 at √3 σ
    half = (taps - 1) / 2
    reach = min(reach, max(half - order / 2, 0.25))
    top = max((taps / 2, half, half / math.sqrt(3))[order], SIGMA_LOBES)
    narrow = _narrow(top, taps)
    cuts = sorted({SIGMA_LOBES, min(SIGMA_TURNED[whole], narrow), narrow})
    places = [(-reach, reach)]
    if order == 2:
        ridges = _on_taps(taps, 0.125, reach)
        places = [(max(low, -reach), min(high, reach)) for low, high in ridges]
    found = [Axis(offset, _logs(SIGMA_MIN, SIGMA_LOBES)) for offset in places]
    for cut in list(pairwise(cuts)) or [(narrow, narrow)]:
        found.append(Axis((-reach, reach), _logs(*cut)))
    if narrow < top:
        found.append(Axis(_far(taps, reach), _logs(SIGMA_WIDE, top)))
    return found


def _on_taps(taps: int, width: float, reach: float = 0.5) -> list[Interval]:
    """Intervals of ± ``width`` about the taps within ``reach`` of the middle."""
    if taps == 1:
        return [(0.0, 0.0)]
    half = (taps - 1) / 2
    return [
        (i - half - width, i - half + width)
        for i in range(taps)
        if abs(i - half) <= reach
    ]


def _between_taps(taps: int) -> list[Interval]:
    """Intervals about the half-pixel offsets nearest to the middle."""
    return [(-0.75, -0.25), (0.25, 0.75)] if taps % 2 else [(-0.25, 0.25)]


def _far(taps: int, reach: float) -> Interval:
    """Limits of a wide member's offset: in proportion from seven taps on."""
    far = reach * max(taps / PLAIN_TAPS, 1.0) if taps > 1 else 0.0
    return -far, far


def _narrow(top: float, taps: int) -> float:
    """Where the σ of members ends that may not be far off."""
    return min(top, SIGMA_WIDE) if taps > PLAIN_TAPS else top


def _oval(size: tuple[int, int]) -> Interval:
    oval = math.log(OVAL) if min(size) > 1 else 0.0
    return -oval, oval


def _logs(low: float, high: float) -> Interval:
    return math.log(low), math.log(max(low, high))
