"""Small TFLite models for tests, written with the FlatBuffers builder."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import flatbuffers
import numpy as np

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

CONV_2D, DEPTHWISE, DEQUANTIZE, DENSE, TRANSPOSE_CONV, CONV_3D = 3, 4, 6, 9, 67, 132
TYPES = {"float32": 0, "float16": 1, "uint8": 3, "int8": 9, "int4": 17}


@dataclass
class TensorSpec:
    """A tensor; without values it is computed."""

    name: str
    shape: tuple[int, ...]
    values: NDArray[np.generic] | None = None
    scale: tuple[float, ...] = ()
    zero: tuple[int, ...] = ()
    axis: int = 0
    dtype: str = ""
    sparse: bool = False
    buffer: int | None = None


@dataclass
class OperatorSpec:
    """An operator; options are (field, struct code, value)."""

    code: int
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    options: tuple[tuple[int, str, int], ...] = ()


@dataclass
class GraphSpec:
    """A subgraph."""

    tensors: list[TensorSpec]
    operators: list[OperatorSpec]
    name: str = "main"


@dataclass
class _Writer:
    far: bool
    builder: flatbuffers.Builder = field(default_factory=flatbuffers.Builder)
    buffers: list[bytes] = field(default_factory=lambda: [b""])
    codes: list[int] = field(default_factory=list)

    def table(self, fields: list[tuple[int, str, int | float]]) -> int:
        """A table of (field, code, value); ``o`` is an offset."""
        self.builder.StartObject(1 + max((slot for slot, _, _ in fields), default=0))
        for slot, code, value in fields:
            add = {
                "o": self.builder.PrependUOffsetTRelativeSlot,
                "b": self.builder.PrependInt8Slot,
                "i": self.builder.PrependInt32Slot,
                "I": self.builder.PrependUint32Slot,
                "Q": self.builder.PrependUint64Slot,
            }[code]
            if value or code != "o":
                default = 0 if code == "o" else not value  # written in any case
                add(slot, value, int(default))
        return self.builder.EndObject()

    def numbers(self, values: tuple[float, ...], dtype: str) -> int:
        """A vector of numbers."""
        return self.builder.CreateNumpyVector(np.array(values, dtype)) if values else 0

    def offsets(self, items: list[int]) -> int:
        """A vector of tables."""
        self.builder.StartVector(4, len(items), 4)
        for item in reversed(items):
            self.builder.PrependUOffsetTRelative(item)
        return self.builder.EndVector()

    def tensor(self, spec: TensorSpec) -> int:
        """A tensor and, if it has values, its buffer."""
        number, kind = 0, spec.dtype or "float32"
        if spec.values is not None:
            kind = spec.dtype or str(spec.values.dtype)
            self.buffers.append(spec.values.tobytes())
            number = len(self.buffers) - 1
        if spec.buffer is not None:
            number = spec.buffer
        scales = self.numbers(spec.scale, "<f4")
        zeros = self.numbers(spec.zero, "<i8")
        quantisation = self.table(
            [(2, "o", scales), (3, "o", zeros), (6, "i", spec.axis)]
        )
        sparsity = self.table([(0, "o", 0)]) if spec.sparse else 0
        return self.table(
            [
                (0, "o", self.numbers(spec.shape, "<i4")),
                (1, "b", TYPES[kind]),
                (2, "I", number),
                (3, "o", self.builder.CreateString(spec.name)),
                (4, "o", quantisation if spec.scale else 0),
                (6, "o", sparsity),
            ]
        )

    def operator(self, spec: OperatorSpec) -> int:
        """An operator with its options."""
        if spec.code not in self.codes:
            self.codes.append(spec.code)
        options = self.table(list(spec.options)) if spec.options else 0
        return self.table(
            [
                (0, "I", self.codes.index(spec.code)),
                (1, "o", self.numbers(spec.inputs, "<i4")),
                (2, "o", self.numbers(spec.outputs, "<i4")),
                (4, "o", options),
            ]
        )

    def model(self, graphs: list[GraphSpec]) -> bytes:
        """The whole file; far buffers lie behind the tables."""
        made = []
        for graph in graphs:
            tensors = self.offsets([self.tensor(item) for item in graph.tensors])
            operators = self.offsets([self.operator(item) for item in graph.operators])
            name = self.builder.CreateString(graph.name)
            made.append(
                self.table([(0, "o", tensors), (3, "o", operators), (4, "o", name)])
            )
        subgraphs = self.offsets(made)
        codes = [
            self.table([(0, "b", min(code, 127)), (3, "i", code)])
            for code in self.codes
        ]
        kinds, buffers = self.offsets(codes), self.offsets(self._buffers())
        root = self.table(
            [(0, "I", 3), (1, "o", kinds), (2, "o", subgraphs), (4, "o", buffers)]
        )
        self.builder.Finish(root, file_identifier=b"TFL3")
        data = bytes(self.builder.Output())
        return self._with_far_buffers(data) if self.far else data

    def _buffers(self) -> list[int]:
        if self.far:  # the marks are replaced by real offsets afterwards
            return [
                self.table(
                    [(1, "Q", _mark(index)), (2, "Q", len(data))] if data else []
                )
                for index, data in enumerate(self.buffers)
            ]
        return [
            self.table([(0, "o", self.builder.CreateByteVector(data))] if data else [])
            for data in self.buffers
        ]

    def _with_far_buffers(self, data: bytes) -> bytes:
        for index, values in enumerate(self.buffers):
            if values:
                place = struct.pack("<Q", len(data))
                data = data.replace(struct.pack("<Q", _mark(index)), place) + values
        return data


def _mark(index: int) -> int:
    return 0x7EED_0000_0000_0000 + index


def save(path: Path, graphs: list[GraphSpec], *, far: bool = False) -> Path:
    """Write a model; ``far`` puts the values behind the tables, as over 2 GB."""
    path.write_bytes(_Writer(far).model(graphs))
    return path


def depthwise_graph(
    kernels: NDArray[np.generic], channels: int, name: str = "net/dw/depthwise"
) -> GraphSpec:
    """One depthwise layer; kernels [1, kh, kw, C·m]."""
    multiplier = kernels.shape[-1] // channels
    options = ((0, "b", 0), (1, "i", 2), (2, "i", 1), (3, "i", multiplier),
               (5, "i", 3), (6, "i", 4))  # fmt: skip
    tensors = [
        TensorSpec("x", (1, 8, 8, channels)),
        TensorSpec(name, kernels.shape, kernels),
        TensorSpec("y", (1, 8, 8, kernels.shape[-1])),
    ]
    return GraphSpec(tensors, [OperatorSpec(DEPTHWISE, (0, 1), (2,), options)])
