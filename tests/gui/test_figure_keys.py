"""The figure dialog by keyboard: Return, Escape, Tab, and on a small screen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractSpinBox,
    QComboBox,
    QDoubleSpinBox,
    QLineEdit,
    QPlainTextEdit,
    QWidget,
)

from tests.gui.conftest import answer_next
from tests.gui.figure_harness import (
    answer_with,
    click,
    dialog_of,
    settle,
)

if TYPE_CHECKING:
    from pathlib import Path

    from kernelviewer.gui.dialogs.figure.dialog import FigureDialog
    from kernelviewer.gui.main_window import MainWindow


pytestmark = pytest.mark.networks(channels=12)


@pytest.fixture
def dialog(window: MainWindow, qtbot: Any) -> Any:
    with dialog_of(window, qtbot, "strips") as dialog:
        yield dialog


def test_return_saves_from_every_field_that_has_no_use_for_it(
    dialog: FigureDialog, qtbot: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for field in ("figureTitle", "figureKind", "figureWidth", "figureLegend"):
        path = tmp_path / f"{field}.svg"
        answer_with(monkeypatch, path)
        QTest.keyClick(dialog.findChild(QWidget, field), Qt.Key.Key_Return)
        settle(dialog, qtbot)
        assert path.exists(), field


def test_return_takes_a_typed_number_before_it_saves(
    dialog: FigureDialog, qtbot: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer_with(monkeypatch, tmp_path / "a.svg")
    width = dialog.findChild(QDoubleSpinBox, "figureWidth")
    width.setFocus()
    width.selectAll()
    QTest.keyClicks(width, "90")
    QTest.keyClick(width, Qt.Key.Key_Return)
    settle(dialog, qtbot)
    assert dialog.facts.text().startswith("90.0 × ")
    assert not (tmp_path / "a.svg").exists()
    dialog.caption.setFocus()
    QTest.keyClick(dialog.caption, Qt.Key.Key_Return)
    assert not (tmp_path / "a.svg").exists()
    dialog.caption.undo()
    QTest.keyClick(width, Qt.Key.Key_Return)
    settle(dialog, qtbot)
    assert (tmp_path / "a.svg").exists()


def test_escape_asks_before_a_caption_of_ones_own_is_lost(
    dialog: FigureDialog, qtbot: Any
) -> None:
    dialog.caption.setPlainText("My own words.")
    asked = answer_next("Cancel")
    QTest.keyClick(dialog, Qt.Key.Key_Escape)
    assert "Discard the caption?" in asked[0]
    assert dialog.isVisible()
    click(dialog, "copyCaption")
    settle(dialog, qtbot)
    QTest.keyClick(dialog, Qt.Key.Key_Escape)
    assert not dialog.isVisible()


def test_it_fits_a_small_screen_and_can_be_used_by_keyboard(
    dialog: FigureDialog, qtbot: Any
) -> None:
    dialog.resize(900, 480)
    settle(dialog, qtbot)
    assert dialog.size().height() == 480
    assert not dialog.isModal()
    kinds = (QAbstractButton, QComboBox, QAbstractSpinBox, QLineEdit, QPlainTextEdit)
    inner = (QComboBox, QAbstractSpinBox)
    for kind in kinds:
        for widget in dialog.findChildren(kind):
            if isinstance(widget.parent(), inner) or not widget.isVisibleTo(dialog):
                continue
            assert widget.objectName(), widget
            assert widget.accessibleName(), widget.objectName()
    seen: set[str] = set()
    dialog.activateWindow()
    dialog.subject.kind.setFocus()
    widget: QWidget = dialog.subject.kind
    while widget.objectName() not in seen:
        seen.add(widget.objectName())
        QTest.keyClick(widget, Qt.Key.Key_Tab)
        widget = dialog.focusWidget()
    assert {"figureWidth", "figurePreset", "figureCaption", "saveFigure"} <= seen
    QTest.keyClick(dialog, Qt.Key.Key_Escape)
    assert not dialog.isVisible()
