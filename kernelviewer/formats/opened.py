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
        again = "Open it again."
        try:
            with FileIO(self.path) as file:
                data = np.empty(count, np.uint8)
                file.seek(offset)
                view = data.data
                done = 0
                while done < count and (step := file.readinto(view[done:])):
                    done += step
                state = os.fstat(file.fileno())
        except FileNotFoundError:
            raise CheckpointError(
                self.path, "the file is no longer there", again
            ) from None
        except OSError as error:
            problem = f"the file cannot be read ({error.strerror or 'disk error'})"
            raise CheckpointError(self.path, problem, again) from None
        if done < count or (state.st_size, state.st_mtime_ns) != (
            self.size,
            self.mtime_ns,
        ):
            raise CheckpointError(
                self.path, "the file changed after it was opened", again
            )
        return data
