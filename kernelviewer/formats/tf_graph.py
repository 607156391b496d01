"""Frozen TensorFlow graphs (``.pb``): a GraphDef whose weights are constants in it."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any

import numpy as np

from kernelviewer.formats.checkpoint import Checkpoint
from kernelviewer.formats.damage import DamagedError, damage_named
from kernelviewer.formats.dtypes import ITEMSIZE, decode
from kernelviewer.formats.errors import CheckpointError
from kernelviewer.formats.file_view import viewed
from kernelviewer.formats.leaves import Leaf
from kernelviewer.formats.onnx_wire import (
    BYTES,
    VARINT,
    fields,
    integers,
    signed,
    text,
    varint,
)
from kernelviewer.formats.tf_operations import (
    CONVOLUTIONS,
    FACTS,
    Node,
    convolutions,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from kernelviewer.formats.onnx_wire import Data, Span
    from kernelviewer.formats.opened import OpenedFile
    from kernelviewer.formats.source import Options, Source

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
    """Whether the file starts with a node: its name, then its operator."""
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


def open_tf_graph(source: Source, options: Options) -> Checkpoint:
    """Open a frozen graph.

    Raises
    ------
    CheckpointError
        It is damaged, or its weights lie elsewhere.
    """
    with damage_named(source.path, _WHAT):
        file = source.file()
        with viewed(file) as data:
            nodes, constants = _graph(data, file, options.check)
        found = convolutions(nodes, constants, options.check)
    if not found.tensors:
        if any(node.operator in CONVOLUTIONS for node in nodes):
            problem = f"{_WHAT} whose weights lie in another file"
            raise CheckpointError(source.path, problem, _FREEZE)
        problem = f"{_WHAT} without convolutions"
        raise CheckpointError(source.path, problem)
    return Checkpoint(
        source.path,
        "TensorFlow graph",
        source.size,
        found.tensors,
        found.skipped,
        found.warnings,
    )


def _graph(
    data: Data, file: OpenedFile, check: Callable[[], None]
) -> tuple[list[Node], dict[str, Leaf]]:
    """All nodes, and the weights among them."""
    nodes: list[Node] = []
    constants: dict[str, Leaf] = {}
    for number, wire, start, end in fields(data, (0, file.size)):
        if (number, wire) != (1, BYTES):
            continue
        if len(nodes) % 64 == 0:
            check()
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
        msg = f"a weight in it has the shape {sides[:_MAX_DIMENSIONS]}"
        raise DamagedError(msg)
    return tuple(sides)
