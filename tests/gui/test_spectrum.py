from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, Qt
from PySide6.QtGui import QAccessible, QHelpEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QToolTip

from kernelviewer.gui.theme import DARK, LIGHT
from kernelviewer.gui.views.grid.colours import GridTheme, weight_colours
from kernelviewer.gui.views.spectrum import no_autoencoder, player
from tests.gui.spectrum_desk import SpectrumDesk, make_spectrum

if TYPE_CHECKING:
    from collections.abc import Callable

    from PySide6.QtWidgets import QWidget
    from pytestqt.qtbot import QtBot

    from kernelviewer.gui.views.spectrum import SpectrumContent

NONE = Qt.KeyboardModifier.NoModifier
SHIFT = Qt.KeyboardModifier.ShiftModifier
CTRL = Qt.KeyboardModifier.ControlModifier
LEFT = Qt.MouseButton.LeftButton
Key = Qt.Key


@pytest.fixture
def make_desk(qtbot: QtBot) -> Callable[..., SpectrumDesk]:
    def make(content: SpectrumContent | None, width: int = 1100) -> SpectrumDesk:
        desk = SpectrumDesk(content, width)
        qtbot.addWidget(desk.view)
        desk.view.set_colours(weight_colours("signed", GridTheme()))
        return desk

    return make


@pytest.fixture
def desk(make_desk: Callable[..., SpectrumDesk]) -> SpectrumDesk:
    return make_desk(make_spectrum())


def at(desk: SpectrumDesk, z: float, y: int = 8) -> QPoint:
    """Where a code lies on any strip."""
    return QPoint(round(desk.view.slider.axis.logical(z)), y)


def drag(
    desk: SpectrumDesk,
    widget: QWidget,
    start: float,
    end: float,
    keys: Qt.KeyboardModifier = NONE,
    *,
    drop: bool = True,
) -> None:
    QTest.mousePress(widget, LEFT, keys, at(desk, start))
    QTest.mouseMove(widget, at(desk, (start + end) / 2))
    QTest.mouseMove(widget, at(desk, end))
    if drop:
        QTest.mouseRelease(widget, LEFT, keys, at(desk, end))


def wheel(
    widget: QWidget,
    *,
    angle: int = 0,
    pixels: int = 0,
    keys: Qt.KeyboardModifier = NONE,
) -> None:
    """Turn the wheel over a widget, as the window system would."""
    window = widget.window()
    place = widget.mapTo(window, widget.rect().center())
    turn, way = QPoint(0, angle), QPoint(0, pixels)
    QTest.wheelEvent(window.windowHandle(), place, turn, way, keys)


def colours_at(widget: QWidget, x: float) -> set[str]:
    """Colours on the screen in one column of pixels."""
    picture = widget.grab().toImage()
    ratio = picture.devicePixelRatio()
    rows = range(picture.height())
    return {picture.pixelColor(int(x * ratio), row).name() for row in rows}


def tip(widget: QWidget, place: QPoint) -> str:
    event = QHelpEvent(QEvent.Type.ToolTip, place, widget.mapToGlobal(place))
    QApplication.sendEvent(widget, event)
    text = QToolTip.text()
    QToolTip.hideText()
    return text


# The cursor


def test_the_slider_is_dragged_clicked_and_keeps_its_grip(desk: SpectrumDesk) -> None:
    slider = desk.view.slider
    QTest.mouseClick(slider, LEFT, NONE, at(desk, 0.3))
    assert desk.view.position == pytest.approx(0.3, abs=1e-3)
    drag(desk, slider, 0.3, 0.72)
    assert desk.view.position == pytest.approx(0.72, abs=2e-3)
    count = len(desk.asked)
    QTest.mouseClick(slider, LEFT, NONE, at(desk, 0.72) + QPoint(5, 0))
    assert len(desk.asked) == count
    drag(desk, slider, 0.72, 3.0)
    assert desk.view.position == 1.0
    QTest.mouseMove(slider, at(desk, 0.5))
    assert desk.view.position == 1.0


