"""What a `kernelviewer.formats.pickle_machine.PickleMachine` has read and holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kernelviewer.formats.pickle_values import Global, Span, Stub

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from kernelviewer.formats.file_view import Data
    from kernelviewer.formats.pickle_values import Readable

    Builder = Callable[..., object]

LONG_STRING = 4096
"""Longer strings stay in the file."""
_LONGEST = LONG_STRING + 16  # bytes that one opcode takes, lines of text apart
_BURST = 4096
_FIRST_WINDOW, _LARGEST_WINDOW = 1 << 16, 1 << 20
_LONGEST_LINE = 1 << 26


class PickleState:
    """A pickle, how far it is read, and what opcodes work on.

    Opcodes look at `data`, which is in memory: all of the pickle or, where it lies in
    a large file, a window on it that moves on. `position` and `end` count from its
    start.

    Parameters
    ----------
    data
        What holds the pickle.
    start, end
        Where it starts, and where it must have ended.
    origin, base
        Where long strings are read again later; what is at ``i`` in the data is its
        byte ``base + i``.
    builders
        Descriptions of the functions that the pickle may ask for.
    persistent
        Turns a persistent id into a value.
    check
        Called now and then; raises to cancel.
    """

    def __init__(
        self,
        data: Data,
        start: int,
        end: int,
        *,
        origin: Readable,
        builders: Mapping[Global, Builder],
        persistent: Callable[[object], object],
        check: Callable[[], None],
        base: int = 0,
    ) -> None:
        self._view = None if isinstance(data, bytes) else data
        self._moved = 0
        self._window = _FIRST_WINDOW
        self.data = data if isinstance(data, bytes) else b""
        self.position = start
        self.end = end
        self.origin = origin
        self.base = base
        self.builders = builders
        self.persistent = persistent
        self.check = check
        self.stack: list[Any] = []
        self.marks: list[list[Any]] = []
        self.memo: dict[int, Any] = {}
        self.globals: dict[tuple[str, str], Global] = {}

    @property
    def place(self) -> int:
        """The position, counted from the start of the data as they were given."""
        return self._moved + self.position

    def ready(self) -> int:
        """How many opcodes can be interpreted before this is asked again."""
        if not self._has_more():
            return _BURST
        if len(self.data) - self.position < _LONGEST:
            self._move()
        room = (len(self.data) - self.position) // _LONGEST
        return min(max(1, room), _BURST) if self._has_more() else _BURST

    def _has_more(self) -> bool:
        """Whether a part of the pickle lies behind the window."""
        return self._view is not None and len(self.data) < self.end

    def _move(self) -> None:
        """Let the window start at the position."""
        if self._view is None:
            return
        self._moved += self.position
        self.base += self.position
        self.end -= self.position
        self.position = 0
        stop = self._moved + max(0, min(self._window, self.end))
        self.data = self._view[self._moved : stop]
        self._window = max(self._window, min(4 * self._window, _LARGEST_WINDOW))

    def take(self, count: int) -> bytes:
        """Read the next bytes."""
        start = self.position
        self.position = start + count
        if self.position > self.end:
            raise IndexError
        return self.data[start : self.position]

    def line(self) -> bytes:
        """Read up to the end of a line."""
        while (stop := self.data.find(b"\n", self.position, self.end)) < 0:
            if not self._has_more():
                self.position = self.end + 1
                raise IndexError
            if self._window > _LONGEST_LINE:
                raise ValueError
            self._window *= 2
            self._move()
        found = self.data[self.position : stop]
        self.position = stop + 1
        if len(found) > _LONGEST:
            self._move()
        return found

    def unsigned(self, count: int) -> int:
        """Read a little-endian number."""
        return int.from_bytes(self.take(count), "little")

    def string(self, count: int, *, text: bool) -> str | bytes | Span:
        """Read a string now if it is short, else remember where it is."""
        if count <= LONG_STRING:
            raw = self.take(count)
            return raw.decode("utf-8", "surrogatepass") if text else raw
        start = self.position
        self.position = start + count
        if self.position > self.end:
            raise IndexError
        found = Span(self.origin, self.base + start, count, text)
        self._move()
        return found

    def group(self) -> list[Any]:
        """Take what was pushed since the last mark."""
        found = self.stack
        self.stack = self.marks.pop()
        return found

    def named(self, module: object, name: object) -> Global:
        """Note a class or function."""
        if not (isinstance(module, str) and isinstance(name, str)):
            raise TypeError
        found = self.globals.get((module, name))
        if found is None:
            found = self.globals[module, name] = Global(module, name)
        return found

    def described(self, function: object, arguments: object) -> object:
        """Describe what ``function(*arguments)`` would have made."""
        if isinstance(function, Global) and isinstance(arguments, tuple):
            builder = self.builders.get(function)
            if builder is not None:
                return builder(*arguments)
        return Stub(function, arguments)
