"""Exhibit: share of each class along a training run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from kernelviewer.figures.chart import Chart, axis_height
from kernelviewer.figures.comparing import run_of, ticks_of
from kernelviewer.figures.content import Table
from kernelviewer.figures.counts import (
    Counts,
    count,
    count_labels,
    coverage_facts,
    coverage_sentence,
    listed,
    named,
)
from kernelviewer.figures.errors import FigureError
from kernelviewer.figures.fonts import Face, figure_style
from kernelviewer.figures.legend import HATCH, Legend, class_entries
from kernelviewer.figures.page import Page, title_height
from kernelviewer.kernels.bank import size_label
from kernelviewer.kernels.classes import CLASSES, FLAT, classes_shown
from kernelviewer.kernels.series import places_of
from kernelviewer.watch import NEVER

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kernelviewer.figures.comparing import Run
    from kernelviewer.figures.legend import Entry
    from kernelviewer.figures.options import FigureOptions
    from kernelviewer.figures.scene import Scene, Yardstick
    from kernelviewer.kernels.bank import Size
    from kernelviewer.kernels.classes import PatternClass
    from kernelviewer.watch import Watch

_HEAD, _CHART, _LEAST_CHART, _LEAST_ROOM = 4.0, 18.0, 5.0, 8.0
"""Lengths in units of the font size."""


@dataclass(frozen=True, eq=False)
class SharesContent:
    """Kernels of each class at each step: ``counts`` int [S, classes]."""

    run: Run
    counts: NDArray[np.int64]
    size: Size
    yardstick: Yardstick

    def draw(self, options: FigureOptions, watch: Watch = NEVER) -> Page:
        """Shares stacked over the steps, the classes' colours below."""
        with figure_style():
            face = Face.of(options)
            em, room = face.em, options.width_mm - 2 * face.margin
            axis = face.width("100 %") + 0.6 * em
            after = face.width(str(self.run.numbers[-1])) / 2
            if room - axis - after < _LEAST_ROOM * em:
                problem = "the shares do not fit into this width"
                raise FigureError(
                    problem, "Make the figure wider, or its font smaller."
                )
            legend = Legend(self._entries(options), face, room)
            top = title_height(options, face)
            rest = top + _HEAD * em + axis_height(em, options.labels) + 0.6 * em
            rest += legend.height + face.margin
            high = _CHART * em
            if options.height_mm is not None:
                high = options.height_mm - rest
                if high < _LEAST_CHART * em:
                    problem = f"the shares do not fit into {options.height_mm:g} mm"
                    raise FigureError(problem, "Make the figure higher.")
            page = Page(options, rest + high, face)
            page.title()
            x = page.margin
            kernels = count(int(self.counts[-1].sum()), "kernel")
            page.heading(x, top + em, f"{self.run.name}, {kernels}", room, "a")
            facts = coverage_facts(self._last.coverage, self.yardstick)
            longest = f"at {self.run.unit} {self.run.numbers[-1]}: {facts[0]}"
            text = face.first_fitting([longest, *facts], room)
            page.text(x, top + 2.25 * em, text, colour=page.ink.secondary)
            watch.check()
            y, wide = top + _HEAD * em, room - axis - after
            chart = Chart(page, x + axis, y, wide, high, (0.0, 1.0), (0.0, 1.0))
            self._draw_areas(page, chart, options)
            legend.draw(page, x, page.height - page.margin - legend.height)
            return page

    def caption(self) -> str:
        """What is stacked, over which steps, and how much is identified at the end."""
        told = coverage_sentence(self._last.coverage, self.yardstick)
        return (
            f"Share of each class among the {size_label(self.size)} kernels of "
            f"{self.run.name} along its training: {self.run.sentence()} "
            f"{told.replace('Identified', 'Identified at the end', 1)}"
        )

    def table(self) -> Table:
        """A row for each step and class."""
        columns: dict[str, list[Any]] = {
            name: [] for name in ("step", "source", "class", "kernels", "share")
        }
        for number, subject, row in zip(
            self.run.numbers, self.run.subjects, self.counts, strict=True
        ):
            for kind in self.classes:
                kernels = int(row[kind])
                columns["step"].append(number)
                columns["source"].append(subject.name)
                columns["class"].append(CLASSES[kind].id)
                columns["kernels"].append(kernels)
                columns["share"].append(kernels / max(int(row.sum()), 1))
        return Table(columns)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Steps, classes and counts [S, classes]."""
        return {
            "steps": np.array(self.run.numbers),
            "classes": np.array([CLASSES[kind].id for kind in self.classes]),
            "counts": self.counts[:, self.classes],
        }

    @property
    def classes(self) -> list[int]:
        """Those that are listed, indices into `CLASSES`."""
        return listed(self.yardstick, Counts(self.counts.sum(axis=0)))

    @property
    def _last(self) -> Counts:
        return Counts(self.counts[-1])

    def _entries(self, options: FigureOptions) -> list[Entry]:
        if not options.legend:
            return []
        total = self.counts.sum(axis=0)
        return class_entries(np.flatnonzero(total).tolist(), options)

    def _draw_areas(self, page: Page, chart: Chart, options: FigureOptions) -> None:
        places = places_of(self.run.numbers, options.time)
        shares = self.counts / np.maximum(self.counts.sum(axis=1, keepdims=True), 1)
        xs = places if len(places) > 1 else [0.0, 1.0]
        shares = shares if len(places) > 1 else np.repeat(shares, 2, axis=0)
        right = [chart.right(place) for place in xs]
        below = np.zeros(len(xs))
        marks: list[tuple[PatternClass, float, float, float, float]] = []
        for number, kind in enumerate(classes_shown()):
            above = below + shares[:, number]
            if shares[:, number].any():
                up = [chart.up(value) for value in above]
                down = [chart.up(value) for value in below]
                page.area(
                    [*right, *right[::-1]],
                    [*up, *down[::-1]],
                    page.ink.of_class(kind),
                    hatch=HATCH if kind is FLAT else "",
                    gid=f"shares-{kind.id}",
                )
                widest = int(shares[:, number].argmax())
                room = 2.4 * page.face.em
                left = min(max(right[widest] - room / 2, right[0]), right[-1] - room)
                marks.append((kind, left, up[widest], room, down[widest] - up[widest]))
            below = above
        for kind, *place in marks:
            page.class_mark(kind, *place)
        for at in right[1:-1]:
            page.line(
                [at, at], [chart.y, chart.y + chart.height], colour=page.ink.paper
            )
        ticks = ticks_of(self.run.numbers, places)
        chart.x_axis(list(ticks), self.run.unit, ticks.__getitem__)
        chart.y_axis([0.0, 0.5, 1.0], lambda share: f"{100 * share:.0f} %")


def prepare_shares(
    scene: Scene, options: FigureOptions, watch: Watch = NEVER
) -> SharesContent:
    """Count the classes of what is shown at each step.

    Raises
    ------
    FigureError
        The kernels have no classes, or none are shown.
    """
    yardstick = named(scene)
    run = run_of(scene, watch)
    counts = [count_labels(row.astype(np.int64)).by_class for row in run.labels(scene)]
    return SharesContent(run, np.stack(counts), scene.size, yardstick)
