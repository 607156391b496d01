"""The presenter with views that only take notes: no Qt."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from itertools import count
from unittest.mock import MagicMock

import numpy as np
import pytest
from psygnal import EmitLoopError

from kernelviewer.state.analysis import Analysis
from kernelviewer.state.arrangement import Display
from kernelviewer.state.charts import Charts
from kernelviewer.state.document import Document
from kernelviewer.state.model import KernelRef, LayerRef
from kernelviewer.state.presenter import Presenter, Views
from kernelviewer.state.selection import All, Layers
from tests.state.banks import make_bank


@pytest.fixture
def stage() -> tuple[Document, MagicMock, Presenter]:
    document = Document()
    document.open(make_bank("first"))
    views = MagicMock(spec=Views)
    presenter = Presenter(document, views)
    views.reset_mock()
    return document, views, presenter


def called(views: MagicMock) -> set[str]:
    return {name for name, *_ in views.method_calls}


def test_at_first_everything_is_shown() -> None:
    views = MagicMock(spec=Views)
    Presenter(Document(), views)
    assert called(views) >= {
        "show_models",
        "show_sizes",
        "arrange",
        "show_selection",
        "show_counts",
        "show_history",
    }
    assert views.arrange.call_args.args[0].pool is None


def test_focus_touches_nothing_else(stage: tuple) -> None:
    document, views, _ = stage
    document.set_focus(KernelRef(1, (7, 7), 3))
    assert called(views) == {"show_focus"}
    assert views.show_focus.call_args.args[0].focus == 3


def test_selecting_does_not_lay_the_grid_out_again(stage: tuple) -> None:
    document, views, _ = stage
    document.select("replace", Layers(frozenset({LayerRef(1, 1)})))
    assert called(views) == {
        "show_selection",
        "show_steps",
        "show_counts",
        "show_history",
    }
    (state,) = views.show_selection.call_args.args
    assert np.flatnonzero(state.selected).tolist() == list(range(4, 10))
    assert views.show_counts.call_args.args[0].selected == 6


def test_scope_lays_out_and_marks_the_tree(stage: tuple) -> None:
    document, views, _ = stage
    layers = frozenset({LayerRef(1, 0)})
    document.show_layers(layers)
    assert {"show_layers", "arrange", "show_counts", "show_labels"} <= called(views)
    (state,) = views.arrange.call_args.args
    assert state.shown.sum() == 4
    assert views.show_counts.call_args.args[0].shown == 4


def test_what_is_marked_lies_within_the_scope(stage: tuple) -> None:
    document, views, _ = stage
    document.select("replace", All())
    document.show_layers(frozenset({LayerRef(1, 0)}))
    assert views.show_counts.call_args.args[0].selected == 4


def test_only_selected_lays_out_just_these_and_follows(stage: tuple) -> None:
    document, views, presenter = stage
    document.select("replace", Layers(frozenset({LayerRef(1, 1)})))
    views.reset_mock()
    document.show_only_selected(True)
    assert called(views) == {"arrange", "show_counts"}
    state = views.arrange.call_args.args[0]
    assert np.flatnonzero(state.listed).tolist() == list(range(4, 10))
    assert state.shown.all()
    document.select("replace", Layers(frozenset({LayerRef(1, 0)})))
    assert np.flatnonzero(presenter.state.listed).tolist() == list(range(4))
    assert views.arrange.call_args.args[0] is presenter.state
    document.show_only_selected(False)
    assert presenter.state.listed is presenter.state.shown


def test_undo_and_redo_are_named(stage: tuple) -> None:
    document, views, _ = stage
    document.select("replace", All())
    document.set_threshold((7, 7), 0.5)
    assert views.show_history.call_args.args == ("Threshold", "")
    document.undo()
    assert views.show_history.call_args.args == ("Selection", "Threshold")


def test_the_threshold_of_another_size_is_told_when_it_is_taken_back(
    stage: tuple,
) -> None:
    document, views, _ = stage
    document.set_threshold((3, 3), 0.5)
    document.show_size((7, 7))
    views.reset_mock()
    document.undo()
    assert "show_layer_counts" in called(views)


def test_display_lays_out_the_same_pool(stage: tuple) -> None:
    document, views, presenter = stage
    pool = presenter.state.pool
    document.show_as(Display(sort_by="scale"))
    assert called(views) == {"show_display", "arrange"}
    assert views.arrange.call_args.args[0].pool is pool


def test_charts_leave_the_grid_alone(stage: tuple) -> None:
    document, views, _ = stage
    document.show_charts(Charts(across=1, up=2))
    assert called(views) == {"show_charts"}
    assert views.show_charts.call_args.args[0].charts.up == 2
    views.reset_mock()
    document.show_charts(Charts(across=1, up=2))
    assert not called(views)


def test_what_changes_in_another_size_is_told(stage: tuple) -> None:
    document, views, _ = stage
    document.set_threshold((3, 3), 0.5)
    assert {"show_layer_counts", "show_history"} == called(views)
    views.reset_mock()
    document.undo()
    assert {"show_layer_counts", "show_history"} == called(views)


def test_a_network_without_kernels_is_told_to_the_grid() -> None:
    document, views = Document(), MagicMock(spec=Views)
    presenter = Presenter(document, views)
    views.reset_mock()
    document.open(replace(make_bank(), sizes={}, layers=()))
    assert {"arrange", "show_labels"} <= called(views)
    assert presenter.state.pool is None


def test_reconstructions_are_laid_out_once_there_are_codes(stage: tuple) -> None:
    document, views, _ = stage
    document.show_as(Display(picture="residual"))
    views.reset_mock()
    count = len(document.banks[0].sizes[(7, 7)])
    analysis = Analysis(None, np.zeros(count, np.float32), np.zeros(count, np.uint8))
    document.set_analysis(document.banks[0], (7, 7), analysis)
    assert "arrange" in called(views)


def test_opening_another_network_renumbers_and_keeps_the_focus(stage: tuple) -> None:
    document, views, presenter = stage
    document.set_focus(KernelRef(1, (7, 7), 3))
    document.open(make_bank("second"))
    document.close(1)
    assert presenter.state.focus is None
    assert len(presenter.state.pool) == 10
    views.reset_mock()
    document.set_focus(KernelRef(2, (7, 7), 0))
    assert views.show_focus.call_args.args[0].focus == 0


def test_nothing_is_told_where_nothing_changed(stage: tuple) -> None:
    document, views, presenter = stage
    document.show_size((7, 7))
    presenter.refresh()
    assert not called(views)


def test_a_view_that_changes_the_document_leaves_no_other_behind() -> None:
    """The first views that are told open another layer; all show that one after."""
    document, views = Document(), MagicMock(spec=Views)
    document.open(make_bank("first"))
    presenter = Presenter(document, views)
    shown: dict[str, object] = {}

    def correct(layers: frozenset[LayerRef] | None) -> None:
        shown["layers"] = layers
        if layers == frozenset({LayerRef(1, 0)}):
            document.show_layers(frozenset({LayerRef(1, 1)}))
            document.set_position(0.75)

    views.show_layers.side_effect = correct
    for name in ("arrange", "show_labels", "show_position"):
        getattr(views, name).side_effect = partial(shown.__setitem__, name)
    document.show_layers(frozenset({LayerRef(1, 0)}))
    assert shown == {
        "layers": frozenset({LayerRef(1, 1)}),
        "arrange": presenter.state,
        "show_labels": presenter.state,
        "show_position": presenter.state,
    }
    assert presenter.state.layers == frozenset({LayerRef(1, 1)})


def test_views_that_never_agree_are_named_and_do_not_hang() -> None:
    document, views = Document(), MagicMock(spec=Views)
    presenter = Presenter(document, views)
    back_and_forth = count()
    views.show_position.side_effect = lambda state: document.set_position(
        0.25 + 0.5 * (next(back_and_forth) % 2)
    )
    with pytest.raises(EmitLoopError) as error:
        document.set_position(1.0)
    assert "position changed" in str(error.value.__cause__)
    views.show_position.side_effect = None
    document.set_position(0.125)
    assert presenter.state.position == 0.125
    assert views.show_position.call_args.args[0] is presenter.state
