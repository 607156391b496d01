"""What goes wrong, said for the person who asked."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from kernelviewer.text import printable, shown

if TYPE_CHECKING:
    from kernelviewer.text import AnyPath


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
        super().__init__(f"{self.problem}. {self.hint}" if hint else self.problem)


class CheckpointError(Exception):
    """A file that cannot be used: what it is and what to do about it.

    Parameters
    ----------
    path
        The file.
    problem
        What the file is or what is wrong with it, a clause without a full stop.
    hint
        What the user can do, a sentence; may be empty.
    """

    def __init__(self, path: AnyPath, problem: str, hint: str = "") -> None:
        self.path = Path(path)
        self.problem = printable(problem, keep="\n")
        self.hint = printable(hint, keep="\n")
        super().__init__(
            f"{self.name}: {self.problem}" + (f". {self.hint}" if hint else "")
        )

    @property
    def name(self) -> str:
        """The file's name for people."""
        return shown(self.path.name or self.path)
