from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from kernelviewer.state.arrangement import Display, arrange
from kernelviewer.state.document import Document
from kernelviewer.state.model import KernelRef, LayerRef
from kernelviewer.state.pool import make_pool
from tests.state.banks import make_bank

if TYPE_CHECKING:
    from kernelviewer.state.pool import KernelPool


@pytest.fixture
def pool() -> KernelPool:
    document = Document()
    document.open(make_bank("first"))
    document.open(make_bank("second"))
    return make_pool(document.models, (7, 7))


def test_numbers_run_through_all_models(pool: KernelPool) -> None:
    assert len(pool) == 20
    for number in range(20):
        ref = pool.locate(number)
        assert pool.number(ref) == number
        model, layer = pool.layer_of(number)
        bank = model.bank
        assert ref.model == model.id
        kernels = bank.sizes[(7, 7)]
        assert np.array_equal(pool.weights_of(number), kernels.weights[ref.index])
        assert layer == bank.layers[kernels.layer[ref.index]]


def test_kernels_of_another_size_or_a_closed_model_have_no_number(
    pool: KernelPool,
) -> None:
    assert pool.number(KernelRef(1, (3, 3), 0)) is None
    assert pool.number(KernelRef(9, (7, 7), 0)) is None
    assert pool.number(None) is None


def test_layers_mask_marks_just_those_layers(pool: KernelPool) -> None:
    mask = pool.layers_mask(frozenset({LayerRef(2, 1)}))
    assert np.flatnonzero(mask).tolist() == list(range(14, 20))
    assert pool.layers_mask(None).all()


def test_weights_of_a_lone_model_are_not_copied() -> None:
    document = Document()
    bank = make_bank()
    document.open(bank)
    pool = make_pool(document.models, (7, 7))
    assert pool.scale is bank.sizes[(7, 7)].scale
    assert np.shares_memory(pool.sets[0].weights, bank.sizes[(7, 7)].weights)


def test_grouping_by_layer_keeps_network_order(pool: KernelPool) -> None:
    arrangement = arrange(pool, np.ones(20, bool), Display())
    assert arrangement.order.tolist() == list(range(20))
    assert [(g.start, g.count, g.title, g.note) for g in arrangement.groups] == [
        (0, 4, "stages.0.conv_dw", "first"),
        (4, 6, "stages.1.conv_dw", "first"),
        (10, 4, "stages.0.conv_dw", "second"),
        (14, 6, "stages.1.conv_dw", "second"),
    ]


def test_grouping_by_model_and_not_at_all(pool: KernelPool) -> None:
    shown = np.ones(20, bool)
    by_model = arrange(pool, shown, Display(group_by="model"))
    assert [(g.start, g.title) for g in by_model.groups] == [
        (0, "first"),
        (10, "second"),
    ]
    flat = arrange(pool, shown, Display(group_by="none"))
    assert [(g.start, g.count) for g in flat.groups] == [(0, 20)]


def test_sorting_by_scale_falls_within_each_group(pool: KernelPool) -> None:
    arrangement = arrange(pool, np.ones(20, bool), Display(sort_by="scale"))
    for group in arrangement.groups:
        numbers = arrangement.order[group.start : group.start + group.count]
        assert (np.diff(pool.scale[numbers]) <= 0).all()
    assert sorted(arrangement.order.tolist()) == list(range(20))


def test_sorting_flat_kernels_first(pool: KernelPool) -> None:
    display = Display(group_by="none", sort_by="flat")
    order = arrange(pool, np.ones(20, bool), display).order
    flat = pool.flat[order]
    assert flat[: flat.sum()].all()
    assert not flat[flat.sum() :].any()


def test_only_what_is_in_scope_is_ordered(pool: KernelPool) -> None:
    shown = np.zeros(20, bool)
    shown[[3, 15]] = True
    arrangement = arrange(pool, shown, Display())
    assert arrangement.order.tolist() == [3, 15]
    assert [g.count for g in arrangement.groups] == [1, 1]
    assert arrange(pool, np.zeros(20, bool), Display()).groups == ()
