"""What runs in the background, and what came of it."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, QTimer, Signal
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

APPEARS_AFTER_MS = 500
EMPTY = "No jobs yet. Opening files and computing shows here, with Cancel."
KEPT = 50


class JobRow(QWidget):
    """One job: title, progress, Cancel; or its error with Copy details."""

    cancel_requested = Signal()
    copy_requested = Signal(str)
    dismissed = Signal()

    def __init__(self, title: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.running = True
        self.failed = False
        self._details = ""
        self.title = QLabel(title, self)
        self.text = QLabel("waiting", self)
        self.text.setProperty("role", "secondary")
        self.text.setWordWrap(True)
        self.text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.text.setSizePolicy(
            QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Minimum
        )
        self.bar = QProgressBar(self)
        self.bar.setTextVisible(False)
        self.bar.setRange(0, 0)
        self.bar.setFixedWidth(140)
        self.bar.setAccessibleName(f"Progress of {title}")
        self.button = QPushButton("Cancel", self)
        self.button.setObjectName("cancelJob")
        self.button.setAccessibleName(f"Cancel {title}")
        self.button.clicked.connect(self._on_button_clicked)
        self.copy = QPushButton("Copy Details", self)
        self.copy.setObjectName("copyDetails")
        self.copy.setAccessibleName("Copy the details of this error")
        self.copy.hide()
        self.copy.clicked.connect(lambda: self.copy_requested.emit(self._details))
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 2, 0, 2)
        row.setSpacing(12)
        row.addWidget(self.title)
        row.addWidget(self.text, 1)
        row.addWidget(self.bar)
        row.addWidget(self.copy)
        row.addWidget(self.button)

    def set_progress(self, done: int, total: int, text: str) -> None:
        """Show how far the job is."""
        self.bar.setRange(0, total)
        self.bar.setValue(done)
        count = f"{done} of {total}" if total else ""
        self.text.setText(": ".join(filter(None, [count, text])))

    def set_ended(self, text: str, details: str = "", *, failed: bool = False) -> None:
        """Show the result, or the error and its details."""
        self.running = False
        self.failed = failed
        self._details = details
        self.bar.hide()
        self.text.setText(text)
        self.text.setProperty("role", "error" if failed else "secondary")
        self.text.style().polish(self.text)
        self.copy.setVisible(failed)
        self.button.setEnabled(True)
        self.button.setText("Dismiss")
        self.button.setObjectName("dismissJob")
        self.button.setAccessibleName(f"Remove {self.title.text()} from the list")

    def _on_button_clicked(self) -> None:
        if self.running:
            self.button.setEnabled(False)
            self.text.setText("cancelling")
            self.cancel_requested.emit()
        else:
            self.dismissed.emit()


class JobsPanel(QScrollArea):
    """The list of jobs, newest first."""

    cancel_requested = Signal(int)
    """Number of the ticket."""
    copy_requested = Signal(str)
    attention_requested = Signal()
    """A job takes long or has failed: the panel should be seen."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("jobsPanel")
        self.setAccessibleName("Background jobs")
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

    def add(self, number: int, title: str) -> None:
        """List a job that was submitted; it shows itself if it takes long."""
        self._row(number, title)
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
        self._row(number, title).set_ended(text, details, failed=True)
        self._trim()
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
            self._layout.insertWidget(0, row)
            self.empty.hide()
        return self.rows[number]

    def _trim(self) -> None:
        """Keep the list short: the oldest ended jobs go."""
        ended = [number for number, row in self.rows.items() if not row.running]
        for number in ended[: max(0, len(ended) - KEPT)]:
            self.remove(number)

    def _on_slow(self) -> None:
        if self.running():
            self.attention_requested.emit()
