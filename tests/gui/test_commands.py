"""Menus, shortcuts, dialogs and errors of the window."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QDialog,
    QFileDialog,
    QLabel,
    QPushButton,
    QTextBrowser,
)

from kernelviewer import __version__
from kernelviewer.gui.commands import COMMANDS, MENUS, NEEDS, READS, menu_keys
from kernelviewer.gui.dialogs.help import shortcuts_html
from kernelviewer.gui.views.models import details_html
from tests.gui.conftest import wait_idle
from tests.gui.test_registry import Noting
from tests.networks import write_network

if TYPE_CHECKING:
    from pathlib import Path

    from kernelviewer.gui.main_window import MainWindow
    from tests.gui.harness import MakeWindow

pytestmark = pytest.mark.networks(channels=24)


@pytest.mark.networks(count=0)
def test_every_command_stands_in_its_menu_once(window: MainWindow) -> None:
    assert set(window.commands) == {command.id for command in COMMANDS}
    for command in COMMANDS:
        assert command.menu.partition("/")[0] in MENUS


def test_what_lacks_what_it_needs_is_disabled(window: MainWindow) -> None:
    def enabled() -> set[str]:
        of = {item.needs for item in COMMANDS if window.commands[item.id].isEnabled()}
        out = {item.needs for item in COMMANDS if item.needs not in of}
        assert of | out == {*NEEDS}
        return of

    assert enabled() == {"", "network", "sizes", "autoencoder"}
    window.acts.focus(3)
    window.commands["select_layer"].trigger()
    two, run = {"two", "comparison"}, {"run"}
    own = {"edits", "tags"}
    assert enabled() == {*NEEDS} - {"redo"} - two - run - own
    assert window.commands["undo"].text() == "&Undo Selection"
    window.commands["undo"].trigger()
    assert enabled() == {*NEEDS} - {"undo", "selection"} - two - run - own
    window.commands["tag1"].trigger()
    window.document.rename_network(window.document.models[0].id, "mine")
    assert enabled() >= own
    window.commands["reset_names"].trigger()
    assert enabled() & own == {"tags"}
    window.document.open(window.document.banks[0])
    assert enabled() & two == {"two"}
    window.commands["compare"].trigger()
    assert enabled() & two == two
    window.commands["close_all"].trigger()
    assert not enabled() & {"network", "sizes", "kernel", "autoencoder"}
    noting = Noting(window.state)
    for needed in NEEDS.values():
        needed(noting)  # type: ignore[arg-type]
    assert noting.read <= {*READS}


def test_switches_follow_what_they_switch(window: MainWindow, qtbot: Any) -> None:
    for name in ("only_selected", "equal_once", "framed", "jobs"):
        action = window.commands[name]
        was = action.isChecked()
        for on in (not was, was):
            action.trigger()
            assert action.isChecked() is on, name
    window.document.show_only_selected(True)
    window.set_framed(True)
    window.layouts.show_panel("jobs")
    for name in ("only_selected", "framed", "jobs"):
        qtbot.waitUntil(window.commands[name].isChecked)


def test_no_shortcut_is_given_twice() -> None:
    keys = [key for command in COMMANDS for key in command.keys]
    assert len(keys) == len(set(keys))


@pytest.mark.networks(count=0)
def test_the_f1_sheet_names_every_shortcut(window: MainWindow) -> None:
    QTest.keyClick(window, Qt.Key.Key_F1)
    dialog = window.findChild(QDialog, "shortcutsDialog")
    assert dialog.isVisible()
    text = dialog.findChild(QTextBrowser).toPlainText()
    for command in COMMANDS:
        if command.keys and not command.id.startswith("tag"):
            assert command.title in text
    assert text.count("Tag 1 to 9") == 1
    assert "Tag 2" not in text
    dialog.close()
    assert "Ctrl" in shortcuts_html(menu_keys())


@pytest.mark.networks(count=0)
def test_the_about_box_has_the_versions_a_bug_report_needs(window: MainWindow) -> None:
    window.commands["about"].trigger()
    box = window.findChild(QDialog, "aboutBox")
    text = box.findChild(QLabel, "versions").text()
    assert "PySide6" in text
    QTest.mouseClick(
        box.findChild(QPushButton, "copyVersions"), Qt.MouseButton.LeftButton
    )
    copied = QGuiApplication.clipboard().text()
    assert copied == f"kernelviewer {__version__}\n{text}"
    box.close()


def test_details_list_what_was_left_out(window: MainWindow) -> None:
    (bank,) = window.document.banks
    html = details_html(bank)
    assert str(bank.path) in html.replace("\u200b", "")
    assert "48 of 7×7" in html
    window.parts.tree.details_requested.emit(window.document.models[0].id)
    dialog = window.findChild(QDialog, "detailsDialog")
    assert dialog.isVisible()
    dialog.close()


@pytest.mark.networks(count=0)
def test_open_asks_for_files(
    window: MainWindow, qtbot: Any, small_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = ([str(small_file)], "")
    monkeypatch.setattr(QFileDialog, "getOpenFileNames", lambda *a, **k: answer)
    QTest.keyClick(window, Qt.Key.Key_O, Qt.KeyboardModifier.ControlModifier)
    wait_idle(qtbot, window)
    assert [bank.name for bank in window.document.banks] == ["small"]


@pytest.mark.networks(count=0)
def test_cancelling_the_file_dialog_opens_nothing(
    window: MainWindow, qtbot: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(QFileDialog, "getOpenFileNames", lambda *a, **k: ([], ""))
    QTest.keyClick(window, Qt.Key.Key_O, Qt.KeyboardModifier.ControlModifier)
    wait_idle(qtbot, window)
    assert window.document.banks == ()


def test_ctrl_w_with_several_networks_asks_which(
    open_anew: MakeWindow, tmp_path: Path
) -> None:
    window = open_anew(
        write_network(tmp_path / "a.safetensors"),
        write_network(tmp_path / "b.safetensors"),
    )
    QTest.keyClick(window, Qt.Key.Key_W, Qt.KeyboardModifier.ControlModifier)
    assert len(window.document.banks) == 2
    assert "click one" in window.statusBar().currentMessage()


def test_sorting_grouping_and_scale_change_the_grid(
    window: MainWindow, qtbot: Any
) -> None:
    controls, grid = window.parts.controls, window.parts.grid
    controls.group_by.chosen.emit("none")
    wait_idle(qtbot, window)
    assert [group.title for group in grid.content.groups] == ["All kernels"]
    assert controls.group_by.text().startswith("ungrouped")
    controls.scale_mode.chosen.emit("global")
    wait_idle(qtbot, window)
    assert grid.content.gain.max() == pytest.approx(1)
    assert grid.content.gain.min() < 1


def test_zoom_slider_and_grid_agree(window: MainWindow) -> None:
    before = window.parts.grid.zoom
    window.parts.controls.zoom.setValue(window.parts.controls.zoom.value() + 20)
    assert window.parts.grid.zoom > before


@pytest.mark.networks(count=0)
def test_an_unexpected_error_is_listed_and_the_window_lives(
    window: MainWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    from kernelviewer.gui.application import report_errors_in

    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    report_errors_in(window)
    sys.excepthook(ValueError, ValueError("surprise"), None)
    (row,) = window.parts.jobs_panel.rows.values()
    assert "surprise" in row.text.text()
    assert window.isVisible()


def test_a_device_that_is_not_there_is_named_and_replaced(
    window: MainWindow, qtbot: Any
) -> None:
    import torch

    absent = "mps" if not torch.backends.mps.is_available() else "cuda"
    window.set_device(absent)
    wait_idle(qtbot, window)
    assert window.settings.device == "auto"
    assert window.device_label.text().split(" ")[0] in ("cpu", "cuda", "mps")
    (row,) = [row for row in window.parts.jobs_panel.rows.values() if row.failed]
    assert f"no {absent} device" in row.text.text()
