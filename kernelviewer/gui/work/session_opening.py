"""Opens sessions and kept work: reads them, and asks where missing files are."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from kernelviewer.gui.jobs import Reaction
from kernelviewer.text import shown

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from kernelviewer.gui.window_context import WindowContext
    from kernelviewer.jobs.sessions import Answers, Lacking, Reopened
    from kernelviewer.state.session.files import RecoveryFile


@dataclass(frozen=True, slots=True)
class Opening:
    """A session being opened.

    Attributes
    ----------
    path
        Its file.
    others
        What else to open then.
    kept
        The claim on it, if it is work that was kept.
    located
        Whether the user had to say where its files are.
    """

    path: Path
    others: tuple[Path, ...] = ()
    kept: RecoveryFile | None = None
    located: bool = False

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
            self._told(f"{message}. {hint}" if hint else message)
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
