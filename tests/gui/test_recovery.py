"""Work that was not saved: kept while it changes, offered, never in the way."""

from __future__ import annotations

import signal
import sys
import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from PySide6.QtCore import QObject, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QDialog, QPushButton, QToolButton

from kernelviewer.gui.controllers import sessions as recovery_module
from kernelviewer.jobs.sessions import Wanted
from kernelviewer.latent.autoencoder import shipped
from kernelviewer.state.document import Document
from kernelviewer.state.session.files import (
    RecoveryFile,
    offers,
    read_session,
    recovery_folder,
)
from kernelviewer.state.session.form import Look
from tests.gui.conftest import wait_idle
from tests.gui.harness import CONTROL, LEFT, SHIFT, errors
from tests.gui.mirror import JobsOnDemand
from tests.gui.session_harness import click, press, save_as, start
from tests.networks import write_network
from tests.state.banks import make_bank

if TYPE_CHECKING:
    from pathlib import Path

    from kernelviewer.gui.main_window import MainWindow
    from tests.gui.harness import MakeWindow

SEVEN = (7, 7)


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Work is kept as soon as the window has a moment."""
    monkeypatch.setattr(recovery_module, "DELAY_MS", 0)


def kept() -> list[Path]:
    """The files that keep work now."""
    return sorted(recovery_folder().glob("*.kvsession"))


def wait_kept(qtbot: Any, window: MainWindow, *, count: int = 1) -> None:
    """Wait until the last change is kept."""

    def is_kept() -> bool:
        waiting = window.sessions.recovery.timer.isActive()
        return not waiting and window.jobs.is_idle() and len(kept()) == count

    qtbot.waitUntil(is_kept, timeout=20_000)


def offer(window: MainWindow, number: int = 0) -> QPushButton:
    """The button that takes kept work up; None if nothing is offered."""
    return window.findChild(QPushButton, f"reopenWork{number}")


def offered(qtbot: Any, window: MainWindow) -> QPushButton:
    """The same, which has to be there to be clicked."""
    qtbot.waitUntil(lambda: offer(window) is not None and offer(window).isVisible())
    return offer(window)


@pytest.mark.timeout(300)
@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
def test_work_is_offered_back_after_the_program_was_killed(
    make_window: MakeWindow, qtbot: Any, tmp_path: Path
) -> None:
    path = write_network(tmp_path / "net.safetensors")
    code = """
window.sessions.recovery.timer.setInterval(0)
while not window.document.banks:
    wait(10)
window.document.set_threshold((7, 7), 0.625)
window.acts.select_shown()
window.document.set_position(0.25)
recovery = window.sessions.recovery
while recovery.timer.isActive() or any(
    ticket.key in ("recovery", "hash 1") for ticket in window.jobs._runner.tickets()
):
    wait(10)
print("kept", flush=True)
while True:
    wait(1000)
