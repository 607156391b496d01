"""Exhibit: how the distribution of kernels shifted between two networks.

Gavrikov and Keuper, CNN Filter DB (CVPR 2022); `kernelviewer.kernels.statistics`.
"""

from __future__ import annotations

import string
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from kernelviewer.figures.chart import Chart, LayerPanel, nice_ticks
from kernelviewer.figures.comparing import compare_scene
from kernelviewer.figures.content import FigureError, Table, too_low, too_narrow
from kernelviewer.figures.fonts import Face
from kernelviewer.figures.page import Page, title_height
from kernelviewer.figures.tiling import as_pictures, palette, quantise
from kernelviewer.text import percent
from kernelviewer.watch import NEVER

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kernelviewer.figures.comparing import Compared
    from kernelviewer.figures.options import FigureOptions
    from kernelviewer.figures.scene import Scene
    from kernelviewer.kernels.statistics import Shift
    from kernelviewer.watch import Watch

_COMPONENTS = 4
_BESIDE, _NARROWEST = 50.0, 14.0
_CHART, _LOWEST = 8.0, 4.0
_HEAD = 2.0
_SIDES = 2.9
_PICTURE = 5.2
"""Lengths in units of the font size."""


@dataclass(frozen=True, eq=False)
class ShiftContent:
    """The shift of all kernels and of each two layers."""

    compared: Compared
    """The networks and their pairs."""
    whole: Shift
    """Of all kernels."""
    layers: tuple[str, ...]
    shifts: tuple[Shift | None, ...]
    """Names of the layers that correspond, and the shift of each; None where a layer is
    flat."""

    def draw(self, options: FigureOptions, watch: Watch = NEVER) -> Page:
        """The shift by layer; below it, the first components' histograms."""
        face = Face.of(options)
        em = face.em
        room = options.width_mm - 2 * face.margin
        if room < _NARROWEST * em:
            raise too_narrow("the shift does not fit")
        top = title_height(options, face)
        panel = self._panel(room, face, options)
        columns = 4 if room > _BESIDE * em else 2
        wide = (room - (columns - 1) * 1.5 * em) / columns
        number = min(_COMPONENTS, len(self.whole.variance))
        card = (_HEAD + _PICTURE + 1.4) * em
        cards = -(-number // columns) * card + _SIDES * em
        rest = top + face.margin + cards
        if options.height_mm is not None:
            spare = options.height_mm - rest - panel.height
            panel = replace(panel, chart=panel.chart + spare / em)
        if panel.chart < _LOWEST:
            raise too_low("the shift does not fit", options)
        height = max(rest + panel.height, options.height_mm or 0.0)
        page = Page(options, height, face)
        letters = iter(string.ascii_lowercase)
        panel.draw(page, face.margin, page.title(), next(letters))
        y = top + panel.height
        self._draw_sides(page, y, room)
        y += _SIDES * em
        for place in range(number):
            watch.check()
            row, column = divmod(place, columns)
            x = face.margin + column * (wide + 1.5 * em)
            self._draw_component(page, place, x, y + row * card, wide, next(letters))
        return page

    def caption(self) -> str:
        """What the shift is, and what chance gives."""
        return (
            f"{self.compared.sentence} Shift of the distribution of kernels as in CNN "
            "Filter DB: symmetric Kullback–Leibler divergence of the histograms along "
            "the principal components, weighted by their variance. All kernels: "
            f"{self.whole.value:.3f}; dealt to the two networks at random: "
            f"{self.whole.null:.3f}. Dots: layers, as "
            "multiples of what random dealing gives them (pale)."
        )

    def table(self) -> Table:
        """A row for each layer."""
        nothing = float("nan")
        return Table(
            {
                "layer": list(self.layers),
                "shift": [nothing if s is None else s.value for s in self.shifts],
                "dealt_shift": [nothing if s is None else s.null for s in self.shifts],
            }
        )

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Shifts, and the histograms of all components."""
        table = self.table().columns
        return {
            "layers": np.array(self.layers),
            "shift": np.array(table["shift"]),
            "dealt_shift": np.array(table["dealt_shift"]),
            "all_shift": np.array([self.whole.value, self.whole.null]),
            "variance": self.whole.variance,
            "components": self.whole.components,
            "edges": self.whole.edges,
            "counts_0": self.whole.counts_a,
            "counts_1": self.whole.counts_b,
            "sources": np.array(self.compared.names),
        }

    def _panel(self, room: float, face: Face, options: FigureOptions) -> LayerPanel:
        times = [
            float("nan") if item is None else item.value / max(item.null, 1e-12)
            for item in self.shifts
        ]
        rows = np.array(times)[:, None]
        null = np.where(np.isnan(rows), np.nan, 1.0)
        top = max(float(np.nanmax(rows, initial=0.0)), 2.0)
        both = f"{self.whole.value:.2f} (chance {self.whole.null:.2f})"
        heading = (
            f"Shift of each layer as a multiple of chance; all kernels: {both}",
            f"Shift as a multiple of chance; all: {both}",
            "Shift ÷ chance",
        )
        return LayerPanel(
            *(heading, self.layers, rows, null, (0.0, 1.04 * top), nice_ticks(top, 4)),
            *(room, face, options, _CHART),
        )

    def _draw_sides(self, page: Page, y: float, room: float) -> None:
        """Which outline is whose."""
        em = page.face.em
        colours = page.ink.negative, page.ink.positive
        for number, (name, colour) in enumerate(
            zip(self.compared.names, colours, strict=True)
        ):
            base = y + (1.0 + 1.2 * number) * em
            page.rectangle(page.margin, base - 0.5 * em, em, 0.3 * em, colour)
            text = page.face.elide(name, room - 1.5 * em)
            page.text(page.margin + 1.4 * em, base, text, gid="side")

    def _draw_component(
        self, page: Page, place: int, x: float, y: float, wide: float, letter: str
    ) -> None:
        """A component's picture and the kernels' histograms along it."""
        em, shift = page.face.em, self.whole
        share = percent(float(shift.variance[place]), 0)
        texts = (f"Component {place + 1} ({share})", f"PC {place + 1} ({share})")
        page.heading(x, y + em, texts, wide, letter)
        y += _HEAD * em
        picture = as_pictures(shift.components[place : place + 1])
        high, across = picture.shape[1:]
        tap = min(_PICTURE * em / high, 0.4 * wide / across)
        indices = quantise(picture, np.zeros(1, bool))[0]
        colours = palette(page.options, page.ink)[indices]
        pixels = max(1, round(tap * page.options.dpi / 25.4))
        colours = colours.repeat(pixels, axis=0).repeat(pixels, axis=1)
        place_x, place_y = page.snap(x), page.snap(y)
        page.image(colours, place_x, place_y, across * tap, high * tap)
        page.frame(place_x, place_y, across * tap, high * tap)
        counts = shift.counts_a[place], shift.counts_b[place]
        shares = [part / max(int(part.sum()), 1) for part in counts]
        low, top = shift.edges[place]
        beside = across * tap + 0.8 * em
        chart = Chart(
            *(page, x + beside, y, wide - beside, _PICTURE * em),
            (float(low), float(top)),
            (0.0, 1.04 * max(float(part.max()) for part in shares)),
        )
        edges = np.linspace(low, top, len(counts[0]) + 1).tolist()
        for part, colour in zip(
            shares, (page.ink.negative, page.ink.positive), strict=True
        ):
            chart.steps(edges, part.tolist(), colour)
        base = chart.y + chart.height
        page.line([chart.x, chart.x + chart.width], [base, base])


def prepare_shift(
    scene: Scene, options: FigureOptions, watch: Watch = NEVER
) -> ShiftContent:
    """Compare the distributions of all kernels and of each layer's.

    Raises
    ------
    FigureError
        There are not two networks, no kernels of theirs correspond, or all are flat.
    """
    compared = compare_scene(scene, options, watch)
    found = compared.found
    whole = found.shift
    if whole is None:
        raise FigureError("no kernel that is shown has a pattern: all are flat")
    shifts = []
    for layer in found.layers:
        watch.check()
        shifts.append(found.shift_of(layer))
    names = tuple(compared.layer_name(layer) for layer in found.layers)
    return ShiftContent(compared, whole, names, tuple(shifts))
