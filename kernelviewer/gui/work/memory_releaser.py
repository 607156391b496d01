"""Gives memory back when nobody has asked for anything for a while."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer

from kernelviewer.gui.jobs import Reaction
from kernelviewer.jobs.tasks import tidy

if TYPE_CHECKING:
    from kernelviewer.gui.jobs import Jobs
    from kernelviewer.state.document import Document

REST_MS = 500
MANY = 100_000
"""With fewer kernels there is nothing worth giving back."""


class MemoryReleaser(QObject):
    """Submits a quiet task once the document has rested.

    Parameters
    ----------
    document
        Whose changes are waited for.
    jobs
        Runs the task.
    """

    def __init__(self, document: Document, jobs: Jobs, parent: QObject) -> None:
        super().__init__(parent)
        self._document, self._jobs = document, jobs
        self._rest = QTimer(self)
        self._rest.setSingleShot(True)
        self._rest.setInterval(REST_MS)
        self._rest.timeout.connect(self._on_rest)
        document.changed.connect(self._on_changed)

    def _on_changed(self) -> None:
        if sum(map(len, self._document.banks)) >= MANY:
            self._rest.start()

    def _on_rest(self) -> None:
        self._jobs.submit("compute", "tidy", "Tidy", Reaction(quiet=True), tidy)
