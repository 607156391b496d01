"""Exhibit: at which step of a training run the kernels of each layer formed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from kernelviewer.figures.chart import Chart, axis_height
from kernelviewer.figures.comparing import run_of, ticks_of
from kernelviewer.figures.content import Table
from kernelviewer.figures.counts import count, fit_text, named, percent, short_names
from kernelviewer.figures.errors import FigureError
from kernelviewer.figures.fonts import Face, figure_style
from kernelviewer.figures.page import Page, title_height
from kernelviewer.kernels.bank import size_label
from kernelviewer.kernels.series import places_of
from kernelviewer.latent.film import Formation, formation_steps
from kernelviewer.watch import NEVER

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kernelviewer.figures.comparing import Run
    from kernelviewer.figures.options import FigureOptions
    from kernelviewer.figures.scene import Scene, Yardstick
    from kernelviewer.kernels.bank import Size
    from kernelviewer.watch import Watch

_HEAD, _PITCH, _LEAST_ROOM, _NAMES = 4.2, 1.7, 6.0, 14.0
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
        with figure_style():
            face = Face.of(options)
            rows = _Rows.of(self, options, face)
            em, room = face.em, options.width_mm - 2 * face.margin
            top = title_height(options, face)
            head = _HEAD * em
            rest = top + head + axis_height(em, options.labels) + face.margin
            pitch = _PITCH * em
            if options.height_mm is not None:
                pitch = min(pitch, (options.height_mm - rest) / rows.number)
                if pitch < _LEAST_PITCH * em:
                    problem = f"the layers do not fit into {options.height_mm:g} mm"
                    raise FigureError(problem, "Make the figure higher.")
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
            page.text(x, top + 2.25 * em, facts, colour=page.ink.secondary)
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
            f"{fit_text(self.yardstick.threshold)} or more stay to the end "
            f"({self.yardstick.words}). Dots are the layers' medians, lines the "
            f"quartiles of the kernels that formed, from input (top) to output. "
            f"{self.run.sentence()} {formed} of {count(len(self.formation.first))} "
            f"formed{told}; white noise reaches the fit in "
            f"{percent(self.yardstick.null_coverage)}."
        )

    def table(self) -> Table:
        """A row for each layer."""
        layers = self.formation.of_layers()
        return Table(
            {
                "source": [self.run.name] * len(layers),
                "layer": [name for name, *_ in layers],
                "kernels": [kernels for _, kernels, *_ in layers],
                "formed": [formed for *_, formed, _ in layers],
                "median_step": ["" if m is None else m for *_, m in layers],
            }
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
                page.text(right, base, text, align="right", colour=page.ink.secondary)
        if options.labels:
            page.text(
                page.width - page.margin,
                chart.y - 0.5 * em,
                _FORMED,
                align="right",
                colour=page.ink.secondary,
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
        spare = room - right - _LEAST_ROOM * em
        longest = min(_NAMES * em, spare - max(0.6 * em, begin))
        if longest < 2 * em:
            problem = "the layers do not fit into this width"
            raise FigureError(problem, "Make the figure wider, or its font smaller.")
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
