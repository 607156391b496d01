"""The kernel grid by keyboard."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from PySide6.QtCore import QPointF, Qt

from tests.gui.grid_desk import CTRL, SHIFT, desk_maker, make_content

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytestqt.qtbot import QtBot

    from tests.gui.grid_desk import Desk


@pytest.fixture
def make_desk(qtbot: QtBot) -> Callable[..., Desk]:
    return desk_maker(qtbot)


@pytest.fixture
def desk(make_desk: Callable[..., Desk]) -> Desk:
    """60 kernels of 7×7 in groups of 10, 1 and 49, eight in a row."""
    return make_desk(make_content())


def test_arrows_walk_the_rows_over_group_borders(desk: Desk) -> None:
    keys = Qt.Key
    desk.click(0)
    path = []
    for key in (
        *(keys.Key_Right, keys.Key_Down, keys.Key_Down, keys.Key_Down, keys.Key_Up),
        *(keys.Key_Left, keys.Key_Left, keys.Key_Home, keys.Key_Left, keys.Key_Up),
        *(keys.Key_End, keys.Key_Right, keys.Key_Down, keys.Key_Up),
    ):
        desk.key(key)
        path.append(desk.grid.focus)
    assert path == [1, 9, 10, 11, 10, 9, 8, 0, 0, 0, 59, 59, 59, 51]
    assert desk.chosen == []


def test_the_focus_is_kept_in_view_by_keys(desk: Desk) -> None:
    for key in (
        Qt.Key.Key_PageDown,
        Qt.Key.Key_End,
        Qt.Key.Key_PageUp,
        Qt.Key.Key_Home,
    ):
        for _ in range(3):
            desk.key(key)
            assert desk.grid.focus is not None
            assert (
                desk.grid.kernel_at(QPointF(desk.centre(desk.grid.focus))) is not None
            )
            area = desk.grid.viewport().rect()
            assert area.contains(desk.centre(desk.grid.focus))
    assert desk.grid.focus == 0
    assert desk.grid.verticalScrollBar().value() == 0


def test_shift_and_keys_extend_from_where_the_range_began(desk: Desk) -> None:
    desk.click(5)
    desk.key(Qt.Key.Key_Right, SHIFT)
    desk.key(Qt.Key.Key_Right, SHIFT)
    assert desk.chosen == [5, 6, 7]
    for _ in range(4):
        desk.key(Qt.Key.Key_Left, SHIFT)
    assert desk.chosen == [3, 4, 5]
    desk.key(Qt.Key.Key_Right)
    desk.key(Qt.Key.Key_Down, SHIFT)
    assert desk.chosen == [4, 5, 6, 7, 8, 9]


def test_everything_can_be_done_by_keys(desk: Desk) -> None:
    keys = Qt.Key
    desk.key(keys.Key_Down)
    assert desk.asked == [("focus", 0)]
    desk.key(keys.Key_Space)
    assert desk.chosen == [0]
    desk.key(keys.Key_Return)
    assert desk.asked[-1] == ("activated", 0)
    desk.key(keys.Key_A, CTRL)
    assert len(desk.chosen) == 60
    desk.key(keys.Key_Escape)
    assert desk.asked[-1] == ("selection", [], "replace")
    assert desk.chosen == []
    zoom = desk.grid.zoom
    desk.key(keys.Key_Plus, CTRL)
    assert desk.asked[-1] == ("zoom_changed", desk.grid.zoom)
    assert desk.grid.zoom > zoom
    desk.key(keys.Key_Minus, CTRL)
    desk.key(keys.Key_Minus, CTRL)
    assert desk.grid.zoom < zoom
    desk.key(keys.Key_0, CTRL)
    assert desk.grid.zoom == zoom


def test_tab_finds_a_kernel_to_focus(desk: Desk, qtbot: QtBot) -> None:
    desk.grid.scroll_to(40)
    desk.grid.setFocus(Qt.FocusReason.MouseFocusReason)
    assert desk.asked == []
    desk.grid.clearFocus()
    desk.grid.setFocus(Qt.FocusReason.TabFocusReason)
    (asked,) = desk.asked
    assert asked[0] == "focus"
    assert desk.grid.focus is not None
    assert desk.grid.viewport().rect().contains(desk.centre(desk.grid.focus))
    desk.grid.clearFocus()
    desk.grid.setFocus(Qt.FocusReason.TabFocusReason)
    assert len(desk.asked) == 1


def test_keys_of_others_are_left_to_them(desk: Desk) -> None:
    desk.grid.set_selection(np.zeros(60, bool))
    asked = len(desk.asked)
    for key in (Qt.Key.Key_Escape, Qt.Key.Key_Return, Qt.Key.Key_X, Qt.Key.Key_0):
        desk.key(key)
    assert len(desk.asked) == asked
