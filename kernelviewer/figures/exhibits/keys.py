"""Exhibits: the keys that stand for kernels, and how much of these they keep.

Babaiee et al. (NeurIPS 2025, arXiv:2509.11711); `kernelviewer.latent.keys`.
"""

from __future__ import annotations

import math
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
from kernelviewer.figures.content import FigureError, Table, too_low, too_narrow
from kernelviewer.figures.counts import listing
from kernelviewer.figures.fonts import Face
from kernelviewer.figures.legend import draw_scale_bar, scale_bar_height
from kernelviewer.figures.page import Page, title_height
from kernelviewer.figures.tiling import Blocks, as_pictures, quantise
from kernelviewer.kernels.bank import PER_KERNEL, size_label
from kernelviewer.kernels.keys import KeysError
from kernelviewer.latent.keys import (
    PUBLISHED,
    PUBLISHED_SIZE,
    QUANTILES,
    approximate,
    shipped_keys,
)
from kernelviewer.text import percent
from kernelviewer.watch import NEVER

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kernelviewer.figures.options import FigureOptions
    from kernelviewer.figures.scene import Scene, Subject
    from kernelviewer.kernels import KernelBank
    from kernelviewer.kernels.keys import Keys
    from kernelviewer.latent.keys import Among, Approximated
    from kernelviewer.watch import Watch


USUAL = 8
_CARD, _LEAST, _GAP = 8.5, 2.0, 0.8
"""Widths of a card, of the smallest kernel on it, and between, in units of the font."""
_LINES = 3


def approximated(
    scene: Scene, options: FigureOptions, watch: Watch = NEVER
) -> Approximated:
    """A scene's networks by the published keys, or by those sought for them.

    Raises
    ------
    FigureError
        There are no keys of the size, or no kernel has a pattern.
    """
    keys: Keys | str | int = options.keys or USUAL
    if options.keys is None and scene.size == PUBLISHED_SIZE:
        keys = PUBLISHED
    among: Among | None = "centroids" if options.key_set == "centroids" else None
    if not scene.count:
        raise FigureError("no kernels are shown", "Show other layers.")
    banks = [_shown(subject) for subject in scene.subjects]
    try:
        if options.key_set == "shipped":
            given = shipped_keys(scene.size, options.keys or USUAL)
            if given is None:
                label = size_label(scene.size)
                msg = (
                    f"no {options.keys or USUAL} keys of {label} come with the program"
                )
                raise FigureError(msg, "It has 8 and 16 for 3×3, 5×5, 7×7 and 9×9.")
            keys = given
        elif options.key_set and among is None:
            keys = options.key_set
        return approximate(banks, keys, scene.size, among=among, watch=watch)
    except KeysError as error:
        raise FigureError(str(error)) from None


def _shown(subject: Subject) -> KernelBank:
    """A network with the kernels that are shown alone."""
    if subject.shown is None:
        return subject.bank
    kernels, shown = subject.kernels, subject.shown
    part = replace(
        kernels, **{name: getattr(kernels, name)[shown] for name in PER_KERNEL}
    )
    return replace(subject.bank, sizes={subject.size: part})


