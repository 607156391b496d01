"""What readers raise when a file's structure makes no sense."""

from __future__ import annotations

import struct
from contextlib import contextmanager
from typing import TYPE_CHECKING

from kernelviewer.formats.errors import CheckpointError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

AGAIN = "Download or export it again."


class DamagedError(ValueError):
    """What is wrong inside a file: a clause without the file's name.

    ``hint`` is what to do about it, a sentence.
    """

    def __init__(self, problem: str, hint: str = AGAIN) -> None:
        self.hint = hint
        super().__init__(problem)


@contextmanager
def damage_named(path: Path, what: str) -> Iterator[None]:
    """Turn what broken bytes raise inside the block into a `CheckpointError`.

    Parameters
    ----------
    path
        The file.
    what
        What it is, with an article: ``an ONNX file``.
    """
    try:
        yield
    except DamagedError as error:
        raise CheckpointError(path, f"{what}, but {error}", error.hint) from None
    except (struct.error, OverflowError, MemoryError, RecursionError):
        problem = f"{what}, but its structure makes no sense"
        raise CheckpointError(path, problem, AGAIN) from None
    except OSError as error:
        problem = f"the file cannot be read ({error.strerror or 'disk error'})"
        raise CheckpointError(path, problem) from None
