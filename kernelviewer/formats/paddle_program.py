"""The graph file of a Paddle network: its variables and its convolutions."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from kernelviewer.formats.damage import DamagedError
from kernelviewer.formats.onnx_wire import BYTES, VARINT, fields, integers, text

if TYPE_CHECKING:
    from collections.abc import Callable

    from kernelviewer.formats.onnx_wire import Data, Span

_TENSOR = 7
_MAX_ITEMS = 1 << 20
_NUMBERS = {"strides": "stride", "dilations": "dilation", "paddings": "padding"}
"""Paddle's words for what is kept of a convolution → PyTorch's."""
CONVOLUTIONS = {
    **dict.fromkeys(("conv2d", "depthwise_conv2d", "conv3d"), False),
    **dict.fromkeys(("conv2d_fusion", "fused_conv2d_add_act"), False),
    **dict.fromkeys(("conv2d_transpose", "depthwise_conv2d_transpose"), True),
    "conv3d_transpose": True,
}
"""Operator → whether it is transposed; the kernels lie as PyTorch's do."""


@dataclass(frozen=True, slots=True)
class Convolution:
    """A convolution: its operator, the name of its weight, and what it does."""

    operator: str
    weight: str
    facts: dict[str, Any]


@dataclass(slots=True)
class Program:
    """What a graph says.

    Attributes
    ----------
    variables
        Name → shape of each variable that is saved.
    convolutions
        In the graph's order.
    """

    variables: dict[str, tuple[int, ...]] = field(default_factory=dict)
    convolutions: list[Convolution] = field(default_factory=list)


def read_program(data: Data, span: Span, check: Callable[[], None]) -> Program:
    """Read a ProgramDesc.

    Raises
    ------
    DamagedError
        Its structure makes no sense.
    """
    program = Program()
    count = 0
    for number, wire, start, end in fields(data, span):
        if (number, wire) != (1, BYTES):
            continue
        for inner, kind, a, b in fields(data, (start, end)):
            count += 1
            if count % 256 == 1:
                check()
            if count > _MAX_ITEMS:
                msg = "it lists an absurd number of variables"
                raise DamagedError(msg)
            if (inner, kind) == (3, BYTES):
                _variable(data, (a, b), program)
            elif (inner, kind) == (4, BYTES):
                _operation(data, (a, b), program)
    return program


def tensor_type(data: Data, span: Span) -> tuple[int, tuple[int, ...]]:
    """Number of the type, and shape, of a TensorDesc."""
    kind, sides = 0, []
    for number, wire, start, end in fields(data, span):
        if (number, wire) == (1, VARINT):
            kind = start
        elif number == 2:
            sides += integers(data, wire, start, end)
    return kind, tuple(sides)


def _variable(data: Data, span: Span, program: Program) -> None:
    name, saved, tensor = "", False, False
    shape: tuple[int, ...] = ()
    for number, wire, start, end in fields(data, span):
        if (number, wire) == (1, BYTES):
            name = text(data, start, end)
        elif (number, wire) == (3, VARINT):
            saved = bool(start)
        elif (number, wire) == (2, BYTES):
            for inner, kind, a, b in fields(data, (start, end)):
                if (inner, kind) == (1, VARINT):
                    tensor = a == _TENSOR
                elif (inner, kind) == (3, BYTES):
                    for part, way, c, d in fields(data, (a, b)):
                        if (part, way) == (1, BYTES):
                            shape = tensor_type(data, (c, d))[1]
    if saved and tensor:
        program.variables[name] = shape


def _operation(data: Data, span: Span, program: Program) -> None:
    operator = ""
    inputs: list[Span] = []
    attributes: list[Span] = []
    for number, wire, start, end in fields(data, span):
        if (number, wire) == (3, BYTES):
            operator = text(data, start, end)
        elif (number, wire) == (1, BYTES):
            inputs.append((start, end))
        elif (number, wire) == (4, BYTES):
            attributes.append((start, end))
    if operator not in CONVOLUTIONS:
        return
    weight = next((name for s in inputs if (name := _filter(data, s))), "")
    facts: dict[str, Any] = {"transposed": CONVOLUTIONS[operator]}
    for attribute in attributes:
        facts.update(_fact(data, attribute))
    program.convolutions.append(Convolution(operator, weight, facts))


def _filter(data: Data, span: Span) -> str:
    """The variable that an operator takes as its kernels, if this input is that."""
    names = {
        number: text(data, start, end)
        for number, wire, start, end in fields(data, span)
        if wire == BYTES
    }
    return names.get(2, "") if names.get(1) == "Filter" else ""


def _fact(data: Data, span: Span) -> dict[str, Any]:
    name, number, values = "", 0, []
    for field_, wire, start, end in fields(data, span):
        if (field_, wire) == (1, BYTES):
            name = text(data, start, end)
        elif (field_, wire) == (3, VARINT):
            number = start
        elif field_ == 6:
            values += integers(data, wire, start, end)
    if name == "groups":
        return {"groups": number}
    return {_NUMBERS[name]: tuple(values)} if name in _NUMBERS else {}
