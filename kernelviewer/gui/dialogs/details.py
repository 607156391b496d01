"""What was read of a checkpoint, what was left out, and why."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from kernelviewer.gui.dialogs.parts import show_text
from kernelviewer.gui.text import breakable, spaced
from kernelviewer.kernels.bank import size_label
from kernelviewer.text import shown

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget

    from kernelviewer.kernels.bank import KernelBank


def show_details(parent: QWidget, bank: KernelBank) -> None:
    """Show a bank's facts beside the window, without blocking it."""
    text = show_text(parent, "details", bank.name, details_html(bank), (760, 560))
    text.setAccessibleName(f"Details of {bank.name}")


def details_html(bank: KernelBank) -> str:
    """The facts as HTML."""
    facts = [
        ("File", shown(bank.path)),
        ("Format", f"{bank.format}, {bank.size_bytes / 1e6:.1f} MB"),
        ("Architecture", bank.architecture),
        ("Copies", ", ".join(bank.copies) and f"{bank.copy} of {list(bank.copies)}"),
        (
            "Depthwise kernels",
            ", ".join(
                f"{spaced(len(kernels))} of {size_label(size)}"
                for size, kernels in bank.sizes.items()
            )
            or "none",
        ),
        ("Other convolutions", spaced(len(bank.convolutions))),
    ]
    parts = [_table([(name, value) for name, value in facts if value])]
    open_questions = [
        (layer.name, f"{layer.kind}: {layer.reason}")
        for layer in bank.layers
        if layer.reason
    ]
    sections = (
        ("Warnings", [(text, "") for text in bank.warnings]),
        ("Layers that need a look", open_questions),
        ("Left out", [(entry.name, entry.reason) for entry in bank.skipped]),
    )
    for title, rows in sections:
        if rows:
            parts.append(f"<h3>{title} ({spaced(len(rows))})</h3>{_table(rows)}")
    return "".join(parts)


def _table(rows: list[tuple[str, str]]) -> str:
    cells = "".join(
        f"<tr><td style='padding: 0 16px 3px 0'>{escape(breakable(a))}</td>"
        f"<td style='padding-bottom: 3px'>{escape(breakable(b))}</td></tr>"
        for a, b in rows
    )
    return f"<table cellspacing='0'>{cells}</table>"
