"""Exhibit: kernels as film strips, their states along a training run side by side."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from kernelviewer.figures.comparing import run_of
from kernelviewer.figures.content import FigureError, Table, too_narrow
from kernelviewer.figures.counts import short_names
from kernelviewer.figures.fonts import Face
from kernelviewer.figures.kernels import Block, colour_blocks, spread
from kernelviewer.figures.legend import draw_scale_bar, scale_bar_height
from kernelviewer.figures.page import Page, title_height
from kernelviewer.figures.tiling import Blocks
from kernelviewer.kernels.bank import size_label
from kernelviewer.watch import NEVER

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kernelviewer.figures.comparing import Run
    from kernelviewer.figures.options import FigureOptions
    from kernelviewer.figures.scene import Scene
    from kernelviewer.figures.tiling import Tiling
    from kernelviewer.kernels.bank import Size
    from kernelviewer.watch import Watch

_USUAL = 3
"""Kernels of a layer, if nothing else is wished."""
_MOST = 100
_CELL, _LEAST_CELL, _NAME, _BETWEEN = 2.6, 1.2, 1.4, 2.0
"""Lengths in units of the font size: kernels, room for a name, between columns."""
_ROOM = 400.0


@dataclass(frozen=True, eq=False)
class StripsContent:
    """Kernels at every step."""

    run: Run
    blocks: tuple[Block, ...]
    """For each layer the chosen kernels [n · S], a kernel's S states in turn."""
    size: Size
    seed: int

    def draw(self, options: FigureOptions, watch: Watch = NEVER) -> Page:
        """The strips of each layer below its name, in columns."""
        face = Face.of(options)
        top, foot = title_height(options, face), scale_bar_height(options, face)
        rest = top + foot + face.margin + (1.3 * face.em if options.labels else 0)
        layout = _Layout.of(self, options, face, rest)
        page = Page(options, max(rest + layout.height, options.height_mm or 0.0), face)
        page.title()
        numbers = [self.run.numbers[step] for step in layout.steps]
        start = top + (1.3 * face.em if options.labels else 0)
        for column in range(layout.columns):
            here = layout.layers[column :: layout.columns]
            if not here:
                continue
            watch.check()
            x = page.snap(page.margin + column * layout.pitch)
            blocks = [_only(b, layout.steps, len(self.run), layout.each) for b in here]
            tiling = layout.plan(blocks).tile(layout.tap_pixels)
            y = page.snap(start)
            tiling.draw(page, colour_blocks(blocks, options), x, y, watch)
            if options.labels:
                _draw_numbers(page, tiling, x, top + face.em, numbers)
                names = layout.names[column :: layout.columns]
                for name, at in zip(names, tiling.tops(y), strict=True):
                    text = face.elide(name, tiling.width)
                    page.text(x, at - 0.35 * face.em, text, gid="layer")
        draw_scale_bar(page, page.height - page.margin)
        return page

    def caption(self) -> str:
        """Whose kernels, and at which steps."""
        return (
            f"Random {size_label(self.size)} kernels of {self.run.name} along its "
            f"training, a row each, from left to right: {self.run.sentence()} Layers "
            f"from input to output (seed {self.seed})."
        )

    def table(self) -> Table:
        """A row for each kernel and step with its weights."""
        weights = np.concatenate([b.weights.reshape(len(b), -1) for b in self.blocks])
        steps, kernels = len(self.run), len(weights) // len(self.run)
        columns: dict[str, Any] = {
            "step": list(self.run.numbers) * kernels,
            "source": [subject.name for subject in self.run.subjects] * kernels,
            "layer": np.repeat(
                [block.layer for block in self.blocks], list(map(len, self.blocks))
            ).tolist(),
            "channel": np.concatenate([b.channel for b in self.blocks]).tolist(),
        }
        assert len(columns["layer"]) == steps * kernels
        columns |= {f"w{i}": column.tolist() for i, column in enumerate(weights.T)}
        return Table(columns)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Kernels [n, S, *size] with layer and channel [n], and the steps."""
        steps, size = len(self.run), self.blocks[0].weights.shape[1:]
        lengths = [len(block) // steps for block in self.blocks]
        return {
            "steps": np.array(self.run.numbers),
            "kernels": np.concatenate([b.weights for b in self.blocks]).reshape(
                -1, steps, *size
            ),
            "channel": np.concatenate([b.channel[::steps] for b in self.blocks]),
            "layer": np.repeat(np.arange(len(lengths)), lengths),
            "layers": np.array([block.layer for block in self.blocks]),
        }


@dataclass(frozen=True, eq=False)
class _Layout:
    """How much of the strips is drawn, and where; lengths in mm."""

    layers: tuple[Block, ...]
    names: tuple[str, ...]
    """Blocks of the layers that are drawn."""
    steps: tuple[int, ...]
    """Which steps."""
    each: int
    """Kernels of a layer."""
    columns: int
    pitch: float
    """Layers beside each other, and the distance from one to the next."""
    tap_pixels: int
    height: float
    options: FigureOptions
    face: Face

    @classmethod
    def of(
        cls, content: StripsContent, options: FigureOptions, face: Face, rest: float
    ) -> _Layout:
        """All steps where they fit, else some at even distances; so with layers."""
        em, room = face.em, options.width_mm - 2 * face.margin
        total = len(content.run)
        cell = content.blocks[0].cell
        each = options.samples or _USUAL
        for steps in range(total, 0, -1):
            plan = Blocks(cell, (steps,), room, options.dpi, per_row=steps)
            one = plan.fit(1e6, _CELL * em)
            least = max(_LEAST_CELL * em, max(cell) * 25.4 / options.dpi)
            if one is not None and one.tap * max(cell) >= min(least, _CELL * em) * 0.99:
                break
            if steps == min(2, total) and one is not None:
                break
        if one is None or room < 5 * em:
            raise too_narrow("the strips do not fit")
        columns = max(1, int((room + _BETWEEN * em) // (one.width + _BETWEEN * em)))
        columns = min(columns, len(content.blocks))
        names = short_names([block.layer for block in content.blocks])
        layout = cls(
            content.blocks,
            tuple(names),
            tuple(spread(range(total), steps)),
            each,
            columns,
            one.width + _BETWEEN * em,
            one.tap_pixels,
            0.0,
            options,
            face,
        )
        return layout._in_height(rest)

    def _in_height(self, rest: float) -> _Layout:
        """With as many layers as there is room for."""
        room = (self.options.height_mm or max(_ROOM, rest + 1)) - rest
        pairs = list(zip(self.layers, self.names, strict=True))
        for lines in range(-(-len(pairs) // self.columns), 0, -1):
            chosen = spread(pairs, lines * self.columns)
            found = replace(
                self,
                layers=tuple(block for block, _ in chosen),
                names=tuple(name for _, name in chosen),
            )
            first = list(found.layers[:: self.columns])
            first = [_only(b, self.steps, self._total, self.each) for b in first]
            high = self.plan(first).tile(self.tap_pixels).height
            if high <= room or (lines == 1 and self.options.height_mm is None):
                return replace(found, height=high)
        problem = f"the strips do not fit into {self.options.height_mm:g} mm"
        raise FigureError(problem, "Make the figure higher, or show fewer samples.")

    @property
    def _total(self) -> int:
        return max(self.steps) + 1

    def plan(self, blocks: list[Block]) -> Blocks:
        """The blocks of a column; all have as many rows as wished."""
        named = _NAME * self.face.em if self.options.labels else 0.0
        lengths = tuple(self.each * len(self.steps) for _ in blocks)
        return Blocks(
            self.layers[0].cell,
            lengths,
            self.options.width_mm,
            self.options.dpi,
            before=named,
            after=0.3 * self.face.em,
            per_row=len(self.steps),
        )


def _only(block: Block, steps: tuple[int, ...], total: int, each: int) -> Block:
    """The first ``each`` strips of a block, and only these of its ``total`` steps."""
    kernels = min(each, len(block) // total)
    chosen = np.arange(kernels)[:, None] * total + np.array(steps)
    return block.take(chosen.ravel())


def _draw_numbers(
    page: Page, tiling: Tiling, x: float, y: float, numbers: list[int]
) -> None:
    """The steps above a column's first strips; of names that would touch not all."""
    pitch = (tiling.cell[1] + tiling.gap) * tiling.tap
    taken: list[tuple[float, float]] = []
    last = len(numbers) - 1
    for step in [last, 0, *range(1, last)]:
        text, size = str(numbers[step]), 0.85 * page.face.size
        half = page.face.width(text, size) / 2
        at = x + step * pitch + tiling.cell[1] * tiling.tap / 2
        at = min(max(at, x + half), x + tiling.width - half)
        near = 0.25 * page.face.em
        if any(at - half - near < b and at + half + near > a for a, b in taken):
            continue
        taken.append((at - half, at + half))
        colour = page.ink.secondary
        page.text(at, y, text, size=size, align="center", colour=colour, gid="step")


def prepare_strips(
    scene: Scene, options: FigureOptions, watch: Watch = NEVER
) -> StripsContent:
    """Draw kernels of each layer that is shown at random.

    Raises
    ------
    FigureError
        No kernels are shown.
    """
    run = run_of(scene, watch)
    blocks = []
    for number, layer in enumerate(run.layers):
        watch.check()
        mine = np.flatnonzero(run.layer == number)
        chosen = np.random.default_rng((options.seed, number)).permutation(mine)[:_MOST]
        parts = [
            (subject.kernels, index[chosen])
            for subject, index in zip(run.subjects, run.index, strict=True)
        ]
        weights = np.stack([kernels.weights[i] for kernels, i in parts], axis=1)
        flat = np.stack([kernels.flat[i] for kernels, i in parts], axis=1)
        blocks.append(
            Block(
                run.name,
                layer,
                weights.reshape(-1, *scene.size),
                run.channel[chosen].repeat(len(run)),
                flat.ravel(),
                len(mine),
            )
        )
    return StripsContent(run, tuple(blocks), scene.size, options.seed)
