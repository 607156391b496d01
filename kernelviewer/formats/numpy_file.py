"""NumPy arrays: ``.npz`` archives and single ``.npy`` files, never unpickled."""

from __future__ import annotations

import ast
import math
import re
import zlib
from dataclasses import dataclass
from pathlib import PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING

import numpy as np

from kernelviewer.formats.checkpoint import Checkpoint
from kernelviewer.formats.containers.zip_directory import (
    DEFLATED,
    ZIP_MAGIC,
    ZipRecord,
    zip_records,
)
from kernelviewer.formats.errors import CheckpointError, DamagedError, damage_named
from kernelviewer.formats.network.layout import arrange, no_weights
from kernelviewer.formats.source import Reader
from kernelviewer.formats.stored import ITEMSIZE, Leaf, decode

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from kernelviewer.formats.source import Options, Source

    Read = Callable[[int, int], NDArray[np.uint8]]


MAGIC = b"\x93NUMPY"
MAX_HEADER = 10_000
"""Bytes; numpy refuses longer ones too."""

_DESCRIPTION = re.compile(r"([<>|=])([a-zA-Z?])(\d*)")
_KINDS = {"f": "float", "i": "int", "u": "uint", "c": "complex"}


@dataclass(frozen=True, slots=True)
class Header:
    """The facts of an array's header; the values start after ``length`` bytes.

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
        raise DamagedError("its header is cut off or damaged")
    try:
        fields = ast.literal_eval(data[start : start + length].decode("utf-8"))
        shape, fortran = fields["shape"], bool(fields["fortran_order"])
        description = fields["descr"]
    except (ValueError, SyntaxError, KeyError, TypeError, RecursionError, MemoryError):
        raise DamagedError("its header is damaged") from None
    valid = isinstance(shape, tuple) and len(shape) <= 32
    if not valid or not all(type(size) is int and size >= 0 for size in shape):
        raise DamagedError("its header claims a shape that no array has")
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


_START = MAX_HEADER + 12
_OBJECTS = "its arrays hold pickled Python objects, which are never loaded"
_PLAIN = "Save the weights as plain arrays: numpy.savez(…, **{name: array})."


def match_npy(source: Source) -> bool:
    """True if the file is a single array."""
    return source.head.startswith(MAGIC)


def match_npz(source: Source) -> bool:
    """True if the file is a zip whose first entry is an array."""
    head = source.head
    if not head.startswith(ZIP_MAGIC):
        return False
    length = int.from_bytes(head[26:28], "little")
    return head[30 : 30 + length].endswith(b".npy")


def read_npy(source: Source, options: Options) -> Checkpoint:
    """Open a single array.

    Raises
    ------
    CheckpointError
        The file is damaged or holds Python objects.
    """
    what = "a NumPy array"
    options.watch.check()
    file = source.file()
    start = file.read(0, min(file.size, _START)).tobytes()
    leaf = _leaf(source, what, source.path.stem, start, file.size, file.read)
    return _checkpoint(source, "NumPy array", [leaf], options.copy)


def read_npz(source: Source, options: Options) -> Checkpoint:
    """Open an archive of arrays; of each only the header is read.

    Raises
    ------
    CheckpointError
        The file is damaged or holds nothing but Python objects.
    """
    what = "a NumPy archive"
    leaves = []
    file = source.file()
    for record in zip_records(source).values():
        options.watch.check()
        leaves.append(_member(source, what, ZipRecord(file, record)))
    return _checkpoint(source, "NumPy archive", leaves, options.copy)


def _member(source: Source, what: str, member: ZipRecord) -> Leaf:
    name = member.record.name.removesuffix(".npy")
    places = PurePosixPath(name), PureWindowsPath(name)
    if any(place.anchor or ".." in place.parts for place in places):
        return _unread(name, "its name points outside the archive")
    start = _start(member)
    if not start.startswith(MAGIC):
        return _unread(name, "it is no array")
    return _leaf(source, what, name, start, member.record.size, member.read)


def _start(member: ZipRecord) -> bytes:
    """The first bytes of an entry, so that no packed array is unpacked for its header.

    Entries that cannot be unpacked give what `ZipRecord.read` raises.
    """
    record = member.record
    count = min(record.size, _START)
    if not count:
        return b""
    if record.method != DEFLATED or record.flags & 1:
        return member.read(0, count).tobytes()
    packed = member.file.read(member.start(), min(record.packed, 2 * _START)).tobytes()
    try:
        return zlib.decompressobj(-zlib.MAX_WBITS).decompress(packed, count)
    except zlib.error:
        raise DamagedError(f"“{record.name[-60:]}” in it is damaged") from None


def _leaf(
    source: Source, what: str, name: str, start: bytes, size: int, read: Read
) -> Leaf:
    header = read_header(start)
    if header.problem:
        return _unread(name, header.problem)
    if header.length + header.stored > size:
        msg = f"“{name[-60:]}” in it is cut off: its header promises more values"
        raise DamagedError(msg)

    def load() -> NDArray[np.generic]:
        with damage_named(source.path, what):
            return _values(header, read(header.length, header.stored))

    return Leaf(_parts(name), name, header.shape, header.dtype, load)


def _values(header: Header, raw: NDArray[np.uint8]) -> NDArray[np.generic]:
    values = decode(raw, header.dtype, big_endian=header.big_endian)
    return values.reshape(header.shape, order="F" if header.fortran else "C")


def _unread(name: str, problem: str) -> Leaf:
    return Leaf(_parts(name), name, (), "", lambda: np.empty(0), unusable=problem)


def _parts(name: str) -> tuple[str, ...]:
    """Parts of a name that is written with slashes or with dots."""
    parts = name.replace(".", "/").split("/")
    return tuple(part for part in parts if part) or (name,)


def _checkpoint(
    source: Source, container: str, leaves: list[Leaf], copy: str
) -> Checkpoint:
    arranged = arrange(leaves, copy)
    if not arranged.tensors:
        if any("Python objects" in item.reason for item in arranged.skipped):
            raise CheckpointError(source.path, _OBJECTS, _PLAIN)
        raise no_weights(source.path, f"a {container}", arranged.skipped)
    return Checkpoint(
        source.path,
        container,
        source.size,
        arranged.tensors,
        arranged.skipped,
        arranged.warnings,
        arranged.copies,
        arranged.copy,
    )


ARCHIVE = Reader("NumPy archive", "a NumPy archive", match_npz, read_npz)


ARRAY = Reader("NumPy array", "a NumPy array", match_npy, read_npy)
