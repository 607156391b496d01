"""Everything can be reached, named, worked and given up without a mouse or motion."""

from __future__ import annotations

import itertools
from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QAccessible
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractSlider,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QHeaderView,
    QLineEdit,
    QProgressBar,
    QScrollBar,
    QSlider,
    QWidget,
)

from kernelviewer.files import resource
from kernelviewer.gui import theme
from kernelviewer.gui.views.run.charts import Axis, SharesChart
from kernelviewer.gui.views.run.steps import StepsContent, StepsSlider
from kernelviewer.kernels.classes import CLASSES, ink_on, luminance
from tests.gui.conftest import LARGE, Shared, settle_down, wait_idle
from tests.gui.harness import LEFT

if TYPE_CHECKING:
    from kernelviewer.gui.main_window import MainWindow
    from tests.gui.harness import MakeWindow

KINDS = (QAbstractButton, QLineEdit, QAbstractSpinBox, QComboBox, QAbstractSlider)
TAB = Qt.FocusPolicy.TabFocus
DIALOGS = (
    *("export", "export_labels", "train", "null_test", "open_model", "shortcuts"),
    *("glossary", "write_approximated"),
)
"""Commands that ask something."""
LEAST_CONTRAST = 4.5
"""Of text on its ground: WCAG 2.2, 1.4.3."""


@pytest.fixture(scope="module")
def sample(make_shared: MakeWindow) -> Shared:
    """The sample is open, and a kernel is looked at."""
    window = make_shared(resource("sample", "sample.safetensors"), size=LARGE)
    window.acts.focus(3)
    settle_down(window)
    return Shared(window)


@pytest.fixture
def window(sample: Shared) -> MainWindow:
    """The window of the sample."""
    return sample.as_made()


def controls(top: QWidget) -> list[QWidget]:
    """What a person works in a window: neither Qt's own parts nor what is covered."""
    return [
        widget
        for widget in top.findChildren(QWidget)
        if widget.window() is top
        and widget.isVisible()
        and not widget.visibleRegion().isEmpty()
        and (widget.focusPolicy() & TAB or isinstance(widget, KINDS))
        and not isinstance(widget, QScrollBar | QHeaderView)
        and not widget.objectName().startswith("qt_")
        and widget.focusProxy() is None
        and not isinstance(widget.parent(), QLineEdit)  # clears it, as keys do
    ]


def called(widget: QWidget) -> str:
    """What a screen reader calls it."""
    found = QAccessible.queryAccessibleInterface(widget)
    return widget.accessibleName() or found.text(QAccessible.Text.Name)


def bad_names(top: QWidget) -> list[str]:
    """Controls without a name, and names that two controls have."""
    found = controls(top)
    count = Counter(map(called, found))
    return [
        f"{type(w).__name__} {w.objectName()}: {called(w)!r}"
        for w in found
        if not called(w) or count[called(w)] > 1
    ]


def arrange(window: MainWindow, qtbot: Any, place: str) -> None:
    """Show a preset, the overview, or a panel."""
    window.show_overview(place == "overview")
    if place in window.docks:
        window.docks[place].show()
        window.docks[place].raise_()
    elif place != "overview":
        window.use_preset(place)
    wait_idle(qtbot, window)


def test_every_control_has_a_name_of_its_own(window: MainWindow, qtbot: Any) -> None:
    for place in ("explore", "compare", "label", "overview", "keys", "scatter"):
        arrange(window, qtbot, place)
        assert len(controls(window)) > 15, place
        assert bad_names(window) == [], place


@pytest.mark.parametrize("key", [Qt.Key.Key_Tab, Qt.Key.Key_Backtab])
def test_tab_leads_through_the_whole_window(
    window: MainWindow, qtbot: Any, key: Qt.Key
) -> None:
    for place in ("explore", "label", "overview", "keys"):
        arrange(window, qtbot, place)
        window.parts.grid.setFocus()
        if place == "overview":
            controls(window)[0].setFocus()
        assert_tab_reaches_all(window, key)


