"""Tensors of a TFLite file: its FlatBuffers, walked in place, and what scales them."""

from __future__ import annotations

import math
import re
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from kernelviewer.formats.errors import DamagedError
from kernelviewer.formats.network.folding import dequantized, unpack_nibbles
from kernelviewer.formats.stored import ITEMSIZE, decode

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from kernelviewer.formats.source import Data, OpenedFile

_CUT = "a part of it points outside the file: it is cut off or damaged"
_MAX_INTEGERS = 1 << 12  # of one list that is read at once: a shape, inputs
_MAX_FLOATS = 1 << 20  # the same: scales and zero points


@dataclass(frozen=True, slots=True)
class Table:
    """A FlatBuffers table: optional fields, found through its table of offsets."""

    data: Data
    at: int

    def field(self, index: int) -> int:
        """Where the field lies, 0 if it is not set."""
        table = self.at - _number(self.data, self.at, "<i")
        size = _number(self.data, table, "<H")
        slot = 4 + 2 * index
        if slot + 2 > size:
            return 0
        offset = _number(self.data, table + slot, "<H")
        return self.at + offset if offset else 0

    def number(self, index: int, code: str, default: int = 0) -> int:
        """A whole number; ``code`` is its `struct` format."""
        at = self.field(index)
        return _number(self.data, at, code) if at else default

    def table(self, index: int) -> Table | None:
        """A table inside."""
        at = self.field(index)
        return Table(self.data, _follow(self.data, at)) if at else None

    def text(self, index: int) -> str:
        """A string, the first 1 024 bytes of it."""
        start, count = self.vector(index, 1)
        return self.data[start : start + min(count, 1024)].decode("utf-8", "replace")

    def vector(self, index: int, width: int) -> tuple[int, int]:
        """Where a list starts and how many entries of ``width`` bytes it has."""
        at = self.field(index)
        if not at:
            return 0, 0
        start = _follow(self.data, at)
        count = _number(self.data, start, "<I")
        start += 4
        if count * width > len(self.data) - start:
            raise DamagedError(_CUT)
        return start, count

    def tables(self, index: int) -> Tables:
        """A list of tables."""
        return Tables(self.data, *self.vector(index, 4))

    def floats(self, index: int) -> tuple[float, ...]:
        """A list of float32 numbers."""
        return self._list(index, "f", _MAX_FLOATS)

    def integers(self, index: int, code: str = "i") -> tuple[int, ...]:
        """A list of whole numbers; ``code`` is the `struct` letter of one."""
        return self._list(index, code, _MAX_FLOATS if code == "q" else _MAX_INTEGERS)

    def _list(self, index: int, code: str, limit: int) -> tuple[Any, ...]:
        start, count = self.vector(index, struct.calcsize(f"<{code}"))
        if count > limit:
            raise DamagedError("a list of numbers in it is absurdly long")
        form = struct.Struct(f"<{count}{code}")
        return form.unpack(self.data[start : start + form.size])


@dataclass(frozen=True, slots=True)
class Tables:
    """A list of tables, each of them made when asked for."""

    data: Data
    start: int
    count: int

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> Table:
        if not 0 <= index < self.count:
            raise DamagedError(_CUT)
        return Table(self.data, _follow(self.data, self.start + 4 * index))

    def __iter__(self) -> Iterator[Table]:
        return (self[index] for index in range(self.count))


def root(data: Data) -> Table:
    """The table that holds the others."""
    return Table(data, _follow(data, 0))


def _follow(data: Data, at: int) -> int:
    return at + _number(data, at, "<I")


def _number(data: Data, at: int, code: str) -> int:
    end = at + struct.calcsize(code)
    if at < 0 or end > len(data):
        raise DamagedError(_CUT)
    return int(struct.unpack(code, data[at:end])[0])


# fmt: off
TYPES: dict[int, str] = {
    0: "float32", 1: "float16", 2: "int32", 3: "uint8", 4: "int64", 6: "bool",
    7: "int16", 9: "int8", 10: "float64", 12: "uint64", 15: "uint32", 16: "uint16",
    17: "int4", 18: "bfloat16",
}
# fmt: on
"""TensorType → the name used here."""

DEQUANTIZE, DENSIFY = 6, 124
HANDED_ON = {DEQUANTIZE, DENSIFY}
"""Operators that only hand a weight on."""

