"""Exhibit: every kernel that is shown, layer by layer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kernelviewer.figures.errors import FigureError
from kernelviewer.figures.fonts import POINT, Face
from kernelviewer.figures.mosaic import (
    Mosaic,
    as_pictures,
    palette,
    quantise,
    reach_of,
)
from kernelviewer.figures.options import FigureOptions
from kernelviewer.figures.page import MARGIN, Page, never, title_height
from kernelviewer.figures.scale_bar import draw_scale_bar, scale_bar_height
from kernelviewer.figures.scene import make_scene
from kernelviewer.figures.style import figure_style

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from kernelviewer.figures.page import Check
    from kernelviewer.figures.scene import Scene
    from kernelviewer.kernels.bank import KernelBank, Size

_PAGE_HEIGHT = 240.0
_MAX_CELL = 6.0
_MIN_GAP = 0.25
_NUMBER = 0.85
"""Size of channel numbers in units of the labels' size."""


@dataclass(frozen=True, eq=False)
class Block:
    """The kernels of one layer.

    Attributes
    ----------
    network, layer
        Names for people; the network's is empty where there is only one.
    indices
        Colours [n, rows, columns] as indices of `kernelviewer.figures.mosaic`.
    channel
        int [n]
    flat
        How many of them are flat.
    """

    network: str
    layer: str
    indices: NDArray[np.uint16]
    channel: NDArray[np.int32]
    flat: int


@dataclass(frozen=True, slots=True)
class _Plan:
    """Where things go; the unit is a tap."""

    tap_pixels: int
    tap: float
    gap: int
    per_row: int
    gutter: int
    heading: int
    starts: tuple[int, ...]
    rows: int


def sheet(
    bank: KernelBank,
    size: Size | None = None,
    *,
    options: FigureOptions | None = None,
    check: Check = never,
) -> Figure:
    """All kernels of a size, with a heading for each layer.

    Parameters
    ----------
    bank
        The network.
    size
        Kernel size; default: the one with most kernels.
    options
        How the figure looks.
    check
        Called between pieces of work; what it raises cancels the drawing.

    Raises
    ------
    FigureError
        There are no such kernels, or they do not fit the size asked for.
    """
    options = options or FigureOptions()
    scene = make_scene([bank], size)
    return draw_sheet(sheet_blocks(scene, options, check), options, check).figure


def sheet_blocks(
    scene: Scene, options: FigureOptions, check: Check = never
) -> list[Block]:
    """The kernels of a scene in colour, layer by layer."""
    blocks = []
    many = len(scene.subjects) > 1
    for subject in scene.subjects:
        check()
        kernels = subject.kernels
        pictures = as_pictures(kernels.weights)
        group = {"kernel": None, "layer": kernels.layer, "figure": None}[options.scale]
        reach = None if options.scale == "kernel" else reach_of(pictures, group)
        for name, index in subject.layers():
            flat = kernels.flat[index]
            colours = quantise(
                pictures[index], flat, None if reach is None else reach[index]
            )
            network = subject.bank.name if many else ""
            count = int(flat.sum())
            blocks.append(Block(network, name, colours, kernels.channel[index], count))
    return blocks


def draw_sheet(
    blocks: list[Block], options: FigureOptions, check: Check = never
) -> Page:
    """Lay the kernels out, as large as the page allows."""
    if not blocks:
        raise FigureError("no kernels are shown", "Show a layer or another size.")
    with figure_style():
        face = Face(options.font_family, options.font_size)
        plan = _fit(blocks, options, face)
        top = title_height(options, face)
        foot = scale_bar_height(options, face)
        height = top + plan.rows * plan.tap + foot + MARGIN
        page = Page(options, max(height, options.height_mm or 0.0), face)
        page.title()
        _draw_kernels(page, blocks, plan, top, check)
        if options.labels:
            _draw_labels(page, blocks, plan, top)
        draw_scale_bar(page, page.height - MARGIN)
        return page


