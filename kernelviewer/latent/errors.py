"""What goes wrong with codes and autoencoders, said for the person who asked."""

from __future__ import annotations


class LatentError(Exception):
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
