"""The command palette: found by typing, run by Enter, without a mouse."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDialog

from kernelviewer.gui.commands import COMMANDS
from kernelviewer.gui.palette import score
from kernelviewer.kernels.classes import CLASSES
from kernelviewer.state.selection import Classes
from tests.gui.conftest import wait_idle
from tests.gui.harness import CONTROL, SHIFT
from tests.networks import write_network

if TYPE_CHECKING:
    from pathlib import Path

    from kernelviewer.gui.main_window import MainWindow
    from tests.gui.harness import MakeWindow

pytestmark = pytest.mark.networks(channels=24)

KEY = Qt.Key


def search(window: MainWindow, text: str) -> list[tuple[str, str]]:
    """Open the palette and type; kinds and titles of what it finds."""
    QTest.keyClick(window, KEY.Key_K, CONTROL)
    line = window.parts.palette
    assert line.hasFocus()
    assert line.popup.isVisible()
    QTest.keyClicks(line, text)
    return [(entry.kind, entry.title) for entry in line.list.entries]


def press(window: MainWindow, key: Qt.Key, *, shift: bool = False) -> None:
    """Press a key in the palette."""
    modifier = SHIFT if shift else Qt.KeyboardModifier.NoModifier
    QTest.keyClick(window.parts.palette, key, modifier)


@pytest.mark.parametrize(
    ("query", "title"),
    [
        ("exp fig", "Export Figure"),
        ("figure export", "Export Figure"),
        ("color", "Colour map: Grey"),
        ("gray", "Colour map: Grey"),
        ("on-center", "On-centre"),
        ("7x7", "7×7"),
        ("dy", "First derivative ∂y"),
        ("sl", "Select Layer"),
        ("nultst", "Null Test"),
    ],
)
def test_names_are_found_however_they_are_spelt(query: str, title: str) -> None:
    assert score(query, title) is not None


def test_the_nearest_name_comes_first() -> None:
    names = ("Show All Layers", "Select All Shown", "Close All Networks", "Show Jobs")
    best = max(names, key=lambda name: score("select all", name) or -1.0)
    assert best == "Select All Shown"
    assert score("xyz", "Show Jobs") is None


@pytest.mark.networks(count=0)
def test_every_command_is_found_with_its_shortcut(window: MainWindow) -> None:
    search(window, "")
    listed = {entry.title: entry for entry in window.parts.palette.list.entries}
    for command in COMMANDS:
        if command.id == "palette" or command.choices is not None:
            continue
        entry = listed[command.title]
        assert entry.kind == "Command"
        assert bool(entry.keys) == bool(command.keys)
        assert entry.enabled == window.commands[command.id].isEnabled()
    press(window, KEY.Key_Escape)


def test_enter_runs_what_is_marked_and_arrows_mark(window: MainWindow) -> None:
    found = search(window, "keyboard shortcuts")
    assert found[0] == ("Command", "Keyboard Shortcuts")
    press(window, KEY.Key_Down)
    press(window, KEY.Key_Up)
    press(window, KEY.Key_Return)
    assert not window.parts.palette.popup.isVisible()
    window.findChild(QDialog, "shortcutsDialog").close()
    assert search(window, "")[0] == ("Command", "Keyboard Shortcuts")
    press(window, KEY.Key_Escape)


def test_escape_closes_and_gives_the_keyboard_back(window: MainWindow) -> None:
    window.parts.grid.setFocus()
    search(window, "theme")
    press(window, KEY.Key_Escape)
    assert not window.parts.palette.popup.isVisible()
    assert window.parts.palette.text() == ""
    assert QApplication.focusWidget() is window.parts.grid


def test_going_elsewhere_closes_it(window: MainWindow) -> None:
    search(window, "theme")
    window.parts.grid.setFocus()
    assert not window.parts.palette.popup.isVisible()


@pytest.mark.networks(count=0)
def test_what_cannot_be_done_is_listed_and_has_no_effect(window: MainWindow) -> None:
    search(window, "close all networks")
    line = window.parts.palette
    assert line.list.current().title == "Close All Networks"
    assert not line.list.current().enabled
    press(window, KEY.Key_Return)
    assert line.popup.isVisible()
    press(window, KEY.Key_Escape)


def test_a_layer_is_gone_to_or_shown_alone(window: MainWindow, qtbot: Any) -> None:
    assert search(window, "stages.2")[0][0] == "Layer"
    press(window, KEY.Key_Return)
    wait_idle(qtbot, window)
    assert window.document.size == (3, 3)
    assert window.document.focus.index == 0
    assert window.document.scope.layers is None
    search(window, "stages.1")
    press(window, KEY.Key_Return, shift=True)
    wait_idle(qtbot, window)
    (ref,) = window.document.scope.layers
    assert window.document.banks[0].layers[ref.layer].name == "stages.1.conv_dw"


def test_a_network_is_shown_alone(
    open_anew: MakeWindow, qtbot: Any, tmp_path: Path
) -> None:
    window = open_anew(
        write_network(tmp_path / "first.safetensors", channels=8),
        write_network(tmp_path / "second.safetensors", channels=16),
    )
    assert search(window, "network second")[0] == ("Network", "second")
    press(window, KEY.Key_Return, shift=True)
    wait_idle(qtbot, window)
    assert len(window.parts.grid.content.order) == 32


def test_a_class_is_selected_and_another_added(
    open_anew: MakeWindow, small_file: Path
) -> None:
    window = open_anew(small_file, by="code")
    window.document.set_threshold((7, 7), 0.0)
    labels = window.state.labels.label
    first, second = sorted(set(labels.tolist()))[:2]
    search(window, CLASSES[first].name)
    press(window, KEY.Key_Return)
    steps = window.document.selection.steps
    assert steps[-1].query == Classes(frozenset({CLASSES[first].id}))
    search(window, CLASSES[second].name)
    press(window, KEY.Key_Return, shift=True)
    selected = window.state.selected
    assert selected.sum() == ((labels == first) | (labels == second)).sum()


def test_sizes_themes_maps_panels_and_layouts_are_found(
    window: MainWindow, qtbot: Any
) -> None:
    for text, holds in (
        ("3x3", lambda: window.document.size == (3, 3)),
        ("dark", lambda: window.settings.theme == "dark"),
        ("viridis", lambda: window.settings.colormap == "viridis"),
        ("layout label", lambda: window.layouts.preset == "label"),
        ("group by network", lambda: window.document.display.group_by == "model"),
    ):
        search(window, text)
        press(window, KEY.Key_Return)
        wait_idle(qtbot, window)
        assert holds(), text
    search(window, "panel pca")
    press(window, KEY.Key_Return)
    assert window.docks["scatter"].isVisible()
    search(window, "panel pca")
    press(window, KEY.Key_Return, shift=True)
    assert not window.docks["scatter"].toggleViewAction().isChecked()


def test_a_click_runs_too(window: MainWindow) -> None:
    search(window, "viridis")
    found = window.parts.palette.list
    place = found.visualRect(found.currentIndex()).center()
    QTest.mouseClick(
        found.viewport(), Qt.MouseButton.LeftButton, pos=place + QPoint(1, 1)
    )
    assert window.settings.colormap == "viridis"


@pytest.mark.networks(count=0)
def test_nothing_found_is_said(window: MainWindow) -> None:
    assert search(window, "zzzqqq") == []
    assert "Nothing" in window.parts.palette.hint.text()
    press(window, KEY.Key_Return)
    press(window, KEY.Key_Escape)
