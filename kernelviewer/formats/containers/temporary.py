"""Temporary folders that go with their last user, or at the next start after a crash.

Beside each folder lies a file of the same name that its process has locked. The system
frees the lock when the process ends, however it ends: who can take the lock of a
folder knows that nobody uses it any more.
"""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
import weakref
from pathlib import Path

from kernelviewer.files import FileLock

PREFIX = "kernelviewer-"
_LOCK = ".lock"
_MOST_TRIES = 100


class TemporaryFolder:
    """A folder that goes when nothing refers to it any more.

    Raises
    ------
    OSError
        There is no place for temporary files.
    """

    def __init__(self) -> None:
        self.path, lock = _made()
        weakref.finalize(self, _remove, self.path, lock)


def remove_left_behind() -> int:
    """Remove temporary folders whose process was ended before it could.

    Returns
    -------
    int
        How many; those of living processes and of other users stay.
    """
    count = 0
    for path in sorted(Path(tempfile.gettempdir()).glob(f"{PREFIX}*{_LOCK}")):
        if not _is_ours(path):
            continue
        try:
            lock = FileLock.take(path)
        except OSError:
            continue
        if lock is not None:
            _remove(path.with_suffix(""), lock)
            count += 1
    return count


def _made() -> tuple[Path, FileLock]:
    """A new folder of a name that nobody has, and its lock, which comes first."""
    home = Path(tempfile.gettempdir())
    for _ in range(_MOST_TRIES):
        path = home / f"{PREFIX}{os.urandom(6).hex()}"
        if path.exists():
            continue
        lock = FileLock.take(Path(f"{path}{_LOCK}"))
        if lock is None:
            continue
        # between making the file and locking it, another start may have removed it
        if lock.is_in_place():
            try:
                path.mkdir(mode=0o700)
            except OSError:
                lock.release(remove=True)
                raise
            return path, lock
        lock.release()
    raise FileExistsError


def _remove(path: Path, lock: FileLock) -> None:
    shutil.rmtree(path, ignore_errors=True)
    lock.release(remove=True)


def _is_ours(path: Path) -> bool:
    """True if it is a plain file that this user has made."""
    try:
        state = path.lstat()
    except OSError:
        return False
    ours = not hasattr(os, "getuid") or state.st_uid == os.getuid()
    return ours and stat.S_ISREG(state.st_mode)
