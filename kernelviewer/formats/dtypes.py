"""Stored number types and how their bytes become numpy arrays, without torch."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

STORED: dict[str, np.dtype[np.generic]] = {
    name: np.dtype(code)
    for name, code in {
        "float64": "<f8",
        "float32": "<f4",
        "float16": "<f2",
        "bfloat16": "<u2",
        "float8_e4m3fn": "u1",
        "float8_e4m3fnuz": "u1",
        "float8_e5m2": "u1",
        "float8_e5m2fnuz": "u1",
        "float8_e8m0fnu": "u1",
        "complex64": "<c8",
        "complex128": "<c16",
        "int64": "<i8",
        "int32": "<i4",
        "int16": "<i2",
        "int8": "i1",
        "uint64": "<u8",
        "uint32": "<u4",
        "uint16": "<u2",
        "uint8": "u1",
        "bool": "?",
    }.items()
}
"""Type name → the numpy type that its bytes are read as (little endian)."""

ITEMSIZE: dict[str, int] = {name: dtype.itemsize for name, dtype in STORED.items()}
"""Type name → bytes per value."""

_FLOAT8 = {  # exponent bits, bias, has infinities, negative zero means NaN
    "float8_e4m3fn": (4, 7, False, False),
    "float8_e4m3fnuz": (4, 8, False, True),
    "float8_e5m2": (5, 15, True, False),
    "float8_e5m2fnuz": (5, 16, False, True),
}


def decode(
    raw: NDArray[np.uint8], dtype: str, *, big_endian: bool = False
) -> NDArray[np.generic]:
    """Values of stored bytes; bfloat16 and float8 become float32.

    Parameters
    ----------
    raw
        uint8 [n · itemsize].
    dtype
        A name of `STORED`.
    big_endian
        Whether the file was written on a big-endian machine.

    Returns
    -------
    Array of shape [n] in this machine's byte order.
    """
    stored = STORED[dtype]
    values = raw.view(stored.newbyteorder(">") if big_endian else stored)
    values = values.astype(stored.newbyteorder("="), copy=False)
    if dtype == "bfloat16":
        return (values.astype(np.uint32) << 16).view(np.float32)
    if dtype.startswith("float8"):
        return _float8_table(dtype)[values.view(np.uint8)]
    return values


@cache
def _float8_table(dtype: str) -> NDArray[np.float32]:
    """float32 [256]: the value of each byte."""
    codes = np.arange(256)
    if dtype == "float8_e8m0fnu":
        powers = np.ldexp(1.0, codes - 127)
        powers[255] = np.nan
        return powers.astype(np.float32)
    exponent_bits, bias, infinities, negative_zero_is_nan = _FLOAT8[dtype]
    mantissa_bits = 7 - exponent_bits
    steps = 1 << mantissa_bits
    exponent = (codes >> mantissa_bits) & ((1 << exponent_bits) - 1)
    fraction = (codes & (steps - 1)) / steps
    normal = np.ldexp(1 + fraction, exponent - bias)
    values = np.where(exponent > 0, normal, np.ldexp(fraction, 1 - bias))
    values = np.where(codes < 128, values, -values)
    if negative_zero_is_nan:
        values[128] = np.nan
    elif infinities:
        top = exponent == (1 << exponent_bits) - 1
        infinity = np.where(codes < 128, np.inf, -np.inf)
        values = np.where(top, np.where(fraction == 0, infinity, np.nan), values)
    else:
        values[[0x7F, 0xFF]] = np.nan
    return values.astype(np.float32)
