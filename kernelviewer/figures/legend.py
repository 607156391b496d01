"""Coloured names below a figure, in as many lines as they need."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kernelviewer.kernels.classes import CLASSES, FLAT

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kernelviewer.figures.colours import Ink
    from kernelviewer.figures.fonts import Face
    from kernelviewer.figures.page import Page

_PATCH, _GAP, _BETWEEN = 0.9, 0.4, 1.2
HATCH = "//////"
"""Tells flat kernels from unidentified ones, which have the same grey."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A colour and what it stands for."""

    colour: str
    text: str
    hatch: str = ""


def class_entries(indices: Iterable[int], ground: Ink) -> list[Entry]:
    """Entries of classes, given by their index, in the order of the classes."""
    return [
        Entry(ground.of_class(item), item.name, HATCH if item is FLAT else "")
        for item in (CLASSES[index] for index in sorted(set(indices)))
    ]


def width_of(entries: Iterable[Entry], face: Face) -> float:
    """Width in mm of a legend with one entry a line."""
    widest = max((face.width(entry.text) for entry in entries), default=0.0)
    return widest + (_PATCH + _GAP) * face.em + 0.01


class Legend:
    """Entries laid out in lines of a given width.

    Parameters
    ----------
    entries
        What to explain; with none the legend has no height.
    face
        Font.
    width
        Room across in mm.
    stacked
        One entry a line.
    """

    def __init__(
        self, entries: list[Entry], face: Face, width: float, *, stacked: bool = False
    ) -> None:
        self._places: list[tuple[Entry, float, int, str]] = []
        self._face = face
        x, line = 0.0, 0
        for entry in entries:
            text = face.elide(entry.text, width - (_PATCH + _GAP) * face.em)
            wide = (_PATCH + _GAP) * face.em + face.width(text)
            if x and (stacked or x + wide > width):
                x, line = 0.0, line + 1
            self._places.append((entry, x, line, text))
            x += wide + _BETWEEN * face.em
        self.height = 1.2 * face.line() * (line + 1) if entries else 0.0

    def draw(self, page: Page, x: float, y: float) -> None:
        """Draw it with its upper left corner there."""
        em = self._face.em
        for entry, right, line, text in self._places:
            baseline = y + 1.2 * self._face.line() * line + em
            left = x + right
            side = 0.8 * em
            page.rectangle(
                left,
                baseline - side + 0.05 * em,
                _PATCH * em,
                side,
                entry.colour,
                hatch=entry.hatch,
            )
            page.text(left + (_PATCH + _GAP) * em, baseline, text, gid="legend")
