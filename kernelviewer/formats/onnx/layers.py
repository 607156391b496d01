"""Convolutions of an ONNX graph: their kernels, and what the nodes say of them.

An exporter may take a depthwise layer apart: Split, a Conv per channel, Concat. The
order of the kernels is that of the channels that come out, which Concat decides.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from kernelviewer.formats.checkpoint import Operator
from kernelviewer.formats.network.folding import dequantized
from kernelviewer.formats.onnx.graph import Node
from kernelviewer.formats.onnx.operations import Call
from kernelviewer.formats.onnx.store import NotConstantError, along

if TYPE_CHECKING:
    from collections.abc import Hashable

    from numpy.typing import NDArray

    from kernelviewer.formats.onnx.constants import Constants, Scope
    from kernelviewer.formats.onnx.store import Value

# fmt: off
WEIGHT_INPUT = {
    "Conv": 1, "FusedConv": 1, "NhwcConv": 1, "NhwcFusedConv": 1, "ConvTranspose": 1,
    "ConvInteger": 1, "DeformConv": 1, "QLinearConv": 3,
}
# fmt: on
"""Operators that convolve → which input holds the kernels."""


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """The kernels of a convolution and what the graph says of it."""

    value: Value
    operator: Operator

    @property
    def key(self) -> tuple[object, ...]:
        """Equal for the same weights in the same kind of convolution."""
        return self.value.identity, self.operator.groups, self.operator.transposed


def weight_name(node: Node) -> str:
    """Name of a convolution's weight, empty where it has none."""
    index = WEIGHT_INPUT[node.operator]
    return node.inputs[index] if index < len(node.inputs) else ""


def layer_of(constants: Constants, scope: Scope, node: Node) -> Layer:
    """The convolution that a node computes.

    Raises
    ------
    NotConstantError
        The file does not give its kernels, or they are no convolution's.
    """
    node = scope.settled(node)
    if not weight_name(node):
        raise NotConstantError("it has no weights")
    value = _effective(constants, scope, node)
    if value.kind.kind not in "iuf":
        msg = f"its weights are of type {value.kind}, which no convolution has"
        raise NotConstantError(msg)
    if node.operator.startswith("Nhwc"):
        value = _channels_first(node, value)
    return Layer(value, _operator(node, value.shape))


def _channels_first(node: Node, value: Value) -> Value:
    """The kernels of a convolution on channels-last images, which may be so too.

    They are [out, *kernel, in / groups] then; NhwcConv has them so unless its
    ``kernel_shape`` says otherwise.
    """
    shape, told = value.shape, node.integers("kernel_shape")
    if told not in (shape[1:-1], shape[2:]):
        told = None
    last = told == shape[1:-1] if told else node.operator == "NhwcConv"
    if not last or len(shape) < 3:
        return value
    order = (0, len(shape) - 1, *range(1, len(shape) - 1))
    return replace(
        value,
        shape=tuple(shape[axis] for axis in order),
        load=lambda: value.load().transpose(order),
        identity=("channels last", value.identity),
        part=None,
    )


def _effective(constants: Constants, scope: Scope, node: Node) -> Value:
    """The kernels of a convolution, dequantised by its own scale if it has one."""

    def given(index: int) -> Value | None:
        name = node.inputs[index] if index < len(node.inputs) else ""
        return None if scope.is_left_out(name) else constants.value(scope, name)

    value = constants.value(scope, weight_name(node))
    scale = given(4) if node.operator == "QLinearConv" else None
    zero = None
    if node.operator in ("QLinearConv", "ConvInteger"):
        zero = given(5 if node.operator == "QLinearConv" else 3)
    parts = [item for item in (scale, zero) if item is not None]
    if not parts:
        return value
    factor = along(scale, value.shape, 0) if scale else (lambda: np.ones(()))
    offset = along(zero, value.shape, 0) if zero else (lambda: np.zeros(()))
    return replace(
        value,
        kind=np.dtype(np.float32),
        load=lambda: dequantized(value.load(), factor(), offset()),
        identity=(node.operator, value.identity, *(item.identity for item in parts)),
        sources=value.sources.union(*(item.sources for item in parts)),
        part=None,
    )


def _operator(node: Node, shape: tuple[int, ...]) -> Operator:
    """The node's facts about the convolution; checks that it can be one."""
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


_OPAQUE = re.compile(
    r"\d+|.*::.*|.*_\d{4,}|const_fold_opt.*|.*constant[._]?\d+|(tensor|val|const|init(ializer)?|"
    r"parameter|weights?|w|kernel|b|x)[_./]?\d*",
    re.IGNORECASE,
)
"""Names that exporters make up: they say nothing about the place in the network."""

_ADDED = re.compile(
    r"(_quantized|_dequantized|_fake_quant(ized)?|_fp16|:0|/read(variableop)?)+$",
    re.IGNORECASE,
)
"""Endings that tools append to the name of a weight that they rewrite."""

_PARAMETER = {
    "w_0": "weight",
    "b_0": "bias",
    "kernel": "weight",
    "W": "weight",
    "B": "bias",
}
"""Other frameworks' words for a layer's parameters, as the last part of a name."""


def layer_name(weight: str, node: str, operator: str, place: int) -> str:
    """Dotted name of a convolution's weight, ending in ``weight``.

    The weight's own name is kept where it is a parameter's; else the node's path
    stands for it; else its operator and place (``Conv_12``).

    Parameters
    ----------
    weight, node
        Names in the file, either may be empty.
    operator, place
        The node's operator and its number among the convolutions.
    """
    plain = dotted(_ADDED.sub("", weight))
    if plain.endswith(".weight"):
        return plain
    if "/" in node and (path := _module_path(node)):
        return f"{path}.weight"
    for name in (plain, node):
        if name and not _OPAQUE.fullmatch(name):
            name = dotted(name)
            return name if name.endswith(".weight") else f"{name}.weight"
    return f"{operator}_{place}.weight"


def dotted(name: str) -> str:
    """A parameter's name with dots between its parts and PyTorch's last word."""
    parts = [part for part in re.split(r"[/.]", name) if part]
    if parts and parts[-1] in _PARAMETER:
        parts[-1] = _PARAMETER[parts[-1]]
    return ".".join(parts)


def is_readable(name: str) -> bool:
    """True if a name says where the weight belongs."""
    return bool(name) and not _OPAQUE.fullmatch(name)


def _module_path(node: str) -> str:
    """Module path of a node: ``/layers/layers.0/conv/Conv`` → ``layers.0.conv``."""
    parts = [part for part in node.split(";")[0].split("/")[:-1] if part]
    kept: list[str] = []
    for part in parts:
        # A list and its entry both appear: blocks, blocks.0
        if kept and part.startswith(f"{kept[-1]}."):
            kept.pop()
        kept.append(part)
    return ".".join(kept)


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
