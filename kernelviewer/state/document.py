"""The open work: the only truth about it, told through one signal."""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager
from dataclasses import replace
from itertools import count
from math import prod
from typing import TYPE_CHECKING

import numpy as np

from kernelviewer.latent.labels import named_by
from kernelviewer.latent.stretches import same_names
from kernelviewer.state.analysis import (
    Analysis,
    Computed,
    analysis_at,
    best_by_code,
    best_by_family,
    family_at,
    join,
    null_of,
)
from kernelviewer.state.arrangement import Charts, Display
from kernelviewer.state.comparing import Comparisons
from kernelviewer.state.keys import KeyedNetworks
from kernelviewer.state.memo import Signal
from kernelviewer.state.model import OpenModel
from kernelviewer.state.own_names import OwnNames, Tag, called, tidied, with_tag
from kernelviewer.state.selection import Selection
from kernelviewer.state.work import History, Work

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping
    from pathlib import Path

    from kernelviewer.kernels.bank import KernelBank, Size
    from kernelviewer.kernels.classes import By, Naming, OwnName
    from kernelviewer.kernels.comparison import Comparison
    from kernelviewer.latent.autoencoder import Autoencoder
    from kernelviewer.latent.film import Track
    from kernelviewer.latent.noise import Null
    from kernelviewer.latent.stretches import Stretches
    from kernelviewer.state.analysis import FamilyNames, Known, PoolLabels
    from kernelviewer.state.arrangement import Mean
    from kernelviewer.state.comparing import Comparing
    from kernelviewer.state.keys import KeyChoice, Keyed
    from kernelviewer.state.model import Drawn, KernelRef, LayerRef, Run
    from kernelviewer.state.pool import KernelPool
    from kernelviewer.state.selection import Kernels, Mode, Query
    from kernelviewer.state.work import Marks, Scope

FEW_TAPS = 12
"""Sizes with no more taps than this tell little."""


