"""Exhibit: random depthwise kernels beside regular ones, layer by layer.

Babaiee et al. (ICLR 2024), figure 2.
"""

from __future__ import annotations

import string
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from kernelviewer.figures.content import FigureError, too_low
from kernelviewer.figures.counts import count, listing, short_names
from kernelviewer.figures.fonts import Face
from kernelviewer.figures.kernels import (
    Block,
    blocks_arrays,
    blocks_table,
    colour_blocks,
    draw_some,
    make_block,
    spread,
)
from kernelviewer.figures.legend import draw_scale_bar, scale_bar_height
from kernelviewer.figures.page import Page, title_height
from kernelviewer.figures.tiling import Blocks
from kernelviewer.kernels.bank import size_label
from kernelviewer.kernels.names import module_path
from kernelviewer.watch import NEVER

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from kernelviewer.figures.content import Table
    from kernelviewer.figures.options import FigureOptions
    from kernelviewer.figures.scene import Scene, Subject
    from kernelviewer.figures.tiling import Tiling
    from kernelviewer.formats.checkpoint import Tensor
    from kernelviewer.kernels.bank import Size
    from kernelviewer.watch import Watch


_ROOM = 200.0
_CELL = 2.2
_BETWEEN = 2.0
_SMALL = 0.85
_MOST = 256
"""Kernels kept of a layer, more than a row has room for."""


@dataclass(frozen=True, eq=False)
class Column:
    """Rows of samples of one kind of one network; ``layers`` is what it has in all."""

    kind: str
    size: Size
    network: str
    blocks: tuple[Block, ...]

    def headings(self, rows: int) -> tuple[str, ...]:
        """What may stand above it, longest first."""
        kind = f"{self.kind} {size_label(self.size)}"
        total = len(self.blocks)
        if rows == total:
            return (kind,)
        return f"{kind}, {rows} of {count(total, 'layer')}", f"{kind}, {rows}/{total}"


