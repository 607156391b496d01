"""Kernels that open networks have alike: what counts of them, and where."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from kernelviewer.jobs.analysing import project
from kernelviewer.jobs.runner import Ticket
from kernelviewer.kernels.classes import INDEX
from kernelviewer.state.arrangement import Charts
from kernelviewer.state.document import Document
from kernelviewer.state.model import KernelRef, LayerRef
from kernelviewer.state.selection import Classes, Kernels, Layers
from kernelviewer.state.session.form import from_text, to_text
from kernelviewer.state.view_state import resolve
from tests.state.banks import family_names, make_bank
from tests.state.session_work import session_of, worked_on

if TYPE_CHECKING:
    from kernelviewer.kernels.bank import KernelBank
    from kernelviewer.state.view_state import ViewState

SEVEN = (7, 7)
ON, D1 = INDEX["on-centre"], INDEX["d1-x"]


def frozen(bank: KernelBank, layer: int, name: str) -> KernelBank:
    """Another training of a network that left one layer of 7×7 kernels as it was."""
    kernels = bank.sizes[SEVEN]
    noise = np.random.default_rng(8).normal(size=kernels.weights.shape)
    kept = (kernels.layer == layer)[:, None, None]
    weights = np.where(kept, kernels.weights, noise).astype(np.float32)
    sizes = {SEVEN: replace(kernels, weights=weights)}
    return replace(bank, name=name, sizes=sizes)


def opened(*banks: KernelBank) -> Document:
    """A document with these networks, their kernels named by their channel."""
    document = Document()
    for bank in banks:
        model = document.open(bank)
        for size, kernels in bank.sizes.items():
            family = np.where(kernels.channel % 2, ON, D1).astype(np.uint8)
            fit = np.where(kernels.flat, np.nan, 0.9).astype(np.float32)
            document.set_family(model.bank, size, family_names(family, fit, size))
    return document


@pytest.fixture
def document() -> Document:
    """The same network twice, as a run's best and last checkpoint mostly are."""
    best = make_bank("best")
    return opened(best, replace(best, name="final"))


def state_of(document: Document) -> ViewState:
    return resolve(document, None)


def test_equal_networks_are_counted_once(document: Document) -> None:
    state = state_of(document)
    assert np.flatnonzero(state.counted).tolist() == list(range(10))
    assert state.shown.all()
    assert state.listed.all()
    assert state.repeated == 10
    assert state.sizes == {(3, 3): 5, SEVEN: 10}
    assert state.pooled is not None
    assert state.pooled.label.sum() == 10
    assert state.tally is not None
    assert state.tally.label.sum(1).tolist() == [4, 6, 4, 6]
    document.show_charts(Charts(equal="all"))
    everything = state_of(document)
    assert everything.counted is everything.shown
    assert everything.sizes == document.sizes == {(3, 3): 10, SEVEN: 20}
    assert everything.pooled is everything.tally


def test_shares_are_those_of_one_network(document: Document) -> None:
    alone = state_of(opened(document.banks[0]))
    both = state_of(document)
    assert alone.pooled is not None
    assert both.pooled is not None
    assert both.pooled.label.sum(0).tolist() == alone.pooled.label.sum(0).tolist()


def test_what_is_frozen_counts_once_and_what_was_trained_apart() -> None:
    best = make_bank("best")
    state = state_of(opened(best, frozen(best, 1, "tuned")))
    assert np.flatnonzero(~state.counted).tolist() == list(range(14, 20))


def test_scope_decides_which_of_the_equal_kernels_counts(document: Document) -> None:
    second = document.models[1].id
    layers = frozenset({LayerRef(second, 0), LayerRef(second, 1)})
    document.show_layers(layers)
    state = state_of(document)
    assert state.counted is state.shown
    assert state.pooled is state.tally
    document.show_layers(layers | {LayerRef(document.models[0].id, 0)})
    counted = state_of(document).counted
    assert np.flatnonzero(counted).tolist() == [0, 1, 2, 3, *range(14, 20)]


