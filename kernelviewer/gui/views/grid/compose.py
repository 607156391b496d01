"""Paints the visible kernels into one 8-bit indexed picture. Needs no Qt.

Every pixel of the view is computed here, at the screen's own resolution, so that taps
and gaps are whole device pixels at any zoom and the widget only copies the picture.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from kernelviewer.gui.views.grid.mosaic import (
    BLANK,
    FLAT,
    FRAMES,
    HATCH,
    NO_FRAME,
    RING,
    shrink,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kernelviewer.gui.views.grid.geometry import Block, Cell, GridLayout
    from kernelviewer.gui.views.grid.mosaic import GridContent


@dataclass(frozen=True, slots=True, eq=False)
class Marks:
    """What is drawn on top of the weights."""

    selected: NDArray[np.bool_] | None
    """Bool [N] by kernel id; None: nothing is selected."""
    dimmed: bool
    """Draw the selection by dimming the others: every index is halved, and 128 added
    for selected kernels. Else selected kernels get a ring of ``line`` pixels."""
    line: int
    hatch: int
    """Thickness of rings and frames; distance of the hatching's lines."""


def compose(
    content: GridContent,
    layout: GridLayout,
    view: tuple[int, int, int, int],
    marks: Marks,
) -> NDArray[np.uint8]:
    """Picture uint8 [height, width] of a part of the grid.

    Parameters
    ----------
    view
        Content x, y and width, height of the part, device pixels.
    """
    x, y, width, height = view
    canvas = np.full((height, width), _half(BLANK, marks), np.uint8)
    for block in layout.blocks_in(y, y + height):
        band = _band(content, layout, block, marks)
        top, left = block.y - y, layout.left - x
        rows = slice(max(0, top), min(height, top + len(band)))
        columns = slice(max(0, left), min(width, left + band.shape[1]))
        canvas[rows, columns] = band[
            rows.start - top : rows.stop - top,
            columns.start - left : columns.stop - left,
        ]
    return canvas


def _half(index: int, marks: Marks) -> int:
    return index >> 1 if marks.dimmed else index


def _band(
    content: GridContent, layout: GridLayout, block: Block, marks: Marks
) -> NDArray[np.uint8]:
    """Whole rows of kernels, uint8 [rows · pitch_y, columns · pitch_x]."""
    cell, columns = layout.cell, layout.columns
    ids = np.zeros((block.rows, columns), np.int64)
    used = block.stop - block.first
    ids.reshape(-1)[:used] = content.order[block.first : block.stop]
    taps = _taps(content, ids, used)
    flat = taps[:-1].reshape(block.rows, cell.rows, columns, -1)[:, 0, :, 0] == FLAT
    band = _enlarge(taps, cell, block.rows, columns)
    cells = band.reshape(block.rows, cell.pitch_y, columns, cell.pitch_x)
    cells = cells.transpose(0, 2, 1, 3)
    if flat.any():
        lines = np.add.outer(np.arange(cell.height), np.arange(cell.width))
        hatching = np.where(lines % marks.hatch < marks.line, HATCH, FLAT)
        _inside(cells, cell, 0)[flat] = hatching
    _mark(content, cells, cell, ids, used, marks)
    if content.pane is not None:
        _underline(content, cells, cell, ids.size - used, marks)
    if marks.dimmed and marks.selected is not None:
        chosen = marks.selected[ids].astype(np.uint8) << 7
        band >>= 1
        rows = band.reshape(block.rows, cell.pitch_y, -1)
        rows |= chosen.repeat(cell.pitch_x, axis=1)[:, None]
    return band


def _taps(content: GridContent, ids: NDArray[np.int64], used: int) -> NDArray[np.uint8]:
    """Tap rows of the kernels, one pixel a tap, and a last row that is blank."""
    mosaic = content.mosaic
    count, height, across = mosaic.tiles.shape
    panes = (mosaic.tiles, *mosaic.beside)
    width = across * len(panes)
    rows, columns = ids.shape
    picture = np.full((rows * height + 1, columns * width), BLANK, np.uint8)
    lines = ids[:, None] * height + np.arange(height)[:, None]
    body = picture[:-1].reshape(-1, width)
    if len(panes) == 1:
        tiles = mosaic.tiles.reshape(count * height, across)
        # "clip" lets numpy write to the target without a buffer in between
        tiles.take(lines.ravel(), axis=0, out=body, mode="clip")
    else:
        for number, pane in enumerate(panes):
            tiles = pane.reshape(count * height, across)
            left = number * across
            body[:, left : left + across] = tiles[lines.ravel()]
    if content.gain is not None:
        shrink(picture[:-1].reshape(rows, height, -1), content.gain[ids], width)
    last = body.reshape(rows, height, columns, width)[-1]
    last[:, used - (rows - 1) * columns :] = BLANK
    return picture


