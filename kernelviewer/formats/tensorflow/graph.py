"""Frozen TensorFlow graphs (``.pb``): a GraphDef whose weights are constants in it."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from kernelviewer.formats.checkpoint import (
    Checkpoint,
    Operator,
    Skipped,
    Tensor,
    unread_layers,
)
from kernelviewer.formats.errors import CheckpointError, DamagedError
from kernelviewer.formats.network.names import unique_name
from kernelviewer.formats.protobuf import (
    BYTES,
    VARINT,
    fields,
    integers,
    signed,
    text,
    varint,
)
from kernelviewer.formats.source import Reader, viewed
from kernelviewer.formats.stored import ITEMSIZE, Leaf, decode
from kernelviewer.formats.tflite.tensors import layer_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

    from kernelviewer.formats.protobuf import Span
    from kernelviewer.formats.source import Data, OpenedFile, Options, Source
    from kernelviewer.formats.stored import Load
    from kernelviewer.watch import Watch


_WHAT = "a TensorFlow graph"
_TYPES = {1: "float32", 2: "float64", 14: "bfloat16", 19: "float16"}
"""Number of a type of weights in TensorFlow's schema → its name."""
_VALUES = {5: "float32", 6: "float64"}
"""Field of a tensor that lists its values one by one → their type."""
_NAME = re.compile(rb"[\w.][\w.\\/>-]*")
_OPERATOR = re.compile(rb"[A-Z_]\w*")
_MAX_DIMENSIONS = 8
_MAX_REPEATED = 1 << 26  # values that one stands for
_FREEZE = "Freeze it (freeze_graph), or export the network as ONNX, and open that."


def match(source: Source) -> bool:
    """True if the file starts with a node: its name, then its operator."""
    head = source.head
    try:
        at = 0
        for number in (0x0A, 0x0A):
            if head[at] != number:
                return False
            length, at = varint(head, at + 1, len(head))
        name, at = head[at : at + length], at + length
        if not _NAME.fullmatch(name) or head[at] != 0x12:
            return False
        length, at = varint(head, at + 1, len(head))
        return _OPERATOR.fullmatch(head, at, at + length) is not None
    except (DamagedError, IndexError):
        return False


def read(source: Source, options: Options) -> Checkpoint:
    """Open a frozen graph.

    Raises
    ------
    CheckpointError
        It is damaged, or its weights lie elsewhere.
    """
    file = source.file()
    with viewed(file) as data:
        nodes, constants = _graph(data, file, options.watch)
    found = convolutions(nodes, constants, options.watch)
    if not found.tensors:
        if any(node.operator in CONVOLUTIONS for node in nodes):
            problem = f"{_WHAT} whose weights lie in another file"
            raise CheckpointError(source.path, problem, _FREEZE)
        raise CheckpointError(source.path, f"{_WHAT} without convolutions")
    return Checkpoint(
        source.path,
        "TensorFlow graph",
        source.size,
        found.tensors,
        found.skipped,
        found.warnings,
    )


def _graph(
    data: Data, file: OpenedFile, watch: Watch
) -> tuple[list[Node], dict[str, Leaf]]:
    """All nodes, and the weights among them."""
    nodes: list[Node] = []
    constants: dict[str, Leaf] = {}
    for number, wire, start, end in fields(data, (0, file.size)):
        if (number, wire) != (1, BYTES):
            continue
        if len(nodes) % 64 == 0:
            watch.check()
        node, value = _node(data, (start, end))
        nodes.append(node)
        if node.operator == "Const" and value is not None:
            leaf = _constant(data, value, node.name, file)
            if leaf is not None:
                constants[node.name] = leaf
    return nodes, constants


def _node(data: Data, span: Span) -> tuple[Node, Span | None]:
    """A node, and where its value is if it is a constant."""
    name, operator, inputs = "", "", []
    facts: dict[str, Any] = {}
    value: Span | None = None
    for number, wire, start, end in fields(data, span):
        if wire != BYTES:
            continue
        if number == 1:
            name = text(data, start, end)
        elif number == 2:
            operator = text(data, start, end)
        elif number == 3:
            inputs.append(text(data, start, end).split(":")[0])
        elif number == 5:
            key, attribute = _entry(data, (start, end))
            if key in FACTS and attribute:
                facts[key] = _fact(data, attribute)
            elif key == "value" and attribute:
                value = _inner(data, attribute, 8)
    facts = {key: item for key, item in facts.items() if item is not None}
    return Node(name, operator, tuple(inputs), facts), value


