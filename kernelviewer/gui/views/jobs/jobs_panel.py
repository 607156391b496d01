"""What runs in the background, and what came of it."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, QTimer, Signal
from PySide6.QtWidgets import (
    QLabel,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from kernelviewer.gui.painting.focus import AreaRing
from kernelviewer.gui.views.jobs.job_row import JobRow

APPEARS_AFTER_MS = 500
EMPTY = "No jobs yet. Opening files and computing shows here, with Cancel."
KEPT = 50


class JobsPanel(QScrollArea):
    """The list of jobs: what failed first, then the newest."""

    cancel_requested = Signal(int)
    """Number of the ticket."""
    copy_requested = Signal(str)
    attention_requested = Signal()
    """A job takes long or has failed: the panel should be seen."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("jobsPanel")
        self.setAccessibleName("Background jobs")
        AreaRing(self)
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        body = QWidget(self)
        self._layout = QVBoxLayout(body)
        self._layout.setContentsMargins(12, 4, 12, 8)
        self._layout.setSpacing(4)
        self._layout.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.empty = QLabel(EMPTY, body)
        self.empty.setProperty("role", "secondary")
        self._layout.addWidget(self.empty)
        self.setWidget(body)
        self.rows: dict[int, JobRow] = {}
        self._finished = 0
        self._slow = QTimer(self)
        self._slow.setSingleShot(True)
        self._slow.setInterval(APPEARS_AFTER_MS)
        self._slow.timeout.connect(self._on_slow)

    def add(self, number: int, title: str, *, stoppable: bool = True) -> None:
        """List a job that was submitted; it shows itself if it takes long."""
        self._row(number, title).set_stoppable(stoppable)
        if not self._slow.isActive():
            self._slow.start()

    def set_progress(self, number: int, done: int, total: int, text: str) -> None:
        """Show how far a job is."""
        if number in self.rows:
            self.rows[number].set_progress(done, total, text)

    def end(self, number: int, text: str) -> None:
        """Show what came of a job."""
        if number in self.rows:
            self.rows[number].set_ended(text)
            self._trim()

    def add_error(self, title: str, text: str, details: str) -> None:
        """List an error of its own, such as one file of many."""
        self._finished -= 1
        self.fail(self._finished, title, text, details)

    def fail(self, number: int, title: str, text: str, details: str) -> None:
        """Show a job's error and ask to be seen."""
        row = self._row(number, title)
        row.set_ended(text, details, failed=True)
        self._layout.insertWidget(0, row)
        self._trim()
        self.attention_requested.emit()

    def add_failure(self, number: int, text: str, details: str) -> None:
        """List below a job what failed of it while it goes on."""
        if number in self.rows:
            row = self.rows[number]
            row.add_failure(text, details)
            self._layout.insertWidget(0, row)
            self.attention_requested.emit()

    def remove(self, number: int) -> None:
        """Take a job off the list."""
        if row := self.rows.pop(number, None):
            row.hide()
            row.deleteLater()
        self.empty.setVisible(not self.rows)

    def failed(self) -> bool:
        """Whether an error is listed."""
        return any(row.failed for row in self.rows.values())

    def failures(self) -> list[str]:
        """What failed, a line each."""
        found: list[str] = []
        for row in self.rows.values():
            lines = [line.text.text() for line in row.failures]
            found += lines or [row.text.text()] * row.failed
        return found

    def sizeHint(self) -> QSize:
        """Qt: room for three jobs."""
        return QSize(400, 128)

    def minimumSizeHint(self) -> QSize:
        """Qt: one job stays in sight."""
        return QSize(200, 40)

    def running(self) -> int:
        """How many listed jobs have not ended."""
        return sum(row.running for row in self.rows.values())

    def _row(self, number: int, title: str) -> JobRow:
        if number not in self.rows:
            row = JobRow(title, self)
            row.cancel_requested.connect(lambda: self.cancel_requested.emit(number))
            row.copy_requested.connect(self.copy_requested)
            row.dismissed.connect(lambda: self.remove(number))
            self.rows[number] = row
            failed = sum(other.failed for other in self.rows.values())
            self._layout.insertWidget(failed, row)
            self.empty.hide()
        return self.rows[number]

    def _trim(self) -> None:
        """Keep the list short: the oldest ended jobs go."""
        ended = [number for number, row in self.rows.items() if not row.running]
        for number in ended[: max(0, len(ended) - KEPT)]:
            self.remove(number)

    def _on_slow(self) -> None:
        if any(row.running and row.stoppable for row in self.rows.values()):
            self.attention_requested.emit()
