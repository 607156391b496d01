"""The colours of the weights, explained below a figure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernelviewer.figures.colours import weight_colours

if TYPE_CHECKING:
    from kernelviewer.figures.fonts import Face
    from kernelviewer.figures.options import FigureOptions
    from kernelviewer.figures.page import Page

_LENGTH, _LEAST = 7.0, 1.5
_HEIGHT = 0.6
_GAP = 0.6
_NOTES = {
    "kernel": ("weight, relative to the largest of each kernel", "of each kernel"),
    "layer": ("weight, relative to the largest of each layer", "of each layer"),
    "figure": ("weight, relative to the largest of all", "of all"),
}


def scale_bar_height(options: FigureOptions, face: Face) -> float:
    """Room in mm the bar takes at the bottom."""
    return face.line() + _GAP * face.em if options.scale_bar else 0.0


def draw_scale_bar(page: Page, bottom: float) -> None:
    """Draw the bar with its lower edge at ``bottom``, if it is wanted."""
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
    note = next((note for note in notes if face.width(note) <= room), "")
    page.text(x, baseline, note, colour=page.ink.secondary)
