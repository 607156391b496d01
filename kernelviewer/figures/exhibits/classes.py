"""Exhibit: random kernels of every class.

Babaiee et al. (ICLR 2024), figure 5.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from kernelviewer.figures.content import FigureError, Table
from kernelviewer.figures.counts import (
    coding_of,
    count,
    count_labels,
    coverage_sentence,
    labels_of,
    listed,
    listing,
    named,
)
from kernelviewer.figures.fonts import Face
from kernelviewer.figures.kernels import (
    blocks_arrays,
    colour_blocks,
    draw_some,
    gather_block,
)
from kernelviewer.figures.legend import draw_scale_bar, scale_bar_height
from kernelviewer.figures.page import Page, title_height, usual_height
from kernelviewer.figures.tiling import Blocks
from kernelviewer.kernels.bank import size_label
from kernelviewer.kernels.classes import CLASSES, class_shown
from kernelviewer.text import percent
from kernelviewer.watch import NEVER

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kernelviewer.figures.counts import Counts
    from kernelviewer.figures.kernels import Block
    from kernelviewer.figures.options import FigureOptions
    from kernelviewer.figures.scene import Scene, Yardstick
    from kernelviewer.figures.tiling import Tiling
    from kernelviewer.kernels.bank import Size
    from kernelviewer.watch import Watch


_MOST = 100
_CELL, _SEEN = 2.4, 1.6
"""Width of a kernel, and least height beside a caption, in units of the font."""
_HIGH = {0: 0.0, 1: 1.2, 2: 2.3}
"""Least height of a row with so many lines of text, in the same units."""


@dataclass(frozen=True, eq=False)
class ClassesContent:
    """Samples of each class; ``codes`` [n] and ``fits`` [n] go with each block."""

    networks: tuple[str, ...]
    size: Size
    counts: Counts
    blocks: tuple[Block, ...]
    fits: tuple[NDArray[np.float32], ...]
    yardstick: Yardstick
    seed: int

    @property
    def rows(self) -> list[int]:
        """The classes that have one, indices into `CLASSES`."""
        return listed(self.yardstick, self.counts)

    def draw(self, options: FigureOptions, watch: Watch = NEVER) -> Page:
        """A row for each class: colour, name, count and share, kernels."""
        face = Face.of(options)
        tiling, lines = self._arrange(options, face)
        names = _names_width(self.rows, self.counts, face, lines)
        top, foot = title_height(options, face), scale_bar_height(options, face)
        height = top + tiling.height + foot + face.margin
        page = Page(options, max(height, options.height_mm or 0.0), face)
        page.title()
        shown = [block.take(slice(tiling.per_row)) for block in self.blocks]
        left = page.margin + names
        tiling.draw(page, colour_blocks(shown, options), left, top, watch)
        if lines:
            self._draw_names(page, tiling, page.snap(top), lines)
        draw_scale_bar(page, page.height - page.margin)
        return page

    def caption(self) -> str:
        """What the rows are, and how much is identified."""
        return (
            f"Random {size_label(self.size)} kernels of each class of "
            f"{listing(self.networks)} (seed {self.seed}), with the number of kernels "
            f"and their share of all {count(self.counts.kernels)}. "
            + coverage_sentence(self.counts.coverage, self.yardstick)
        )

    def table(self) -> Table:
        """A row for each class."""
        total, numbers = max(self.counts.kernels, 1), self.counts.by_class[self.rows]
        return Table(
            {
                "class": [CLASSES[row].id for row in self.rows],
                "kernels": numbers.tolist(),
                "share": (numbers / total).tolist(),
            }
        )

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The samples, their classes and fits."""
        arrays = blocks_arrays(self.blocks)
        arrays["class"] = arrays.pop("layer")
        arrays["classes"] = np.array([CLASSES[row].id for row in self.rows])
        arrays["fit"] = np.concatenate(self.fits)
        arrays["counts"] = self.counts.by_class[self.rows]
        del arrays["layers"]
        return arrays

    def _arrange(self, options: FigureOptions, face: Face) -> tuple[Tiling, int]:
        """The tiling, and in how many lines a class's name and numbers stand."""
        rooms = [(usual_height(options), 0.0)]
        if options.height_mm is None:  # rather a higher page than tiny kernels
            rooms = [(rooms[0][0], _SEEN), (math.inf, 0.0)]
        for room, least in rooms:
            for lines in (2, 1) if options.labels else (0,):
                tiling = self._tile(options, face, lines, room)
                if tiling and tiling.cell_height >= least * face.em:
                    return tiling, lines
        raise FigureError(
            "the classes do not fit into this size",
            "Make the figure larger, or show fewer samples.",
        )

    def _tile(
        self, options: FigureOptions, face: Face, lines: int, room: float
    ) -> Tiling | None:
        """As many kernels in a row as fit, as large as ``room`` mm of height allow."""
        plan = Blocks(
            cell=self.blocks[0].cell,
            counts=(1,) * len(self.blocks),
            width=options.width_mm
            - 2 * face.margin
            - _names_width(self.rows, self.counts, face, lines),
            dpi=options.dpi,
            after=0.15 * face.em,
            least=_HIGH[lines] * face.em,
        )
        room -= title_height(options, face) + face.margin
        room -= scale_bar_height(options, face)
        largest = _CELL * face.em
        if options.samples:
            plan = replace(plan, per_row=options.samples)
            largest = max(plan.width / options.samples, 1.0)
        return plan.fit(room, largest)

    def _draw_names(self, page: Page, tiling: Tiling, top: float, lines: int) -> None:
        face, em = page.face, page.face.em
        kernels = page.margin + _names_width(self.rows, self.counts, face, lines)
        for row, y in zip(self.rows, tiling.tops(top), strict=True):
            item, number = class_shown(row), int(self.counts.by_class[row])
            high = max(tiling.cell_height, _HIGH[lines] * em)
            page.class_box(item, page.margin, y, 0.5 * em, high, f"class-{item.id}")
            x, baseline = page.margin + em, y + high / 2 + 0.36 * em
            facts = _facts(number, self.counts.kernels)
            if lines == 2:
                page.text(x, baseline - 0.55 * em, item.short, weight="bold")
                page.note(x, baseline + 0.6 * em, facts)
            else:
                page.text(x, baseline, item.short, weight="bold")
                right = kernels - em
                page.note(right, baseline, facts, align="right")
            if not number:
                page.note(kernels, baseline, "none")


