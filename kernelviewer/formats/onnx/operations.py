"""What the operations between a weight and its convolution do to it.

Each is worked out when the file is opened as far as shapes and types go, so that what
does not fit is known then; values are computed when the weight is read.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from kernelviewer.formats.onnx.store import (
    TYPES,
    NotConstantError,
    dequantize,
    given,
    quantize,
    rounded,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Never

    from numpy.typing import NDArray

    from kernelviewer.formats.onnx.graph import Node
    from kernelviewer.formats.onnx.store import Store, Value

    Array = NDArray[Any]


MOST_NUMBERS = 1 << 16
"""Whole numbers that are read while the file is opened: a shape, axes, places."""


@dataclass(frozen=True, slots=True)
class Call:
    """An operation, its inputs (None where left out), which output is asked for.

    Its methods raise `NotConstantError` where the operation makes no sense: that costs
    the layer behind it, not the file.
    """

    node: Node
    inputs: tuple[Value | None, ...]
    output: int
    store: Store

    @property
    def first(self) -> Value:
        """The first input, which `Constants` has seen to be there."""
        value = self.inputs[0]
        assert value is not None
        return value

    def given(self, index: int) -> Value | None:
        """An input, None where it is left out."""
        return self.inputs[index] if index < len(self.inputs) else None

    def all(self) -> list[Value]:
        """All inputs; none may be left out."""
        values = [item for item in self.inputs if item is not None]
        if len(values) < len(self.inputs):
            self.fail("lacks an input")
        return values

    def whole(self, name: str, index: int) -> tuple[int, ...] | None:
        """Whole numbers of an attribute, in later versions an input; None without."""
        told = self.node.integers(name)
        value = self.given(index)
        if told is not None or value is None:
            return told
        if len(value.shape) > 1:
            self.fail(f"has {name} of the shape {list(value.shape)}")
        return self.numbers(index)

    def numbers(self, index: int) -> tuple[int, ...]:
        """Whole numbers of an input of any shape, one after another."""
        value = self.given(index)
        if value is None or value.kind.kind not in "iu":
            self.fail(f"has no whole numbers as input {index}")
        if math.prod(value.shape) > MOST_NUMBERS:
            self.fail(f"has more than {MOST_NUMBERS} numbers as input {index}")
        with np.errstate(all="ignore"):
            return tuple(np.ravel(value.load()).tolist())

    def needed(self, name: str, index: int) -> tuple[int, ...]:
        """Whole numbers that must be there."""
        found = self.whole(name, index)
        if found is None:
            self.fail(f"has no {name}")
        return found

    def axis(self, default: int, rank: int) -> int:
        """The attribute ``axis``, counted from the front."""
        return self.place(self.node.integer("axis", default), rank)

    def place(self, axis: int, rank: int) -> int:
        """An axis counted from the front."""
        if not -rank <= axis < rank:
            self.fail(f"names axis {axis} of {rank}")
        return axis % rank

    def places(self, axes: tuple[int, ...], rank: int) -> tuple[int, ...]:
        """Axes counted from the front, each at most once."""
        found = tuple(self.place(axis, rank) for axis in axes)
        if len(set(found)) < len(found):
            self.fail("names an axis twice")
        return found

    def joint(self, *shapes: tuple[int, ...]) -> tuple[int, ...]:
        """The shape that all of them are repeated to."""
        rank = max(len(shape) for shape in shapes)
        sizes = zip(
            *((1,) * (rank - len(shape)) + shape for shape in shapes), strict=True
        )
        joint = []
        for size in sizes:
            several = {*size} - {1}
            if len(several) > 1 or min(several, default=1) < 0:
                self.fail(f"joins the shapes {[list(shape) for shape in shapes[:4]]}")
            joint.append(several.pop() if several else 1)
        return tuple(joint)

    def fail(self, what: str) -> Never:
        """Give up: what is wrong with the operation, after its name."""
        raise NotConstantError(f"its {self.node.operator[:40]} {what}")


if TYPE_CHECKING:
    Build = Callable[[Call], Value]


def _elementwise(function: Callable[..., Array], least: int, most: int) -> Build:
    """An operation of so many inputs, value by value."""

    def build(call: Call) -> Value:
        values = call.all()
        if not least <= len(values) <= most:
            call.fail(f"has {len(values)} inputs")
        shape = call.joint(*(item.shape for item in values))
        main = max(values, key=lambda item: math.prod(item.shape))
        return replace(
            main,
            shape=shape,
            kind=_kind(call, function, values),
            load=lambda: np.asarray(function(*[item.load() for item in values])),
        )

    return build


def _kind(call: Call, function: Callable[..., Array], values: list[Value]) -> Any:
    """Type of what comes out: found by trying it on ones."""
    ones = [np.ones(1, item.kind) for item in values]
    if any(item.kind.kind not in "iuf" for item in values):
        call.fail(f"computes with numbers of type {ones[0].dtype}")
    with np.errstate(all="ignore"):
        return np.asarray(function(*ones)).dtype


def _where(call: Call) -> Value:
    """Values of one or another input, as a third says."""
    values = call.all()
    if len(values) != 3 or values[0].kind.kind != "b":
        call.fail("does not choose between two inputs")
    condition, x, y = values
    shape = call.joint(condition.shape, x.shape, y.shape)
    main = max(x, y, key=lambda item: math.prod(item.shape))
    return replace(
        main,
        shape=shape,
        kind=np.result_type(x.kind, y.kind),
        load=lambda: np.where(condition.load(), x.load(), y.load()),
    )


def _divided(a: Array, b: Array) -> Array:
    """A quotient; of whole numbers it is cut towards zero."""
    if a.dtype.kind == "f" or b.dtype.kind == "f":
        return np.asarray(np.divide(a, b))
    down = np.floor_divide(a, b)
    inexact = (np.remainder(a, b) != 0) & ((a < 0) != (b < 0))
    return np.asarray(down + inexact, down.dtype)


def _power(a: Array, b: Array) -> Array:
    """A power, of the type of what is raised."""
    return np.asarray(np.power(a.astype(np.float64), b.astype(np.float64)), a.dtype)


def _as_float(function: Callable[[Array], Array]) -> Callable[[Array], Array]:
    """A function whose result has the type of what goes in."""
    return lambda x: np.asarray(function(x), x.dtype)


def _largest(*values: Array) -> Array:
    return np.asarray(np.maximum.reduce(np.broadcast_arrays(*values)))


def _smallest(*values: Array) -> Array:
    return np.asarray(np.minimum.reduce(np.broadcast_arrays(*values)))


def _sum(*values: Array) -> Array:
    total = values[0]
    for item in values[1:]:
        total = np.add(total, item)
    return total


def _mean(*values: Array) -> Array:
    return np.asarray(_sum(*values) / len(values), values[0].dtype)


def _sigmoid(x: Array) -> Array:
    return np.asarray(1 / (1 + np.exp(-x)))


def _clip(call: Call) -> Value:
    x = call.first
    low, high = _end(call, 1, "min"), _end(call, 2, "max")
    if x.kind.kind not in "iuf":
        call.fail(f"computes with numbers of type {x.kind}")

    def load() -> Array:
        values = np.asarray(x.load())
        if low is not None:
            values = np.maximum(values, low().astype(values.dtype))
        if high is not None:
            values = np.minimum(values, high().astype(values.dtype))
        return np.asarray(values)

    return replace(x, load=load)


def _end(call: Call, index: int, name: str) -> Callable[[], Array] | None:
    """One end of Clip's range: an input, formerly an attribute."""
    value, told = call.given(index), call.node.attributes.get(name)
    if value is None:
        number = told.number if told else 0.0
        return (lambda: np.asarray(number)) if told else None
    if math.prod(value.shape) != 1:
        call.fail(f"has a {name} of several values")
    return lambda: np.asarray(value.load()).reshape(())


