"""Where the names of the stretches stand. Needs no Qt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_PADDING = 3
"""Free on both sides of a name within its stretch, logical pixels."""
_SPACE = 8
"""Between two names that are led out."""
_HOLD = 3
"""A leading line ends at least this far inside of its name."""


@dataclass(frozen=True, slots=True)
class Name:
    """A name that found a place.

    Attributes
    ----------
    index
        Of its stretch.
    left, width
        Logical pixels.
    led
        In the second line, with a line leading to it from the stretch.
    """

    index: int
    left: float
    width: float
    led: bool


def place_names(
    spans: Sequence[tuple[float, float]],
    widths: Sequence[float],
    limits: tuple[float, float],
) -> list[Name]:
    """Place names under their stretches, or lead them out; none is cut or overlaps.

    Those that fit neither way are left out, the names of short stretches first.

    Parameters
    ----------
    spans
        Left and right end of each stretch, logical pixels.
    widths
        Of each name.
    limits
        Between which names may stand.
    """
    placed: list[Name] = []
    narrow: list[int] = []
    for index, ((left, right), width) in enumerate(zip(spans, widths, strict=True)):
        if width + 2 * _PADDING <= right - left:
            placed.append(Name(index, (left + right - width) / 2, width, led=False))
        else:
            narrow.append(index)
    narrow.sort(key=lambda index: spans[index][0] - spans[index][1])
    led: list[Name] = []
    for index in narrow:
        width = widths[index]
        lefts = _places(sum(spans[index]) / 2, width, limits)
        free = [left for left in lefts if _is_free(left, width, led)]
        led += [Name(index, left, width, led=True) for left in free[:1]]
    return sorted(placed + led, key=lambda name: name.index)


def _places(middle: float, width: float, limits: tuple[float, float]) -> list[float]:
    """Where a name may stand so that the line from the middle ends at it."""
    first, last = middle - width + _HOLD, middle - _HOLD
    wished = (middle - width / 2, middle - width / 4, middle - width * 3 / 4)
    low, high = limits[0], limits[1] - width
    held = [min(max(left, low), high) for left in (*wished, last, first)]
    return [left for left in held if low <= left and first <= left <= last]


def _is_free(left: float, width: float, others: Sequence[Name]) -> bool:
    return all(
        left + width + _SPACE <= other.left or other.left + other.width + _SPACE <= left
        for other in others
    )
