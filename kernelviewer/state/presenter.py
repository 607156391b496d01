"""Turns the document into one view state and tells views what changed in it."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Protocol

import numpy as np

from kernelviewer.state.arrangement import Display
from kernelviewer.state.charts import Charts
from kernelviewer.state.view_state import resolve

if TYPE_CHECKING:
    from kernelviewer.kernels.bank import Size
    from kernelviewer.latent.autoencoder import Autoencoder
    from kernelviewer.latent.segments import Segments
    from kernelviewer.state.document import Document
    from kernelviewer.state.model import LayerRef, OpenModel
    from kernelviewer.state.view_state import ViewState


@dataclass(frozen=True, slots=True, eq=False)
class Counts:
    """How many kernels of the current size there are, are in scope, are selected.

    ``only_selected``: the grid leaves out what is not selected. ``counted`` and
    ``counted_selected`` are what counts of them where networks are counted together,
    ``opened`` what counts of all sizes, ``opened_repeated`` what does not.
    """

    total: int
    shown: int
    selected: int
    only_selected: bool = False
    counted: int = 0
    counted_selected: int = 0
    opened: int = 0
    opened_repeated: int = 0


MOST_ROUNDS = 20
"""Views that are told a change may make another; more of it would never end."""


class Views(Protocol):
    """What the presenter asks of the window. Setters draw; they never emit."""

    def show_models(self, models: tuple[OpenModel, ...]) -> None:
        """Rebuild the tree."""

    def show_sizes(self, sizes: dict[Size, int], size: Size | None) -> None:
        """Offer the kernel sizes."""

    def show_layers(self, layers: frozenset[LayerRef] | None) -> None:
        """Mark the layers in scope."""

    def show_display(self, display: Display) -> None:
        """Show how the grid is grouped, sorted and scaled."""

    def arrange(self, state: ViewState) -> None:
        """Lay the kernels in scope out anew, off the GUI thread."""

    def show_spectrum(
        self, autoencoder: Autoencoder | None, segments: Segments | None
    ) -> None:
        """Draw the decoded curve and its stretches."""

    def show_labels(self, state: ViewState) -> None:
        """Show classes, coverage and codes of the kernels in scope."""

    def show_layer_counts(self, state: ViewState) -> None:
        """Show the classes of every layer, whatever its size."""

    def show_charts(self, state: ViewState) -> None:
        """Show what scatter plot, histogram and composition are to show."""

    def show_names(self, state: ViewState) -> None:
        """Show whether the classes' names hold."""

    def show_position(self, state: ViewState) -> None:
        """Show the latent slider at a code."""

    def show_selection(self, state: ViewState) -> None:
        """Mark the selected kernels."""

    def show_steps(self, state: ViewState) -> None:
        """Say in words what the selection and the scope are."""

    def show_focus(self, state: ViewState) -> None:
        """Look at one kernel of the pool."""

    def show_counts(self, counts: Counts) -> None:
        """Say how many kernels there are."""

    def show_history(self, undo: str, redo: str) -> None:
        """Name what undo and redo would do; empty: nothing."""


class Presenter:
    """Keeps views equal to the document.

    Parameters
    ----------
    document
        The truth.
    views
        What shows it.
    """

    def __init__(self, document: Document, views: Views) -> None:
        self.document = document
        self.views = views
        self.state = resolve(document, None)
        self._is_showing = self._is_stale = False
        document.changed.connect(self.refresh)
        self._show_until_equal(None)

    def refresh(self) -> None:
        """Show what changed since the last time."""
        if self._is_showing:  # a view has changed the document while it was told
            self._is_stale = True
            return
        old, self.state = self.state, resolve(self.document, self.state)
        self._show_until_equal(old)

    def _show_until_equal(self, old: ViewState | None) -> None:
        """Show the state, and again as long as views change the document meanwhile."""
        self._is_showing = True
        try:
            for _ in range(MOST_ROUNDS):
                self._is_stale = False
                self._show(old, self.state)
                if not self._is_stale:
                    return
                old, self.state = self.state, resolve(self.document, self.state)
        finally:
            self._is_showing = False
        last = ", ".join(_changes(old, self.state))
        msg = f"views changed the document {MOST_ROUNDS} times while they were shown"
        raise RuntimeError(f"{msg}; at last {last} changed")

    def _show(self, old: ViewState | None, new: ViewState) -> None:
        """Tell views what differs, scope first and what stands on it after."""
        views = self.views

        def changed(*names: str) -> bool:
            return old is None or any(
                _differ(getattr(old, name), getattr(new, name)) for name in names
            )

        if changed("models"):
            views.show_models(new.models)
        if changed("sizes", "size"):
            views.show_sizes(new.sizes, new.size)
        if changed("layers", "models"):
            views.show_layers(new.layers)
        if changed("display"):
            views.show_display(new.display)
        by_label = new.display.by_label and changed("labels")
        decoded = new.display.picture != "kernel"
        by_code = decoded and changed("analyses", "autoencoder")
        empty = new.pool is None and changed("models")
        if changed("pool", "listed", "display") or by_label or by_code or empty:
            views.arrange(new)
        if changed("autoencoder", "segments"):
            views.show_spectrum(new.autoencoder, new.segments)
        labelled = ("labels", "pool", "shown", "counted", "once", "threshold")
        if changed(*labelled, "analyses") or empty:
            views.show_labels(new)
        if changed("analyses", "thresholds", "stretches", "models"):
            views.show_layer_counts(new)
        if changed("charts"):
            views.show_charts(new)
        if changed("labels", "counted", "families", "analyses"):
            views.show_names(new)
        if changed("position", "autoencoder"):
            views.show_position(new)
        if changed("selected", "counted_selected"):
            views.show_selection(new)
        if changed("selection", "models", "size", "layers"):
            views.show_steps(new)
        if changed("focus", "pool", "labels"):
            views.show_focus(new)
        shares = ("shown", "counted", "pool", "selected", "counted_selected")
        if changed(*shares, "only_selected", "sizes"):
            views.show_counts(_count(new))
        if changed("undo", "redo"):
            views.show_history(new.undo, new.redo)


def _differ(old: object, new: object) -> bool:
    """Whether something changed; arrays and large parts compare by identity."""
    if isinstance(new, int | float | str | tuple | frozenset | dict | Display | Charts):
        return old != new
    return old is not new


def _changes(old: ViewState | None, new: ViewState) -> list[str]:
    """Names of the parts that differ."""
    names = (item.name for item in fields(new))
    return [n for n in names if old and _differ(getattr(old, n), getattr(new, n))]


def _count(state: ViewState) -> Counts:
    opened = sum(state.sizes.values())
    return Counts(
        total=len(state.pool) if state.pool else 0,
        shown=int(np.count_nonzero(state.shown)),
        selected=int(np.count_nonzero(state.selected)),
        only_selected=state.only_selected,
        counted=int(np.count_nonzero(state.counted)),
        counted_selected=int(np.count_nonzero(state.counted_selected)),
        opened=opened,
        opened_repeated=sum(len(model.bank) for model in state.models) - opened,
    )
