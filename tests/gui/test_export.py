"""Exporting figures from the window."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QDoubleSpinBox,
    QFileDialog,
    QLabel,
    QPlainTextEdit,
    QPushButton,
)

from kernelviewer.figures import EXHIBITS
from tests.networks import write_network

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from kernelviewer.gui.main_window import MainWindow

    MakeWindow = Callable[..., MainWindow]

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def dialog(make_window: MakeWindow, tmp_path: Path, qtbot: Any) -> QDialog:
    window = make_window(write_network(tmp_path / "net.safetensors", channels=40))
    QTest.mouseClick(window.findChild(QPushButton, "exportFigure"), LEFT)
    dialog = window.findChild(QDialog, "exportDialog")
    drawn(qtbot, window)
    return dialog


def drawn(qtbot: Any, window: MainWindow) -> None:
    """Wait until the preview is up to date."""
    dialog = window.findChild(QDialog, "exportDialog")
    qtbot.waitUntil(
        lambda: not dialog._later.isActive() and window.jobs.is_idle(), timeout=60_000
    )


def choose(dialog: QDialog, name: str, data: str) -> None:
    """Choose an entry of a combo box by its data."""
    box = dialog.findChild(QComboBox, name)
    box.setCurrentIndex(box.findData(data))


@pytest.mark.parametrize("kind", EXHIBITS)
def test_every_exhibit_has_a_preview_and_a_caption(
    dialog: QDialog, qtbot: Any, kind: str
) -> None:
    choose(dialog, "figureKind", kind)
    drawn(qtbot, dialog.parent())
    assert not dialog.findChild(QLabel, "figurePreview").pixmap().isNull()
    assert len(dialog.findChild(QPlainTextEdit, "figureCaption").toPlainText()) > 20
    dialog.close()


def test_what_is_saved_is_what_was_seen(
    dialog: QDialog, qtbot: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    choose(dialog, "figureKind", "sheet")
    dialog.findChild(QDoubleSpinBox, "figureWidth").setValue(89)
    drawn(qtbot, dialog.parent())
    for name in ("out.svg", "out.png", "plain"):
        answer = (str(tmp_path / name), "")
        monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *a, **k: answer)  # noqa: B023
        QTest.mouseClick(dialog.findChild(QPushButton, "saveFigure"), LEFT)
    assert "stages.0.conv_dw" in (tmp_path / "out.svg").read_text()
    assert (tmp_path / "plain.svg").exists()
    assert (tmp_path / "out.png").read_bytes() == dialog._picture.png
    dialog.close()


def test_a_selection_is_what_is_drawn(dialog: QDialog, qtbot: Any) -> None:
    window = dialog.parent()
    choose(dialog, "figureKind", "sheet")
    choose(dialog, "figureScope", "selected")
    drawn(qtbot, window)
    assert "nothing is selected" in dialog.findChild(QLabel, "figurePreview").text()
    assert not dialog.findChild(QPushButton, "saveFigure").isEnabled()
    window.linking.selection.select_shown()
    choose(dialog, "figureScope", "all")
    choose(dialog, "figureScope", "selected")
    drawn(qtbot, window)
    assert "80" in dialog.findChild(QPlainTextEdit, "figureCaption").toPlainText()
    dialog.close()


def test_caption_and_image_are_copied(dialog: QDialog) -> None:
    QTest.mouseClick(dialog.findChild(QPushButton, "copyCaption"), LEFT)
    caption = dialog.findChild(QPlainTextEdit, "figureCaption").toPlainText()
    assert QGuiApplication.clipboard().text() == caption
    QTest.mouseClick(dialog.findChild(QPushButton, "copyFigure"), LEFT)
    assert not QGuiApplication.clipboard().image().isNull()
    dialog.close()


def test_a_folder_that_cannot_be_written_is_named(
    dialog: QDialog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = (str(tmp_path / "none" / "a.svg"), "")
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *a, **k: answer)
    QTest.mouseClick(dialog.findChild(QPushButton, "saveFigure"), LEFT)
    assert (
        "no such folder"
        in dialog.findChild(QPlainTextEdit, "figureCaption").toPlainText()
    )
    dialog.close()
