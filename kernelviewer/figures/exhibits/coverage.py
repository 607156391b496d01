"""Exhibit: how much of each network is identified, against how accurate it is.

Reviewers of Babaiee et al. (ICLR 2024) asked whether the two go together.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from kernelviewer.figures.chart import Chart, axis_height, chart_height
from kernelviewer.figures.content import FigureError, Table, too_narrow
from kernelviewer.figures.counts import Counts, count, counted_networks, named
from kernelviewer.figures.exhibits import AGAINST
from kernelviewer.figures.fonts import Face
from kernelviewer.figures.page import Page, title_height
from kernelviewer.kernels.bank import size_label
from kernelviewer.text import percent
from kernelviewer.watch import NEVER

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kernelviewer.figures.options import FigureOptions
    from kernelviewer.figures.scene import Scene, Yardstick
    from kernelviewer.kernels.bank import Size
    from kernelviewer.watch import Watch

_CHART, _LEAST_CHART, _LEAST_ROOM = 22.0, 5.0, 8.0
_DOT, _NAME = 0.32, 14.0
"""Lengths in units of the font size."""
_MOST_NAMED = 40
_FEWEST = 3


@dataclass(frozen=True, eq=False)
class CoverageContent:
    """The networks that have both numbers: ``x`` and ``coverage`` float64 [n].

    ``is_accuracy``: x is that, called ``what``; else the kernels. ``without`` is how
    many networks lack one of the two.
    """

    names: tuple[str, ...]
    x: NDArray[np.float64]
    coverage: NDArray[np.float64]
    is_accuracy: bool
    what: str
    without: int
    size: Size
    yardstick: Yardstick

    def draw(self, options: FigureOptions, watch: Watch = NEVER) -> Page:
        """A dot for each network, named where there is room."""
        face = Face.of(options)
        em, room = face.em, options.width_mm - 2 * face.margin
        axis = face.width("100 %") + 0.6 * em
        if room - axis < _LEAST_ROOM * em:
            raise too_narrow("the networks do not fit")
        top = title_height(options, face) + 2.2 * em
        rest = top + axis_height(em, options.labels) + face.margin
        sizes = (rest, _CHART * em, _LEAST_CHART * em)
        high = chart_height(options, *sizes, "the networks do not fit")
        page = Page(options, rest + high, face)
        page.title()
        heading = face.first_fitting(self._headings(), room)
        page.text(page.margin, top - 1.2 * em, heading, weight="bold")
        watch.check()
        place = (page.margin + axis, top, room - axis, high)
        self._draw_chart(page, Chart(page, *place, self._range(), (0.0, 1.0)))
        return page

    def caption(self) -> str:
        """What the dots are, and whether the two go together."""
        of = count(len(self.names), "network")
        start = (
            f"Share of identified {size_label(self.size)} kernels of {of} at a fit of "
            f"{self.yardstick.least} or more against {self._noun}; the line is "
            f"white noise ({percent(self.yardstick.null_coverage)}; "
            f"{self.yardstick.words})."
        )
        if len(self.names) >= _FEWEST and not math.isnan(self.correlation):
            rank = f"{self.correlation:.2f}".replace("-", "−")
            start += f" Rank correlation (Spearman): {rank}."
        if self.without:
            start += f" Left out for want of one of the two: {self.without}."
        return start

    @property
    def correlation(self) -> float:
        """Spearman's rank correlation of the two; NaN where one does not vary."""
        ranks = [_ranks(values) for values in (self.x, self.coverage)]
        free = [rank - rank.mean() for rank in ranks]
        length = math.sqrt(float((free[0] ** 2).sum() * (free[1] ** 2).sum()))
        return float((free[0] * free[1]).sum()) / length if length else math.nan

    def table(self) -> Table:
        """A row for each network."""
        return Table(
            {
                "network": self.names,
                self.what: self.x.tolist(),
                "coverage": self.coverage.tolist(),
            }
        )

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The two numbers of each network."""
        return {
            "networks": np.array(self.names),
            self.what: self.x,
            "coverage": self.coverage,
        }

    @property
    def _noun(self) -> str:
        return self.what if self.is_accuracy else "their number"

    def _headings(self) -> list[str]:
        networks = count(len(self.names), "network")
        what = self.what if self.is_accuracy else "number of kernels"
        return [f"Identified against {what}, {networks}", networks]

    def _range(self) -> tuple[float, float]:
        """Ends of the axis across, beyond the outermost networks."""
        values = self.x if self.is_accuracy else np.log10(self.x)
        low, high = float(values.min()), float(values.max())
        spare = 0.06 * (high - low) or 0.5 * (abs(high) or 1.0) * 0.1
        return low - spare, high + spare

    def _draw_chart(self, page: Page, chart: Chart) -> None:
        radius = _DOT * page.face.em
        noise = self.yardstick.null_coverage
        if not math.isnan(noise):
            at = chart.up(noise)
            ends = [chart.x, chart.x + chart.width]
            page.line(ends, [at, at], colour=page.ink.secondary)
        values = self.x if self.is_accuracy else np.log10(self.x)
        places = [
            (chart.right(float(x)), chart.up(float(y)))
            for x, y in zip(values, self.coverage, strict=True)
        ]
        for x, y in places:
            page.dot(x, y, radius, page.ink.text)
        if page.options.labels and len(places) <= _MOST_NAMED:
            self._draw_names(page, chart, places)
        low, high = chart.xs
        if self.is_accuracy:
            chart.x_axis(_ticks(low, high), self.what)
        else:
            powers = range(math.floor(low), math.floor(high) + 1)
            steps = (1,) if high - low > 2 else (1, 2, 5)
            marks = [p + math.log10(step) for p in powers for step in steps]
            ticks = [p for p in marks if low <= p <= high] or [(low + high) / 2]
            chart.x_axis(ticks, "kernels", lambda power: count(round(10**power)))
        chart.y_axis([0.0, 0.25, 0.5, 0.75, 1.0], lambda share: f"{100 * share:.0f} %")

    def _draw_names(
        self, page: Page, chart: Chart, places: list[tuple[float, float]]
    ) -> None:
        """Names beside their dots, but for those that would touch others or a line."""
        face, em = page.face, page.face.em
        gap = (_DOT + 0.25) * em
        right, base = chart.x + chart.width, chart.y + chart.height
        taken = [(x - gap, y - gap, x + gap, y + gap) for x, y in places]
        noise = chart.up(self.yardstick.null_coverage)
        if not math.isnan(noise):
            taken.append((chart.x, noise, right, noise))
        names = face.elide_apart(self.names, _NAME * em)
        for (x, y), name in zip(places, names, strict=True):
            wide = face.width(name)
            over = gap + 0.5 * em
            beside = ((x + gap, y), (x - gap - wide, y))
            for left, middle in (
                *beside,
                (x - wide / 2, y - over),
                (x - wide / 2, y + over),
            ):
                box = (left, middle - 0.5 * em, left + wide, middle + 0.5 * em)
                inside = chart.x <= box[0] and box[2] <= right and box[3] < base
                if inside and not any(_touch(box, other) for other in taken):
                    page.text(left, middle + 0.36 * em, name, gid="network")
                    taken.append(box)
                    break


def _touch(
    one: tuple[float, float, float, float], other: tuple[float, float, float, float]
) -> bool:
    return (
        one[0] < other[2]
        and other[0] < one[2]
        and one[1] < other[3]
        and other[1] < one[3]
    )


def _ticks(low: float, high: float) -> list[float]:
    """Round numbers in a range, some five."""
    power = 10.0 ** math.floor(math.log10((high - low) / 4))
    step = next(k * power for k in (1, 2, 5, 10) if k * power * 5 >= high - low)
    first = math.ceil(low / step)
    return [step * i for i in range(first, math.floor(high / step) + 1)]


def _ranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Rank of each value; equal ones share the mean of theirs."""
    _, place, number = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(number)
    return np.asarray((last - (number - 1) / 2)[place], np.float64)


