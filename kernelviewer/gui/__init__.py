"""The window; the only part of the program that knows Qt."""

from __future__ import annotations

from kernelviewer.gui.application import create_window

__all__ = ["create_window"]
