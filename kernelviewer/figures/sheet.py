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
from kernelviewer.figures.sheet_layout import arrange
from kernelviewer.figures.style import figure_style
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
    from kernelviewer.figures.sheet_layout import Column
    from kernelviewer.kernels.bank import KernelBank, Size

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
            top, foot = title_height(options, face), scale_bar_height(options, face)
            rest = top + foot + face.margin
            cell, counts = self.blocks[0].cell, [len(block) for block in self.blocks]
            layout = arrange(cell, counts, options, face, gutter, rest)
            height = max(layout.height + rest, options.height_mm or 0.0)
            page = Page(options, height, face)
            page.title()
            colours = colour_blocks(self.blocks, options)
            for column in layout.columns:
                part = slice(column.first, column.last)
                left = column.x + gutter
                column.tiling.draw(page, colours[part], left, top, check)
                if options.labels:
                    self._draw_labels(page, column, left, layout.width)
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

    def _draw_labels(
        self, page: Page, column: Column, left: float, width: float
    ) -> None:
        """A heading for each layer and the first channel of each row."""
        tiling, em = column.tiling, page.face.em
        small = page.face.size * _NUMBER
        every = max(1, -int(-page.face.line(small) // tiling.pitch))
        top = page.snap(title_height(page.options, page.face))
        many = len({block.network for block in self.blocks}) > 1
        blocks = self.blocks[column.first : column.last]
        for block, y in zip(blocks, tiling.tops(top), strict=True):
            name = f"{block.network} · {block.layer}" if many else block.layer
            _draw_heading(page, block, name, column.x, y - 0.35 * em, width)
            firsts = block.channel[:: tiling.per_row]
            for row in range(0, len(firsts), every):
                # a number taller than its row hangs down, clear of the heading
                half = max(tiling.cell_height / 2, 0.4 * _NUMBER * em)
                middle = y + row * tiling.pitch + half
                page.text(
                    page.snap(left) - 0.3 * em,
                    middle + 0.36 * _NUMBER * em,
                    str(firsts[row]),
                    size=small,
                    align="right",
                    colour=page.ink.secondary,
                )


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


def _draw_heading(
    page: Page, block: Block, name: str, x: float, y: float, room: float
) -> None:
    """Name of the layer, its number of kernels where there is room."""
    face = page.face
    kernels = count(len(block), "kernel")
    flat = f", {int(block.flat.sum())} flat" if block.flat.any() else ""
    gap = 0.8 * face.em
    left = room - min(face.width(name, weight="bold"), 0.8 * room) - gap
    facts = face.first_fitting([kernels + flat, count(len(block)), ""], left)
    space = face.width(facts) + gap if facts else 0.0
    name = face.elide(name, room - space, weight="bold")
    page.text(x, y, name, weight="bold", gid="layer")
    x += face.width(name, weight="bold") + gap
    page.text(x, y, facts, colour=page.ink.secondary)
