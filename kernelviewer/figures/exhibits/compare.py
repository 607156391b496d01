"""Exhibit: two networks, or a network and white noise, beside each other."""

from __future__ import annotations

import string
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from kernelviewer.figures.chart import (
    Chart,
    LayerPanel,
    axis_height,
    fit_name,
    nice_ticks,
)
from kernelviewer.figures.colours import mix
from kernelviewer.figures.comparing import compare_scene
from kernelviewer.figures.content import FigureError, Table, too_narrow
from kernelviewer.figures.counts import (
    coding_of,
    count,
    count_labels,
    coverage_facts,
    coverage_sentences,
    labels_of,
    listed,
    listing,
    null_shares,
)
from kernelviewer.figures.exhibits.pairs import most_changed
from kernelviewer.figures.fonts import Face
from kernelviewer.figures.kernels import Block, colour_blocks, draw_some
from kernelviewer.figures.legend import HATCH, draw_scale_bar, scale_bar_height
from kernelviewer.figures.page import Page, title_height, usual_height
from kernelviewer.figures.tiling import Blocks
from kernelviewer.kernels.bank import size_label
from kernelviewer.kernels.classes import CLASSES, FLAT, class_shown
from kernelviewer.kernels.statistics import patterns
from kernelviewer.text import percent
from kernelviewer.watch import NEVER

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kernelviewer.figures.counts import Counts
    from kernelviewer.figures.exhibits.pairs import PairsContent
    from kernelviewer.figures.options import FigureOptions
    from kernelviewer.figures.scene import Scene, Subject, Yardstick
    from kernelviewer.kernels.bank import Size
    from kernelviewer.watch import Watch


_MOST = 400
_BESIDE, _NARROWEST = 50.0, 12.0
_NOISE = "white noise"


