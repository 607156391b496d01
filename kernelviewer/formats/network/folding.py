"""Weights that a file holds in parts: weight norm, spectral norm, pruning masks."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

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
