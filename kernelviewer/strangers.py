r"""Paths that others wrote: which of them may be touched, and which only if asked for.

A session or a figure may come from a stranger, and names files. Looking whether a file
is there is enough to do harm: at ``\\server\share`` Windows logs in with the user's
name, an automounter calls a server, a device blocks or never ends. So a path that a
file names is judged **as text** before the disk is asked:

* **inside** the folder of the file that names it: may be opened. Links within that
  folder are followed as text as well; one that leads out makes the path an outside one.
* **outside** (``..``, an absolute path, a drive): only with the user's word. A session
  has it for files that a session saved on this machine has named before, since the user
  had opened those (`kernelviewer.state.session.paths`); for others the window asks.
* **never** unasked, and no earlier word counts: shares and devices, as any system
  writes them (``\\server\share``, ``//server/share``, ``\\.\``, ``\\?\``, ``/dev``,
  ``/proc``; on Windows ``NUL``, ``COM1``, a stream ``a:b``).

A figure's record names its networks without folders, so there a name has to be `plain`:
it is looked for beside the figure and where the user stands, and counts only if its
hash is the recorded one. Recovery files are the program's own and are trusted.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Literal

Reach = Literal["inside", "outside", "never"]

_DEVICE = re.compile(
    r"(?:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[0-9¹²³])[ .]*(?:[.:].*)?", re.I
)
_LONG_DRIVE = re.compile(r"[\\/]{2}\?[\\/](?=[A-Za-z]:)")
_MOST_LINKS = 40
_WINDOWS = os.name == "nt"


def is_remote(written: str, *, windows: bool = _WINDOWS) -> bool:
    r"""True if a path is that of a share or a device, as text, on any system.

    Parameters
    ----------
    windows
        Whether names that are devices on Windows alone count.
    """
    text = written.replace("\\", "/")
    if text.startswith(("//", "/??/")):
        return True
    parts = [part for part in os.path.normpath(text).split("/") if part]
    if text.startswith("/") and parts and parts[0] in ("dev", "proc"):
        return True
    if not windows:
        return False
    if re.match(r"[A-Za-z]:", text):
        parts[0] = parts[0][2:]
    return any(":" in part or _DEVICE.fullmatch(part) for part in parts)


def is_plain(name: str) -> bool:
    r"""True if a name is that of a file without any folder, on any system."""
    return (
        name not in ("", ".", "..")
        and not re.search(r"[/\\\0]", name)
        and not (_WINDOWS and (":" in name or _DEVICE.fullmatch(name)))
    )


def place_of(folder: Path, written: str) -> Path:
    """Where a path written in a file of a folder leads; nothing is touched."""
    return Path(os.path.normpath(folder.absolute() / written))


def reach(folder: Path, written: str) -> Reach:
    """True if a path written in a file of a folder may be touched, see above."""
    if is_remote(written) or "\0" in written:
        return "never"
    root = Path(os.path.normpath(folder.absolute()))
    left = _names_within(root, root / written)
    at, links = root, 0
    while left:
        at /= left.pop(0)
        target = _link(at)
        if target is None:
            continue
        links += 1
        if is_remote(target) or links > _MOST_LINKS:
            return "never"
        inner = _names_within(root, at.parent / target)
        if inner is None:
            return "outside"
        at, left = root, [*inner, *left]
    return "outside" if left is None or at == root else "inside"


def _names_within(root: Path, path: Path) -> list[str] | None:
    """Names that lead from a folder to a path in it; None if it is not within."""
    whole = Path(os.path.normpath(path))
    return [*whole.relative_to(root).parts] if whole.is_relative_to(root) else None


def _link(path: Path) -> str | None:
    """Where a link (on Windows a junction, too) leads, as text; None if it is none."""
    try:
        return _LONG_DRIVE.sub("", os.readlink(path), count=1)  # noqa: PTH115 - as it is written
    except (OSError, ValueError):
        return None