def _entry(data: Data, span: Span) -> tuple[str, Span | None]:
    """An attribute's name, and where its value is."""
    key, value = "", None
    for number, wire, start, end in fields(data, span):
        if (number, wire) == (1, BYTES):
            key = text(data, start, end)
        elif (number, wire) == (2, BYTES):
            value = (start, end)
    return key, value


def _fact(data: Data, span: Span) -> tuple[int, ...] | str | None:
    """A text, or a list of whole numbers."""
    found: tuple[int, ...] | str | None = None
    for number, wire, start, end in fields(data, span):
        if (number, wire) == (2, BYTES):
            found = text(data, start, end).lower()
        elif (number, wire) == (1, BYTES):
            values = [
                item
                for inner, kind, a, b in fields(data, (start, end))
                if inner == 3
                for item in integers(data, kind, a, b)
            ]
            found = tuple(values)
    return found


def _inner(data: Data, span: Span, wanted: int) -> Span | None:
    """Where a message in a message is."""
    for number, wire, start, end in fields(data, span):
        if (number, wire) == (wanted, BYTES):
            return start, end
    return None


def _constant(data: Data, span: Span, name: str, file: OpenedFile) -> Leaf | None:
    """A constant as an array; None if it can be no weight."""
    dtype = ""
    shape: tuple[int, ...] = ()
    content: Span | None = None
    for number, wire, start, end in fields(data, span):
        if (number, wire) == (1, VARINT):
            dtype = _TYPES.get(start, "")
        elif (number, wire) == (2, BYTES):
            shape = _shape(data, (start, end))
        elif wire == BYTES and (number == 4 or dtype == _VALUES.get(number)):
            content = start, end
    if not dtype or not shape or content is None:
        return None
    begin, length = content[0], content[1] - content[0]
    count = math.prod(shape)
    repeated = ITEMSIZE[dtype] if count <= _MAX_REPEATED else -1
    if length not in (count * ITEMSIZE[dtype], repeated):
        msg = f"its weight “{name[-60:]}” has another number of values than its shape"
        raise DamagedError(msg)

    def load() -> NDArray[np.generic]:
        values = decode(file.read(begin, length), dtype)
        # one value stands for an array that is the same everywhere
        return np.broadcast_to(values, count).reshape(shape)

    return Leaf((name,), name, shape, dtype, load)


def _shape(data: Data, span: Span) -> tuple[int, ...]:
    sides = []
    for number, wire, start, end in fields(data, span):
        if (number, wire) == (2, BYTES):
            sizes = [
                signed(a)
                for n, kind, a, _ in fields(data, (start, end))
                if (n, kind) == (1, VARINT)
            ]
            sides.append(sizes[0] if sizes else 0)
    if len(sides) > _MAX_DIMENSIONS or any(side < 0 for side in sides):
        raise DamagedError(f"a weight in it has the shape {sides[:_MAX_DIMENSIONS]}")
    return tuple(sides)


_HANDED_ON = {"Identity", "ReadVariableOp", "Enter", "Switch", "StopGradient"}
_CALL = re.compile(r"(^|/)(Stateful)?PartitionedCall(?=/)")
_ADDED = re.compile(r"(_weights|/filter(_in)?)(/read|/ReadVariableOp)?$")
_COMPUTED = "its weights are computed by the network or passed into a part of it"
_NO_CONVOLUTION = "no convolution's weight"
_MAX_STEPS = 64


@dataclass(frozen=True, slots=True)
class Convolution:
    """How an operator stores its kernels, which are its second input."""

    kind: str
    """Name of the layer where the file gives none; also how its dilations and strides
    are cut: ``conv3d`` has three."""
    order: tuple[int, ...]
    """Axes of the stored kernels in PyTorch's order."""
    depthwise: bool = False
    transposed: bool = False
    """What the operator is."""


_PLAIN = Convolution("conv2d", (3, 2, 0, 1))
_DEPTHWISE = Convolution("depthwise_conv2d", (2, 3, 0, 1), depthwise=True)
_SPATIAL = Convolution("conv3d", (4, 3, 0, 1, 2))
CONVOLUTIONS: dict[str, Convolution] = {
    **dict.fromkeys(("Conv2D", "FusedConv2D", "_FusedConv2D"), _PLAIN),
    "Conv2DBackpropInput": Convolution(
        "conv2d_transpose", (3, 2, 0, 1), transposed=True
    ),
    **dict.fromkeys(
        (
            "DepthwiseConv2d",
            "DepthwiseConv2dNative",
            "FusedDepthwiseConv2dNative",
            "_FusedDepthwiseConv2dNative",
        ),
        _DEPTHWISE,
    ),
    "DepthwiseConv2dNativeBackpropInput": Convolution(
        "conv2d_transpose", (2, 3, 0, 1), depthwise=True, transposed=True
    ),
    **dict.fromkeys(("Conv3D", "_FusedConv3D"), _SPATIAL),
    "Conv3DBackpropInputV2": Convolution(
        "conv3d_transpose", (4, 3, 0, 1, 2), transposed=True
    ),
}
"""Operator → `Convolution`."""
FACTS = ("strides", "dilations", "padding")
"""The attributes of a node that are kept."""