def _fit(blocks: list[Block], options: FigureOptions, face: Face) -> _Plan:
    """The largest whole number of pixels per tap with which all of it fits."""
    room = (options.height_mm or _PAGE_HEIGHT) - MARGIN
    room -= title_height(options, face) + scale_bar_height(options, face)
    pixel = 25.4 / options.dpi
    side = max(blocks[0].indices.shape[1:])
    largest = max(1, int(_MAX_CELL / side / pixel))
    plan = _plan(blocks, options, face, 1)
    for tap_pixels in range(largest, 0, -1):
        plan = _plan(blocks, options, face, tap_pixels)
        if plan.rows * plan.tap <= room:
            return plan
    if options.height_mm is not None:
        needed = plan.rows * plan.tap + options.height_mm - room
        raise FigureError(
            f"{len(blocks)} layers do not fit into {options.height_mm:g} mm",
            f"Make the figure at least {needed:.0f} mm high, or show fewer layers.",
        )
    comfortable = max(1, round(0.12 / pixel))
    return _plan(blocks, options, face, min(comfortable, largest))


def _plan(
    blocks: list[Block], options: FigureOptions, face: Face, tap_pixels: int
) -> _Plan:
    """Rows and columns of the sheet for one size of taps."""
    height, width = blocks[0].indices.shape[1:]
    tap = tap_pixels * 25.4 / options.dpi
    gap = max(1, round(_MIN_GAP / tap))
    gutter = 0
    heading = gap
    if options.labels:
        last = max(int(block.channel.max()) for block in blocks)
        widest = face.width("0" * len(str(last)), face.size * _NUMBER)
        gutter = -int(-(widest + 0.8) // tap)
        heading = -int(-(face.line() * 1.15) // tap)
    columns = int((options.width_mm - 2 * MARGIN) / tap) - gutter
    per_row = max(1, (columns + gap) // (width + gap))
    starts, row = [], 0
    for block in blocks:
        starts.append(row + heading)
        lines = -(-len(block.indices) // per_row)
        row += heading + lines * (height + gap)
        row += heading // 4
    return _Plan(tap_pixels, tap, gap, per_row, gutter, heading, tuple(starts), row)


def _draw_kernels(
    page: Page, blocks: list[Block], plan: _Plan, top: float, check: Check
) -> None:
    """All kernels as one picture."""
    height, width = blocks[0].indices.shape[1:]
    mosaic = Mosaic(plan.rows, plan.per_row * (width + plan.gap) - plan.gap)
    for block, start in zip(blocks, plan.starts, strict=True):
        check()
        pitch = (height + plan.gap, width + plan.gap)
        mosaic.place(block.indices, start, plan.per_row, pitch)
    rows, columns = mosaic.indices.shape
    picture = mosaic.picture(palette(page.options, page.ink), plan.tap_pixels)
    left = page.snap(MARGIN) + plan.gutter * plan.tap
    page.image(picture, left, page.snap(top), columns * plan.tap, rows * plan.tap)


def _draw_labels(page: Page, blocks: list[Block], plan: _Plan, top: float) -> None:
    """A heading for each layer and the first channel of each row."""
    height = blocks[0].indices.shape[1]
    top = page.snap(top)
    pitch = (height + plan.gap) * plan.tap
    small = page.face.size * _NUMBER
    right = MARGIN + plan.gutter * plan.tap - 0.6
    every = max(1, -int(-page.face.line(small) // pitch))
    for block, start in zip(blocks, plan.starts, strict=True):
        y = top + start * plan.tap
        _draw_heading(page, block, y - 0.35 * page.face.size * POINT)
        firsts = block.channel[:: plan.per_row]
        for row in range(0, len(firsts), every):
            middle = y + row * pitch + height * plan.tap / 2
            baseline = middle + 0.36 * small * POINT
            page.text(
                right,
                baseline,
                str(firsts[row]),
                size=small,
                align="right",
                colour=page.ink.secondary,
            )


def _draw_heading(page: Page, block: Block, y: float) -> None:
    """Name of the layer, its number of kernels."""
    face = page.face
    count = f"{len(block.indices):,}".replace(",", "\u202f")
    facts = f"{count} kernels" if len(block.indices) != 1 else "1 kernel"
    if block.flat:
        facts += f", {block.flat} flat"
    room = page.width - 2 * MARGIN
    space = face.width(facts) + 2.0
    if space > room / 2:
        facts, space = "", 0.0
    name = f"{block.network} · {block.layer}" if block.network else block.layer
    name = face.elide(name, room - space, weight="bold")
    page.text(MARGIN, y, name, weight="bold", gid="layer")
    x = MARGIN + face.width(name, weight="bold") + 2.0
    page.text(x, y, facts, colour=page.ink.secondary)
