"""Sessions in the window: saved, reopened, dropped, damaged, given up."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog, QPushButton

from kernelviewer.latent.stretches import move_border
from kernelviewer.state.selection import Classes, CodeRange, Kernels, Layers
from kernelviewer.state.session.files import offers, read_session
from kernelviewer.state.settings import load_settings
from tests.gui.conftest import wait_idle
from tests.gui.harness import CONTROL, drop, errors
from tests.gui.session_harness import (
    SEVEN,
    click,
    dialog_of,
    lines,
    press,
    run,
    save_as,
    saved,
    selected,
    states,
    write_nets,
)

if TYPE_CHECKING:
    from pathlib import Path

    from kernelviewer.gui.main_window import MainWindow
    from tests.gui.harness import MakeWindow


@pytest.fixture
def nets(tmp_path: Path) -> tuple[Path, Path]:
    return write_nets(tmp_path / "data" / "nets")


def work_on(window: MainWindow) -> None:
    """Leave a mark of every kind."""
    document = window.document
    first, second = document.models
    document.show_size(SEVEN)
    document.set_threshold(SEVEN, 0.731)
    stretches = document.stretches_of(SEVEN)
    assert stretches is not None
    document.set_stretches(SEVEN, move_border(stretches, 1, stretches[1].high + 0.01))
    own = {first.id: np.arange(3, 90), second.id: np.array([1, 5, 6])}
    document.select("replace", Kernels(SEVEN, own))
    document.select("add", CodeRange(0.25, 0.4))
    document.select("intersect", Classes(frozenset({"on-centre", "off-centre"})))
    layer = next(iter(window.state.pool.layer_refs))
    document.select("add", Layers(frozenset({layer})))
    document.set_focus(window.state.pool.locate(11))
    document.set_position(0.4321)
    window.docks["scatter"].close()
    area = Qt.DockWidgetArea.LeftDockWidgetArea
    window.addDockWidget(area, window.docks["classes"])
    window.set_colormap("grey")


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
print(np.flatnonzero(window.state.selected).tolist())
print(window.docks["scatter"].isHidden(), window.settings.colormap)
print(window.dockWidgetArea(window.docks["classes"]).name)
window.commands["save"].trigger()
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
    open_anew: MakeWindow, qtbot: Any, tmp_path: Path, nets: tuple[Path, Path]
) -> None:
    window = open_anew(*nets)
    path = tmp_path / "data" / "s.kvsession"
    save_as(qtbot, window, path)
    named = [item["path"] for item in json.loads(path.read_text())["networks"]]
    assert named == ["nets/trained/sample.safetensors", "nets/random.safetensors"]


def test_the_suffix_is_added_and_the_title_shows_name_and_changes(
    open_anew: MakeWindow, qtbot: Any, tmp_path: Path, small_file: Path
) -> None:
    window = open_anew(small_file)
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
    assert not window.commands["save"].isEnabled()


def test_a_session_that_cannot_be_written_is_told_and_nothing_is_lost(
    open_anew: MakeWindow, qtbot: Any, tmp_path: Path, small_file: Path
) -> None:
    window = open_anew(small_file)
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
    assert not [*offers()]


def test_a_session_replaces_what_is_open(
    open_anew: MakeWindow, qtbot: Any, tmp_path: Path, nets: tuple[Path, Path]
) -> None:
    path = tmp_path / "one.kvsession"
    marked = saved(open_anew, qtbot, path, nets[1])
    window = open_anew(nets[0])
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
    open_anew: MakeWindow, qtbot: Any, tmp_path: Path, nets: tuple[Path, Path]
) -> None:
    first, second = tmp_path / "one.kvsession", tmp_path / "two.kvsession"
    marked = saved(open_anew, qtbot, first, nets[1])
    shutil.copy(first, second)
    window = open_anew()
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
    open_anew: MakeWindow,
    qtbot: Any,
    tmp_path: Path,
    nets: tuple[Path, Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = tmp_path / "one.kvsession"
    saved(open_anew, qtbot, path, nets[1])
    renamed = path.rename(tmp_path / "one.txt")
    window = open_anew()
    monkeypatch.setattr(
        QFileDialog, "getOpenFileNames", lambda *a, **k: ([str(renamed)], "")
    )
    press(qtbot, window, Qt.Key.Key_O)
    wait_idle(qtbot, window)
    assert [bank.name for bank in window.document.banks] == ["random"]


@pytest.mark.parametrize("text", ["{", '{"format": "kernelviewer session"}'])
def test_a_damaged_session_is_named_and_leaves_what_is_open(
    open_anew: MakeWindow, qtbot: Any, tmp_path: Path, small_file: Path, text: str
) -> None:
    bad = tmp_path / "bad.kvsession"
    bad.write_text(text)
    window = open_anew(small_file)
    drop(window, bad)
    wait_idle(qtbot, window)
    assert [bank.name for bank in window.document.banks] == ["small"]
    (message,) = errors(window)
    assert message.startswith("bad.kvsession: the session is damaged")


def test_autoencoders_trained_here_are_saved_beside_the_session(
    open_anew: MakeWindow, qtbot: Any, tmp_path: Path, nets: tuple[Path, Path]
) -> None:
    from dataclasses import replace

    from kernelviewer.latent.autoencoder import shipped

    window = open_anew(nets[1])
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
    again = open_anew(path)
    assert again.document.autoencoders[SEVEN].card == {"mine": 1}
    assert again.state.labels is not None
    press(qtbot, again, Qt.Key.Key_S)
    wait_idle(qtbot, again)
    assert lines(path) == before
    (tmp_path / "one-7x7.safetensors").unlink()
    third = open_anew(path)
    assert states(dialog_of(third)) == ["missing"]
    click(dialog_of(third), "openWithout")
    wait_idle(qtbot, third)
    assert len(third.document.banks) == 1
    assert any("encoded without one-7x7.safetensors" in e for e in errors(third))


def test_a_network_of_the_hub_is_named_by_its_name(
    open_anew: MakeWindow,
    qtbot: Any,
    tmp_path: Path,
    small_file: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from kernelviewer.formats import hub
    from kernelviewer.jobs import sessions

    def fetch(name: str, **options: Any) -> Path:
        assert name == "some_net.tag"
        return small_file

    kept: list[Path] = []
    monkeypatch.setattr(hub, "fetch", fetch)
    monkeypatch.setattr(sessions, "fetch", fetch)
    monkeypatch.setattr(sessions, "cached", lambda name: kept[0] if kept else None)
    window = open_anew()
    window.opener.open_named("some_net.tag")
    wait_idle(qtbot, window)
    path = tmp_path / "one.kvsession"
    save_as(qtbot, window, path)
    (entry,) = json.loads(path.read_text())["networks"]
    assert entry["hub"] == "some_net.tag"
    assert "path" not in entry
    again = open_anew(path)
    assert not again.document.banks
    dialog = dialog_of(again)
    assert states(dialog) == ["not downloaded"]
    assert not dialog.findChild(QPushButton, "useOutside").isVisible()
    click(dialog, "download")
    wait_idle(qtbot, again)
    assert states(dialog) == ["found"]
    click(dialog, "openLocated")
    wait_idle(qtbot, again)
    assert [bank.name for bank in again.document.banks] == ["some_net.tag"]
    kept.append(small_file)
    third = open_anew(path)
    assert [bank.name for bank in third.document.banks] == ["some_net.tag"]


def test_a_session_of_the_first_version_opens_in_the_window_for_ever(
    open_anew: MakeWindow, qtbot: Any, tmp_path: Path
) -> None:
    from tests.jobs.test_sessions import CHANGED, SESSIONS, written_anew

    shutil.copytree(SESSIONS / "v1", tmp_path / "v1")
    path = tmp_path / "v1" / "marked.kvsession"
    before = path.read_bytes()
    window = open_anew(path)
    assert all(CHANGED in text for text in errors(window))
    assert [bank.name for bank in window.document.banks] == ["first", "second"]
    assert window.state.labels is not None
    assert len(window.parts.grid.content.order) == 5 + 6
    assert window.docks["scatter"].isHidden()
    assert window.settings.colormap == "grey"
    assert not window.isWindowModified()
    press(qtbot, window, Qt.Key.Key_S)
    wait_idle(qtbot, window)
    assert path.read_bytes() == written_anew(before, read_session(path).saved)