@dataclass(frozen=True, eq=False)
class SamplesContent:
    """Pairs of columns, one pair for each network."""

    pairs: tuple[tuple[Column, ...], ...]
    seed: int

    def draw(self, options: FigureOptions, watch: Watch = NEVER) -> Page:
        """Lay the networks below each other, their two columns side by side."""
        face = Face.of(options)
        top, foot = title_height(options, face), scale_bar_height(options, face)
        room = (options.height_mm or _ROOM) - top - foot - face.margin
        named = len(self.pairs) > 1
        sections = [
            _Section.of(pair, options, face, room / len(self.pairs), named)
            for pair in self.pairs
        ]
        height = top + sum(section.height for section in sections) + foot + face.margin
        page = Page(options, max(height, options.height_mm or 0.0), face)
        page.title()
        y = top
        letters = iter(string.ascii_lowercase * 9)
        for section in sections:
            watch.check()
            section.draw(page, y, letters, watch)
            y += section.height
        draw_scale_bar(page, page.height - page.margin)
        return page

    def caption(self) -> str:
        """A sentence on the blocks side by side."""
        networks = listing([pair[0].network for pair in self.pairs])
        kinds = listing(
            list(
                dict.fromkeys(
                    f"{column.kind.lower()} ({size_label(column.size)})"
                    for pair in self.pairs
                    for column in pair
                )
            )
        )
        return (
            f"Random samples of the {kinds} kernels of {networks}, layer by layer "
            f"from input to output (seed {self.seed})."
        )

    def table(self) -> Table:
        """A row for each kernel of the first columns' size."""
        return blocks_table(self.pairs[0][0].blocks)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Kernels of each column."""
        return {
            f"{column.kind.lower()}_{number}_{name}": values
            for number, pair in enumerate(self.pairs)
            for column in pair
            for name, values in blocks_arrays(column.blocks).items()
        }


def prepare_samples(
    scene: Scene, options: FigureOptions, watch: Watch = NEVER
) -> SamplesContent:
    """Draw kernels of every layer, and of the regular convolutions, at random.

    Raises
    ------
    FigureError
        No kernels are shown.
    """
    pairs = []
    for subject in scene.subjects:
        watch.check()
        blocks = [
            make_block(
                subject, name, draw_some(index, _MOST, options.seed, i), len(index)
            )
            for i, (name, index) in enumerate(subject.layers())
        ]
        if blocks:
            name = subject.name
            left = Column("Depthwise", subject.size, name, tuple(blocks))
            right = _regular(subject, options, watch)
            pairs.append((left, right) if right else (left,))
    if not pairs:
        raise FigureError("no kernels are shown", "Show a layer or another size.")
    return SamplesContent(tuple(pairs), options.seed)


def _regular(subject: Subject, options: FigureOptions, watch: Watch) -> Column | None:
    """Samples of the regular convolutions, of the same size if there are any."""
    rank = len(subject.size)
    tensors = [
        tensor
        for tensor in subject.bank.convolutions
        if len(tensor.shape) == rank + 2
        and min(tensor.shape[:2]) > 1
        and max(tensor.shape[2:]) > 1
    ]
    if not tensors:
        return None
    sizes = Counter(tensor.shape[2:] for tensor in tensors)
    size = max(sizes, key=lambda key: (key == subject.size, sizes[key], key))
    blocks = []
    for number, tensor in enumerate(tensors):
        watch.check()
        if tensor.shape[2:] == size:
            blocks.append(_some_of(tensor, subject.name, options.seed, number))
    return Column("Regular", size, subject.name, tuple(blocks))


def _some_of(tensor: Tensor, network: str, *seeds: int) -> Block:
    """Random kernels of a regular convolution, a pair of channels each."""
    total = tensor.shape[0] * tensor.shape[1]
    index = draw_some(np.arange(total), _MOST, *seeds)
    kernels = tensor.load().reshape(total, *tensor.shape[2:])[index]
    weights = kernels.astype(np.float32)
    flat = (weights.reshape(len(weights), -1) == 0).all(axis=1)
    channel = (index // tensor.shape[1]).astype(np.int32)
    return Block(network, module_path(tensor.name), weights, channel, flat, total)


@dataclass(frozen=True, eq=False)
class _Section:
    """The columns of one network and where they go."""

    columns: tuple[Column, ...]
    rows: tuple[tuple[Block, ...], ...]
    tilings: tuple[Tiling, ...]
    lines: tuple[int, ...]
    width: float
    head: float

    @classmethod
    def of(
        cls,
        columns: tuple[Column, ...],
        options: FigureOptions,
        face: Face,
        room: float,
        named: bool,
    ) -> _Section:
        """As many layers as there is room for, and more samples where there are few."""
        width = options.width_mm - 2 * face.margin
        if len(columns) > 1:
            width = (width - _BETWEEN * face.em) / 2
        per_row = min(options.samples or round(width / (_CELL * face.em)) or 1, _MOST)
        side = width / per_row * 0.88 * options.dpi / 25.4
        cells = [_cell(column, side) for column in columns]
        tallest = max(cell[0] for cell in cells) * 25.4 / options.dpi
        head = face.line() * (2.6 if named else 1.4)
        label = face.line(face.size * _SMALL) if options.labels else 0.0
        most = int((room - head) // (label + 1.2 * tallest))
        if most < 1:
            raise too_low("the samples do not fit", options)
        longest = max(min(len(column.blocks), most) for column in columns)
        rows = tuple(tuple(spread(column.blocks, longest)) for column in columns)
        lines = [
            _lines(longest, len(chosen), label / tallest, options) for chosen in rows
        ]
        tilings = [
            Blocks(
                cell=cell,
                counts=tuple(min(per_row * line, len(block)) for block in chosen),
                width=width,
                dpi=options.dpi,
                before=label,
                after=0.25 * face.em,
                per_row=per_row,
                least=tallest,
            ).tile(1)
            for cell, chosen, line in zip(cells, rows, lines, strict=True)
        ]
        return cls(columns, rows, tuple(tilings), tuple(lines), width, head)

    @property
    def height(self) -> float:
        """Height in mm."""
        return self.head + max(tiling.height for tiling in self.tilings)

    def draw(self, page: Page, y: float, letters: Iterator[str], watch: Watch) -> None:
        """Draw headings, names and kernels."""
        x, base = page.margin, y + self.head - 0.5 * page.face.line()
        if self.head > 2 * page.face.line():
            name = page.face.elide(self.columns[0].network, page.width - 2 * x)
            page.text(x, y + page.face.line(), name, gid="network")
        for column, rows, tiling, lines in zip(
            self.columns, self.rows, self.tilings, self.lines, strict=True
        ):
            headings = column.headings(len(rows))
            page.heading(x, base, headings, self.width, next(letters))
            shown = [_first(block, tiling.per_row * lines) for block in rows]
            top = page.snap(y + self.head)
            tiling.draw(page, colour_blocks(shown, page.options), x, top, watch)
            if page.options.labels:
                self._draw_names(page, rows, tiling, x, top)
            x += self.width + _BETWEEN * page.face.em

    def _draw_names(
        self, page: Page, rows: Sequence[Block], tiling: Tiling, x: float, top: float
    ) -> None:
        size = page.face.size * _SMALL
        names = short_names([block.layer for block in rows])
        for name, y in zip(names, tiling.tops(top), strict=True):
            text = page.face.elide(name, self.width, size)
            baseline = y - 0.3 * page.face.em
            page.note(x, baseline, text, size=size)


def _lines(longest: int, rows: int, label: float, options: FigureOptions) -> int:
    """Rows of kernels a layer gets, so that a short column is as high as a long one.

    ``label`` is the height of a name in units of a kernel's.
    """
    if options.samples is not None:
        return 1
    room = longest * (label + 1.2)
    return max(1, min(8, int((room / rows - label) / 1.15)))


def _cell(column: Column, pixels: float) -> tuple[int, int]:
    """Rows and columns in pixels of a kernel that is at most so many pixels wide."""
    rows, columns = column.blocks[0].cell
    zoom = max(1, int(pixels / max(rows, columns)))
    return rows * zoom, columns * zoom


def _first(block: Block, most: int) -> Block:
    """The block with at most ``most`` of its kernels, evenly chosen."""
    return block.take(np.array(spread(range(len(block)), most), np.intp))
