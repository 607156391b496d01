"""The open networks and their layers, as a tree."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from kernelviewer.gui.acts import mode_of
from kernelviewer.gui.controller import Controller
from kernelviewer.gui.view_spec import Home, ViewFigure, ViewKeys, ViewSpec
from kernelviewer.gui.views.models.model_tree import ModelTree
from kernelviewer.state.selection import Layers
from kernelviewer.state.tally import AllSizes

if TYPE_CHECKING:
    from kernelviewer.state.model import LayerRef
    from kernelviewer.state.view_state import ViewState

LEAST_WIDTH = 156
"""A window that was made small and large again keeps the list as narrow as Qt let it
become. More would not fit into the smallest window beside three charts in a row."""


class ModelsController(Controller):
    """Networks and layers, the classes of each, what is ticked, selected and near."""

    def listen(self) -> None:
        """Scope and selection from the tree, and what its menu offers."""
        tree: ModelTree = self.parts.tree
        self.tree = tree
        document, opener = self.document, self.window.opener
        self._all_sizes = AllSizes(document)
        tree.layers_requested.connect(document.show_layers)
        tree.select_requested.connect(
            lambda refs, keys: document.select(mode_of(keys), Layers(refs))
        )
        tree.close_requested.connect(document.close)
        tree.copy_requested.connect(
            lambda identity, copy: opener.reopen(identity, copy=copy, include=())
        )
        tree.include_requested.connect(opener.include)
        tree.details_requested.connect(self._show_details)

    def _show_details(self, identity: int) -> None:
        from kernelviewer.gui.dialogs.details import show_details

        show_details(self.window, self.document.model(identity).bank)

    def show(self, state: ViewState) -> None:
        """Rebuild the tree, or fill its rows anew."""
        models = state.models
        if self.is_news("models", models):
            self.tree.set_models(models)
        if self.is_news("layers", models, state.layers):
            self.tree.set_layers(state.layers)
        edits = (state.thresholds, state.edited_stretches)
        if self.is_news("classes", models, state.analyses, *edits):
            self.tree.set_class_counts(self._all_sizes.count(state))
        if self.is_news("selected", state.pool, state.chosen):
            self.tree.set_selected(_selected(state))
        if self.is_news("near", state.pool, state.near):
            self.tree.set_marked(_near(state))


def _selected(state: ViewState) -> dict[LayerRef, int]:
    """How many kernels of each layer of the pool are selected."""
    if state.pool is None or state.chosen is None:
        return {}
    counts = state.chosen.label.sum(1).tolist()
    pairs = zip(state.pool.layer_refs, counts, strict=True)
    return {ref: count for ref, count in pairs if count}


def _near(state: ViewState) -> Counter[LayerRef]:
    """How many of each layer are among the kernels nearest to the slider."""
    if state.pool is None:
        return Counter()
    refs = state.pool.layer_refs
    return Counter(refs[row] for row in state.pool.layer[state.near].tolist())


MODELS = ViewSpec(
    id="models",
    title="Models",
    make={"tree": ModelTree},
    width=LEAST_WIDTH,
    controller=ModelsController,
    reads=(
        *("models", "layers", "analyses", "thresholds", "edited_stretches"),
        *("sizes", "size", "pool", "tally", "chosen", "near"),
    ),
    keys=(
        ViewKeys(
            "Models",
            "views.models.model_tree",
            (
                ("Show only some layers", "click them; Ctrl+click adds"),
                ("Show all layers, or clear the search", "Escape"),
                ("Close the network", "Delete"),
            ),
        ),
    ),
    figures={"modelTree": ViewFigure("table")},
    home=Home("left"),
    homes={"label": Home("left", 1, 2)},
)
