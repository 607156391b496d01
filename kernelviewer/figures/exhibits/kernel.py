"""Exhibit: a kernel beside its reconstruction and what is left of it.

With a marked code: what the code stands for, and the real kernels nearest to it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from kernelviewer.figures.content import FigureError, Table
from kernelviewer.figures.counts import count, listing
from kernelviewer.figures.fonts import Face
from kernelviewer.figures.kernels import spread
from kernelviewer.figures.legend import draw_scale_bar, scale_bar_height
from kernelviewer.figures.page import Page, title_height
from kernelviewer.figures.tiling import (
    Blocks,
    as_pictures,
    draw_surface,
    drawn_weights,
    quantise,
    surface_height,
)
from kernelviewer.kernels.bank import size_label
from kernelviewer.kernels.classes import class_shown
from kernelviewer.kernels.statistics import patterns
from kernelviewer.latent.stretches import stretch_of
from kernelviewer.watch import NEVER

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from kernelviewer.figures.options import FigureOptions
    from kernelviewer.figures.scene import Scene, Subject, Yardstick
    from kernelviewer.figures.tiling import Tiling
    from kernelviewer.kernels.bank import Size
    from kernelviewer.watch import Watch


_MOST = 64
_USUAL = 4
_NEAREST = 100


@dataclass(frozen=True, eq=False)
class KernelContent:
    """Some kernels, or the one of a code with the real ones nearest to it."""

    items: tuple[Item, ...]
    """As many as could be wanted."""
    size: Size
    networks: tuple[str, ...]
    total: int
    """How many kernels there were to choose from."""
    yardstick: Yardstick | None
    mark: float | None
    """The code that was decoded, if one was."""
    nearest: NDArray[np.float32]
    cosines: NDArray[np.float32]
    """float32 [n, *size] and [n]: the real kernels nearest to it, nearest first."""

    def draw(self, options: FigureOptions, watch: Watch = NEVER) -> Page:
        """A row for each kernel: surface, kernel, reconstruction, residual, facts."""
        face = Face.of(options)
        near = NearRow.of(drawn_weights(self.nearest, options), options, face)
        top, foot = title_height(options, face), scale_bar_height(options, face)
        rest = top + foot + face.margin + near.height
        rows, plan = self._arrange(options, face, rest)
        height = max(plan.height * len(rows) + rest, options.height_mm or 0.0)
        page = Page(options, height, face)
        page.title()
        for number, row in enumerate(rows):
            watch.check()
            row.draw(page, plan, page.margin, top + number * plan.height)
        near.draw(page, page.margin, top + len(rows) * plan.height)
        draw_scale_bar(page, page.height - page.margin)
        return page

    def _arrange(
        self, options: FigureOptions, face: Face, rest: float
    ) -> tuple[list[Row], Plan]:
        """As many kernels as are wanted, or fewer where that does not matter."""
        most = min(options.samples or _USUAL, len(self.items))
        while True:
            items = [item.drawn(options) for item in spread(self.items, most)]
            rows = [Row(item, face) for item in items]
            try:
                return rows, arrange(rows, options, face, rest)
            except FigureError:
                if options.samples or most == 1:
                    raise
            most -= 1

    def caption(self) -> str:
        """A sentence on the parts side by side."""
        kind = size_label(self.size)
        if self.mark is not None:
            sentence = f"The {kind} kernel that the code {self.mark:.3f} stands for"
            if self.yardstick is not None:
                sentence += f" ({self.yardstick.words})"
            if not len(self.nearest):
                return f"{sentence}."
            return (
                f"{sentence}, and the kernels of {listing(self.networks)} that are "
                f"nearest to it (cosine {self.cosines[0]:.2f} and less)."
            )
        names = listing([name for name, _ in self.items[0].parts])
        if self.total == 1:
            whose = f"{self.items[0].titles[0]} of {listing(self.networks)}"
            return f"A {kind} kernel, {whose}: {names}."
        return (
            f"Kernels out of the {count(self.total)} ({kind}) of "
            f"{listing(self.networks)}: {names}."
        )

    def table(self) -> Table:
        """A row for each part of each kernel, or for each of the nearest ones."""
        columns: dict[str, list[Any]] = {"kernel": [], "part": []}
        weights = []
        for item in self.items:
            for name, values in item.parts:
                columns["kernel"].append(item.titles[0])
                columns["part"].append(name)
                weights.append(values.ravel())
        for number, values in enumerate(self.nearest):
            columns["kernel"].append(f"nearest {number + 1}")
            columns["part"].append("kernel")
            weights.append(values.ravel())
        taps = np.stack(weights).T
        return Table(columns | {f"w{i}": tap.tolist() for i, tap in enumerate(taps)})

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The parts of each kernel, and the nearest ones."""
        arrays: dict[str, NDArray[Any]] = {
            "kernels": np.array([item.titles[0] for item in self.items])
        }
        for number, item in enumerate(self.items):
            arrays |= {f"{name}_{number}": values for name, values in item.parts}
        if len(self.nearest):
            arrays |= {"nearest": self.nearest, "cosine": self.cosines}
        return arrays


