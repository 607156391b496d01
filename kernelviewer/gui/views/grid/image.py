"""From a pool of kernels to what the grid draws. Needs no Qt."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from kernelviewer.formats.errors import CheckpointError
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
    shrink,
)
from kernelviewer.jobs.runs import read_step
from kernelviewer.kernels.bank import size_label
from kernelviewer.kernels.classes import INDEX, PATTERNS, classes_shown, showing_classes
from kernelviewer.kernels.statistics import without_mean
from kernelviewer.state.arrangement import arrange
from kernelviewer.state.memo import same
from kernelviewer.state.similarity import likeness
from kernelviewer.watch import NEVER

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from kernelviewer.jobs.runner import Ticket
    from kernelviewer.kernels.bank import Size
    from kernelviewer.state.analysis import PoolLabels
    from kernelviewer.state.arrangement import Arrangement, Group, Picture
    from kernelviewer.state.comparing import PoolPairs
    from kernelviewer.state.model import OpenModel
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
    is what is seen of the kernels of ``mosaic``, which is None where that was not
    needed. Where pairs are drawn, each stands at the number of its kernel before.
    ``pane``: which of the states of a strip is the present one; None: no strips.
    ``centred``: kernels are drawn without their mean.
    """

    pool: KernelPool
    mosaic: Mosaic | None
    drawn: Mosaic
    arrangement: Arrangement
    gain: NDArray[np.float32] | None
    decoded: Decoded | None = None
    pairs: PoolPairs | None = None
    pane: int | None = None
    centred: bool = False


def build_grid(
    ticket: Ticket,
    state: ViewState,
    known: GridImage | None,
    strips: Strips,
    centred: bool = False,
) -> GridImage:
    """Quantise the pool's kernels (unless ``known`` has them), order and group them.

    Reconstructions, residuals and strips are made only while they are shown.
    ``centred``: draw all without the kernels' means.
    """
    pool, display, shown = state.pool, state.display, state.listed
    assert pool is not None
    if known is not None and (known.pool is not pool or known.centred != centred):
        known = None
    mosaic, decoded, pane = known.mosaic if known else None, None, None
    pairs = state.pairs if display.picture == "pair" else None
    run = state.run if display.picture == "strip" else None
    if run is not None and run in pool.models:
        drawn, pane = strips.mosaic(ticket, pool, run, centred), run.step
    elif pairs is None:
        mosaic = mosaic or _quantise(ticket, pool, centred)
        ticket.check()
        before = known.decoded if known else None
        decoded = _decode(ticket, state, mosaic, before, centred)
        drawn = _drawn(mosaic, decoded, display.picture)
    else:
        shown = pairs.as_before(shown)
        drawn = (
            known.drawn
            if known is not None and known.pairs is pairs
            else pair_mosaic(pairs, ticket, centred=centred)
        )
    gain = None
    if display.scale_mode != "kernel":
        layer = pool.layer if display.scale_mode == "layer" else None
        as_they_are = mosaic if pairs is None and pane is None else drawn
        gain = common_gain(as_they_are or drawn, layer, shown)
    by_keys = state.by_keys if display.by_key else None
    with showing_classes(state.own_classes):
        order = arrange(
            *(pool, shown, display, state.labels, state.stretches, state.pairs),
            *(by_keys, likeness(pool)),
        )
    return GridImage(pool, mosaic, drawn, order, gain, decoded, pairs, pane, centred)


def decodable(state: ViewState) -> tuple[bool, str]:
    """True if there are reconstructions to show, and else why there are none."""
    pool = state.pool
    if pool is None or state.autoencoder is not None or state.named_by == "family":
        return True, ""
    size = size_label(pool.size)
    return False, f"No reconstructions: there is no autoencoder for {size} kernels"


def made_of(state: ViewState) -> tuple[NDArray[np.float32], NDArray[np.float32]] | None:
    """Places [N] and patterns there of what the picture has beside the kernels.

    Codes on the spectrum, or keys; None where there are none, or they are not known.
    """
    picture, keys = state.display.picture, state.by_keys
    if picture in ("key", "key_residual"):
        return None if keys is None else (keys.place, keys.keys.patterns)
    decoded = picture in ("reconstruction", "residual", "beside")
    if not decoded or state.named is None or state.spectrum is None:
        return None
    return state.named.code, state.spectrum


_PARTS: Mapping[Picture, tuple[Part, ...]] = {
    "kernel": (),
    "reconstruction": ("reconstruction",),
    "residual": ("residual",),
    "beside": ("reconstruction", "residual"),
    "pair": (),
    "strip": (),
    "key": ("reconstruction",),
    "key_residual": ("residual",),
}


def _decode(
    ticket: Ticket,
    state: ViewState,
    mosaic: Mosaic,
    known: Decoded | None,
    centred: bool,
) -> Decoded | None:
    """What the picture needs beside the kernels; None where there are no codes."""
    pool, wanted, made_with = state.pool, _PARTS[state.display.picture], made_of(state)
    if pool is None or made_with is None or not wanted:
        return None
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
            *made_with,
            missing,
            centred=centred,
            watch=ticket.saying("kernels decoded"),
        )
    )
    both = {**tiles, **made}
    kept = {part: both[part] for part in wanted}
    return Decoded(*made_with, kept)


def _drawn(mosaic: Mosaic, decoded: Decoded | None, picture: Picture) -> Mosaic:
    if decoded is None:
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
        image.pane,
    )


