"""How many kernels of each class, over all and by layer, and whether names hold."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QPushButton, QSizePolicy, QWidget

from kernelviewer.gui.acts import mode_of
from kernelviewer.gui.controls import chart_choice, in_row, label_of
from kernelviewer.gui.text import percent, spaced
from kernelviewer.gui.view import Controller, Home, ViewFigure, ViewSpec, view_keys
from kernelviewer.gui.views.classes.bars import CompositionBar, SelectedPart
from kernelviewer.gui.views.classes.composition import MANY, LayerComposition
from kernelviewer.gui.views.classes.histogram import ClassCounts, ClassHistogram
from kernelviewer.kernels.bank import size_label
from kernelviewer.latent.stretches import TOLERANCE
from kernelviewer.state.analysis import UNIDENTIFIED, agreement
from kernelviewer.state.layer_tree import short_names
from kernelviewer.state.selection import Classes, Every, Layers
from kernelviewer.state.tally import SummedCounts

if TYPE_CHECKING:
    from PySide6.QtCore import Qt

    from kernelviewer.kernels.bank import Size
    from kernelviewer.latent.labels import Agreement
    from kernelviewer.state.analysis import Status
    from kernelviewer.state.document import Document
    from kernelviewer.state.model import LayerRef
    from kernelviewer.state.view_state import ViewState

SECONDS_PER_TAP = 1e-6
"""Of one processor for one kernel's tap, measured at 7×7."""
NOTHING_OPEN = "Open a checkpoint: the classes of its kernels are counted here."
NO_KERNELS = "No depthwise kernels are open."
NOTHING_SELECTED = "Select kernels to count their classes here."
COUNTS = {"shown": "of all", "selected": "of selected", "models": "per network"}
BRIEF_COUNTS = {"selected": "selected", "models": "each net"}
PALES = {"off": "identified only", "on": "best class, paler"}
BRIEF_PALES = {"off": "identified", "on": "best class"}


class NamesLine(QWidget):
    """How names by code and by the family agree, and how far the family is."""

    requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("namesLine")
        self.text = label_of(self, name="namesHold", role="caption", wraps=True)
        self.text.setSizePolicy(
            QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred
        )
        self.button = QPushButton("Name", self)
        self.button.setObjectName("compareNames")
        self.button.setAccessibleName("Name the kernels by the pattern family as well")
        self.button.setProperty("link", True)
        self.button.clicked.connect(lambda: self.requested.emit())
        in_row(self, (self.text, 1), self.button, margins=(12, 0, 8, 6))
        self.set_names("none", None, None, 0)

    def set_names(
        self, status: Status, found: Agreement | None, size: Size | None, kernels: int
    ) -> None:
        """Show what the comparison gave, or how far it is.

        Parameters
        ----------
        found
            The result; None while there is none.
        size, kernels
            Kernel size, and how many kernels of it are open.
        """
        self.setVisible(status != "none")
        self.button.setVisible(status == "ask")
        self.text.setToolTip("")
        if status == "ask" and size is not None:
            wait = max(1, round(SECONDS_PER_TAP * math.prod(size) * kernels))
            self.text.setText(
                f"Not named by the family yet: {spaced(kernels)} kernels, "
                f"about {wait} s"
            )
        elif status == "running":
            self.text.setText("Naming by the family…")
        elif found is None or not found.kernels:
            self.text.setText("No identified kernels whose names could be compared")
        else:
            self.text.setText(
                f"Code and family name {percent(found.exact)} alike, "
                f"{percent(found.within)} within {TOLERANCE} of the best cosine"
            )
            self.text.setToolTip(
                f"Of {spaced(found.kernels)} identified kernels in scope, "
                f"{percent(found.exact)} have exactly the same name by their code as "
                f"by the pattern family. Of {percent(found.within)} the class by code "
                f"has a member whose cosine with the kernel is within {TOLERANCE} of "
                "the family's best: neighbouring classes overlap."
            )


def why_no_labels(state: ViewState) -> str:
    """Why there are no classes, and what would give some."""
    pool = state.pool
    if pool is None:
        return NO_KERNELS if state.models else NOTHING_OPEN
    if not state.all_analysed:
        return "Classes show here once the kernels are encoded."
    if state.named_by == "family":
        return "Classes show here once the family has named the kernels (Show Jobs)."
    return (
        f"No classes: there is no autoencoder for {size_label(pool.size)} kernels, and "
        "the pattern family has no members of this size. Analysis → Train makes one."
    )


def by_model(state: ViewState) -> tuple[ClassCounts, ...]:
    """Counts of each open network's kernels in scope."""
    pool, tally = state.pool, state.tally
    assert pool is not None
    assert tally is not None
    ticked = pool.layers_ticked(state.layers)
    owner = np.array([ref.model for ref in pool.layer_refs])
    contents = []
    for model in pool.models:
        own = owner == model.id
        counts, below = tally.among(ticked & own)
        chosen = None if state.chosen is None else state.chosen.label[own].sum(0)
        content = ClassCounts(counts, below, chosen, model.name, model.id)
        contents.append(content)
    return tuple(contents)


