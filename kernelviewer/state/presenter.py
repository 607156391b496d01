"""Turns the document into one view state and tells views what changed in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from kernelviewer.state.pool import make_pool

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kernelviewer.kernels.bank import Size
    from kernelviewer.state.arrangement import Display
    from kernelviewer.state.document import Document
    from kernelviewer.state.model import LayerRef, OpenModel
    from kernelviewer.state.pool import KernelPool
    from kernelviewer.state.selection import Selection


@dataclass(frozen=True, slots=True, eq=False)
class Counts:
    """How many kernels of the current size there are, are shown, are selected."""

    total: int
    shown: int
    selected: int


@dataclass(frozen=True, slots=True, eq=False)
class ViewState:
    """Everything the views show, derived from the document.

    Parts that did not change are shared between successive states, so that they
    compare by identity.
    """

    models: tuple[OpenModel, ...]
    sizes: dict[Size, int]
    size: Size | None
    layers: frozenset[LayerRef] | None
    display: Display
    pool: KernelPool | None
    shown: NDArray[np.bool_]
    selection: Selection
    selected: NDArray[np.bool_]
    focus: int | None
    can_undo: bool
    can_redo: bool


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

    def arrange(
        self, pool: KernelPool | None, shown: NDArray[np.bool_], display: Display
    ) -> None:
        """Lay the shown kernels out anew, off the GUI thread."""

    def show_selection(self, selected: NDArray[np.bool_]) -> None:
        """Mark kernels, bool [N]."""

    def show_focus(self, pool: KernelPool | None, focus: int | None) -> None:
        """Look at one kernel of the pool."""

    def show_counts(self, counts: Counts) -> None:
        """Say how many kernels there are."""

    def show_history(self, can_undo: bool, can_redo: bool) -> None:
        """Enable undo and redo."""


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
        self.state = self._resolve(None)
        document.changed.connect(self.refresh)
        self._show(None, self.state)

    def refresh(self) -> None:
        """Show what changed since the last time."""
        old, self.state = self.state, self._resolve(self.state)
        self._show(old, self.state)

    def _resolve(self, old: ViewState | None) -> ViewState:
        document = self.document
        size, layers = document.size, document.scope.layers
        kept = old is not None and old.models is document.models and old.size == size
        if old is not None and kept:
            pool = old.pool
        else:
            pool = make_pool(document.models, size) if size else None
        if old is not None and kept and old.layers == layers:
            shown = old.shown
        else:
            shown = pool.layers_mask(layers) if pool else np.zeros(0, bool)
        if (
            old is not None
            and old.selection is document.selection
            and old.shown is shown
        ):
            selected = old.selected
        else:
            selected = document.selection.mask(pool) & shown if pool else shown
        return ViewState(
            models=document.models,
            sizes=document.sizes,
            size=size,
            layers=layers,
            display=document.display,
            pool=pool,
            shown=shown,
            selection=document.selection,
            selected=selected,
            focus=pool.number(document.focus) if pool else None,
            can_undo=document.can_undo,
            can_redo=document.can_redo,
        )

    def _show(self, old: ViewState | None, new: ViewState) -> None:
        views = self.views
        if old is None or old.models is not new.models:
            views.show_models(new.models)
        if old is None or (old.sizes, old.size) != (new.sizes, new.size):
            views.show_sizes(new.sizes, new.size)
        if old is None or old.layers != new.layers or old.models is not new.models:
            views.show_layers(new.layers)
        if old is None or old.display != new.display:
            views.show_display(new.display)
        moved = old is None or old.shown is not new.shown or old.pool is not new.pool
        if moved or old is None or old.display != new.display:
            views.arrange(new.pool, new.shown, new.display)
        if old is None or old.selected is not new.selected:
            views.show_selection(new.selected)
        if old is None or old.focus != new.focus or old.pool is not new.pool:
            views.show_focus(new.pool, new.focus)
        if moved or old is None or old.selected is not new.selected:
            views.show_counts(_count(new))
        if old is None or (old.can_undo, old.can_redo) != (new.can_undo, new.can_redo):
            views.show_history(new.can_undo, new.can_redo)


def _count(state: ViewState) -> Counts:
    return Counts(
        total=len(state.pool) if state.pool else 0,
        shown=int(np.count_nonzero(state.shown)),
        selected=int(np.count_nonzero(state.selected)),
    )
