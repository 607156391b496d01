"""Which point lies next in a direction. Needs no Qt."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def nearest_towards(
    places: NDArray[np.int32], start: NDArray[np.float64], direction: tuple[int, int]
) -> int | None:
    """Row of the nearest place within 45° of a direction; None if there is none.

    Parameters
    ----------
    places
        int32 [N, 2], across and down.
    start
        Where to begin, [2].
    direction
        One step across or down.
    """
    away = places - start
    along = away @ np.array(direction, np.float64)
    aside = np.abs(away @ np.array(direction[::-1], np.float64))
    ahead = np.flatnonzero((along > 0) & (aside <= along))
    if not len(ahead):
        return None
    distance = along[ahead] + 2 * aside[ahead]
    return int(ahead[distance.argmin()])
