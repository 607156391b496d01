"""Class histogram and layer composition: what is drawn and what clicks ask for."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtTest import QTest

from kernelviewer.gui.theme import DARK, LIGHT
from kernelviewer.gui.views.classes.composition import CompositionBar, LayerComposition
from kernelviewer.gui.views.classes.histogram import ClassCounts, ClassHistogram
from kernelviewer.kernels.classes import CLASSES

LEFT = Qt.MouseButton.LeftButton
NO_KEY = Qt.KeyboardModifier.NoModifier


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
    histogram.set_theme(tokens)
    image = histogram.grab().toImage()

    def length(index: int) -> int:
        box = histogram.bar_box(index).toRect()
        item = CLASSES[index]
        wanted = (item.dark if tokens.dark else item.light).lower()
        y = box.center().y()
        line = [image.pixelColor(x, y).name() for x in range(box.left(), box.right())]
        return line.count(wanted)

    first, derivative = length(0), length(6)
    assert first == pytest.approx(2 * derivative, abs=3)
    assert length(1) == 0


def test_a_click_asks_for_the_class(histogram: ClassHistogram, qtbot: Any) -> None:
    place = histogram.bar_box(6).center().toPoint()
    with qtbot.waitSignal(histogram.classes_requested) as asked:
        QTest.mouseClick(histogram, LEFT, Qt.KeyboardModifier.ShiftModifier, place)
    assert asked.args[0] == frozenset({"d1-x"})
    assert asked.args[1] & Qt.KeyboardModifier.ShiftModifier


def test_the_tip_names_count_share_and_what_is_below(
    histogram: ClassHistogram,
) -> None:
    tip = histogram.tip(0)
    assert "40 kernels" in tip
    assert "53.3" in tip
    assert "10 more below" in tip


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


def test_two_hundred_layers_fit(composition: LayerComposition) -> None:
    counts = tuple(numbers(on_centre=1).tolist())
    composition.set_bars(
        tuple(CompositionBar(i, f"s.{i}", f"s.{i}", 0, counts) for i in range(200))
    )
    boxes = composition.boxes()
    assert boxes[-1].right() <= composition.width()
    assert all(b.left() >= a.right() for a, b in itertools.pairwise(boxes))
    assert not composition.grab().isNull()
