"""Charts on a page in its own millimetres: axes, bars, and a place for each layer."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from kernelviewer.figures.colours import mix
from kernelviewer.figures.content import too_low
from kernelviewer.figures.counts import short_names

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from kernelviewer.figures.fonts import Face
    from kernelviewer.figures.options import FigureOptions
    from kernelviewer.figures.page import Page

_TICK = 0.3


@dataclass(frozen=True)
class Chart:
    """A rectangle of the page with data coordinates."""

    page: Page
    x: float
    y: float
    width: float
    height: float
    """The rectangle, mm."""
    xs: tuple[float, float]
    ys: tuple[float, float]
    """Data coordinates of its left and right, bottom and top."""

    def right(self, value: float) -> float:
        """Place of a value along x, mm."""
        low, high = self.xs
        return self.x + (value - low) / ((high - low) or 1.0) * self.width

    def up(self, value: float) -> float:
        """Place of a value along y, mm."""
        low, high = self.ys
        return self.y + self.height * (1 - (value - low) / ((high - low) or 1.0))

    def bar(
        self, left: float, right: float, low: float, high: float, colour: str
    ) -> None:
        """Fill a rectangle given in data coordinates."""
        if high > low:
            x, y = self.right(left), self.up(high)
            self.page.rectangle(x, y, self.right(right) - x, self.up(low) - y, colour)

    def steps(
        self, edges: Sequence[float], values: Sequence[float], colour: str
    ) -> None:
        """Draw the outline of a histogram."""
        xs = [self.right(edge) for edge in edges for _ in range(2)]
        heights = [self.up(value) for value in values for _ in range(2)]
        base = self.up(self.ys[0])
        width = 1.6 * self.page.face.hairline
        self.page.line(xs, [base, *heights, base], colour=colour, width=width)

    def x_axis(
        self,
        ticks: Sequence[float],
        label: str,
        name: Callable[[float], str] = "{:g}".format,
    ) -> None:
        """Draw the axis below, its ticks and its label.

        Of ticks whose names would touch, the earlier in the list stays.
        """
        page, em = self.page, self.page.face.em
        base = self.y + self.height
        page.line([self.x, self.x + self.width], [base, base])
        taken: list[tuple[float, float]] = []
        for tick in ticks:
            at, half = self.right(tick), page.face.width(name(tick)) / 2 + 0.2 * em
            if any(at - half < right and at + half > left for left, right in taken):
                continue
            taken.append((at - half, at + half))
            page.line([at, at], [base, base + _TICK * em])
            page.text(at, base + 1.45 * em, name(tick), align="center", gid="tick")
        if page.options.labels:
            middle = self.x + self.width / 2
            texts = (label, label.partition(" ")[0])
            text = page.face.first_fitting(texts, self.width + em)
            page.text(middle, base + 2.75 * em, text, align="center", gid="axis")

    def y_axis(self, ticks: Sequence[float], name: Callable[[float], str]) -> None:
        """Draw the axis on the left and its ticks."""
        page, em = self.page, self.page.face.em
        page.line([self.x, self.x], [self.y, self.y + self.height])
        for tick in ticks:
            at = self.up(tick)
            page.line([self.x - _TICK * em, self.x], [at, at])
            left = self.x - 0.5 * em
            page.text(left, at + 0.36 * em, name(tick), align="right", gid="tick")


def chart_height(
    options: FigureOptions, rest: float, usual: float, least: float, what: str
) -> float:
    """Height of a chart beside what else takes ``rest``, all in mm.

    Raises
    ------
    FigureError
        The height asked for leaves less than ``least``; it begins with ``what``.
    """
    if options.height_mm is None:
        return usual
    high = options.height_mm - rest
    if high < least:
        raise too_low(what, options)
    return high


def axis_height(em: float, labels: bool) -> float:
    """Room in mm below a chart for ticks and label."""
    return (3.1 if labels else 1.8) * em


def nice_ticks(top: float, most: int = 4) -> list[float]:
    """Round numbers from 0 to at most ``top``."""
    if not 0 < top < math.inf:
        return [0.0]
    power = 10.0 ** math.floor(math.log10(top / most))
    step = next(k * power for k in (1, 2, 5, 10) if k * power * most >= top)
    return [step * i for i in range(int(top / step + 1e-9) + 1)]


def fit_name(value: float) -> str:
    """A fit as a tick says it: two decimals, or as many as tell it from 1."""
    digits = 3 if 0.995 <= value < 1 else 2
    return f"{value:.{digits}f}".rstrip("0").rstrip(".")


_HEAD = 2.4
_NAMES = 12.0
"""Lengths in units of the font size."""
_APART, _FARTHEST = 0.22, 0.8
"""How far a layer and its null stand from its place: in units of a layer's width, and
at most in units of the font size."""
_PALE = 0.45


@dataclass(frozen=True, eq=False)
class LayerPanel:
    """A dot at each layer's median, lines between its quantiles."""

    heading: Sequence[str]
    """Texts, longest first; the first that fits is written."""
    layers: tuple[str, ...]
    """Names."""
    quantiles: NDArray[np.float64]
    """[layers, q] with q odd, rising along q: the dot is the middle one; the innermost
    two are joined by a thick line, the outermost by a thin one. NaN: nothing there."""
    null: NDArray[np.float64] | None
    """The same of what chance gives, drawn paler at the right; None: not known."""
    reach: tuple[float, float]
    ticks: Sequence[float]
    """Lower and upper end of the axis, and its ticks."""
    width: float
    face: Face
    options: FigureOptions
    """Width in mm, font, looks."""
    chart: float = 8.0
    """Height of the chart, in units of the font size."""
    named: bool = True
    """Whether the names of the layers stand below it."""
    name: Callable[[float], str] = "{:g}".format
    """A tick's text."""
    axis: float | None = None
    """Room for these in mm, so that panels below each other agree; None: as needed."""

    @property
    def height(self) -> float:
        """Heading, chart, names."""
        return (_HEAD + self.chart + 1.2) * self.face.em + self._below()

    def draw(self, page: Page, x: float, y: float, letter: str) -> None:
        """Draw it with its upper left corner there."""
        em = self.face.em
        page.heading(x, y + em, self.heading, self.width, letter)
        axis = self.axis_width
        chart = Chart(
            *(page, x + axis, y + _HEAD * em),
            *(self.width - axis - em, self.chart * em),
            (0.0, float(len(self.layers))),
            self.reach,
        )
        chart.y_axis(self.ticks, self._tick)
        base = chart.y + chart.height
        zero = chart.up(min(max(self.reach[0], 0.0), self.reach[1]))
        page.line([chart.x, chart.x + chart.width], [zero, zero])
        beside = 0.0
        if self.null is not None:
            beside = min(_APART, _FARTHEST * em * len(self.layers) / chart.width)
        if self.null is not None:
            pale = mix(page.ink.neutral, page.ink.paper, _PALE)
            self._spread(page, chart, self.null, 0.5 + beside, pale, page.ink.neutral)
        ink = page.ink
        self._spread(page, chart, self.quantiles, 0.5 - beside, ink.line, ink.text)
        self._draw_names(page, chart, base)

    def _spread(
        self,
        page: Page,
        chart: Chart,
        quantiles: NDArray[np.float64],
        place: float,
        colour: str,
        dot: str,
    ) -> None:
        em = self.face.em
        pitch = chart.width / len(self.layers)
        thick = min(0.5 * em, 0.3 * pitch)
        radius = min(0.26 * em, 0.3 * pitch)
        low, high = self.reach
        middle = quantiles.shape[1] // 2
        for number, row in enumerate(np.clip(quantiles, low, high)):
            if np.isnan(row).any():
                continue
            at = chart.right(number + place)
            for step in range(middle, 0, -1):
                ends = chart.up(row[middle + step]), chart.up(row[middle - step])
                wide = thick if step == 1 else 0.25 * thick
                page.rectangle(at - wide / 2, ends[0], wide, ends[1] - ends[0], colour)
            page.dot(at, chart.up(row[middle]), radius, dot)

    def _tick(self, value: float) -> str:
        return self.name(value).replace("-", "−")

    @property
    def axis_width(self) -> float:
        """Room left of the chart in mm."""
        if self.axis is not None:
            return self.axis
        widest = max(self.face.width(self._tick(tick)) for tick in self.ticks)
        return widest + 0.6 * self.face.em

    @property
    def _pitch(self) -> float:
        """From layer to layer in mm."""
        return (self.width - self.axis_width - self.face.em) / len(self.layers)

    def _names(self) -> list[str]:
        if self._pitch < self.face.line():
            return []
        names = short_names(self.layers)
        return [self.face.elide(name, _NAMES * self.face.em) for name in names]

    def _below(self) -> float:
        if not self.options.labels or not self.named:
            return 0.0
        return names_height(self._names(), self._pitch, self.face)

    def _draw_names(self, page: Page, chart: Chart, y: float) -> None:
        """Names of the layers, or what the axis is where they are too many."""
        em = self.face.em
        if not page.options.labels or not self.named:
            return
        names = self._names()
        level = are_level(names, self._pitch, self.face)
        for number, name in enumerate(names):
            draw_name(page, chart.right(number + 0.5), y, name, level)
        if not names:
            text = f"{len(self.layers)} layers from input to output"
            middle = chart.x + chart.width / 2
            text = self.face.elide(text, chart.width)
            page.text(middle, y + 1.4 * em, text, align="center", gid="axis")


def are_level(names: Sequence[str], pitch: float, face: Face) -> bool:
    """Whether names below columns of a pitch in mm find room without being turned."""
    return max(map(face.width, names), default=0.0) + 0.8 * face.em <= pitch


def names_height(names: Sequence[str], pitch: float, face: Face) -> float:
    """Room below columns for their names, in mm."""
    if not names or are_level(names, pitch, face):
        return 1.8 * face.em
    return max(map(face.width, names)) + 0.8 * face.em


def draw_name(page: Page, middle: float, y: float, name: str, level: bool) -> None:
    """The name of a column below ``y``, level or turned upwards."""
    em = page.face.em
    if level:
        page.text(middle, y + 1.3 * em, name, align="center", gid="layer")
        return
    at = middle + 0.36 * em, y + 0.4 * em
    page.text(*at, name, align="right", rotation=90, gid="layer")
