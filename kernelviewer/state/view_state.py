"""The document turned into everything the views show: one frozen state."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from kernelviewer.kernels.equality import find_equal
from kernelviewer.latent.stretches import family_stretches
from kernelviewer.state.analysis import (
    best_by_code,
    best_by_family,
    identified,
    join,
    spectrum_of,
)
from kernelviewer.state.comparing import pairs_of
from kernelviewer.state.keys import keys_of
from kernelviewer.state.memo import MemoOf
from kernelviewer.state.own_names import edits, tag_bits
from kernelviewer.state.pool import make_pool
from kernelviewer.state.similarity import likeness, nearest
from kernelviewer.state.tally import moved, tally, tally_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from kernelviewer.kernels.bank import Size
    from kernelviewer.kernels.classes import By, Naming, OwnName, Scheme
    from kernelviewer.kernels.comparison import Comparison
    from kernelviewer.kernels.equality import Equal
    from kernelviewer.latent.autoencoder import Autoencoder
    from kernelviewer.latent.film import Track
    from kernelviewer.latent.noise import Null
    from kernelviewer.latent.stretches import Stretches
    from kernelviewer.state.analysis import Analysis, FamilyNames, PoolLabels
    from kernelviewer.state.arrangement import Charts, Display, Mean
    from kernelviewer.state.comparing import Comparing, PoolPairs
    from kernelviewer.state.document import Document
    from kernelviewer.state.keys import PoolKeys
    from kernelviewer.state.model import LayerRef, OpenModel
    from kernelviewer.state.own_names import Tags
    from kernelviewer.state.pool import KernelPool
    from kernelviewer.state.selection import Selection
    from kernelviewer.state.tally import Tally
    from kernelviewer.state.work import Work

family_stretches_of = MemoOf(family_stretches)
"""Stretches of the family's spectrum: the same ones while it and the words are."""
NOTHING = np.zeros(0, bool)
NOWHERE = np.zeros(0, np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class ViewState:
    """Everything the views show, derived from the document.

    Parts that did not change are shared between successive states, so that they
    compare by identity.

    Attributes
    ----------
    shown, selected, listed
        Bool [N]: in scope; marked and in scope; in the grid.
    counted, counted_selected
        Bool [N]: what counts of the kernels in scope where networks are counted
        together, and what of that is selected, or equal to something selected.
    naming, named_by
        By what kernels are named where there is a choice, and by what those of the
        current size are; None: nothing names them.
    spectrum, stretches
        float32 [`POINTS`, *size], the patterns along the spectrum of what names the
        kernels, and its stretches; None without one, and while it is not known.
    """

    work: Work
    """The document's, for parts that nothing else is derived from."""
    models: tuple[OpenModel, ...]
    sizes: dict[Size, int]
    """Kernel sizes with how many kernels count."""
    size: Size | None
    layers: frozenset[LayerRef] | None
    display: Display
    charts: Charts
    pool: KernelPool | None
    """The kernels of the current size; None without any."""
    equal: Mapping[Size, Equal]
    """Kernels that networks have alike, of every size that has some."""
    once: Equal | None
    """Those of the current size if they count once; None: all kernels count."""
    shown: NDArray[np.bool_]
    counted: NDArray[np.bool_]
    autoencoder: Autoencoder | None
    stretches: Stretches | None
    learned_stretches: Stretches | None
    """Those of the autoencoder, as edited, whatever names the kernels."""
    null: Null | None
    """What white noise reaches with what names the kernels; None: not known."""
    threshold: float | None
    code_threshold: float | None
    """The least fit of an identified kernel, by what names it and by its code; None
    without a null, and without an autoencoder."""
    naming: Naming
    mean: Mean
    """Whether kernels are drawn with their mean; see `leaves_out_mean`."""
    named_by: By | None
    by_code: PoolLabels | None
    """Codes and the classes of their stretches, every kernel identified; None without
    an autoencoder and while codes are missing."""
    named: PoolLabels | None
    """PoolLabels by what names the kernels, every kernel identified: what does not
    depend on the threshold."""
    labels: PoolLabels | None
    """The same at the threshold; None while the kernels are not analysed."""
    tally: Tally | None
    chosen: Tally | None
    """Counts of the labels per layer, and the same of the selected kernels; None
    without labels, and without a selection. For what is said of one network."""
    pooled: Tally | None
    pooled_chosen: Tally | None
    """The same of the kernels that count, right for layers in scope: for sums over
    networks."""
    selection: Selection
    selected: NDArray[np.bool_]
    counted_selected: NDArray[np.bool_]
    only_selected: bool
    listed: NDArray[np.bool_]
    focus: int | None
    """Pool number of the focused kernel."""
    position: float
    spectrum: NDArray[np.float32] | None
    near: NDArray[np.int64]
    """int64, pool numbers of the kernels that are nearest to the pattern at
    ``position`` among those in scope that count, nearest first."""
    undo: str
    redo: str
    """The act that would be taken back or restored; empty without one."""
    analyses: Mapping[tuple[int, Size], Analysis]
    thresholds: Mapping[Size, float]
    family_thresholds: Mapping[Size, float]
    edited_stretches: Mapping[Size, Stretches]
    """Those of every size that were changed, as in `Marks`."""
    families: FamilyNames | None
    """What the family says of the pool's kernels; None while it is not known."""
    open_families: Mapping[tuple[int, Size], FamilyNames]
    known: Mapping[tuple[int, Size], Analysis]
    """What the autoencoder in use gave of the pool's models."""
    comparing: Comparing | None
    comparison: Comparison | None
    pairs: PoolPairs | None
    """Which networks are compared, what came of it, and the pairs of the pool; None
    where nothing is compared, or it is not known yet."""
    by_keys: PoolKeys | None
    """The pool's kernels by the keys in use, `Document.keys`; None: not known."""
    run: OpenModel | None
    """The open run whose steps are gone through: that of the focused kernel, else the
    one opened last; None without any."""
    track: Track | None
    """Its kernels of the current size at every step, named as ``labels`` are but for
    the threshold; None while they are not encoded."""
    own_classes: dict[str, OwnName]
    edits: tuple[str, ...]
    """The user's names of classes, by class id; all that is called otherwise than the
    program and the files do, a line each."""
    tags: Tags
    tag_bits: NDArray[np.uint16] | None
    """The tags by number, and those of the pool's kernels as
    `kernelviewer.state.own_names.tag_bits`."""

    @property
    def scheme(self) -> Scheme:
        """The classes that the kernels of the current size are named by."""
        return self.naming.scheme(self.named_by)

    @property
    def all_analysed(self) -> bool:
        """True if there is a pool, and all its models were encoded or cannot be."""
        return self.pool is not None and len(self.known) == len(self.pool.models)

    @property
    def layers_in_scope(self) -> frozenset[LayerRef] | None:
        """The layers that are shown, and those of the partners of their kernels."""
        if self.pool is None or self.pairs is None or self.layers is None:
            return self.layers
        there = np.unique(self.pool.layer[self.shown])
        return self.layers.union(self.pool.layer_refs[layer] for layer in there)

    @property
    def repeated(self) -> int:
        """How many kernels in scope do not count, as equal ones do."""
        return int(np.count_nonzero(self.shown) - np.count_nonzero(self.counted))

    def counting(self, mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """What counts of a mask of the pool, in scope or not."""
        return mask if self.once is None else self.once.once(mask)

    def spread(self, mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """A mask of kernels that count, with what is equal to them and in scope."""
        return mask if self.once is None else self.once.spread(mask) & self.shown

    def standing_for(self, number: int) -> int:
        """The kernel that counts in place of one in scope: mostly itself."""
        if self.once is None or self.counted[number]:
            return number
        found = [n for n in self.once.like(number).tolist() if self.counted[n]]
        return int(found[0]) if found else number


def resolve(document: Document, old: ViewState | None) -> ViewState:
    """The state of a document, taking from ``old`` what has not changed."""
    size, layers, marks = document.size, document.scope.layers, document.marks
    same_pool = old is not None and old.models is document.models and old.size == size
    pool = _pool(document, size) if old is None or not same_pool else old.pool
    pairs, run = _pairs(document, old, pool), _run(document)
    shown = _shown(old, pool, layers, pairs)
    equal = _equal(document, old)
    once = equal.get(size) if size and document.charts.equal == "once" else None
    counted = _counted(old, once, shown)
    learned = document.stretches_of(size) if size else None
    threshold = document.threshold_of(size) if size else None
    spectrum, stretches = _axis(document, size)
    known = _known(document, pool)
    by_code, families, named = _named(document, old, known, pool, learned)
    labels, counts = _labels(document, old, named, pool, threshold)
    other = _other_code(named, by_code, families)
    selected = _selected(document, old, pool, shown, labels, other)
    picked = _counted_selected(old, once, selected, counted)
    chosen = _chosen(old, pool, labels, counts, selected)
    return ViewState(
        work=document.work,
        models=document.models,
        sizes=_sizes(document, equal),
        size=size,
        layers=layers,
        display=_display(document, pool, pairs, run),
        charts=document.charts,
        pool=pool,
        equal=equal,
        once=once,
        shown=shown,
        counted=counted,
        autoencoder=document.autoencoders.get(size) if size else None,
        stretches=stretches,
        learned_stretches=learned,
        null=document.null_of(size) if size else None,
        threshold=threshold,
        code_threshold=_code_threshold(document, size),
        naming=document.naming,
        mean=marks.mean,
        named_by=document.named_by(size) if size else None,
        by_code=by_code,
        named=named,
        labels=labels,
        tally=counts,
        chosen=chosen,
        pooled=_pooled(old, "pooled", pool, labels, (counts, counts), (shown, counted)),
        pooled_chosen=_pooled(
            old, "pooled_chosen", pool, labels, (counts, chosen), (selected, picked)
        ),
        selection=document.selection,
        selected=selected,
        counted_selected=picked,
        only_selected=document.scope.only_selected,
        listed=selected if document.scope.only_selected else shown,
        focus=pool.number(document.focus) if pool else None,
        position=document.position,
        spectrum=spectrum,
        near=_near(document, old, pool, named, counted, spectrum),
        undo=document.undo_name,
        redo=document.redo_name,
        analyses=document.analyses,
        thresholds=marks.thresholds,
        family_thresholds=marks.family_thresholds,
        edited_stretches=marks.stretches,
        families=families,
        open_families=document.families,
        known=known,
        comparing=document.comparing,
        comparison=document.comparison,
        pairs=pairs,
        by_keys=_by_keys(document, old, pool),
        run=run,
        track=_track(document, run, size, learned),
        own_classes=marks.names.classes,
        edits=edits(marks, document.models),
        tags=marks.tags,
        tag_bits=_tag_bits(document, old, pool),
    )


def _display(
    document: Document,
    pool: KernelPool | None,
    pairs: PoolPairs | None,
    run: OpenModel | None,
) -> Display:
    """How kernels are ordered and drawn, less what there is not."""
    found = pool is not None and likeness(pool) is not None
    return document.display.where(
        paired=pairs is not None, found=found, running=run is not None
    )


def _tag_bits(
    document: Document, old: ViewState | None, pool: KernelPool | None
) -> NDArray[np.uint16] | None:
    tags = document.marks.tags
    if old is not None and old.pool is pool and old.tags is tags:
        return old.tag_bits
    return tag_bits(tags, pool) if pool and tags else None


def _axis(
    document: Document, size: Size | None
) -> tuple[NDArray[np.float32] | None, Stretches | None]:
    """Patterns and stretches along the spectrum of what names a size's kernels."""
    if size is None:
        return None, None
    if document.named_by(size) == "family":
        own = spectrum_of(document.families, size)
        if own is None:
            return None, None
        return own.table, family_stretches_of(own, document.naming.scheme("family"))
    learned = document.autoencoders.get(size)
    return (None if learned is None else learned.table), document.stretches_of(size)


def _run(document: Document) -> OpenModel | None:
    """The run that is gone through."""
    runs = [model for model in document.models if model.run is not None]
    focused = document.focus.model if document.focus else None
    return next((m for m in runs if m.id == focused), runs[-1] if runs else None)


def _rename(track: Track, stretches: Stretches) -> Track:
    return track.with_stretches(stretches)


_renamed = MemoOf(_rename)


def _track(
    document: Document,
    run: OpenModel | None,
    size: Size | None,
    stretches: Stretches | None,
) -> Track | None:
    """What its kernels are at every step, named by the stretches as they are now."""
    track = document.track_of(run.id, size) if run and size else None
    if track is None or stretches is None or size not in document.marks.stretches:
        return track
    return _renamed(track, stretches) if track.by == "code" else track


def _shown(
    old: ViewState | None,
    pool: KernelPool | None,
    layers: frozenset[LayerRef] | None,
    pairs: PoolPairs | None,
) -> NDArray[np.bool_]:
    """What is in scope; the same mask as long as it is alike, as from step to step.

    While two networks are compared, both kernels of a pair are in scope where one is.
    """
    if pool is None:
        return NOTHING
    same = old is not None and old.pool is pool and old.pairs is pairs
    if old is not None and same and old.layers == layers:
        return old.shown
    found = pool.layers_mask(layers)
    if pairs is not None and layers is not None:
        found = pairs.spread(found)
    before = None if old is None else old.pool
    alike = before is not None and before.layer_refs == pool.layer_refs
    if old is not None and alike and np.array_equal(old.shown, found):
        return old.shown
    return found


def _pairs(
    document: Document, old: ViewState | None, pool: KernelPool | None
) -> PoolPairs | None:
    comparison = document.comparison
    if (
        old is not None
        and old.pool is pool
        and old.comparing == document.comparing
        and old.comparison is comparison
    ):
        return old.pairs
    return pairs_of(pool, document.comparing, comparison)


def _by_keys(
    document: Document, old: ViewState | None, pool: KernelPool | None
) -> PoolKeys | None:
    found = None if pool is None else document.keyed_of(pool.size)
    if pool is None or found is None:
        return None
    before = None if old is None or old.pool is not pool else old.by_keys
    if before is not None and before.found is found:
        return before
    return keys_of(pool, found)


def _code_threshold(document: Document, size: Size | None) -> float | None:
    known = document.autoencoders.get(size) if size else None
    if size is None or known is None:
        return None
    return document.marks.thresholds.get(size, known.threshold)


def _near(
    document: Document,
    old: ViewState | None,
    pool: KernelPool | None,
    named: PoolLabels | None,
    counted: NDArray[np.bool_],
    spectrum: NDArray[np.float32] | None,
) -> NDArray[np.int64]:
    if pool is None or named is None or spectrum is None:
        return NOWHERE
    if (
        old is not None
        and old.named is not None
        and old.named.code is named.code
        and old.counted is counted
        and old.spectrum is spectrum
        and old.position == document.position
    ):
        return old.near
    return nearest(pool, named.code, counted, spectrum, document.position)


def _pool(document: Document, size: Size | None) -> KernelPool | None:
    return make_pool(document.models, size) if size else None


def _equal(document: Document, old: ViewState | None) -> Mapping[Size, Equal]:
    """Equal kernels of every size that has some, numbered as in its pool."""
    if old is not None and old.models is document.models:
        return old.equal
    found: dict[Size, Equal] = {}
    for size in document.sizes if len(document.models) > 1 else ():
        banks = [bank for bank in document.banks if size in bank.sizes]
        if equal := find_equal([bank.sizes[size] for bank in banks]):
            found[size] = equal
    return found


def _sizes(document: Document, equal: Mapping[Size, Equal]) -> dict[Size, int]:
    """Kernel sizes with how many kernels count, in the document's order."""
    sizes = document.sizes
    if document.charts.equal == "all":
        return sizes
    return {
        size: count - equal[size].repeats if size in equal else count
        for size, count in sizes.items()
    }


def _counted(
    old: ViewState | None, once: Equal | None, shown: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """What counts of the kernels in scope."""
    if old is not None and old.once is once and old.shown is shown:
        return old.counted
    return shown if once is None else once.once(shown)


def _other_code(
    named: PoolLabels | None, by_code: PoolLabels | None, families: FamilyNames | None
) -> NDArray[np.float32] | None:
    """Codes on the spectrum of what does not name the kernels; None: not known."""
    if named is None:
        return None
    other = by_code if named.by == "family" else families
    return None if other is None else other.code


def _selected(
    document: Document,
    old: ViewState | None,
    pool: KernelPool | None,
    shown: NDArray[np.bool_],
    labels: PoolLabels | None,
    other: NDArray[np.float32] | None,
) -> NDArray[np.bool_]:
    """What is marked and in scope; ``other``: codes of what does not name it."""
    selection = document.selection
    same = old is not None and old.selection is selection and old.pool is pool
    if old is not None and same and old.shown is shown:
        before = _other_code(old.named, old.by_code, old.families)
        known = old.labels is labels and before is other
        if known or not _needs_labels(selection):
            return old.selected
    known_labels = labels if labels is None else replace(labels, other=other)
    found = selection.mask(pool, known_labels) & shown if pool else NOTHING
    if old is not None and same and np.array_equal(old.selected, found):
        return old.selected
    return found


def _counted_selected(
    old: ViewState | None,
    once: Equal | None,
    selected: NDArray[np.bool_],
    counted: NDArray[np.bool_],
) -> NDArray[np.bool_]:
    """What of the kernels that count is selected, itself or as an equal one."""
    if once is None:
        return selected
    if old is not None and old.selected is selected and old.counted is counted:
        return old.counted_selected
    return once.spread(selected) & counted


def _known(
    document: Document, pool: KernelPool | None
) -> dict[tuple[int, Size], Analysis]:
    """What was computed of the pool's models."""
    if pool is None:
        return {}
    keys = ((model.id, pool.size) for model in pool.models)
    return {key: document.analyses[key] for key in keys if key in document.analyses}


def _named(
    document: Document,
    old: ViewState | None,
    known: dict[tuple[int, Size], Analysis],
    pool: KernelPool | None,
    stretches: Stretches | None,
) -> tuple[PoolLabels | None, FamilyNames | None, PoolLabels | None]:
    """What codes and what the family say of a pool, and that of them which counts."""
    by_code = _by_code(old, known, pool, stretches)
    families = _families(document, old, pool)
    if pool is None or document.named_by(pool.size) != "family":
        return by_code, families, by_code
    scheme = document.naming.scheme("family")
    return by_code, families, _by_family(old, pool, families, scheme)


def _by_code(
    old: ViewState | None,
    known: dict[tuple[int, Size], Analysis],
    pool: KernelPool | None,
    stretches: Stretches | None,
) -> PoolLabels | None:
    if pool is None:
        return None
    before = None
    if old is not None and old.pool is pool and old.known == known:
        if old.learned_stretches is stretches:
            return old.by_code
        if old.learned_stretches is not None:
            before = old.by_code
    return best_by_code(pool, known, stretches, before)


def _by_family(
    old: ViewState | None,
    pool: KernelPool | None,
    families: FamilyNames | None,
    scheme: Scheme,
) -> PoolLabels | None:
    if pool is None or families is None:
        return None
    found = best_by_family(families, scheme)
    if (
        old is not None
        and old.named is not None
        and old.named.best is found.best
        and old.pool is pool
        and old.named.by == "family"
    ):
        return old.named
    return found


def _families(
    document: Document, old: ViewState | None, pool: KernelPool | None
) -> FamilyNames | None:
    if pool is None:
        return None
    if old is not None and old.pool is pool:
        keys = [(model.id, pool.size) for model in pool.models]
        before, now = (
            [found.get(key) for key in keys]
            for found in (old.open_families, document.families)
        )
        if before == now:
            return old.families
    return join(pool, document.families)


def _labels(
    document: Document,
    old: ViewState | None,
    named: PoolLabels | None,
    pool: KernelPool | None,
    threshold: float | None,
) -> tuple[PoolLabels | None, Tally | None]:
    """Labels at the threshold and their counts, from the old ones where they serve."""
    if named is None or pool is None:
        return None, None
    best = None
    if old is not None and old.named is named and old.labels and old.tally:
        if old.threshold == threshold:
            return old.labels, old.tally
        if old.threshold is not None and threshold is not None:
            before, wish = (old.labels, old.tally), (old.threshold, threshold)
            known = document.known_of(pool.size)
            if (found := moved(pool, known, before, wish)) is not None:
                return found
        best = old.tally.best
    labels = named if threshold is None else identified(named, threshold)
    return labels, tally(pool, labels, best)


def _chosen(
    old: ViewState | None,
    pool: KernelPool | None,
    labels: PoolLabels | None,
    counts: Tally | None,
    selected: NDArray[np.bool_],
) -> Tally | None:
    """Counts of what is selected."""
    if pool is None or labels is None or counts is None or not selected.any():
        return None
    if old is not None and old.labels is labels and old.selected is selected:
        return old.chosen
    return tally_of(pool, labels, counts, selected)


def _pooled(
    old: ViewState | None,
    name: str,
    pool: KernelPool | None,
    labels: PoolLabels | None,
    counts: tuple[Tally | None, Tally | None],
    masks: tuple[NDArray[np.bool_], NDArray[np.bool_]],
) -> Tally | None:
    """Counts of what counts of a mask, for sums over networks.

    Parameters
    ----------
    name
        That of the counts in a state; their mask is called alike.
    counts
        Of all kernels, and of those in the mask.
    masks
        The mask, and what counts of it.
    """
    (whole, own), (mask, counted) = counts, masks
    if pool is None or labels is None or whole is None or counted is mask:
        return own
    if own is None:
        return None
    if old is not None and old.labels is labels:
        if name == "pooled" and old.counted is counted:
            return old.pooled
        if name == "pooled_chosen" and old.counted_selected is counted:
            return old.pooled_chosen
    return tally_of(pool, labels, whole, counted)


def _needs_labels(selection: Selection) -> bool:
    """True if the selection depends on codes or classes."""
    return any(step.query.by_label for step in selection.steps)
