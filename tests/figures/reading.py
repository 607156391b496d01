"""What a reader finds in a written figure."""

from __future__ import annotations

import base64
import io
import re
import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING

import numpy as np

from kernelviewer.figures.fonts import figure_style
from kernelviewer.figures.writing import render

if TYPE_CHECKING:
    from collections.abc import Iterator

    from matplotlib.artist import Artist
    from matplotlib.figure import Figure
    from matplotlib.text import Text
    from numpy.typing import NDArray

SVG = "{http://www.w3.org/2000/svg}"
XLINK = "{http://www.w3.org/1999/xlink}"
SLACK = 0.12
"""Millimetres by which boxes of texts may touch: they hold air above and below."""


class Svg:
    """A figure as SVG, parsed."""

    def __init__(self, figure: Figure) -> None:
        self.data = render(figure, ".svg", {})
        self.root = ET.fromstring(self.data)

    @property
    def texts(self) -> list[str]:
        """All texts, as text."""
        return ["".join(node.itertext()) for node in self.root.iter(f"{SVG}text")]

    @property
    def images(self) -> list[NDArray[np.uint8]]:
        """All pictures, RGB or RGBA."""
        from PIL import Image

        found = []
        for node in self.root.iter(f"{SVG}image"):
            data = node.attrib[f"{XLINK}href"].partition(",")[2]
            picture = Image.open(io.BytesIO(base64.b64decode(data)))
            found.append(np.asarray(picture))
        return found

    def colours_of(self, gid: str) -> list[str]:
        """Fill colours of the shapes in the groups of an id, ``#rrggbb``."""
        found = []
        for group in self.root.iter(f"{SVG}g"):
            if group.get("id", "").partition(".")[0] == gid:
                for path in group.iter(f"{SVG}path"):
                    if match := re.search(r"fill: (#\w{6})", path.get("style", "")):
                        found.append(match[1])
        return found


def text_boxes(figure: Figure) -> list[tuple[str, NDArray[np.float64]]]:
    """Each text and its box (left, bottom, right, top) in mm, from the renderer."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    with figure_style():
        renderer = FigureCanvasAgg(figure).get_renderer()
        return [
            (
                text.get_text(),
                text.get_window_extent(renderer).extents / figure.dpi * 25.4,
            )
            for text in texts_in(figure)
            if text.get_text().strip()
        ]


def texts_in(artist: Artist) -> Iterator[Text]:
    """All texts in a drawing; an axis that is off has none, and is given no ticks."""
    from matplotlib.axis import Axis
    from matplotlib.text import Text

    if isinstance(artist, Text):
        yield artist
    if not isinstance(artist, Axis) or artist.axes.axison:
        for child in artist.get_children():
            yield from texts_in(child)


def faults(figure: Figure) -> list[str]:
    """Texts that overlap each other or the border."""
    boxes = text_boxes(figure)
    width, height = figure.get_size_inches() * 25.4
    found = [
        f"{text!r} leaves the page"
        for text, (left, bottom, right, top) in boxes
        if min(left, bottom, width - right, height - top) < -SLACK
    ]
    extents = np.array([box for _, box in boxes]).reshape(-1, 4)
    low, high = extents[:, :2] + SLACK, extents[:, 2:]
    for i, (text, box) in enumerate(boxes):
        over = (low < box[2:]).all(axis=1) & (high > box[:2] + SLACK).all(axis=1)
        found += [
            f"{text!r} over {boxes[k][0]!r}" for k in np.flatnonzero(over) if k > i
        ]
    return found
