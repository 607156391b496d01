"""The colours of the weights, explained below a figure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernelviewer.figures.colours import weight_colours
from kernelviewer.figures.fonts import POINT
from kernelviewer.figures.page import MARGIN

if TYPE_CHECKING:
    from kernelviewer.figures.fonts import Face
    from kernelviewer.figures.options import FigureOptions
    from kernelviewer.figures.page import Page

_LENGTH = 18.0
_HEIGHT = 1.6
_GAP = 1.5


def scale_bar_height(options: FigureOptions, face: Face) -> float:
    """Room in mm the bar takes at the bottom."""
    return max(face.line(), _HEIGHT) + _GAP if options.scale_bar else 0.0


def draw_scale_bar(page: Page, bottom: float, left: float = MARGIN) -> None:
    """Draw the bar with its lower edge at ``bottom``, if it is wanted."""
    if not page.options.scale_bar:
        return
    face = page.face
    gap = 0.8
    centre = bottom - max(face.line(), _HEIGHT) / 2
    baseline = centre + 0.36 * face.size * POINT
    least, most = "−max", "+max"
    x = left + face.width(least) + gap
    length = _LENGTH * face.size / 7
    page.text(left, baseline, least, colour=page.ink.secondary)
    colours = weight_colours(page.options.colormap, page.ink)[None]
    page.image(colours, x, centre - _HEIGHT / 2, length, _HEIGHT)
    page.frame(x, centre - _HEIGHT / 2, length, _HEIGHT)
    x += length + gap
    page.text(x, baseline, most, colour=page.ink.secondary)
    x += face.width(most) + 3 * gap
    of = {"kernel": "of each kernel", "layer": "of each layer", "figure": "of all"}
    note = f"weight, {of[page.options.scale]}; the middle is zero"
    room = page.width - MARGIN - x
    if face.width(note) > room:
        note = of[page.options.scale]
    if face.width(note) <= room:
        page.text(x, baseline, note, colour=page.ink.secondary)