def assert_tab_reaches_all(window: MainWindow, key: Qt.Key = Qt.Key.Key_Tab) -> None:
    """Every control comes when the key is pressed again and again."""
    stops: list[QWidget] = []
    while (stop := QApplication.focusWidget()) is not None and stop not in stops:
        stops.append(stop)
        QTest.keyClick(stop, key)
    wanted = [w for w in controls(window) if w.isEnabled() and w.focusPolicy() & TAB]
    assert len(wanted) > 8
    assert [w.objectName() for w in wanted if w not in stops] == []
    by_mouse = [w.objectName() for w in controls(window) if not w.focusPolicy() & TAB]
    assert by_mouse == []


def test_space_presses_every_button_as_the_mouse_does(window: MainWindow) -> None:
    buttons = [w for w in controls(window) if isinstance(w, QAbstractButton)]
    buttons = [button for button in buttons if button.isEnabled()]
    assert len(buttons) > 8
    for button in buttons:
        QTest.keyPress(button, Qt.Key.Key_Space)
        assert button.isDown(), button.objectName()
        button.setDown(False)  # what they do is tested elsewhere
        QTest.keyRelease(button, Qt.Key.Key_Space)


def dragged(widget: QWidget, start: QPoint, end: QPoint) -> None:
    """Press, drag, and do not let go."""
    QTest.mousePress(widget, LEFT, pos=start)
    QTest.mouseMove(widget, (start + end) / 2)
    QTest.mouseMove(widget, end)


