"""ONNX models: the weights of the convolutions in the graph, in the order they run."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from kernelviewer.formats.checkpoint import Checkpoint, Operator, Skipped, Tensor
from kernelviewer.formats.damage import DamagedError, damage_named
from kernelviewer.formats.file_view import viewed
from kernelviewer.formats.names import unique_name
from kernelviewer.formats.onnx_graph import TensorRecord, read_model
from kernelviewer.formats.onnx_names import dotted, is_readable, layer_name
from kernelviewer.formats.onnx_operations import along
from kernelviewer.formats.onnx_store import NotConstantError, Store
from kernelviewer.formats.onnx_values import Constants, Scope
from kernelviewer.formats.onnx_wire import BYTES, VARINT, varint
from kernelviewer.formats.quantised import dequantized

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from kernelviewer.formats.onnx_graph import Graph, Model, Node
    from kernelviewer.formats.onnx_store import Value
    from kernelviewer.formats.onnx_wire import Data
    from kernelviewer.formats.source import Options, Source

_WHAT = "an ONNX model"
_MODEL_FIELDS = {1, 2, 3, 4, 5, 6, 8, 14, 20, 25, 26}
_WEIGHT_INPUT = {
    "Conv": 1,
    "FusedConv": 1,
    "NhwcConv": 1,
    "NhwcFusedConv": 1,
    "ConvTranspose": 1,
    "ConvInteger": 1,
    "DeformConv": 1,
    "QLinearConv": 3,
}
"""Operators that convolve → which input holds the kernels."""
_PREPARING = {
    "Cast",
    "DequantizeLinear",
    "Identity",
    "QuantizeLinear",
    "Reshape",
    "Squeeze",
    "Transpose",
    "Unsqueeze",
}
"""Operators that only hand a weight on."""
_MAX_NODES = 200_000  # visited, counting a function once per call


def match(source: Source) -> bool:
    """Whether the top level reads as an ONNX model that has a graph."""
    if not source.head.startswith(b"\x08"):
        return False
    try:
        with viewed(source.path) as data:
            return _has_graph(data)
    except (OSError, ValueError):
        return False


def _has_graph(data: Data) -> bool:
    """Walk the model's few fields up to its graph; the graph may be cut off."""
    at, end = 0, len(data)
    for _ in range(1000):
        tag, at = varint(data, at, end)
        value, at = varint(data, at, end)
        if tag == 7 << 3 | BYTES:
            return True
        if tag >> 3 not in _MODEL_FIELDS or tag & 7 not in (VARINT, BYTES):
            return False
        if tag & 7 == BYTES:
            at += value
    return False


def open_onnx(source: Source, options: Options) -> Checkpoint:
    """Open an ONNX model.

    Raises
    ------
    CheckpointError
        The file is damaged, or its weights lie in a file that is missing.
    """
    with damage_named(source.path, _WHAT):
        file = source.file()
        with viewed(file) as data:
            model = read_model(data, options.check)
        store = Store(file)
        walk = _Walk(Constants(store), model, options.check)
        walk.graph(Scope(model.graph))
        walk.finish()
    warnings = []
    if walk.integers:
        warnings.append(
            "Weights of integer convolutions are shown as whole numbers: "
            "their scale is applied later in the graph."
        )
    if walk.unread:
        warnings.append(_unread_warning(walk.unread))
    return Checkpoint(
        source.path,
        "ONNX",
        source.size,
        tuple(walk.tensors),
        tuple(walk.skipped),
        tuple(warnings),
        metadata=dict(model.facts),
        files=tuple(store.others[name] for name in sorted(store.others)),
    )


