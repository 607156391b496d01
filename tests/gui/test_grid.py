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

from kernelviewer.gui.views.grid import GridContent, GridTheme, common_gain
from kernelviewer.gui.views.grid.colours import index_colours, rgb
from tests.gui.grid_desk import CTRL, LEFT, SHIFT, Desk, make_content

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytestqt.qtbot import QtBot

DARK = GridTheme(panel="#212225", text="#ECECEA", accent="#5AA9F7")


@pytest.fixture
def make_desk(qtbot: QtBot) -> Callable[..., Desk]:
    def make(
        content: GridContent | None = None, *, width: int = 420, height: int = 300
    ) -> Desk:
        desk = Desk(content, width, height)
        qtbot.addWidget(desk.grid)
        return desk

    return make


@pytest.fixture
def desk(make_desk: Callable[..., Desk]) -> Desk:
    """60 kernels of 7×7 in groups of 10, 1 and 49, eight in a row."""
    return make_desk(make_content())


def tap_colours(content: GridContent, kernel: int) -> list[tuple[int, int, int]]:
    """Colours that the taps of a kernel must have."""
    table = np.round(index_colours("signed", GridTheme())).astype(int)
    indices = content.mosaic.tiles[kernel][:, :-1]
    return [tuple(table[index].tolist()) for index in indices.ravel()]


def drawn_colours(desk: Desk, kernel: int) -> list[tuple[int, int, int]]:
    """Colours on the screen in the middle of each tap."""
    picture = desk.grid.viewport().grab().toImage()
    box = desk.grid.kernel_rect(kernel)
    assert box is not None
    side = desk.grid.zoom
    rows, columns = round(box.height() / side), round(box.width() / side)
    colours = []
    for row in range(rows):
        for column in range(columns):
            x, y = box.x() + (column + 0.5) * side, box.y() + (row + 0.5) * side
            colour = picture.pixelColor(int(x), int(y))
            colours.append((colour.red(), colour.green(), colour.blue()))
    return colours


# Drawing


@pytest.mark.parametrize("zoom", [1, 3, 6, 30])
def test_a_kernel_is_drawn_where_it_is_said_to_be(desk: Desk, zoom: int) -> None:
    desk.grid.set_zoom(zoom)
    for kernel in (0, 9, 10, 17, 59):
        desk.grid.scroll_to(kernel)
        assert desk.grid.content is not None
        assert drawn_colours(desk, kernel) == tap_colours(desk.grid.content, kernel)


@pytest.mark.parametrize("count", [0, 1, 2, 9])
@pytest.mark.parametrize("size", [(7, 7), (51, 51), (60, 1), (1, 16), (9,), (2, 2)])
def test_any_number_and_size_can_be_shown(
    make_desk: Callable[..., Desk], count: int, size: tuple[int, ...]
) -> None:
    content = make_content(count, size, cuts=(0,) if count else ())
    desk = make_desk(content)
    for zoom in (1, 6, 1000):
        desk.grid.set_zoom(zoom)
        for kernel in range(count):
            desk.grid.scroll_to(kernel)
            if len(size) == 2:
                assert drawn_colours(desk, kernel) == tap_colours(content, kernel)
            assert desk.grid.kernel_at(QPointF(desk.centre(kernel))) == kernel
    desk.key(Qt.Key.Key_End)
    desk.key(Qt.Key.Key_A, CTRL)
    assert desk.chosen == list(range(count))


def test_the_largest_zoom_shows_one_whole_kernel(desk: Desk) -> None:
    desk.grid.set_zoom(10_000)
    assert desk.grid.zoom == desk.grid.zoom_range[1]
    desk.grid.scroll_to(30)
    box = desk.grid.kernel_rect(30)
    assert box is not None
    area = desk.grid.viewport().rect()
    assert area.contains(box.toAlignedRect())
    assert box.height() > 0.75 * area.height()
    desk.grid.set_zoom(0.001)
    assert desk.grid.zoom == desk.grid.zoom_range[0] == 1


def test_a_million_kernels_can_be_reached(make_desk: Callable[..., Desk]) -> None:
    count = 1_000_000
    content = make_content(count, (3, 3), cuts=(0, 500_000))
    desk = make_desk(content)
    for zoom in (1, 10_000):
        desk.grid.set_zoom(zoom)
        desk.key(Qt.Key.Key_End)
        assert desk.asked[-1] == ("focus", count - 1)
        desk.grid.set_focus(None)
        assert drawn_colours(desk, count - 1) == tap_colours(content, count - 1)
    desk.key(Qt.Key.Key_A, CTRL)
    assert desk.selected.all()