def test_escape_gives_a_drag_of_the_code_up(window: MainWindow) -> None:
    parts = window.parts.spectrum
    before = window.document.position
    for strip in (parts.slider, parts.kernels):
        dragged(strip, QPoint(strip.width() // 4, 8), QPoint(strip.width() // 3, 8))
        assert window.document.position != before
        QTest.keyClick(strip, Qt.Key.Key_Escape)
        assert window.document.position == pytest.approx(before)
        QTest.mouseMove(strip, QPoint(strip.width() // 2, 8))
        QTest.mouseRelease(strip, LEFT, pos=QPoint(strip.width() // 2, 8))
        assert window.document.position == pytest.approx(before)


def test_escape_gives_a_drag_of_the_threshold_up(window: MainWindow) -> None:
    slider = window.findChild(QSlider, "thresholdSlider")
    before, steps = slider.value(), window.document.undo_name
    middle = slider.rect().center()
    handle = QPoint(round(slider.width() * before / slider.maximum()), middle.y())
    dragged(slider, handle, QPoint(8, middle.y()))
    assert slider.value() != before
    QTest.keyClick(slider, Qt.Key.Key_Escape)
    QTest.mouseMove(slider, QPoint(20, middle.y()))
    assert slider.value() == before
    QTest.mouseRelease(slider, LEFT, pos=QPoint(20, middle.y()))
    assert slider.value() == before
    assert window.document.undo_name == steps


def test_escape_gives_turning_the_surface_up(window: MainWindow, qtbot: Any) -> None:
    window.docks["reconstruction"].raise_()
    wait_idle(qtbot, window)
    surface = window.findChild(QWidget, "kernelSurface")
    before = surface.camera
    dragged(surface, QPoint(20, 20), QPoint(60, 30))
    assert surface.camera != before
    QTest.keyClick(surface, Qt.Key.Key_Escape)
    assert surface.camera == before
    QTest.mouseRelease(surface, LEFT, pos=QPoint(80, 30))
    assert surface.camera == before


def test_escape_gives_moving_the_cloud_up(window: MainWindow, qtbot: Any) -> None:
    window.docks["scatter"].raise_()
    wait_idle(qtbot, window)
    view, middle = window.parts.scatter, Qt.MouseButton.MiddleButton
    view.setFocus()
    before = view._box
    QTest.mousePress(view, middle, pos=QPoint(50, 80))
    QTest.mouseMove(view, QPoint(90, 90))
    assert view._box != before
    QTest.keyClick(view, Qt.Key.Key_Escape)
    assert view._box == before
    QTest.mouseRelease(view, middle, pos=QPoint(90, 90))
    assert not view.zoomed


def test_numbers_of_steps_keep_off_each_other(qtbot: Any) -> None:
    slider = StepsSlider()
    qtbot.addWidget(slider)
    numbers = tuple(range(1000, 1040))
    slider.set_content(StepsContent("run", "step", numbers, 7))
    told = []
    for width in (300, 3000):
        slider.resize(width, 60)
        captions = sorted(slider._captions(slider.content), key=lambda it: it[1])
        wide = slider.fontMetrics().horizontalAdvance
        for (_, left, text), (_, after, _) in itertools.pairwise(captions):
            assert left + 0.7 * wide(text) < after
        told.append([step for step, _, _ in captions])
    assert {0, 7, 39} <= {*told[0]} < {*told[1]}


def test_escape_gives_a_drag_along_a_run_up(qtbot: Any) -> None:
    axis = Axis("step", (0, 10, 20), (0.0, 0.5, 1.0), 1)
    chart, slider = SharesChart(), StepsSlider()
    chart.set_counts(axis, np.ones((3, len(CLASSES)), np.int64))
    slider.set_content(StepsContent("run", "step", (0, 10, 20), 1, (0.1, 0.2, 0.3)))
    for view in (chart, slider):
        qtbot.addWidget(view)
        view.resize(400, 200)
        view.show()
        asked: list[int] = []
        view.step_requested.connect(asked.append)
        dragged(view, QPoint(60, 100), QPoint(370, 100))
        assert asked[-1] == 2
        QTest.keyClick(view, Qt.Key.Key_Escape)
        assert asked[-1] == 1
        count = len(asked)
        QTest.mouseMove(view, QPoint(70, 100))
        QTest.mouseRelease(view, LEFT, pos=QPoint(70, 100))
        assert len(asked) == count


def test_nothing_moves_by_itself(window: MainWindow, qtbot: Any) -> None:
    assert not window.isAnimated()
    panel = window.parts.jobs_panel
    window.docks["jobs"].show()
    panel.add(70, "Long work")
    panel.set_progress(70, 0, 0, "running")
    bars = panel.findChildren(QProgressBar)
    assert bars
    assert [bar for bar in bars if bar.maximum() == bar.minimum()] == []
    assert "running" in panel.rows[70].text.text()
    panel.end(70, "done")
    assert not window.parts.spectrum.player.running


def contrast(text: str, ground: str) -> float:
    """Of two colours ``#RRGGBB``, as WCAG 2.2 defines it, 1 to 21."""
    low, high = sorted((luminance(text), luminance(ground)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("tokens", [theme.LIGHT, theme.DARK])
def test_text_stands_out_from_every_ground(tokens: theme.Tokens) -> None:
    assert contrast("#FFFFFF", "#000000") == pytest.approx(21)
    for name in ("text", "secondary", "error", "accent"):
        for ground in ("window", "panel", "hover", "selected"):
            found = contrast(getattr(tokens, name), getattr(tokens, ground))
            assert found >= LEAST_CONTRAST, (name, ground, found)
    assert contrast(tokens.on_accent, tokens.accent) >= LEAST_CONTRAST


@pytest.mark.parametrize("dark", [False, True])
def test_letters_tell_each_class_and_are_read_on_its_colour(dark: bool) -> None:
    marks = [item.mark for item in CLASSES]
    assert len(set(marks)) == len(CLASSES)
    for item in CLASSES:
        colour = item.dark if dark else item.light
        assert contrast(ink_on(colour), colour) >= LEAST_CONTRAST, item.id


def test_large_parts_of_a_layer_bear_the_letters_of_their_class(
    window: MainWindow, qtbot: Any
) -> None:
    window.docks["composition"].raise_()
    wait_idle(qtbot, window)
    view = window.parts.composition
    image = view.grab().toImage()
    parts = [
        (index, box)
        for bar, at in zip(view.bars, view.boxes(), strict=True)
        for index, box, pale in bar.stacked(at)
        if not pale and box.height() > 18 and box.width() > 24
    ]
    assert parts
    for index, box in parts:
        x, middle = round(box.center().x()), round(box.center().y())
        ground = CLASSES[index].light
        ink = luminance(ink_on(ground))
        seen = {
            image.pixelColor(left, top).name()
            for left in range(x - 8, x + 8)
            for top in range(middle - 5, middle + 5)
        }
        found = min(abs(luminance(colour) - ink) for colour in seen)
        assert found < abs(luminance(ground) - ink) / 2, CLASSES[index].id
