"""A second set of views, fed from the same document, and what two sets show."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from PySide6.QtCore import Qt

from kernelviewer.gui.window_context import WindowContext
from kernelviewer.jobs.runner import Ticket

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from PySide6.QtCore import QAbstractItemModel, QModelIndex

    from kernelviewer.gui.jobs import Reaction
    from kernelviewer.gui.main_window import MainWindow
    from kernelviewer.gui.window_context import Parts


CHARTS = ("count_of", "pale", "colour_by", "thumbnails", "matrix_shows")
SCATTER = ("_classes", "_colours", "legend", "_selected", "_focus", "marked")


class JobsOnDemand:
    """Jobs that are done when `work` is called."""

    def __init__(self) -> None:
        self._waiting: list[tuple[Ticket, Reaction, Callable[[], object]]] = []

    def submit(
        self,
        lane: str,
        key: str,
        title: str,
        reaction: Reaction,
        task: Callable[..., object],
        /,
        *args: Any,
        **kwargs: Any,
    ) -> Ticket:
        """Keep a job in mind; another of the same key takes its place."""
        self.cancel(key)
        ticket = Ticket(key, title)
        call = partial(task, ticket, *args, **kwargs)
        self._waiting.append((ticket, reaction, call))
        return ticket

    def cancel(self, key: str) -> None:
        """Ask the jobs of a key to stop."""
        for ticket, *_ in self._waiting:
            if ticket.key == key:
                ticket.cancel()

    def work(self) -> None:
        """Do all, and what comes of it; what was cancelled says so now."""
        while self._waiting:
            ticket, reaction, call = self._waiting.pop(0)
            if ticket.cancelled:
                reaction.stopped()
            else:
                reaction.done(call())


class Mirror:
    """Views built anew from the document of a window, as after a restart."""

    def __init__(self, window: MainWindow, jobs: JobsOnDemand) -> None:
        document = window.document
        self._window = WindowContext(window.settings, document, jobs)  # type: ignore[arg-type]
        self.parts = self._window.parts
        self.parts.grid.resize(window.parts.grid.size())
        self._window.set_looks(window.looks)
        self.parts.tree.search.setText(window.parts.tree.search.text())
        self._window.compute_on("cpu")
        jobs.work()
        self._window.presenter.show_hidden()

    def close(self) -> None:
        """Leave nothing behind."""
        window = self._window
        for listener in (
            *(window.presenter.refresh, window.analyst.look, window.families.look),
            window.comparer.look,
            window.key_finder.look,
            window.runs.look,
        ):
            window.document.changed.disconnect(listener)
        window.deleteLater()


def contents(parts: Parts) -> dict[str, object]:
    """What the views show, by name."""
    spectrum, histogram = parts.spectrum, parts.spectrum.histogram
    there = spectrum.content is not None
    items = range(parts.histogram.item_count())
    return {
        "welcome": parts.centre.currentIndex(),
        "tree rows": list(rows_of(parts.tree.proxy)),
        "tree picked": parts.tree._picked(),
        "tree classes": parts.tree.source._counts,
        "overview": [
            (row.model.id, row.kernels, row.flat, row.total, row.sizes)
            for row in parts.overview.source.rows
        ],
        "overview picked": parts.overview.picked(),
        "sizes": [
            (button.text(), button.isChecked(), button.toolTip())
            for button in parts.sizes._group.buttons()
        ],
        "grid controls": [
            parts.controls._long_counts,
            *(button.choice for button in parts.controls._buttons.values()),
            parts.controls.only_selected.isHidden(),
        ],
        "grid": parts.grid.content,
        "grid selected": parts.grid.selected,
        "grid focus": parts.grid.focus,
        "grid message": parts.grid.message,
        "grid tags": (parts.grid._painter.tags, parts.grid._painter.tag_colours),
        "edited": (parts.edited.isHidden(), parts.edited.toolTip()),
        "class names": [*map(parts.histogram.item_name, items)],
        "count": parts.selected.text(),
        "names": (parts.names.text.text(), parts.names.isHidden()),
        "chips": (parts.chips.chips, parts.chips.scope),
        "threshold": []
        if parts.threshold.isHidden()
        else [
            parts.threshold.value.value(),
            parts.threshold.slider.value(),
            parts.threshold.coverage.text(),
            parts.threshold.null.text(),
        ],
        "class histogram": (parts.histogram.contents, parts.histogram._message),
        "charts": [getattr(parts, name).text() for name in CHARTS],
        "selected of layers": (
            parts.composition._selected,
            parts.tree.source._selected,
        ),
        "tree marked": dict(parts.tree.source._marked),
        "grid marked": parts.grid.marked,
        "composition": (parts.composition.bars, parts.composition._message),
        "scatter": [
            parts.scatter.content,
            *(
                [getattr(parts.scatter, name) for name in SCATTER]
                if parts.scatter.content is not None
                else []
            ),
        ],
        "spectrum": spectrum.content,
        "spectrum absence": "" if there else spectrum.absent.title.text(),
        "steps": (parts.steps.content, parts.steps.isHidden()),
        "shares": (parts.shares.axis, parts.shares.counts, parts.shares.message),
        "formation": (
            *(parts.formation.axis, parts.formation.rows, parts.formation.message),
        ),
        "slider": (spectrum.position, spectrum.slider._mark),
        "slider text": (
            spectrum.controls.name.text() if there else "",
            spectrum.controls.count._texts,
        ),
        "code histogram": histogram.density,
        "code histogram message": histogram._message,
        "ranges": histogram._ranges,
        "reconstruction": parts.reconstruction.content,
        "nearest": parts.reconstruction.nearest._kernels,
        "comparison": parts.inspector.comparison.content,
        "comparing": (
            parts.comparing.isHidden(),
            *(
                (parts.comparing.names.whole, parts.comparing.facts.toolTip())
                if not parts.comparing.isHidden()
                else ()
            ),
        ),
        "pair": parts.inspector.pair.content,
        "transitions": (parts.transitions.content, parts.transitions._message),
        "drift": (parts.drift.layers, parts.drift.selected, parts.drift._message),
        "keys": (
            *(parts.keys.facts.text(), parts.keys_choice.text()),
            *(parts.keys.tiles.tiles, parts.keys.tiles.marked),
            *(parts.keys.focused.content, parts.keys.layers.layers),
            *(parts.keys.layers.selected, parts.keys.curve.curve),
        ),
        "comparison hidden": parts.inspector.comparison.isHidden(),
        "inspector": [
            parts.inspector.empty.isHidden(),
            parts.inspector.picture._taps,
            *(
                label.text() if parts.inspector.empty.isHidden() else ""
                for label in (
                    *parts.inspector.place._labels.values(),
                    *parts.inspector.values._labels.values(),
                )
            ),
        ],
    }


def rows_of(
    model: QAbstractItemModel, parent: QModelIndex | None = None
) -> Iterator[tuple[str, ...]]:
    """Texts of all rows below an index."""
    above = () if parent is None else (parent,)
    for row in range(model.rowCount(*above)):
        columns = range(model.columnCount(*above))
        indices = [model.index(row, column, *above) for column in columns]
        yield tuple(
            str(index.data(Qt.ItemDataRole.DisplayRole) or "") for index in indices
        )
        yield from rows_of(model, indices[0])


def difference(one: object, other: object, where: str = "") -> str:
    """Where two values differ, deep; empty if they are the same."""
    if type(one) is not type(other):
        return f"{where}: {one!r} is not {other!r}"
    if isinstance(one, np.ndarray) and isinstance(other, np.ndarray):
        same = one.shape == other.shape and np.array_equal(
            one, other, equal_nan=one.dtype.kind == "f"
        )
        return "" if same else f"{where}: {one!r} is not {other!r}"
    if is_dataclass(one):
        parts = [item.name for item in fields(one)]
        values = [(getattr(one, n), getattr(other, n), f"{where}.{n}") for n in parts]
    elif isinstance(one, dict) and isinstance(other, dict):
        if list(one) != list(other):
            return f"{where}: {list(one)!r} is not {list(other)!r}"
        values = [(one[key], other[key], f"{where}[{key!r}]") for key in one]
    elif isinstance(one, list | tuple) and isinstance(other, list | tuple):
        if len(one) != len(other):
            return f"{where}: {one!r} is not {other!r}"
        pairs = enumerate(zip(one, other, strict=True))
        values = [(a, b, f"{where}[{i}]") for i, (a, b) in pairs]
    elif isinstance(one, float) and isinstance(other, float):
        same = one == other or (np.isnan(one) and np.isnan(other))
        return "" if same else f"{where}: {one!r} is not {other!r}"
    else:
        return "" if one == other else f"{where}: {one!r} is not {other!r}"
    return next(filter(None, (difference(a, b, w) for a, b, w in values)), "")
