"""Exhibit: how much of each layer's kernels a few keys keep, beside white noise."""

from __future__ import annotations

import string
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from kernelviewer.figures.chart import (
    Chart,
    LayerPanel,
    axis_height,
    fit_name,
    nice_ticks,
)
from kernelviewer.figures.content import Table
from kernelviewer.figures.counts import listing
from kernelviewer.figures.errors import FigureError
from kernelviewer.figures.exhibits.keys import approximated
from kernelviewer.figures.fonts import Face, figure_style
from kernelviewer.figures.page import Page, title_height
from kernelviewer.kernels.bank import size_label
from kernelviewer.latent.keys import QUANTILES
from kernelviewer.watch import NEVER

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kernelviewer.figures.options import FigureOptions
    from kernelviewer.figures.scene import Scene
    from kernelviewer.latent.keys import Approximated
    from kernelviewer.watch import Watch

_CURVE, _LOWEST, _NARROWEST = 7.0, 4.0, 12.0
_TICKS = (0.0, 0.25, 0.5, 0.75, 1.0)


@dataclass(frozen=True, eq=False)
class R2Content:
    """R² by layer of each network, and by the number of keys of all together.

    ``layers``: for each network the names, and R² at `QUANTILES` [layers, 5];
    ``names`` are those of the networks.
    """

    found: Approximated
    layers: tuple[tuple[tuple[str, ...], NDArray[np.float64]], ...]
    names: tuple[str, ...]

    def draw(self, options: FigureOptions, watch: Watch = NEVER) -> Page:
        """A panel for each network, and the curve below."""
        with figure_style():
            face = Face.of(options)
            em, room = face.em, options.width_mm - 2 * face.margin
            if room < _NARROWEST * em:
                problem = "R² does not fit into this width"
                raise FigureError(problem, "Make the figure wider.")
            panels = [
                self._panel(n, room, options, face) for n in range(len(self.layers))
            ]
            top = title_height(options, face)
            foot = (2.4 + _CURVE) * em + axis_height(em, options.labels) + face.margin
            rest = top + foot + sum(panel.height for panel in panels)
            if options.height_mm is not None:
                spare = (options.height_mm - rest) / em / len(panels)
                panels = [replace(p, chart=p.chart + spare) for p in panels]
                rest = max(options.height_mm, 0.0)
            if panels[0].chart < _LOWEST:
                problem = f"R² does not fit into {options.height_mm:g} mm"
                raise FigureError(problem, "Make the figure higher.")
            page = Page(options, rest, face)
            y = page.title()
            letters = iter(string.ascii_lowercase * (1 + len(panels) // 26))
            for panel in panels:
                watch.check()
                panel.draw(page, face.margin, y, next(letters))
                y += panel.height
            self._draw_curve(page, y, room, next(letters))
            return page

    def _panel(
        self, number: int, room: float, options: FigureOptions, face: Face
    ) -> LayerPanel:
        part, (names, quantiles) = self.found.parts[number], self.layers[number]
        name = self.names[number]
        noise = f"white noise {self.found.null.mean:.2f}"
        heading = (
            f"{name}: mean R² {part.mean:.2f}, {noise}",
            f"{name}: {part.mean:.2f}",
            name,
        )
        null = np.tile(self.found.null.quantiles, (len(names), 1))
        reach = (0.0, 1.0)
        return LayerPanel(
            *(heading, names, quantiles, null, reach, _TICKS, room, face, options),
            name=fit_name,
        )

    def _draw_curve(self, page: Page, y: float, room: float, letter: str) -> None:
        """Mean R² of all networks with the first 1, 2, … keys, and of noise (pale)."""
        em, curve = page.face.em, np.array(self.found.curve)
        heading = ("Mean R² by number of keys, white noise pale", "R² by keys")
        page.heading(page.margin, y + em, heading, room, letter)
        axis = page.face.width("0.75") + 0.6 * em
        chart = Chart(
            *(page, page.margin + axis, y + 2.4 * em, room - axis - em, _CURVE * em),
            (0.0, float(len(curve))),
            (0.0, 1.0),
        )
        for column, colour in ((1, page.ink.neutral), (0, page.ink.text)):
            xs = [chart.right(n) for n in range(len(curve) + 1)]
            ys = [chart.up(value) for value in (0.0, *curve[:, column])]
            page.line(xs, ys, colour=colour)
            for at, up in zip(xs[1:], ys[1:], strict=True):
                page.dot(at, up, 0.22 * em, colour)
        chart.y_axis(_TICKS, fit_name)
        ticks = [tick for tick in nice_ticks(len(curve), 8) if tick == int(tick)]
        chart.x_axis(ticks, "keys")

    def caption(self) -> str:
        """What R² is, and what noise reaches."""
        found = self.found
        names = listing(self.names)
        return (
            f"Share R² of the variance of the {size_label(found.keys.size)} kernels of "
            f"{names} that {len(found.keys)} keys ({found.keys.name}) keep: median "
            "(dot), quartiles and deciles of each layer, and of white noise beside it "
            f"(pale). Mean of the networks: {found.mean:.3f}; white noise: "
            f"{found.null.mean:.3f}."
        )

    def table(self) -> Table:
        """A row for each layer."""
        rows = [
            (name, *layer)
            for name, part in zip(self.names, self.found.parts, strict=True)
            for layer in part.layers
        ]
        return Table(
            {
                "network": [row[0] for row in rows],
                "layer": [row[1] for row in rows],
                "kernels": [row[2] for row in rows],
                "r2": [row[3] for row in rows],
                "null_r2": [self.found.null.mean] * len(rows),
            }
        )

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The table, the curve, and R² of every kernel."""
        arrays = {name: np.array(v) for name, v in self.table().columns.items()}
        arrays["curve"] = np.array(self.found.curve)
        for number, part in enumerate(self.found.parts):
            arrays[f"r2_{number}"] = part.approximation.r2
        return arrays


def prepare_r2(scene: Scene, options: FigureOptions, watch: Watch = NEVER) -> R2Content:
    """Approximate the kernels, and take the quantiles of each layer.

    Raises
    ------
    FigureError
        There are no keys of the size, or no kernel has a pattern.
    """
    found = approximated(scene, options, watch)
    names = tuple(
        subject.name
        for subject, part in zip(scene.subjects, found.parts, strict=True)
        if part.layers
    )
    found = replace(found, parts=tuple(part for part in found.parts if part.layers))
    layers = []
    for part in found.parts:
        kernels = part.bank.sizes[scene.size]
        r2 = part.approximation.r2
        rows = []
        for index in np.unique(kernels.layer):
            there = r2[(kernels.layer == index) & np.isfinite(r2)]
            if len(there):
                rows.append(np.quantile(there, QUANTILES))
        layers.append((tuple(name for name, _, _ in part.layers), np.array(rows)))
    return R2Content(found, tuple(layers), names)
