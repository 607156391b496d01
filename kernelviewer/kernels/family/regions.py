"""What belongs to which class: limits on the parameters that no two classes share.

Each kind is a union of boxes in the parameters of
`kernelviewer.kernels.family.formulas`. A fit stays inside the box that it starts in, so
a member's class and its parameters always agree. In px, on axes of up to seven taps:

=======  ===========================================================================
point    σ at most 0.7, so that its full width at half maximum is at most 1.65; within
         ¼ of a tap (0.4 if σ is at most ½) that is at most one from the middle
centre   at most ½ off the middle on both axes and at most ¼ on one; wider than a
         point (or lighting two taps), narrower than a disc
square   ¼ to ¾ off the middle on both axes, so that an even block of taps lights up
         (with σ below ½, 0.4 to 0.6)
disc     σ from 0.28 of the window's side on: its full width at half maximum is two
         thirds of the window. At most ½ off the middle. Its top may be flat
cross    at most ½ off the middle; arms 2 to 10 times as long as wide
ring     a hole in the middle that falls at least to what is around the ring
edge     at most 1 off the middle, with both lobes inside the window
bar      the same, and long: a ridge with flanks at least as long as wide and of σ at
         least 0.7 along it, one without flanks at least twice as long as wide
saddle   at most ½ off the middle; σ at least ½, and 0.7 where it is turned
checker  any extent
=======  ===========================================================================

Of point, centre, square and disc one σ is at most 1.5 times the other. An edge or a bar
belongs to an axis if it is turned from it by at most 30°, else it is diagonal: so each
of the three directions has a third of all angles.

A kernel of one row or column has points, centres, discs and edges only.

Where an axis has an even number of taps, a centre and a cross are that far off one of
the two middle taps, and a square's place is between them.

Members are sampled at the taps, which sets three more limits. σ is at least 0.35:
below, all of a pattern falls between the taps. A ridge with σ below 0.7 across it lies
on taps: elsewhere it would look like an edge; an edge with σ below ½ and a saddle with
σ below 0.7 lie on taps or half way between them: elsewhere some of their lobes would
vanish. What has a σ below ½ does not turn.

On an axis of more than seven taps, members with σ above 2 may be off the middle in
proportion to the axis; half a pixel changes those by less than 3 % (so there are no
wide squares either).
"""

from __future__ import annotations

import math
from itertools import product
from typing import NamedTuple

from kernelviewer.kernels.family.formulas import KINDS

Interval = tuple[float, float]

SIGMA_MIN = 0.35
SIGMA_POINT, SIGMA_TAP = 0.7, 0.5
ON_TAP, ON_TAP_NARROW = 0.25, 0.4
SIGMA_LOBES = 0.5
SIGMA_LONG = 0.7
SIGMA_WIDE = 2.0
DISC, DISC_LEAST = 0.28, 0.9
OVAL = 1.5
ARMS = (2.0, 10.0)
ARM_LEAST = 0.8
FLAT_TOP, HOLE = 0.45, (0.9, 1.4)
LONG, LONG_BARE = 5.0, 2.0
ANGLE = 30.0
PLAIN_TAPS = 7


class Box(NamedTuple):
    """Limits of the parameters OX, OY, A, B and E."""

    offset_x: Interval
    offset_y: Interval
    a: Interval
    b: Interval
    e: Interval


def kinds(size: tuple[int, int]) -> tuple[str, ...]:
    """Kinds that kernels of this size can show: those with taps for their lobes."""
    rows, columns = size
    needs = dict.fromkeys(KINDS, (3, 3)) | {
        "point": (1, 1),
        "centre": (1, 1),
        "disc": (1, 1),
        "plate": (1, 1),
        "edge-x": (1, 2),
        "edge-y": (2, 1),
        "edge-d": (2, 2),
        "saddle": (2, 2),
    }
    return tuple(
        kind
        for kind in KINDS
        if rows >= needs[kind][0] and columns >= needs[kind][1] and boxes(kind, size)
    )