FULLY_CONNECTED = 9


@dataclass(frozen=True, slots=True)
class Convolution:
    """How one operator stores its kernels and its options."""

    name: str
    """For layers that the file gives no readable name."""
    order: tuple[int, ...]
    """Axes of the stored kernels in PyTorch's order."""
    image: int
    """Which input is convolved."""
    strides: tuple[int, ...]
    dilations: tuple[int, ...] = ()
    """Fields of the options, the outermost axis first."""
    depthwise: bool = False
    transposed: bool = False
    """What the operator is."""


CONVOLUTIONS: dict[int, Convolution] = {
    3: Convolution("conv2d", (0, 3, 1, 2), 0, (2, 1), (5, 4)),
    4: Convolution("depthwise_conv2d", (3, 0, 1, 2), 0, (2, 1), (6, 5), depthwise=True),
    67: Convolution("conv2d_transpose", (3, 0, 1, 2), 2, (2, 1), transposed=True),
    132: Convolution("conv3d", (4, 3, 0, 1, 2), 0, (1, 3, 2), (5, 7, 6)),
    141: Convolution(
        "conv3d_transpose", (4, 3, 0, 1, 2), 2, (1, 3, 2), (5, 7, 6), transposed=True
    ),
}
"""BuiltinOperator → `Convolution`; the kernels are always input 1."""


class UnreadError(Exception):
    """A weight that is not read, and why."""


@dataclass(frozen=True, slots=True, eq=False)
class Constant:
    """A weight in the file. ``buffer`` is its number in the model's list.

    ``scale`` and ``zero`` broadcast with the shape; both are None where the numbers
    are real.
    """

    file: OpenedFile
    name: str
    buffer: int
    offset: int
    shape: tuple[int, ...]
    dtype: str
    scale: NDArray[np.float32] | None
    zero: NDArray[np.float32] | None

    def load(self) -> NDArray[np.generic]:
        """Read the values, dequantised."""
        count = math.prod(self.shape)
        raw = self.file.read(self.offset, stored_bytes(count, self.dtype))
        if self.dtype == "int4":
            values = unpack_nibbles(raw, count, signed=True)
        else:
            values = decode(raw, self.dtype)
        values = values.reshape(self.shape)
        if self.scale is None or self.zero is None:
            return values
        return dequantized(values, self.scale, self.zero)


@dataclass(frozen=True, slots=True)
class Layer:
    """An operator: its number in the schema, what goes in, what comes out."""

    table: Table
    code: int
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]


@dataclass(eq=False)
class Subgraph:
    """The tensors of a subgraph and which operator makes each of them."""

    file: OpenedFile
    table: Table
    buffers: Tables
    codes: tuple[int, ...]

    def __post_init__(self) -> None:
        self.tensors = self.table.tables(0)
        self.operators = self.table.tables(3)
        self._makers: dict[int, Layer] = {}

    def note(self, layer: Layer) -> None:
        """Remember what makes a tensor; operators come in the order they run in."""
        self._makers.update(dict.fromkeys(layer.outputs, layer))

    def code(self, operator: Table) -> int:
        """The operator's number in the schema."""
        index = operator.number(0, "<I")
        if index >= len(self.codes):
            raise DamagedError("an operator in it is of no known kind")
        return self.codes[index]

    def constant(self, index: int) -> Constant:
        """The weight behind a tensor number, through DEQUANTIZE and DENSIFY.

        Raises
        ------
        UnreadError
            It is computed, sparse, or of an unknown number type.
        DamagedError
            It lies outside the file or its size does not fit its shape.
        """
        for _ in range(8):
            tensor = self.tensors[index]
            if tensor.field(6):
                raise UnreadError(
                    "it is stored sparse, which is not read: convert the network "
                    "again without sparsity"
                )
            buffer = tensor.number(2, "<I")
            offset, size = self._bytes(buffer)
            if size:
                return self._stored(tensor, buffer, offset, size)
            maker = self._makers.get(index)
            if maker is None or maker.code not in HANDED_ON or not maker.inputs:
                break
            index = maker.inputs[0]
        raise UnreadError("its weights are computed by the network")

    def _bytes(self, number: int) -> tuple[int, int]:
        """Offset and size of a buffer; files over 2 GB keep them beside the tables."""
        buffer = self.buffers[number]
        offset, size = buffer.number(1, "<Q"), buffer.number(2, "<Q")
        if offset <= 1:
            return buffer.vector(0, 1)
        if offset + size > self.file.size:
            msg = "a weight in it lies beyond its end: it is cut off or damaged"
            raise DamagedError(msg)
        return offset, size

    def _stored(self, tensor: Table, buffer: int, offset: int, size: int) -> Constant:
        name, shape = tensor.text(3), tensor.integers(0)
        dtype = TYPES.get(tensor.number(1, "<b"))
        if dtype is None:
            raise UnreadError(
                f"its numbers are of a type that is not read ({tensor.number(1, '<b')})"
            )
        if len(shape) > 8 or any(length < 0 for length in shape):
            raise DamagedError(f"a weight in it has the shape {list(shape[:8])}")
        if size < stored_bytes(math.prod(shape), dtype):
            raise DamagedError("a weight in it has fewer values than its shape says")
        scale, zero = _scales(tensor.table(4), shape)
        if dtype in ("float16", "float32", "float64", "bfloat16"):
            scale = zero = None
        return Constant(self.file, name, buffer, offset, shape, dtype, scale, zero)


