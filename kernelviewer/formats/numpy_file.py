"""NumPy arrays: ``.npz`` archives and single ``.npy`` files, never unpickled."""

from __future__ import annotations

import zlib
from pathlib import PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING

import numpy as np

from kernelviewer.formats.checkpoint import Checkpoint
from kernelviewer.formats.damage import DamagedError, damage_named
from kernelviewer.formats.dtypes import decode
from kernelviewer.formats.errors import CheckpointError
from kernelviewer.formats.flax_layout import arrange, no_weights
from kernelviewer.formats.leaves import Leaf
from kernelviewer.formats.numpy_header import MAGIC, MAX_HEADER, read_header
from kernelviewer.formats.zip_directory import (
    DEFLATED,
    ZIP_MAGIC,
    ZipRecord,
    zip_records,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from kernelviewer.formats.numpy_header import Header
    from kernelviewer.formats.source import Options, Source

    Read = Callable[[int, int], NDArray[np.uint8]]

_START = MAX_HEADER + 12
_OBJECTS = "its arrays hold pickled Python objects, which are never loaded"
_PLAIN = "Save the weights as plain arrays: numpy.savez(…, **{name: array})."


def match_npy(source: Source) -> bool:
    """Whether the file is a single array."""
    return source.head.startswith(MAGIC)


def match_npz(source: Source) -> bool:
    """Whether the file is a zip whose first entry is an array."""
    head = source.head
    if not head.startswith(ZIP_MAGIC):
        return False
    length = int.from_bytes(head[26:28], "little")
    return head[30 : 30 + length].endswith(b".npy")


def open_npy(source: Source, options: Options) -> Checkpoint:
    """Open a single array.

    Raises
    ------
    CheckpointError
        The file is damaged or holds Python objects.
    """
    what = "a NumPy array"
    with damage_named(source.path, what):
        options.check()
        file = source.file()
        start = file.read(0, min(file.size, _START)).tobytes()
        leaf = _leaf(source, what, source.path.stem, start, file.size, file.read)
    return _checkpoint(source, "NumPy array", [leaf], options.copy)


def open_npz(source: Source, options: Options) -> Checkpoint:
    """Open an archive of arrays; of each only the header is read.

    Raises
    ------
    CheckpointError
        The file is damaged or holds nothing but Python objects.
    """
    what = "a NumPy archive"
    leaves = []
    with damage_named(source.path, what):
        file = source.file()
        for record in zip_records(source).values():
            options.check()
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
        msg = f"“{record.name[-60:]}” in it is damaged"
        raise DamagedError(msg) from None


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
    arranged = arrange(source.path, leaves, copy)
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
