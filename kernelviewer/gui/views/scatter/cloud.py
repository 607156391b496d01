"""The points of the cloud: where they lie, which one is near, and their picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtGui import QColor, QImage

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Box = tuple[float, float, float, float]

DENSITY_FROM = 50_000
"""With more points than this, places show how many lie there, not which was last."""
FAINT = 0.18
"""Opacity of the points that are not selected while others are."""
THUMBNAILS = 24
"""At most so many kernels are drawn over the points."""
COVERED = 0.09
"""Part of the view that they may cover."""
SPREAD = 2.0
"""Distance of their places, in their own size."""
FEW = 4000
"""Up to this many points are drawn larger."""


def disc(diameter: int) -> NDArray[np.int64]:
    """Offsets [P, 2] (row, column) of the pixels of a disc."""
    middle = (diameter - 1) / 2
    rows, columns = np.mgrid[:diameter, :diameter]
    inside = (rows - middle) ** 2 + (columns - middle) ** 2 <= (diameter / 2) ** 2
    return np.argwhere(inside) - int(middle)


def to_pixels(
    points: NDArray[np.float32], box: Box, width: int, height: int
) -> NDArray[np.int32]:
    """Pixel column and row int32 [N, 2] of points [N, 2] in a data box.

    ``box`` is left, right, bottom, top; the top is row 0. Points outside get places
    outside of the picture.
    """
    left, right, bottom, top = box
    scale = np.array([width / (right - left), -height / (top - bottom)], np.float32)
    places = (points - np.array([left, top], np.float32)) * scale
    np.clip(places, -1e6, 1e6, out=places)
    pixels: NDArray[np.int32] = np.floor(places).astype(np.int32)
    return pixels


def draw_points(
    places: NDArray[np.int32],
    classes: NDArray[np.uint8],
    palette: NDArray[np.uint32],
    shape: tuple[int, int],
    diameter: int,
) -> NDArray[np.uint32]:
    """Picture uint32 [H, W]: discs, later points over earlier ones.

    Parameters
    ----------
    places
        int32 [N, 2], column and row.
    classes
        uint8 [N], what is drawn at each place; 0 is the ground.
    palette
        uint32 [K], colour of each class as 0xAARRGGBB.
    shape
        Height and width.
    """
    height, width = shape
    rim = diameter
    canvas = np.zeros((height + 2 * rim, width + 2 * rim), np.uint8)
    column, row = places[:, 0] + rim, places[:, 1] + rim
    near = (column >= rim // 2) & (column < width + rim + rim // 2)
    near &= (row >= rim // 2) & (row < height + rim + rim // 2)
    flat = row[near].astype(np.int64) * canvas.shape[1] + column[near]
    drawn = classes[near]
    pixels = canvas.ravel()
    for line, across in disc(diameter):
        pixels[flat + (line * canvas.shape[1] + across)] = drawn
    picture: NDArray[np.uint32] = palette[canvas[rim : rim + height, rim : rim + width]]
    return picture


def cells_of(
    places: NDArray[np.int32], shape: tuple[int, int], cell: int
) -> NDArray[np.int32]:
    """Number int32 [N] of the square cell of ``cell`` pixels a place lies in, or −1."""
    rows, columns = -(-shape[0] // cell), -(-shape[1] // cell)
    column, row = places[:, 0] // cell, places[:, 1] // cell
    inside = (row >= 0) & (row < rows) & (column >= 0) & (column < columns)
    number: NDArray[np.int32] = np.where(inside, row * columns + column, -1)
    return number


def draw_density(
    cells: NDArray[np.int32],
    classes: NDArray[np.uint8],
    palette: NDArray[np.uint32],
    shape: tuple[int, int],
    cell: int,
) -> NDArray[np.uint32]:
    """Picture uint32 [H, W]: mean colour of a cell, stronger the more lie there.

    Parameters
    ----------
    cells
        `cells_of` the places, [N]; those outside are −1.
    classes, palette
        As in `draw_points`.
    """
    height, width = shape
    rows, columns = -(-height // cell), -(-width // cell)
    kinds = len(palette)
    joint = (cells.astype(np.int64) + 1) * kinds + classes
    table = np.bincount(joint, minlength=(rows * columns + 1) * kinds)
    table = table.reshape(-1, kinds)[1:].astype(np.float32)
    count = table[:, 1:].sum(1)
    rgb = np.stack([palette >> 16 & 255, palette >> 8 & 255, palette & 255], axis=1)
    colours = rgb.astype(np.float32)
    mean = table[:, 1:] @ colours[1:] / np.maximum(count, 1)[:, None]
    top = np.log1p(max(1.0, float(count.max(initial=0))))
    strength = (np.where(count > 0, 0.25, 0) + 0.75 * np.log1p(count) / top)[:, None]
    mixed = (colours[0] + np.minimum(strength, 1) * (mean - colours[0])).astype(
        np.uint32
    )
    packed = 0xFF000000 | mixed[:, 0] << 16 | mixed[:, 1] << 8 | mixed[:, 2]
    blocks = packed.astype(np.uint32).reshape(rows, columns)
    picture: NDArray[np.uint32] = blocks.repeat(cell, axis=0).repeat(cell, axis=1)
    return picture[:height, :width]


def inside_polygon(
    places: NDArray[np.int32], corners: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Bool [N]: places within a closed polygon [C, 2] (even-odd rule)."""
    x, y = places[:, 0].astype(np.float64), places[:, 1].astype(np.float64)
    inside = np.zeros(len(places), bool)
    for (x1, y1), (x2, y2) in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        if y1 == y2:
            continue
        crosses = (y < y1) != (y < y2)
        inside ^= crosses & (x < x1 + (y - y1) * (x2 - x1) / (y2 - y1))
    return inside


def dense_places(
    cells: NDArray[np.int32], places: NDArray[np.int32], cell: int, most: int
) -> NDArray[np.int64]:
    """Indices of points that stand for the densest cells, one a cell.

    Parameters
    ----------
    cells, cell
        `cells_of` the places, [N], and what they were counted with.
    places
        int32 [N, 2]; of each cell the point nearest to its middle is taken.
    most
        How many at the most; cells with a single point are left out.
    """
    count = np.bincount(cells + 1)[1:]
    best = np.argsort(-count, kind="stable")[:most]
    wanted = np.zeros(len(count) + 1, bool)
    wanted[best[count[best] > 1]] = True
    near = np.flatnonzero(wanted[cells])
    away = np.square(places[near] % cell - cell / 2).sum(axis=1)
    order = np.lexsort((away, cells[near]))
    _, first = np.unique(cells[near][order], return_index=True)
    picked: NDArray[np.int64] = near[order[first]]
    return picked


@dataclass(frozen=True, slots=True, eq=False)
class ScatterContent:
    """Points and what they stand for. P points."""

    numbers: NDArray[np.int64]
    """int64 [P], kernel numbers of the pool."""
    points: NDArray[np.float32]
    """float32 [P, 2]."""
    axes: tuple[str, str]
    """Names of the two axes, with the variance they explain."""
    note: str = ""
    """What is missing, such as flat kernels, which have no point."""
    slope: float | None = None
    """Of a line through the origin on which nothing changed; None: there is none."""


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
