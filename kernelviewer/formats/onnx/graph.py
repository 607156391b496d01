"""ONNX messages: the graph's nodes and where its weights lie, no weight read."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from kernelviewer.formats.errors import DamagedError
from kernelviewer.formats.protobuf import (
    BYTES,
    FIXED32,
    VARINT,
    count_varints,
    fields,
    floats,
    integers,
    signed,
    text,
)
from kernelviewer.watch import NEVER

if TYPE_CHECKING:
    from kernelviewer.formats.protobuf import Span
    from kernelviewer.formats.source import Data
    from kernelviewer.watch import Watch

_MAX_DEPTH = 16  # graphs inside graphs
_LONG = 16_384  # bytes of a packed list that stays in the file, as a weight does
_MAX_PIECES = 65_536  # of one weight that is written number by number


@dataclass(slots=True)
class TensorRecord:
    """A weight as the file describes it (TensorProto).

    ``raw`` is where its bytes lie; ``typed`` where its numbers lie, by field number of
    the typed list (``float_data`` …); ``external`` the entries that name another file.
    """

    name: str = ""
    shape: tuple[int, ...] = ()
    type: int = 0
    raw: Span | None = None
    typed: list[tuple[int, int, int]] = field(default_factory=list)
    external: dict[str, str] = field(default_factory=dict)
    is_external: bool = False


@dataclass(slots=True)
class Attribute:
    """A node's setting; only the member that it uses is set.

    ``reference`` names the attribute of the function around the node that stands here
    where the function is called.
    """

    reference: str = ""
    number: float = 0.0
    integer: int = 0
    text: str = ""
    integers: tuple[int, ...] = ()
    floats: tuple[float, ...] = ()
    tensor: TensorRecord | None = None
    graphs: list[Graph] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Node:
    """An operation: what it is, what goes in, what comes out."""

    name: str = ""
    operator: str = ""
    domain: str = ""
    overload: str = ""
    inputs: list[str] = field(default_factory=list)
    outputs: list[str] = field(default_factory=list)
    attributes: dict[str, Attribute] = field(default_factory=dict)

    def integers(self, name: str) -> tuple[int, ...] | None:
        """The whole numbers of an attribute, None if it is not set."""
        attribute = self.attributes.get(name)
        return attribute.integers if attribute else None

    def integer(self, name: str, default: int) -> int:
        """The whole number of an attribute."""
        attribute = self.attributes.get(name)
        return attribute.integer if attribute else default


@dataclass(slots=True, eq=False)
class Graph:
    """Nodes in the order they run in, and the weights by name.

    A function of the model is kept as a graph with ``formal`` input names, the names
    of its ``outputs`` and the ``defaults`` of its attributes.
    """

    name: str = ""
    nodes: list[Node] = field(default_factory=list)
    weights: dict[str, TensorRecord] = field(default_factory=dict)
    sparse: set[str] = field(default_factory=set)
    formal: list[str] = field(default_factory=list)
    outputs: list[str] = field(default_factory=list)
    defaults: dict[str, Attribute] = field(default_factory=dict)
    _makers: dict[str, Node] | None = None

    @property
    def makers(self) -> dict[str, Node]:
        """Name → the node that puts it out."""
        if self._makers is None:
            self._makers = {
                name: node for node in self.nodes for name in node.outputs if name
            }
        return self._makers


Functions = dict[tuple[str, str, str], Graph]
"""Functions of a model by domain, name and overload."""


@dataclass(slots=True)
class Model:
    """The file's graph, its functions, and facts for people."""

    graph: Graph
    functions: Functions
    facts: dict[str, str | int]

    def function(self, node: Node) -> Graph | None:
        """The function that a node calls, None where it is an operator."""
        return self.functions.get((_domain(node.domain), node.operator, node.overload))


def _domain(name: str) -> str:
    """The standard domain has two spellings."""
    return "" if name == "ai.onnx" else name


def read_model(data: Data, watch: Watch = NEVER) -> Model:
    """Walk the whole file once.

    Raises
    ------
    DamagedError
        The structure makes no sense or there is no graph.
    """
    graph: Graph | None = None
    functions: Functions = {}
    facts: dict[str, str | int] = {}
    for number, wire, a, b in fields(data, (0, len(data))):
        if number == 7 and wire == BYTES:
            graph = _graph(data, (a, b), 0, watch)
        elif number == 25 and wire == BYTES:
            _function(data, (a, b), functions)
        elif number == 1 and wire == VARINT:
            facts["ONNX version"] = a
        elif number in (2, 3) and wire == BYTES and b - a < 256:
            key = "producer" if number == 2 else "producer version"
            facts[key] = text(data, a, b)
    if graph is None:
        raise DamagedError("there is no graph in it")
    return Model(graph, functions, facts)


