"""Exhibit: kernels, coverage and shares of the classes of many networks, as a table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from kernelviewer.figures.content import FigureError, Table, too_narrow
from kernelviewer.figures.counts import (
    coding_of,
    count,
    count_labels,
    labels_of,
    listed,
    named,
)
from kernelviewer.figures.fonts import Face
from kernelviewer.figures.page import SHEET, Page, title_height
from kernelviewer.kernels.bank import size_label
from kernelviewer.kernels.classes import CLASSES, class_shown
from kernelviewer.watch import NEVER

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from kernelviewer.figures.counts import Counts
    from kernelviewer.figures.options import FigureOptions
    from kernelviewer.figures.scene import Scene, Yardstick
    from kernelviewer.kernels.bank import Size
    from kernelviewer.watch import Watch


_PAD = 1.2
_ROW = 1.45
_LABEL = 11.0
_NAME = 16.0
_LEAST_NAME = 8.0
"""Lengths in units of the font size: between columns, a row, names."""


@dataclass(frozen=True, eq=False)
class Entry:
    """One network's row."""

    network: str
    counts: Counts
    mean_fit: float


@dataclass(frozen=True, eq=False)
class TableContent:
    """The networks' rows."""

    entries: tuple[Entry, ...]
    size: Size
    yardstick: Yardstick

    @property
    def classes(self) -> list[int]:
        """Those that have a column, indices into `CLASSES`."""
        return listed(self.yardstick, *(item.counts for item in self.entries))

    def draw(self, options: FigureOptions, watch: Watch = NEVER) -> Page:
        """A row for each network if the page is wide enough, else a column."""
        face = Face.of(options)
        top = title_height(options, face)
        kinds = self.classes
        told = (_cells(item, self.yardstick, kinds) for item in self.entries)
        cells = [_heads(kinds), *told]
        names = ["", *(item.network for item in self.entries)]
        room = options.width_mm - 2 * face.margin
        ends = top + face.margin
        while True:
            layout = _upright(cells, names, face, room) or _turned(
                cells, names, face, room
            )
            height = ends + layout.height
            if options.height_mm or height <= SHEET or len(names) <= 2:
                break
            cells, names = cells[:-1], names[:-1]
        if options.height_mm is not None and height > options.height_mm:
            problem = f"the table does not fit into {options.height_mm:g} mm"
            raise FigureError(problem, f"Make the figure {height:.0f} mm high.")
        page = Page(options, max(height, options.height_mm or 0.0), face)
        page.title()
        if (shown := len(names) - 1) < len(self.entries):
            networks = count(len(self.entries), "network")
            page.left_out.append(
                f"Only the first {shown} of {networks} are shown: a page has no "
                "room for more."
            )
        layout.draw(page, top)
        return page

    def caption(self) -> str:
        """A sentence on the numbers."""
        return (
            f"{size_label(self.size)} depthwise kernels of "
            f"{count(len(self.entries), 'network')}: mean fit of those that are not "
            f"flat, share identified at a fit of {self.yardstick.least} or "
            "more beside the share of white noise that reaches it, and share of each "
            f"class among all kernels, in per cent ({self.yardstick.words})."
        )

    def table(self) -> Table:
        """A row for each network; shares 0 … 1."""
        entries = self.entries
        columns: dict[str, Sequence[Any]] = {
            "network": [item.network for item in entries],
            "kernels": [item.counts.kernels for item in entries],
            "mean_fit": [item.mean_fit for item in entries],
            "threshold": [self.yardstick.threshold] * len(entries),
            "coverage": [item.counts.coverage for item in entries],
            "null_coverage": [self.yardstick.null_coverage] * len(entries),
        }
        for number in self.classes:
            columns[CLASSES[number].id] = [
                int(item.counts.by_class[number]) / max(item.counts.kernels, 1)
                for item in entries
            ]
        return Table(columns)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Counts [networks, classes] and the rest by column."""
        columns = self.table().columns
        arrays = {name: np.array(columns[name]) for name in list(columns)[:6]}
        arrays["classes"] = np.array([CLASSES[kind].id for kind in self.classes])
        counts = np.stack([item.counts.by_class for item in self.entries])
        arrays["counts"] = counts[:, self.classes]
        return arrays


@dataclass(frozen=True, slots=True)
class _Text:
    """A cell on the page: its baseline, how it is set."""

    x: float
    y: float
    text: str
    align: Any = "right"
    bold: bool = False
    rotation: float = 0.0


@dataclass(frozen=True, slots=True)
class _Layout:
    """All cells and rules of a table, mm from its upper edge."""

    texts: list[_Text]
    rules: list[tuple[float, float, bool]]
    height: float

    def draw(self, page: Page, top: float) -> None:
        """Write the cells and draw the rules, the outer ones thicker."""
        for cell in self.texts:
            page.text(
                cell.x,
                top + cell.y,
                cell.text,
                align=cell.align,
                weight="bold" if cell.bold else "normal",
                rotation=cell.rotation,
                gid="cell",
            )
        for y, right, heavy in self.rules:
            width = (1.6 if heavy else 1.0) * page.face.hairline
            xs = [page.margin, right]
            page.line(xs, [top + y] * 2, colour=page.ink.text, width=width)


def prepare_table(
    scene: Scene, options: FigureOptions, watch: Watch = NEVER
) -> TableContent:
    """Count what is shown of each network.

    Raises
    ------
    FigureError
        The kernels have no classes, or none are shown.
    """
    yardstick = named(scene)
    entries = []
    for subject in scene.subjects:
        watch.check()
        index = subject.index
        if len(index):
            fit = coding_of(subject).fit[index]
            known = fit[np.isfinite(fit)]
            mean = float(known.mean(dtype=np.float64)) if len(known) else float("nan")
            counts = count_labels(labels_of(subject, yardstick)[index])
            entries.append(Entry(subject.name, counts, mean))
    if not entries:
        raise FigureError("no kernels are shown", "Show a layer or another size.")
    return TableContent(tuple(entries), scene.size, yardstick)


def _heads(kinds: list[int]) -> list[str]:
    heads = ["Kernels", "Mean fit", "Identified (%)", "White noise (%)"]
    return [*heads, *(f"{class_shown(kind).short} (%)" for kind in kinds)]


def _cells(item: Entry, yardstick: Yardstick, kinds: list[int]) -> list[str]:
    total = max(item.counts.kernels, 1)
    shares = item.counts.by_class[kinds] / total
    values = [item.counts.coverage, yardstick.null_coverage, *shares.tolist()]
    fit = "–" if item.mean_fit != item.mean_fit else f"{item.mean_fit:.3f}"
    percents = ["–" if value != value else f"{100 * value:.1f}" for value in values]
    return [count(item.counts.kernels), fit, *percents]


def _upright(
    cells: list[list[str]], names: list[str], face: Face, room: float
) -> _Layout | None:
    """A row for each network, headings turned; None if that is too wide."""
    em = face.em
    pads = [_PAD * em] * len(cells[0])
    widths = [
        max(face.line(), *(face.width(row[i]) for row in cells[1:])) + pads[i]
        for i in range(len(cells[0]))
    ]
    name = room - sum(widths)
    wanted = max(map(face.width, names))
    if name < min(wanted, _LEAST_NAME * em):
        return None
    name = min(name, wanted)
    head = max(map(face.width, cells[0])) + 0.6 * em
    right = face.margin + name
    texts = []
    for i, width in enumerate(widths):
        right += width
        texts.append(_Text(right, head - 0.3 * em, cells[0][i], "left", rotation=90))
        for row, values in enumerate(cells[1:]):
            y = head + (row + 1) * _ROW * em
            texts.append(_Text(right, y, values[i]))
    for row, text in enumerate(face.elide_apart(names[1:], name)):
        y = head + (row + 1) * _ROW * em
        texts.append(_Text(face.margin, y, text, "left"))
    bottom = head + (len(names) - 1) * _ROW * em + 0.6 * em
    rules = [(head, right, False), (bottom, right, True)]
    return _Layout(texts, [(0.0, right, True), *rules], bottom + 0.3 * em)


def _turned(
    cells: list[list[str]], names: list[str], face: Face, room: float
) -> _Layout:
    """A column for each network, in as many tables below each other as needed."""
    em = face.em
    label = min(max(map(face.width, cells[0])), _LABEL * em)
    if room - label < (_LEAST_NAME * 0.6 + _PAD) * em:
        raise too_narrow("the table does not fit")
    fits = max(1, int((room - label) / (_LEAST_NAME * em + _PAD * em)))
    texts: list[_Text] = []
    rules: list[tuple[float, float, bool]] = []
    y = 0.0
    for start in range(1, len(names), fits):
        group = range(start, min(start + fits, len(names)))
        width = min((room - label) / len(group), _NAME * em + _PAD * em)
        right = face.margin + label + width * len(group)
        base = y + _ROW * em
        short = face.elide_apart(names[1:], width - _PAD * em)
        rules += [(y, right, True), (base + 0.4 * em, right, False)]
        for place, i in enumerate(group):
            x = face.margin + label + (place + 1) * width
            texts.append(_Text(x, base, short[i - 1]))
            for row, value in enumerate(cells[i]):
                texts.append(_Text(x, base + (row + 1.3) * _ROW * em, value))
        for row, head in enumerate(cells[0]):
            text = face.elide(head, label)
            texts.append(
                _Text(face.margin, base + (row + 1.3) * _ROW * em, text, "left")
            )
        y = base + (len(cells[0]) + 0.7) * _ROW * em
        rules.append((y, right, True))
        y += em
    return _Layout(texts, rules, y)
