"""The list of a zip's records, and reading one of them.

Read by hand rather than with `zipfile`: ten times faster for the thousands of records
of a large checkpoint, and every number in it is checked against the file.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from kernelviewer.formats.containers.unpacked import MOST, check, is_kept, kept
from kernelviewer.formats.errors import DamagedError
from kernelviewer.formats.source import viewed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from kernelviewer.formats.source import Data, OpenedFile, Source


ZIP_MAGIC = b"PK\x03\x04"
STORED, DEFLATED = 0, 8
_METHODS = {9: "Deflate64", 12: "bzip2", 14: "LZMA", 93: "Zstandard", 95: "XZ"}

_END = struct.Struct("<4s4H2LH")
_END64_LOCATOR = struct.Struct("<4sLQL")
_END64 = struct.Struct("<4sQ2H2L4Q")
_ENTRY = struct.Struct("<4s6H3L5H2L")
_LOCAL = struct.Struct("<4s5H3L2H")
_MAX_COMMENT = 65_535
_MAX_RECORDS, _MAX_DIRECTORY = 100_000, 1 << 26
_MAX_END64 = 4096
_UNKNOWN32 = 0xFFFFFFFF
_ENCRYPTED = 1
_MUCH, _RATIO, _RATIO_IN_MEMORY = 1 << 26, 100, 32
_PIECE = 1 << 18
_UNPACK = "Unpack it, open what is inside."


@dataclass(frozen=True, slots=True)
class Record:
    """One file inside the zip."""

    name: str
    """Its path inside."""
    method: int
    flags: int
    """How it is packed, and the zip's flags (bit 0: encrypted)."""
    packed: int
    size: int
    """Bytes in the file and after unpacking."""
    offset: int
    """Where its local header starts."""


Directory = dict[str, Record]


def zip_records(source: Source) -> Mapping[str, Record]:
    """Name → record of a zip file, in the directory's order.

    Raises
    ------
    DamagedError
        The zip is cut off or contradicts itself.
    """
    return _cached_records(source.file())


@lru_cache(maxsize=4)
def _cached_records(file: OpenedFile) -> Directory:
    """Read once for all readers that look at the same file."""
    with viewed(file) as data:
        return read_directory(data)


def read_directory(data: Data, end: int | None = None) -> Directory:
    """Read the central directory of the zip that ends at ``end``, else the file's end.

    Whatever stands before the zip is allowed for, so that it may lie in another.
    """
    end = len(data) if end is None else end
    count, size, start, shift = _find_directory(data, end)
    if not 0 <= shift <= start <= start + size <= end or count * _ENTRY.size > size:
        raise DamagedError("its zip directory points outside the file")
    if count > _MAX_RECORDS:
        raise DamagedError(f"it is a zip of {count:,} files, which no checkpoint is")
    if size > _MAX_DIRECTORY:
        raise DamagedError(f"its zip directory has {size:,} bytes, more than any has")
    listed = data[start : start + size]
    records: Directory = {}
    places: list[tuple[int, int]] = []
    position = 0
    try:
        for _ in range(count):
            record, position = _entry(listed, position, shift, start)
            records[record.name] = record
            places.append((record.offset, record.offset + _LOCAL.size + record.packed))
    except struct.error:
        raise DamagedError("its zip directory is damaged") from None
    places.sort()
    if any(this[1] > following[0] for this, following in pairwise(places)):
        raise DamagedError("two of its records share bytes, as none that was zipped do")
    return records


def _find_directory(data: Data, end: int) -> tuple[int, int, int, int]:
    """Count of entries, size and start of the directory, and bytes before the zip."""
    first = max(0, end - _MAX_COMMENT - _END.size - _MAX_END64 - _END64_LOCATOR.size)
    tail = data[first:end]
    at = tail.rfind(b"PK\x05\x06", max(0, len(tail) - _MAX_COMMENT - _END.size))
    if at < 0 or at + _END.size > len(tail):
        problem = "its end is missing: it is half a download"
        raise DamagedError(problem, "Download it again.")
    _, _, _, _, count, size, start, _ = _END.unpack_from(tail, at)
    locator = at - _END64_LOCATOR.size
    if locator >= _END64.size and tail[locator : locator + 4] == b"PK\x06\x07":
        at = tail.rfind(b"PK\x06\x06", max(0, locator - _MAX_END64), locator)
        if at < 0 or at + _END64.size > locator:
            raise DamagedError("its zip directory is damaged")
        _, _, _, _, _, _, _, count, size, start = _END64.unpack_from(tail, at)
    shift = first + at - size - start
    return count, size, start + shift, shift


def _entry(listed: bytes, position: int, shift: int, end: int) -> tuple[Record, int]:
    """Read one entry at a position of the directory; the next one's position."""
    fields = _ENTRY.unpack_from(listed, position)
    magic, _, _, flags, method, _, _, _, packed, size = fields[:10]
    name_length, extra_length, comment_length, _, _, _, offset = fields[10:]
    if magic != b"PK\x01\x02":
        raise DamagedError("its zip directory is damaged")
    start = position + _ENTRY.size
    name_bytes = listed[start : start + name_length]
    name = name_bytes.decode("utf-8", "replace")
    if _UNKNOWN32 in (packed, size, offset):
        extra = listed[start + name_length : start + name_length + extra_length]
        size, packed, offset = _wide(extra, size, packed, offset)
    offset += shift
    if offset + _LOCAL.size + packed > end:
        raise DamagedError(f"its record {name[-80:]!r} lies outside the file")
    if method == STORED and packed != size and not flags & _ENCRYPTED:
        raise DamagedError(f"its record {name[-80:]!r} has two sizes")
    record = Record(name, method, flags, packed, size, offset)
    return record, start + name_length + extra_length + comment_length


