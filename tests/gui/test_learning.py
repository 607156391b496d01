"""Training and the null test from the window."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QDialog, QFileDialog, QLabel, QPushButton, QSpinBox

from kernelviewer.latent.autoencoder import Autoencoder
from tests.gui.conftest import wait_idle
from tests.networks import write_network

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from kernelviewer.gui.main_window import MainWindow

    MakeWindow = Callable[..., MainWindow]

LEFT = Qt.MouseButton.LeftButton
CONTROL = Qt.KeyboardModifier.ControlModifier


@pytest.fixture
def window(make_window: MakeWindow, tmp_path: Path) -> MainWindow:
    return make_window(write_network(tmp_path / "net.safetensors", channels=64))


def click(dialog: QDialog, name: str) -> None:
    """Click a button of a dialog."""
    QTest.mouseClick(dialog.findChild(QPushButton, name), LEFT)


def test_training_shows_its_loss_and_its_result_can_be_used_and_saved(
    window: MainWindow, qtbot: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    QTest.keyClick(window, Qt.Key.Key_T, CONTROL)
    dialog = window.findChild(QDialog, "trainDialog")
    dialog.findChild(QSpinBox, "trainSeed").setValue(3)
    click(dialog, "startTraining")
    qtbot.waitUntil(lambda: len(dialog._losses) >= 2, timeout=60_000)
    assert not dialog.findChild(QLabel, "formingSpectrum").pixmap().isNull()
    click(dialog, "stopTraining")
    wait_idle(qtbot, window)
    before = window.document.autoencoders[(7, 7)]
    click(dialog, "useAutoencoder")
    wait_idle(qtbot, window)
    used = window.document.autoencoders[(7, 7)]
    assert used is not before
    codes = window.linking.presenter.state.labels.code
    weights = window.document.banks[0].sizes[(7, 7)].weights
    assert codes == pytest.approx(used.encode(weights).code, abs=1e-6)
    path = tmp_path / "mine"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *a, **k: (str(path), ""))
    click(dialog, "saveAutoencoder")
    assert Autoencoder.load(path.with_suffix(".safetensors")).size == (7, 7)
    dialog.close()


def test_closing_the_dialog_gives_the_training_up(
    window: MainWindow, qtbot: Any
) -> None:
    QTest.keyClick(window, Qt.Key.Key_T, CONTROL)
    dialog = window.findChild(QDialog, "trainDialog")
    before = window.document.autoencoders[(7, 7)]
    click(dialog, "startTraining")
    dialog.close()
    wait_idle(qtbot, window)
    assert window.document.autoencoders[(7, 7)] is before


def test_a_saved_autoencoder_is_loaded_for_its_size(
    window: MainWindow, qtbot: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "code.safetensors"
    window.document.autoencoders[(7, 7)].save(path)
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *a, **k: (str(path), ""))
    before = window.document.autoencoders[(7, 7)]
    window.actions_.load_autoencoder()
    wait_idle(qtbot, window)
    assert window.document.autoencoders[(7, 7)] is not before
    assert window.linking.presenter.state.labels is not None


def test_a_file_that_is_no_autoencoder_is_named(
    window: MainWindow, qtbot: Any, small_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        QFileDialog, "getOpenFileName", lambda *a, **k: (str(small_file), "")
    )
    window.actions_.load_autoencoder()
    wait_idle(qtbot, window)
    assert small_file.name in window.statusBar().currentMessage()


def test_the_null_test_shows_all_conditions(window: MainWindow, qtbot: Any) -> None:
    keys = CONTROL | Qt.KeyboardModifier.ShiftModifier
    QTest.keyClick(window, Qt.Key.Key_N, keys)
    dialog = window.findChild(QDialog, "nullTestDialog")
    qtbot.waitUntil(window.jobs.is_idle, timeout=100_000)
    text = dialog.findChild(QLabel, "nullTable").text()
    for name in ("trained", "white noise", "shuffled taps", "untrained"):
        assert name in text
    dialog.close()
