"""Exhibit: where the codes lie, and how well kernels and white noise fit."""

from __future__ import annotations

import string
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from kernelviewer.figures.chart import Chart, axis_height, fit_name, nice_ticks
from kernelviewer.figures.colours import ink, mix
from kernelviewer.figures.content import FigureError, Table, too_low, too_narrow
from kernelviewer.figures.counts import (
    coding_of,
    count,
    count_labels,
    coverage_facts,
    coverage_sentences,
    labels_of,
    listing,
    named,
    null_shares,
)
from kernelviewer.figures.fonts import Face
from kernelviewer.figures.legend import Entry, Legend, class_entries
from kernelviewer.figures.page import Page, title_height
from kernelviewer.kernels.bank import size_label
from kernelviewer.kernels.classes import CLASSES, INDEX, class_shown
from kernelviewer.latent.axis import spaced
from kernelviewer.text import percent
from kernelviewer.watch import NEVER

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kernelviewer.figures.colours import Ink
    from kernelviewer.figures.options import FigureOptions
    from kernelviewer.figures.scene import Scene, Yardstick
    from kernelviewer.kernels.bank import Size
    from kernelviewer.latent.noise import Null
    from kernelviewer.watch import Watch


_CODE_BINS = 80
_FIT_BINS = 50
_HIGH = 13.0
_LEAST = 4.0
_BESIDE, _NARROWEST = 28.0, 10.0
"""Usual and least height of a chart, from which width on both lie beside each other,
and the least width, in units of the font size."""
_TAGS = 2.2
"""Room for the classes' letters above a chart, in the same."""
_PALE = 0.6
"""How far unidentified kernels' colour is from their class's to the paper's."""


@dataclass(frozen=True, eq=False)
class Distribution:
    """Codes, fits and classes of one network's kernels that are not flat, [N]."""

    network: str
    code: NDArray[np.float32]
    fit: NDArray[np.float32]
    best: NDArray[np.int64]
    coverage: float

    @property
    def has_codes(self) -> bool:
        """True if an autoencoder gave them codes."""
        return bool(np.isfinite(self.code).any())


@dataclass(frozen=True, eq=False)
class HistogramContent:
    """Distributions of each network, and of white noise."""

    networks: tuple[Distribution, ...]
    size: Size
    yardstick: Yardstick

    def draw(self, options: FigureOptions, watch: Watch = NEVER) -> Page:
        """A row for each network: codes on the left, fits on the right."""
        face = Face.of(options)
        codes = any(item.has_codes for item in self.networks)
        legend = Legend(
            self._entries(options), face, options.width_mm - 2 * face.margin
        )
        top, foot = title_height(options, face), legend.height + face.margin
        tagged = codes and options.class_marks == "letters"
        tags = _TAGS * face.em if tagged else 0.0
        rest = 2.9 * face.em + tags + axis_height(face.em, options.labels) + face.em
        high = _HIGH * face.em
        room = options.width_mm - 2 * face.margin
        if room < _NARROWEST * face.em:
            raise too_narrow("the histograms do not fit")
        charts = 2 if codes and room < _BESIDE * face.em else 1
        rows = charts * len(self.networks)
        if options.height_mm is not None:
            high = (options.height_mm - top - foot) / rows - rest
        if high < _LEAST * face.em:
            raise too_low("the histograms do not fit", options)
        height = top + rows * (high + rest) + foot
        page = Page(options, max(height, options.height_mm or 0.0), face)
        page.title()
        letters = iter(string.ascii_lowercase * (2 * rows))
        for number, item in enumerate(self.networks):
            watch.check()
            y = top + charts * number * (high + rest)
            below = high + rest if charts > 1 else 0.0
            row = _Row(page, item, self.yardstick, y, high, below, tags)
            row.draw(next(letters), next(letters) if item.has_codes else "")
        legend.draw(page, page.margin, page.height - foot)
        return page

    def caption(self) -> str:
        """A sentence on the counts and the threshold."""
        networks = listing([item.network for item in self.networks])
        codes = any(item.has_codes for item in self.networks)
        first = (
            "Codes, in the colours of the classes (pale: unidentified), and fits "
            if codes
            else "Fits "
        )
        coverage = coverage_sentences(
            [(item.network, item.coverage) for item in self.networks], self.yardstick
        )
        return (
            f"{first}of the {size_label(self.size)} kernels of {networks} that are not "
            f"flat{_beside(self.yardstick.null)}. {coverage}"
        )

    def table(self) -> Table:
        """A row for each bin: share of the kernels and of white noise in it."""
        columns: dict[str, list[Any]] = {
            name: [] for name in ("source", "of", "low", "high", "kernels", "share")
        }
        for item in self.networks:
            parts = [("fit", item.fit, _FIT_BINS)]
            if item.has_codes:
                parts.insert(0, ("code", item.code, _CODE_BINS))
            for name, values, bins in parts:
                known = values[np.isfinite(values)]
                shares = _shares(known, np.linspace(0, 1, bins + 1))
                _append(columns, item.network, name, shares, len(known))
        shares = null_shares(self.yardstick.null, _FIT_BINS)
        total = self.yardstick.null.kernels if self.yardstick.null else 0
        _append(columns, "white noise", "fit", shares, total)
        return Table(columns)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Codes, fits, classes; the null's fits and the threshold."""
        arrays: dict[str, NDArray[Any]] = {
            "sources": np.array([item.network for item in self.networks]),
            "null_shares": null_shares(self.yardstick.null, _FIT_BINS),
            "threshold": np.array(self.yardstick.threshold),
        }
        for number, item in enumerate(self.networks):
            arrays[f"code_{number}"] = item.code
            arrays[f"fit_{number}"] = item.fit
            arrays[f"class_{number}"] = item.best
        return arrays

    def _entries(self, options: FigureOptions) -> list[Entry]:
        if not options.legend:
            return []
        ground = ink(options.dark)
        best = [item.best for item in self.networks if item.has_codes]
        classes = np.unique(np.concatenate(best)).tolist() if best else []
        noise = [Entry(_noise_colour(ground), "white noise")]
        if self.yardstick.null is None:
            noise = []
        return [
            *class_entries(classes, options),
            Entry(_kernels_colour(ground), "identified"),
            Entry(ground.neutral, "below the threshold"),
            *noise,
        ]


