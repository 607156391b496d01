from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QContextMenuEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from kernelviewer.gui.views.spectrum.content import NARROWEST
from kernelviewer.gui.views.spectrum.editing import StretchMenu
from kernelviewer.kernels.classes import INDEX, PATTERNS
from tests.gui.spectrum_desk import STRETCHES, SpectrumDesk, make_spectrum

if TYPE_CHECKING:
    from collections.abc import Iterator

    from PySide6.QtGui import QAction
    from pytestqt.qtbot import QtBot

NONE = Qt.KeyboardModifier.NoModifier
SHIFT = Qt.KeyboardModifier.ShiftModifier
CTRL = Qt.KeyboardModifier.ControlModifier
LEFT = Qt.MouseButton.LeftButton
Key = Qt.Key
SQUARE = 5
"""The stretch of on-square, 0.344–0.413."""


@pytest.fixture
def desk(qtbot: QtBot) -> SpectrumDesk:
    desk = SpectrumDesk(make_spectrum(), 1100)
    qtbot.addWidget(desk.view)
    return desk


@pytest.fixture(autouse=True)
def no_menu_left(qapp: QApplication) -> Iterator[None]:
    yield
    for menu in [w for w in qapp.topLevelWidgets() if isinstance(w, StretchMenu)]:
        menu.close()


def at(desk: SpectrumDesk, z: float) -> QPoint:
    return QPoint(round(desk.view.stretches.axis.logical(z)), 6)


def pick_up(desk: SpectrumDesk, start: float, *way: float) -> None:
    """Take a border and drag it along a way."""
    QTest.mousePress(desk.view.stretches, LEFT, NONE, at(desk, start))
    for z in way:
        QTest.mouseMove(desk.view.stretches, at(desk, z))


def let_go(desk: SpectrumDesk, z: float) -> None:
    QTest.mouseRelease(desk.view.stretches, LEFT, NONE, at(desk, z))


def stops(desk: SpectrumDesk) -> list[float]:
    assert desk.view.content is not None
    return [stretch.stop for stretch in desk.view.content.stretches]


def open_menu(desk: SpectrumDesk, z: float) -> StretchMenu:
    editor = desk.view.stretches
    place = at(desk, z)
    reason = QContextMenuEvent.Reason.Mouse
    event = QContextMenuEvent(reason, place, editor.mapToGlobal(place))
    QApplication.sendEvent(editor, event)
    return shown_menu(desk)


def shown_menu(desk: SpectrumDesk) -> StretchMenu:
    menus = [m for m in desk.view.stretches.findChildren(StretchMenu) if m.isVisible()]
    (menu,) = menus
    return menu


def action(menu: StretchMenu, start: str) -> QAction:
    (found,) = [a for a in menu.actions() if a.text().startswith(start)]
    return found


def names(menu: StretchMenu) -> dict[str, QAction]:
    submenu = action(menu, "Rename").menu()
    return {item.text(): item for item in submenu.actions()}  # type: ignore[attr-defined]


# Borders


def test_the_cursor_tells_where_a_border_can_be_taken(desk: SpectrumDesk) -> None:
    editor = desk.view.stretches
    for _, stop in STRETCHES[:-1]:
        QTest.mouseMove(editor, at(desk, stop) + QPoint(2, 0))
        assert editor.cursor().shape() == Qt.CursorShape.SplitHCursor
    for z in (0.05, 0.38, 0.65, 1.0):
        QTest.mouseMove(editor, at(desk, z))
        assert editor.cursor().shape() == Qt.CursorShape.ArrowCursor


def test_a_dragged_border_is_shown_at_once_and_set_when_let_go(
    desk: SpectrumDesk,
) -> None:
    editor = desk.view.stretches
    band = at(desk, 0.422)
    before = editor.grab().toImage()
    pick_up(desk, 0.413, 0.42, 0.44)
    now = editor.grab().toImage()
    assert before.pixelColor(band).name() == "#cc6677"
    assert now.pixelColor(band).name() == "#ddcc77"
    assert stops(desk)[SQUARE] == 0.413
    let_go(desk, 0.44)
    moves, (asked,) = desk.of("border_moved"), desk.of("border_set")
    assert [border for border, _ in moves] == [SQUARE, SQUARE]
    assert asked == moves[-1]
    assert stops(desk)[SQUARE] == asked[1]
    assert not [name for name, *_ in desk.asked if name == "position"]


def test_a_border_stays_between_its_neighbours(desk: SpectrumDesk) -> None:
    pick_up(desk, 0.413, 0.9)
    let_go(desk, 0.9)
    assert stops(desk)[SQUARE] == pytest.approx(0.429 - NARROWEST)
    pick_up(desk, stops(desk)[SQUARE], 0.01)
    let_go(desk, 0.01)
    assert stops(desk)[SQUARE] == pytest.approx(0.344 + NARROWEST)
    assert stops(desk) == sorted(stops(desk))


def test_a_border_that_is_only_clicked_stays(desk: SpectrumDesk) -> None:
    QTest.mouseClick(desk.view.stretches, LEFT, NONE, at(desk, 0.413) + QPoint(2, 0))
    assert desk.asked == []


def test_a_drag_is_given_up_with_escape_or_by_hiding(desk: SpectrumDesk) -> None:
    editor = desk.view.stretches
    before = editor.grab().toImage()
    pick_up(desk, 0.413, 0.37)
    QTest.keyClick(editor, Key.Key_Escape)
    let_go(desk, 0.37)
    assert editor.grab().toImage() == before
    pick_up(desk, 0.413, 0.37)
    desk.view.hide()
    assert desk.of("border_dropped") == [[SQUARE], [SQUARE]]
    assert not desk.of("border_set")
    assert stops(desk) == [stop for _, stop in STRETCHES]