def _enlarge(
    taps: NDArray[np.uint8], cell: Cell, rows: int, columns: int
) -> NDArray[np.uint8]:
    """From a pixel a tap to whole cells with their gaps."""
    stride = cell.slices * (cell.columns + 1)
    across = np.full(cell.pitch_x, stride - 1)
    step = cell.columns * cell.tap
    for piece in range(cell.slices):
        left = cell.lead + piece * (step + cell.slice_gap)
        index = np.arange(cell.columns).repeat(cell.tap)
        across[left : left + step] = piece * (cell.columns + 1) + index
    if not np.array_equal(across, np.arange(stride)):
        every = np.arange(columns)[:, None] * stride + across
        taps = taps.take(every.ravel(), axis=1, mode="clip")
    down = np.full((rows, cell.pitch_y), rows * cell.rows)
    lines = np.arange(rows * cell.rows).reshape(rows, -1)
    inside = slice(cell.lead, cell.lead + cell.height)
    down[:, inside] = lines.repeat(cell.tap, axis=1)
    return taps.take(down.ravel(), axis=0, mode="clip")


def _inside(cells: NDArray[np.uint8], cell: Cell, grow: int) -> NDArray[np.uint8]:
    """The kernels' pixels in [rows, columns, pitch_y, pitch_x], grown outwards."""
    low, grown = cell.lead - grow, 2 * grow
    inside = cells[..., low : low + cell.height + grown, :]
    return inside[..., low : low + cell.width + grown]


def _mark(
    content: GridContent,
    cells: NDArray[np.uint8],
    cell: Cell,
    ids: NDArray[np.int64],
    used: int,
    marks: Marks,
) -> None:
    """Frames in the kernels' colours, then rings around the selected ones."""
    line = min(marks.line, cell.lead)
    if marks.dimmed or line == 0:
        return
    valid = np.arange(ids.size).reshape(ids.shape) < used
    if content.frames is not None:
        frames = content.frames[ids]
        framed = valid & (frames != NO_FRAME)
        colours = (frames[framed] + np.uint8(FRAMES))[:, None, None]
        thin = max(1, line // 2)
        _outline(_inside(cells, cell, thin), framed, colours, thin)
    if marks.selected is not None:
        chosen = valid & marks.selected[ids]
        ring = np.array(RING, np.uint8)
        _outline(_inside(cells, cell, line), chosen, ring, line)


def _underline(
    content: GridContent, cells: NDArray[np.uint8], cell: Cell, free: int, marks: Marks
) -> None:
    """A line below one pane of each kernel, and above it where there is room."""
    assert content.pane is not None
    line = min(max(1, marks.line // 2), cell.lead)
    slices = cell.slices // (1 + len(content.mosaic.beside))
    wide = cell.columns * cell.tap + cell.slice_gap
    left = cell.lead + content.pane * slices * wide
    across = slice(left, left + slices * wide - cell.slice_gap)
    bottom = cell.lead + cell.height
    used = cells.shape[0] * cells.shape[1] - free
    valid = np.arange(used + free).reshape(cells.shape[:2]) < used
    for rows in (slice(bottom, bottom + line), slice(cell.lead - line, cell.lead)):
        strip = cells[:, :, rows, across]
        strip[valid] = RING


def _outline(
    boxes: NDArray[np.uint8],
    which: NDArray[np.bool_],
    index: NDArray[np.uint8],
    line: int,
) -> None:
    """Give some of the boxes [rows, columns, height, width] an inner border."""
    boxes[which, :line] = index
    boxes[which, -line:] = index
    boxes[which, :, :line] = index
    boxes[which, :, -line:] = index
