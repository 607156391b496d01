"""What halts somebody who uses the window: clicks, keys and marks that say nothing."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QScrollArea, QTreeView, QWidget

from kernelviewer.gui import theme
from kernelviewer.gui.views.grid.colours import weight_colours
from kernelviewer.kernels.classes import Naming
from tests.gui.conftest import wait_idle
from tests.gui.harness import CONTROL, LEFT

if TYPE_CHECKING:
    from kernelviewer.gui.main_window import MainWindow

pytestmark = pytest.mark.networks(channels=24)

RIGHT = Qt.MouseButton.RightButton


def test_a_right_click_in_the_tree_picks_no_layers(
    window: MainWindow, qtbot: Any
) -> None:
    wait_idle(qtbot, window)
    tree = window.findChild(QTreeView, "modelTree")
    model = tree.model()
    row = tree.visualRect(model.index(0, 0, model.index(0, 0))).center()
    QTest.mouseClick(tree.viewport(), RIGHT, pos=row)
    assert window.document.scope.layers is None
    assert not tree.selectionModel().hasSelection()
    QTest.mouseClick(tree.viewport(), LEFT, pos=row)
    picked = window.document.scope.layers
    assert picked
    other = tree.visualRect(model.index(1, 0, model.index(0, 0))).center()
    QTest.mouseClick(tree.viewport(), RIGHT, pos=other)
    assert window.document.scope.layers == picked


def test_escape_and_enter_after_select_all_open_no_menu(
    window: MainWindow, qtbot: Any
) -> None:
    window.document.name(Naming())
    wait_idle(qtbot, window)
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    for name in ("spectrumStretches", "codeHistogram", "modelTree"):
        part = window.findChild(QWidget, name)
        part.setFocus(Qt.FocusReason.TabFocusReason)
        QTest.keyClick(part, Qt.Key.Key_A, CONTROL)
        assert window.state.selected.all()
        QTest.keyClick(QApplication.focusWidget(), Qt.Key.Key_Escape)
        assert not window.state.selected.any(), name
        QTest.keyClick(QApplication.focusWidget(), Qt.Key.Key_Return)
        assert QApplication.activePopupWidget() is None, name


def test_the_focused_kernel_says_first_where_it_is_and_scrolls_as_one(
    window: MainWindow, qtbot: Any
) -> None:
    window.layouts.show_panel("inspector")
    window.acts.focus(5)
    wait_idle(qtbot, window)
    dock = window.docks["inspector"]
    areas = dock.findChildren(QScrollArea)
    assert [area.objectName() for area in areas] == ["inspector"]

    def top(name: str) -> int:
        widget = dock.findChild(QWidget, name)
        assert widget is not None, name
        assert widget.isVisible(), name
        return widget.mapTo(dock, QPoint(0, 0)).y()

    places = [top(f"value_{key}") for key in ("network", "layer", "channel")]
    assert places == sorted(places)
    others = ("comparison_kernel", "kernelPicture", "value_size", "copyKernel")
    assert places[-1] < min(map(top, others))
    assert dock.findChild(QLabel, "value_channel").text() == "5 of 24"


def test_marked_corners_are_explained_while_some_are_seen(
    window: MainWindow, qtbot: Any
) -> None:
    window.resize(1500, 900)
    wait_idle(qtbot, window)
    key = window.parts.controls.near
    near = window.state.near.tolist()
    assert near
    assert key.isVisible()
    assert "slider" in key.toolTip()
    assert "nearest to the spectrum's slider" in window.acts.tooltip(near[0])
    other = next(n for n in range(len(window.state.pool)) if n not in near)
    assert "slider" not in window.acts.tooltip(other)
    window.document.show_only_selected(True)  # nothing is listed any more
    wait_idle(qtbot, window)
    assert not key.isVisible()


def test_on_dark_ground_zero_is_told_from_the_panel() -> None:
    """How far a kernel with one strong tap reaches is seen."""
    tokens = theme.DARK
    colours = weight_colours("signed", tokens)
    zero = colours[len(colours) // 2]
    panel = np.array([int(tokens.panel[i : i + 2], 16) for i in (1, 3, 5)])
    assert (zero - panel).min() >= 12
    assert (zero - panel).max() <= 30


@pytest.mark.parametrize("words", ["fine", "paper"])
def test_the_spectrum_can_be_read_at_any_width(
    window: MainWindow, qtbot: Any, words: str
) -> None:
    naming = replace(window.document.naming, by="family", words=words)
    window.document.name(naming)
    wait_idle(qtbot, window)
    view = window.parts.spectrum
    strip, kernels = view.stretches, view.kernels
    for width in (300, 480, 700, 1600):
        strip.resize(width, strip.height())
        kernels.resize(width, kernels.height())
        names = strip.names()
        texts = [text for text, _ in names]
        assert len(texts) >= min(
            len({s.label for s in view.content.stretches}), width // 55
        )
        again = [text for text in texts if texts.count(text) > 1]
        assert not again or width == 1600
        for number, (_, box) in enumerate(names):
            assert strip.rect().toRectF().contains(box)
            assert not any(box.intersects(other) for _, other in names[number + 1 :])
        wide = kernels.wide
        lefts = [left for _, left in kernels.places()]
        assert all(b - a > wide for a, b in itertools.pairwise(lefts))
        assert len(lefts) >= 0.7 * (width - 24) / 30
        if width >= 700:
            shown = {view.content.stretch_at(code) for code in kernels.codes()}
            assert {view.content.stretches[index].label for index in shown} == {
                stretch.label for stretch in view.content.stretches
            }
