"""Which kernels are shown, as text: ``0-119,240``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def to_ranges(shown: NDArray[np.bool_] | None) -> str:
    """Indices of what is shown; empty if all is."""
    if shown is None or shown.all():
        return ""
    edges = np.flatnonzero(np.diff(shown.astype(np.int8), prepend=0, append=0))
    pairs = edges.reshape(-1, 2)
    return ",".join(
        str(first) if last == first + 1 else f"{first}-{last - 1}"
        for first, last in pairs
    )


def from_ranges(text: str, count: int) -> NDArray[np.bool_] | None:
    """What `to_ranges` wrote, bool [count]; None if all is shown.

    Raises
    ------
    ValueError
        The text is no list of ranges within ``count``.
    """
    if not text:
        return None
    shown = np.zeros(count, bool)
    for part in text.split(","):
        first, _, last = part.partition("-")
        start, end = int(first), int(last or first)
        if not 0 <= start <= end < count:
            msg = f"no kernels {part!r} among {count}"
            raise ValueError(msg)
        shown[start : end + 1] = True
    return shown