@dataclass(frozen=True, eq=False)
class CompareContent:
    """The two sides."""

    sides: tuple[Side, Side]
    size: Size
    yardstick: Yardstick | None
    layers: tuple[str, ...]
    cosines: tuple[NDArray[np.float32], ...]
    """For networks of one kind: each layer's name, and the cosines [n] between its
    kernels' patterns in the two; else empty."""
    seed: int
    changed: PairsContent | None = None

    @property
    def classes(self) -> list[int]:
        """Those that are listed, indices into `CLASSES`."""
        counted = [side.counts for side in self.sides if side.counts is not None]
        return listed(self.yardstick, *counted)

    def draw(self, options: FigureOptions, watch: Watch = NEVER) -> Page:
        """Shares of the classes, fits, cosines by layer, kernels."""
        face = Face.of(options)
        top, foot = title_height(options, face), scale_bar_height(options, face)
        rest = top + foot + face.margin
        layout = self._arrange(options, face, rest)
        height = max(layout.height + rest, options.height_mm or 0.0)
        page = Page(options, height, face)
        page.title()
        letters = iter(string.ascii_lowercase)
        for panel, x, y in layout.places:
            watch.check()
            panel.draw(page, x, top + y, next(letters))
        if layout.kernels:
            draw_scale_bar(page, page.height - page.margin)
        return page

    def caption(self) -> str:
        """Who is compared, and how much of each is identified."""
        names = listing([side.name for side in self.sides])
        sentences = [f"{size_label(self.size)} kernels of {names} compared."]
        if self.cosines:
            mean = float(np.concatenate(self.cosines).mean())
            sentences.append(
                "Kernels at the same place of both have a mean cosine of "
                f"{mean:.2f}; dots are the layers' medians, lines their quartiles. "
                "The kernels that changed most: before, after, and the difference, "
                "with layer and channel, cosine, and class before and after."
            )
        if self.yardstick is not None:
            known = [
                (side.name, side.counts.coverage)
                for side in self.sides
                if side.counts is not None
            ]
            sentences.append(coverage_sentences(known, self.yardstick))
        return " ".join(sentences)

    def table(self) -> Table:
        """A row for each side and class, or for each layer where there are none."""
        columns: dict[str, list[Any]]
        if all(side.counts is None for side in self.sides):
            columns = {
                "layer": list(self.layers),
                "kernels": [len(values) for values in self.cosines],
                "median_cosine": [float(np.median(values)) for values in self.cosines],
            }
            return Table(columns)
        columns = {name: [] for name in ("source", "class", "kernels", "share")}
        for side in self.sides:
            if side.counts is not None:
                numbers = side.counts.by_class[self.classes].tolist()
                columns["source"] += [side.name] * len(self.classes)
                columns["class"] += [CLASSES[kind].id for kind in self.classes]
                columns["kernels"] += numbers
                columns["share"] += [n / max(side.counts.kernels, 1) for n in numbers]
        return Table(columns)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Counts, fits, cosines and the kernels shown."""
        arrays: dict[str, NDArray[Any]] = {
            "sources": np.array([side.name for side in self.sides]),
            "classes": np.array([CLASSES[kind].id for kind in self.classes]),
        }
        for number, side in enumerate(self.sides):
            if self.changed is None:
                arrays[f"kernels_{number}"] = side.samples.weights
            if side.counts is not None:
                arrays[f"counts_{number}"] = side.counts.by_class[self.classes]
            if side.fit is not None:
                arrays[f"fit_{number}"] = side.fit
        if self.yardstick is not None:
            arrays["null_shares"] = null_shares(self.yardstick.null, BINS)
        if self.changed is not None:
            pairs = self.changed.arrays()
            arrays["kernels_0"], arrays["kernels_1"] = pairs["before"], pairs["after"]
        if self.cosines:
            arrays["layers"] = np.array(self.layers)
            arrays["cosine"] = np.concatenate(self.cosines)
            lengths = list(map(len, self.cosines))
            arrays["layer"] = np.repeat(np.arange(len(lengths)), lengths)
        return arrays

    def _arrange(self, options: FigureOptions, face: Face, rest: float) -> _Layout:
        """The roomiest layout that fits; without kernels if nothing else does."""
        room = usual_height(options) - rest
        for kernels in (True, False):
            for tight in (0.0, 0.25, 0.5, 0.75, 1.0, 1.25, 1.3):
                layout = self._layout(options, face, tight, kernels)
                if layout.height <= room:
                    return layout
            if options.height_mm is None:
                return layout
        raise FigureError(
            f"the comparison does not fit into {options.height_mm:g} mm",
            f"Make the figure {layout.height + rest:.0f} mm high.",
        )

    def _layout(
        self, options: FigureOptions, face: Face, tight: float, kernels: bool
    ) -> _Layout:
        """Charts in one or two columns, kernels below them."""
        room = options.width_mm - 2 * face.margin
        if room < _NARROWEST * face.em:
            raise too_narrow("the comparison does not fit")
        columns = 2 if room > _BESIDE * face.em else 1
        width = (room - (columns - 1) * 3 * face.em) / columns
        charts: list[SharePanel | FitPanel | LayerPanel] = []
        if self.yardstick is not None:
            folded = columns == 1 or tight > 0
            charts.append(
                SharePanel(self.sides, self.classes, width, face, tight, folded)
            )
            yardstick = self.yardstick
            high = _between(_CHART, tight)
            charts.append(FitPanel(self.sides, yardstick, width, face, options, high))
        if self.cosines:
            pairs = self.layers, self.cosines
            charts.append(_cosine_panel(*pairs, width, face, options, tight))
        stacks = [charts] if columns == 1 else _levelled(charts, face)
        places: list[tuple[Panel, float, float]] = []
        bottom = 0.0
        for number, stack in enumerate(stacks):
            y = 0.0
            for panel in stack:
                places.append((panel, face.margin + number * (width + 3 * face.em), y))
                y += panel.height
            bottom = max(bottom, y)
        if kernels:
            samples = self._kernels(room, face, options, tight)
            places.append((samples, face.margin, bottom))
            bottom += samples.height
        return _Layout(places, bottom, kernels)

    def _kernels(
        self, room: float, face: Face, options: FigureOptions, tight: float
    ) -> Panel:
        """The most changed kernels of networks of one kind, else random ones."""
        if self.changed is None:
            return SamplePanel(self.sides, room, face, options, tight)
        rows = 3 if tight <= 0.5 else 2 if tight < 1.3 else 1
        return ChangedPanel(self.changed, room, face, options, rows)


def _levelled(
    charts: list[SharePanel | FitPanel | LayerPanel], face: Face
) -> list[list[SharePanel | FitPanel | LayerPanel]]:
    """The first chart on the left, the others beside it and as high together."""
    left, right = charts[:1], charts[1:]
    if not right:
        return [left, []]
    spare = left[0].height - sum(panel.height for panel in right)
    extra = max(spare, 0.0) / len(right) / face.em
    return [
        left,
        [
            panel
            if isinstance(panel, SharePanel)
            else replace(panel, chart=panel.chart + extra)
            for panel in right
        ],
    ]


@dataclass(frozen=True, slots=True)
class _Layout:
    """Panels and their upper left corners, mm; whether kernels are among them."""

    places: list[tuple[Panel, float, float]]
    height: float
    kernels: bool


def prepare_compare(
    scene: Scene, options: FigureOptions, watch: Watch = NEVER
) -> CompareContent:
    """Compare the two networks of a scene, or its one network with white noise.

    Raises
    ------
    FigureError
        There are more than two networks, or no kernels are shown.
    """
    if len(scene.subjects) > 2:
        raise FigureError(
            f"{count(len(scene.subjects))} networks have kernels of this size",
            "Choose two to compare.",
        )
    first, second = scene.subjects[0], scene.subjects[-1]
    if not all(len(subject.index) for subject in scene.subjects):
        raise FigureError("no kernels are shown", "Show a layer or another size.")
    watch.check()
    yardstick = scene.yardstick
    if any(subject.coding is None for subject in scene.subjects):
        yardstick = None
    alike = len(scene.subjects) == 2 and _alike(first, second)
    layers, cosines = _cosines(first, second, watch) if alike else ((), ())
    changed = None
    if layers:
        plain = replace(options, match="names", pairing=None)
        changed = most_changed(compare_scene(scene, plain, watch), "pattern")
    left = _side(first, yardstick, options)
    if len(scene.subjects) == 2:
        right = _side(second, yardstick, options)
    else:
        right = _noise(first, options)
    return CompareContent(
        (left, right), scene.size, yardstick, layers, cosines, options.seed, changed
    )


def _side(
    subject: Subject, yardstick: Yardstick | None, options: FigureOptions
) -> Side:
    """A network's side; equal seeds choose equal places in networks of one kind."""
    chosen = draw_some(subject.index, _MOST, options.seed)
    chosen = np.random.default_rng(options.seed).permutation(chosen)
    kernels = subject.kernels
    samples = Block(
        subject.name,
        "",
        kernels.weights[chosen],
        kernels.channel[chosen],
        kernels.flat[chosen],
        len(subject.index),
    )
    if yardstick is None:
        return Side(subject.name, samples)
    fit = coding_of(subject).fit[subject.index]
    counts = count_labels(labels_of(subject, yardstick)[subject.index])
    return Side(subject.name, samples, counts, fit[np.isfinite(fit)])


