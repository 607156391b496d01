"""What is given on the command line, checked: sizes, fits, seeds, files to write."""

from __future__ import annotations

import re
from argparse import ArgumentTypeError
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from kernelviewer.kernels.bank import Size

MOST_SEED = 2**32 - 1


def parse_size(text: str) -> Size:
    """A kernel size such as ``7x7``, ``1x11`` or ``7`` (1-D)."""
    if not re.fullmatch(r"[1-9]\d{0,3}([x×][1-9]\d{0,3}){0,2}", text):
        msg = f"{text!r} is no kernel size such as 7x7, 1x11 or 7"
        raise ArgumentTypeError(msg)
    return tuple(int(part) for part in re.split("[x×]", text))


def parse_threshold(text: str) -> float:
    """A fit from 0 to 1."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        msg = f"{text!r} is no fit between 0 and 1"
        raise ArgumentTypeError(msg)
    return value


def parse_seed(text: str) -> int:
    """A seed that every generator of random numbers takes."""
    if not re.fullmatch(r"\d{1,10}", text) or int(text) > MOST_SEED:
        msg = f"{text!r} is no seed; give a whole number from 0 to {MOST_SEED}"
        raise ArgumentTypeError(msg)
    return int(text)


def problem_of_output(output: Path) -> str:
    """Why a file cannot be written, as far as a look tells; empty if it can."""
    if output.is_dir():
        return f"{output} is a folder; name a file in it"
    if not output.parent.is_dir():
        return f"{output}: there is no folder {output.parent}"
    if output.exists() and not output.is_file():
        return f"{output} is no ordinary file; choose another name"
    return ""


def cannot_write(output: Path, error: OSError) -> str:
    """What to say when writing fails."""
    reason = error.strerror or str(error)
    return f"{output}: cannot be written ({reason}); nothing was left there"
