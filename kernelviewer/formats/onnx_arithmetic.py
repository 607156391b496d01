"""Arithmetic on the weights of an ONNX graph."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from kernelviewer.formats.onnx_call import Call
    from kernelviewer.formats.onnx_store import Value

    Array = NDArray[Any]
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


_ONE: dict[str, Callable[[Array], Array]] = {
    "Abs": np.abs,
    "Ceil": np.ceil,
    "Exp": np.exp,
    "Floor": np.floor,
    "Log": np.log,
    "Neg": np.negative,
    "Reciprocal": np.reciprocal,
    "Relu": lambda x: np.maximum(x, x.dtype.type(0)),
    "Round": np.rint,
    "Sigmoid": _sigmoid,
    "Sign": np.sign,
    "Sqrt": np.sqrt,
    "Tanh": np.tanh,
}
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
