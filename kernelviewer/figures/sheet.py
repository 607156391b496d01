"""Exhibit: every kernel that is shown, layer by layer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kernelviewer.figures.errors import FigureError
from kernelviewer.figures.fonts import Face
from kernelviewer.figures.kernels import (
    blocks_arrays,
    blocks_table,
    colour_blocks,
    make_block,
)
from kernelviewer.figures.names import count, listing
from kernelviewer.figures.options import FigureOptions
from kernelviewer.figures.page import Page, never, title_height
from kernelviewer.figures.scale_bar import draw_scale_bar, scale_bar_height
from kernelviewer.figures.scene import make_scene
from kernelviewer.figures.style import figure_style
from kernelviewer.figures.tiling import Blocks
from kernelviewer.kernels.bank import size_label

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from kernelviewer.figures.content import Table
    from kernelviewer.figures.kernels import (
        Block,
    )
    from kernelviewer.figures.page import Check
    from kernelviewer.figures.scene import Scene
    from kernelviewer.figures.tiling import Tiling
    from kernelviewer.kernels.bank import KernelBank, Size

_PAGE_HEIGHT = 240.0
_LARGEST = 6.0
_COMFORTABLE_TAP = 0.12
_NUMBER = 0.85
"""Size of channel numbers in units of the labels' size."""


@dataclass(frozen=True, eq=False)
class SheetContent:
    """The kernels of a sheet, a block for each layer."""

    blocks: tuple[Block, ...]
    size: Size

    def draw(self, options: FigureOptions, check: Check = never) -> Page:
        """Lay the kernels out, as large as the page allows.

        Raises
        ------
        FigureError
            They do not fit into the height asked for.
        """
        with figure_style():
            face = Face(options.font_family, options.font_size)
            gutter = _gutter(self.blocks, face) if options.labels else 0.0
            tiling = _fit(self.blocks, options, face, gutter)
            top = title_height(options, face)
            height = top + tiling.height + scale_bar_height(options, face) + face.margin
            page = Page(options, max(height, options.height_mm or 0.0), face)
            page.title()
            colours = colour_blocks(self.blocks, options)
            tiling.draw(page, colours, page.margin + gutter, top, check)
            if options.labels:
                _draw_labels(page, self.blocks, tiling, page.snap(top), gutter)
            draw_scale_bar(page, page.height - page.margin)
            return page

    def caption(self) -> str:
        """What the sheet shows."""
        shown = sum(map(len, self.blocks))
        flat = sum(int(block.flat.sum()) for block in self.blocks)
        networks = list(dict.fromkeys(block.network for block in self.blocks))
        sentence = (
            f"{count(shown, 'depthwise kernel')} ({size_label(self.size)}) of "
            f"{listing(networks)} in {count(len(self.blocks), 'layer')}, in the order "
            "of layers and channels; numbers give the first channel of a row."
        )
        return f"{sentence} Hatched: {count(flat)} flat." if flat else sentence

    def table(self) -> Table:
        """A row for each kernel."""
        return blocks_table(self.blocks)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Kernels and where they come from."""
        return blocks_arrays(self.blocks)


def prepare_sheet(
    scene: Scene, options: FigureOptions, check: Check = never
) -> SheetContent:
    """The kernels of a scene, layer by layer.

    Raises
    ------
    FigureError
        None are shown.
    """
    blocks = []
    for subject in scene.subjects:
        check()
        blocks += [make_block(subject, *layer) for layer in subject.layers()]
    if not blocks:
        raise FigureError("no kernels are shown", "Show a layer or another size.")
    return SheetContent(tuple(blocks), scene.size)


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
    return prepare_sheet(scene, options, check).draw(options, check).figure


def _gutter(blocks: tuple[Block, ...], face: Face) -> float:
    """Room in mm for channel numbers left of the kernels."""
    last = max(int(block.channel.max()) for block in blocks)
    return face.width("0" * len(str(last)), face.size * _NUMBER) + 0.4 * face.em


def _fit(
    blocks: tuple[Block, ...], options: FigureOptions, face: Face, gutter: float
) -> Tiling:
    """The largest taps with which all of it fits on the page."""
    room = (options.height_mm or _PAGE_HEIGHT) - face.margin
    room -= title_height(options, face) + scale_bar_height(options, face)
    plan = Blocks(
        cell=blocks[0].cell,
        counts=tuple(map(len, blocks)),
        width=options.width_mm - 2 * face.margin - gutter,
        dpi=options.dpi,
        before=1.15 * face.line() if options.labels else 0.0,
        after=0.25 * face.line(),
    )
    if tiling := plan.fit(room, _LARGEST):
        return tiling
    smallest = plan.tile(1)
    if smallest.width > plan.width:
        raise FigureError(
            f"a kernel is wider than {plan.width:.0f} mm at {options.dpi} dpi",
            "Make the figure wider or its resolution higher.",
        )
    if options.height_mm is not None:
        needed = smallest.height + options.height_mm - room
        raise FigureError(
            f"{count(len(blocks), 'layer')} do not fit into {options.height_mm:g} mm",
            f"Make the figure {needed:.0f} mm high, or show less.",
        )
    comfortable = max(1, round(_COMFORTABLE_TAP * options.dpi / 25.4))
    while comfortable > 1 and plan.tile(comfortable).width > plan.width:
        comfortable -= 1
    return plan.tile(min(comfortable, plan.most_pixels(_LARGEST)))


def _draw_labels(
    page: Page, blocks: tuple[Block, ...], tiling: Tiling, top: float, gutter: float
) -> None:
    """A heading for each layer and the first channel of each row."""
    small = page.face.size * _NUMBER
    every = max(1, -int(-page.face.line(small) // tiling.pitch))
    many = len({block.network for block in blocks}) > 1
    for block, y in zip(blocks, tiling.tops(top), strict=True):
        _draw_heading(page, block, y - 0.35 * page.face.em, many)
        firsts = block.channel[:: tiling.per_row]
        for row in range(0, len(firsts), every):
            # a number taller than its row hangs down from it, clear of the heading
            half = max(tiling.cell_height / 2, 0.4 * _NUMBER * page.face.em)
            middle = y + row * tiling.pitch + half
            page.text(
                page.snap(page.margin + gutter) - 0.3 * page.face.em,
                middle + 0.36 * _NUMBER * page.face.em,
                str(firsts[row]),
                size=small,
                align="right",
                colour=page.ink.secondary,
            )


def _draw_heading(page: Page, block: Block, y: float, many: bool) -> None:
    """Name of the layer, its number of kernels."""
    face = page.face
    facts = count(len(block), "kernel")
    if block.flat.any():
        facts += f", {int(block.flat.sum())} flat"
    room = page.width - 2 * page.margin
    space = face.width(facts) + 0.8 * face.em
    if space > room / 2:
        facts, space = "", 0.0
    name = f"{block.network} · {block.layer}" if many else block.layer
    name = face.elide(name, room - space, weight="bold")
    page.text(page.margin, y, name, weight="bold", gid="layer")
    x = page.margin + face.width(name, weight="bold") + 0.8 * face.em
    page.text(x, y, facts, colour=page.ink.secondary)
