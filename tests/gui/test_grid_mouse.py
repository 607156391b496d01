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
from tests.gui.grid_harness import GridHarness, make_content
from tests.gui.harness import CONTROL, LEFT, SHIFT

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytestqt.qtbot import QtBot

pytestmark = pytest.mark.harness(GridHarness, make_content)


def test_a_click_asks_for_the_focus_and_nothing_else(harness: GridHarness) -> None:
    harness.click(13)
    assert harness.asked == [("focus", 13)]
    QTest.mouseClick(harness.grid.viewport(), LEFT, pos=QPoint(400, 5))
    QTest.mouseClick(
        harness.grid.viewport(), Qt.MouseButton.MiddleButton, pos=harness.centre(3)
    )
    assert harness.asked == [("focus", 13)]


def test_ctrl_click_toggles_and_shift_click_takes_the_range(
    harness: GridHarness,
) -> None:
    harness.click(4, CONTROL)
    harness.click(2, CONTROL)
    assert harness.chosen == [2, 4]
    harness.click(4, CONTROL)
    assert harness.chosen == [2]
    harness.click(12, SHIFT)
    assert harness.chosen == list(range(4, 13))
    harness.click(2, SHIFT)
    assert harness.chosen == [2, 3, 4]
    harness.click(20)
    harness.click(22, SHIFT | CONTROL)
    assert harness.chosen == [2, 3, 4, 20, 21, 22]


def test_a_range_follows_the_drawing_order(
    make_harness: Callable[..., GridHarness],
) -> None:
    order = np.random.default_rng(0).permutation(60)
    harness = make_harness(make_content(order=order))
    harness.click(int(order[3]))
    harness.click(int(order[12]), SHIFT)
    assert harness.asked[-1] == ("selection", order[3:13].tolist(), "replace")


def test_a_rubber_band_selects_what_it_touches(harness: GridHarness) -> None:
    harness.drag(harness.centre(1), harness.centre(2))
    assert harness.asked == [("selection", [1, 2], "replace")]
    harness.drag(harness.centre(3) + QPoint(20, 20), harness.centre(1), SHIFT)
    assert harness.chosen == [1, 2, 3]
    harness.drag(harness.centre(2), harness.centre(10), CONTROL)
    assert harness.chosen == [3]
    harness.drag(harness.centre(2), harness.centre(5), SHIFT)
    harness.drag(harness.centre(4), harness.centre(7), SHIFT | CONTROL)
    assert harness.chosen == [4, 5]
    harness.drag(QPoint(400, 20), QPoint(410, 60))
    assert harness.chosen == []
    assert all(name == "selection" for name, *_ in harness.asked)


def test_a_band_shows_what_it_would_select_and_can_be_dropped(
    harness: GridHarness,
) -> None:
    accent = LIGHT.accent.lower()
    harness.press_and_move(harness.centre(1), harness.centre(3))
    assert harness.colour(harness.centre(2) + QPoint(0, -22)).name() == accent
    harness.key(Qt.Key.Key_Escape)
    assert harness.colour(harness.centre(2) + QPoint(0, -22)).name() != accent
    QTest.mouseRelease(harness.grid.viewport(), LEFT, pos=harness.centre(3))
    assert harness.asked == []


def test_a_band_scrolls_at_the_edge(harness: GridHarness, qtbot: QtBot) -> None:
    bar = harness.grid.verticalScrollBar()
    start = harness.centre(0)
    harness.press_and_move(start, QPoint(380, 420))
    qtbot.waitUntil(lambda: bar.value() == bar.maximum())
    QTest.mouseRelease(harness.grid.viewport(), LEFT, pos=QPoint(380, 420))
    assert harness.chosen == list(range(60))
    harness.press_and_move(QPoint(380, 200), QPoint(380, -200))
    qtbot.waitUntil(lambda: bar.value() == 0)
    harness.key(Qt.Key.Key_Escape)


def test_a_band_grows_while_the_wheel_turns(harness: GridHarness) -> None:
    harness.press_and_move(harness.centre(0), QPoint(380, 200))
    harness.wheel(QPoint(380, 200), angle=-1200)
    QTest.mouseRelease(harness.grid.viewport(), LEFT, pos=QPoint(380, 200))
    last = harness.grid.kernel_at(QPointF(370, 200))
    assert last is not None
    assert last > 40
    assert harness.chosen == list(range(last + 1))


def test_new_content_ends_a_band(harness: GridHarness) -> None:
    harness.press_and_move(harness.centre(1), harness.centre(3))
    harness.grid.set_content(make_content(5, (3, 3), cuts=()))
    QTest.mouseMove(harness.grid.viewport(), QPoint(60, 60))
    QTest.mouseRelease(harness.grid.viewport(), LEFT, pos=QPoint(60, 60))
    assert harness.asked == []


def test_a_double_click_activates(harness: GridHarness) -> None:
    QTest.mouseDClick(harness.grid.viewport(), LEFT, pos=harness.centre(7))
    assert harness.asked[-1] == ("activated", 7)


