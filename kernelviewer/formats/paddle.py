"""Paddle's networks for inference: ``.pdmodel`` with ``.pdiparams`` beside it."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from kernelviewer.formats.checkpoint import (
    Checkpoint,
    Skipped,
    Tensor,
    operator_of,
    unread_layers,
)
from kernelviewer.formats.errors import CheckpointError, DamagedError
from kernelviewer.formats.network.names import unique_name
from kernelviewer.formats.onnx.layers import layer_name
from kernelviewer.formats.protobuf import BYTES, VARINT, fields, integers, text, varint
from kernelviewer.formats.source import Reader, file_beside, viewed
from kernelviewer.formats.stored import ITEMSIZE, Leaf, decode

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from kernelviewer.formats.protobuf import Span
    from kernelviewer.formats.source import Data, OpenedFile, Options, Source
    from kernelviewer.watch import Watch


_WHAT = "a Paddle network"
_FIRST_BLOCK = b"\x08\x00\x10" + b"\xff" * 9 + b"\x01"  # number 0, within none
_TYPES = {
    **{0: "bool", 1: "int16", 2: "int32", 3: "int64", 4: "float16", 5: "float32"},
    **{6: "float64", 20: "uint8", 21: "int8", 22: "bfloat16"},
}
"""Number of a type in Paddle's schema → its name."""
_WEIGHTS = ("float16", "float32", "float64", "bfloat16")
_OTHER = "the file with its weights is not the one that belongs to this graph"
_AGAIN = "Take both from the same download."


def match(source: Source) -> bool:
    """True if the file starts with a graph's first block."""
    if source.head[:1] != b"\x0a":
        return False
    try:
        _, at = varint(source.head, 1, len(source.head))
    except DamagedError:
        return False
    return source.head.startswith(_FIRST_BLOCK, at)


def read(source: Source, options: Options) -> Checkpoint:
    """Open the graph, and find its weights in the file beside it.

    Raises
    ------
    CheckpointError
        The graph is damaged, or its weights are missing or those of another one.
    """
    with viewed(source.path) as data:
        program = read_program(data, (0, len(data)), options.watch)
    if not program.convolutions:
        raise CheckpointError(source.path, f"{_WHAT} without convolutions")
    weights = _beside(source.path)
    if not weights.size:
        raise DamagedError("the file with its weights is empty", _AGAIN)
    with viewed(weights) as data:
        leaves = _leaves(data, weights, program, options.watch)
    tensors, skipped, warnings = _tensors(program, leaves)
    return Checkpoint(
        source.path,
        "Paddle",
        source.size + weights.size,
        tuple(tensors),
        tuple(skipped),
        tuple(warnings),
        files=(weights,),
    )


def _beside(model: Path) -> OpenedFile:
    """The file with the weights; older ones have a name of their own."""
    name = model.with_suffix(".pdiparams").name
    if not (model.parent / name).exists() and (model.parent / "__params__").exists():
        name = "__params__"
    return file_beside(model, name)


def _leaves(
    data: Data, file: OpenedFile, program: Program, watch: Watch
) -> dict[str, Leaf]:
    """The saved variables, which lie one after the other in the order of names."""
    leaves: dict[str, Leaf] = {}
    at = 0
    for name in sorted(program.variables):
        watch.check()
        leaf, at = _leaf(data, file, name, at)
        if leaf.shape != program.variables[name]:
            raise DamagedError(_OTHER, _AGAIN)
        leaves[name] = leaf
    if at != file.size:
        raise DamagedError(_OTHER, _AGAIN)
    return leaves


def _leaf(data: Data, file: OpenedFile, name: str, at: int) -> tuple[Leaf, int]:
    """One variable, and where it ends: version, level of detail, type, values."""
    if int.from_bytes(data[at : at + 12], "little"):
        raise DamagedError(_OTHER, _AGAIN)
    size = int.from_bytes(data[at + 16 : at + 20], "little")
    start = at + 20 + size
    if start > file.size:
        raise DamagedError(_OTHER, _AGAIN)
    kind, shape = tensor_type(data, (at + 20, start))
    dtype = _TYPES.get(kind, "")
    if not dtype or any(side < 0 for side in shape):
        raise DamagedError(_OTHER, _AGAIN)
    length = math.prod(shape) * ITEMSIZE[dtype]
    if start + length > file.size:
        raise DamagedError(_OTHER, _AGAIN)

    def load() -> NDArray[np.generic]:
        return decode(file.read(start, length), dtype).reshape(shape)

    return Leaf((name,), name, shape, dtype, load), start + length


def _tensors(
    program: Program, leaves: dict[str, Leaf]
) -> tuple[list[Tensor], list[Skipped], list[str]]:
    """The convolutions' weights in the graph's order, each once; what is left out."""
    tensors: list[Tensor] = []
    skipped: list[Skipped] = []
    used: set[str] = set()
    taken: set[str] = set()
    unread = 0
    for place, layer in enumerate(program.convolutions, 1):
        leaf = leaves.get(layer.weight)
        name = layer_name(layer.weight, "", layer.operator, place)
        if leaf is None or len(leaf.shape) < 4:
            skipped.append(Skipped(name, "its weights are computed by the network"))
            unread += "depthwise" in layer.operator
        elif layer.weight in used:
            continue
        elif leaf.dtype not in _WEIGHTS:
            used.add(layer.weight)
            skipped.append(Skipped(name, f"it is quantised ({leaf.dtype})"))
            unread += "depthwise" in layer.operator
        else:
            used.add(layer.weight)
            name = unique_name(name, taken)
            operator = operator_of(layer.facts, groups=1)
            tensors.append(
                Tensor(name, leaf.shape, leaf.dtype, leaf.load, leaf.raw_name, operator)
            )
    skipped += [
        Skipped(name, "no convolution's weight")
        for name, leaf in leaves.items()
        if len(leaf.shape) > 2 and name not in used
    ]
    return tensors, skipped, unread_layers(unread)


