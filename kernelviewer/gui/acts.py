"""What commands and several views do alike: select, look at a kernel, find it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QObject, Qt, Signal

from kernelviewer.gui.text import kernel_name, kernel_tip, spaced
from kernelviewer.state.layer_tree import tree_names
from kernelviewer.state.own_names import tag_name
from kernelviewer.state.selection import All, Kernels, Layers, Similar
from kernelviewer.state.similarity import pattern_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kernelviewer.state.document import Document
    from kernelviewer.state.model import KernelRef, LayerRef
    from kernelviewer.state.presenter import Presenter
    from kernelviewer.state.selection import Mode
    from kernelviewer.state.view_state import ViewState

SIMILAR = 0.9
"""From which cosine on kernels are similar, until it is changed."""


def mode_of(keys: Qt.KeyboardModifier) -> Mode:
    """How a brush joins the selection: Shift adds, Ctrl subtracts, both intersect."""
    shift = bool(keys & Qt.KeyboardModifier.ShiftModifier)
    control = bool(keys & Qt.KeyboardModifier.ControlModifier)
    if shift and control:
        return "intersect"
    if shift:
        return "add"
    return "subtract" if control else "replace"


class Acts(QObject):
    """Acts on the document by numbers of the pool that the views show."""

    told = Signal(str)
    """A sentence for the status line."""
    revealed = Signal(object)
    """`KernelRef` of a kernel that is to be seen."""

    def __init__(
        self, document: Document, presenter: Presenter, parent: QObject
    ) -> None:
        super().__init__(parent)
        self._document, self._presenter = document, presenter

    @property
    def _state(self) -> ViewState:
        return self._presenter.state

    # --- selecting ---

    def select_kernels(self, numbers: NDArray[np.int64], mode: Mode) -> None:
        """Select kernels of the pool by their numbers."""
        if (pool := self._state.pool) is not None:
            chosen = np.zeros(len(pool), bool)
            chosen[np.asarray(numbers, np.int64)] = True
            self._document.select(mode, Kernels.of(pool, chosen))

    def select_shown(self) -> None:
        """Select every kernel in scope."""
        if self._state.pool is not None:
            layers = self._state.layers_in_scope
            self._document.select("replace", Layers(layers) if layers else All())

    def select_similar(self) -> None:
        """Select the kernels whose pattern is like that of the focused one."""
        focus, pool = self._document.focus, self._state.pool
        number = pool.number(focus) if pool else None
        if pool is None or number is None:
            self.told.emit("Click a kernel first: others are compared with it.")
            return
        pattern = pattern_of(pool, number)
        if pattern is None:
            self.told.emit("This kernel is flat: it has no pattern to compare.")
            return
        model, _ = pool.layer_of(number)
        layer = tree_names(model.bank)[pool.layer_refs[pool.layer[number]].layer]
        name = f"{layer} channel {pool.channel[number]}"
        if len(pool.models) > 1:
            name = f"{model.name}: {name}"
        taps = tuple(pattern.tolist())
        self._document.select("replace", Similar(pool.size, taps, SIMILAR, name))

    def toggle_tag(self, number: int) -> None:
        """Tag what is selected, else the focused kernel; or take the tag away."""
        state = self._state
        pool, mask = state.pool, state.selected
        if pool is None:
            return
        if not mask.any() and state.focus is not None:
            mask = np.arange(len(pool)) == state.focus
        if not mask.any():
            self.told.emit("Select kernels, or click one: then a tag can mark them.")
            return
        bits = self._state.tag_bits
        bit = np.uint16(1 << number)
        had = bits is not None and bool((bits[mask] & bit).all())
        self._document.toggle_tag(number, Kernels.of(pool, mask))
        name, count = tag_name(state.tags, number), int(np.count_nonzero(mask))
        what = "kernel" if count == 1 else "kernels"
        how = "not tagged any more:" if had else "tagged"
        self.told.emit(f"{spaced(count)} {what} {how} “{name}”")

    def select_tagged(self, number: int, mode: Mode = "replace") -> None:
        """Select what bears a tag, of the shown size or else of one that has some."""
        tag = self._state.tags.get(number)
        if tag is None or not len(tag):
            return
        size = self._state.size
        if size not in tag.kernels:
            size = max(tag.kernels, key=lambda key: (len(tag.kernels[key]), key))
        assert size is not None
        name = f"tagged “{tag_name(self._state.tags, number)}”"
        with self._document.batch():
            self._document.show_size(size)
            self._document.select(mode, replace(tag.kernels[size], name=name))

    def invert(self) -> None:
        """Select what is in scope and not selected."""
        if self._document.models:
            self._document.select("toggle", All())

    # --- looking at one kernel ---

    def focus(self, number: int) -> None:
        """Look at one kernel of the pool."""
        if self._state.pool is not None:
            self._document.set_focus(self._state.pool.locate(number))

    def go_to(self, number: int) -> None:
        """Look at one kernel of the pool and scroll the grid to it."""
        if self._state.pool is not None:
            self.reveal(self._state.pool.locate(number))

    def reveal(self, kernel: KernelRef) -> None:
        """Look at a kernel and scroll to it as soon as the grid shows it."""
        self._document.set_focus(kernel)
        self.revealed.emit(kernel)

    def focused_layer(self) -> LayerRef | None:
        """The layer of the focused kernel."""
        pool, number = self._state.pool, self._state.focus
        if pool is None or number is None:
            return None
        return pool.layer_refs[int(pool.layer[number])]

    def tooltip(self, number: int) -> str:
        """What views say of the kernel under the cursor."""
        return kernel_tip(self._state, number)

    def name_of(self, number: int) -> str:
        """What a screen reader calls a kernel."""
        return kernel_name(self._state, number)
