"""Text from files and of paths, made fit for people, terminals, tables and files.

Names in files and of files can hold anything: halves of signs (lone surrogates, which
no file, terminal or window takes), bytes that are no UTF-8 (which Python keeps as such
halves), terminal escapes, marks that turn the direction of writing. Names of tensors
become `printable` once, where a file is opened; a path stays exact, so that its file
can be opened, and is `shown` where people or files see it.
"""

from __future__ import annotations

import os
import re
import unicodedata
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

AnyPath = str | os.PathLike[str]
"""A path as callers give it."""

_UNSAFE = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_JOINERS = "\u200c\u200d"
"""Signs of category Cf that words of many scripts, and emoji, are written with."""
_FORMULA = re.compile(r"(?:^|(?<=[,;\t\n]))(?=[-=+@\t\r\n＝＋－＠])")
_MARKDOWN = frozenset("\\`*[]<>|&~$#")
# fmt: off
_LATEX = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#",
    "_": r"\_", "{": r"\{", "}": r"\}", "[": "{[}", "]": "{]}", "*": "{*}",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}",
    ">": r"\textgreater{}", "|": r"\textbar{}", "∂": r"$\partial$", "²": r"$^2$",
    "×": r"$\times$",
}
# fmt: on


def printable(text: str, keep: str = "") -> str:
    r"""Text whose control and direction marks and halves of signs are written out.

    A byte that was no UTF-8 becomes ``\xff``, the rest as in Python: ``\ud800``,
    ``\u202e``, ``\n``. What is printable is left as it is, so that the text of a text
    is that text.

    Parameters
    ----------
    keep
        Marks that stay all the same, such as a line feed.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        sign
        if sign in keep
        or sign in _JOINERS
        or not (unicodedata.category(sign) in _UNSAFE or _is_noncharacter(sign))
        else _written_out(sign)
        for sign in text
    )


def shown(path: AnyPath) -> str:
    """A path as people and files see it; only the path itself opens the file."""
    return printable(os.fspath(path))


def shortened(text: str, most: int = 100) -> str:
    """A name of one line, its middle left out if it is very long."""
    text = text.replace("\n", "\\n")
    if len(text) <= most:
        return text
    half = (most - 1) // 2
    return f"{text[:half]}…{text[-half:]}"


def percent(share: float, digits: int = 1) -> str:
    """``90.8 %``; a dash where there is no share, and never 0 where there is some."""
    if share != share:
        return "–"
    text, least = f"{100 * share:.{digits}f}", f"{10.0**-digits:.{digits}f}"
    return f"<{least} %" if share > 0 and float(text) == 0 else f"{text} %"


def as_paths(paths: AnyPath | Iterable[AnyPath]) -> list[Path]:
    """Paths as callers give them; one alone is a list of it."""
    if isinstance(paths, str | os.PathLike):
        return [Path(paths)]
    return [Path(path) for path in paths]


def csv_text(text: str) -> str:
    """A text as a cell that no spreadsheet takes for a formula.

    It gets a ``'`` in front if it begins as one, or where a spreadsheet with another
    separator would begin a cell in it; numbers are not to come here.
    """
    return _FORMULA.sub("'", printable(text, keep="\n"))


def markdown_text(text: str) -> str:
    """A text that Markdown shows as it is, in a cell of a table as well."""
    text = printable(text)
    return "".join(
        f"\\{sign}" if sign in _MARKDOWN or _is_emphasis(text, at) else sign
        for at, sign in enumerate(text)
    )


def latex_text(text: str) -> str:
    """A text that LaTeX sets as it is, at the begin of a row as well."""
    return "".join(_LATEX.get(sign, sign) for sign in printable(text))


def _is_noncharacter(sign: str) -> bool:
    """True if a sign is one of those that stand for nothing, which XML refuses."""
    code = ord(sign)
    return code & 0xFFFE == 0xFFFE or 0xFDD0 <= code <= 0xFDEF


def _written_out(sign: str) -> str:
    code = ord(sign)
    if 0xDC80 <= code <= 0xDCFF:  # how Python keeps a byte that is no UTF-8
        return f"\\x{code - 0xDC00:02x}"
    return sign.encode("unicode_escape").decode("ascii")


def _is_emphasis(text: str, at: int) -> bool:
    """True if an underscore can begin or end emphasis: not one within a word."""
    inside = (
        0 < at < len(text) - 1 and text[at - 1].isalnum() and text[at + 1].isalnum()
    )
    return text[at] == "_" and not inside