def test_the_selection_is_ringed_when_large_and_the_rest_dimmed_when_small(
    desk: Desk,
) -> None:
    selected = np.zeros(60, bool)
    selected[[3, 20]] = True
    accent = GridTheme().accent.lower()
    plain = drawn_colours(desk, 4)
    desk.grid.set_selection(selected)
    assert desk.colour(desk.centre(3) + QPoint(-22, 0)).name() == accent
    assert desk.colour(desk.centre(6) + QPoint(-22, 0)).name() == "#ffffff"
    assert drawn_colours(desk, 4) == plain
    desk.grid.set_zoom(2)
    assert desk.grid.content is not None
    tinted = np.array(tap_colours(desk.grid.content, 3)) * 0.84
    tinted += rgb(GridTheme().accent) * 0.16
    assert np.abs(np.array(drawn_colours(desk, 3)) - tinted).max() <= 3
    faded = 255 - np.array(drawn_colours(desk, 4))
    full = 255 - np.array(tap_colours(desk.grid.content, 4))
    assert faded.max() > 0
    assert np.abs(faded - full / 4).max() <= 3
    desk.grid.set_selection(None)
    assert drawn_colours(desk, 4) == tap_colours(desk.grid.content, 4)


def test_the_focus_is_ringed(desk: Desk) -> None:
    desk.grid.set_focus(12)
    assert (
        desk.colour(desk.centre(12) + QPoint(-24, 0)).name() == GridTheme().text.lower()
    )
    desk.grid.set_focus(None)
    assert desk.colour(desk.centre(12) + QPoint(-24, 0)).name() == "#ffffff"


def test_theme_and_colour_map_change_what_is_drawn(desk: Desk) -> None:
    corner = QPoint(2, 290)
    assert desk.colour(corner).name() == "#ffffff"
    desk.grid.set_theme(DARK)
    assert desk.colour(corner).name() == "#212225"
    before = drawn_colours(desk, 5)
    desk.grid.set_colormap("grey")
    assert drawn_colours(desk, 5) != before
    assert all(r == g == b for r, g, b in drawn_colours(desk, 5))


def test_a_common_scale_pales_small_kernels(make_desk: Callable[..., Desk]) -> None:
    content = make_content()
    gain = common_gain(content.mosaic) * 0.25
    desk = make_desk(GridContent(content.mosaic, content.order, content.groups, gain))
    deepest = (255 - np.array(drawn_colours(desk, 5))).max()
    assert 0 < deepest <= 0.26 * 217


def test_an_empty_view_says_why(make_desk: Callable[..., Desk]) -> None:
    desk = make_desk(None)
    blank = desk.grid.viewport().grab().toImage()
    desk.grid.set_message("Nothing to show: tick a layer in the tree.")
    assert desk.grid.viewport().grab().toImage() != blank
    desk.grid.set_content(make_content())
    assert desk.grid.kernel_at(QPointF(desk.centre(0))) == 0
    desk.grid.set_content(None)
    assert desk.grid.kernel_rect(0) is None
    for key in (Qt.Key.Key_Right, Qt.Key.Key_Escape, Qt.Key.Key_Return):
        desk.key(key)
    QTest.mouseClick(desk.grid.viewport(), LEFT, pos=QPoint(50, 50))
    desk.drag(QPoint(10, 10), QPoint(90, 90))
    assert desk.asked == []


def test_the_heading_of_a_group_stays_while_it_passes(desk: Desk) -> None:
    bar = desk.grid.verticalScrollBar()
    bar.setValue(bar.maximum())
    plan = desk.grid.plan
    assert plan is not None
    held = QPointF(30, plan.heading / 2)
    assert desk.grid.kernel_at(held) is None
    assert desk.grid.kernel_at(held + QPointF(0, plan.heading)) is not None
    top = desk.grid.viewport().grab().toImage().copy(0, 0, 200, plan.heading - 2)
    bar.setValue(bar.maximum() - 20)
    again = desk.grid.viewport().grab().toImage().copy(0, 0, 200, plan.heading - 2)
    assert top == again


# Mouse


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
    accent = GridTheme().accent.lower()
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


# Keys


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


# Zoom and scrolling


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


