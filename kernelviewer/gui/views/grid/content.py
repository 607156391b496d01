"""What the grid shows: which kernels, in which order, under which headings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from kernelviewer.gui.views.grid.mosaic import MAX_FRAMES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kernelviewer.gui.views.grid.mosaic import Mosaic


@dataclass(frozen=True, slots=True)
class GridGroup:
    """Kernels under one heading.

    Attributes
    ----------
    start
        First position in the drawing order; the group ends where the next one starts.
    title, note
        Heading, and what stands beside it in grey (a count).
    colour
        ``#RRGGBB`` of a small square before the title; None: no square.
    hatched
        Whether the square is hatched, as flat kernels are.
    """

    start: int
    title: str
    note: str = ""
    colour: str | None = None
    hatched: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class GridContent:
    """Everything the grid shows but the selection and the focus. Cheap to make anew.

    Attributes
    ----------
    mosaic
        The kernels; their numbers 0 … N−1 are the kernel ids.
    order
        int64 [shown], kernel ids in drawing order, each at most once.
    groups
        Ascending, the first at 0; empty: one group without a heading.
    gain
        float32 [N] in 0 … 1, a common scale (`common_gain`); None: each its own.
    frames
        uint8 [N], index into ``frame_colours``, or `NO_FRAME`; None: no frames.
    frame_colours
        ``#RRGGBB``, at most `MAX_FRAMES`.

    Raises
    ------
    ValueError
        If the groups do not fit the order, or there are too many frame colours.
    """

    mosaic: Mosaic
    order: NDArray[np.int64]
    groups: tuple[GridGroup, ...] = ()
    gain: NDArray[np.float32] | None = None
    frames: NDArray[np.uint8] | None = None
    frame_colours: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        starts = self.starts
        if len(starts) and (starts[0] != 0 or np.any(np.diff(starts) < 0)):
            raise ValueError("groups must ascend from position 0")
        if len(starts) and starts[-1] > len(self.order):
            raise ValueError("a group starts behind the last kernel")
        if len(self.frame_colours) > MAX_FRAMES:
            raise ValueError(f"at most {MAX_FRAMES} frame colours can be shown")

    @property
    def starts(self) -> NDArray[np.int64]:
        """int64 [G], first position of each group; one group if none are given."""
        if self.groups:
            return np.array([group.start for group in self.groups], np.int64)
        return np.zeros(min(1, len(self.order)), np.int64)

    @property
    def headed(self) -> bool:
        """Whether any group has a heading."""
        return any(group.title or group.note for group in self.groups)

    def same_places(self, other: GridContent | None) -> bool:
        """Whether every kernel stands where it stands in the other content."""
        if other is None or self.mosaic.shape != other.mosaic.shape:
            return False
        same_order = self.order is other.order or np.array_equal(
            self.order, other.order
        )
        return same_order and np.array_equal(self.starts, other.starts)