def prepare_kernel(
    scene: Scene, options: FigureOptions, watch: Watch = NEVER
) -> KernelContent:
    """Some of the kernels shown, at even distances; or what the marked code stands for.

    Raises
    ------
    FigureError
        No kernels are shown, or a code is marked and there is no autoencoder.
    """
    nothing = np.zeros((0, *scene.size), np.float32)
    nearest, cosines = nothing, np.zeros(0, np.float32)
    if options.mark is None:
        places = [
            (subject, int(i)) for subject in scene.subjects for i in subject.index
        ]
        if not places:
            raise FigureError("no kernels are shown", "Show a layer or another size.")
        several = len(scene.subjects) > 1
        items = [
            _item(subject, i, scene.yardstick, several)
            for subject, i in spread(places, _MOST)
        ]
        total = len(places)
    else:
        item, pattern = _decoded(scene, options.mark)
        items, total = [item], 1
        nearest, cosines = _nearest(scene, pattern, watch)
    return KernelContent(
        items=tuple(items),
        size=scene.size,
        networks=tuple(s.name for s in scene.subjects if len(s.index)),
        total=total,
        yardstick=scene.yardstick,
        mark=options.mark,
        nearest=nearest,
        cosines=cosines,
    )


def _item(
    subject: Subject, index: int, yardstick: Yardstick | None, several: bool
) -> Item:
    """One kernel with its reconstruction, if it has a code."""
    kernels = subject.kernels
    weights, flat = kernels.weights[index], bool(kernels.flat[index])
    layer = subject.bank.layers[kernels.layer[index]].name
    place = f"{layer}, channel {kernels.channel[index]}"
    titles = (f"{subject.name}: {place}", place) if several else (place,)
    scale, offset = float(kernels.scale[index]), float(kernels.offset[index])
    facts = [("scale", _number(scale)), ("offset", _number(offset))]
    if flat or subject.coding is None or yardstick is None:
        note = [("", "flat: dead or constant")] if flat else []
        return Item(titles, (("kernel", weights),), (*note, *facts), flat=flat)
    code, fit = float(subject.coding.code[index]), float(subject.coding.fit[index])
    best = int(subject.coding.best[index])
    parts = [("kernel", weights)]
    if yardstick.spectrum is not None and np.isfinite(code):
        decoded = _at(yardstick.spectrum, code)
        again = offset + float(((weights - offset) * decoded).sum()) * decoded
        again = again.astype(np.float32)
        parts += [("reconstruction", again), ("residual", weights - again)]
        facts.insert(0, ("code", f"{code:.3f}"))
        if yardstick.by == "family":
            own = float(((weights - offset) * decoded).sum()) / scale
            facts.insert(1, ("fit", f"{own:.3f}"))
    word = "family" if yardstick.by == "family" else "fit"
    facts.insert(len(facts) - 2, (word, f"{fit:.3f}"))
    known = subject.coding.label(yardstick.threshold)[index] == best
    return Item(titles, tuple(parts), tuple(facts), best, bool(known))


