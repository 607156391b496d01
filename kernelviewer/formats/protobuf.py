"""Protocol-buffer bytes, walked in place: only what is asked for is read.

Reading ONNX needs five of protobuf's rules, so the library (which parses and copies
the whole file, weights included) is not needed.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import numpy as np

from kernelviewer.formats.errors import DamagedError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from kernelviewer.formats.source import Data


Span = tuple[int, int]
"""Where a piece of the file starts and ends."""

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
"""Wire types. Groups (3 and 4) were never used by ONNX."""

_CUT = "a part of it reaches beyond the end: the file is cut off or damaged"
_MAX_TEXT = 1 << 16
_MAX_VALUES = 16_384  # of a repeated number that is read at once: shapes, axes, pads


def varint(data: Data, at: int, end: int) -> tuple[int, int]:
    """Read one variable-length number; returns it and where it ends."""
    if at < end and (byte := data[at]) < 0x80:  # nearly all of them: twice as fast
        return byte, at + 1
    value = 0
    for shift in range(0, 70, 7):
        if at >= end:
            raise DamagedError(_CUT)
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value & 0xFFFF_FFFF_FFFF_FFFF, at
    raise DamagedError("a number in it never ends")


def fields(data: Data, span: Span) -> Iterator[tuple[int, int, int, int]]:
    """Walk the fields of one message.

    Yields
    ------
    Field number, wire type, and two numbers: the value and 0 (`VARINT`), else where
    the field's content starts and ends.
    """
    at, end = span
    while at < end:
        tag, at = varint(data, at, end)
        number, wire = tag >> 3, tag & 7
        if wire == VARINT:
            value, at = varint(data, at, end)
            yield number, wire, value, 0
            continue
        if wire == BYTES:
            length, at = varint(data, at, end)
        elif wire in (FIXED32, FIXED64):
            length = 4 if wire == FIXED32 else 8
        else:
            raise DamagedError("it holds a kind of field that no such file has")
        if length > end - at:
            raise DamagedError(_CUT)
        yield number, wire, at, at + length
        at += length


def text(data: Data, start: int, end: int) -> str:
    """A string field, as far as a name may be long."""
    return data[start : min(end, start + _MAX_TEXT)].decode("utf-8", errors="replace")


def signed(value: int) -> int:
    """The number meant by a varint of type int32 or int64."""
    return value - (1 << 64) if value >= 1 << 63 else value


def integers(data: Data, wire: int, a: int, b: int) -> list[int]:
    """Signed numbers of one occurrence of a repeated field, packed or not."""
    if wire == VARINT:
        return [signed(a)]
    values = []
    while a < b:
        value, a = varint(data, a, b)
        values.append(signed(value))
        if len(values) > _MAX_VALUES:
            raise DamagedError("a list of sizes in it is absurdly long")
    return values


def floats(data: Data, wire: int, a: int, b: int) -> list[float]:
    """float32 numbers of one occurrence of a repeated field, packed or not."""
    if wire not in (FIXED32, BYTES) or (b - a) % 4 or b - a > 4 * _MAX_VALUES:
        raise DamagedError("a list of numbers in it is damaged")
    return list(struct.unpack(f"<{(b - a) // 4}f", data[a:b]))


def count_varints(data: Data, start: int, end: int) -> int:
    """How many packed variable-length numbers there are."""
    return len(data[start:end].translate(None, bytes(range(128, 256))))


def unpack_varints(raw: NDArray[np.uint8], count: int) -> NDArray[np.int64]:
    """Packed variable-length numbers as int64 [count], without a Python loop.

    Parameters
    ----------
    raw
        uint8: the packed bytes.
    count
        How many numbers there must be.
    """
    last = raw < 0x80
    ends = np.flatnonzero(last)
    if len(ends) != count or (count and ends[-1] != len(raw) - 1):
        msg = "a weight in it has another number of values than its shape says"
        raise DamagedError(msg)
    if not count:
        return np.empty(0, np.int64)
    starts = np.concatenate([[0], ends[:-1] + 1])
    place = np.arange(len(raw)) - np.repeat(starts, ends - starts + 1)
    if place.max() > 9:
        raise DamagedError("a number in it never ends")
    digits = (raw & 0x7F).astype(np.uint64) << (7 * place).astype(np.uint64)
    return np.add.reduceat(digits, starts).view(np.int64)
