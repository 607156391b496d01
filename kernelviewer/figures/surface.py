"""A kernel as a surface seen from above one corner, drawn with plain polygons."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from kernelviewer.figures.colours import LEVELS, mix, weight_colours

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kernelviewer.figures.page import Page

_TILT = 0.34
"""Depth of the ground seen, in units of its width."""
_RISE = 0.42
"""Height of the largest weight in the same units; patterns fade towards the corners."""


def surface_height(width: float) -> float:
    """Height in mm of the drawing of a surface of this width."""
    return width * (2 * _RISE + 0.06)


def draw_surface(
    page: Page, values: NDArray[np.float64], x: float, y: float, width: float
) -> None:
    """Draw heights [n, n] within −1 … 1; the first row is at the back.

    Parameters
    ----------
    x, y
        Upper left corner of the drawing in mm.
    width
        Its width; its height is `surface_height`.
    """
    from matplotlib.collections import PolyCollection

    steps = np.linspace(-0.5, 0.5, values.shape[0])
    down, across = np.meshgrid(steps, steps, indexing="ij")
    middle = y + surface_height(width) / 2
    points = np.stack(
        [
            x + width * (0.5 + (across - down) / 2),
            middle + width * (_TILT * (across + down) / 2 - _RISE * values),
        ],
        axis=-1,
    )
    corners = (points[:-1, :-1], points[:-1, 1:], points[1:, 1:], points[1:, :-1])
    quads = np.stack(corners, axis=2).reshape(-1, 4, 2)
    mean = (values[:-1, :-1] + values[:-1, 1:] + values[1:, 1:] + values[1:, :-1]) / 4
    colours = weight_colours(page.options.colormap, page.ink)
    index = np.rint((np.clip(mean.ravel(), -1, 1) + 1) / 2 * (LEVELS - 1))
    depth = (down + across)[:-1, :-1].ravel()
    order = np.argsort(depth, kind="stable")  # far ones first
    page.ground.add_collection(
        PolyCollection(
            list(quads[order]),
            facecolors=colours[index.astype(int)][order] / 255,
            edgecolors=mix(page.ink.line, page.ink.paper, 0.35),
            linewidths=0.15,
            zorder=2,
        ),
        autolim=False,
    )
