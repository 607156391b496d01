"""The cloud of points as a picture, drawn anew only as far as something changed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtGui import QColor, QImage

from kernelviewer.gui.views.scatter.raster import (
    DENSITY_FROM,
    FAINT,
    cells_of,
    dense_places,
    draw_density,
    draw_points,
    to_pixels,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Box = tuple[float, float, float, float]

THUMBNAILS = 24
"""At most so many kernels are drawn over the points."""
COVERED = 0.09
"""Part of the view that they may cover."""
SPREAD = 2.0
"""Distance of their places, in their own size."""
FEW = 4000
"""Up to this many points are drawn larger."""


@dataclass(frozen=True, slots=True, eq=False)
class ScatterContent:
    """Points and what they stand for. P points.

    Attributes
    ----------
    numbers
        int64 [P], kernel numbers of the pool.
    points
        float32 [P, 2].
    axes
        Names of the two axes, with the variance they explain.
    note
        What is missing, such as flat kernels, which have no point.
    """

    numbers: NDArray[np.int64]
    points: NDArray[np.float32]
    axes: tuple[str, str]
    note: str = ""


class Cloud:
    """Pixels of the points, kept per zoom and size, and the picture of them.

    Attributes
    ----------
    shown_small
        int64, rows of the points that thumbnails stand for.
    """

    def __init__(self) -> None:
        self.shown_small: NDArray[np.int64] = np.zeros(0, np.int64)
        self._places: NDArray[np.int32] = np.zeros((0, 2), np.int32)
        self._cells: NDArray[np.int32] = np.zeros(0, np.int32)
        self._shape, self._ratio, self._cell = (1, 1), 1.0, 1
        self._placed_for: object = None

    def place(
        self,
        content: ScatterContent,
        box: Box,
        size: tuple[int, int],
        ratio: float,
        inset: tuple[int, int],
        thumbnail: int,
    ) -> NDArray[np.int32]:
        """Pixels int32 [P, 2] of the points.

        Parameters
        ----------
        box
            Left, right, bottom and top of what is seen.
        size
            Width and height in device pixels.
        ratio
            Device pixels per logical pixel.
        inset
            Rows that stay free above and below.
        thumbnail
            Side of a kernel drawn over the points, device pixels; 0: none is.
        """
        wanted = (content, box, size, ratio, inset, thumbnail)
        if wanted == self._placed_for:
            return self._places
        width, height = max(1, size[0]), max(1, size[1])
        self._shape, self._ratio = (height, width), ratio
        self._cell = max(1, round(2 * ratio))
        above, below = inset
        places = to_pixels(content.points, box, width, max(1, height - above - below))
        places[:, 1] += above
        self._cells = cells_of(places, self._shape, self._cell)
        self.shown_small = self._dense(places, inset, thumbnail)
        self._places, self._placed_for = places, wanted
        return places

    def _dense(
        self, places: NDArray[np.int32], inset: tuple[int, int], side: int
    ) -> NDArray[np.int64]:
        """Rows of the points that thumbnails of this side stand for."""
        height, width = self._shape
        most = min(THUMBNAILS, int(COVERED * height * width / max(1, side) ** 2))
        if not side or not most or not len(places):
            return np.zeros(0, np.int64)
        half, (above, below) = side // 2, inset
        inside = (places[:, 0] >= half) & (places[:, 0] < width - half)
        inside &= places[:, 1] >= above + half
        inside &= places[:, 1] < height - below - half
        cell = round(SPREAD * side)
        cells = np.where(inside, cells_of(places, self._shape, cell), -1)
        return dense_places(cells, places, cell, most)

    def draw(
        self,
        classes: NDArray[np.uint8],
        colours: tuple[str, ...],
        selected: NDArray[np.bool_] | None,
        panel: str,
    ) -> QImage:
        """Picture of the points in their classes' colours; others than selected fade.

        Above `DENSITY_FROM` points it shows how many lie where.
        """
        kinds, palette = _palette(classes, colours, selected, panel)
        height, width = self._shape
        if len(self._places) > DENSITY_FROM:
            picture = draw_density(self._cells, kinds, palette, self._shape, self._cell)
        else:
            diameter = max(2, round((5 if len(kinds) < FEW else 3) * self._ratio))
            order = np.argsort(kinds >= len(palette) // 2, kind="stable")
            picture = draw_points(
                self._places[order], kinds[order], palette, self._shape, diameter
            )
        picture = np.ascontiguousarray(picture)
        form = QImage.Format.Format_RGB32
        image = QImage(picture.data, width, height, 4 * width, form).copy()
        image.setDevicePixelRatio(self._ratio)
        return image


def _palette(
    classes: NDArray[np.uint8],
    colours: tuple[str, ...],
    selected: NDArray[np.bool_] | None,
    panel: str,
) -> tuple[NDArray[np.uint8], NDArray[np.uint32]]:
    """Class of each point as drawn, and colours: ground, each faint, each plain."""
    ground = QColor(panel)
    plain = [QColor(colour) for colour in colours]
    faint = [_mixed(ground, colour, FAINT) for colour in plain]
    palette = np.array([c.rgb() for c in (ground, *faint, *plain)], np.uint32)
    bright = np.uint8(len(plain))
    if selected is None:
        return classes + (bright + np.uint8(1)), palette
    return classes + np.uint8(1) + bright * selected, palette


def _mixed(ground: QColor, colour: QColor, share: float) -> QColor:
    """``ground`` with a share of ``colour`` in it."""
    return QColor(
        *(
            round(a + share * (b - a))
            for a, b in (
                (ground.red(), colour.red()),
                (ground.green(), colour.green()),
                (ground.blue(), colour.blue()),
            )
        )
    )
