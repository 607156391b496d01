"""Where a layer's kernels have their centres: mean and spread of fitted offsets.

A layer of even size, or of stride 2 that pads on one side, sees its map shifted by half
a pixel; kernels can make up for that by standing off the middle of their window, and
then look like squares (§12 of the method: padding skew).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kernelviewer.kernels.bank import KernelSet
    from kernelviewer.kernels.family.fit import FamilyFit


@dataclass(frozen=True, slots=True)
class LayerOffsets:
    """Offsets of one layer's kernels from the middle of their window, in px.

    Attributes
    ----------
    layer
        Index into `KernelBank.layers`.
    kernels, counted
        All kernels of the layer that are given, and those whose offsets count.
    x, y
        Mean of the offsets, to the right and down; NaN where none counts.
    spread_x, spread_y
        Their standard deviation.
    """

    layer: int
    kernels: int
    counted: int
    x: float
    y: float
    spread_x: float
    spread_y: float


def layer_offsets(
    kernels: KernelSet,
    fit: FamilyFit,
    least: float,
    shown: NDArray[np.bool_] | None = None,
) -> list[LayerOffsets]:
    """Offsets of every layer of a set, in network order.

    Parameters
    ----------
    kernels
        N kernels of a size.
    fit
        `family_fit_set` of those that are not flat.
    least
        Kernels whose cosine with the family is lower do not count: they have no centre.
    shown
        bool [N], the kernels to look at; None: all.
    """
    there = np.flatnonzero(~kernels.flat)
    counts = fit.cosine >= np.float32(least)
    if shown is not None:
        counts &= shown[there]
    layers = kernels.layer if shown is None else kernels.layer[shown]
    found = []
    for layer, total in zip(*np.unique(layers, return_counts=True), strict=True):
        here = counts & (kernels.layer[there] == layer)
        values = [np.nan] * 4
        if here.any():
            offsets = np.stack([fit.offset_x[here], fit.offset_y[here]]).astype(float)
            values = [*offsets.mean(axis=1), *offsets.std(axis=1)]
        found.append(
            LayerOffsets(int(layer), int(total), int(here.sum()), *map(float, values))
        )
    return found
