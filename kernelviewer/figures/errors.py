"""What goes wrong when a figure is made, said for the person who asked for it."""

from __future__ import annotations


class FigureError(Exception):
    """A figure that cannot be made: why, and what can be done about it.

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


class OptionError(FigureError):
    """An option that no figure can have: a value out of range or an unknown name."""
