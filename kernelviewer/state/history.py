"""Undo and redo of frozen snapshots, each with the name of the act that made it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

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
