"""The kernel grid by keyboard."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from PySide6.QtCore import QPointF, Qt

from tests.gui.grid_harness import GridHarness, make_content
from tests.gui.harness import CONTROL, SHIFT

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

pytestmark = pytest.mark.harness(GridHarness, make_content)


def test_arrows_walk_the_rows_over_group_borders(harness: GridHarness) -> None:
    keys = Qt.Key
    harness.click(0)
    path = []
    for key in (
        *(keys.Key_Right, keys.Key_Down, keys.Key_Down, keys.Key_Down, keys.Key_Up),
        *(keys.Key_Left, keys.Key_Left, keys.Key_Home, keys.Key_Left, keys.Key_Up),
        *(keys.Key_End, keys.Key_Right, keys.Key_Down, keys.Key_Up),
    ):
        harness.key(key)
        path.append(harness.grid.focus)
    assert path == [1, 9, 10, 11, 10, 9, 8, 0, 0, 0, 59, 59, 59, 51]
    assert harness.chosen == []


def test_the_focus_is_kept_in_view_by_keys(harness: GridHarness) -> None:
    for key in (
        Qt.Key.Key_PageDown,
        Qt.Key.Key_End,
        Qt.Key.Key_PageUp,
        Qt.Key.Key_Home,
    ):
        for _ in range(3):
            harness.key(key)
            assert harness.grid.focus is not None
            assert (
                harness.grid.kernel_at(QPointF(harness.centre(harness.grid.focus)))
                is not None
            )
            area = harness.grid.viewport().rect()
            assert area.contains(harness.centre(harness.grid.focus))
    assert harness.grid.focus == 0
    assert harness.grid.verticalScrollBar().value() == 0


def test_shift_and_keys_extend_from_where_the_range_began(harness: GridHarness) -> None:
    harness.click(5)
    harness.key(Qt.Key.Key_Right, SHIFT)
    harness.key(Qt.Key.Key_Right, SHIFT)
    assert harness.chosen == [5, 6, 7]
    for _ in range(4):
        harness.key(Qt.Key.Key_Left, SHIFT)
    assert harness.chosen == [3, 4, 5]
    harness.key(Qt.Key.Key_Right)
    harness.key(Qt.Key.Key_Down, SHIFT)
    assert harness.chosen == [4, 5, 6, 7, 8, 9]


def test_everything_can_be_done_by_keys(harness: GridHarness) -> None:
    keys = Qt.Key
    harness.key(keys.Key_Down)
    assert harness.asked == [("focus", 0)]
    harness.key(keys.Key_Space)
    assert harness.chosen == [0]
    harness.key(keys.Key_Return)
    assert harness.asked[-1] == ("activated", 0)
    harness.key(keys.Key_A, CONTROL)
    assert len(harness.chosen) == 60
    harness.key(keys.Key_Escape)
    assert harness.asked[-1] == ("selection", [], "replace")
    assert harness.chosen == []
    zoom = harness.grid.zoom
    harness.key(keys.Key_Plus, CONTROL)
    assert harness.asked[-1] == ("zoom_changed", harness.grid.zoom)
    assert harness.grid.zoom > zoom
    harness.key(keys.Key_Minus, CONTROL)
    harness.key(keys.Key_Minus, CONTROL)
    assert harness.grid.zoom < zoom
    harness.key(keys.Key_0, CONTROL)
    assert harness.grid.zoom == zoom


def test_tab_finds_a_kernel_to_focus(harness: GridHarness, qtbot: QtBot) -> None:
    harness.grid.scroll_to(40)
    harness.grid.setFocus(Qt.FocusReason.MouseFocusReason)
    assert harness.asked == []
    harness.grid.clearFocus()
    harness.grid.setFocus(Qt.FocusReason.TabFocusReason)
    (asked,) = harness.asked
    assert asked[0] == "focus"
    assert harness.grid.focus is not None
    assert harness.grid.viewport().rect().contains(harness.centre(harness.grid.focus))
    harness.grid.clearFocus()
    harness.grid.setFocus(Qt.FocusReason.TabFocusReason)
    assert len(harness.asked) == 1


def test_keys_of_others_are_left_to_them(harness: GridHarness) -> None:
    harness.grid.set_selection(np.zeros(60, bool))
    asked = len(harness.asked)
    for key in (Qt.Key.Key_Escape, Qt.Key.Key_Return, Qt.Key.Key_X, Qt.Key.Key_0):
        harness.key(key)
    assert len(harness.asked) == asked