def _decoded(scene: Scene, code: float) -> tuple[Item, NDArray[np.float32]]:
    """The kernel of a code, and its pattern [*size]."""
    yardstick = scene.yardstick
    if yardstick is None or yardstick.spectrum is None:
        raise FigureError(
            f"there is no autoencoder for {size_label(scene.size)} kernels",
            "Name them by the family, train one, or choose another size.",
        )
    pattern = _at(yardstick.spectrum, code)
    place = int(stretch_of(yardstick.stretches, np.array([code]))[0])
    stretch = yardstick.stretches[min(place, len(yardstick.stretches) - 1)]
    facts = (
        ("code", f"{code:.3f}"),
        ("stretch", f"{stretch.low:.3f}–{stretch.high:.3f}"),
    )
    parts = (("decoded", pattern),)
    return Item((f"Code {code:.3f}",), parts, facts, stretch.class_index), pattern


def _nearest(
    scene: Scene, pattern: NDArray[np.float32], watch: Watch
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The kernels shown whose patterns are most like a pattern, and their cosines."""
    found, cosines = [], []
    direction = pattern.ravel() / max(float(np.linalg.norm(pattern)), 1e-12)
    for subject in scene.pooled.subjects:
        watch.check()
        kernels = subject.kernels
        index = subject.index[~kernels.flat[subject.index]]
        unit = patterns(
            kernels.weights[index], kernels.scale[index], kernels.offset[index]
        )
        cosine = unit.reshape(len(index), direction.size) @ direction
        best = np.argsort(-cosine, kind="stable")[:_NEAREST]
        found.append(kernels.weights[index[best]])
        cosines.append(cosine[best])
    if not found:
        return np.zeros((0, *scene.size), np.float32), np.zeros(0, np.float32)
    joined = np.concatenate(cosines).astype(np.float32)
    order = np.argsort(-joined, kind="stable")[:_NEAREST]
    return np.concatenate(found)[order], joined[order]


def _at(spectrum: NDArray[np.float32], code: float) -> NDArray[np.float32]:
    """The decoded pattern [*size] nearest to a code."""
    chosen: NDArray[np.float32] = spectrum[round(code * (len(spectrum) - 1))]
    return chosen


def _number(value: float) -> str:
    return f"{value:.3g}".replace("-", "−")


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
    """A kernel with what belongs to it."""

    titles: tuple[str, ...]
    """Where it is from, longest first."""
    parts: tuple[tuple[str, NDArray[np.float32]], ...]
    """Names and weights [*size] of kernel, reconstruction, residual, as far as
    known."""
    facts: tuple[tuple[str, str], ...]
    """Names and values."""
    class_index: int | None = None
    identified: bool = True
    """Its best class, if it has one, and whether it fits well enough."""
    flat: bool = False
    """It has no pattern."""

    def drawn(self, options: FigureOptions) -> Item:
        """The item with its parts as they are drawn: with their mean or without."""
        parts = tuple(
            (name, drawn_weights(taps[None], options)[0]) for name, taps in self.parts
        )
        return replace(self, parts=parts)


@dataclass(frozen=True, slots=True)
class Plan:
    """Sizes that all rows share, mm."""

    side: float
    surface: float
    """Width of a picture and of the surface (0: there is none)."""
    facts: float
    """Room for facts; where ``below``, they stand under the pictures."""
    below: bool
    height: float
    """Of a whole row."""


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
            tiling.draw(page, [colours[number : number + 1]], left, top)
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
            kind = class_shown(self.item.class_index)
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
                page.note(x, baseline, line, gid="fact")
                baseline += _LINE * em
            return
        names = max((face.width(name) for name, _ in self.item.facts), default=0.0)
        for name, value in self.item.facts:
            page.note(x, baseline, name, gid="fact")
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
        self.tiling.draw(page, [colours], page.snap(x), page.snap(y))


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