def test_keys_move_the_cursor(desk: SpectrumDesk) -> None:
    slider = desk.view.slider
    desk.view.set_position(0.5)
    for key, keys, place in (
        (Key.Key_Right, NONE, 0.51),
        (Key.Key_Up, NONE, 0.52),
        (Key.Key_Left, NONE, 0.51),
        (Key.Key_Down, SHIFT, 0.509),
        (Key.Key_Right, SHIFT, 0.51),
        (Key.Key_Home, NONE, 0.0),
        (Key.Key_Left, NONE, 0.0),
        (Key.Key_End, NONE, 1.0),
        (Key.Key_Right, NONE, 1.0),
    ):
        QTest.keyClick(slider, key, keys)
        assert desk.view.position == pytest.approx(place)
    assert desk.asked[-1] == ("position", 1.0)


def test_page_keys_go_from_stretch_to_stretch(desk: SpectrumDesk) -> None:
    view = desk.view
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


def test_the_wheel_moves_the_cursor_over_every_strip(desk: SpectrumDesk) -> None:
    view = desk.view
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
    desk: SpectrumDesk,
) -> None:
    view = desk.view
    for widget in (view.histogram, view.kernels, view.stretches):
        QTest.mouseClick(widget, LEFT, NONE, at(desk, 0.21))
        assert view.position == pytest.approx(0.21, abs=1e-3)
        view.set_position(0.9)
    for widget in (view.kernels, view.stretches):
        drag(desk, widget, 0.21, 0.66)
        assert view.position == pytest.approx(0.66, abs=1e-3)
    assert not desk.of("range_requested")


@pytest.mark.parametrize(
    ("typed", "code"), [("0.25", 0.25), ("0,125", 0.125), ("1", 1.0)]
)
def test_a_typed_code_is_taken_with_enter(
    desk: SpectrumDesk, typed: str, code: float
) -> None:
    field = desk.view.controls.value
    field.selectAll()
    QTest.keyClicks(field, typed)
    assert desk.view.position == 0.0
    QTest.keyClick(field, Key.Key_Return)
    assert desk.view.position == pytest.approx(code)


def test_a_code_beyond_the_ends_cannot_be_typed(desk: SpectrumDesk) -> None:
    field = desk.view.controls.value
    field.selectAll()
    QTest.keyClicks(field, "7.5")
    QTest.keyClick(field, Key.Key_Return)
    assert 0 <= desk.view.position <= 1
    desk.view.set_position(0.8461)
    assert field.text() == "0.846"


def test_the_cursor_goes_through_all_strips(desk: SpectrumDesk) -> None:
    view = desk.view
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
    desk: SpectrumDesk,
) -> None:
    view = desk.view
    view.set_position(0.2)
    before = view.grab().toImage()
    for z in (0.21, 0.9, 0.0, 1.0, 0.435):
        view.set_position(z)
        view.grab()
    view.set_position(0.2)
    assert view.grab().toImage() == before


def test_the_line_below_says_code_class_and_counts(
    desk: SpectrumDesk, qapp: QApplication
) -> None:
    view = desk.view
    view.resize(1600, view.height())
    view.set_position(0.35)
    assert view.controls.name.text() == "On-square"
    assert view.controls.detail.text == "0.344–0.413, family cosine 0.85"
    assert view.controls.count.text == "3\u202f380 kernels"
    drag(desk, view.histogram, 0.2, 0.4)
    qapp.processEvents()
    selected = f"{desk.selected.sum()} of 3\u202f380 kernels selected"
    assert view.controls.count.text == selected
    view.resize(380, view.height())
    qapp.processEvents()
    assert view.controls.detail.text == ""
    assert view.controls.count.text == f"{desk.selected.sum()} of 3\u202f380"


def test_setters_never_ask(desk: SpectrumDesk) -> None:
    view = desk.view
    view.set_position(0.7)
    view.set_position(1.7)
    assert view.position == 1.0
    view.set_mark(0.3)
    view.set_ranges(((0.1, 0.2), (0.6, 0.7)))
    view.set_density(None, "encoding…")
    view.set_theme(DARK)
    view.set_spectrum(make_spectrum((3, 3)))
    view.set_spectrum(None)
    view.set_absence(no_autoencoder((9, 9), 3, named=True))
    assert desk.asked == []


# Playing


