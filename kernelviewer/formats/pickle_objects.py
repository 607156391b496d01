"""What opcodes of a pickle do to a `PickleState`: containers and objects.

`HANDLERS` is complete once this module is imported.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kernelviewer.formats.pickle_opcodes import HANDLERS, opcode, opcodes
from kernelviewer.formats.pickle_values import Global, NumpyArray, NumpyType, Stub

if TYPE_CHECKING:
    from kernelviewer.formats.pickle_state import PickleState

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
