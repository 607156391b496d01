"""Sessions in the window: saved, reopened, moved, damaged, dropped."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QDialog, QFileDialog, QLabel, QTreeWidget

from kernelviewer.latent.segments import move_border
from kernelviewer.resources import resource
from kernelviewer.state.selection import Classes, CodeRange, Kernels, Layers
from kernelviewer.state.settings import load_settings
from tests.gui.conftest import wait_idle
from tests.gui.session_desk import CONTROL, choose, click, lines, press, run, save_as
from tests.gui.test_window import drop, errors
from tests.networks import write_network

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from kernelviewer.gui.main_window import MainWindow

    MakeWindow = Callable[..., MainWindow]

SEVEN = (7, 7)


@pytest.fixture
def nets(tmp_path: Path) -> tuple[Path, Path]:
    """The sample and a random network, each in a folder of its own."""
    folder = tmp_path / "data" / "nets"
    (folder / "trained").mkdir(parents=True)
    sample = folder / "trained" / "sample.safetensors"
    shutil.copy(resource("sample", "sample.safetensors"), sample)
    return sample, write_network(folder / "random.safetensors")


def work_on(window: MainWindow) -> None:
    """Leave a mark of every kind."""
    document = window.document
    first, second = document.models
    document.show_size(SEVEN)
    document.set_threshold(SEVEN, 0.731)
    segments = document.segments_of(SEVEN)
    assert segments is not None
    document.set_segments(SEVEN, move_border(segments, 1, segments[1].high + 0.01))
    own = {first.id: np.arange(3, 90), second.id: np.array([1, 5, 6])}
    document.select("replace", Kernels(SEVEN, own))
    document.select("add", CodeRange(0.25, 0.4))
    document.select("intersect", Classes(frozenset({"on-centre", "off-centre"})))
    layer = next(iter(window.linking.pool.layer_refs))
    document.select("add", Layers(frozenset({layer})))
    document.set_focus(window.linking.pool.locate(11))
    document.set_position(0.4321)
    window.docks["scatter"].close()
    area = Qt.DockWidgetArea.LeftDockWidgetArea
    window.addDockWidget(area, window.docks["classes"])
    window.set_colormap("grey")


def selected(window: MainWindow) -> list[int]:
    """Pool numbers of what is marked."""
    return np.flatnonzero(window.linking.presenter.state.selected).tolist()


@pytest.mark.timeout(300)
def test_a_session_saved_in_one_process_and_again_in_another_is_the_same(
    make_window: MakeWindow, qtbot: Any, tmp_path: Path, nets: tuple[Path, Path]
) -> None:
    window = make_window(*nets)
    work_on(window)
    path = tmp_path / "work" / "mine.kvsession"
    path.parent.mkdir()
    save_as(qtbot, window, path)
    before, marked = path.read_bytes(), selected(window)
    assert marked
    window.close()
    out = run(
        """
