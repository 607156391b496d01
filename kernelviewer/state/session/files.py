"""Session files, and those that keep work in case the program ends unexpectedly.

What is in them is read by `kernelviewer.state.session.form`, imported when there is one
to be read.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from kernelviewer.files import FileLock, config_dir, write_text
from kernelviewer.formats.errors import CheckpointError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kernelviewer.state.session.form import Session
    from kernelviewer.text import AnyPath

SUFFIX = ".kvsession"
LARGEST = 256 * 2**20
KEPT = 10
"""So many pieces of kept work stay when nobody takes them up; older ones go."""
_HEAD = 2**16
_MARK = re.compile(rb'"format"\s*:\s*"kernelviewer session"')
_FOLDER = "recovery"


def is_session(path: AnyPath) -> bool:
    """True if a file is a session by its content, or claims to be one by its name."""
    path = Path(path)
    try:
        if not path.is_file():
            return False
        with path.open("rb") as file:
            head = file.read(_HEAD)
    except (OSError, ValueError):
        return False
    return path.suffix == SUFFIX or _looks_like_session(head)


def _looks_like_session(head: bytes) -> bool:
    """True if a file's first bytes are those of a session."""
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n")
    return start.startswith(b"{") and _MARK.search(head) is not None


def read_session(path: AnyPath) -> Session:
    """Read a session.

    Raises
    ------
    CheckpointError
        The file cannot be read, is damaged, or was written by a newer version.
    """
    from kernelviewer.state.session.form import SessionError, from_text

    path = Path(path)
    try:
        if path.stat().st_size > LARGEST:
            raise CheckpointError(path, "is too large for a session")
        return from_text(path.read_bytes().decode("utf-8-sig"))
    except FileNotFoundError:
        hint = "It may have been moved or renamed; check the name."
        raise CheckpointError(path, "there is no such file", hint) from None
    except OSError as error:
        problem = f"the file cannot be read ({error.strerror or error})"
        raise CheckpointError(path, problem) from None
    except UnicodeDecodeError:
        problem = "the session is damaged: it is no UTF-8 text"
        raise CheckpointError(path, problem) from None
    except SessionError as error:
        raise CheckpointError(path, error.problem, error.hint) from None


def recovery_folder() -> Path:
    """Where work is kept that was not saved, made if missing."""
    folder = config_dir() / _FOLDER
    folder.mkdir(exist_ok=True)
    return folder


def is_kept(path: AnyPath) -> bool:
    """True if a file lies in the recovery folder: the user never saved it."""
    path = Path(path)
    try:
        return path.parent == recovery_folder()
    except OSError:
        return False


class RecoveryFile:
    """The file in which one window keeps its work; locked while the window lives.

    Parameters
    ----------
    path
        An existing one that was claimed; None: a new one, made when it is written.
    lock
        The lock that came with the claim.
    """

    def __init__(self, path: Path | None = None, lock: FileLock | None = None) -> None:
        self._path, self._lock = path, lock

    @classmethod
    def claim(cls, path: Path) -> RecoveryFile | None:
        """Take over work that nobody holds; None if another window was quicker."""
        try:
            lock = FileLock.take(path.with_suffix(".lock"))
        except OSError:
            return None
        if lock is None:
            return None
        if not path.exists():
            lock.release(remove=True)
            return None
        return cls(path, lock)

    def make(self) -> Path:
        """Its path, locked from now on.

        Raises
        ------
        OSError
            The folder cannot be written.
        """
        if self._path is None:
            name = f"{os.getpid()}-{os.urandom(4).hex()}{SUFFIX}"
            self._path = recovery_folder() / name
        if self._lock is None:
            self._lock = FileLock.take(self._path.with_suffix(".lock"))
        return self._path

    def write(self, text: str) -> None:
        """Replace its content, whole or not at all.

        Raises
        ------
        OSError
            The folder cannot be written, or the disk is full.
        """
        write_text(self.make(), text)

    def remove(self) -> None:
        """Nothing needs to be kept any more."""
        if self._path is not None:
            for path in self._path.parent.glob(f"{self._path.stem}*"):
                if path.suffix != ".lock":
                    path.unlink(missing_ok=True)
        if self._lock is not None:
            self._lock.release(remove=True)
        self._path = self._lock = None

    def release(self) -> None:
        """Leave the work for whoever wants to take it up."""
        if self._lock is not None:
            self._lock.release()
        self._path = self._lock = None


@dataclass(frozen=True, slots=True)
class Offer:
    """Work that was kept and that nobody holds."""

    path: Path
    session: Session


def offers() -> Iterator[Offer]:
    """Kept work, latest first; what cannot be read is left where it is."""
    kept = [(path.stat().st_mtime_ns, path) for path in _kept()]
    for place, (_, path) in enumerate(sorted(kept, reverse=True)):
        claimed = RecoveryFile.claim(path)
        if claimed is None:
            continue
        if place >= KEPT:
            claimed.remove()
            continue
        try:
            session = read_session(path)
        except CheckpointError:
            continue
        else:
            yield Offer(path, session)
        finally:
            claimed.release()


def _kept() -> list[Path]:
    try:
        return [path for path in recovery_folder().glob(f"*{SUFFIX}") if path.exists()]
    except OSError:
        return []
