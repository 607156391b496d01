"""The scatter plot: points where they belong, and what mouse and wheel ask for."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QColor, QImage, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from kernelviewer.gui.views.scatter.cloud import (
    ScatterContent,
    cells_of,
    dense_places,
    draw_density,
    draw_points,
    inside_polygon,
    to_pixels,
)
from kernelviewer.gui.views.scatter.colours import Legend
from kernelviewer.gui.views.scatter.view import ScatterView
from kernelviewer.kernels.classes import CLASSES, ink_on, luminance
from tests.gui.harness import LEFT, NO_KEY

if TYPE_CHECKING:
    from collections.abc import Callable

POINTS = np.array([[0, 0], [10, 0], [0, 10], [10, 10], [5, 5]], np.float32)
NUMBERS = np.array([3, 4, 7, 8, 9])


@pytest.fixture
def scatter(qtbot: Any) -> ScatterView:
    view = ScatterView()
    qtbot.addWidget(view)
    view.resize(400, 300)
    view.set_content(ScatterContent(NUMBERS, POINTS, ("PC1", "PC2")))
    view.set_classes(np.arange(5, dtype=np.uint8), ("#ff0000",) * 5)
    with qtbot.waitExposed(view):
        view.show()
    return view


def test_points_are_drawn_where_they_are(scatter: ScatterView) -> None:
    image = scatter.grab().toImage()
    for number in NUMBERS:
        place = scatter.place_of(int(number)).toPoint()
        assert image.pixelColor(place).name() == "#ff0000"
    assert scatter.place_of(3).y() > scatter.place_of(7).y()
    assert scatter.place_of(5) is None


def test_a_click_on_a_point_asks_for_the_focus(
    scatter: ScatterView, qtbot: Any
) -> None:
    place = scatter.place_of(8).toPoint() + QPoint(2, 1)
    with qtbot.waitSignal(scatter.focus_requested) as asked:
        QTest.mouseClick(scatter, LEFT, NO_KEY, place)
    assert asked.args == [8]
    with qtbot.assertNotEmitted(scatter.focus_requested):
        QTest.mouseClick(scatter, LEFT, NO_KEY, QPoint(130, 100))


def drag(view: ScatterView, *places: QPoint, keys: Any = NO_KEY) -> None:
    """Press at the first place, move through the others, release at the last."""
    QTest.mousePress(view, LEFT, keys, places[0])
    for place in places[1:]:
        move = QPointF(place)
        event = _move(view, move, keys)
        QApplication.sendEvent(view, event)
    QTest.mouseRelease(view, LEFT, keys, places[-1])


def _move(view: ScatterView, place: QPointF, keys: Any) -> Any:
    from PySide6.QtCore import QEvent
    from PySide6.QtGui import QMouseEvent

    on_screen = QPointF(view.mapToGlobal(place.toPoint()))
    kind = QEvent.Type.MouseMove
    return QMouseEvent(kind, place, on_screen, Qt.MouseButton.NoButton, LEFT, keys)


def test_a_band_asks_for_what_lies_in_it(scatter: ScatterView, qtbot: Any) -> None:
    middle = scatter.place_of(9).toPoint()
    with qtbot.waitSignal(scatter.selection_requested) as asked:
        drag(scatter, QPoint(1, 1), middle, middle + QPoint(20, 20))
    assert set(asked.args[0].tolist()) == {7, 9}


def test_a_lasso_asks_for_what_it_rings(scatter: ScatterView, qtbot: Any) -> None:
    keys = Qt.KeyboardModifier.AltModifier
    with qtbot.waitSignal(scatter.selection_requested) as asked:
        corners = [QPoint(1, 1), QPoint(398, 1), QPoint(398, 100), QPoint(1, 100)]
        drag(scatter, *corners, keys=keys)
    assert set(asked.args[0].tolist()) == {7, 8}


def test_the_wheel_zooms_at_the_cursor(scatter: ScatterView) -> None:
    place = scatter.place_of(8)
    event = QWheelEvent(
        place,
        QPointF(scatter.mapToGlobal(place.toPoint())),
        QPoint(),
        QPoint(0, 240),
        Qt.MouseButton.NoButton,
        NO_KEY,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(scatter, event)
    after = scatter.place_of(8)
    assert (after - place).manhattanLength() < 4
    assert scatter.place_of(9).x() < 200
    scatter.set_components(("PC1", "PC2"), (0, 1))
    assert scatter.all.isVisible()
    QTest.mouseClick(scatter.all, LEFT)
    assert scatter.place_of(8).x() == pytest.approx(place.x(), abs=1)
    assert not scatter.all.isVisible()
    QApplication.sendEvent(scatter, event)
    QTest.mouseDClick(scatter, LEFT, NO_KEY, QPoint(50, 50))
    assert scatter.place_of(8).x() == pytest.approx(place.x(), abs=1)


def test_what_is_not_selected_recedes(scatter: ScatterView) -> None:
    scatter.set_selection(np.array([True, False, False, False, False]))
    image = scatter.grab().toImage()
    chosen = image.pixelColor(scatter.place_of(3).toPoint())
    other = image.pixelColor(scatter.place_of(8).toPoint())
    assert chosen.name() == "#ff0000"
    assert QColor(other).lightness() > chosen.lightness()


def test_many_points_are_drawn_as_density_and_say_so(
    scatter: ScatterView, qtbot: Any
) -> None:
    rng = np.random.default_rng(0)
    points = rng.normal(size=(60_000, 2)).astype(np.float32)
    content = ScatterContent(np.arange(60_000), points, ("PC1", "PC2"))
    scatter.set_content(content)
    scatter.set_classes(np.zeros(60_000, np.uint8), ("#ff0000",))
    image = scatter.grab().toImage()
    middle, rim = image.pixelColor(200, 150), image.pixelColor(320, 240)
    assert middle.green() < rim.green()


def test_arrows_ask_for_the_nearest_point_in_their_direction(
    scatter: ScatterView, qtbot: Any
) -> None:
    asked: list[int] = []
    scatter.focus_requested.connect(asked.append)
    scatter.focus_requested.connect(scatter.set_focus)
    QTest.keyClick(scatter, Qt.Key.Key_Right)
    assert asked == [9]
    scatter.set_focus(3)
    for key in (Qt.Key.Key_Right, Qt.Key.Key_Up, Qt.Key.Key_Left, Qt.Key.Key_Down):
        QTest.keyClick(scatter, key)
    assert asked[0] == 9
    assert len(asked) == 5
    scatter.set_focus(8)
    QTest.keyClick(scatter, Qt.Key.Key_Up)
    assert len(asked) == 5
    with qtbot.waitSignal(scatter.toggle_requested) as toggled:
        QTest.keyClick(scatter, Qt.Key.Key_Space)
    assert toggled.args == [8]


def test_keys_zoom_move_and_show_all(scatter: ScatterView) -> None:
    before = scatter.place_of(8)
    QTest.keyClick(scatter, Qt.Key.Key_Plus)
    assert scatter.place_of(8).x() > before.x()
    QTest.keyClick(scatter, Qt.Key.Key_0)
    assert scatter.place_of(8) == before
    QTest.keyClick(scatter, Qt.Key.Key_Right, Qt.KeyboardModifier.ShiftModifier)
    assert scatter.place_of(8).x() < before.x()
    QTest.keyClick(scatter, Qt.Key.Key_Home)
    assert scatter.place_of(8) == before


def test_axes_are_chosen_and_never_twice_the_same(
    scatter: ScatterView, qtbot: Any
) -> None:
    scatter.set_components(("PC1 50 %", "PC2 20 %", "PC3 9 %"), (0, 1))
    assert scatter.across.text().startswith("PC1 50 %")
    with qtbot.waitSignal(scatter.axes_requested) as asked:
        scatter.up.chosen.emit("2")
    assert asked.args == [0, 2]
    with qtbot.waitSignal(scatter.axes_requested) as asked:
        scatter.across.chosen.emit("1")
    assert asked.args == [1, 0]
    with qtbot.waitSignal(scatter.axes_requested) as asked:
        scatter.up.chosen.emit("0")
    assert asked.args == [1, 0]


def test_the_lasso_can_be_chosen(scatter: ScatterView, qtbot: Any) -> None:
    scatter.gesture.chosen.emit("lasso")
    with qtbot.waitSignal(scatter.selection_requested) as asked:
        corners = [QPoint(1, 1), QPoint(398, 1), QPoint(398, 100), QPoint(1, 100)]
        drag(scatter, *corners, QPoint(1, 1))
    assert set(asked.args[0].tolist()) == {7, 8}


def test_a_legend_stands_above_the_points(scatter: ScatterView) -> None:
    legend = Legend((("#ff0000", "On-centre"), ("#00ff00", "Off-centre")))
    scatter.set_classes(np.zeros(5, np.uint8), ("#ff0000",), legend)
    tops = [scatter.place_of(int(number)).y() for number in NUMBERS]
    assert min(tops) > scatter.field().top() > 0
    assert scatter.words_at(QPointF(14, 7)) == "On-centre"
    image = scatter.grab().toImage()
    assert image.pixelColor(15, 7).name() == "#ff0000"


def test_letters_stand_on_a_point_of_their_class(scatter: ScatterView) -> None:
    assert scatter.letters == []  # its colours are no classes
    legend = Legend(
        tuple((CLASSES[i].light, CLASSES[i].short) for i in range(5)),
        classes=tuple(range(5)),
    )
    colours = tuple(item.light for item in CLASSES)
    scatter.set_classes(np.arange(5, dtype=np.uint8), colours, legend)
    assert [index for _, index in scatter.letters] == list(range(5))
    image = scatter.grab().toImage()
    for box, index in scatter.letters:
        place = scatter.place_of(int(NUMBERS[index]))
        assert (box.center() - place).manhattanLength() < 2
        seen = {
            image.pixelColor(x, y).name().upper()
            for x in range(int(box.left()) + 1, int(box.right()))
            for y in range(int(box.top()) + 1, int(box.bottom()))
        }
        ground = luminance(CLASSES[index].light)
        ink = luminance(ink_on(CLASSES[index].light))
        assert CLASSES[index].light in seen
        found = min(abs(luminance(colour) - ink) for colour in seen)
        assert found < abs(ground - ink) / 2
    scatter.set_classes(np.zeros(5, np.uint8), colours, legend)
    assert [index for _, index in scatter.letters] == [0]


def test_kernels_are_drawn_at_dense_places_and_do_not_overlap(
    scatter: ScatterView,
) -> None:
    rng = np.random.default_rng(0)
    points = rng.normal(size=(3000, 2)).astype(np.float32)
    scatter.set_content(ScatterContent(np.arange(3000), points, ("PC1", "PC2")))
    scatter.set_classes(np.zeros(3000, np.uint8), ("#ff0000",))
    assert scatter.thumbnails == []

    def pictures(colour: str) -> Callable[[int, int], QImage]:
        def picture(number: int, side: int) -> QImage:
            image = QImage(side, side, QImage.Format.Format_RGB32)
            image.fill(QColor(colour))
            return image

        return picture

    scatter.set_thumbnail(pictures("#00ff00"))
    boxes = scatter.thumbnails
    assert len(boxes) > 3
    field = scatter.field()
    assert all(field.contains(box) for box in boxes)
    for box, other in itertools.combinations(boxes, 2):
        assert (box & other).width() * (box & other).height() < 0.5 * box.width() ** 2
    centre = boxes[0].center().toPoint()
    assert scatter.grab().toImage().pixelColor(centre).name() == "#00ff00"
    scatter.set_thumbnail(pictures("#0000ff"))
    assert scatter.grab().toImage().pixelColor(centre).name() == "#0000ff"


def test_without_points_it_says_what_would_fill_it(scatter: ScatterView) -> None:
    scatter.set_content(None, "Open a network")
    assert scatter.number_at(QPointF(10, 10)) is None
    assert not scatter.grab().isNull()


def test_polygon_and_cells_agree_with_counting_by_hand() -> None:
    places = to_pixels(POINTS, (-1, 11, -1, 11), 120, 120)
    assert places.tolist()[0] == [10, 110]
    square = np.array([[0, 0], [70, 0], [70, 70], [0, 70]], float)
    assert inside_polygon(places, square).tolist() == [False, False, True, False, True]
    cells = cells_of(np.array([[0, 0], [1, 1], [9, 9], [-1, 0], [10, 0]]), (10, 10), 2)
    assert cells.tolist() == [0, 0, 24, -1, -1]
    spots = np.array([[0, 0], [1, 1], [9, 9], [-1, 0], [10, 0]])
    assert dense_places(cells.astype(np.int32), spots, 2, 5).tolist() == [1]


def test_rasters_put_every_point_inside_on_the_picture() -> None:
    rng = np.random.default_rng(1)
    places = rng.integers(-20, 120, (500, 2)).astype(np.int32)
    palette = np.array([0xFFFFFFFF, 0xFF0000FF], np.uint32)
    classes = np.ones(500, np.uint8)
    picture = draw_points(places, classes, palette, (90, 100), 1)
    inside = places[((places >= 0) & (places < [100, 90])).all(1)]
    drawn = np.argwhere(picture == 0xFF0000FF)[:, ::-1]
    assert {tuple(p) for p in drawn} == {tuple(p) for p in inside}
    cells = cells_of(places, (90, 100), 1)
    density = draw_density(cells, classes, palette, (90, 100), 1)
    assert {tuple(p) for p in np.argwhere(density != 0xFFFFFFFF)[:, ::-1]} == {
        tuple(p) for p in inside
    }
