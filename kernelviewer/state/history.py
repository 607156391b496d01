"""Undo and redo of frozen snapshots."""

from __future__ import annotations

from typing import Generic, TypeVar

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
        self._past: list[T] = [first]
        self._future: list[T] = []

    @property
    def now(self) -> T:
        """The current snapshot."""
        return self._past[-1]

    @property
    def can_undo(self) -> bool:
        """Whether there is something to take back."""
        return len(self._past) > 1

    @property
    def can_redo(self) -> bool:
        """Whether there is something taken back."""
        return bool(self._future)

    def push(self, snapshot: T) -> None:
        """Add a snapshot after the current one; what was taken back is lost."""
        self._past.append(snapshot)
        self._future.clear()
        del self._past[:-DEPTH]

    def replace(self, snapshot: T) -> None:
        """Put a snapshot in the place of the current one, as while dragging."""
        self._past[-1] = snapshot

    def drop(self) -> None:
        """Forget the current snapshot, as when a drag is given up."""
        if self.can_undo:
            self._past.pop()

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
