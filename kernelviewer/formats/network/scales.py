"""Quantised weights whose scales lie beside them under names of their own."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING

import numpy as np

from kernelviewer.formats.checkpoint import Skipped

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import ArrayLike, NDArray

    from kernelviewer.formats.stored import Leaf, Load


_SCALES = ("{0}_scale", "{0}_scales", "{0}.scale", "w_scale", "w_scales", "scales")
_ZEROS = (
    *("{0}_zero_point", "{0}_zero_points", "{0}_zero", "{0}.zero_point"),
    *("w_zero_point", "w_zero_points", "w_zero", "w_zeros", "zero_points"),
)
_QUANTISED = {"int8", "uint8", "float8_e4m3fn", "float8_e5m2"}


@dataclass(frozen=True, slots=True, eq=False)
class Dequantised:
    """(q − zero) · scale, one scale for all or one per output channel."""

    values: Load
    scale: Load | float
    zero: Load | float
    axis: int = 0

    def __call__(self) -> NDArray[np.generic]:
        """Read the parts and join them: float32."""
        values = self.values()
        along = [1] * values.ndim
        if values.ndim:
            along[self.axis] = -1
        return dequantized(
            values, _fitted(self.scale, along), _fitted(self.zero, along)
        )


def _fitted(part: Load | float, along: list[int]) -> ArrayLike:
    """Numbers shaped so that they broadcast along their axis."""
    if isinstance(part, float):
        return part
    numbers = part()
    return numbers if numbers.ndim == len(along) else numbers.reshape(along)


def apply_scales(
    leaves: list[Leaf], numbers: Mapping[str, float]
) -> tuple[list[Leaf], list[Skipped]]:
    """Dequantise arrays that have a scale beside them.

    Parameters
    ----------
    leaves
        Everything found in the file.
    numbers
        Raw name → value of plain numbers in the file.

    Returns
    -------
    The leaves without the scales that were used, and those scales.
    """
    if not any(leaf.dtype in _QUANTISED for leaf in leaves):
        return leaves, []
    found = {leaf.raw_name: leaf for leaf in leaves}
    used: dict[str, str] = {}
    for leaf in leaves:
        if leaf.dtype in _QUANTISED and not leaf.unusable:
            _dequantise(leaf, found, numbers, used)
    left = [leaf for leaf in leaves if leaf.raw_name not in used]
    skipped = [
        Skipped(name, f"quantisation of {weight}, applied to it")
        for name, weight in used.items()
    ]
    return left, skipped


def _dequantise(
    leaf: Leaf,
    found: Mapping[str, Leaf],
    numbers: Mapping[str, float],
    used: dict[str, str],
) -> None:
    """Make one array load as real numbers, if its scale is found."""
    name = leaf.raw_name
    cut = max(name.rfind("."), name.rfind("/")) + 1
    parent, own = name[:cut], name[cut:]
    parts: list[Load | float] = []
    names = []
    for patterns in (_SCALES, _ZEROS):
        for pattern in patterns:
            candidate = parent + pattern.format(own)
            beside = found.get(candidate)
            if beside is not None and _fits(beside, leaf):
                parts.append(beside.load)
                names.append(candidate)
                break
            if candidate in numbers:
                parts.append(float(numbers[candidate]))
                break
        else:
            if patterns is _SCALES:
                return
            parts.append(0.0)
    scale, zero = parts
    leaf.load = Dequantised(leaf.load, scale, zero)
    leaf.identity = None
    used.update(dict.fromkeys(names, name))


def _fits(numbers: Leaf, weight: Leaf) -> bool:
    """True if there is one number, or one per output channel."""
    if numbers.unusable or not weight.shape:
        return False
    count, ones = prod(numbers.shape), len(numbers.shape) <= 1
    broadcast = len(numbers.shape) == len(weight.shape) and numbers.shape[0] == count
    return count == 1 or (count == weight.shape[0] and (ones or broadcast))


def dequantized(
    values: NDArray[np.generic], scale: ArrayLike, zero: ArrayLike
) -> NDArray[np.float32]:
    """(values − zero) · scale as float32; the arrays broadcast."""
    with np.errstate(all="ignore"):  # scales of a damaged file: infinities may come out
        steps = values.astype(np.float32) - np.asarray(zero, np.float32)
        return np.asarray(steps * np.asarray(scale, np.float32), np.float32)


def unpack_nibbles(
    raw: NDArray[np.uint8], count: int, *, signed: bool
) -> NDArray[np.generic]:
    """4-bit numbers, two a byte, the low half first, as int8 or uint8 [count]."""
    halves = np.stack([raw & 0x0F, raw >> 4], axis=1).ravel()[:count]
    if not signed:
        return halves
    return np.where(halves > 7, halves.astype(np.int16) - 16, halves).astype(np.int8)
