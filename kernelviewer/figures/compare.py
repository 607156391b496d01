"""Exhibit: two networks, or a network and white noise, beside each other."""

from __future__ import annotations

import string
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from kernelviewer.figures.compare_panels import (
    BINS,
    CosinePanel,
    FitPanel,
    SamplePanel,
    SharePanel,
    Side,
)
from kernelviewer.figures.content import Table
from kernelviewer.figures.counts import (
    coding_of,
    count_labels,
    coverage_sentences,
    labels_of,
    null_shares,
)
from kernelviewer.figures.errors import FigureError
from kernelviewer.figures.fonts import Face
from kernelviewer.figures.kernels import Block
from kernelviewer.figures.names import count, listing
from kernelviewer.figures.page import Page, never, title_height
from kernelviewer.figures.sampling import draw_some
from kernelviewer.figures.scale_bar import draw_scale_bar, scale_bar_height
from kernelviewer.figures.style import figure_style
from kernelviewer.kernels.bank import size_label
from kernelviewer.kernels.classes import CLASSES
from kernelviewer.kernels.statistics import patterns

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kernelviewer.figures.compare_panels import Panel
    from kernelviewer.figures.options import FigureOptions
    from kernelviewer.figures.page import Check
    from kernelviewer.figures.scene import Scene, Subject, Yardstick
    from kernelviewer.kernels.bank import Size

_MOST = 400
_BESIDE, _NARROWEST = 50.0, 12.0
_NOISE = "white noise"


@dataclass(frozen=True, eq=False)
class CompareContent:
    """The two sides.

    Attributes
    ----------
    layers, cosines
        For networks of one kind: each layer's name, and the cosines [n] between its
        kernels' patterns in the two; else empty.
    """

    sides: tuple[Side, Side]
    size: Size
    yardstick: Yardstick | None
    layers: tuple[str, ...]
    cosines: tuple[NDArray[np.float32], ...]
    seed: int

    def draw(self, options: FigureOptions, check: Check = never) -> Page:
        """Shares of the classes, fits, cosines by layer, kernels."""
        with figure_style():
            face = Face.of(options)
            top, foot = title_height(options, face), scale_bar_height(options, face)
            rest = top + foot + face.margin
            layout = self._arrange(options, face, rest)
            height = max(layout.height + rest, options.height_mm or 0.0)
            page = Page(options, height, face)
            page.title()
            letters = iter(string.ascii_lowercase)
            for panel, x, y in layout.places:
                check()
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
                f"{mean:.2f}; dots are the layers' medians, lines their quartiles."
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
                numbers = side.counts.by_class.tolist()
                columns["source"] += [side.name] * len(CLASSES)
                columns["class"] += [item.id for item in CLASSES]
                columns["kernels"] += numbers
                columns["share"] += [n / max(side.counts.kernels, 1) for n in numbers]
        return Table(columns)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Counts, fits, cosines and the kernels shown."""
        arrays: dict[str, NDArray[Any]] = {
            "sources": np.array([side.name for side in self.sides]),
            "classes": np.array([item.id for item in CLASSES]),
        }
        for number, side in enumerate(self.sides):
            arrays[f"kernels_{number}"] = side.samples.weights
            if side.counts is not None:
                arrays[f"counts_{number}"] = side.counts.by_class
            if side.fit is not None:
                arrays[f"fit_{number}"] = side.fit
        if self.yardstick is not None:
            arrays["null_shares"] = null_shares(self.yardstick.null, BINS)
        if self.cosines:
            arrays["layers"] = np.array(self.layers)
            arrays["cosine"] = np.concatenate(self.cosines)
            lengths = list(map(len, self.cosines))
            arrays["layer"] = np.repeat(np.arange(len(lengths)), lengths)
        return arrays

    def _arrange(self, options: FigureOptions, face: Face, rest: float) -> _Layout:
        """The roomiest layout that fits; without kernels if nothing else does."""
        if options.height_mm is None:
            return self._layout(options, face, 0.0, True)
        room = options.height_mm - rest
        for kernels in (True, False):
            for tight in (0.0, 0.5, 1.0):
                layout = self._layout(options, face, tight, kernels)
                if layout.height <= room:
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
            problem = "the comparison does not fit into this width"
            raise FigureError(problem, "Make the figure wider, or its font smaller.")
        columns = 2 if room > _BESIDE * face.em else 1
        width = (room - (columns - 1) * 3 * face.em) / columns
        charts: list[SharePanel | FitPanel | CosinePanel] = []
        if self.yardstick is not None:
            charts.append(SharePanel(self.sides, width, face, tight))
            yardstick = self.yardstick
            charts.append(FitPanel(self.sides, yardstick, width, face, options, tight))
        if self.cosines:
            pairs = self.layers, self.cosines
            charts.append(CosinePanel(*pairs, width, face, options, tight))
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
            alike = bool(self.layers)
            samples = SamplePanel(self.sides, room, face, options, alike, tight)
            places.append((samples, face.margin, bottom))
            bottom += samples.height
        return _Layout(places, bottom, kernels)


def _levelled(
    charts: list[SharePanel | FitPanel | CosinePanel], face: Face
) -> list[list[SharePanel | FitPanel | CosinePanel]]:
    """The first chart on the left, the others beside it and as high together."""
    left, right = charts[:1], charts[1:]
    if not right:
        return [left, []]
    spare = left[0].height - sum(panel.height for panel in right)
    extra = max(spare, 0.0) / len(right) / face.em
    return [
        left,
        [
            panel if isinstance(panel, SharePanel) else replace(panel, extra=extra)
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
    scene: Scene, options: FigureOptions, check: Check = never
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
    check()
    yardstick = scene.yardstick
    if any(subject.coding is None for subject in scene.subjects):
        yardstick = None
    alike = len(scene.subjects) == 2 and _alike(first, second)
    layers, cosines = _cosines(first, second, check) if alike else ((), ())
    left = _side(first, yardstick, options)
    if len(scene.subjects) == 2:
        right = _side(second, yardstick, options)
    else:
        right = _noise(first, options)
    return CompareContent(
        (left, right), scene.size, yardstick, layers, cosines, options.seed
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
    """The side of white noise."""
    rng = np.random.default_rng(options.seed)
    weights = rng.normal(size=(_MOST, *subject.size)).astype(np.float32)
    samples = Block(
        _NOISE, "", weights, np.arange(_MOST, dtype=np.int32), np.zeros(_MOST, bool), 0
    )
    return Side(_NOISE, samples)


def _alike(first: Subject, second: Subject) -> bool:
    """Whether the two have the same layers with the same channels."""
    if [name for name, _ in first.layers()] != [name for name, _ in second.layers()]:
        return False
    pairs = zip(first.layers(), second.layers(), strict=True)
    return all(
        np.array_equal(first.kernels.channel[i], second.kernels.channel[k])
        for (_, i), (_, k) in pairs
    )


def _cosines(
    first: Subject, second: Subject, check: Check
) -> tuple[tuple[str, ...], tuple[NDArray[np.float32], ...]]:
    """Names of the layers, and the cosines of the kernels that are flat in neither."""
    names, cosines = [], []
    for (name, i), (_, k) in zip(first.layers(), second.layers(), strict=True):
        check()
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
