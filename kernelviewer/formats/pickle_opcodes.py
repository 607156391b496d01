"""What opcodes of a pickle do to a `PickleState`: stack, numbers, strings, memory.

The others, which build containers and objects, are in `pickle_objects`.
"""

from __future__ import annotations

import re
import struct
from typing import TYPE_CHECKING

from kernelviewer.formats.pickle_state import LONG_STRING

if TYPE_CHECKING:
    from collections.abc import Callable

    from kernelviewer.formats.pickle_state import PickleState

    Handler = Callable[[PickleState], object]

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
    """Give what an escape in a string of Python 2 stands for."""
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
