from __future__ import annotations

import gc
import weakref
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from kernelviewer.latent.autoencoder import shipped
from kernelviewer.latent.stretches import Stretch
from kernelviewer.state.analysis import Analysis
from kernelviewer.state.arrangement import Charts, Display
from kernelviewer.state.document import Document
from kernelviewer.state.model import KernelRef, LayerRef
from kernelviewer.state.pool import make_pool
from kernelviewer.state.selection import All, Kernels, Layers, Selection
from kernelviewer.state.work import Marks
from tests.state.banks import family_names, make_bank

if TYPE_CHECKING:
    from kernelviewer.latent.stretches import Stretches


@pytest.fixture
def document() -> Document:
    document = Document()
    document.open(make_bank("first"))
    document.open(make_bank("second"))
    return document


def test_banks_come_in_opening_order(document: Document) -> None:
    assert [bank.name for bank in document.banks] == ["first", "second"]


def test_the_size_with_most_kernels_is_shown_until_another_is_asked_for(
    document: Document,
) -> None:
    assert document.size == (7, 7)
    document.show_size((3, 3))
    assert document.size == (3, 3)


def test_picking_layers_of_another_size_shows_that_size(document: Document) -> None:
    document.show_layers(frozenset({LayerRef(1, 2)}))
    assert document.size == (3, 3)


def test_closing_a_network_keeps_what_is_marked_in_the_other(
    document: Document,
) -> None:
    pool = make_pool(document.models, (7, 7))
    chosen = np.zeros(20, bool)
    chosen[[1, 12, 15]] = True
    document.select("replace", Kernels.of(pool, chosen))
    document.show_layers(frozenset({LayerRef(1, 0), LayerRef(2, 1)}))
    document.set_focus(KernelRef(1, (7, 7), 0))
    document.close(1)
    pool = make_pool(document.models, (7, 7))
    assert np.flatnonzero(document.selection.mask(pool)).tolist() == [2, 5]
    assert document.scope.layers == frozenset({LayerRef(2, 1)})
    assert document.focus is None


def test_closing_the_last_network_leaves_nothing(document: Document) -> None:
    document.select("replace", All())
    document.close(1)
    document.close(2)
    assert document.banks == ()
    assert document.selection == Selection()
    assert document.size is None
    assert not document.can_undo


def test_a_model_id_is_never_given_twice(document: Document) -> None:
    document.close(2)
    assert document.open(make_bank("third")).id == 3


def test_every_change_is_told_once(document: Document) -> None:
    told: list[int] = []
    document.changed.connect(lambda: told.append(1))
    document.show_size((3, 3))
    document.select("replace", All())
    document.undo()
    document.set_focus(KernelRef(1, (3, 3), 0))
    document.set_focus(KernelRef(1, (3, 3), 0))
    assert len(told) == 4


def test_changes_in_a_batch_are_told_once_and_take_effect_at_once(
    document: Document,
) -> None:
    told: list[int] = []
    document.changed.connect(lambda: told.append(len(document.models)))
    with document.batch():
        with document.batch():
            document.open(make_bank("third"))
            document.show_size((3, 3))
        assert document.size == (3, 3)
        document.close(1)
        assert told == []
    assert told == [2]
    with document.batch():
        document.set_position(document.position)
    assert told == [2]


def test_a_batch_that_fails_tells_what_was_done(document: Document) -> None:
    told: list[int] = []
    document.changed.connect(lambda: told.append(1))

    def fail() -> None:
        with document.batch():
            document.show_size((3, 3))
            document.model(7)

    with pytest.raises(KeyError):
        fail()
    assert told == [1]
    document.show_size((7, 7))
    assert told == [1, 1]


def test_choosing_an_autoencoder_is_one_change(document: Document) -> None:
    told: list[int] = []
    document.changed.connect(lambda: told.append(len(document.chosen)))
    document.choose_autoencoder(shipped(SIZE), Path("mine.safetensors"))
    assert told == [1]


