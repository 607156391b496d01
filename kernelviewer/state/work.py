"""What is open, how it is marked and shown, and how that was before: frozen values."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Generic, TypeVar
from weakref import ref

from kernelviewer.kernels.classes import Naming
from kernelviewer.state.arrangement import Charts, Display
from kernelviewer.state.keys import KeyChoice
from kernelviewer.state.own_names import OwnNames, changed_tags
from kernelviewer.state.selection import Selection, moved_kernels, moved_selection

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from pathlib import Path

    from kernelviewer.kernels.bank import KernelBank, Size
    from kernelviewer.latent.autoencoder import Autoencoder
    from kernelviewer.latent.stretches import Stretches
    from kernelviewer.state.arrangement import Mean
    from kernelviewer.state.comparing import Comparing
    from kernelviewer.state.model import KernelRef, LayerRef, OpenModel, Run
    from kernelviewer.state.own_names import Tags

START = 0.5
"""Where the latent slider stands until it is moved."""


@dataclass(frozen=True, slots=True)
class Scope:
    """The scope: layers (None: all of them) and the wished kernel size.

    ``only_selected``: the grid leaves out what is not selected.
    """

    layers: frozenset[LayerRef] | None = None
    size: Size | None = None
    only_selected: bool = False


@dataclass(frozen=True, slots=True)
class Marks:
    """Marks that can be undone, from the selection to names and tags.

    Sizes that are not in ``thresholds`` or ``stretches`` have the usual ones.
    ``family_thresholds`` are in use where an autoencoder's size is named by the family.
    ``comparing`` are the two networks that are compared, or None. ``mean`` is whether
    kernels are drawn with their mean. ``names`` are the user's for networks and
    classes, ``tags`` those that kernels bear; ``keys`` are those that
    stand for kernels.
    """

    selection: Selection = field(default_factory=Selection)
    thresholds: Mapping[Size, float] = field(default_factory=dict)
    stretches: Mapping[Size, Stretches] = field(default_factory=dict)
    naming: Naming = field(default_factory=Naming)
    family_thresholds: Mapping[Size, float] = field(default_factory=dict)
    comparing: Comparing | None = None
    mean: Mean = "auto"
    names: OwnNames = field(default_factory=OwnNames)
    tags: Tags = field(default_factory=dict)
    keys: KeyChoice = field(default_factory=KeyChoice)

    @property
    def are_blank(self) -> bool:
        """True if nothing was marked yet; the other marks are looks at it."""
        changed = (self.thresholds, self.family_thresholds, self.stretches)
        named = (self.names, self.tags)
        return not (self.selection.steps or any((*changed, *named)))

    def without(self, closed: Collection[int]) -> Marks:
        """The same without models of these ids: their names, tags and comparison."""
        compared = self.comparing
        if compared is not None and compared.is_among(closed):
            compared = None
        return replace(
            self,
            comparing=compared,
            names=self.names.without(closed),
            tags=changed_tags(self.tags, lambda kernels: kernels.outside(closed)),
        )

    def replaced(self, model: int, old: KernelBank, new: KernelBank) -> Marks:
        """What is selected and tagged in a model, in another bank of it."""
        return replace(
            self,
            selection=moved_selection(self.selection, model, old, new),
            tags=changed_tags(
                self.tags, lambda kernels: moved_kernels(kernels, model, old, new)
            ),
        )


@dataclass(frozen=True, slots=True)
class SavedFingerprint:
    """The part of work worth saving; networks that were closed since are let go.

    ``models`` are ids and banks, or runs whatever the step they stand on; ``chosen``
    are identities of autoencoders.
    """

    models: tuple[tuple[int, ref[KernelBank] | ref[Run]], ...]
    marks: Marks
    chosen: Mapping[Size, int]


@dataclass(frozen=True, slots=True, eq=False)
class Work:
    """The open work: frozen, another replaces it; saved, described, in part undone."""

    models: tuple[OpenModel, ...] = ()
    """The open networks, in opening order."""
    scope: Scope = field(default_factory=Scope)
    focus: KernelRef | None = None
    """What of them is shown, and the kernel that is looked at."""
    display: Display = field(default_factory=Display)
    charts: Charts = field(default_factory=Charts)
    position: float = START
    """How the grid and the charts show them, and the code at the latent slider."""
    marks: Marks = field(default_factory=Marks)
    """How they are marked."""
    autoencoders: Mapping[Size, Autoencoder] = field(default_factory=dict)
    """The one in use for each size."""
    chosen: Mapping[Size, Path | None] = field(default_factory=dict)
    """Sizes whose autoencoder was chosen by hand, with the file it is from; None where
    it was trained here and not saved."""

    def without(self, closed: Collection[int]) -> Work:
        """The same less models of these ids, their focus and their layers in scope."""
        layers = self.scope.layers
        if layers is not None:
            layers = frozenset(r for r in layers if r.model not in closed) or None
        gone = self.focus is not None and self.focus.model in closed
        return replace(
            self,
            models=tuple(model for model in self.models if model.id not in closed),
            scope=replace(self.scope, layers=layers),
            focus=None if gone else self.focus,
        )

    @property
    def fingerprint(self) -> SavedFingerprint:
        """The fingerprint of what would be lost."""
        return SavedFingerprint(
            tuple((m.id, ref(m.run) if m.run else ref(m.bank)) for m in self.models),
            self.marks,
            {size: id(self.autoencoders[size]) for size in self.chosen},
        )

    def is_saved_as(self, saved: SavedFingerprint | None) -> bool:
        """True if nothing would be lost if only ``saved`` were kept.

        Networks, autoencoders, stretches, thresholds and the selection are work; what
        is merely looked at is not. Without ``saved``, opened files are no work either.
        """
        if saved is None:
            return self.marks.are_blank and None not in self.chosen.values()
        return self.fingerprint == saved


T = TypeVar("T")
DEPTH = 200


class History(Generic[T]):
    """The values before each act, and after those that were taken back.

    What is now is kept by who has the history.
    """

    def __init__(self) -> None:
        self._past: list[tuple[T, str]] = []
        self._future: list[tuple[T, str]] = []

    @property
    def undo_name(self) -> str:
        """The act that would be taken back; empty without one."""
        return self._past[-1][1] if self._past else ""

    @property
    def redo_name(self) -> str:
        """The act that would be restored; empty without one."""
        return self._future[-1][1] if self._future else ""

    @property
    def can_undo(self) -> bool:
        """True if there is something to take back."""
        return bool(self._past)

    @property
    def can_redo(self) -> bool:
        """True if there is something taken back."""
        return bool(self._future)

    @property
    def before(self) -> T | None:
        """The value before the last act; None without one."""
        return self._past[-1][0] if self._past else None

    def push(self, before: T, act: str) -> None:
        """Note an act and what was before it; what was taken back is lost."""
        self._past.append((before, act))
        self._future.clear()
        del self._past[:-DEPTH]

    def drop(self) -> T:
        """Forget the last act, as when a drag is given up; returns what was before."""
        return self._past.pop()[0]

    def change(self, how: Callable[[T], T]) -> None:
        """Put another value in the place of each, as when what they name moved."""
        self._past = [(how(value), act) for value, act in self._past]
        self._future = [(how(value), act) for value, act in self._future]

    def undo(self, now: T) -> T:
        """The value before the last act; ``now`` if there was none."""
        return _step(now, self._past, self._future)

    def redo(self, now: T) -> T:
        """The value after the act taken back last; ``now`` if there is none."""
        return _step(now, self._future, self._past)


def _step(now: T, source: list[tuple[T, str]], target: list[tuple[T, str]]) -> T:
    """Go one act along a line, and leave what is now on the other one."""
    if not source:
        return now
    found, act = source.pop()
    target.append((now, act))
    return found
