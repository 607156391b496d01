"""Constants of an ONNX graph: weights behind the operations that prepare them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from kernelviewer.formats.damage import DamagedError
from kernelviewer.formats.onnx_graph import TensorRecord
from kernelviewer.formats.onnx_operations import OPERATIONS
from kernelviewer.formats.onnx_store import NotConstantError, Value

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kernelviewer.formats.onnx_graph import Graph, Node
    from kernelviewer.formats.onnx_store import Store

_MAX_CHAIN = 64  # operations behind a weight; cycles end here
_MAX_COST = 256  # reads and operations when one weight is used several times


@dataclass(eq=False)
class Scope:
    """The names that a graph sees: its own, then those of the graph around it.

    ``formal`` maps a function's input names to names where it is called.
    """

    graph: Graph
    parent: Scope | None = None
    formal: dict[str, tuple[Scope, str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._makers = {
            name: node for node in self.graph.nodes for name in node.outputs if name
        }

    def find(self, name: str) -> tuple[Scope, str, TensorRecord | Node | None]:
        """Where a name comes from: a weight, a node, or (None) an input."""
        scope: Scope = self
        for _ in range(_MAX_CHAIN):
            if name in scope.formal:
                scope, name = scope.formal[name]
            elif name in scope._makers:
                return scope, name, scope._makers[name]
            elif name in scope.graph.weights:
                return scope, name, scope.graph.weights[name]
            elif name in scope.graph.sparse:
                msg = (
                    "it is stored sparse, which is not read: export the network "
                    "again without sparse weights"
                )
                raise NotConstantError(msg)
            elif scope.parent is not None:
                scope = scope.parent
            else:
                break
        return scope, name, None


@dataclass(eq=False)
class Constants:
    """Finds what a name stands for, once for each name."""

    store: Store
    _known: dict[tuple[int, str], Value] = field(default_factory=dict)
    _scopes: list[Scope] = field(default_factory=list)

    def value(self, scope: Scope, name: str, depth: int = 0) -> Value:
        """The constant behind a name.

        Raises
        ------
        NotConstantError
            It is an input of the network or computed from one, or it comes from an
            operation that is not known here.
        DamagedError
            The graph makes no sense there.
        """
        if depth > _MAX_CHAIN:
            msg = "a weight in it is computed from itself"
            raise DamagedError(msg)
        scope, name, origin = scope.find(name)
        key = id(scope), name
        if key not in self._known:
            self._scopes.append(scope)  # keeps the id taken
            value = self._make(scope, name, origin, depth)
            if value.cost > _MAX_COST:
                msg = "it is computed by too long a formula"
                raise NotConstantError(msg)
            self._known[key] = value
        return self._known[key]

    def _make(
        self, scope: Scope, name: str, origin: TensorRecord | Node | None, depth: int
    ) -> Value:
        if isinstance(origin, TensorRecord):
            return self.store.value(origin)
        if origin is None:
            msg = "it is an input of the network"
            raise NotConstantError(msg)
        if origin.operator == "Constant":
            return replace(self._constant(origin), raw_name=name)
        build = OPERATIONS.get(origin.operator)
        if build is None or name != origin.outputs[0]:
            msg = f"it is computed in the graph by {origin.operator[:40]}"
            raise NotConstantError(msg)
        inputs = [
            self.value(scope, item, depth + 1) if item else None
            for item in origin.inputs
        ]
        if not inputs or inputs[0] is None:
            msg = f"a {origin.operator} in it has no input"
            raise DamagedError(msg)
        value = build(origin, inputs)
        cost = 1 + sum(item.cost for item in inputs if item)
        return replace(value, cost=cost)

    def _constant(self, node: Node) -> Value:
        """The value of a Constant node, in any of its spellings."""
        for name, attribute in node.attributes.items():
            if name == "value" and attribute.tensor:
                return self.store.value(attribute.tensor)
            if name == "value_float":
                return _given(np.float32(attribute.number))
            if name == "value_floats":
                return _given(np.array(attribute.floats, np.float32))
            if name == "value_int":
                return _given(np.int64(attribute.integer))
            if name == "value_ints":
                return _given(np.array(attribute.integers, np.int64))
        msg = "it is stored sparse or as text, which is not read"
        raise NotConstantError(msg)


def _given(values: np.generic | NDArray[np.generic]) -> Value:
    array = np.asarray(values)
    return Value(array.shape, str(array.dtype), lambda: array)
