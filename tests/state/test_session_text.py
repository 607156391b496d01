"""Kernels and queries as text of a session, and what a changed network lacks."""

from __future__ import annotations

from typing import get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernelviewer.state import selection as queries
from kernelviewer.state.document import Document
from kernelviewer.state.selection import (
    Every,
    Kernels,
)
from kernelviewer.state.session import places
from kernelviewer.state.session.capture import (
    Coders,
    rebuild,
)
from kernelviewer.state.session.places import ENTRIES, QueryEntry
from tests.state.banks import make_bank
from tests.state.session_work import SEVEN, reopened, session_of, worked_on


def test_every_kind_of_query_can_be_written() -> None:
    kinds = set(get_args(queries.Query))
    with_mask = {
        value
        for value in vars(queries).values()
        if isinstance(value, type)
        and hasattr(value, "by_label")
        and value.__module__ == queries.__name__
    }
    assert kinds == with_mask
    assert set(ENTRIES) == kinds
    assert set(ENTRIES.values()) == set(get_args(QueryEntry))


def test_the_example_has_every_kind_of_query() -> None:
    """A new kind of query has to be added to the round trip above."""

    def kinds(query: object) -> set[type]:
        parts = query.queries if isinstance(query, Every) else ()
        return {type(query)}.union(*map(kinds, parts))

    steps = worked_on().selection.steps
    assert set().union(*(kinds(step.query) for step in steps)) == set(ENTRIES)


@given(st.sets(st.integers(0, 5000), max_size=600))
def test_kernels_survive_as_text(chosen: set[int]) -> None:
    indices = np.array(sorted(chosen), np.int64)
    text = places.ranges_to_text(indices)
    found, beyond = places.in_ranges(*places.ranges_from_text(text), 5001)
    assert found.tolist() == indices.tolist()
    assert not beyond
    assert places.ranges_to_text(found) == text


@given(st.sets(st.integers(0, 300)), st.integers(0, 300))
def test_kernels_beyond_the_end_are_left_out_and_counted(
    chosen: set[int], count: int
) -> None:
    text = places.ranges_to_text(np.array(sorted(chosen), np.int64))
    found, beyond = places.in_ranges(*places.ranges_from_text(text), count)
    assert found.tolist() == sorted(n for n in chosen if n < count)
    assert beyond == sum(n >= count for n in chosen)


def test_large_selections_stay_small() -> None:
    rng = np.random.default_rng(0)
    million = 1_000_000
    assert places.ranges_to_text(np.arange(million)) == "0-999999"
    half = np.flatnonzero(rng.random(million) < 0.5)
    assert len(places.ranges_to_text(half)) < 170_000


@pytest.mark.parametrize(
    "text",
    [
        *("1,", "a", "3-1", "5,3", "1-4,4-6", "-3", "1-", "²", "1 ,2"),
        *("99999999999999999", "bits:*", "bits:é", "bits:AAA"),
    ],
)
def test_lists_that_are_none_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no list of kernels"):
        places.ranges_from_text(text)


def test_a_huge_range_takes_no_memory() -> None:
    firsts, lasts = places.ranges_from_text("0-999999999999")
    found, beyond = places.in_ranges(firsts, lasts, 10)
    assert len(found) == 10
    assert beyond == 10**12 - 10


def test_a_network_that_is_gone_takes_its_marks_with_it() -> None:
    document, lost = reopened(session_of(worked_on()), None, "other")
    assert [model.bank.name for model in document.models] == ["other"]
    assert lost == ["first.safetensors was left out, with what was selected in it"]
    last = document.selection.steps[-1].query
    assert isinstance(last, Kernels)
    assert list(last.indices) == [document.models[0].id]


def test_kernels_and_layers_that_a_changed_network_lacks_are_told() -> None:
    document = Document()
    small = make_bank("other", (("stages.0.conv_dw", SEVEN, 4),))
    models = [document.new_model(make_bank("first")), document.new_model(small)]
    work, lost = rebuild(session_of(worked_on()), models, Coders())
    assert lost == [
        "1 marked kernel is not in other.safetensors any more",
        "2 marked layers are not in other.safetensors any more",
    ]
    assert work.focus is not None
    last = work.marks.selection.steps[-1].query
    assert isinstance(last, Kernels)
    assert not len(last.indices[models[1].id])