@dataclass(frozen=True, eq=False)
class _Row:
    """The charts of one network."""

    page: Page
    item: Distribution
    yardstick: Yardstick
    y: float
    height: float
    below: float
    """How far the second chart lies below the first; 0: it lies beside it."""
    tags: float
    """Room above the charts for the classes' letters; 0: they are not wanted."""

    def draw(self, letter: str, second: str) -> None:
        """Headings and charts; codes only where there are any."""
        page, em = self.page, self.page.face.em
        room = page.width - 2 * page.margin
        beside = self.item.has_codes and not self.below
        between = 2 * em if beside else 0.0
        left = (room - between) * (0.58 if beside else 1.0)
        x, y = page.margin, self.y
        if self.item.has_codes:
            page.heading(x, y + em, self.item.network, left, letter)
            kernels = count(len(self.item.fit), "kernel")
            page.note(x, y + 2.25 * em, kernels)
            self._draw_codes(x, y + 2.9 * em + self.tags, left)
            x, y = (x + left + between, y) if beside else (x, y + self.below)
        if not beside:
            left = between = 0.0
        width = room - left - between
        heading = "Fit" if self.item.has_codes else self.item.network
        page.heading(x, y + em, heading, width, second or letter)
        facts = page.face.first_fitting(
            coverage_facts(self.item.coverage, self.yardstick), width
        )
        page.note(x, y + 2.25 * em, facts)
        self._draw_fits(x, y + 2.9 * em + self.tags, width)

    def _chart(self, x: float, y: float, width: float, top: float) -> Chart:
        ticks = nice_ticks(top, 3)
        names = [percent(tick, _digits(ticks)) for tick in ticks]
        axis = max(map(self.page.face.width, names)) + 0.6 * self.page.face.em
        reach = (0.0, max(top, 1e-9) * 1.04)
        chart = Chart(
            self.page,
            x + axis,
            y,
            width - axis - self.page.face.em,
            self.height,
            (0.0, 1.0),
            reach,
        )
        chart.y_axis(ticks, lambda tick: percent(tick, _digits(ticks)))
        return chart

    def _draw_codes(self, x: float, y: float, width: float) -> None:
        """Stacked by class; the kernels below the threshold on top, paler."""
        page, item = self.page, self.item
        known = np.isfinite(item.code)
        total = max(int(known.sum()), 1)
        bins = np.minimum((item.code[known] * _CODE_BINS).astype(int), _CODE_BINS - 1)
        weak = item.fit[known] < self.yardstick.threshold
        best = item.best[known]
        shape = (2, len(CLASSES), _CODE_BINS)
        counts = np.zeros(shape)
        np.add.at(counts, (weak.astype(int), best, bins), 1 / total)
        chart = self._chart(x, y, width, float(counts.sum(axis=(0, 1)).max()))
        for number in range(_CODE_BINS):
            base = 0.0
            for pale in range(2):
                for index in np.flatnonzero(counts[pale, :, number]):
                    colour = page.ink.of_class(class_shown(int(index)))
                    if pale:
                        colour = mix(colour, page.ink.paper, _PALE)
                    high = base + float(counts[pale, index, number])
                    edges = number / _CODE_BINS, (number + 1) / _CODE_BINS
                    chart.bar(*edges, base, high, colour)
                    base = high
        if self.tags:
            self._draw_tags(chart, counts.sum(axis=0))
        chart.x_axis([0, 1, 0.5, 0.25, 0.75], "code")

    def _draw_tags(self, chart: Chart, shares: NDArray[np.float64]) -> None:
        """Letters above the chart, each led to where its class [classes, bins] peaks.

        Where not all find room those with most kernels do.
        """
        page = self.page
        wide = page.tag_size[0]
        most = shares.sum(axis=1).argsort()[::-1][: int(chart.width / wide)]
        there = most[shares[most].any(axis=1)]
        peaks = shares[there].argmax(axis=1)
        there, peaks = there[peaks.argsort()], np.sort(peaks)
        wanted = [chart.right((peak + 0.5) / _CODE_BINS) for peak in peaks.tolist()]
        ends = chart.x + wide / 2, chart.x + chart.width - wide / 2
        y = chart.y - 0.6 * self.tags
        for index, peak, at, x in zip(
            there.tolist(), peaks, wanted, spaced(wanted, wide, *ends), strict=True
        ):
            top = chart.up(float(shares[:, peak].sum()))
            page.line([x, at, at], [y, chart.y, top], colour=page.ink.secondary)
            page.class_tag(class_shown(index), x, y)

    def _draw_fits(self, x: float, y: float, width: float) -> None:
        """Bars of the kernels, outline of the noise, a line at the threshold."""
        page, threshold = self.page, self.yardstick.threshold
        edges = np.linspace(0, 1, _FIT_BINS + 1)
        shares = _shares(self.item.fit, edges)
        noise = null_shares(self.yardstick.null, _FIT_BINS)
        chart = self._chart(x, y, width, float(max(shares.max(), noise.max())))
        for low, high, value in zip(edges[:-1], edges[1:], shares, strict=True):
            cut = min(max(threshold, low), high)
            chart.bar(low, cut, 0, value, page.ink.neutral)
            chart.bar(cut, high, 0, value, _kernels_colour(page.ink))
        if self.yardstick.null is not None:
            chart.steps(edges.tolist(), noise.tolist(), _noise_colour(page.ink))
        at = chart.right(threshold)
        page.line([at, at], [chart.y, chart.y + chart.height], colour=page.ink.text)
        chart.x_axis([threshold, 0, 1, 0.5], "fit (cosine)", fit_name)