import numpy as np
settle(window)
print(np.flatnonzero(window.linking.presenter.state.selected).tolist())
print(window.docks["scatter"].isHidden(), window.settings.colormap)
print(window.dockWidgetArea(window.docks["classes"]).name)
window.actions_.by_id["save"].trigger()
settle(window)
window.close()
""",
        path,
    )
    assert out.splitlines() == [str(marked), "True grey", "LeftDockWidgetArea"]
    after = path.read_bytes()
    moment = json.loads(after)["saved"].encode()
    assert after.replace(moment, json.loads(before)["saved"].encode()) == before


def test_networks_are_named_from_the_sessions_folder(
    make_window: MakeWindow, qtbot: Any, tmp_path: Path, nets: tuple[Path, Path]
) -> None:
    window = make_window(*nets)
    path = tmp_path / "data" / "s.kvsession"
    save_as(qtbot, window, path)
    named = [item["path"] for item in json.loads(path.read_text())["networks"]]
    assert named == ["nets/trained/sample.safetensors", "nets/random.safetensors"]


def test_the_suffix_is_added_and_the_title_shows_name_and_changes(
    make_window: MakeWindow, qtbot: Any, tmp_path: Path, small_file: Path
) -> None:
    window = make_window(small_file)
    assert window.windowTitle() == "kernelviewer"
    save_as(qtbot, window, tmp_path / "mine")
    path = tmp_path / "mine.kvsession"
    assert path.exists()
    assert window.windowTitle() == "mine[*] — kernelviewer"
    assert not window.isWindowModified()
    press(qtbot, window, Qt.Key.Key_A)
    assert window.isWindowModified()
    press(qtbot, window, Qt.Key.Key_Z)
    assert not window.isWindowModified()
    press(qtbot, window, Qt.Key.Key_A)
    press(qtbot, window, Qt.Key.Key_S)
    wait_idle(qtbot, window)
    assert not window.isWindowModified()
    assert json.loads(path.read_text())["selection"]
    window.document.set_position(0.9)  # looking around is no change
    assert not window.isWindowModified()
    assert load_settings()[0].recent[0] == str(path)
    press(qtbot, window, Qt.Key.Key_W, CONTROL | Qt.KeyboardModifier.ShiftModifier)
    assert window.windowTitle() == "kernelviewer"
    assert not window.actions_.by_id["save"].isEnabled()


def test_a_session_that_cannot_be_written_is_told_and_nothing_is_lost(
    make_window: MakeWindow, qtbot: Any, tmp_path: Path, small_file: Path
) -> None:
    window = make_window(small_file)
    path = tmp_path / "folder" / "mine.kvsession"
    path.parent.mkdir()
    save_as(qtbot, window, path)
    before = path.read_bytes()
    press(qtbot, window, Qt.Key.Key_A)
    path.parent.rename(tmp_path / "gone")
    press(qtbot, window, Qt.Key.Key_S)
    wait_idle(qtbot, window)
    assert window.isWindowModified()
    assert "Not saved" in window.statusBar().currentMessage()
    assert any("mine.kvsession" in text for text in errors(window))
    assert (tmp_path / "gone" / "mine.kvsession").read_bytes() == before
    (tmp_path / "gone").rename(path.parent)
    press(qtbot, window, Qt.Key.Key_S)
    wait_idle(qtbot, window)
    assert not window.isWindowModified()


def test_closing_right_after_saving_still_saves(
    make_window: MakeWindow, qtbot: Any, tmp_path: Path, small_file: Path
) -> None:
    window = make_window(small_file)
    path = tmp_path / "mine.kvsession"
    save_as(qtbot, window, path)
    press(qtbot, window, Qt.Key.Key_A)
    press(qtbot, window, Qt.Key.Key_S)
    window.close()
    assert json.loads(path.read_text())["selection"]
    assert make_window().sessions.recovery.offers == ()


def saved(make_window: MakeWindow, qtbot: Any, path: Path, *files: Path) -> list[int]:
    """Save a session of some networks with a selection; what is marked."""
    window = make_window(*files)
    pool = window.linking.pool
    everything = Kernels.of(pool, np.ones(len(pool), bool))
    window.document.select("replace", everything)
    save_as(qtbot, window, path)
    found = selected(window)
    window.close()
    return found


def test_a_session_replaces_what_is_open(
    make_window: MakeWindow, qtbot: Any, tmp_path: Path, nets: tuple[Path, Path]
) -> None:
    path = tmp_path / "one.kvsession"
    marked = saved(make_window, qtbot, path, nets[1])
    window = make_window(nets[0])
    drop(window, path)
    wait_idle(qtbot, window)
    assert [bank.name for bank in window.document.banks] == ["random"]
    assert selected(window) == marked
    assert len(window.parts.grid.content.order) == 48
    assert window.parts.grid.selected.sum() == 48
    assert window.settings.recent[0] == str(path)
    assert not window.isWindowModified()
    assert not errors(window)


def test_a_session_dropped_with_other_files_opens_with_them(
    make_window: MakeWindow, qtbot: Any, tmp_path: Path, nets: tuple[Path, Path]
) -> None:
    first, second = tmp_path / "one.kvsession", tmp_path / "two.kvsession"
    marked = saved(make_window, qtbot, first, nets[1])
    shutil.copy(first, second)
    window = make_window()
    drop(window, nets[0], first, second)
    wait_idle(qtbot, window)
    assert [bank.name for bank in window.document.banks] == ["random", "sample"]
    assert window.windowTitle().startswith("one[*]")
    assert window.isWindowModified()
    (message,) = errors(window)
    assert "two.kvsession: only one session can be open" in message
    window.document.show_size(SEVEN)
    assert selected(window) == marked


def test_a_session_is_told_by_content_and_opens_from_the_dialog(
    make_window: MakeWindow,
    qtbot: Any,
    tmp_path: Path,
    nets: tuple[Path, Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = tmp_path / "one.kvsession"
    saved(make_window, qtbot, path, nets[1])
    renamed = path.rename(tmp_path / "one.txt")
    window = make_window()
    monkeypatch.setattr(
        QFileDialog, "getOpenFileNames", lambda *a, **k: ([str(renamed)], "")
    )
    press(qtbot, window, Qt.Key.Key_O)
    wait_idle(qtbot, window)
    assert [bank.name for bank in window.document.banks] == ["random"]


@pytest.mark.parametrize("text", ["{", '{"format": "kernelviewer session"}'])
def test_a_damaged_session_is_named_and_leaves_what_is_open(
    make_window: MakeWindow, qtbot: Any, tmp_path: Path, small_file: Path, text: str
) -> None:
    bad = tmp_path / "bad.kvsession"
    bad.write_text(text)
    window = make_window(small_file)
    drop(window, bad)
    wait_idle(qtbot, window)
    assert [bank.name for bank in window.document.banks] == ["small"]
    (message,) = errors(window)
    assert message.startswith("bad.kvsession: the session is damaged")


# --- files that moved or changed ---


@pytest.fixture
def moved(
    make_window: MakeWindow, qtbot: Any, tmp_path: Path, nets: tuple[Path, Path]
) -> Path:
    """A session whose two networks have moved to archive/nets."""
    path = tmp_path / "work" / "mine.kvsession"
    path.parent.mkdir()
    saved(make_window, qtbot, path, *nets)
    (tmp_path / "archive").mkdir()
    (tmp_path / "data" / "nets").rename(tmp_path / "archive" / "nets")
    return path


def dialog_of(window: MainWindow) -> QDialog:
    return window.findChild(QDialog, "locateDialog")


def states(dialog: QDialog) -> list[str]:
    rows = dialog.findChild(QTreeWidget, "missingFiles")
    return [rows.topLevelItem(i).text(2) for i in range(rows.topLevelItemCount())]


def locate(qtbot: Any, window: MainWindow, path: Path) -> None:
    """Show the dialog where the current row's file is."""
    dialog = dialog_of(window)
    click(dialog, "locateFile")
    choose(dialog.findChild(QFileDialog, "locateFileDialog"), path)
    wait_idle(qtbot, window)


