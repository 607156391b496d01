"""Counts per layer and class equal a count by hand, however the threshold moves."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from kernelviewer.kernels.classes import CLASSES, INDEX
from kernelviewer.state.document import Document
from kernelviewer.state.view_state import resolve
from tests.state.banks import family_names, make_bank

if TYPE_CHECKING:
    from kernelviewer.state.view_state import ViewState

SIZE = (7, 7)
UNIDENTIFIED = INDEX["unidentified"]


@pytest.fixture
def document() -> Document:
    """Two networks with made-up fits, many of them equal, and some flat kernels."""
    document = Document()
    rng = np.random.default_rng(5)
    for name in ("one", "two"):
        bank = make_bank(name, (("a.conv", SIZE, 40), ("b.conv", SIZE, 60)))
        model = document.open(bank)
        kernels = bank.sizes[SIZE]
        fit = rng.integers(0, 60, len(kernels)).astype(np.float32) / np.float32(60)
        fit[kernels.flat] = np.nan
        family = rng.integers(0, 11, len(kernels)).astype(np.uint8)
        family[kernels.flat] = INDEX["flat"]
        names = family_names(family, fit, ordered=True)
        document.set_family(model.bank, SIZE, names)
    return document


def by_hand(state: ViewState, threshold: float) -> tuple[np.ndarray, np.ndarray]:
    """Labels and the table of counts, kernel by kernel."""
    labels, table = [], np.zeros((len(state.pool.layer_refs), len(CLASSES)), int)
    for number in range(len(state.pool)):
        label = int(state.labels.best[number])
        if not state.pool.flat[number] and not state.labels.fit[number] >= np.float32(
            threshold
        ):
            label = UNIDENTIFIED
        labels.append(label)
        table[state.pool.layer[number], label] += 1
    return np.array(labels), table


def test_small_and_large_moves_of_the_threshold_count_right(document: Document) -> None:
    document.set_threshold(SIZE, 0.5)
    state = resolve(document, None)
    rng = np.random.default_rng(0)
    steps = [0.5 + 0.01 * step for step in range(12)]
    for threshold in [*steps, *rng.random(40), 1 / 60, 0.0, 1.0, 59 / 60]:
        document.set_threshold(SIZE, float(threshold))
        state = resolve(document, state)
        labels, table = by_hand(state, float(threshold))
        assert np.array_equal(state.labels.label, labels)
        assert np.array_equal(state.tally.label, table)
        counts, below = state.tally.among(state.pool.layers_ticked(None))
        assert np.array_equal(counts, table.sum(0))
        hidden = state.labels.best[labels == UNIDENTIFIED]
        assert np.array_equal(below, np.bincount(hidden, minlength=len(CLASSES)))


def test_counts_follow_the_layers_in_scope(document: Document) -> None:
    document.set_threshold(SIZE, 0.4)
    state = resolve(document, None)
    ref = state.pool.layer_refs[1]
    document.show_layers(frozenset({ref}))
    state = resolve(document, state)
    counts, _ = state.tally.among(state.pool.layers_ticked(state.layers))
    here = state.labels.label[state.shown]
    assert np.array_equal(counts, np.bincount(here, minlength=len(CLASSES)))


def test_what_is_computed_of_another_size_changes_nothing_here(
    document: Document,
) -> None:
    state = resolve(document, None)
    names = family_names(np.zeros(3, np.uint8), np.zeros(3, np.float32))
    document.set_family(document.banks[0], (3, 3), names)
    assert resolve(document, state).labels is state.labels
