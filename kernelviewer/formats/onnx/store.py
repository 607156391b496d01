"""Where an ONNX weight's bytes lie, in the model or beside it, and what scales them."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from kernelviewer.formats.errors import CheckpointError
from kernelviewer.formats.network.folding import dequantized, unpack_nibbles
from kernelviewer.formats.protobuf import unpack_varints
from kernelviewer.formats.source import file_beside
from kernelviewer.formats.stored import ITEMSIZE, STORED, decode

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from numpy.typing import NDArray

    from kernelviewer.formats.onnx.graph import TensorRecord
    from kernelviewer.formats.onnx.operations import Call
    from kernelviewer.formats.source import OpenedFile

    Read = Callable[[], NDArray[np.generic]]

# fmt: off
TYPES: dict[int, str] = {
    1: "float32", 2: "uint8", 3: "int8", 4: "uint16", 5: "int16", 6: "int32",
    7: "int64", 9: "bool", 10: "float16", 11: "float64", 12: "uint32", 13: "uint64",
    14: "complex64", 15: "complex128", 16: "bfloat16", 17: "float8_e4m3fn",
    18: "float8_e4m3fnuz", 19: "float8_e5m2", 20: "float8_e5m2fnuz", 21: "uint4",
    22: "int4", 24: "float8_e8m0fnu",
}
# fmt: on
"""TensorProto.DataType → the name used here."""

_FIXED = {4: 4, 10: 8}  # float_data and double_data: bytes per number
_VARINTS = (5, 7, 11)  # int32_data, int64_data, uint64_data


class NotConstantError(Exception):
    """A weight that the file alone does not give, and why."""


class DamagedWeightError(NotConstantError):
    """What the file says of a weight contradicts itself."""


@dataclass(frozen=True, slots=True, eq=False)
class Value:
    """A constant of the graph, read when asked for.

    Attributes
    ----------
    shape, dtype, load, raw_name
        As in `kernelviewer.formats.Tensor`: the type is the stored one.
    """

    shape: tuple[int, ...]
    dtype: str
    load: Callable[[], NDArray[np.generic]]
    kind: np.dtype[np.generic]
    """Type of what ``load`` gives."""
    raw_name: str = ""
    identity: Hashable = None
    """Equal for two values that come from the same weights in the same way."""
    sources: frozenset[int] = frozenset()
    """Identities of the records that the values come from."""
    cost: int = 1
    depth: int = 0
    made: int = 0
    """Reads and operations behind it, operations one after another, and values that
    they make."""
    part: tuple[Value, tuple[slice, ...]] | None = None
    """The value that this is a piece of, and which piece."""


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
        DamagedWeightError
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
            raise DamagedWeightError(msg)
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
        raise DamagedWeightError("the place of a weight in another file is no number")
    return int(text)


def _check(fits: bool) -> None:
    if not fits:
        msg = "a weight in it has another number of values than its shape says"
        raise DamagedWeightError(msg)


_LIMITS = {
    "int4": (-8, 7),
    "uint4": (0, 15),
    "int8": (-128, 127),
    "uint8": (0, 255),
    "int16": (-32_768, 32_767),
    "uint16": (0, 65_535),
}
"""Lowest and highest step of the types that QuantizeLinear rounds to."""
_DEFAULT_AXIS = 1


def dequantize(call: Call) -> Value:
    """DequantizeLinear."""
    x = call.first
    factor, zero = _scales(call)
    return replace(
        x,
        kind=np.dtype(np.float32),
        load=lambda: dequantized(x.load(), factor(), zero()),
    )


def quantize(call: Call) -> Value:
    """Rounding to the quantised grid, as quantisation-aware training exports it."""
    x = call.first
    factor, zero = _scales(call)
    point = call.given(2)
    if point is not None:
        narrow = point.dtype.startswith(("int4", "uint4", "float8"))
        dtype = point.dtype if narrow else point.kind.name
    else:
        dtype = TYPES.get(call.node.integer("output_dtype", 0), "uint8")
    if dtype.startswith("float8"):
        return replace(
            x,
            kind=np.dtype(np.float32),
            load=lambda: rounded(np.divide(x.load(), factor()), dtype),
        )
    if dtype not in _LIMITS:
        call.fail(f"turns it into a number type that is not read ({dtype})")
    lowest, highest = _LIMITS[dtype]
    kind = np.dtype({"int4": "int8", "uint4": "uint8"}.get(dtype, dtype))

    def load() -> NDArray[np.generic]:
        steps = np.rint(np.divide(x.load(), factor())) + np.asarray(zero(), np.float32)
        return np.asarray(np.clip(steps, lowest, highest), kind)

    return replace(x, kind=kind, load=load)


def rounded(values: NDArray[np.generic], dtype: str) -> NDArray[np.float32]:
    """The nearest numbers of a narrow type (bfloat16, float8), even ones of two."""
    if dtype == "bfloat16":
        bits = np.ascontiguousarray(values, np.float32).view(np.uint32)
        up = (bits & 0xFFFF) + (bits >> 16 & 1) > 0x8000
        kept = ((bits >> 16) + up.astype(np.uint32)) << 16
        return kept.view(np.float32)
    table = decode(np.arange(128, dtype=np.uint8), dtype)
    steps = np.sort(table[np.isfinite(table)]).astype(np.float64)
    middles = (steps[1:] + steps[:-1]) / 2
    size = np.abs(np.asarray(values, np.float64))
    place = np.searchsorted(middles, size)
    halfway = size == middles[np.minimum(place, len(middles) - 1)]
    place += halfway & (place % 2 == 1)
    result = np.copysign(steps[np.minimum(place, len(steps) - 1)], values)
    return np.asarray(np.where(np.isnan(size), size, result), np.float32)


def _scales(call: Call) -> tuple[Read, Read]:
    """Readers of scale and zero point, shaped to broadcast with the first input."""
    shape, node = call.first.shape, call.node
    axis = node.integer("axis", _DEFAULT_AXIS) if "axis" in node.attributes else None
    scale, zero = call.given(1), call.given(2)
    if scale is None:
        call.fail("has no scale")
    block = node.integer("block_size", 0)
    factor = along(scale, shape, axis, block)
    if zero is None:
        return factor, lambda: np.zeros((), np.float32)
    return factor, along(zero, shape, axis, block)


def along(
    value: Value, shape: tuple[int, ...], axis: int | None, block: int = 0
) -> Read:
    """Reader of one number, one per entry of an axis, or one per block of it.

    Parameters
    ----------
    shape
        Of the weight that they belong to.
    axis
        None where the file does not say: the format's default, where that does not
        fit the only one that does.
    block
        Entries of the axis that share a number; 0 where there are no blocks.

    Raises
    ------
    NotConstantError
        They do not fit.
    """
    if math.prod(value.shape) == 1:
        return lambda: value.load().reshape(())
    fitting = [place for place, size in enumerate(shape) if value.shape == (size,)]
    if fitting or block < 1:
        place = _chosen(fitting, value, shape, axis)
        spread = [1] * len(shape)
        spread[place] = -1
        return lambda: value.load().reshape(spread)
    for place, size in enumerate(shape):
        if value.shape == (*shape[:place], -(-size // block), *shape[place + 1 :]):
            fitting.append(place)
    place = _chosen(fitting, value, shape, axis, f" in blocks of {block}")
    window = tuple(slice(size) for size in shape)
    times = min(block, shape[place])
    return lambda: np.repeat(value.load(), times, place)[window]


def _chosen(
    fitting: list[int],
    value: Value,
    shape: tuple[int, ...],
    axis: int | None,
    blocks: str = "",
) -> int:
    """The axis that scales go along, among those that they fit."""
    if axis is not None:
        wanted = axis + len(shape) if axis < 0 else axis
        which = f"do not fit axis {axis}"
    else:
        sure = len(fitting) == 1 and _DEFAULT_AXIS not in fitting
        wanted = fitting[0] if sure else _DEFAULT_AXIS
        which = "fit more than one axis" if fitting else "fit no axis"
    if wanted in fitting:
        return wanted
    raise NotConstantError(
        f"its scales of shape {list(value.shape)}{blocks} {which} of its shape, "
        f"{list(shape)}"
    )
