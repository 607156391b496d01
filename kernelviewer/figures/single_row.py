"""Where the parts of one kernel go: surface, pictures, facts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from kernelviewer.figures.errors import FigureError
from kernelviewer.figures.mosaic import as_pictures, quantise
from kernelviewer.figures.page import never
from kernelviewer.figures.surface import draw_surface, surface_height
from kernelviewer.figures.tiling import Blocks
from kernelviewer.kernels.classes import CLASSES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from kernelviewer.figures.fonts import Face
    from kernelviewer.figures.options import FigureOptions
    from kernelviewer.figures.page import Page
    from kernelviewer.figures.tiling import Tiling

_SIDE, _ALONE, _LEAST_SIDE = 9.0, 13.0, 3.0
_SURFACE = 1.4
"""Width of the surface in units of a picture's side."""
_GAP = 1.2
_FACTS = 17.0
_HEAD, _LINE = 1.9, 1.35
_NEAR_CELL = 3.0
"""Lengths in units of the font size."""
_MESH = 25


@dataclass(frozen=True, eq=False)
class Item:
    """A kernel with what belongs to it.

    Attributes
    ----------
    titles
        Where it is from, longest first.
    parts
        Names and weights [*size] of kernel, reconstruction, residual, as far as known.
    facts
        Names and values.
    class_index, identified
        Its best class, if it has one, and whether it fits well enough.
    flat
        It has no pattern.
    """

    titles: tuple[str, ...]
    parts: tuple[tuple[str, NDArray[np.float32]], ...]
    facts: tuple[tuple[str, str], ...]
    class_index: int | None = None
    identified: bool = True
    flat: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """Sizes that all rows share, mm.

    Attributes
    ----------
    side, surface
        Width of a picture and of the surface (0: there is none).
    facts
        Room for facts; where ``below``, they stand under the pictures.
    height
        Of a whole row.
    """

    side: float
    surface: float
    facts: float
    below: bool
    height: float


def arrange(
    rows: Sequence[Row], options: FigureOptions, face: Face, rest: float
) -> Plan:
    """The largest pictures that fit into the width, and into the height if one is set.

    Raises
    ------
    FigureError
        They do not fit.
    """
    em = face.em
    room = options.width_mm - 2 * face.margin
    parts = max(len(row.item.parts) for row in rows)
    high = max(row.aspect for row in rows)
    surface = _SURFACE if all(row.has_surface for row in rows) else 0.0
    shown = options.labels
    least = (parts + surface) * 1.6 * _LEAST_SIDE * em + (parts + 1) * _GAP * em
    below = shown and room < least + _FACTS * em
    facts = 0.0 if below or not shown else _FACTS * em
    gaps = (parts - 1 + bool(surface) + bool(facts)) * _GAP * em
    side = (room - facts - gaps) / (parts + surface)
    if options.height_mm is None:
        most = (_SIDE if len(rows) > 1 else _ALONE) * em
        side = min(side, most / max(high, 0.5))
    lines = max(row.lines(below, room) for row in rows) * _LINE * em if shown else 0.0
    head = _HEAD * em if shown else 0.0

    def height_of(side: float) -> float:
        pictures = max(surface_height(side * surface), side * high)
        pictures += 1.4 * em if shown else 0.0
        body = pictures + lines if below else max(pictures, lines)
        return float(head + body + em)

    down = options.height_mm or 1e6
    while (down - rest) < height_of(side) * len(rows) and side > _LEAST_SIDE * em / 2:
        side *= 0.96
    if height_of(side) * len(rows) > down - rest or side <= 0:
        raise FigureError(
            f"the kernels do not fit into {options.height_mm or 0:g} mm",
            "Make the figure larger, or show fewer samples.",
        )
    width = room if below else facts
    return Plan(side, side * surface, width, below, height_of(side))


