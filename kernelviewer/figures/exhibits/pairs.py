"""Exhibit: the kernels that changed most, before, after, and their difference."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from kernelviewer.figures.comparing import compare_scene
from kernelviewer.figures.content import FigureError, Table
from kernelviewer.figures.counts import short_names
from kernelviewer.figures.exhibits import CHANGE
from kernelviewer.figures.fonts import Face
from kernelviewer.figures.legend import draw_scale_bar, scale_bar_height
from kernelviewer.figures.page import Page, title_height
from kernelviewer.figures.tiling import (
    PAPER,
    Blocks,
    as_pictures,
    drawn_weights,
    quantise,
)
from kernelviewer.kernels.classes import CLASSES, class_shown
from kernelviewer.watch import NEVER

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kernelviewer.figures.comparing import Compared
    from kernelviewer.figures.options import FigureOptions
    from kernelviewer.figures.scene import Scene
    from kernelviewer.figures.tiling import Tiling
    from kernelviewer.watch import Watch

_MOST = 400
_ROWS = 6
_WIDTH, _NARROWEST = 10.2, 5.0
_BELOW = 2.8
"""Lengths in units of the font size."""


@dataclass(frozen=True, eq=False)
class PairsContent:
    """Pairs of kernels, the most changed first."""

    compared: Compared
    """The networks and their pairs."""
    rows: NDArray[np.int64]
    """int64 [p], which of the pairs, by falling change."""
    change: str
    """What changed."""

    def draw(self, options: FigureOptions, watch: Watch = NEVER) -> Page:
        """Three pictures of each pair, and below them where it is and what changed."""
        face = Face.of(options)
        em = face.em
        top = title_height(options, face) + 3.2 * em
        foot = scale_bar_height(options, face) + face.margin
        tiling, shown = self.arrange(options, face, top + foot)
        height = max(top + tiling.height + foot, options.height_mm or 0.0)
        page = Page(options, height, face)
        y = page.title()
        room = page.width - 2 * page.margin
        texts = (
            f"Largest change of {self.change}: before, after, difference",
            f"Largest change of {self.change}",
        )
        page.heading(page.margin, y + em, texts, room, "a")
        names = face.elide(" → ".join(self.compared.names), room)
        colour = page.ink.secondary
        page.text(page.margin, y + 2.3 * em, names, colour=colour, gid="facts")
        self.draw_pairs(page, tiling, shown, top, watch)
        draw_scale_bar(page, page.height - page.margin, "of each pair")
        return page

    def draw_pairs(
        self, page: Page, tiling: Tiling, shown: int, y: float, watch: Watch = NEVER
    ) -> None:
        """The first ``shown`` pairs from ``y`` mm on, and below each what it is."""
        y = page.snap(y)
        pictures = self._pictures(self.rows[:shown], page.options)
        per_row = tiling.per_row
        parts = [pictures[i : i + per_row] for i in range(0, shown, per_row)]
        tiling.draw(page, parts, page.margin, y, watch)
        if page.options.labels:
            self._write(page, tiling, y, shown)

    def caption(self) -> str:
        """What stands beside what, and in which order."""
        return (
            f"{self.compared.sentence} The kernels whose {self.change} changed most: "
            "before, after, and after less before, on one scale for each pair; below "
            "them layer and channel, cosine, and class before and after."
        )

    def table(self) -> Table:
        """A row for each pair."""
        found, rows = self.compared.found, self.rows
        layers = self.compared.before.bank.layers
        columns: dict[str, list[Any]] = {
            "layer": [layers[i].name for i in found.pairs.layer_a[rows]],
            "channel_a": found.pairs.channel_a[rows].tolist(),
            "channel_b": found.pairs.channel_b[rows].tolist(),
            "cosine": found.cosine[rows].tolist(),
            "log_scale_ratio": found.scale_ratio[rows].tolist(),
        }
        for name, kinds in (("class_a", found.class_a), ("class_b", found.class_b)):
            if kinds is not None:
                columns[name] = [CLASSES[kind].id for kind in kinds[rows]]
        return Table(columns)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The kernels of both, and their cosines."""
        before, after = self._weights(self.rows)
        found = self.compared.found
        return {
            "before": before,
            "after": after,
            "cosine": found.cosine[self.rows],
            "log_scale_ratio": found.scale_ratio[self.rows],
            "sources": np.array(self.compared.names),
        }

    def _weights(
        self, rows: NDArray[np.int64]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        found = self.compared.found
        return (
            found.side_a.kernels.weights[found.pairs.index_a[rows]],
            found.side_b.kernels.weights[found.pairs.index_b[rows]],
        )

    def _pictures(
        self, rows: NDArray[np.int64], options: FigureOptions
    ) -> NDArray[np.uint16]:
        """Indices of colours [p, rows, columns]: the three side by side."""
        found = self.compared.found
        before, after = (
            as_pictures(drawn_weights(part, options)) for part in self._weights(rows)
        )
        reach = np.maximum(_largest(before), _largest(after))
        flat_a = found.side_a.kernels.flat[found.pairs.index_a[rows]]
        flat_b = found.side_b.kernels.flat[found.pairs.index_b[rows]]
        parts = (
            quantise(before, flat_a, reach),
            quantise(after, flat_b, reach),
            quantise(after - before, flat_a & flat_b, reach),
        )
        high, wide = before.shape[1:]
        gap = _gap(wide)
        cells = np.full((len(rows), high, 3 * wide + 4 * gap), PAPER, np.uint16)
        for number, part in enumerate(parts):
            left = number * (wide + gap)
            cells[:, :, left : left + wide] = part
        return cells

    def arrange(
        self, options: FigureOptions, face: Face, rest: float, most: int = _ROWS
    ) -> tuple[Tiling, int]:
        """Rows of pairs, ``most`` at most, and how many pairs fit.

        Raises
        ------
        FigureError
            Not even one does.
        """
        em = face.em
        room = options.width_mm - 2 * face.margin
        high, wide = as_pictures(self._weights(self.rows[:1])[0]).shape[1:]
        cell = (high, 3 * wide + 4 * _gap(wide))
        per_row = options.samples or max(1, int(room / (_WIDTH * em)))
        per_row = min(per_row, len(self.rows))
        after = _BELOW * em if options.labels else 0.6 * em
        if room / per_row < (_NARROWEST * em if options.labels else em):
            problem = "the pairs do not fit into this width"
            raise FigureError(problem, "Make the figure wider, or show fewer in a row.")
        largest = min(room / per_row, 2.4 * _WIDTH * em)
        plan = Blocks(cell, (), room, options.dpi, 0.0, after, per_row)
        for lines in range(min(most, -(-len(self.rows) // per_row)), 0, -1):
            tiling = replace(plan, counts=(per_row,) * lines).fit(1e6, largest)
            if tiling is None:
                problem = f"the pairs do not fit into this width at {options.dpi} dpi"
                raise FigureError(problem, "Make the figure wider.")
            needed = tiling.height + rest
            if options.height_mm is None or needed <= options.height_mm:
                return tiling, min(lines * per_row, len(self.rows))
        problem = f"the pairs do not fit into {options.height_mm:g} mm"
        raise FigureError(problem, f"Make the figure {needed:.0f} mm high.")

    def _write(self, page: Page, tiling: Tiling, y: float, shown: int) -> None:
        """Layer and channel, cosine, classes below each pair."""
        face, em = page.face, page.face.em
        pairs, layers = self.compared.found.pairs, self.compared.before.bank.layers
        used = sorted({int(i) for i in pairs.layer_a})
        names = dict(
            zip(used, short_names([layers[i].name for i in used]), strict=True)
        )
        step = (tiling.cell[1] + tiling.gap) * tiling.tap
        wide = step - 0.8 * em
        size = 0.85 * face.size
        for line, top in enumerate(tiling.tops(y)):
            base = top + tiling.cell_height + em
            for column in range(tiling.per_row):
                number = line * tiling.per_row + column
                if number >= shown:
                    return
                row = int(self.rows[number])
                x = page.margin + column * step
                layer, channel = names[int(pairs.layer_a[row])], pairs.channel_a[row]
                other = pairs.channel_b[row]
                which = f"{channel}" if channel == other else f"{channel} → {other}"
                room = wide - face.width(f" {which}", size)
                text = f"{face.elide(layer, room, size)} {which}".strip()
                page.text(x, base, text, size=size, gid="place")
                text = face.first_fitting(self._facts(row), wide, size)
                colour = page.ink.secondary
                page.text(
                    x, base + 1.15 * em, text, size=size, colour=colour, gid="facts"
                )

    def _facts(self, row: int) -> tuple[str, ...]:
        """Cosine and classes of a pair, longest first."""
        found = self.compared.found
        cosine = float(found.cosine[row])
        value = "–" if cosine != cosine else f"{cosine:.2f}".replace("-", "−")
        if self.change == "scale":
            value = f"×{np.exp(found.scale_ratio[row]):.2g}"
        if found.class_a is None or found.class_b is None:
            return (value,)
        before, after = class_shown(found.class_a[row]), class_shown(found.class_b[row])
        if before is after:
            return f"{value} {before.short}", value
        return (
            f"{value} {before.short} → {after.short}",
            f"{value} → {after.short}",
            value,
        )


def _largest(pictures: NDArray[np.float32]) -> NDArray[np.float32]:
    """Largest |weight| of each, [p]; what is not finite counts as none."""
    weights = np.abs(np.nan_to_num(pictures, posinf=0.0, neginf=0.0))
    largest: NDArray[np.float32] = weights.max(axis=(1, 2), initial=0.0)
    return largest


def _gap(wide: int) -> int:
    """Taps between the pictures of a pair."""
    return max(1, round(wide / 12))


def prepare_pairs(
    scene: Scene, options: FigureOptions, watch: Watch = NEVER
) -> PairsContent:
    """The pairs that changed most; those with a flat kernel come last.

    Raises
    ------
    FigureError
        There are not two networks, no kernels of theirs correspond, or they have no
        codes and the change of these was asked for.
    """
    return most_changed(compare_scene(scene, options, watch), CHANGE.of(options))


def most_changed(compared: Compared, change: str) -> PairsContent:
    """The pairs whose ``change`` is largest; those with a flat kernel come last.

    Raises
    ------
    FigureError
        They have no codes and the change of these was asked for.
    """
    found = compared.found
    amount = {
        "pattern": 1 - found.cosine,
        "scale": np.abs(found.scale_ratio),
        "code": np.abs(found.code_change),
    }[change]
    if change == "code" and np.isnan(amount).all():
        raise FigureError(
            "these kernels have no codes", "Name them by an autoencoder of their size."
        )
    order = np.argsort(-np.nan_to_num(amount, nan=-1.0), kind="stable")[:_MOST]
    return PairsContent(compared, order.astype(np.int64), change)
