"""What goes wrong when a figure is made, said for the person who asked for it."""

from __future__ import annotations

from kernelviewer.formats.errors import HintedError


class FigureError(HintedError):
    """A figure that cannot be made."""


class OptionError(FigureError):
    """An option that no figure can have: a value out of range or an unknown name."""