@dataclass(eq=False)
class _Walk:
    """Goes through the graph and collects weights, each of them once."""

    constants: Constants
    model: Model
    check: Callable[[], None]
    tensors: list[Tensor] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    unread: list[Skipped] = field(default_factory=list)
    integers: bool = False
    _convolved: set[int] = field(default_factory=set)
    _others: set[int] = field(default_factory=set)
    _rest: dict[int, Skipped] = field(default_factory=dict)
    _names: set[str] = field(default_factory=set)
    _visited: int = 0
    _convolutions: int = 0

    def graph(self, scope: Scope, depth: int = 0) -> None:
        """Visit the nodes, and the graphs and functions inside, in order."""
        if depth > 16:
            msg = "its functions call each other in a circle"
            raise DamagedError(msg)
        for node in scope.graph.nodes:
            self._visited += 1
            if self._visited > _MAX_NODES:
                msg = "its functions unfold into an absurd number of operations"
                raise DamagedError(msg)
            if self._visited % 256 == 0:
                self.check()
            function = self.model.functions.get((node.domain, node.operator))
            if function is not None:
                self.graph(_called(function, node, scope), depth + 1)
            elif node.operator in _WEIGHT_INPUT:
                self._convolution(node, scope)
            else:
                self._other(node, scope)
            for attribute in node.attributes.values():
                for inner in attribute.graphs:
                    self.graph(Scope(inner, scope), depth + 1)

    def _convolution(self, node: Node, scope: Scope) -> None:
        self._convolutions += 1
        index = _WEIGHT_INPUT[node.operator]
        source = node.inputs[index] if index < len(node.inputs) else ""
        try:
            if not source:
                msg = "it has no weights"
                raise NotConstantError(msg)
            value = _effective(self.constants, scope, node)
            operator = _operator(node, value.shape)
        except NotConstantError as reason:
            name = node.name or source or node.operator
            self.unread.append(Skipped(name, str(reason)))
            return
        if id(value.origin) in self._convolved:
            return  # shared weights: a head that runs at several scales
        self._convolved.add(id(value.origin))
        name = layer_name(value.raw_name, node.name, node.operator, self._convolutions)
        self._add(name, value, operator)
        self.integers |= node.operator == "ConvInteger"

    def _other(self, node: Node, scope: Scope) -> None:
        """Keep the float weights of other operations: dense, norm, bias."""
        if node.operator in _PREPARING:
            return
        for source in node.inputs:
            try:
                _, name, record = scope.find(source)
                if not isinstance(record, TensorRecord) or id(record) in self._others:
                    continue
                self._others.add(id(record))
                value = self.constants.store.value(record)
            except NotConstantError:
                continue
            if "float" not in value.dtype or not is_readable(name):
                continue
            if len(value.shape) in (1, 2) and value.shape != (1,):
                self._add(dotted(name), value, None)
            elif sum(size > 1 for size in value.shape) > 1:
                reason = f"no convolution: a weight of {node.operator[:40]}"
                self._rest[id(record)] = Skipped(name, reason)

    def finish(self) -> None:
        """Name the large weights that turned out to be no convolution's."""
        rest = self._rest.items()
        self.skipped += self.unread
        self.skipped += [item for key, item in rest if key not in self._convolved]

    def _add(self, name: str, value: Value, operator: Operator | None) -> None:
        unique = unique_name(name, self._names)
        path = self.constants.store.file.path

        def load() -> NDArray[np.generic]:
            with damage_named(path, _WHAT), np.errstate(all="ignore"):
                return value.load()

        raw = value.raw_name or name
        self.tensors.append(
            Tensor(unique, value.shape, value.dtype, load, raw, operator)
        )


def _unread_warning(unread: list[Skipped]) -> str:
    """Say how many convolutions are missing, and why the first of them is."""
    first = f"{unread[0].name}: {unread[0].reason}"
    if len(unread) == 1:
        return f"A convolution is left out. {first}."
    return f"{len(unread)} convolutions are left out. The first is {first}."


def _called(function: Graph, node: Node, scope: Scope) -> Scope:
    """A function's names where a node calls it."""
    given = zip(function.formal, node.inputs, strict=False)
    return Scope(function, None, {name: (scope, item) for name, item in given})


def _effective(constants: Constants, scope: Scope, node: Node) -> Value:
    """The kernels of a convolution, dequantised by its own scale if it has one."""

    def given(index: int) -> Value | None:
        name = node.inputs[index] if index < len(node.inputs) else ""
        return constants.value(scope, name) if name else None

    value = given(_WEIGHT_INPUT[node.operator])
    assert value is not None  # looked at before
    scale = given(4) if node.operator == "QLinearConv" else None
    zero = None
    if node.operator in ("QLinearConv", "ConvInteger"):
        zero = given(5 if node.operator == "QLinearConv" else 3)
    if scale is None and zero is None:
        return value
    factor = along(scale, value.shape, 0) if scale else (lambda: 1.0)
    offset = along(zero, value.shape, 0) if zero else (lambda: 0.0)
    return replace(value, load=lambda: dequantized(value.load(), factor(), offset()))


def _operator(node: Node, shape: tuple[int, ...]) -> Operator:
    """What the node says of the convolution; checks that it can be one."""
    groups = node.integer("group", 1)
    if not 3 <= len(shape) <= 5 or 0 in shape:
        msg = f"its weight has the shape {list(shape)}, which no convolution has"
        raise NotConstantError(msg)
    if groups < 1 or shape[0] % groups:
        msg = f"its {shape[0]} channels cannot be split into {groups} groups"
        raise NotConstantError(msg)
    transposed = node.operator == "ConvTranspose"
    auto = node.attributes.get("auto_pad")
    padding: tuple[int, ...] | str | None = node.integers("pads")
    if auto and auto.text.startswith(("SAME", "VALID")):
        padding = auto.text.split("_")[0].lower()
    elif isinstance(padding, tuple) and len(padding) == 2 * (len(shape) - 2):
        half = len(padding) // 2
        if padding[:half] == padding[half:]:
            padding = padding[:half]
    return Operator(
        groups=groups,
        transposed=transposed,
        stride=node.integers("strides"),
        dilation=node.integers("dilations"),
        padding=padding,
        in_channels=shape[0] if transposed else shape[1] * groups,
    )
