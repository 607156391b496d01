"""Points to pixels: a picture of class colours for any number of points, without Qt."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Box = tuple[float, float, float, float]

DENSITY_FROM = 50_000
"""With more points than this, places show how many lie there, not which was last."""
FAINT = 0.18
"""Opacity of the points that are not selected while others are."""


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
