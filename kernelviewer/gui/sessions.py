"""Saves and opens sessions, and tells the window what of the work is unsaved."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QFileDialog

from kernelviewer.gui.dialogs.locate import LocateDialog
from kernelviewer.gui.jobs import Reaction
from kernelviewer.gui.recovering import Awaited, Recovery
from kernelviewer.jobs.reopening import Lacking, open_session
from kernelviewer.jobs.sessions import Wanted, hash_network, write_session
from kernelviewer.state.session.model import SUFFIX

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from kernelviewer.gui.main_window import MainWindow
    from kernelviewer.jobs.reopening import Answers, Reopened
    from kernelviewer.jobs.sessions import Written
    from kernelviewer.kernels.bank import KernelBank
    from kernelviewer.state.model import OpenModel
    from kernelviewer.state.session.files import RecoveryFile
    from kernelviewer.state.work import Gist, Work

SESSIONS = f"Sessions (*{SUFFIX})"


@dataclass(frozen=True, slots=True)
class _Saving:
    """A session being written."""

    path: Path
    work: Work
    task: Awaited[[Path, Wanted], Written]


@dataclass(frozen=True, slots=True)
class _Opening:
    """A session being opened: what else to open then, and what it was kept in."""

    path: Path
    others: tuple[Path, ...] = ()
    kept: RecoveryFile | None = None


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

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self._document, self._jobs = window.document, window.jobs
        self.path: Path | None = None
        self._saved: Gist | None = None
        self._is_stale = False
        self._last: Work | None = None
        self._saving: _Saving | None = None
        self._is_finished = False
        self._hashes: WeakKeyDictionary[KernelBank, str] = WeakKeyDictionary()
        self.recovery = Recovery(self._jobs, self._kept, self)
        self.recovery.failed.connect(
            lambda why: self.told.emit(f"Unsaved work cannot be kept: {why}")
        )
        self._document.changed.connect(self._on_changed)
        for dock in window.docks.values():
            dock.dockLocationChanged.connect(self._on_looks_changed)
            dock.visibilityChanged.connect(self._on_looks_changed)

    @property
    def is_modified(self) -> bool:
        """Whether there is work that the session's file lacks."""
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
        work = self._document.work
        if not work.models:
            return
        task: Awaited[[Path, Wanted], Written] = Awaited(write_session)
        self._saving = saving = _Saving(path.absolute(), work, task)

        def done(written: Written) -> str:
            self._hashes.update(written.hashes)
            self._saving = None
            for autoencoder, file in written.files.items():
                self._document.note_file(autoencoder, file)
            self._on_saved(saving)
            return f"saved as {path}"

        def failed(message: str, hint: str) -> None:
            self._saving = None
            self.told.emit(f"Not saved: {message}")

        self._jobs.submit(
            "keep",
            "save",
            f"Save {path.name}",
            Reaction(done=done, failed=failed),
            task,
            saving.path,
            self._wanted(work),
        )

    def _on_saved(self, saving: _Saving) -> None:
        self.path, self._saved, self._is_stale = saving.path, saving.work.gist, False
        self._window.note_opened(saving.path)
        self.told.emit(f"Saved as {saving.path}")
        self._show_title()
        self.recovery.note_change()

    def _wanted(self, work: Work, *, kept: bool = False) -> Wanted:
        """What to write of some work."""
        return Wanted(
            work,
            self._window.look,
            datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            str(self.path) if kept and self.path else "",
            dict(self._hashes),
        )

    def _kept(self) -> Wanted | None:
        """What the recovery file is to hold."""
        work = self._document.work
        return self._wanted(work, kept=True) if work.models else None

    # --- opening ---

    def open(self, path: Path, others: Sequence[Path] = ()) -> None:
        """Open a session in the place of what is open, then other files."""
        self._read(_Opening(path, tuple(others)), {})

    def take_up(self, path: Path) -> None:
        """Reopen work that was kept."""
        kept = self.recovery.claim(path)
        if kept is None:
            self.told.emit("That work is open in another window.")
            self.recovery.look()
        else:
            self._read(_Opening(path, kept=kept), {})

    def _read(self, opening: _Opening, answers: Answers) -> None:
        def done(found: Reopened | Lacking) -> str:
            if isinstance(found, Lacking):
                self._ask(opening, found)
                return f"{len(found.missing)} files have to be located"
            return self._apply(opening, found, located=bool(answers))

        def failed(message: str, hint: str) -> None:
            self.told.emit(f"{message}. {hint}" if hint else message)
            self._give_up(opening)
            self._window.opener.open(opening.others)

        name = "the last work" if opening.kept else opening.path.name
        self._jobs.submit(
            "files",
            "session",
            f"Open {name}",
            Reaction(done=done, failed=failed, stopped=lambda: self._give_up(opening)),
            open_session,
            opening.path,
            answers,
            self._document.new_model,
        )

    def _ask(self, opening: _Opening, lacking: Lacking) -> None:
        def use(answers: Answers | None) -> None:
            if answers is None:
                self._give_up(opening)
            else:
                self._read(opening, {**lacking.answers, **answers})

        name = "The last work" if opening.kept else opening.path.name
        LocateDialog(self._window, name, lacking, use).show()

    def _give_up(self, opening: _Opening) -> None:
        if opening.kept is not None:
            opening.kept.release()

    def _apply(self, opening: _Opening, found: Reopened, *, located: bool) -> str:
        """Put the session in the place of what is open."""
        session = found.session
        self._leave()
        self._hashes.update(found.hashes)
        work, lost = found.work, found.lost
        if opening.kept is None:
            self.path = opening.path
        else:
            self.path = Path(session.origin) if session.origin else None
            self.recovery.adopt(opening.kept)
        self._saved = work.gist
        self._is_stale = bool(lost) or located or opening.kept is not None
        self._last = None  # what was open has been left
        self._document.restore(work)
        if not work.models:  # saving what comes next must not replace the session
            self.path, self._saved, self._is_stale = None, None, False
        self._window.show_look(session.look)
        self._show_title()
        if opening.kept is None:
            self._window.note_opened(opening.path)
        text = self._tell(opening, [*found.notes, *lost], len(work.models))
        self._window.opener.open(opening.others)
        return text

    def _tell(self, opening: _Opening, notes: list[str], networks: int) -> str:
        text = f"{networks} network{'s' if networks != 1 else ''} reopened"
        if notes:
            listed = ". ".join(notes) + "."
            title = "The last work" if opening.kept else opening.path.name
            self._window.parts.jobs_panel.add_error(title, listed, "\n".join(notes))
            text = f"{text}. {listed}"
        self.told.emit(text)
        return text

    def _leave(self) -> None:
        """What is open goes; unsaved work is kept to be offered."""
        work = self._document.work
        self._stop_hashing(work.models)
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
        if self._saving is not None and self._saving.task.wait():
            self.path, self._saved = self._saving.path, self._saving.work.gist
            self._is_stale = False
        self.recovery.finish(self._kept() if self.is_modified else None)

    def _on_changed(self) -> None:
        work, last = self._document.work, self._last
        if work.models:
            if last is None or last.models is not work.models:
                self._hash(work.models, last.models if last else ())
            if last is None or work.differs_from(last):
                self.recovery.note_change()
        elif last is not None and last.models:
            self._close(last)
        self._last = work
        self._show_title()

    def _close(self, last: Work) -> None:
        """The last network was closed."""
        self._stop_hashing(last.models)
        if self._is_stale or not last.is_saved_as(self._saved):
            self.recovery.set_aside(self._wanted(last, kept=True))
        else:
            self.recovery.forget()
        self.path, self._saved, self._is_stale = None, None, False

    def _on_looks_changed(self) -> None:
        if self._document.models:
            self.recovery.note_change()

    def _hash(
        self, models: tuple[OpenModel, ...], before: tuple[OpenModel, ...]
    ) -> None:
        """Have each file hashed once, while it is what was opened."""
        kept = {model.id for model in models}
        self._stop_hashing(model for model in before if model.id not in kept)
        for model in models:
            if model.bank not in self._hashes:
                self._hashes[model.bank] = ""
                self._jobs.submit(
                    "files",
                    f"hash {model.id}",
                    f"Hash {model.bank.path.name}",
                    Reaction(done=self._on_hashed(model.bank), quiet=True),
                    hash_network,
                    model.bank,
                )

    def _stop_hashing(self, models: Iterable[OpenModel]) -> None:
        for model in models:
            self._jobs.cancel(f"hash {model.id}")

    def _on_hashed(self, bank: KernelBank) -> Callable[[str], None]:
        def done(sha256: str) -> None:
            self._hashes[bank] = sha256
            self.recovery.note_change()

        return done

    def _show_title(self) -> None:
        modified = self.is_modified
        name = self.path.stem if self.path else "New session" if modified else ""
        title = f"{name}[*] — kernelviewer" if name else "kernelviewer"
        if title != self._window.windowTitle():
            self._window.setWindowTitle(title)
        if modified != self._window.isWindowModified():
            self._window.setWindowModified(modified)
