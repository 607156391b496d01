"""Exhibit: the share of each class in every layer.

Babaiee et al. (ICLR 2024), figure 7 and appendix.
"""

from __future__ import annotations

import string
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from kernelviewer.figures.chart import are_level, draw_name, names_height
from kernelviewer.figures.content import FigureError, Table, too_low, too_narrow
from kernelviewer.figures.counts import (
    Counts,
    count,
    count_labels,
    coverage_facts,
    coverage_sentences,
    labels_of,
    listed,
    listing,
    named,
    short_names,
)
from kernelviewer.figures.fonts import Face
from kernelviewer.figures.legend import Legend, class_entries, width_of
from kernelviewer.figures.page import Page, title_height
from kernelviewer.kernels.bank import size_label
from kernelviewer.kernels.classes import CLASSES, classes_shown
from kernelviewer.watch import NEVER

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kernelviewer.figures.legend import Entry
    from kernelviewer.figures.options import FigureOptions
    from kernelviewer.figures.scene import Scene, Yardstick
    from kernelviewer.kernels.bank import Size
    from kernelviewer.watch import Watch


_BARS = 15.0
"""Height of the bars, and most room for names below them, in units of the font."""
_NAMES = 12.0
_BESIDE = 50.0
_LEAST_BARS, _LEAST_ROOM = 5.0, 4.0
_BAR_WIDTH = 0.86
_BESIDE_LEGEND, _WIDEST = 5.0, 12.0
"""Most room for a bar, with a legend beside the bars and without."""


@dataclass(frozen=True, eq=False)
class Composition:
    """One network: its layers and their kernels by class, int [layers, classes]."""

    network: str
    layers: tuple[str, ...]
    by_class: NDArray[np.int64]

    @property
    def counts(self) -> Counts:
        """Of the whole network."""
        return Counts(self.by_class.sum(axis=0))