def _reduced(function: Callable[..., Array]) -> Build:
    """A number for all values along some axes: weight norm's length of a kernel."""

    def build(call: Call) -> Value:
        x, rank = call.first, len(call.first.shape)
        told = call.whole("axes", 1)
        if not told and call.node.integer("noop_with_empty_axes", 0):
            call.fail("along no axes is not read")
        axes = call.places(told, rank) if told else tuple(range(rank))
        if x.kind.kind not in "iuf" or 0 in x.shape:
            call.fail(f"computes with numbers of type {x.kind}")
        keep = call.node.integer("keepdims", 1) != 0
        shape = tuple(
            1 if axis in axes else size
            for axis, size in enumerate(x.shape)
            if keep or axis not in axes
        )

        def load() -> Array:
            values = np.asarray(x.load())
            result = function(values, axis=axes, keepdims=keep)
            return np.asarray(result, values.dtype).reshape(shape)

        return replace(x, shape=shape, load=load)

    return build


def _squares(x: Array, **along: Any) -> Array:
    return np.asarray(np.square(x).sum(**along))


def _length(x: Array, **along: Any) -> Array:
    return np.asarray(np.sqrt(np.square(x).sum(**along)))


def _absolute(x: Array, **along: Any) -> Array:
    return np.asarray(np.abs(x).sum(**along))


