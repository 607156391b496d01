"""What commands print: lines about problems, numbers, tables."""

from __future__ import annotations

import math
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from kernelviewer.text import percent, printable, shortened

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


LONGEST_LINE = 1000


def harmless(text: str) -> str:
    """Text whose control and direction marks are written out.

    Names in files may hold terminal escapes; nothing of theirs reaches the terminal.
    """
    return printable(text, keep="\n")


class RefusedError(Exception):
    """A command that cannot go on: what to say, a line, and the exit code."""

    def __init__(self, problem: str, code: int = 1) -> None:
        self.code = code
        super().__init__(problem)


class OutputError(Exception):
    """Standard output does not take what is printed, such as on a full disk."""


def complain(problem: str) -> None:
    """Print one line on stderr, if there is one."""
    if sys.stderr is None:
        return
    line = shortened(harmless(" ".join(problem.split())), LONGEST_LINE)
    sys.stderr.write(_encodable(f"kernelviewer: {line}\n", sys.stderr.encoding))


def say(*lines: str) -> None:
    """Print lines on stdout, whatever its encoding can show, if there is one.

    Raises
    ------
    BrokenPipeError
        The reader has gone.
    OutputError
        It cannot be written.
    """
    if sys.stdout is not None:
        with _failing_as_output():
            for line in lines:
                line = _encodable(harmless(line), sys.stdout.encoding)
                sys.stdout.write(line + "\n")


def flush() -> None:
    """See that what was said is written; raises what `say` does."""
    if sys.stdout is not None:
        with _failing_as_output():
            sys.stdout.flush()


@contextmanager
def _failing_as_output() -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise OutputError(error.strerror or str(error)) from None


def _encodable(text: str, encoding: str | None) -> str:
    encoding = encoding or "utf-8"
    return text.encode(encoding, "backslashreplace").decode(encoding)


def number(value: int) -> str:
    """A count with its thousands apart: ``131 072``."""
    return f"{value:,}".replace(",", " ")


def counted(value: int, noun: str, several: str = "") -> str:
    """A count with its noun: ``1 layer``, ``3 416 kernels``."""
    return f"{number(value)} {noun if value == 1 else several or f'{noun}s'}"


def rounded(value: float) -> float | None:
    """A number as JSON has it; None if there is none."""
    return None if math.isnan(value) else round(float(value), 6)


def megabytes(size: int) -> str:
    """A file size: ``2.56 MB``."""
    return f"{size / 1e6:.2f} MB" if size < 1e8 else f"{size / 1e6:.0f} MB"


def share(part: int, whole: int) -> str:
    """A share in per cent; empty if nothing or nothing of it."""
    return percent(part / whole) if part and whole else ""


def aligned(rows: Sequence[Sequence[str]], right: frozenset[int]) -> Iterator[str]:
    """Lines of a table whose columns are aligned, those in ``right`` to the right."""
    rows = [[shortened(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (
            cell.rjust(width) if index in right else cell.ljust(width)
            for index, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        yield "  ".join(cells).rstrip()
