"""Exhibit: the keys that stand for kernels, and how much each of them carries.

Babaiee et al. (NeurIPS 2025, arXiv:2509.11711); `kernelviewer.latent.keys`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from kernelviewer.figures.content import Table
from kernelviewer.figures.counts import listing, percent
from kernelviewer.figures.errors import FigureError
from kernelviewer.figures.fonts import Face, figure_style
from kernelviewer.figures.legend import draw_scale_bar, scale_bar_height
from kernelviewer.figures.page import Page, title_height
from kernelviewer.figures.tiling import Blocks, as_pictures, quantise
from kernelviewer.kernels.bank import PER_KERNEL, size_label
from kernelviewer.kernels.keys import KeysError
from kernelviewer.latent.keys import (
    PUBLISHED,
    PUBLISHED_SIZE,
    approximate,
    shipped_keys,
)
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
        kernels,
        **{name: getattr(kernels, name)[shown] for name in PER_KERNEL},
    )
    return replace(subject.bank, sizes={subject.size: part})


@dataclass(frozen=True, eq=False)
class KeysContent:
    """Keys by what each adds, with the share of kernels that each carries."""

    found: Approximated
    names: tuple[str, ...]

    def draw(self, options: FigureOptions, watch: Watch = NEVER) -> Page:
        """A card for each key: the pattern, its share of the kernels, its R²."""
        with figure_style():
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
