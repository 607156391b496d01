"""Exhibit: the decoded spectrum of the code, with its named stretches.

Babaiee et al. (ICLR 2024), figure 3.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from kernelviewer.figures.content import Table
from kernelviewer.figures.counts import count, listing
from kernelviewer.figures.errors import FigureError
from kernelviewer.figures.fonts import Face, figure_style
from kernelviewer.figures.legend import (
    Legend,
    class_entries,
    draw_scale_bar,
    scale_bar_height,
)
from kernelviewer.figures.page import Page, title_height
from kernelviewer.figures.scene import FAMILY
from kernelviewer.figures.tiling import Blocks, as_pictures, quantise
from kernelviewer.kernels.bank import size_label
from kernelviewer.kernels.classes import CLASSES
from kernelviewer.watch import NEVER

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from kernelviewer.figures.legend import Entry
    from kernelviewer.figures.options import FigureOptions
    from kernelviewer.figures.scene import Scene, Yardstick
    from kernelviewer.figures.tiling import Tiling
    from kernelviewer.kernels.bank import Size
    from kernelviewer.latent.stretches import Stretch
    from kernelviewer.watch import Watch


_CELL = 2.4
_DENSITY, _BAR = 4.0, 0.7
_MOST_DENSITY = 4.0
"""Heights in units of the font size; how far the codes may grow on a high page."""
BINS = 160
"""Bins of the codes' density."""


