"""Exhibit: how far the kernels of each layer moved between two networks."""

from __future__ import annotations

import string
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from kernelviewer.figures.chart import LayerPanel, nice_ticks
from kernelviewer.figures.colours import ink
from kernelviewer.figures.comparing import compare_scene
from kernelviewer.figures.content import Table, too_low, too_narrow
from kernelviewer.figures.counts import decimal
from kernelviewer.figures.fonts import Face
from kernelviewer.figures.legend import Entry, Legend
from kernelviewer.figures.page import Page, title_height
from kernelviewer.kernels.comparison import QUANTILES
from kernelviewer.text import percent
from kernelviewer.watch import NEVER

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from kernelviewer.figures.comparing import Compared
    from kernelviewer.figures.options import FigureOptions
    from kernelviewer.figures.scene import Scene
    from kernelviewer.kernels.comparison import Summary
    from kernelviewer.watch import Watch

_CHART, _LOWEST = 8.5, 4.0
_NARROWEST = 12.0
"""Lengths in units of the font size."""


@dataclass(frozen=True, eq=False)
class DriftContent:
    """The layers that correspond, beside shuffled channels."""

    compared: Compared
    """The networks and their pairs."""
    layers: tuple[str, ...]
    """Names in the first network, in its order."""

    def draw(self, options: FigureOptions, watch: Watch = NEVER) -> Page:
        """A chart each for patterns, scales and classes."""
        face = Face.of(options)
        top = title_height(options, face)
        room = options.width_mm - 2 * face.margin
        legend = Legend(_entries(options), face, room)
        foot = legend.height + face.margin
        panels = self._panels(options, face, top + foot)
        height = top + sum(panel.height for panel in panels) + foot
        page = Page(options, max(height, options.height_mm or 0.0), face)
        y = page.title()
        for panel, letter in zip(panels, string.ascii_lowercase, strict=False):
            watch.check()
            panel.draw(page, face.margin, y, letter)
            y += panel.height
        legend.draw(page, page.margin, page.height - foot)
        return page

    def caption(self) -> str:
        """What dots and lines are, and the numbers of all pairs."""
        found = self.compared.found
        texts = [
            self.compared.sentence,
            "Dots: the layers' medians; thick lines: quartiles; thin ones: 5 to 95 %. "
            "Pale, at the right of each layer: the same kernels beside those of other "
            "channels of the layer.",
        ]
        if found.summary.patterned:
            texts.append(
                f"Mean cosine of all: {found.summary.mean_cosine:.3f} (shuffled "
                f"channels: {decimal(found.null.mean_cosine)})."
            )
        if found.noise == found.noise:
            texts.append(
                "The best match of noise with the layers' second moments reaches "
                f"{found.noise:.3f}."
            )
        if found.changed is not None:
            texts.append(
                f"Class changed: {percent(found.summary.changed)} (shuffled channels: "
                f"{percent(found.null.changed)})."
            )
        return " ".join(texts)

    def table(self) -> Table:
        """A row for each layer."""
        columns: dict[str, list[Any]] = {"layer": list(self.layers)}
        for name, summaries in (("", self._summaries()), ("shuffled_", self._nulls())):
            columns[f"{name}pairs"] = [item.pairs for item in summaries]
            columns[f"{name}mean_cosine"] = [item.mean_cosine for item in summaries]
            for number, share in enumerate(QUANTILES):
                key = f"{round(100 * share)}"
                columns[f"{name}cosine_{key}"] = [i.cosine[number] for i in summaries]
                columns[f"{name}log_scale_ratio_{key}"] = [
                    i.scale_ratio[number] for i in summaries
                ]
            columns[f"{name}changed"] = [item.changed for item in summaries]
        return Table(columns)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Every pair: its layer, cosine and scale ratio, and those of the null."""
        found = self.compared.found
        lengths = [item.summary.pairs for item in found.layers]
        return {
            "layers": np.array(self.layers),
            "layer": np.repeat(np.arange(len(lengths)), lengths),
            "cosine": found.cosine,
            "log_scale_ratio": found.scale_ratio,
            "offset_change": found.offset_change,
            "shuffled_cosine": found.shuffled_cosine,
            "shuffled_log_scale_ratio": found.shuffled_scale_ratio,
            "sources": np.array(self.compared.names),
        }

    def _summaries(self) -> list[Summary]:
        return [item.summary for item in self.compared.found.layers]

    def _nulls(self) -> list[Summary]:
        return [item.null for item in self.compared.found.layers]

    def _panels(
        self, options: FigureOptions, face: Face, rest: float
    ) -> list[LayerPanel]:
        width = options.width_mm - 2 * face.margin
        if width < _NARROWEST * face.em:
            raise too_narrow("the drift does not fit")
        panels = [
            _panel(self._pattern(), self.layers, width, face, options),
            _panel(self._scale(), self.layers, width, face, options),
        ]
        if self.compared.found.changed is not None:
            panels.append(_panel(self._classes(), self.layers, width, face, options))
        panels[-1] = replace(panels[-1], named=True)
        axis = max(panel.axis_width for panel in panels)
        panels = [replace(panel, axis=axis) for panel in panels]
        if options.height_mm is None:
            return panels
        spare = options.height_mm - rest
        spare -= sum(panel.height - panel.chart * face.em for panel in panels)
        chart = spare / len(panels) / face.em
        if chart < _LOWEST:
            raise too_low("the drift does not fit", options)
        return [replace(panel, chart=chart) for panel in panels]

    def _pattern(self) -> _Quantity:
        rows, null = (
            np.array([1 - np.array(item.cosine[::-1]) for item in summaries])
            for summaries in (self._summaries(), self._nulls())
        )
        top = max(float(np.nanmax(values, initial=0.1)) for values in (rows, null))
        heading = ("Change of the pattern, 1 − cosine", "1 − cosine")
        return _Quantity(heading, rows, null, (0.0, 1.04 * top), nice_ticks(top, 4))

    def _scale(self) -> _Quantity:
        rows, null = (
            np.array([item.scale_ratio for item in summaries])
            for summaries in (self._summaries(), self._nulls())
        )
        parts = rows, null[:, 1:-1]
        low = min(float(np.nanmin(part, initial=-0.1)) for part in parts)
        high = max(float(np.nanmax(part, initial=0.1)) for part in parts)
        up, down = nice_ticks(high, 2), nice_ticks(-low, 2)
        step = max(up[1:2] + down[1:2], default=1.0)
        ends = int(-low / step + 1e-9), int(high / step + 1e-9)
        ticks = [step * number for number in range(-ends[0], ends[1] + 1)]
        heading = ("Change of the scale, ln(after / before)", "ln scale ratio")
        spare = 0.04 * (high - low)
        return _Quantity(heading, rows, null, (low - spare, high + spare), ticks)

    def _classes(self) -> _Quantity:
        rows, null = (
            np.array([[item.changed] for item in summaries])
            for summaries in (self._summaries(), self._nulls())
        )
        heading = ("Share of the kernels whose class changed", "Class changed")
        return _Quantity(heading, rows, null, (0.0, 1.0), (0.0, 0.5, 1.0), True)


@dataclass(frozen=True, slots=True, eq=False)
class _Quantity:
    """What one chart shows; as in `LayerPanel`."""

    heading: tuple[str, ...]
    rows: NDArray[np.float64]
    null: NDArray[np.float64]
    reach: tuple[float, float]
    ticks: Iterable[float]
    is_share: bool = False


def _panel(
    quantity: _Quantity,
    layers: tuple[str, ...],
    width: float,
    face: Face,
    options: FigureOptions,
) -> LayerPanel:
    return LayerPanel(
        quantity.heading,
        layers,
        quantity.rows,
        quantity.null,
        quantity.reach,
        tuple(quantity.ticks),
        *(width, face, options, _CHART),
        named=False,
        name=partial(percent, digits=0) if quantity.is_share else "{:g}".format,
    )


def _entries(options: FigureOptions) -> list[Entry]:
    if not options.legend:
        return []
    ground = ink(options.dark)
    return [
        Entry(ground.text, "corresponding kernels"),
        Entry(ground.neutral, "channels shuffled within the layer"),
    ]


def prepare_drift(
    scene: Scene, options: FigureOptions, watch: Watch = NEVER
) -> DriftContent:
    """Compare the layers that correspond.

    Raises
    ------
    FigureError
        There are not two networks, or no kernels of theirs correspond.
    """
    compared = compare_scene(scene, options, watch)
    layers = compared.found.layers
    return DriftContent(compared, tuple(compared.layer_name(item) for item in layers))
