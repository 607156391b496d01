"""Joins document and views as to the selection: what asks for it, and its words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QObject, Qt, Signal

from kernelviewer.gui.controls.selection_chips import Chip, ScopeChip
from kernelviewer.gui.text import counted_once, spaced
from kernelviewer.kernels.bank import size_label
from kernelviewer.state.describe import describe_layers, describe_step
from kernelviewer.state.layer_tree import tree_names
from kernelviewer.state.selection import All, Kernels, Layers, Similar
from kernelviewer.state.similarity import pattern_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kernelviewer.gui.parts import Parts
    from kernelviewer.state.document import Document
    from kernelviewer.state.presenter import Counts
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


class SelectionLinking(QObject):
    """Chips, kernels picked in the grid and the scatter, and commands of selecting."""

    told = Signal(str)
    """A sentence for the status line."""

    def __init__(self, document: Document, parts: Parts, parent: QObject) -> None:
        super().__init__(parent)
        self._document, self._parts = document, parts
        self._state: ViewState | None = None
        chips = parts.chips
        chips.remove_requested.connect(document.remove_step)
        chips.scope_removed.connect(lambda: document.show_layers(None))
        chips.cosine_requested.connect(self._on_cosine_requested)
        parts.tree.select_requested.connect(
            lambda refs, keys: document.select(mode_of(keys), Layers(refs))
        )
        parts.controls.show_all_requested.connect(
            lambda: document.show_only_selected(False)
        )

    def show_steps(self, state: ViewState) -> None:
        """Show the scope and each act of the selection as a chip."""
        self._state = state
        chips = []
        for step in state.selection.steps:
            said = describe_step(step, state)
            query = step.query
            cosine = query.cosine if isinstance(query, Similar) else None
            chips.append(Chip(said.sign, said.text, cosine))
        self._parts.chips.set_chips(tuple(chips), _scope_chip(state))

    def show_counts(self, counts: Counts) -> None:
        """Say how many of the kernels in scope are selected."""
        if self._state is not None and self._state.selection.steps:
            part, whole = counts.counted_selected, counts.counted
            text = f"{spaced(part)} of {spaced(whole)} selected"
            repeated = counts.shown - whole
        else:
            text = f"{spaced(counts.opened)} kernels open"
            repeated = counts.opened_repeated
        if repeated:
            text = f"{text}, {counted_once(repeated)}"
        self._parts.selected.setText(text if self._document.banks else "")

    def select_kernels(self, numbers: NDArray[np.int64], mode: Mode) -> None:
        """Select kernels of the pool by their numbers."""
        state = self._state
        if state is None or state.pool is None:
            return
        chosen = np.zeros(len(state.pool), bool)
        chosen[np.asarray(numbers, np.int64)] = True
        self._document.select(mode, Kernels.of(state.pool, chosen))

    def select_by_brush(
        self, numbers: NDArray[np.int64], keys: Qt.KeyboardModifier
    ) -> None:
        """The same, joined as the keys held say."""
        self.select_kernels(numbers, mode_of(keys))

    def select_shown(self) -> None:
        """Select every kernel in scope."""
        if self._state is not None and self._state.pool is not None:
            layers = self._document.scope.layers
            self._document.select("replace", Layers(layers) if layers else All())

    def select_similar(self) -> None:
        """Select the kernels whose pattern is like that of the focused one."""
        state = self._state
        focus, pool = self._document.focus, state.pool if state else None
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
            name = f"{model.bank.name}: {name}"
        taps = tuple(pattern.tolist())
        self._document.select("replace", Similar(pool.size, taps, SIMILAR, name))

    def invert(self) -> None:
        """Select what is in scope and not selected."""
        if self._document.models:
            self._document.select("toggle", All())

    def _on_cosine_requested(self, number: int, cosine: float, dragging: bool) -> None:
        """Change from which cosine on kernels are similar."""
        steps = self._document.selection.steps
        query = steps[number].query if number < len(steps) else None
        if isinstance(query, Similar):
            changed = Similar(query.size, query.taps, cosine, query.name)
            self._document.change_step(number, changed, dragging=dragging)


def _scope_chip(state: ViewState) -> ScopeChip | None:
    """What is shown: the size, and the layers if not all are."""
    if state.size is None:
        return None
    text = size_label(state.size)
    if state.layers is None:
        return ScopeChip(text, removable=False)
    return ScopeChip(f"{text} · {describe_layers(state.layers, state.models)}", True)