# fmt: off
_ONE: dict[str, Callable[[Array], Array]] = {
    "Abs": np.abs, "Ceil": np.ceil, "Exp": np.exp, "Floor": np.floor, "Log": np.log,
    "Neg": np.negative, "Reciprocal": np.reciprocal,
    "Relu": lambda x: np.maximum(x, x.dtype.type(0)), "Round": np.rint,
    "Sigmoid": _sigmoid, "Sign": np.sign, "Sqrt": np.sqrt, "Tanh": np.tanh,
}
# fmt: on
_REDUCING: dict[str, Callable[..., Array]] = {
    "ReduceL1": _absolute,
    "ReduceL2": _length,
    "ReduceMax": np.max,
    "ReduceMean": np.mean,
    "ReduceMin": np.min,
    "ReduceSum": np.sum,
    "ReduceSumSquare": _squares,
}
_MOST_INPUTS = 64

ARITHMETIC: dict[str, Build] = {
    "Add": _elementwise(np.add, 2, 2),
    "Sub": _elementwise(np.subtract, 2, 2),
    "Mul": _elementwise(np.multiply, 2, 2),
    "Div": _elementwise(_divided, 2, 2),
    "Pow": _elementwise(_power, 2, 2),
    "Max": _elementwise(_largest, 1, _MOST_INPUTS),
    "Min": _elementwise(_smallest, 1, _MOST_INPUTS),
    "Sum": _elementwise(_sum, 1, _MOST_INPUTS),
    "Mean": _elementwise(_mean, 1, _MOST_INPUTS),
    "Equal": _elementwise(np.equal, 2, 2),
    "Greater": _elementwise(np.greater, 2, 2),
    "GreaterOrEqual": _elementwise(np.greater_equal, 2, 2),
    "Less": _elementwise(np.less, 2, 2),
    "LessOrEqual": _elementwise(np.less_equal, 2, 2),
    "Clip": _clip,
    "Where": _where,
    **{name: _elementwise(_as_float(one), 1, 1) for name, one in _ONE.items()},
    **{name: _reduced(function) for name, function in _REDUCING.items()},
}
"""ONNX operator → what makes its output from its inputs."""


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
    """The zeros that Pad puts around."""
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
        value, shape=shape, load=lambda: np.full(shape, value.load().reshape(()))
    )


def _shape(call: Call) -> Value:
    shape = call.first.shape
    start, end = call.node.integer("start", 0), call.node.attributes.get("end")
    cut = slice(start, end.integer if end else None)
    return given(np.array(shape[cut], np.int64))


def _size(call: Call) -> Value:
    return given(np.int64(math.prod(call.first.shape)))


# fmt: off
OPERATIONS: dict[str, Build] = {
    "Cast": _cast, "Concat": _concat, "ConstantOfShape": _constant_of_shape,
    "DequantizeLinear": dequantize, "Expand": _expand, "Flatten": _flatten,
    "Gather": _gather, "Identity": _same, "Pad": _pad, "QuantizeLinear": quantize,
    "Reshape": _reshape, "Shape": _shape, "Size": _size, "Slice": _slice,
    "Split": _split, "Squeeze": _squeeze, "Tile": _tile, "Transpose": _transpose,
    "Unsqueeze": _unsqueeze, **ARITHMETIC,
}
# fmt: on
"""ONNX operator → what makes its output from its inputs."""

VIEWS = {
    *("Flatten", "Identity", "Reshape", "Shape", "Size", "Slice", "Split", "Squeeze"),
    *("Transpose", "Unsqueeze"),
}
"""Operators that make no new values."""

PIECES = {"Concat", "ConstantOfShape", "Gather", "Slice", "Split"}
"""Operators whose outputs go by their own name: several come from one weight, or one
from several."""
