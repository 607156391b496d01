"""The open work: the only truth about it, told through one signal."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING

from psygnal import Signal

from kernelviewer.state.arrangement import Display
from kernelviewer.state.history import History
from kernelviewer.state.model import OpenModel
from kernelviewer.state.selection import Selection

if TYPE_CHECKING:
    from kernelviewer.kernels.bank import KernelBank, Size
    from kernelviewer.state.model import KernelRef, LayerRef
    from kernelviewer.state.selection import Mode, Query


@dataclass(frozen=True, slots=True)
class Scope:
    """What is shown: layers (None: all of them) and the wished kernel size."""

    layers: frozenset[LayerRef] | None = None
    size: Size | None = None


class Document:
    """Open models, scope, selection, focus and display.

    Every change goes through a method here, takes effect at once and ends in one
    ``changed``. Views are rebuilt from it; nothing is kept in a widget.
    """

    changed = Signal()

    def __init__(self, display: Display | None = None) -> None:
        self._ids = count(1)
        self.models: tuple[OpenModel, ...] = ()
        self.scope = Scope()
        self.focus: KernelRef | None = None
        self.display = display or Display()
        self._history = History(Selection())

    @property
    def banks(self) -> tuple[KernelBank, ...]:
        """One bank per open network, in opening order."""
        return tuple(model.bank for model in self.models)

    @property
    def selection(self) -> Selection:
        """What is marked."""
        return self._history.now

    @property
    def can_undo(self) -> bool:
        """Whether a selection can be taken back."""
        return self._history.can_undo

    @property
    def can_redo(self) -> bool:
        """Whether a selection taken back can be restored."""
        return self._history.can_redo

    @property
    def sizes(self) -> dict[Size, int]:
        """Kernel sizes over all models with their counts, smallest first."""
        total: Counter[Size] = Counter()
        for bank in self.banks:
            total.update({size: len(kernels) for size, kernels in bank.sizes.items()})
        return dict(sorted(total.items(), key=lambda item: (len(item[0]), item[0])))

    @property
    def size(self) -> Size | None:
        """The kernel size shown: the wished one, else the one with most kernels."""
        sizes = self.sizes
        if self.scope.size in sizes:
            return self.scope.size
        return max(sizes, key=lambda size: (sizes[size], size), default=None)

    def model(self, identity: int) -> OpenModel:
        """The open model of that id; raises KeyError if it is closed."""
        for model in self.models:
            if model.id == identity:
                return model
        raise KeyError(identity)

    def open(self, bank: KernelBank) -> OpenModel:
        """Add a network after the others."""
        model = OpenModel(next(self._ids), bank)
        self.models = (*self.models, model)
        self.changed.emit()
        return model

    def replace(self, identity: int, bank: KernelBank) -> None:
        """Show another copy, or other layers, of an open network in its place."""
        self._forget(identity)
        self.models = tuple(
            OpenModel(model.id, bank) if model.id == identity else model
            for model in self.models
        )
        self.changed.emit()

    def close(self, identity: int) -> None:
        """Close a network; what is marked in the others stays."""
        self._forget(identity)
        self.models = tuple(model for model in self.models if model.id != identity)
        if not self.models:
            self._history = History(Selection())
            self.scope = Scope()
        self.changed.emit()

    def show_layers(self, layers: frozenset[LayerRef] | None) -> None:
        """Show only these layers (None: all)."""
        size = self.scope.size
        if layers is not None:
            shown = {
                self.model(ref.model).bank.layers[ref.layer].size for ref in layers
            }
            if shown and self.size not in shown:
                sizes = self.sizes
                size = max(shown & sizes.keys(), key=lambda s: sizes[s], default=size)
        self.scope = Scope(layers, size)
        self.changed.emit()

    def show_size(self, size: Size) -> None:
        """Show the kernels of one size."""
        self.scope = Scope(self.scope.layers, size)
        self.changed.emit()

    def show_as(self, display: Display) -> None:
        """Group, sort and scale the grid differently."""
        self.display = display
        self.changed.emit()

    def select(self, mode: Mode, query: Query) -> None:
        """Mark kernels; can be undone."""
        self._history.push(self.selection.then(mode, query))
        self.changed.emit()

    def clear_selection(self) -> None:
        """Mark nothing; can be undone."""
        if self.selection.steps:
            self._history.push(Selection())
            self.changed.emit()

    def undo(self) -> None:
        """Take the last selection back."""
        self._history.undo()
        self.changed.emit()

    def redo(self) -> None:
        """Restore the last selection taken back."""
        self._history.redo()
        self.changed.emit()

    def set_focus(self, focus: KernelRef | None) -> None:
        """Look at one kernel."""
        if focus != self.focus:
            self.focus = focus
            self.changed.emit()

    def _forget(self, identity: int) -> None:
        if self.focus and self.focus.model == identity:
            self.focus = None
        if self.scope.layers is not None:
            kept = frozenset(r for r in self.scope.layers if r.model != identity)
            self.scope = Scope(kept or None, self.scope.size)
