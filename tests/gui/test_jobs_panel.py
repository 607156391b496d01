"""The jobs panel: one row a batch, each failure with its own message and details."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QEvent, QObject
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from kernelviewer.gui.views.jobs import JobRow
from tests.gui.conftest import wait_idle
from tests.gui.harness import LEFT
from tests.networks import write_network

if TYPE_CHECKING:
    from pathlib import Path

    from kernelviewer.gui.main_window import MainWindow
    from tests.gui.harness import MakeWindow


def row_of(window: MainWindow, title: str) -> JobRow:
    """The row of a job by its title."""
    rows = window.parts.jobs_panel.rows.values()
    (row,) = [row for row in rows if row.title.text() == title]
    return row


def test_many_bad_files_are_one_row_that_opens(
    make_window: MakeWindow, qtbot: Any, tmp_path: Path
) -> None:
    names = ("oak", "elm", "ash")
    good = [write_network(tmp_path / f"{name}.safetensors") for name in names]
    bad = [tmp_path / f"bad{n}.pth" for n in range(4)]
    for path in bad:
        path.write_text("<!DOCTYPE html><html><body>Not found</body></html>")
    window = make_window()
    window.opener.open([*good, *bad])
    wait_idle(qtbot, window)
    failed = [row for row in window.parts.jobs_panel.rows.values() if row.failed]
    row = row_of(window, "Open 7 files")
    assert failed == [row]
    assert row.text.text() == "3 opened, 4 failed"
    assert window.docks["jobs"].isVisible()
    assert not row.failures[0].isVisible()
    QTest.mouseClick(row.fold, LEFT)
    for line, path in zip(row.failures, bad, strict=True):
        assert line.isVisible()
        assert path.name in line.text.text()
        QTest.mouseClick(line.copy, LEFT)
        assert path.name in QGuiApplication.clipboard().text()
    QTest.mouseClick(row.fold, LEFT)
    assert not row.failures[0].isVisible()
    QTest.mouseClick(row.button, LEFT)
    assert not window.parts.jobs_panel.failed()
    assert row not in window.parts.jobs_panel.rows.values()


def test_one_bad_file_shows_its_message_at_once(
    make_window: MakeWindow, qtbot: Any, tmp_path: Path
) -> None:
    bad = tmp_path / "notes.pth"
    bad.write_text("nothing")
    window = make_window()
    window.opener.open([bad])
    wait_idle(qtbot, window)
    row = row_of(window, "Open notes.pth")
    (line,) = row.failures
    assert line.isVisible()
    assert "notes.pth" in line.text.text()


def test_a_row_is_no_higher_than_what_it_says_now(
    make_window: MakeWindow, qtbot: Any
) -> None:
    window = make_window()
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
