"""Two components of the kernels' patterns as a cloud of points (the paper's Fig. 4)."""

from __future__ import annotations

from kernelviewer.gui.views.scatter.cloud import ScatterContent
from kernelviewer.gui.views.scatter.legend import Legend
from kernelviewer.gui.views.scatter.view import ScatterView

__all__ = ["Legend", "ScatterContent", "ScatterView"]
