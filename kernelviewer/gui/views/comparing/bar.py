"""The line above the grid that says which two networks are compared, and how."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QFontMetrics
from PySide6.QtWidgets import QLabel, QSizePolicy, QToolButton, QWidget

from kernelviewer.gui.controls import (
    ChoiceButton,
    ExplainButton,
    in_column,
    in_row,
    named,
)
from kernelviewer.gui.text import as_tip

if TYPE_CHECKING:
    from PySide6.QtGui import QResizeEvent

MATCHES = {
    "names": "paired by layer names",
    "order": "paired by order and shape",
    "best": "paired by best match",
}
EDIT_PAIRS = "Edit Pairs…"
BRIEF_MATCHES = {"names": "by names", "order": "by order", "best": "best match"}


class CutLabel(QLabel):
    """A line of text that is cut where there is no room; its tip says all."""

    def __init__(self, name: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName(name)
        self.setTextFormat(Qt.TextFormat.PlainText)
        policy = QSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.setSizePolicy(policy)
        self.whole = ""

    def set_whole(self, text: str, tip: str = "") -> None:
        """Show a text, and ``tip`` or itself as its tip."""
        self.whole = text
        self.setToolTip(as_tip(tip or text))
        self.setAccessibleName(tip or text)
        self._cut()

    def minimumSizeHint(self) -> QSize:
        """Qt: as narrow as it has to be."""
        return QSize(0, super().minimumSizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Qt: cut anew."""
        super().resizeEvent(event)
        self._cut()

    def _cut(self) -> None:
        mode = Qt.TextElideMode.ElideRight
        metrics = QFontMetrics(self.font())
        self.setText(metrics.elidedText(self.whole, mode, self.width()))


class ComparingBar(QWidget):
    """The two networks, how their kernels are paired, and what has no partner.

    Setters never emit.
    """

    swap_requested = Signal()
    end_requested = Signal()
    edit_requested = Signal()
    """Say by hand which layer stands against which."""
    match_requested = Signal(str)
    again_requested = Signal()
    """Compare after all, where that was stopped or failed."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        named(self, "comparingBar", "The two networks that are compared")
        self.names = CutLabel("comparedNames", self)
        self.facts = CutLabel("comparedFacts", self)
        self.facts.setProperty("role", "secondary")
        self.swap = self._button("compareSwap", "⇄", "Exchange before and after")
        self.match = ChoiceButton(
            "compareMatch", "Kernels correspond", MATCHES, self, BRIEF_MATCHES
        )
        self.edit = self._button(
            "comparePairing", EDIT_PAIRS, "Say which layer stands against which"
        )
        self.again = self._button("compareAgain", "Compare Again", "Compare after all")
        self.end = self._button("compareEnd", "×", "End the comparison")
        self.swap.clicked.connect(lambda: self.swap_requested.emit())
        self.edit.clicked.connect(lambda: self.edit_requested.emit())
        self.again.clicked.connect(lambda: self.again_requested.emit())
        self.end.clicked.connect(lambda: self.end_requested.emit())
        self.match.chosen.connect(self.match_requested)
        line = in_row(None, self.swap, (self.names, 1), spacing=4)
        explain = ExplainButton("comparing", "Comparison", self)
        for button in (self.again, self.match, self.edit, explain, self.end):
            line.addWidget(button)
        in_column(self, line, self.facts, margins=(10, 0, 6, 4), spacing=0)
        self.hide()

    def _button(self, name: str, text: str, title: str) -> QToolButton:
        button = named(QToolButton(self), name)
        button.setText(text)
        button.setProperty("quiet", True)
        button.setAccessibleName(title)
        button.setToolTip(title)
        return button

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Qt: short texts where it is narrow."""
        super().resizeEvent(event)
        self.match.set_brief(self.width() < 620)

    def set_names(self, before: str, after: str) -> None:
        """Say which two networks are compared."""
        self.names.set_whole(
            f"{before}  →  {after}", f"before: {before}\nafter: {after}"
        )

    def set_match(self, match: str, by_hand: bool) -> None:
        """Say how kernels are paired, and whether the layers were set by hand."""
        self.match.set_choice(match)
        self.edit.setText("Edit Pairs (by hand)…" if by_hand else EDIT_PAIRS)

    def set_facts(self, text: str, tip: str = "", *, stopped: bool = False) -> None:
        """Say what came of it, or how far it is; ``stopped``: offer it anew."""
        self.facts.set_whole(text, tip)
        self.again.setVisible(stopped)
