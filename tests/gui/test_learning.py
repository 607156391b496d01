"""Training and the null test from the window."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QDialog, QFileDialog, QLabel, QPushButton, QSpinBox

from kernelviewer.gui.dialogs.noise_control import NullTestDialog
from kernelviewer.latent.autoencoder import Autoencoder
from tests.gui.conftest import answer_next, wait_idle
from tests.gui.harness import CONTROL, LEFT

if TYPE_CHECKING:
    from pathlib import Path

    from kernelviewer.gui.main_window import MainWindow

pytestmark = pytest.mark.networks(channels=64, by="code")


@pytest.fixture(scope="module", autouse=True)
def few_of_noise(module_patch: pytest.MonkeyPatch) -> None:
    """The null of what is trained takes most of the time of a finish."""
    module_patch.setattr("kernelviewer.latent.finishing.KERNELS", 1000)


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
    codes = window.state.labels.code
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
    qtbot.waitUntil(lambda: len(dialog._losses) >= 1, timeout=60_000)
    asked = answer_next("Cancel")
    QTest.keyClick(dialog, Qt.Key.Key_Escape)
    assert "Give the training up?" in asked[0]
    assert dialog.isVisible()
    assert window.jobs.is_current("train")
    answer_next("Give Up")
    QTest.keyClick(dialog, Qt.Key.Key_Escape)
    assert not window.jobs.is_current("train")
    wait_idle(qtbot, window)
    assert window.document.autoencoders[(7, 7)] is before


def test_a_trained_autoencoder_is_not_lost_without_a_word(
    window: MainWindow, qtbot: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    QTest.keyClick(window, Qt.Key.Key_T, CONTROL)
    dialog = window.findChild(QDialog, "trainDialog")
    click(dialog, "startTraining")
    qtbot.waitUntil(lambda: len(dialog._losses) >= 1, timeout=60_000)
    click(dialog, "stopTraining")
    wait_idle(qtbot, window)
    for begin in (
        lambda: QTest.keyClick(dialog, Qt.Key.Key_Escape),
        lambda: click(dialog, "startTraining"),
    ):
        asked = answer_next("Cancel")
        begin()
        assert "neither in use nor saved" in asked[0]
        assert dialog.isVisible()
        assert not window.jobs.is_current("train")
    path = tmp_path / "mine.safetensors"
    path.write_text("precious")
    without = tmp_path / "mine"
    monkeypatch.setattr(
        QFileDialog, "getSaveFileName", lambda *a, **k: (str(without), "")
    )
    answer_next("Cancel")
    click(dialog, "saveAutoencoder")
    assert path.read_text() == "precious"
    answer_next("Replace")
    click(dialog, "saveAutoencoder")
    assert Autoencoder.load(path).size == (7, 7)
    QTest.keyClick(dialog, Qt.Key.Key_Escape)
    assert not dialog.isVisible()


def test_a_saved_autoencoder_is_loaded_for_its_size(
    window: MainWindow, qtbot: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "code.safetensors"
    window.document.autoencoders[(7, 7)].save(path)
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *a, **k: (str(path), ""))
    before = window.document.autoencoders[(7, 7)]
    window.commands["load_autoencoder"].trigger()
    wait_idle(qtbot, window)
    assert window.document.autoencoders[(7, 7)] is not before
    assert window.state.labels is not None


def test_a_file_that_is_no_autoencoder_is_named(
    window: MainWindow, qtbot: Any, small_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        QFileDialog, "getOpenFileName", lambda *a, **k: (str(small_file), "")
    )
    window.commands["load_autoencoder"].trigger()
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
    before = dialog.panel.plot.backgroundBrush().color().name()
    window.set_theme("dark")
    assert dialog.panel.plot.backgroundBrush().color().name() != before
    dialog.close()


def test_a_null_test_that_was_stopped_says_so_and_can_be_run_again(
    window: MainWindow, qtbot: Any
) -> None:
    keys = CONTROL | Qt.KeyboardModifier.ShiftModifier
    QTest.keyClick(window, Qt.Key.Key_N, keys)
    dialog = window.findChild(QDialog, "nullTestDialog")
    click(dialog, "stopNullTest")
    wait_idle(qtbot, window)
    assert "Cancelled" in dialog.panel.text.text()
    assert dialog.panel.text.isVisible()
    QTest.keyClick(dialog, Qt.Key.Key_Return)
    assert window.jobs.is_current("null test")
    assert not dialog.findChild(QPushButton, "runNullTest").isVisible()
    QTest.keyClick(dialog, Qt.Key.Key_Escape)
    assert not window.jobs.is_current("null test")
    assert not dialog.isVisible()
    wait_idle(qtbot, window)


def test_closing_an_old_null_test_leaves_a_new_one_running(
    window: MainWindow, qtbot: Any
) -> None:
    old = NullTestDialog(window)
    old.show()
    click(old, "stopNullTest")
    new = NullTestDialog(window)
    new.show()
    old.close()
    assert window.jobs.is_current("null test")
    new.close()
    assert not window.jobs.is_current("null test")
    wait_idle(qtbot, window)
