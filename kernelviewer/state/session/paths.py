"""Where a session's files are: paths from its folder, and files that were moved."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping


def path_from(folder: Path | None, path: Path) -> str:
    """How a session in ``folder`` names a file; absolute without a folder.

    Paths are compared as they are written: links stay links.
    """
    path = path.absolute()
    if folder is None:
        return path.as_posix()
    try:
        return PurePath(os.path.relpath(path, folder.absolute())).as_posix()
    except ValueError:  # another drive
        return path.as_posix()


def expected(folder: Path, written: str) -> Path:
    """Where a file named in a session lay when nothing has moved."""
    return Path(os.path.normpath(folder.absolute() / written))


def find(folder: Path, written: str) -> Path | None:
    """A file named in a session, there or beside the session; None if it is gone."""
    places = (
        expected(folder, written),
        folder / written,
        folder / PurePath(written).name,
    )
    return next((path for path in places if _exists(path)), None)


def find_moved(
    folder: Path, missing: Iterable[str], found: Mapping[str, Path]
) -> dict[str, Path]:
    """Missing files that went the way of others.

    Parameters
    ----------
    folder
        The session's.
    missing
        How the session names the files that are gone.
    found
        How it names some that were found, and where they are now.
    """
    also: dict[str, Path] = {}
    for written in missing:
        for known, now in found.items():
            there = filter(_exists, _along(folder, written, known, now))
            if written not in found and (path := next(there, None)):
                also[written] = path
                break
    return also


def _along(folder: Path, written: str, known: str, now: Path) -> Iterator[Path]:
    """Where a file may be if ``known`` has moved to ``now``."""
    was, wanted = expected(folder, known), expected(folder, written)
    root, new_root = was, now
    while root.name and root.name == new_root.name:
        root, new_root = root.parent, new_root.parent
        if wanted.is_relative_to(root):
            yield new_root / wanted.relative_to(root)
    with suppress(ValueError):  # another drive
        yield Path(os.path.normpath(now.parent / os.path.relpath(wanted, was.parent)))
    yield now.parent / wanted.name


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):
        return False