def test_the_context_menu_is_asked_for_under_the_cursor_or_at_the_focus(
    harness: GridHarness,
) -> None:
    area = harness.grid.viewport()

    def menu(reason: QContextMenuEvent.Reason, at: QPoint) -> None:
        event = QContextMenuEvent(reason, at, area.mapToGlobal(at))
        QApplication.sendEvent(area, event)

    reasons = QContextMenuEvent.Reason
    at = harness.centre(9)
    menu(reasons.Mouse, at)
    assert harness.asked[-1] == ("context_menu_requested", 9, area.mapToGlobal(at))
    menu(reasons.Mouse, QPoint(410, 5))
    assert harness.asked[-1][1] == -1
    harness.grid.set_focus(3)
    menu(reasons.Keyboard, QPoint(410, 5))
    place = area.mapToGlobal(harness.centre(3))
    assert harness.asked[-1] == ("context_menu_requested", 3, place)


def test_the_tooltip_tells_of_the_kernel_under_the_cursor(
    harness: GridHarness, qtbot: QtBot
) -> None:
    harness.grid.set_tooltip(lambda kernel: f"kernel number {kernel}")
    area = harness.grid.viewport()
    at = harness.centre(11)
    kind = QHelpEvent.Type.ToolTip
    QApplication.sendEvent(area, QHelpEvent(kind, at, area.mapToGlobal(at)))
    assert QToolTip.text() == "kernel number 11"
    at = QPoint(410, 5)
    QApplication.sendEvent(area, QHelpEvent(kind, at, area.mapToGlobal(at)))
    qtbot.waitUntil(lambda: not QToolTip.isVisible())


def test_ctrl_wheel_zooms_about_the_cursor(
    make_harness: Callable[..., GridHarness],
) -> None:
    harness = make_harness(make_content(2000, cuts=(0, 700)))
    harness.grid.scroll_to(1200)
    at = harness.centre(1200)
    zooms = []
    for angle in (*[120] * 12, *[-120] * 14):
        harness.wheel(at, angle=angle, keys=CONTROL)
        zooms.append(harness.grid.zoom)
        box = harness.grid.kernel_rect(1200)
        assert box is not None
        assert box.top() - 2 <= at.y() <= box.bottom() + 2
    assert zooms[:12] == sorted(zooms[:12])
    assert zooms[11:] == sorted(zooms[11:], reverse=True)
    assert harness.asked[-1] == ("zoom_changed", harness.grid.zoom)


def test_fine_wheels_add_up_to_a_step(harness: GridHarness) -> None:
    zoom = harness.grid.zoom
    for _ in range(3):
        harness.wheel(QPoint(50, 50), angle=30, keys=CONTROL)
    assert harness.grid.zoom == zoom
    harness.wheel(QPoint(50, 50), angle=30, keys=CONTROL)
    assert harness.grid.zoom > zoom


def test_the_wheel_scrolls_by_lines_or_by_pixels(harness: GridHarness) -> None:
    bar = harness.grid.verticalScrollBar()
    harness.wheel(QPoint(50, 50), angle=-120)
    assert bar.value() == 40 * QApplication.wheelScrollLines()
    harness.wheel(QPoint(50, 50), angle=-12, pixels=-7)
    assert bar.value() == 40 * QApplication.wheelScrollLines() + 7
    harness.wheel(QPoint(50, 50), angle=1200)
    assert bar.value() == 0
    assert harness.asked == []


def test_a_pinch_zooms_about_its_place(harness: GridHarness) -> None:
    at = QPointF(harness.centre(14))
    area = harness.grid.viewport()

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

    zoom = harness.grid.zoom
    for _ in range(30):
        pinch(0.04)
    assert harness.grid.zoom == pytest.approx(zoom * 1.04**30, rel=0.1)
    box = harness.grid.kernel_rect(14)
    assert box is not None
    assert box.top() <= at.y() <= box.bottom()
    for _ in range(30):
        pinch(-0.04)
    assert harness.grid.zoom == pytest.approx(zoom * 1.04**30 * 0.96**30, abs=1)


def test_two_fingers_zoom(harness: GridHarness) -> None:
    device = QTest.createTouchDevice()
    area, at = harness.grid.viewport(), harness.centre(14)
    zoom = harness.grid.zoom
    apart = QPoint(20, 0)
    touch = QTest.touchEvent(area, device)
    touch.press(0, at - apart, area).press(1, at + apart, area).commit()
    for step in range(1, 31):
        grown = apart + QPoint(2 * step, 0)
        touch = QTest.touchEvent(area, device)
        touch.move(0, at - grown, area).move(1, at + grown, area).commit()
    touch = QTest.touchEvent(area, device)
    touch.release(0, at - grown, area).release(1, at + grown, area).commit()
    assert harness.grid.zoom > 1.5 * zoom
    assert all(name == "zoom_changed" for name, *_ in harness.asked)
