"""ONNX models: the weights of the convolutions in the graph, in the order they run."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from kernelviewer.formats.checkpoint import Checkpoint, Skipped, Tensor
from kernelviewer.formats.errors import DamagedError, damage_named
from kernelviewer.formats.network.names import unique_name
from kernelviewer.formats.onnx.constants import Constants, Scope
from kernelviewer.formats.onnx.graph import TensorRecord, read_model
from kernelviewer.formats.onnx.layers import (
    WEIGHT_INPUT,
    dotted,
    is_piece,
    is_readable,
    layer_name,
    layer_of,
    weight_name,
    wholes,
)
from kernelviewer.formats.onnx.store import (
    DamagedWeightError,
    NotConstantError,
    Store,
)
from kernelviewer.formats.protobuf import BYTES, VARINT, varint
from kernelviewer.formats.source import Reader, viewed

if TYPE_CHECKING:
    from collections.abc import Hashable

    from numpy.typing import NDArray

    from kernelviewer.formats.checkpoint import Operator
    from kernelviewer.formats.onnx.graph import Graph, Model, Node
    from kernelviewer.formats.onnx.layers import Whole
    from kernelviewer.formats.onnx.store import Value
    from kernelviewer.formats.source import Data, Options, Source
    from kernelviewer.watch import Watch


_WHAT = "an ONNX model"
_MODEL_FIELDS = {1, 2, 3, 4, 5, 6, 8, 14, 20, 25, 26}
_PREPARING = {
    *("Cast", "DequantizeLinear", "Expand", "Flatten", "Identity", "Pad"),
    *("QuantizeLinear", "Reshape", "Slice", "Split", "Squeeze", "Tile"),
    *("Transpose", "Unsqueeze"),
}
"""Operators that only hand a weight on."""
_MAX_NODES = 200_000  # visited, counting a function once per call
_MAX_NESTED = 64  # functions and graphs inside one another
_MAX_HANDED = 16  # operators that hand a weight on, one after another


def match(source: Source) -> bool:
    """True if the top level reads as an ONNX model that has a graph."""
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


def read(source: Source, options: Options) -> Checkpoint:
    """Open an ONNX model.

    Raises
    ------
    CheckpointError
        The file is damaged, or its weights lie in a file that is missing.
    """
    file = source.file()
    with viewed(file) as data:
        model = read_model(data, options.watch)
    store = Store(file)
    walk = _Walk(Constants(store, model), model, options.watch)
    walk.graph(Scope(model.graph))
    walk.finish()
    if walk.damage and not any(tensor.operator for tensor in walk.tensors):
        raise DamagedError(walk.damage)
    warnings = []
    if walk.integers:
        warnings.append(
            "Weights of integer convolutions are shown as whole numbers: "
            "their scale is applied later in the graph."
        )
    if walk.pieces > 1:
        warnings.append(
            f"{walk.pieces} convolutions of one channel each work on pieces of an "
            "image: they may be a depthwise layer that was taken apart in a way that "
            "is not recognised."
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
    watch: Watch
    tensors: list[Tensor] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    unread: list[Skipped] = field(default_factory=list)
    integers: bool = False
    pieces: int = 0
    damage: str = ""
    _listed: set[Hashable] = field(default_factory=set)
    _convolved: set[int] = field(default_factory=set)
    _others: set[int] = field(default_factory=set)
    _rest: list[tuple[frozenset[int], Skipped]] = field(default_factory=list)
    _kept: dict[int, TensorRecord] = field(default_factory=dict)
    _wholes: dict[tuple[int, int], Whole] = field(default_factory=dict)
    _names: set[str] = field(default_factory=set)
    _active: list[Graph] = field(default_factory=list)
    _visited: int = 0
    _convolutions: int = 0

    def graph(self, scope: Scope) -> None:
        """Visit the nodes, and the graphs and functions inside, in order."""
        if any(item is scope.graph for item in self._active):
            raise DamagedError("its functions call each other in a circle")
        if len(self._active) > _MAX_NESTED:
            raise DamagedError("its functions are nested absurdly deep")
        self._active.append(scope.graph)
        self._keep(scope.graph)
        self._wholes |= wholes(self.constants, scope)
        for node in scope.graph.nodes:
            self._visited += 1
            if self._visited > _MAX_NODES:
                msg = "its functions unfold into an absurd number of operations"
                raise DamagedError(msg)
            if self._visited % 256 == 0:
                self.watch.check()
            function = self.model.function(node)
            if function is not None:
                self._function(scope.called(function, node), node)
            elif node.operator in WEIGHT_INPUT:
                self._convolution(node, scope)
            else:
                self._other(node, scope)
            for inner in self._bodies(node, scope):
                self.graph(scope.within(inner))
        self._active.pop()

    def _bodies(self, node: Node, scope: Scope) -> list[Graph]:
        """The graphs that a node runs: of two branches one, if the file decides."""
        bodies = {name: attribute.graphs for name, attribute in node.attributes.items()}
        if node.operator == "If" and self.model.function(node) is None:
            chosen = self.constants.choice(scope, node)
            if chosen is not None:
                never = bodies.pop("else_branch" if chosen else "then_branch", [])
                for graph in never:
                    self._keep(graph)
        return [graph for graphs in bodies.values() for graph in graphs]

    def _keep(self, graph: Graph) -> None:
        """Note the weights of a graph that look like kernels: all are told of."""
        weights = graph.weights.values()
        self._kept |= {id(item): item for item in weights if _kernels(item.shape)}

    def _function(self, scope: Scope, node: Node) -> None:
        """Visit a function where it is called, and the graphs it has by default."""
        self.graph(scope)
        for name, attribute in scope.graph.defaults.items():
            for inner in attribute.graphs if name not in node.attributes else ():
                self.graph(scope.within(inner))

    def _convolution(self, node: Node, scope: Scope) -> None:
        self._convolutions += 1
        whole = self._wholes.get((id(scope), id(node)))
        layer = whole.read(self.constants) if whole else None
        if layer is None:
            try:
                layer = layer_of(self.constants, scope, node)
            except NotConstantError as reason:
                self._note_damage(reason)
                name = node.name or weight_name(node) or node.operator
                self.unread.append(Skipped(name, str(reason)))
                return
            self.pieces += is_piece(layer, self.constants, scope, node)
        if layer.key in self._listed:
            return  # shared weights: a head that runs at several scales
        self._listed.add(layer.key)
        self._convolved |= layer.value.sources
        named = whole.join if whole and whole.layer else node
        name = layer_name(
            layer.value.raw_name, named.name, node.operator, self._convolutions
        )
        self._add(name, layer.value, layer.operator)
        self.integers |= node.operator == "ConvInteger"

    def _other(self, node: Node, scope: Scope) -> None:
        """Keep the float weights of other operations: dense, norm, bias."""
        if node.operator in _PREPARING:
            return
        for source in node.inputs:
            try:
                name, record = _stored(scope, source)
                if record is None or id(record) in self._others:
                    continue
                self._others.add(id(record))
                value = self._prepared(scope, source, record)
            except NotConstantError as problem:
                if self._note_damage(problem):
                    self.skipped.append(Skipped(source, str(problem)))
                continue
            listed = value.kind.kind == "f" and is_readable(name)
            if listed and len(value.shape) in (1, 2) and value.shape != (1,):
                self._add(dotted(name), value, None)
            elif _kernels(value.shape) or (
                listed and sum(size > 1 for size in value.shape) > 1
            ):
                reason = f"no convolution: a weight of {node.operator[:40]}"
                self._rest.append((value.sources, Skipped(name, reason)))

    def _note_damage(self, reason: NotConstantError) -> bool:
        """True if a weight is damaged: without any other the whole file is."""
        damaged = isinstance(reason, DamagedWeightError)
        self.damage = self.damage or str(reason) * damaged
        return damaged

    def _prepared(self, scope: Scope, source: str, record: TensorRecord) -> Value:
        """A weight as it is handed on; as it is stored where only a part of it is."""
        stored = self.constants.store.value(record)
        try:
            value = self.constants.value(scope, source)
        except NotConstantError:
            return stored
        return value if math.prod(value.shape) == math.prod(stored.shape) else stored

    def finish(self) -> None:
        """Name the large weights that turned out to be no convolution's."""
        self.skipped += self.unread
        self.skipped += [
            item for sources, item in self._rest if not sources & self._convolved
        ]
        self.skipped += [
            Skipped(record.name, "no operation of the network takes it")
            for key, record in self._kept.items()
            if key not in self.constants.store.taken
        ]

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


def _kernels(shape: tuple[int, ...]) -> bool:
    """True if a weight has the shape of depthwise kernels."""
    return (
        3 <= len(shape) <= 5
        and shape[0] > shape[1] == 1
        and any(size > 1 for size in shape[2:])
    )


def _stored(scope: Scope, name: str) -> tuple[str, TensorRecord | None]:
    """The weight that is handed on to an operation, None if there is none."""
    for _ in range(_MAX_HANDED):
        scope, name, origin = scope.find(name)
        if isinstance(origin, TensorRecord):
            return name, origin
        if origin is None or origin.operator not in _PREPARING or not origin.inputs:
            break
        name = origin.inputs[0]
    return "", None


def _unread_warning(unread: list[Skipped]) -> str:
    """Say how many convolutions are missing, and why the first of them is."""
    first = f"{unread[0].name}: {unread[0].reason}"
    if len(unread) == 1:
        return f"A convolution is left out. {first}."
    return f"{len(unread)} convolutions are left out. The first is {first}."


READER = Reader("ONNX", _WHAT, match, read, has_parts=True)