def boxes(kind: str, size: tuple[int, int]) -> list[Box]:
    """Boxes of the parameters of a kind, for kernels of ``size`` (rows, columns)."""
    base, _, direction = kind.partition("-")
    if direction:
        make = {"edge": _edge, "ridge": _ridge, "line": _line}[base]
        angles = _angles({"v": "x", "h": "y"}.get(direction, direction))
        return make(size, direction in "xv", angles)
    return {
        "point": _point,
        "centre": _centre,
        "square": _square,
        "disc": _disc,
        "plate": _plate,
        "cross": _cross,
        "ring": _ring,
        "saddle": _saddle,
        "checker": _checker,
    }[kind](size)


def disc_sigma(size: tuple[int, int]) -> float:
    """σ from which on a blob is a disc."""
    side = min(size) if min(size) > 1 else max(size)
    return max(DISC * side, DISC_LEAST)


_ANY: Interval = (0.0, 1.0)


def _point(size: tuple[int, int]) -> list[Box]:
    rows, columns = size
    reach = tuple(min(1.0, max(taps // 2 - 1, 0.5)) for taps in size)
    found = []
    for low, high, width in (
        (SIGMA_MIN, SIGMA_TAP, ON_TAP_NARROW),
        (SIGMA_TAP, SIGMA_POINT, ON_TAP),
    ):
        across = _on_taps(columns, width, reach[1])
        places = product(across, _on_taps(rows, width, reach[0]))
        sigma = _logs(low, high)
        found += [Box(x, y, sigma, _oval(size), _ANY) for x, y in places]
    return found


def _centre(size: tuple[int, int]) -> list[Box]:
    rows, columns = size
    oval = _oval(size)
    sigma = _logs(SIGMA_POINT, disc_sigma(size))
    found = [
        Box(x, y, sigma, oval, _ANY)
        for x, y in (
            *product(_on_taps(columns, 0.25), _on_taps(rows, 0.5)),
            *product(_on_taps(columns, 0.5), _on_taps(rows, 0.25)),
        )
    ]
    for low, high, width in (
        (SIGMA_MIN, SIGMA_TAP, ON_TAP_NARROW),
        (SIGMA_TAP, SIGMA_POINT, ON_TAP),
    ):
        sigma = _logs(low, high)
        for x, y in (
            *product(_on_taps(columns, width), _beside(rows, width)),
            *product(_beside(columns, width), _on_taps(rows, width)),
        ):
            found.append(Box(x, y, sigma, oval, _ANY))
    return found


def _square(size: tuple[int, int]) -> list[Box]:
    rows, columns = size
    found = []
    for low, high, width in (
        (SIGMA_MIN, SIGMA_TAP, 0.5 - ON_TAP_NARROW),
        (SIGMA_TAP, min(disc_sigma(size), SIGMA_WIDE), 0.25),
    ):
        places = product(_between_taps(columns, width), _between_taps(rows, width))
        sigma = _logs(low, high)
        found += [Box(x, y, sigma, _oval(size), _ANY) for x, y in places]
    return found


def _disc(size: tuple[int, int]) -> list[Box]:
    rows, columns = size
    if max(size) == 2:
        return []
    low, high = disc_sigma(size), max(max(size) / 2, 1.0)
    far = _far(columns, 0.5), _far(rows, 0.5)
    return [Box(*far, _logs(low, high), _oval(size), _ANY)]


def _plate(size: tuple[int, int]) -> list[Box]:
    return [box._replace(e=(0.0, FLAT_TOP)) for box in _disc(size)]


def _ring(size: tuple[int, int]) -> list[Box]:
    rows, columns = size
    far = _far(columns, 0.5), _far(rows, 0.5)
    return [Box(*far, _logs(0.7, max(min(size) / 3, 0.9)), _oval(size), HOLE)]


def _cross(size: tuple[int, int]) -> list[Box]:
    rows, columns = size
    top = max(min(size) / 2, 1.0)
    arms, none = _logs(*ARMS), (0.0, 0.0)
    places = product(_on_taps(columns, 0.5), _on_taps(rows, 0.5))
    sigma = _logs(ARM_LEAST, min(top, 4.0))
    found = [Box(x, y, sigma, arms, none) for x, y in places]
    if top > 4.0:
        far = _far(columns, 0.5), _far(rows, 0.5)
        found.append(Box(*far, _logs(4.0, top), _logs(ARMS[0], 5.0), none))
    return found


def _checker(size: tuple[int, int]) -> list[Box]:
    here, none = (0.0, 0.0), (0.0, 0.0)
    return [Box(here, here, _logs(0.9, 1.5 * max(size)), none, none)]


def _edge(size: tuple[int, int], along_x: bool, angles: list[Interval]) -> list[Box]:
    half = _half(size, along_x, angles)
    reach = min(1.0, max(half - 0.5, 0.25))
    places = _anywhere(size, reach)
    top, strip = max(half, SIGMA_LOBES), min(size) == 1
    found = []
    if len(angles) == 1:
        narrow = _logs(SIGMA_MIN, SIGMA_LOBES), _logs(1.0, 1.0 if strip else 4.0)
        for on in _balanced(size[1 if along_x else 0], reach):
            here = (on, places[1]) if along_x else (places[0], on)
            found.append(Box(*here, *narrow, _middle(angles)))
    if strip:
        none = (0.0, 0.0)
        return [*found, Box(*places, _logs(SIGMA_LOBES, top), none, _middle(angles))]
    for a, b, turns in (
        (_logs(SIGMA_LOBES, 0.75), _logs(0.6, 1.0), False),
        (_logs(SIGMA_LOBES, top), _logs(1.0, 4.0), True),
        (_logs(0.75, max(top, 0.75)), _logs(2 / 3, 1.0), True),
    ):
        found += _turning(size, places, (a, b, turns), angles)
    return found


def _ridge(size: tuple[int, int], along_x: bool, angles: list[Interval]) -> list[Box]:
    half = _half(size, along_x, angles)
    reach = min(1.0, max(half - 1.0, 0.25))
    places = _anywhere(size, reach)
    top = max(half / math.sqrt(3), SIGMA_LOBES)
    found = []
    for low, high, least in (
        (SIGMA_MIN, SIGMA_LOBES, SIGMA_LONG / 0.425),
        (SIGMA_LOBES, SIGMA_LONG, SIGMA_LONG / 0.6),
    ):
        shape = _logs(low, min(high, top)), _logs(least, LONG), low >= SIGMA_LOBES
        if low < top:
            for here in _on_ridges(size, along_x, len(angles) > 1, reach):
                found += _turning(size, here, shape, angles)
    if top > SIGMA_LONG:
        shape = _logs(SIGMA_LONG, top), _logs(1.0, LONG), True
        found += _turning(size, places, shape, angles)
    return found


def _on_ridges(
    size: tuple[int, int], along_x: bool, both: bool, reach: float
) -> list[tuple[Interval, Interval]]:
    """Where a narrow ridge has flanks on both sides: with its top on taps."""
    rows, columns = size
    x, y = _anywhere(size, reach)
    across, down = (
        [
            (max(low, -most), min(high, most))
            for low, high in _on_taps(taps, 0.125, most)
        ]
        for taps, (_, most) in ((columns, x), (rows, y))
    )
    if both:
        return list(product(across, down))
    return [(on, y) for on in across] if along_x else [(x, on) for on in down]


def _line(size: tuple[int, int], along_x: bool, angles: list[Interval]) -> list[Box]:
    half = _half(size, along_x, angles)
    places = _anywhere(size, min(1.0, max(half - 0.5, 0.25)))
    top = max(min(size) / 5, SIGMA_LOBES)
    shape = _logs(SIGMA_MIN, SIGMA_LOBES), _logs(LONG_BARE, 8.0), False
    found = _turning(size, places, shape, angles)
    if top > SIGMA_LOBES:
        shape = _logs(SIGMA_LOBES, top), _logs(LONG_BARE, 6.0), True
        found += _turning(size, places, shape, angles)
    return found


def _saddle(size: tuple[int, int]) -> list[Box]:
    rows, columns = size
    top, oval, here = max((min(size) - 1) / 2, SIGMA_LOBES), _logs(1 / OVAL, OVAL), 0.5
    narrow, none = _logs(SIGMA_LOBES, min(SIGMA_LONG, top)), (0.0, 0.0)
    places = product(_balanced(columns, here), _balanced(rows, here))
    found = [Box(x, y, narrow, oval, none) for x, y in places]
    if top > SIGMA_LONG:
        turn = math.pi / 4
        wide = _logs(SIGMA_LONG, top)
        found.append(Box(*_anywhere(size, here), wide, oval, (-turn, turn)))
    return found


def _angles(direction: str) -> list[Interval]:
    """Limits of θ in radians: the direction of u, from x towards y."""
    low, high = math.radians(ANGLE), math.radians(90 - ANGLE)
    if direction == "d":
        return [(low, high), (-high, -low)]
    middle = math.pi / 2 if direction == "y" else 0.0
    return [(middle - low, middle + low)]


def _middle(angles: list[Interval]) -> Interval:
    low, high = angles[0]
    return (low + high) / 2, (low + high) / 2


def _turning(
    size: tuple[int, int],
    places: tuple[Interval, Interval],
    shape: tuple[Interval, Interval, bool],
    angles: list[Interval],
) -> list[Box]:
    """Boxes of one shape (A, B, whether it turns) at all angles it may have."""
    a, b, turns = shape
    if not turns:
        return [] if len(angles) > 1 else [Box(*places, a, b, _middle(angles))]
    wide = math.log(SIGMA_WIDE)
    found = []
    for angle in angles:
        if max(size) <= PLAIN_TAPS or a[1] <= wide:
            found.append(Box(*places, a, b, angle))
            continue
        far = _far(size[1], places[0][1]), _far(size[0], places[1][1])
        if a[0] < wide:
            found.append(Box(*places, (a[0], wide), b, angle))
        found.append(Box(*far, (max(a[0], wide), a[1]), b, angle))
    return found


def _half(size: tuple[int, int], along_x: bool, angles: list[Interval]) -> float:
    """Half the window in the direction of u."""
    if len(angles) > 1:
        return (min(size) - 1) / 2
    return (size[1 if along_x else 0] - 1) / 2


def _anywhere(size: tuple[int, int], reach: float) -> tuple[Interval, Interval]:
    rows, columns = size
    x, y = (min(reach, max((taps - 1) / 2 - 0.5, 0.25)) for taps in (columns, rows))
    return ((-x, x) if columns > 1 else (0.0, 0.0), (-y, y) if rows > 1 else (0.0, 0.0))


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


def _between_taps(taps: int, width: float) -> list[Interval]:
    """Intervals of ± ``width`` about the half-pixel offsets nearest to the middle."""
    places = (-0.5, 0.5) if taps % 2 else (0.0,)
    return [(at - width, at + width) for at in places]


def _beside(taps: int, width: float) -> list[Interval]:
    """Where a narrow blob is on none of the middle taps, but lights two."""
    if taps == 1:
        return []
    if taps % 2:
        return [(-0.5, -width), (width, 0.5)]
    return [(width - 0.5, 0.5 - width)]


def _balanced(taps: int, reach: float) -> list[Interval]:
    """Where a narrow edge has two lobes about as strong: on taps and between them."""
    half = (taps - 1) / 2
    found = []
    for i in range(2 * taps - 1):
        at, width = i / 2 - half, 0.125 if i % 2 else 0.0625
        if abs(at) <= reach:
            found.append((max(at - width, -reach), min(at + width, reach)))
    return found


def _far(taps: int, reach: float) -> Interval:
    """Limits of a wide member's offset: in proportion from seven taps on."""
    far = reach * max(taps / PLAIN_TAPS, 1.0) if taps > 1 else 0.0
    return -far, far


def _oval(size: tuple[int, int]) -> Interval:
    oval = math.log(OVAL) if min(size) > 1 else 0.0
    return -oval, oval


def _logs(low: float, high: float) -> Interval:
    return math.log(low), math.log(max(low, high))
