"""What each opcode of a pickle does to a `PickleMachine`."""

from __future__ import annotations

import codecs
import struct
from typing import TYPE_CHECKING, Any

from kernelviewer.formats.pickle_values import Global, NumpyArray, NumpyType, Stub

if TYPE_CHECKING:
    from collections.abc import Callable

    from kernelviewer.formats.pickle_machine import PickleMachine

    Handler = Callable[[PickleMachine], object]

_MAX_INTEGER_BYTES = 1024
_MAX_MERGED = 1000
_SCALARS = frozenset({str, int, float, bool, bytes, type(None), Global})


class Stop(Exception):
    """The pickle's end."""


def _unknown(m: PickleMachine) -> None:
    """Refuse a byte that is no opcode."""
    raise ValueError


HANDLERS: list[Handler] = [_unknown] * 256
"""Opcode → what it does."""


def _opcode(*codes: bytes) -> Callable[[Handler], Handler]:
    """Enter a function into `HANDLERS`."""

    def enter(handler: Handler) -> Handler:
        for code in codes:
            HANDLERS[code[0]] = handler
        return handler

    return enter


def _opcodes(method: Callable[[PickleMachine, int], object], **numbers: bytes) -> None:
    """Enter one function for opcodes that differ in a number, given as ``n4=code``."""
    for number, code in numbers.items():
        HANDLERS[code[0]] = _with(method, int(number[1:]))


def _with(method: Callable[[PickleMachine, int], object], number: int) -> Handler:
    """Fix a handler's number."""
    return lambda m: method(m, number)


@_opcode(b".")
def _stop(m: PickleMachine) -> None:
    raise Stop


@_opcode(b"(")
def _mark(m: PickleMachine) -> None:
    m.marks.append(m.stack)
    m.stack = []


@_opcode(b"0")
def _pop(m: PickleMachine) -> None:
    if m.stack:
        m.stack.pop()
    else:
        m.group()


@_opcode(b"1")
def _pop_mark(m: PickleMachine) -> None:
    m.group()


@_opcode(b"2")
def _duplicate(m: PickleMachine) -> None:
    m.stack.append(m.stack[-1])


@_opcode(b"\x80")
def _protocol(m: PickleMachine) -> None:
    m.position += 1


@_opcode(b"\x95")
def _frame(m: PickleMachine) -> None:
    m.position += 8


@_opcode(b"\x98")
def _read_only(m: PickleMachine) -> None:
    """Leave the top value as it is."""


# Numbers and constants

_opcode(b"N")(lambda m: m.stack.append(None))
_opcode(b"\x88")(lambda m: m.stack.append(True))
_opcode(b"\x89")(lambda m: m.stack.append(False))
_opcode(b"M")(lambda m: m.stack.append(m.unsigned(2)))


@_opcode(b"K")
def _byte(m: PickleMachine) -> None:
    m.stack.append(m.data[m.position])
    m.position += 1


@_opcode(b"J")
def _integer(m: PickleMachine) -> None:
    m.stack.append(int.from_bytes(m.take(4), "little", signed=True))


def _long(m: PickleMachine, width: int) -> None:
    count = m.unsigned(width)
    if count > _MAX_INTEGER_BYTES:
        raise ValueError
    m.stack.append(int.from_bytes(m.take(count), "little", signed=True))


_opcodes(_long, n1=b"\x8a", n4=b"\x8b")


@_opcode(b"I", b"L")
def _text_integer(m: PickleMachine) -> None:
    line = m.line().rstrip(b"L")
    booleans = {b"00": False, b"01": True}
    m.stack.append(booleans[line] if line in booleans else int(line))


@_opcode(b"G")
def _real(m: PickleMachine) -> None:
    m.stack.append(struct.unpack(">d", m.take(8))[0])


@_opcode(b"F")
def _text_real(m: PickleMachine) -> None:
    m.stack.append(float(m.line()))


# Strings


def _text(m: PickleMachine, width: int) -> None:
    m.stack.append(m.string(m.unsigned(width), text=True))


def _bytes(m: PickleMachine, width: int) -> None:
    m.stack.append(m.string(m.unsigned(width), text=False))


def _python2_string(m: PickleMachine, width: int) -> None:
    """Push what Python 2 called a string: text if it is short, else bytes."""
    raw = m.string(m.unsigned(width), text=False)
    m.stack.append(raw.decode("latin-1") if isinstance(raw, bytes) else raw)


_opcodes(_text, n4=b"X", n1=b"\x8c", n8=b"\x8d")
_opcodes(_bytes, n4=b"B", n1=b"C", n8=b"\x8e")
_opcodes(_bytes, n8=b"\x96")
_opcodes(_python2_string, n4=b"T", n1=b"U")


@_opcode(b"S")
def _text_string(m: PickleMachine) -> None:
    quoted = m.line().strip()
    if len(quoted) < 2 or quoted[0] != quoted[-1]:
        raise ValueError
    raw: bytes = codecs.escape_decode(quoted[1:-1])[0]
    m.stack.append(raw.decode("latin-1"))


