"""The open networks and their layers as a tree, and what was read of each."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from html import escape
from typing import TYPE_CHECKING

from kernelviewer.gui.acts import mode_of
from kernelviewer.gui.controls import show_text
from kernelviewer.gui.text import breakable, spaced
from kernelviewer.gui.view import (
    Computed,
    Controller,
    Home,
    ViewFigure,
    ViewSpec,
    view_keys,
)
from kernelviewer.gui.views.models.model_tree import ModelTree
from kernelviewer.jobs.analysing import health_of
from kernelviewer.kernels.bank import size_label
from kernelviewer.state.comparing import Comparing
from kernelviewer.state.model import LayerRef
from kernelviewer.state.selection import Layers
from kernelviewer.text import shown

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget

    from kernelviewer.kernels.bank import KernelBank
    from kernelviewer.state.arrangement import Measure
    from kernelviewer.state.view_state import ViewState

LEAST_WIDTH = 156
"""A window that was made small and large again keeps the list as narrow as Qt let it
become. More would not fit into the smallest window beside three charts in a row."""


def show_details(parent: QWidget, bank: KernelBank) -> None:
    """Show a bank's facts beside the window, without blocking it."""
    text = show_text(parent, "details", bank.name, details_html(bank), (760, 560))
    text.setAccessibleName(f"Details of {bank.name}")


def details_html(bank: KernelBank) -> str:
    """The facts as HTML."""
    facts = [
        ("File", shown(bank.path)),
        ("Format", f"{bank.format}, {bank.size_bytes / 1e6:.1f} MB"),
        ("Architecture", bank.architecture),
        ("Copies", ", ".join(bank.copies) and f"{bank.copy} of {list(bank.copies)}"),
        (
            "Depthwise kernels",
            ", ".join(
                f"{spaced(len(kernels))} of {size_label(size)}"
                for size, kernels in bank.sizes.items()
            )
            or "none",
        ),
        ("Other convolutions", spaced(len(bank.convolutions))),
    ]
    parts = [_table([(name, value) for name, value in facts if value])]
    open_questions = [
        (layer.name, f"{layer.kind}: {layer.reason}")
        for layer in bank.layers
        if layer.reason
    ]
    sections = (
        ("Warnings", [(text, "") for text in bank.warnings]),
        ("Layers that need a look", open_questions),
        ("Left out", [(entry.name, entry.reason) for entry in bank.skipped]),
    )
    for title, rows in sections:
        if rows:
            parts.append(f"<h3>{title} ({spaced(len(rows))})</h3>{_table(rows)}")
    return "".join(parts)


def _table(rows: list[tuple[str, str]]) -> str:
    cells = "".join(
        f"<tr><td style='padding: 0 16px 3px 0'>{escape(breakable(a))}</td>"
        f"<td style='padding-bottom: 3px'>{escape(breakable(b))}</td></tr>"
        for a, b in rows
    )
    return f"<table cellspacing='0'>{cells}</table>"


class ModelsController(Controller):
    """Networks and layers, the classes of each, what is ticked, selected and near."""

    def listen(self) -> None:
        """Scope and selection from the tree, and what its menu offers."""
        self.tree: ModelTree = self.parts.tree
        document, opener = self.document, self.window.opener
        self.tree.layers_requested.connect(document.show_layers)
        self.tree.select_requested.connect(
            lambda refs, keys: document.select(mode_of(keys), Layers(refs))
        )
        self.tree.close_requested.connect(document.close)
        self.tree.copy_requested.connect(
            lambda identity, copy: opener.reopen(identity, copy=copy, include=())
        )
        self.tree.include_requested.connect(opener.include)
        self.tree.compare_requested.connect(
            lambda before, after: self.window.compare(Comparing(before, after))
        )
        self.tree.rename_requested.connect(self._on_rename_requested)
        self.tree.details_requested.connect(self._show_details)
        self.tree.measures_requested.connect(self._on_measures_requested)
        title = "Health of layers"
        self._health = Computed(
            self.jobs, "compute", "health", title, health_of, self.again
        )

    def _on_measures_requested(self, measures: tuple[Measure, ...]) -> None:
        self.document.show_charts(replace(self.document.charts, health=measures))

    def _on_rename_requested(self, identity: int, name: str) -> None:
        if self.document.is_open(identity):
            self.document.rename_network(identity, name)

    def _show_details(self, identity: int) -> None:
        show_details(self.window, self.document.model(identity).bank)

    def show(self, state: ViewState) -> None:
        """Rebuild the tree, or fill its rows anew."""
        models = state.models
        if self.is_news("models", models):
            self.tree.set_models(models)
        self.tree.set_layers(state.layers)  # also where a click came to nothing
        edits = (state.thresholds, state.family_thresholds, state.edited_stretches)
        computed = (state.analyses, state.open_families, state.naming)
        if self.is_news("classes", models, *computed, *edits):
            self.tree.set_class_counts(self.window.all_sizes.count(state))
        self._show_health(state)
        if self.is_news("selected", state.pool, state.chosen):
            self.tree.set_selected(_selected(state))
        if self.is_news("near", state.pool, state.near):
            self.tree.set_marked(_near(state))

    def _show_health(self, state: ViewState) -> None:
        """Compute the health of layers as long as there are columns for it."""
        found, measures = None, state.charts.health
        if measures and state.models:
            found = self._health.of(tuple(m.bank for m in state.models))
        else:
            self._health.forget()
        if self.is_news("health", state.models, measures, found):
            health = {
                LayerRef(model.id, item.layer): item
                for model, items in zip(state.models, found or (), strict=False)
                for item in items
            }
            self.tree.set_health(measures, health)


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
    title="Networks",
    make={"tree": ModelTree},
    width=LEAST_WIDTH,
    controller=ModelsController,
    reads=(
        *("models", "layers", "analyses", "open_families", "naming", "thresholds"),
        *("family_thresholds", "edited_stretches"),
        *("sizes", "size", "pool", "tally", "chosen", "near", "charts"),
    ),
    keys=(
        view_keys(
            "Networks",
            "views.models.model_tree",
            ("Show only some layers", "click them; Ctrl+click adds"),
            ("Show all layers, or clear the search", "Escape"),
            ("Rename the network; empty: as its file", "F2"),
            ("Close the network", "Delete"),
            ("Have columns for the health of layers", "right click on the titles"),
        ),
    ),
    figures={"modelTree": ViewFigure("table")},
    home=Home("left"),
    homes={"label": Home("left", 1, 2)},
)
