"""What the operations between a weight and its convolution do to it."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from kernelviewer.formats.damage import DamagedError
from kernelviewer.formats.onnx_store import TYPES, NotConstantError
from kernelviewer.formats.quantised import dequantized

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from kernelviewer.formats.onnx_graph import Node
    from kernelviewer.formats.onnx_store import Value

    Build = Callable[[Node, list[Value | None]], Value]

_MAX_VALUES = 1 << 26  # of what a formula makes


def _same(node: Node, inputs: list[Value | None]) -> Value:
    return _first(inputs)


def _cast(node: Node, inputs: list[Value | None]) -> Value:
    x = _first(inputs)
    target = TYPES.get(node.integer("to", 0), "")
    if target in ("float16", "float32", "float64", "int8", "uint8", "int32", "int64"):
        return replace(x, load=lambda: x.load().astype(target))
    if target == "bfloat16" or target.startswith("float8"):
        return x  # its rounding is finer than a picture shows
    msg = "it is turned into a number type that is not read"
    raise NotConstantError(msg)


def _reshape(node: Node, inputs: list[Value | None]) -> Value:
    x = _first(inputs)
    wanted = node.integers("shape")
    if wanted is None:
        wanted = _small(inputs, 1)
    keep_zero = node.integer("allowzero", 0)
    shape = [
        x.shape[axis] if size == 0 and not keep_zero and axis < len(x.shape) else size
        for axis, size in enumerate(wanted)
    ]
    if shape.count(-1) == 1:
        known = -math.prod(shape)
        shape[shape.index(-1)] = math.prod(x.shape) // known if known else 0
    return _shaped(x, tuple(shape))


def _squeeze(node: Node, inputs: list[Value | None]) -> Value:
    x = _first(inputs)
    axes = _axes(node, inputs, len(x.shape))
    if axes is None:
        axes = {axis for axis, size in enumerate(x.shape) if size == 1}
    return _shaped(x, tuple(n for axis, n in enumerate(x.shape) if axis not in axes))


def _unsqueeze(node: Node, inputs: list[Value | None]) -> Value:
    x = _first(inputs)
    given = node.integers("axes")
    rank = len(x.shape) + len(given if given is not None else _small(inputs, 1))
    axes = _axes(node, inputs, rank) or set()
    sizes = iter(x.shape)
    shape = tuple(1 if axis in axes else next(sizes, 1) for axis in range(rank))
    return _shaped(x, shape)


def _transpose(node: Node, inputs: list[Value | None]) -> Value:
    x = _first(inputs)
    order = node.integers("perm") or tuple(reversed(range(len(x.shape))))
    if sorted(order) != list(range(len(x.shape))):
        msg = "a Transpose in it names axes that do not exist"
        raise DamagedError(msg)
    shape = tuple(x.shape[axis] for axis in order)
    return replace(x, shape=shape, load=lambda: x.load().transpose(order))


def _dequantize(node: Node, inputs: list[Value | None]) -> Value:
    x = _first(inputs)
    factor, zero = _scales(node, inputs, x)
    return replace(x, load=lambda: dequantized(x.load(), factor(), zero()))


def _quantize(node: Node, inputs: list[Value | None]) -> Value:
    """Rounding to the quantised grid, as quantisation-aware training exports it."""
    x = _first(inputs)
    factor, zero = _scales(node, inputs, x)
    dtype = inputs[2].dtype if len(inputs) > 2 and inputs[2] else "uint8"
    if dtype not in ("int8", "uint8", "int16", "uint16"):
        msg = "it is quantised to a number type that is not read"
        raise NotConstantError(msg)
    limits = np.iinfo(dtype)

    def load() -> NDArray[np.generic]:
        steps = np.rint(np.divide(x.load(), factor())) + np.asarray(zero(), np.float32)
        return np.asarray(np.clip(steps, limits.min, limits.max), dtype)

    return replace(x, load=load)


def _elementwise(function: np.ufunc) -> Build:
    def build(node: Node, inputs: list[Value | None]) -> Value:
        x, y = _first(inputs), inputs[1] if len(inputs) == 2 else None
        if y is None:
            msg = f"a {node.operator} in it has one input"
            raise DamagedError(msg)
        try:
            shape = np.broadcast_shapes(x.shape, y.shape)
        except ValueError:
            msg = f"the shapes of a {node.operator} in it do not fit"
            raise DamagedError(msg) from None
        if math.prod(shape) > _MAX_VALUES:
            msg = "it is computed by a formula that makes it absurdly large"
            raise NotConstantError(msg)
        main = x if math.prod(x.shape) >= math.prod(y.shape) else y
        return replace(main, shape=shape, load=lambda: function(x.load(), y.load()))

    return build


OPERATIONS: dict[str, Build] = {
    "Identity": _same,
    "Cast": _cast,
    "Reshape": _reshape,
    "Squeeze": _squeeze,
    "Unsqueeze": _unsqueeze,
    "Transpose": _transpose,
    "DequantizeLinear": _dequantize,
    "QuantizeLinear": _quantize,
    "Mul": _elementwise(np.multiply),
    "Div": _elementwise(np.divide),
    "Add": _elementwise(np.add),
    "Sub": _elementwise(np.subtract),
}
"""ONNX operator → what makes its output from its inputs."""


def _scales(
    node: Node, inputs: list[Value | None], x: Value
) -> tuple[Callable[[], NDArray[np.generic]], Callable[[], NDArray[np.generic]]]:
    """Readers of scale and zero point, shaped to broadcast with ``x``."""
    axis = node.integer("axis", 1)
    scale = inputs[1] if len(inputs) > 1 else None
    if scale is None:
        msg = f"a {node.operator} in it has no scale"
        raise DamagedError(msg)
    zero = inputs[2] if len(inputs) > 2 else None
    block = node.integer("block_size", 0)
    factor = along(scale, x.shape, axis, block)
    if zero is None:
        return factor, lambda: np.zeros((), np.float32)
    return factor, along(zero, x.shape, axis, block)


def along(
    value: Value, shape: tuple[int, ...], axis: int, block: int = 0
) -> Callable[[], NDArray[np.generic]]:
    """Reader of one number, one per entry of an axis, or one per block of it."""
    rank = len(shape)
    if math.prod(value.shape) == 1:
        return lambda: value.load().reshape(())
    if -rank <= axis < rank and value.shape == (shape[axis],):
        spread = [1] * rank
        spread[axis] = -1
        return lambda: value.load().reshape(spread)
    if block > 0 and -rank <= axis < rank and len(value.shape) == rank:
        window = tuple(slice(size) for size in shape)
        repeats = -(-shape[axis] // block)
        wanted = [*shape]
        wanted[axis] = repeats
        if value.shape == tuple(wanted):
            return lambda: np.repeat(value.load(), block, axis)[window]
    msg = "the scales of a quantised weight in it do not fit its shape"
    raise DamagedError(msg)


def _first(inputs: list[Value | None]) -> Value:
    """The first input, which `Constants` has seen to be there."""
    value = inputs[0]
    assert value is not None
    return value


def _small(inputs: list[Value | None], index: int) -> tuple[int, ...]:
    """A short list of whole numbers among the inputs: a shape or axes."""
    value = inputs[index] if index < len(inputs) else None
    if value is None or len(value.shape) > 1 or math.prod(value.shape) > 16:
        msg = "a shape in it is missing or damaged"
        raise DamagedError(msg)
    return tuple(int(item) for item in value.load().ravel())


def _axes(node: Node, inputs: list[Value | None], rank: int) -> set[int] | None:
    """The axes of Squeeze and Unsqueeze: an attribute, later an input."""
    axes = node.integers("axes")
    if axes is None:
        if len(inputs) < 2:
            return None
        axes = _small(inputs, 1)
    if any(not -rank <= axis < rank for axis in axes):
        msg = f"a {node.operator} in it names axes that do not exist"
        raise DamagedError(msg)
    return {axis % rank for axis in axes}


def _shaped(x: Value, shape: tuple[int, ...]) -> Value:
    if any(size < 0 for size in shape) or math.prod(shape) != math.prod(x.shape):
        msg = "a weight in it is reshaped to another number of values"
        raise DamagedError(msg)
    return replace(x, shape=shape, load=lambda: x.load().reshape(shape))