def _quantise(ticket: Ticket, pool: KernelPool, centred: bool) -> Mosaic:
    return build_mosaic(
        [kernels.weights for kernels in pool.sets],
        pool.flat,
        centred=centred,
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
    centred: bool = False,
    watch: Watch = NEVER,
) -> dict[Part, NDArray[np.uint8]]:
    """Tiles of what the codes give back of kernels, and of what that leaves over.

    A reconstruction is the kernel's best a·pattern + b with the pattern at its code.
    Both are drawn on the kernel's own scale. Kernels without a code stay blank.

    Parameters
    ----------
    code
        float32 [N], 0 … 1 or NaN.
    table
        float32 [M, *size], decoded patterns at M equal steps of the code.
    centred
        Without the kernels' means, as the mosaic is.
    """
    patterns = _unit(table.reshape(len(table), -1))
    tiles = {part: blank_tiles(len(mosaic), mosaic.size) for part in parts}
    for here, piece in pieces(sources, watch):
        there = np.flatnonzero(~np.isnan(code[here]) & ~flat[here])
        which = here.start + there
        kernels = np.asarray(piece[there], np.float32).reshape(len(there), -1)
        if centred:
            kernels = without_mean(kernels)
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


def pair_mosaic(
    pairs: PoolPairs, watch: Watch = NEVER, *, centred: bool = False
) -> Mosaic:
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
        if centred:
            before, after = without_mean(before), without_mean(after)
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


class Strips:
    """The kernels of a run's steps side by side, from the first to the last.

    A step is read once and kept as 8 bits a tap, so that to stand on another one costs
    nothing; those of other runs and sizes are let go.
    """

    def __init__(self) -> None:
        self._steps: dict[object, tuple[Mosaic, NDArray[np.bool_]]] = {}
        self._made: tuple[tuple[object, ...], Mosaic] | None = None

    def forget(self) -> None:
        """Keep nothing."""
        self._steps, self._made = {}, None

    def mosaic(
        self, ticket: Ticket, pool: KernelPool, model: OpenModel, centred: bool = False
    ) -> Mosaic:
        """The kernels of a pool, those of the run as strips on a scale for each.

        What belongs to other networks stands alone at the left. A step that cannot be
        read any more is blank.
        """
        run = model.run
        assert run is not None
        states = [
            self._step(ticket, pool.size, model, i, centred) for i in range(len(run))
        ]
        place = pool.models.index(model)
        others = [s for i, s in enumerate(pool.sets) if i != place]
        key = (*states, *others, place)
        if self._made is None or not _same_objects(self._made[0], key):
            ticket.check()
            self._made = key, _joined(pool, place, states, centred)
        return self._made[1]

    def _step(
        self, ticket: Ticket, size: Size, model: OpenModel, step: int, centred: bool
    ) -> tuple[Mosaic, NDArray[np.bool_]]:
        run = model.run
        assert run is not None
        ticket.progress(step, len(run), f"reading {run.title(step)}")
        drawn = run.copy, run.include, size, centred
        keys = [(*drawn, at.path, at.stamp) for at in run.steps]
        if keys[step] not in self._steps:
            self._steps = {k: v for k, v in self._steps.items() if k in keys}
            bank = model.bank
            if step != model.step:
                try:
                    bank = read_step(ticket, run, step, bank)
                except (OSError, CheckpointError):
                    nothing = blank_tiles(len(bank.sizes[size]), size)
                    none = np.zeros(len(nothing), np.float32)
                    return Mosaic(size, nothing, none), none > 0
            kernels = bank.sizes[size]
            tiles = build_mosaic(
                [kernels.weights], centred=centred, watch=ticket.quiet()
            )
            state = tiles, kernels.flat
            self._steps[keys[step]] = state
        return self._steps[keys[step]]


def _same_objects(known: tuple[object, ...], given: tuple[object, ...]) -> bool:
    return len(known) == len(given) and all(map(same, known, given))


def _joined(
    pool: KernelPool,
    place: int,
    states: list[tuple[Mosaic, NDArray[np.bool_]]],
    centred: bool,
) -> Mosaic:
    """The states of one network's kernels beside each other, among other networks'."""
    here = slice(*pool.starts[place : place + 2].tolist())
    amplitude = np.zeros(len(pool), np.float32)
    amplitude[here] = np.max([state.amplitude for state, _ in states], axis=0)
    panes = [blank_tiles(len(pool), pool.size) for _ in states]
    largest = np.maximum(amplitude[here], np.float32(1e-30))
    for pane, (state, _) in zip(panes, states, strict=True):
        tiles = pane[here]
        tiles[:] = state.tiles
        share = np.asarray(state.amplitude / largest, np.float32)
        shrink(tiles, share[:, None], tiles.shape[2])
    for number, kernels in enumerate(pool.sets):
        if number != place:
            there = slice(*pool.starts[number : number + 2].tolist())
            alone = build_mosaic([kernels.weights], kernels.flat, centred=centred)
            panes[0][there], amplitude[there] = alone.tiles, alone.amplitude
    flat = here.start + np.flatnonzero(np.all([flat for _, flat in states], axis=0))
    for pane in panes:
        set_tiles(pane, pool.size, flat, FLAT)
    return Mosaic(pool.size, panes[0], amplitude, tuple(panes[1:]))


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
