"""Sessions whose files have moved, changed or gone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QFileDialog, QLabel

from tests.gui.conftest import wait_idle
from tests.gui.harness import drop, errors
from tests.gui.session_harness import (
    SEVEN,
    choose,
    click,
    dialog_of,
    press,
    saved,
    selected,
    states,
    write_nets,
)
from tests.networks import write_network

if TYPE_CHECKING:
    from pathlib import Path

    from kernelviewer.gui.main_window import MainWindow
    from tests.gui.harness import MakeWindow


@pytest.fixture
def nets(tmp_path: Path) -> tuple[Path, Path]:
    return write_nets(tmp_path / "data" / "nets")


@pytest.fixture
def moved(
    open_anew: MakeWindow, qtbot: Any, tmp_path: Path, nets: tuple[Path, Path]
) -> Path:
    """A session whose two networks have moved to archive/nets."""
    path = tmp_path / "work" / "mine.kvsession"
    path.parent.mkdir()
    saved(open_anew, qtbot, path, *nets)
    (tmp_path / "archive").mkdir()
    (tmp_path / "data" / "nets").rename(tmp_path / "archive" / "nets")
    return path


def locate(qtbot: Any, window: MainWindow, path: Path) -> None:
    """Show the dialog where the current row's file is."""
    dialog = dialog_of(window)
    click(dialog, "locateFile")
    choose(dialog.findChild(QFileDialog, "locateFileDialog"), path)
    wait_idle(qtbot, window)


def test_moved_files_are_asked_for_once(
    open_anew: MakeWindow, qtbot: Any, tmp_path: Path, moved: Path
) -> None:
    window = open_anew(moved)
    assert states(dialog_of(window)) == ["missing", "missing"]
    assert not window.document.banks
    locate(qtbot, window, tmp_path / "archive/nets/trained/sample.safetensors")
    assert states(dialog_of(window)) == ["found", "found"]
    click(dialog_of(window), "openLocated")
    wait_idle(qtbot, window)
    assert [bank.name for bank in window.document.banks] == ["sample", "random"]
    assert not errors(window)
    assert window.isWindowModified()
    press(qtbot, window, Qt.Key.Key_S)
    wait_idle(qtbot, window)
    again = open_anew(moved)
    assert dialog_of(again) is None
    assert len(again.document.banks) == 2


def test_a_located_file_with_another_content_is_told(
    open_anew: MakeWindow, qtbot: Any, tmp_path: Path, moved: Path
) -> None:
    archive = tmp_path / "archive" / "nets"
    write_network(archive / "random.safetensors", channels=8)
    window = open_anew(moved)
    locate(qtbot, window, archive / "trained" / "sample.safetensors")
    assert states(dialog_of(window)) == ["found", "found, but changed"]
    status = dialog_of(window).findChild(QLabel, "locateStatus").text()
    assert "1 file has another content" in status
    click(dialog_of(window), "openLocated")
    wait_idle(qtbot, window)
    assert len(window.document.banks) == 2
    (message,) = errors(window)
    assert "random.safetensors has changed" in message
    assert "32 marked kernels are not in random.safetensors any more" in message
    assert window.isWindowModified()


def test_a_session_opens_without_what_is_missing(
    open_anew: MakeWindow, qtbot: Any, tmp_path: Path, moved: Path
) -> None:
    window = open_anew(moved)
    archive = tmp_path / "archive" / "nets"
    (archive / "random.safetensors").unlink()
    locate(qtbot, window, archive / "trained" / "sample.safetensors")
    assert states(dialog_of(window)) == ["found", "missing"]
    button = dialog_of(window).findChild(type(dialog_of(window).without), "openWithout")
    assert button.text() == "Open Without It"
    click(dialog_of(window), "openWithout")
    wait_idle(qtbot, window)
    assert [bank.name for bank in window.document.banks] == ["sample"]
    (message,) = errors(window)
    assert "was left out, with what was selected in it" in message
    assert len(selected(window)) == len(window.document.banks[0].sizes[SEVEN])


def test_a_session_none_of_whose_networks_is_there_leaves_what_is_open(
    open_anew: MakeWindow, qtbot: Any, moved: Path, small_file: Path
) -> None:
    before = moved.read_bytes()
    window = open_anew(small_file)
    drop(window, moved)
    wait_idle(qtbot, window)
    click(dialog_of(window), "openWithout")
    wait_idle(qtbot, window)
    assert [bank.name for bank in window.document.banks] == ["small"]
    assert window.sessions.path is None
    assert any("None of its networks" in text for text in errors(window))
    assert moved.read_bytes() == before


def test_giving_up_leaves_what_is_open(
    open_anew: MakeWindow, qtbot: Any, moved: Path, small_file: Path
) -> None:
    window = open_anew(small_file)
    drop(window, moved)
    wait_idle(qtbot, window)
    QTest.keyClick(dialog_of(window), Qt.Key.Key_Escape)
    wait_idle(qtbot, window)
    assert [bank.name for bank in window.document.banks] == ["small"]
    assert window.windowTitle() == "kernelviewer"


def test_a_changed_file_opens_and_is_told(
    open_anew: MakeWindow, qtbot: Any, tmp_path: Path, nets: tuple[Path, Path]
) -> None:
    path = tmp_path / "one.kvsession"
    saved(open_anew, qtbot, path, nets[1])
    write_network(nets[1], seed=1)
    window = open_anew(path)
    assert len(selected(window)) == 48
    (message,) = errors(window)
    assert "random.safetensors has changed since the session was saved" in message


def test_a_file_that_became_unreadable_is_told_and_left_out(
    open_anew: MakeWindow, qtbot: Any, tmp_path: Path, nets: tuple[Path, Path]
) -> None:
    path = tmp_path / "one.kvsession"
    saved(open_anew, qtbot, path, *nets)
    nets[1].write_text("<html>")
    window = open_anew(path)
    assert [bank.name for bank in window.document.banks] == ["sample"]
    (message,) = errors(window)
    assert "HTML page" in message


def test_cancelling_leaves_what_is_open(
    open_anew: MakeWindow, qtbot: Any, tmp_path: Path, nets: tuple[Path, Path]
) -> None:
    path = tmp_path / "one.kvsession"
    saved(open_anew, qtbot, path, nets[1])
    window = open_anew(nets[0])
    window.sessions.open(path)
    window.jobs.cancel("session")
    wait_idle(qtbot, window)
    assert [bank.name for bank in window.document.banks] == ["sample"]
    assert window.windowTitle() == "kernelviewer"
