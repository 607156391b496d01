"""An interpreter of pickles in which nothing happens.

It follows the opcodes of protocols 0 to 5 but never imports, calls or builds what they
name: known functions are described by `pickle_values`, all else becomes a `Stub`. Long
strings stay in the file. Time and memory are bounded by the pickle's own size: the memo
is a dictionary, so that a huge index costs nothing, and no opcode copies what an
earlier one collected.
"""

from __future__ import annotations

import re
import struct
from typing import TYPE_CHECKING, Any

from kernelviewer.formats.errors import DamagedError
from kernelviewer.formats.torch.pickle_values import (
    Global,
    NumpyArray,
    NumpyType,
    Span,
    Stub,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from kernelviewer.formats.source import Data
    from kernelviewer.formats.torch.pickle_values import Readable
    from kernelviewer.watch import Watch

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
        watch: Watch,
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
        self.watch = watch
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
        """True if a part of the pickle lies behind the window."""
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


_MAX_INTEGER_BYTES = 1024
_ESCAPE = re.compile(rb"\\(x[0-9a-fA-F]{2}|.)", re.DOTALL)
_LETTERS = {b"n": b"\n", b"r": b"\r", b"t": b"\t"}
_unsigned2 = struct.Struct("<H").unpack_from
_unsigned4 = struct.Struct("<I").unpack_from
_signed4 = struct.Struct("<i").unpack_from


class Stop(Exception):
    """The pickle's end."""


def _unknown(m: PickleState) -> None:
    """Refuse a byte that is no opcode."""
    raise ValueError


if TYPE_CHECKING:
    Handler = Callable[[PickleState], object]

HANDLERS: list[Handler] = [_unknown] * 256
"""Opcode → what it does."""


def opcode(*codes: bytes) -> Callable[[Handler], Handler]:
    """Enter a function into `HANDLERS`."""

    def enter(handler: Handler) -> Handler:
        for code in codes:
            HANDLERS[code[0]] = handler
        return handler

    return enter


def opcodes(method: Callable[[PickleState, int], object], **numbers: bytes) -> None:
    """Enter one function for opcodes that differ in a number, given as ``n4=code``."""
    for number, code in numbers.items():
        HANDLERS[code[0]] = _with(method, int(number[1:]))


def _with(method: Callable[[PickleState, int], object], number: int) -> Handler:
    """Fix a handler's number."""
    return lambda m: method(m, number)


@opcode(b".")
def _stop(m: PickleState) -> None:
    raise Stop


@opcode(b"(")
def _mark(m: PickleState) -> None:
    m.marks.append(m.stack)
    m.stack = []


@opcode(b"0")
def _pop(m: PickleState) -> None:
    if m.stack:
        m.stack.pop()
    else:
        m.group()


@opcode(b"1")
def _pop_mark(m: PickleState) -> None:
    m.group()


@opcode(b"2")
def _duplicate(m: PickleState) -> None:
    m.stack.append(m.stack[-1])


@opcode(b"\x80")
def _protocol(m: PickleState) -> None:
    m.position += 1


@opcode(b"\x95")
def _frame(m: PickleState) -> None:
    m.position += 8


@opcode(b"\x98")
def _read_only(m: PickleState) -> None:
    """Leave the top value as it is."""


# Numbers and constants

opcode(b"N")(lambda m: m.stack.append(None))
opcode(b"\x88")(lambda m: m.stack.append(True))
opcode(b"\x89")(lambda m: m.stack.append(False))


@opcode(b"M")
def _short(m: PickleState) -> None:
    m.stack.append(_unsigned2(m.data, m.position)[0])
    m.position += 2


@opcode(b"K")
def _byte(m: PickleState) -> None:
    m.stack.append(m.data[m.position])
    m.position += 1


@opcode(b"J")
def _integer(m: PickleState) -> None:
    m.stack.append(_signed4(m.data, m.position)[0])
    m.position += 4


def _long(m: PickleState, width: int) -> None:
    count = m.unsigned(width)
    if count > _MAX_INTEGER_BYTES:
        raise ValueError
    m.stack.append(int.from_bytes(m.take(count), "little", signed=True))


opcodes(_long, n1=b"\x8a", n4=b"\x8b")


@opcode(b"I", b"L")
def _text_integer(m: PickleState) -> None:
    line = m.line().rstrip(b"L")
    booleans = {b"00": False, b"01": True}
    m.stack.append(booleans[line] if line in booleans else int(line))


@opcode(b"G")
def _real(m: PickleState) -> None:
    m.stack.append(struct.unpack(">d", m.take(8))[0])


@opcode(b"F")
def _text_real(m: PickleState) -> None:
    m.stack.append(float(m.line()))


# Strings


@opcode(b"X")
def _usual_text(m: PickleState) -> None:
    start = m.position + 4
    (count,) = _unsigned4(m.data, m.position)
    m.position = start
    if count > LONG_STRING:
        m.stack.append(m.string(count, text=True))
    else:
        m.position = start + count
        raw = m.data[start : m.position]
        m.stack.append(raw.decode("utf-8", "surrogatepass"))


def _text(m: PickleState, width: int) -> None:
    m.stack.append(m.string(m.unsigned(width), text=True))


def _bytes(m: PickleState, width: int) -> None:
    m.stack.append(m.string(m.unsigned(width), text=False))


def _python2_string(m: PickleState, width: int) -> None:
    """Push what Python 2 called a string: text if it is short, else bytes."""
    raw = m.string(m.unsigned(width), text=False)
    m.stack.append(raw.decode("latin-1") if isinstance(raw, bytes) else raw)


opcodes(_text, n1=b"\x8c", n8=b"\x8d")
opcodes(_bytes, n4=b"B", n1=b"C", n8=b"\x8e")
opcodes(_bytes, n8=b"\x96")
opcodes(_python2_string, n4=b"T", n1=b"U")


@opcode(b"S")
def _text_string(m: PickleState) -> None:
    quoted = m.line().strip()
    if len(quoted) < 2 or quoted[0] != quoted[-1]:
        raise ValueError
    m.stack.append(_ESCAPE.sub(_unescaped, quoted[1:-1]).decode("latin-1"))


def _unescaped(match: re.Match[bytes]) -> bytes:
    """The sign that an escape in a string of Python 2 stands for."""
    code = match[1]
    if code[:1] == b"x":
        return bytes([int(code[1:], 16)])
    return _LETTERS.get(code, code)


@opcode(b"V")
def _text_unicode(m: PickleState) -> None:
    m.stack.append(m.line().decode("raw-unicode-escape"))


# Memory


@opcode(b"q")
def _store_byte(m: PickleState) -> None:
    m.memo[m.data[m.position]] = m.stack[-1]
    m.position += 1


@opcode(b"r")
def _store_long(m: PickleState) -> None:
    m.memo[_unsigned4(m.data, m.position)[0]] = m.stack[-1]
    m.position += 4


@opcode(b"p")
def _store_text(m: PickleState) -> None:
    m.memo[int(m.line())] = m.stack[-1]


@opcode(b"\x94")
def _store_next(m: PickleState) -> None:
    m.memo[len(m.memo)] = m.stack[-1]


@opcode(b"h")
def _fetch_byte(m: PickleState) -> None:
    m.stack.append(m.memo[m.data[m.position]])
    m.position += 1


@opcode(b"j")
def _fetch_long(m: PickleState) -> None:
    m.stack.append(m.memo[_unsigned4(m.data, m.position)[0]])
    m.position += 4


opcode(b"g")(lambda m: m.stack.append(m.memo[int(m.line())]))


__all__ = ["HANDLERS"]

_MAX_MERGED = 1000
_SCALARS = frozenset({str, int, float, bool, bytes, type(None), Global})

# Containers

opcode(b"]", b"\x8f")(lambda m: m.stack.append([]))
opcode(b"}")(lambda m: m.stack.append({}))
opcode(b")")(lambda m: m.stack.append(()))


@opcode(b"t")
def _tuple(m: PickleState) -> None:
    found = tuple(m.stack)
    m.stack = m.marks.pop()
    m.stack.append(found)


def _tuple_of(m: PickleState, count: int) -> None:
    if len(m.stack) < count:
        raise IndexError
    m.stack[-count:] = [tuple(m.stack[-count:])]


opcodes(_tuple_of, n1=b"\x85", n2=b"\x86", n3=b"\x87")


@opcode(b"l", b"\x91")
def _list(m: PickleState) -> None:
    """Push the group as a list; sets too, so that nothing need be hashed."""
    found = m.group()
    m.stack.append(found)


@opcode(b"d")
def _dictionary(m: PickleState) -> None:
    found = m.group()
    made: dict[Any, Any] = {}
    _set_items(made, found)
    m.stack.append(made)


@opcode(b"a")
def _append(m: PickleState) -> None:
    value = m.stack.pop()
    _extend(m.stack[-1], [value])


@opcode(b"e", b"\x90")
def _appends(m: PickleState) -> None:
    found = m.group()
    _extend(m.stack[-1], found)


@opcode(b"s")
def _item(m: PickleState) -> None:
    value = m.stack.pop()
    key = m.stack.pop()
    _set_items(m.stack[-1], [key, value])


@opcode(b"u")
def _items(m: PickleState) -> None:
    found = m.group()
    _set_items(m.stack[-1], found)


def _extend(target: object, values: list[Any]) -> None:
    """Append to a list, or to a stand-in for one."""
    if isinstance(target, Stub):
        target.items = target.items or []
        target = target.items
    if not isinstance(target, list):
        raise TypeError
    target.extend(values)


def _set_items(target: object, found: list[Any]) -> None:
    """Set alternating keys and values."""
    if isinstance(target, Stub):
        target.mapping = target.mapping or {}
        target = target.mapping
    if not isinstance(target, dict) or len(found) % 2:
        raise TypeError
    for key, value in zip(found[::2], found[1::2], strict=True):
        target[key if type(key) is str else _key(key)] = value


def _key(key: Any) -> Any:
    """Make a key safe to hash: deeply nested tuples exhaust the C stack."""
    if type(key) in _SCALARS:
        return key
    if isinstance(key, tuple) and all(type(item) in _SCALARS for item in key):
        return key
    return Stub(Global("", "key"), key)


# Classes, functions, objects


@opcode(b"c")
def _global(m: PickleState) -> None:
    module = m.line().decode()
    m.stack.append(m.named(module, m.line().decode()))


@opcode(b"\x93")
def _stack_global(m: PickleState) -> None:
    name = m.stack.pop()
    m.stack.append(m.named(m.stack.pop(), name))


def _extension(m: PickleState, width: int) -> None:
    m.stack.append(m.named("copyreg", f"extension {m.unsigned(width)}"))


opcodes(_extension, n1=b"\x82", n2=b"\x83", n4=b"\x84")


@opcode(b"R", b"\x81")
def _reduce(m: PickleState) -> None:
    arguments = m.stack.pop()
    m.stack.append(m.described(m.stack.pop(), arguments))


@opcode(b"\x92")
def _new_with_keywords(m: PickleState) -> None:
    keywords = m.stack.pop()
    arguments = m.stack.pop()
    stub = Stub(m.stack.pop(), arguments)
    if isinstance(keywords, dict):
        stub.state = keywords
    m.stack.append(stub)


@opcode(b"i")
def _text_instance(m: PickleState) -> None:
    arguments = tuple(m.group())
    module = m.line().decode()
    kind = m.named(module, m.line().decode())
    m.stack.append(m.described(kind, arguments))


@opcode(b"o")
def _instance(m: PickleState) -> None:
    kind, *arguments = m.group()
    m.stack.append(m.described(kind, tuple(arguments)))


@opcode(b"b")
def _build(m: PickleState) -> None:
    """Keep an object's attributes; those of dictionaries and tensors don't matter."""
    state = m.stack.pop()
    target = m.stack[-1]
    if isinstance(target, Stub):
        target.state = target.state or _attributes(state)
    elif isinstance(target, NumpyType):
        target.big_endian = len(state) > 1 and state[1] == ">"
    elif isinstance(target, NumpyArray):
        _, target.shape, dtype, target.fortran, target.data = state
        target.dtype, target.big_endian = dtype.code, dtype.big_endian


def _attributes(state: Any) -> dict[Any, Any]:
    """Attributes of a state: a dictionary, or a pair of them (with ``__slots__``)."""
    if isinstance(state, dict):
        return state
    if isinstance(state, tuple) and len(state) == 2:
        usual, slots = (part if isinstance(part, dict) else {} for part in state)
        if usual and slots and len(usual) + len(slots) <= _MAX_MERGED:
            return {**usual, **slots}
        if usual or slots:
            return usual or slots
    return {"": state}


@opcode(b"Q")
def _refer(m: PickleState) -> None:
    m.stack.append(m.persistent(m.stack.pop()))


@opcode(b"P")
def _text_refer(m: PickleState) -> None:
    m.stack.append(m.persistent(m.line().decode()))


MAX_OPCODES = 3_000_000


class PickleMachine(PickleState):
    """Interprets one pickle, which `PickleState` describes."""

    def run(self) -> Any:
        """Interpret up to STOP; `place` is then behind it.

        Raises
        ------
        DamagedError
            It is no pickle, or a broken one.
        """
        handlers = HANDLERS
        left = MAX_OPCODES
        try:
            while left > 0:
                self.watch.check()
                burst = self.ready()
                left -= burst
                for _ in range(burst):
                    opcode = self.data[self.position]
                    self.position += 1
                    handlers[opcode](self)
        except Stop:
            if self.position > self.end or not self.stack:
                raise DamagedError(_CUT_OFF) from None
            return self.stack.pop()
        except _NONSENSE:
            cut_off = self.position > self.end
            raise DamagedError(_CUT_OFF if cut_off else _DAMAGED) from None
        raise DamagedError(
            f"its list of contents (a pickle) has more than {MAX_OPCODES:,} entries",
            "Re-save the weights alone, best as safetensors.",
        )


_DAMAGED = "its list of contents (a pickle) is damaged"
_CUT_OFF = "its list of contents (a pickle) is cut off"
_NONSENSE = (
    *(IndexError, KeyError, ValueError, TypeError, AttributeError, OverflowError),
    struct.error,
)
