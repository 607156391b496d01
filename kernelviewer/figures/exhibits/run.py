"""Exhibits of a training run: share of each class, and when kernels formed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from kernelviewer.figures.chart import Chart, axis_height, chart_height
from kernelviewer.figures.comparing import run_of, ticks_of
from kernelviewer.figures.content import Table, too_low, too_narrow
from kernelviewer.figures.counts import (
    Counts,
    count,
    count_labels,
    coverage_facts,
    coverage_sentence,
    listed,
    named,
    short_names,
)
from kernelviewer.figures.fonts import Face
from kernelviewer.figures.legend import HATCH, Legend, class_entries
from kernelviewer.figures.page import Page, title_height
from kernelviewer.kernels.bank import size_label
from kernelviewer.kernels.classes import CLASSES, FLAT, classes_shown
from kernelviewer.kernels.series import places_of
from kernelviewer.latent.film import Formation, formation_steps
from kernelviewer.text import percent
from kernelviewer.watch import NEVER

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kernelviewer.figures.comparing import Run
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
        face = Face.of(options)
        em, room = face.em, options.width_mm - 2 * face.margin
        axis = face.width("100 %") + 0.6 * em
        after = face.width(str(self.run.numbers[-1])) / 2
        if room - axis - after < _LEAST_ROOM * em:
            raise too_narrow("the shares do not fit")
        total = self.counts.sum(axis=0)
        entries = class_entries(np.flatnonzero(total).tolist(), options)
        legend = Legend(entries, face, room)
        top = title_height(options, face)
        rest = top + _HEAD * em + axis_height(em, options.labels) + 0.6 * em
        rest += legend.height + face.margin
        sizes = (rest, _CHART * em, _LEAST_CHART * em)
        high = chart_height(options, *sizes, "the shares do not fit")
        page = Page(options, rest + high, face)
        page.title()
        x = page.margin
        kernels = count(int(self.counts[-1].sum()), "kernel")
        page.heading(x, top + em, f"{self.run.name}, {kernels}", room, "a")
        facts = coverage_facts(self._last.coverage, self.yardstick)
        longest = f"at {self.run.unit} {self.run.numbers[-1]}: {facts[0]}"
        text = face.first_fitting([longest, *facts], room)
        page.note(x, top + 2.25 * em, text)
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
        names = [subject.name for subject in self.run.subjects]
        steps = zip(self.run.numbers, names, self.counts.tolist(), strict=True)
        rows = [
            (number, name, CLASSES[kind].id, row[kind], row[kind] / max(sum(row), 1))
            for number, name, row in steps
            for kind in self.classes
        ]
        return Table.of_rows(("step", "source", "class", "kernels", "share"), rows)

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


_ROWS_HEAD, _PITCH, _LEAST_ROWS, _NAMES = 4.2, 1.7, 6.0, 14.0
_LEAST_PITCH = 0.35
"""Lengths in units of the font size; the last: rows may be so narrow, without names."""
_FORMED = "formed"


@dataclass(frozen=True, eq=False)
class FormationContent:
    """When each kernel formed, and in which layer it is."""

    run: Run
    formation: Formation
    size: Size
    yardstick: Yardstick

    def draw(self, options: FigureOptions, watch: Watch = NEVER) -> Page:
        """A row for each layer: a dot at the median, a line between the quartiles."""
        face = Face.of(options)
        rows = _Rows.of(self, options, face)
        em, room = face.em, options.width_mm - 2 * face.margin
        top = title_height(options, face)
        head = _ROWS_HEAD * em
        rest = top + head + axis_height(em, options.labels) + face.margin
        pitch = _PITCH * em
        if options.height_mm is not None:
            pitch = min(pitch, (options.height_mm - rest) / rows.number)
            if pitch < _LEAST_PITCH * em:
                raise too_low("the layers do not fit", options)
        high = pitch * rows.number
        page = Page(options, max(rest + high, options.height_mm or 0.0), face)
        page.title()
        x = page.margin
        kernels = count(len(self.formation.first), "kernel")
        page.heading(x, top + em, f"{self.run.name}, {kernels}", room, "a")
        share = self.formation.formed / max(len(self.formation.first), 1)
        noise = percent(self.yardstick.null_coverage)
        texts = (
            f"{percent(share)} formed by the end (white noise {noise})",
            f"{percent(share)} (noise {noise})",
            percent(share),
        )
        facts = face.first_fitting(texts, room)
        page.note(x, top + 2.25 * em, facts)
        watch.check()
        wide = room - rows.left - rows.right
        chart = Chart(
            page, x + rows.left, top + head, wide, high, (0, 1), (0, rows.number)
        )
        self._draw_rows(page, chart, rows, pitch)
        return page

    def caption(self) -> str:
        """What a formation step is, and how many kernels have one."""
        median = self.formation.median_step
        told = "" if median is None else f", half of them by {self.run.unit} {median:g}"
        formed = count(self.formation.formed, "kernel")
        return (
            f"When the {size_label(self.size)} kernels of {self.run.name} formed: the "
            f"first {self.run.unit} from which class and a fit of "
            f"{self.yardstick.least} or more stay to the end "
            f"({self.yardstick.words}). Dots are the layers' medians, lines the "
            f"quartiles of the kernels that formed, from input (top) to output. "
            f"{self.run.sentence()} {formed} of {count(len(self.formation.first))} "
            f"formed{told}; white noise reaches the fit in "
            f"{percent(self.yardstick.null_coverage)}."
        )

    def table(self) -> Table:
        """A row for each layer."""
        layers = self.formation.of_layers()
        return Table.of_rows(
            ("source", "layer", "kernels", "formed", "median_step"),
            [(self.run.name, *facts, "" if m is None else m) for *facts, m in layers],
        )

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Steps, and for each kernel its layer, channel and formation, −1: never."""
        return {
            "steps": np.array(self.run.numbers),
            "layers": np.array(self.formation.layers),
            "layer": self.formation.layer,
            "channel": self.run.channel,
            "formation": self.formation.first,
        }

    def _draw_rows(self, page: Page, chart: Chart, rows: _Rows, pitch: float) -> None:
        em, options = page.face.em, page.options
        places = np.array(places_of(self.run.numbers, options.time))
        ticks = ticks_of(self.run.numbers, places.tolist())
        for place in ticks:
            at = chart.right(place)
            page.line(
                [at, at], [chart.y, chart.y + chart.height], colour=page.ink.neutral
            )
        every = max(1, int(np.ceil(page.face.line() / pitch)))
        formation = self.formation
        for number, (_, kernels, formed, _) in enumerate(formation.of_layers()):
            middle = chart.y + (number + 0.5) * pitch
            first = formation.first[formation.layer == number]
            there = places[first[first >= 0]]
            if len(there):
                least, median, most = np.quantile(there, (0.25, 0.5, 0.75))
                left, right = chart.right(float(least)), chart.right(float(most))
                high = min(0.2 * em, 0.3 * pitch)
                page.rectangle(
                    left, middle - high / 2, right - left, high, page.ink.negative
                )
                radius = min(0.32 * em, 0.45 * pitch)
                page.dot(chart.right(float(median)), middle, radius, page.ink.text)
            if options.labels and number % every == 0:
                base, x = middle + 0.36 * em, page.margin
                page.text(x, base, rows.names[number], gid="layer")
                text, right = f"{formed} / {kernels}", page.width - page.margin
                page.note(right, base, text, align="right")
        if options.labels:
            page.note(
                page.width - page.margin, chart.y - 0.5 * em, _FORMED, align="right"
            )
        chart.x_axis(list(ticks), self.run.unit, ticks.__getitem__)


