"""The F1 sheet: every command, and every key and gesture of the views."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from PySide6.QtGui import QKeySequence

from kernelviewer.gui.commands import COMMANDS, MENUS
from kernelviewer.gui.dialogs.parts import show_text
from kernelviewer.gui.registry import VIEWS

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget

    from kernelviewer.gui.commands import Command


def show_shortcuts(parent: QWidget) -> None:
    """Show the sheet beside the window, without blocking it."""
    show_text(parent, "shortcuts", "Keyboard shortcuts", shortcuts_html(), (640, 720))


def _title(command: Command) -> str:
    """A command's name, after that of its menu within a menu."""
    inner = command.menu.partition("/")[2]
    return f"{inner}: {command.title}" if inner else command.title


def shortcuts_html() -> str:
    """The sheet as HTML."""
    native = QKeySequence.SequenceFormat.NativeText
    groups: list[tuple[str, list[tuple[str, str]]]] = []
    for menu in MENUS:
        rows = [
            (
                _title(command),
                ", ".join(QKeySequence(keys).toString(native) for keys in command.keys),
            )
            for command in COMMANDS
            if command.menu.partition("/")[0] == menu and command.keys
        ]
        groups.append((menu, rows))
    groups += [(keys.view, [*keys.rows]) for spec in VIEWS for keys in spec.keys]
    return "".join(
        f"<h3>{escape(title)}</h3><table cellspacing='0'>"
        + "".join(
            f"<tr><td width='280' style='padding: 0 16px 3px 0'>{escape(what)}</td>"
            f"<td style='padding-bottom: 3px'>{escape(keys)}</td></tr>"
            for what, keys in rows
        )
        + "</table>"
        for title, rows in groups
        if rows
    )
