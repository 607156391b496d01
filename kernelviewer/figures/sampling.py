"""Choosing a few of many, the same ones for the same seed."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


T = TypeVar("T")


def draw_some(index: NDArray[np.intp], most: int, *seeds: int) -> NDArray[np.intp]:
    """At most ``most`` of the indices at random, in their order."""
    if len(index) <= most:
        return index
    rng = np.random.default_rng(seeds)
    chosen: NDArray[np.intp] = index[np.sort(rng.permutation(len(index))[:most])]
    return chosen


def spread(items: Sequence[T], most: int) -> list[T]:
    """At most ``most`` items at even distances, the first and the last among them."""
    if len(items) <= most:
        return list(items)
    at = np.linspace(0, len(items) - 1, max(most, 1)).round().astype(int)
    return [items[i] for i in at]
