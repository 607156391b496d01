"""Windows that only tell: about the program, and its keys."""

from __future__ import annotations

import platform
from html import escape
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication, QIcon
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout

from kernelviewer import __version__
from kernelviewer.files import resource
from kernelviewer.gui.controls import MARGIN, Dialog, dialog_button, line_of, show_text
from kernelviewer.gui.registry import VIEWS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from PySide6.QtWidgets import QWidget

    Keys = tuple[str, Sequence[tuple[str, str]]]
    """Heading and rows of what is done and how."""

PARTS = ("PySide6-Essentials", "numpy", "torch", "timm", "safetensors", "matplotlib")
ICON = 64
TEXT = """<p>See the patterns in a trained network's depthwise convolution kernels.</p>
<p>After Babaiee, Kiasari, Rus and Grosu, <i>Unveiling the Unseen: Identifiable
Clusters in Trained Depthwise Convolutional Kernels</i>, ICLR 2024,
arXiv:2401.14469.</p>
<p>MIT licence.</p>"""


def versions() -> str:
    """Versions of what the program stands on, one a line."""
    lines = [f"Python {platform.python_version()}"]
    for name in PARTS:
        try:
            lines.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            lines.append(f"{name} is missing")
    return "\n".join([*lines, platform.platform()])


def show_about(parent: QWidget) -> None:
    """Show the about box beside the window, without blocking it."""
    name = f"kernelviewer {__version__}"
    box = Dialog(parent, "aboutBox", "About kernelviewer")
    icon = QLabel(box)
    picture = QIcon(str(resource("icons", "kernelviewer.svg")))
    icon.setPixmap(picture.pixmap(ICON, ICON))
    title, text, parts = QLabel(name, box), QLabel(TEXT, box), QLabel(versions(), box)
    title.setProperty("role", "hero")
    text.setWordWrap(True)
    text.setMinimumWidth(380)
    parts.setObjectName("versions")
    parts.setProperty("role", "secondary")
    parts.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    words = QVBoxLayout()
    words.setSpacing(10)
    for label in (title, text, parts):
        words.addWidget(label)
    both = QHBoxLayout()
    both.setSpacing(20)
    both.addWidget(icon, 0, Qt.AlignmentFlag.AlignTop)
    both.addLayout(words, 1)
    whole = f"{name}\n{versions()}"
    clipboard = QGuiApplication.clipboard()
    copy = dialog_button(
        box, "Copy Versions", "copyVersions", lambda: clipboard.setText(whole)
    )
    shut = dialog_button(box, "Close", "closeAbout", box.close)
    shut.setDefault(True)
    shut.setFocus()
    layout = QVBoxLayout(box)
    layout.setContentsMargins(MARGIN + 4, MARGIN + 4, MARGIN, 12)
    layout.setSpacing(16)
    layout.addLayout(both)
    layout.addLayout(line_of(copy, shut))
    box.show()


def show_shortcuts(parent: QWidget, menus: Iterable[Keys]) -> None:
    """Show the sheet beside the window, without blocking it."""
    sheet = shortcuts_html(menus)
    show_text(parent, "shortcuts", "Keyboard shortcuts", sheet, (640, 720))


def shortcuts_html(menus: Iterable[Keys]) -> str:
    """The sheet as HTML: the keys of the menus, then those of the views."""
    groups = [*menus, *((keys.view, keys.rows) for spec in VIEWS for keys in spec.keys)]
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
