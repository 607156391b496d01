"""Exhibit: which class each kernel had in one network, and has in another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from kernelviewer.figures.colours import mix, rgb
from kernelviewer.figures.comparing import classes_of, compare_scene
from kernelviewer.figures.content import Table, too_low, too_narrow
from kernelviewer.figures.counts import Counts, count, listed
from kernelviewer.figures.fonts import Face
from kernelviewer.figures.page import Page, title_height
from kernelviewer.kernels.classes import CLASSES, class_shown
from kernelviewer.text import percent
from kernelviewer.watch import NEVER

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kernelviewer.figures.colours import Ink
    from kernelviewer.figures.comparing import Compared
    from kernelviewer.figures.options import FigureOptions
    from kernelviewer.figures.scene import Scene
    from kernelviewer.watch import Watch

_CELL = 3.4
_HIGH, _LOWEST = 1.9, 1.25
_LEAST, _ROOMY = 0.7, 1.5
_BESIDE = 62.0
_HEAD = 4.6
_SMALL, _SMALLEST = 0.85, 0.6
"""Lengths in units of the font size."""


@dataclass(frozen=True, eq=False)
class TransitionsContent:
    """The matrix of classes, and what shuffled channels would give."""

    compared: Compared
    """The networks and their pairs."""
    matrix: NDArray[np.int64]
    null: NDArray[np.float64]
    """[classes, classes], pairs by class before (rows) and after; of shuffled ones."""

    def draw(self, options: FigureOptions, watch: Watch = NEVER) -> Page:
        """The matrix, and the null beside it where there is room."""
        face = Face.of(options)
        kinds = np.flatnonzero(self.matrix.sum(axis=0) + self.matrix.sum(axis=1))
        room = options.width_mm - 2 * face.margin
        panels = 2 if room > _BESIDE * face.em else 1
        width = (room - (panels - 1) * 2 * face.em) / panels
        top = title_height(options, face)
        grid = _Grid(face, kinds, width, options, top, int(self.matrix.max()))
        height = max(top + grid.height + face.margin, options.height_mm or 0.0)
        page = Page(options, height, face)
        page.title()
        found = self.compared.found
        share = percent(found.summary.changed), percent(found.null.changed)
        facts = (
            f"{share[0]} of the classes changed (shuffled channels: {share[1]})",
            f"{share[0]} changed (shuffled: {share[1]})",
        )
        x = face.margin
        title = ("Class before (rows) and after (columns)", "Before ↓ and after →")
        words = _Words(title, (" → ".join(self.compared.names),), facts)
        grid.draw(page, x, top, self.matrix, words, "a")
        if panels == 2:
            x += width + 2 * face.em
            title = ("With channels shuffled within each layer", "Shuffled")
            words = _Words(title, ("mean of several shuffles",), ("",))
            grid.draw(page, x, top, self.null, words, "b")
        return page

    def caption(self) -> str:
        """What the numbers are, how many changed, and the null."""
        found = self.compared.found
        yardstick = self.compared.yardstick
        words = f" ({yardstick.words})" if yardstick is not None else ""
        return (
            f"{self.compared.sentence} Rows: class in the first network, columns: in "
            f"the second{words}; numbers are kernels, colours shares of the row, the "
            f"last column is the share that kept its class. Changed: "
            f"{percent(found.summary.changed)}; with channels shuffled within each "
            f"layer: {percent(found.null.changed)}."
        )

    def table(self) -> Table:
        """A row for each pair of classes that occurs."""
        rows, columns = np.nonzero(self.matrix)
        total = np.maximum(self.matrix.sum(axis=1), 1)
        return Table(
            {
                "class_a": [CLASSES[i].id for i in rows],
                "class_b": [CLASSES[k].id for k in columns],
                "kernels": self.matrix[rows, columns].tolist(),
                "share": (self.matrix[rows, columns] / total[rows]).tolist(),
                "shuffled_kernels": self.null[rows, columns].tolist(),
            }
        )

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The matrices."""
        both = self.matrix.sum(axis=0) + self.matrix.sum(axis=1)
        kinds = listed(self.compared.yardstick, Counts(both))
        return {
            "classes": np.array([CLASSES[kind].id for kind in kinds]),
            "transitions": self.matrix[np.ix_(kinds, kinds)],
            "shuffled_transitions": self.null[np.ix_(kinds, kinds)],
            "sources": np.array(self.compared.names),
        }


class _Words(NamedTuple):
    """What stands above a matrix; of each the first that fits."""

    heading: tuple[str, ...]
    networks: tuple[str, ...]
    facts: tuple[str, ...]


