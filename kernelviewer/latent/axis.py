"""Where kernels and names stand along the spectrum's axis, on screen and on paper.

Both are chosen in an order that depends on the spectrum alone: with more room more of
them stand there, each at its own code, and what stood there before stays.
"""

from __future__ import annotations

from bisect import bisect
from collections.abc import Sequence
from dataclasses import dataclass
from math import log2

Spans = Sequence[tuple[float, float]]

_BITS = 8
"""Besides the middles of stretches kernels stand at this many halvings of the axis."""
_SLACK = 0.35
"""A kernel stands at most this part of its width beside its code."""
_PAD, _HOLD = 0.4, 0.4
"""Free beside a name within its stretch, and from the end of a led name to its line; in
units of the space between names."""
_FAR = 1 / 3
"""A name stands a second time only so far from the first, in units of the axis."""
_TINY = 1e-9


def place_kernels(
    spans: Spans,
    names: Sequence[str],
    length: float,
    pitch: float,
    most: int | None = None,
) -> list[tuple[float, float]]:
    """Code of each kernel that finds room, and where its middle stands, rising.

    The middles of the stretches come first, those of the longest before others; but
    before them all the longest that bears each name.

    Parameters
    ----------
    spans, names
        Lower and upper code of each stretch, and its name; none: nothing is named.
    length, pitch
        Of the axis, and from kernel to kernel, in any unit.
    most
        As many kernels at most.
    """
    wide = pitch / length
    least = (1 - 2 * _SLACK) * wide
    room = max(1, int(1 / wide + 1e-9))
    chosen: list[float] = []
    first: list[float] = []  # where each may stand at least, given those before it
    last: list[float] = []  # and at most, given those after it
    for code in _candidates(spans, names):
        if len(chosen) >= min(room, most or room):
            break
        at = bisect(chosen, code)
        if (at and code - chosen[at - 1] < least) or (
            at < len(chosen) and chosen[at] - code < least
        ):
            continue
        low, high = _reach(code, wide)
        low = max(low, first[at - 1] + wide) if at else low
        high = min(high, last[at] - wide) if at < len(chosen) else high
        if low <= high + 1e-9:
            for values, value in (chosen, code), (first, low), (last, high):
                values.insert(at, value)
            for after in range(at + 1, len(chosen)):
                first[after] = max(first[after], first[after - 1] + wide)
            for before in reversed(range(at)):
                last[before] = min(last[before], last[before + 1] - wide)
    wanted = [code * length for code in chosen]
    places = spaced(wanted, pitch, pitch / 2, max(length - pitch / 2, pitch / 2))
    return list(zip(chosen, places, strict=True))


def largest_that_shows_all(
    spans: Spans, names: Sequence[str], ways: Sequence[tuple[float, float]]
) -> int:
    """Which of some lengths and pitches to place kernels by, large ones first.

    The first by which each name has a kernel in one of its stretches; else that by
    which most names have.
    """
    shown = []
    for length, pitch in ways:
        placed = place_kernels(spans, names, length, pitch)
        codes = [code for code, _ in placed]
        within = (bisect(codes, low) < bisect(codes, high) for low, high in spans)
        shown.append(
            len({name for name, has in zip(names, within, strict=True) if has})
        )
        if shown[-1] == len(set(names)):
            break
    return shown.index(max(shown))


def _turned(number: int) -> int:
    """A number's bits in reverse: consecutive numbers come to lie far apart."""
    return int(f"{number % (1 << _BITS):0{_BITS}b}"[::-1], 2)


_HALVINGS = tuple((_turned(n) + 0.5) / (1 << _BITS) for n in range(1 << _BITS))


def _candidates(spans: Spans, names: Sequence[str]) -> list[float]:
    """Codes in the order in which they get room."""
    # of about one length those come first that are far from each other
    order = sorted(
        range(len(spans)),
        key=lambda i: (-round(2 * log2(spans[i][1] - spans[i][0])), _turned(i)),
    )
    longest = {names[index]: index for index in reversed(order)}
    order.sort(key=lambda i: longest[names[i]] != i)
    middles = dict.fromkeys(sum(spans[index]) / 2 for index in order)
    return [*middles, *(code for code in _HALVINGS if code not in middles)]


