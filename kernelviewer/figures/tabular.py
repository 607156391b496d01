"""Tables as CSV, Markdown and LaTeX."""

from __future__ import annotations

import csv
import io
import math
from typing import TYPE_CHECKING, Any

from kernelviewer.text import csv_text, latex_text, markdown_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kernelviewer.figures.content import Table


def to_csv(table: Table) -> str:
    """Comma separated, a heading line first, lines ended by a line feed.

    Numbers have all their digits; what is not known is empty; no text is a formula.
    """
    return _separated(table, ",")


def to_tsv(table: Table) -> str:
    """The same with tabulators, as spreadsheets take it from the clipboard."""
    return _separated(table, "\t")


def _separated(table: Table, delimiter: str) -> str:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, lineterminator="\n")
    writer.writerow(map(csv_text, table.columns))
    writer.writerows(
        [_exact(value) for value in row]
        for row in zip(*table.columns.values(), strict=True)
    )
    return text.getvalue()


def to_markdown(table: Table) -> str:
    """A pipe table; numbers to the right, with the digits that matter."""
    rows = [list(table.columns), *_rows(table)]
    rows = [[markdown_text(cell) for cell in row] for row in rows]
    numeric = _numeric(table)
    widths = [max(3, *map(len, column)) for column in zip(*rows, strict=True)]
    rule = [
        "-" * (w - 1) + (":" if n else "-")
        for w, n in zip(widths, numeric, strict=True)
    ]
    lines = [rows[0], rule, *rows[1:]]
    return "".join(
        f"| {' | '.join(_padded(row, widths, numeric))} |\n" for row in lines
    )


def to_latex(table: Table) -> str:
    """A ``tabular`` with the rules of the booktabs package."""
    columns = "".join("r" if numeric else "l" for numeric in _numeric(table))
    lines = [
        "% \\usepackage{booktabs}",
        f"\\begin{{tabular}}{{{columns}}}",
        "\\toprule",
        " & ".join(map(latex_text, table.columns)) + r" \\",
        "\\midrule",
        *(" & ".join(map(latex_text, row)) + r" \\" for row in _rows(table)),
        "\\bottomrule",
        "\\end{tabular}",
    ]
    return "\n".join(lines) + "\n"


def _rows(table: Table) -> Iterator[list[str]]:
    for row in zip(*table.columns.values(), strict=True):
        yield [_short(value) for value in row]


def _numeric(table: Table) -> list[bool]:
    return [
        all(isinstance(value, int | float) for value in column)
        for column in table.columns.values()
    ]


def _padded(row: list[str], widths: list[int], numeric: list[bool]) -> list[str]:
    return [
        cell.rjust(width) if right else cell.ljust(width)
        for cell, width, right in zip(row, widths, numeric, strict=True)
    ]


def _exact(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.9g}" if math.isfinite(value) else ""
    return csv_text(value) if isinstance(value, str) else str(value)


def _short(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.3f}" if math.isfinite(value) else "–"
    return str(value)
