"""Keeps the open work on disk while it changes, and offers what was left behind."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from itertools import count
from typing import TYPE_CHECKING, Generic, ParamSpec, TypeVar

from PySide6.QtCore import QObject, QTimer, Signal

from kernelviewer.gui.jobs import Reaction
from kernelviewer.state.session.files import RecoveryFile, offers

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import Concatenate

    from kernelviewer.gui.jobs import Jobs
    from kernelviewer.jobs.runner import Ticket
    from kernelviewer.jobs.sessions import Wanted, Written
    from kernelviewer.latent.autoencoder import Autoencoder
    from kernelviewer.state.session.files import Offer

DELAY_MS = 2000
LONGEST_S = 10.0
"""While changes go on and on, work is kept this often."""
PATIENCE_S = 2.0
P = ParamSpec("P")
T = TypeVar("T")


class Awaited(Generic[P, T]):
    """A task whose end the GUI thread can wait for, as when the window closes."""

    def __init__(self, task: Callable[Concatenate[Ticket, P], T]) -> None:
        self._task = task
        self._ended = threading.Event()
        self._done = False

    def __call__(self, ticket: Ticket, *args: P.args, **kwargs: P.kwargs) -> T:
        """Run it."""
        try:
            value = self._task(ticket, *args, **kwargs)
            self._done = True
            return value
        finally:
            self._ended.set()

    def wait(self) -> bool:
        """True if it has ended well, or does so soon."""
        return self._ended.wait(PATIENCE_S) and self._done


class Recovery(QObject):
    """One window's recovery file.

    Parameters
    ----------
    jobs
        Writes in the background.
    wanted
        Gives what is to be kept now; None: nothing is open.
    """

    offered = Signal(object)
    """Work that can be taken up, a tuple of `Offer`."""
    failed = Signal(str)
    """Keeping does not work; said once."""

    def __init__(
        self, jobs: Jobs, wanted: Callable[[], Wanted | None], parent: QObject
    ) -> None:
        super().__init__(parent)
        self._jobs, self._wanted = jobs, wanted
        self._file = RecoveryFile()
        self._files: dict[Autoencoder, Path] = {}
        self._numbers = count(1)
        self._waiting_since = 0.0
        self._is_broken = False
        self.offers: tuple[Offer, ...] = ()
        self.timer = QTimer(self)
        self.timer.setSingleShot(True)
        self.timer.setInterval(DELAY_MS)
        self.timer.timeout.connect(self.keep_now)

    def note_change(self) -> None:
        """Keep what is open once it has not changed for a while."""
        now = time.monotonic()
        if not self.timer.isActive():
            self._waiting_since = now
        if not self.timer.isActive() or now - self._waiting_since < LONGEST_S:
            self.timer.start()

    def keep_now(self) -> None:
        """Keep what is open."""
        if (wanted := self._wanted()) is not None:
            self._submit(wanted)

    def set_aside(self, wanted: Wanted) -> None:
        """Keep work that leaves the window, to be offered; begin a new file."""
        file, wanted = self._file, replace(wanted, files=self._files)
        self._begin_anew()

        def keep_and_look(ticket: Ticket) -> tuple[Offer, ...]:
            _keep_and_release(ticket, file, wanted)
            return _find_offers(ticket)

        reaction = Reaction(done=self._on_found, failed=self._on_failed, quiet=True)
        key = f"set aside {next(self._numbers)}"
        title = "Keep what was open"
        self._jobs.submit("keep", key, title, reaction, keep_and_look)

    def forget(self) -> None:
        """Nothing needs to be kept; what is still being written is thrown away."""
        file = self._file
        self._begin_anew()
        reaction = Reaction(quiet=True)
        key = f"forget {next(self._numbers)}"
        self._jobs.submit("keep", key, "Remove what was kept", reaction, _remove, file)

    def look(self) -> None:
        """Look for work that was left behind."""
        reaction = Reaction(done=self._on_found, quiet=True)
        title = "Look for unsaved work"
        self._jobs.submit("keep", "offers", title, reaction, _find_offers)

    def claim(self, path: Path) -> RecoveryFile | None:
        """Take offered work, so that no other window does."""
        return RecoveryFile.claim(path)

    def dismiss(self, path: Path) -> None:
        """Throw offered work away."""
        if file := self.claim(path):
            file.remove()
        self._on_found(tuple(offer for offer in self.offers if offer.path != path))

    def adopt(self, file: RecoveryFile) -> None:
        """Go on with a claimed file; the own one must have been left before."""
        self.forget()
        self._file = file
        self._on_found(
            tuple(offer for offer in self.offers if offer.path != file.make())
        )

    def _begin_anew(self) -> None:
        self.timer.stop()
        self._jobs.cancel("recovery")
        self._file, self._files = RecoveryFile(), {}

    def finish(self, wanted: Wanted | None) -> None:
        """Before the window goes: keep unsaved work, or nothing."""
        self.timer.stop()
        quiet = Reaction(quiet=True)
        if wanted is None:
            self._jobs.cancel("recovery")
            last: Awaited[[RecoveryFile], None] = Awaited(_remove)
            self._jobs.submit("keep", "last", "", quiet, last, self._file)
            last.wait()
            return
        work: Awaited[[RecoveryFile, Wanted], None] = Awaited(_keep_and_release)
        wanted = replace(wanted, files=self._files)
        self._jobs.submit("keep", "last", "", quiet, work, self._file, wanted)
        work.wait()

    def _submit(self, wanted: Wanted) -> None:
        from kernelviewer.jobs.sessions import keep

        wanted = replace(wanted, files=self._files)
        reaction = Reaction(done=self._on_kept, failed=self._on_failed, quiet=True)
        title = "Keep what is open in case the program ends"
        self._jobs.submit("keep", "recovery", title, reaction, keep, self._file, wanted)

    def _on_kept(self, written: Written) -> None:
        self._files = written.files
        self._is_broken = False

    def _on_failed(self, message: str, hint: str) -> None:
        if not self._is_broken:
            self._is_broken = True
            self.failed.emit(message)

    def _on_found(self, found: tuple[Offer, ...]) -> None:
        self.offers = found
        self.offered.emit(found)


def _find_offers(ticket: Ticket) -> tuple[Offer, ...]:
    """Kept work that nobody holds, latest first."""
    return tuple(offers())


def _keep_and_release(ticket: Ticket, file: RecoveryFile, wanted: Wanted) -> None:
    """Released by who writes: a file that is let go earlier is begun a second time."""
    from kernelviewer.jobs.sessions import keep

    try:
        keep(ticket, file, wanted)
    finally:
        file.release()


def _remove(ticket: Ticket, file: RecoveryFile) -> None:
    file.remove()
