"""Two components of the kernels' patterns as a cloud of points (the paper's Fig. 4)."""

from __future__ import annotations

from kernelviewer.gui.views.scatter.view import ScatterContent, ScatterView

__all__ = ["ScatterContent", "ScatterView"]