def prepare_coverage(
    scene: Scene, options: FigureOptions, watch: Watch = NEVER
) -> CoverageContent:
    """Share identified and accuracy of each network that has both.

    Raises
    ------
    FigureError
        The kernels have no classes, or there are no accuracies where they are wanted.
    """
    yardstick = named(scene)
    watch.check()
    networks = counted_networks(scene, yardstick)
    wanted = AGAINST.of(options)
    measured = any(item.accuracy is not None for item in networks)
    if wanted == "accuracy" and not measured:
        raise FigureError(
            "there are no accuracies of these networks",
            "Give a table of them with --accuracy, or draw against kernels.",
        )
    is_accuracy = measured and wanted != "kernels"
    both = []
    for item in networks:
        counts = Counts(item.by_class)
        x = item.accuracy if is_accuracy else float(counts.kernels)
        if x is not None and math.isfinite(x) and not math.isnan(counts.coverage):
            both.append((item.name, x, counts.coverage))
    if not both:
        raise FigureError(
            "no kernel shown has a pattern: all are flat",
            "Show a layer or another size.",
        )
    return CoverageContent(
        tuple(name for name, _, _ in both),
        np.array([x for _, x, _ in both]),
        np.array([y for _, _, y in both]),
        is_accuracy,
        (scene.measured or "accuracy") if is_accuracy else "kernels",
        len(networks) - len(both),
        scene.size,
        yardstick,
    )
