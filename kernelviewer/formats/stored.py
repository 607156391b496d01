"""Arrays found in a file: what is told of one, and how its values are read."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from math import prod
from typing import TYPE_CHECKING

import numpy as np

from kernelviewer.formats.errors import DamagedError

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from numpy.typing import NDArray

    from kernelviewer.formats.checkpoint import Operator
    from kernelviewer.formats.torch.pickle_values import Readable

    Load = Callable[[], NDArray[np.generic]]


@dataclass(slots=True, eq=False)
class Leaf:
    """An array in a file."""

    path: tuple[str, ...]
    """Keys from the file's root; the last is the dotted name in its state dict."""
    raw_name: str
    """The path as people write it: ``params/body.0.weight``, ``blocks[3]/weight``."""
    shape: tuple[int, ...]
    dtype: str
    load: Load
    operator: Operator | None = None
    """As in `kernelviewer.formats.Tensor`."""
    identity: Hashable = None
    """Equal for two names of the very same values; None where that cannot be."""
    in_state_dict: bool = True
    """Whether it lies in a network's state dict (or module) rather than loose in some
    dictionary."""
    unusable: str = ""
    """Why it cannot be read, a clause; else empty."""


def no_values() -> NDArray[np.generic]:
    """Stand in for reading what cannot be read; such leaves are left out."""
    raise DamagedError("a tensor in it cannot be read")


_MAX_DIMENSIONS = 32
_MAX_REPEATED = 1 << 24


@dataclass(slots=True, eq=False)  # frozen ones take twice as long to make
class Contiguous:
    """Values that lie one after another; calling it reads them."""

    origin: Readable
    offset: int
    count: int
    """Where the bytes are."""
    dtype: str
    shape: tuple[int, ...]
    """What they are."""
    big_endian: bool = False

    def __call__(self) -> NDArray[np.generic]:
        """Read the values now."""
        raw = self.origin.read(self.offset, self.count)
        return decode(raw, self.dtype, big_endian=self.big_endian).reshape(self.shape)


@dataclass(frozen=True, slots=True, eq=False)
class Strided:
    """Values that lie apart (a transposed or cut-out view); calling it reads them.

    ``run`` reads the stretch that holds them all, from their first to their last.
    """

    run: Contiguous
    shape: tuple[int, ...]
    strides: tuple[int, ...]

    def __call__(self) -> NDArray[np.generic]:
        """Read the values now."""
        values = self.run()
        steps = [step * values.itemsize for step in self.strides]
        view = np.lib.stride_tricks.as_strided(values, self.shape, steps)
        return np.ascontiguousarray(view)


def window(
    origin: Readable,
    start: int,
    stored: int,
    *,
    dtype: str,
    offset: int,
    shape: tuple[int, ...],
    strides: tuple[int, ...],
    big_endian: bool = False,
) -> Contiguous | Strided:
    """Values of a tensor that looks on a storage.

    Parameters
    ----------
    origin, start
        Where the storage's bytes are.
    stored
        How many values the storage holds.
    offset, strides
        In values.

    Raises
    ------
    DamagedError
        The window reaches outside the storage.
    """
    size = ITEMSIZE[dtype]
    if len(shape) != len(strides) or len(shape) > _MAX_DIMENSIONS:
        raise DamagedError("a tensor in it has no possible shape")
    first = start + offset * size
    number = prod(shape)
    if number == 0:
        return Contiguous(origin, first, 0, dtype, shape, big_endian)
    reach = 1 + sum([(n - 1) * step for n, step in zip(shape, strides, strict=True)])
    if offset + reach > stored or number > max(stored, _MAX_REPEATED):
        raise DamagedError("a tensor in it reaches beyond the values that were saved")
    if number == reach and _is_contiguous(shape, strides):
        return Contiguous(origin, first, number * size, dtype, shape, big_endian)
    run = Contiguous(origin, first, reach * size, dtype, (reach,), big_endian)
    return Strided(run, shape, strides)


def _is_contiguous(shape: tuple[int, ...], strides: tuple[int, ...]) -> bool:
    """True if strides are those of values in order; of length 1 any will do."""
    expected = 1
    for count, step in zip(reversed(shape), reversed(strides), strict=True):
        if count != 1 and step != expected:
            return False
        expected *= count
    return True


@dataclass(frozen=True, slots=True, eq=False)
class Transposed:
    """Values whose axes are in another order than PyTorch's; calling it reads them."""

    values: Load
    order: tuple[int, ...]

    def __call__(self) -> NDArray[np.generic]:
        """Read the values now."""
        return np.ascontiguousarray(self.values().transpose(self.order))


@dataclass(frozen=True, slots=True, eq=False)
class FortranOrder:
    """A numpy array saved column by column; calling it reads it."""

    values: Contiguous

    def __call__(self) -> NDArray[np.generic]:
        """Read the values now."""
        flat = self.values()
        turned = flat.reshape(self.values.shape[::-1]).transpose()
        return np.ascontiguousarray(turned)


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
