"""The background task that turns a pool of kernels into what the grid draws."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kernelviewer.gui.text import spaced
from kernelviewer.gui.views.grid.content import GridContent, GridGroup
from kernelviewer.gui.views.grid.mosaic import build_mosaic, common_gain
from kernelviewer.state.arrangement import arrange

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from kernelviewer.gui.views.grid.mosaic import Mosaic
    from kernelviewer.jobs.ticket import Ticket
    from kernelviewer.state.arrangement import Display, Group
    from kernelviewer.state.pool import KernelPool


@dataclass(frozen=True, slots=True, eq=False)
class Laid:
    """A pool and what the grid draws of it."""

    pool: KernelPool
    content: GridContent


def lay_out(
    ticket: Ticket,
    pool: KernelPool,
    shown: NDArray[np.bool_],
    display: Display,
    known: Laid | None,
) -> Laid:
    """Quantise the pool's kernels (unless ``known`` has them), order and group them."""
    if known is not None and known.pool is pool:
        mosaic = known.content.mosaic
    else:
        mosaic = _quantise(ticket, pool)
    ticket.check()
    arrangement = arrange(pool, shown, display)
    gain = None
    if display.scale_mode != "kernel":
        layer = pool.layer if display.scale_mode == "layer" else None
        gain = common_gain(mosaic, layer, shown)
    groups = tuple(map(_heading, arrangement.groups))
    return Laid(pool, GridContent(mosaic, arrangement.order, groups, gain))


def _quantise(ticket: Ticket, pool: KernelPool) -> Mosaic:
    return build_mosaic(
        [kernels.weights for kernels in pool.sets],
        pool.flat,
        check=ticket.check,
        progress=lambda done, total: ticket.progress(done, total, "kernels drawn"),
    )


def _heading(group: Group) -> GridGroup:
    note = "   ".join([spaced(group.count), group.note]).rstrip()
    return GridGroup(group.start, group.title, note)
