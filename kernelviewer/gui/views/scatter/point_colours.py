"""What colours the points of the scatter plot."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from kernelviewer.gui.text import spaced
from kernelviewer.gui.views.scatter import Legend
from kernelviewer.kernels.classes import CLASSES, NETWORK_COLOURS
from kernelviewer.state.analysis import UNIDENTIFIED
from kernelviewer.state.layer_tree import short_names

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kernelviewer.gui.theme import Tokens
    from kernelviewer.state.pool import KernelPool
    from kernelviewer.state.view_state import ViewState

    Coloured = tuple[NDArray[np.uint8], tuple[str, ...], Legend]

STEPS = 48
"""Colours of a bar."""
CIVIDIS = (
    *("#00224E", "#123570", "#3B496C", "#575D6D", "#707173"),
    *("#8A8678", "#A59C74", "#C3B369", "#E1CC55", "#FEE838"),
)
"""Dark to light, told apart without seeing red or green (Nuñez et al. 2018)."""
DARKEST_ON_DARK = 0.3
"""Where the bar begins on dark ground: darker colours would not be seen."""


def colours_of(
    state: ViewState, numbers: NDArray[np.int64], tokens: Tokens
) -> Coloured:
    """Colour index of each point, the colours, and what they mean.

    What depends on labels falls back to one colour while there are none.

    Parameters
    ----------
    numbers
        int64 [P], pool numbers of the points.
    """
    pool, by = state.pool, state.charts.colour_by
    assert pool is not None
    if by == "layer":
        return _by_layer(pool, numbers, tokens)
    if by == "model":
        return _by_model(pool, numbers)
    if state.labels is None:
        return np.zeros(len(numbers), np.uint8), (tokens.neutral,), Legend()
    if by == "fit":
        return _by_fit(state.labels.fit[numbers], tokens)
    return _by_class(state.labels.label[numbers], tokens)


def bar_colours(tokens: Tokens) -> tuple[str, ...]:
    """The bar's colours from its low to its high end."""
    stops = np.array([[int(c[i : i + 2], 16) for i in (1, 3, 5)] for c in CIVIDIS])
    first = DARKEST_ON_DARK if tokens.dark else 0.0
    at = np.linspace(first, 1, STEPS) * (len(stops) - 1)
    known = np.arange(len(stops))
    parts = [np.interp(at, known, stops[:, i]).round().astype(int) for i in range(3)]
    return tuple(f"#{r:02X}{g:02X}{b:02X}" for r, g, b in zip(*parts, strict=True))


def _by_class(label: NDArray[np.uint8], tokens: Tokens) -> Coloured:
    colours = tuple(item.dark if tokens.dark else item.light for item in CLASSES)
    there = np.flatnonzero(np.bincount(label, minlength=len(CLASSES)))
    ordered = [int(i) for i in there if i < UNIDENTIFIED]
    ordered += [UNIDENTIFIED] if UNIDENTIFIED in there else []
    entries = tuple((colours[i], CLASSES[i].short) for i in ordered)
    return label, colours, Legend(entries)


def _by_fit(fit: NDArray[np.float32], tokens: Tokens) -> Coloured:
    known = fit[~np.isnan(fit)]
    low = float(np.floor(10 * np.quantile(known, 0.02)) / 10) if len(known) else 0.0
    low = min(max(low, 0.0), 0.9)
    steps = np.nan_to_num((fit - low) / (1 - low)) * (STEPS - 1)
    index = np.clip(np.rint(steps), 0, STEPS - 1).astype(np.uint8)
    edge = "fit ≤ " if len(known) and known.min() < low else "fit "
    return (
        index,
        bar_colours(tokens),
        Legend(bar=bar_colours(tokens), low=f"{edge}{low:.1f}", high="1"),
    )


def _by_layer(pool: KernelPool, numbers: NDArray[np.int64], tokens: Tokens) -> Coloured:
    """By depth: each network's layers of this size from its first to its last."""
    models = np.array([ref.model for ref in pool.layer_refs])
    depth = np.zeros(len(models))
    for model in np.unique(models):
        rows = np.flatnonzero(models == model)
        depth[rows] = np.linspace(0, 1, len(rows)) if len(rows) > 1 else 0.5
    index = np.rint(depth[pool.layer[numbers]] * (STEPS - 1)).astype(np.uint8)
    low, high = "first layer", f"last of {spaced(len(models))}"
    if len(pool.models) > 1:
        high = "last"
    else:
        names = short_names(pool.models[0].bank)
        ends = [names[pool.layer_refs[at].layer] for at in (0, -1)]
        if max(map(len, ends)) <= 8:
            low, high = f"layer {ends[0]}", ends[1]
    colours = bar_colours(tokens)
    return index, colours, Legend(bar=colours, low=low, high=high)


def _by_model(pool: KernelPool, numbers: NDArray[np.int64]) -> Coloured:
    row = np.searchsorted(pool.starts, numbers, side="right") - 1
    last = len(NETWORK_COLOURS) - 1
    names = [model.bank.name for model in pool.models]
    entries = tuple(zip(NETWORK_COLOURS, names[:last], strict=False))
    if len(names) > last:
        entries = (*entries, (NETWORK_COLOURS[last], f"{len(names) - last} more"))
    return np.minimum(row, last).astype(np.uint8), NETWORK_COLOURS, Legend(entries)
