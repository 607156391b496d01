"""Which axis of a named array is which: by its name, else by its shape.

Four orders are met in files of arrays: PyTorch's ``[out, in / groups, *kernel]``,
channels last ``[*kernel, in / groups, out]`` (Flax, TensorFlow), Keras's depthwise
``[*kernel, channels, multiplier]``, and bare stacks of kernels. Names settle most.
A shape that two readings fit is read as kernels and said to be in doubt.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from kernelviewer.formats.checkpoint import Operator, Tensor

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kernelviewer.formats.stored import Leaf, Load

    Layout = Literal[
        "pytorch", "flax", "keras", "stack", "stack last", "middle", "unknown"
    ]


DEPTHWISE = re.compile(r"depthwise_(kernel|weights?|filters?)(:0)?")
_SPELLED = re.compile(r"depth_?wise", re.IGNORECASE)
_ABBREVIATED = re.compile(r"(^|[^a-z])dw\d*($|[^a-z])|dw_?conv|conv_?dw", re.IGNORECASE)
_STACK = re.compile(r"kernels?(_\d+x\d+)?")
_ATTENTION = {"query", "key", "value", "qkv", "out"}
_LARGEST = 64
"""Taps along one side beyond which a shape is not taken for a kernel's."""
_MOST_KERNELS = 4
"""Multiplier up to which a depthwise layer is thought of."""


@dataclass(frozen=True, slots=True)
class Axes:
    """The order of an array's axes."""

    layout: Layout
    """``stack`` is [C, *kernel], ``stack last`` [*kernel, C], ``middle`` [C, *kernel,
    1] or [1, *kernel, C]."""
    doubt: str = ""
    """What else the axes may be, a sentence; empty where they are clear."""


_CLEAR = {name: Axes(name) for name in ("pytorch", "flax", "keras", "stack")}
_UNKNOWN = Axes("unknown")


def find_axes(leaves: Sequence[Leaf]) -> list[Axes]:
    """The order of the axes of each of a file's arrays.

    Unclear ones follow the majority of the clear ones; where there is none, they stay
    ``unknown``.
    """
    arrays = [leaf.shape for leaf in leaves if len(leaf.shape) >= 3]
    stacks = all(len(shape) == 3 and shape[1] == shape[2] > 1 for shape in arrays)
    found = [_axes(leaf, alone=len(arrays) == 1, stacks=stacks) for leaf in leaves]
    found = [_settled(leaves, found, index) for index in range(len(leaves))]
    layouts = [axes.layout for axes in found]
    last = layouts.count("flax") + layouts.count("keras")
    first = layouts.count("pytorch")
    if last == first:
        return found
    clear = _CLEAR["flax" if last > first else "pytorch"]
    return [clear if axes == _UNKNOWN else axes for axes in found]


def turned(name: str, leaf: Leaf, axes: Axes) -> Tensor:
    """The tensor in PyTorch's layout."""
    shape, rank = leaf.shape, len(leaf.shape)
    order = tuple(range(rank))
    depthwise = not axes.doubt
    operator = leaf.operator
    channels = 0
    if axes.layout == "stack":
        channels = shape[0]
        shape = (channels, 1, *shape[1:])
    elif axes.layout == "stack last":
        channels, order = shape[-1], (rank - 1, *range(rank - 1))
        shape = (channels, 1, *shape[:-1])
    elif axes.layout == "middle":
        channels, order = max(shape[0], shape[-1]), (0, rank - 1, *range(1, rank - 1))
        shape = (channels, 1, *shape[1:-1])
    elif axes.layout == "keras":
        channels, order = shape[-2], (rank - 2, rank - 1, *range(rank - 2))
        shape = (shape[-2] * shape[-1], 1, *shape[:-2])
    elif axes.layout == "flax" and _is_convolution(leaf):
        order = (rank - 1, rank - 2, *range(rank - 2))
        shape = tuple(shape[axis] for axis in order)
    if channels and depthwise:
        operator = Operator(groups=channels, in_channels=channels)
    load = leaf.load
    if (order, shape) != (tuple(range(rank)), leaf.shape):
        load = _reshaped(load, order, shape)
    return Tensor(name, shape, leaf.dtype, load, leaf.raw_name, operator, axes.doubt)


def _reshaped(load: Load, order: tuple[int, ...], shape: tuple[int, ...]) -> Load:
    return lambda: load().transpose(order).reshape(shape)


def _axes(leaf: Leaf, *, alone: bool, stacks: bool) -> Axes:
    """By the name's last part, else by the shape."""
    last, shape = leaf.path[-1].removesuffix(":0"), leaf.shape
    if not 3 <= len(shape) <= 5:
        return _CLEAR["flax" if last == "kernel" and len(shape) == 2 else "pytorch"]
    if DEPTHWISE.fullmatch(last):
        return _CLEAR["keras"]
    if last in ("kernel", "w", "weights"):
        return _CLEAR["keras" if _is_keras(leaf) else "flax"]
    if last.startswith("weight"):
        return _CLEAR["pytorch"]
    if len(shape) == 3:
        return _of_three(leaf, last, alone=alone, stacks=stacks)
    return _by_shape(shape)


