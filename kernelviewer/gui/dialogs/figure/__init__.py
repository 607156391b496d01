"""The figure dialog: choose the exhibit, see the file, write it."""

from __future__ import annotations

from kernelviewer.gui.dialogs.figure.dialog import FigureDialog, open_figure

__all__ = ["FigureDialog", "open_figure"]
