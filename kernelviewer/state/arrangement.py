"""The order in which kernels are drawn, and the groups they fall into."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kernelviewer.state.pool import KernelPool

GroupBy = Literal["layer", "model", "none"]
SortBy = Literal["channel", "scale", "flat"]
ScaleMode = Literal["kernel", "layer", "global"]


@dataclass(frozen=True, slots=True)
class Display:
    """How the grid shows kernels.

    Attributes
    ----------
    group_by
        One group a layer, a model, or one for all.
    sort_by
        Within a group: network order, falling scale, or flat kernels first.
    scale_mode
        What the ends of the colour map stand for: the largest |tap| of the kernel
        itself, of its layer, or of all that is shown.
    """

    group_by: GroupBy = "layer"
    sort_by: SortBy = "channel"
    scale_mode: ScaleMode = "kernel"


@dataclass(frozen=True, slots=True)
class Group:
    """A run of the drawing order under one heading.

    ``start`` is its first position, ``count`` its length.
    """

    start: int
    count: int
    title: str
    note: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Arrangement:
    """Pool numbers in drawing order, int64 [shown], and their groups."""

    order: NDArray[np.int64]
    groups: tuple[Group, ...]


def arrange(
    pool: KernelPool, shown: NDArray[np.bool_], display: Display
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
    """
    order = np.flatnonzero(shown)
    keys = _group_keys(pool, display.group_by)[order]
    if display.sort_by == "scale":
        order = order[np.lexsort((-pool.scale[order], keys))]
    elif display.sort_by == "flat":
        order = order[np.lexsort((pool.scale[order], ~pool.flat[order], keys))]
    elif np.any(keys[1:] < keys[:-1]):
        order = order[np.argsort(keys, kind="stable")]
    keys = _group_keys(pool, display.group_by)[order]
    starts = np.flatnonzero(np.diff(keys, prepend=-1))
    counts = np.diff(starts, append=len(order))
    groups = tuple(
        Group(int(start), int(count), *_heading(pool, int(keys[start]), display))
        for start, count in zip(starts, counts, strict=True)
    )
    return Arrangement(order, groups)


def _group_keys(pool: KernelPool, group_by: GroupBy) -> NDArray[np.int64]:
    if group_by == "layer":
        return pool.layer.astype(np.int64)
    if group_by == "model":
        rows = np.arange(len(pool.models))
        return np.repeat(rows, np.diff(pool.starts)).astype(np.int64)
    return np.zeros(len(pool), np.int64)


def _heading(pool: KernelPool, key: int, display: Display) -> tuple[str, str]:
    """Title of a group, and its model where several are open."""
    if display.group_by == "none":
        return "All kernels", ""
    if display.group_by == "model":
        return pool.models[key].bank.name, ""
    ref = pool.layer_refs[key]
    model = next(model for model in pool.models if model.id == ref.model)
    note = model.bank.name if len(pool.models) > 1 else ""
    return model.bank.layers[ref.layer].name, note
