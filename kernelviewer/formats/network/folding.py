"""Weights that a file holds in parts: weight norm, spectral norm, pruning masks.

Quantised weights are among them: their scales lie beside them under names of their own.
"""

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

Named = dict[str, "Leaf"]
_ENDINGS = ("_v", "_orig", ".original", ".original1")


@dataclass(frozen=True, slots=True, eq=False)
class WeightNorm:
    """g · v / ‖v‖, the norm taken over the axes along which g has length 1.

    Salimans & Kingma, *Weight Normalization* (2016), equation 2. The sign of g counts:
    a negative one turns every kernel of the channel round.
    """

    length: Load
    direction: Load

    def __call__(self) -> NDArray[np.generic]:
        """Read both parts and join them: float32."""
        g = self.length().astype(np.float64)
        v = self.direction().astype(np.float64)
        axes = tuple(
            axis for axis in range(v.ndim) if g.size == 1 or g.shape[axis] == 1
        )
        norm = np.sqrt(np.sum(v * v, axis=axes, keepdims=True))
        return np.asarray(v * (g / norm), np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class SpectralNorm:
    """w / σ(w), σ from the stored power-iteration vectors.

    Miyato et al., *Spectral Normalization* (2018), equation 7: σ = uᵀ W v.
    """

    weight: Load
    left: Load
    right: Load | None

    def __call__(self) -> NDArray[np.generic]:
        """Read the parts and divide: float32."""
        w = self.weight().astype(np.float64)
        u = self.left().astype(np.float64).ravel()
        turned = w if len(u) == w.shape[0] else w.swapaxes(0, 1)
        matrix = turned.reshape(len(u), -1)
        v = matrix.T @ u
        if self.right is not None and len(stored := self.right().ravel()) == len(v):
            v = stored.astype(np.float64)
        elif v.any():
            v /= np.linalg.norm(v)
        sigma = float(u @ matrix @ v)
        return np.asarray(w / sigma if sigma else w, np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class Masked:
    """A pruned weight: the stored one times its mask."""

    weight: Load
    mask: Load

    def __call__(self) -> NDArray[np.generic]:
        """Read both and multiply."""
        weight = self.weight()
        return np.asarray(weight * self.mask().astype(weight.dtype))


@dataclass(frozen=True, slots=True)
class _Rule:
    """How to join a weight: its last part's ending, the weight's, and the way.

    Without ``load`` the rule is not known and the stored part stands for the weight.
    """

    old_ending: str
    new_ending: str
    used: tuple[str, ...]
    load: Load | None


def fold(named: Named) -> tuple[Named, list[str]]:
    """Join what belongs together, in the place of its main part.

    Returns
    -------
    The weights by name, and the names of weights whose rule is not known, so that only
    a stored part of them is shown.
    """
    if not any(name.endswith(_ENDINGS) for name in named):
        return named, []
    rules = {name: rule for name in named if (rule := _rule(name, named))}
    used = {part for rule in rules.values() for part in rule.used}
    folded: Named = {}
    unknown = []
    for name, leaf in named.items():
        rule = rules.get(name)
        if rule:
            name = name.removesuffix(rule.old_ending) + rule.new_ending
            leaf.raw_name = leaf.raw_name.removesuffix(rule.old_ending)
            leaf.raw_name += rule.new_ending
            if rule.load is None:
                unknown.append(name)
            else:
                leaf.load, leaf.identity = rule.load, None
        elif name in used:
            continue
        folded[name] = leaf
    return folded, unknown


def _rule(name: str, named: Named) -> _Rule | None:
    """Rule of the weight whose main part has this name, if it has one."""
    leaf = named[name]
    if name.endswith("_v"):
        length = f"{name[:-2]}_g"
        if length in named and _is_length(named[length], leaf):
            load = WeightNorm(named[length].load, leaf.load)
            return _Rule("_v", "", (length,), load)
    elif name.endswith("_orig"):
        return _old_rule(name[:-5], named)
    elif ".original" in name:
        return _parametrised_rule(name, named)
    return None


def _old_rule(stem: str, named: Named) -> _Rule | None:
    """Rule of ``weight_orig``: pruned, or under spectral norm."""
    weight, mask = named[f"{stem}_orig"], f"{stem}_mask"
    if mask in named and named[mask].shape == weight.shape:
        load: Load = Masked(weight.load, named[mask].load)
        return _Rule("_orig", "", (mask,), load)
    vectors = (f"{stem}_u", f"{stem}_v")
    spectral = _spectral(weight, *(named.get(vector) for vector in vectors))
    return _Rule("_orig", "", vectors, spectral) if spectral else None


def _parametrised_rule(name: str, named: Named) -> _Rule | None:
    """Rule of ``parametrizations.weight.original`` and ``.original0``, ``1``."""
    stem, _, own = name.rpartition(".")
    before, _, weight = stem.rpartition(".")
    if before != "parametrizations" and not before.endswith(".parametrizations"):
        return None
    ending = f"parametrizations.{weight}.{own}"
    if own == "original":
        vectors = (f"{stem}.0._u", f"{stem}.0._v")
        load = _spectral(named[name], *(named.get(vector) for vector in vectors))
        return _Rule(ending, weight, vectors, load)
    length = f"{stem}.original0"
    if own != "original1" or length not in named or f"{stem}.original2" in named:
        return None
    if not _is_length(named[length], named[name]):
        return None
    norm = WeightNorm(named[length].load, named[name].load)
    return _Rule(ending, weight, (length,), norm)


def _spectral(
    weight: Leaf, left: Leaf | None, right: Leaf | None
) -> SpectralNorm | None:
    """The weight under spectral norm, where its vectors fit it."""
    fits = left and len(left.shape) == 1 and left.shape[0] in weight.shape[:2]
    if not left or not fits or len(weight.shape) < 2:
        return None
    return SpectralNorm(weight.load, left.load, right.load if right else None)


def _is_length(length: Leaf, direction: Leaf) -> bool:
    """True if a shape can be that of g: like v, or 1 where the norm is taken."""
    if prod(length.shape) == 1:
        return True
    pairs = zip(length.shape, direction.shape, strict=False)
    return len(length.shape) == len(direction.shape) and all(
        g in (1, v) for g, v in pairs
    )


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
