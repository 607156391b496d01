"""What a `kernelviewer.formats.pickle_machine.PickleMachine` has read and holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kernelviewer.formats.pickle_values import Global, Span, Stub

if TYPE_CHECKING:
    import mmap
    from collections.abc import Callable, Mapping

    from kernelviewer.formats.pickle_values import Readable

    Buffer = bytes | mmap.mmap
    Builder = Callable[..., object]

LONG_STRING = 4096
"""Longer strings stay in the file."""


class PickleState:
    """A pickle, how far it is read, and what opcodes work on.

    Parameters
    ----------
    data
        What holds the pickle.
    start, end
        Where it starts, and where it must have ended.
    origin, base
        Where long strings are read again later; ``data[i]`` is its byte ``base + i``.
    builders
        Descriptions of the functions that the pickle may ask for.
    persistent
        Turns a persistent id into a value.
    check
        Called now and then; raises to cancel.
    """

    def __init__(
        self,
        data: Buffer,
        start: int,
        end: int,
        *,
        origin: Readable,
        builders: Mapping[Global, Builder],
        persistent: Callable[[object], object],
        check: Callable[[], None],
        base: int = 0,
    ) -> None:
        self.data = data
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

    def take(self, count: int) -> bytes:
        """Read the next bytes."""
        start = self.position
        self.position = start + count
        if self.position > self.end:
            raise IndexError
        return self.data[start : self.position]

    def line(self) -> bytes:
        """Read up to the end of a line."""
        start = self.position
        stop = self.data.find(b"\n", start, self.end)
        if stop < 0:
            self.position = self.end + 1
            raise IndexError
        self.position = stop + 1
        return self.data[start:stop]

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
        return Span(self.origin, self.base + start, count, text)

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