class _Grid:
    """Where the cells of a matrix lie; lengths in mm."""

    def __init__(
        self,
        face: Face,
        kinds: NDArray[np.intp],
        width: float,
        options: FigureOptions,
        top: float,
        largest: int,
    ) -> None:
        self._face, self._width = face, width
        self._kinds = [int(kind) for kind in kinds]
        em, small = face.em, _SMALL * face.size
        names = max(face.width(class_shown(kind).short) for kind in self._kinds)
        labels = options.labels
        self._left = names + 1.8 * em if labels else 1.3 * em
        self._kept = face.width("100.0 %", small) + em if labels else 0.0
        room = width - self._left - self._kept
        if room < _ROOMY * em * len(self._kinds):
            room, self._kept = room + self._kept, 0.0
        self._cell = min(room / len(self._kinds), _CELL * em)
        self._upright = labels and self._cell >= face.line()
        self._above = names + 1.8 * em if self._upright else 1.3 * em
        if self._cell < _LEAST * em:
            raise too_narrow("the classes do not fit")
        fitting = (self._cell - 0.3 * em) / face.width(count(largest))
        self._size = min(1.0, fitting) * face.size if fitting >= _SMALLEST else 0.0
        self._high = _HIGH * em
        if options.height_mm is not None:
            spare = options.height_mm - top - face.margin - _HEAD * em - self._above
            self._high = min(self._high, spare / len(self._kinds))
        if self._high < _LOWEST * em:
            raise too_low("the classes do not fit", options)
        self.height = _HEAD * em + self._above + self._high * len(self._kinds) + em

    def draw(
        self,
        page: Page,
        x: float,
        y: float,
        matrix: NDArray[Any],
        words: _Words,
        letter: str,
    ) -> None:
        """Headings, classes, cells, and the share of each row that was kept."""
        face, em = self._face, self._face.em
        page.heading(x, y + em, words.heading, self._width, letter)
        for line, texts in enumerate((words.networks, words.facts)):
            text = face.first_fitting(texts, self._width)
            base = y + (2.3 + 1.25 * line) * em
            page.note(x, base, text, gid="facts")
        left, top = x + self._left, y + _HEAD * em + self._above
        right = left + len(self._kinds) * self._cell + self._kept
        self._draw_classes(page, left, top)
        if self._kept:
            colour, size = page.ink.secondary, _SMALL * face.size
            head = (right, top - 0.4 * em, "kept")
            page.text(*head, size=size, align="right", colour=colour, gid="kept")
        for row, before in enumerate(self._kinds):
            total = float(matrix[before].sum())
            for column, after in enumerate(self._kinds):
                place = left + column * self._cell, top + row * self._high
                share = float(matrix[before, after]) / total if total else 0.0
                self._draw_cell(
                    page, place, float(matrix[before, after]), share, row == column
                )
            if self._kept and total:
                kept = percent(float(matrix[before, before]) / total)
                page.note(
                    right,
                    top + (row + 0.5) * self._high + 0.32 * em,
                    kept,
                    size=_SMALL * face.size,
                    align="right",
                    gid="kept",
                )

    def _draw_classes(self, page: Page, left: float, top: float) -> None:
        em, size = self._face.em, 0.8 * self._face.em
        for number, kind in enumerate(self._kinds):
            item = class_shown(kind)
            middle = top + (number + 0.5) * self._high
            page.class_box(item, left - 1.1 * em, middle - size / 2, size, size)
            across = left + (number + 0.5) * self._cell
            page.class_box(item, across - size / 2, top - 1.1 * em, size, size)
            if page.options.labels:
                base = middle + 0.36 * em
                page.text(left - 1.5 * em, base, item.short, align="right", gid="class")
            if self._upright:
                base = across + 0.36 * em
                page.text(base, top - 1.5 * em, item.short, rotation=90, gid="class")

    def _draw_cell(
        self,
        page: Page,
        place: tuple[float, float],
        value: float,
        share: float,
        kept: bool,
    ) -> None:
        em, ink = self._face.em, page.ink
        x, y = place
        colour = mix(ink.paper, ink.secondary if kept else ink.positive, share**0.5)
        gap = 0.06 * em
        size = self._cell - 2 * gap, self._high - 2 * gap
        page.rectangle(x + gap, y + gap, *size, colour)
        if round(value) and self._size:
            down = self._high / 2 + 0.36 * em * self._size / self._face.size
            page.text(
                *(x + self._cell / 2, y + down, count(round(value))),
                size=self._size,
                align="center",
                colour=_readable(ink, colour),
                gid="cell",
            )


def _readable(ground: Ink, colour: str) -> str:
    """Whichever of ink and paper stands out more on a colour."""
    on = _luminance(colour)

    def contrast(other: str) -> float:
        darker, lighter = sorted((on, _luminance(other)))
        return (lighter + 0.05) / (darker + 0.05)

    return max(ground.text, ground.paper, key=contrast)


def _luminance(colour: str) -> float:
    """How light a colour is, 0 … 1 (WCAG)."""
    return float((rgb(colour) / 255) ** 2.2 @ (0.2126, 0.7152, 0.0722))


def prepare_transitions(
    scene: Scene, options: FigureOptions, watch: Watch = NEVER
) -> TransitionsContent:
    """Count the pairs of each two classes.

    Raises
    ------
    FigureError
        There are not two networks with classes, or no kernels of theirs correspond.
    """
    compared = compare_scene(scene, options, watch)
    classes_of(compared)
    matrix, null = compared.found.transitions, compared.found.shuffled_transitions
    assert matrix is not None
    assert null is not None
    return TransitionsContent(compared, matrix, null)
