"""From a pool of kernels to what the grid draws."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from kernelviewer.gui.text import spaced
from kernelviewer.gui.views.grid.content import GridContent, GridGroup
from kernelviewer.gui.views.grid.mosaic import NO_FRAME, build_mosaic, common_gain
from kernelviewer.kernels.classes import CLASSES, PATTERNS
from kernelviewer.state.arrangement import arrange

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kernelviewer.gui.views.grid.mosaic import Mosaic
    from kernelviewer.jobs.ticket import Ticket
    from kernelviewer.state.analysis import PoolLabels
    from kernelviewer.state.arrangement import Arrangement, Display, Group
    from kernelviewer.state.pool import KernelPool


@dataclass(frozen=True, slots=True, eq=False)
class Laid:
    """A pool's kernels quantised, ordered and grouped.

    ``gain`` float32 [N] is the common scale; None: each kernel has its own.
    """

    pool: KernelPool
    mosaic: Mosaic
    arrangement: Arrangement
    gain: NDArray[np.float32] | None


def lay_out(
    ticket: Ticket,
    pool: KernelPool,
    shown: NDArray[np.bool_],
    display: Display,
    labels: PoolLabels | None,
    known: Laid | None,
) -> Laid:
    """Quantise the pool's kernels (unless ``known`` has them), order and group them."""
    if known is not None and known.pool is pool:
        mosaic = known.mosaic
    else:
        mosaic = _quantise(ticket, pool)
    ticket.check()
    gain = None
    if display.scale_mode != "kernel":
        layer = pool.layer if display.scale_mode == "layer" else None
        gain = common_gain(mosaic, layer, shown)
    return Laid(pool, mosaic, arrange(pool, shown, display, labels), gain)


def content_of(
    laid: Laid, labels: PoolLabels | None, *, framed: bool, dark: bool
) -> GridContent:
    """What the grid draws: headings with class colours, frames if wanted."""
    colours = tuple(item.dark if dark else item.light for item in CLASSES)
    frames = None
    if framed and labels is not None and len(labels.label) == len(laid.pool):
        frames = np.where(labels.label < len(PATTERNS), labels.label, NO_FRAME)
        frames = frames.astype(np.uint8)
    return GridContent(
        laid.mosaic,
        laid.arrangement.order,
        tuple(_heading(group, colours) for group in laid.arrangement.groups),
        laid.gain,
        frames,
        colours,
    )


def _quantise(ticket: Ticket, pool: KernelPool) -> Mosaic:
    return build_mosaic(
        [kernels.weights for kernels in pool.sets],
        pool.flat,
        check=ticket.check,
        progress=lambda done, total: ticket.progress(done, total, "kernels drawn"),
    )


def _heading(group: Group, colours: tuple[str, ...]) -> GridGroup:
    note = "   ".join([spaced(group.count), group.note]).rstrip()
    colour = None if group.class_index is None else colours[group.class_index]
    return GridGroup(group.start, group.title, note, colour)