@dataclass(frozen=True, slots=True)
class _Rows:
    """Names of the layers, how many, and room left and right of the chart, mm."""

    names: tuple[str, ...]
    number: int
    left: float
    right: float

    @classmethod
    def of(cls, content: FormationContent, options: FigureOptions, face: Face) -> _Rows:
        """Names as long as there is room for them."""
        em, room = face.em, options.width_mm - 2 * face.margin
        layers = content.formation.of_layers()
        end = face.width(str(content.run.numbers[-1])) / 2
        begin = face.width(str(content.run.numbers[0])) / 2
        if not options.labels:
            return cls((), len(layers), begin, end)
        counts = [f"{formed} / {kernels}" for _, kernels, formed, _ in layers]
        right = max(map(face.width, (*counts, _FORMED))) + max(0.6 * em, end)
        spare = room - right - _LEAST_ROWS * em
        longest = min(_NAMES * em, spare - max(0.6 * em, begin))
        if longest < 2 * em:
            raise too_narrow("the layers do not fit")
        short = short_names([name for name, *_ in layers])
        names = tuple(face.elide(name, longest) for name in short)
        left = max(map(face.width, names)) + max(0.8 * em, begin)
        return cls(names, len(layers), left, right)


def prepare_formation(
    scene: Scene, options: FigureOptions, watch: Watch = NEVER
) -> FormationContent:
    """Find when what is shown formed.

    Raises
    ------
    FigureError
        The kernels have no classes, or none are shown.
    """
    yardstick = named(scene)
    run = run_of(scene, watch)
    first = formation_steps(run.labels(scene))
    layer = run.layer.astype(np.int32)
    formation = Formation(first, layer, run.layers, run.numbers)
    return FormationContent(run, formation, scene.size, yardstick)
