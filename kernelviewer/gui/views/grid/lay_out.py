"""From a pool of kernels to what the grid draws."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from kernelviewer.gui.text import spaced
from kernelviewer.gui.views.grid.content import GridContent, GridGroup
from kernelviewer.gui.views.grid.decoded import decoded_tiles
from kernelviewer.gui.views.grid.mosaic import NO_FRAME, build_mosaic, common_gain
from kernelviewer.kernels.bank import size_label
from kernelviewer.kernels.classes import CLASSES, INDEX, PATTERNS
from kernelviewer.state.arrangement import arrange

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kernelviewer.gui.views.grid.decoded import Part
    from kernelviewer.gui.views.grid.mosaic import Mosaic
    from kernelviewer.jobs.runner import Ticket
    from kernelviewer.latent.autoencoder import Autoencoder
    from kernelviewer.state.analysis import PoolLabels
    from kernelviewer.state.arrangement import Arrangement, Group, Picture
    from kernelviewer.state.pool import KernelPool
    from kernelviewer.state.view_state import ViewState


@dataclass(frozen=True, slots=True, eq=False)
class Decoded:
    """Reconstructions and residuals of a pool, and what they were made with."""

    autoencoder: Autoencoder
    analyses: tuple[object, ...]
    tiles: dict[Part, NDArray[np.uint8]]


@dataclass(frozen=True, slots=True, eq=False)
class Laid:
    """A pool's kernels quantised, ordered and grouped.

    ``gain`` float32 [N] is the common scale; None: each kernel has its own. ``drawn``
    is what is seen of the kernels of ``mosaic``.
    """

    pool: KernelPool
    mosaic: Mosaic
    drawn: Mosaic
    arrangement: Arrangement
    gain: NDArray[np.float32] | None
    decoded: Decoded | None = None


def lay_out(ticket: Ticket, state: ViewState, known: Laid | None) -> Laid:
    """Quantise the pool's kernels (unless ``known`` has them), order and group them.

    Reconstructions and residuals are made only while they are shown.
    """
    pool, display, shown = state.pool, state.display, state.listed
    assert pool is not None
    same = known is not None and known.pool is pool
    mosaic = known.mosaic if known is not None and same else _quantise(ticket, pool)
    ticket.check()
    gain = None
    if display.scale_mode != "kernel":
        layer = pool.layer if display.scale_mode == "layer" else None
        gain = common_gain(mosaic, layer, shown)
    decoded = _decode(ticket, state, mosaic, known.decoded if known and same else None)
    order = arrange(pool, shown, display, state.labels, state.segments)
    drawn = _drawn(mosaic, decoded, display.picture)
    return Laid(pool, mosaic, drawn, order, gain, decoded)


def decodable(state: ViewState) -> tuple[bool, str]:
    """Whether there are reconstructions to show, and else why there are none."""
    if state.pool is None or state.autoencoder is not None:
        return True, ""
    size = size_label(state.pool.size)
    return False, f"No reconstructions: there is no autoencoder for {size} kernels"


_PARTS: dict[Picture, tuple[Part, ...]] = {
    "kernel": (),
    "reconstruction": ("reconstruction",),
    "residual": ("residual",),
    "beside": ("reconstruction", "residual"),
}


def _decode(
    ticket: Ticket, state: ViewState, mosaic: Mosaic, known: Decoded | None
) -> Decoded | None:
    """What the picture needs beside the kernels; None where there are no codes."""
    pool, autoencoder, named = state.pool, state.autoencoder, state.named
    spectrum, wanted = state.spectrum, _PARTS[state.display.picture]
    if pool is None or autoencoder is None or named is None or not wanted:
        return None
    assert spectrum is not None
    keys = ((model.id, pool.size) for model in pool.models)
    analyses = tuple(state.analyses.get(key) for key in keys)
    fresh = known is not None and known.autoencoder is autoencoder
    if known is not None and not (fresh and known.analyses == analyses):
        known = None
    tiles = {} if known is None else known.tiles
    missing = [part for part in wanted if part not in tiles]
    made = (
        {}
        if not missing
        else decoded_tiles(
            mosaic,
            [kernels.weights for kernels in pool.sets],
            pool.flat,
            named.code,
            spectrum,
            missing,
            check=ticket.check,
            progress=lambda done, total: ticket.progress(
                done, total, "kernels decoded"
            ),
        )
    )
    both = {**tiles, **made}
    kept = {part: both[part] for part in wanted}
    return Decoded(autoencoder, analyses, kept)


def _drawn(mosaic: Mosaic, decoded: Decoded | None, picture: Picture) -> Mosaic:
    if decoded is None or picture == "kernel":
        return mosaic
    if picture == "beside":
        return replace(mosaic, beside=tuple(decoded.tiles.values()))
    return replace(mosaic, tiles=decoded.tiles[picture])


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
        laid.drawn,
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
    flat = group.class_index == INDEX["flat"]
    return GridGroup(group.start, group.title, note, colour, hatched=flat)