class Row:
    """One kernel."""

    def __init__(self, item: Item, face: Face) -> None:
        self.item = item
        self._face = face
        pictures = as_pictures(item.parts[0][1][None])[0]
        self.aspect = pictures.shape[0] / pictures.shape[1]
        size = item.parts[0][1].shape
        self.has_surface = len(size) > 1 and min(size[-2:]) > 1 and not item.flat

    def lines(self, below: bool, width: float) -> int:
        """Lines of facts, if they stand under the pictures or beside them."""
        facts = len(self._sentences(width)) if below else len(self.item.facts)
        return facts + (self.item.class_index is not None)

    def _sentences(self, width: float) -> list[str]:
        """The facts one after the other."""
        facts = [f"{name} {value}".strip() for name, value in self.item.facts]
        lines: list[str] = []
        for fact in facts:
            longer = f"{lines[-1]}   {fact}" if lines else fact
            if lines and self._face.width(longer) <= width:
                lines[-1] = longer
            else:
                lines.append(self._face.elide(fact, width))
        return lines

    def draw(self, page: Page, plan: Plan, x: float, y: float) -> None:
        """Draw title, surface, pictures and facts."""
        em = self._face.em
        if page.options.labels:
            page.heading(x, y + em, self.item.titles, page.width - 2 * page.margin)
            y += _HEAD * em
        left = x
        if plan.surface:
            picture = as_pictures(self.item.parts[0][1][None])[0]
            draw_surface(page, _mesh(picture), left, y, plan.surface)
            left += plan.surface + _GAP * em
        tall = max(surface_height(plan.surface), plan.side * self.aspect)
        self._draw_pictures(page, plan, left, y, tall)
        if not page.options.labels:
            return
        count = max(len(self.item.parts), 1)
        right = left + count * (plan.side + _GAP * em)
        if plan.below:
            self._draw_facts(page, plan, x, y + tall + 1.4 * em)
        else:
            middle = y + (tall - self.lines(False, 0.0) * _LINE * em) / 2
            self._draw_facts(page, plan, right, max(y, middle))

    def _draw_pictures(
        self, page: Page, plan: Plan, x: float, y: float, tall: float
    ) -> None:
        em = self._face.em
        weights = np.stack([values for _, values in self.item.parts])
        pictures = as_pictures(weights)
        reach = np.full(len(pictures), np.abs(pictures).max(initial=0.0), np.float32)
        flat = np.full(len(pictures), self.item.flat)
        colours = quantise(pictures, flat, reach)
        for number, (name, _) in enumerate(self.item.parts):
            tiling = _one(pictures.shape[1:], plan.side, page.options)
            left = page.snap(x + number * (plan.side + _GAP * em))
            top = page.snap(y + (tall - tiling.cell_height) / 2)
            tiling.draw(page, [colours[number : number + 1]], left, top, never)
            page.frame(left, top, tiling.width, tiling.cell_height)
            if page.options.labels:
                middle, below = left + tiling.width / 2, y + tall + 1.15 * em
                colour = page.ink.secondary
                if page.face.width(name) <= plan.side + 0.6 * _GAP * em:
                    page.text(middle, below, name, align="center", colour=colour)

    def _draw_facts(self, page: Page, plan: Plan, x: float, y: float) -> None:
        face, em = self._face, self._face.em
        baseline = y + em
        if self.item.class_index is not None:
            kind = CLASSES[self.item.class_index]
            side = 0.75 * em
            page.rectangle(
                x, baseline - side, side, side, page.ink.of_class(kind), gid="class"
            )
            name = kind.name if self.item.identified else f"unidentified ({kind.name})"
            texts = (name, kind.short)
            text = face.first_fitting(texts, plan.facts - 1.2 * em)
            page.text(x + 1.2 * em, baseline, text, gid="fact")
            baseline += _LINE * em
        if plan.below:
            for line in self._sentences(plan.facts):
                page.text(x, baseline, line, colour=page.ink.secondary, gid="fact")
                baseline += _LINE * em
            return
        names = max((face.width(name) for name, _ in self.item.facts), default=0.0)
        for name, value in self.item.facts:
            page.text(x, baseline, name, colour=page.ink.secondary, gid="fact")
            at = x + names + em if name else x
            room = plan.facts - (at - x)
            page.text(at, baseline, face.elide(value, room), gid="fact")
            baseline += _LINE * em


@dataclass(frozen=True, eq=False)
class NearRow:
    """Real kernels in a row, under a heading; no height without any."""

    kernels: NDArray[np.float32]
    tiling: Tiling | None
    height: float

    @classmethod
    def of(
        cls, kernels: NDArray[np.float32], options: FigureOptions, face: Face
    ) -> NearRow:
        """As many as fit."""
        if not len(kernels):
            return cls(kernels, None, 0.0)
        rows, columns = as_pictures(kernels[:0]).shape[1:]
        plan = Blocks(
            cell=(rows, columns),
            counts=(1,),
            width=options.width_mm - 2 * face.margin,
            dpi=options.dpi,
            per_row=options.samples or 0,
        )
        tiling = plan.fit(1e6, _NEAR_CELL * face.em)
        if tiling is None:
            return cls(kernels[:0], None, 0.0)
        head = _HEAD * face.em if options.labels else 0.0
        return cls(kernels[: tiling.per_row], tiling, head + tiling.height + face.em)

    def draw(self, page: Page, x: float, y: float) -> None:
        """Draw heading and kernels."""
        if self.tiling is None:
            return
        em = page.face.em
        if page.options.labels:
            page.heading(x, y + em, "Nearest kernels", page.width - 2 * page.margin)
            y += _HEAD * em
        pictures = as_pictures(self.kernels)
        colours = quantise(pictures, np.zeros(len(pictures), bool))
        self.tiling.draw(page, [colours], page.snap(x), page.snap(y), never)


def _one(cell: tuple[int, ...], side: float, options: FigureOptions) -> Tiling:
    """One kernel as wide as fits into ``side`` mm."""
    plan = Blocks((cell[0], cell[1]), (1,), side, options.dpi, per_row=1)
    widest = side * max(1.0, cell[0] / cell[1])
    return plan.tile(plan.most_pixels(widest))


def _mesh(taps: NDArray[np.float32]) -> NDArray[np.float64]:
    """A kernel as heights [n, n] within −1 … 1, bilinear between the taps."""
    values = np.nan_to_num(np.asarray(taps, np.float64))
    wanted = np.linspace(0, 1, _MESH)
    for _ in range(2):  # along the rows, then along the columns
        known = np.linspace(0, 1, values.shape[1])
        values = np.stack([np.interp(wanted, known, line) for line in values]).T
    scaled: NDArray[np.float64] = values / (np.abs(values).max() or 1.0)
    return scaled
