"""One job in the list: how far it is, or what came of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

if TYPE_CHECKING:
    from PySide6.QtGui import QResizeEvent

SHOWN_AT_ONCE = 2
"""So many failures of one job are listed without being asked for."""
INDENT = 32


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
        self.fold.setObjectName("showFailures")
        self.fold.setAccessibleName(f"Show what failed of {title}")
        self.fold.setCheckable(True)
        self.fold.setProperty("quiet", True)
        self.fold.setFixedWidth(20)
        self.fold.hide()
        self.fold.toggled.connect(self._on_folded)
        self.title = QLabel(title, self)
        self.title.setTextFormat(Qt.TextFormat.PlainText)
        self.text = _Message("waiting", self)
        self.bar = QProgressBar(self)
        self.bar.setTextVisible(False)
        self.bar.setRange(0, 0)
        self.bar.setFixedWidth(140)
        self.bar.setAccessibleName(f"Progress of {title}")
        self.button = QPushButton("Cancel", self)
        self.button.setObjectName("cancelJob")
        self.button.setAccessibleName(f"Cancel {title}")
        self.button.clicked.connect(self._on_button_clicked)
        self.copy = _copy_button(self)
        self.copy.hide()
        self.copy.clicked.connect(lambda: self.copy_requested.emit(self._details))
        row = QHBoxLayout()
        row.setSpacing(12)
        row.addWidget(self.fold)
        row.addWidget(self.title)
        row.addWidget(self.text, 1)
        row.addWidget(self.bar)
        row.addWidget(self.copy)
        row.addWidget(self.button)
        self._below = QWidget(self)
        self._below.hide()
        below = QVBoxLayout(self._below)
        below.setContentsMargins(INDENT, 2, 0, 4)
        below.setSpacing(4)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 2, 0, 2)
        layout.setSpacing(0)
        layout.addLayout(row)
        layout.addWidget(self._below)

    def set_stoppable(self, stoppable: bool) -> None:
        """Offer Cancel, or not."""
        self.stoppable = stoppable
        self.button.setVisible(stoppable)

    def set_progress(self, done: int, total: int, text: str) -> None:
        """Show how far the job is."""
        self.bar.setUpdatesEnabled(False)  # else it paints at once all that has changed
        self.bar.setRange(0, total)
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
        self.button.setObjectName("dismissJob")
        self.button.setAccessibleName(f"Remove {self.title.text()} from the list")

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


class FailureLine(QWidget):
    """What failed, and a button that copies its details."""

    copy_requested = Signal(str)

    def __init__(self, text: str, details: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.text = _Message(text, self)
        self.text.setProperty("role", "error")
        self.copy = _copy_button(self)
        self.copy.clicked.connect(lambda: self.copy_requested.emit(details))
        line = QHBoxLayout(self)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(12)
        line.addWidget(self.text, 1)
        line.addWidget(self.copy)


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
    button.setObjectName("copyDetails")
    button.setAccessibleName("Copy the details of this error")
    return button
