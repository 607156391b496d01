"""Exhibit: every kernel that is shown, layer by layer or in other groups."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from kernelviewer.figures.counts import scene_coverage
from kernelviewer.figures.errors import FigureError
from kernelviewer.figures.fonts import Face
from kernelviewer.figures.kernels import (
    colour_blocks,
    gather,
    gather_block,
    gathered_table,
)
from kernelviewer.figures.legend import HATCH
from kernelviewer.figures.names import count, listing
from kernelviewer.figures.options import FigureOptions
from kernelviewer.figures.page import Page, never, title_height
from kernelviewer.figures.scale_bar import draw_scale_bar, scale_bar_height
from kernelviewer.figures.scene import make_scene
from kernelviewer.figures.sheet_groups import group_kernels
from kernelviewer.figures.sheet_layout import arrange
from kernelviewer.figures.style import figure_style
from kernelviewer.kernels.bank import size_label
from kernelviewer.kernels.classes import CLASSES, FLAT

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from kernelviewer.figures.content import Table
    from kernelviewer.figures.kernels import (
        Block,
    )
    from kernelviewer.figures.page import Check
    from kernelviewer.figures.scene import Scene, Subject
    from kernelviewer.figures.sheet_groups import Group
    from kernelviewer.figures.sheet_layout import Column
    from kernelviewer.kernels.bank import KernelBank, Size

_ORDERS = {
    "channel": "in the order of layers and channels",
    "code": "in the order of their codes",
    "fit": "the best fitting first",
    "scale": "the strongest first",
    "flat": "the flat ones first",
    "class": "in the order of their classes",
}
_GROUPED = {"code": "stretch of the code"}
_NUMBER = 0.85
"""Size of channel numbers in units of the labels' size."""


@dataclass(frozen=True, eq=False)
class SheetContent:
    """The kernels of a sheet, a block for each group.

    Attributes
    ----------
    blocks, groups
        The kernels, and where those of each block come from.
    joined, sorted_by
        `FigureOptions.group` and ``sort``.
    coverage
        Sentences on what is identified, where the classes are seen.
    """

    blocks: tuple[Block, ...]
    size: Size
    groups: tuple[Group, ...]
    subjects: tuple[Subject, ...]
    joined: str
    sorted_by: str
    coverage: str = ""

    def draw(self, options: FigureOptions, check: Check = never) -> Page:
        """Lay the kernels out, as large as the page allows.

        Raises
        ------
        FigureError
            They do not fit into the height asked for.
        """
        with figure_style():
            face = Face.of(options)
            gutter = self._gutter(face) if options.labels else 0.0
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
        networks = [subject.name for subject in self.subjects if len(subject.index)]
        sentence = (
            f"{count(shown, 'depthwise kernel')} ({size_label(self.size)}) of "
            f"{listing(networks)}{self._arrangement()}."
        )
        hatched = f" Hatched: {count(flat)} flat." if flat else ""
        return f"{sentence}{hatched} {self.coverage}".rstrip()

    def table(self) -> Table:
        """A row for each kernel."""
        return gathered_table(self._gathered())

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Kernels, where they come from, and in which group they stand."""
        arrays = self._gathered()
        lengths = [len(group.index) for group in self.groups]
        arrays["group"] = np.repeat(np.arange(len(lengths)), lengths)
        arrays["groups"] = np.array([group.heading for group in self.groups])
        return arrays

    def _gathered(self) -> dict[str, NDArray[Any]]:
        owner = np.concatenate([group.owner for group in self.groups])
        index = np.concatenate([group.index for group in self.groups])
        return gather(self.subjects, owner, index)

    @property
    def _numbered(self) -> bool:
        """Whether rows begin with the number of their first channel."""
        return self.joined == "layer" and self.sorted_by == "channel"

    def _arrangement(self) -> str:
        """In which groups and order the kernels stand, for the caption."""
        if self._numbered:
            layers = count(len(self.blocks), "layer")
            return (
                f" in {layers}, in the order of layers and channels; numbers give the "
                "first channel of a row"
            )
        by = _GROUPED.get(self.joined, self.joined)
        groups = "" if self.joined == "none" else f", by {by}"
        return f"{groups}, {_ORDERS[self.sorted_by]}"

    def _gutter(self, face: Face) -> float:
        """Room in mm for channel numbers left of the kernels."""
        if not self._numbered:
            return 0.0
        last = max(int(block.channel.max()) for block in self.blocks)
        digits = face.width("0" * len(str(last)), face.size * _NUMBER)
        return digits + 0.4 * face.em

    def _draw_labels(
        self, page: Page, column: Column, left: float, width: float
    ) -> None:
        """A heading for each layer and the first channel of each row."""
        tiling, em = column.tiling, page.face.em
        small = page.face.size * _NUMBER
        every = max(1, -int(-page.face.line(small) // tiling.pitch))
        top = page.snap(title_height(page.options, page.face))
        part = slice(column.first, column.last)
        groups, blocks = self.groups[part], self.blocks[part]
        for group, block, y in zip(groups, blocks, tiling.tops(top), strict=True):
            _draw_heading(page, block, group, column.x, y - 0.35 * em, width)
            if not self._numbered:
                continue
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
    if not scene.count:
        raise FigureError("no kernels are shown", "Show a layer or another size.")
    groups = group_kernels(scene, options)
    blocks = []
    for group in groups:
        check()
        place = group.owner, group.index
        blocks.append(gather_block(scene.subjects, *place, group.heading))
    return SheetContent(
        blocks=tuple(blocks),
        size=scene.size,
        groups=tuple(groups),
        subjects=scene.subjects,
        joined=options.group,
        sorted_by=options.sort,
        coverage=scene_coverage(scene) if options.group == "class" else "",
    )


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


def _draw_heading(
    page: Page, block: Block, group: Group, x: float, y: float, room: float
) -> None:
    """Name of the group, its number of kernels where there is room."""
    face = page.face
    if group.class_index is not None:
        kind = CLASSES[group.class_index]
        side, step = 0.75 * face.em, 1.2 * face.em
        hatch = HATCH if kind is FLAT else ""
        colour = page.ink.of_class(kind)
        page.rectangle(
            x, y - side, side, side, colour, hatch=hatch, gid=f"class-{kind.id}"
        )
        x, room = x + step, room - step
    kernels = count(len(block), "kernel")
    flat = f", {int(block.flat.sum())} flat" if block.flat.any() else ""
    if group.class_index is not None:
        flat = ""
    gap = 0.8 * face.em
    left = room - min(face.width(group.heading, weight="bold"), 0.8 * room) - gap
    facts = face.first_fitting([kernels + flat, count(len(block)), ""], left)
    space = face.width(facts) + gap if facts else 0.0
    name = face.elide(group.heading, room - space, weight="bold")
    page.text(x, y, name, weight="bold", gid="layer")
    if name:
        x += face.width(name, weight="bold") + gap
    page.text(x, y, facts, colour=page.ink.secondary)
