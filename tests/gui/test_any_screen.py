"""Whatever the size of window and text: nothing is cut, covered or out of sight."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, Any

import pytest
from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtGui import QFont, QFontMetricsF
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractScrollArea,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QDockWidget,
    QLabel,
    QLineEdit,
    QMenuBar,
    QPushButton,
    QSizePolicy,
    QSlider,
    QTabBar,
    QToolButton,
    QWidget,
)

from kernelviewer.files import resource
from kernelviewer.gui.painting.pixels import caption_font
from kernelviewer.gui.theme import text_size
from tests.gui.conftest import Shared, text_of, wait_idle
from tests.gui.test_random import write_patterns

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from kernelviewer.gui.main_window import MainWindow
    from tests.gui.harness import MakeWindow

SIZES = ((1280, 800), (1024, 700), (2560, 1440), (1600, 1000))
"""In this order: smaller, much larger, and between."""
SCALES = {1.0: SIZES, 1.5: SIZES[1:2], 2.0: SIZES[3:]}
"""Where text so many times as large as usual has to have room; 1.44 are 14 points."""
STATES = ("empty", "open", "comparison", "run", "overview", "keys")
CONTROLS = (
    *(QAbstractButton, QLineEdit, QAbstractSpinBox, QComboBox, QSlider, QLabel),
    *(QTabBar, QMenuBar),
)


@pytest.fixture(scope="module", params=SCALES)
def scale(request: pytest.FixtureRequest, qapp: QApplication) -> Iterator[float]:
    """Text that is so much larger than usual, as on a screen of more dots per inch."""
    with text_of(round(13 * request.param)):
        yield request.param


@pytest.fixture(scope="module")
def empty(scale: float, make_shared: MakeWindow) -> Iterator[Shared]:
    """A window made with such text; nothing is open."""
    window = make_shared()
    yield Shared(window)
    window.close()  # or it would get the next text too


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Two networks."""
    folder = tmp_path_factory.mktemp("two")
    return {
        name: write_patterns(folder / f"{name}.safetensors", seed)
        for seed, name in enumerate(("oak", "elm"))
    }


@pytest.fixture
def show(
    empty: Shared, files: dict[str, Path], qtbot: Any
) -> Callable[[str], MainWindow]:
    """Bring the window to one of the states."""

    def bring(state: str) -> MainWindow:
        names = {"empty": (), "run": (), "open": ("oak",), "comparison": ("oak", "elm")}
        names |= {"overview": ("oak", "elm"), "keys": ("oak",)}
        window = empty.as_made()
        window.opener.open([files[name] for name in names[state]])
        wait_idle(qtbot, window)
        if state == "comparison":
            window.commands["compare"].trigger()
        if state == "run":
            steps = sorted(resource("sample-run").glob("*.safetensors.gz"))
            window.opener.open_run(steps[-3:], "sample-run")
        if state == "overview":
            window.show_overview(True)
        if state == "keys":
            window.docks["keys"].show()
            window.docks["keys"].raise_()
        wait_idle(qtbot, window)
        return window

    return bring


def is_in_sight(widget: QWidget) -> bool:
    """Whether it is shown, and no panel that lies behind another has it."""
    if not widget.isVisible() or widget.visibleRegion().isEmpty():
        return False
    parent = widget
    while (parent := parent.parentWidget()) is not None:
        if isinstance(parent, QDockWidget) and not parent.in_front:
            return False
    return True


def scrolls(widget: QWidget) -> bool:
    """Whether it lies in something that scrolls to it."""
    parent = widget.parentWidget()
    while parent is not None and not parent.isWindow():
        if isinstance(parent.parentWidget(), QAbstractScrollArea):
            return True
        parent = parent.parentWidget()
    return False


def name_of(widget: QWidget) -> str:
    """What to call it in a message."""
    text = widget.text() if hasattr(widget, "text") else ""
    return f"{type(widget).__name__} {widget.objectName() or text!r}"


def place_of(widget: QWidget, window: QWidget) -> QRect:
    """Its box in the window."""
    return QRect(widget.mapTo(window, QPoint(0, 0)), widget.size())


