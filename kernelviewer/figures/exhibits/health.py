"""Exhibit: the health of each layer; what it is: `kernelviewer.kernels.health`."""

from __future__ import annotations

import string
from dataclasses import dataclass, replace
from itertools import cycle
from typing import TYPE_CHECKING, Any

import numpy as np

from kernelviewer.figures.chart import LayerPanel, fit_name, nice_ticks
from kernelviewer.figures.content import FigureError, Table, too_low, too_narrow
from kernelviewer.figures.counts import listing
from kernelviewer.figures.fonts import Face
from kernelviewer.figures.page import TITLE, Page, title_height, usual_height
from kernelviewer.kernels.bank import size_label
from kernelviewer.kernels.health import MEASURES, layer_health
from kernelviewer.watch import NEVER

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kernelviewer.figures.options import FigureOptions
    from kernelviewer.figures.scene import Scene
    from kernelviewer.kernels.bank import Size
    from kernelviewer.kernels.health import LayerHealth
    from kernelviewer.watch import Watch

_PANELS = (
    (
        ("entropy", "Variance entropy, white noise pale"),
        ("orthogonality", "Orthogonality"),
        ("scale", "Mean scale"),
    ),
    (("sparsity", "Share of nearly empty kernels"), ("flat", "Share of flat kernels")),
)
_CHART, _LOW, _LOWEST, _NARROWEST, _BESIDE, _GAP = 5.0, 2.3, 1.5, 12.0, 40.0, 1.5
"""Heights of charts: usual, on a full page, least; widths of the page, of one with two
columns, of the gap: in units of the font size."""


@dataclass(frozen=True, eq=False)
class HealthContent:
    """The layers of each network, kernels of one size."""

    networks: tuple[tuple[str, tuple[LayerHealth, ...]], ...]
    size: Size

    def draw(self, options: FigureOptions, watch: Watch = NEVER) -> Page:
        """A panel for each measure and network, layers from left to right."""
        face = Face.of(options)
        room = options.width_mm - 2 * face.margin
        if room < _NARROWEST * face.em:
            raise too_narrow("the health of layers does not fit")
        beside = room > _BESIDE * face.em
        groups = _PANELS if beside else ((*_PANELS[0], *_PANELS[1]),)
        wide = (room - (len(groups) - 1) * _GAP * face.em) / len(groups)
        columns = [
            [_panels(layers, group, wide, face, options) for group in groups]
            for _, layers in self.networks
        ]
        head = 1.2 * face.line(face.size * TITLE) if len(columns) > 1 else 0.0
        heights = [head + _height(column[0]) for column in columns]
        height = title_height(options, face) + face.margin + sum(heights)
        rows = len(self.networks) * len(groups[0])
        spare = (usual_height(options) - height) / face.em / rows
        if options.height_mm is None:
            spare = max(min(spare, 0.0), _LOW - _CHART)
        if spare:
            if _CHART + spare < _LOWEST:
                raise too_low(f"{rows} charts do not fit", options)
            columns = [
                [[replace(p, chart=p.chart + spare) for p in c] for c in network]
                for network in columns
            ]
            height += spare * face.em * rows
        page = Page(options, height, face)
        top, letters = page.title(), cycle(string.ascii_lowercase)
        for (name, _), network in zip(self.networks, columns, strict=True):
            if head:
                size = face.size * TITLE
                shown = face.elide(name, room, size, "bold")
                y = top + face.em
                page.text(face.margin, y, shown, size=size, weight="bold")
            for number, column in enumerate(network):
                y = top + head
                x = face.margin + number * (wide + _GAP * face.em)
                for panel in column:
                    watch.check()
                    panel.draw(page, x, y, next(letters))
                    y += panel.height
            top += head + _height(network[0])
        return page

    def caption(self) -> str:
        """What is drawn."""
        names = listing([name for name, _ in self.networks])
        return (
            f"Health of the layers of {size_label(self.size)} kernels of {names}, from "
            "input to output: entropy of the variance over principal components, "
            "beside that of white noise of as many kernels and taps; orthogonality, 1 "
            "less the mean |cosine| of two kernels; mean scale; share of kernels below "
            "1 % of the layer's largest weight; share of flat kernels."
        )

    def table(self) -> Table:
        """A row for each layer."""
        rows = [(name, layer) for name, layers in self.networks for layer in layers]
        columns: dict[str, list[Any]] = {
            "network": [name for name, _ in rows],
            "layer": [layer.name for _, layer in rows],
            "support": [size_label(layer.support) for _, layer in rows],
        }
        for name in ("decile", "kernels", *MEASURES):
            columns[name] = [getattr(layer, name) for _, layer in rows]
        return Table(columns)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The columns of the table."""
        return {name: np.array(v) for name, v in self.table().columns.items()}


def _height(column: list[LayerPanel]) -> float:
    return sum(panel.height for panel in column)


def _panels(
    layers: tuple[LayerHealth, ...],
    group: tuple[tuple[str, str], ...],
    room: float,
    face: Face,
    options: FigureOptions,
) -> list[LayerPanel]:
    """A column of one network; names of layers stand below the last chart."""
    names = tuple(layer.name for layer in layers)
    panels = []
    for measure, title in group:
        values = np.array([getattr(layer, measure) for layer in layers])
        texts = (title, title.partition(",")[0])
        null, top = None, 1.0
        if measure == "entropy":
            null = np.array([layer.noise_entropy for layer in layers])[:, None]
            top = max(float(np.nan_to_num([values, null[:, 0]]).max()), 0.1)
        elif measure == "scale":
            top = float(np.nan_to_num(values).max()) or 1.0
        ticks = [0.0, 0.5, 1.0] if top == 1.0 else nice_ticks(top, 3)
        if 0 < ticks[-1] < top:
            ticks.append(ticks[-1] + ticks[1])
        panels.append(
            LayerPanel(
                texts,
                *(names, values[:, None], null, (0.0, max(top, ticks[-1])), ticks),
                *(room, face, options),
                chart=_CHART,
                named=measure == group[-1][0],
                name=fit_name if top >= 0.1 else "{:g}".format,
            )
        )
    axis = max(panel.axis_width for panel in panels)
    return [replace(panel, axis=axis) for panel in panels]


def prepare_health(
    scene: Scene, options: FigureOptions, watch: Watch = NEVER
) -> HealthContent:
    """Measure the layers of each network that have kernels of the scene's size.

    Raises
    ------
    FigureError
        There are none.
    """
    networks = []
    for subject in scene.subjects:
        own = set(subject.kernels.layer[subject.index].tolist())
        layers = [
            layer
            for layer in layer_health(subject.bank, watch.quiet())
            if layer.layer in own
        ]
        if layers:
            networks.append((subject.name, tuple(layers)))
    if not networks:
        raise FigureError("no kernels are shown", "Show other layers.")
    return HealthContent(tuple(networks), scene.size)
