"""Flax checkpoints (``.msgpack``): nested names and arrays, read when asked for."""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from kernelviewer.formats.checkpoint import Checkpoint
from kernelviewer.formats.errors import CheckpointError, DamagedError
from kernelviewer.formats.network.layout import arrange, no_weights
from kernelviewer.formats.source import Reader, viewed
from kernelviewer.formats.stored import ITEMSIZE, Leaf, decode
from kernelviewer.watch import NEVER

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from kernelviewer.formats.source import Data, OpenedFile, Options, Source
    from kernelviewer.watch import Watch


_WHAT = "a Flax checkpoint"
_MAPS = {*range(0x81, 0x90), 0xDE, 0xDF}
_NAMES = {*range(0xA1, 0xC0), 0xD9, 0xDA}
"""First bytes of a MessagePack map that is not empty, and of a short text."""


def match(source: Source) -> bool:
    """True if the file starts with a map whose first key is a plain name."""
    head = source.head
    if len(head) < 4 or head[0] not in _MAPS:
        return False
    at = {0xDE: 3, 0xDF: 5}.get(head[0], 1)
    if len(head) <= at or head[at] not in _NAMES:
        return False
    try:
        key, _ = Walker(head).value(at)
    except DamagedError:
        return False
    return isinstance(key, str) and key.isascii() and key.isprintable()


def read(source: Source, options: Options) -> Checkpoint:
    """Open a Flax checkpoint.

    Raises
    ------
    CheckpointError
        The file is damaged or holds no arrays.
    """
    file = source.file()
    with viewed(file) as data:
        tree, _ = Walker(data, options.watch).value(0)
    leaves = [_leaf(file, parts, item) for parts, item in _flat(tree, ())]
    if not leaves:
        raise CheckpointError(source.path, "a MessagePack file without any arrays")
    arranged = arrange(leaves, options.copy)
    if not arranged.tensors:
        raise no_weights(source.path, _WHAT, arranged.skipped)
    return Checkpoint(
        source.path,
        "Flax",
        source.size,
        arranged.tensors,
        arranged.skipped,
        arranged.warnings,
        arranged.copies,
        arranged.copy,
    )


def _flat(
    item: object, parts: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], Array]]:
    """The arrays of the tree with the names that lead to them."""
    if isinstance(item, Array):
        yield parts or ("array",), item
    elif isinstance(item, dict):
        for key, inner in item.items():
            yield from _flat(inner, (*parts, key))
    elif isinstance(item, list):
        for index, inner in enumerate(item):
            yield from _flat(inner, (*parts, str(index)))


def _leaf(file: OpenedFile, parts: tuple[str, ...], array: Array) -> Leaf:
    def load() -> NDArray[np.generic]:
        pieces = [file.read(start, size) for start, size in array.pieces]
        raw = pieces[0] if len(pieces) == 1 else np.concatenate(pieces)
        return decode(raw, array.dtype).reshape(array.shape)

    name = "/".join(parts)
    shape, dtype = array.shape, array.dtype
    return Leaf(parts, name, shape, dtype, load, unusable=array.problem)


CHUNKED = "__msgpack_chunked_array__"
"""Key of the maps that Flax makes of arrays over a gigabyte."""

_ARRAY, _SCALAR = 1, 3  # Flax's extension types
_MAX_DEPTH = 64
_MAX_ITEMS = 2_000_000
_CUT = "a part of it reaches beyond the end: it is cut off or damaged"


@dataclass(frozen=True, slots=True)
class Array:
    """An array's bytes, in one piece or several, and what they are.

    ``problem`` says why they are not read.
    """

    shape: tuple[int, ...]
    dtype: str
    pieces: tuple[tuple[int, int], ...]
    problem: str = ""


