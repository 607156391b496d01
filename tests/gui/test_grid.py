"""The kernel grid: what is drawn, what stays in view, what is never asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtTest import QTest

from kernelviewer.gui.theme import DARK, LIGHT
from kernelviewer.gui.views.grid.colours import index_colours, rgb
from kernelviewer.gui.views.grid.mosaic import GridContent, common_gain
from tests.gui.conftest import use_colours
from tests.gui.grid_harness import GridHarness, make_content
from tests.gui.harness import CONTROL, LEFT, SHIFT

if TYPE_CHECKING:
    from collections.abc import Callable


pytestmark = pytest.mark.harness(GridHarness, make_content)


def tap_colours(content: GridContent, kernel: int) -> list[tuple[int, int, int]]:
    """Colours that the taps of a kernel must have."""
    table = np.round(index_colours("signed", LIGHT)).astype(int)
    indices = content.mosaic.tiles[kernel][:, :-1]
    return [tuple(table[index].tolist()) for index in indices.ravel()]


def drawn_colours(harness: GridHarness, kernel: int) -> list[tuple[int, int, int]]:
    """Colours on the screen in the middle of each tap."""
    picture = harness.grid.viewport().grab().toImage()
    box = harness.grid.kernel_rect(kernel)
    assert box is not None
    side = harness.grid.zoom
    rows, columns = round(box.height() / side), round(box.width() / side)
    colours = []
    for row in range(rows):
        for column in range(columns):
            x, y = box.x() + (column + 0.5) * side, box.y() + (row + 0.5) * side
            colour = picture.pixelColor(int(x), int(y))
            colours.append((colour.red(), colour.green(), colour.blue()))
    return colours


@pytest.mark.parametrize("zoom", [1, 3, 6, 30])
def test_a_kernel_is_drawn_where_it_is_said_to_be(
    harness: GridHarness, zoom: int
) -> None:
    harness.grid.set_zoom(zoom)
    for kernel in (0, 9, 10, 17, 59):
        harness.grid.scroll_to(kernel)
        assert harness.grid.content is not None
        assert drawn_colours(harness, kernel) == tap_colours(
            harness.grid.content, kernel
        )


@pytest.mark.parametrize("count", [0, 1, 2, 9])
@pytest.mark.parametrize("size", [(7, 7), (51, 51), (60, 1), (1, 16), (9,), (2, 2)])
def test_any_number_and_size_can_be_shown(
    make_harness: Callable[..., GridHarness], count: int, size: tuple[int, ...]
) -> None:
    content = make_content(count, size, cuts=(0,) if count else ())
    harness = make_harness(content)
    for zoom in (1, 6, 1000):
        harness.grid.set_zoom(zoom)
        for kernel in range(count):
            harness.grid.scroll_to(kernel)
            if len(size) == 2:
                assert drawn_colours(harness, kernel) == tap_colours(content, kernel)
            assert harness.grid.kernel_at(QPointF(harness.centre(kernel))) == kernel
    harness.key(Qt.Key.Key_End)
    harness.key(Qt.Key.Key_A, CONTROL)
    assert harness.chosen == list(range(count))


def test_the_largest_zoom_shows_one_whole_kernel(harness: GridHarness) -> None:
    harness.grid.set_zoom(10_000)
    assert harness.grid.zoom == harness.grid.zoom_range[1]
    harness.grid.scroll_to(30)
    box = harness.grid.kernel_rect(30)
    assert box is not None
    area = harness.grid.viewport().rect()
    assert area.contains(box.toAlignedRect())
    assert box.height() > 0.75 * area.height()
    harness.grid.set_zoom(0.001)
    assert harness.grid.zoom == harness.grid.zoom_range[0] == 1


def test_a_million_kernels_can_be_reached(
    make_harness: Callable[..., GridHarness],
) -> None:
    count = 1_000_000
    content = make_content(count, (3, 3), cuts=(0, 500_000))
    harness = make_harness(content)
    for zoom in (1, 10_000):
        harness.grid.set_zoom(zoom)
        harness.key(Qt.Key.Key_End)
        assert harness.asked[-1] == ("focus", count - 1)
        harness.grid.set_focus(None)
        assert drawn_colours(harness, count - 1) == tap_colours(content, count - 1)
    harness.key(Qt.Key.Key_A, CONTROL)
    assert harness.selected.all()


def test_the_selection_is_ringed_when_large_and_the_rest_dimmed_when_small(
    harness: GridHarness,
) -> None:
    selected = np.zeros(60, bool)
    selected[[3, 20]] = True
    accent = LIGHT.accent.lower()
    plain = drawn_colours(harness, 4)
    harness.grid.set_selection(selected)
    assert harness.colour(harness.centre(3) + QPoint(-22, 0)).name() == accent
    assert harness.colour(harness.centre(6) + QPoint(-22, 0)).name() == "#ffffff"
    assert drawn_colours(harness, 4) == plain
    harness.grid.set_zoom(2)
    assert harness.grid.content is not None
    tinted = np.array(tap_colours(harness.grid.content, 3)) * 0.84
    tinted += rgb(LIGHT.accent) * 0.16
    assert np.abs(np.array(drawn_colours(harness, 3)) - tinted).max() <= 3
    faded = 255 - np.array(drawn_colours(harness, 4))
    full = 255 - np.array(tap_colours(harness.grid.content, 4))
    assert faded.max() > 0
    assert np.abs(faded - full / 4).max() <= 3
    harness.grid.set_selection(None)
    assert drawn_colours(harness, 4) == tap_colours(harness.grid.content, 4)


def test_the_focus_is_ringed(harness: GridHarness) -> None:
    harness.grid.set_focus(12)
    assert (
        harness.colour(harness.centre(12) + QPoint(-24, 0)).name() == LIGHT.text.lower()
    )
    harness.grid.set_focus(None)
    assert harness.colour(harness.centre(12) + QPoint(-24, 0)).name() == "#ffffff"


def test_theme_and_colour_map_change_what_is_drawn(harness: GridHarness) -> None:
    corner = QPoint(2, 290)
    assert harness.colour(corner).name() == "#ffffff"
    use_colours(DARK)
    assert harness.colour(corner).name() == "#212225"
    before = drawn_colours(harness, 5)
    harness.grid.set_colormap("grey")
    assert drawn_colours(harness, 5) != before
    assert all(r == g == b for r, g, b in drawn_colours(harness, 5))


def test_a_common_scale_pales_small_kernels(
    make_harness: Callable[..., GridHarness],
) -> None:
    content = make_content()
    gain = common_gain(content.mosaic) * 0.25
    harness = make_harness(
        GridContent(content.mosaic, content.order, content.groups, gain)
    )
    deepest = (255 - np.array(drawn_colours(harness, 5))).max()
    assert 0 < deepest <= 0.26 * 217


def test_an_empty_view_says_why(make_harness: Callable[..., GridHarness]) -> None:
    harness = make_harness(None)
    blank = harness.grid.viewport().grab().toImage()
    harness.grid.set_message("Nothing to show: tick a layer in the tree.")
    assert harness.grid.viewport().grab().toImage() != blank
    harness.grid.set_content(make_content())
    assert harness.grid.kernel_at(QPointF(harness.centre(0))) == 0
    harness.grid.set_content(None)
    assert harness.grid.kernel_rect(0) is None
    for key in (Qt.Key.Key_Right, Qt.Key.Key_Escape, Qt.Key.Key_Return):
        harness.key(key)
    QTest.mouseClick(harness.grid.viewport(), LEFT, pos=QPoint(50, 50))
    harness.drag(QPoint(10, 10), QPoint(90, 90))
    assert harness.asked == []


def test_the_heading_of_a_group_stays_while_it_passes(harness: GridHarness) -> None:
    bar = harness.grid.verticalScrollBar()
    bar.setValue(bar.maximum())
    plan = harness.grid.plan
    assert plan is not None
    held = QPointF(30, plan.heading / 2)
    assert harness.grid.kernel_at(held) is None
    assert harness.grid.kernel_at(held + QPointF(0, plan.heading)) is not None
    top = harness.grid.viewport().grab().toImage().copy(0, 0, 200, plan.heading - 2)
    bar.setValue(bar.maximum() - 20)
    again = harness.grid.viewport().grab().toImage().copy(0, 0, 200, plan.heading - 2)
    assert top == again


def test_resizing_keeps_the_first_kernel_in_view(
    make_harness: Callable[..., GridHarness],
) -> None:
    harness = make_harness(make_content(2000, cuts=(0, 700)))
    harness.grid.scroll_to(1500)
    plan = harness.grid.plan
    assert plan is not None
    first = harness.grid.kernel_at(QPointF(20, plan.heading + 4))
    assert first is not None
    for width in (800, 300, 111, 640, 431, 420):
        harness.grid.resize(width, 300)
        box = harness.grid.kernel_rect(first)
        assert box is not None
        assert -box.height() < box.top() < 60
    assert harness.grid.kernel_at(QPointF(20, plan.heading + 4)) == first


def test_the_zoom_wished_before_there_are_kernels_is_used(
    make_harness: Callable[..., GridHarness],
) -> None:
    harness = make_harness(None)
    harness.grid.set_zoom(9)
    assert harness.grid.zoom == 9
    harness.grid.set_content(make_content())
    assert harness.grid.zoom == 9
    harness.grid.set_zoom(0)
    assert harness.grid.zoom == 6


def test_other_sizes_are_shown_as_much_enlarged(harness: GridHarness) -> None:
    harness.grid.set_content(make_content(20, (3, 3), cuts=()))
    assert harness.grid.zoom == 14
    harness.grid.set_zoom(7)
    harness.grid.set_content(make_content())
    assert harness.grid.zoom == 3


def test_setters_never_ask(harness: GridHarness) -> None:
    grid = harness.grid
    grid.set_focus(3)
    grid.set_selection(np.ones(60, bool))
    grid.set_zoom(9)
    grid.set_colormap("magma")
    use_colours(DARK)
    grid.set_message("x")
    grid.scroll_to(59)
    grid.set_content(make_content(order=np.arange(60)[::-1].copy()))
    grid.set_content(None)
    grid.resize(300, 200)
    assert harness.asked == []


def test_the_view_stays_while_every_kernel_does(harness: GridHarness) -> None:
    harness.grid.scroll_to(40)
    value = harness.grid.verticalScrollBar().value()
    assert value > 0
    content = make_content()
    gain = common_gain(content.mosaic)
    harness.grid.set_content(
        GridContent(content.mosaic, content.order, content.groups, gain)
    )
    assert harness.grid.verticalScrollBar().value() == value


def test_the_focused_kernel_keeps_its_place_when_the_order_changes(
    make_harness: Callable[..., GridHarness],
) -> None:
    content = make_content(2000, cuts=(0, 700))
    harness = make_harness(content)
    harness.grid.scroll_to(1500)
    harness.grid.set_focus(1500)
    before = harness.grid.kernel_rect(1500)
    order = np.random.default_rng(0).permutation(2000)
    turned = GridContent(content.mosaic, order, content.groups)
    harness.grid.set_content(turned)
    after = harness.grid.kernel_rect(1500)
    assert before is not None
    assert after is not None
    assert before.y() == after.y()
    harness.grid.set_focus(None)
    harness.grid.set_content(content)
    assert harness.grid.verticalScrollBar().value() == 0


def test_kernels_left_out_are_neither_found_nor_focused(harness: GridHarness) -> None:
    harness.grid.set_focus(7)
    harness.grid.set_selection(np.arange(60) < 9)
    content = harness.grid.content
    assert content is not None
    harness.grid.set_content(GridContent(content.mosaic, np.arange(30, 60)))
    assert harness.grid.kernel_rect(7) is None
    harness.grid.scroll_to(7)
    assert harness.grid.verticalScrollBar().value() == 0
    harness.key(Qt.Key.Key_Space)
    assert harness.asked == []
    harness.key(Qt.Key.Key_Right)
    assert harness.asked == [("focus", 30)]
    harness.click(33, SHIFT)
    assert harness.chosen == [30, 31, 32, 33]


def test_a_selection_of_other_kernels_is_refused(harness: GridHarness) -> None:
    with pytest.raises(ValueError, match="59 marks for 60 kernels"):
        harness.grid.set_selection(np.ones(59, bool))


def test_readers_hear_of_the_focused_kernel(harness: GridHarness) -> None:
    assert harness.grid.objectName() == "kernelGrid"
    assert harness.grid.accessibleName() == "Kernel grid"
    harness.grid.set_tooltip(lambda kernel: f"kernel number {kernel}")
    harness.grid.set_focus(4)
    assert harness.grid.accessibleDescription() == "kernel number 4"
