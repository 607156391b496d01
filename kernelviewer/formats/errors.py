"""What goes wrong, said for the person who asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


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
        self.problem = problem
        self.hint = hint
        super().__init__(f"{problem}. {hint}" if hint else problem)


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

    def __init__(self, path: Path, problem: str, hint: str = "") -> None:
        self.path = path
        self.problem = problem
        self.hint = hint
        text = f"{path.name or path}: {problem}"
        super().__init__(f"{text}. {hint}" if hint else text)
