"""The open work: the only truth about it, told through one signal."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import count
from typing import TYPE_CHECKING

from psygnal import Signal

from kernelviewer.latent.segments import same_names
from kernelviewer.state.analysis import null_of
from kernelviewer.state.arrangement import Display
from kernelviewer.state.charts import Charts
from kernelviewer.state.model import OpenModel
from kernelviewer.state.selection import Selection, moved_selection
from kernelviewer.state.work import History, Marks, Scope, Work

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from kernelviewer.kernels.bank import KernelBank, Size
    from kernelviewer.latent.autoencoder import Autoencoder
    from kernelviewer.latent.noise import Null
    from kernelviewer.latent.segments import Segments
    from kernelviewer.state.analysis import Analysis, FamilyNames
    from kernelviewer.state.model import KernelRef, LayerRef
    from kernelviewer.state.selection import Mode, Query


class Document:
    """Open models, what was computed of them, scope, selection, focus and display.

    Every change goes through a method here, takes effect at once and ends in one
    ``changed``. Views are rebuilt from it; nothing is kept in a widget.
    """

    changed = Signal()

    def __init__(
        self, display: Display | None = None, charts: Charts | None = None
    ) -> None:
        self._ids = count(1)
        self.models: tuple[OpenModel, ...] = ()
        self.scope = Scope()
        self.focus: KernelRef | None = None
        self.display = display or Display()
        self.charts = charts or Charts()
        self.autoencoders: Mapping[Size, Autoencoder] = {}
        self.chosen: Mapping[Size, Path | None] = {}
        self.analyses: Mapping[tuple[int, Size], Analysis] = {}
        self.families: Mapping[tuple[int, Size], FamilyNames] = {}
        self.position = 0.5
        self._history = History(Marks())
        self._drag = ""
        self._before_drag = Selection()

    @property
    def banks(self) -> tuple[KernelBank, ...]:
        """One bank per open network, in opening order."""
        return tuple(model.bank for model in self.models)

    @property
    def selection(self) -> Selection:
        """What is marked."""
        return self._history.now.selection

    @property
    def marks(self) -> Marks:
        """Selection, thresholds and stretches."""
        return self._history.now

    def segments_of(self, size: Size) -> Segments | None:
        """The stretches of a size as edited, else as its autoencoder names them."""
        known = self.autoencoders.get(size)
        own = known.segments if known else None
        return self.marks.segments.get(size, own)

    def threshold_of(self, size: Size) -> float | None:
        """The threshold of a size as set, else the usual one; None without a null."""
        null = self.null_of(size)
        own = null.default_threshold if null else None
        return self.marks.thresholds.get(size, own)

    def null_of(self, size: Size) -> Null | None:
        """What white noise reaches with what names the kernels of a size, if known."""
        known = self.autoencoders.get(size)
        return known.null if known else null_of(self.analyses, size)

    @property
    def can_undo(self) -> bool:
        """Whether an act can be taken back."""
        return self._history.can_undo

    @property
    def can_redo(self) -> bool:
        """Whether an act taken back can be restored."""
        return self._history.can_redo

    @property
    def undo_name(self) -> str:
        """The act that undo would take back, such as "Selection"; empty without one."""
        return self._history.undo_name

    @property
    def redo_name(self) -> str:
        """The act that redo would restore; empty without one."""
        return self._history.redo_name

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

    def is_open(self, identity: int) -> bool:
        """Whether the network of that id is still there."""
        return any(model.id == identity for model in self.models)

    def new_model(self, bank: KernelBank, hub: str = "") -> OpenModel:
        """A network with an id of its own, not open yet."""
        return OpenModel(next(self._ids), bank, hub)

    def open(self, bank: KernelBank, hub: str = "") -> OpenModel:
        """Add a network after the others; ``hub``: the name it was fetched by."""
        model = self.new_model(bank, hub)
        self.models = (*self.models, model)
        self.changed.emit()
        return model

    def replace(self, identity: int, bank: KernelBank) -> None:
        """Show another copy, or other layers, of an open network in its place.

        What is marked stays marked, where the new one has it too.
        """
        self._drag = ""
        old = self.model(identity).bank
        self._history.change(
            lambda marks: replace(
                marks,
                selection=moved_selection(marks.selection, identity, old, bank),
            )
        )
        self._forget(identity)
        self.models = tuple(
            replace(model, bank=bank) if model.id == identity else model
            for model in self.models
        )
        self.changed.emit()

    def close(self, identity: int) -> None:
        """Close a network; what is marked in the others stays."""
        self._close(model for model in self.models if model.id == identity)

    def close_all(self) -> None:
        """Close every network at once."""
        self._close(self.models)

    def _close(self, models: Iterable[OpenModel]) -> None:
        """Close networks; the last one ends the session, and its marks go with it.

        What is chosen to look at things (grid, charts, place on the spectrum) stays.
        """
        self._drag = ""
        closed = {model.id for model in models}
        for identity in closed:
            self._forget(identity)
        self.models = tuple(model for model in self.models if model.id not in closed)
        if not self.models:
            self._history = History(Marks())
            self.scope = Scope()
            self.autoencoders = {
                size: known
                for size, known in self.autoencoders.items()
                if size not in self.chosen
            }
            self.chosen = {}
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
        self.scope = replace(self.scope, layers=layers, size=size)
        self.changed.emit()

    def show_size(self, size: Size) -> None:
        """Show the kernels of one size."""
        self.scope = replace(self.scope, size=size)
        self.changed.emit()

    def show_only_selected(self, only: bool) -> None:
        """Leave what is not selected out of the grid, or show it again."""
        if only != self.scope.only_selected:
            self.scope = replace(self.scope, only_selected=only)
            self.changed.emit()

    def show_as(self, display: Display) -> None:
        """Group, sort and scale the grid differently."""
        self.display = display
        self.changed.emit()

    def show_charts(self, charts: Charts) -> None:
        """Let scatter plot, histogram and composition show something else."""
        if charts != self.charts:
            self.charts = charts
            self.changed.emit()

    def select(self, mode: Mode, query: Query, *, dragging: bool = False) -> None:
        """Mark kernels; a drag joins what was marked before it, and is one act."""
        if self._drag != "Selection":
            self._before_drag = self.selection
        chosen = self._before_drag.then(mode, query)
        self._select(chosen, dragging=dragging)

    def clear_selection(self) -> None:
        """Mark nothing; can be undone."""
        self._select(Selection())

    def remove_step(self, number: int) -> None:
        """Take one act of the selection out of it; can be undone."""
        if number < len(self.selection.steps):
            self._select(self.selection.without(number))

    def change_step(self, number: int, query: Query, *, dragging: bool = False) -> None:
        """Put another query in the place of one of the selection's."""
        if number < len(self.selection.steps):
            self._select(self.selection.with_query(number, query), dragging=dragging)

    def _select(self, selection: Selection, *, dragging: bool = False) -> None:
        marks = replace(self.marks, selection=selection)
        self._mark(marks, "Selection", dragging=dragging)

    def set_threshold(
        self, size: Size, value: float | None, *, dragging: bool = False
    ) -> None:
        """Identify kernels from this fit on (None: from the autoencoder's own).

        A drag is undone as one act.
        """
        kept = {key: own for key, own in self.marks.thresholds.items() if key != size}
        thresholds = kept if value is None else {**kept, size: value}
        marks = replace(self.marks, thresholds=thresholds)
        self._mark(marks, "Threshold", dragging=dragging)

    def set_segments(
        self,
        size: Size,
        segments: Segments | None,
        *,
        act: str = "Border Move",
        dragging: bool = False,
    ) -> None:
        """Name the spectrum's stretches otherwise (None: as the autoencoder does).

        ``act`` is what undo calls it.
        """
        kept = {key: own for key, own in self.marks.segments.items() if key != size}
        known = self.autoencoders.get(size)
        own = known.segments if known else ()
        if segments is not None and not same_names(segments, own):
            kept[size] = segments
        self._mark(replace(self.marks, segments=kept), act, dragging=dragging)

    def set_position(self, position: float) -> None:
        """Move the latent slider to a code from 0 to 1."""
        position = min(max(position, 0.0), 1.0)
        if position != self.position:
            self.position = position
            self.changed.emit()

    @property
    def work(self) -> Work:
        """What is open and how it is marked, as it is now."""
        return Work(
            self.models,
            self.scope,
            self.focus,
            self.display,
            self.charts,
            self.position,
            self.marks,
            self.autoencoders,
            self.chosen,
        )

    def restore(self, work: Work) -> None:
        """Put other work in the place of all that is open; cannot be undone."""
        self.models, self.scope, self.focus = work.models, work.scope, work.focus
        self.display, self.charts = work.display, work.charts
        self.position = work.position
        self.autoencoders, self.chosen = work.autoencoders, work.chosen
        self.analyses, self.families = {}, {}
        self._drag = ""
        self._history = History(work.marks)
        self.changed.emit()

    def choose_autoencoder(
        self, autoencoder: Autoencoder, path: Path | None = None
    ) -> None:
        """Use an autoencoder by wish; ``path`` is its file, if it has one."""
        self.chosen = {**self.chosen, autoencoder.size: path}
        self.set_autoencoder(autoencoder)

    def note_file(self, autoencoder: Autoencoder, path: Path) -> None:
        """Remember where a chosen autoencoder was saved."""
        size = autoencoder.size
        if self.autoencoders.get(size) is autoencoder and size in self.chosen:
            self.chosen = {**self.chosen, size: path}
            self.changed.emit()

    def set_autoencoder(self, autoencoder: Autoencoder) -> None:
        """Use an autoencoder for its size; what another one gave is forgotten."""
        size = autoencoder.size
        if self.autoencoders.get(size) is autoencoder:
            return
        self.analyses = {
            key: known for key, known in self.analyses.items() if key[1] != size
        }
        self.autoencoders = {**self.autoencoders, size: autoencoder}
        self.changed.emit()

    def set_analysis(self, identity: int, size: Size, analysis: Analysis) -> None:
        """Keep what was computed of a model's kernels of one size."""
        if self.is_open(identity):
            self.analyses = {**self.analyses, (identity, size): analysis}
            self.changed.emit()

    def set_family(self, identity: int, size: Size, names: FamilyNames) -> None:
        """Keep the family classes of a model's kernels of one size."""
        if self.is_open(identity):
            self.families = {**self.families, (identity, size): names}
            self.changed.emit()

    def give_up_drag(self) -> None:
        """Take back what a drag did that was given up; it cannot be restored."""
        if self._drag:
            self._drag = ""
            self._history.drop()
            self.changed.emit()

    def undo(self) -> None:
        """Take the last act back."""
        self._drag = ""
        self._history.undo()
        self.changed.emit()

    def redo(self) -> None:
        """Restore the last act taken back."""
        self._drag = ""
        self._history.redo()
        self.changed.emit()

    def _mark(self, marks: Marks, act: str, *, dragging: bool = False) -> None:
        """Take a step that can be undone; the steps of one drag are one.

        Where nothing changes there is nothing to undo. Another act ends a drag.
        """
        if self._drag != act:
            self._drag = ""
        before = self._history.before() if self._drag else self.marks
        if marks == before and not dragging:
            self.give_up_drag()
            return
        if self._drag:
            self._history.replace(marks)
        else:
            self._history.push(marks, act)
        self._drag = act if dragging else ""
        self.changed.emit()

    def set_focus(self, focus: KernelRef | None) -> None:
        """Look at one kernel."""
        if focus != self.focus:
            self.focus = focus
            self.changed.emit()

    def _forget(self, identity: int) -> None:
        self.analyses = {
            key: analysis
            for key, analysis in self.analyses.items()
            if key[0] != identity
        }
        self.families = {
            key: names for key, names in self.families.items() if key[0] != identity
        }
        if self.focus and self.focus.model == identity:
            self.focus = None
        if self.scope.layers is not None:
            kept = frozenset(r for r in self.scope.layers if r.model != identity)
            self.scope = replace(self.scope, layers=kept or None)
