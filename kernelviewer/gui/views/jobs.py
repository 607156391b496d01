"""What runs in the background, as a list."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt, QTimer, Signal
from PySide6.QtWidgets import (
    QLabel,
    QProgressBar,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QToolButton,
    QWidget,
)

from kernelviewer.gui.accessible import announce
from kernelviewer.gui.controls import in_column, in_row, label_of, named
from kernelviewer.gui.painting.pixels import AreaRing
from kernelviewer.gui.view import Home, ViewSpec

if TYPE_CHECKING:
    from PySide6.QtGui import QResizeEvent

SHOWN_AT_ONCE = 2
"""So many failures of one job are listed without being asked for."""
INDENT = 32
APPEARS_AFTER_MS = 500
EMPTY = "No jobs yet. Opening files and computing shows here, with Cancel."
KEPT = 50


class JobRow(QWidget):
    """One job: title, progress, Cancel; or its result, and each of its failures.

    What fails of a job that goes on, such as one file of many, is listed below it.
    """

    cancel_requested = Signal()
    copy_requested = Signal(str)
    dismissed = Signal()

    def __init__(self, title: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.running = self.stoppable = True
        self.failed = False
        self.failures: list[FailureLine] = []
        self._details = ""
        self.fold = QToolButton(self)
        named(self.fold, "showFailures", f"Show what failed of {title}")
        self.fold.setCheckable(True)
        self.fold.setProperty("quiet", True)
        self.fold.setFixedWidth(20)
        self.fold.hide()
        self.fold.toggled.connect(self._on_folded)
        self.title = label_of(self, title, plain=True)
        self.text = _Message("waiting", self)
        self.bar = QProgressBar(self, textVisible=False)
        self.bar.setRange(0, 1)  # 0 of 0 would move all the time
        self.bar.setFixedWidth(140)
        self.bar.setAccessibleName(f"Progress of {title}")
        self.button = QPushButton(self)
        self.set_running()
        self.button.clicked.connect(self._on_button_clicked)
        self.copy = _copy_button(self)
        self.copy.hide()
        self.copy.clicked.connect(lambda: self.copy_requested.emit(self._details))
        told = (self.fold, self.title, (self.text, 1), self.bar)
        row = in_row(None, *told, self.copy, self.button, spacing=12)
        self._below = QWidget(self)
        self._below.hide()
        in_column(self._below, margins=(INDENT, 2, 0, 4), spacing=4)
        in_column(self, row, self._below, margins=(0, 2, 0, 2), spacing=0)

    def set_stoppable(self, stoppable: bool) -> None:
        """Offer Cancel, or not."""
        self.stoppable = stoppable
        self.button.setVisible(stoppable)

    def set_running(self) -> None:
        """Show that it runs, again after it had ended."""
        self.running = True
        self.bar.show()
        self.button.setText("Cancel")
        named(self.button, "cancelJob", f"Cancel {self.title.text()}")

    def set_progress(self, done: int, total: int, text: str) -> None:
        """Show how far the job is."""
        self.bar.setUpdatesEnabled(False)  # else it paints at once all that has changed
        self.bar.setRange(0, max(1, total))
        self.bar.setValue(done)
        self.bar.setUpdatesEnabled(True)
        count = f"{done} of {total}" if total else ""
        self.text.setText(": ".join(filter(None, [count, text])))

    def add_failure(self, text: str, details: str) -> None:
        """List one thing that failed while the job goes on."""
        line = FailureLine(text, details, self._below)
        line.copy_requested.connect(self.copy_requested)
        self.failures.append(line)
        layout = self._below.layout()
        assert layout is not None
        layout.addWidget(line)
        self.failed = True
        self.fold.show()
        self.fold.setText(f"{'▾' if self.fold.isChecked() else '▸'}")
        self.fold.setToolTip(f"{len(self.failures)} failed")
        if len(self.failures) <= SHOWN_AT_ONCE:
            self.fold.setChecked(True)
        elif len(self.failures) == SHOWN_AT_ONCE + 1:
            self.fold.setChecked(False)

    def set_ended(self, text: str, details: str = "", *, failed: bool = False) -> None:
        """Show the result, or the error and its details."""
        self.running = False
        self.failed = failed or bool(self.failures)
        self._details = details
        self.bar.hide()
        self.text.setText(text)
        self.text.setProperty("role", "error" if self.failed else "secondary")
        self.text.style().polish(self.text)
        self.copy.setVisible(failed)
        self.button.setEnabled(True)
        self.button.show()
        self.button.setText("Dismiss")
        named(self.button, "dismissJob", f"Remove {self.title.text()} from the list")

    def _on_folded(self, shown: bool) -> None:
        self._below.setVisible(shown)
        self.fold.setText("▾" if shown else "▸")

    def _on_button_clicked(self) -> None:
        if self.running:
            self.button.setEnabled(False)
            self.text.setText("cancelling")
            self.cancel_requested.emit()
        else:
            self.dismissed.emit()


class JobGroup(QWidget):
    """Jobs of one kind: how many are done, Cancel for all, and each of them on demand.

    A lone job stands for itself.
    """

    cancel_requested = Signal()
    dismissed = Signal()

    def __init__(self, kind: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.kind = kind
        self.rows: list[JobRow] = []
        self.total = self.done = 0
        self.head = JobRow(kind, self)
        self.head.fold.setToolTip("Show each of these jobs")
        self.head.fold.setAccessibleName(f"Show each job of: {kind}")
        self.head.cancel_requested.connect(self.cancel_requested)
        self.head.dismissed.connect(self.dismissed)
        self.head.fold.show()
        self.head.fold.setText("▸")
        self.head.hide()
        self._below = QWidget(self)
        self._inner = in_column(self._below, spacing=4)
        in_column(self, self.head, self._below, spacing=0)
        self.head.fold.toggled.connect(lambda _: self.look())

    def add(self, row: JobRow) -> None:
        """Take a job in, the newest first; after a pause it is counted anew."""
        if not any(other.running for other in self.rows):
            self.total = self.done = 0
            self.head.set_running()
        self.total += 1
        self.rows.append(row)
        self._inner.insertWidget(0, row)
        self.look()

    def release(self, row: JobRow) -> None:
        """Let a job go, such as one that failed and stands for itself."""
        if row in self.rows:
            self.rows.remove(row)
            self._inner.removeWidget(row)
            self.look()

    def look(self) -> None:
        """Show how far they are."""
        several = self.total > 1
        running = sum(row.running for row in self.rows)
        done = self.total - running
        inner = 32 if several else 0
        self._inner.setContentsMargins(inner, 0, 0, 0)
        self._below.setVisible(not several or self.head.fold.isChecked())
        self.head.setVisible(several)
        if not several:
            return
        self.head.set_stoppable(any(row.running and row.stoppable for row in self.rows))
        if running:
            self.head.set_progress(done, self.total, "")
            self.head.text.setText(f"{done} of {self.total} done")
        elif self.head.running:
            self.head.set_ended(f"{self.total} done")


class FailureLine(QWidget):
    """What failed, and a button that copies its details."""

    copy_requested = Signal(str)

    def __init__(self, text: str, details: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.text = _Message(text, self)
        self.text.setProperty("role", "error")
        self.copy = _copy_button(self)
        self.copy.clicked.connect(lambda: self.copy_requested.emit(details))
        in_row(self, (self.text, 1), self.copy, spacing=12)


class _Message(QLabel):
    """Text that wraps, can be selected, and is as high as its lines."""

    def __init__(self, text: str, parent: QWidget) -> None:
        super().__init__(text, parent)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setProperty("role", "secondary")
        self.setWordWrap(True)
        self.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)

    def setText(self, text: str) -> None:
        """Qt: fewer or more lines of another text."""
        super().setText(text)
        self._fit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Qt: fewer or more lines at this width."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        self.setMinimumHeight(0)  # else it counts, and the height never falls
        self.setMinimumHeight(self.heightForWidth(self.width()))


def _copy_button(parent: QWidget) -> QPushButton:
    button = QPushButton("Copy Details", parent)
    named(button, "copyDetails", "Copy the details of this error")
    return button


class JobsPanel(QScrollArea):
    """The list of jobs: what failed first, then the newest."""

    cancel_requested = Signal(int)
    """Number of the ticket."""
    copy_requested = Signal(str)
    attention_requested = Signal()
    """A job takes long or has failed: the panel should be seen."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        named(self, "jobsPanel", "Background jobs")
        AreaRing(self)
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        body = QWidget(self)
        self._layout = in_column(body, margins=(12, 4, 12, 8), spacing=4)
        self._layout.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.empty = label_of(body, EMPTY, role="secondary", wraps=True)
        self._layout.addWidget(self.empty)
        self.setWidget(body)
        self.rows: dict[int, JobRow] = {}
        self.groups: dict[str, JobGroup] = {}
        self._finished = 0
        self._slow = QTimer(self, singleShot=True, interval=APPEARS_AFTER_MS)
        self._slow.timeout.connect(self._on_slow)

    def add(
        self, number: int, title: str, *, stoppable: bool = True, kind: str = ""
    ) -> None:
        """List a job that was submitted; it shows itself if it takes long."""
        row = self._row(number, title)
        row.set_stoppable(stoppable)
        if kind:
            self._group(kind).add(row)
        if not self._slow.isActive():
            self._slow.start()

    def set_progress(self, number: int, done: int, total: int, text: str) -> None:
        """Show how far a job is."""
        if number in self.rows:
            self.rows[number].set_progress(done, total, text)

    def end(self, number: int, text: str) -> None:
        """Show what came of a job."""
        if number in self.rows:
            row = self.rows[number]
            row.set_ended(text)
            kind = next((g for g in self.groups.values() if row in g.rows), None)
            if kind is None or not any(other.running for other in kind.rows):
                announce(self, f"{row.title.text()}: {text}")
            self._look_at(row)
            self._trim()

    def add_error(self, title: str, text: str, details: str) -> None:
        """List an error of its own, such as one file of many."""
        self._finished -= 1
        self.fail(self._finished, title, text, details)

    def fail(self, number: int, title: str, text: str, details: str) -> None:
        """Show a job's error and ask to be seen."""
        row = self._row(number, title)
        row.set_ended(text, details, failed=True)
        announce(self, f"{title}: {text}")
        self._bring_forward(row)
        self._trim()
        self.attention_requested.emit()

    def add_failure(self, number: int, text: str, details: str) -> None:
        """List below a job what failed of it while it goes on."""
        if number in self.rows:
            row = self.rows[number]
            row.add_failure(text, details)
            self._bring_forward(row)
            self.attention_requested.emit()

    def remove(self, number: int) -> None:
        """Take a job off the list."""
        if row := self.rows.pop(number, None):
            for group in list(self.groups.values()):
                group.release(row)
                if not group.rows:
                    self._drop(group)
            row.hide()
            row.deleteLater()
        self.empty.setVisible(not self.rows)

    def failed(self) -> bool:
        """True if an error is listed."""
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

    def _bring_forward(self, row: JobRow) -> None:
        """Let a job with a failure stand first, and for itself."""
        for group in self.groups.values():
            group.release(row)
        self._layout.insertWidget(0, row)
        row.show()

    def _group(self, kind: str) -> JobGroup:
        """The row of all jobs of a kind."""
        if kind not in self.groups:
            group = JobGroup(kind, self)
            group.cancel_requested.connect(lambda: self._cancel_all(group))
            group.dismissed.connect(lambda: self._dismiss_all(group))
            self.groups[kind] = group
            failed = sum(row.failed for row in self.rows.values())
            self._layout.insertWidget(failed, group)
        return self.groups[kind]

    def _numbers(self, group: JobGroup) -> list[int]:
        return [number for number, row in self.rows.items() if row in group.rows]

    def _cancel_all(self, group: JobGroup) -> None:
        for number in self._numbers(group):
            row = self.rows[number]
            if row.running and row.stoppable:
                self.cancel_requested.emit(number)

    def _dismiss_all(self, group: JobGroup) -> None:
        for number in self._numbers(group):
            self.remove(number)

    def _drop(self, group: JobGroup) -> None:
        if self.groups.pop(group.kind, None):
            group.hide()
            group.deleteLater()

    def _look_at(self, row: JobRow) -> None:
        """Count a job that has ended among those of its kind."""
        for group in self.groups.values():
            if row in group.rows:
                group.look()

    def _trim(self) -> None:
        """Keep the list short: the oldest ended jobs go, those of many first."""
        grouped = {row for group in self.groups.values() for row in group.rows}
        ended = [number for number, row in self.rows.items() if not row.running]
        ended.sort(key=lambda number: self.rows[number] not in grouped)
        for number in ended[: max(0, len(ended) - KEPT)]:
            self.remove(number)

    def _on_slow(self) -> None:
        if any(row.running and row.stoppable for row in self.rows.values()):
            self.attention_requested.emit()


JOBS = ViewSpec(
    id="jobs", title="Jobs", make={"jobs_panel": JobsPanel}, home=Home("below")
)
