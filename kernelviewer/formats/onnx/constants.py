"""What names in an ONNX graph stand for, through branches, calls and operations."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from kernelviewer.formats.onnx.graph import TensorRecord
from kernelviewer.formats.onnx.operations import (
    MOST_NUMBERS,
    OPERATIONS,
    PIECES,
    VIEWS,
    Call,
)
from kernelviewer.formats.onnx.store import (
    DamagedWeightError,
    NotConstantError,
    given,
)

if TYPE_CHECKING:
    from collections.abc import Hashable

    from kernelviewer.formats.onnx.graph import Attribute, Graph, Model, Node
    from kernelviewer.formats.onnx.store import Store, Value


_MAX_STEPS = 256  # graphs and calls that a name is handed through


@dataclass(slots=True, eq=False)
class Scope:
    """The names that a graph sees: its own, then those of the graph around it.

    ``formal`` maps a function's input names to names where it is called,
    ``attributes`` has what its nodes may refer to.
    """

    graph: Graph
    parent: Scope | None = None
    formal: dict[str, tuple[Scope, str]] = field(default_factory=dict)
    attributes: dict[str, Attribute] = field(default_factory=dict)
    _calls: dict[int, Scope] = field(default_factory=dict)

    def within(self, graph: Graph) -> Scope:
        """The names that a branch or a loop's body sees."""
        return Scope(graph, self, attributes=self.attributes)

    def called(self, function: Graph, node: Node) -> Scope:
        """A function's names where a node calls it; the same each time."""
        known = self._calls.get(id(node))
        if known is None:
            given = zip(function.formal, node.inputs, strict=False)
            known = self._calls[id(node)] = Scope(
                function,
                None,
                {name: (self, item) for name, item in given},
                function.defaults | self.settled(node).attributes,
            )
        return known

    def settled(self, node: Node) -> Node:
        """A node with what its attributes refer to; those that are not set are left."""
        if not any(item.reference for item in node.attributes.values()):
            return node
        found: dict[str, Attribute] = {}
        for name, attribute in node.attributes.items():
            if not attribute.reference:
                found[name] = attribute
            elif attribute.reference in self.attributes:
                found[name] = self.attributes[attribute.reference]
        return replace(node, attributes=found)

    def is_left_out(self, name: str) -> bool:
        """True if an optional input is not given, here or in the function's call."""
        scope = self
        for _ in range(_MAX_STEPS):
            if name in scope.formal:
                scope, name = scope.formal[name]
            elif name and name not in scope.graph.formal and scope.parent is not None:
                scope = scope.parent
            else:
                break
        return not name or name in scope.graph.formal

    def find(self, name: str) -> tuple[Scope, str, TensorRecord | Node | None]:
        """Where a name comes from: a weight, a node, or (None) an input.

        Raises
        ------
        NotConstantError
            It is a sparse weight.
        """
        scope: Scope = self
        for _ in range(_MAX_STEPS):
            graph = scope.graph
            if not name:
                break
            if name in scope.formal:
                scope, name = scope.formal[name]
            elif name in graph.makers:
                return scope, name, graph.makers[name]
            elif name in graph.weights:
                return scope, name, graph.weights[name]
            elif name in graph.sparse:
                raise NotConstantError(
                    "it is stored sparse, which is not read: export the network "
                    "again without sparse weights"
                )
            elif scope.parent is not None:
                scope = scope.parent
            else:
                break
        return scope, name, None


_DOMAINS = {"", "ai.onnx", "com.microsoft"}
_MAX_CHAIN = 64  # operations one after another
_MAX_COST = 1 << 14  # reads and operations when one weight is used several times
_MAX_RANK = 16
_FEW = 16  # numbers that are compared by what they are
_FEWEST_MADE = 1 << 24  # values that operations may make whatever the file's size
_MOST_MADE = 8  # values for each byte of the files
_TOO_LONG = "it is computed by too long a formula"


