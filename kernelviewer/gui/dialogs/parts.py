"""What several dialogs are made of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QPushButton,
    QTextBrowser,
    QVBoxLayout,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from PySide6.QtWidgets import QWidget


def dialog_button(
    parent: QWidget, text: str, name: str, use: Callable[[], object]
) -> QPushButton:
    """A button that Enter presses only where it has the focus."""
    button = QPushButton(text, parent)
    button.setObjectName(name)
    button.setAccessibleName(text.rstrip("…"))
    button.setAutoDefault(False)
    button.clicked.connect(lambda: use())
    return button


def show_text(
    parent: QWidget, name: str, title: str, html: str, size: tuple[int, int]
) -> QTextBrowser:
    """Show text to read beside the window, without blocking it.

    Parameters
    ----------
    name
        The dialog is the object ``{name}Dialog``, its text ``{name}Text``.
    title, html
        Its title and content.
    size
        Width and height in pixels.
    """
    dialog = QDialog(parent)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.setObjectName(f"{name}Dialog")
    dialog.setWindowTitle(title)
    dialog.resize(*size)
    text = QTextBrowser(dialog)
    text.setObjectName(f"{name}Text")
    text.setAccessibleName(title)
    text.setHtml(html)
    buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close, dialog)
    buttons.rejected.connect(dialog.close)
    layout = QVBoxLayout(dialog)
    layout.addWidget(text)
    layout.addWidget(buttons)
    dialog.show()
    return text