def test_an_equal_kernel_that_is_selected_counts_once_whichever_it_is(
    document: Document,
) -> None:
    first, second = (model.id for model in document.models)
    document.select("replace", Layers(frozenset({LayerRef(second, 0)})))
    state = state_of(document)
    assert np.flatnonzero(state.selected).tolist() == [10, 11, 12, 13]
    assert np.flatnonzero(state.counted_selected).tolist() == [0, 1, 2, 3]
    assert state.chosen is not None
    assert state.chosen.label.sum(1).tolist() == [0, 0, 4, 0]
    assert state.pooled_chosen is not None
    assert state.pooled_chosen.label.sum() == 4
    document.select("add", Layers(frozenset({LayerRef(first, 0)})))
    assert int(state_of(document).counted_selected.sum()) == 4
    both = state_of(document).spread(np.arange(20) == 2)
    assert np.flatnonzero(both).tolist() == [2, 12]


def test_the_focus_stands_at_the_kernel_that_counts(document: Document) -> None:
    document.set_focus(KernelRef(document.models[1].id, SEVEN, 3))
    state = state_of(document)
    assert state.focus == 13
    assert state.standing_for(13) == 3
    document.show_layers(frozenset({LayerRef(document.models[1].id, 0)}))
    assert state_of(document).standing_for(13) == 13


def test_many_copies_are_counted_right() -> None:
    """More than half of the kernels are repeats then."""
    best = make_bank("best")
    document = opened(*(replace(best, name=str(number)) for number in range(5)))
    state = state_of(document)
    assert state.pooled is not None
    assert state.pooled.label.sum() == 10
    document.select("replace", Classes(frozenset({"on-centre"})))
    chosen = state_of(document).pooled_chosen
    assert chosen is not None
    assert chosen.label[:, ON].sum() == chosen.label.sum() == 5


def test_successive_states_are_those_of_a_fresh_look(document: Document) -> None:
    state = resolve(document, None)
    first, second = document.models

    def look() -> None:
        nonlocal state
        state, fresh = resolve(document, state), resolve(document, None)
        assert state.sizes == fresh.sizes
        for name in ("counted", "counted_selected", "shown", "selected"):
            assert np.array_equal(getattr(state, name), getattr(fresh, name)), name
        for name in ("pooled", "pooled_chosen", "tally", "chosen"):
            one, other = getattr(state, name), getattr(fresh, name)
            assert (one is None) == (other is None), name
            assert one is None or np.array_equal(one.label, other.label), name

    own = {first.id: np.array([0, 3]), second.id: np.array([0, 5, 9])}
    for act in (
        lambda: document.select("replace", Kernels(SEVEN, own)),
        lambda: document.set_threshold(SEVEN, 0.95),
        lambda: document.show_charts(Charts(equal="all")),
        lambda: document.show_layers(frozenset({LayerRef(second.id, 1)})),
        lambda: document.show_charts(Charts()),
        lambda: document.show_size((3, 3)),
        lambda: document.show_size(SEVEN),
        lambda: document.show_layers(None),
        lambda: document.set_threshold(SEVEN, 0.2),
        lambda: document.replace(second.id, frozen(first.bank, 0, "tuned")),
        lambda: document.clear_selection(),
        lambda: document.close(first.id),
    ):
        act()
        look()
    assert state.counted is state.shown


def test_components_are_those_of_one_network(document: Document) -> None:
    ticket = Ticket("pca")
    state, alone = state_of(document), state_of(opened(document.banks[0]))
    best = document.banks[0]
    mixed = state_of(
        opened(best, frozen(best, 1, "tuned"), replace(best, name="again"))
    )
    assert state.pool is not None
    assert alone.pool is not None
    assert mixed.pool is not None
    _, both = project(ticket, state.pool, state.once)
    _, one = project(ticket, alone.pool, alone.once)
    assert both.share == pytest.approx(one.share)
    assert len(both.numbers) == 2 * len(one.numbers)
    assert np.allclose(both.points[: len(one.points)], one.points, atol=1e-5)
    _, weighed = project(ticket, mixed.pool, mixed.once)
    _, doubled = project(ticket, mixed.pool)
    assert weighed.share != pytest.approx(doubled.share)


def test_a_session_keeps_the_switch_and_old_ones_stay_as_they_are() -> None:
    document = worked_on()
    usual = to_text(session_of(document))
    assert "equal" not in json.loads(usual)["charts"]
    assert from_text(usual).charts.equal == "once"
    document.show_charts(replace(document.charts, equal="all"))
    text = to_text(session_of(document))
    assert from_text(text).charts.equal == "all"
    assert to_text(from_text(text)) == text