def _reach(code: float, wide: float) -> tuple[float, float]:
    """Where a kernel of this width may stand: near its code, whole on the axis."""
    first, last, slack = wide / 2, 1 - wide / 2, _SLACK * wide
    return min(max(code - slack, first), last), max(min(code + slack, last), first)


def spaced(wanted: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Places in the same order, at least ``gap`` apart, as near as can be to wanted.

    Least squares under an order: neighbours that would come too close are pooled and
    move together. All are within ``low … high`` if there is room.
    """
    pools: list[list[float]] = []  # [sum of wanted, number] of pooled neighbours
    for number, value in enumerate(wanted):
        pools.append([value - number * gap, 1.0])
        while len(pools) > 1 and _mean(pools[-2]) > _mean(pools[-1]):
            total, n = pools.pop()
            pools[-1][0] += total
            pools[-1][1] += n
    last = high - (len(wanted) - 1) * gap
    places: list[float] = []
    for pool in pools:
        start = max(min(_mean(pool), last), low)
        for _ in range(int(pool[1])):
            places.append(start + len(places) * gap)
    return places


def _mean(pool: list[float]) -> float:
    return pool[0] / pool[1]


@dataclass(frozen=True, slots=True)
class Name:
    """A name that found a place."""

    index: int
    """Of its stretch."""
    anchor: float
    """Middle of the stretch, in the unit of the axis."""
    left: float
    width: float
    """Of the name, in the same."""
    above: bool = False
    """It stands above the stretches, not below them."""
    led: bool = False
    """It is wider than its stretch: a line leads to it from the stretch's middle."""


def place_names(
    spans: Spans,
    names: Sequence[str],
    widths: Sequence[float],
    limits: tuple[float, float],
    space: float,
) -> list[Name]:
    """Place names at their stretches, below or above; none is cut or overlaps.

    A name stands once, at the longest of the stretches that bear it, and again only
    within a long one far away. Those of the longest stretches come first; what finds
    no room is left out.

    Parameters
    ----------
    spans
        Left and right end of each stretch.
    names, widths
        Of each stretch, and how wide it is written.
    limits
        Between which names may stand.
    space
        Between two names.
    """
    placed: list[Name] = []
    order = sorted(range(len(spans)), key=lambda i: spans[i][0] - spans[i][1])
    longest = {names[index]: index for index in reversed(order)}
    firsts = [index for index in order if longest[names[index]] == index]
    again = [index for index in order if longest[names[index]] != index]

    def has_room(index: int) -> bool:
        left, right = spans[index]
        return widths[index] + 2 * _PAD * space <= right - left

    for index in (*firsts, *again):
        middle = sum(spans[index]) / 2
        near = _FAR * (limits[1] - limits[0])
        if has_room(index) and all(
            abs(name.left + name.width / 2 - middle) >= near
            for name in placed
            if names[name.index] == names[index]
        ):
            left = middle - widths[index] / 2
            placed.append(Name(index, middle, left, widths[index]))
    led = [index for index in firsts if not has_room(index)]
    middles = {index: sum(spans[index]) / 2 for index in led}
    ways: list[list[Name]] = []
    for turn in (led, sorted(led)):  # along the axis more may find room
        found = list(placed)
        for index in turn:
            name = _led(index, middles[index], widths[index], limits, found, space)
            found += [name] if name else []
        ways.append(found)
    best = max(ways, key=lambda found: len(found))
    return sorted(best, key=lambda name: name.index)


def _led(
    index: int,
    middle: float,
    width: float,
    limits: tuple[float, float],
    placed: Sequence[Name],
    space: float,
) -> Name | None:
    """A name beside its stretch, as near to the middle as there is room for it."""
    hold = _HOLD * space
    low = max(limits[0], middle - width + hold)
    high = min(limits[1] - width, middle - hold)
    best: Name | None = None
    for above in (False, True):
        others = [name for name in placed if name.above == above]
        wished = [min(max(middle - width / 2, low), high)]
        wished += [name.left + name.width + space for name in others]
        wished += [name.left - space - width for name in others]
        for left in wished:
            off = abs(left + width / 2 - middle)
            if (
                low <= left <= high
                and (best is None or off < abs(best.left + width / 2 - middle))
                and all(
                    left + width + space <= name.left + _TINY
                    or name.left + name.width + space <= left + _TINY
                    for name in others
                )
            ):
                best = Name(index, middle, left, width, above, led=True)
    return best
