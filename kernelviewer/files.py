"""Files: shipped with the program, written whole or not at all, hashed; its folders."""

from __future__ import annotations

import errno
import hashlib
import io
import os
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING

import platformdirs

from kernelviewer.watch import NEVER

if TYPE_CHECKING:
    from _csv import Writer
    from collections.abc import Iterator

    from kernelviewer.text import AnyPath
    from kernelviewer.watch import Watch

APP = "kernelviewer"
_CHUNK = 1 << 20


@contextmanager
def atomic_write(path: AnyPath) -> Iterator[IO[bytes]]:
    """Open a temporary file beside ``path`` and rename it to ``path`` at the end.

    If the block raises, ``path`` is untouched and the temporary file is gone.

    Parameters
    ----------
    path
        The file to write; its folder must exist.

    Raises
    ------
    OSError
        The folder is missing or read-only, the disk is full, or ``path`` is a folder
        or a device, which no file may replace.
    """
    path = Path(path)
    path = path.resolve()
    if path.exists() and not path.is_file():
        code = errno.EISDIR if path.is_dir() else errno.EEXIST
        raise OSError(code, os.strerror(code), str(path))
    try:
        handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    except OSError as error:  # whose name nobody has given
        raise OSError(error.errno, error.strerror, str(path)) from None
    try:
        if hasattr(os, "fchmod"):
            os.fchmod(handle, 0o666 & ~_umask())
        with os.fdopen(handle, "w+b") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


@contextmanager
def csv_writer(path: AnyPath) -> Iterator[Writer]:
    """A writer of lines of CSV, UTF-8, to a file that is whole as `atomic_write`'s."""
    import csv

    with atomic_write(path) as file:
        text = io.TextIOWrapper(file, "utf-8", newline="")
        yield csv.writer(text, lineterminator="\n")
        text.detach()


def write_text(path: AnyPath, text: str) -> None:
    """Write UTF-8 text as `atomic_write` does."""
    with atomic_write(path) as file:
        file.write(text.encode())


def file_hash(path: AnyPath, watch: Watch = NEVER) -> str:
    """SHA-256 of a file's content, hexadecimal.

    Raises
    ------
    OSError
        It cannot be read, or is a folder.
    """
    path = Path(path)
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            watch.check()
            digest.update(chunk)
    return digest.hexdigest()


class FileLock:
    """A lock that the system frees when the process ends, however it ends."""

    def __init__(self, path: Path, file: IO[bytes]) -> None:
        self._path, self._file = path, file

    @classmethod
    def take(cls, path: Path) -> FileLock | None:
        """Lock a file, made if missing; None if somebody has it locked.

        Raises
        ------
        OSError
            The folder is missing or read-only.
        """
        file = path.open("ab")
        try:
            if sys.platform == "win32":
                import msvcrt

                msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
            else:
                import fcntl

                fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.close()
            return None
        return cls(path, file)

    def is_in_place(self) -> bool:
        """True if the locked file still is the one of its name."""
        try:
            there = self._path.stat()
        except OSError:
            return False
        return os.path.samestat(there, os.fstat(self._file.fileno()))

    def release(self, *, remove: bool = False) -> None:
        """Free it; ``remove``: nobody needs the file any more."""
        if remove and sys.platform != "win32":  # first, so that nobody takes it yet
            self._path.unlink(missing_ok=True)
        self._file.close()
        if remove and sys.platform == "win32":
            self._path.unlink(missing_ok=True)


def config_dir() -> Path:
    """Folder of the settings, made if missing (``KERNELVIEWER_CONFIG`` overrides)."""
    return _folder("KERNELVIEWER_CONFIG", platformdirs.user_config_path(APP, False))


def cache_dir() -> Path:
    """Folder of what can be computed again (``KERNELVIEWER_CACHE`` overrides)."""
    return _folder("KERNELVIEWER_CACHE", platformdirs.user_cache_path(APP, False))


def running_dir() -> Path:
    """Folder where the windows that run are found; only this user may enter it.

    Raises
    ------
    OSError
        It cannot be made, or others may enter it.
    """
    own = os.environ.get("XDG_RUNTIME_DIR")
    default = own and not os.environ.get("KERNELVIEWER_CONFIG")
    folder = Path(own) / APP if own and default else config_dir() / "running"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if sys.platform != "win32":
        state = folder.lstat()
        if state.st_uid != os.getuid() or state.st_mode & 0o077:
            raise PermissionError(errno.EACCES, "others may enter", str(folder))
    return folder


def _folder(variable: str, default: Path) -> Path:
    folder = Path(os.environ.get(variable) or default)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


_PACKAGE = Path(__file__).resolve().parent


def resource(*parts: str) -> Path:
    """Path of a shipped file or folder.

    Parameters
    ----------
    *parts
        Path below ``resources``, such as ``("sample", "sample.safetensors")``.

    Raises
    ------
    FileNotFoundError
        The installation lacks it.
    """
    for root in (_PACKAGE / "data", _PACKAGE.parent / "resources"):
        path = root.joinpath(*parts)
        if path.exists():
            return path
    msg = f"kernelviewer is installed without its file {'/'.join(parts)}; reinstall it"
    raise FileNotFoundError(msg)
