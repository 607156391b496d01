"""Joins document and views as to codes, classes and the spectrum."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QObject

from kernelviewer.gui.jobs import Reaction
from kernelviewer.gui.selection_linking import mode_of
from kernelviewer.gui.threshold_bar import ThresholdChoices
from kernelviewer.gui.views.classes.composition import CompositionBar
from kernelviewer.gui.views.classes.histogram import ClassCounts
from kernelviewer.gui.views.scatter import ScatterContent
from kernelviewer.jobs.analysing import project
from kernelviewer.kernels.classes import CLASSES
from kernelviewer.latent.noise import PRESETS
from kernelviewer.state.analysis import (
    count_by_layer,
    count_classes,
    coverage,
)
from kernelviewer.state.layer_tree import short_names
from kernelviewer.state.selection import Classes, Every, Layers

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PySide6.QtCore import Qt

    from kernelviewer.gui.jobs import Jobs
    from kernelviewer.gui.parts import Parts
    from kernelviewer.gui.theme import Tokens
    from kernelviewer.jobs.analysing import Projection
    from kernelviewer.latent.autoencoder import Autoencoder
    from kernelviewer.state.document import Document
    from kernelviewer.state.model import LayerRef
    from kernelviewer.state.pool import KernelPool
    from kernelviewer.state.view_state import ViewState

NO_LABELS = "Classes show here once the kernels are encoded."


class LabelLinking(QObject):
    """Histogram, composition, scatter, tree bars and threshold."""

    def __init__(
        self, document: Document, parts: Parts, jobs: Jobs, parent: QObject
    ) -> None:
        super().__init__(parent)
        self._document, self._parts, self._jobs = document, parts, jobs
        self._state: ViewState | None = None
        self._projected: tuple[KernelPool, Projection] | None = None
        self._placed: tuple[Projection, NDArray[np.bool_]] | None = None
        self._dark = False
        parts.histogram.classes_requested.connect(self._on_classes_requested)
        parts.composition.layer_requested.connect(self._on_layer_requested)
        parts.composition.part_requested.connect(self._on_part_requested)
        parts.threshold.threshold_requested.connect(self._on_threshold_requested)
        parts.threshold.default_requested.connect(self._on_default_requested)

    def set_theme(self, tokens: Tokens) -> None:
        """Use these colours."""
        self._dark = tokens.dark
        parts = self._parts
        parts.tree.set_theme(dark=tokens.dark)
        for view in (parts.histogram, parts.composition, parts.scatter):
            view.set_theme(tokens)
        self._colour_scatter()

    def show_labels(self, state: ViewState) -> None:
        """Show classes, coverage and composition of the kernels in scope."""
        self._state = state
        self._parts.threshold.set_threshold(state.threshold)
        self._parts.threshold.set_choices(_choices(state.autoencoder))
        self._show_histogram(state)
        self._show_composition(state)
        self._show_scatter(state)

    def show_selection(self, state: ViewState) -> None:
        """Show the selected part in the histogram and in the scatter."""
        self._state = state
        self._show_histogram(state)
        self._mark_scatter(state)

    def show_focus(self, state: ViewState) -> None:
        """Ring the focused kernel in the scatter."""
        self._parts.scatter.set_focus(state.focus)

    def show_nearest(self, numbers: NDArray[np.int64]) -> None:
        """Mark the kernels nearest to the slider in the scatter."""
        self._parts.scatter.set_marked(numbers)

    def _show_histogram(self, state: ViewState) -> None:
        if state.labels is None:
            self._parts.histogram.set_counts(None, NO_LABELS)
            return
        counts, below = count_classes(state.labels, state.shown)
        chosen = None
        if state.selected.any():
            chosen = count_classes(state.labels, state.selected)[0]
        self._parts.histogram.set_counts(ClassCounts(counts, below, chosen))
        null = None
        if state.autoencoder is not None and state.threshold is not None:
            null = state.autoencoder.null.coverage(state.threshold)
        self._parts.threshold.set_coverage(coverage(counts), null)

    def _show_composition(self, state: ViewState) -> None:
        pool, labels = state.pool, state.labels
        if pool is None or labels is None:
            self._parts.composition.set_bars((), NO_LABELS)
            self._parts.tree.set_class_counts({})
            return
        table = count_by_layer(pool, labels)
        counts = {
            ref: tuple(row.tolist())
            for ref, row in zip(pool.layer_refs, table, strict=True)
        }
        self._parts.tree.set_class_counts(counts)
        names = {model.id: short_names(model.bank) for model in pool.models}
        bars = []
        for ref, row in counts.items():
            layer = self._document.model(ref.model).bank.layers[ref.layer]
            shown = state.layers is None or ref in state.layers
            label = names[ref.model][ref.layer]
            bars.append(CompositionBar(ref, label, layer.name, ref.model, row, shown))
        self._parts.composition.set_bars(tuple(bars))

    def _show_scatter(self, state: ViewState) -> None:
        """Project the pool in the background, once; then only colours change."""
        if state.pool is None:
            self._projected = None
            self._parts.scatter.set_content(None, "Principal components show here.")
            return
        if self._projected is None or self._projected[0] is not state.pool:
            reaction = Reaction(done=self._on_projected, quiet=True)
            self._jobs.submit(
                "views", "pca", "Principal components", reaction, project, state.pool
            )
            return
        self._place_scatter(state)

    def _on_projected(self, result: tuple[KernelPool, Projection]) -> None:
        self._projected = result
        if self._state is not None and self._state.pool is result[0]:
            self._place_scatter(self._state)

    def _place_scatter(self, state: ViewState) -> None:
        assert self._projected is not None
        _, found = self._projected
        if self._placed is not None and (
            self._placed[0] is found and self._placed[1] is state.shown
        ):
            self._colour_scatter()
            return
        self._placed = (found, state.shown)
        inside = state.shown[found.numbers]
        axes = tuple(
            f"PC{axis + 1} {100 * share:.0f} %"
            for axis, share in enumerate(found.share)
        )
        content = ScatterContent(
            found.numbers[inside],
            found.points[inside, :2],
            (axes[0], axes[1]),
            len(state.shown),
        )
        self._parts.scatter.set_content(content)
        self._colour_scatter()
        self._mark_scatter(state)

    def _colour_scatter(self) -> None:
        state, content = self._state, self._parts.scatter.content
        if state is None or content is None or not self._fits(state):
            return
        colours = tuple(item.dark if self._dark else item.light for item in CLASSES)
        if state.labels is None or len(state.labels.label) <= content.numbers.max(
            initial=0
        ):
            classes = np.full(len(content.numbers), len(CLASSES) - 2, np.uint8)
        else:
            classes = state.labels.label[content.numbers]
        self._parts.scatter.set_classes(classes, colours)

    def _fits(self, state: ViewState) -> bool:
        """Whether the scatter shows the pool of this state."""
        return self._projected is not None and self._projected[0] is state.pool

    def _mark_scatter(self, state: ViewState) -> None:
        content = self._parts.scatter.content
        if content is not None and content.numbers.max(initial=-1) < len(
            state.selected
        ):
            self._parts.scatter.set_selection(state.selected[content.numbers])

    def _on_classes_requested(
        self, ids: frozenset[str], keys: Qt.KeyboardModifier
    ) -> None:
        self._document.select(mode_of(keys), Classes(ids))

    def _on_layer_requested(self, ref: LayerRef, keys: Qt.KeyboardModifier) -> None:
        self._document.select(mode_of(keys), Layers(frozenset({ref})))

    def _on_part_requested(
        self, ref: LayerRef, class_id: str, keys: Qt.KeyboardModifier
    ) -> None:
        """Select one class within one layer."""
        part = Every((Layers(frozenset({ref})), Classes(frozenset({class_id}))))
        self._document.select(mode_of(keys), part)

    def _on_threshold_requested(self, threshold: float, dragging: bool) -> None:
        size = self._document.size
        if size is not None:
            self._document.set_threshold(size, threshold, dragging=dragging)

    def _on_default_requested(self) -> None:
        if (size := self._document.size) is not None:
            self._document.set_threshold(size, None)


def _choices(autoencoder: Autoencoder | None) -> ThresholdChoices | None:
    """The thresholds that an autoencoder offers."""
    if autoencoder is None:
        return None
    null = autoencoder.null
    by_null = tuple((share, null.threshold(share)) for share in PRESETS)
    return ThresholdChoices(autoencoder.threshold, by_null)