def test_what_was_computed_belongs_to_a_bank_and_an_autoencoder(
    document: Document,
) -> None:
    first, second = document.banks
    usual = shipped(SIZE)
    found = Analysis(None, np.zeros(10, np.float32))
    names = family_names(np.zeros(10, np.uint8), np.zeros(10, np.float32))
    document.set_analysis(first, SIZE, found)
    document.set_analysis(second, SIZE, found, usual)
    document.set_family(second, SIZE, names)
    assert document.analyses == {(1, SIZE): found}
    document.set_autoencoder(usual)
    assert document.analyses == {(2, SIZE): found}
    before = document.analyses
    document.show_size((3, 3))
    assert document.analyses is before
    document.replace(2, make_bank("second"))
    assert document.analyses == document.families == {}
    document.set_analysis(second, SIZE, found, usual)  # it came late
    assert document.analyses == {}
    again = document.open(second)
    assert document.analyses == {(again.id, SIZE): found}
    assert document.families == {(again.id, SIZE): names}


def test_what_was_computed_goes_with_its_bank(document: Document) -> None:
    found = Analysis(None, np.zeros(10, np.float32))
    document.set_analysis(document.banks[0], SIZE, found)
    bank, kept = weakref.ref(document.banks[0]), weakref.ref(found.fit)
    document.close(1)
    del found
    gc.collect()
    assert bank() is None
    assert kept() is None


def test_undo_and_redo_walk_through_selections(document: Document) -> None:
    pool = make_pool(document.models, (7, 7))
    document.select("replace", Layers(frozenset({LayerRef(1, 0)})))
    document.select("add", Layers(frozenset({LayerRef(2, 1)})))
    counts = [document.selection.mask(pool).sum()]
    document.undo()
    counts.append(document.selection.mask(pool).sum())
    document.undo()
    counts.append(document.selection.mask(pool).sum())
    document.redo()
    document.redo()
    counts.append(document.selection.mask(pool).sum())
    assert counts == [10, 4, 0, 10]
    assert not document.can_redo


def test_a_new_selection_forgets_what_was_undone(document: Document) -> None:
    document.select("replace", All())
    document.undo()
    document.select("replace", Layers(frozenset()))
    assert not document.can_redo


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ("replace", {2, 3}),
        ("add", {0, 1, 2, 3}),
        ("subtract", {0, 1}),
        ("intersect", {2}),
        ("toggle", {0, 1, 3}),
    ],
)
def test_modes_join_masks_as_sets(mode: str, expected: set[int]) -> None:
    document = Document()
    document.open(make_bank())
    pool = make_pool(document.models, (7, 7))

    def kernels(*numbers: int) -> Kernels:
        chosen = np.zeros(len(pool), bool)
        chosen[list(numbers)] = True
        return Kernels.of(pool, chosen)

    before = {"subtract": (0, 1, 2), "replace": (0, 1)}.get(mode, (0, 1, 2))
    document.select("replace", kernels(*before))
    document.select(mode, kernels(2, 3))  # type: ignore[arg-type]
    marked = set(np.flatnonzero(document.selection.mask(pool)).tolist())
    assert marked == expected


def test_a_network_read_again_keeps_what_is_marked_by_name(document: Document) -> None:
    pool = make_pool(document.models, (7, 7))
    chosen = np.zeros(20, bool)
    chosen[[1, 6, 9, 15]] = True
    document.select("replace", Kernels.of(pool, chosen))
    document.select("add", Layers(frozenset({LayerRef(1, 2), LayerRef(2, 0)})))
    less = (("stages.1.conv_dw", (7, 7), 5), ("stages.1.small", (3, 3), 5))
    document.replace(1, make_bank("first", less))
    pool = make_pool(document.models, (7, 7))
    chosen = np.flatnonzero(document.selection.mask(pool)).tolist()
    assert chosen == [2, *range(5, 9), 10]
    small = make_pool(document.models, (3, 3))
    assert np.flatnonzero(document.selection.mask(small)).tolist() == list(range(5))
    document.undo()
    assert np.flatnonzero(document.selection.mask(pool)).tolist() == [2, 10]


def test_acts_have_names_and_no_act_is_without_effect(document: Document) -> None:
    document.set_threshold((7, 7), 0.5)
    assert document.undo_name == "Threshold"
    document.set_threshold((7, 7), 0.5)
    document.clear_selection()
    document.select("subtract", All())
    document.undo()
    assert not document.can_undo
    assert document.redo_name == "Threshold"


def test_a_drag_that_comes_back_is_no_act(document: Document) -> None:
    document.set_threshold((7, 7), 0.5)
    for value, dragging in ((0.6, True), (0.7, True), (0.5, False)):
        document.set_threshold((7, 7), value, dragging=dragging)
    assert document.threshold_of((7, 7)) == 0.5
    document.undo()
    assert not document.can_undo