def prepare_classes(
    scene: Scene, options: FigureOptions, watch: Watch = NEVER
) -> ClassesContent:
    """Draw kernels of each class at random from all networks of the scene.

    Raises
    ------
    FigureError
        The kernels have no classes, or none are shown.
    """
    yardstick = named(scene)
    if not scene.count:
        raise FigureError("no kernels are shown", "Show a layer or another size.")
    subjects = scene.pooled.subjects
    owner = np.concatenate([np.full(len(s.index), i) for i, s in enumerate(subjects)])
    index = np.concatenate([subject.index for subject in subjects])
    label = np.concatenate([labels_of(s, yardstick)[s.index] for s in subjects])
    fit = [coding_of(subject).fit for subject in subjects]
    blocks, fits = [], []
    counts = count_labels(label)
    for number in listed(yardstick, counts):
        watch.check()
        members = np.flatnonzero(label == number)
        chosen = draw_some(members, _MOST, options.seed, number)
        # the order of the draw, not of the layers: any first few are a fair sample
        chosen = np.random.default_rng((options.seed, number)).permutation(chosen)
        place = owner[chosen], index[chosen]
        blocks.append(gather_block(scene.subjects, *place, CLASSES[number].id))
        fits.append(
            np.array([fit[i][k] for i, k in zip(*place, strict=True)], np.float32)
        )
    return ClassesContent(
        networks=tuple(subject.name for subject in scene.subjects),
        size=scene.size,
        counts=counts,
        blocks=tuple(blocks),
        fits=tuple(fits),
        yardstick=yardstick,
        seed=options.seed,
    )


def _facts(number: int, total: int) -> str:
    return f"{count(number)} · {percent(number / max(total, 1))}"


def _names_width(rows: list[int], counts: Counts, face: Face, lines: int) -> float:
    """Room in mm for the names and numbers left of the kernels."""
    if not lines:
        return 0.0
    names = max(face.width(class_shown(row).short, weight="bold") for row in rows)
    facts = max(face.width(_facts(int(n), counts.kernels)) for n in counts.by_class)
    if lines == 1:
        return names + facts + 3 * face.em
    return max(names, facts) + 2 * face.em
