"""What goes wrong, said for the person who asked."""

from __future__ import annotations

import struct
import traceback
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from kernelviewer.device import DeviceError
from kernelviewer.text import printable, shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kernelviewer.text import AnyPath


def with_hint(problem: str, hint: str) -> str:
    """What is wrong, and what to do about it where that is known."""
    return f"{problem}. {hint}" if hint else problem


class HintedError(Exception):
    """A request that cannot be met: why, and what can be done about it.

    Parameters
    ----------
    problem
        What is wrong, a clause without a full stop.
    hint
        What the user can do, a sentence; may be empty.
    """

    def __init__(self, problem: str, hint: str = "") -> None:
        self.problem = printable(problem, keep="\n")
        self.hint = printable(hint, keep="\n")
        super().__init__(with_hint(self.problem, self.hint))


class CheckpointError(Exception):
    """A file that cannot be used: what it is and what to do about it.

    Parameters
    ----------
    problem
        What the file is or what is wrong with it, a clause without a full stop.
    hint
        What the user can do, a sentence; may be empty.
    """

    def __init__(self, path: AnyPath, problem: str, hint: str = "") -> None:
        self.path = Path(path)
        self.problem = printable(problem, keep="\n")
        self.hint = printable(hint, keep="\n")
        super().__init__(with_hint(f"{self.name}: {self.problem}", self.hint))

    @property
    def name(self) -> str:
        """The file's name for people."""
        return shown(self.path.name or self.path)


AGAIN = "Download or export it again."


class DamagedError(ValueError):
    """A fault inside a file: a clause without the file's name.

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


def describe_failure(error: BaseException, title: str) -> tuple[str, str, str]:
    """(message, details, hint) of an error for people and for a bug report."""
    details = printable("".join(traceback.format_exception(error)), keep="\n")
    title = shown(title)
    if isinstance(error, CheckpointError):
        return f"{error.name}: {error.problem}", details, error.hint
    if isinstance(error, HintedError):
        return f"{title}: {error.problem}", details, error.hint
    if isinstance(error, DeviceError):
        return f"{title}: {error}", details, "Choose another under View → Device."
    if isinstance(error, MemoryError):
        return f"{title}: not enough memory", details, "Close other networks first."
    if isinstance(error, OSError) and error.strerror:
        name = f"{shown(str(error.filename))}: " if error.filename else ""
        return f"{title}: {name}{error.strerror}", details, ""
    text = printable(f"{title}: {type(error).__name__}: {error}".rstrip(": "), "\n")
    return text, details, "This is a fault of kernelviewer; please report the details."