def prepare_histogram(
    scene: Scene, options: FigureOptions, watch: Watch = NEVER
) -> HistogramContent:
    """Codes and fits of what is shown.

    Raises
    ------
    FigureError
        The kernels have no classes, or none that is shown has a pattern.
    """
    yardstick = named(scene)
    networks = []
    for subject in scene.subjects:
        watch.check()
        coding = coding_of(subject)
        index = subject.index
        coverage = count_labels(labels_of(subject, yardstick)[index]).coverage
        index = index[coding.best[index] != INDEX["flat"]]
        if len(index):
            networks.append(
                Distribution(
                    network=subject.name,
                    code=coding.code[index],
                    fit=coding.fit[index],
                    best=coding.best[index],
                    coverage=coverage,
                )
            )
    if not networks:
        raise FigureError("no kernel that is shown has a pattern: all are flat")
    return HistogramContent(tuple(networks), scene.size, yardstick)


def _shares(
    values: NDArray[np.float32], edges: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Share of the values in each bin; negative fits fall into the first."""
    counts, _ = np.histogram(np.clip(values, 0, 1), bins=edges)
    return np.asarray(counts / max(len(values), 1), np.float64)


def _append(
    columns: dict[str, list[Any]],
    source: str,
    of: str,
    shares: NDArray[np.float64],
    total: int,
) -> None:
    """Add the bins of one histogram to a table."""
    bins = len(shares)
    edges = np.linspace(0, 1, bins + 1)
    columns["source"] += [source] * bins
    columns["of"] += [of] * bins
    columns["low"] += edges[:-1].tolist()
    columns["high"] += edges[1:].tolist()
    columns["kernels"] += np.rint(shares * total).astype(int).tolist()
    columns["share"] += shares.tolist()


def _beside(null: Null | None) -> str:
    if null is None:
        return ""
    return f", beside the fits of {count(null.kernels)} kernels of white noise"


def _digits(ticks: list[float]) -> int:
    """Decimals with which the ticks, shares, read differently as per cent."""
    return 0 if len(ticks) < 2 or ticks[1] >= 0.01 else 1


def _kernels_colour(ground: Ink) -> str:
    return mix(ground.negative, ground.paper, 0.25)


def _noise_colour(ground: Ink) -> str:
    return ground.positive