def _graph(data: Data, span: Span, depth: int, watch: Watch = NEVER) -> Graph:
    if depth > _MAX_DEPTH:
        raise DamagedError("its graphs are nested absurdly deep")
    graph = Graph()
    for number, wire, a, b in fields(data, span):
        if wire != BYTES:
            continue
        if number == 1:
            watch.check()
            graph.nodes.append(_node(data, (a, b), depth))
        elif number == 2:
            graph.name = text(data, a, b)
        elif number == 5:
            record = _tensor(data, (a, b))
            graph.weights[record.name] = record
        elif number == 15:
            graph.sparse.add(_sparse_name(data, (a, b)))
    return graph


def _function(data: Data, span: Span, functions: Functions) -> None:
    """FunctionProto: a graph whose weights come from the node that calls it."""
    graph, domain, overload = Graph(), "", ""
    for number, wire, a, b in fields(data, span):
        if wire != BYTES:
            continue
        if number == 1:
            graph.name = text(data, a, b)
        elif number == 4:
            graph.formal.append(text(data, a, b))
        elif number == 5:
            graph.outputs.append(text(data, a, b))
        elif number == 7:
            graph.nodes.append(_node(data, (a, b), 1))
        elif number == 10:
            domain = text(data, a, b)
        elif number == 11:
            name, attribute = _attribute(data, (a, b), 1)
            graph.defaults[name] = attribute
        elif number == 13:
            overload = text(data, a, b)
    functions[_domain(domain), graph.name, overload] = graph


def _node(data: Data, span: Span, depth: int) -> Node:
    node = Node()
    for number, wire, a, b in fields(data, span):
        if wire != BYTES:
            continue
        if number == 1:
            node.inputs.append(text(data, a, b))
        elif number == 2:
            node.outputs.append(text(data, a, b))
        elif number == 3:
            node.name = text(data, a, b)
        elif number == 4:
            node.operator = text(data, a, b)
        elif number == 5:
            name, attribute = _attribute(data, (a, b), depth)
            node.attributes[name] = attribute
        elif number == 7:
            node.domain = text(data, a, b)
        elif number == 8:
            node.overload = text(data, a, b)
    return node


def _attribute(data: Data, span: Span, depth: int) -> tuple[str, Attribute]:
    name, attribute = "", Attribute()
    whole: list[int] = []
    numbers: list[float] = []
    for number, wire, a, b in fields(data, span):
        if number == 1 and wire == BYTES:
            name = text(data, a, b)
        elif number == 2 and wire == FIXED32:
            attribute.number = struct.unpack("<f", data[a:b])[0]
        elif number == 3 and wire == VARINT:
            attribute.integer = signed(a)
        elif number == 4 and wire == BYTES:
            attribute.text = text(data, a, min(b, a + 256))
        elif number == 5 and wire == BYTES:
            attribute.tensor = _tensor(data, (a, b))
        elif number in (6, 11) and wire == BYTES:
            attribute.graphs.append(_graph(data, (a, b), depth + 1))
        elif number == 7 and wire == BYTES and b - a > _LONG:
            shape = ((b - a) // 4,)
            attribute.tensor = TensorRecord(shape=shape, type=1, raw=(a, b))
        elif number == 7 and wire in (FIXED32, BYTES):
            numbers += floats(data, wire, a, b)
        elif number == 8 and wire == BYTES and b - a > _LONG:
            shape = (count_varints(data, a, b),)
            attribute.tensor = TensorRecord(shape=shape, type=7, typed=[(7, a, b)])
        elif number == 8 and wire in (VARINT, BYTES):
            whole += integers(data, wire, a, b)
        elif number == 21 and wire == BYTES:
            attribute.reference = text(data, a, b)
    attribute.integers, attribute.floats = tuple(whole), tuple(numbers)
    return name, attribute


def _tensor(data: Data, span: Span) -> TensorRecord:
    record, shape = TensorRecord(), []
    for number, wire, a, b in fields(data, span):
        if number == 1 and wire in (VARINT, BYTES):
            shape += integers(data, wire, a, b)
        elif number == 2 and wire == VARINT:
            record.type = a
        elif number in (4, 5, 7, 10, 11):
            record.typed.append((number, a, b) if wire != VARINT else (-1, 0, 0))
        elif number == 8 and wire == BYTES:
            record.name = text(data, a, b)
        elif number == 9 and wire == BYTES:
            record.raw = (a, b)
        elif number == 13 and wire == BYTES and len(record.external) < 16:
            key, value = _entry(data, (a, b))
            record.external[key] = value
        elif number == 14 and wire == VARINT:
            record.is_external = a == 1
        if len(record.typed) > _MAX_PIECES:
            raise DamagedError("a weight in it is scattered over too many pieces")
    record.shape = tuple(shape)
    return record


def _entry(data: Data, span: Span) -> tuple[str, str]:
    """StringStringEntryProto: a key and its value."""
    pair = {1: "", 2: ""}
    for number, wire, a, b in fields(data, span):
        if number in pair and wire == BYTES:
            pair[number] = text(data, a, min(b, a + 4096))
    return pair[1], pair[2]


def _sparse_name(data: Data, span: Span) -> str:
    """SparseTensorProto: the name of its values is the weight's name."""
    for number, wire, a, b in fields(data, span):
        if number == 1 and wire == BYTES:
            return _tensor(data, (a, b)).name
    return ""
