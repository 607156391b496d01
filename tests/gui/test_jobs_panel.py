"""Jobs, those of one kind as one row; and what could not be opened."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QObject
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDialog, QLabel, QPushButton
from safetensors.numpy import save_file

from kernelviewer.gui.views.jobs import JobRow, JobsPanel
from tests.gui.conftest import wait_idle
from tests.gui.harness import LEFT
from tests.networks import write_network

if TYPE_CHECKING:
    from pathlib import Path

    from kernelviewer.gui.main_window import MainWindow


def row_of(window: MainWindow, title: str) -> JobRow:
    """The row of a job by its title."""
    rows = window.parts.jobs_panel.rows.values()
    (row,) = [row for row in rows if row.title.text() == title]
    return row


def write_bad(path: Path) -> Path:
    """A file that is no checkpoint."""
    path.write_text("<!DOCTYPE html><html><body>Not found</body></html>")
    return path


def write_plain(path: Path) -> Path:
    """A network without depthwise kernels."""
    weights = np.ones((4, 3, 3, 3), np.float32)
    save_file({"conv1.weight": weights, "conv2.weight": weights}, path)
    return path


@pytest.mark.networks(count=0)
def test_what_could_not_be_opened_is_a_list_of_its_own(
    window: MainWindow, qtbot: Any, tmp_path: Path
) -> None:
    names = ("oak", "elm", "ash")
    good = [write_network(tmp_path / f"{name}.safetensors") for name in names]
    bad = [write_bad(tmp_path / f"bad{n}.pth") for n in range(4)]
    plain = write_plain(tmp_path / "plain.safetensors")
    window.opener.open([*good, *bad, plain])
    wait_idle(qtbot, window)
    assert [bank.name for bank in window.document.banks] == [*names]
    row = row_of(window, "Open 8 files")
    came = "3 opened, 4 could not be opened, 1 without depthwise kernels"
    assert row.text.text() == came
    assert not row.failed
    assert window.unopened_button.text() == "4 could not be opened, 1 without kernels"
    QTest.mouseClick(window.unopened_button, LEFT)
    dialog = window.findChild(QDialog, "unopenedDialog")
    texts = [label.text() for label in dialog.findChildren(QLabel)]
    for path in bad:
        assert path.name in texts
    assert any("has no depthwise kernels" in text for text in texts)
    again = [b for b in dialog.findChildren(QPushButton, "tryAgain") if b.isVisible()]
    assert len(again) == len(bad), "one without kernels will stay so"
    write_network(bad[0])
    QTest.mouseClick(again[0], LEFT)
    wait_idle(qtbot, window)
    assert window.document.banks[-1].name == "bad0"
    assert window.unopened_button.text() == "3 could not be opened, 1 without kernels"
    QTest.mouseClick(dialog.findChild(QPushButton, "dismissAll"), LEFT)
    assert window.unopened_button.isHidden()
    assert not dialog.isVisible()


@pytest.mark.networks(count=0)
def test_where_nothing_could_be_opened_the_list_comes_by_itself(
    window: MainWindow, qtbot: Any, tmp_path: Path
) -> None:
    window.opener.open([write_bad(tmp_path / "notes.pth")])
    wait_idle(qtbot, window)
    dialog = window.findChild(QDialog, "unopenedDialog")
    assert dialog.isVisible()
    texts = [label.text() for label in dialog.findChildren(QLabel)]
    assert "notes.pth" in texts


def test_jobs_of_one_kind_are_one_row_that_opens(qtbot: Any) -> None:
    panel = JobsPanel()
    qtbot.addWidget(panel)
    panel.resize(700, 300)
    panel.show()
    cancelled: list[int] = []
    panel.cancel_requested.connect(cancelled.append)
    panel.add(1, "Encode 7×7 of oak", kind="Encode kernels")
    QApplication.processEvents()
    group = panel.groups["Encode kernels"]
    assert panel.rows[1].isVisible()
    assert not group.head.isVisible(), "a lone job stands for itself"
    for number in range(2, 6):
        panel.add(number, f"Encode 7×7 of net{number}", kind="Encode kernels")
    for number in (1, 2):
        panel.end(number, "40 kernels")
    QApplication.processEvents()
    assert group.head.isVisible()
    assert group.head.text.text() == "2 of 5 done"
    assert not panel.rows[3].isVisible()
    QTest.mouseClick(group.head.fold, LEFT)
    assert panel.rows[3].isVisible()
    panel.fail(3, "Encode 7×7 of net3", "out of memory", "details")
    QApplication.processEvents()
    QTest.mouseClick(group.head.fold, LEFT)
    assert panel.rows[3].isVisible(), "what failed is not folded away"
    QTest.mouseClick(group.head.button, LEFT)
    assert cancelled == [4, 5]
    for number in (4, 5):
        panel.end(number, "cancelled")
    assert group.head.text.text() == "5 done"
    QTest.mouseClick(group.head.button, LEFT)
    assert [*panel.rows] == [3]


@pytest.mark.networks(count=0)
def test_a_row_is_no_higher_than_what_it_says_now(window: MainWindow) -> None:
    window.docks["jobs"].show()
    panel = window.parts.jobs_panel
    for number in (1, 2):
        panel.add(number, f"Job {number}")
    panel.set_progress(1, 0, 1, "a long name " * 60)
    QApplication.processEvents()
    long, short = panel.rows[1], panel.rows[2]
    assert long.minimumSizeHint().height() > 2 * short.minimumSizeHint().height()
    for number in (1, 2):
        panel.end(number, "done")
    QApplication.processEvents()
    assert long.minimumSizeHint().height() == short.minimumSizeHint().height()


def test_progress_does_not_paint_the_window_at_once(qtbot: Any) -> None:
    """Qt's bar does, with all that has changed, in the middle of what goes on."""
    row = JobRow("Something long")
    qtbot.addWidget(row)
    row.show()
    qtbot.waitExposed(row)
    painted: list[QObject] = []

    class Watcher(QObject):
        def eventFilter(self, watched: QObject, event: QEvent) -> bool:
            if event.type() == QEvent.Type.Paint:
                painted.append(watched)
            return False

    watcher = Watcher()
    row.set_progress(0, 100, "")
    qtbot.waitUntil(row.bar.isVisible)
    QApplication.processEvents()
    row.bar.installEventFilter(watcher)
    for done in (30, 60, 90):
        row.set_progress(done, 100, "")
    assert painted == []
    qtbot.waitUntil(lambda: painted == [row.bar])
