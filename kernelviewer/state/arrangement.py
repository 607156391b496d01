"""The order in which kernels are drawn, and the groups they fall into."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from kernelviewer.kernels.classes import CLASSES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kernelviewer.state.analysis import PoolLabels
    from kernelviewer.state.pool import KernelPool

GroupBy = Literal["layer", "model", "class", "none"]
SortBy = Literal["channel", "scale", "flat", "code", "fit"]
ScaleMode = Literal["kernel", "layer", "global"]


@dataclass(frozen=True, slots=True)
class Display:
    """How the grid shows kernels.

    Attributes
    ----------
    group_by
        One group a layer, a model, a class, or one for all.
    sort_by
        Within a group: network order, falling scale, flat kernels first, rising code,
        or falling fit.
    scale_mode
        What the ends of the colour map stand for: the largest |tap| of the kernel
        itself, of its layer, or of all that is shown.
    """

    group_by: GroupBy = "layer"
    sort_by: SortBy = "channel"
    scale_mode: ScaleMode = "kernel"

    @property
    def by_label(self) -> bool:
        """Whether the order depends on codes or classes."""
        return self.group_by == "class" or self.sort_by in ("code", "fit")


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
    """
    order = np.flatnonzero(shown)
    keys = _group_keys(pool, display.group_by, labels)
    ranks = _ranks(pool, display.sort_by, labels)
    if ranks is not None:
        order = order[np.lexsort((ranks[order], keys[order]))]
    elif np.any(np.diff(keys[order]) < 0):
        order = order[np.argsort(keys[order], kind="stable")]
    keys = keys[order]
    starts = np.flatnonzero(np.diff(keys, prepend=-1))
    counts = np.diff(starts, append=len(order))
    groups = tuple(
        _group(pool, display.group_by, labels, int(keys[start]), int(start), int(count))
        for start, count in zip(starts, counts, strict=True)
    )
    return Arrangement(order, groups)


def _ranks(
    pool: KernelPool, sort_by: SortBy, labels: PoolLabels | None
) -> NDArray[np.floating] | None:
    """What to sort by within a group, ascending; None: network order."""
    if sort_by == "scale":
        return -pool.scale
    if sort_by == "flat":
        return np.where(pool.flat, np.float32(-1), pool.scale)
    if labels is not None and sort_by == "code":
        return labels.code
    if labels is not None and sort_by == "fit":
        return -labels.fit
    return None


def _group_keys(
    pool: KernelPool, group_by: GroupBy, labels: PoolLabels | None
) -> NDArray[np.int64]:
    if group_by == "class" and labels is not None:
        return labels.label.astype(np.int64)
    if group_by == "model":
        rows = np.arange(len(pool.models))
        return np.repeat(rows, np.diff(pool.starts)).astype(np.int64)
    if group_by == "none":
        return np.zeros(len(pool), np.int64)
    return pool.layer.astype(np.int64)


def _group(
    pool: KernelPool,
    group_by: GroupBy,
    labels: PoolLabels | None,
    key: int,
    start: int,
    count: int,
) -> Group:
    """A group with its heading."""
    if group_by == "none":
        return Group(start, count, "All kernels")
    if group_by == "model":
        return Group(start, count, pool.models[key].bank.name)
    if group_by == "class" and labels is not None:
        return Group(start, count, CLASSES[key].name, class_index=key)
    ref = pool.layer_refs[key]
    model = next(model for model in pool.models if model.id == ref.model)
    note = model.bank.name if len(pool.models) > 1 else ""
    return Group(start, count, model.bank.layers[ref.layer].name, note)
