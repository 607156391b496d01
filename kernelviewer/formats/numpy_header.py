"""The header of a ``.npy`` array: number type and shape. Nothing is unpickled."""

from __future__ import annotations

import ast
import math
import re
from dataclasses import dataclass

from kernelviewer.formats.damage import DamagedError
from kernelviewer.formats.dtypes import ITEMSIZE

MAGIC = b"\x93NUMPY"
MAX_HEADER = 10_000
"""Bytes; numpy refuses longer ones too."""

_DESCRIPTION = re.compile(r"([<>|=])([a-zA-Z?])(\d*)")
_KINDS = {"f": "float", "i": "int", "u": "uint", "c": "complex"}


@dataclass(frozen=True, slots=True)
class Header:
    """What an array's header says; the values start after ``length`` bytes.

    ``dtype`` is empty where ``problem`` says why its values are not read.
    """

    shape: tuple[int, ...]
    dtype: str
    big_endian: bool
    fortran: bool
    length: int
    problem: str = ""

    @property
    def stored(self) -> int:
        """Bytes of the values."""
        return math.prod(self.shape) * ITEMSIZE[self.dtype]


def read_header(data: bytes) -> Header:
    """Read the header from the first bytes of an array.

    Raises
    ------
    DamagedError
        It is no header or makes no sense.
    """
    wide = data[6:7] != b"\x01"
    start = 12 if wide else 10
    length = int.from_bytes(data[8:start], "little")
    if not data.startswith(MAGIC) or length > MAX_HEADER or start + length > len(data):
        msg = "its header is cut off or damaged"
        raise DamagedError(msg)
    try:
        fields = ast.literal_eval(data[start : start + length].decode("utf-8"))
        shape, fortran = fields["shape"], bool(fields["fortran_order"])
        description = fields["descr"]
    except (ValueError, SyntaxError, KeyError, TypeError, RecursionError, MemoryError):
        msg = "its header is damaged"
        raise DamagedError(msg) from None
    valid = isinstance(shape, tuple) and len(shape) <= 32
    if not valid or not all(type(size) is int and size >= 0 for size in shape):
        msg = "its header claims a shape that no array has"
        raise DamagedError(msg)
    dtype, problem = _number_type(description)
    big_endian = isinstance(description, str) and description.startswith(">")
    return Header(shape, dtype, big_endian, fortran, start + length, problem)


def _number_type(description: object) -> tuple[str, str]:
    """Name of the number type, or an empty name and why it is not read."""
    text = description if isinstance(description, str) else ""
    found = _DESCRIPTION.fullmatch(text)
    if found is None:
        return "", "it is a table of records, not an array of numbers"
    kind, size = found[2], int(found[3] or "1")
    if kind == "O":
        return "", "it holds Python objects, which are never loaded"
    if kind == "V" and size == 2:
        return "bfloat16", ""  # numpy's name for numbers that it does not know
    name = "bool" if kind in "b?" else f"{_KINDS.get(kind, kind)}{8 * size}"
    if kind in "SU":
        return "", "it holds text, no numbers"
    if name not in ITEMSIZE:
        return "", f"its number type, {name}, is not read: save it as float32"
    return name, ""
