"""Exhibit: every kernel that is shown, layer by layer or in other groups."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from kernelviewer.figures.content import FigureError, too_low
from kernelviewer.figures.counts import coding_of, count, listing, named, scene_coverage
from kernelviewer.figures.fonts import Face
from kernelviewer.figures.kernels import (
    colour_blocks,
    gather,
    gather_block,
    gathered_table,
)
from kernelviewer.figures.legend import draw_scale_bar, scale_bar_height
from kernelviewer.figures.page import Page, title_height
from kernelviewer.figures.tiling import Blocks
from kernelviewer.kernels.bank import size_label
from kernelviewer.kernels.classes import FLAT, INDEX, class_shown, classes_shown
from kernelviewer.latent.labels import FIT_BANDS, band_title, fit_bands
from kernelviewer.latent.stretches import stretch_of
from kernelviewer.watch import NEVER

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from kernelviewer.figures.content import Table
    from kernelviewer.figures.kernels import Block
    from kernelviewer.figures.options import FigureOptions
    from kernelviewer.figures.scene import Coding, Scene, Subject, Yardstick
    from kernelviewer.figures.tiling import Tiling
    from kernelviewer.kernels.bank import Size
    from kernelviewer.watch import Watch


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
    """

    blocks: tuple[Block, ...]
    size: Size
    groups: tuple[Group, ...]
    subjects: tuple[Subject, ...]
    joined: str
    sorted_by: str
    """`FigureOptions.group` and ``sort``."""
    coverage: str = ""
    """Sentences on what is identified, where the classes are seen."""

    def draw(self, options: FigureOptions, watch: Watch = NEVER) -> Page:
        """Lay the kernels out, as large as the page allows.

        Raises
        ------
        FigureError
            They do not fit into the height asked for.
        """
        face = Face.of(options)
        gutter = self._gutter(face) if options.labels else 0.0
        top, foot = title_height(options, face), scale_bar_height(options, face)
        rest = top + foot + face.margin
        cell, counts = self.blocks[0].cell, [len(block) for block in self.blocks]
        layout, shown = arrange(cell, counts, options, face, gutter, rest)
        height = max(layout.height + rest, options.height_mm or 0.0)
        page = Page(options, height, face)
        page.title()
        page.left_out += self._left_out(shown)
        colours = [
            block[:number]
            for block, number in zip(
                colour_blocks(self.blocks[: len(shown)], options), shown, strict=True
            )
        ]
        for column in layout.columns:
            part = slice(column.first, column.last)
            left = column.x + gutter
            column.tiling.draw(page, colours[part], left, top, watch)
            if options.labels:
                self._draw_labels(page, column, left, layout.width, shown)
        draw_scale_bar(page, page.height - page.margin)
        return page

    def caption(self) -> str:
        """A sentence on the kernels of the sheet."""
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
        """True if rows begin with the number of their first channel."""
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

    def _left_out(self, shown: Sequence[int]) -> list[str]:
        """What of the kernels is not on the page, for the caption."""
        groups = "layer" if self.joined == "layer" else "group"
        said, most = [], max(shown)
        if any(n < len(b) for n, b in zip(shown, self.blocks, strict=False)):
            said.append(
                f"Of each {groups} the first {count(most, 'kernel')} are shown: a page "
                "has no room for more."
            )
        if len(shown) < len(self.blocks):
            said.append(
                f"Only the first {len(shown)} of {count(len(self.blocks), groups)} are "
                "shown."
            )
        return said

    def _gutter(self, face: Face) -> float:
        """Room in mm for channel numbers left of the kernels."""
        if not self._numbered:
            return 0.0
        last = max(int(block.channel.max()) for block in self.blocks)
        digits = face.width("0" * len(str(last)), face.size * _NUMBER)
        return digits + 0.4 * face.em

    def _draw_labels(
        self,
        page: Page,
        column: Column,
        left: float,
        width: float,
        shown: Sequence[int],
    ) -> None:
        """A heading for each layer and the first channel of each row."""
        tiling, em = column.tiling, page.face.em
        small = page.face.size * _NUMBER
        every = max(1, -int(-page.face.line(small) // tiling.pitch))
        top = page.snap(title_height(page.options, page.face))
        part = slice(column.first, column.last)
        groups, blocks = self.groups[part], self.blocks[part]
        for group, block, number, y in zip(
            groups, blocks, shown[part], tiling.tops(top), strict=True
        ):
            _draw_heading(page, block, group, column.x, y - 0.35 * em, width, number)
            if not self._numbered:
                continue
            firsts = block.channel[: number : tiling.per_row]
            for row in range(0, len(firsts), every):
                # a number taller than its row hangs down, clear of the heading
                half = max(tiling.cell_height / 2, 0.4 * _NUMBER * em)
                middle = y + row * tiling.pitch + half
                page.note(
                    page.snap(left) - 0.3 * em,
                    middle + 0.36 * _NUMBER * em,
                    str(firsts[row]),
                    size=small,
                    align="right",
                )


def prepare_sheet(
    scene: Scene, options: FigureOptions, watch: Watch = NEVER
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
        watch.check()
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


def _draw_heading(
    page: Page, block: Block, group: Group, x: float, y: float, room: float, shown: int
) -> None:
    """Name of the group, its number of kernels where there is room."""
    face = page.face
    if group.class_index is not None:
        kind = class_shown(group.class_index)
        side, step = 0.75 * face.em, 1.2 * face.em
        page.class_box(kind, x, y - side, side, side, f"class-{kind.id}")
        x, room = x + step, room - step
    kernels, brief = count(len(block), "kernel"), count(len(block))
    if shown < len(block):
        kernels, brief = f"{count(shown)} of {kernels}", f"{count(shown)} of {brief}"
    flat = f", {int(block.flat.sum())} flat" if block.flat.any() else ""
    if group.class_index is not None:
        flat = ""
    gap = 0.8 * face.em
    left = room - min(face.width(group.heading, weight="bold"), 0.8 * room) - gap
    facts = face.first_fitting([kernels + flat, brief, ""], left)
    space = face.width(facts) + gap if facts else 0.0
    name = face.elide(group.heading, room - space, weight="bold")
    page.text(x, y, name, weight="bold", gid="layer")
    if name:
        x += face.width(name, weight="bold") + gap
    page.note(x, y, facts)


@dataclass(frozen=True, eq=False)
class Group:
    """Kernels that stand together."""

    heading: str
    """What is written over them."""
    class_index: int | None
    """The class they are of, where that is what joins them."""
    owner: NDArray[np.intp]
    index: NDArray[np.intp]
    """[n]: which subject, and index into its kernels."""


def group_kernels(scene: Scene, options: FigureOptions) -> list[Group]:
    """The kernels shown, in groups that are not empty.

    Raises
    ------
    FigureError
        Grouping or order need classes, and there are none.
    """
    counts = [len(subject.index) for subject in scene.subjects]
    owner = np.repeat(np.arange(len(counts)), counts)
    index = np.concatenate([subject.index for subject in scene.subjects])
    if options.sort != "channel":
        order = np.argsort(_order(scene, options.sort), kind="stable")
        owner, index = owner[order], index[order]
    return [
        Group(heading, class_index, owner[chosen], index[chosen])
        for heading, class_index, chosen in _groups(scene, options, owner, index)
        if len(chosen)
    ]


def _order(scene: Scene, sort: str) -> NDArray[np.float64]:
    """What the kernels shown are sorted by, ascending; what is not known comes last."""
    parts: list[NDArray[Any]]
    if sort == "scale":  # the strongest first
        parts = [-subject.kernels.scale[subject.index] for subject in scene.subjects]
    elif sort == "flat":  # flat ones first
        parts = [~subject.kernels.flat[subject.index] for subject in scene.subjects]
    else:
        parts = [
            _column(subject, sort, named(scene))[subject.index]
            for subject in scene.subjects
        ]
    return np.concatenate(parts).astype(np.float64)


def _column(subject: Subject, name: str, yardstick: Yardstick) -> NDArray[Any]:
    """A number for each kernel of a subject."""
    coding = coding_of(subject)
    if name == "class":
        return coding.label(yardstick.threshold)
    return coding.code if name == "code" else -coding.fit


def _groups(
    scene: Scene,
    options: FigureOptions,
    owner: NDArray[np.intp],
    index: NDArray[np.intp],
) -> list[tuple[str, int | None, NDArray[np.intp]]]:
    """Heading, class and positions of each group."""
    if options.group == "layer":
        return _by_layer(scene, owner, index)
    if options.group == "none":
        return [("", None, np.arange(len(index)))]
    headings: list[tuple[str, int | None]]
    if options.group == "network":
        headings = [(subject.name, None) for subject in scene.subjects]
        keys = owner
    else:
        headings, keys = _by_label(scene, options.group, owner, index)
    return [
        (heading, class_index, np.flatnonzero(keys == number))
        for number, (heading, class_index) in enumerate(headings)
    ]


def _by_label(
    scene: Scene, group: str, owner: NDArray[np.intp], index: NDArray[np.intp]
) -> tuple[list[tuple[str, int | None]], NDArray[np.intp]]:
    """Headings with their classes, and the number of each kernel's heading."""
    yardstick = named(scene)
    keys = np.zeros(len(index), np.intp)
    for number, subject in enumerate(scene.subjects):
        mine = owner == number
        found = _keys(coding_of(subject), group, yardstick)
        keys[mine] = found[index[mine]]
    if group == "class":
        return [
            (item.name, number) for number, item in enumerate(classes_shown())
        ], keys
    headings: list[tuple[str, int | None]]
    if group == "fit":
        headings = [(band_title(band), None) for band in range(len(FIT_BANDS) + 1)]
    else:
        headings = [
            (f"{item.label}, code {item.low:.3f}–{item.high:.3f}", item.class_index)
            for item in yardstick.stretches
        ]
    return [*headings, (FLAT.name, INDEX[FLAT.id])], keys


def _keys(coding: Coding, group: str, yardstick: Yardstick) -> NDArray[np.int64]:
    """The number of the heading of each kernel of a subject."""
    if group == "class":
        return coding.label(yardstick.threshold)
    if group == "fit":
        return fit_bands(coding.fit)
    if not yardstick.stretches:
        raise FigureError(
            "these kernels have no codes", "Group them by class, or by layer."
        )
    last = len(yardstick.stretches)
    known = np.isfinite(coding.code)
    keys = np.full(len(known), last, np.int64)
    places = stretch_of(yardstick.stretches, coding.code[known])
    keys[known] = np.minimum(places, last - 1)
    return keys


def _by_layer(
    scene: Scene, owner: NDArray[np.intp], index: NDArray[np.intp]
) -> list[tuple[str, int | None, NDArray[np.intp]]]:
    """In network order; with the network's name where there are several."""
    groups: list[tuple[str, int | None, NDArray[np.intp]]] = []
    for number, subject in enumerate(scene.subjects):
        mine = np.flatnonzero(owner == number)
        layer = subject.kernels.layer[index[mine]]
        many = len(scene.subjects) > 1
        for kind in np.unique(layer):
            name = subject.bank.layers[kind].name
            heading = f"{subject.name} · {name}" if many else name
            groups.append((heading, None, mine[layer == kind]))
    return groups


_PAGE_HEIGHT = 240.0
_LARGEST, _LARGEST_TAP = 2.4, 0.14
"""A kernel is at most so large, or its taps are, in units of the font size."""
_SMALLEST = 0.6
"""It is not made smaller than this, in mm, just to stay on one page."""
_NUMBER_HEIGHT = 0.75
"""Height of a channel's number in the same units."""
_MOST_COLUMNS = 6
_COLUMN = 18.0
"""Least width of a column in units of the font size."""


@dataclass(frozen=True, slots=True)
class Column:
    """Layers ``first … last − 1`` below each other, from ``x`` mm on."""

    first: int
    last: int
    x: float
    tiling: Tiling


@dataclass(frozen=True, slots=True)
class SheetLayout:
    """The columns of a sheet and their width in mm, channel numbers included."""

    columns: tuple[Column, ...]
    width: float

    @property
    def height(self) -> float:
        """Height of the tallest column in mm."""
        return max(column.tiling.height for column in self.columns)

    @property
    def tap_pixels(self) -> int:
        """Pixels of a tap."""
        return self.columns[0].tiling.tap_pixels


def arrange(
    cell: tuple[int, int],
    counts: Sequence[int],
    options: FigureOptions,
    face: Face,
    gutter: float,
    rest: float,
) -> tuple[SheetLayout, tuple[int, ...]]:
    """The layout with the largest kernels; of equal ones that with fewer columns.

    Where no height is asked for it never is higher than a page: of layers that have no
    room the first kernels are laid out, and of too many layers the first.

    Parameters
    ----------
    cell
        Rows and columns of a kernel.
    counts
        Kernels of each layer.
    gutter
        Room for channel numbers left of each column, mm.
    rest
        Height in mm that is taken already.

    Returns
    -------
    layout, shown
        It, and how many kernels of each layer it has.

    Raises
    ------
    FigureError
        It does not fit into the height or the width asked for.
    """
    room = (options.height_mm or _PAGE_HEIGHT) - rest

    def best(most: int, layers: int) -> tuple[SheetLayout, tuple[int, ...]] | None:
        shown = tuple(min(n, most) for n in counts[:layers])
        grid = _Grid(cell, shown, options, face, gutter)
        found = [f for n in grid.choices() if (f := grid.largest(n, room))]
        layout = max(found, key=lambda item: item.tap_pixels, default=None)
        small = layout is None or layout.tap_pixels < grid.comfortable
        if layout is None or (small and not options.height_mm):
            return None
        return layout, shown

    every, layers = max(counts), len(counts)
    if whole := best(every, layers):
        return whole
    grid = _Grid(cell, tuple(counts), options, face, gutter)
    smallest = [grid.lay_out(columns, 1) for columns in grid.choices()]
    fitting = [layout for layout in smallest if grid.is_narrow(layout)]
    if not fitting:
        raise FigureError(
            f"a kernel is wider than {options.width_mm - 2 * face.margin:.0f} mm at "
            f"{options.dpi} dpi",
            "Make the figure wider or its resolution higher.",
        )
    if options.height_mm is not None:
        needed = min(layout.height for layout in fitting) + rest
        raise FigureError(
            f"{count(len(counts), 'layer')} do not fit into {options.height_mm:g} mm",
            f"Make the figure {needed:.0f} mm high, or show less.",
        )
    if best(1, layers):
        most = _largest(lambda n: best(n, layers) is not None, every)
    else:
        layers = _largest(lambda n: best(1, n) is not None, layers)
        most = _largest(lambda n: best(n, layers) is not None, every)
    if (cut := best(most, layers)) is None:
        raise too_low("not even one kernel fits on a page", options)
    return cut


def _largest(fits: Callable[[int], bool], most: int) -> int:
    """The largest number from 1 to ``most`` that fits, where less does, too."""
    low, high = 1, most
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if fits(middle) else (low, middle - 1)
    return low


@dataclass(frozen=True, slots=True)
class _Grid:
    """The blocks to be laid out."""

    cell: tuple[int, int]
    counts: tuple[int, ...]
    options: FigureOptions
    face: Face
    gutter: float

    @property
    def comfortable(self) -> int:
        """Pixels of a tap below which kernels are hard to see."""
        pixel = 25.4 / self.options.dpi
        return max(1, -int(-_SMALLEST / max(self.cell) / pixel // 1))

    def choices(self) -> range:
        """Numbers of columns to try."""
        room = self.options.width_mm - 2 * self.face.margin
        fits = int((room + self._between) / (_COLUMN * self.face.em + self._between))
        return range(1, max(1, min(fits, _MOST_COLUMNS, len(self.counts))) + 1)

    def largest(self, columns: int, room: float) -> SheetLayout | None:
        """The layout with the largest taps that fits into ``room`` mm."""
        em = self.face.em
        largest = max(_LARGEST * em, _LARGEST_TAP * em * max(self.cell))
        most = self._blocks(columns).most_pixels(largest)
        for tap_pixels in range(most, 0, -1):
            layout = self.lay_out(columns, tap_pixels)
            if layout.height <= room and self.is_narrow(layout):
                return layout
        return None

    def is_narrow(self, layout: SheetLayout) -> bool:
        """True if the kernels fit into the width of their column."""
        room = layout.width - self.gutter + 1e-6
        return all(column.tiling.width <= room for column in layout.columns)

    def lay_out(self, columns: int, tap_pixels: int) -> SheetLayout:
        """Columns of about equal height for one size of taps."""
        plan = self._blocks(columns)
        whole = plan.tile(tap_pixels)
        ends = (*whole.starts[1:], whole.rows)
        heights = [end - start for start, end in zip(whole.starts, ends, strict=True)]
        width = plan.width + self.gutter
        found = []
        for number, (first, last) in enumerate(_split(heights, columns)):
            some = self.counts[first:last]
            per_row = min(whole.per_row, max(some))
            tiling = replace(plan, counts=some, per_row=per_row).tile(tap_pixels)
            x = self.face.margin + number * (width + self._between)
            found.append(Column(first, last, x, tiling))
        return SheetLayout(tuple(found), width)

    @property
    def _between(self) -> float:
        return 1.5 * self.face.em

    def _blocks(self, columns: int) -> Blocks:
        room = self.options.width_mm - 2 * self.face.margin
        width = (room - (columns - 1) * self._between) / columns
        return Blocks(
            cell=self.cell,
            counts=self.counts,
            width=width - self.gutter,
            dpi=self.options.dpi,
            before=1.15 * self.face.line() if self.options.labels else 0.0,
            after=0.25 * self.face.line(),
            least=_NUMBER_HEIGHT * self.face.em if self.gutter else 0.0,
        )


def _split(heights: Sequence[int], columns: int) -> list[tuple[int, int]]:
    """Ranges of up to ``columns`` groups in order, the tallest as low as can be."""
    low, high = max(heights), sum(heights)
    while low < high:
        middle = (low + high) // 2
        if len(_packed(heights, middle)) <= columns:
            high = middle
        else:
            low = middle + 1
    return _packed(heights, low)


def _packed(heights: Sequence[int], most: int) -> list[tuple[int, int]]:
    """Ranges of groups that are filled one after the other up to ``most``."""
    groups: list[tuple[int, int]] = []
    first, filled = 0, 0
    for number, height in enumerate(heights):
        if filled + height > most and number > first:
            groups.append((first, number))
            first, filled = number, 0
        filled += height
    return [*groups, (first, len(heights))]
