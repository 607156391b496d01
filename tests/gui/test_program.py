"""The program as a process: what it imports, how it starts, how it ends."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from PySide6.QtGui import QImage

from tests.networks import write_network

if TYPE_CHECKING:
    from pathlib import Path

LIMIT_S = 90


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run Python with a clean Qt platform."""
    return subprocess.run(
        [sys.executable, *arguments],
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen", **environment},
    )


def test_the_first_window_needs_no_torch_and_costs_no_garbage_collection() -> None:
    code = """
import gc, sys
from PySide6.QtWidgets import QApplication
from kernelviewer.gui import create_window
many = [[] for _ in range(100_000)]
window = create_window()  # and the application with it
print(gc.isenabled(), len(gc.get_objects()) < 50_000, gc.get_freeze_count() > 100_000)
window.show()
print({"torch", "timm", "matplotlib", "h5py", "onnx"}.isdisjoint(sys.modules))
window.close()
print(gc.get_freeze_count())
"""
    done = run("-c", code)
    assert done.stdout.split() == ["True"] * 4 + ["0"], done.stderr


def test_a_screenshot_shows_the_opened_file_and_leaves_the_settings_as_they_were(
    tmp_path: Path, own_folders: Path
) -> None:
    settings = own_folders / "config" / "settings.json"
    settings.parent.mkdir()
    kept = '{"theme": "light", "colormap": "grey"}'
    settings.write_text(kept)
    path = write_network(tmp_path / "net.safetensors")
    picture = tmp_path / "window.png"
    done = run(
        *("-m", "kernelviewer", str(path), "--theme", "dark"),
        *("--size", "1080x740", "--screenshot", str(picture)),
    )
    assert done.returncode == 0, done.stderr
    image = QImage(str(picture))
    assert (image.width(), image.height()) == (1080, 740)
    assert image.pixelColor(2, image.height() // 2).lightness() < 60
    assert settings.read_text() == kept


def test_a_screenshot_that_cannot_be_written_ends_with_1(tmp_path: Path) -> None:
    done = run("-m", "kernelviewer", "--screenshot", str(tmp_path / "no" / "a.png"))
    assert done.returncode == 1
    assert "a.png" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_screenshot_of_what_failed_says_so_and_ends_with_1(tmp_path: Path) -> None:
    path = write_network(tmp_path / "net.safetensors")
    bad, picture = tmp_path / "bad.pth", tmp_path / "window.png"
    bad.write_bytes(b"nothing of a network")
    files = (str(path), str(bad), str(tmp_path / "none.pth"))
    done = run("-m", "kernelviewer", *files, "--screenshot", str(picture))
    assert done.returncode == 1
    assert "kernelviewer: bad.pth: " in done.stderr
    assert "kernelviewer: none.pth: there is no such file" in done.stderr
    assert not QImage(str(picture)).isNull()


def test_a_task_that_does_not_stop_does_not_keep_the_program(tmp_path: Path) -> None:
    code = """
import sys, threading
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication
from kernelviewer.gui import application
from kernelviewer.gui.jobs import Reaction
app = QApplication([])

def deaf(ticket):
    threading.Event().wait(600)

def begin():
    window = next(w for w in app.topLevelWidgets() if w.objectName() == "mainWindow")
    window.jobs.submit("compute", "deaf", "Deaf", Reaction(), deaf)
    QTimer.singleShot(100, window.close)

QTimer.singleShot(0, begin)
sys.exit(application.run())
"""
    done = run("-c", code)
    assert done.returncode == 0, done.stderr


def test_reset_forgets_the_settings(tmp_path: Path, own_folders: Path) -> None:
    settings = own_folders / "config" / "settings.json"
    settings.parent.mkdir()
    settings.write_text('{"theme": "dark", "colormap": "grey"}')
    picture = tmp_path / "window.png"
    done = run("-m", "kernelviewer", "--reset", "--screenshot", str(picture))
    assert done.returncode == 0, done.stderr
    assert not settings.exists()


@pytest.mark.parametrize("chosen", [False, True])
def test_what_is_given_for_one_run_does_not_stick(
    own_folders: Path, chosen: bool
) -> None:
    settings = own_folders / "config" / "settings.json"
    settings.parent.mkdir()
    settings.write_text('{"theme": "light", "device": "auto", "colormap": "grey"}')
    code = f"""
import sys
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication
from kernelviewer.gui import application
from kernelviewer.gui.theme import tokens
app = QApplication([])

def end():
    window = next(w for w in app.topLevelWidgets() if w.objectName() == "mainWindow")
    assert tokens().dark
    assert window.settings.device == "cpu"
    if {chosen}:
        menu = window.commands["theme"].menu()
        next(a for a in menu.actions() if a.data() == "dark").trigger()
    window.close()

QTimer.singleShot(100, end)
sys.exit(application.run(theme="dark", device="cpu"))
"""
    done = run("-c", code)
    assert done.returncode == 0, done.stderr
    kept = json.loads(settings.read_text())
    assert kept["theme"] == ("dark" if chosen else "light")
    assert kept["device"] == "auto"
    assert kept["colormap"] == "grey"