def out_of_sight(window: QWidget, controls: list[QWidget]) -> list[str]:
    """Controls that reach beyond the window or what they lie in."""
    found = []
    for widget in controls:
        parent = widget.parentWidget()
        if scrolls(widget):
            continue
        while parent is not None:
            box = QRect(widget.mapTo(parent, QPoint(0, 0)), widget.size())
            if not parent.rect().contains(box):
                where = f"{box.getRect()} in {name_of(parent)} {parent.size()}"
                found.append(f"{name_of(widget)} reaches beyond: {where}")
                break
            if parent is window:
                break
            parent = parent.parentWidget()
    return found


def overlapping(window: QWidget, controls: list[QWidget]) -> list[str]:
    """Pairs of controls of which one covers the other."""
    found = []
    boxes = [(widget, place_of(widget, window)) for widget in controls]
    for (a, at), (b, bt) in combinations(boxes, 2):
        related = a.isAncestorOf(b) or b.isAncestorOf(a)
        if at.intersects(bt) and not related and scrolls(a) == scrolls(b):
            boxed = f"{at.getRect()} {bt.getRect()}"
            found.append(f"{name_of(a)} and {name_of(b)} overlap: {boxed}")
    return found


def cut(controls: list[QWidget]) -> list[str]:
    """Buttons and labels whose text has not the room that it needs."""
    found = []
    for widget in controls:
        if isinstance(widget, QLabel):
            if widget.sizePolicy().horizontalPolicy() == QSizePolicy.Policy.Ignored:
                continue  # it is shortened
            wide, high = widget.minimumSizeHint().width(), widget.height()
            if widget.wordWrap():
                wide, high = 0, widget.heightForWidth(widget.width())
        elif isinstance(widget, QPushButton | QToolButton):
            hint = widget.minimumSizeHint()
            wide, high = hint.width(), hint.height() - 2  # it is generous
        elif isinstance(widget, QAbstractSpinBox):
            wide, high = widget.fontMetrics().horizontalAdvance(widget.text()) + 8, 0
        else:
            continue
        if wide > widget.width() or high > widget.height():
            has = f"{widget.width()}×{widget.height()} of {wide}×{high}"
            found.append(f"{name_of(widget)} is cut: {has}")
    return found


def cut_titles(window: MainWindow) -> list[str]:
    """Columns of the tree of networks, and keys, whose words have not their room."""
    header, tiles, found = window.parts.tree.tree.header(), window.parts.keys.tiles, []
    font = QFont(window.font())
    font.setPixelSize(text_size("small"))
    for column in range(1, header.count()):
        title = header.model().headerData(column, Qt.Orientation.Horizontal)
        wide = QFontMetricsF(font).horizontalAdvance(title)
        if not header.isSectionHidden(column) and header.sectionSize(column) < wide:
            found.append(f"{title} of {wide}")
    metrics = QFontMetricsF(caption_font(tiles.font()))
    for place, tile in enumerate(tiles.tiles):
        wide = max(map(metrics.horizontalAdvance, tile.texts))
        if wide > tiles.box_of(place).width():
            found.append(f"key {tile.number} of {wide}")
    return found


def faults(window: MainWindow) -> list[str]:
    """What is wrong with the window as it is now."""
    controls = [
        widget
        for widget in window.findChildren(QWidget)
        if isinstance(widget, CONTROLS)
        and is_in_sight(widget)
        and widget.window() is window
        and not (isinstance(widget.parentWidget(), QAbstractSpinBox))
        and not widget.objectName().startswith("qt_")
        and not (isinstance(widget, QLabel) and not widget.text())
    ]
    assert len(controls) > 10
    return [
        *out_of_sight(window, controls),
        *overlapping(window, controls),
        *cut(controls),
        *cut_titles(window),
    ]


@pytest.mark.parametrize("state", STATES)
def test_every_control_is_whole_and_in_the_window(
    show: Callable[[str], MainWindow], state: str, scale: float
) -> None:
    window = show(state)
    for arranged in (False, True):
        for width, height in SCALES[scale]:
            window.resize(width, height)
            QApplication.processEvents()
            if arranged:
                window.layouts.reset()
            for _ in range(3):
                QApplication.processEvents()
            told = f"{state} at {width}×{height}, text × {scale}, {arranged=}"
            assert (window.width(), window.height()) == (width, height), told
            assert faults(window) == [], told
