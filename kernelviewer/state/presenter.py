"""Turns the document into one view state and shows what changed in it."""

from __future__ import annotations

from dataclasses import fields
from operator import attrgetter
from typing import TYPE_CHECKING, Protocol

from kernelviewer.kernels.classes import show_classes
from kernelviewer.state.memo import same
from kernelviewer.state.view_state import ViewState, resolve
from kernelviewer.state.work import Work

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kernelviewer.state.document import Document

PARTS = tuple(item.name for item in fields(ViewState) if item.name != "work")
WORK = tuple(f"work.{item.name}" for item in fields(Work))
"""Parts of the document's own work, for those that nothing else is derived from."""
_READ = {name: attrgetter(name) for name in (*PARTS, *WORK)}
MOST_ROUNDS = 20
"""Views that are shown a change may make another; more of it would never end."""


class Shows(Protocol):
    """Keeps one view, or some, equal to the view state."""

    def show(self, state: ViewState) -> None:
        """Show the state; nothing of it is kept but what can be derived again."""


class Presenter:
    """Keeps views equal to the document.

    Those that are hidden are left alone until they can be seen again, unless a network
    was closed, whose kernels nobody shall hold. Those of another step of a run may be
    held until `show_hidden` is called.

    Attributes
    ----------
    holds_steps
        Whether hidden views may hold kernels of steps that no run stands on any more.
    """

    def __init__(self, document: Document) -> None:
        self.document = document
        self.state = resolve(document, None)
        show_classes(self.state.own_classes)
        self._reads: dict[Shows, frozenset[str]] = {}
        self._behind: set[Shows] = set()
        self._hidden: set[Shows] = set()
        self._is_showing = self._is_stale = self._is_forced = False
        self.holds_steps = False
        document.changed.connect(self.refresh)

    def add(self, view: Shows, reads: Iterable[str]) -> None:
        """Show a view from now on, whenever one of these parts of the state changed."""
        self._reads[view] = frozenset(reads)
        if unknown := self._reads[view] - _READ.keys():
            raise ValueError(f"the view state has no {', '.join(sorted(unknown))}")
        self.show_again(view)

    def refresh(self) -> None:
        """Show what changed since the last time."""
        self._is_stale = True
        self._show()

    def show_again(self, view: Shows) -> None:
        """Show a view for a reason of its own, as soon as it can be seen."""
        self._behind.add(view)
        self._show()

    def set_hidden(self, view: Shows, hidden: bool) -> None:
        """Say whether a view can be seen; what it missed is shown once it can."""
        if hidden:
            self._hidden.add(view)
        else:
            self._hidden.discard(view)
            self._show()

    def show_hidden(self) -> None:
        """Show all that is behind, also where nobody sees it."""
        self._is_forced, self.holds_steps = True, False
        self._show()

    def _show(self) -> None:
        """Show whoever is behind, and again as long as views change the document.

        Asked for while views are shown, it is done by who shows them. A view that
        fails leaves no other behind.
        """
        if self._is_showing:
            return
        self._is_showing = True
        changed: list[str] = []
        faults: list[Exception] = []
        try:
            for _ in range(MOST_ROUNDS):
                if self._is_stale:
                    changed = self._resolve()
                if not (due := self._due()):
                    break
                for view in due:
                    self._behind.discard(view)
                    try:
                        view.show(self.state)
                    except Exception as error:
                        faults.append(error)
            else:
                msg = f"views changed the document {MOST_ROUNDS} times while shown"
                raise RuntimeError(f"{msg}; at last {', '.join(changed)} changed")
        finally:
            self._is_showing = self._is_forced = False
        if faults:
            raise faults[0]

    def _due(self) -> list[Shows]:
        """Who is behind and can be seen, scope first and what stands on it after."""
        due = self._behind if self._is_forced else self._behind - self._hidden
        return [view for view in self._reads if view in due]

    def _resolve(self) -> list[str]:
        """Take the state from the document; the parts that changed, by name."""
        self._is_stale = False
        old, self.state = self.state, resolve(self.document, self.state)
        new = self.state
        show_classes(new.own_classes)
        changed = [name for name, of in _READ.items() if not same(of(old), of(new))]
        self._behind |= {v for v, read in self._reads.items() if read & {*changed}}
        before, now = ({(m.id, m.run or m.bank) for m in s.models} for s in (old, new))
        self._is_forced |= not before <= now
        self.holds_steps |= not {m.bank for m in old.models} <= {
            m.bank for m in new.models
        }
        return changed
