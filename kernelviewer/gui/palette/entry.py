"""One line of the palette."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kernelviewer.gui.palette.matching import score

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


@dataclass(frozen=True, slots=True)
class Entry:
    """Something that can be found and done.

    Attributes
    ----------
    kind
        What it is: ``Command``, ``Layer``, ``Class``, …
    title, note
        Its name, and what stands beside it.
    run, verb
        What Enter does, and the word for it.
    keys
        Its shortcut as people read it.
    enabled
        False: listed, but without effect for now.
    also
        Other names it is found by.
    other, other_verb
        What Shift+Enter does, if anything.
    """

    kind: str
    title: str
    run: Callable[[], object]
    verb: str = "run"
    note: str = ""
    keys: str = ""
    enabled: bool = True
    also: str = ""
    other: Callable[[], object] | None = None
    other_verb: str = ""

    @property
    def key(self) -> tuple[str, str, str]:
        """What tells it from others while the program runs."""
        return self.kind, self.title, self.note


def find(
    query: str, entries: Iterable[Entry], used: list[tuple[str, ...]]
) -> list[Entry]:
    """The entries that fit a query, best first; without one, the last used first.

    Parameters
    ----------
    used
        Keys of entries that were used, the last one first.
    """
    rank = {key: number for number, key in enumerate(used)}
    late = len(used)
    if not query.strip():
        return sorted(entries, key=lambda entry: rank.get(entry.key, late))
    found = []
    for entry in entries:
        points = score(query, entry.title, f"{entry.kind} {entry.note} {entry.also}")
        if points is not None:
            # what can be done comes before what cannot, what was used before the rest
            bonus = 5 * entry.enabled + 8 * (entry.key in rank)
            found.append((-points - bonus, entry))
    found.sort(key=lambda item: item[0])
    return [entry for _, entry in found]
