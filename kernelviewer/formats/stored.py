"""From a description of stored values to a function that reads them."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING

import numpy as np

from kernelviewer.formats.damage import DamagedError
from kernelviewer.formats.dtypes import ITEMSIZE, decode

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kernelviewer.formats.leaves import Load
    from kernelviewer.formats.pickle_values import Readable

_MAX_DIMENSIONS = 32
_MAX_REPEATED = 1 << 24


@dataclass(slots=True, eq=False)  # frozen ones take twice as long to make
class Contiguous:
    """Values that lie one after another; calling it reads them.

    Attributes
    ----------
    origin, offset, count
        Where the bytes are.
    dtype, shape
        What they are.
    """

    origin: Readable
    offset: int
    count: int
    dtype: str
    shape: tuple[int, ...]
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
    """Whether strides are those of values in order; of length 1 any will do."""
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