def _noise(subject: Subject, options: FigureOptions) -> Side:
    rng = np.random.default_rng(options.seed)
    weights = rng.normal(size=(_MOST, *subject.size)).astype(np.float32)
    samples = Block(
        _NOISE, "", weights, np.arange(_MOST, dtype=np.int32), np.zeros(_MOST, bool), 0
    )
    return Side(_NOISE, samples)


def _alike(first: Subject, second: Subject) -> bool:
    """True if the two have the same layers with the same channels."""
    if [name for name, _ in first.layers()] != [name for name, _ in second.layers()]:
        return False
    pairs = zip(first.layers(), second.layers(), strict=True)
    return all(
        np.array_equal(first.kernels.channel[i], second.kernels.channel[k])
        for (_, i), (_, k) in pairs
    )


def _cosines(
    first: Subject, second: Subject, watch: Watch
) -> tuple[tuple[str, ...], tuple[NDArray[np.float32], ...]]:
    """Names of the layers, and the cosines of the kernels that are flat in neither."""
    names, cosines = [], []
    for (name, i), (_, k) in zip(first.layers(), second.layers(), strict=True):
        watch.check()
        both = ~(first.kernels.flat[i] | second.kernels.flat[k])
        if both.any():
            x, y = (
                patterns(s.kernels.weights[m], s.kernels.scale[m], s.kernels.offset[m])
                for s, m in ((first, i[both]), (second, k[both]))
            )
            names.append(name)
            n = len(x)
            cosines.append(np.einsum("ij,ij->i", x.reshape(n, -1), y.reshape(n, -1)))
    return tuple(names), tuple(cosines)