def test_playing_goes_to_the_end_and_stops(
    desk: SpectrumDesk, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(player, "SECONDS", 0.2)
    view = desk.view
    QTest.mouseClick(view.controls.play, LEFT)
    assert view.controls.play.accessibleName() == "Pause"
    qtbot.waitUntil(lambda: view.position == 1.0)
    assert not view.player.running
    places = [place for name, place in desk.asked if name == "position"]
    assert places == sorted(places)
    assert len(places) > 1
    assert view.controls.play.accessibleName() == "Play along the spectrum"
    QTest.keyClick(view.slider, Key.Key_Space)
    assert view.player.running
    qtbot.waitUntil(lambda: 0 < view.position < 1)
    QTest.keyClick(view.slider, Key.Key_Space)
    assert not view.player.running


@pytest.mark.parametrize("what", ["slider", "key", "wheel", "strip", "typed", "hidden"])
def test_whatever_the_user_does_stops_playing(desk: SpectrumDesk, what: str) -> None:
    view = desk.view
    QTest.mouseClick(view.controls.play, LEFT)
    assert view.player.running
    match what:
        case "slider":
            QTest.mousePress(view.slider, LEFT, NONE, at(desk, 0.3))
        case "key":
            QTest.keyClick(view.slider, Key.Key_Right)
        case "wheel":
            wheel(view.histogram, angle=120)
        case "strip":
            QTest.mousePress(view.kernels, LEFT, NONE, at(desk, 0.3))
        case "typed":
            view.controls.value.selectAll()
            QTest.keyClicks(view.controls.value, "0.4\r")
        case "hidden":
            view.hide()
    assert not view.player.running


# The brush


@pytest.mark.parametrize(
    ("keys", "mode"),
    [
        (NONE, "replace"),
        (SHIFT, "add"),
        (CTRL, "subtract"),
        (SHIFT | CTRL, "intersect"),
    ],
)
def test_a_brush_asks_for_a_range_of_codes(
    desk: SpectrumDesk, keys: Qt.KeyboardModifier, mode: str
) -> None:
    drag(desk, desk.view.histogram, 0.6, 0.3, keys)
    (asked,) = desk.of("range_requested")
    assert asked == [pytest.approx(0.3, abs=1e-3), pytest.approx(0.6, abs=1e-3), mode]
    moves = desk.of("range_moved")
    assert moves[-1] == asked
    assert not [name for name, *_ in desk.asked if name == "position"]


def test_brushes_select_what_a_mask_by_hand_selects(desk: SpectrumDesk) -> None:
    codes, histogram = desk.codes, desk.view.histogram
    drag(desk, histogram, 0.1, 0.5)
    drag(desk, histogram, 0.7, 0.8, SHIFT)
    drag(desk, histogram, 0.2, 0.3, CTRL)
    (a, b, _), (c, d, _), (e, f, _) = desk.of("range_requested")
    expected = (codes >= a) & (codes <= b) | (codes >= c) & (codes <= d)
    expected &= ~((codes >= e) & (codes <= f))
    assert np.array_equal(desk.selected, expected)
    density = histogram.density
    assert density is not None
    assert density.selected.sum() == expected.sum()


def test_the_selected_part_is_in_the_accent_colour(desk: SpectrumDesk) -> None:
    histogram, accent = desk.view.histogram, LIGHT.accent.lower()
    drag(desk, histogram, 0.5, 0.7)
    desk.view.set_ranges(())
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


def test_a_brush_is_given_up_with_escape_or_by_hiding(desk: SpectrumDesk) -> None:
    histogram = desk.view.histogram
    blank = histogram.grab().toImage()
    drag(desk, histogram, 0.2, 0.4, drop=False)
    assert histogram.grab().toImage() != blank
    QTest.keyClick(histogram, Key.Key_Escape)
    QTest.mouseRelease(histogram, LEFT, NONE, at(desk, 0.4))
    assert desk.of("range_dropped") == [[]]
    assert histogram.grab().toImage() == blank
    drag(desk, histogram, 0.2, 0.4, drop=False)
    desk.view.hide()
    assert desk.of("range_dropped") == [[], []]
    assert not desk.of("range_requested")


def test_the_edge_of_a_range_can_be_taken(desk: SpectrumDesk) -> None:
    histogram = desk.view.histogram
    desk.view.set_ranges(((0.4, 0.6),))
    QTest.mouseMove(histogram, at(desk, 0.6))
    assert histogram.cursor().shape() == Qt.CursorShape.SizeHorCursor
    QTest.mouseMove(histogram, at(desk, 0.5))
    assert histogram.cursor().shape() == Qt.CursorShape.ArrowCursor
    drag(desk, histogram, 0.6, 0.75)
    drag(desk, histogram, 0.4, 0.2)
    ranges = [asked[:2] for asked in desk.of("range_requested")]
    assert ranges == [
        [pytest.approx(0.4), pytest.approx(0.75, abs=1e-3)],
        [pytest.approx(0.2, abs=1e-3), pytest.approx(0.75, abs=1e-3)],
    ]


def test_keys_make_move_and_clear_a_range(desk: SpectrumDesk) -> None:
    histogram = desk.view.histogram
    desk.view.set_position(0.5)
    for key, keys, low, high in (
        (Key.Key_Right, NONE, 0.48, 0.52),
        (Key.Key_Right, NONE, 0.49, 0.53),
        (Key.Key_Right, SHIFT, 0.49, 0.54),
        (Key.Key_Left, CTRL, 0.48, 0.54),
        (Key.Key_Left, NONE, 0.47, 0.53),
    ):
        QTest.keyClick(histogram, key, keys)
        assert desk.of("range_requested")[-1] == [
            pytest.approx(low),
            pytest.approx(high),
            "replace",
        ]
    for _ in range(80):
        QTest.keyClick(histogram, Key.Key_Left)
    assert desk.of("range_requested")[-1][:2] == [0, pytest.approx(0.06)]
    QTest.keyClick(histogram, Key.Key_Escape)
    assert desk.of("clear_requested") == [[]]


def test_without_codes_there_is_no_brush(desk: SpectrumDesk) -> None:
    view = desk.view
    view.set_density(None, "Encoding 3 416 kernels…")
    drag(desk, view.histogram, 0.2, 0.6)
    QTest.keyClick(view.histogram, Key.Key_Right)
    assert not desk.of("range_requested")
    assert tip(view.histogram, at(desk, 0.4)) == ""
    written = view.histogram.grab().toImage()
    view.set_density(None, "")
    assert view.histogram.grab().toImage() != written


# What is drawn


def test_names_are_whole_and_apart_at_every_width(desk: SpectrumDesk) -> None:
    view = desk.view
    assert view.content is not None
    known = {stretch.label for stretch in view.content.stretches}
    counts = []
    for width in (300, 700, 1100, 1600, 2600):
        view.resize(width, view.height())
        names = view.stretches.names()
        counts.append(len(names))
        area = view.stretches.rect().toRectF()
        for index, (text, box) in enumerate(names):
            assert text in known
            assert area.contains(box)
            assert not any(box.intersects(other) for _, other in names[index + 1 :])
    assert counts == sorted(counts)
    assert counts[-1] == len(view.content.stretches)


def test_kernels_stand_at_their_codes_in_whole_pixels(desk: SpectrumDesk) -> None:
    view = desk.view
    assert view.content is not None
    view.set_position(0.0)
    codes = view.kernels.codes()
    picture = view.kernels.grab().toImage()
    assert len(codes) == (view.kernels.axis.length + 2) // 37
    colours = np.round(weight_colours("signed", GridTheme())).astype(int)
    for z in codes[1:]:
        taps = view.content.table[view.content.row_at(z)]
        left = view.kernels.axis.pixel(z) - 35 // 2
        for row in range(7):
            for column in range(7):
                share = taps[row, column] / np.abs(taps).max()
                level = round((len(colours) - 1) / 2 * (1 + share))
                colour = picture.pixelColor(left + 5 * column + 2, 5 * row + 2)
                rgb = np.array([colour.red(), colour.green(), colour.blue()])
                assert np.abs(rgb - colours[level]).max() <= 3


@pytest.mark.parametrize(
    "size", [(3, 3), (9,), (60, 1), (1, 60), (3, 7, 7), (7, 7, 7), (51, 51), (2, 2)]
)
@pytest.mark.parametrize("width", [120, 1100])
def test_any_kernel_size_is_drawn(
    make_desk: Callable[..., SpectrumDesk], size: tuple[int, ...], width: int
) -> None:
    desk = make_desk(make_spectrum(size, 64), width)
    ground = LIGHT.panel.lower()
    places = [desk.view.kernels.axis.logical(z) for z in desk.view.kernels.codes()]
    drawn = [colours_at(desk.view.kernels, x) - {ground} for x in places[1:]]
    assert all(drawn)
    assert desk.view.kernels.height() < 120


def test_both_themes_have_their_own_colours(desk: SpectrumDesk) -> None:
    view = desk.view
    view.set_position(0.05)
    x = view.slider.axis.logical(0.3)
    for tokens, stretch in ((LIGHT, "#882255"), (DARK, "#c4588c")):
        view.set_theme(tokens)
        view.set_colours(weight_colours("signed", GridTheme(panel=tokens.panel)))
        assert tokens.panel.lower() in colours_at(view.histogram, 3)
        assert stretch in colours_at(view.stretches, x)


def test_tooltips_say_what_is_there(desk: SpectrumDesk) -> None:
    view = desk.view
    drag(desk, view.histogram, 0.2, 0.6)
    text = tip(view.histogram, at(desk, 0.3))
    assert "of 3\u202f380 kernels" in text
    assert text.startswith("code 0.")
    text = tip(view.stretches, at(desk, 0.38, 5))
    assert text == "On-square\ncode 0.344–0.413\nfamily cosine 0.85"
    assert "On-square" in tip(view.kernels, at(desk, 0.38))


def test_the_mark_of_the_focused_kernel_is_seen(desk: SpectrumDesk) -> None:
    view = desk.view
    x = view.slider.axis.logical(0.55)
    assert LIGHT.text.lower() not in colours_at(view.slider, x)
    view.set_mark(0.55)
    assert LIGHT.text.lower() in colours_at(view.slider, x)
    view.set_mark(None)
    assert LIGHT.text.lower() not in colours_at(view.slider, x)


# Without a spectrum


def test_without_a_spectrum_the_view_says_what_would_fill_it(
    make_desk: Callable[..., SpectrumDesk],
) -> None:
    desk = make_desk(None)
    view = desk.view
    assert view.absent.isVisible()
    assert "Open a checkpoint" in view.absent.text.text()
    assert not view.absent.train.isVisible()
    view.set_absence(no_autoencoder((9, 9), 1488, named=True))
    assert view.absent.title.text() == "No autoencoder for 9×9 kernels yet"
    QTest.mouseClick(view.absent.train, LEFT)
    assert desk.asked == [("train_requested",)]
    wheel(view, angle=120)
    assert len(desk.asked) == 1
    view.set_spectrum(make_spectrum())
    assert view.slider.isVisible()
    assert not view.absent.isVisible()


def test_a_spectrum_without_names_is_shown(
    make_desk: Callable[..., SpectrumDesk],
) -> None:
    from dataclasses import replace

    desk = make_desk(replace(make_spectrum(), stretches=()))
    QTest.mouseClick(desk.view.stretches, LEFT, NONE, at(desk, 0.4))
    QTest.keyClick(desk.view.slider, Key.Key_PageUp)
    QTest.keyClick(desk.view.stretches, Key.Key_F2)
    assert desk.view.position == pytest.approx(0.4, abs=1e-3)
    assert desk.view.controls.name.text() == ""
    assert desk.view.stretches.names() == []


# For all readers


def test_assistive_technology_reads_and_sets_the_code(desk: SpectrumDesk) -> None:
    view = desk.view
    view.set_position(0.35)
    interface = QAccessible.queryAccessibleInterface(view.slider)
    assert interface.role() == QAccessible.Role.Slider
    assert interface.text(QAccessible.Text.Name) == "Code"
    assert interface.text(QAccessible.Text.Description) == "code 0.350, On-square"
    value = interface.valueInterface()
    assert (value.currentValue(), value.maximumValue()) == (350, 1000)
    value.setCurrentValue(725)
    assert view.position == pytest.approx(0.725)


def test_every_part_has_a_name_and_can_be_reached_by_tab(
    desk: SpectrumDesk, qtbot: QtBot
) -> None:
    view = desk.view
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
