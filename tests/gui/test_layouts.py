"""Panels: presets, moving, closing, restoring, and a window that never grows."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QFont
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QTabBar, QToolButton

from kernelviewer.gui import create_window
from kernelviewer.gui.frame.layouts import AREAS, ARRANGEMENTS
from kernelviewer.gui.frame.panel import TitleLine
from kernelviewer.gui.registry import FLEETING
from kernelviewer.gui.views.welcome import Pages
from kernelviewer.state.model import KernelRef
from tests.gui.conftest import text_of, wait_idle
from tests.gui.harness import CONTROL, LEFT, SHIFT

if TYPE_CHECKING:
    from pathlib import Path

    from kernelviewer.gui.main_window import MainWindow
    from tests.gui.harness import MakeWindow

pytestmark = pytest.mark.networks(channels=24)

KEYS = {"explore": Qt.Key.Key_1, "compare": Qt.Key.Key_2, "label": Qt.Key.Key_3}
SIZES = ((3, 3), (5, 5), (7, 7), (9, 9), (11, 11), (13, 13), (1, 11), (31, 31))


def resize(window: MainWindow, width: int, height: int) -> None:
    """Give the window a size and let it settle."""
    window.resize(width, height)
    QApplication.processEvents()


def is_open(window: MainWindow, name: str) -> bool:
    """Whether a panel is open, in front or behind a tab."""
    return window.docks[name].toggleViewAction().isChecked()


def overlapping(window: MainWindow) -> list[tuple[str, str]]:
    """Pairs of visible panels that cover each other or leave the window."""
    boxes = {"grid": window.centralWidget()} | window.docks
    shown = {
        name: widget.geometry()
        for name, widget in boxes.items()
        if widget.isVisible() and not widget.visibleRegion().isEmpty()
    }
    for bar in window.findChildren(QTabBar, "panelTabs"):
        if bar.isVisible() and bar.count() > 1:
            shown[f"tabs {bar.tabText(0)}"] = bar.geometry()
    names = sorted(shown)
    return [
        (a, b)
        for i, a in enumerate(names)
        for b in [*names[i + 1 :], "window"]
        if (b == "window" and not window.rect().contains(shown[a]))
        or (b != "window" and shown[a].intersects(shown[b]))
    ]


@pytest.fixture
def eight_sizes(tmp_path: Path) -> Path:
    """A network of eight kernel sizes, with names as long as they get."""
    from safetensors.numpy import save_file

    rng = np.random.default_rng(0)
    tensors = {"stem.weight": rng.normal(size=(8, 3, 3, 3)).astype(np.float32)}
    for number, size in enumerate(SIZES):
        block = f"a_stage_with_a_long_name.{number}.mobile_inverted_bottleneck_block"
        kernels = rng.normal(size=(8, 1, *size)).astype(np.float32)
        tensors[f"{block}.conv_dw.weight"] = kernels
        tensors[f"{block}.conv_dw.bias"] = np.zeros(8, np.float32)
        mixing = rng.normal(size=(8, 8, 1, 1)).astype(np.float32)
        tensors[f"{block}.conv_pw.weight"] = mixing
    path = tmp_path / f"{'a-name-that-says-everything-' * 5}.safetensors"
    save_file(tensors, path)
    return path


def test_a_preset_shows_every_panel_and_keeps_the_window(window: MainWindow) -> None:
    for preset, size in itertools.product(KEYS, ((1280, 800), (2560, 1440))):
        resize(window, *size)
        QTest.keyClick(window, KEYS[preset], CONTROL)
        QApplication.processEvents()
        assert (window.width(), window.height()) == size
        closed = [name for name in window.docks if not is_open(window, name)]
        assert set(closed) == {*FLEETING}
        assert overlapping(window) == []
        wished = window.layout().minimumSize()
        assert wished.width() <= 1280
        assert wished.height() <= 800


def test_the_kernels_have_most_of_the_window_and_charts_share_a_place(
    window: MainWindow,
) -> None:
    shares = {(1280, 800): 0.4, (1600, 1000): 0.5, (2560, 1440): 0.5}
    for (width, height), share in shares.items():
        resize(window, width, height)
        window.layouts.reset()
        QApplication.processEvents()
        kernels = window.centralWidget()
        assert kernels.width() * kernels.height() > share * width * height
    behind = window.tabifiedDockWidgets(window.docks["classes"])
    assert {window.docks["composition"], window.docks["scatter"]} <= {*behind}


def test_a_panel_that_has_nothing_to_say_is_folded_to_its_title(
    window: MainWindow,
) -> None:
    resize(window, 1600, 1000)
    window.layouts.reset()
    QApplication.processEvents()
    dock, grid, models = (
        window.docks["reconstruction"],
        window.parts.grid,
        window.docks["models"],
    )
    for height in (1600, 1000):
        resize(window, 1600, height)
        assert dock.folded == (height == 1000), "only where there is little room"
    assert dock.height() < 60
    assert not window.parts.reconstruction.isVisible()
    before, tall = grid.size(), models.height()
    window.document.set_position(0.3)
    QApplication.processEvents()
    assert window.parts.reconstruction.isVisible()
    assert dock.height() > 150
    assert models.height() < tall
    assert grid.size() == before, "what unfolds takes nothing from the kernels"
    fold = window.findChild(QToolButton, "reconstructionDockFold")
    QTest.mouseClick(fold, LEFT)
    window.document.set_position(0.4)
    QApplication.processEvents()
    assert dock.folded, "it stays as the user has it"
    assert window.parts.reconstruction.content.code == 0.3, "nobody sees it"
    QTest.mouseClick(fold, LEFT)
    assert window.parts.reconstruction.content.code == 0.4
    QTest.mouseClick(fold, LEFT)
    window.layouts.show_panel("inspector")
    QApplication.processEvents()
    assert not window.docks["inspector"].folded
    assert window.parts.inspector.isVisible()
    for click in (True, False):
        QTest.mouseClick(window.findChild(QToolButton, "spectrumDockFold"), LEFT)
        QApplication.processEvents()
        assert (window.docks["spectrum"].height() < 60) == click
        assert overlapping(window) == []


@pytest.mark.parametrize("preset", [preset.id for preset in ARRANGEMENTS])
def test_side_panels_grow_back_in_a_window_that_was_small(
    window: MainWindow, preset: str
) -> None:
    resize(window, 1600, 1000)
    window.use_preset(preset)
    window.document.set_focus(KernelRef(window.state.models[0].id, (7, 7), 3))
    models = window.docks["models"]
    window.resizeDocks([models], [models.width() + 40], Qt.Orientation.Horizontal)
    QApplication.processEvents()
    border = QPoint(models.geometry().right() + 3, models.geometry().center().y())
    QTest.mouseRelease(window, LEFT, Qt.KeyboardModifier.NoModifier, border)

    def sizes() -> dict[str, tuple[int, int]]:
        QApplication.processEvents()
        QApplication.processEvents()
        return {
            name: (dock.width(), dock.height())
            for name, dock in window.docks.items()
            if dock.in_front
        }

    before = sizes()
    for size in ((1024, 700), (1280, 800), (1600, 1000)):
        resize(window, *size)
        sizes()
    now = sizes()
    assert now.keys() == before.keys()
    for name, (width, height) in before.items():
        assert abs(now[name][0] - width) <= 2, name
        assert abs(now[name][1] - height) <= 2, name


def test_the_first_focused_kernel_brings_its_panel_to_the_front(
    window: MainWindow,
) -> None:
    window.layouts.reset()
    QApplication.processEvents()
    inspector, other = window.docks["inspector"], window.docks["reconstruction"]
    assert inspector.visibleRegion().isEmpty()
    window.document.set_focus(KernelRef(window.state.models[0].id, (7, 7), 3))
    QApplication.processEvents()
    assert not inspector.visibleRegion().isEmpty()
    other.raise_()
    window.document.set_focus(KernelRef(window.state.models[0].id, (7, 7), 4))
    QApplication.processEvents()
    assert not other.visibleRegion().isEmpty(), "it stays as the user has it"


def test_a_preset_orders_the_grid_for_its_task(window: MainWindow, qtbot: Any) -> None:
    QTest.keyClick(window, Qt.Key.Key_2, CONTROL)
    wait_idle(qtbot, window)
    assert [group.title for group in window.parts.grid.content.groups] == ["net"]
    QTest.keyClick(window, Qt.Key.Key_3, CONTROL)
    wait_idle(qtbot, window)
    assert window.document.display.group_by == "class"


def test_floating_and_closed_panels_come_back(window: MainWindow) -> None:
    window.docks["spectrum"].setFloating(True)
    close = window.findChild(QToolButton, "classesDockClose")
    QTest.mouseClick(close, LEFT)
    assert not is_open(window, "classes")
    QTest.keyClick(window, Qt.Key.Key_0, CONTROL | SHIFT)
    assert not window.docks["spectrum"].isFloating()
    assert is_open(window, "classes")
    assert overlapping(window) == []


def test_a_closed_panel_is_restored_from_the_menu(window: MainWindow) -> None:
    QTest.mouseClick(window.findChild(QToolButton, "modelsDockClose"), LEFT)
    assert not window.docks["models"].isVisible()
    panels = window.commands["panels"].menu()
    (models,) = [action for action in panels.actions() if action.text() == "Networks"]
    models.trigger()
    assert window.docks["models"].isVisible()


def test_a_panel_is_dragged_off_by_its_title(window: MainWindow) -> None:
    dock = window.docks["models"]
    line = dock.title_line
    start = QPoint(20, line.height() // 2)
    QTest.mousePress(line, LEFT, Qt.KeyboardModifier.NoModifier, start)
    for step in range(1, 12):
        QTest.mouseMove(line, start + QPoint(40 * step, 20 * step))
    QTest.mouseRelease(
        line, LEFT, Qt.KeyboardModifier.NoModifier, start + QPoint(440, 220)
    )
    assert dock.isFloating()
    window.layouts.reset()
    assert not dock.isFloating()
    assert dock.isVisible()


def test_a_title_line_knows_its_least_width_whatever_changes_in_it(
    qtbot: Any,
) -> None:
    """It is not worked out anew each time it is asked for."""
    line = TitleLine("Networks")
    qtbot.addWidget(line)
    line.line.addWidget(QToolButton(line, text="×"))
    line.show()
    before = line.minimumSizeHint()
    line.label.setText("A much longer title than any panel has")
    longer = line.minimumSizeHint()
    assert longer.width() > before.width()
    button = QToolButton(line)
    button.setText("More")
    line.line.addWidget(button)
    button.show()
    assert line.minimumSizeHint().width() > longer.width()
    button.setText("More and more")
    wide = line.minimumSizeHint().width()
    assert wide >= longer.width() + button.minimumSizeHint().width()
    button.hide()
    assert line.minimumSizeHint() == longer
    control = QToolButton(line)
    control.setText("Left out where there is no room")
    line.add_control(control)
    control.show()
    assert line.minimumSizeHint() == longer
    line.label.setFont(QFont(line.label.font().family(), 30))
    assert line.minimumSizeHint().height() > longer.height()


def test_a_title_without_room_is_the_short_one_though_no_control_fits(
    qtbot: Any,
) -> None:
    line = TitleLine("Layer composition", short="Composition")
    qtbot.addWidget(line)
    control = QToolButton()
    control.setText("identified of all the kernels there are ▾")
    line.add_control(control)
    line.resize(line.minimumSizeHint().width() - 10, 36)
    line.show()
    assert line.label.text() == "Composition"
    assert control.isHidden()
    assert line.minimumSizeHint().width() <= line.width()


def test_eight_sizes_and_long_names_do_not_widen_the_window(
    open_anew: MakeWindow, qtbot: Any, small_file: Path, eight_sizes: Path
) -> None:
    window = open_anew(small_file, eight_sizes)
    assert (window.width(), window.height()) == (1280, 800)
    assert window.layout().minimumSize().width() <= 1280
    sizes = window.parts.sizes
    assert sizes.menu.isVisible()
    assert sizes.menu.text().startswith("7×7")
    texts = [action.text().partition(" ")[0] for action in sizes.make_menu().actions()]
    assert len(texts) == len(SIZES)
    sizes.make_menu().actions()[texts.index("1×11")].trigger()
    wait_idle(qtbot, window)
    assert window.document.size == (1, 11)
    assert window.parts.threshold.isVisible()  # the family has one too
    assert window.layout().minimumSize().width() <= 1280
    window.document.show_size((7, 7))
    wait_idle(qtbot, window)
    resize(window, 2560, 1440)
    assert not sizes.menu.isVisible()
    resize(window, 1280, 800)
    assert sizes.menu.isVisible()
    assert overlapping(window) == []


def test_jobs_come_up_without_making_the_window_larger(window: MainWindow) -> None:
    window.layouts.reset()
    window.docks["jobs"].show()
    QApplication.processEvents()
    assert (window.width(), window.height()) == (1280, 800)
    assert overlapping(window) == []


def test_the_first_click_on_a_kernel_moves_no_panel(
    window: MainWindow, qtbot: Any
) -> None:
    window.layouts.reset()
    QApplication.processEvents()
    grid = window.parts.grid
    before = grid.size()
    place = QPoint(60, 60)
    QTest.mouseClick(grid.viewport(), LEFT, pos=place)
    wait_idle(qtbot, window)
    QApplication.processEvents()
    assert window.document.focus is not None
    assert grid.size() == before


def test_names_can_be_read_after_the_window_was_small(window: MainWindow) -> None:
    resize(window, 1440, 900)
    window.commands["layout_explore"].trigger()
    for size in ((1024, 700), (1440, 900)):
        resize(window, *size)
        assert window.docks["models"].width() >= 156
        assert not overlapping(window)


def test_f6_leads_through_every_panel_in_sight(window: MainWindow) -> None:
    resize(window, 1920, 1200)
    QTest.keyClick(window, Qt.Key.Key_1, CONTROL)
    QApplication.processEvents()
    seen = []
    for _ in range(12):
        QTest.keyClick(window, Qt.Key.Key_F6)
        now = QApplication.focusWidget()
        (panel,) = [
            name for name, dock in window.docks.items() if dock.isAncestorOf(now)
        ] or ["grid"]
        seen.append(panel)
    first = seen[: len(set(seen))]
    assert set(first) == {"grid", *window.docks} - {*FLEETING}
    assert seen[len(first)] == first[0]
    QTest.keyClick(window, Qt.Key.Key_F6, SHIFT)
    assert window.isAncestorOf(QApplication.focusWidget())


def test_tabs_have_names_for_those_who_listen(window: MainWindow) -> None:
    window.layouts.reset()
    QApplication.processEvents()
    bars = [bar for bar in window.findChildren(QTabBar) if bar.isVisible()]
    assert bars
    assert all(bar.accessibleName() for bar in bars)


def test_the_arrangement_and_its_preset_are_kept(
    make_window: MakeWindow, qtbot: Any, small_file: Path
) -> None:
    window = make_window(small_file)
    QTest.keyClick(window, Qt.Key.Key_3, CONTROL)
    window.docks["scatter"].close()
    window.close()
    again = create_window()
    qtbot.addWidget(again)
    assert again.layouts.preset == "label"
    assert again.docks["scatter"].isHidden()
    bars = again.findChildren(QTabBar)
    rows = [[bar.tabText(n) for n in range(bar.count())] for bar in bars]
    assert ["Networks", "Reconstruction", "Focused kernel"] not in rows, (
        "of a first start"
    )
    again.layouts.reset()
    assert not again.docks["scatter"].isHidden()


def test_a_page_that_is_not_seen_asks_for_no_room(qtbot: Any) -> None:
    pages = Pages()
    qtbot.addWidget(pages)
    small, large = QLabel("small"), QLabel("large" * 40)
    for page in (small, large):
        pages.addWidget(page)
    assert pages.minimumSizeHint() == small.minimumSizeHint()
    pages.setCurrentWidget(large)
    assert pages.minimumSizeHint() == large.minimumSizeHint()


@pytest.mark.parametrize("preset", [preset.id for preset in ARRANGEMENTS])
def test_the_jobs_panel_never_makes_the_smallest_window_grow(
    window: MainWindow, preset: str
) -> None:
    resize(window, 1024, 700)
    QTest.keyClick(window, KEYS[preset], CONTROL)
    window.parts.jobs_panel.add_error("Open net.pth", "It is cut off", "details")
    QApplication.processEvents()
    assert not window.docks["jobs"].visibleRegion().isEmpty()
    assert (window.width(), window.height()) == (1024, 700)
    assert overlapping(window) == []


def test_in_a_small_window_jobs_lie_before_the_charts_and_take_no_room(
    window: MainWindow,
) -> None:
    window.layouts.reset()
    QApplication.processEvents()
    jobs, height = window.docks["jobs"], window.parts.grid.height()
    window.docks["composition"].raise_()
    QTest.keyClick(window, Qt.Key.Key_J, CONTROL)
    QApplication.processEvents()
    assert not jobs.visibleRegion().isEmpty()
    assert window.parts.grid.height() == height
    window.docks["classes"].raise_()
    QTest.keyClick(window, Qt.Key.Key_J, CONTROL)  # behind: it comes to the front
    assert not jobs.visibleRegion().isEmpty()
    QTest.keyClick(window, Qt.Key.Key_J, CONTROL)
    QApplication.processEvents()
    assert jobs.isHidden()
    assert not window.docks["classes"].visibleRegion().isEmpty()


def menu_of(bar: QTabBar) -> QToolButton:
    """Of the tabs that have no room in a row."""
    return bar.findChild(QToolButton, "moreTabs")


def rows_of_tabs(window: MainWindow) -> list[QTabBar]:
    """The rows of tabs that can be seen in the window."""
    return [
        bar
        for bar in window.findChildren(QTabBar)
        if bar.isVisible() and bar.count() and window.rect().intersects(bar.geometry())
    ]


@pytest.mark.parametrize("size", [(1280, 800), (1440, 900), (1600, 1000)])
def test_names_of_tabs_are_whole_with_every_view_open_and_the_rest_in_a_menu(
    window: MainWindow, qtbot: Any, size: tuple[int, int]
) -> None:
    resize(window, *size)
    window.layouts.reset()
    for name in FLEETING:
        window.docks[name].show()

    def named() -> set[str]:
        bars = rows_of_tabs(window)
        return {bar.tabText(n) for bar in bars for n in range(bar.count())}

    every = {"Classes", "Composition", "PCA", "Run", "Formation", "Keys"}
    qtbot.waitUntil(lambda: every <= named())
    qtbot.waitUntil(
        lambda: all(
            bar.findChild(QToolButton, "moreTabs") for bar in rows_of_tabs(window)
        )
    )
    wait_idle(qtbot, window)
    bars = rows_of_tabs(window)
    hidden = []
    for bar in bars:
        more = menu_of(bar)
        assert bar.isTabVisible(bar.currentIndex())
        for number in range(bar.count()):
            text = bar.tabText(number)
            if bar.isTabVisible(number):
                wide = bar.fontMetrics().horizontalAdvance(text)
                box = bar.tabRect(number)
                assert box.width() >= wide, text
                assert box.right() < (more.x() if more.isVisible() else bar.width())
            else:
                hidden.append((bar, text))
    assert hidden, "they have no room beside each other"
    bar, text = hidden[-1]
    (dock,) = [dock for dock in window.docks.values() if dock.windowTitle() == text]
    more = menu_of(bar)
    assert more.text() == f"{[b for b, _ in hidden].count(bar)} more ▾"
    more.menu().aboutToShow.emit()
    (action,) = [one for one in more.menu().actions() if one.text() == text]
    action.trigger()
    QApplication.processEvents()
    assert dock.in_front
    place = [bar.tabText(n) for n in range(bar.count())].index(text)
    assert bar.isTabVisible(place)
    dock.close()
    QApplication.processEvents()
    assert overlapping(window) == []


def test_an_arrangement_that_comes_back_leaves_no_tabs_of_the_last_one(
    window: MainWindow,
) -> None:
    resize(window, 1440, 900)
    window.use_preset("explore")
    QApplication.processEvents()
    explore = window.dock_layout.text()
    for preset in ("label", "compare"):
        window.use_preset(preset)
        QApplication.processEvents()
        assert window.dock_layout.restore(explore)
        QApplication.processEvents()
        assert overlapping(window) == []
        titles = [b.tabText(n) for b in rows_of_tabs(window) for n in range(b.count())]
        assert sorted(titles) == sorted(set(titles)), preset


def test_a_panel_that_comes_and_goes_leaves_in_front_what_was(
    window: MainWindow,
) -> None:
    docks = window.docks
    docks["scatter"].hide()
    for name in ("keys", "transitions", "keys", "composition", "transitions"):
        window.layouts.show_panel(name)
        QApplication.processEvents()
        docks["jobs"].show()
        docks["jobs"].raise_()
        QApplication.processEvents()
        assert not docks[name].in_front
        docks["jobs"].hide()
        QApplication.processEvents()
        assert docks[name].in_front


def test_panels_lie_beside_each_other_however_large_their_text(
    make_window: MakeWindow, small_file: Path
) -> None:
    with text_of(20):
        window = make_window(small_file, size=(1600, 1000))
        window.use_preset("label")
        assert window.dockWidgetArea(window.docks["inspector"]) == AREAS["right"]
        window.close()
        again = make_window(small_file, size=(1024, 700))
        for preset in ("", "compare", "label"):
            if preset:
                again.resize(1600, 1000)
                again.use_preset(preset)
                again.docks["scatter"].hide()
                QApplication.processEvents()
                again.resize(1024, 700)
                QApplication.processEvents()
                assert again.docks["scatter"].isHidden()
            seen = [dock for dock in again.docks.values() if dock.in_front]
            places = [it.geometry() for it in (*seen, again.centralWidget())]
            for one, other in itertools.combinations(places, 2):
                assert not one.intersects(other), preset
