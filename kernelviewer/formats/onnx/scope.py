"""What the names in an ONNX graph stand for, through branches and function calls."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from kernelviewer.formats.onnx.store import NotConstantError

if TYPE_CHECKING:
    from kernelviewer.formats.onnx.graph import Attribute, Graph, Node, TensorRecord


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
        """Whether an optional input is not given, here or in the function's call."""
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