@dataclass(frozen=True, eq=False)
class KeysContent:
    """Keys by what each adds, with the share of kernels that each carries."""

    found: Approximated
    names: tuple[str, ...]

    def draw(self, options: FigureOptions, watch: Watch = NEVER) -> Page:
        """A card for each key: the pattern, its share of the kernels, its R²."""
        face = Face.of(options)
        em, room = face.em, options.width_mm - 2 * face.margin
        count = len(self.found.keys)
        columns = max(1, min(count, int(room / (_CARD * em))))
        rows = -(-count // columns)
        wide = room / columns
        top, foot = title_height(options, face), scale_bar_height(options, face)
        text = _LINES * face.line() if options.labels else 0.5 * em
        picture = wide - _GAP * em
        if options.height_mm is not None:
            spare = options.height_mm - top - foot - face.margin - 2 * em
            picture = min(picture, spare / rows - text - 0.5 * em)
        if picture < _LEAST * em:
            problem = f"{count} keys do not fit here"
            raise FigureError(problem, "Make the figure wider or higher.")
        pictures = as_pictures(self.found.keys.patterns)
        cell = (pictures.shape[1], pictures.shape[2])
        plan = Blocks(cell, (1,), wide, options.dpi, per_row=1)
        tiling = plan.tile(plan.most_pixels(picture))
        pitch = tiling.cell_height + text + 0.5 * em
        height = top + 2 * em + rows * pitch + foot + face.margin
        page = Page(options, max(height, options.height_mm or 0.0), face)
        page.title()
        page.text(face.margin, top + em, face.elide(self._facts(), room))
        indices = quantise(pictures, np.zeros(count, bool))
        for place, key in enumerate(self.found.order):
            watch.check()
            row, column = divmod(place, columns)
            x = page.snap(face.margin + column * wide)
            y = page.snap(top + 2 * em + row * pitch)
            tiling.draw(page, [indices[key : key + 1]], x, y)
            page.frame(x, y, tiling.width, tiling.cell_height)
            self._label(page, key, x, y + tiling.cell_height, wide - 0.3 * em)
        draw_scale_bar(page, page.height - page.margin)
        return page

    def _label(self, page: Page, key: int, x: float, y: float, width: float) -> None:
        if not page.options.labels:
            return
        share, r2 = self.found.use[key]
        kept = "no kernel" if math.isnan(r2) else f"R² {r2:.2f}"
        lines = (f"{key + 1}", percent(float(share)), kept)
        for number, text in enumerate(lines, start=1):
            base = y + number * page.face.line() - 0.1 * page.face.em
            colour = page.ink.text if number == 1 else page.ink.secondary
            page.text(x, base, page.face.elide(text, width), colour=colour, gid="key")

    def _facts(self) -> str:
        found = self.found
        return f"mean R² {found.mean:.3f}, white noise {found.null.mean:.3f}"

    def caption(self) -> str:
        """What a key is, and what all of them reach."""
        found = self.found
        label = size_label(found.keys.size)
        return (
            f"The {label} kernels of {listing(self.names)} by {len(found.keys)} keys "
            f"({found.keys.name}): each kernel is a·f + b of the nearest key f, of "
            "either sign. Below a key: its number, the share of the kernels that it "
            "stands for, and the mean share R² of their variance that it keeps. Keys "
            f"stand in the order of what each adds. M{self._facts()[1:]} "
            f"(99 % of it below {found.null.q99:.3f})."
        )

    def table(self) -> Table:
        """A row for each key: what it carries, its weights."""
        found = self.found
        order = list(found.order)
        columns: dict[str, Any] = {
            "key": [key + 1 for key in order],
            "share": found.use[order, 0].tolist(),
            "r2": found.use[order, 1].tolist(),
            "r2_so_far": [mean for mean, _ in found.curve],
            "null_so_far": [null for _, null in found.curve],
        }
        weights = found.keys.rows[order]
        columns |= {f"w{i}": column.tolist() for i, column in enumerate(weights.T)}
        return Table(columns)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Keys, what they carry, and the key, gain and R² of every kernel."""
        arrays: dict[str, NDArray[Any]] = {
            "keys": self.found.keys.patterns,
            "use": self.found.use,
            "curve": np.array(self.found.curve),
        }
        for number, part in enumerate(self.found.parts):
            for name in ("key", "gain", "offset", "r2"):
                arrays[f"{name}_{number}"] = getattr(part.approximation, name)
        return arrays


def prepare_keys(
    scene: Scene, options: FigureOptions, watch: Watch = NEVER
) -> KeysContent:
    """Approximate the kernels of the networks.

    Raises
    ------
    FigureError
        As `approximated`.
    """
    names = tuple(subject.name for subject in scene.subjects)
    return KeysContent(approximated(scene, options, watch), names)


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
        face = Face.of(options)
        em, room = face.em, options.width_mm - 2 * face.margin
        if room < _NARROWEST * em:
            raise too_narrow("R² does not fit")
        panels = [self._panel(n, room, options, face) for n in range(len(self.layers))]
        top = title_height(options, face)
        foot = (2.4 + _CURVE) * em + axis_height(em, options.labels) + face.margin
        rest = top + foot + sum(panel.height for panel in panels)
        if options.height_mm is not None:
            spare = (options.height_mm - rest) / em / len(panels)
            panels = [replace(p, chart=p.chart + spare) for p in panels]
            rest = max(options.height_mm, 0.0)
        if panels[0].chart < _LOWEST:
            raise too_low("R² does not fit", options)
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
            (name, *layer, self.found.null.mean)
            for name, part in zip(self.names, self.found.parts, strict=True)
            for layer in part.layers
        ]
        return Table.of_rows(("network", "layer", "kernels", "r2", "null_r2"), rows)

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