def test_moved_files_are_asked_for_once(
    make_window: MakeWindow, qtbot: Any, tmp_path: Path, moved: Path
) -> None:
    window = make_window(moved)
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
    window.close()
    again = make_window(moved)
    assert dialog_of(again) is None
    assert len(again.document.banks) == 2


def test_a_located_file_with_another_content_is_told(
    make_window: MakeWindow, qtbot: Any, tmp_path: Path, moved: Path
) -> None:
    archive = tmp_path / "archive" / "nets"
    write_network(archive / "random.safetensors", channels=8)
    window = make_window(moved)
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
    make_window: MakeWindow, qtbot: Any, tmp_path: Path, moved: Path
) -> None:
    window = make_window(moved)
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
    make_window: MakeWindow, qtbot: Any, moved: Path, small_file: Path
) -> None:
    before = moved.read_bytes()
    window = make_window(small_file)
    drop(window, moved)
    wait_idle(qtbot, window)
    click(dialog_of(window), "openWithout")
    wait_idle(qtbot, window)
    assert [bank.name for bank in window.document.banks] == ["small"]
    assert window.sessions.path is None
    assert any("None of its networks" in text for text in errors(window))
    assert moved.read_bytes() == before


def test_giving_up_leaves_what_is_open(
    make_window: MakeWindow, qtbot: Any, moved: Path, small_file: Path
) -> None:
    window = make_window(small_file)
    drop(window, moved)
    wait_idle(qtbot, window)
    QTest.keyClick(dialog_of(window), Qt.Key.Key_Escape)
    wait_idle(qtbot, window)
    assert [bank.name for bank in window.document.banks] == ["small"]
    assert window.windowTitle() == "kernelviewer"


def test_a_changed_file_opens_and_is_told(
    make_window: MakeWindow, qtbot: Any, tmp_path: Path, nets: tuple[Path, Path]
) -> None:
    path = tmp_path / "one.kvsession"
    saved(make_window, qtbot, path, nets[1])
    write_network(nets[1], seed=1)
    window = make_window(path)
    assert len(selected(window)) == 48
    (message,) = errors(window)
    assert "random.safetensors has changed since the session was saved" in message


