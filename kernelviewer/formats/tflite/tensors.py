"""Constant tensors of a TFLite subgraph: where they lie and what scales them."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from kernelviewer.formats.errors import DamagedError
from kernelviewer.formats.network.scales import dequantized, unpack_nibbles
from kernelviewer.formats.stored import ITEMSIZE, decode
from kernelviewer.formats.tflite.flatbuffer import HANDED_ON, TYPES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kernelviewer.formats.source import OpenedFile
    from kernelviewer.formats.tflite.flatbuffer import Table, Tables


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
            msg = "an operator in it is of no known kind"
            raise DamagedError(msg)
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
                msg = (
                    "it is stored sparse, which is not read: convert the network "
                    "again without sparsity"
                )
                raise UnreadError(msg)
            buffer = tensor.number(2, "<I")
            offset, size = self._bytes(buffer)
            if size:
                return self._stored(tensor, buffer, offset, size)
            maker = self._makers.get(index)
            if maker is None or maker.code not in HANDED_ON or not maker.inputs:
                break
            index = maker.inputs[0]
        msg = "its weights are computed by the network"
        raise UnreadError(msg)

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
            msg = (
                f"its numbers are of a type that is not read ({tensor.number(1, '<b')})"
            )
            raise UnreadError(msg)
        if len(shape) > 8 or any(length < 0 for length in shape):
            msg = f"a weight in it has the shape {list(shape[:8])}"
            raise DamagedError(msg)
        if size < stored_bytes(math.prod(shape), dtype):
            msg = "a weight in it has fewer values than its shape says"
            raise DamagedError(msg)
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