_HEAD = 2.0
_CHART = (10.0, 5.0)
"""Usual and least height of a chart."""
_PAIR = (2.35, 1.75)
_ALONE = (1.6, 1.35)
"""Usual and least distance between the bars of two classes; with one bar each."""
_BAR = 0.75
_CELL = 2.4
_FOLD, _FOLD_WIDTH = 12, 28.0
"""From how many classes on, and from which width on, they stand in two columns."""
BINS = 50
"""Bins of the distributions of fit."""
_PALE = 0.55
"""Lengths in units of the font size."""


@dataclass(frozen=True, eq=False)
class Side:
    """One of the two."""

    name: str
    """The network's, or *white noise*."""
    samples: Block
    """Random kernels; of networks of one kind the same places in both."""
    counts: Counts | None = None
    fit: NDArray[np.float32] | None = None
    """Classes and fits (of kernels that are not flat); None without classes."""


class Panel(Protocol):
    """A part of the figure with its own heading."""

    @property
    def height(self) -> float:
        """Room it takes, mm."""

    def draw(self, page: Page, x: float, y: float, letter: str) -> None:
        """Draw it with its upper left corner there."""


@dataclass(frozen=True, eq=False)
class SharePanel:
    """Share of each class in both: full colour above, pale below."""

    sides: tuple[Side, Side]
    classes: list[int]
    width: float
    face: Face
    tight: float
    folded: bool = False
    """Whether many classes stand in two columns."""

    @property
    def height(self) -> float:
        """Heading, key, a pair of bars for each class."""
        return (_HEAD + 2.8 + self._pitch * self._rows + 0.6) * self.face.em

    @property
    def _columns(self) -> int:
        wide = self.width > _FOLD_WIDTH * self.face.em
        return 2 if self.folded and wide and len(self.classes) > _FOLD else 1

    @property
    def _rows(self) -> int:
        return -(-len(self.classes) // self._columns)

    @property
    def _pitch(self) -> float:
        alone = sum(side.counts is not None for side in self.sides) < 2
        return _between(_ALONE if alone else _PAIR, self.tight)

    def draw(self, page: Page, x: float, y: float, letter: str) -> None:
        """Draw the bars and write their values."""
        face, em = self.face, self.face.em
        page.heading(x, y + em, "Share of each class", self.width, letter)
        known = [side for side in self.sides if side.counts is not None]
        y += _HEAD * em
        for row, side in enumerate(known):
            colour = _shade(page.ink.secondary, page, row)
            page.rectangle(x, y + (1.2 * row + 0.25) * em, em, 0.7 * em, colour)
            name = face.elide(side.name, self.width - 1.5 * em)
            page.text(x + 1.4 * em, y + (1.2 * row + 0.95) * em, name, gid="side")
        y += 2.8 * em
        kinds = [class_shown(kind) for kind in self.classes]
        names = max(face.width(item.short) for item in kinds) + 0.8 * em
        shares = [
            s.counts.by_class[self.classes] / max(s.counts.kernels, 1)
            for s in known
            if s.counts
        ]
        top = max(float(share.max()) for share in shares) if shares else 1.0
        pitch = (self.width + 2 * em) / self._columns
        room = pitch - 2 * em - names - face.width("100.0 %", 0.85 * face.size) - em
        for number, item in enumerate(kinds):
            column, line = divmod(number, self._rows)
            start, base = x + column * pitch, y + line * self._pitch * em
            page.text(start, base + (1.1 if len(shares) > 1 else 0.8) * em, item.short)
            for row, share in enumerate(shares):
                at = base + (0.1 + row * (_BAR + 0.1)) * em
                wide = float(share[number]) / top * room
                colour = _shade(page.ink.of_class(item), page, row)
                left = start + names
                gid = f"share-{item.id}-{row}"
                hatch = HATCH if item is FLAT else ""
                page.rectangle(left, at, wide, _BAR * em, colour, hatch=hatch, gid=gid)
                page.note(
                    left + wide + 0.4 * em,
                    at + 0.68 * em,
                    percent(float(share[number])),
                    size=0.8 * face.size,
                )


@dataclass(frozen=True, eq=False)
class FitPanel:
    """Distributions of fit over each other and over white noise's."""

    sides: tuple[Side, Side]
    yardstick: Yardstick
    width: float
    face: Face
    options: FigureOptions
    chart: float
    """Height of the chart, in units of the font size."""

    @property
    def height(self) -> float:
        """Heading, key, chart, axis."""
        axis = axis_height(self.face.em, self.options.labels)
        rest = _HEAD + 1.3 * len(self._curves()) + 1.6
        return (rest + self.chart) * self.face.em + axis

    def draw(self, page: Page, x: float, y: float, letter: str) -> None:
        """Draw an outline for each."""
        face, em = self.face, self.face.em
        page.heading(x, y + em, "Fit", self.width, letter)
        y += _HEAD * em
        edges = np.linspace(0, 1, BINS + 1)
        curves = self._curves()
        colours = [page.ink.negative, page.ink.positive][: len(curves) - 1]
        colours = [
            *colours,
            page.ink.line if self.yardstick.null else page.ink.positive,
        ]
        for (name, _, coverage), colour in zip(curves, colours, strict=True):
            page.rectangle(x, y + 0.45 * em, em, 0.25 * em, colour)
            facts = coverage_facts(coverage, self.yardstick)[-1]
            text = face.elide(f"{name}: {facts} identified", self.width - 1.5 * em)
            page.text(x + 1.4 * em, y + 0.95 * em, text, gid="side")
            y += 1.3 * em
        y += 0.8 * em
        top = max(float(shares.max()) for _, shares, _ in curves)
        ticks = nice_ticks(top, 3)
        axis = max(face.width(percent(tick, 0)) for tick in ticks) + 0.6 * em
        chart = Chart(
            page,
            x + axis,
            y,
            self.width - axis - em,
            self.chart * em,
            (0.0, 1.0),
            (0.0, top * 1.04),
        )
        chart.y_axis(ticks, lambda tick: percent(tick, 0))
        for (_, shares, _), colour in zip(curves, colours, strict=True):
            chart.steps(edges.tolist(), shares.tolist(), colour)
        threshold = self.yardstick.threshold
        at = chart.right(threshold)
        page.line([at, at], [chart.y, chart.y + chart.height], colour=page.ink.text)
        chart.x_axis([threshold, 0, 1, 0.5], "fit (cosine)", fit_name)

    def _curves(self) -> list[tuple[str, NDArray[np.float64], float]]:
        """Name, share of kernels in each bin and coverage of each outline."""
        edges = np.linspace(0, 1, BINS + 1)
        curves = []
        for side in self.sides:
            if side.fit is not None and side.counts is not None:
                counts, _ = np.histogram(np.clip(side.fit, 0, 1), bins=edges)
                shares = np.asarray(counts / max(len(side.fit), 1), np.float64)
                curves.append((side.name, shares, side.counts.coverage))
        null, coverage = self.yardstick.null, self.yardstick.null_coverage
        if null is not None:
            curves.append(("White noise", null_shares(null, BINS), coverage))
        return curves


def _cosine_panel(
    layers: tuple[str, ...],
    cosines: tuple[NDArray[np.float32], ...],
    width: float,
    face: Face,
    options: FigureOptions,
    tight: float,
) -> LayerPanel:
    """How alike the kernels at the same place are, layer by layer."""
    quartiles = np.array([np.quantile(c, (0.25, 0.5, 0.75)) for c in cosines])
    lowest = min(float(quartiles.min()), 0.99)
    step = next(s for s in (0.01, 0.02, 0.05, 0.1, 0.2, 0.5) if (1 - lowest) / s <= 4)
    ticks = 1 - step * np.arange(np.ceil((1 - lowest) / step - 1e-6), -1, -1)
    return LayerPanel(
        ("Cosine between the kernels at the same place", "Cosine of the pairs"),
        *(layers, quartiles, None, (float(ticks[0]), 1.0)),
        tuple(ticks.round(2).tolist()),
        *(width, face, options, _between(_CHART, tight)),
    )


class ChangedPanel:
    """The kernels that changed most between two networks of one kind."""

    def __init__(
        self,
        pairs: PairsContent,
        width: float,
        face: Face,
        options: FigureOptions,
        rows: int,
    ) -> None:
        self._pairs, self._width, self._face = pairs, width, face
        free = replace(options, height_mm=None)
        self._tiling, self._shown = pairs.arrange(free, face, 0.0, rows)

    @property
    def height(self) -> float:
        """Heading and pairs."""
        return _HEAD * self._face.em + self._tiling.height

    def draw(self, page: Page, x: float, y: float, letter: str) -> None:
        """Draw the heading, and the pairs with their places below them."""
        em = self._face.em
        texts = "Most changed kernels: before, after, difference", "Most changed"
        page.heading(x, y + em, texts, self._width, letter)
        self._pairs.draw_pairs(page, self._tiling, self._shown, y + (_HEAD - 0.3) * em)


class SamplePanel:
    """Random kernels of both."""

    def __init__(
        self,
        sides: tuple[Side, Side],
        width: float,
        face: Face,
        options: FigureOptions,
        tight: float,
    ) -> None:
        self._sides, self._width, self._face = sides, width, face
        cell = sides[0].samples.cell
        largest = _CELL * face.em
        if options.samples:
            largest = width / options.samples
        plan = Blocks(
            cell=cell,
            counts=(1, 1),
            width=width,
            dpi=options.dpi,
            before=1.3 * face.em,
            after=0.3 * face.em,
            per_row=options.samples or 0,
        )
        one = plan.fit(1e6, largest) or plan.tile(1)
        longest = max(len(side.samples) for side in sides)
        self._count = min((1 if options.samples or tight else 2) * one.per_row, longest)
        plan = replace(plan, counts=(self._count,) * 2, per_row=one.per_row)
        self._tiling = plan.tile(one.tap_pixels)

    @property
    def height(self) -> float:
        """Heading and kernels."""
        return _HEAD * self._face.em + self._tiling.height

    def draw(self, page: Page, x: float, y: float, letter: str) -> None:
        """Draw the heading, and names over kernels."""
        em = self._face.em
        page.heading(x, y + em, "Random kernels", self._width, letter)
        top = page.snap(y + (_HEAD - 0.4) * em)
        tiling = self._tiling
        blocks = [side.samples.take(slice(self._count)) for side in self._sides]
        tiling.draw(page, colour_blocks(blocks, page.options), x, top)
        for side, at in zip(self._sides, tiling.tops(top), strict=True):
            name = self._face.elide(side.name, self._width)
            page.note(x, at - 0.3 * em, name, gid="side")


def _between(ends: tuple[float, float], tight: float) -> float:
    return ends[0] + (ends[1] - ends[0]) * tight


def _shade(colour: str, page: Page, row: int) -> str:
    """The colour for the first side, a paler one for the second."""
    return mix(colour, page.ink.paper, _PALE) if row else colour