def test_resizing_keeps_the_first_kernel_in_view(
    make_desk: Callable[..., Desk],
) -> None:
    desk = make_desk(make_content(2000, cuts=(0, 700)))
    desk.grid.scroll_to(1500)
    plan = desk.grid.plan
    assert plan is not None
    first = desk.grid.kernel_at(QPointF(20, plan.heading + 4))
    assert first is not None
    for width in (800, 300, 111, 640, 431, 420):
        desk.grid.resize(width, 300)
        box = desk.grid.kernel_rect(first)
        assert box is not None
        assert -box.height() < box.top() < 60
    assert desk.grid.kernel_at(QPointF(20, plan.heading + 4)) == first


def test_the_zoom_wished_before_there_are_kernels_is_used(
    make_desk: Callable[..., Desk],
) -> None:
    desk = make_desk(None)
    desk.grid.set_zoom(9)
    assert desk.grid.zoom == 9
    desk.grid.set_content(make_content())
    assert desk.grid.zoom == 9
    desk.grid.set_zoom(0)
    assert desk.grid.zoom == 6


def test_other_sizes_are_shown_as_much_enlarged(desk: Desk) -> None:
    desk.grid.set_content(make_content(20, (3, 3), cuts=()))
    assert desk.grid.zoom == 14
    desk.grid.set_zoom(7)
    desk.grid.set_content(make_content())
    assert desk.grid.zoom == 3


# What the presenter sets


def test_setters_never_ask(desk: Desk) -> None:
    grid = desk.grid
    grid.set_focus(3)
    grid.set_selection(np.ones(60, bool))
    grid.set_zoom(9)
    grid.set_colormap("magma")
    grid.set_theme(DARK)
    grid.set_message("x")
    grid.scroll_to(59)
    grid.set_content(make_content(order=np.arange(60)[::-1].copy()))
    grid.set_content(None)
    grid.resize(300, 200)
    assert desk.asked == []


def test_the_view_stays_while_every_kernel_does(desk: Desk) -> None:
    desk.grid.scroll_to(40)
    value = desk.grid.verticalScrollBar().value()
    assert value > 0
    content = make_content()
    gain = common_gain(content.mosaic)
    desk.grid.set_content(
        GridContent(content.mosaic, content.order, content.groups, gain)
    )
    assert desk.grid.verticalScrollBar().value() == value


def test_the_focused_kernel_keeps_its_place_when_the_order_changes(
    make_desk: Callable[..., Desk],
) -> None:
    content = make_content(2000, cuts=(0, 700))
    desk = make_desk(content)
    desk.grid.scroll_to(1500)
    desk.grid.set_focus(1500)
    before = desk.grid.kernel_rect(1500)
    order = np.random.default_rng(0).permutation(2000)
    turned = GridContent(content.mosaic, order, content.groups)
    desk.grid.set_content(turned)
    after = desk.grid.kernel_rect(1500)
    assert before is not None
    assert after is not None
    assert before.y() == after.y()
    desk.grid.set_focus(None)
    desk.grid.set_content(content)
    assert desk.grid.verticalScrollBar().value() == 0


def test_kernels_left_out_are_neither_found_nor_focused(desk: Desk) -> None:
    desk.grid.set_focus(7)
    desk.grid.set_selection(np.arange(60) < 9)
    content = desk.grid.content
    assert content is not None
    desk.grid.set_content(GridContent(content.mosaic, np.arange(30, 60)))
    assert desk.grid.kernel_rect(7) is None
    desk.grid.scroll_to(7)
    assert desk.grid.verticalScrollBar().value() == 0
    desk.key(Qt.Key.Key_Space)
    assert desk.asked == []
    desk.key(Qt.Key.Key_Right)
    assert desk.asked == [("focus", 30)]
    desk.click(33, SHIFT)
    assert desk.chosen == [30, 31, 32, 33]


def test_a_selection_of_other_kernels_is_refused(desk: Desk) -> None:
    with pytest.raises(ValueError, match="59 marks for 60 kernels"):
        desk.grid.set_selection(np.ones(59, bool))


def test_readers_hear_of_the_focused_kernel(desk: Desk) -> None:
    assert desk.grid.objectName() == "kernelGrid"
    assert desk.grid.accessibleName() == "Kernel grid"
    desk.grid.set_tooltip(lambda kernel: f"kernel number {kernel}")
    desk.grid.set_focus(4)
    assert desk.grid.accessibleDescription() == "kernel number 4"
