"""Where the columns of the class histogram stand. Needs no Qt."""

from __future__ import annotations

from dataclasses import dataclass

NARROWEST = 72
"""A column with bars and numbers is at least this wide, pixels."""
_SPACE = 10


@dataclass(frozen=True, slots=True)
class Columns:
    """Equal columns between two edges; those without room are scrolled to.

    Attributes
    ----------
    left, right
        Edges of all of them.
    count, first
        How many there are, and the first one in view.
    numbers
        What stays free for numbers after the longest bar of each.
    """

    left: float
    right: float
    count: int
    first: int
    numbers: float

    def shown(self) -> range:
        """The columns in view."""
        room = max(1, int((self.right - self.left + _SPACE) // NARROWEST))
        many = min(self.count, room)
        first = min(self.first, self.count - many)
        return range(first, first + many)

    def whole(self, column: int) -> tuple[float, float]:
        """Left and right edge of a column; beyond the view for others."""
        shown = self.shown()
        pitch = (self.right - self.left + _SPACE) / len(shown)
        left = self.left + (column - shown.start) * pitch
        return left, left + pitch - _SPACE

    def bar(self, column: int) -> tuple[float, float]:
        """Foot and end of the longest bar of a column."""
        left, right = self.whole(column)
        return left, max(left + 8, right - self.numbers)

    def at(self, x: float) -> int:
        """The column in view at a place, or the nearest one."""
        shown = self.shown()
        pitch = (self.right - self.left + _SPACE) / len(shown)
        number = int((x - self.left) // pitch)
        return shown.start + min(max(number, 0), len(shown) - 1)
