"""A view of one's own: its declaration and its controller are all it takes."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from PySide6.QtWidgets import QLabel

from kernelviewer.gui import window_context
from kernelviewer.gui.controls import chart_choice
from kernelviewer.gui.frame import layouts
from kernelviewer.gui.frame.layouts import ARRANGEMENTS
from kernelviewer.gui.registry import VIEWS
from kernelviewer.gui.view import Controller, Home, ViewSpec
from kernelviewer.state.presenter import PARTS
from tests.gui.conftest import LARGE, wait_idle

if TYPE_CHECKING:
    from pathlib import Path

    from kernelviewer.state.view_state import ViewState
    from tests.gui.harness import MakeWindow


class TotalController(Controller):
    """Says how many kernels there are."""

    shown = 0

    def show(self, state: ViewState) -> None:
        self.shown += 1
        count = 0 if state.pool is None else len(state.pool)
        self.parts.total.setText(f"{count} kernels")


TOTAL = ViewSpec(
    id="total",
    title="Total",
    make={"total": QLabel},
    controls={"unit": chart_choice("unit", "Unit", {"one": "ones", "k": "thousands"})},
    controller=TotalController,
    reads=("pool",),
    home=Home("right", 2),
    homes={"compare": Home("bottom", 0, 1)},
)


@pytest.fixture
def own(monkeypatch: pytest.MonkeyPatch) -> None:
    """One line more in the registry."""
    for module in (window_context, layouts):
        monkeypatch.setattr(module, "VIEWS", (*VIEWS, TOTAL))


@pytest.mark.usefixtures("own")
def test_a_view_is_its_folder_and_a_line(
    make_window: MakeWindow, small_file: Path, qtbot: Any
) -> None:
    window = make_window(small_file, size=LARGE)
    dock, label = window.docks["total"], window.parts.total
    assert dock.isVisible()
    assert dock.windowTitle() == "Total"
    assert label.text() == f"{len(window.state.pool)} kernels"
    assert dock.isAncestorOf(window.parts.unit)
    panels = [action.text() for action in window.commands["panels"].menu().actions()]
    assert "Total" in panels
    (controller,) = [
        one for one in window.controllers if isinstance(one, TotalController)
    ]
    before = controller.shown
    window.document.set_position(0.25)  # nothing that it reads
    assert controller.shown == before
    window.use_preset("compare")
    assert dock in window.tabifiedDockWidgets(window.docks["composition"])
    wait_idle(qtbot, window)
    window.document.show_size((3, 3))
    assert label.text() != f"{len(window.state.pool)} kernels"  # nobody sees it
    window.layouts.show_panel("total")
    qtbot.waitUntil(lambda: label.text() == f"{len(window.state.pool)} kernels")


def test_views_declare_what_is_there_and_no_name_twice() -> None:
    names = [name for spec in VIEWS for name in (*spec.make, *spec.controls)]
    assert len(names) == len({*names})
    assert len(VIEWS) == len({spec.id for spec in VIEWS})
    for spec in VIEWS:
        assert {*spec.reads} <= {*PARTS}
        assert (spec.controller is not None) or not spec.reads


@pytest.mark.parametrize("small", [False, True])
@pytest.mark.parametrize("arrangement", ARRANGEMENTS, ids=lambda item: item.id)
def test_every_arrangement_has_every_panel_once(arrangement: Any, small: bool) -> None:
    placed = [
        name
        for place in arrangement.places(small=small)
        for cell in place.cells
        for name in cell
    ]
    panels = [spec.id for spec in VIEWS if spec.is_panel and spec.id != "jobs"]
    assert sorted(placed) == sorted(panels)


@pytest.mark.parametrize("small", [False, True])
@pytest.mark.parametrize("arrangement", ARRANGEMENTS, ids=lambda item: item.id)
def test_a_view_need_not_know_the_arrangements(
    arrangement: Any, small: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = replace(TOTAL, home=Home("bottom", 0, 1), homes={})
    monkeypatch.setattr(layouts, "VIEWS", (*VIEWS, one))
    placed = [
        cell
        for place in arrangement.places(small=small)
        for cell in place.cells
        if "total" in cell
    ]
    assert len(placed) == 1
    assert placed[0][0] != "total"  # in front is what the arrangement is for


class Noting:
    """A view state that notes which of its parts are read."""

    def __init__(self, state: ViewState) -> None:
        self.state, self.read = state, set[str]()

    def __getattr__(self, name: str) -> Any:
        if name in PARTS:
            self.read.add(name)
            return getattr(self.state, name)
        found = getattr(type(self.state), name)
        return found.fget(self) if isinstance(found, property) else partial(found, self)


def test_controllers_read_what_they_declare(
    make_window: MakeWindow, small_file: Path
) -> None:
    window = make_window(small_file)
    window.acts.focus(3)
    window.acts.select_shown()
    specs = [spec for spec in VIEWS if spec.controller]
    hidden = {}
    for spec, controller in zip(specs, window.controllers, strict=True):
        controller._told.clear()
        noting = Noting(window.state)
        controller.show(noting)  # type: ignore[arg-type]
        if more := noting.read - {*spec.reads}:
            hidden[spec.id] = sorted(more)
    assert hidden == {}
