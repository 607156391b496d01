"""The order in which kernels are drawn, and the groups they fall into."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from kernelviewer.state.grouping import (
    GroupBy,  # noqa: TC001  sessions read the fields' types at run time
    cut_into_groups,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kernelviewer.latent.segments import Segments
    from kernelviewer.state.analysis import PoolLabels
    from kernelviewer.state.pool import KernelPool

SortBy = Literal["channel", "scale", "flat", "class", "code", "fit"]
ScaleMode = Literal["kernel", "layer", "global"]
Picture = Literal["kernel", "reconstruction", "residual", "beside"]


@dataclass(frozen=True, slots=True)
class Display:
    """How the grid shows kernels.

    Attributes
    ----------
    group_by
        One group a layer, a model, a class, a stretch of the spectrum, a band of fits,
        or one for all.
    sort_by
        Within a group: network order, falling scale, flat kernels first, class, rising
        code, or falling fit.
    scale_mode
        What the ends of the colour map stand for: the largest |tap| of the kernel
        itself, of its layer, or of all that is shown.
    picture
        What is drawn of a kernel: itself, its reconstruction, what that leaves over,
        or the three side by side.
    """

    group_by: GroupBy = "layer"
    sort_by: SortBy = "channel"
    scale_mode: ScaleMode = "kernel"
    picture: Picture = "kernel"

    @property
    def by_label(self) -> bool:
        """Whether the order depends on codes or classes."""
        by = {self.group_by, self.sort_by}
        return not by.isdisjoint(("class", "code", "fit"))


@dataclass(frozen=True, slots=True)
class Group:
    """A run of the drawing order under one heading.

    ``start`` is its first position, ``count`` its length.
    """

    start: int
    count: int
    title: str
    note: str = ""
    class_index: int | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Arrangement:
    """Pool numbers in drawing order, int64 [shown], and their groups."""

    order: NDArray[np.int64]
    groups: tuple[Group, ...]


def arrange(
    pool: KernelPool,
    shown: NDArray[np.bool_],
    display: Display,
    labels: PoolLabels | None = None,
    segments: Segments | None = None,
) -> Arrangement:
    """Order the shown kernels and cut them into groups.

    Parameters
    ----------
    pool
        The kernels.
    shown
        Bool [N], the kernels in scope.
    display
        Grouping and sorting.
    labels
        Codes and classes; without them, what asks for them falls back to layers in
        network order.
    segments
        The spectrum's stretches; without them there are no groups by code.
    """
    order = np.flatnonzero(shown)
    cut = cut_into_groups(pool, display.group_by, labels, segments)
    ranks = _ranks(pool, display.sort_by, labels)
    keys = cut.keys
    if ranks is not None:
        order = order[np.lexsort((ranks[order], keys[order]))]
    elif np.any(np.diff(keys[order]) < 0):
        order = order[np.argsort(keys[order], kind="stable")]
    keys = keys[order]
    starts = np.flatnonzero(np.diff(keys, prepend=-1))
    counts = np.diff(starts, append=len(order))
    groups = tuple(
        Group(int(start), int(count), *cut.heading(int(keys[start])))
        for start, count in zip(starts, counts, strict=True)
    )
    return Arrangement(order, groups)


def _ranks(
    pool: KernelPool, sort_by: SortBy, labels: PoolLabels | None
) -> NDArray[np.generic] | None:
    """What to sort by within a group, ascending; None: network order."""
    if sort_by == "scale":
        return -pool.scale
    if sort_by == "flat":
        return np.where(pool.flat, np.float32(-1), pool.scale)
    if labels is None:
        return None
    if sort_by == "class":
        return labels.label
    if sort_by == "code":
        return labels.code
    if sort_by == "fit":
        return -labels.fit
    return None
