"""Windows that only tell: about the program, its keys, and the words on the screen."""

from __future__ import annotations

import platform
from html import escape
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QGuiApplication, QIcon, QTextDocument
from PySide6.QtWidgets import QHBoxLayout, QLabel, QLineEdit, QTextBrowser

from kernelviewer import __version__
from kernelviewer.files import resource
from kernelviewer.gui import theme
from kernelviewer.gui.controls import (
    MARGIN,
    Dialog,
    dialog_button,
    in_column,
    line_of,
    named,
    show_text,
)
from kernelviewer.gui.glossary import TERMS, found, picture_of, terms_of
from kernelviewer.gui.painting.kernels import WeightColours
from kernelviewer.gui.registry import VIEWS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import numpy as np
    from numpy.typing import NDArray
    from PySide6.QtWidgets import QWidget

    from kernelviewer.gui.glossary import Term

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
    words = in_column(None, title, text, parts, spacing=10)
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
    margins = (MARGIN + 4, MARGIN + 4, MARGIN, 12)
    in_column(box, both, line_of(copy, shut), margins=margins, spacing=16)
    box.show()


class Glossary(Dialog):
    """What words on the screen mean, each with a picture; searched by typing.

    Parameters
    ----------
    colours
        [K, 3] of 0 … 255 from the most negative to the most positive weight.
    view
        Id of the panel whose words are told; empty: all words.
    """

    def __init__(
        self, parent: QWidget, colours: NDArray[np.float64], view: str = ""
    ) -> None:
        place = f"Words in {place_of(view)}" if view else "Glossary"
        super().__init__(parent, "glossaryDialog", place)
        self.resize(560, 620)
        tokens = theme.tokens()
        self._colours = WeightColours.of(colours, tokens.panel, tokens.separator)
        self._terms = terms_of(view) if view else TERMS
        self.search = named(QLineEdit(self), "glossarySearch")
        self.search.setPlaceholderText("Search words")
        self.search.setAccessibleName("Search words")
        self.search.setClearButtonEnabled(True)
        self.search.textChanged.connect(self._show)
        self.text = named(QTextBrowser(self), "glossaryText", place)
        self.text.document().setDocumentMargin(10)
        self.all = dialog_button(self, "All Words", "glossaryAll", self._show_all)
        self.all.setVisible(bool(view))
        shut = dialog_button(self, "Close", "glossaryClose", self.close)
        shut.setDefault(True)
        self.lay_out(self.search, self.text, line_of(self.all, shut), spacing=12)
        for name in {term.picture for term in TERMS}:
            picture = picture_of(name, self._colours)
            kind = QTextDocument.ResourceType.ImageResource
            self.text.document().addResource(kind, QUrl(f"kernels:{name}"), picture)
        self._show()
        self.search.setFocus()

    def _show_all(self) -> None:
        self._terms = TERMS
        self.setWindowTitle("Glossary")
        self.all.hide()
        self._show()
        self.search.setFocus()

    def _show(self) -> None:
        terms = found(self.search.text(), self._terms)
        told = "".join(map(term_html, terms))
        self.text.setHtml(told or "<p>No word here has this. “All Words” has more.</p>")


def place_of(view: str) -> str:
    """What people call a panel, by its id."""
    if view == "tools":
        return "the line above the panels"
    spec = next(spec for spec in VIEWS if spec.id == view)
    return spec.short or spec.title


def term_html(term: Term) -> str:
    """An entry: word, picture, sentences, formula, and where it is seen."""
    parts = [
        f"<h3 style='margin-bottom: 4px'>{escape(term.word)}</h3>",
        f"<p style='margin: 0'><img src='kernels:{term.picture}'></p>",
        f"<p style='margin: 4px 0'>{escape(term.says)}</p>",
    ]
    if term.formula:
        parts.append(f"<p style='margin: 4px 0'><i>{escape(term.formula)}</i></p>")
    if term.views:
        seen = ", ".join(map(place_of, term.views))
        colour = theme.tokens().secondary
        parts.append(
            f"<p style='margin: 0; color: {colour}'>Seen in: {escape(seen)}</p>"
        )
    return "".join(parts)


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
