"""What holds for every dialog: Escape, Return, names, and nothing that is cut off."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QSignalSpy, QTest
from PySide6.QtWidgets import (
    QApplication,
    QComboBox,
    QDialog,
    QLabel,
    QPushButton,
    QScrollArea,
    QToolTip,
)
from shiboken6 import isValid

from tests.gui.conftest import text_of, wait_idle
from tests.networks import write_network

if TYPE_CHECKING:
    from pathlib import Path

    from kernelviewer.gui.main_window import MainWindow
    from tests.gui.harness import MakeWindow

pytestmark = pytest.mark.networks(channels=24)

DIALOGS = {
    "about": ("aboutBox", "Close"),
    "shortcuts": ("shortcutsDialog", "Close"),
    "glossary": ("glossaryDialog", "Close"),
    "open_model": ("openModelDialog", "Open"),
    "export_labels": ("exportLabelsDialog", "Save…"),
    "train": ("trainDialog", "Train"),
    "null_test": ("nullTestDialog", "Close"),
    "export": ("figureDialog", "Save…"),
}
"""Command → name of its dialog, and what Return presses there."""


def open_dialog(window: MainWindow, command: str, qtbot: Any) -> QDialog:
    """Give the command and wait for what it shows at first."""
    window.commands[command].trigger()
    dialog = window.findChild(QDialog, DIALOGS[command][0])
    if command in ("export", "null_test"):
        wait_idle(qtbot, window)
    dialog.activateWindow()
    qtbot.waitUntil(dialog.isActiveWindow)
    return dialog


def default_of(dialog: QDialog) -> QPushButton:
    """The one button that Return presses."""
    shown = [
        button for button in dialog.findChildren(QPushButton) if button.isVisible()
    ]
    [found] = [button for button in shown if button.isDefault()]
    return found


def test_it_is_whole_return_presses_its_default_button_and_escape_closes_it(
    window: MainWindow, qtbot: Any
) -> None:
    for command, (_, default) in DIALOGS.items():
        dialog = open_dialog(window, command, qtbot)
        no_text_is_cut_off(dialog, command)
        button = default_of(dialog)
        assert button.text().replace("&", "") == default
        qtbot.waitUntil(button.isEnabled)  # a figure is drawn first
        button.clicked.disconnect()
        pressed = QSignalSpy(button.clicked)
        QTest.keyClick(dialog.focusWidget() or dialog, Qt.Key.Key_Return)
        assert pressed.count() == 1, command
        for other in dialog.findChildren(QPushButton):
            if other.isVisible() and other.isEnabled():
                other.setFocus()
                assert default_of(dialog) is other, (command, other.text())
        QTest.keyClick(dialog, Qt.Key.Key_Escape)
        assert not dialog.isVisible(), command
        QApplication.sendPostedEvents(None, 52)  # QEvent.DeferredDelete
        assert not isValid(dialog), command
        wait_idle(qtbot, window)


def test_no_text_of_it_is_cut_off_where_text_is_large(
    make_window: MakeWindow, small_file: Path, qtbot: Any
) -> None:
    with text_of(20):
        window = make_window(small_file)
        for command in DIALOGS:
            dialog = open_dialog(window, command, qtbot)
            no_text_is_cut_off(dialog, command)
            dialog.close()
            wait_idle(qtbot, window)


def no_text_is_cut_off(dialog: QDialog, command: str) -> None:
    """What stands in the dialog of a command has its room."""
    for box in dialog.findChildren(QComboBox):
        wide = box.fontMetrics().horizontalAdvance(box.currentText())
        cut = not box.isVisible() or box.objectName() == "figureScope"
        assert cut or box.width() >= wide, (command, box.objectName())
    options = dialog.findChild(QScrollArea, "figureOptions")
    if options is not None:
        least = options.widget().minimumSizeHint().width()
        assert options.viewport().width() >= least
    for label in (*dialog.findChildren(QLabel), *dialog.findChildren(QPushButton)):
        if not label.isVisible() or label.objectName() == "figureSaid":
            continue
        told, wish = (command, label.text()), label.sizeHint()
        assert label.width() >= (0 if _wraps(label) else wish.width()), told
        if _wraps(label):
            assert label.height() >= label.heightForWidth(label.width()), told


def _wraps(label: QLabel | QPushButton) -> bool:
    return isinstance(label, QLabel) and label.wordWrap()


def test_the_palette_shows_its_whole_sentence_where_nothing_is_found(
    make_window: MakeWindow,
) -> None:
    line = make_window().parts.palette
    line.start()
    QTest.keyClicks(line, "qqzzq")
    assert not line.list.isVisible()
    assert "Nothing is called that" in line.hint.text()
    assert line.hint.height() >= line.hint.sizeHint().height()
    for _ in "qqzzq":
        QTest.keyClick(line, Qt.Key.Key_Backspace)
    assert line.list.isVisible()
    assert line.list.height() >= 200
    QTest.keyClick(line, Qt.Key.Key_Escape)


def test_long_names_lose_their_middle_and_say_the_rest_as_a_tip(
    open_anew: MakeWindow, tmp_path: Path, qtbot: Any
) -> None:
    name = "a-network-with-" + 8 * "quite-" + "a-long-name"
    window = open_anew(write_network(tmp_path / f"{name}.safetensors"))
    dialog = open_dialog(window, "export", qtbot)
    dialog.subject.kind.set_key("compare")
    wait_idle(qtbot, window)
    dialog.grab()
    assert dialog.subject.left.toolTip() == name
    assert dialog.subject.right.toolTip() == ""
    recent = window.commands["recent"].menu()
    recent.aboutToShow.emit()
    [action] = recent.actions()
    assert len(action.text()) <= 80
    assert action.text().endswith("a-long-name.safetensors")
    dialog.close()
    wait_idle(qtbot, window)
    QToolTip.hideText()
