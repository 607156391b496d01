"""Exhibit: the decoded spectrum of the code, with its named stretches.

Babaiee et al. (ICLR 2024), figure 3.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from kernelviewer.figures.content import FigureError, Table
from kernelviewer.figures.counts import count, listing
from kernelviewer.figures.fonts import Face
from kernelviewer.figures.legend import (
    Legend,
    class_entries,
    draw_scale_bar,
    scale_bar_height,
)
from kernelviewer.figures.page import Page, title_height
from kernelviewer.figures.scene import FAMILY
from kernelviewer.figures.tiling import Mosaic, as_pictures, palette, quantise
from kernelviewer.kernels.bank import size_label
from kernelviewer.kernels.classes import CLASSES, class_shown
from kernelviewer.latent.axis import (
    Name,
    largest_that_shows_all,
    place_kernels,
    place_names,
    spaced,
)
from kernelviewer.watch import NEVER

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from kernelviewer.figures.legend import Entry
    from kernelviewer.figures.options import FigureOptions
    from kernelviewer.figures.scene import Scene, Yardstick
    from kernelviewer.kernels.bank import Size
    from kernelviewer.latent.stretches import Stretch
    from kernelviewer.watch import Watch


_CELL = 1.7
_GAP = 0.25
"""Least space between kernels, mm."""
_DENSITY, _BAR = 4.0, 0.7
_UPRIGHT = 1.1
"""From one upright name to the next in the same units."""
_MOST_DENSITY = 4.0
"""Heights in units of the font size; how far the codes may grow on a high page."""
BINS = 160
"""Bins of the codes' density."""


