"""The reconstruction: picture, facts, and the kernels near the code."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel

from kernelviewer.gui.theme import DARK, LIGHT
from kernelviewer.gui.views.grid.colours import weight_colours
from kernelviewer.gui.views.reconstruction.content import ReconstructionContent
from kernelviewer.kernels.classes import INDEX
from tests.gui.conftest import use_colours
from tests.gui.harness import LEFT, NO_KEY
from tests.gui.reconstruction_harness import (
    FIT,
    SIZES,
    make_content,
    make_near,
    texts,
)
from tests.gui.spectrum_harness import pattern, tip

if TYPE_CHECKING:
    from PySide6.QtWidgets import QApplication
    from pytestqt.qtbot import QtBot

    from kernelviewer.gui.views.reconstruction.view import ReconstructionView

Key = Qt.Key


def test_the_picture_shows_the_taps_in_whole_pixels(
    view: ReconstructionView,
) -> None:
    picture = view.picture.grab().toImage()
    place = view.picture.picture_rect()
    side = place.width() / 7
    assert side == int(side)
    colours = np.round(weight_colours("signed", LIGHT)).astype(int)
    taps = pattern("d1-y", (7, 7))
    for (row, column), value in np.ndenumerate(taps):
        share = value / np.abs(taps).max()
        level = round((len(colours) - 1) / 2 * (1 + share))
        x, y = int((column + 0.5) * side), int((row + 0.5) * side)
        colour = picture.pixelColor(x, y)
        rgb = np.array([colour.red(), colour.green(), colour.blue()])
        assert np.abs(rgb - colours[level]).max() <= 3


def test_class_and_family_are_said(view: ReconstructionView) -> None:
    said = texts(view)
    for text in ("∂y", "cos 0.93", "0.71, 1.18 px", "0°", "0.02, −0.11 px", "family"):
        assert text in said
    view.set_content(replace(make_content(), class_index=INDEX["d2-y"]))
    assert "∂²y" in texts(view)
    assert "family: ∂y" in texts(view)
    view.set_content(replace(make_content(), class_index=None, family=None))
    assert "not named" in texts(view)
    assert texts(view).count("–") == 4
    nan = float("nan")
    view.set_content(replace(make_content(), family=replace(FIT, angle=nan)))
    assert "–°" not in texts(view)
    assert "–" in texts(view)


@pytest.mark.parametrize("name", ["on-centre", "off-square", "d2-xy"])
@pytest.mark.parametrize("width", [240, 300, 520, 700, 1100])
def test_no_text_is_cut_and_no_parts_overlap(
    view: ReconstructionView, qapp: QApplication, name: str, width: int
) -> None:
    view.resize(width, 560)
    view.set_content(replace(make_content(), class_index=INDEX[name]))
    qapp.processEvents()
    for label in view.findChildren(QLabel):
        if label.isVisible() and label is not view.unit and label.text():
            assert label.width() >= label.sizeHint().width(), label.text()
    parts = (
        view.picture,
        view.facts,
        view.values,
        view.surface,
        view.nearest,
    )
    rects = [part.geometry() for part in parts]
    for index, rect in enumerate(rects):
        assert rect.left() >= 0
        assert rect.right() <= width
        others = rects[index + 1 :]
        assert not any(rect.intersects(other) for other in others)


def test_values_are_written_when_wished(view: ReconstructionView) -> None:
    QTest.mouseClick(view.values, LEFT)
    assert view.values.text() == "Hide Values"
    assert view.picture.has_room_for_values()
    assert view.unit.text() == "taps × 10⁻¹"
    written = view.picture.grab().toImage()
    view.picture.set_values(False)
    assert view.picture.grab().toImage() != written
    view.set_content(make_content(size=(51, 51)))
    assert "hover" in view.unit.text()
    QTest.mouseClick(view.values, LEFT)
    assert view.unit.text() == ""


def test_hovering_says_the_value_of_a_tap(view: ReconstructionView) -> None:
    taps = pattern("d1-y", (7, 7))
    side = view.picture.picture_rect().width() / 7
    place = QPoint(int(3.5 * side), int(1.5 * side))
    text = f"row 1, column 3: {taps[1, 3]:.4g}".replace("-", "−")
    assert tip(view.picture, place) == text
    beside = view.picture.picture_rect().right() + 1
    assert view.picture.tip_at(QPointF(beside, 2)) == ""


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("width", [280, 800])
def test_any_kernel_size_is_shown(
    view: ReconstructionView, size: tuple[int, ...], width: int
) -> None:
    taps = np.random.default_rng(0).standard_normal(size).astype(np.float32)
    view.set_content(ReconstructionContent(0.3, taps, 4))
    view.set_nearest(make_near(12, size))
    view.resize(width, 500)
    for values in (True, False):
        view.set_values(values)
        ground = view.grab().toImage().pixelColor(2, 2)
        place = view.picture.picture_rect()
        assert view.picture.rect().toRectF().contains(place)
        image = view.picture.grab().toImage()
        columns = range(int(place.width()))
        middle = int(place.height() / 2)
        assert any(image.pixelColor(x, middle) != ground for x in columns)
    last = view.nearest.kernel_rect(11)
    assert view.nearest.rect().contains(last)


def test_the_strongest_slice_of_a_3d_kernel_is_the_surface(
    view: ReconstructionView,
) -> None:
    taps = np.full((3, 5, 5), 0.01, np.float32)
    taps[2] = pattern("d1-x", (5, 5))
    view.set_content(ReconstructionContent(0.5, taps))
    assert view.slice.text() == "slice 3 of 3"
    view.set_content(make_content())
    assert view.slice.text() == ""


def test_without_a_code_the_view_says_what_to_do(
    view: ReconstructionView,
) -> None:
    view.set_content(None)
    assert texts(view) == [
        "Drag the slider of the spectrum: the kernel of its code appears here."
    ]
    view.set_message("No autoencoder for 9×9 kernels.")
    assert texts(view) == ["No autoencoder for 9×9 kernels."]
    view.set_content(make_content())
    assert view.picture.isVisible()


def test_both_themes_have_their_own_colours(view: ReconstructionView) -> None:
    def swatch() -> str:
        return view.facts.class_line.swatch.grab().toImage().pixelColor(5, 5).name()

    assert swatch() == "#949618"
    light = view.surface.grab().toImage()
    use_colours(DARK)
    view.set_colours(weight_colours("signed", replace(LIGHT, panel=DARK.panel)))
    assert swatch() == "#bfc317"
    assert view.surface.grab().toImage() != light


def test_a_click_asks_for_a_kernel(view: ReconstructionView, qtbot: QtBot) -> None:
    place = view.nearest.kernel_rect(3).center()
    with qtbot.waitSignal(view.kernel_requested) as asked:
        QTest.mouseClick(view.nearest, LEFT, NO_KEY, place)
    assert asked.args == [103]
    between = QPoint(view.nearest.kernel_rect(0).right() + 3, place.y())
    assert view.nearest.index_at(between) is None


def test_keys_walk_through_the_nearest_and_ask(
    view: ReconstructionView,
) -> None:
    asked: list[int] = []
    view.kernel_requested.connect(asked.append)
    nearest = view.nearest
    columns = sum(
        nearest.kernel_rect(i).top() == nearest.kernel_rect(0).top() for i in range(8)
    )
    assert 1 < columns < 8
    for key in (Key.Key_Left, Key.Key_Right, Key.Key_Down, Key.Key_Down):
        QTest.keyClick(nearest, key)
    QTest.keyClick(nearest, Key.Key_Return)
    assert asked == [101 + columns]
    text = f"cosine {0.99 - (1 + columns) / 100:.3f}"
    assert nearest.accessibleDescription().startswith(text)


def test_cosine_and_origin_are_in_the_tooltip(
    view: ReconstructionView,
) -> None:
    place = view.nearest.kernel_rect(2).center()
    assert tip(view.nearest, place) == "cosine 0.970\nblocks.2, channel 3"
    QTest.mouseMove(view.nearest, place)
    assert view.nearest.cursor().shape() == Qt.CursorShape.PointingHandCursor


def test_without_near_kernels_nothing_is_asked(
    view: ReconstructionView,
) -> None:
    asked: list[int] = []
    view.kernel_requested.connect(asked.append)
    place = view.nearest.kernel_rect(0).center()
    view.set_nearest(())
    QTest.mouseClick(view.nearest, LEFT, NO_KEY, place)
    for key in (Key.Key_Right, Key.Key_Return):
        QTest.keyClick(view.nearest, key)
    assert asked == []
    assert "Nearest kernels" not in texts(view)


def test_setters_never_ask(view: ReconstructionView) -> None:
    asked: list[int] = []
    view.kernel_requested.connect(asked.append)
    for content in (make_content("on-cross"), None, make_content(size=(3, 3))):
        view.set_content(content)
        view.set_nearest(make_near(3, (3, 3)))
        view.set_values(True)
        use_colours(DARK)
    assert asked == []