def test_a_document_that_follows_the_drag_does_not_end_it(desk: SpectrumDesk) -> None:
    view = desk.view
    view.border_moved.connect(desk._on_border_set)
    pick_up(desk, 0.413, 0.40, 0.39, 0.38)
    let_go(desk, 0.38)
    assert len(desk.of("border_moved")) == 3
    assert stops(desk)[SQUARE] == pytest.approx(0.38, abs=1e-3)


def test_another_spectrum_ends_the_drag(desk: SpectrumDesk) -> None:
    pick_up(desk, 0.413, 0.38)
    desk.view.set_spectrum(None)
    desk.view.set_spectrum(make_spectrum((5, 5)))
    QTest.mouseMove(desk.view.stretches, at(desk, 0.3))
    let_go(desk, 0.3)
    assert not desk.of("border_set")
    assert stops(desk) == [stop for _, stop in STRETCHES]


def test_keys_move_the_borders_of_the_stretch_at_the_cursor(
    desk: SpectrumDesk,
) -> None:
    editor = desk.view.stretches
    desk.view.set_position(0.38)
    QTest.keyClick(editor, Key.Key_Right, SHIFT)
    assert stops(desk)[SQUARE] == pytest.approx(0.415)
    QTest.keyClick(editor, Key.Key_Left, CTRL)
    assert stops(desk)[SQUARE - 1] == pytest.approx(0.342)
    for _ in range(60):
        QTest.keyClick(editor, Key.Key_Right, SHIFT)
    assert stops(desk) == sorted(stops(desk))
    desk.view.set_position(1.0)
    count = len(desk.asked)
    QTest.keyClick(editor, Key.Key_Right, SHIFT)
    desk.view.set_position(0.0)
    QTest.keyClick(editor, Key.Key_Left, CTRL)
    assert len(desk.asked) == count


def test_arrow_keys_go_from_stretch_to_stretch(desk: SpectrumDesk) -> None:
    editor = desk.view.stretches
    desk.view.set_position(0.345)
    QTest.keyClick(editor, Key.Key_Right)
    assert desk.view.position == pytest.approx((0.344 + 0.413) / 2)
    QTest.keyClick(editor, Key.Key_Left)
    assert desk.view.position == pytest.approx((0.315 + 0.344) / 2)


def test_a_double_click_selects_the_stretch(desk: SpectrumDesk) -> None:
    QTest.mouseDClick(desk.view.stretches, LEFT, SHIFT, at(desk, 0.38))
    assert desk.of("range_requested") == [[0.344, 0.413, "add"]]


# The menu


def test_a_stretch_can_be_renamed_to_any_other_pattern(desk: SpectrumDesk) -> None:
    menu = open_menu(desk, 0.38)
    offered = names(menu)
    assert list(offered) == [pattern.name for pattern in PATTERNS]
    assert [name for name, item in offered.items() if not item.isEnabled()] == [
        "On-square"
    ]
    assert all(not item.icon().isNull() for item in offered.values())
    offered["Off-cross"].trigger()
    assert desk.of("rename_requested") == [[SQUARE, INDEX["off-cross"]]]


def test_a_stretch_can_be_split_where_the_mouse_is(desk: SpectrumDesk) -> None:
    action(open_menu(desk, 0.38), "Split Here, at 0.38").trigger()
    ((index, z),) = desk.of("split_requested")
    assert index == SQUARE
    assert z == pytest.approx(0.38, abs=1e-3)
    shown_menu(desk).close()
    assert not action(open_menu(desk, 0.3441), "Split").isEnabled()


def test_a_stretch_can_be_merged_with_its_neighbours(desk: SpectrumDesk) -> None:
    menu = open_menu(desk, 0.38)
    action(menu, "Merge with Left, as Off-centre").trigger()
    action(menu, "Merge with Right, as On-centre").trigger()
    assert desk.of("merge_requested") == [[SQUARE, SQUARE - 1], [SQUARE, SQUARE + 1]]
    menu.close()
    menu = open_menu(desk, 0.01)
    assert not action(menu, "Merge with Left").isEnabled()
    menu.close()
    assert not action(open_menu(desk, 0.999), "Merge with Right").isEnabled()


def test_only_edited_stretches_can_be_reset(desk: SpectrumDesk) -> None:
    menu = open_menu(desk, 0.38)
    assert not action(menu, "Reset").isEnabled()
    menu.close()
    pick_up(desk, 0.413, 0.40)
    let_go(desk, 0.40)
    action(open_menu(desk, 0.38), "Reset").trigger()
    assert desk.of("reset_requested") == [[]]


def test_the_menu_selects_the_kernels_of_a_stretch(desk: SpectrumDesk) -> None:
    action(open_menu(desk, 0.38), "Select Kernels of Code 0.344–0.413").trigger()
    assert desk.of("range_requested") == [[0.344, 0.413, "replace"]]


@pytest.mark.parametrize("key", [Key.Key_F2, Key.Key_Return])
def test_keys_open_the_menu_of_the_stretch_at_the_cursor(
    desk: SpectrumDesk, key: Key
) -> None:
    desk.view.set_position(0.38)
    QTest.keyClick(desk.view.stretches, key)
    assert shown_menu(desk).accessibleName() == "Stretch On-square"
