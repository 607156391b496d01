"""An operation of an ONNX graph on constants."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from kernelviewer.formats.onnx_store import NotConstantError

if TYPE_CHECKING:
    from typing import Never

    from kernelviewer.formats.onnx_graph import Node
    from kernelviewer.formats.onnx_store import Store, Value

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
        msg = f"its {self.node.operator[:40]} {what}"
        raise NotConstantError(msg)
