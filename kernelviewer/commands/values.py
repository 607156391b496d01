"""What is given on the command line, checked: sizes, fits, seeds, files to write."""

from __future__ import annotations

import math
import re
from argparse import ArgumentTypeError
from typing import TYPE_CHECKING

from kernelviewer.commands.output import RefusedError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from kernelviewer.kernels.bank import Size

MOST_SEED = 2**32 - 1


def parse_size(text: str) -> Size:
    """A kernel size such as ``7x7``, ``1x11`` or ``7`` (1-D)."""
    if not re.fullmatch(r"[1-9]\d{0,3}([x×][1-9]\d{0,3}){0,2}", text):
        msg = f"{text!r} is no kernel size such as 7x7, 1x11 or 7"
        raise ArgumentTypeError(msg)
    return tuple(int(part) for part in re.split("[x×]", text))


def parse_pair(text: str) -> tuple[str, str]:
    """Two names of layers, such as ``stem.dw=stem.conv``."""
    before, _, after = text.partition("=")
    if not before or not after:
        msg = f"{text!r} is no pair of layers such as stem.dw=stem.conv"
        raise ArgumentTypeError(msg)
    return before, after


def number_between(least: float, most: float, what: str) -> Callable[[str], float]:
    """A parser of numbers in a range; ``what`` they are, for people."""

    def parse(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not least <= value <= most:
            msg = f"{text!r} is no {what} between {least:g} and {most:g}"
            raise ArgumentTypeError(msg)
        return value

    return parse


parse_threshold = number_between(0, 1, "fit")


def parse_seed(text: str) -> int:
    """A seed that every generator of random numbers takes."""
    if not re.fullmatch(r"\d{1,10}", text) or int(text) > MOST_SEED:
        msg = f"{text!r} is no seed; give a whole number from 0 to {MOST_SEED}"
        raise ArgumentTypeError(msg)
    return int(text)


def check_output(output: Path) -> None:
    """See whether a file can be written, as far as a look tells.

    Raises
    ------
    RefusedError
        It cannot.
    """
    problem = ""
    if output.is_dir():
        problem = f"{output} is a folder; name a file in it"
    elif not output.parent.is_dir():
        problem = f"{output}: there is no folder {output.parent}"
    elif output.exists() and not output.is_file():
        problem = f"{output} is no ordinary file; choose another name"
    if problem:
        raise RefusedError(problem)


def cannot_write(output: Path, error: OSError) -> str:
    """What to say when writing fails."""
    reason = error.strerror or str(error)
    return f"{output}: cannot be written ({reason}); nothing was left there"