@_opcode(b"V")
def _text_unicode(m: PickleMachine) -> None:
    m.stack.append(m.line().decode("raw-unicode-escape"))


# Containers

_opcode(b"]", b"\x8f")(lambda m: m.stack.append([]))
_opcode(b"}")(lambda m: m.stack.append({}))
_opcode(b")")(lambda m: m.stack.append(()))


@_opcode(b"t")
def _tuple(m: PickleMachine) -> None:
    found = tuple(m.group())
    m.stack.append(found)


def _tuple_of(m: PickleMachine, count: int) -> None:
    if len(m.stack) < count:
        raise IndexError
    m.stack[-count:] = [tuple(m.stack[-count:])]


_opcodes(_tuple_of, n1=b"\x85", n2=b"\x86", n3=b"\x87")


@_opcode(b"l", b"\x91")
def _list(m: PickleMachine) -> None:
    """Push the group as a list; sets too, so that nothing need be hashed."""
    found = m.group()
    m.stack.append(found)


@_opcode(b"d")
def _dictionary(m: PickleMachine) -> None:
    found = m.group()
    made: dict[Any, Any] = {}
    _set_items(made, found)
    m.stack.append(made)


@_opcode(b"a")
def _append(m: PickleMachine) -> None:
    value = m.stack.pop()
    _extend(m.stack[-1], [value])


@_opcode(b"e", b"\x90")
def _appends(m: PickleMachine) -> None:
    found = m.group()
    _extend(m.stack[-1], found)


@_opcode(b"s")
def _item(m: PickleMachine) -> None:
    value = m.stack.pop()
    key = m.stack.pop()
    _set_items(m.stack[-1], [key, value])


@_opcode(b"u")
def _items(m: PickleMachine) -> None:
    found = m.group()
    _set_items(m.stack[-1], found)


def _extend(target: object, values: list[Any]) -> None:
    """Append to a list, or to a stand-in for one."""
    if isinstance(target, Stub):
        target = target.items
    if not isinstance(target, list):
        raise TypeError
    target.extend(values)


def _set_items(target: object, found: list[Any]) -> None:
    """Set alternating keys and values."""
    if isinstance(target, Stub):
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


# Memory


@_opcode(b"q")
def _store_byte(m: PickleMachine) -> None:
    m.memo[m.data[m.position]] = m.stack[-1]
    m.position += 1


@_opcode(b"r")
def _store_long(m: PickleMachine) -> None:
    m.memo[m.unsigned(4)] = m.stack[-1]


@_opcode(b"p")
def _store_text(m: PickleMachine) -> None:
    m.memo[int(m.line())] = m.stack[-1]


@_opcode(b"\x94")
def _store_next(m: PickleMachine) -> None:
    m.memo[len(m.memo)] = m.stack[-1]


@_opcode(b"h")
def _fetch_byte(m: PickleMachine) -> None:
    m.stack.append(m.memo[m.data[m.position]])
    m.position += 1


_opcode(b"j")(lambda m: m.stack.append(m.memo[m.unsigned(4)]))
_opcode(b"g")(lambda m: m.stack.append(m.memo[int(m.line())]))

# Classes, functions, objects


@_opcode(b"c")
def _global(m: PickleMachine) -> None:
    module = m.line().decode()
    m.stack.append(m.named(module, m.line().decode()))


@_opcode(b"\x93")
def _stack_global(m: PickleMachine) -> None:
    name = m.stack.pop()
    m.stack.append(m.named(m.stack.pop(), name))


def _extension(m: PickleMachine, width: int) -> None:
    m.stack.append(m.named("copyreg", f"extension {m.unsigned(width)}"))


_opcodes(_extension, n1=b"\x82", n2=b"\x83", n4=b"\x84")


@_opcode(b"R", b"\x81")
def _reduce(m: PickleMachine) -> None:
    arguments = m.stack.pop()
    m.stack.append(m.described(m.stack.pop(), arguments))


@_opcode(b"\x92")
def _new_with_keywords(m: PickleMachine) -> None:
    keywords = m.stack.pop()
    arguments = m.stack.pop()
    stub = Stub(m.stack.pop(), arguments)
    if isinstance(keywords, dict):
        stub.state = keywords
    m.stack.append(stub)


@_opcode(b"i")
def _text_instance(m: PickleMachine) -> None:
    arguments = tuple(m.group())
    module = m.line().decode()
    kind = m.named(module, m.line().decode())
    m.stack.append(m.described(kind, arguments))


@_opcode(b"o")
def _instance(m: PickleMachine) -> None:
    kind, *arguments = m.group()
    m.stack.append(m.described(kind, tuple(arguments)))


@_opcode(b"b")
def _build(m: PickleMachine) -> None:
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


@_opcode(b"Q")
def _refer(m: PickleMachine) -> None:
    m.stack.append(m.persistent(m.stack.pop()))


@_opcode(b"P")
def _text_refer(m: PickleMachine) -> None:
    m.stack.append(m.persistent(m.line().decode()))
