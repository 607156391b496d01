"""What a network's files hold, as one hash, so that the network is known again.

Of one file it is the usual SHA-256, of several (an index or a graph, and the parts it
names) that of their hashes.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from kernelviewer.files import file_hash
from kernelviewer.formats.errors import CheckpointError
from kernelviewer.formats.registry import files_of
from kernelviewer.formats.source import OpenedFile
from kernelviewer.watch import NEVER

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kernelviewer.text import AnyPath
    from kernelviewer.watch import Watch

_known: dict[OpenedFile, str] = {}
"""A file in this state → its hash: what was read stays known when it is replaced."""


def network_hash(files: Sequence[OpenedFile], watch: Watch = NEVER) -> str:
    """Hash of the files of a network as they were when it was read.

    Parameters
    ----------
    files
        `kernelviewer.formats.Checkpoint.files`.
    watch
        Checked between pieces of work; what it raises cancels.

    Returns
    -------
    str
        Hexadecimal; empty where there are no files, or one is gone or another one by
        now and its hash was not asked for before.
    """
    return _joined([_known.get(file) or _read(file, watch) for file in files])


def hash_at(path: AnyPath, watch: Watch = NEVER) -> str:
    """Hash of the network at a path as it is now; empty where there is none."""
    try:
        return _joined([_read(file, watch) for file in files_of(path, watch=watch)])
    except (CheckpointError, OSError):
        return ""


def _read(file: OpenedFile, watch: Watch) -> str:
    try:
        found = file_hash(file.path, watch)
        if OpenedFile.of(file.path) != file:
            return ""
    except OSError:
        return ""
    _known[file] = found
    return found


def _joined(hashes: list[str]) -> str:
    if len(hashes) < 2 or not all(hashes):
        return hashes[0] if len(hashes) == 1 else ""
    return hashlib.sha256("\n".join(hashes).encode()).hexdigest()