@dataclass(slots=True)
class Walker:
    """Reads one value after another; strings and numbers are kept, arrays located.

    ``watch`` is checked now and then; what it raises cancels.
    """

    data: Data
    watch: Watch = NEVER
    _items: int = field(default=0)

    def value(self, at: int, depth: int = 0) -> tuple[object, int]:
        """A value and where it ends.

        Returns
        -------
        dict, list, str, int, float, bool, None or `Array`; bytes become None.

        Raises
        ------
        DamagedError
            The bytes make no sense.
        """
        self._items += 1
        if self._items % 1024 == 1:
            self.watch.check()
        if depth > _MAX_DEPTH or self._items > _MAX_ITEMS:
            raise DamagedError("it is nested or divided absurdly")
        code = self._integer(at, ">B")
        at += 1
        if code < 0x80:
            return code, at
        if code >= 0xE0:
            return code - 0x100, at
        if code < 0x90:
            return self._map(at, code & 0x0F, depth)
        if code < 0xA0:
            return self._list(at, code & 0x0F, depth)
        if code < 0xC0:
            return self._text(at, code & 0x1F)
        return self._coded(code, at, depth)

    def _coded(self, code: int, at: int, depth: int) -> tuple[object, int]:
        """Values whose first byte is only their kind."""
        if code in _CONSTANTS:
            return _CONSTANTS[code], at
        if code in _NUMBERS:
            form = _NUMBERS[code]
            return self._number(at, form), at + struct.calcsize(form)
        if 0xD4 <= code <= 0xD8:
            return self._extension(at, 1 << (code - 0xD4), depth)
        if code not in _SIZED:
            raise DamagedError("it holds a byte that means nothing")
        kind, form = _SIZED[code]
        count = self._integer(at, form)
        at += struct.calcsize(form)
        if kind == "text":
            return self._text(at, count)
        if kind == "bytes":
            return None, self._end(at, count)
        if kind == "list":
            return self._list(at, count, depth)
        if kind == "map":
            return self._map(at, count, depth)
        return self._extension(at, count, depth)

    def _map(self, at: int, count: int, depth: int) -> tuple[object, int]:
        entries: dict[str, object] = {}
        for _ in range(count):
            key, at = self.value(at, depth + 1)
            entries[str(key)], at = self.value(at, depth + 1)
        return (_joined(entries) if CHUNKED in entries else entries), at

    def _list(self, at: int, count: int, depth: int) -> tuple[list[object], int]:
        items = []
        for _ in range(count):
            item, at = self.value(at, depth + 1)
            items.append(item)
        return items, at

    def _text(self, at: int, count: int) -> tuple[str, int]:
        end = self._end(at, count)
        return self.data[at : min(end, at + 4096)].decode("utf-8", "replace"), end

    def _extension(self, at: int, count: int, depth: int) -> tuple[object, int]:
        """Flax's own types: an array is packed as [shape, type name, bytes]."""
        kind = self._integer(at, ">b")
        end = self._end(at + 1, count)
        if kind not in (_ARRAY, _SCALAR):
            return None, end
        length = self._integer(at + 1, ">B")
        shape, at = self.value(at + 2, depth + 1)
        dtype, at = self.value(at, depth + 1)
        start, size = self._bytes(at)
        fits = length == 0x93 and start + size <= end
        if not (fits and isinstance(shape, list) and isinstance(dtype, str)):
            raise DamagedError("an array in it is damaged")
        return _array(shape, dtype, start, size), end

    def _bytes(self, at: int) -> tuple[int, int]:
        """Start and length of a byte string."""
        code = self._integer(at, ">B")
        kind, form = _SIZED.get(code, ("", ">B"))
        if kind != "bytes":
            raise DamagedError("an array in it has no bytes")
        count = self._integer(at + 1, form)
        start = at + 1 + struct.calcsize(form)
        self._end(start, count)
        return start, count

    def _end(self, at: int, count: int) -> int:
        if count > len(self.data) - at:
            raise DamagedError(_CUT)
        return at + count

    def _integer(self, at: int, form: str) -> int:
        return int(self._number(at, form))

    def _number(self, at: int, form: str) -> float:
        end = at + struct.calcsize(form)
        if end > len(self.data):
            raise DamagedError(_CUT)
        number: float = struct.unpack(form, self.data[at:end])[0]
        return number


_CONSTANTS: dict[int, object] = {0xC0: None, 0xC2: False, 0xC3: True}
_NUMBERS = dict(
    zip(
        (0xCA, 0xCB, 0xCC, 0xCD, 0xCE, 0xCF, 0xD0, 0xD1, 0xD2, 0xD3),
        (">f", ">d", ">B", ">H", ">I", ">Q", ">b", ">h", ">i", ">q"),
        strict=True,
    )
)
"""First byte → how the number after it is written."""
# fmt: off
_SIZED = {
    0xC4: ("bytes", ">B"), 0xC5: ("bytes", ">H"), 0xC6: ("bytes", ">I"),
    0xC7: ("extension", ">B"), 0xC8: ("extension", ">H"), 0xC9: ("extension", ">I"),
    0xD9: ("text", ">B"), 0xDA: ("text", ">H"), 0xDB: ("text", ">I"),
    0xDC: ("list", ">H"), 0xDD: ("list", ">I"), 0xDE: ("map", ">H"),
    0xDF: ("map", ">I"),
}
# fmt: on
"""First byte → what follows, and how its length is written."""


def _array(shape: list[object], dtype: str, start: int, size: int) -> Array:
    sizes = tuple(item for item in shape if isinstance(item, int) and item >= 0)
    if len(sizes) != len(shape) or len(sizes) > 32:
        raise DamagedError("an array in it has a shape that none can have")
    dtype = "bfloat16" if dtype == "V2" else dtype
    if dtype not in ITEMSIZE:
        return Array(sizes, "", (), "it holds no numbers that can be read")
    if math.prod(sizes) * ITEMSIZE[dtype] != size:
        msg = "an array in it has another number of values than its shape says"
        raise DamagedError(msg)
    return Array(sizes, dtype, ((start, size),))


def _joined(entries: dict[str, object]) -> Array:
    """An array that Flax divided: its pieces in order under its own shape."""
    shape, chunks = entries.get("shape"), entries.get("chunks")
    if not isinstance(shape, dict) or not isinstance(chunks, dict):
        raise DamagedError("a divided array in it is damaged")
    pieces = [chunks.get(str(index)) for index in range(len(chunks))]
    sizes = [shape.get(str(index)) for index in range(len(shape))]
    arrays = [piece for piece in pieces if isinstance(piece, Array)]
    dtypes = {piece.dtype for piece in arrays}
    if len(arrays) != len(pieces) or len(dtypes) != 1:
        raise DamagedError("a divided array in it lacks a piece")
    spans = tuple(span for piece in arrays for span in piece.pieces)
    whole = _array(sizes, dtypes.pop(), 0, sum(size for _, size in spans))
    return Array(whole.shape, whole.dtype, spans, whole.problem)


READER = Reader("Flax", _WHAT, match, read)
