"""What the TFLite schema calls by number: operators, types, fields, layouts."""

from __future__ import annotations

from dataclasses import dataclass

TYPES: dict[int, str] = {
    0: "float32",
    1: "float16",
    2: "int32",
    3: "uint8",
    4: "int64",
    6: "bool",
    7: "int16",
    9: "int8",
    10: "float64",
    12: "uint64",
    15: "uint32",
    16: "uint16",
    17: "int4",
    18: "bfloat16",
}
"""TensorType → the name used here."""

DEQUANTIZE, DENSIFY = 6, 124
HANDED_ON = {DEQUANTIZE, DENSIFY}
"""Operators that only hand a weight on."""

FULLY_CONNECTED = 9


@dataclass(frozen=True, slots=True)
class Convolution:
    """How one operator stores its kernels and its options.

    Attributes
    ----------
    name
        For layers that the file gives no readable name.
    order
        Axes of the stored kernels in PyTorch's order.
    image
        Which input is convolved.
    strides, dilations
        Fields of the options, the outermost axis first.
    depthwise, transposed
        What the operator is.
    """

    name: str
    order: tuple[int, ...]
    image: int
    strides: tuple[int, ...]
    dilations: tuple[int, ...] = ()
    depthwise: bool = False
    transposed: bool = False


CONVOLUTIONS: dict[int, Convolution] = {
    3: Convolution("conv2d", (0, 3, 1, 2), 0, (2, 1), (5, 4)),
    4: Convolution("depthwise_conv2d", (3, 0, 1, 2), 0, (2, 1), (6, 5), depthwise=True),
    67: Convolution("conv2d_transpose", (3, 0, 1, 2), 2, (2, 1), transposed=True),
    132: Convolution("conv3d", (4, 3, 0, 1, 2), 0, (1, 3, 2), (5, 7, 6)),
    141: Convolution(
        "conv3d_transpose", (4, 3, 0, 1, 2), 2, (1, 3, 2), (5, 7, 6), transposed=True
    ),
}
"""BuiltinOperator → `Convolution`; the kernels are always input 1."""
