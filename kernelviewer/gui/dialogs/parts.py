"""What dialogs are made of: closed by Escape as by their frame, buttons alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QDialog,
    QHBoxLayout,
    QPushButton,
    QTextBrowser,
    QVBoxLayout,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from PySide6.QtWidgets import QWidget

MARGIN = 16
"""Between a dialog's frame and what is in it, pixels."""


class Dialog(QDialog):
    """A dialog beside the window, gone when it is closed.

    Return presses its default button, or the button that has the keyboard. Escape and
    the frame's cross do the same: they ask `may_close`, then call ``done``. Escape
    alone would not send a ``closeEvent``: what is to be tidied up belongs in ``done``.
    """

    def __init__(self, parent: QWidget, name: str, title: str) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setObjectName(name)
        self.setWindowTitle(title)

    def may_close(self) -> bool:
        """Whether nothing is lost by closing, or the user agrees to lose it."""
        return True

    def reject(self) -> None:
        """Qt: Escape, or the frame's cross."""
        if self.may_close():
            super().reject()


def dialog_button(
    parent: QWidget, text: str, name: str, use: Callable[[], object]
) -> QPushButton:
    """A button of a dialog; the default one while it has the keyboard."""
    button = QPushButton(text, parent)
    button.setObjectName(name)
    button.setAccessibleName(text.rstrip("…"))
    button.clicked.connect(lambda: use())
    return button


def line_of(*buttons: QPushButton) -> QHBoxLayout:
    """Buttons in a line, at the right."""
    line = QHBoxLayout()
    line.setSpacing(8)
    line.addStretch(1)
    for button in buttons:
        line.addWidget(button)
    return line


def make_default(button: QPushButton) -> None:
    """Let Return press this button, also where another button has the keyboard."""
    button.setDefault(True)
    if isinstance(button.window().focusWidget(), QPushButton):
        button.setFocus()


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
    dialog = Dialog(parent, f"{name}Dialog", title)
    dialog.resize(*size)
    text = QTextBrowser(dialog)
    text.setObjectName(f"{name}Text")
    text.setAccessibleName(title)
    text.document().setDocumentMargin(10)
    text.setHtml(html)
    shut = dialog_button(dialog, "Close", f"{name}Close", dialog.close)
    shut.setDefault(True)
    layout = QVBoxLayout(dialog)
    layout.setContentsMargins(MARGIN, MARGIN, MARGIN, 12)
    layout.setSpacing(12)
    layout.addWidget(text)
    layout.addLayout(line_of(shut))
    dialog.show()
    return text
