"""Writing files whole or not at all, and the program's own folders."""

from __future__ import annotations

import os
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING

import platformdirs

if TYPE_CHECKING:
    from collections.abc import Iterator

APP = "kernelviewer"


@contextmanager
def atomic_write(path: Path, mode: str = "wb") -> Iterator[IO[bytes] | IO[str]]:
    """Open a temporary file beside ``path`` and rename it to ``path`` at the end.

    If the block raises, ``path`` is untouched and the temporary file is gone.

    Parameters
    ----------
    path
        The file to write; its folder must exist.
    mode
        ``"wb"`` or ``"w"`` (UTF-8, newlines as written).

    Raises
    ------
    OSError
        The folder is missing or read-only, or the disk is full.
    """
    path = path.resolve()
    text = "b" not in mode
    handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        os.fchmod(handle, 0o666 & ~_umask()) if hasattr(os, "fchmod") else None
        encoding, newline = ("utf-8", "") if text else (None, None)
        with os.fdopen(handle, mode, encoding=encoding, newline=newline) as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def config_dir() -> Path:
    """Folder of the settings, made if missing (``KERNELVIEWER_CONFIG`` overrides)."""
    return _folder("KERNELVIEWER_CONFIG", platformdirs.user_config_path(APP, False))


def cache_dir() -> Path:
    """Folder of what can be computed again (``KERNELVIEWER_CACHE`` overrides)."""
    return _folder("KERNELVIEWER_CACHE", platformdirs.user_cache_path(APP, False))


def _folder(variable: str, default: Path) -> Path:
    folder = Path(os.environ.get(variable) or default)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
