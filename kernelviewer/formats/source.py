"""A file about to be read: its path, size and first bytes, fetched once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kernelviewer.formats.opened import OpenedFile

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from kernelviewer.formats.checkpoint import Checkpoint

HEAD_BYTES = 4096


@dataclass(frozen=True, slots=True)
class Source:
    """What readers look at to tell whether a file is theirs.

    Attributes
    ----------
    path, size
        The file and its size in bytes (0 for a folder).
    head
        Its first 4 096 bytes.
    is_folder
        True for a folder.
    mtime_ns
        When the file was last written; 0 where that was not looked at.
    """

    path: Path
    size: int
    head: bytes
    is_folder: bool = False
    mtime_ns: int = 0

    def file(self) -> OpenedFile:
        """The file as it was looked at."""
        if not self.mtime_ns:
            return OpenedFile.of(self.path)
        return OpenedFile(self.path, self.size, self.mtime_ns)


@dataclass(frozen=True, slots=True)
class Options:
    """How to open: ``copy`` names the wanted copy of the network (``""``: the default).

    ``check`` is called between pieces of work and raises to cancel.
    """

    copy: str = ""
    check: Callable[[], None] = lambda: None


@dataclass(frozen=True, slots=True)
class Reader:
    """One container format: ``match`` by content, cheap; then ``open``.

    ``match`` never raises on strange bytes; ``open`` raises only `CheckpointError`
    (and what ``options.check`` raises). Heavy libraries are imported inside ``open``.
    ``has_parts`` tells that a file may name others that hold weights; ``open`` lists
    them in `Checkpoint.files`.
    """

    name: str
    match: Callable[[Source], bool]
    open: Callable[[Source, Options], Checkpoint]
    has_parts: bool = False