def selected_parts(state: ViewState) -> dict[LayerRef, SelectedPart]:
    """What is selected of each layer of the pool; empty if nothing is."""
    pool, found = state.pool, state.chosen
    if pool is None or found is None:
        return {}
    table, below = found.label, found.below
    return {
        ref: SelectedPart(tuple(table[row].tolist()), tuple(below[row].tolist()))
        for row, ref in enumerate(pool.layer_refs)
        if table[row].any()
    }


def composition_bars(state: ViewState) -> tuple[CompositionBar, ...]:
    """A bar for each layer of the pool, in network order.

    Of many networks only those with a layer in scope have bars.
    """
    pool, tally = state.pool, state.tally
    assert pool is not None
    assert tally is not None
    table = tally.label
    below = tally.below if state.charts.pale == "on" else None
    models = {model.id: model for model in pool.models}
    names = {model.id: short_names(model.bank) for model in pool.models}
    noise = as_noise(state)
    bars = []
    scope = {ref.model for ref in state.layers or ()}
    told = scope if scope and len(models) >= MANY else models.keys()
    for row, ref in enumerate(pool.layer_refs):
        if ref.model not in told:
            continue
        bank = models[ref.model].bank
        bars.append(
            CompositionBar(
                ref,
                names[ref.model][ref.layer],
                bank.layers[ref.layer].name,
                ref.model,
                tuple(table[row].tolist()),
                state.layers is None or ref in state.layers,
                () if below is None else tuple(below[row].tolist()),
                models[ref.model].name,
                ref.model in noise,
            )
        )
    return tuple(bars)


def as_noise(state: ViewState) -> frozenset[int]:
    """Ids of networks of whose kernels of the size no more are named than of noise."""
    pool, tally = state.pool, state.tally
    if pool is None or tally is None or state.null is None or state.threshold is None:
        return frozenset()
    null = state.null.coverage(state.threshold)
    owner = np.array([ref.model for ref in pool.layer_refs])
    sums = {m.id: tally.label[owner == m.id].sum(0).tolist() for m in pool.models}
    return frozenset(
        identity
        for identity, counts in sums.items()
        if SummedCounts(tuple(counts), null).is_as_noise
    )


class ClassesController(Controller):
    """Kernels of each class, and whether the classes' names hold."""

    def listen(self) -> None:
        """Classes from the histogram, and the comparison of names."""
        self.names: NamesLine = self.parts.names
        self.histogram: ClassHistogram = self.parts.histogram
        self.histogram.classes_requested.connect(self._on_classes_requested)
        self.histogram.model_class_requested.connect(self._on_model_class_requested)
        self.histogram.name_requested.connect(self.window.rename_class)
        self.parts.count_of.chosen.connect(partial(self.window.set_chart, "count_of"))
        self.parts.names.requested.connect(self._on_names_requested)
        self.window.families.changed.connect(self.again)

    def show(self, state: ViewState) -> None:
        """Count the classes of what is in scope."""
        count_of = state.charts.count_of
        self.parts.count_of.set_choice(count_of)
        sets = (state.pool, state.labels, state.counted)
        tallies = (state.pooled, state.tally, state.pooled_chosen, state.chosen)
        told = (state.known, state.models, count_of, state.naming)
        if self.is_news("counts", *sets, *tallies, *told):
            self._count(state)
        status = self.window.families.status(state.size)
        both = (state.families, state.by_code, state.named_by)
        if self.is_news("names", *sets, *both, state.size, status):
            self._show_names(state)

    def _count(self, state: ViewState) -> None:
        if state.labels is None or state.pool is None or state.pooled is None:
            self.histogram.set_counts(None, why_no_labels(state))
            return
        counts, below = state.pooled.among(state.pool.layers_ticked(state.layers))
        found = state.pooled_chosen
        chosen = None if found is None else found.label.sum(0)
        match state.charts.count_of:
            case "selected":
                self._show_selected(state)
            case "models" if len(state.pool.models) > 1:
                self.histogram.set_counts(by_model(state), scheme=state.scheme)
            case _:
                content = ClassCounts(counts, below, chosen)
                self.histogram.set_counts(content, scheme=state.scheme)

    def _show_selected(self, state: ViewState) -> None:
        """Only what is selected."""
        found = state.pooled_chosen
        if found is None:
            self.histogram.set_counts(None, NOTHING_SELECTED)
            return
        counts, below = found.label.sum(0), found.below.sum(0)
        content = ClassCounts(counts, below, title="Selected")
        self.histogram.set_counts(content, scheme=state.scheme)

    def _show_names(self, state: ViewState) -> None:
        """Say how far the names of the kernels in scope hold."""
        status = self.window.families.status(state.size)
        needed = state.by_code is not None or status in ("ask", "running")
        if state.pool is None or not needed:
            self.names.set_names("none", None, None, 0)
            return
        found = None
        if state.families and state.by_code and state.labels:
            among = state.counted & (state.labels.label < UNIDENTIFIED)
            found = agreement(state.by_code, state.families, among)
        self.names.set_names(status, found, state.size, len(state.pool))

    def _on_names_requested(self) -> None:
        if (size := self.document.size) is not None:
            self.window.families.request(size)

    def _on_classes_requested(
        self, ids: frozenset[str], keys: Qt.KeyboardModifier
    ) -> None:
        self.document.select(mode_of(keys), Classes(ids))

    def _on_model_class_requested(
        self, model: int, class_id: str, keys: Qt.KeyboardModifier
    ) -> None:
        """Select one class within one network."""
        if (pool := self.window.state.pool) is not None:
            refs = frozenset(ref for ref in pool.layer_refs if ref.model == model)
            select_part(self.document, refs, class_id, keys)


