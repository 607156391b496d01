"""The cursor of the spectrum: dragged, typed, wheeled, played."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

from kernelviewer.gui.theme import DARK, LIGHT
from kernelviewer.gui.views.spectrum import slider
from kernelviewer.gui.views.spectrum.content import no_autoencoder
from tests.gui.conftest import use_colours
from tests.gui.harness import LEFT, NO_KEY, SHIFT
from tests.gui.spectrum_harness import (
    SpectrumHarness,
    at,
    colours_at,
    drag,
    make_spectrum,
    wheel,
)

if TYPE_CHECKING:
    from PySide6.QtWidgets import QApplication
    from pytestqt.qtbot import QtBot

pytestmark = pytest.mark.harness(SpectrumHarness, make_spectrum)


Key = Qt.Key


def test_the_slider_is_dragged_clicked_and_keeps_its_grip(
    harness: SpectrumHarness,
) -> None:
    slider = harness.view.slider
    QTest.mouseClick(slider, LEFT, NO_KEY, at(harness, 0.3))
    assert harness.view.position == pytest.approx(0.3, abs=1e-3)
    drag(harness, slider, 0.3, 0.72)
    assert harness.view.position == pytest.approx(0.72, abs=2e-3)
    count = len(harness.asked)
    QTest.mouseClick(slider, LEFT, NO_KEY, at(harness, 0.72) + QPoint(5, 0))
    assert len(harness.asked) == count
    drag(harness, slider, 0.72, 3.0)
    assert harness.view.position == 1.0
    QTest.mouseMove(slider, at(harness, 0.5))
    assert harness.view.position == 1.0


def test_keys_move_the_cursor(harness: SpectrumHarness) -> None:
    slider = harness.view.slider
    harness.view.set_position(0.5)
    for key, keys, place in (
        (Key.Key_Right, NO_KEY, 0.51),
        (Key.Key_Up, NO_KEY, 0.52),
        (Key.Key_Left, NO_KEY, 0.51),
        (Key.Key_Down, SHIFT, 0.509),
        (Key.Key_Right, SHIFT, 0.51),
        (Key.Key_Home, NO_KEY, 0.0),
        (Key.Key_Left, NO_KEY, 0.0),
        (Key.Key_End, NO_KEY, 1.0),
        (Key.Key_Right, NO_KEY, 1.0),
    ):
        QTest.keyClick(slider, key, keys)
        assert harness.view.position == pytest.approx(place)
    assert harness.asked[-1] == ("position", 1.0)


def test_page_keys_go_from_stretch_to_stretch(harness: SpectrumHarness) -> None:
    view = harness.view
    assert view.content is not None
    middles = [stretch.middle for stretch in view.content.stretches]
    visited = []
    for _ in range(len(middles) + 1):
        QTest.keyClick(view.slider, Key.Key_PageUp)
        visited.append(view.position)
    assert visited == [*middles, middles[-1]]
    for expected in reversed(middles[:-1]):
        QTest.keyClick(view.slider, Key.Key_PageDown)
        assert view.position == expected


def test_the_wheel_moves_the_cursor_over_every_strip(harness: SpectrumHarness) -> None:
    view = harness.view
    for widget in (view.slider, view.histogram, view.stretches, view.kernels):
        view.set_position(0.5)
        wheel(widget, angle=120)
        assert view.position == pytest.approx(0.51)
        wheel(widget, angle=-120, keys=SHIFT)
        assert view.position == pytest.approx(0.509)
        for _ in range(4):
            wheel(widget, angle=30)
        assert view.position == pytest.approx(0.519)
    wheel(view.slider, pixels=100)
    expected = 0.519 + 100 / view.slider.axis.length
    assert view.position == pytest.approx(expected, abs=1e-5)


def test_a_click_on_any_strip_and_a_drag_on_two_move_the_cursor(
    harness: SpectrumHarness,
) -> None:
    view = harness.view
    for widget in (view.histogram, view.kernels, view.stretches):
        QTest.mouseClick(widget, LEFT, NO_KEY, at(harness, 0.21))
        assert view.position == pytest.approx(0.21, abs=1e-3)
        view.set_position(0.9)
    for widget in (view.kernels, view.stretches):
        drag(harness, widget, 0.21, 0.66)
        assert view.position == pytest.approx(0.66, abs=1e-3)
    assert not harness.of("range_requested")


@pytest.mark.parametrize(
    ("typed", "code"), [("0.25", 0.25), ("0,125", 0.125), ("1", 1.0)]
)
def test_a_typed_code_is_taken_with_enter(
    harness: SpectrumHarness, typed: str, code: float
) -> None:
    field = harness.view.controls.value
    field.selectAll()
    QTest.keyClicks(field, typed)
    assert harness.view.position == 0.0
    QTest.keyClick(field, Key.Key_Return)
    assert harness.view.position == pytest.approx(code)


def test_a_code_beyond_the_ends_cannot_be_typed(harness: SpectrumHarness) -> None:
    field = harness.view.controls.value
    field.selectAll()
    QTest.keyClicks(field, "7.5")
    QTest.keyClick(field, Key.Key_Return)
    assert 0 <= harness.view.position <= 1
    harness.view.set_position(0.8461)
    assert field.text() == "0.846"


def test_the_cursor_goes_through_all_strips(harness: SpectrumHarness) -> None:
    view = harness.view
    accent = LIGHT.accent.lower()
    strips = (view.histogram, view.stretches, view.kernels, view.slider)
    for z in (0.0, 0.3, 1.0):
        view.set_position(z)
        for strip in strips:
            assert accent in colours_at(strip, view.slider.axis.logical(z))
            assert strip is view.slider or accent not in colours_at(
                strip, view.slider.axis.logical(0.52)
            )


def test_moving_the_cursor_back_leaves_the_picture_as_it_was(
    harness: SpectrumHarness,
) -> None:
    view = harness.view
    view.set_position(0.2)
    before = view.grab().toImage()
    for z in (0.21, 0.9, 0.0, 1.0, 0.435):
        view.set_position(z)
        view.grab()
    view.set_position(0.2)
    assert view.grab().toImage() == before


def test_the_line_below_says_code_class_and_counts(
    harness: SpectrumHarness, qapp: QApplication
) -> None:
    view = harness.view
    view.resize(1600, view.height())
    view.set_position(0.35)
    assert view.controls.name.text() == "On-square (beside the middle)"
    assert view.controls.detail.text == "0.344–0.413, family cosine 0.85"
    assert view.controls.count.text == "3\u202f380 kernels"
    drag(harness, view.histogram, 0.2, 0.4)
    qapp.processEvents()
    selected = f"{harness.selected.sum()} of 3\u202f380 kernels selected"
    assert view.controls.count.text == selected
    view.resize(440, view.height())
    qapp.processEvents()
    assert view.controls.detail.text == ""
    assert view.controls.count.text == f"{harness.selected.sum()} of 3\u202f380"


def test_setters_never_ask(harness: SpectrumHarness) -> None:
    view = harness.view
    view.set_position(0.7)
    view.set_position(1.7)
    assert view.position == 1.0
    view.set_mark(0.3)
    view.set_ranges(((0.1, 0.2), (0.6, 0.7)))
    view.set_density(None, "encoding…")
    use_colours(DARK)
    view.set_spectrum(make_spectrum((3, 3)))
    view.set_spectrum(None)
    view.set_absence(no_autoencoder((9, 9), 3))
    assert harness.asked == []


def test_playing_goes_to_the_end_and_stops(
    harness: SpectrumHarness, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slider, "SECONDS", 0.2)
    view = harness.view
    QTest.mouseClick(view.controls.play, LEFT)
    assert view.controls.play.accessibleName() == "Pause"
    qtbot.waitUntil(lambda: view.position == 1.0)
    assert not view.player.running
    places = [place for name, place in harness.asked if name == "position"]
    assert places == sorted(places)
    assert len(places) > 1
    assert view.controls.play.accessibleName() == "Play along the spectrum"
    QTest.keyClick(view.slider, Key.Key_Space)
    assert view.player.running
    qtbot.waitUntil(lambda: 0 < view.position < 1)
    QTest.keyClick(view.slider, Key.Key_Space)
    assert not view.player.running


@pytest.mark.parametrize("what", ["slider", "key", "wheel", "strip", "typed", "hidden"])
def test_whatever_the_user_does_stops_playing(
    harness: SpectrumHarness, what: str
) -> None:
    view = harness.view
    QTest.mouseClick(view.controls.play, LEFT)
    assert view.player.running
    match what:
        case "slider":
            QTest.mousePress(view.slider, LEFT, NO_KEY, at(harness, 0.3))
        case "key":
            QTest.keyClick(view.slider, Key.Key_Right)
        case "wheel":
            wheel(view.histogram, angle=120)
        case "strip":
            QTest.mousePress(view.kernels, LEFT, NO_KEY, at(harness, 0.3))
        case "typed":
            view.controls.value.selectAll()
            QTest.keyClicks(view.controls.value, "0.4\r")
        case "hidden":
            view.hide()
    assert not view.player.running
