"""Depthwise layers that an exporter took apart: Split, a Conv per channel, Concat.

The order of the kernels is that of the channels that come out, which Concat decides.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from kernelviewer.formats.onnx.graph import Node
from kernelviewer.formats.onnx.layers import WEIGHT_INPUT, Layer, layer_of
from kernelviewer.formats.onnx.operations import Call
from kernelviewer.formats.onnx.store import NotConstantError

if TYPE_CHECKING:
    from collections.abc import Hashable

    from numpy.typing import NDArray

    from kernelviewer.formats.onnx.constants import Constants, Scope
    from kernelviewer.formats.onnx.store import Value


_AFTER = {
    *("Add", "BatchNormalization", "Cast", "Clip", "DequantizeLinear", "Elu"),
    *("HardSigmoid", "HardSwish", "Identity", "LeakyRelu", "Mul", "PRelu"),
    *("QuantizeLinear", "Relu", "Sigmoid", "Tanh"),
}
"""Operators between a convolution and Concat that leave the channels alone."""
_BEFORE = {"Cast", "DequantizeLinear", "Identity", "Pad", "QuantizeLinear", "Relu"}
"""Operators between the piece of an image and its convolution."""
_CUTTING = {"Split", "Slice", "Gather"}
_MOST_STEPS = 12
_CHANNELS = 1  # their axis


@dataclass(slots=True, eq=False)
class Whole:
    """Convolutions whose outputs are joined along the channels, in that order."""

    scope: Scope
    join: Node
    parts: list[tuple[Scope, Node]]
    layer: Layer | None = None
    is_looked_at: bool = False

    def read(self, constants: Constants) -> Layer | None:
        """The depthwise layer that they are together, None if they are none."""
        if not self.is_looked_at:
            self.is_looked_at = True
            try:
                self.layer = _joined(self, constants)
            except NotConstantError:
                self.layer = None
        return self.layer


def wholes(constants: Constants, scope: Scope) -> dict[tuple[int, int], Whole]:
    """Identities of a convolution's names and node → what it may be a part of."""
    found: dict[tuple[int, int], Whole] = {}
    for join in scope.graph.nodes:
        if join.operator != "Concat" or len(join.inputs) < 2:
            continue
        parts: dict[tuple[int, int], tuple[Scope, Node]] = {}
        for name in join.inputs:
            behind = _behind(constants, scope, name, _AFTER)
            if behind is None or behind.node.operator not in WEIGHT_INPUT:
                break
            where, node = behind.scope, behind.node
            parts[id(where), id(node)] = where, node
        if len(parts) == len(join.inputs):
            whole = Whole(scope, join, list(parts.values()))
            found.update(dict.fromkeys(parts, whole))
    return found


def is_piece(layer: Layer, constants: Constants, scope: Scope, node: Node) -> bool:
    """True if a convolution works on one channel cut out of an image."""
    return _is_single(layer) and _piece(layer, constants, scope, node) is not None


def _joined(whole: Whole, constants: Constants) -> Layer | None:
    layers = [layer_of(constants, *part) for part in whole.parts]
    first, count = layers[0], len(layers)
    axis = whole.scope.settled(whole.join).integer("axis", 1)
    alike = {(item.operator, item.value.shape) for item in layers}
    channels = _CHANNELS, _CHANNELS - _rank(first)
    if len(alike) > 1 or not _is_single(first) or axis not in channels:
        return None
    pieces = [
        _piece(item, constants, *part)
        for item, part in zip(layers, whole.parts, strict=True)
    ]
    found = [piece for piece in pieces if piece is not None]
    if len({*found}) < count or len({image for image, _ in found}) > 1:
        return None
    values = [item.value for item in layers]
    value = replace(
        values[0],
        shape=(count * values[0].shape[0], *values[0].shape[1:]),
        load=lambda: _stacked(values),
        raw_name=_common_name(values) or whole.join.name or values[0].raw_name,
        identity=("joined", *(item.identity for item in values)),
        sources=frozenset().union(*(item.sources for item in values)),
        part=None,
    )
    return Layer(value, replace(first.operator, groups=count, in_channels=count))


def _is_single(layer: Layer) -> bool:
    """True if a convolution has one channel as its input."""
    return layer.operator.groups == layer.operator.in_channels == 1


def _stacked(values: list[Value]) -> NDArray[np.generic]:
    """All kernels; a weight that several of them are cut from is read once."""
    read: dict[Hashable, NDArray[np.generic]] = {}
    parts = []
    for value in values:
        if value.part is None:
            parts.append(value.load())
            continue
        origin, window = value.part
        if origin.identity not in read:
            read[origin.identity] = origin.load()
        parts.append(read[origin.identity][window])
    return np.concatenate(parts)


def _common_name(values: list[Value]) -> str:
    """The beginning of the weights' names, or the name of what they are cut from."""
    origins = {item.part[0].raw_name for item in values if item.part}
    if len(origins) == 1 and all(item.part for item in values):
        return origins.pop()
    names = [item.raw_name for item in values]
    same = 0
    while len({name[: same + 1] for name in names}) == 1 and same < len(names[0]):
        same += 1
    return re.sub(r"[\W_]*\d*$", "", names[0][:same])


@dataclass(frozen=True, slots=True)
class _Output:
    """One output of a node, and the names that the node sees."""

    scope: Scope
    node: Node
    index: int


def _behind(
    constants: Constants, scope: Scope, name: str, through: set[str]
) -> _Output | None:
    """Where a value comes from, past some operators and through functions."""
    for _ in range(_MOST_STEPS):
        try:
            scope, found, node = scope.find(name)
        except NotConstantError:
            break
        if not isinstance(node, Node):
            break
        index = node.outputs.index(found)
        function = constants.model.function(node)
        if function is not None:
            if index >= len(function.outputs):
                break
            scope, name = scope.called(function, node), function.outputs[index]
        elif node.operator not in through or not node.inputs:
            return _Output(scope, node, index)
        else:
            name = node.inputs[0]
    return None


def _piece(
    layer: Layer, constants: Constants, scope: Scope, node: Node
) -> tuple[Hashable, Hashable] | None:
    """Which image the input of a convolution is cut out of, and which channel of it.

    None where it is no piece of an image.
    """
    behind = _behind(constants, scope, node.inputs[0], _BEFORE)
    if behind is None or behind.node.operator not in _CUTTING or not behind.node.inputs:
        return None
    where, cut = behind.scope, behind.scope.settled(behind.node)
    values = []
    try:
        for name in cut.inputs[1:]:
            left_out = where.is_left_out(name)
            values.append(None if left_out else constants.value(where, name))
        call = Call(cut, (None, *values), behind.index, constants.store)
        axes, place = _cut_out(call)
        origin, image, _ = where.find(cut.inputs[0])
    except NotConstantError:
        return None
    if axes not in ((_CHANNELS,), (_CHANNELS - _rank(layer),)):
        return None
    return (id(origin), image), place


def _cut_out(call: Call) -> tuple[tuple[int, ...], Hashable]:
    """The axes along which an operator cuts, and where."""
    if call.node.operator == "Slice":
        starts = call.needed("starts", 1)
        axes = call.whole("axes", 3)
        return tuple(range(len(starts))) if axes is None else axes, starts
    axis = (call.node.integer("axis", 0),)
    if call.node.operator == "Split":
        return axis, call.output
    return axis, call.numbers(1)


def _rank(layer: Layer) -> int:
    return len(layer.value.shape)
