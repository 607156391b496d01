"""Hands for sessions: saving, reopening, looking at what a window holds."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QDialog,
    QFileDialog,
    QLineEdit,
    QPushButton,
    QTreeWidget,
)

from kernelviewer.files import resource
from kernelviewer.state.selection import Kernels
from tests.gui.conftest import wait_idle
from tests.gui.harness import CONTROL, LEFT, SHIFT
from tests.networks import write_network

if TYPE_CHECKING:
    from pathlib import Path

    from PySide6.QtWidgets import QWidget

    from kernelviewer.gui.main_window import MainWindow
    from tests.gui.harness import MakeWindow

LIMIT_S = 200
PROGRAM = """
import sys
from pathlib import Path
from PySide6.QtCore import QEventLoop, QTimer
from PySide6.QtWidgets import QApplication
from kernelviewer.gui import create_window
app = QApplication([])

def wait(milliseconds):
    loop = QEventLoop()  # lets other threads run meanwhile; QTest.qWait does not
    QTimer.singleShot(milliseconds, loop.quit)
    loop.exec()

def settle(window):
    calm = 0
    while calm < 3:
        wait(20)
        calm = calm + 1 if window.jobs.is_idle() else 0

window = create_window(paths=[Path(name) for name in sys.argv[1:]])
window.resize(1100, 720)
window.show()
"""
"""A process of its own that opens files."""


def start(code: str, *paths: Path) -> subprocess.Popen[str]:
    """Run `PROGRAM` and then the code in a new process."""
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM + code, *map(str, paths)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen", "OMP_NUM_THREADS": "1"},
    )


def run(code: str, *paths: Path) -> str:
    """What such a process prints; it has to end well."""
    with start(code, *paths) as process:
        try:
            out, err = process.communicate(timeout=LIMIT_S)
        finally:
            process.kill()
    assert process.returncode == 0, err
    return out


def choose(dialog: QFileDialog, path: Path) -> None:
    """Type a path into a file dialog and press Enter."""
    name = dialog.findChild(QLineEdit, "fileNameEdit")
    name.setText(str(path))
    QTest.keyClick(name, Qt.Key.Key_Return)


def press(qtbot: Any, window: MainWindow, key: Qt.Key, held: Any = CONTROL) -> None:
    """Press a shortcut, the window being in front again after a dialog."""
    with qtbot.waitActive(window):
        window.activateWindow()
    QTest.keyClick(window, key, held)


def save_as(qtbot: Any, window: MainWindow, path: Path) -> None:
    """Save the session by keyboard."""
    press(qtbot, window, Qt.Key.Key_S, CONTROL | SHIFT)
    choose(window.findChild(QFileDialog, "saveSessionDialog"), path)
    wait_idle(qtbot, window)


def click(parent: QWidget, name: str) -> None:
    """Click a button."""
    button = parent.findChild(QPushButton, name)
    assert button.isVisible()
    QTest.mouseClick(button, LEFT)


def lines(path: Path) -> list[str]:
    """A session's lines but for its time."""
    found = path.read_text(encoding="utf-8").splitlines()
    kept = [line for line in found if not line.startswith(' "saved": ')]
    assert len(kept) == len(found) - 1
    return kept


SEVEN = (7, 7)


def write_nets(folder: Path) -> tuple[Path, Path]:
    """The sample and a random network, each in a folder of its own."""
    (folder / "trained").mkdir(parents=True)
    sample = folder / "trained" / "sample.safetensors"
    shutil.copy(resource("sample", "sample.safetensors"), sample)
    return sample, write_network(folder / "random.safetensors")


def selected(window: MainWindow) -> list[int]:
    """Pool numbers of what is marked."""
    return np.flatnonzero(window.state.selected).tolist()


def saved(make_window: MakeWindow, qtbot: Any, path: Path, *files: Path) -> list[int]:
    """Save a session of some networks with a selection; what is marked."""
    window = make_window(*files)
    pool = window.state.pool
    everything = Kernels.of(pool, np.ones(len(pool), bool))
    window.document.select("replace", everything)
    save_as(qtbot, window, path)
    found = selected(window)
    window.document.close_all()
    wait_idle(qtbot, window)
    return found


def dialog_of(window: MainWindow) -> QDialog:
    return window.findChild(QDialog, "locateDialog")


def states(dialog: QDialog) -> list[str]:
    rows = dialog.findChild(QTreeWidget, "missingFiles")
    return [rows.topLevelItem(i).text(2) for i in range(rows.topLevelItemCount())]
