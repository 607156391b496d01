"""Ranges of codes brushed in the spectrum, by mouse and by keys."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from kernelviewer.gui.theme import LIGHT
from tests.gui.harness import CONTROL, LEFT, NO_KEY, SHIFT
from tests.gui.spectrum_harness import (
    SpectrumHarness,
    at,
    colours_at,
    drag,
    make_spectrum,
    tip,
)

pytestmark = pytest.mark.harness(SpectrumHarness, make_spectrum)


Key = Qt.Key


@pytest.mark.parametrize(
    ("keys", "mode"),
    [
        (NO_KEY, "replace"),
        (SHIFT, "add"),
        (CONTROL, "subtract"),
        (SHIFT | CONTROL, "intersect"),
    ],
)
def test_a_brush_asks_for_a_range_of_codes(
    harness: SpectrumHarness, keys: Qt.KeyboardModifier, mode: str
) -> None:
    drag(harness, harness.view.histogram, 0.6, 0.3, keys)
    (asked,) = harness.of("range_requested")
    assert asked == [pytest.approx(0.3, abs=1e-3), pytest.approx(0.6, abs=1e-3), mode]
    moves = harness.of("range_moved")
    assert moves[-1] == asked
    assert not [name for name, *_ in harness.asked if name == "position"]


def test_brushes_select_what_a_mask_by_hand_selects(harness: SpectrumHarness) -> None:
    codes, histogram = harness.codes, harness.view.histogram
    drag(harness, histogram, 0.1, 0.5)
    drag(harness, histogram, 0.7, 0.8, SHIFT)
    drag(harness, histogram, 0.2, 0.3, CONTROL)
    (a, b, _), (c, d, _), (e, f, _) = harness.of("range_requested")
    expected = (codes >= a) & (codes <= b) | (codes >= c) & (codes <= d)
    expected &= ~((codes >= e) & (codes <= f))
    assert np.array_equal(harness.selected, expected)
    density = histogram.density
    assert density is not None
    assert density.selected.sum() == expected.sum()


def test_the_selected_part_is_in_the_accent_colour(harness: SpectrumHarness) -> None:
    histogram, accent = harness.view.histogram, LIGHT.accent.lower()
    drag(harness, histogram, 0.5, 0.7)
    harness.view.set_ranges(())
    density, bars = histogram.density, histogram.bars
    assert density is not None
    shown = density.shown.reshape(bars, -1).sum(1)
    selected = density.selected.reshape(bars, -1).sum(1)
    grey = LIGHT.neutral.lower()
    for bar in range(2, bars):
        x = histogram.axis.logical(bar / bars) + 1
        colours = colours_at(histogram, x)
        assert (accent in colours) == (selected[bar] > 0)
        assert (grey in colours) == (shown[bar] > selected[bar])


def test_a_brush_is_given_up_with_escape_or_by_hiding(harness: SpectrumHarness) -> None:
    histogram = harness.view.histogram
    blank = histogram.grab().toImage()
    drag(harness, histogram, 0.2, 0.4, drop=False)
    assert histogram.grab().toImage() != blank
    QTest.keyClick(histogram, Key.Key_Escape)
    QTest.mouseRelease(histogram, LEFT, NO_KEY, at(harness, 0.4))
    assert harness.of("range_dropped") == [[]]
    assert histogram.grab().toImage() == blank
    drag(harness, histogram, 0.2, 0.4, drop=False)
    harness.view.hide()
    assert harness.of("range_dropped") == [[], []]
    assert not harness.of("range_requested")


def test_the_edge_of_a_range_can_be_taken(harness: SpectrumHarness) -> None:
    histogram = harness.view.histogram
    harness.view.set_ranges(((0.4, 0.6),))
    QTest.mouseMove(histogram, at(harness, 0.6))
    assert histogram.cursor().shape() == Qt.CursorShape.SizeHorCursor
    QTest.mouseMove(histogram, at(harness, 0.5))
    assert histogram.cursor().shape() == Qt.CursorShape.ArrowCursor
    drag(harness, histogram, 0.6, 0.75)
    drag(harness, histogram, 0.4, 0.2)
    ranges = [asked[:2] for asked in harness.of("range_requested")]
    assert ranges == [
        [pytest.approx(0.4), pytest.approx(0.75, abs=1e-3)],
        [pytest.approx(0.2, abs=1e-3), pytest.approx(0.75, abs=1e-3)],
    ]


def test_keys_make_move_and_clear_a_range(harness: SpectrumHarness) -> None:
    histogram = harness.view.histogram
    harness.view.set_position(0.5)
    for key, keys, low, high in (
        (Key.Key_Right, NO_KEY, 0.48, 0.52),
        (Key.Key_Right, NO_KEY, 0.49, 0.53),
        (Key.Key_Right, SHIFT, 0.49, 0.54),
        (Key.Key_Left, CONTROL, 0.48, 0.54),
        (Key.Key_Left, NO_KEY, 0.47, 0.53),
    ):
        QTest.keyClick(histogram, key, keys)
        assert harness.of("range_requested")[-1] == [
            pytest.approx(low),
            pytest.approx(high),
            "replace",
        ]
    for _ in range(80):
        QTest.keyClick(histogram, Key.Key_Left)
    assert harness.of("range_requested")[-1][:2] == [0, pytest.approx(0.06)]
    QTest.keyClick(histogram, Key.Key_Escape)
    assert harness.of("clear_requested") == [[]]


def test_without_codes_there_is_no_brush(harness: SpectrumHarness) -> None:
    view = harness.view
    view.set_density(None, "Encoding 3 416 kernels…")
    drag(harness, view.histogram, 0.2, 0.6)
    QTest.keyClick(view.histogram, Key.Key_Right)
    assert not harness.of("range_requested")
    assert tip(view.histogram, at(harness, 0.4)) == ""
    written = view.histogram.grab().toImage()
    view.set_density(None, "")
    assert view.histogram.grab().toImage() != written
