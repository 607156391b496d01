"""Line plots in the program's colours; pyqtgraph is imported when one is made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QStackedWidget

from kernelviewer.gui import theme
from kernelviewer.gui.text import signed

if TYPE_CHECKING:
    from PySide6.QtCore import QEvent
    from PySide6.QtWidgets import QWidget


_SIDES = ("bottom", "left")
LEAST = 400, 240
"""Pixels across and down that leave the names of the axes whole."""


def make_plot(parent: QWidget, name: str, axes: tuple[str, str]) -> Any:
    """An empty plot with named axes: a ``pyqtgraph.PlotWidget``."""
    import pyqtgraph

    plot = pyqtgraph.PlotWidget(parent)
    plot.setObjectName(name)
    for part in (plot, plot.viewport()):  # no key does anything there
        part.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    plot.setAccessibleName(f"{axes[1]} against {axes[0]}")
    plot.setMenuEnabled(False)
    plot.hideButtons()
    plot.getPlotItem().setContentsMargins(4, 10, 14, 4)
    for side, label in zip(_SIDES, axes, strict=True):
        plot.getAxis(side).setLabel(label)
        plot.getAxis(side).enableAutoSIPrefix(False)
        _sign_truly(plot.getAxis(side))
    colour_plot(plot)
    return plot


def colour_plot(plot: Any) -> None:
    """Give ground and axes of a plot the colours of the theme."""
    tokens = theme.tokens()
    plot.setBackground(tokens.panel)
    for side in _SIDES:
        axis = plot.getAxis(side)
        axis.setLabel(axis.labelText, color=tokens.secondary)
        axis.setPen(tokens.separator)
        axis.setTextPen(tokens.secondary)


def _sign_truly(axis: Any) -> None:
    """Let an axis write negative numbers with a true minus sign."""
    usual = axis.tickStrings
    axis.tickStrings = lambda *given: [signed(text) for text in usual(*given)]


def pen(colour: str, width: float = 2) -> Any:
    """A pen for curves."""
    import pyqtgraph

    return pyqtgraph.mkPen(colour, width=width)


class PlotPanel(QStackedWidget):
    """Shows a sentence, or curves over each other.

    Parameters
    ----------
    name
        Of the plot.
    axes
        Names of the horizontal and the vertical axis.
    """

    def __init__(self, name: str, axes: tuple[str, str], parent: QWidget) -> None:
        super().__init__(parent)
        self.setProperty("plate", True)
        self.setMinimumSize(*LEAST)
        self.plot = make_plot(self, name, axes)
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

    def changeEvent(self, event: QEvent) -> None:
        """Qt: axes and ground in other colours; curves are their owner's."""
        super().changeEvent(event)
        if theme.is_theme_change(event):
            colour_plot(self.plot)
