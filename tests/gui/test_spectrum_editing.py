from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QContextMenuEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from kernelviewer.gui.views.spectrum.content import NARROWEST
from kernelviewer.gui.views.spectrum.stretches import StretchMenu
from kernelviewer.kernels.classes import FINE, INDEX, PAPER
from tests.gui.harness import CONTROL, LEFT, NO_KEY, SHIFT
from tests.gui.spectrum_harness import STRETCHES, SpectrumHarness, make_spectrum

if TYPE_CHECKING:
    from collections.abc import Iterator

    from PySide6.QtGui import QAction

pytestmark = pytest.mark.harness(SpectrumHarness, make_spectrum)

Key = Qt.Key
SQUARE = 5
"""The stretch of on-square, 0.344–0.413."""


@pytest.fixture(autouse=True)
def no_menu_left(qapp: QApplication) -> Iterator[None]:
    yield
    for menu in [w for w in qapp.topLevelWidgets() if isinstance(w, StretchMenu)]:
        menu.close()


def at(harness: SpectrumHarness, z: float) -> QPoint:
    strip = harness.view.stretches
    return QPoint(round(strip.axis.logical(z)), strip.height() // 2)


def pick_up(harness: SpectrumHarness, start: float, *way: float) -> None:
    """Take a border and drag it along a way."""
    QTest.mousePress(harness.view.stretches, LEFT, NO_KEY, at(harness, start))
    for z in way:
        QTest.mouseMove(harness.view.stretches, at(harness, z))


def let_go(harness: SpectrumHarness, z: float) -> None:
    QTest.mouseRelease(harness.view.stretches, LEFT, NO_KEY, at(harness, z))


def stops(harness: SpectrumHarness) -> list[float]:
    assert harness.view.content is not None
    return [stretch.stop for stretch in harness.view.content.stretches]


def open_menu(harness: SpectrumHarness, z: float) -> StretchMenu:
    editor = harness.view.stretches
    place = at(harness, z)
    reason = QContextMenuEvent.Reason.Mouse
    event = QContextMenuEvent(reason, place, editor.mapToGlobal(place))
    QApplication.sendEvent(editor, event)
    return shown_menu(harness)


def shown_menu(harness: SpectrumHarness) -> StretchMenu:
    menus = [
        m for m in harness.view.stretches.findChildren(StretchMenu) if m.isVisible()
    ]
    (menu,) = menus
    return menu


def action(menu: StretchMenu, start: str) -> QAction:
    (found,) = [a for a in menu.actions() if a.text().startswith(start)]
    return found


def names(menu: StretchMenu) -> dict[str, QAction]:
    submenu = action(menu, "Rename To").menu()
    items = submenu.actions()  # type: ignore[attr-defined]
    return {item.text(): item for item in items if not item.isSeparator()}


# Borders


def test_the_cursor_tells_where_a_border_can_be_taken(harness: SpectrumHarness) -> None:
    editor = harness.view.stretches
    for _, stop in STRETCHES[:-1]:
        QTest.mouseMove(editor, at(harness, stop) + QPoint(2, 0))
        assert editor.cursor().shape() == Qt.CursorShape.SplitHCursor
    for z in (0.05, 0.38, 0.65, 1.0):
        QTest.mouseMove(editor, at(harness, z))
        assert editor.cursor().shape() == Qt.CursorShape.ArrowCursor


def test_a_dragged_border_is_shown_at_once_and_set_when_let_go(
    harness: SpectrumHarness,
) -> None:
    editor = harness.view.stretches
    band = at(harness, 0.422)
    before = editor.grab().toImage()
    pick_up(harness, 0.413, 0.42, 0.44)
    now = editor.grab().toImage()
    assert before.pixelColor(band).name() == "#c76274"
    assert now.pixelColor(band).name() == "#ead77a"
    assert stops(harness)[SQUARE] == 0.413
    let_go(harness, 0.44)
    moves, (asked,) = harness.of("border_moved"), harness.of("border_set")
    assert [border for border, _ in moves] == [SQUARE, SQUARE]
    assert asked == moves[-1]
    assert stops(harness)[SQUARE] == asked[1]
    assert not [name for name, *_ in harness.asked if name == "position"]


def test_a_border_stays_between_its_neighbours(harness: SpectrumHarness) -> None:
    pick_up(harness, 0.413, 0.9)
    let_go(harness, 0.9)
    assert stops(harness)[SQUARE] == pytest.approx(0.429 - NARROWEST)
    pick_up(harness, stops(harness)[SQUARE], 0.01)
    let_go(harness, 0.01)
    assert stops(harness)[SQUARE] == pytest.approx(0.344 + NARROWEST)
    assert stops(harness) == sorted(stops(harness))


def test_a_border_that_is_only_clicked_stays(harness: SpectrumHarness) -> None:
    QTest.mouseClick(
        harness.view.stretches, LEFT, NO_KEY, at(harness, 0.413) + QPoint(2, 0)
    )
    assert harness.asked == []


def test_a_drag_is_given_up_with_escape_or_by_hiding(harness: SpectrumHarness) -> None:
    editor = harness.view.stretches
    before = editor.grab().toImage()
    pick_up(harness, 0.413, 0.37)
    QTest.keyClick(editor, Key.Key_Escape)
    let_go(harness, 0.37)
    assert editor.grab().toImage() == before
    pick_up(harness, 0.413, 0.37)
    harness.view.hide()
    assert harness.of("border_dropped") == [[SQUARE], [SQUARE]]
    assert not harness.of("border_set")
    assert stops(harness) == [stop for _, stop in STRETCHES]


def test_a_document_that_follows_the_drag_does_not_end_it(
    harness: SpectrumHarness,
) -> None:
    view = harness.view
    view.border_moved.connect(harness._on_border_set)
    pick_up(harness, 0.413, 0.40, 0.39, 0.38)
    let_go(harness, 0.38)
    assert len(harness.of("border_moved")) == 3
    assert stops(harness)[SQUARE] == pytest.approx(0.38, abs=1e-3)


def test_another_spectrum_ends_the_drag(harness: SpectrumHarness) -> None:
    pick_up(harness, 0.413, 0.38)
    harness.view.set_spectrum(None)
    harness.view.set_spectrum(make_spectrum((5, 5)))
    QTest.mouseMove(harness.view.stretches, at(harness, 0.3))
    let_go(harness, 0.3)
    assert not harness.of("border_set")
    assert stops(harness) == [stop for _, stop in STRETCHES]


def test_keys_move_the_borders_of_the_stretch_at_the_cursor(
    harness: SpectrumHarness,
) -> None:
    editor = harness.view.stretches
    harness.view.set_position(0.38)
    QTest.keyClick(editor, Key.Key_Right, SHIFT)
    assert stops(harness)[SQUARE] == pytest.approx(0.415)
    QTest.keyClick(editor, Key.Key_Left, CONTROL)
    assert stops(harness)[SQUARE - 1] == pytest.approx(0.342)
    for _ in range(60):
        QTest.keyClick(editor, Key.Key_Right, SHIFT)
    assert stops(harness) == sorted(stops(harness))
    harness.view.set_position(1.0)
    count = len(harness.asked)
    QTest.keyClick(editor, Key.Key_Right, SHIFT)
    harness.view.set_position(0.0)
    QTest.keyClick(editor, Key.Key_Left, CONTROL)
    assert len(harness.asked) == count


def test_arrow_keys_go_from_stretch_to_stretch(harness: SpectrumHarness) -> None:
    editor = harness.view.stretches
    harness.view.set_position(0.345)
    QTest.keyClick(editor, Key.Key_Right)
    assert harness.view.position == pytest.approx((0.344 + 0.413) / 2)
    QTest.keyClick(editor, Key.Key_Left)
    assert harness.view.position == pytest.approx((0.315 + 0.344) / 2)


def test_a_double_click_selects_the_stretch(harness: SpectrumHarness) -> None:
    QTest.mouseDClick(harness.view.stretches, LEFT, SHIFT, at(harness, 0.38))
    assert harness.of("range_requested") == [[0.344, 0.413, "add"]]


# The menu


def test_a_stretch_can_be_renamed_to_any_other_pattern(
    harness: SpectrumHarness,
) -> None:
    menu = open_menu(harness, 0.38)
    offered = names(menu)
    fine = offered.pop("Fine Class")
    assert fine.isEnabled()
    assert list(offered) == [pattern.name for pattern in PAPER.patterns]
    assert [name for name, item in offered.items() if not item.isEnabled()] == [
        "On-square (beside the middle)"
    ]
    assert all(not item.icon().isNull() for item in offered.values())
    offered["Off-cross"].trigger()
    assert harness.of("rename_requested") == [[SQUARE, INDEX["off-cross"]]]


def test_a_stretch_can_be_renamed_to_a_fine_class(harness: SpectrumHarness) -> None:
    fine = names(open_menu(harness, 0.38))["Fine Class"].menu()
    offered = {item.text(): item for item in fine.actions()}  # type: ignore[attr-defined]
    assert list(offered) == [item.name for item in FINE.patterns if item.paper]
    offered["On-disc"].trigger()
    assert harness.of("rename_requested") == [[SQUARE, INDEX["on-disc"]]]


def test_a_stretch_can_be_split_where_the_mouse_is(harness: SpectrumHarness) -> None:
    action(open_menu(harness, 0.38), "Split Here, at 0.38").trigger()
    ((index, z),) = harness.of("split_requested")
    assert index == SQUARE
    assert z == pytest.approx(0.38, abs=1e-3)
    shown_menu(harness).close()
    assert not action(open_menu(harness, 0.3441), "Split").isEnabled()


def test_a_stretch_can_be_merged_with_its_neighbours(harness: SpectrumHarness) -> None:
    menu = open_menu(harness, 0.38)
    action(menu, "Merge with Left, as Off-centre").trigger()
    action(menu, "Merge with Right, as On-centre").trigger()
    assert harness.of("merge_requested") == [[SQUARE, SQUARE - 1], [SQUARE, SQUARE + 1]]
    menu.close()
    menu = open_menu(harness, 0.01)
    assert not action(menu, "Merge with Left").isEnabled()
    menu.close()
    assert not action(open_menu(harness, 0.999), "Merge with Right").isEnabled()


def test_only_edited_stretches_can_be_reset(harness: SpectrumHarness) -> None:
    menu = open_menu(harness, 0.38)
    assert not action(menu, "Reset").isEnabled()
    menu.close()
    pick_up(harness, 0.413, 0.40)
    let_go(harness, 0.40)
    action(open_menu(harness, 0.38), "Reset").trigger()
    assert harness.of("reset_requested") == [[]]


def test_the_menu_selects_the_kernels_of_a_stretch(harness: SpectrumHarness) -> None:
    action(open_menu(harness, 0.38), "Select Kernels of Code 0.344–0.413").trigger()
    assert harness.of("range_requested") == [[0.344, 0.413, "replace"]]


@pytest.mark.parametrize("key", [Key.Key_Enter, Key.Key_Return])
def test_keys_open_the_menu_of_the_stretch_at_the_cursor(
    harness: SpectrumHarness, key: Key
) -> None:
    harness.view.set_position(0.38)
    QTest.keyClick(harness.view.stretches, key)
    assert (
        shown_menu(harness).accessibleName() == "Stretch On-square (beside the middle)"
    )