class Document:
    """The open work, its history, and what was computed of it.

    Every change goes through a method here, takes effect at once and ends in one
    ``changed``; in a `batch` all of them end in one. Views are rebuilt from it;
    nothing is kept in a widget.

    Attributes
    ----------
    work
        All that is open and how it is marked and shown, frozen. Its parts that are
        asked for often can be read from the document itself.
    """

    def __init__(
        self, display: Display | None = None, charts: Charts | None = None
    ) -> None:
        self.changed = Signal()
        self._ids = count(1)
        self.work = Work(display=display or Display(), charts=charts or Charts())
        self._history: History[Marks] = History()
        self._drag = ""
        self._analyses: Computed[Analysis] = Computed()
        self._families: Computed[FamilyNames] = Computed()
        self._comparisons = Comparisons()
        self._keyed = KeyedNetworks()
        self._tracks: Computed[Track] = Computed()
        self._family_tracks: Computed[Track] = Computed()
        self._batches = 0
        self._is_untold = False

    @contextmanager
    def batch(self) -> Iterator[None]:
        """Around several changes: they are told once, at the end, even if one fails."""
        self._batches += 1
        try:
            yield
        finally:
            self._batches -= 1
            if self._is_untold and not self._batches:
                self._is_untold = False
                self.changed.emit()

    def _become(self, work: Work) -> None:
        """Hold other work from now on, its networks by names that tell them apart."""
        now, names = self.work, work.marks.names
        if work.models is not now.models or names is not now.marks.names:
            models = called(work.models, names.networks)
            work = work if models is work.models else replace(work, models=models)
        self.work = work
        self._tell()

    def _tell(self) -> None:
        """Say that something changed."""
        self._analyses.look(self.models, self.autoencoders)
        self._families.look(self.models)
        self._comparisons.look(self.banks)
        self._keyed.look(self.banks)
        self._tracks.look(self.models, self.autoencoders)
        self._family_tracks.look(self.models)
        if self._batches:
            self._is_untold = True
        else:
            self.changed.emit()

    @property
    def models(self) -> tuple[OpenModel, ...]:
        """The open networks, in opening order."""
        return self.work.models

    @property
    def scope(self) -> Scope:
        """The layers and the size shown."""
        return self.work.scope

    @property
    def focus(self) -> KernelRef | None:
        """The kernel that is looked at."""
        return self.work.focus

    @property
    def display(self) -> Display:
        """How the grid shows kernels."""
        return self.work.display

    @property
    def charts(self) -> Charts:
        """The choices of the charts beside the grid."""
        return self.work.charts

    @property
    def position(self) -> float:
        """The code at the latent slider, from 0 to 1."""
        return self.work.position

    @property
    def marks(self) -> Marks:
        """Selection, thresholds, stretches, and what is compared."""
        return self.work.marks

    @property
    def autoencoders(self) -> Mapping[Size, Autoencoder]:
        """The autoencoder in use for each size."""
        return self.work.autoencoders

    @property
    def chosen(self) -> Mapping[Size, Path | None]:
        """Files of the autoencoders chosen by hand, as in `Work`."""
        return self.work.chosen

    @property
    def naming(self) -> Naming:
        """By what kernels are named, where there is a choice."""
        return self.marks.naming

    @property
    def selection(self) -> Selection:
        """The acts of selecting."""
        return self.marks.selection

    @property
    def comparing(self) -> Comparing | None:
        """The two networks that are compared, and how; None: nothing is."""
        return self.marks.comparing

    @property
    def comparison(self) -> Comparison | None:
        """What came of comparing them; None while it is not known."""
        return self._comparisons.get(self.comparing, self.models)

    @property
    def keys(self) -> KeyChoice:
        """Which keys stand for kernels."""
        return self.marks.keys

    def keyed_of(self, size: Size) -> Keyed | None:
        """The open networks by those keys; None while it is not known."""
        return self._keyed.get(self.keys, size, self.banks)

    def nearly_keyed(self, size: Size) -> Keyed | None:
        """The same of some of them, perhaps."""
        return self._keyed.parts(self.keys, size)

    @property
    def analyses(self) -> Mapping[tuple[int, Size], Analysis]:
        """Model id and size → codes that the autoencoder in use gave."""
        return self._analyses.known

    @property
    def families(self) -> Mapping[tuple[int, Size], FamilyNames]:
        """Model id and size → the family classes of open kernels."""
        return self._families.known

    @property
    def tracks(self) -> Mapping[tuple[int, Size], Track]:
        """Model id and size → codes of the kernels of an open run at every step."""
        return self._tracks.known

    @property
    def family_tracks(self) -> Mapping[tuple[int, Size], Track]:
        """Model id and size → family classes of the same."""
        return self._family_tracks.known

    def track_of(self, identity: int, size: Size) -> Track | None:
        """The kernels of a run at every step, by what names them."""
        by_family = self.named_by(size) == "family"
        track = (self.family_tracks if by_family else self.tracks).get((identity, size))
        if track is None:
            return None
        return track.in_words(self.naming.scheme("family"))

    @property
    def banks(self) -> tuple[KernelBank, ...]:
        """One bank per open network, in opening order."""
        return tuple(model.bank for model in self.models)

    def stretches_of(self, size: Size) -> Stretches | None:
        """The learned stretches of a size: as edited, else as its autoencoder's."""
        known = self.autoencoders.get(size)
        own = known.stretches if known else None
        return self.marks.stretches.get(size, own)

    def named_by(self, size: Size) -> By | None:
        """What names the kernels of a size; None: nothing does, as far as is known."""
        from kernelviewer.kernels.family import supported

        wish, coded = self.naming.by, size in self.autoencoders
        if wish == "code" and not coded and not self._is_analysed(size):
            return "code"  # once they are encoded
        return named_by(wish, has_code=coded, has_family=supported(size))

    def _is_analysed(self, size: Size) -> bool:
        return any(key[1] == size for key in self.analyses)

    def threshold_of(self, size: Size) -> float | None:
        """The threshold of a size as set, else the usual one; None without a null."""
        null = self.null_of(size)
        own = null.default_threshold if null else None
        return self._thresholds_of(size).get(size, own)

    def _thresholds_of(self, size: Size) -> Mapping[Size, float]:
        """The thresholds among which that in use for a size is."""
        by_family = size in self.autoencoders and self.named_by(size) == "family"
        return self.marks.family_thresholds if by_family else self.marks.thresholds

    def known_of(self, size: Size) -> Mapping[tuple[int, Size], Known]:
        """Model id and size → what names kernels, of the size among others."""
        by_family = self.named_by(size) == "family"
        return self.families if by_family else self.analyses

    def best_of(self, pool: KernelPool) -> PoolLabels | None:
        """Best classes of any pool by what names its kernels; None while some lack."""
        if self.named_by(pool.size) != "family":
            return best_by_code(pool, self.analyses, self.stretches_of(pool.size))
        names = join(pool, self.families)
        if names is None:
            return None
        return best_by_family(names, self.naming.scheme("family"))

    def null_of(self, size: Size) -> Null | None:
        """The null of what names the kernels of a size, if known."""
        if self.named_by(size) == "family":
            return null_of(self.families, size)
        known = self.autoencoders.get(size)
        return known.null if known else None

    @property
    def can_undo(self) -> bool:
        """True if an act can be taken back."""
        return self._history.can_undo

    @property
    def can_redo(self) -> bool:
        """True if an act taken back can be restored."""
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
        """The kernel size shown: the wished one, else the one that tells most.

        That is the one with most kernels, where one of few taps counts a third: about a
        third of a trained network's 3×3 kernels are identified, of larger ones most.
        """
        sizes = self.sizes
        if self.scope.size in sizes:
            return self.scope.size

        def tells(size: Size) -> tuple[float, Size]:
            return sizes[size] * (1 if prod(size) > FEW_TAPS else 1 / 3), size

        return max(sizes, key=tells, default=None)

    def model(self, identity: int) -> OpenModel:
        """The open model of that id; raises KeyError if it is closed."""
        for model in self.models:
            if model.id == identity:
                return model
        raise KeyError(identity)

    def is_open(self, identity: int) -> bool:
        """True if the network of that id is still there."""
        return any(model.id == identity for model in self.models)

    def new_model(
        self,
        bank: KernelBank,
        hub: str = "",
        run: Run | None = None,
        step: int = 0,
        drawn: Drawn | None = None,
    ) -> OpenModel:
        """A network with an id of its own, not open yet."""
        return OpenModel(next(self._ids), bank, hub, run, step, drawn=drawn)

    def open(
        self,
        bank: KernelBank,
        hub: str = "",
        run: Run | None = None,
        step: int = 0,
        drawn: Drawn | None = None,
    ) -> OpenModel:
        """Add a network after the others.

        Parameters
        ----------
        bank
            Its kernels; of a run those of the step that it stands on.
        hub
            The name it was fetched by.
        run, step
            The run that it is, and the step.
        drawn
            Which kernels of a corpus they are.
        """
        model = self.new_model(bank, hub, run, step, drawn)
        self._become(replace(self.work, models=(*self.models, model)))
        return model

    def stand_at(self, identity: int, step: int, bank: KernelBank) -> None:
        """Let a run stand on another step, which has the same kernels; no act to undo.

        Their codes and names are those of the film, where there is one.
        """
        model = replace(self.model(identity), bank=bank, step=step)
        for size, kernels in bank.sizes.items():
            coder, key = self.autoencoders.get(size), (identity, size)
            codes, names = self.tracks.get(key), self.family_tracks.get(key)
            if codes is not None and codes.fits(bank, kernels):
                self._analyses.put(bank, size, analysis_at(codes, step), coder)
            elif key in self.analyses and coder is None:
                nothing = np.full(len(kernels), np.nan, np.float32)
                self._analyses.put(bank, size, Analysis(None, nothing))
            if names is not None and names.fits(bank, kernels):
                self._families.put(bank, size, family_at(names, step))
        self._become(replace(self.work, models=self._with(model)))

    def change_run(self, identity: int, run: Run) -> None:
        """Let a run have other steps; it stays on the one that it stands on."""
        model = self.model(identity)
        model = replace(model, run=run, step=run.place(model.bank.path))
        self._become(replace(self.work, models=self._with(model)))

    def set_tracks(
        self,
        run: Run,
        codes: Mapping[Size, Track],
        names: Mapping[Size, Track],
        by: Mapping[Size, Autoencoder],
    ) -> None:
        """Keep codes and family classes of the kernels of a run at every step.

        Codes count while the run is open and ``by`` is in use for the sizes.
        """
        for size, track in codes.items():
            self._tracks.put(run, size, track, by[size])
        for size, track in names.items():
            self._family_tracks.put(run, size, track)
        self._tell()

    def _with(self, model: OpenModel) -> tuple[OpenModel, ...]:
        """The open networks, with another state of one of them."""
        return tuple(model if item.id == model.id else item for item in self.models)

    def replace(self, identity: int, bank: KernelBank, run: Run | None = None) -> None:
        """Show another copy, or other layers, of an open network in its place.

        What is marked stays marked, where the new one has it too. ``run`` is that of
        the other copy, if the network is one.
        """
        self._drag = ""
        old = self.model(identity).bank

        def moved(marks: Marks) -> Marks:
            return marks.replaced(identity, old, bank)

        self._history.change(moved)
        model = self.model(identity)
        step = model.step if run else 0
        models = self._with(replace(model, bank=bank, run=run, step=step))
        work = replace(self.work.without({identity}), models=models)
        self._become(replace(work, marks=moved(self.marks)))

    def close(self, identity: int) -> None:
        """Close a network; what is marked in the others stays."""
        self._close(model for model in self.models if model.id == identity)

    def close_some(self, identities: Collection[int]) -> None:
        """Close several networks at once."""
        self._close([model for model in self.models if model.id in identities])

    def close_all(self) -> None:
        """Close every network at once."""
        self._close(self.models)

    def _close(self, models: Iterable[OpenModel]) -> None:
        """Close networks; the last one ends the session, and its marks go with it.

        What is chosen to look at things (grid, charts, place on the spectrum) stays.
        """
        self._drag = ""
        closed = {model.id for model in models}
        self._history.change(lambda marks: marks.without(closed))
        work = self.work.without(closed)
        work = replace(work, marks=work.marks.without(closed))
        if not work.models:
            self._history = History()
            usual = work.autoencoders.keys() - work.chosen.keys()
            work = Work(
                display=work.display,
                charts=work.charts,
                position=work.position,
                autoencoders={size: work.autoencoders[size] for size in usual},
            )
        self._become(work)

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
        self._show(replace(self.scope, layers=layers, size=size))

    def show_size(self, size: Size) -> None:
        """Show the kernels of one size."""
        self._show(replace(self.scope, size=size))

    def show_only_selected(self, only: bool) -> None:
        """Leave what is not selected out of the grid, or show it again."""
        if only != self.scope.only_selected:
            self._show(replace(self.scope, only_selected=only))

    def _show(self, scope: Scope) -> None:
        self._drag = ""
        self._become(replace(self.work, scope=scope))

    def show_as(self, display: Display) -> None:
        """Group, sort and scale the grid differently."""
        self._become(replace(self.work, display=display))

    def show_charts(self, charts: Charts) -> None:
        """Let scatter plot, histogram and composition show something else."""
        if charts != self.charts:
            self._become(replace(self.work, charts=charts))

    def select(self, mode: Mode, query: Query, *, dragging: bool = False) -> None:
        """Mark kernels; a drag joins what was marked before it, and is one act."""
        dragged = self._history.before if self._drag == "Selection" else None
        before = self.marks if dragged is None else dragged
        self._select(before.selection.then(mode, query), dragging=dragging)

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
        """Identify kernels from this fit on (None: from the usual one).

        A drag is undone as one act.
        """
        changed = self._thresholds_of(size)
        kept = {key: own for key, own in changed.items() if key != size}
        thresholds = kept if value is None else {**kept, size: value}
        if changed is self.marks.thresholds:
            marks = replace(self.marks, thresholds=thresholds)
        else:
            marks = replace(self.marks, family_thresholds=thresholds)
        self._mark(marks, "Threshold", dragging=dragging)

    def name(self, naming: Naming) -> None:
        """Name kernels by something else; what is selected by class follows."""
        self._mark(replace(self.marks, naming=naming), "Naming")

    def draw_mean(self, mean: Mean) -> None:
        """Draw kernels with or without their mean; can be undone."""
        self._mark(replace(self.marks, mean=mean), "Mean of Kernels")

    def rename_network(self, identity: int, name: str) -> None:
        """Call an open network otherwise (empty: as its file); can be undone."""
        self.model(identity)
        names = self.marks.names.with_network(identity, name)
        self._mark(replace(self.marks, names=names), "Rename")

    def rename_class(self, class_id: str, own: OwnName) -> None:
        """Call a class otherwise, in another colour (empty: as usual)."""
        names = self.marks.names.with_class(class_id, own)
        self._mark(replace(self.marks, names=names), "Rename")

    def rename_tag(self, number: int, own: OwnName) -> None:
        """Call a tag otherwise, in another colour (empty: as usual)."""
        tag = self.marks.tags.get(number, Tag())
        tag = replace(tag, own=replace(own, name=tidied(own.name)))
        self._set_tag(number, tag, "Rename")

    def toggle_tag(self, number: int, kernels: Kernels) -> None:
        """Let kernels bear a tag, or none of them if all do already."""
        if len(kernels):
            tag = self.marks.tags.get(number, Tag())
            self._set_tag(number, tag.toggled(kernels), "Tag")

    def _set_tag(self, number: int, tag: Tag, act: str) -> None:
        tags = with_tag(self.marks.tags, number, tag)
        self._mark(replace(self.marks, tags=tags), act)

    def reset_names(self) -> None:
        """Call networks, classes and stretches as files and program do.

        Stretches get their borders back too; tags stay.
        """
        marks = replace(self.marks, names=OwnNames(), stretches={})
        self._mark(marks, "Reset of Names")

    def set_stretches(
        self,
        size: Size,
        stretches: Stretches | None,
        *,
        act: str = "Border Move",
        dragging: bool = False,
    ) -> None:
        """Name the spectrum's stretches otherwise (None: as the autoencoder does).

        ``act`` is what undo calls it.
        """
        kept = {key: own for key, own in self.marks.stretches.items() if key != size}
        known = self.autoencoders.get(size)
        own = known.stretches if known else ()
        if stretches is not None and not same_names(stretches, own):
            kept[size] = stretches
        self._mark(replace(self.marks, stretches=kept), act, dragging=dragging)

    def reset_stretches(self) -> None:
        """Name the stretches of the shown size as the autoencoder does."""
        if self.size is not None and self.size in self.marks.stretches:
            self.set_stretches(self.size, None, act="Reset of Stretches")

    def set_position(self, position: float) -> None:
        """Move the latent slider to a code from 0 to 1."""
        position = min(max(position, 0.0), 1.0)
        if position != self.position:
            self._become(replace(self.work, position=position))

    def restore(self, work: Work) -> None:
        """Put other work in the place of all that is open; cannot be undone."""
        self._drag = ""
        self._history = History()
        self._become(work)

    def choose_autoencoder(
        self, autoencoder: Autoencoder, path: Path | None = None
    ) -> None:
        """Use an autoencoder by wish; ``path`` is its file, if it has one."""
        chosen = {**self.chosen, autoencoder.size: path}
        with self.batch():
            self._become(replace(self.work, chosen=chosen))
            self.set_autoencoder(autoencoder)

    def note_file(self, autoencoder: Autoencoder, path: Path) -> None:
        """Remember where a chosen autoencoder was saved."""
        size = autoencoder.size
        if self.autoencoders.get(size) is autoencoder and size in self.chosen:
            self._become(replace(self.work, chosen={**self.chosen, size: path}))

    def set_autoencoder(self, autoencoder: Autoencoder) -> None:
        """Use an autoencoder for its size; what another one gave does not count."""
        size = autoencoder.size
        if self.autoencoders.get(size) is not autoencoder:
            autoencoders = {**self.autoencoders, size: autoencoder}
            self._become(replace(self.work, autoencoders=autoencoders))

    def set_analysis(
        self,
        bank: KernelBank,
        size: Size,
        analysis: Analysis,
        by: Autoencoder | None = None,
    ) -> None:
        """Keep what was computed of a bank's kernels of one size.

        It counts while the bank is open and ``by`` is in use for the size; None: it was
        computed without any.
        """
        self._analyses.put(bank, size, analysis, by)
        self._tell()

    def compare(self, how: Comparing | None) -> None:
        """Compare two open networks, or none any more; can be undone.

        The grid shows the pairs, those that changed the most first.

        Raises
        ------
        KeyError
            One of the two is closed.
        ValueError
            They are one.
        """
        if how is not None:
            if how.a == how.b:
                raise ValueError("two networks are compared, not one with itself")
            self.model(how.a), self.model(how.b)
        began = how is not None and self.comparing is None
        with self.batch():
            self._mark(replace(self.marks, comparing=how), "Comparison")
            if how is not None and began:
                display = replace(self.display, picture="pair", sort_by="change")
                if display.group_by == "model":  # each pair has both
                    display = replace(display, group_by="layer")
                self.show_as(display)
                self.show_layers(None)
                self._show_a_shared_size(how)

    def _show_a_shared_size(self, how: Comparing) -> None:
        """Show kernels that both networks have, if there are some."""
        first, second = (self.model(identity).bank.sizes for identity in (how.a, how.b))
        shared = {size: len(first[size]) for size in first if size in second}
        if shared and self.size not in shared:
            self.show_size(max(shared, key=lambda size: (shared[size], size)))

    def set_comparison(self, how: Comparing, found: Comparison) -> None:
        """Keep what came of comparing two networks, while both are open."""
        self._comparisons.put(how, found)
        self._tell()

    def choose_keys(self, choice: KeyChoice) -> None:
        """Let other keys stand for kernels; can be undone."""
        self._mark(replace(self.marks, keys=choice), "Choice of Keys")

    def set_keyed(self, choice: KeyChoice, size: Size, found: Keyed) -> None:
        """Keep what came of a choice of keys, while its networks are open."""
        self._keyed.put(choice, size, found)
        self._tell()

    def set_family(self, bank: KernelBank, size: Size, names: FamilyNames) -> None:
        """Keep the family classes of a bank's kernels of one size."""
        self._families.put(bank, size, names)
        self._tell()

    def give_up_drag(self) -> None:
        """Take back what a drag did that was given up; it cannot be restored."""
        if self._drag:
            self._drag = ""
            self._become(replace(self.work, marks=self._history.drop()))

    def undo(self) -> None:
        """Take the last act back."""
        self._drag = ""
        self._become(replace(self.work, marks=self._history.undo(self.marks)))

    def redo(self) -> None:
        """Restore the last act taken back."""
        self._drag = ""
        self._become(replace(self.work, marks=self._history.redo(self.marks)))

    def _mark(self, marks: Marks, act: str, *, dragging: bool = False) -> None:
        """Take a step that can be undone; the steps of one drag are one.

        Where nothing changes there is nothing to undo. Another act ends a drag.
        """
        if self._drag != act:
            self._drag = ""
        before = self._history.before if self._drag else self.marks
        if marks == before and not dragging:
            self.give_up_drag()
            return
        if not self._drag:
            self._history.push(self.marks, act)
        self._drag = act if dragging else ""
        self._become(replace(self.work, marks=marks))

    def set_focus(self, focus: KernelRef | None) -> None:
        """Look at one kernel."""
        if focus != self.focus:
            self._become(replace(self.work, focus=focus))
