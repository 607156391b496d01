"""All that a document holds, but for its history and what can be computed again."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, TypeVar
from weakref import ref

from kernelviewer.state.selection import Selection

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from kernelviewer.kernels.bank import KernelBank, Size
    from kernelviewer.latent.autoencoder import Autoencoder
    from kernelviewer.latent.segments import Segments
    from kernelviewer.state.arrangement import Display
    from kernelviewer.state.charts import Charts
    from kernelviewer.state.model import KernelRef, LayerRef, OpenModel


@dataclass(frozen=True, slots=True)
class Scope:
    """What is shown: layers (None: all of them) and the wished kernel size.

    ``only_selected``: the grid leaves out what is not selected.
    """

    layers: frozenset[LayerRef] | None = None
    size: Size | None = None
    only_selected: bool = False


@dataclass(frozen=True, slots=True)
class Marks:
    """What can be undone: the selection, thresholds and stretches that were changed.

    Sizes that are not in ``thresholds`` or ``segments`` have their autoencoder's own.
    """

    selection: Selection = field(default_factory=Selection)
    thresholds: Mapping[Size, float] = field(default_factory=dict)
    segments: Mapping[Size, Segments] = field(default_factory=dict)

    @property
    def are_blank(self) -> bool:
        """Whether nothing was marked yet."""
        return not (self.selection.steps or self.thresholds or self.segments)


T = TypeVar("T")
DEPTH = 200


class History(Generic[T]):
    """A line of snapshots and the place on it.

    Parameters
    ----------
    first
        The state before any act.
    """

    def __init__(self, first: T) -> None:
        self._past: list[tuple[T, str]] = [(first, "")]
        self._future: list[tuple[T, str]] = []

    @property
    def now(self) -> T:
        """The current snapshot."""
        return self._past[-1][0]

    @property
    def undo_name(self) -> str:
        """The act that would be taken back; empty without one."""
        return self._past[-1][1] if self.can_undo else ""

    @property
    def redo_name(self) -> str:
        """The act that would be restored; empty without one."""
        return self._future[-1][1] if self._future else ""

    @property
    def can_undo(self) -> bool:
        """Whether there is something to take back."""
        return len(self._past) > 1

    @property
    def can_redo(self) -> bool:
        """Whether there is something taken back."""
        return bool(self._future)

    def push(self, snapshot: T, act: str = "") -> None:
        """Add a snapshot after the current one; what was taken back is lost."""
        self._past.append((snapshot, act))
        self._future.clear()
        del self._past[:-DEPTH]

    def replace(self, snapshot: T) -> None:
        """Put a snapshot in the place of the current one, as while dragging."""
        self._past[-1] = snapshot, self._past[-1][1]

    def drop(self) -> None:
        """Forget the current snapshot, as when a drag is given up."""
        if self.can_undo:
            self._past.pop()

    def before(self) -> T | None:
        """The snapshot before the current one, if there is one."""
        return self._past[-2][0] if self.can_undo else None

    def change(self, how: Callable[[T], T]) -> None:
        """Put another snapshot in the place of each, as when what they name moved."""
        self._past = [(how(snapshot), act) for snapshot, act in self._past]
        self._future = [(how(snapshot), act) for snapshot, act in self._future]

    def undo(self) -> T:
        """Go one snapshot back, if there is one, and return it."""
        if self.can_undo:
            self._future.append(self._past.pop())
        return self.now

    def redo(self) -> T:
        """Go one snapshot forward, if there is one, and return it."""
        if self._future:
            self._past.append(self._future.pop())
        return self.now


@dataclass(frozen=True, slots=True)
class Gist:
    """What makes work worth saving; networks that were closed since are let go.

    ``models`` are ids and banks, ``chosen`` identities of autoencoders.
    """

    models: tuple[tuple[int, ref[KernelBank]], ...]
    marks: Marks
    chosen: Mapping[Size, int]


@dataclass(frozen=True, slots=True, eq=False)
class Work:
    """References to a document's values at one moment; none of them ever changes.

    Attributes
    ----------
    models, scope, focus, display, charts, position, marks, autoencoders
        As in `Document`.
    chosen
        Sizes whose autoencoder was chosen by hand, with the file it is from; None
        where it was trained here and not saved.
    """

    models: tuple[OpenModel, ...]
    scope: Scope
    focus: KernelRef | None
    display: Display
    charts: Charts
    position: float
    marks: Marks
    autoencoders: Mapping[Size, Autoencoder]
    chosen: Mapping[Size, Path | None]

    def differs_from(self, other: Work) -> bool:
        """Whether any value is another; they are compared by identity."""
        return any(
            getattr(self, name) is not getattr(other, name) for name in self.__slots__
        )

    @property
    def gist(self) -> Gist:
        """What of it would be lost."""
        return Gist(
            tuple((model.id, ref(model.bank)) for model in self.models),
            self.marks,
            {size: id(self.autoencoders[size]) for size in self.chosen},
        )

    def is_saved_as(self, saved: Gist | None) -> bool:
        """Whether nothing would be lost if only ``saved`` were kept.

        Networks, autoencoders, stretches, thresholds and the selection are work; what
        is merely looked at is not. Without ``saved``, opened files are no work either.
        """
        if saved is None:
            return self.marks.are_blank and None not in self.chosen.values()
        return self.gist == saved