class CompositionController(Controller):
    """Kernels of each class, layer by layer."""

    def listen(self) -> None:
        """Layers, and classes of a layer."""
        composition: LayerComposition = self.parts.composition
        self.composition = composition
        composition.layer_requested.connect(self._on_layer_requested)
        composition.part_requested.connect(self._on_part_requested)
        composition.overview_requested.connect(lambda: self.window.show_overview(True))
        composition.name_requested.connect(self.window.rename_class)
        self.parts.pale.chosen.connect(partial(self.window.set_chart, "pale"))

    def show(self, state: ViewState) -> None:
        """Show a bar for each layer, and how much of it is selected."""
        pale = state.charts.pale
        self.parts.pale.set_choice(pale)
        scope = (state.pool, state.labels, state.layers, state.models, state.known)
        if self.is_news("bars", *scope, state.null, pale):
            if state.pool is None or state.labels is None:
                self.composition.set_bars((), why_no_labels(state))
            else:
                self.composition.set_bars(composition_bars(state))
            self.forget("selected")
        if self.is_news("selected", state.pool, state.chosen):
            self.composition.set_selected(selected_parts(state))

    def _on_layer_requested(self, ref: LayerRef, keys: Qt.KeyboardModifier) -> None:
        self.document.select(mode_of(keys), Layers(frozenset({ref})))

    def _on_part_requested(
        self, ref: LayerRef, class_id: str, keys: Qt.KeyboardModifier
    ) -> None:
        """Select one class within one layer."""
        select_part(self.document, frozenset({ref}), class_id, keys)


def select_part(
    document: Document,
    layers: frozenset[LayerRef],
    class_id: str,
    keys: Qt.KeyboardModifier,
) -> None:
    """Select one class within some layers."""
    part = Every((Layers(layers), Classes(frozenset({class_id}))))
    document.select(mode_of(keys), part)


CLASSES_VIEW = ViewSpec(
    id="classes",
    title="Classes",
    make={"histogram": ClassHistogram, "names": NamesLine},
    controls={
        "count_of": chart_choice("countOf", "Count kernels", COUNTS, BRIEF_COUNTS)
    },
    grow=0,
    controller=ClassesController,
    reads=(
        *("models", "size", "pool", "layers", "labels", "known", "families"),
        *("by_code", "naming", "named_by"),
        *("counted", "tally", "chosen", "pooled", "pooled_chosen", "charts"),
    ),
    keys=(
        view_keys(
            "Classes",
            "views.classes.histogram",
            ("Select a class", "click; arrow keys, Home, End, then Enter or Space"),
            ("Give it a name and a colour", "double click, F2"),
        ),
    ),
    figures={"classHistogram": ViewFigure("classes")},
    home=Home("right", 1, 0),
    homes={"compare": Home("right"), "label": Home("left")},
)
COMPOSITION = ViewSpec(
    id="composition",
    title="Layer composition",
    short="Composition",
    make={"composition": LayerComposition},
    controls={
        "pale": chart_choice(
            "paleUnidentified", "Unidentified kernels", PALES, BRIEF_PALES
        )
    },
    controller=CompositionController,
    reads=(
        *("models", "pool", "layers", "labels", "known", "tally", "chosen", "charts"),
        *("null", "threshold"),
    ),
    keys=(
        view_keys(
            "Layer composition",
            "views.classes.composition",
            ("Select a class of a layer", "click; arrow keys, Home, End, then Space"),
            ("Select the layer", "click its name; Enter"),
            ("Give the class a name and a colour", "double click, F2"),
        ),
    ),
    figures={"layerComposition": ViewFigure("composition")},
    home=Home("right", 1, 1),
    homes={"compare": Home("bottom"), "label": Home("left", 1, 0)},
)
