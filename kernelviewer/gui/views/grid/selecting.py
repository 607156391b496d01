"""How a gesture changes the selection. Needs no Qt."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

Mode = Literal["replace", "add", "subtract", "intersect", "toggle"]


def band_mode(shift: bool, ctrl: bool) -> Mode:
    """What a rubber band does while these keys are held."""
    if shift:
        return "intersect" if ctrl else "add"
    return "subtract" if ctrl else "replace"


def combine(
    selected: NDArray[np.bool_] | None, count: int, ids: NDArray[np.int64], mode: Mode
) -> NDArray[np.bool_]:
    """Selection bool [count] after a gesture on some kernels.

    Parameters
    ----------
    selected
        Bool [count] before; None: nothing.
    ids
        The kernels of the gesture.
    """
    touched = np.zeros(count, bool)
    touched[ids] = True
    before = np.zeros(count, bool) if selected is None else selected
    match mode:
        case "add":
            return before | touched
        case "subtract":
            return before & ~touched
        case "intersect":
            return before & touched
        case "toggle":
            return before ^ touched
        case _:
            return touched
