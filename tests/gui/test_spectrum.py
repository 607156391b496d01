"""The spectrum: what is drawn and said, at every width, size and theme."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from kernelviewer.gui.theme import DARK, LIGHT
from kernelviewer.gui.views.grid.colours import weight_colours
from kernelviewer.gui.views.spectrum.content import no_autoencoder
from tests.gui.conftest import use_colours
from tests.gui.harness import LEFT, NO_KEY
from tests.gui.spectrum_harness import (
    SpectrumHarness,
    at,
    colours_at,
    drag,
    make_spectrum,
    tip,
    wheel,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytestqt.qtbot import QtBot

pytestmark = pytest.mark.harness(SpectrumHarness, make_spectrum)


Key = Qt.Key


def test_names_are_whole_and_apart_at_every_width(harness: SpectrumHarness) -> None:
    view = harness.view
    assert view.content is not None
    known = {stretch.label for stretch in view.content.stretches}
    counts = []
    for width in (300, 700, 1100, 1600, 2600):
        view.resize(width, view.height())
        names = view.stretches.names()
        counts.append(len({text for text, _ in names}))
        area = view.stretches.rect().toRectF()
        for index, (text, box) in enumerate(names):
            assert text in known
            assert area.contains(box)
            assert not any(box.intersects(other) for _, other in names[index + 1 :])
    assert counts == sorted(counts)
    assert counts[-1] == len(known)


def test_kernels_stand_at_their_codes_in_whole_pixels(harness: SpectrumHarness) -> None:
    view = harness.view
    assert view.content is not None
    view.set_position(0.0)
    codes = view.kernels.codes()
    picture = view.kernels.grab().toImage()
    assert len(codes) >= 0.8 * (view.kernels.axis.length // 30)
    colours = np.round(weight_colours("signed", LIGHT)).astype(int)
    for z, left in view.kernels.places()[1:]:
        taps = view.content.table[view.content.row_at(z)]
        assert abs(left + 28 // 2 - view.kernels.axis.pixel(z)) <= 28 / 2
        for row in range(7):
            for column in range(7):
                share = taps[row, column] / np.abs(taps).max()
                level = round((len(colours) - 1) / 2 * (1 + share))
                colour = picture.pixelColor(left + 4 * column + 2, 4 * row + 2)
                rgb = np.array([colour.red(), colour.green(), colour.blue()])
                assert np.abs(rgb - colours[level]).max() <= 3


@pytest.mark.parametrize(
    "size", [(3, 3), (9,), (60, 1), (1, 60), (3, 7, 7), (7, 7, 7), (51, 51), (2, 2)]
)
@pytest.mark.parametrize("width", [120, 1100])
def test_any_kernel_size_is_drawn(
    make_harness: Callable[..., SpectrumHarness], size: tuple[int, ...], width: int
) -> None:
    harness = make_harness(make_spectrum(size, 64), width)
    ground = LIGHT.panel.lower()
    strip = harness.view.kernels
    wide = strip.wide
    places = [left + wide // 2 for _, left in strip.places()]
    drawn = [colours_at(harness.view.kernels, x) - {ground} for x in places[1:]]
    assert all(drawn)
    assert harness.view.kernels.height() < 120


def test_both_themes_have_their_own_colours(harness: SpectrumHarness) -> None:
    view = harness.view
    view.set_position(0.05)
    x = view.slider.axis.logical(0.3)
    for tokens, stretch in ((LIGHT, "#522a50"), (DARK, "#b95989")):
        use_colours(tokens)
        view.set_colours(weight_colours("signed", replace(LIGHT, panel=tokens.panel)))
        assert tokens.panel.lower() in colours_at(view.histogram, 3)
        assert stretch in colours_at(view.stretches, x)


def test_tooltips_say_what_is_there(harness: SpectrumHarness) -> None:
    view = harness.view
    drag(harness, view.histogram, 0.2, 0.6)
    text = tip(view.histogram, at(harness, 0.3))
    assert "of 3\u202f380 kernels" in text
    assert text.startswith("code 0.")
    text = tip(view.stretches, at(harness, 0.38, 5))
    assert text == "On-square (beside the middle)\ncode 0.344–0.413\nfamily cosine 0.85"
    assert "On-square" in tip(view.kernels, at(harness, 0.38))


def test_the_mark_of_the_focused_kernel_is_seen(harness: SpectrumHarness) -> None:
    view = harness.view
    x = view.slider.axis.logical(0.55)
    assert LIGHT.text.lower() not in colours_at(view.slider, x)
    view.set_mark(0.55)
    assert LIGHT.text.lower() in colours_at(view.slider, x)
    view.set_mark(None)
    assert LIGHT.text.lower() not in colours_at(view.slider, x)


def test_without_a_spectrum_the_view_says_what_would_fill_it(
    make_harness: Callable[..., SpectrumHarness],
) -> None:
    harness = make_harness(None)
    view = harness.view
    assert view.absent.isVisible()
    assert "Open a checkpoint" in view.absent.text.text()
    assert not view.absent.train.isVisible()
    view.set_absence(no_autoencoder((9, 9), 1488))
    assert view.absent.title.text() == "No autoencoder for 9×9 kernels yet"
    QTest.mouseClick(view.absent.train, LEFT)
    assert harness.asked == [("train_requested",)]
    wheel(view, angle=120)
    assert len(harness.asked) == 1
    view.set_spectrum(make_spectrum())
    assert view.slider.isVisible()
    assert not view.absent.isVisible()


def test_a_spectrum_without_names_is_shown(
    make_harness: Callable[..., SpectrumHarness],
) -> None:
    from dataclasses import replace

    harness = make_harness(replace(make_spectrum(), stretches=()))
    QTest.mouseClick(harness.view.stretches, LEFT, NO_KEY, at(harness, 0.4))
    QTest.keyClick(harness.view.slider, Key.Key_PageUp)
    QTest.keyClick(harness.view.stretches, Key.Key_F2)
    assert harness.view.position == pytest.approx(0.4, abs=1e-3)
    assert harness.view.controls.name.text() == ""
    assert harness.view.stretches.names() == []


def test_assistive_technology_reads_and_sets_the_code(harness: SpectrumHarness) -> None:
    view = harness.view
    view.set_position(0.35)
    interface = QAccessible.queryAccessibleInterface(view.slider)
    assert interface.role() == QAccessible.Role.Slider
    assert interface.text(QAccessible.Text.Name) == "Code"
    assert (
        interface.text(QAccessible.Text.Description)
        == "code 0.350, On-square (beside the middle)"
    )
    value = interface.valueInterface()
    assert (value.currentValue(), value.maximumValue()) == (350, 1000)
    value.setCurrentValue(725)
    assert view.position == pytest.approx(0.725)


def test_every_part_has_a_name_and_can_be_reached_by_tab(
    harness: SpectrumHarness, qtbot: QtBot
) -> None:
    view = harness.view
    names = ("codeHistogram", "spectrumStretches", "spectrumKernels", "latentSlider")
    for name in (*names, "latentValue", "playSpectrum"):
        part = view.findChild(object, name)
        assert part is not None
        assert part.accessibleName()
    with qtbot.waitActive(view):
        view.activateWindow()
    view.slider.setFocus()
    view.histogram.setFocus(Qt.FocusReason.TabFocusReason)
    ringed = view.histogram.grab().toImage()
    assert ringed.pixelColor(0, 20).name() == LIGHT.accent.lower()
    order = []
    for _ in range(5):
        order.append(QApplication.focusWidget().objectName())
        QTest.keyClick(QApplication.focusWidget(), Key.Key_Tab)
    assert order == [
        *("codeHistogram", "spectrumStretches", "latentSlider"),
        *("playSpectrum", "latentValue"),
    ]
    view.slider.setFocus(Qt.FocusReason.TabFocusReason)
    assert view.histogram.grab().toImage() != ringed
