"""The kernel grid by mouse: clicks, bands, menus, tooltips, wheels and pinches."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import (
    QContextMenuEvent,
    QHelpEvent,
    QNativeGestureEvent,
    QPointingDevice,
)
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QToolTip

from kernelviewer.gui.theme import LIGHT
from tests.gui.grid_desk import CTRL, LEFT, SHIFT, desk_maker, make_content

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


def test_a_click_asks_for_the_focus_and_nothing_else(desk: Desk) -> None:
    desk.click(13)
    assert desk.asked == [("focus", 13)]
    QTest.mouseClick(desk.grid.viewport(), LEFT, pos=QPoint(400, 5))
    QTest.mouseClick(
        desk.grid.viewport(), Qt.MouseButton.MiddleButton, pos=desk.centre(3)
    )
    assert desk.asked == [("focus", 13)]


def test_ctrl_click_toggles_and_shift_click_takes_the_range(desk: Desk) -> None:
    desk.click(4, CTRL)
    desk.click(2, CTRL)
    assert desk.chosen == [2, 4]
    desk.click(4, CTRL)
    assert desk.chosen == [2]
    desk.click(12, SHIFT)
    assert desk.chosen == list(range(4, 13))
    desk.click(2, SHIFT)
    assert desk.chosen == [2, 3, 4]
    desk.click(20)
    desk.click(22, SHIFT | CTRL)
    assert desk.chosen == [2, 3, 4, 20, 21, 22]


def test_a_range_follows_the_drawing_order(make_desk: Callable[..., Desk]) -> None:
    order = np.random.default_rng(0).permutation(60)
    desk = make_desk(make_content(order=order))
    desk.click(int(order[3]))
    desk.click(int(order[12]), SHIFT)
    assert desk.asked[-1] == ("selection", order[3:13].tolist(), "replace")


def test_a_rubber_band_selects_what_it_touches(desk: Desk) -> None:
    desk.drag(desk.centre(1), desk.centre(2))
    assert desk.asked == [("selection", [1, 2], "replace")]
    desk.drag(desk.centre(3) + QPoint(20, 20), desk.centre(1), SHIFT)
    assert desk.chosen == [1, 2, 3]
    desk.drag(desk.centre(2), desk.centre(10), CTRL)
    assert desk.chosen == [3]
    desk.drag(desk.centre(2), desk.centre(5), SHIFT)
    desk.drag(desk.centre(4), desk.centre(7), SHIFT | CTRL)
    assert desk.chosen == [4, 5]
    desk.drag(QPoint(400, 20), QPoint(410, 60))
    assert desk.chosen == []
    assert all(name == "selection" for name, *_ in desk.asked)


def test_a_band_shows_what_it_would_select_and_can_be_dropped(desk: Desk) -> None:
    accent = LIGHT.accent.lower()
    desk.press_and_move(desk.centre(1), desk.centre(3))
    assert desk.colour(desk.centre(2) + QPoint(0, -22)).name() == accent
    desk.key(Qt.Key.Key_Escape)
    assert desk.colour(desk.centre(2) + QPoint(0, -22)).name() != accent
    QTest.mouseRelease(desk.grid.viewport(), LEFT, pos=desk.centre(3))
    assert desk.asked == []


def test_a_band_scrolls_at_the_edge(desk: Desk, qtbot: QtBot) -> None:
    bar = desk.grid.verticalScrollBar()
    start = desk.centre(0)
    desk.press_and_move(start, QPoint(380, 420))
    qtbot.waitUntil(lambda: bar.value() == bar.maximum())
    QTest.mouseRelease(desk.grid.viewport(), LEFT, pos=QPoint(380, 420))
    assert desk.chosen == list(range(60))
    desk.press_and_move(QPoint(380, 200), QPoint(380, -200))
    qtbot.waitUntil(lambda: bar.value() == 0)
    desk.key(Qt.Key.Key_Escape)


def test_a_band_grows_while_the_wheel_turns(desk: Desk) -> None:
    desk.press_and_move(desk.centre(0), QPoint(380, 200))
    desk.wheel(QPoint(380, 200), angle=-1200)
    QTest.mouseRelease(desk.grid.viewport(), LEFT, pos=QPoint(380, 200))
    last = desk.grid.kernel_at(QPointF(370, 200))
    assert last is not None
    assert last > 40
    assert desk.chosen == list(range(last + 1))


def test_new_content_ends_a_band(desk: Desk) -> None:
    desk.press_and_move(desk.centre(1), desk.centre(3))
    desk.grid.set_content(make_content(5, (3, 3), cuts=()))
    QTest.mouseMove(desk.grid.viewport(), QPoint(60, 60))
    QTest.mouseRelease(desk.grid.viewport(), LEFT, pos=QPoint(60, 60))
    assert desk.asked == []


def test_a_double_click_activates(desk: Desk) -> None:
    QTest.mouseDClick(desk.grid.viewport(), LEFT, pos=desk.centre(7))
    assert desk.asked[-1] == ("activated", 7)


def test_the_context_menu_is_asked_for_under_the_cursor_or_at_the_focus(
    desk: Desk,
) -> None:
    area = desk.grid.viewport()

    def menu(reason: QContextMenuEvent.Reason, at: QPoint) -> None:
        event = QContextMenuEvent(reason, at, area.mapToGlobal(at))
        QApplication.sendEvent(area, event)

    reasons = QContextMenuEvent.Reason
    at = desk.centre(9)
    menu(reasons.Mouse, at)
    assert desk.asked[-1] == ("context_menu_requested", 9, area.mapToGlobal(at))
    menu(reasons.Mouse, QPoint(410, 5))
    assert desk.asked[-1][1] == -1
    desk.grid.set_focus(3)
    menu(reasons.Keyboard, QPoint(410, 5))
    place = area.mapToGlobal(desk.centre(3))
    assert desk.asked[-1] == ("context_menu_requested", 3, place)


def test_the_tooltip_tells_of_the_kernel_under_the_cursor(
    desk: Desk, qtbot: QtBot
) -> None:
    desk.grid.set_tooltip(lambda kernel: f"kernel number {kernel}")
    area = desk.grid.viewport()
    at = desk.centre(11)
    kind = QHelpEvent.Type.ToolTip
    QApplication.sendEvent(area, QHelpEvent(kind, at, area.mapToGlobal(at)))
    assert QToolTip.text() == "kernel number 11"
    at = QPoint(410, 5)
    QApplication.sendEvent(area, QHelpEvent(kind, at, area.mapToGlobal(at)))
    qtbot.waitUntil(lambda: not QToolTip.isVisible())


def test_ctrl_wheel_zooms_about_the_cursor(make_desk: Callable[..., Desk]) -> None:
    desk = make_desk(make_content(2000, cuts=(0, 700)))
    desk.grid.scroll_to(1200)
    at = desk.centre(1200)
    zooms = []
    for angle in (*[120] * 12, *[-120] * 14):
        desk.wheel(at, angle=angle, keys=CTRL)
        zooms.append(desk.grid.zoom)
        box = desk.grid.kernel_rect(1200)
        assert box is not None
        assert box.top() - 2 <= at.y() <= box.bottom() + 2
    assert zooms[:12] == sorted(zooms[:12])
    assert zooms[11:] == sorted(zooms[11:], reverse=True)
    assert desk.asked[-1] == ("zoom_changed", desk.grid.zoom)


def test_fine_wheels_add_up_to_a_step(desk: Desk) -> None:
    zoom = desk.grid.zoom
    for _ in range(3):
        desk.wheel(QPoint(50, 50), angle=30, keys=CTRL)
    assert desk.grid.zoom == zoom
    desk.wheel(QPoint(50, 50), angle=30, keys=CTRL)
    assert desk.grid.zoom > zoom


def test_the_wheel_scrolls_by_lines_or_by_pixels(desk: Desk) -> None:
    bar = desk.grid.verticalScrollBar()
    desk.wheel(QPoint(50, 50), angle=-120)
    assert bar.value() == 40 * QApplication.wheelScrollLines()
    desk.wheel(QPoint(50, 50), angle=-12, pixels=-7)
    assert bar.value() == 40 * QApplication.wheelScrollLines() + 7
    desk.wheel(QPoint(50, 50), angle=1200)
    assert bar.value() == 0
    assert desk.asked == []


def test_a_pinch_zooms_about_its_place(desk: Desk) -> None:
    at = QPointF(desk.centre(14))
    area = desk.grid.viewport()

    def pinch(value: float) -> None:
        event = QNativeGestureEvent(
            Qt.NativeGestureType.ZoomNativeGesture,
            QPointingDevice.primaryPointingDevice(),
            2,
            at,
            at,
            QPointF(area.mapToGlobal(at)),
            value,
            QPointF(),
        )
        QApplication.sendEvent(area, event)

    zoom = desk.grid.zoom
    for _ in range(30):
        pinch(0.04)
    assert desk.grid.zoom == pytest.approx(zoom * 1.04**30, rel=0.1)
    box = desk.grid.kernel_rect(14)
    assert box is not None
    assert box.top() <= at.y() <= box.bottom()
    for _ in range(30):
        pinch(-0.04)
    assert desk.grid.zoom == pytest.approx(zoom * 1.04**30 * 0.96**30, abs=1)


def test_two_fingers_zoom(desk: Desk) -> None:
    device = QTest.createTouchDevice()
    area, at = desk.grid.viewport(), desk.centre(14)
    zoom = desk.grid.zoom
    apart = QPoint(20, 0)
    touch = QTest.touchEvent(area, device)
    touch.press(0, at - apart, area).press(1, at + apart, area).commit()
    for step in range(1, 31):
        grown = apart + QPoint(2 * step, 0)
        touch = QTest.touchEvent(area, device)
        touch.move(0, at - grown, area).move(1, at + grown, area).commit()
    touch = QTest.touchEvent(area, device)
    touch.release(0, at - grown, area).release(1, at + grown, area).commit()
    assert desk.grid.zoom > 1.5 * zoom
    assert all(name == "zoom_changed" for name, *_ in desk.asked)
