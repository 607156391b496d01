"""FlatBuffers, walked in place: tables, vectors and numbers, every step checked."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kernelviewer.formats.errors import DamagedError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kernelviewer.formats.source import Data


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
            msg = "a list of numbers in it is absurdly long"
            raise DamagedError(msg)
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


TYPES: dict[int, str] = {
    0: "float32",
    1: "float16",
    2: "int32",
    3: "uint8",
    4: "int64",
    6: "bool",
    7: "int16",
    9: "int8",
    10: "float64",
    12: "uint64",
    15: "uint32",
    16: "uint16",
    17: "int4",
    18: "bfloat16",
}
"""TensorType → the name used here."""

DEQUANTIZE, DENSIFY = 6, 124
HANDED_ON = {DEQUANTIZE, DENSIFY}
"""Operators that only hand a weight on."""

FULLY_CONNECTED = 9


@dataclass(frozen=True, slots=True)
class Convolution:
    """How one operator stores its kernels and its options.

    Attributes
    ----------
    name
        For layers that the file gives no readable name.
    order
        Axes of the stored kernels in PyTorch's order.
    image
        Which input is convolved.
    strides, dilations
        Fields of the options, the outermost axis first.
    depthwise, transposed
        What the operator is.
    """

    name: str
    order: tuple[int, ...]
    image: int
    strides: tuple[int, ...]
    dilations: tuple[int, ...] = ()
    depthwise: bool = False
    transposed: bool = False


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
