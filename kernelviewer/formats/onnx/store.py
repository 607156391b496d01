"""Where an ONNX weight's bytes lie, in the model or in a file beside it."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from kernelviewer.formats.errors import CheckpointError, DamagedError
from kernelviewer.formats.network.scales import unpack_nibbles
from kernelviewer.formats.protobuf import unpack_varints
from kernelviewer.formats.source import file_beside
from kernelviewer.formats.stored import ITEMSIZE, STORED, decode

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from numpy.typing import NDArray

    from kernelviewer.formats.onnx.graph import TensorRecord
    from kernelviewer.formats.source import OpenedFile

TYPES: dict[int, str] = {
    1: "float32",
    2: "uint8",
    3: "int8",
    4: "uint16",
    5: "int16",
    6: "int32",
    7: "int64",
    9: "bool",
    10: "float16",
    11: "float64",
    12: "uint32",
    13: "uint64",
    14: "complex64",
    15: "complex128",
    16: "bfloat16",
    17: "float8_e4m3fn",
    18: "float8_e4m3fnuz",
    19: "float8_e5m2",
    20: "float8_e5m2fnuz",
    21: "uint4",
    22: "int4",
    24: "float8_e8m0fnu",
}
"""TensorProto.DataType → the name used here."""

_FIXED = {4: 4, 10: 8}  # float_data and double_data: bytes per number
_VARINTS = (5, 7, 11)  # int32_data, int64_data, uint64_data


class NotConstantError(Exception):
    """A weight that the file alone does not give, and why."""


@dataclass(frozen=True, slots=True, eq=False)
class Value:
    """A constant of the graph, read when asked for.

    Attributes
    ----------
    shape, dtype, load, raw_name
        As in `kernelviewer.formats.Tensor`: the type is the stored one.
    kind
        Type of what ``load`` gives.
    identity
        Equal for two values that come from the same weights in the same way.
    sources
        Identities of the records that the values come from.
    cost, depth, made
        Reads and operations behind it, operations one after another, and values that
        they make.
    part
        The value that this is a piece of, and which piece.
    """

    shape: tuple[int, ...]
    dtype: str
    load: Callable[[], NDArray[np.generic]]
    kind: np.dtype[np.generic]
    raw_name: str = ""
    identity: Hashable = None
    sources: frozenset[int] = frozenset()
    cost: int = 1
    depth: int = 0
    made: int = 0
    part: tuple[Value, tuple[slice, ...]] | None = None


def given(values: NDArray[np.generic] | np.generic, identity: Hashable = None) -> Value:
    """A small constant that the graph itself holds."""
    array = np.asarray(values)
    kind = array.dtype
    return Value(array.shape, str(kind), lambda: array, kind, identity=identity)


@dataclass(slots=True)
class Store:
    """The model's file and the files beside it that hold weights.

    ``others`` has those that were looked at so far, by how the model names them,
    ``taken`` the identities of the records that were.
    """

    file: OpenedFile
    others: dict[str, OpenedFile] = field(default_factory=dict)
    taken: set[int] = field(default_factory=set)

    def value(self, record: TensorRecord) -> Value:
        """The weight that a record describes.

        Raises
        ------
        DamagedError
            Shape, type and bytes do not fit together.
        NotConstantError
            Its number type is unknown here.
        CheckpointError
            It lies in another file that is missing or out of bounds.
        """
        self.taken.add(id(record))
        dtype = TYPES.get(record.type)
        if dtype is None:
            msg = f"its numbers are of a type that is not read (type {record.type})"
            raise NotConstantError(msg)
        if len(record.shape) > 16 or any(size < 0 for size in record.shape):
            msg = f"a weight in it has the shape {list(record.shape[:16])}"
            raise DamagedError(msg)
        count = math.prod(record.shape)
        stored = count * ITEMSIZE[dtype] if dtype in ITEMSIZE else (count + 1) // 2
        if record.is_external:
            file, offset = self._external(record, stored)
            read = _raw_reader(file, offset, stored)
        elif record.raw is not None:
            start, end = record.raw
            _check(end - start == stored)
            read = _raw_reader(self.file, start, stored)
        else:
            read = self._typed(record, dtype, count)

        def load() -> NDArray[np.generic]:
            return _decode(read(), dtype, count).reshape(record.shape)

        key = id(record)
        kind = _kind(dtype)
        return Value(
            record.shape, dtype, load, kind, record.name, key, frozenset([key])
        )

    def size(self) -> int:
        """Bytes of all the files that were looked at."""
        return self.file.size + sum(file.size for file in self.others.values())

    def _typed(
        self, record: TensorRecord, dtype: str, count: int
    ) -> Callable[[], NDArray[np.uint8]]:
        """Reader of ``float_data`` and its kind, as the bytes of ``raw_data``."""
        pieces = record.typed
        number = pieces[0][0] if pieces else 4
        size = sum(end - start for _, start, end in pieces)
        _check(all(piece[0] == number for piece in pieces))
        numbers = (count + 1) // 2 if dtype in ("int4", "uint4") else count
        if number in _FIXED:
            width = _FIXED[number]
            _check(ITEMSIZE.get(dtype, 0) % width == 0)
            _check(size == count * ITEMSIZE[dtype])
        else:
            _check(number in _VARINTS and numbers <= size <= 10 * numbers)

        def read() -> NDArray[np.uint8]:
            parts = [self.file.read(start, end - start) for _, start, end in pieces]
            raw = np.concatenate(parts) if parts else np.empty(0, np.uint8)
            if number in _FIXED:
                return raw
            stored = STORED.get(dtype, np.dtype(np.uint8))
            # float16 and bfloat16 are written as the whole number of their bits
            bits = np.dtype(f"<u{stored.itemsize}")
            return unpack_varints(raw, numbers).astype(bits).view(np.uint8)

        return read

    def _external(self, record: TensorRecord, stored: int) -> tuple[OpenedFile, int]:
        """File and offset of a weight that lies beside the model."""
        location = record.external.get("location", "")
        if location not in self.others:
            self.others[location] = file_beside(self.file.path, location)
        file = self.others[location]
        offset = _whole(record.external.get("offset", "0"))
        length = _whole(record.external.get("length", str(stored)))
        _check(length == stored)
        if offset + stored > file.size:
            raise CheckpointError(
                self.file.path,
                f"its weights lie in “{location}” beside it, which is too short",
                "Copy that file again; it may be half a download.",
            )
        return file, offset


def _kind(dtype: str) -> np.dtype[np.generic]:
    """Type of the values that a stored type is read as."""
    if dtype == "bfloat16" or dtype.startswith("float8"):
        return np.dtype(np.float32)
    if dtype in STORED:
        return STORED[dtype].newbyteorder("=")
    return np.dtype(np.int8 if dtype == "int4" else np.uint8)


def _raw_reader(
    file: OpenedFile, offset: int, count: int
) -> Callable[[], NDArray[np.uint8]]:
    return lambda: file.read(offset, count)


def _decode(raw: NDArray[np.uint8], dtype: str, count: int) -> NDArray[np.generic]:
    if dtype in STORED:
        return decode(raw, dtype)
    return unpack_nibbles(raw, count, signed=dtype == "int4")


def _whole(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) < 20):
        msg = "the place of a weight in another file is no number"
        raise DamagedError(msg)
    return int(text)


def _check(fits: bool) -> None:
    if not fits:
        msg = "a weight in it has another number of values than its shape says"
        raise DamagedError(msg)
