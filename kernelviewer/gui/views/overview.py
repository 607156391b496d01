"""Many networks at once: a table of one row each, in the place of the kernels."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernelviewer.gui.view import Controller, ViewFigure, ViewSpec, view_keys
from kernelviewer.gui.views.network_table import NetworkOverview
from kernelviewer.state.model import LayerRef
from kernelviewer.state.tally import count_networks

if TYPE_CHECKING:
    from kernelviewer.state.view_state import ViewState


class OverviewController(Controller):
    """What is known of each open network; its rows are the scope of all views."""

    def listen(self) -> None:
        """Rows are picked, looked at, closed; what nobody sees is not counted."""
        self.view: NetworkOverview = self.parts.overview
        self.view.scope_requested.connect(self._show_networks)
        self.view.open_requested.connect(self._open)
        for signal in (self.view.kernels_requested, self.view.leave_requested):
            signal.connect(lambda: self.window.show_overview(False))
        self.view.close_requested.connect(self.document.close_some)
        self.view.visibility_changed.connect(self._on_visibility_changed)
        self._on_visibility_changed(False)

    def show(self, state: ViewState) -> None:
        """Fill the rows, and mark those in scope."""
        edits = (state.thresholds, state.family_thresholds, state.edited_stretches)
        computed = (state.analyses, state.open_families, state.naming, state.labels)
        if self.is_news("rows", state.models, *computed, *edits):
            counts = self.window.all_sizes.count(state)
            self.view.set_rows(count_networks(state, counts), tuple(state.sizes))
        if self.is_news("picked", state.models, state.layers):
            self.view.set_picked(_whole_networks(state))

    def _on_visibility_changed(self, visible: bool) -> None:
        self.window.presenter.set_hidden(self, not visible)

    def _show_networks(self, picked: frozenset[int] | None) -> None:
        layers = None if picked is None else layers_of(self.window.state, picked)
        self.document.show_layers(layers)

    def _open(self, identity: int) -> None:
        """Show the kernels of one network."""
        self._show_networks(frozenset({identity}))
        self.window.show_overview(False)


def layers_of(state: ViewState, ids: frozenset[int]) -> frozenset[LayerRef]:
    """The layers with kernels of some networks."""
    return frozenset(
        LayerRef(model.id, number)
        for model in state.models
        if model.id in ids
        for number, layer in enumerate(model.bank.layers)
        if layer.included
    )


def _whole_networks(state: ViewState) -> frozenset[int]:
    """Ids of the networks that are in scope with all their layers; none: all are."""
    layers = state.layers
    if layers is None:
        return frozenset()
    ids = frozenset(ref.model for ref in layers)
    return frozenset(one for one in ids if layers_of(state, frozenset({one})) <= layers)


OVERVIEW = ViewSpec(
    id="overview",
    title="Overview",
    make={"overview": NetworkOverview},
    page="overview",
    controller=OverviewController,
    reads=(
        *("models", "layers", "analyses", "open_families", "naming", "thresholds"),
        *("family_thresholds", "edited_stretches", "labels", "sizes", "size", "pool"),
        "tally",
    ),
    keys=(
        view_keys(
            "Overview of the networks",
            "views.network_table",
            ("Sort", "click a column's title"),
            ("Let all views show some networks", "click rows; Ctrl, Shift+click"),
            ("Show the kernels of the network", "Enter; double click"),
            ("Close the networks", "Delete"),
            ("Show all again, then the kernels", "Escape"),
        ),
    ),
    figures={"networkTable": ViewFigure("table")},
)