@dataclass(eq=False)
class Constants:
    """Finds what a name stands for, once for each name."""

    store: Store
    model: Model
    _known: dict[tuple[int, str], Value] = field(default_factory=dict)
    _failed: dict[tuple[int, str], NotConstantError] = field(default_factory=dict)
    _scopes: dict[int, Scope] = field(default_factory=dict)
    _busy: set[tuple[int, str]] = field(default_factory=set)
    _identities: dict[Hashable, tuple[int]] = field(default_factory=dict)

    def value(self, scope: Scope, name: str, depth: int = 0) -> Value:
        """The constant behind a name.

        Raises
        ------
        NotConstantError
            It is an input of the network or computed from one, it comes from an
            operation that is not known here, or the operations do not fit it.
        DamagedWeightError
            The file contradicts itself there.
        """
        scope, name, origin = scope.find(name)
        key = id(scope), name
        if key not in self._known:
            if key in self._failed:
                raise self._failed[key].with_traceback(None)
            if key in self._busy:
                raise DamagedWeightError("a weight in it is computed from itself")
            if depth > _MAX_CHAIN:
                raise NotConstantError(_TOO_LONG)
            self._scopes[key[0]] = scope  # keeps the id taken
            self._busy.add(key)
            try:
                self._known[key] = self._make(scope, name, origin, depth)
            except NotConstantError as reason:
                if str(reason) != _TOO_LONG:  # that may be the caller's chain
                    self._failed[key] = reason
                raise
            finally:
                self._busy.discard(key)
        return self._known[key]

    def choice(self, scope: Scope, node: Node) -> bool | None:
        """The value that decides between branches of an If; None if only a run tells.

        Exporters write it where a setting of a function decides.
        """
        try:
            value = self.value(scope, node.inputs[0]) if node.inputs else None
            if value is None or value.kind.kind != "b" or value.made > MOST_NUMBERS:
                return None
            with np.errstate(all="ignore"):
                return bool(value.load()) if math.prod(value.shape) == 1 else None
        except NotConstantError:
            return None

    def _make(
        self, scope: Scope, name: str, origin: TensorRecord | Node | None, depth: int
    ) -> Value:
        if isinstance(origin, TensorRecord):
            return self.store.value(origin)
        if origin is None:
            raise NotConstantError("it is an input of the network")
        function = self.model.function(origin)
        output = origin.outputs.index(name)
        if function is not None and output < len(function.outputs):
            inner = scope.called(function, origin)
            return self.value(inner, function.outputs[output], depth + 1)
        node = scope.settled(origin)
        if node.operator == "Constant" and node.domain in _DOMAINS:
            return replace(self._constant(node), raw_name=name)
        build = OPERATIONS.get(node.operator)
        if build is None or node.domain not in _DOMAINS:
            msg = f"it is computed in the graph by {node.operator[:40]}"
            raise NotConstantError(msg)
        inputs = self._inputs(scope, node, depth)
        call = Call(node, inputs, output, self.store)
        value = self._counted(build(call), call)
        return replace(value, raw_name=name) if node.operator in PIECES else value

    def _inputs(self, scope: Scope, node: Node, depth: int) -> tuple[Value | None, ...]:
        inputs = [
            None if scope.is_left_out(item) else self.value(scope, item, depth + 1)
            for item in node.inputs
        ]
        if not inputs or inputs[0] is None:
            raise NotConstantError(f"its {node.operator} has no input")
        return tuple(inputs)

    def _counted(self, value: Value, call: Call) -> Value:
        """The value with what it costs and what makes it unlike others."""
        inputs = [item for item in call.inputs if item is not None]
        made = sum(item.made for item in inputs)
        count = math.prod(max(1, size) for size in value.shape)
        if call.node.operator not in VIEWS:
            made += count
        if max(made, count) > max(_FEWEST_MADE, _MOST_MADE * self.store.size()):
            msg = "it is computed by a formula that makes it absurdly large"
            raise NotConstantError(msg)
        cost = 1 + sum(item.cost for item in inputs)
        depth = 1 + max(item.depth for item in inputs)
        if cost > _MAX_COST or depth > _MAX_CHAIN:
            raise NotConstantError(_TOO_LONG)
        if len(value.shape) > _MAX_RANK:
            msg = f"it is computed to have {len(value.shape)} dimensions"
            raise NotConstantError(msg)
        return replace(
            value,
            cost=cost,
            depth=depth,
            made=made,
            identity=self._identity(call),
            sources=frozenset().union(*(item.sources for item in inputs)),
            part=value.part if call.node.operator in ("Slice", "Split") else None,
        )

    def _identity(self, call: Call) -> tuple[int]:
        """A number for the operation and its inputs, the same for the same ones."""
        first = 0 if call.node.operator == "ConstantOfShape" else 1
        inputs = tuple(
            item and (_content(item) if index >= first else item.identity)
            for index, item in enumerate(call.inputs)
        )
        key = call.node.operator, call.output, _told(call.node), inputs
        return self._identities.setdefault(key, (len(self._identities),))

    def _constant(self, node: Node) -> Value:
        """The value of a Constant node, in any of its spellings."""
        for name, attribute in node.attributes.items():
            key = "constant", id(attribute)
            if name.startswith("value") and attribute.tensor:
                return self.store.value(attribute.tensor)
            if name == "value_float":
                return given(np.float32(attribute.number), key)
            if name == "value_floats":
                return given(np.array(attribute.floats, np.float32), key)
            if name == "value_int":
                return given(np.int64(attribute.integer), key)
            if name == "value_ints":
                return given(np.array(attribute.integers, np.int64), key)
        raise NotConstantError("it is stored sparse or as text, which is not read")


def _content(value: Value) -> Hashable:
    """A key for a setting: its numbers, where they are few.

    Exporters write them anew each time that a weight is used.
    """
    if value.depth or len(value.shape) > 1 or math.prod(value.shape) > _FEW:
        return value.identity
    return value.kind, value.shape, np.asarray(value.load()).tobytes()


def _told(node: Node) -> tuple[tuple[Hashable, ...], ...]:
    """A node's settings in a form that can be compared."""

    def key(name: str, item: Attribute) -> tuple[Hashable, ...]:
        plain = item.number, item.integer, item.text, item.integers, item.floats
        return (name, *plain, id(item.tensor) if item.tensor else 0)

    return tuple(key(*item) for item in node.attributes.items())
