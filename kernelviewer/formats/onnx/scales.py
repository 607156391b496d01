"""Scales and zero points of quantised ONNX weights."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from kernelviewer.formats.network.scales import dequantized
from kernelviewer.formats.onnx.store import TYPES, NotConstantError
from kernelviewer.formats.stored import decode

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from kernelviewer.formats.onnx.operations import Call
    from kernelviewer.formats.onnx.store import Value

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
        narrow = point.dtype.startswith(("int4", "uint4", "float8"))
        dtype = point.dtype if narrow else point.kind.name
    else:
        dtype = TYPES.get(call.node.integer("output_dtype", 0), "uint8")
    if dtype.startswith("float8"):
        return replace(
            x,
            kind=np.dtype(np.float32),
            load=lambda: rounded(np.divide(x.load(), factor()), dtype),
        )
    if dtype not in _LIMITS:
        call.fail(f"turns it into a number type that is not read ({dtype})")
    lowest, highest = _LIMITS[dtype]
    kind = np.dtype({"int4": "int8", "uint4": "uint8"}.get(dtype, dtype))

    def load() -> NDArray[np.generic]:
        steps = np.rint(np.divide(x.load(), factor())) + np.asarray(zero(), np.float32)
        return np.asarray(np.clip(steps, lowest, highest), kind)

    return replace(x, kind=kind, load=load)


def rounded(values: NDArray[np.generic], dtype: str) -> NDArray[np.float32]:
    """The nearest numbers of a narrow type (bfloat16, float8), even ones of two."""
    if dtype == "bfloat16":
        bits = np.ascontiguousarray(values, np.float32).view(np.uint32)
        up = (bits & 0xFFFF) + (bits >> 16 & 1) > 0x8000
        kept = ((bits >> 16) + up.astype(np.uint32)) << 16
        return kept.view(np.float32)
    table = decode(np.arange(128, dtype=np.uint8), dtype)
    steps = np.sort(table[np.isfinite(table)]).astype(np.float64)
    middles = (steps[1:] + steps[:-1]) / 2
    size = np.abs(np.asarray(values, np.float64))
    place = np.searchsorted(middles, size)
    halfway = size == middles[np.minimum(place, len(middles) - 1)]
    place += halfway & (place % 2 == 1)
    result = np.copysign(steps[np.minimum(place, len(steps) - 1)], values)
    return np.asarray(np.where(np.isnan(size), size, result), np.float32)


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
    if math.prod(value.shape) == 1:
        return lambda: value.load().reshape(())
    fitting = [place for place, size in enumerate(shape) if value.shape == (size,)]
    if fitting or block < 1:
        place = _chosen(fitting, value, shape, axis)
        spread = [1] * len(shape)
        spread[place] = -1
        return lambda: value.load().reshape(spread)
    for place, size in enumerate(shape):
        if value.shape == (*shape[:place], -(-size // block), *shape[place + 1 :]):
            fitting.append(place)
    place = _chosen(fitting, value, shape, axis, f" in blocks of {block}")
    window = tuple(slice(size) for size in shape)
    times = min(block, shape[place])
    return lambda: np.repeat(value.load(), times, place)[window]


def _chosen(
    fitting: list[int],
    value: Value,
    shape: tuple[int, ...],
    axis: int | None,
    blocks: str = "",
) -> int:
    """The axis that scales go along, among those that they fit."""
    if axis is not None:
        wanted = axis + len(shape) if axis < 0 else axis
        which = f"do not fit axis {axis}"
    else:
        sure = len(fitting) == 1 and _DEFAULT_AXIS not in fitting
        wanted = fitting[0] if sure else _DEFAULT_AXIS
        which = "fit more than one axis" if fitting else "fit no axis"
    if wanted in fitting:
        return wanted
    msg = (
        f"its scales of shape {list(value.shape)}{blocks} {which} of its shape, "
        f"{list(shape)}"
    )
    raise NotConstantError(msg)
