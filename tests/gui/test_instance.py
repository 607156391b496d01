"""A second start hands its files to the window that runs, if that is wished."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PySide6.QtNetwork import QLocalSocket

from kernelviewer import files
from kernelviewer.commands.window import add_arguments
from kernelviewer.gui.instance import Doorkeeper, hand_over
from kernelviewer.state.settings import Settings, load_settings, save_settings
from tests.networks import write_network

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytestqt.qtbot import QtBot

    from kernelviewer.gui.main_window import MainWindow

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="sockets are files")
WINDOW = """
import sys
from PySide6.QtCore import QTimer
from kernelviewer.cli import main
from kernelviewer.gui.main_window import MainWindow
init = MainWindow.__init__
def made(self, *arguments):
    init(self, *arguments)
    told = []
    def look():
        names = [model.bank.name for model in self.document.models]
        if names != told and self.jobs.is_idle():
            told[:] = names
            print(*names, flush=True)
            if len(names) > 2:
                self.close()
    self.looker = QTimer(self, interval=50)
    self.looker.timeout.connect(look)
    self.looker.start()
MainWindow.__init__ = made
sys.exit(main(sys.argv[1:]))
"""


def environment() -> dict[str, str]:
    return {**os.environ, "QT_QPA_PLATFORM": "offscreen"}


@pytest.fixture
def running(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A process with a window that prints what is open, and closes with the third."""
    first = write_network(tmp_path / "first.safetensors")
    process = subprocess.Popen(
        [sys.executable, "-c", WINDOW, str(first)],
        stdout=subprocess.PIPE,
        text=True,
        env=environment(),
    )
    with process:
        yield process
        process.kill()


def second(*words: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "kernelviewer", *words],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
        cwd=folder,
        env=environment() | {"PYTHONPATH": str(Path(files.__file__).parents[1])},
    )


def test_another_process_hands_its_files_over_by_option_or_setting(
    running: subprocess.Popen[str], tmp_path: Path
) -> None:
    assert running.stdout is not None
    assert running.stdout.readline() == "first\n"
    for seed, (name, setting, words) in enumerate(
        (("second\udcff", "off", ["--reuse-window"]), ("third", "on", [])), 2
    ):  # relative, and no UTF-8
        save_settings(Settings(reuse=setting))
        write_network(tmp_path / f"{name}.safetensors", seed=seed)
        done = second(f"{name}.safetensors", *words, folder=tmp_path)
        assert (done.returncode, done.stderr) == (0, "")
        opened = "first", "second\\xff", "third"
        assert running.stdout.readline().split() == [*opened[:seed]]
    assert running.wait(100) == 0
    assert not any(files.running_dir().iterdir())


def test_the_window_used_last_is_asked_and_dead_ones_are_passed(
    qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.getpid", lambda: 11)
    first = Doorkeeper()
    monkeypatch.setattr("os.getpid", lambda: 22)
    last = Doorkeeper()
    assert first.listens
    assert last.listens
    asked: list[tuple[str, list[Path]]] = []
    first.asked.connect(lambda paths: asked.append(("first", paths)))
    last.asked.connect(lambda paths: asked.append(("last", paths)))
    dead = files.running_dir() / last._place.name.replace("22", "33")  # type: ignore[union-attr]
    os.link(last._place, dead)  # type: ignore[arg-type]
    last.close()
    code = (
        "from pathlib import Path; from kernelviewer.gui import instance; "
        "print(instance.hand_over([Path('/a'), Path('/b c')]))"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        text=True,
        env=environment(),
    ) as process:
        qtbot.waitUntil(lambda: process.poll() is not None, timeout=60_000)
        assert process.communicate()[0] == "True\n"
    assert asked == [("first", [Path("/a"), Path("/b c")])]
    assert not dead.exists()
    first.close()


def test_what_does_not_speak_so_is_not_believed(qtbot: QtBot) -> None:
    keeper = Doorkeeper()
    asked: list[list[Path]] = []
    keeper.asked.connect(asked.append)
    for message in (b"relative\0\0", b"\0", b"x" * ((1 << 20) + 1)):
        socket = QLocalSocket()
        socket.connectToServer(str(keeper._place))
        with qtbot.waitSignal(socket.readyRead):
            pass
        ended = qtbot.waitSignal(
            socket.disconnected if len(message) > 99 else keeper.asked
        )
        with ended:
            socket.write(message)
        socket.abort()
    assert asked == [[], []]
    keeper.close()


def test_nobody_is_asked_where_no_window_runs_or_others_may_enter() -> None:
    assert not hand_over([])
    folder = files.running_dir()
    assert folder.stat().st_mode & 0o777 == 0o700
    folder.chmod(0o755)
    with pytest.raises(PermissionError, match="others may enter"):
        files.running_dir()
    assert not hand_over([])
    assert not Doorkeeper().listens


def test_the_choice_is_kept_at_once(window: MainWindow, qtbot: QtBot) -> None:
    action = window.commands["reuse"]
    window.keeps_settings = True
    assert load_settings()[0].reuse == "off"
    action.trigger()
    assert load_settings()[0].reuse == "on"
    assert action.isChecked()
    action.trigger()
    assert load_settings()[0].reuse == "off"


def test_both_options_at_once_are_wrong_usage() -> None:
    from argparse import ArgumentParser

    parser = ArgumentParser()
    add_arguments(parser)
    assert parser.parse_args([]).reuse is None
    assert parser.parse_args(["--new-window"]).reuse is False
    with pytest.raises(SystemExit):
        parser.parse_args(["--new-window", "--reuse-window"])
