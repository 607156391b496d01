"""What the operations between a weight and its convolution do to it.

Each is worked out when the file is opened as far as shapes and types go, so that what
does not fit is known then; values are computed when the weight is read.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from kernelviewer.formats.onnx_arithmetic import ARITHMETIC
from kernelviewer.formats.onnx_scales import dequantize, quantize, rounded
from kernelviewer.formats.onnx_store import TYPES, given

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from kernelviewer.formats.onnx_call import Call
    from kernelviewer.formats.onnx_store import Value

    Build = Callable[[Call], Value]

_CAST = {"float16", "float32", "float64", "int8", "uint8", "int16", "uint16"} | {
    *("int32", "uint32", "int64", "uint64", "bool")
}
_PAD_MODES = {"constant", "edge", "reflect", "wrap"}


def _same(call: Call) -> Value:
    return call.first


def _cast(call: Call) -> Value:
    x = call.first
    target = TYPES.get(call.node.integer("to", 0), "")
    if target == "bfloat16" or target.startswith("float8"):
        single = np.dtype(np.float32)
        return replace(x, kind=single, load=lambda: rounded(x.load(), target))
    if target not in _CAST:
        call.fail("turns it into a number type that is not read")
    kind = np.dtype(target)
    return replace(x, kind=kind, load=lambda: x.load().astype(kind))


def _reshape(call: Call) -> Value:
    x = call.first
    keep_zero = call.node.integer("allowzero", 0)
    shape = [
        x.shape[axis] if size == 0 and not keep_zero and axis < len(x.shape) else size
        for axis, size in enumerate(call.needed("shape", 1))
    ]
    if shape.count(-1) == 1:
        known = -math.prod(shape)
        shape[shape.index(-1)] = math.prod(x.shape) // known if known else 0
    return _shaped(call, tuple(shape))


def _flatten(call: Call) -> Value:
    shape = call.first.shape
    axis = call.node.integer("axis", 1)
    if axis != len(shape):
        axis = call.place(axis, len(shape))
    return _shaped(call, (math.prod(shape[:axis]), math.prod(shape[axis:])))


def _squeeze(call: Call) -> Value:
    shape = call.first.shape
    told = call.whole("axes", 1)
    axes: tuple[int, ...] = tuple(a for a, size in enumerate(shape) if size == 1)
    if told is not None:
        axes = call.places(told, len(shape))
    return _shaped(call, tuple(n for a, n in enumerate(shape) if a not in axes))


def _unsqueeze(call: Call) -> Value:
    told = call.needed("axes", 1)
    rank = len(call.first.shape) + len(told)
    axes = call.places(told, rank)
    sizes = iter(call.first.shape)
    shape = tuple(1 if axis in axes else next(sizes) for axis in range(rank))
    return _shaped(call, shape)


def _shaped(call: Call, shape: tuple[int, ...]) -> Value:
    x = call.first
    if any(size < 0 for size in shape) or math.prod(shape) != math.prod(x.shape):
        call.fail(f"turns the shape {list(x.shape)} into {list(shape)}")
    return replace(x, shape=shape, load=lambda: x.load().reshape(shape))


def _transpose(call: Call) -> Value:
    x = call.first
    order = call.node.integers("perm")
    if order is None:
        order = tuple(reversed(range(len(x.shape))))
    if sorted(order) != list(range(len(x.shape))):
        call.fail(f"orders {len(x.shape)} axes as {list(order)}")
    shape = tuple(x.shape[axis] for axis in order)
    return replace(x, shape=shape, load=lambda: x.load().transpose(order))


def _slice(call: Call) -> Value:
    shape = call.first.shape
    starts, ends = call.needed("starts", 1), call.needed("ends", 2)
    axes, steps = call.whole("axes", 3), call.whole("steps", 4)
    axes = tuple(range(len(starts))) if axes is None else axes
    steps = (1,) * len(starts) if steps is None else steps
    if not len(starts) == len(ends) == len(axes) == len(steps) or 0 in steps:
        call.fail("has starts, ends, axes and steps that do not fit")
    window = [slice(None)] * len(shape)
    places = call.places(axes, len(shape))
    for axis, *cut in zip(places, starts, ends, steps, strict=True):
        window[axis] = slice(*cut)
    return _part(call, tuple(window))


def _split(call: Call) -> Value:
    axis = call.axis(0, len(call.first.shape))
    size = call.first.shape[axis]
    lengths = call.whole("split", 1)
    if lengths is None:
        start, end = _even_piece(call, size)
    else:
        if min(lengths, default=-1) < 0 or sum(lengths) != size:
            call.fail(f"cuts {size} into {list(lengths[:16])}")
        if call.output >= len(lengths):
            call.fail(f"has more outputs than the {len(lengths)} pieces that it cuts")
        start = sum(lengths[: call.output])
        end = start + lengths[call.output]
    window = [slice(None)] * len(call.first.shape)
    window[axis] = slice(start, end)
    return _part(call, tuple(window))


def _even_piece(call: Call, size: int) -> tuple[int, int]:
    """Start and end of an output where all are as long; the last may be shorter."""
    outputs = len(call.node.outputs)
    count = call.node.integer("num_outputs", outputs)
    if not call.output < count <= outputs:
        call.fail(f"has {outputs} outputs of {count}")
    step = -(-size // count)
    start = min(size, step * call.output)
    return start, min(size, start + step)


def _part(call: Call, window: tuple[slice, ...]) -> Value:
    x = call.first
    sizes = zip(window, x.shape, strict=True)
    shape = tuple(len(range(*cut.indices(size))) for cut, size in sizes)
    return replace(x, shape=shape, load=lambda: x.load()[window], part=(x, window))


def _gather(call: Call) -> Value:
    x = call.first
    axis = call.axis(0, len(x.shape))
    index = call.given(1)
    if index is None:
        call.fail("has no indices")
    told, size = call.numbers(1), x.shape[axis]
    if told and not -size <= min(told) <= max(told) < size:
        call.fail(f"takes entries that do not exist among {size}")
    places = np.array(told, np.int64).reshape(index.shape)
    shape = x.shape[:axis] + index.shape + x.shape[axis + 1 :]
    return replace(x, shape=shape, load=lambda: np.take(x.load(), places, axis))


def _concat(call: Call) -> Value:
    values = call.all()
    shape = values[0].shape
    axis = call.axis(1, len(shape))
    rest = {item.shape[:axis] + item.shape[axis + 1 :] for item in values}
    if len(rest) > 1 or any(len(item.shape) != len(shape) for item in values):
        call.fail("joins shapes that do not fit")
    length = sum(item.shape[axis] for item in values)
    return replace(
        values[0],
        shape=(*shape[:axis], length, *shape[axis + 1 :]),
        kind=np.result_type(*(item.kind for item in values)),
        load=lambda: np.concatenate([item.load() for item in values], axis),
    )


def _pad(call: Call) -> Value:
    x, rank = call.first, len(call.first.shape)
    if not rank:
        call.fail("has no axes")
    mode = call.node.attributes["mode"].text if "mode" in call.node.attributes else ""
    mode = mode or "constant"
    pads, told = call.needed("pads", 1), call.whole("axes", 3)
    axes = call.places(tuple(range(rank)) if told is None else told, rank)
    if mode not in _PAD_MODES or len(pads) != 2 * len(axes):
        call.fail(f"has {len(pads)} pads of kind {mode[:20]} for {len(axes)} axes")
    widths = [(0, 0)] * rank
    for axis, *pair in zip(axes, pads[: len(axes)], pads[len(axes) :], strict=True):
        widths[axis] = (pair[0], pair[1])
    # Negative ones cut off; they do so first.
    cut = [(max(0, -a), max(0, -b)) for a, b in widths]
    grown = [(max(0, a), max(0, b)) for a, b in widths]
    inner = [n - a - b for n, (a, b) in zip(x.shape, cut, strict=True)]
    edges = zip(inner, grown, strict=True)
    if min(inner) < 0 or (
        mode != "constant" and any(n == 0 and sum(pair) for n, pair in edges)
    ):
        call.fail("cuts off more than there is")
    window = tuple(slice(a, a + n) for (a, _), n in zip(cut, inner, strict=True))
    shape = tuple(n + a + b for n, (a, b) in zip(inner, grown, strict=True))
    fill = _fill(call) if mode == "constant" else None

    def load() -> NDArray[np.generic]:
        values = np.asarray(x.load())[window]
        if fill is None:
            return np.asarray(np.pad(values, grown, mode))  # type: ignore[call-overload]
        return np.pad(values, grown, constant_values=fill().astype(values.dtype))

    return replace(x, shape=shape, load=load)


def _fill(call: Call) -> Callable[[], NDArray[np.generic]]:
    """What Pad puts around."""
    value = call.given(2)
    if value is None:
        number = call.node.attributes.get("value")
        return lambda: np.asarray(number.number if number else 0.0)
    if math.prod(value.shape) != 1:
        call.fail("puts several values around it")
    return lambda: value.load().reshape(())


def _expand(call: Call) -> Value:
    x, wanted = call.first, call.needed("shape", 1)
    shape = call.joint(x.shape, wanted)
    return replace(x, shape=shape, load=lambda: np.broadcast_to(x.load(), shape).copy())


def _tile(call: Call) -> Value:
    x, repeats = call.first, call.needed("repeats", 1)
    if len(repeats) != len(x.shape) or min(repeats, default=0) < 0:
        call.fail(f"repeats the shape {list(x.shape)} by {list(repeats[:16])}")
    shape = tuple(n * times for n, times in zip(x.shape, repeats, strict=True))
    return replace(x, shape=shape, load=lambda: np.tile(x.load(), repeats))


def _constant_of_shape(call: Call) -> Value:
    shape = call.needed("input", 0)
    attribute = call.node.attributes.get("value")
    value = given(np.float32(0))
    if attribute is not None:
        if attribute.tensor is None or math.prod(attribute.tensor.shape) != 1:
            call.fail("is filled with other than one number")
        value = call.store.value(attribute.tensor)
    if min(shape, default=0) < 0:
        call.fail(f"has the shape {list(shape[:16])}")
    return replace(
        value,
        shape=shape,
        load=lambda: np.full(shape, value.load().reshape(())),
    )


def _shape(call: Call) -> Value:
    shape = call.first.shape
    start, end = call.node.integer("start", 0), call.node.attributes.get("end")
    cut = slice(start, end.integer if end else None)
    return given(np.array(shape[cut], np.int64))


def _size(call: Call) -> Value:
    return given(np.int64(math.prod(call.first.shape)))


OPERATIONS: dict[str, Build] = {
    "Cast": _cast,
    "Concat": _concat,
    "ConstantOfShape": _constant_of_shape,
    "DequantizeLinear": dequantize,
    "Expand": _expand,
    "Flatten": _flatten,
    "Gather": _gather,
    "Identity": _same,
    "Pad": _pad,
    "QuantizeLinear": quantize,
    "Reshape": _reshape,
    "Shape": _shape,
    "Size": _size,
    "Slice": _slice,
    "Split": _split,
    "Squeeze": _squeeze,
    "Tile": _tile,
    "Transpose": _transpose,
    "Unsqueeze": _unsqueeze,
    **ARITHMETIC,
}
"""ONNX operator → what makes its output from its inputs."""

VIEWS = {
    *("Flatten", "Identity", "Reshape", "Shape", "Size", "Slice", "Split", "Squeeze"),
    *("Transpose", "Unsqueeze"),
}
"""Operators that make no new values."""

PIECES = {"Concat", "ConstantOfShape", "Gather", "Slice", "Split"}
"""Operators whose outputs go by their own name: several come from one weight, or one
from several."""