def stored_bytes(count: int, dtype: str) -> int:
    """Bytes that so many numbers take in the file."""
    return (count + 1) // 2 if dtype == "int4" else count * ITEMSIZE[dtype]


def _scales(
    quantisation: Table | None, shape: tuple[int, ...]
) -> tuple[NDArray[np.float32] | None, NDArray[np.float32] | None]:
    """Scale and zero point, shaped to broadcast with the tensor."""
    scales = quantisation.floats(2) if quantisation else ()
    if quantisation is None or not scales:
        return None, None
    zeros = quantisation.integers(3, "q") or (0,)
    axis = quantisation.number(6, "<i")
    spread = [1] * len(shape)
    if len(scales) > 1:
        if not 0 <= axis < len(shape) or len(scales) != shape[axis]:
            msg = "the scales of a quantised weight in it do not fit its shape"
            raise DamagedError(msg)
        spread[axis] = len(scales)
    if len(zeros) not in (1, len(scales)):
        msg = "the zero points of a quantised weight in it do not fit its scales"
        raise DamagedError(msg)
    scale = np.array(scales, np.float32).reshape(spread)
    zero = np.array(zeros, np.float32)
    return scale, zero.reshape(spread) if len(zeros) > 1 else zero


_OPERATION = {
    "depthwise_conv2d": r"(separable_conv2d|depthwise(_conv2?d?)?)",
    "conv2d": r"(Conv[12]D|convolution|conv)",
    "conv2d_transpose": r"(conv2d_transpose|Conv2DBackpropInput)",
    "conv3d": r"(Conv3D)",
    "conv3d_transpose": r"(conv3d_transpose|Conv3DBackpropInputV2)",
    "fully_connected": r"(MatMul|Tensordot)",
}
"""Kind of layer → the operation's name, the last part of the path in one of them."""

_ADDED = re.compile(r"(_dequantize|:0|/ReadVariableOp(/resource)?)+\d*$")
_OPAQUE = re.compile(
    r"\d*|.*(const|constant|fuse_attr|tensor|unknown)[._]?\d*|tfl\.\w+\d*|.*::.*",
    re.IGNORECASE,
)


def layer_name(weight: str, output: str, kind: str, place: int) -> str:
    """Dotted name of a layer's weight, ending in ``weight``.

    Parameters
    ----------
    weight, output
        The file's names of the weight and of what the operator puts out.
    kind, place
        The operator and its number among the convolutions.
    """
    operation = re.compile(rf"{_OPERATION[kind]}(_Fold|_quant\w*)?\d*")
    for name in (weight, output):
        for part in name.split(";"):
            path, _, last = _ADDED.sub("", part).rpartition("/")
            if path and operation.fullmatch(last):
                return f"{path.replace('/', '.')}.weight"
    plain = _ADDED.sub("", weight.split(";")[0])
    if _OPAQUE.fullmatch(plain):
        return f"{kind}_{place}.weight"
    parts = [part for part in re.split(r"[/.]", plain) if part]
    if parts[-1].lower() in ("kernel", "weights", "weight", "filter"):
        parts.pop()
    return ".".join((*(parts or [f"{kind}_{place}"]), "weight"))
