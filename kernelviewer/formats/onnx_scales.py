"""Scales and zero points of quantised ONNX weights."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from kernelviewer.formats.onnx_store import TYPES, NotConstantError
from kernelviewer.formats.quantised import dequantized

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from kernelviewer.formats.onnx_call import Call
    from kernelviewer.formats.onnx_store import Value

    Read = Callable[[], NDArray[np.generic]]

_LIMITS = {
    "int4": (-8, 7),
    "uint4": (0, 15),
    "int8": (-128, 127),
    "uint8": (0, 255),
    "int16": (-32_768, 32_767),
    "uint16": (0, 65_535),
}
"""Lowest and highest step of the types that QuantizeLinear rounds to."""
_DEFAULT_AXIS = 1


def dequantize(call: Call) -> Value:
    """DequantizeLinear."""
    x = call.first
    factor, zero = _scales(call)
    return replace(
        x,
        kind=np.dtype(np.float32),
        load=lambda: dequantized(x.load(), factor(), zero()),
    )


def quantize(call: Call) -> Value:
    """Rounding to the quantised grid, as quantisation-aware training exports it."""
    x = call.first
    factor, zero = _scales(call)
    point = call.given(2)
    if point is not None:
        packed = point.dtype in ("int4", "uint4")
        dtype = point.dtype if packed else point.kind.name
    else:
        dtype = TYPES.get(call.node.integer("output_dtype", 0), "uint8")
    if dtype not in _LIMITS:
        call.fail(f"turns it into a number type that is not read ({dtype})")
    lowest, highest = _LIMITS[dtype]
    kind = np.dtype({"int4": "int8", "uint4": "uint8"}.get(dtype, dtype))

    def load() -> NDArray[np.generic]:
        steps = np.rint(np.divide(x.load(), factor())) + np.asarray(zero(), np.float32)
        return np.asarray(np.clip(steps, lowest, highest), kind)

    return replace(x, kind=kind, load=load)


def _scales(call: Call) -> tuple[Read, Read]:
    """Readers of scale and zero point, shaped to broadcast with the first input."""
    shape, node = call.first.shape, call.node
    axis = node.integer("axis", _DEFAULT_AXIS) if "axis" in node.attributes else None
    scale, zero = call.given(1), call.given(2)
    if scale is None:
        call.fail("has no scale")
    block = node.integer("block_size", 0)
    factor = along(scale, shape, axis, block)
    if zero is None:
        return factor, lambda: np.zeros((), np.float32)
    return factor, along(zero, shape, axis, block)


def along(
    value: Value, shape: tuple[int, ...], axis: int | None, block: int = 0
) -> Read:
    """Reader of one number, one per entry of an axis, or one per block of it.

    Parameters
    ----------
    value
        Scales or zero points.
    shape
        Of the weight that they belong to.
    axis
        None where the file does not say: the format's default, where that does not
        fit the only one that does.
    block
        Entries of the axis that share a number; 0 where there are no blocks.

    Raises
    ------
    NotConstantError
        They do not fit.
    """
    rank = len(shape)
    if math.prod(value.shape) == 1:
        return lambda: value.load().reshape(())
    if len(value.shape) == 1:
        spread = [1] * rank
        spread[_axis(value.shape[0], shape, axis)] = -1
        return lambda: value.load().reshape(spread)
    axis = _DEFAULT_AXIS if axis is None else axis
    if block > 0 and -rank <= axis < rank:
        blocks = list(shape)
        blocks[axis] = -(-shape[axis] // block)
        if value.shape == tuple(blocks):
            window = tuple(slice(size) for size in shape)
            return lambda: np.repeat(value.load(), block, axis)[window]
    msg = (
        f"its scales of shape {list(value.shape)} do not fit its shape, {list(shape)}"
        + (f", in blocks of {block}" if block else "")
    )
    raise NotConstantError(msg)


def _axis(count: int, shape: tuple[int, ...], axis: int | None) -> int:
    """The axis that has so many entries."""
    fitting = [place for place, size in enumerate(shape) if size == count]
    if axis is not None:
        if axis % max(len(shape), 1) in fitting and -len(shape) <= axis < len(shape):
            return axis
        msg = f"its {count} scales do not fit axis {axis} of its shape, {list(shape)}"
        raise NotConstantError(msg)
    if _DEFAULT_AXIS in fitting:
        return _DEFAULT_AXIS
    if len(fitting) == 1:
        return fitting[0]
    which = "more than one" if fitting else "no"
    msg = f"its {count} scales fit {which} axis of its shape, {list(shape)}"
    raise NotConstantError(msg)