@dataclass(frozen=True, eq=False)
class SpectrumContent:
    """The decoded patterns, the stretches, and the codes of what is open.

    Attributes
    ----------
    codes
        float32 [N]: codes of the kernels shown; may be empty.
    fullest
        Codes in a bin that fills the height; 0: those of the fullest bin.
    """

    yardstick: Yardstick
    spectrum: NDArray[np.float32]
    codes: NDArray[np.float32]
    networks: tuple[str, ...]
    size: Size
    fullest: int = 0

    def draw(self, options: FigureOptions, watch: Watch = NEVER) -> Page:
        """Codes, stretches and their names, the decoded kernels, an axis."""
        with figure_style():
            face = Face.of(options)
            em, room = face.em, options.width_mm - 2 * face.margin
            tiling = self._tile(options, face)
            width = tiling.width
            names = NameRow.of(self.yardstick.stretches, width, face, options.labels)
            legend = Legend(self._entries(options), face, room)
            density = usual = _DENSITY * em if len(self.codes) else 0.0
            top = title_height(options, face)
            foot = legend.height + scale_bar_height(options, face) + face.margin
            axis = 3.6 * em if options.labels else 2.3 * em
            height = top + density + _BAR * em + names.height + tiling.height
            height += axis + foot
            if options.height_mm is not None:
                spare = options.height_mm - height
                if spare < 0:
                    problem = f"the spectrum does not fit into {options.height_mm:g} mm"
                    raise FigureError(problem, f"Make the figure {height:.0f} mm high.")
                density += min(spare, _MOST_DENSITY * density)
                height += density - usual
            page = Page(options, max(height, options.height_mm or 0.0), face)
            page.title()
            x = page.snap(page.margin + (room - width) / 2)
            y = top + density + (page.height - height) / 2
            above = (y - density, y + (_BAR + 0.2) * em)
            self._draw_density(page, x, y, width, density)
            self._draw_stretches(page, x, y, width)
            y += _BAR * em
            names.draw(page, x, y)
            watch.check()
            y = page.snap(y + names.height)
            self._draw_kernels(page, tiling, x, y)
            _draw_axis(page, x, y + tiling.height, width)
            if options.mark is not None:
                below = (y - 0.3 * em, y + tiling.height + 0.2 * em)
                _draw_mark(page, x + options.mark * width, above, below)
            y = page.height - foot
            legend.draw(page, page.margin, y)
            draw_scale_bar(page, page.height - page.margin)
            return page

    def caption(self) -> str:
        """A sentence on what is decoded, and on the codes above."""
        stretches = count(len(self.yardstick.stretches), "stretch").replace(
            "stretchs", "stretches"
        )
        kind = f"Spectrum of {size_label(self.size)} kernels"
        if self.yardstick.by == "family":
            sentence = (
                f"{kind}: members of the {FAMILY} in the order of their classes, σ "
                f"growing, in {stretches}."
            )
        else:
            edited = self.yardstick.edited
            named = "edited by hand" if edited else "named by the pattern family"
            sentence = (
                f"{kind} decoded from the code ({self.yardstick.method}), in "
                f"{stretches} {named}."
            )
        if not len(self.codes):
            return sentence
        shown = count(len(self.codes), "kernel")
        return f"{sentence} Above: codes of {shown} of {listing(self.networks)}."

    def table(self) -> Table:
        """A row for each stretch."""
        stretches = self.yardstick.stretches
        return Table(
            {
                "low": [item.low for item in stretches],
                "high": [item.high for item in stretches],
                "class": [CLASSES[item.class_index].id for item in stretches],
                "name": [item.label for item in stretches],
                "kernels": [self._within(item.low, item.high) for item in stretches],
            }
        )

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Decoded patterns, codes, borders and classes of the stretches."""
        stretches = self.yardstick.stretches
        return {
            "spectrum": self.spectrum,
            "codes": self.codes,
            "borders": np.array([item.low for item in stretches] + [1.0]),
            "classes": np.array([CLASSES[item.class_index].id for item in stretches]),
        }

    def _within(self, low: float, high: float) -> int:
        last = high >= 1
        inside = (self.codes >= low) & ((self.codes < high) | last)
        return int(inside.sum())

    def _entries(self, options: FigureOptions) -> list[Entry]:
        if not options.legend:
            return []
        from kernelviewer.figures.colours import ink

        indices = [item.class_index for item in self.yardstick.stretches]
        return class_entries(indices, ink(options.dark))

    def _tile(self, options: FigureOptions, face: Face) -> Tiling:
        """One row of kernels as wide as the page."""
        rows, columns = as_pictures(self.spectrum[:0]).shape[1:]
        room = options.width_mm - 2 * face.margin
        plan = Blocks((rows, columns), (1,), room, options.dpi)
        if options.samples:
            plan = Blocks(
                (rows, columns), (1,), room, options.dpi, per_row=options.samples
            )
        largest = plan.most_pixels(room if options.samples else _CELL * face.em)
        tilings = map(plan.tile, range(largest, (largest * 2) // 3, -1))
        fitting = [tiling for tiling in tilings if tiling.width <= room + 1e-6]
        if options.samples and not fitting:
            fitting = [tiling] if (tiling := plan.fit(1e6, room)) else []
        if not fitting:
            problem = "the kernels are too large for this width"
            raise FigureError(problem, "Make the figure wider or show fewer samples.")
        return max(fitting, key=lambda tiling: tiling.width)

    def _draw_kernels(self, page: Page, tiling: Tiling, x: float, y: float) -> None:
        """The pattern at the middle of each cell."""
        at = (np.arange(tiling.per_row) + 0.5) / tiling.per_row
        index = np.minimum(
            (at * len(self.spectrum)).astype(int), len(self.spectrum) - 1
        )
        chosen = as_pictures(self.spectrum[index])
        colours = quantise(chosen, np.zeros(len(chosen), bool))
        tiling.draw(page, [colours], x, y)

    def _draw_density(
        self, page: Page, x: float, y: float, width: float, height: float
    ) -> None:
        if not height:
            return
        counts, _ = np.histogram(self.codes, bins=BINS, range=(0, 1))
        top = self.fullest or max(int(counts.max()), 1)
        step = width / BINS
        for number in np.flatnonzero(counts):
            high = counts[number] / top * (height - 0.4 * page.face.em)
            left = x + number * step
            page.rectangle(left, y - high, step, high, page.ink.neutral)

    def _draw_stretches(self, page: Page, x: float, y: float, width: float) -> None:
        for item in self.yardstick.stretches:
            kind = CLASSES[item.class_index]
            page.rectangle(
                x + item.low * width,
                y,
                (item.high - item.low) * width,
                _BAR * page.face.em,
                page.ink.of_class(kind),
                edge=page.ink.paper,
                gid=f"stretch-{kind.id}",
            )


def prepare_spectrum(
    scene: Scene, options: FigureOptions, watch: Watch = NEVER
) -> SpectrumContent:
    """The spectrum of what names the scene, and the codes of what is shown.

    Raises
    ------
    FigureError
        The kernels have no codes.
    """
    yardstick = scene.yardstick
    if yardstick is None or yardstick.spectrum is None:
        raise FigureError(
            f"there is no autoencoder for {size_label(scene.size)} kernels",
            "Name them by the family, train one, or choose another size.",
        )
    codes = [
        subject.coding.code[subject.index]
        for subject in scene.pooled.subjects
        if subject.coding is not None
    ]
    joined = np.concatenate(codes) if codes else np.zeros(0, np.float32)
    return SpectrumContent(
        yardstick=yardstick,
        spectrum=yardstick.spectrum,
        codes=joined[np.isfinite(joined)],
        networks=tuple(subject.name for subject in scene.subjects),
        size=scene.size,
    )


def _draw_axis(page: Page, x: float, y: float, width: float) -> None:
    """The code from 0 to 1 below the kernels; a tick gives way to a marked code."""
    em, mark = page.face.em, page.options.mark
    page.line([x, x + width], [y + 0.2 * em] * 2)
    ticks = [(0.0, "0"), (1.0, "1"), (0.5, "0.5")]
    if mark is not None:
        ticks = [(mark, f"{mark:.3f}"), *ticks]
    taken: list[tuple[float, float]] = []
    for tick, name in ticks:
        at, half = x + tick * width, page.face.width(name) / 2
        middle = min(max(at, x + half), x + width - half)
        gap = half + 0.3 * em
        if any(abs(middle - other) < gap + room for other, room in taken):
            continue
        taken.append((middle, half))
        page.line([at, at], [y + 0.2 * em, y + 0.5 * em])
        page.text(middle, y + 1.6 * em, name, align="center", gid="tick")
    if page.options.labels:
        page.text(x + width / 2, y + 2.8 * em, "code z", align="center")


def _draw_mark(page: Page, x: float, *spans: tuple[float, float]) -> None:
    """A line at the marked code, where there are no names."""
    for top, bottom in spans:
        width = 2 * page.face.hairline
        page.line([x, x], [top, bottom], colour=page.ink.text, width=width)


_LEADER = 1.2
_LONGEST = 9.0
"""Length of the leading lines and of the longest name, in units of the font size."""


@dataclass(frozen=True, slots=True)
class NameRow:
    """Names and where they stand.

    Attributes
    ----------
    names
        As they are written.
    anchors, places
        Middle of each stretch and of its name, mm from the left.
    upright
        Whether they are turned by 90°.
    height
        Room they take, mm.
    """

    names: tuple[str, ...]
    anchors: tuple[float, ...]
    places: tuple[float, ...]
    upright: bool
    height: float

    @classmethod
    def of(
        cls, stretches: Sequence[Stretch], width: float, face: Face, wanted: bool
    ) -> NameRow:
        """Names of stretches along ``width`` mm; none where none are wanted."""
        if not wanted or not stretches:
            return cls((), (), (), False, 0.4 * face.em)
        anchors = tuple((item.low + item.high) / 2 * width for item in stretches)
        names = tuple(
            item.name or CLASSES[item.class_index].short for item in stretches
        )
        widths = [face.width(name) + 0.6 * face.em for name in names]
        room = [(item.high - item.low) * width for item in stretches]
        if all(wide <= here for wide, here in zip(widths, room, strict=True)):
            return cls(names, anchors, anchors, False, 1.8 * face.em)
        kept = _longest(room, int(width / face.line()))
        names = tuple(face.elide(names[i], _LONGEST * face.em) for i in kept)
        anchors = tuple(anchors[i] for i in kept)
        gap = face.line()
        places = spaced(anchors, gap, gap / 2, width - gap / 2)
        longest = max(map(face.width, names))
        height = (_LEADER + 0.6) * face.em + longest
        return cls(names, anchors, tuple(places), True, height)

    def draw(self, page: Page, x: float, y: float) -> None:
        """Write them below y."""
        em = page.face.em
        for name, anchor, place in zip(
            self.names, self.anchors, self.places, strict=True
        ):
            if not self.upright:
                page.text(x + place, y + 1.2 * em, name, align="center", gid="stretch")
                continue
            bend = y + (_LEADER - 0.2) * em
            page.line([x + anchor, x + place], [y + 0.1 * em, bend])
            page.text(
                x + place + 0.36 * em,
                bend + 0.2 * em,
                name,
                align="right",
                rotation=90,
                gid="stretch",
            )


def spaced(wanted: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Places in the same order, at least ``gap`` apart, as near as can be to wanted.

    Least squares under an order: neighbours that would come too close are pooled and
    move together. All are within ``low … high`` if there is room.
    """
    pools: list[list[float]] = []  # [sum of wanted, number] of pooled neighbours
    for number, value in enumerate(wanted):
        pools.append([value - number * gap, 1.0])
        while len(pools) > 1 and _mean(pools[-2]) > _mean(pools[-1]):
            total, n = pools.pop()
            pools[-1][0] += total
            pools[-1][1] += n
    last = high - (len(wanted) - 1) * gap
    places: list[float] = []
    for pool in pools:
        start = max(min(_mean(pool), last), low)
        for _ in range(int(pool[1])):
            places.append(start + len(places) * gap)
    return places


def _longest(room: Sequence[float], most: int) -> list[int]:
    """Indices, in order, of the ``most`` longest stretches."""
    order = sorted(range(len(room)), key=lambda i: -room[i])
    return sorted(order[: max(most, 1)])


def _mean(pool: list[float]) -> float:
    return pool[0] / pool[1]
