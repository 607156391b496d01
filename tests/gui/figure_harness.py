"""A window with a figure dialog, for tests."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from PySide6.QtTest import QTest
from PySide6.QtWidgets import QComboBox, QFileDialog, QPushButton
from shiboken6 import isValid

from kernelviewer.gui.dialogs.figure.dialog import FigureDialog
from tests.gui.harness import LEFT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pytest

    from kernelviewer.gui.main_window import MainWindow

WAIT_MS = 60_000


def open_dialog(window: MainWindow, qtbot: Any, kind: str = "") -> FigureDialog:
    """Open the dialog by the button of the main window, and choose a kind of figure."""
    QTest.mouseClick(window.findChild(QPushButton, "exportFigure"), LEFT)
    dialog = window.findChild(FigureDialog, "figureDialog")
    if kind:
        choose(dialog, "figureKind", kind)
    settle(dialog, qtbot)
    return dialog


@contextmanager
def dialog_of(window: MainWindow, qtbot: Any, kind: str = "") -> Iterator[FigureDialog]:
    """The dialog while a test uses it, closed after it."""
    dialog = open_dialog(window, qtbot, kind)
    yield dialog
    if isValid(dialog):
        dialog.caption.clear()  # or closing would ask what becomes of it
        dialog.close()


def settle(dialog: FigureDialog, qtbot: Any) -> None:
    """Wait until the preview is up to date."""
    window = dialog.parent()
    qtbot.waitUntil(
        lambda: not dialog._later.isActive() and window.jobs.is_idle(), timeout=WAIT_MS
    )


def choose(dialog: FigureDialog, name: str, key: str) -> None:
    """Choose an entry of a box by its key."""
    box = dialog.findChild(QComboBox, name)
    index = box.findData(key)
    assert index >= 0, [box.itemData(i) for i in range(box.count())]
    box.setCurrentIndex(index)


def click(dialog: FigureDialog, name: str) -> None:
    """Click a button by its name."""
    button = dialog.findChild(QPushButton, name)
    assert button.isEnabled(), name
    QTest.mouseClick(button, LEFT)


def answer_with(monkeypatch: pytest.MonkeyPatch, path: Path, kind: str = "") -> None:
    """Whoever asks for a file gets this one."""
    answer = (str(path), kind)
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *a, **k: answer)
