"""Names and numbers as people read them in a figure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kernelviewer.text import printable as as_printable

if TYPE_CHECKING:
    from collections.abc import Sequence

THIN_SPACE = "\u202f"
_BREAKS = re.compile(r"[\t-\r\u2028\u2029]")


def short_names(names: Sequence[str]) -> list[str]:
    """Layer names without the parts that all of them end or begin with.

    ``blocks.1.conv_dw``, ``blocks.4.conv_dw`` become ``blocks.1``, ``blocks.4``: a
    part in front stays where bare numbers would be left.
    """
    split = [name.split(".") for name in names]
    if len(set(names)) < 2:
        return list(names)
    while _shared(split, -1):
        split = [parts[:-1] for parts in split]
    while _shared(split, 0) and not any(parts[1].isdigit() for parts in split):
        split = [parts[1:] for parts in split]
    return [".".join(parts) for parts in split]


def count(number: int, noun: str = "") -> str:
    """``1 204 kernels``, with thin spaces between thousands; ``1 kernel``."""
    digits = f"{number:,}".replace(",", THIN_SPACE)
    if not noun:
        return digits
    return f"{digits} {noun}" if number == 1 else f"{digits} {noun}s"


def percent(share: float, digits: int = 1) -> str:
    """``90.8 %``; a dash where there is no share, and never 0 where there is some."""
    if share != share:
        return "–"
    least = 10.0**-digits
    if 0 < 100 * share < least / 2:
        return f"<{least:.{digits}f} %"
    return f"{100 * share:.{digits}f} %"


def printable(text: str) -> str:
    """The text in one line, without what no file format takes."""
    return as_printable(_BREAKS.sub(" ", text))


def listing(words: Sequence[str]) -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} and {words[-1]}"


def _shared(split: list[list[str]], at: int) -> bool:
    """True if all have the same part there, and something else besides."""
    return min(map(len, split)) > 1 and len({parts[at] for parts in split}) == 1