"""
    with start(code, path) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "kept\n"
            assert len(kept()) == 1
            assert not [*offers()]  # while the first still lives, nothing is offered
        finally:
            process.send_signal(signal.SIGKILL)
    window = make_window()
    assert not window.document.banks  # never forced
    button = offered(qtbot, window)
    assert "1 network, net (today" in button.text()
    QTest.mouseClick(button, LEFT)
    qtbot.waitUntil(window.jobs.is_idle, timeout=100_000)  # often the first with torch
    assert [bank.path for bank in window.document.banks] == [path]
    assert window.document.marks.thresholds == {SEVEN: 0.625}
    assert window.state.selected.sum() == 48
    assert window.document.position == 0.25
    assert window.isWindowModified()
    assert window.windowTitle() == "New session[*] — kernelviewer"
    assert not errors(window)
    assert len(kept()) == 1  # kept on under the same name


def test_unsaved_work_is_offered_the_next_time_and_can_be_dismissed(
    make_window: MakeWindow, qtbot: Any, small_file: Path
) -> None:
    window = make_window(small_file)
    QTest.keyClick(window, Qt.Key.Key_A, CONTROL)
    window.close()  # asks nothing
    assert len(kept()) == 1
    again = make_window()
    offered(qtbot, again)
    dismiss = again.findChild(QToolButton, "dismissWork0")
    assert dismiss.isVisible()
    QTest.mouseClick(dismiss, LEFT)
    assert offer(again) is None or not offer(again).isVisible()
    again.close()
    assert kept() == []


def test_nothing_is_left_where_nothing_is_unsaved(
    make_window: MakeWindow, qtbot: Any, tmp_path: Path, small_file: Path
) -> None:
    window = make_window(small_file)
    wait_kept(qtbot, window)  # also merely opened files, in case of a crash
    window.close()
    assert kept() == []
    window = make_window(small_file)
    QTest.keyClick(window, Qt.Key.Key_A, CONTROL)
    save_as(qtbot, window, tmp_path / "mine.kvsession")
    window.close()
    assert list(recovery_folder().iterdir()) == []


def test_recovered_work_goes_on_in_its_session(
    make_window: MakeWindow, qtbot: Any, tmp_path: Path, small_file: Path
) -> None:
    window = make_window(small_file)
    path = tmp_path / "mine.kvsession"
    save_as(qtbot, window, path)
    window.document.set_threshold(SEVEN, 0.5)
    window.close()
    assert read_session(path).family_thresholds == {}
    again = make_window()
    QTest.mouseClick(offered(qtbot, again), LEFT)
    wait_idle(qtbot, again)
    assert again.windowTitle() == "mine[*] — kernelviewer"
    assert again.isWindowModified()
    assert again.settings.recent[0] == str(path)
    press(qtbot, again, Qt.Key.Key_S)
    wait_idle(qtbot, again)
    assert read_session(path).family_thresholds == {"7x7": 0.5}
    again.close()
    assert kept() == []


def test_an_autoencoder_trained_here_is_kept_too(
    make_window: MakeWindow, qtbot: Any, tmp_path: Path, small_file: Path
) -> None:
    usual = shipped(SEVEN)
    assert usual is not None
    window = make_window(small_file)
    window.document.choose_autoencoder(replace(usual, card={"mine": 1}))
    for position in (0.1, 0.2):  # written once, not at every change
        window.document.set_position(position)
        wait_kept(qtbot, window)
    assert len(list(recovery_folder().glob("*.safetensors"))) == 1
    window.close()
    again = make_window()
    QTest.mouseClick(offered(qtbot, again), LEFT)
    wait_idle(qtbot, again)
    assert again.document.autoencoders[SEVEN].card == {"mine": 1}
    save_as(qtbot, again, tmp_path / "mine.kvsession")
    assert (tmp_path / "mine-7x7.safetensors").exists()
    again.close()
    assert list(recovery_folder().iterdir()) == []


def test_two_windows_keep_their_work_apart(
    make_window: MakeWindow, qtbot: Any, tmp_path: Path
) -> None:
    first = make_window(write_network(tmp_path / "first.safetensors"))
    second = make_window(write_network(tmp_path / "second.safetensors"))
    first.document.set_threshold(SEVEN, 0.1)
    second.document.set_threshold(SEVEN, 0.2)
    for window in (first, second):
        wait_kept(qtbot, window, count=2)
    assert not [*offers()]
    first.close()
    third = make_window()
    (only,) = third.sessions.recovery.offers
    assert [entry.name for entry in only.session.networks] == ["first.safetensors"]
    fourth = make_window()
    QTest.mouseClick(offered(qtbot, third), LEFT)
    wait_idle(qtbot, third)
    assert third.document.marks.family_thresholds == {SEVEN: 0.1}
    QTest.mouseClick(offered(qtbot, fourth), LEFT)  # the other was quicker
    wait_idle(qtbot, fourth)
    assert "open in another window" in fourth.statusBar().currentMessage()
    assert not fourth.document.banks
    assert offer(fourth) is None or not offer(fourth).isVisible()


def test_what_a_session_replaces_is_kept_if_it_was_unsaved(
    open_anew: MakeWindow, qtbot: Any, tmp_path: Path, small_file: Path
) -> None:
    window = open_anew(small_file)
    path = tmp_path / "mine.kvsession"
    save_as(qtbot, window, path)
    window.document.set_threshold(SEVEN, 0.5)
    window.opener.open([path])
    wait_idle(qtbot, window)
    assert window.document.marks.family_thresholds == {}
    (left,) = window.sessions.recovery.offers
    assert left.session.family_thresholds == {"7x7": 0.5}
    menu = window.commands["recent"].menu()
    menu.aboutToShow.emit()
    assert (
        menu.actions()[0]
        .text()
        .startswith(f"Reopen the last work: 1 network, {small_file.stem} (")
    )
    menu.actions()[0].trigger()
    wait_idle(qtbot, window)
    assert window.document.marks.family_thresholds == {SEVEN: 0.5}
    assert window.sessions.recovery.offers == ()


def test_closing_every_network_by_mistake_loses_no_work(
    open_anew: MakeWindow, qtbot: Any, tmp_path: Path
) -> None:
    paths = [
        write_network(tmp_path / f"{name}.safetensors", seed=seed)
        for seed, name in enumerate(("ash", "elm", "oak"))
    ]
    window = open_anew(*paths)
    QTest.keyClick(window, Qt.Key.Key_A, CONTROL)
    press(qtbot, window, Qt.Key.Key_W, CONTROL | SHIFT)
    wait_idle(qtbot, window)
    assert "3 networks, ash, … (today" in offered(qtbot, window).text()
    QTest.mouseClick(offered(qtbot, window), LEFT)
    wait_idle(qtbot, window)
    assert len(window.document.banks) == 3
    assert window.state.selected.all()


def test_networks_opened_after_the_last_was_closed_are_not_kept_as_unsaved_work(
    make_window: MakeWindow, qtbot: Any, small_file: Path
) -> None:
    window = make_window(small_file)
    window.document.set_threshold(SEVEN, 0.5)
    window.document.close_all()
    wait_idle(qtbot, window)
    for _ in range(2):
        window.opener.open([small_file])
        wait_kept(qtbot, window, count=2)
        assert not window.isWindowModified()
        window.document.close_all()
        wait_idle(qtbot, window)
    window.close()
    (only,) = kept()
    assert read_session(only).family_thresholds == {"7x7": 0.5}


def test_work_that_is_still_being_written_when_the_window_goes_has_one_file(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(recovery_module, "PATIENCE_S", 0.0)
    document, jobs, parent = Document(), JobsOnDemand(), QObject()
    document.open(make_bank())

    def wanted() -> Wanted:
        return Wanted(document.work, Look("signed", False, ""), "")

    recovery = recovery_module.Recovery(jobs, wanted, parent)  # type: ignore[arg-type]
    recovery.keep_now()
    jobs.work()
    document.set_threshold(SEVEN, 0.5)
    recovery.finish(wanted())
    jobs.work()
    (only,) = kept()
    assert read_session(only).thresholds == {"7x7": 0.5}
    claimed = RecoveryFile.claim(only)
    assert claimed is not None  # free for whoever takes it up
    claimed.remove()
    parent.deleteLater()


def test_work_is_never_written_by_the_thread_of_the_window(
    make_window: MakeWindow,
    qtbot: Any,
    small_file: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    threads = []
    write = RecoveryFile.write

    def watched(self: RecoveryFile, text: str) -> None:
        threads.append(threading.current_thread().name)
        write(self, text)

    monkeypatch.setattr(RecoveryFile, "write", watched)
    window = make_window(small_file)
    window.document.set_threshold(SEVEN, 0.5)
    wait_kept(qtbot, window)
    window.close()
    assert set(threads) == {"keep"}


def test_a_folder_that_cannot_be_written_is_told_and_work_goes_on(
    make_window: MakeWindow, qtbot: Any, small_file: Path
) -> None:
    folder = recovery_folder()
    folder.rmdir()
    folder.touch()  # a file in its place
    window = make_window(small_file)
    told: list[str] = []
    window.sessions.told.connect(told.append)
    for threshold in (0.4, 0.5):
        window.document.set_threshold(SEVEN, threshold)
        qtbot.waitUntil(lambda: not window.sessions.recovery.timer.isActive())
        wait_idle(qtbot, window)
    assert len([text for text in told if "cannot be kept" in text]) <= 1
    assert any("in case the program ends" in text for text in errors(window))
    window.close()
    assert window.stopped


def test_kept_work_whose_file_is_gone_is_asked_for_and_not_lost(
    make_window: MakeWindow, qtbot: Any, tmp_path: Path, small_file: Path
) -> None:
    window = make_window(small_file)
    window.document.set_threshold(SEVEN, 0.5)
    window.close()
    small_file.rename(tmp_path / "elsewhere")
    again = make_window()
    QTest.mouseClick(offered(qtbot, again), LEFT)
    wait_idle(qtbot, again)
    dialog = again.findChild(QDialog, "locateDialog")
    assert dialog.isVisible()
    click(dialog, "cancelLocate")
    assert not again.document.banks
    again.close()
    assert len(kept()) == len([*offers()]) == 1