def _is_keras(leaf: Leaf) -> bool:
    """True if a module named depthwise has a kernel [*kernel, channels, multiplier].

    Keras 3 names it ``kernel`` as any other; Flax has one input channel there.
    """
    module = ".".join(leaf.path[-4:-1])
    if leaf.shape[-2] == 1:
        return False
    single = leaf.shape[-1] == 1 and _ABBREVIATED.search(module) is not None
    return single or _SPELLED.search(module) is not None


def _of_three(leaf: Leaf, last: str, *, alone: bool, stacks: bool) -> Axes:
    """Three dimensions: stacks of kernels, or convolutions over a line."""
    first, second, third = shape = leaf.shape
    stack = _STACK.fullmatch(last) or (stacks and len(leaf.path) == 1)
    if stack and max(second, third) <= _LARGEST:
        return _CLEAR["stack"]
    if alone and first == second and 1 < first <= _LARGEST and third != first:
        return Axes("stack last", _doubt("height, width, channels", "length, in, out"))
    if alone and third == 1 and 1 < first < second and first <= _LARGEST:
        return Axes("keras", _doubt("length, channels, 1", "out, in, 1"))
    return Axes(_few_taps(shape))


def _by_shape(shape: tuple[int, ...]) -> Axes:
    """Four or five dimensions: kernels mostly have equal sides."""
    equal = {
        "pytorch": len({*shape[2:]}) == 1,
        "flax": len({*shape[:-2]}) == 1,
        "middle": len({*shape[1:-1]}) == 1 < shape[1] and 1 in (shape[0], shape[-1]),
    }
    fitting = [layout for layout, fits in equal.items() if fits]
    layout = fitting[0] if len(fitting) == 1 else _few_taps(shape)
    if layout == "middle" and max(shape[0], shape[-1]) > 1:
        sides = _sides(shape)
        one = f"1, {sides}, channels" if shape[0] == 1 else f"channels, {sides}, 1"
        return Axes("middle", _doubt(one, f"out, in, {sides}"))
    spatial = math.prod(shape[:-2]) > 1
    if layout == "flax" and spatial and shape[-1] <= min(_MOST_KERNELS, shape[-2] - 1):
        return Axes("keras", doubt_of_last(shape))
    return _UNKNOWN if layout == "middle" else Axes(layout)  # type: ignore[arg-type]


def _few_taps(shape: tuple[int, ...]) -> Layout:
    """Taps are few and channels many; one channel per group stands beside the many."""
    first, last = shape[2:], shape[:-2]  # the taps, if PyTorch's or channels last
    pytorch = max(first) <= _LARGEST and max(first) <= max(shape[:2])
    flax = max(last) <= _LARGEST and max(last) <= max(shape[-2:])
    if shape[1] == 1 and pytorch and shape[-2] != 1:
        return "pytorch"
    if shape[-2] == 1 and flax and shape[1] != 1:
        return "flax"
    if pytorch != flax:
        return "pytorch" if pytorch else "flax"
    return "unknown"


def doubt_of_last(shape: tuple[int, ...]) -> str:
    """Readings of the last two axes of kernels that begin with their sides."""
    sides = _sides(shape)
    return _doubt(f"{sides}, channels, multiplier", f"{sides}, in, out")


def _sides(shape: tuple[int, ...]) -> str:
    return {3: "length", 4: "height, width"}.get(len(shape), "depth, height, width")


def _doubt(kernels: str, other: str) -> str:
    return (
        f"Its axes may be [{kernels}], of depthwise kernels, or [{other}], of an "
        "ordinary convolution: the file does not tell."
    )


def _settled(leaves: Sequence[Leaf], found: Sequence[Axes], index: int) -> Axes:
    """Clear a doubtful depthwise layer up by its neighbours.

    What gives its channels stands before it, and pixel by pixel convolutions that take
    them all behind it: a convolution with one output would leave only that.
    """
    axes, shape = found[index], leaves[index].shape
    if axes.layout != "keras" or not axes.doubt:
        return axes
    before = [leaf.shape for leaf in leaves[:index] if len(leaf.shape) == len(shape)]
    after = [leaf.shape for leaf in leaves[index + 1 :] if len(leaf.shape) > 1]
    if not before or not after or len(after[0]) != len(shape):
        return axes
    given = before[-1][-1] == shape[-2]
    pointwise = math.prod(after[0][:-2]) == 1
    taken = after[0][-2] == shape[-2] * shape[-1]
    return _CLEAR["keras"] if given and pointwise and taken else axes


def _is_convolution(leaf: Leaf) -> bool:
    """True if a channels-last kernel can be one's: attention has 3-D kernels too."""
    parent = leaf.path[-2] if len(leaf.path) > 1 else ""
    return parent not in _ATTENTION or len(leaf.shape) != 3
