"""A plot in a dialog, or a sentence while there is nothing to plot."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QStackedWidget

from kernelviewer.gui.plots import colour_plot, make_plot

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget

    from kernelviewer.gui.theme import Tokens


LEAST = 400, 240
"""Pixels across and down that leave the names of the axes whole."""


class PlotPanel(QStackedWidget):
    """Shows a sentence, or curves over each other.

    Parameters
    ----------
    name
        Of the plot.
    axes
        Names of the horizontal and the vertical axis.
    """

    def __init__(
        self, name: str, axes: tuple[str, str], tokens: Tokens, parent: QWidget
    ) -> None:
        super().__init__(parent)
        self.setProperty("plate", True)
        self.setMinimumSize(*LEAST)
        self.plot = make_plot(self, name, axes, tokens)
        self.text = QLabel(self)
        self.text.setObjectName(f"{name}Text")
        self.text.setProperty("role", "secondary")
        self.text.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.text.setWordWrap(True)
        self.text.setMargin(24)
        self.addWidget(self.text)
        self.addWidget(self.plot)

    def say(self, text: str) -> None:
        """Show a sentence in place of the plot."""
        self.text.setText(text)
        self.setCurrentWidget(self.text)

    def show_plot(self) -> None:
        """Show the plot in place of the sentence."""
        self.setCurrentWidget(self.plot)

    def set_theme(self, tokens: Tokens) -> None:
        """Show axes and ground in other colours; curves are their owner's."""
        colour_plot(self.plot, tokens)
