"""Class histogram and layer composition: what is drawn and what clicks ask for."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QFont, QFontMetricsF
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QScrollBar

from kernelviewer.gui.theme import DARK, LIGHT
from kernelviewer.gui.views.classes.bars import (
    UNIDENTIFIED,
    CompositionBar,
    lay_out_bars,
    place_names,
)
from kernelviewer.gui.views.classes.composition import LayerComposition
from kernelviewer.gui.views.classes.histogram import ClassCounts, ClassHistogram
from kernelviewer.kernels.classes import CLASSES, INDEX, Naming
from tests.gui.conftest import use_colours
from tests.gui.harness import LEFT, NO_KEY

ON, DX = INDEX["on-centre"], INDEX["d1-x"]


def numbers(**counts: int) -> np.ndarray:
    """Counts per class, by id with ``_`` for ``-``."""
    array = np.zeros(len(CLASSES), np.int64)
    for index, item in enumerate(CLASSES):
        array[index] = counts.get(item.id.replace("-", "_"), 0)
    return array


@pytest.fixture
def histogram(qtbot: Any) -> ClassHistogram:
    view = ClassHistogram()
    qtbot.addWidget(view)
    view.resize(400, 260)
    view.set_counts(
        ClassCounts(
            counts=numbers(on_centre=40, d1_x=20, unidentified=10, flat=5),
            below=numbers(on_centre=10),
        )
    )
    with qtbot.waitExposed(view):
        view.show()
    return view


@pytest.mark.parametrize("tokens", [LIGHT, DARK])
def test_bars_are_as_long_as_their_counts(
    histogram: ClassHistogram, tokens: Any
) -> None:
    use_colours(tokens)
    image = histogram.grab().toImage()

    def length(index: int) -> int:
        box = histogram.bar_box(index).toRect()
        item = CLASSES[index]
        wanted = (item.dark if tokens.dark else item.light).lower()
        y = box.center().y()
        line = [image.pixelColor(x, y).name() for x in range(box.left(), box.right())]
        return line.count(wanted)

    first, derivative = length(ON), length(DX)
    assert first == pytest.approx(2 * derivative, abs=3)
    assert length(INDEX["off-centre"]) == 0


def test_a_click_asks_for_the_class(histogram: ClassHistogram, qtbot: Any) -> None:
    place = histogram.bar_box(DX).center().toPoint()
    with qtbot.waitSignal(histogram.classes_requested) as asked:
        QTest.mouseClick(histogram, LEFT, Qt.KeyboardModifier.ShiftModifier, place)
    assert asked.args[0] == frozenset({"d1-x"})
    assert asked.args[1] & Qt.KeyboardModifier.ShiftModifier


def test_only_a_left_click_on_a_row_asks(histogram: ClassHistogram) -> None:
    asked: list[object] = []
    histogram.classes_requested.connect(lambda *values: asked.append(values))
    place = histogram.bar_box(DX).center().toPoint()
    QTest.mouseClick(histogram, Qt.MouseButton.RightButton, NO_KEY, place)
    QTest.mouseClick(histogram, LEFT, NO_KEY, QPoint(place.x(), 1))
    assert not asked
    assert histogram.row_at(QPointF(place.x(), 1)) is None


def test_the_tip_names_count_share_and_what_is_below(
    histogram: ClassHistogram,
) -> None:
    tip = histogram.tip(ON)
    assert "40 kernels" in tip
    assert "53.3" in tip
    assert "10 more below" in tip


@pytest.mark.parametrize("pixels", [13, 19])
@pytest.mark.parametrize("size", [(345, 180), (345, 240), (300, 220), (700, 160)])
def test_rows_never_overlap_and_all_are_reached(
    histogram: ClassHistogram, size: tuple[int, int], pixels: int
) -> None:
    font = QFont(histogram.font())
    font.setPixelSize(pixels)
    histogram.setFont(font)
    histogram.resize(*size)
    scheme = Naming("family", "fine").scheme("family")
    counts = numbers()
    counts[list(scheme.rows)] = 480
    histogram.set_counts(ClassCounts(counts, numbers()), scheme=scheme)
    QApplication.processEvents()
    rows, view = histogram.rows, histogram.rect().toRectF()
    assert len(rows) > 20
    boxes = [histogram.row_box(index) for index in rows]
    letters = QFontMetricsF(histogram._font(boxes[0].height())).capHeight()
    assert boxes[0].height() > 1.25 * letters
    for one, other in itertools.pairwise(boxes):
        assert other.top() >= one.bottom() - 0.01 or other.left() >= one.right()
    bar = histogram.findChild(QScrollBar, "classScroll")
    assert all(map(view.contains, boxes)) != bar.isVisible()
    histogram.setFocus()
    QTest.keyClick(histogram, Qt.Key.Key_End)
    assert view.contains(histogram.row_box(rows[-1]))
    QTest.keyClick(histogram, Qt.Key.Key_Home)
    assert view.contains(histogram.row_box(rows[0]))
    assert not histogram.grab().isNull()


def test_without_counts_it_says_what_would_fill_it(
    histogram: ClassHistogram, qtbot: Any
) -> None:
    histogram.set_counts(None, "Open a network")
    with qtbot.assertNotEmitted(histogram.classes_requested):
        QTest.mouseClick(histogram, LEFT, NO_KEY, QPoint(100, 50))
    assert not histogram.grab().isNull()


@pytest.fixture
def composition(qtbot: Any) -> LayerComposition:
    view = LayerComposition()
    qtbot.addWidget(view)
    view.resize(400, 260)
    view.set_bars(
        (
            CompositionBar("a", "0", "stage.0", 1, tuple(numbers(on_centre=3, flat=1))),
            CompositionBar("b", "1", "stage.1", 1, tuple(numbers(d1_x=2, d1_y=2))),
            CompositionBar("c", "0", "stage.0", 2, tuple(numbers(d2_xy=7))),
        )
    )
    with qtbot.waitExposed(view):
        view.show()
    return view


def test_parts_of_a_bar_share_its_height(composition: LayerComposition) -> None:
    box = composition.boxes()[1]
    lower = composition.part_at(QPointF(box.center().x(), box.bottom() - 2))
    upper = composition.part_at(QPointF(box.center().x(), box.top() + 2))
    assert [CLASSES[part[1]].id for part in (lower, upper)] == ["d1-x", "d1-y"]


def test_models_stand_apart(composition: LayerComposition) -> None:
    first, second, third = composition.boxes()
    assert third.left() - second.right() > second.left() - first.right() + 5


def test_clicks_ask_for_a_part_or_for_the_layer(
    composition: LayerComposition, qtbot: Any
) -> None:
    box = composition.boxes()[0]
    with qtbot.waitSignal(composition.part_requested) as asked:
        QTest.mouseClick(
            composition,
            LEFT,
            NO_KEY,
            QPoint(int(box.center().x()), int(box.bottom()) - 3),
        )
    assert asked.args[:2] == ["a", "on-centre"]
    with qtbot.waitSignal(composition.layer_requested) as layer:
        QTest.mouseClick(
            composition,
            LEFT,
            NO_KEY,
            QPoint(int(box.center().x()), int(box.bottom()) + 8),
        )
    assert layer.args[0] == "a"


def test_two_hundred_layers_stay_legible(composition: LayerComposition) -> None:
    counts = tuple(numbers(on_centre=1).tolist())
    composition.set_bars(
        tuple(CompositionBar(i, f"s.{i}", f"s.{i}", 0, counts) for i in range(200))
    )
    boxes = composition.boxes()
    assert all(box.width() >= 4 for box in boxes)
    assert all(b.left() >= a.right() for a, b in itertools.pairwise(boxes))
    scroll = composition.findChild(QScrollBar)
    assert scroll.isVisible()
    QTest.keyClick(composition, Qt.Key.Key_End)
    last = composition.boxes()[-1]
    assert 0 < last.left() < last.right() <= composition.width()
    assert not composition.grab().isNull()


@pytest.mark.parametrize("count", [1, 3, 17, 60, 200])
@pytest.mark.parametrize("label", ["{}", "stages.{}.blocks"])
def test_names_of_layers_never_overlap(count: int, label: str) -> None:
    bars = [
        CompositionBar(i, label.format(i), "", i // 40, tuple(numbers(d1_x=1)))
        for i in range(count)
    ]
    row = lay_out_bars(bars, 300, 6, 100)
    placed = place_names(bars, row, lambda text: 6.0 * len(text))
    assert placed
    assert placed[0].start == 0
    for name, following in itertools.pairwise(placed):
        assert name.left + name.width <= following.left


def test_layers_without_room_are_named_by_their_module() -> None:
    bars = [
        CompositionBar(number, f"{number // 3}.slkab.slka.conv3_{number}", "", 0, (1,))
        for number in range(21)
    ]
    row = lay_out_bars(bars, 300, 6, 100)
    placed = place_names(bars, row, lambda text: 6.0 * len(text))
    assert [name.text for name in placed] == list("0123456")
    assert [(name.start, name.stop) for name in placed][:2] == [(0, 3), (3, 6)]
    assert placed[-1].left + placed[-1].width <= row.width


def test_keys_walk_over_layers_and_classes(
    composition: LayerComposition, qtbot: Any
) -> None:
    QTest.keyClick(composition, Qt.Key.Key_Right)
    QTest.keyClick(composition, Qt.Key.Key_Up)
    assert "stage.1" in composition.accessibleDescription()
    with qtbot.waitSignal(composition.part_requested) as asked:
        QTest.keyClick(composition, Qt.Key.Key_Space)
    assert asked.args[:2] == ["b", "d1-y"]
    with qtbot.waitSignal(composition.layer_requested) as layer:
        QTest.keyClick(composition, Qt.Key.Key_Return)
    assert layer.args[0] == "b"
    QTest.keyClick(composition, Qt.Key.Key_End)
    QTest.keyClick(composition, Qt.Key.Key_Right)
    with qtbot.waitSignal(composition.part_requested) as asked:
        QTest.keyClick(composition, Qt.Key.Key_Space)
    assert asked.args[:2] == ["c", "d2-xy"]


def test_the_best_class_of_the_unidentified_can_be_shown(
    composition: LayerComposition,
) -> None:
    counts = tuple(numbers(on_centre=2, unidentified=2))
    below = tuple(numbers(d1_x=1, d1_y=1))
    bar = CompositionBar("a", "0", "stage.0", 1, counts, below=below)
    composition.set_bars((bar,))
    box = composition.boxes()[0]
    stacked = bar.stacked(box)
    assert [(CLASSES[i].id, pale) for i, _, pale in stacked] == [
        ("on-centre", False),
        ("d1-x", True),
        ("d1-y", True),
    ]
    assert sum(part.height() for _, part, _ in stacked) == pytest.approx(box.height())
    place = QPointF(box.center().x(), box.top() + 3)
    assert composition.part_at(place) == (0, UNIDENTIFIED)
    assert "best class of the unidentified: ∂x 1, ∂y 1" in composition.tip((0, None))


def test_the_tip_of_a_layer_has_counts_and_shares(
    composition: LayerComposition,
) -> None:
    tip = composition.tip((0, ON))
    assert "stage.0" in tip
    assert "4 kernels" in tip
    assert "▸ On-centre: 3, 75.0" in tip


def test_keys_walk_over_the_classes(histogram: ClassHistogram, qtbot: Any) -> None:
    QTest.keyClick(histogram, Qt.Key.Key_Down)
    QTest.keyClick(histogram, Qt.Key.Key_Down)
    assert histogram.accessibleDescription().startswith(
        "On-square (beside the middle): 0"
    )
    with qtbot.waitSignal(histogram.classes_requested) as asked:
        QTest.keyClick(histogram, Qt.Key.Key_Space, Qt.KeyboardModifier.ShiftModifier)
    assert asked.args[0] == frozenset({"on-square"})
    assert asked.args[1] & Qt.KeyboardModifier.ShiftModifier


def test_networks_stand_side_by_side_on_one_scale(
    histogram: ClassHistogram, qtbot: Any
) -> None:
    histogram.set_counts(
        tuple(
            ClassCounts(
                numbers(on_centre=n, d1_x=n), numbers(), title=f"net {n}", model=n
            )
            for n in (10, 1000)
        )
    )
    first, second = histogram.bar_box(ON, 0), histogram.bar_box(ON, 1)
    assert first.right() < second.left() <= second.right() <= histogram.width()
    image = histogram.grab().toImage()

    def length(box: Any) -> int:
        y = int(box.center().y())
        line = (image.pixelColor(x, y).name() for x in range(int(box.left()), 400))
        return sum(1 for name in line if name == CLASSES[ON].light.lower())

    assert length(second) == pytest.approx(length(first) - length(second), abs=2)
    assert "net 10" in histogram.tip(ON, 0)
    place = second.center().toPoint()
    with qtbot.waitSignal(histogram.model_class_requested) as asked:
        QTest.mouseClick(histogram, LEFT, NO_KEY, place)
    assert asked.args[:2] == [1000, "on-centre"]
    QTest.keyClick(histogram, Qt.Key.Key_Left)
    with qtbot.waitSignal(histogram.model_class_requested) as asked:
        QTest.keyClick(histogram, Qt.Key.Key_Space)
    assert asked.args[:2] == [10, "on-centre"]


def test_many_networks_are_scrolled_through(histogram: ClassHistogram) -> None:
    histogram.set_counts(
        tuple(
            ClassCounts(numbers(d1_x=5), numbers(), title=f"net {n}", model=n)
            for n in range(12)
        )
    )
    assert histogram.bar_box(ON, 11).left() > histogram.width()
    for _ in range(11):
        QTest.keyClick(histogram, Qt.Key.Key_Right)
    assert histogram.bar_box(ON, 11).right() <= histogram.width()
    assert not histogram.grab().isNull()
