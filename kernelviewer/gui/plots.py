"""Line plots in the program's colours; pyqtgraph is imported when one is made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget

    from kernelviewer.gui.theme import Tokens


def make_plot(parent: QWidget, name: str, axes: tuple[str, str], tokens: Tokens) -> Any:
    """An empty plot with named axes: a ``pyqtgraph.PlotWidget``."""
    import pyqtgraph

    plot = pyqtgraph.PlotWidget(parent, background=tokens.panel)
    plot.setObjectName(name)
    plot.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # no key does anything there
    plot.setAccessibleName(f"{axes[1]} against {axes[0]}")
    plot.setMenuEnabled(False)
    plot.hideButtons()
    plot.getPlotItem().setContentsMargins(4, 10, 14, 4)
    for side, label in zip(("bottom", "left"), axes, strict=True):
        axis = plot.getAxis(side)
        axis.setLabel(label, color=tokens.secondary)
        axis.enableAutoSIPrefix(False)
        axis.setPen(tokens.separator)
        axis.setTextPen(tokens.secondary)
    return plot


def pen(colour: str, width: float = 2) -> Any:
    """A pen for curves."""
    import pyqtgraph

    return pyqtgraph.mkPen(colour, width=width)
