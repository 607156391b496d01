"""Coloured names below a figure, as many lines as they need, and the bar of weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kernelviewer.figures.colours import ink, weight_colours
from kernelviewer.kernels.classes import FLAT, class_shown

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kernelviewer.figures.fonts import Face
    from kernelviewer.figures.options import FigureOptions
    from kernelviewer.figures.page import Page


_PATCH, _GAP, _BETWEEN = 0.9, 0.4, 1.2
_FEW = 3
"""Most lines in which texts stand in full."""
HATCH = "//////"
"""Tells flat kernels from unidentified ones, which have the same grey."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A colour and what it stands for; ``short``: in fewer letters, if there are."""

    colour: str
    text: str
    hatch: str = ""
    short: str = ""


def class_entries(indices: Iterable[int], options: FigureOptions) -> list[Entry]:
    """Entries of classes, by their index; with their letters where these are wanted.

    None where no legend is.
    """
    if not options.legend:
        return []
    ground = ink(options.dark)
    marks = options.class_marks == "letters"
    return [
        Entry(
            ground.of_class(item),
            f"{item.mark} {item.name}" if marks else item.name,
            HATCH if item is FLAT else "",
            f"{item.mark} {item.short}" if marks else item.short,
        )
        for item in map(class_shown, dict.fromkeys(indices))
    ]


def width_of(entries: Iterable[Entry], face: Face) -> float:
    """Width in mm of a legend with one entry a line."""
    widest = max((face.width(entry.text) for entry in entries), default=0.0)
    return widest + (_PATCH + _GAP) * face.em + 0.01


class Legend:
    """Entries laid out in lines of a given width, with short texts if they are many.

    Parameters
    ----------
    entries
        What to explain; with none the legend has no height.
    width
        Room across in mm.
    stacked
        One entry a line.
    """

    def __init__(
        self, entries: list[Entry], face: Face, width: float, *, stacked: bool = False
    ) -> None:
        self._face = face
        texts = [entry.text for entry in entries]
        self._places, lines = self._laid_out(entries, texts, width, stacked)
        if lines > _FEW and not stacked:
            texts = [entry.short or entry.text for entry in entries]
            self._places, lines = self._laid_out(entries, texts, width, stacked)
        self.height = 1.2 * face.line() * lines

    def _laid_out(
        self, entries: list[Entry], texts: list[str], width: float, stacked: bool
    ) -> tuple[list[tuple[Entry, float, int, str]], int]:
        """Entry, place, line and text of each; how many lines there are."""
        places: list[tuple[Entry, float, int, str]] = []
        face = self._face
        x, line = 0.0, 0
        for entry, whole in zip(entries, texts, strict=True):
            text = face.elide(whole, width - (_PATCH + _GAP) * face.em)
            wide = (_PATCH + _GAP) * face.em + face.width(text)
            if x and (stacked or x + wide > width):
                x, line = 0.0, line + 1
            places.append((entry, x, line, text))
            x += wide + _BETWEEN * face.em
        return places, line + 1 if entries else 0

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


_LENGTH, _LEAST = 7.0, 1.5
_HEIGHT = 0.6
_ABOVE = 0.6
_NOTES = {
    "kernel": ("weight, relative to the largest of each kernel", "of each kernel"),
    "layer": ("weight, relative to the largest of each layer", "of each layer"),
    "figure": ("weight, relative to the largest of all", "of all"),
}


def scale_bar_height(options: FigureOptions, face: Face) -> float:
    """Room in mm the bar takes at the bottom."""
    return face.line() + _ABOVE * face.em if options.scale_bar else 0.0


def draw_scale_bar(page: Page, bottom: float, of: str = "") -> None:
    """Draw the bar with its lower edge at ``bottom``, if it is wanted.

    ``of``: whose largest weight the colours are relative to; the option's by default.
    """
    if not page.options.scale_bar:
        return
    face, em = page.face, page.face.em
    centre = bottom - face.line() / 2
    baseline = centre + 0.36 * em
    x, room = page.margin, page.width - 2 * page.margin
    least, most = face.width("−max") + 0.4 * em, face.width("+max") + 0.4 * em
    length = min(_LENGTH * em, room - least - most)
    named = length >= _LEAST * em
    if named:
        page.text(x, baseline, "−max", colour=page.ink.secondary)
        x += least
    else:
        length = min(_LENGTH * em, room)
    colours = weight_colours(page.options.colormap, page.ink)[None]
    page.image(colours, x, centre - _HEIGHT * em / 2, length, _HEIGHT * em)
    page.frame(x, centre - _HEIGHT * em / 2, length, _HEIGHT * em)
    if not named:
        return
    x += length + 0.4 * em
    page.text(x, baseline, "+max", colour=page.ink.secondary)
    x += face.width("+max") + em
    room = page.width - page.margin - x
    notes = _NOTES[page.options.scale]
    if of:
        notes = f"weight, relative to the largest {of}", of
    if page.options.mean == "without":
        notes = (notes[0].replace("weight,", "weight less the mean,"), "less the mean")
    note = next((note for note in notes if face.width(note) <= room), "")
    page.text(x, baseline, note, colour=page.ink.secondary)