@dataclass(frozen=True, eq=False)
class SpectrumContent:
    """The decoded patterns, the stretches, and the codes of what is open."""

    yardstick: Yardstick
    spectrum: NDArray[np.float32]
    codes: NDArray[np.float32]
    """float32 [N]: codes of the kernels shown; may be empty."""
    networks: tuple[str, ...]
    size: Size
    fullest: int = 0
    """Codes in a bin that fills the height; 0: those of the fullest bin."""

    def draw(self, options: FigureOptions, watch: Watch = NEVER) -> Page:
        """Codes, stretches and their names, the decoded kernels, an axis."""
        face = Face.of(options)
        em, room = face.em, options.width_mm - 2 * face.margin
        row = self._row(options, face)
        width = row.width
        names = NameRows.of(self.yardstick.stretches, width, options, face)
        entries = [] if names.are_whole else self._entries(options)
        legend = Legend(entries, face, room)
        density = usual = _DENSITY * em if len(self.codes) else 0.0
        if density:  # what is shown is higher than what explains it
            usual = density = max(density, legend.height - row.height)
        top = title_height(options, face)
        foot = legend.height + scale_bar_height(options, face) + face.margin
        axis = 3.6 * em if options.labels else 2.3 * em
        stretches = _BAR * em + names.above + names.below
        height = top + density + stretches + row.height + axis + foot
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
        self._draw_density(page, x, y, width, density)
        start, y = y - density, y + names.above
        self._draw_stretches(page, x, y, width)
        names.draw(page, x, y, y + _BAR * em)
        watch.check()
        band, y = y, page.snap(y + _BAR * em + names.below)
        row.draw(page, x, y, self.spectrum)
        _draw_axis(page, x, y + row.height, width)
        if options.mark is not None:
            spans = (
                (start, start + density),
                (band, band + _BAR * em),
                (y, y + row.height + 0.2 * em),
            )
            _draw_mark(page, x + options.mark * width, *spans)
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
        along = (item.class_index for item in self.yardstick.stretches)
        return [replace(e, text=e.short) for e in class_entries(along, options)]

    def _row(self, options: FigureOptions, face: Face) -> KernelRow:
        """Kernels as large as the number asked for allows, or as is usual.

        Where it is narrow they are up to half as large, so that each class has one.
        """
        rows, columns = as_pictures(self.spectrum[:0]).shape[1:]
        room = options.width_mm - 2 * face.margin
        widest = room / options.samples if options.samples else _CELL * face.em
        side = widest * max(1.0, rows / columns) if options.samples else widest
        most = max(1, int(side / max(rows, columns) * options.dpi / 25.4))

        def way(pixels: int) -> tuple[int, int]:
            """Length of the axis and from kernel to kernel, in taps of so many."""
            tap = pixels * 25.4 / options.dpi
            return int(room / tap + 1e-6), columns + _gap(tap, columns)

        stretches = self.yardstick.stretches
        spans = [(item.low, item.high) for item in stretches]
        names = [item.label for item in stretches]
        if options.samples:
            pixels = most
            while pixels > 1:
                tap, (_, pitch) = pixels * 25.4 / options.dpi, way(pixels)
                if (options.samples * pitch - pitch + columns) * tap <= room:
                    break
                pixels -= 1
        else:
            sides = range(most, most // 2, -1)
            ways = [way(pixels) for pixels in sides]
            pixels = sides[largest_that_shows_all(spans, names, ways)]
        taps, pitch = way(pixels)
        if taps < columns:
            problem = "the kernels are too large for this width"
            raise FigureError(problem, "Make the figure wider or show fewer samples.")
        places = place_kernels(spans, names, taps, pitch, options.samples)
        if options.samples and len(places) < options.samples:
            problem = f"{options.samples} kernels do not fit into this width"
            raise FigureError(problem, "Make the figure wider or show fewer samples.")
        tap = pixels * 25.4 / options.dpi
        return KernelRow(tuple(places), (rows, columns), taps, pixels, tap)

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
            kind = class_shown(item.class_index)
            page.rectangle(
                x + item.low * width,
                y,
                (item.high - item.low) * width,
                _BAR * page.face.em,
                item.colour or page.ink.of_class(kind),
                edge=page.ink.paper,
                gid=f"stretch-{kind.id}",
            )


@dataclass(frozen=True, slots=True)
class KernelRow:
    """Kernels along the axis, as one picture of whole taps."""

    places: tuple[tuple[float, float], ...]
    """Code of each kernel, and where its middle stands, in taps."""
    cell: tuple[int, int]
    """Rows and columns of a kernel."""
    taps: int
    """Length of the axis."""
    pixels: int
    tap: float
    """Side of a tap in pixels and in mm."""

    @property
    def width(self) -> float:
        """Length of the axis in mm."""
        return self.taps * self.tap

    @property
    def height(self) -> float:
        """Height of a kernel in mm."""
        return self.cell[0] * self.tap

    def draw(
        self, page: Page, x: float, y: float, spectrum: NDArray[np.float32]
    ) -> None:
        """Draw what the codes stand for."""
        rows, columns = self.cell
        last = len(spectrum) - 1
        index = [min(int(code * len(spectrum)), last) for code, _ in self.places]
        pictures = as_pictures(spectrum[index])
        mosaic = Mosaic(rows, self.taps)
        colours = quantise(pictures, np.zeros(len(pictures), bool))
        for picture, (_, middle) in zip(colours, self.places, strict=True):
            left = min(max(round(middle - columns / 2), 0), self.taps - columns)
            mosaic.indices[:, left : left + columns] = picture
        picture = mosaic.picture(palette(page.options, page.ink), self.pixels)
        page.image(picture, page.snap(x), page.snap(y), self.width, self.height)


def _gap(tap: float, columns: int) -> int:
    """Taps between two kernels."""
    return max(1, round(max(_GAP / tap, 0.1 * columns)))


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


@dataclass(frozen=True, slots=True)
class NameRows:
    """Names above and below the stretches, or upright above; none without room."""

    names: tuple[tuple[str, Name], ...]
    """What is written, and where."""
    above: float
    below: float
    """Room that they take there, mm."""
    are_whole: bool = False
    """They are names, not the classes' letters, and there are some."""
    upright: bool = False
    """They run upwards, each over its stretch."""

    @classmethod
    def of(
        cls,
        stretches: Sequence[Stretch],
        width: float,
        options: FigureOptions,
        face: Face,
    ) -> NameRows:
        """Names of stretches along ``width`` mm, else letters, if these are wanted.

        Without room beside each other, and not letters, they run upwards.
        """
        em, least = face.em, 0.2 * face.em
        kinds = [class_shown(item.class_index) for item in stretches]
        own = [item.name for item in stretches]
        whole = [name or kind.short for name, kind in zip(own, kinds, strict=True)]
        letters = [kind.mark for kind in kinds]
        spans = [(item.low * width, item.high * width) for item in stretches]
        limits = (-face.margin / 2, width + face.margin / 2)
        for names, wanted in (
            (whole, options.labels),
            (letters, options.class_marks == "letters"),
        ):
            widths = list(map(face.width, names))
            placed = place_names(spans, names, widths, limits, 0.5 * em)
            found = tuple((names[name.index], name) for name in placed)
            if wanted and {text for text, _ in found} == set(names):
                return cls(found, 1.5 * em, 1.5 * em, are_whole=names is whole)
        pitch, half = _UPRIGHT * em, 0.5 * em
        if not options.labels or len(whole) * pitch > width:
            return cls((), least, least)
        widths = list(map(face.width, whole))
        middles = [(low + high) / 2 for low, high in spans]
        places = spaced(middles, pitch, half, width - half)
        upright = tuple(
            (text, Name(number, middle, place, wide, above=True, led=True))
            for number, (text, middle, place, wide) in enumerate(
                zip(whole, middles, places, widths, strict=True)
            )
        )
        above = max(widths) + 1.4 * em
        return cls(upright, above, least, are_whole=True, upright=True)

    def draw(self, page: Page, x: float, top: float, below: float) -> None:
        """Write them above ``top`` and below ``below``, with lines to the stretches."""
        em = page.face.em
        for text, name in self.names:
            at, left = x + name.anchor, x + name.left
            if self.upright:
                page.line([at, left, left], [top, top - 0.5 * em, top - 0.7 * em])
                page.text(left + 0.36 * em, top - em, text, rotation=90, gid="stretch")
                continue
            if name.led:
                ends = (
                    [top - 0.4 * em, top] if name.above else [below, below + 0.4 * em]
                )
                page.line([at, at], ends)
            y = top - 0.65 * em if name.above else below + 1.2 * em
            page.text(left, y, text, gid="stretch")
