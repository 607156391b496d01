"""Files that the user has opened here, as sessions saved on this machine name them.

What a session names outside its folder is touched without asking only if it is one of
these; see `kernelviewer.strangers`.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

from kernelviewer.files import config_dir, write_text

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

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
