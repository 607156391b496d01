"""From a view state to what class histogram and layer composition show."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from kernelviewer.gui.views.classes.bars import CompositionBar, SelectedPart
from kernelviewer.gui.views.classes.histogram import ClassCounts
from kernelviewer.kernels.bank import size_label
from kernelviewer.state.layer_tree import short_names

if TYPE_CHECKING:
    from kernelviewer.state.model import LayerRef
    from kernelviewer.state.view_state import ViewState

NOTHING_OPEN = "Open a checkpoint: the classes of its kernels are counted here."
NO_KERNELS = "No depthwise kernels are open."


def why_no_labels(state: ViewState) -> str:
    """Why there are no classes, and what would give some."""
    pool = state.pool
    if pool is None:
        return NO_KERNELS if state.models else NOTHING_OPEN
    if not state.all_analysed:
        return "Classes show here once the kernels are encoded."
    if state.named_by == "family":
        return "Classes show here once the family has named the kernels (Show Jobs)."
    return (
        f"No classes: there is no autoencoder for {size_label(pool.size)} kernels, and "
        "the pattern family has no members of this size. Code → Train makes one."
    )


def by_model(state: ViewState) -> tuple[ClassCounts, ...]:
    """Counts of each open network's kernels in scope."""
    pool, tally = state.pool, state.tally
    assert pool is not None
    assert tally is not None
    ticked = pool.layers_ticked(state.layers)
    owner = np.array([ref.model for ref in pool.layer_refs])
    contents = []
    for model in pool.models:
        own = owner == model.id
        counts, below = tally.among(ticked & own)
        chosen = None if state.chosen is None else state.chosen.label[own].sum(0)
        content = ClassCounts(counts, below, chosen, model.bank.name, model.id)
        contents.append(content)
    return tuple(contents)


def selected_parts(state: ViewState) -> dict[LayerRef, SelectedPart]:
    """What is selected of each layer of the pool; empty if nothing is."""
    pool, found = state.pool, state.chosen
    if pool is None or found is None:
        return {}
    table, below = found.label, found.below
    return {
        ref: SelectedPart(tuple(table[row].tolist()), tuple(below[row].tolist()))
        for row, ref in enumerate(pool.layer_refs)
        if table[row].any()
    }


def composition_bars(state: ViewState) -> tuple[CompositionBar, ...]:
    """A bar for each layer of the pool, in network order."""
    pool, tally = state.pool, state.tally
    assert pool is not None
    assert tally is not None
    table = tally.label
    below = tally.below if state.charts.pale == "on" else None
    models = {model.id: model for model in pool.models}
    names = {model.id: short_names(model.bank) for model in pool.models}
    bars = []
    for row, ref in enumerate(pool.layer_refs):
        bank = models[ref.model].bank
        bars.append(
            CompositionBar(
                ref,
                names[ref.model][ref.layer],
                bank.layers[ref.layer].name,
                ref.model,
                tuple(table[row].tolist()),
                state.layers is None or ref in state.layers,
                () if below is None else tuple(below[row].tolist()),
                bank.name,
            )
        )
    return tuple(bars)
