"""Sessions: the work saved in a file and opened again, and kept while it changes."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Generic, ParamSpec, TypeVar

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtWidgets import QFileDialog

from kernelviewer.formats.errors import with_hint
from kernelviewer.gui.jobs import Reaction
from kernelviewer.state.session.files import SUFFIX, RecoveryFile, offers
from kernelviewer.text import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Concatenate

    from kernelviewer.gui.jobs import Jobs
    from kernelviewer.gui.window_context import WindowContext
    from kernelviewer.jobs.runner import Ticket
    from kernelviewer.jobs.sessions import Answers, Lacking, Reopened, Wanted, Written
    from kernelviewer.latent.autoencoder import Autoencoder
    from kernelviewer.state.session.files import Offer
    from kernelviewer.state.work import SavedFingerprint, Work


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
        self.timer = QTimer(self, singleShot=True, interval=DELAY_MS)
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


SESSIONS = f"Sessions (*{SUFFIX})"


@dataclass(frozen=True, slots=True)
class Opening:
    """A session being opened."""

    path: Path
    """Its file."""
    others: tuple[Path, ...] = ()
    """What else to open then."""
    kept: RecoveryFile | None = None
    """The claim on it, if it is work that was kept."""
    located: bool = False
    """Whether the user had to say where its files are."""

    @property
    def name(self) -> str:
        """What to call it."""
        return "The last work" if self.kept else shown(self.path.name)


class SessionOpening(QObject):
    """Reads a session in the background; one at a time.

    Parameters
    ----------
    window
        Has the jobs, and shows the question for missing files.
    use
        Takes what was read and tells in a sentence what came of it.
    told
        Takes a sentence for the status bar.
    """

    def __init__(
        self,
        window: WindowContext,
        use: Callable[[Opening, Reopened], str],
        told: Callable[[str], None],
    ) -> None:
        super().__init__(window)
        self._window, self._use, self._told = window, use, told
        self._claimed: RecoveryFile | None = None

    def open(self, opening: Opening) -> None:
        """Open a session, then the other files."""
        self._claimed = opening.kept
        self._read(opening, {})

    def finish(self) -> None:
        """Before the window goes: leave what was claimed to others."""
        if self._claimed is not None:
            self._claimed.release()
            self._claimed = None

    def _read(self, opening: Opening, answers: Answers) -> None:
        from kernelviewer.jobs.sessions import Lacking, open_session

        def done(found: Reopened | Lacking) -> str:
            if isinstance(found, Lacking):
                self._ask(opening, found)
                count = len(found.missing)
                return f"{count} file{'s' * (count > 1)} to be located"
            if not found.work.models:
                return self._nothing(opening, found)
            self._claimed = None
            text = self._use(opening, found)
            self._window.opener.open(opening.others)
            return text

        def failed(message: str, hint: str) -> None:
            self._told(with_hint(message, hint))
            self._give_up(opening)
            self._window.opener.open(opening.others)

        self._window.jobs.submit(
            "files",
            "session",
            "Open the last work" if opening.kept else f"Open {opening.name}",
            Reaction(done=done, failed=failed, stopped=lambda: self._give_up(opening)),
            open_session,
            opening.path,
            answers,
            self._window.document.new_model,
        )

    def _ask(self, opening: Opening, lacking: Lacking) -> None:
        from kernelviewer.gui.dialogs.locate import LocateDialog

        def use(answers: Answers | None) -> None:
            if answers is None:
                self._give_up(opening)
            else:
                located = replace(opening, located=True)
                self._read(located, {**lacking.answers, **answers})

        LocateDialog(self._window, opening.name, lacking, use).show()

    def _nothing(self, opening: Opening, found: Reopened) -> str:
        """No network of it is there: what is open stays, and so does the file."""
        text = "None of its networks could be opened; nothing has changed."
        details = "\n".join([*found.notes, *found.lost])
        self._window.parts.jobs_panel.add_error(opening.name, text, details)
        self._told(f"{opening.name}: {text}")
        self._give_up(opening)
        self._window.opener.open(opening.others)
        return text

    def _give_up(self, opening: Opening) -> None:
        if opening.kept is not None:
            opening.kept.release()
        if self._claimed is opening.kept:
            self._claimed = None


@dataclass(frozen=True, slots=True)
class _Saving:
    """A session being written."""

    path: Path
    work: Work
    task: Awaited[[Path, Wanted], Written]


class Sessions(QObject):
    """The window's session: its file, what of it is saved, and its recovery.

    Attributes
    ----------
    path
        The session's file; None where the work has none yet.
    recovery
        Keeps the work in case the program ends unexpectedly.
    """

    told = Signal(str)
    """A sentence for the status bar."""

    def __init__(self, window: WindowContext) -> None:
        super().__init__(window)
        self._window = window
        self._document, self._jobs = window.document, window.jobs
        self.path: Path | None = None
        self._saved: SavedFingerprint | None = None
        self._is_stale = False
        self._last: Work | None = None
        self._saving: _Saving | None = None
        self._is_finished = False
        self._hashes = window.hashes
        self._opening = SessionOpening(window, self._apply, self.told.emit)
        self.recovery = Recovery(self._jobs, self._kept, self)
        self.recovery.failed.connect(
            lambda why: self.told.emit(f"Unsaved work cannot be kept: {why}")
        )
        self._hashes.found.connect(self.recovery.note_change)
        self._document.changed.connect(self._on_changed)
        for dock in window.docks.values():
            dock.dockLocationChanged.connect(self._on_looks_changed)
            dock.visibilityChanged.connect(self._on_looks_changed)

    @property
    def is_modified(self) -> bool:
        """True if there is work that the session's file lacks."""
        work = self._document.work
        if not work.models:
            return False
        return self._is_stale or not work.is_saved_as(self._saved)

    # --- saving ---

    def save(self) -> None:
        """Save the session; ask for a file if it has none."""
        if self.path is None:
            self.save_as()
        else:
            self.save_to(self.path)

    def save_as(self) -> None:
        """Ask for a file and save the session there."""
        if not self._document.models:
            return
        folder = Path(self._window.settings.last_folder)
        dialog = QFileDialog(self._window, "Save the session", str(folder), SESSIONS)
        dialog.setObjectName("saveSessionDialog")
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix(SUFFIX)
        name = self.path.name if self.path else self._document.banks[0].path.stem
        dialog.selectFile(name.removesuffix(SUFFIX) + SUFFIX)
        dialog.fileSelected.connect(lambda chosen: self.save_to(Path(chosen)))
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def save_to(self, path: Path) -> None:
        """Save the session in a file, which is its file from then on."""
        from kernelviewer.jobs.sessions import write_session

        work = self._document.work
        if not work.models:
            return
        task: Awaited[[Path, Wanted], Written] = Awaited(write_session)
        self._saving = saving = _Saving(path.absolute(), work, task)

        def ended() -> None:
            if self._saving is saving:
                self._saving = None

        def done(written: Written) -> str:
            self._hashes.learn(written.hashes)
            ended()
            with self._document.batch():
                for autoencoder, file in written.files.items():
                    self._document.note_file(autoencoder, file)
            self._on_saved(saving)
            return f"saved as {shown(path)}"

        def failed(message: str, hint: str) -> None:
            ended()
            self.told.emit(f"Not saved: {message}")

        self._jobs.submit(
            "keep",
            "save",
            f"Save {shown(path.name)}",
            Reaction(done=done, failed=failed, stopped=ended),
            task,
            saving.path,
            self._wanted(work),
        )

    def _on_saved(self, saving: _Saving) -> None:
        self._window.note_opened(saving.path)
        self.told.emit(f"Saved as {shown(saving.path)}")
        if not self._document.models:  # all was closed meanwhile
            return
        self.path, self._saved = saving.path, saving.work.fingerprint
        self._is_stale = False
        self._show_title()
        self.recovery.note_change()

    def _wanted(self, work: Work, *, kept: bool = False) -> Wanted:
        """What to write of some work."""
        from kernelviewer.jobs.sessions import Wanted

        return Wanted(
            work,
            self._window.look,
            datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            str(self.path) if kept and self.path else "",
            self._hashes.known,
        )

    def _kept(self) -> Wanted | None:
        """What the recovery file is to hold."""
        work = self._document.work
        return self._wanted(work, kept=True) if work.models else None

    # --- opening ---

    def open(self, path: Path, others: Sequence[Path] = ()) -> None:
        """Open a session in the place of what is open, then other files."""
        self._opening.open(Opening(path, tuple(others)))

    def take_up(self, path: Path) -> None:
        """Reopen work that was kept."""
        kept = self.recovery.claim(path)
        if kept is None:
            self.told.emit("That work is open in another window.")
            self.recovery.look()
        else:
            self._opening.open(Opening(path, kept=kept))

    def _apply(self, opening: Opening, found: Reopened) -> str:
        """Put what was read in the place of what is open."""
        session, work = found.session, found.work
        self._leave()
        self._hashes.learn(found.hashes)
        if opening.kept is None:
            self.path = opening.path
        else:
            self.path = Path(session.origin) if session.origin else None
            self.recovery.adopt(opening.kept)
        self._saved = work.fingerprint
        self._is_stale = bool(found.lost) or opening.located or bool(opening.kept)
        self._last = None  # what was open has been left
        self._document.restore(work)
        self._window.show_look(session.look)
        self._show_title()
        if opening.kept is None:
            self._window.note_opened(opening.path)
        return self._tell(opening, [*found.notes, *found.lost], len(work.models))

    def _tell(self, opening: Opening, notes: list[str], networks: int) -> str:
        text = f"{networks} network{'s' if networks != 1 else ''} reopened"
        if notes:
            listed = ". ".join(notes) + "."
            panel = self._window.parts.jobs_panel
            panel.add_error(opening.name, listed, "\n".join(notes))
            text = f"{text}. {listed}"
        self.told.emit(text)
        return text

    def _leave(self) -> None:
        """What is open goes; unsaved work is kept to be offered."""
        work = self._document.work
        if work.models and self.is_modified:
            self.recovery.set_aside(self._wanted(work, kept=True))
        else:
            self.recovery.forget()

    # --- what happens ---

    def finish(self) -> None:
        """Before the window goes: wait for a save, keep what is unsaved."""
        if self._is_finished:
            return
        self._is_finished = True
        self._opening.finish()
        if self._saving is not None and self._saving.task.wait():
            self.path, self._saved = self._saving.path, self._saving.work.fingerprint
            self._is_stale = False
        self.recovery.finish(self._kept() if self.is_modified else None)

    def _on_changed(self) -> None:
        work, last = self._document.work, self._last
        self._hashes.look(work.models)
        if work.models:
            if work is not last:
                self.recovery.note_change()
        elif last is not None and last.models:
            self._close(last)
        self._last = work
        self._show_title()

    def _close(self, last: Work) -> None:
        """The last network was closed."""
        if self._is_stale or not last.is_saved_as(self._saved):
            self.recovery.set_aside(self._wanted(last, kept=True))
        else:
            self.recovery.forget()
        self.path, self._saved, self._is_stale = None, None, False

    def _on_looks_changed(self) -> None:
        if self._document.models:
            self.recovery.note_change()

    def _show_title(self) -> None:
        modified = self.is_modified
        name = shown(self.path.stem) if self.path else "New session" if modified else ""
        title = f"{name}[*] — kernelviewer" if name else "kernelviewer"
        if title != self._window.windowTitle():
            self._window.setWindowTitle(title)
        if modified != self._window.isWindowModified():
            self._window.setWindowModified(modified)
