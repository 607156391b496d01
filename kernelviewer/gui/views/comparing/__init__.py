"""Two open networks beside each other: what is compared, and what changed.

`ComparisonScheduler` compares them in the background; the classes, which depend on the
threshold, are joined here (`kernelviewer.state.comparing`). The grid, the scatter plot
and the inspector show pairs as well.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from kernelviewer.gui.acts import mode_of
from kernelviewer.gui.controls import chart_choice
from kernelviewer.gui.text import signed, spaced
from kernelviewer.gui.view import (
    Controller,
    Home,
    ViewFigure,
    ViewSpec,
    match_option,
    view_keys,
)
from kernelviewer.gui.views.comparing.bar import ComparingBar
from kernelviewer.gui.views.comparing.drift import DriftChart
from kernelviewer.gui.views.comparing.matrix import TransitionMatrix, Transitions
from kernelviewer.kernels.bank import size_label
from kernelviewer.kernels.classes import class_shown
from kernelviewer.kernels.equality import best_match
from kernelviewer.state.comparing import crossed, drift_of, shuffled_kinds
from kernelviewer.state.layer_tree import short_names
from kernelviewer.state.memo import Memo
from kernelviewer.state.selection import Layers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray
    from PySide6.QtCore import Qt

    from kernelviewer.kernels.comparison import Comparison
    from kernelviewer.state.analysis import PoolLabels
    from kernelviewer.state.comparing import PoolPairs
    from kernelviewer.state.model import LayerRef
    from kernelviewer.state.view_state import ViewState

NOTHING_COMPARED = (
    "Compare two open networks: right-click one in the list, then Compare With, or "
    "press Ctrl+K and type “compare”."
)
COMPARES = "The two networks are being compared…"
NOTHING_IN_SCOPE = "The picked layers have no partner in the other network."
NO_CLASSES = "Classes show here once the kernels are encoded."
SHOWS = {
    "numbers": "numbers",
    "shares": "shares of the rows",
    "shuffled": "channels shuffled",
}
BRIEF_SHOWS = {"shares": "shares", "shuffled": "shuffled"}


class ComparingController(Controller):
    """Says above the grid what is compared, and lets it be changed."""

    def listen(self) -> None:
        """Swap, other pairings, and the end."""
        bar: ComparingBar = self.parts.comparing
        self.bar = bar
        bar.swap_requested.connect(self._on_swap_requested)
        bar.end_requested.connect(lambda: self.document.compare(None))
        bar.edit_requested.connect(lambda: self.window.commands["compare"].trigger())
        bar.match_requested.connect(self._on_match_requested)
        bar.again_requested.connect(self.window.comparer.compare_again)
        self.window.comparer.changed.connect(self.again)

    def show(self, state: ViewState) -> None:
        """Name the networks; say how many pairs there are, and what has none."""
        how = state.comparing
        self.bar.setVisible(how is not None)
        if self.is_news("there", how is not None):
            self.window.show_panels(("transitions", "drift"), how is not None)
        if how is None:
            self.forget("names", "facts")
            return
        if self.is_news("names", how, state.models):
            names = {model.id: model.name for model in state.models}
            self.bar.set_names(names[how.a], names[how.b])
            self.bar.set_match(how.match, how.layers is not None)
        stage = self.window.comparer.stage
        known = (state.comparison, state.pairs, state.models)
        if self.is_news("facts", *known, state.size, stage):
            found, pairs = state.comparison, state.pairs
            if found is None:
                stopped = stage == "stopped"
                text = "The comparison was stopped." if stopped else COMPARES
                self.bar.set_facts(text, stopped=stopped)
            else:
                told = [*facts(found, pairs, self.document.model(how.a).name)]
                self.bar.set_facts("  ·  ".join(told), tip="\n".join(_all(found, told)))

    def _on_swap_requested(self) -> None:
        if (how := self.document.comparing) is not None:
            self.document.compare(how.swapped())

    def _on_match_requested(self, match: str) -> None:
        if (how := self.document.comparing) is not None:
            self.document.compare(replace(how, match=match, layers=None))  # type: ignore[arg-type]


def facts(found: Comparison, pairs: PoolPairs | None, first: str) -> Iterator[str]:
    """What is said of a comparison, and of the pairs of the shown size.

    ``first`` is what the network before is called.
    """
    if not len(found):
        others = "" if found.pairing.match == "best" else ", or pair by best match"
        yield f"No kernels of the two correspond: set the pairing by hand{others}"
        return
    if pairs is not None:
        yield f"{spaced(len(pairs))} pairs of {size_label(pairs.pool.size)} kernels"
        item = pairs.found
        if item.summary.patterned:
            text = f"mean cosine {item.summary.mean_cosine:.3f} (channels shuffled "
            text += f"{item.null.mean_cosine:.3f}"
            if item.noise == item.noise:
                text += f", noise matched alike {item.noise:.3f}"
            yield signed(f"{text})")
        left = pairs.unpaired
        if any(left):
            yield f"without a partner {spaced(left[0])} before, {spaced(left[1])} after"
    by_order = sum(item.how == "order" for item in found.pairing.layers)
    if by_order and found.pairing.match != "order":
        layers = "layer" if by_order == 1 else "layers"
        yield f"{by_order} {layers} paired by order alone, since names differ"
    if equal := best_match(found.bank_b, [found.bank_a]):
        yield equal[1].describe(first)


def _all(found: Comparison, told: list[str]) -> Iterator[str]:
    """The same with the layers that have no partner, and those that order pairs."""
    yield from told
    banks = found.bank_a, found.bank_b
    for item in found.pairing.layers:
        if item.how == "order" and found.pairing.match != "order":
            before, after = banks[0].layers[item.a].name, banks[1].layers[item.b].name
            yield f"by order: {before} → {after}"
    for bank, left, when in (
        (banks[0], found.pairing.left_a, "before"),
        (banks[1], found.pairing.left_b, "after"),
    ):
        if left:
            names = [bank.layers[i].name for i in left]
            more = f" and {len(names) - 12} more" if len(names) > 12 else ""
            yield f"alone {when}: {', '.join(names[:12])}{more}"


class TransitionsController(Controller):
    """Classes of the pairs before and after."""

    def listen(self) -> None:
        """Cells, and what they say."""
        self.matrix: TransitionMatrix = self.parts.transitions
        self._counted = Memo(_counted)
        self.matrix.cells_requested.connect(self._on_cells_requested)
        self.parts.matrix_shows.chosen.connect(partial(self.window.set_chart, "matrix"))

    def show(self, state: ViewState) -> None:
        """Count the pairs in scope."""
        self.parts.matrix_shows.set_choice(state.charts.matrix)
        self.matrix.set_shows(state.charts.matrix)
        pairs, labels = state.pairs, state.labels
        why = _why_nothing(state)
        marks = (state.shown, state.selected)
        if not self.is_news("matrix", pairs, labels, *marks, why):
            return
        if pairs is None or labels is None or why:
            self._counted = Memo(_counted)  # nobody shall hold what is closed
            self.matrix.set_content(None, why)
            return
        kinds, inside, counts, null = self._counted(pairs, labels, state.shown)
        chosen = crossed(kinds[inside & pairs.inside(state.selected)])
        content = Transitions(counts, chosen.astype(np.int64), null)
        self.matrix.set_content(content, NOTHING_IN_SCOPE)

    def _on_cells_requested(
        self, before: int | None, after: int | None, keys: Qt.KeyboardModifier
    ) -> None:
        """Select the kernels of a cell, row or column in both networks."""
        pairs, labels = self.window.state.pairs, self.window.state.labels
        if pairs is None or labels is None:
            return
        classes = pairs.classes(labels)
        rows = pairs.inside(self.window.state.shown)
        names: list[str] = []
        for kind, own in zip((before, after), classes, strict=True):
            if kind is not None:
                rows &= own == kind
            names.append("any" if kind is None else class_shown(kind).short)
        query = pairs.kernels(rows, " → ".join(names))
        self.document.select(mode_of(keys), query)


def _counted(
    pairs: PoolPairs, labels: PoolLabels, shown: NDArray[np.bool_]
) -> tuple[
    NDArray[np.int64], NDArray[np.bool_], NDArray[np.int64], NDArray[np.float64]
]:
    """Transition of each pair, which are in scope, the matrix of those and its null."""
    kinds, inside = pairs.kinds(labels), pairs.inside(shown)
    null = crossed(*shuffled_kinds(pairs, labels, inside))
    return kinds, inside, crossed(kinds[inside]).astype(np.int64), null


def _why_nothing(state: ViewState) -> str:
    """Why there is no matrix, and what would fill the view; empty if there is one."""
    return _why_no_pairs(state) or (NO_CLASSES if state.labels is None else "")


def _why_no_pairs(state: ViewState) -> str:
    """Why there are no pairs, and what would give some; empty if there are."""
    if state.comparing is None:
        return NOTHING_COMPARED
    if state.comparison is None:
        return COMPARES
    if state.pairs is None or not len(state.pairs):
        size = "of this size" if state.size is None else size_label(state.size)
        return f"No {size} kernels of the two networks correspond."
    return ""


class DriftController(Controller):
    """How far the kernels of each layer moved."""

    def listen(self) -> None:
        """Layers."""
        self.drift: DriftChart = self.parts.drift
        self.drift.layer_requested.connect(self._on_layer_requested)

    def show(self, state: ViewState) -> None:
        """Show the layers that correspond, and which have selected kernels."""
        pairs, why = state.pairs, _why_no_pairs(state)
        if self.is_news("layers", pairs, state.labels, state.shown, why):
            if pairs is None or why:
                self.drift.set_layers((), message=why)
            else:
                layers = drift_of(pairs, state.labels, state.shown)
                names = short_names(pairs.whole.bank_a)
                labels = [names[layer.refs[0].layer] for layer in layers]
                self.drift.set_layers(layers, labels)
        if self.is_news("selected", pairs, state.selected):
            self.drift.set_selected(_selected_layers(state))

    def _on_layer_requested(
        self, refs: tuple[LayerRef, LayerRef], keys: Qt.KeyboardModifier
    ) -> None:
        self.document.select(mode_of(keys), Layers(frozenset(refs)))


def _selected_layers(state: ViewState) -> frozenset[int]:
    """Numbers of the corresponding layers with selected kernels."""
    if state.pairs is None or not state.selected.any():
        return frozenset()
    inside = state.pairs.inside(state.selected)
    layers = enumerate(state.pairs.found.layers)
    return frozenset(number for number, item in layers if inside[item.rows].any())


COMPARING = ViewSpec(
    id="comparing",
    title="Comparison",
    make={"comparing": ComparingBar},
    grow=None,
    page="kernels",
    controller=ComparingController,
    reads=("models", "size", "comparing", "comparison", "pairs"),
)
TRANSITIONS = ViewSpec(
    id="transitions",
    title="Class before and after",
    short="Transitions",
    make={"transitions": TransitionMatrix},
    controls={"matrix_shows": chart_choice("matrixShows", "Show", SHOWS, BRIEF_SHOWS)},
    controller=TransitionsController,
    reads=(
        *("models", "size", "comparing", "comparison", "pairs", "labels", "shown"),
        *("selected", "charts"),
    ),
    keys=(
        view_keys(
            "Class before and after",
            "views.comparing.matrix",
            (
                "Select what changed from one class to another",
                "click; arrow keys, then Space or Enter",
            ),
        ),
    ),
    figures={"transitionMatrix": ViewFigure("transitions", options=match_option)},
    home=Home("right", 1, 3),
    of_comparisons=True,
    homes={"compare": Home("right", 0, -1)},
)
DRIFT = ViewSpec(
    id="drift",
    title="Drift by layer",
    short="Drift",
    make={"drift": DriftChart},
    controller=DriftController,
    reads=(
        *("models", "size", "comparing", "comparison", "pairs", "labels", "shown"),
        "selected",
    ),
    keys=(
        view_keys(
            "Drift by layer",
            "painting.layers",
            ("Select both layers", "click; arrow keys, Home, End, Space, Enter"),
        ),
    ),
    figures={"driftChart": ViewFigure("drift", options=match_option)},
    home=Home("right", 0, 2),
    of_comparisons=True,
    homes={"compare": Home("bottom", 0, -1)},
)
