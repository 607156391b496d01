"""Naming by code or by the family: what follows it, undo, thresholds, sessions."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pytest

from kernelviewer.kernels.classes import FINE, INDEX, PAPER, Naming
from kernelviewer.kernels.family.spectrum import family_spectrum
from kernelviewer.latent.autoencoder import shipped
from kernelviewer.state.analysis import Analysis, agreement
from kernelviewer.state.document import Document
from kernelviewer.state.selection import Classes, CodeRange
from kernelviewer.state.session.form import from_text, to_text
from kernelviewer.state.tally import AllSizes, order_of
from kernelviewer.state.view_state import resolve
from tests.state.banks import family_names, make_bank
from tests.state.session_work import reopened, session_of, worked_on

if TYPE_CHECKING:
    from kernelviewer.state.view_state import ViewState

SEVEN, STRIP = (7, 7), (1, 11)
CODE, FAMILY = Naming("code"), Naming("family")
OWN = INDEX["d1-x"]


@pytest.fixture
def document() -> Document:
    """Ten 7×7 kernels with codes, and three of 1×11; the family says ∂x of all."""
    document = Document()
    bank = make_bank("net", (("a", SEVEN, 10), ("b", STRIP, 3)))
    document.open(bank)
    coder = shipped(SEVEN)
    assert coder is not None
    document.set_autoencoder(coder)
    for size in (SEVEN, STRIP):
        flat = bank.sizes[size].flat
        code = np.linspace(0, 1, len(flat)).astype(np.float32)
        fit, cosine = (np.full(len(flat), v, np.float32) for v in (0.75, 0.9))
        best = np.where(flat, INDEX["flat"], OWN).astype(np.uint8)
        for values in (code, fit, cosine):
            values[flat] = np.nan
        coded = Analysis(code, fit, order_of(fit))
        known = coded if size == SEVEN else Analysis(None, np.full_like(fit, np.nan))
        by = coder if size == SEVEN else None
        document.set_analysis(bank, size, known, by)
        document.set_family(bank, size, family_names(best, cosine, size, ordered=True))
    return document


def state_of(document: Document, naming: Naming) -> ViewState:
    document.name(naming)
    return resolve(document, None)


def test_labels_fits_and_counts_are_by_what_names(document: Document) -> None:
    state = state_of(document, CODE)
    assert state.named is state.by_code
    assert np.nanmax(state.labels.fit) == np.float32(0.75)
    by_code = state.tally.label.sum(0)
    state = state_of(document, FAMILY)
    assert np.nanmax(state.labels.fit) == np.float32(0.9)
    assert state.labels.code is state.families.code
    there = ~state.pool.flat
    assert (state.labels.best[there] == OWN).all()
    assert state.tally.label.sum(0)[OWN] == there.sum() != by_code[OWN]
    found = agreement(state.by_code, state.families, there)
    assert found.kernels == there.sum()
    assert found.exact == (state.by_code.best[there] == OWN).mean() == found.within


def test_every_size_is_counted_by_what_names_it(document: Document) -> None:
    counts = AllSizes(document)
    for naming in (CODE, FAMILY):
        rows = counts.count(state_of(document, naming))
        strip = next(row for ref, row in rows.items() if ref.layer == 1)
        assert strip.counts[OWN] == 2
        whole = next(row for ref, row in rows.items() if ref.layer == 0)
        assert (whole.counts[OWN] == 7) == (naming == FAMILY)


def test_what_is_selected_by_class_follows(document: Document) -> None:
    state = state_of(document, FAMILY)
    document.select("replace", Classes(frozenset({"d1-x"})))
    state = resolve(document, state)
    assert np.array_equal(state.selected, ~state.pool.flat)
    document.name(CODE)
    state = resolve(document, state)
    assert np.array_equal(state.selected, state.labels.label == OWN)


def test_a_range_of_codes_stays_on_the_spectrum_where_it_was_drawn(
    document: Document,
) -> None:
    for by, low in ((CODE, 0.3), (FAMILY, 0.7)):
        document.select("replace", CodeRange(low, low + 0.2, by.by))
        state = state_of(document, by)
        assert 0 < state.selected.sum() < len(state.pool)
        other = state_of(document, FAMILY if by == CODE else CODE)
        assert np.array_equal(other.selected, state.selected)


def test_the_spectrum_is_that_of_what_names(document: Document) -> None:
    state = state_of(document, CODE)
    assert state.spectrum is shipped(SEVEN).table
    assert state.stretches is state.learned_stretches
    state = state_of(document, FAMILY)
    own = family_spectrum(SEVEN)
    assert state.spectrum is own.table
    assert [item.class_id for item in state.stretches] == [
        name for *_, name in own.stretches
    ]
    assert state.learned_stretches is shipped(SEVEN).stretches
    of_paper = state_of(document, Naming("family", "paper")).stretches
    assert {item.class_index for item in of_paper} <= {*PAPER.rows}
    assert {item.class_index for item in state.stretches} <= {*FINE.rows}
    assert {item.low for item in of_paper} < {item.low for item in state.stretches}
    state = state_of(document, FAMILY)
    again = resolve(document, state)
    assert again.stretches is state.stretches
    document.set_position(0.3)
    assert resolve(document, again).named is state.named


def test_switching_can_be_undone_and_shares_what_stays(document: Document) -> None:
    first = state_of(document, CODE)
    document.name(FAMILY)
    other = resolve(document, first)
    assert document.undo_name == "Naming"
    assert other.by_code is first.by_code
    assert other.families is first.families
    document.undo()
    again = resolve(document, other)
    assert document.naming == CODE
    assert again.named is first.named
    document.name(CODE)
    assert document.can_redo  # where nothing changes there is no new act


def test_each_has_a_threshold_of_its_own(document: Document) -> None:
    document.name(FAMILY)
    document.set_threshold(SEVEN, 0.95)
    document.set_threshold(STRIP, 0.97)
    assert resolve(document, None).tally.label.sum(0)[INDEX["unidentified"]] == 7
    document.name(CODE)
    assert document.threshold_of(SEVEN) == shipped(SEVEN).threshold
    assert document.threshold_of(STRIP) == 0.97  # the family names it either way
    document.set_threshold(SEVEN, 0.5)
    document.name(FAMILY)
    assert document.threshold_of(SEVEN) == 0.95
    document.set_threshold(SEVEN, None)
    assert document.marks.family_thresholds == {}
    assert document.marks.thresholds == {SEVEN: 0.5, STRIP: 0.97}


def test_what_has_no_code_is_named_by_the_family(document: Document) -> None:
    for naming in (CODE, FAMILY):
        document.name(naming)
        assert document.named_by(STRIP) == "family"
        assert document.named_by(SEVEN) == naming.by
    assert Document().named_by((2, 1)) is None


def test_sessions_tell_by_what_kernels_are_named() -> None:
    work = worked_on()
    work.name(Naming("code", "paper"))
    plain = json.loads(to_text(session_of(work)))
    assert not {"naming", "family_thresholds"} & plain.keys()  # as files once were
    work.name(FAMILY)
    work.set_threshold(SEVEN, 0.8)
    text = to_text(session_of(work))
    values = json.loads(text)
    assert values["naming"] == {"by": "family", "words": "fine"}
    again, lost = reopened(from_text(text), "first", "other")
    assert lost == []
    assert again.naming == FAMILY
    assert again.marks.family_thresholds == work.marks.family_thresholds
    assert to_text(session_of(again)) == text
