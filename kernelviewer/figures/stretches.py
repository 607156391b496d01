"""Names of stretches in a row: level where all fit, else upright on leading lines.

Where there is no room even for that, the shortest stretches keep only their colour.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kernelviewer.kernels.classes import CLASSES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kernelviewer.figures.fonts import Face
    from kernelviewer.figures.page import Page
    from kernelviewer.latent.segments import Segment

_LEADER = 1.2
_LONGEST = 9.0
"""Length of the leading lines and of the longest name, in units of the font size."""


@dataclass(frozen=True, slots=True)
class NameRow:
    """Names and where they stand.

    Attributes
    ----------
    names
        As they are written.
    anchors, places
        Middle of each stretch and of its name, mm from the left.
    upright
        Whether they are turned by 90°.
    height
        Room they take, mm.
    """

    names: tuple[str, ...]
    anchors: tuple[float, ...]
    places: tuple[float, ...]
    upright: bool
    height: float

    @classmethod
    def of(
        cls, stretches: Sequence[Segment], width: float, face: Face, wanted: bool
    ) -> NameRow:
        """Names of stretches along ``width`` mm; none where none are wanted."""
        if not wanted or not stretches:
            return cls((), (), (), False, 0.4 * face.em)
        anchors = tuple((item.low + item.high) / 2 * width for item in stretches)
        names = tuple(
            item.name or CLASSES[item.class_index].short for item in stretches
        )
        widths = [face.width(name) + 0.6 * face.em for name in names]
        room = [(item.high - item.low) * width for item in stretches]
        if all(wide <= here for wide, here in zip(widths, room, strict=True)):
            return cls(names, anchors, anchors, False, 1.8 * face.em)
        kept = _longest(room, int(width / face.line()))
        names = tuple(face.elide(names[i], _LONGEST * face.em) for i in kept)
        anchors = tuple(anchors[i] for i in kept)
        gap = face.line()
        places = spaced(anchors, gap, gap / 2, width - gap / 2)
        longest = max(map(face.width, names))
        height = (_LEADER + 0.6) * face.em + longest
        return cls(names, anchors, tuple(places), True, height)

    def draw(self, page: Page, x: float, y: float) -> None:
        """Write them below y."""
        em = page.face.em
        for name, anchor, place in zip(
            self.names, self.anchors, self.places, strict=True
        ):
            if not self.upright:
                page.text(x + place, y + 1.2 * em, name, align="center", gid="stretch")
                continue
            bend = y + (_LEADER - 0.2) * em
            page.line([x + anchor, x + place], [y + 0.1 * em, bend])
            page.text(
                x + place + 0.36 * em,
                bend + 0.2 * em,
                name,
                align="right",
                rotation=90,
                gid="stretch",
            )


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


def _longest(room: Sequence[float], most: int) -> list[int]:
    """Indices, in order, of the ``most`` longest stretches."""
    order = sorted(range(len(room)), key=lambda i: -room[i])
    return sorted(order[: max(most, 1)])


def _mean(pool: list[float]) -> float:
    return pool[0] / pool[1]
