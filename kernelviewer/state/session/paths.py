"""Where a session's files are: paths from its folder, and files that were moved.

What a session names outside its folder is touched without asking only if the user has
opened it here, as sessions saved on this machine name it; see `kernelviewer.strangers`.
"""

from __future__ import annotations

import json
import os
import re
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

from kernelviewer.files import config_dir, write_text
from kernelviewer.strangers import is_plain, is_remote, place_of, reach

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from kernelviewer.text import AnyPath


MOST = 4000
"""So many are remembered, the latest."""


def known_files() -> frozenset[str]:
    """Their keys; none if there is no record that can be read."""
    return frozenset(_read())


def note_files(paths: Iterable[AnyPath]) -> None:
    """Remember files that the user opened; where that fails they are asked for again.

    Links are kept both as they were named and as what they lead to.
    """
    own = [
        *dict.fromkeys(
            key_of(form) for path in paths for form in (path, os.path.realpath(path))
        )
    ]
    known = _read()
    if not set(own) <= set(known):
        rest = [name for name in known if name not in own]
        try:
            write_text(_path(), json.dumps([*rest, *own][-MOST:], indent=0) + "\n")
        except OSError:
            return


def key_of(path: AnyPath) -> str:
    """A path as it is compared: absolute and normal, links left as they are."""
    return os.path.normcase(os.path.abspath(path))  # noqa: PTH100 - normal, too


def _read() -> list[str]:
    try:
        found = json.loads(_path().read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return []
    if not isinstance(found, list):
        return []
    return [name for name in found if isinstance(name, str)]


def _path() -> Path:
    return config_dir() / "known-files.json"


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


def find(folder: Path, written: str) -> Path | None:
    """A file named in a session of the program's own; None if it is gone.

    It is there, or beside the session. No path is too far: for sessions that may come
    from somebody else there is `look_for`.
    """
    places = (place_of(folder, written), folder / written, beside(folder, written))
    return next((path for path in places if path and exists(path)), None)


@dataclass(frozen=True, slots=True)
class Looked:
    """The result of looking for a file that a session names."""

    found: Path | None = None
    """Where it is; None if it is not there, or that may not be looked at."""
    asks: bool = False
    """Whether it may lie where the session says, and the user has to allow a look."""


def look_for(folder: Path, written: str, known: Collection[str]) -> Looked:
    """Look for a file that a session names, and touch nothing that it must not.

    Parameters
    ----------
    folder
        The session's.
    known
        `kernelviewer.state.session.paths.known_files`.
    """
    for base in dict.fromkeys((folder, folder.resolve())):
        path, far = place_of(base, written), reach(base, written)
        if far == "never" or (far == "outside" and key_of(path) not in known):
            return Looked(asks=base == folder and not _is_device(written))
        if exists(path):
            return Looked(path)
    return Looked()


def beside_if_safe(folder: Path, written: str) -> Path | None:
    """A file of the name in the session's folder itself, if one is there."""
    path = beside(folder, written)
    there = path is not None and reach(folder, path.name) == "inside" and exists(path)
    return path if there else None


def beside(folder: Path, written: str) -> Path | None:
    """Where a file of the name would lie in the session's folder."""
    name = re.split(r"[/\\]" if is_remote(written) else "/", written)[-1]
    return folder / name if is_plain(name) else None


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
            along = _along(folder, written, known, now)
            there = (path for path in along if _is_near(path, now) and exists(path))
            if written not in found and (path := next(there, None)):
                also[written] = path
                break
    return also


def _along(folder: Path, written: str, known: str, now: Path) -> Iterator[Path]:
    """Where a file may be if ``known`` has moved to ``now``."""
    was, wanted = place_of(folder, known), place_of(folder, written)
    root, new_root = was, now
    while root.name and root.name == new_root.name:
        root, new_root = root.parent, new_root.parent
        if wanted.is_relative_to(root):
            yield new_root / wanted.relative_to(root)
    with suppress(ValueError):  # another drive
        yield Path(os.path.normpath(now.parent / os.path.relpath(wanted, was.parent)))
    yield now.parent / wanted.name


def _is_near(path: Path, now: Path) -> bool:
    """True if a path lies under the same topmost folder as a file that was found.

    A session may be written so that what "moved along" is a file anywhere at all.
    """
    same_disk = path.anchor == now.anchor
    return same_disk and (len(now.parts) < 3 or path.parts[1:2] == now.parts[1:2])


def _is_device(written: str) -> bool:
    """True if a path is no share but a device, which nobody wants to open."""
    share = re.match(r"(//|\\\\)[^/\\?.]", written)
    return is_remote(written) and share is None


def exists(path: Path) -> bool:
    """True if a file or a folder is there; a pipe or a device is none."""
    try:
        return path.is_file() or path.is_dir()
    except (OSError, ValueError):
        return False
