"""Reading pieces of a file long after it was opened."""

from __future__ import annotations

import os
from dataclasses import dataclass
from io import FileIO
from pathlib import Path
from typing import TYPE_CHECKING, Self

import numpy as np

from kernelviewer.formats.errors import CheckpointError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kernelviewer.text import AnyPath

CHANGED = "the file changed while it was read"
_AGAIN = "Open it again."


@dataclass(frozen=True, slots=True)
class OpenedFile:
    """A file as it was when its headers were read.

    It holds no descriptor and no mapping: the file can be replaced or deleted while
    its network is on screen (on Windows too), and a later read tells that it was.
    """

    path: Path
    size: int
    mtime_ns: int

    @classmethod
    def of(cls, path: AnyPath) -> Self:
        """Take note of the file's present state."""
        path = Path(path)
        state = path.stat()
        return cls(path, state.st_size, state.st_mtime_ns)

    def read(self, offset: int, count: int) -> NDArray[np.uint8]:
        """Read bytes as uint8 [count].

        Raises
        ------
        CheckpointError
            The file vanished or changed since, or the disk fails.
        """
        data = np.empty(count, np.uint8)
        done = 0
        try:
            with FileIO(self.path) as handle:
                handle.seek(offset)
                view = data.data
                while done < count and (step := handle.readinto(view[done:])):
                    done += step
                same = self._is(handle)
        except FileNotFoundError:
            problem = "the file is no longer there"
            raise CheckpointError(self.path, problem, _AGAIN) from None
        except OSError as error:
            problem = f"the file cannot be read ({error.strerror or 'disk error'})"
            raise CheckpointError(self.path, problem, _AGAIN) from None
        if done < count or not same:
            problem = "the file changed after it was opened"
            raise CheckpointError(self.path, problem, _AGAIN)
        return data

    def read_from(self, handle: FileIO, offset: int, count: int) -> bytes:
        """Read bytes through a handle of the file that is being opened.

        Raises
        ------
        CheckpointError
            The file changed.
        OSError
            The disk fails.
        """
        handle.seek(offset)
        data = handle.read(count)
        while len(data) < count and (more := handle.read(count - len(data))):
            data += more
        if len(data) < count or not self._is(handle):
            raise self.changed()
        return data

    def _is(self, handle: FileIO) -> bool:
        """Whether what a handle reads has this size and time."""
        state = os.fstat(handle.fileno())
        return (state.st_size, state.st_mtime_ns) == (self.size, self.mtime_ns)

    def is_as_it_was(self) -> bool:
        """Whether the file still has the size and time it had."""
        try:
            return OpenedFile.of(self.path) == self
        except OSError:
            return False

    def changed(self) -> CheckpointError:
        """What to raise where the file is written while it is opened."""
        return CheckpointError(self.path, CHANGED, _AGAIN)