@dataclass(frozen=True, slots=True)
class Node:
    """A node of the graph; ``facts`` are strides, dilations and padding if it has any.

    ``inputs`` are names of nodes, without the number of the output.
    """

    name: str
    operator: str
    inputs: tuple[str, ...]
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """The weights of a graph's convolutions, and what was left out."""

    tensors: tuple[Tensor, ...]
    skipped: tuple[Skipped, ...]
    warnings: tuple[str, ...] = ()


def convolutions(
    nodes: Iterable[Node], constants: Mapping[str, Leaf], watch: Watch
) -> Found:
    """Weights of all convolutions in the graph's order, each of them once.

    Parameters
    ----------
    constants
        Its weights by the names of their nodes.
    """
    listed = list(nodes)
    by_name = {node.name: node for node in listed}
    tensors: list[Tensor] = []
    skipped: list[Skipped] = []
    used: set[str] = set()
    taken: set[str] = set()
    unread = 0
    layers = [node for node in listed if node.operator in CONVOLUTIONS]
    for place, node in enumerate(layers, 1):
        if place % 64 == 1:
            watch.check()
        what = CONVOLUTIONS[node.operator]
        leaf = _weight(node, by_name, constants)
        if leaf is None or len(leaf.shape) != len(what.order) or 0 in leaf.shape:
            shape = leaf and f"its weight has the shape {list(leaf.shape)}"
            skipped.append(Skipped(node.name, shape or _COMPUTED))
            unread += what.depthwise
        elif leaf.raw_name not in used:
            used.add(leaf.raw_name)
            weight = _ADDED.sub("", _CALL.sub("", leaf.raw_name).lstrip("/"))
            output = _CALL.sub("", node.name).lstrip("/")
            name = layer_name(weight, output, what.kind, place)
            tensors.append(_tensor(unique_name(name, taken), leaf, node, what))
    skipped += [
        Skipped(name, _NO_CONVOLUTION)
        for name, leaf in constants.items()
        if len(leaf.shape) > 2 and leaf.raw_name not in used
    ]
    return Found(tuple(tensors), tuple(skipped), tuple(unread_layers(unread)))


def _weight(
    node: Node, by_name: Mapping[str, Node], constants: Mapping[str, Leaf]
) -> Leaf | None:
    """The weight that reaches a convolution's second input, if it is a constant."""
    if len(node.inputs) < 2:
        return None
    name = node.inputs[1]
    for _ in range(_MAX_STEPS):
        if name in constants:
            return constants[name]
        before = by_name.get(name)
        if before is None or before.operator not in _HANDED_ON or not before.inputs:
            return None
        name = before.inputs[0]
    return None


def _tensor(name: str, leaf: Leaf, node: Node, what: Convolution) -> Tensor:
    stored = tuple(leaf.shape[axis] for axis in what.order)
    channels = stored[0] if what.depthwise or what.transposed else stored[1]
    shape = stored
    groups: int | None = 1
    if what.depthwise:
        groups = channels
        if not what.transposed:
            shape = (stored[0] * stored[1], 1, *stored[2:])
    elif not what.transposed and stored[1] == 1:
        groups = None  # several channels may share it: the graph tells no shapes
    spatial = len(shape) - 2
    operator = Operator(
        groups,
        what.transposed,
        stride=_sides(node.facts.get("strides"), spatial),
        dilation=_sides(node.facts.get("dilations"), spatial),
        padding=node.facts.get("padding"),
        in_channels=channels if groups else None,
    )
    load = _turned(leaf.load, what.order, shape)
    return Tensor(name, shape, leaf.dtype, load, leaf.raw_name, operator)


def _turned(load: Load, order: tuple[int, ...], shape: tuple[int, ...]) -> Load:
    def turned() -> NDArray[np.generic]:
        return load().transpose(order).reshape(shape)

    return turned


def _sides(values: object, spatial: int) -> tuple[int, ...] | None:
    """Of [1, height, width, 1] the middle."""
    if not isinstance(values, tuple) or len(values) != spatial + 2:
        return None
    return values[1:-1] if values[0] == 1 == values[-1] else None


READER = Reader("TensorFlow graph", _WHAT, match, read)