@dataclass(frozen=True, eq=False)
class CompositionContent:
    """The networks side by side or below each other."""

    networks: tuple[Composition, ...]
    size: Size
    yardstick: Yardstick

    @property
    def classes(self) -> list[int]:
        """Those that are listed, indices into `CLASSES`."""
        return listed(self.yardstick, *(item.counts for item in self.networks))

    def draw(self, options: FigureOptions, watch: Watch = NEVER) -> Page:
        """A stacked bar for each layer, in the order of the network."""
        face = Face.of(options)
        room = options.width_mm - 2 * face.margin
        total = sum(item.by_class.sum(axis=0) for item in self.networks)
        entries = class_entries(np.flatnonzero(total).tolist(), options)
        legend = Legend(entries, face, room)
        columns = 2 if len(self.networks) > 1 and room > _BESIDE * face.em else 1
        rows = -(-len(self.networks) // columns)
        width = (room - (columns - 1) * 2 * face.em) / columns
        top = title_height(options, face)
        panels = [
            _Panel.of(
                item, width, options, face, rows, top + face.margin, _BESIDE_LEGEND
            )
            for item in self.networks
        ]
        beside = self._beside(entries, panels[0], face)
        if beside is not None:
            return self._draw_one(panels[0], beside, options, face)
        foot = face.margin + legend.height
        panels = [
            _Panel.of(item, width, options, face, rows, top + foot)
            for item in self.networks
        ]
        high = max(panel.height for panel in panels)
        height = top + rows * high + foot
        page = Page(options, max(height, options.height_mm or 0.0), face)
        page.title()
        for number, (item, panel) in enumerate(zip(self.networks, panels, strict=True)):
            watch.check()
            row, column = divmod(number, columns)
            x = page.margin + column * (width + 2 * face.em)
            letter = string.ascii_lowercase[number % 26]
            panel.draw(page, item, x, top + row * high, letter, self.yardstick)
        legend.draw(page, page.margin, page.height - foot)
        return page

    def caption(self) -> str:
        """What the bars are, and how much of each network is identified."""
        several = listing([item.network for item in self.networks])
        sentences = coverage_sentences(
            [(item.network, item.counts.coverage) for item in self.networks],
            self.yardstick,
        )
        return (
            f"Share of each class among the {size_label(self.size)} kernels of each "
            f"layer of {several}, from input (left) to output (right). {sentences}"
        )

    def table(self) -> Table:
        """A row for each layer and class."""
        rows = [
            (item.network, layer, CLASSES[kind].id, row[kind], row[kind] / total)
            for item in self.networks
            for layer, row in zip(item.layers, item.by_class.tolist(), strict=True)
            for total in [max(sum(row), 1)]
            for kind in self.classes
        ]
        return Table.of_rows(("source", "layer", "class", "kernels", "share"), rows)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Counts [layers, classes] of each network."""
        arrays: dict[str, NDArray[Any]] = {
            "classes": np.array([CLASSES[kind].id for kind in self.classes]),
            "sources": np.array([item.network for item in self.networks]),
        }
        for number, item in enumerate(self.networks):
            arrays[f"counts_{number}"] = item.by_class[:, self.classes]
            arrays[f"layers_{number}"] = np.array(item.layers)
        return arrays

    def _beside(
        self, entries: list[Entry], panel: _Panel, face: Face
    ) -> tuple[Legend, float] | None:
        """The legend and its place right of the only network's bars, if it fits."""
        if len(self.networks) > 1 or not entries:
            return None
        left = panel.axis + len(panel.names) * panel.pitch + 2 * face.em
        widest = width_of(entries, face)
        legend = Legend(entries[::-1], face, widest, stacked=True)  # as the bars are
        if left + widest > panel.width or legend.height > panel.bars + panel.below:
            return None
        return legend, left

    def _draw_one(
        self,
        panel: _Panel,
        beside: tuple[Legend, float],
        options: FigureOptions,
        face: Face,
    ) -> Page:
        """One network with the legend at its right."""
        top = title_height(options, face)
        height = top + panel.height + face.margin
        page = Page(options, max(height, options.height_mm or 0.0), face)
        page.title()
        panel.draw(page, self.networks[0], page.margin, top, "a", self.yardstick)
        legend, left = beside
        spare = max((panel.bars - legend.height) / 2, 0.0)
        legend.draw(page, page.margin + left, top + panel.head + spare)
        return page


@dataclass(frozen=True, eq=False)
class _Panel:
    """Bars of one network; lengths in mm."""

    width: float
    axis: float
    bars: float
    pitch: float
    names: tuple[str, ...]
    every: int
    below: float
    head: float
    gap: float

    @classmethod
    def of(
        cls,
        item: Composition,
        width: float,
        options: FigureOptions,
        face: Face,
        rows: int,
        rest: float,
        widest: float = _WIDEST,
    ) -> _Panel:
        """Names below the bars where they fit, else numbers of layers.

        Parameters
        ----------
        widest
            Most room for a bar, in units of the font size.
        """
        n = max(len(item.layers), 1)
        axis = face.width("100 %") + 0.6 * face.em if options.labels else 0.0
        room = width - axis - face.line() / 2
        if room < _LEAST_ROOM * face.em:
            raise too_narrow("the bars do not fit")
        pitch = min(room / n, widest * face.em)
        names, every = short_names(item.layers), 1
        if pitch < face.line():
            names = [str(i + 1) for i in range(n)]
            every = max(1, -int(-face.line() // pitch))
            every = next((s for s in (1, 2, 5, 10, 20, 50, 100) if s >= every), every)
        longest = _NAMES * face.em
        if options.height_mm is not None:
            longest = min(longest, 0.4 * (options.height_mm - rest) / rows)
        names = [face.elide(name, longest) for name in names]
        below = 0.0
        if options.labels:
            below = names_height(names, pitch, face)
        head = 4.2 * face.em
        bars = _BARS * face.em
        if options.height_mm is not None:
            bars = (options.height_mm - rest) / rows - head - below - face.em
        if bars < _LEAST_BARS * face.em:
            raise too_low("the bars do not fit", options)
        return cls(width, axis, bars, pitch, tuple(names), every, below, head, face.em)

    @property
    def height(self) -> float:
        """Of the whole panel, with the space below it."""
        return self.head + self.bars + self.below + self.gap

    def draw(
        self,
        page: Page,
        item: Composition,
        x: float,
        y: float,
        letter: str,
        yardstick: Yardstick,
    ) -> None:
        """Heading, bars, names, axis."""
        em = page.face.em
        page.heading(x, y + em, item.network, self.width, letter)
        kernels = count(item.counts.kernels, "kernel")
        coverage = coverage_facts(item.counts.coverage, yardstick)
        longest = [f"{kernels}, {text}" for text in coverage]
        facts = page.face.first_fitting([*longest, *coverage], self.width)
        page.note(x, y + 2.25 * em, facts)
        left, top = x + self.axis, y + self.head
        self._draw_bars(page, item, left, top)
        if page.options.labels:
            self._draw_names(page, left, top + self.bars)
            self._draw_axis(page, x, top)

    def _draw_bars(self, page: Page, item: Composition, x: float, y: float) -> None:
        wide = _BAR_WIDTH * self.pitch if self.pitch > 0.5 else self.pitch
        for number, row in enumerate(item.by_class):
            left = x + number * self.pitch + (self.pitch - wide) / 2
            base = y + self.bars
            for kind, share in zip(
                classes_shown(), row / max(int(row.sum()), 1), strict=True
            ):
                high = float(share) * self.bars
                if high > 0:
                    box = left, base - high, wide, high
                    page.class_box(kind, *box, f"layer-{number}-{kind.id}")
                base -= high
        self._draw_counts(page, item, x, y - 0.4 * page.face.em)

    def _draw_counts(self, page: Page, item: Composition, x: float, y: float) -> None:
        """Kernels of each layer above its bar, if there is room for all of them."""
        size = 0.85 * page.face.size
        texts = [count(int(row.sum())) for row in item.by_class]
        widest = max(page.face.width(text, size) for text in texts)
        if not page.options.labels or widest + 0.3 * page.face.em > self.pitch:
            return
        for number, text in enumerate(texts):
            middle = x + (number + 0.5) * self.pitch
            page.note(middle, y, text, size=size, align="center")

    def _draw_names(self, page: Page, x: float, y: float) -> None:
        level = are_level(self.names, self.pitch, page.face)
        for number, name in enumerate(self.names):
            first = not number and self.every > 4
            if (number + 1) % self.every == 0 or first:
                draw_name(page, x + (number + 0.5) * self.pitch, y, name, level)

    def _draw_axis(self, page: Page, x: float, y: float) -> None:
        right = x + self.axis - 0.3 * page.face.em
        for share in (0, 0.5, 1):
            at = y + (1 - share) * self.bars
            text = f"{100 * share:.0f} %"
            baseline = at + 0.36 * page.face.em
            page.note(right, baseline, text, align="right")


def prepare_composition(
    scene: Scene, options: FigureOptions, watch: Watch = NEVER
) -> CompositionContent:
    """Count the classes of every layer that is shown.

    Raises
    ------
    FigureError
        The kernels have no classes, or none are shown.
    """
    yardstick = named(scene)
    networks = []
    for subject in scene.subjects:
        watch.check()
        label = labels_of(subject, yardstick)
        layers = subject.layers()
        if layers:
            rows = [count_labels(label[index]).by_class for _, index in layers]
            names = tuple(name for name, _ in layers)
            networks.append(Composition(subject.name, names, np.stack(rows)))
    if not networks:
        raise FigureError("no kernels are shown", "Show a layer or another size.")
    return CompositionContent(tuple(networks), scene.size, yardstick)