def test_a_file_that_became_unreadable_is_told_and_left_out(
    make_window: MakeWindow, qtbot: Any, tmp_path: Path, nets: tuple[Path, Path]
) -> None:
    path = tmp_path / "one.kvsession"
    saved(make_window, qtbot, path, *nets)
    nets[1].write_text("<html>")
    window = make_window(path)
    assert [bank.name for bank in window.document.banks] == ["sample"]
    (message,) = errors(window)
    assert "HTML page" in message


def test_cancelling_leaves_what_is_open(
    make_window: MakeWindow, qtbot: Any, tmp_path: Path, nets: tuple[Path, Path]
) -> None:
    path = tmp_path / "one.kvsession"
    saved(make_window, qtbot, path, nets[1])
    window = make_window(nets[0])
    window.sessions.open(path)
    window.jobs.cancel("session")
    wait_idle(qtbot, window)
    assert [bank.name for bank in window.document.banks] == ["sample"]
    assert window.windowTitle() == "kernelviewer"


# --- autoencoders ---


def test_autoencoders_trained_here_are_saved_beside_the_session(
    make_window: MakeWindow, qtbot: Any, tmp_path: Path, nets: tuple[Path, Path]
) -> None:
    from dataclasses import replace

    from kernelviewer.latent.autoencoder import shipped

    window = make_window(nets[1])
    usual = shipped(SEVEN)
    assert usual is not None
    window.document.choose_autoencoder(replace(usual, card={"mine": 1}))
    wait_idle(qtbot, window)
    assert window.isWindowModified()
    path = tmp_path / "one.kvsession"
    save_as(qtbot, window, path)
    assert not window.isWindowModified()
    entry = json.loads(path.read_text())["autoencoders"]["7x7"]
    assert entry["path"] == "one-7x7.safetensors"
    before = lines(path)
    window.close()
    again = make_window(path)
    assert again.document.autoencoders[SEVEN].card == {"mine": 1}
    assert again.linking.presenter.state.labels is not None
    press(qtbot, again, Qt.Key.Key_S)
    wait_idle(qtbot, again)
    assert lines(path) == before
    again.close()
    (tmp_path / "one-7x7.safetensors").unlink()
    third = make_window(path)
    assert states(dialog_of(third)) == ["missing"]
    click(dialog_of(third), "openWithout")
    wait_idle(qtbot, third)
    assert len(third.document.banks) == 1
    assert any("encoded without one-7x7.safetensors" in e for e in errors(third))


def test_a_network_of_the_hub_is_named_by_its_name(
    make_window: MakeWindow,
    qtbot: Any,
    tmp_path: Path,
    small_file: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from kernelviewer.jobs import reopening, tasks

    def fetch(name: str, **options: Any) -> Path:
        assert name == "some_net.tag"
        return small_file

    for module in (tasks, reopening):
        monkeypatch.setattr(module, "fetch", fetch)
    window = make_window()
    window.opener.open_named("some_net.tag")
    wait_idle(qtbot, window)
    path = tmp_path / "one.kvsession"
    save_as(qtbot, window, path)
    (entry,) = json.loads(path.read_text())["networks"]
    assert entry["hub"] == "some_net.tag"
    assert "path" not in entry
    window.close()
    again = make_window(path)
    assert [bank.name for bank in again.document.banks] == ["some_net.tag"]


# --- what older versions wrote ---


def test_a_session_of_the_first_version_opens_in_the_window_for_ever(
    make_window: MakeWindow, qtbot: Any, tmp_path: Path
) -> None:
    from tests.jobs.test_sessions import CHANGED, SESSIONS, holds, kept_values

    shutil.copytree(SESSIONS / "v1", tmp_path / "v1")
    path = tmp_path / "v1" / "marked.kvsession"
    before = kept_values(path)
    window = make_window(path)
    assert all(CHANGED in text for text in errors(window))
    assert [bank.name for bank in window.document.banks] == ["first", "second"]
    assert window.linking.presenter.state.labels is not None
    assert len(window.parts.grid.content.order) == 5 + 6
    assert window.docks["scatter"].isHidden()
    assert window.settings.colormap == "grey"
    assert not window.isWindowModified()
    press(qtbot, window, Qt.Key.Key_S)
    wait_idle(qtbot, window)
    assert holds(kept_values(path), before)
