"""Acts of selecting: how they join, and what is left when one is taken out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from kernelviewer.state.document import Document
from kernelviewer.state.model import LayerRef
from kernelviewer.state.pool import make_pool
from kernelviewer.state.selection import (
    All,
    Classes,
    CodeRange,
    Every,
    Kernels,
    Layers,
    Selection,
    Similar,
    Step,
)
from kernelviewer.state.similarity import cosines, pattern_of
from tests.state.banks import make_bank

if TYPE_CHECKING:
    from kernelviewer.state.pool import KernelPool
    from kernelviewer.state.selection import (
        Mode,
    )

FIRST, SECOND = (Layers(frozenset({LayerRef(1, i)})) for i in (0, 1))
MODES: tuple[Mode, ...] = ("replace", "add", "subtract", "intersect", "toggle")


@pytest.fixture
def pool() -> KernelPool:
    document = Document()
    document.open(make_bank("first"))
    document.open(make_bank("second"))
    return make_pool(document.models, (7, 7))


def picked(pool: KernelPool, *numbers: int) -> Kernels:
    chosen = np.zeros(len(pool), bool)
    chosen[list(numbers)] = True
    return Kernels.of(pool, chosen)


def numbers_of(selection: Selection, pool: KernelPool) -> list[int]:
    return np.flatnonzero(selection.mask(pool)).tolist()


def test_only_kernels_of_closed_networks_go(pool: KernelPool) -> None:
    mine = picked(pool, 0, 1)
    (first,) = mine.indices
    assert mine.outside({first + 1}) is mine
    assert len(mine.outside({first})) == 0


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("first", ["replace", "add", "subtract", "intersect", "toggle"])
def test_kernels_picked_one_after_the_other_mark_what_separate_acts_mark(
    pool: KernelPool, first: Mode, mode: Mode
) -> None:
    base = Selection().then("replace", FIRST)
    one, two = picked(pool, 1, 2, 5, 12), picked(pool, 2, 3, 5, 13)
    apart = Selection((*base.steps, Step(first, one), Step(mode, two)))
    joined = base.then(first, one).then(mode, two)
    assert numbers_of(joined, pool) == numbers_of(apart, pool)


def test_single_kernels_become_one_act(pool: KernelPool) -> None:
    selection = Selection()
    for number in (3, 5, 13, 5):
        selection = selection.then("toggle", picked(pool, number))
    assert len(selection.steps) == 1
    assert numbers_of(selection, pool) == [3, 13]
    for number in (3, 13):
        selection = selection.then("toggle", picked(pool, number))
    assert selection == Selection()


def test_an_act_that_changes_nothing_is_none(pool: KernelPool) -> None:
    assert Selection().then("subtract", FIRST) == Selection()
    assert Selection().then("intersect", FIRST) == Selection()
    assert Selection().then("replace", picked(pool)) == Selection()
    selection = Selection().then("add", FIRST)
    assert selection.steps == (Step("replace", FIRST),)
    assert selection.then("add", FIRST) == selection
    assert selection.then("add", picked(pool)) == selection
    assert selection.then("toggle", All()).then("toggle", All()) == selection
    assert Selection().then("toggle", All()).then("toggle", All()) == Selection()


def test_a_class_within_a_layer_is_two_acts_where_that_is_the_same() -> None:
    part = Every((FIRST, Classes(frozenset({"on-centre"}))))
    whole = Selection().then("replace", part)
    assert [step.mode for step in whole.steps] == ["replace", "intersect"]
    assert part.by_label
    other = Selection().then("replace", SECOND).then("add", part)
    assert other.steps[-1] == Step("add", part)


def test_what_follows_an_act_taken_out_begins_from_all(pool: KernelPool) -> None:
    both = Selection().then("replace", FIRST).then("add", SECOND)
    assert numbers_of(both.without(0), pool) == numbers_of(
        Selection().then("replace", SECOND), pool
    )
    less = Selection().then("replace", FIRST).then("subtract", picked(pool, 1, 11))
    assert numbers_of(less.without(0), pool) == [
        i for i in range(20) if i not in (1, 11)
    ]
    assert numbers_of(less.without(1), pool) == [0, 1, 2, 3]
    assert less.without(0).without(1).without(0) == Selection()
    assert less.without(0).without(0) == Selection()
    inverted = Selection().then("replace", FIRST).then("toggle", All())
    assert inverted.without(0) == Selection((Step("replace", All()),))


def test_similar_kernels_by_hand(pool: KernelPool) -> None:
    number = 5
    pattern = pattern_of(pool, number)
    assert pattern is not None
    query = Similar(pool.size, tuple(pattern.tolist()), 0.1)
    expected = []
    own = pool.weights_of(number).astype(np.float64)
    for other in range(len(pool)):
        taps = pool.weights_of(other).astype(np.float64)
        cosine = np.corrcoef(own.ravel(), taps.ravel())[0, 1]
        if cosine >= 0.1 and not pool.flat[other]:
            expected.append(other)
    assert number in expected
    assert len(expected) < 15
    assert np.flatnonzero(query.mask(pool)).tolist() == expected
    some = np.array([1, 5, 17])
    assert np.allclose(cosines(pool, pattern, some), cosines(pool, pattern)[some])


def test_a_negative_is_not_similar_and_a_flat_kernel_never(pool: KernelPool) -> None:
    pattern = pattern_of(pool, 1)
    assert pattern is not None
    assert pattern_of(pool, 0) is None
    negative = Similar(pool.size, tuple((-pattern).tolist()), 0.99)
    assert not negative.mask(pool).any()
    anything = Similar(pool.size, tuple(pattern.tolist()), -1)
    assert np.array_equal(anything.mask(pool), ~pool.flat)
    assert not Similar((3, 3), (1.0,) * 9, 0.0).mask(pool).any()


def test_another_size_has_none_of_the_picked_kernels(pool: KernelPool) -> None:
    document = Document()
    document.open(make_bank("first"))
    small = make_pool(document.models, (3, 3))
    assert not picked(pool, 1, 2).mask(small).any()
    with_range = Selection().then("replace", CodeRange(0, 1))
    assert not with_range.mask(small).any()
