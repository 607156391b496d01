"""The presenter with views that only take notes: no Qt."""

from __future__ import annotations

from dataclasses import replace
from itertools import count
from typing import TYPE_CHECKING

import numpy as np
import pytest

from kernelviewer.kernels.series import Step
from kernelviewer.state.analysis import Analysis
from kernelviewer.state.arrangement import Charts, Display
from kernelviewer.state.document import Document
from kernelviewer.state.model import KernelRef, LayerRef, Run
from kernelviewer.state.presenter import PARTS, Presenter
from kernelviewer.state.selection import All, Layers
from kernelviewer.state.tally import count_kernels
from tests.state.banks import make_bank

if TYPE_CHECKING:
    from collections.abc import Callable

    from kernelviewer.state.view_state import ViewState


class Notes:
    """A view that notes what it is shown."""

    def __init__(self, act: Callable[[ViewState], object] = lambda state: None) -> None:
        self.shown: list[ViewState] = []
        self.act = act

    def show(self, state: ViewState) -> None:
        self.shown.append(state)
        self.act(state)

    @property
    def last(self) -> ViewState:
        return self.shown[-1]


class Stage:
    """A document, its presenter, and a view for each part of the view state."""

    def __init__(self) -> None:
        self.document = Document()
        self.document.open(make_bank("first"))
        self.presenter = Presenter(self.document)
        self.views = {part: Notes() for part in PARTS}
        for part, view in self.views.items():
            self.presenter.add(view, (part,))
        self.forget()

    def forget(self) -> None:
        for view in self.views.values():
            view.shown.clear()

    @property
    def told(self) -> set[str]:
        """The parts whose views were shown since."""
        return {part for part, view in self.views.items() if view.shown}

    @property
    def state(self) -> ViewState:
        return self.presenter.state


@pytest.fixture
def stage() -> Stage:
    return Stage()


def test_a_view_can_read_a_part_of_the_work_itself(stage: Stage) -> None:
    view = Notes()
    stage.presenter.add(view, ("work.chosen",))
    view.shown.clear()
    stage.document.show_size((3, 3))
    assert view.shown == []
    own = replace(stage.document.work, chosen={(7, 7): None})
    stage.document.restore(own)
    assert view.last.work is own


def test_at_first_every_view_is_shown() -> None:
    presenter, view = Presenter(Document()), Notes()
    presenter.add(view, ("models", "pool"))
    assert view.shown == [presenter.state]
    assert view.last.pool is None


def test_a_view_cannot_read_what_there_is_not() -> None:
    with pytest.raises(ValueError, match="no colour"):
        Presenter(Document()).add(Notes(), ("pool", "colour"))


def test_focus_touches_nothing_else(stage: Stage) -> None:
    stage.document.set_focus(KernelRef(1, (7, 7), 3))
    assert stage.told == {"focus"}
    assert stage.state.focus == 3


def test_selecting_leaves_what_is_in_the_grid(stage: Stage) -> None:
    stage.document.select("replace", Layers(frozenset({LayerRef(1, 1)})))
    assert stage.told == {"selection", "selected", "counted_selected", "undo"}
    assert np.flatnonzero(stage.state.selected).tolist() == list(range(4, 10))
    assert count_kernels(stage.state).selected == 6


def test_scope_changes_what_is_shown_and_listed(stage: Stage) -> None:
    stage.document.show_layers(frozenset({LayerRef(1, 0)}))
    assert stage.told == {"layers", "shown", "counted", "listed"}
    assert stage.state.shown.sum() == 4
    assert count_kernels(stage.state).shown == 4


def test_what_is_marked_lies_within_the_scope(stage: Stage) -> None:
    stage.document.select("replace", All())
    stage.document.show_layers(frozenset({LayerRef(1, 0)}))
    assert count_kernels(stage.state).selected == 4


def test_only_selected_lists_just_these_and_follows(stage: Stage) -> None:
    document = stage.document
    document.select("replace", Layers(frozenset({LayerRef(1, 1)})))
    stage.forget()
    document.show_only_selected(True)
    assert stage.told == {"only_selected", "listed"}
    assert np.flatnonzero(stage.state.listed).tolist() == list(range(4, 10))
    assert stage.state.shown.all()
    document.select("replace", Layers(frozenset({LayerRef(1, 0)})))
    assert np.flatnonzero(stage.state.listed).tolist() == list(range(4))
    document.show_only_selected(False)
    assert stage.state.listed is stage.state.shown


def test_undo_and_redo_are_named(stage: Stage) -> None:
    document = stage.document
    document.select("replace", All())
    document.set_threshold((7, 7), 0.5)
    assert (stage.state.undo, stage.state.redo) == ("Threshold", "")
    document.undo()
    assert (stage.state.undo, stage.state.redo) == ("Selection", "Threshold")


def test_what_changes_in_another_size_is_told(stage: Stage) -> None:
    document = stage.document
    document.set_threshold((3, 3), 0.5)
    assert stage.told == {"thresholds", "undo"}
    stage.forget()
    document.undo()
    assert stage.told == {"thresholds", "undo", "redo"}


