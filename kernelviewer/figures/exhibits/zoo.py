"""Exhibit: many networks, each as the shares of its classes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from kernelviewer.figures.content import Table, too_low, too_narrow
from kernelviewer.figures.counts import (
    Counts,
    count,
    counted_networks,
    coverage_sentence,
    listed,
    named,
)
from kernelviewer.figures.exhibits import ORDER
from kernelviewer.figures.fonts import Face
from kernelviewer.figures.legend import Legend, class_entries
from kernelviewer.figures.page import Page, title_height
from kernelviewer.kernels.bank import size_label
from kernelviewer.kernels.classes import CLASSES, class_shown, classes_shown
from kernelviewer.text import percent
from kernelviewer.watch import NEVER

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kernelviewer.figures.options import FigureOptions
    from kernelviewer.figures.scene import Counted, Scene, Yardstick
    from kernelviewer.kernels.bank import Size
    from kernelviewer.watch import Watch

_ROW, _LEAST_ROW, _NAME, _LEAST_BAR = 1.4, 1.15, 14.0, 6.0
_THIN, _LEAST_THIN = 30.0, 3.0
"""Lengths in units of the font size: a row with a name, the longest name, the shortest
bar; all rows without names."""
_MOST_NAMED = 80
_PIXELS = 1200
_BAND = 6.0
"""Height of what letters stand for together, where the rows are too thin for them."""


@dataclass(frozen=True, eq=False)
class ZooContent:
    """The networks in order."""

    networks: tuple[Counted, ...]
    size: Size
    yardstick: Yardstick

    @property
    def classes(self) -> list[int]:
        """Those that are listed, indices into `CLASSES`."""
        return listed(self.yardstick, *map(_counts, self.networks))

    @property
    def coverage(self) -> NDArray[np.float64]:
        """Share identified of each network; NaN where all kernels are flat."""
        return np.array([_counts(item).coverage for item in self.networks])

    def draw(self, options: FigureOptions, watch: Watch = NEVER) -> Page:
        """A stacked bar a network; as thin as need be, and without names then."""
        face = Face.of(options)
        em, room = face.em, options.width_mm - 2 * face.margin
        total = np.sum([item.by_class for item in self.networks], axis=0)
        entries = class_entries(np.flatnonzero(total).tolist(), options)
        legend = Legend(entries, face, room)
        top = title_height(options, face) + 1.7 * em
        foot = 0.8 * em + legend.height + face.margin
        high, is_named = self._rows(options, face, top + foot)
        before = after = 0.0
        if is_named and options.labels:
            names = max(face.width(item.name) for item in self.networks)
            before = min(names, _NAME * em, 0.4 * room) + 0.6 * em
            after = face.width("100.0 %") + 0.6 * em
        if room - before - after < _LEAST_BAR * em:
            raise too_narrow("the networks do not fit")
        page = Page(options, top + high + foot, face)
        page.title()
        page.heading(page.margin, top - 0.7 * em, self._heading(), room, "")
        place = (page.margin + before, top, room - before - after, high)
        if is_named:
            self._draw_named(page, place, before, watch)
        else:
            colours = self._picture(page, place[3])
            page.image(colours, *place)
            self._mark_bands(page, place)
        legend.draw(page, page.margin, page.height - face.margin - legend.height)
        return page

    def caption(self) -> str:
        """What a bar is, and how much is identified."""
        start = (
            f"Share of each class among the {size_label(self.size)} kernels of "
            f"{count(len(self.networks), 'network')}, a bar each."
        )
        known = self.coverage[~np.isnan(self.coverage)]
        if len(known) < 2:
            told = known[0] if len(known) else float("nan")
            return f"{start} {coverage_sentence(float(told), self.yardstick)}"
        return (
            f"{start} Identified: from {percent(known.min())} to "
            f"{percent(known.max())}, {percent(float(np.median(known)))} in the median "
            f"network, at a fit of {self.yardstick.least} or more "
            f"(white noise: {percent(self.yardstick.null_coverage)}; "
            f"{self.yardstick.words})."
        )

    def table(self) -> Table:
        """A row for each network: kernels, share identified, share of each class."""
        columns: dict[str, list[Any]] = {
            "network": [item.name for item in self.networks],
            "kernels": [_counts(item).kernels for item in self.networks],
            "coverage": self.coverage.tolist(),
        }
        for kind in self.classes:
            columns[CLASSES[kind].id] = [
                int(item.by_class[kind]) / max(_counts(item).kernels, 1)
                for item in self.networks
            ]
        return Table(columns)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Names, and counts [networks, classes]."""
        by_class = np.stack([item.by_class for item in self.networks])
        return {
            "networks": np.array([item.name for item in self.networks]),
            "classes": np.array([CLASSES[kind].id for kind in self.classes]),
            "counts": by_class[:, self.classes],
        }

    def _heading(self) -> str:
        kernels = sum(_counts(item).kernels for item in self.networks)
        networks = count(len(self.networks), "network")
        return f"{networks}, {count(kernels, 'kernel')} of {size_label(self.size)}"

    def _rows(
        self, options: FigureOptions, face: Face, rest: float
    ) -> tuple[float, bool]:
        """Height of all rows in mm, and whether each has room for a name."""
        number, em = len(self.networks), face.em
        if options.height_mm is None:
            is_named = number <= _MOST_NAMED
            return (number * _ROW if is_named else _THIN) * em, is_named
        high = options.height_mm - rest
        if high < _LEAST_THIN * em:
            raise too_low("the networks do not fit", options)
        return high, high / number >= _LEAST_ROW * em

    def _draw_named(
        self,
        page: Page,
        place: tuple[float, float, float, float],
        before: float,
        watch: Watch,
    ) -> None:
        x, y, wide, high = place
        em, row = page.face.em, high / len(self.networks)
        thick = min(0.8 * row, 2.5 * em)
        whole = [item.name for item in self.networks]
        names = page.face.elide_apart(whole, before - 0.6 * em)
        for number, item in enumerate(self.networks):
            watch.check()
            middle = y + (number + 0.5) * row
            left, total = x, max(_counts(item).kernels, 1)
            for kind in np.flatnonzero(item.by_class).tolist():
                own = class_shown(kind)
                width = wide * int(item.by_class[kind]) / total
                box = left, middle - thick / 2, width, thick
                page.class_box(own, *box, f"zoo-{own.id}")
                left += width
            if before:
                baseline = middle + 0.36 * em
                name = names[number]
                page.text(x - 0.6 * em, baseline, name, align="right", gid="network")
                told = percent(_counts(item).coverage)
                page.note(page.width - page.margin, baseline, told, align="right")

    def _mark_bands(self, page: Page, place: tuple[float, float, float, float]) -> None:
        """The classes' letters, in the middle of every few networks' mean shares."""
        x, y, wide, high = place
        by_class = np.stack([item.by_class for item in self.networks])
        shares = by_class / by_class.sum(axis=1, keepdims=True)
        bands = max(1, int(high / (_BAND * page.face.em)))
        for number, part in enumerate(np.array_split(shares, bands)):
            left, top = x, y + number * high / bands
            for kind, share in zip(classes_shown(), part.mean(axis=0), strict=True):
                page.class_mark(kind, left, top, float(share) * wide, high / bands)
                left += float(share) * wide

    def _picture(self, page: Page, high: float) -> NDArray[np.uint8]:
        """Colours [rows, columns, 3], a row a network or, of very many, of some."""
        from matplotlib.colors import to_rgb

        by_class = np.stack([item.by_class for item in self.networks])
        shares = by_class / by_class.sum(axis=1, keepdims=True)
        most = max(1, int(high / 25.4 * page.options.dpi))
        if len(shares) > most:  # each row is the mean of those that it stands for
            ends = np.linspace(0, len(shares), most + 1).astype(int)
            shares = np.add.reduceat(shares, ends[:-1]) / np.diff(ends)[:, None]
        ends = shares.cumsum(axis=1)
        across = (np.arange(_PIXELS) + 0.5) / _PIXELS
        kind = np.stack([np.searchsorted(row, across) for row in ends])
        colours = np.array(
            [to_rgb(page.ink.of_class(item)) for item in classes_shown()]
        )
        picture: NDArray[np.uint8] = np.round(
            255 * colours[kind.clip(0, len(CLASSES) - 1)]
        ).astype(np.uint8)
        return picture


def _counts(item: Counted) -> Counts:
    return Counts(item.by_class)


def prepare_zoo(
    scene: Scene, options: FigureOptions, watch: Watch = NEVER
) -> ZooContent:
    """Count the classes of each network, and put the networks in order.

    Raises
    ------
    FigureError
        The kernels have no classes, or none are shown.
    """
    yardstick = named(scene)
    watch.check()
    networks = list(counted_networks(scene, yardstick))
    order = ORDER.of(options)
    networks.sort(key=lambda item: item.name)
    if order == "kernels":
        networks.sort(key=lambda item: -_counts(item).kernels)
    elif order == "coverage":
        networks.sort(key=lambda item: -np.nan_to_num(_counts(item).coverage, nan=-1))
    return ZooContent(tuple(networks), scene.size, yardstick)
