"""From a pool of kernels to what the grid draws. Needs no Qt."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from kernelviewer.gui.text import spaced
from kernelviewer.gui.views.grid.mosaic import (
    FLAT,
    MISSING,
    NO_FRAME,
    TOP,
    ZERO,
    GridContent,
    GridGroup,
    Mosaic,
    blank_tiles,
    build_mosaic,
    common_gain,
    gains,
    pieces,
    set_tiles,
)
from kernelviewer.kernels.bank import size_label
from kernelviewer.kernels.classes import INDEX, PATTERNS, classes_shown, showing_classes
from kernelviewer.state.arrangement import arrange
from kernelviewer.state.memo import same
from kernelviewer.watch import NEVER

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from kernelviewer.jobs.runner import Ticket
    from kernelviewer.state.analysis import PoolLabels
    from kernelviewer.state.arrangement import Arrangement, Group, Picture
    from kernelviewer.state.comparing import PoolPairs
    from kernelviewer.state.pool import KernelPool
    from kernelviewer.state.view_state import ViewState
    from kernelviewer.watch import Watch

Part = Literal["reconstruction", "residual"]
_TAPS = 1 << 18
"""Taps of pairs per step."""


@dataclass(frozen=True, slots=True, eq=False)
class Decoded:
    """Reconstructions and residuals of a pool, and what they were made with."""

    code: NDArray[np.float32]
    spectrum: NDArray[np.float32]
    tiles: dict[Part, NDArray[np.uint8]]


@dataclass(frozen=True, slots=True, eq=False)
class GridImage:
    """A pool's kernels quantised, ordered and grouped.

    ``gain`` float32 [N] is the common scale; None: each kernel has its own. ``drawn``
    is what is seen of the kernels of ``mosaic``. Where pairs are drawn, each stands at
    the number of its kernel before.
    """

    pool: KernelPool
    mosaic: Mosaic
    drawn: Mosaic
    arrangement: Arrangement
    gain: NDArray[np.float32] | None
    decoded: Decoded | None = None
    pairs: PoolPairs | None = None


def build_grid(ticket: Ticket, state: ViewState, known: GridImage | None) -> GridImage:
    """Quantise the pool's kernels (unless ``known`` has them), order and group them.

    Reconstructions and residuals are made only while they are shown.
    """
    pool, display, shown = state.pool, state.display, state.listed
    assert pool is not None
    same = known is not None and known.pool is pool
    mosaic = known.mosaic if known is not None and same else _quantise(ticket, pool)
    ticket.check()
    pairs = state.pairs if display.picture == "pair" else None
    decoded = _decode(ticket, state, mosaic, known.decoded if known and same else None)
    if pairs is None:
        drawn = _drawn(mosaic, decoded, display.picture)
    else:
        shown = pairs.as_before(shown)
        drawn = (
            known.drawn
            if known is not None and known.pairs is pairs
            else pair_mosaic(pairs, ticket)
        )
    gain = None
    if display.scale_mode != "kernel":
        layer = pool.layer if display.scale_mode == "layer" else None
        gain = common_gain(mosaic if pairs is None else drawn, layer, shown)
    with showing_classes(state.own_classes):
        order = arrange(
            pool, shown, display, state.labels, state.stretches, state.pairs
        )
    return GridImage(pool, mosaic, drawn, order, gain, decoded, pairs)


def decodable(state: ViewState) -> tuple[bool, str]:
    """Whether there are reconstructions to show, and else why there are none."""
    pool = state.pool
    if pool is None or state.autoencoder is not None or state.named_by == "family":
        return True, ""
    size = size_label(pool.size)
    return False, f"No reconstructions: there is no autoencoder for {size} kernels"


_PARTS: Mapping[Picture, tuple[Part, ...]] = {
    "kernel": (),
    "reconstruction": ("reconstruction",),
    "residual": ("residual",),
    "beside": ("reconstruction", "residual"),
    "pair": (),
}


def _decode(
    ticket: Ticket, state: ViewState, mosaic: Mosaic, known: Decoded | None
) -> Decoded | None:
    """What the picture needs beside the kernels; None where there are no codes."""
    pool, named = state.pool, state.named
    spectrum, wanted = state.spectrum, _PARTS[state.display.picture]
    if pool is None or spectrum is None or named is None or not wanted:
        return None
    made_with = named.code, spectrum
    if known is not None and not all(
        map(same, (known.code, known.spectrum), made_with)
    ):
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
            watch=ticket.saying("kernels decoded"),
        )
    )
    both = {**tiles, **made}
    kept = {part: both[part] for part in wanted}
    return Decoded(*made_with, kept)


def _drawn(mosaic: Mosaic, decoded: Decoded | None, picture: Picture) -> Mosaic:
    if decoded is None or picture == "kernel":
        return mosaic
    if picture == "beside":
        return replace(mosaic, beside=tuple(decoded.tiles.values()))
    (part,) = _PARTS[picture]
    return replace(mosaic, tiles=decoded.tiles[part])


def content_of(
    image: GridImage, labels: PoolLabels | None, *, framed: bool, dark: bool
) -> GridContent:
    """What the grid draws: headings with class colours, frames if wanted."""
    colours = tuple(item.dark if dark else item.light for item in classes_shown())
    frames = None
    if framed and labels is not None and len(labels.label) == len(image.pool):
        frames = np.where(labels.label < len(PATTERNS), labels.label, NO_FRAME)
        frames = frames.astype(np.uint8)
    return GridContent(
        image.drawn,
        image.arrangement.order,
        tuple(_heading(group, colours) for group in image.arrangement.groups),
        image.gain,
        frames,
        colours[: len(PATTERNS)],
    )


def _quantise(ticket: Ticket, pool: KernelPool) -> Mosaic:
    return build_mosaic(
        [kernels.weights for kernels in pool.sets],
        pool.flat,
        watch=ticket.saying("kernels drawn"),
    )


def _heading(group: Group, colours: tuple[str, ...]) -> GridGroup:
    note = "   ".join([spaced(group.count), group.note]).rstrip()
    colour = None if group.class_index is None else colours[group.class_index]
    flat = group.class_index == INDEX["flat"]
    return GridGroup(group.start, group.title, note, colour, hatched=flat)


def decoded_tiles(
    mosaic: Mosaic,
    sources: Sequence[NDArray[np.float32]],
    flat: NDArray[np.bool_],
    code: NDArray[np.float32],
    table: NDArray[np.float32],
    parts: Sequence[Part],
    *,
    watch: Watch = NEVER,
) -> dict[Part, NDArray[np.uint8]]:
    """Tiles of what the codes give back of kernels, and of what that leaves over.

    A reconstruction is the kernel's best a·pattern + b with the pattern at its code.
    Both are drawn on the kernel's own scale. Kernels without a code stay blank.

    Parameters
    ----------
    mosaic
        The kernels themselves.
    sources, flat
        What it was built from.
    code
        float32 [N], 0 … 1 or NaN.
    table
        float32 [M, *size], decoded patterns at M equal steps of the code.
    parts
        What is wanted.
    watch
        As for `build_mosaic`.
    """
    patterns = _unit(table.reshape(len(table), -1))
    tiles = {part: blank_tiles(len(mosaic), mosaic.size) for part in parts}
    for here, piece in pieces(sources, watch):
        there = np.flatnonzero(~np.isnan(code[here]) & ~flat[here])
        which = here.start + there
        kernels = np.asarray(piece[there], np.float32).reshape(len(there), -1)
        rows = np.rint(code[which] * (len(table) - 1)).astype(np.intp)
        found = _reconstruct(kernels, patterns[rows])
        gain = gains(mosaic.amplitude[which])[:, None]
        for part in parts:
            values = found if part == "reconstruction" else kernels - found
            steps = np.clip(values * gain + (ZERO + 0.5), 0, TOP + 0.5)
            set_tiles(tiles[part], mosaic.size, which, steps.astype(np.uint8))
    for part in parts:
        set_tiles(tiles[part], mosaic.size, flat, FLAT)
    return tiles


def pair_mosaic(pairs: PoolPairs, watch: Watch = NEVER) -> Mosaic:
    """Kernels before, after, and what was added, each three on one scale.

    They stand at the numbers of the kernels before; what has no partner is blank.
    """
    size, found = pairs.pool.size, pairs.found
    count, taps = len(pairs.pool), math.prod(size)
    panes = [blank_tiles(count, size) for _ in range(3)]
    amplitude = np.zeros(count, np.float32)
    step = max(1, _TAPS // taps)
    for start in range(0, len(pairs), step):
        watch.progress(start, len(pairs), "pairs drawn")
        rows = slice(start, start + step)
        which = pairs.first[rows]
        before, after = (
            np.asarray(side.kernels.weights[index[rows]], np.float32)
            for side, index in (
                (found.side_a, found.pairs.index_a),
                (found.side_b, found.pairs.index_b),
            )
        )
        three = np.stack([before, after, after - before]).reshape(3, len(which), taps)
        there = np.isfinite(three)
        three = np.where(there, three, np.float32(0))
        amplitude[which] = np.abs(three).max(axis=(0, 2), initial=0)
        three *= gains(amplitude[which])[:, None]
        indices = np.clip(three + (ZERO + 0.5), 0, TOP + 0.5).astype(np.uint8)
        indices[~there] = MISSING
        for pane, own in zip(panes, indices, strict=True):
            set_tiles(pane, size, which, own)
    flat = pairs.first[pairs.pool.flat[pairs.first] & pairs.pool.flat[pairs.second]]
    for pane in panes:
        set_tiles(pane, size, flat, FLAT)
    return Mosaic(size, panes[0], amplitude, (panes[1], panes[2]))


def _unit(patterns: NDArray[np.float32]) -> NDArray[np.float32]:
    """Rows with mean 0 and length 1."""
    free = patterns - patterns.mean(axis=1, keepdims=True)
    length = np.linalg.norm(free, axis=1, keepdims=True)
    return np.asarray(free / np.maximum(length, 1e-30), np.float32)


def _reconstruct(
    kernels: NDArray[np.float32], patterns: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Best a·pattern + b for each kernel, [n, taps]."""
    offset = kernels.mean(axis=1, keepdims=True)
    amount = np.einsum("nt,nt->n", kernels - offset, patterns)[:, None]
    return np.asarray(amount * patterns + offset, np.float32)