def test_a_step_is_changed_and_taken_out(document: Document) -> None:
    document.select("replace", All())
    document.select("subtract", Layers(frozenset({LayerRef(1, 0)})))
    document.change_step(1, Layers(frozenset({LayerRef(2, 0)})))
    pool = make_pool(document.models, (7, 7))
    assert document.selection.mask(pool).sum() == 16
    document.undo()
    assert document.selection.mask(pool)[10:].all()
    document.undo()
    assert document.selection.mask(pool).all()


SIZE = (7, 7)


def drag(document: Document, what: str) -> None:
    """Begin a drag and do not end it."""
    match what:
        case "selection":
            document.select("replace", All(), dragging=True)
        case "threshold":
            document.set_threshold(SIZE, 0.6, dragging=True)
        case "border":
            document.set_stretches(SIZE, halves(0.4), dragging=True)


def halves(border: float) -> Stretches:
    """Two stretches."""
    return (
        Stretch(0.0, border, "on-centre", 1),
        Stretch(border, 1.0, "off-centre", -1),
    )


@pytest.mark.parametrize("what", ["selection", "threshold", "border"])
@pytest.mark.parametrize("then", ["selection", "threshold", "border"])
@pytest.mark.parametrize("how", ["close", "close_all", "replace", "show_size"])
def test_an_act_after_a_drag_that_was_cut_short_can_be_undone(
    document: Document, what: str, how: str, then: str
) -> None:
    drag(document, what)
    match how:
        case "close":
            document.close(1)
        case "close_all":
            document.close_all()
            document.open(make_bank("third"))
        case "replace":
            document.replace(1, make_bank("first"))
        case "show_size":
            document.show_size((3, 3))
    before = document.marks
    match then:
        case "selection":
            document.select("replace", Layers(frozenset()))
        case "threshold":
            document.set_threshold(SIZE, 0.4)
        case "border":
            document.set_stretches(SIZE, halves(0.3))
    assert document.marks != before
    document.undo()
    assert document.marks == before


def test_a_drag_joins_what_was_marked_in_the_network_as_it_is_now(
    document: Document,
) -> None:
    pool = make_pool(document.models, SIZE)
    chosen = np.zeros(20, bool)
    chosen[[1, 6]] = True
    document.select("replace", Kernels.of(pool, chosen))
    document.select("add", Layers(frozenset({LayerRef(2, 0)})), dragging=True)
    less = (("stages.1.conv_dw", (7, 7), 5), ("stages.1.small", (3, 3), 5))
    document.replace(1, make_bank("first", less))
    document.select("add", Layers(frozenset({LayerRef(2, 1)})), dragging=False)
    pool = make_pool(document.models, SIZE)
    chosen = np.flatnonzero(document.selection.mask(pool)).tolist()
    assert chosen == [2, *range(5, 15)]


@pytest.mark.parametrize("how", ["one by one", "at once"])
def test_edits_end_with_the_session_and_looks_stay(
    document: Document, how: str
) -> None:
    own = replace(shipped(SIZE), stretches=halves(0.5))
    document.choose_autoencoder(own, Path("mine.safetensors"))
    document.set_stretches(SIZE, halves(0.3), act="Rename")
    document.set_threshold(SIZE, 0.9)
    document.set_threshold((3, 3), 0.8)
    document.show_as(Display(sort_by="scale"))
    document.show_charts(Charts(up=2))
    document.set_position(0.25)
    if how == "at once":
        document.close_all()
    else:
        document.close(2)
        assert document.stretches_of(SIZE) == halves(0.3)  # still the same session
        document.close(1)
    document.open(make_bank("third"))
    assert document.marks == Marks()
    assert not document.can_undo
    assert not document.can_redo
    assert document.stretches_of(SIZE) is None
    assert document.autoencoders == {}
    assert document.chosen == {}
    assert document.work.is_saved_as(None)  # nothing of it would be lost
    assert document.display.sort_by == "scale"
    assert document.charts.up == 2
    assert document.position == 0.25


def test_the_programs_own_autoencoder_outlives_the_session(document: Document) -> None:
    usual = shipped(SIZE)
    document.set_autoencoder(usual)
    document.close_all()
    assert document.autoencoders == {SIZE: usual}
