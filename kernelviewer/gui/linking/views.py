"""Joins document and views: what views ask for, and what they are told."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QObject, Signal

from kernelviewer.gui.jobs import Reaction
from kernelviewer.gui.linking.labels import LabelLinking
from kernelviewer.gui.linking.lay_out import content_of, decodable, lay_out
from kernelviewer.gui.linking.names import NamesLinking
from kernelviewer.gui.linking.selection import SelectionLinking
from kernelviewer.gui.linking.spectrum import SpectrumLinking
from kernelviewer.gui.tips import kernel_tip
from kernelviewer.state.presenter import Presenter

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kernelviewer.gui.jobs import Jobs
    from kernelviewer.gui.linking.lay_out import Laid
    from kernelviewer.gui.parts import Parts
    from kernelviewer.gui.theme import Tokens
    from kernelviewer.kernels.bank import Size
    from kernelviewer.latent.autoencoder import Autoencoder
    from kernelviewer.latent.segments import Segments
    from kernelviewer.state.arrangement import Display
    from kernelviewer.state.document import Document
    from kernelviewer.state.model import KernelRef, LayerRef, OpenModel
    from kernelviewer.state.pool import KernelPool
    from kernelviewer.state.presenter import Counts
    from kernelviewer.state.selection import Mode
    from kernelviewer.state.view_state import ViewState

NOTHING_IN_SCOPE = "Nothing to show: the picked layers have no kernels of this size."
NOTHING_SELECTED = (
    "Nothing is selected. Brush the code histogram, click a class or a layer, or show "
    "all kernels again with Ctrl+H."
)


class Linking(QObject):
    """Implements the presenter's `Views` for the window's widgets.

    Parameters
    ----------
    document
        The truth.
    parts
        The window's widgets.
    jobs
        Lays the grid out in the background.
    """

    history_changed = Signal(str, str)
    """The acts that undo and redo would take back and restore; empty: none."""
    only_selected_changed = Signal(bool)
    models_changed = Signal(object)
    laid_out = Signal()
    """The grid shows what the document says."""

    def __init__(
        self, document: Document, parts: Parts, jobs: Jobs, parent: QObject
    ) -> None:
        super().__init__(parent)
        self._document, self._parts, self._jobs = document, parts, jobs
        self._laid: Laid | None = None
        self._dark = self._framed = False
        self.selection = SelectionLinking(document, parts, self)
        self._wanted: KernelRef | None = None
        self._labels = LabelLinking(document, parts, jobs, self)
        self.names = NamesLinking(document, parts, jobs, self)
        self.spectrum = SpectrumLinking(document, parts, jobs, self)
        self.spectrum.nearest_changed.connect(self._show_nearest)
        self._listen()
        self.presenter = Presenter(document, self)

    def _listen(self) -> None:
        parts, document = self._parts, self._document
        parts.tree.layers_requested.connect(document.show_layers)
        parts.tree.close_requested.connect(document.close)
        parts.sizes.size_requested.connect(document.show_size)
        parts.controls.display_requested.connect(document.show_as)
        parts.charts.charts_requested.connect(document.show_charts)
        parts.grid.focus_requested.connect(self._on_grid_focus_requested)
        parts.grid.selection_requested.connect(self._on_grid_selection_requested)
        scatter = self._labels.scatter
        scatter.focus_requested.connect(self.go_to)
        scatter.selection_requested.connect(self.selection.select_by_brush)
        scatter.toggle_requested.connect(
            lambda number: self.selection.select_kernels(np.array([number]), "toggle")
        )
        parts.scatter.set_tooltip(self.tooltip)
        parts.reconstruction.kernel_requested.connect(self.go_to)
        parts.grid.zoom_changed.connect(self.show_zoom)
        parts.controls.zoom_requested.connect(parts.grid.set_zoom)

    @property
    def pool(self) -> KernelPool | None:
        """The kernels that pool numbers mean now."""
        return self.presenter.state.pool

    def show_models(self, models: tuple[OpenModel, ...]) -> None:
        """Rebuild the tree; the welcome page stands where nothing is open."""
        self._parts.tree.set_models(models)
        self._parts.centre.setCurrentIndex(1 if models else 0)
        self.models_changed.emit(models)

    def show_sizes(self, sizes: dict[Size, int], size: Size | None) -> None:
        """Offer the kernel sizes."""
        self._parts.sizes.set_sizes(sizes, size)

    def show_layers(self, layers: frozenset[LayerRef] | None) -> None:
        """Mark the layers in scope."""
        self._parts.tree.set_layers(layers)

    def show_display(self, display: Display) -> None:
        """Show how the grid is grouped, sorted and scaled."""
        self._parts.controls.set_display(display)

    def arrange(self, state: ViewState) -> None:
        """Lay the kernels in scope out in the background."""
        if state.pool is None:
            self._jobs.cancel("grid")
            self._laid = None
            self._parts.grid.set_content(None)
            self._parts.grid.set_focus(None)
            self._parts.grid.set_message(_nothing(self._document))
            return
        self._jobs.submit(
            "views",
            "grid",
            "Draw kernels",
            Reaction(done=self._on_laid, quiet=True),
            lay_out,
            state,
            self._laid,
        )

    def show_spectrum(
        self, autoencoder: Autoencoder | None, segments: Segments | None
    ) -> None:
        """Draw the decoded curve and its stretches."""
        self.spectrum.show_spectrum(autoencoder, segments)

    def show_labels(self, state: ViewState) -> None:
        """Show classes, coverage and codes."""
        self._labels.show_labels(state)
        self._parts.controls.set_decodable(*decodable(state))
        self.spectrum.show_labels(state)
        if self._framed:
            self._show_content()

    def show_layer_counts(self, state: ViewState) -> None:
        """Show the classes of every layer, whatever its size."""
        self._labels.show_layer_counts(state)

    def show_charts(self, state: ViewState) -> None:
        """Show what scatter plot, histogram and composition are to show."""
        self._labels.show_charts(state)

    def show_names(self, state: ViewState) -> None:
        """Show whether the classes' names hold."""
        self.names.show_names(state)

    def show_position(self, state: ViewState) -> None:
        """Show the latent slider and what lies there."""
        self.spectrum.show_position(state)

    def show_selection(self, state: ViewState) -> None:
        """Mark kernels, once the grid shows their pool."""
        if self._grid_is_current():
            self._parts.grid.set_selection(state.selected)
        self._labels.show_selection(state)
        self.spectrum.show_selection(state)

    def show_steps(self, state: ViewState) -> None:
        """Say in words what the selection and the scope are."""
        self.selection.show_steps(state)

    def show_focus(self, state: ViewState) -> None:
        """Look at one kernel."""
        self._parts.inspector.set_kernel(state.pool, state.focus)
        self.spectrum.show_focus(state)
        self._labels.scatter.show_focus(state)
        self.names.show_focus(state)
        if self._grid_is_current():
            self._parts.grid.set_focus(state.focus)

    def _show_nearest(
        self, pool: KernelPool | None, numbers: NDArray[np.int64]
    ) -> None:
        """Mark the kernels nearest to the slider wherever kernels are shown."""
        if self._laid is not None and self._laid.pool is pool:
            self._parts.grid.set_marked(tuple(numbers.tolist()))
        self._labels.scatter.show_nearest(numbers)
        rows = [] if pool is None else pool.layer[numbers].tolist()
        refs = () if pool is None else pool.layer_refs
        self._parts.tree.set_marked(Counter(refs[row] for row in rows))

    def show_counts(self, counts: Counts) -> None:
        """Say how many kernels there are."""
        self._parts.controls.set_counts(counts)
        self.selection.show_counts(counts)
        self.only_selected_changed.emit(counts.only_selected)

    def show_history(self, undo: str, redo: str) -> None:
        """Name what undo and redo would do."""
        self.history_changed.emit(undo, redo)

    def show_zoom(self) -> None:
        """Show the grid's zoom in the line above it."""
        grid = self._parts.grid
        self._parts.controls.set_zoom(grid.zoom, grid.zoom_range)

    def tooltip(self, number: int) -> str:
        """What the grid says of the kernel under the cursor."""
        return kernel_tip(self.presenter.state, number)

    def _on_laid(self, laid: Laid) -> None:
        self._laid = laid
        state = self.presenter.state
        grid = self._parts.grid
        self._show_content()
        empty = NOTHING_SELECTED if state.shown.any() else NOTHING_IN_SCOPE
        grid.set_message("" if len(laid.arrangement.order) else empty)
        self.show_zoom()
        if laid.pool is state.pool:
            grid.set_selection(state.selected)
            grid.set_focus(state.focus)
            grid.set_marked(tuple(near.id for near in self.spectrum.near))
        self._scroll_to_wanted()
        self.laid_out.emit()

    def _on_grid_focus_requested(self, number: int) -> None:
        if self._grid_is_current():
            self.focus(number)

    def _on_grid_selection_requested(
        self, numbers: NDArray[np.int64], mode: Mode
    ) -> None:
        if self._grid_is_current():
            self.selection.select_kernels(numbers, mode)

    def _grid_is_current(self) -> bool:
        """Whether the grid's numbers mean the kernels of the pool.

        They do not from when a network is opened or closed until the grid is laid out.
        """
        return self._laid is not None and self._laid.pool is self.pool

    def set_theme(self, tokens: Tokens) -> None:
        """Use these colours."""
        self._dark = tokens.dark
        self._labels.set_theme(tokens)
        self.spectrum.set_theme(tokens)
        self._show_content()

    @property
    def is_framed(self) -> bool:
        """Whether kernels are framed in the colour of their class."""
        return self._framed

    def set_colours(self, colours: NDArray[np.float64]) -> None:
        """Draw kernels of the scatter plot in these colours [K, 3] of 0 … 255."""
        self._labels.scatter.set_colours(colours)

    def set_framed(self, framed: bool) -> None:
        """Frame kernels in the colour of their class, or not."""
        self._framed = framed
        self._show_content()

    def _show_content(self) -> None:
        if self._laid is not None:
            labels = self.presenter.state.labels
            dark, framed = self._dark, self._framed
            content = content_of(self._laid, labels, framed=framed, dark=dark)
            self._parts.grid.set_content(content)

    def focus(self, number: int) -> None:
        """Look at one kernel of the pool."""
        if self.pool is not None:
            self._document.set_focus(self.pool.locate(number))

    def go_to(self, number: int) -> None:
        """Look at one kernel and scroll the grid to it."""
        self.focus(number)
        if self._grid_is_current():
            self._parts.grid.scroll_to(number)

    def reveal(self, kernel: KernelRef) -> None:
        """Look at a kernel and scroll to it as soon as the grid shows it."""
        self._document.set_focus(kernel)
        self._wanted = kernel
        if not self._jobs.is_current("grid"):
            self._scroll_to_wanted()

    def _scroll_to_wanted(self) -> None:
        wanted, self._wanted = self._wanted, None
        number = self.pool.number(wanted) if self.pool is not None else None
        if number is not None:
            self._parts.grid.scroll_to(number)

    def focused_layer(self) -> LayerRef | None:
        """The layer of the focused kernel."""
        pool, number = self.pool, self.presenter.state.focus
        if pool is None or number is None:
            return None
        return pool.layer_refs[int(pool.layer[number])]


def _nothing(document: Document) -> str:
    """Why the grid is empty although networks are open."""
    names = [bank.name for bank in document.banks]
    others = sum(len(bank.convolutions) for bank in document.banks)
    if not names:
        return ""
    who = names[0] if len(names) == 1 else f"The {len(names)} open networks"
    has = "has" if len(names) == 1 else "have"
    left_out = sum(not layer.included for b in document.banks for layer in b.layers)
    text = f"{who} {has} no depthwise kernels, but {others} other convolutions."
    if left_out:
        text += f" {left_out} undecided or fixed layers in the tree can be included."
    return text
