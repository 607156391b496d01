"""The convolutions of a TensorFlow graph, and their weights in PyTorch's layout."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from kernelviewer.formats.advice import unread_layers
from kernelviewer.formats.checkpoint import Operator, Skipped, Tensor
from kernelviewer.formats.names import unique_name
from kernelviewer.formats.tflite_names import layer_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    import numpy as np
    from numpy.typing import NDArray

    from kernelviewer.formats.leaves import Leaf, Load

_HANDED_ON = {"Identity", "ReadVariableOp", "Enter", "Switch", "StopGradient"}
_CALL = re.compile(r"(^|/)(Stateful)?PartitionedCall(?=/)")
_ADDED = re.compile(r"(_weights|/filter(_in)?)(/read|/ReadVariableOp)?$")
_COMPUTED = "its weights are computed by the network or passed into a part of it"
_NO_CONVOLUTION = "no convolution's weight"
_MAX_STEPS = 64


@dataclass(frozen=True, slots=True)
class Convolution:
    """How an operator stores its kernels, which are its second input.

    Attributes
    ----------
    kind
        Name of the layer where the file gives none; also how its dilations and strides
        are cut: ``conv3d`` has three.
    order
        Axes of the stored kernels in PyTorch's order.
    depthwise, transposed
        What the operator is.
    """

    kind: str
    order: tuple[int, ...]
    depthwise: bool = False
    transposed: bool = False


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
"""What is kept of a node's attributes."""


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
    nodes: Iterable[Node], constants: Mapping[str, Leaf], check: Callable[[], None]
) -> Found:
    """Weights of all convolutions in the graph's order, each of them once.

    Parameters
    ----------
    nodes
        The graph.
    constants
        Its weights by the names of their nodes.
    check
        Called now and then; what it raises cancels.
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
            check()
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