def test_display_keeps_the_pool(stage: Stage) -> None:
    stage.document.show_as(Display(sort_by="scale"))
    assert stage.told == {"display"}


def test_charts_leave_the_rest_alone(stage: Stage) -> None:
    stage.document.show_charts(Charts(across=1, up=2))
    assert stage.told == {"charts"}
    stage.forget()
    stage.document.show_charts(Charts(across=1, up=2))
    assert not stage.told


def test_a_network_without_kernels_is_told() -> None:
    document, view = Document(), Notes()
    presenter = Presenter(document)
    presenter.add(view, ("models",))
    document.open(replace(make_bank(), sizes={}, layers=()))
    assert len(view.shown) == 2
    assert presenter.state.pool is None


def test_codes_that_are_there_are_told(stage: Stage) -> None:
    count = len(stage.document.banks[0].sizes[(7, 7)])
    analysis = Analysis(None, np.zeros(count, np.float32))
    document = stage.document
    document.set_analysis(document.banks[0], (7, 7), analysis)
    assert {"analyses", "known"} <= stage.told


def test_opening_another_network_renumbers_and_keeps_the_focus(stage: Stage) -> None:
    document = stage.document
    document.set_focus(KernelRef(1, (7, 7), 3))
    document.open(make_bank("second"))
    document.close(1)
    assert stage.state.focus is None
    assert len(stage.state.pool) == 10
    document.set_focus(KernelRef(2, (7, 7), 0))
    assert stage.state.focus == 0


def test_nothing_is_told_where_nothing_changed(stage: Stage) -> None:
    stage.document.show_size((7, 7))
    stage.presenter.refresh()
    assert not stage.told


def test_a_view_that_changes_the_document_leaves_no_other_behind(stage: Stage) -> None:
    """The view that is shown first opens another layer; all show that one after."""
    document = stage.document

    def correct(state: ViewState) -> None:
        if state.layers == frozenset({LayerRef(1, 0)}):
            document.show_layers(frozenset({LayerRef(1, 1)}))
            document.set_position(0.75)

    stage.views["layers"].act = correct
    document.show_layers(frozenset({LayerRef(1, 0)}))
    assert stage.state.layers == frozenset({LayerRef(1, 1)})
    for part in ("layers", "shown", "listed", "position"):
        assert stage.views[part].last is stage.state


def test_views_that_never_agree_are_named_and_do_not_hang(stage: Stage) -> None:
    document, view = stage.document, stage.views["position"]
    back_and_forth = count()
    view.act = lambda state: document.set_position(
        0.25 + 0.5 * (next(back_and_forth) % 2)
    )
    with pytest.raises(RuntimeError, match="position changed"):
        document.set_position(1.0)
    view.act = lambda state: None
    document.set_position(0.125)
    assert view.last is stage.state


def test_a_view_that_fails_leaves_no_other_behind(stage: Stage) -> None:
    def fail(state: ViewState) -> None:
        raise KeyError("a fault")

    stage.views["layers"].act = fail
    with pytest.raises(KeyError, match="a fault"):
        stage.document.show_layers(frozenset({LayerRef(1, 0)}))
    assert stage.views["listed"].last is stage.state
    stage.views["layers"].act = lambda state: None
    stage.document.show_layers(None)
    assert stage.views["layers"].last is stage.state


def test_a_hidden_view_waits_until_it_is_seen(stage: Stage) -> None:
    document, presenter = stage.document, stage.presenter
    hidden = stage.views["position"]
    presenter.set_hidden(hidden, True)
    for position in (0.1, 0.2, 0.3):
        document.set_position(position)
    assert hidden.shown == []
    presenter.set_hidden(hidden, False)
    assert hidden.shown == [stage.state]
    presenter.set_hidden(hidden, True)
    presenter.set_hidden(hidden, False)
    assert len(hidden.shown) == 1  # nothing was missed


def test_a_hidden_view_holds_nothing_of_closed_networks(stage: Stage) -> None:
    hidden = stage.views["pool"]
    stage.presenter.set_hidden(hidden, True)
    stage.document.open(make_bank("second"))
    assert hidden.shown == []
    stage.document.close(1)
    assert hidden.last is stage.state


def test_a_hidden_view_lets_go_of_a_run_s_other_steps_when_told(stage: Stage) -> None:
    document, presenter, hidden = stage.document, stage.presenter, stage.views["pool"]
    banks = [make_bank(f"step {number}") for number in range(3)]
    files = (Step(bank.path, bank.name, {}, (0, 0)) for bank in banks)
    run = Run("run", tuple(files), (0, 1, 2), "step")
    model = document.open(banks[0], run=run)
    hidden.shown.clear()
    presenter.set_hidden(hidden, True)
    for step in (1, 2):
        document.stand_at(model.id, step, banks[step])
    assert hidden.shown == []
    assert presenter.holds_steps
    presenter.show_hidden()
    assert hidden.shown == [stage.state]
    assert not presenter.holds_steps
    document.close(model.id)
    assert hidden.last is stage.state


def test_a_view_can_ask_to_be_shown_again(stage: Stage) -> None:
    view = stage.views["position"]
    stage.presenter.show_again(view)
    assert view.shown == [stage.state]
    assert stage.told == {"position"}