def _wide(extra: bytes, size: int, packed: int, offset: int) -> tuple[int, int, int]:
    """Replace numbers that need 64 bits by those of the extra field."""
    position = 0
    while position + 4 <= len(extra):
        tag, length = struct.unpack_from("<HH", extra, position)
        position += 4
        if tag == 1:
            at = position
            numbers = []
            for number in (size, packed, offset):
                wide = number == _UNKNOWN32
                numbers.append(
                    struct.unpack_from("<Q", extra, at)[0] if wide else number
                )
                at += 8 * wide
            return numbers[0], numbers[1], numbers[2]
        position += length
    return size, packed, offset


@dataclass(slots=True, eq=False)
class ZipRecord:
    """The bytes of one record, read when asked for."""

    file: OpenedFile
    record: Record

    def start(self) -> int:
        """Where its bytes, packed or not, start in the file."""
        if self.record.flags & _ENCRYPTED:
            raise DamagedError("it has a password", _UNPACK)
        header = self.file.read(self.record.offset, _LOCAL.size).tobytes()
        fields = _LOCAL.unpack(header)
        if fields[0] != ZIP_MAGIC:
            raise DamagedError(f"its record {self.record.name[-80:]!r} is damaged")
        start = self.record.offset + _LOCAL.size + int(fields[9]) + int(fields[10])
        if start + self.record.packed > self.file.size:
            raise DamagedError(f"its record {self.record.name[-80:]!r} is damaged")
        return start

    def read(self, offset: int, count: int) -> NDArray[np.uint8]:
        """Read unpacked bytes as uint8 [count]; raises as `unpacked`."""
        record = self.record
        if record.method == STORED:
            return self.file.read(self.start() + offset, count)
        key = (self.file, record.offset)
        if record.size > MOST or (2 * count > record.size and not is_kept(key)):
            return self._part(offset, count)  # hardly anybody else will look at it
        if not self.file.is_as_it_was():  # it may be kept from before
            return self.file.read(0, 0)
        whole = kept(key, record.size, lambda: self._part(0, record.size))
        return whole[offset : offset + count].copy()

    def unpacked(self) -> NDArray[np.uint8]:
        """Unpack all its bytes; never more than its announced size.

        Raises
        ------
        DamagedError
            It has a password, is packed in a rare way, or is damaged.
        """
        if self.record.method == STORED:
            return self.file.read(self.start(), self.record.size)
        return self._part(0, self.record.size)

    def _part(self, offset: int, count: int) -> NDArray[np.uint8]:
        """Unpack bytes as uint8 [count], holding no others."""
        record = self.record
        if count > max(_MUCH, _RATIO_IN_MEMORY * record.packed):
            raise self._bomb()
        found = np.empty(max(0, min(count, record.size - offset)), np.uint8)
        at = -offset
        for piece in self.pieces():
            first, last = max(0, -at), min(len(piece), len(found) - at)
            if first < last:
                part = np.frombuffer(piece, np.uint8)[first:last]
                found[at + first : at + last] = part
            at += len(piece)
        return found

    def pieces(self) -> Iterator[bytes]:
        """Unpack all its bytes, a piece at a time; raises as `unpacked`."""
        record = self.record
        if record.method not in (STORED, DEFLATED):
            way = _METHODS.get(record.method, f"method {record.method}")
            raise DamagedError(f"it is packed with {way}, which is not read", _UNPACK)
        if record.size > max(_MUCH, _RATIO * record.packed):
            raise self._bomb()
        start, left = self.start(), record.size
        inflate = _stored if record.method == STORED else _Inflate()
        try:
            for at in range(0, record.packed, _PIECE):
                count = min(_PIECE, record.packed - at)
                packed = self.file.read(start + at, count).tobytes()
                for piece in inflate(packed):
                    check()
                    left -= len(piece)
                    if left < 0:
                        break
                    yield piece
        except zlib.error:
            left = -1
        if left:
            raise DamagedError(f"its record {record.name[-80:]!r} is damaged")

    def _bomb(self) -> DamagedError:
        record = self.record
        return DamagedError(
            f"its record {record.name[-80:]!r} would unpack from "
            f"{record.packed:,} to {record.size:,} bytes, which no weights do"
        )


def _stored(data: bytes) -> Iterator[bytes]:
    """Bytes that are not packed."""
    yield data


class _Inflate:
    """Unpacks what deflate packed, in pieces that are never large."""

    def __init__(self) -> None:
        self._unpacker = zlib.decompressobj(-zlib.MAX_WBITS)

    def __call__(self, packed: bytes) -> Iterator[bytes]:
        """The bytes that are in the next packed ones."""
        while piece := self._unpacker.decompress(packed, _PIECE):
            yield piece
            packed = self._unpacker.unconsumed_tail
