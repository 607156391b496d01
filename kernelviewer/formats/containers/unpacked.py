"""What archives unpack to while a file is read: records, once; temporary folders.

A zip's records may be packed, and many tensors may look on one of them. What was
unpacked is kept, within bounds, until the opening or the extraction is over.

A temporary folder goes with its last user, or at the next start after a crash. Beside
each folder lies a file of the same name that its process has locked. The system frees
the lock when the process ends, however it ends: who can take the lock of a folder knows
that nobody uses it any more.
"""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
import weakref
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from kernelviewer.files import FileLock
from kernelviewer.watch import Watch

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator

    import numpy as np
    from numpy.typing import NDArray

MOST = 1 << 27
"""Bytes that are kept at most."""


_NOBODY = Watch()
_watch: ContextVar[Watch] = ContextVar("watch", default=_NOBODY)
_kept: dict[Hashable, NDArray[np.uint8]] = {}
_lock = Lock()


@contextmanager
def unpacking(watch: Watch) -> Iterator[None]:
    """Let ``watch`` cancel what is unpacked in the block; forget it at the end."""
    token = _watch.set(watch)
    try:
        yield
    finally:
        _watch.reset(token)
        if _watch.get() is _NOBODY:
            forget()


def check() -> None:
    """Raise if the work that goes on in this thread was cancelled."""
    _watch.get().check()


def forget() -> None:
    """Let go of what was unpacked."""
    with _lock:
        _kept.clear()


def is_kept(key: Hashable) -> bool:
    """True if what was unpacked under a key is at hand."""
    return key in _kept


def kept(
    key: Hashable, size: int, unpack: Callable[[], NDArray[np.uint8]]
) -> NDArray[np.uint8]:
    """The file unpacked under a key, unpacked now if it is not at hand.

    Parameters
    ----------
    size
        How many bytes it has; no more than `MOST`.
    """
    with _lock:
        found = _kept.get(key)
    if found is None:
        found = unpack()
        with _lock:
            while _kept and size + sum(map(len, _kept.values())) > MOST:
                _kept.pop(next(iter(_kept)))
            _kept[key] = found
    return found


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
