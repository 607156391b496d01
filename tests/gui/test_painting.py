from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PySide6.QtCore import QPoint
from PySide6.QtGui import QColor, QFont, QHelpEvent, QImage, QPainter
from PySide6.QtWidgets import QApplication, QToolTip

from kernelviewer.gui.painting.classes import class_colour, paint_swatch, swatch_icon
from kernelviewer.gui.painting.kernels import (
    WeightColours,
    amplitudes,
    as_pictures,
    enlarge,
    fit_taps,
    to_image,
)
from kernelviewer.gui.painting.pixels import Ringed, caption_font
from kernelviewer.gui.theme import DARK, LIGHT
from kernelviewer.gui.views.grid.colours import weight_colours
from kernelviewer.kernels.classes import CLASSES, INDEX

if TYPE_CHECKING:
    from PySide6.QtCore import QPointF

GROUND, MISSING = "#FFFFFF", "#123456"


@pytest.fixture
def paints() -> WeightColours:
    return WeightColours.of(weight_colours("signed", LIGHT), GROUND, MISSING)


def test_the_ends_of_a_kernel_get_the_ends_of_the_colours(
    paints: WeightColours,
) -> None:
    kernel = np.array([[[-2, 0], [1, 2]]], np.float32)
    pixels = paints.pixels(kernel)[0]
    names = [QColor(int(pixel)).name() for pixel in pixels.ravel()]
    theme = LIGHT
    assert names[0] == theme.negative.lower()
    assert names[1] == theme.panel.lower()
    assert names[3] == theme.positive.lower()
    assert names[2] == paints.colour(0.5).name()
    on_larger_scale = paints.pixels(kernel, np.array([4], np.float32))[0]
    assert QColor(int(on_larger_scale[1, 1])).name() == paints.colour(0.5).name()


def test_taps_that_are_no_numbers_have_a_colour_of_their_own(
    paints: WeightColours,
) -> None:
    kernel = np.array([[np.nan, np.inf, -np.inf, 1.0]], np.float32)
    names = [QColor(int(pixel)).name() for pixel in paints.pixels(kernel[None])[0][0]]
    assert names == [*[MISSING] * 3, LIGHT.positive.lower()]
    nothing = np.full((1, 2, 2), np.nan, np.float32)
    assert amplitudes(nothing).tolist() == [1]
    assert (paints.pixels(nothing) == QColor(MISSING).rgb()).all()


@pytest.mark.parametrize(
    ("size", "shape"),
    [((9,), (1, 9)), ((60, 1), (60, 1)), ((3, 5), (3, 5)), ((3, 5, 7), (5, 23))],
)
def test_kernels_of_any_dimension_become_pictures(
    size: tuple[int, ...], shape: tuple[int, int]
) -> None:
    kernels = np.arange(2 * np.prod(size), dtype=np.float32).reshape(2, *size)
    pictures = as_pictures(kernels)
    assert pictures.shape == (2, *shape)
    assert np.isfinite(pictures).sum() == kernels.size
    if len(size) == 3:
        assert np.array_equal(pictures[1][:, 8:15], kernels[1, 1])


def test_kernels_of_four_dimensions_cannot_be_drawn() -> None:
    with pytest.raises(ValueError, match="4 dimensions"):
        as_pictures(np.zeros((1, 2, 2, 2, 2), np.float32))


@pytest.mark.parametrize(
    ("kernel", "box", "tap"),
    [
        ((7, 7), (100, 36), (5, 5)),
        ((7, 7), (3, 3), (1, 1)),
        ((60, 1), (40, 40), (15, 1)),
        ((1, 9), (64, 40), (7, 15)),
        ((1, 1), (20, 30), (20, 20)),
    ],
)
def test_taps_are_whole_square_and_visible(
    kernel: tuple[int, int], box: tuple[int, int], tap: tuple[int, int]
) -> None:
    assert fit_taps(*kernel, *box) == tap


def test_enlarged_pixels_are_what_is_seen(paints: WeightColours) -> None:
    kernel = np.random.default_rng(0).standard_normal((1, 3, 4)).astype(np.float32)
    pixels = paints.pixels(kernel)[0]
    image = to_image(enlarge(pixels, 5, 2))
    assert (image.width(), image.height()) == (20, 6)
    for (row, column), pixel in np.ndenumerate(pixels):
        assert image.pixel(5 * column + 4, 2 * row) == pixel
    assert to_image(enlarge(pixels, 5, 2)[:, :7]).width() == 7


def test_shade_darkens_and_keeps_the_hue(paints: WeightColours) -> None:
    shares, half = np.array([-1.0, 0.0, 1.0]), np.full(3, 0.5)
    full = [QColor(int(c)) for c in paints.shaded(shares, np.ones(3))]
    dark = [QColor(int(c)) for c in paints.shaded(shares, half)]
    assert [c.name() for c in full] == [paints.colour(s).name() for s in shares]
    for bright, shaded in zip(full, dark, strict=True):
        for a, b in zip(bright.getRgb()[:3], shaded.getRgb()[:3], strict=True):
            assert b == a // 2


@pytest.mark.parametrize("tokens", [LIGHT, DARK])
@pytest.mark.parametrize("index", range(len(CLASSES)))
def test_only_flat_kernels_have_a_hatched_swatch(index: int, tokens: object) -> None:
    tokens = LIGHT if tokens is LIGHT else DARK
    image = QImage(10, 10, QImage.Format.Format_RGB32)
    image.fill(QColor(tokens.panel))
    painter = QPainter(image)
    paint_swatch(painter, image.rect().toRectF(), index, tokens)
    painter.end()
    names = {image.pixelColor(x, y).name() for x in range(10) for y in range(10)}
    if index < INDEX["flat"]:
        assert names == {class_colour(index, dark=tokens.dark).name()}
    else:
        assert len(names) > 2
    assert not swatch_icon(index, tokens, 2.0).isNull()


def test_captions_follow_the_font() -> None:
    small, large = QFont(), QFont()
    small.setPixelSize(13)
    large.setPointSizeF(20)
    assert caption_font(small).pixelSize() == 11
    assert 16 < caption_font(large).pointSizeF() < 18


class Chart(Ringed):
    """Says something of its left half."""

    wished = (200, 90)

    def words_at(self, place: QPointF) -> str | None:
        return "the left half" if place.x() < 100 else None


def test_a_chart_says_its_size_and_what_is_under_the_cursor(qtbot: Any) -> None:
    chart = Chart()
    qtbot.addWidget(chart)
    chart.setToolTip("the whole")
    assert chart.sizeHint().toTuple() == (200, 90)
    assert chart.minimumSizeHint().toTuple() == Ringed.least
    chart.resize(chart.sizeHint())
    chart.show()
    for x, words in ((10, "the left half"), (150, "the whole")):
        at = QPoint(x, 20)
        kind = QHelpEvent.Type.ToolTip
        QApplication.sendEvent(chart, QHelpEvent(kind, at, chart.mapToGlobal(at)))
        assert QToolTip.text() == words