_TENSOR = 7
_MAX_ITEMS = 1 << 20
_NUMBERS = {"strides": "stride", "dilations": "dilation", "paddings": "padding"}
"""Paddle's words for what is kept of a convolution → PyTorch's."""
CONVOLUTIONS = {
    **dict.fromkeys(("conv2d", "depthwise_conv2d", "conv3d"), False),
    **dict.fromkeys(("conv2d_fusion", "fused_conv2d_add_act"), False),
    **dict.fromkeys(("conv2d_transpose", "depthwise_conv2d_transpose"), True),
    "conv3d_transpose": True,
}
"""Operator → whether it is transposed; the kernels lie as PyTorch's do."""


@dataclass(frozen=True, slots=True)
class Convolution:
    """A convolution: its operator, the name of its weight, and what it does."""

    operator: str
    weight: str
    facts: dict[str, Any]


@dataclass(slots=True)
class Program:
    """The facts of a graph."""

    variables: dict[str, tuple[int, ...]] = field(default_factory=dict)
    """Name → shape of each variable that is saved."""
    convolutions: list[Convolution] = field(default_factory=list)
    """In the graph's order."""


def read_program(data: Data, span: Span, watch: Watch) -> Program:
    """Read a ProgramDesc.

    Raises
    ------
    DamagedError
        Its structure makes no sense.
    """
    program = Program()
    count = 0
    for number, wire, start, end in fields(data, span):
        if (number, wire) != (1, BYTES):
            continue
        for inner, kind, a, b in fields(data, (start, end)):
            count += 1
            if count % 256 == 1:
                watch.check()
            if count > _MAX_ITEMS:
                raise DamagedError("it lists an absurd number of variables")
            if (inner, kind) == (3, BYTES):
                _variable(data, (a, b), program)
            elif (inner, kind) == (4, BYTES):
                _operation(data, (a, b), program)
    return program


def tensor_type(data: Data, span: Span) -> tuple[int, tuple[int, ...]]:
    """Number of the type, and shape, of a TensorDesc."""
    kind, sides = 0, []
    for number, wire, start, end in fields(data, span):
        if (number, wire) == (1, VARINT):
            kind = start
        elif number == 2:
            sides += integers(data, wire, start, end)
    return kind, tuple(sides)


def _variable(data: Data, span: Span, program: Program) -> None:
    name, saved, tensor = "", False, False
    shape: tuple[int, ...] = ()
    for number, wire, start, end in fields(data, span):
        if (number, wire) == (1, BYTES):
            name = text(data, start, end)
        elif (number, wire) == (3, VARINT):
            saved = bool(start)
        elif (number, wire) == (2, BYTES):
            for inner, kind, a, b in fields(data, (start, end)):
                if (inner, kind) == (1, VARINT):
                    tensor = a == _TENSOR
                elif (inner, kind) == (3, BYTES):
                    for part, way, c, d in fields(data, (a, b)):
                        if (part, way) == (1, BYTES):
                            shape = tensor_type(data, (c, d))[1]
    if saved and tensor:
        program.variables[name] = shape


def _operation(data: Data, span: Span, program: Program) -> None:
    operator = ""
    inputs: list[Span] = []
    attributes: list[Span] = []
    for number, wire, start, end in fields(data, span):
        if (number, wire) == (3, BYTES):
            operator = text(data, start, end)
        elif (number, wire) == (1, BYTES):
            inputs.append((start, end))
        elif (number, wire) == (4, BYTES):
            attributes.append((start, end))
    if operator not in CONVOLUTIONS:
        return
    weight = next((name for s in inputs if (name := _filter(data, s))), "")
    facts: dict[str, Any] = {"transposed": CONVOLUTIONS[operator]}
    for attribute in attributes:
        facts.update(_fact(data, attribute))
    program.convolutions.append(Convolution(operator, weight, facts))


def _filter(data: Data, span: Span) -> str:
    """The variable that an operator takes as its kernels, if this input is that."""
    names = {
        number: text(data, start, end)
        for number, wire, start, end in fields(data, span)
        if wire == BYTES
    }
    return names.get(2, "") if names.get(1) == "Filter" else ""


def _fact(data: Data, span: Span) -> dict[str, Any]:
    name, number, values = "", 0, []
    for field_, wire, start, end in fields(data, span):
        if (field_, wire) == (1, BYTES):
            name = text(data, start, end)
        elif (field_, wire) == (3, VARINT):
            number = start
        elif field_ == 6:
            values += integers(data, wire, start, end)
    if name == "groups":
        return {"groups": number}
    return {_NUMBERS[name]: tuple(values)} if name in _NUMBERS else {}


READER = Reader("Paddle", _WHAT, match, read, has_parts=True)
