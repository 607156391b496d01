"""Joins document and views as to codes, classes and the spectrum."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from kernelviewer.gui.controls.threshold_bar import ThresholdChoices
from kernelviewer.gui.linking.class_contents import (
    by_model,
    composition_bars,
    null_coverage,
    selected_parts,
    why_no_labels,
)
from kernelviewer.gui.linking.scatter import ScatterLinking
from kernelviewer.gui.linking.selection import mode_of
from kernelviewer.gui.views.classes.histogram import ClassCounts
from kernelviewer.latent.noise import PRESETS
from kernelviewer.state.analysis import coverage
from kernelviewer.state.selection import Classes, Every, Layers
from kernelviewer.state.tally import AllSizes

if TYPE_CHECKING:
    from PySide6.QtCore import Qt

    from kernelviewer.gui.jobs import Jobs
    from kernelviewer.gui.parts import Parts
    from kernelviewer.gui.theme import Tokens
    from kernelviewer.latent.noise import Null
    from kernelviewer.state.document import Document
    from kernelviewer.state.model import LayerRef
    from kernelviewer.state.view_state import ViewState

NOTHING_SELECTED = "Select kernels to count their classes here."


class LabelLinking(QObject):
    """Histogram, composition, tree bars and threshold."""

    def __init__(
        self, document: Document, parts: Parts, jobs: Jobs, parent: QObject
    ) -> None:
        super().__init__(parent)
        self._document, self._parts, self._jobs = document, parts, jobs
        self._state: ViewState | None = None
        self._all_sizes = AllSizes(document)
        self.scatter = ScatterLinking(document, parts, jobs, self)
        parts.histogram.classes_requested.connect(self._on_classes_requested)
        parts.histogram.model_class_requested.connect(self._on_model_class_requested)
        parts.composition.layer_requested.connect(self._on_layer_requested)
        parts.composition.part_requested.connect(self._on_part_requested)
        parts.threshold.threshold_requested.connect(self._on_threshold_requested)
        parts.threshold.default_requested.connect(self._on_default_requested)

    def set_theme(self, tokens: Tokens) -> None:
        """Use these colours."""
        parts = self._parts
        parts.tree.set_theme(tokens)
        parts.threshold.value.set_theme(tokens)
        for view in (parts.histogram, parts.composition):
            view.set_theme(tokens)
        self.scatter.set_theme(tokens)

    def show_labels(self, state: ViewState) -> None:
        """Show classes, coverage and composition of the kernels in scope."""
        self._state = state
        self._parts.threshold.set_threshold(state.threshold)
        self._parts.threshold.set_choices(_choices(state.null))
        self._show_histogram(state)
        self._show_composition(state)
        self.scatter.show_labels(state)

    def show_layer_counts(self, state: ViewState) -> None:
        """Show the classes of every layer in the tree."""
        self._parts.tree.set_class_counts(self._all_sizes.count(state))

    def show_selection(self, state: ViewState) -> None:
        """Show the selected part in the histogram and in the scatter."""
        self._state = state
        self._show_histogram(state)
        self._show_selected_parts(state)
        self.scatter.show_selection(state)

    def show_charts(self, state: ViewState) -> None:
        """Show other axes and colours, count other kernels."""
        self._state = state
        self._parts.charts.set_charts(state.charts)
        self.scatter.show_charts(state)
        self._show_histogram(state)
        self._show_composition(state)

    def _show_histogram(self, state: ViewState) -> None:
        if state.labels is None or state.pool is None or state.pooled is None:
            self._parts.histogram.set_counts(None, why_no_labels(state))
            self._parts.threshold.set_coverage(float("nan"), None)
            return
        counts, below = state.pooled.among(state.pool.layers_ticked(state.layers))
        null = null_coverage(state)
        self._parts.threshold.set_coverage(coverage(counts), null)
        found = state.pooled_chosen
        chosen = None if found is None else found.label.sum(0)
        match state.charts.count_of:
            case "selected":
                self._show_selected(state)
            case "models" if len(state.pool.models) > 1:
                self._parts.histogram.set_counts(by_model(state))
            case _:
                self._parts.histogram.set_counts(ClassCounts(counts, below, chosen))

    def _show_selected(self, state: ViewState) -> None:
        """Only what is selected."""
        found = state.pooled_chosen
        if found is None:
            self._parts.histogram.set_counts(None, NOTHING_SELECTED)
            return
        counts, below = found.label.sum(0), found.below.sum(0)
        self._parts.histogram.set_counts(ClassCounts(counts, below, title="Selected"))

    def _show_composition(self, state: ViewState) -> None:
        if state.pool is None or state.labels is None:
            self._parts.composition.set_bars((), why_no_labels(state))
        else:
            self._parts.composition.set_bars(composition_bars(state))
        self._show_selected_parts(state)

    def _show_selected_parts(self, state: ViewState) -> None:
        """How much of each layer is selected."""
        parts = selected_parts(state)
        self._parts.composition.set_selected(parts)
        self._parts.tree.set_selected(
            {ref: sum(part.counts) for ref, part in parts.items()}
        )

    def _on_classes_requested(
        self, ids: frozenset[str], keys: Qt.KeyboardModifier
    ) -> None:
        self._document.select(mode_of(keys), Classes(ids))

    def _on_model_class_requested(
        self, model: int, class_id: str, keys: Qt.KeyboardModifier
    ) -> None:
        """Select one class within one network."""
        if self._state is None or self._state.pool is None:
            return
        refs = (ref for ref in self._state.pool.layer_refs if ref.model == model)
        self._select_part(frozenset(refs), class_id, keys)

    def _on_layer_requested(self, ref: LayerRef, keys: Qt.KeyboardModifier) -> None:
        self._document.select(mode_of(keys), Layers(frozenset({ref})))

    def _on_part_requested(
        self, ref: LayerRef, class_id: str, keys: Qt.KeyboardModifier
    ) -> None:
        """Select one class within one layer."""
        self._select_part(frozenset({ref}), class_id, keys)

    def _select_part(
        self, layers: frozenset[LayerRef], class_id: str, keys: Qt.KeyboardModifier
    ) -> None:
        part = Every((Layers(layers), Classes(frozenset({class_id}))))
        self._document.select(mode_of(keys), part)

    def _on_threshold_requested(self, threshold: float, dragging: bool) -> None:
        size = self._document.size
        if size is not None:
            self._document.set_threshold(size, threshold, dragging=dragging)

    def _on_default_requested(self) -> None:
        if (size := self._document.size) is not None:
            self._document.set_threshold(size, None)


def _choices(null: Null | None) -> ThresholdChoices | None:
    """The thresholds that a null offers."""
    if null is None:
        return None
    by_null = tuple((share, null.threshold(share)) for share in PRESETS)
    return ThresholdChoices(null.default_threshold, by_null)
