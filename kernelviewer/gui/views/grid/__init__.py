"""The kernel grid: every kernel in scope as a small picture.

`build_mosaic` (for a worker) → `Mosaic` → `GridContent` → `KernelGrid.set_content`.
"""

from __future__ import annotations

from kernelviewer.gui.views.grid.colours import COLORMAPS
from kernelviewer.gui.views.grid.grid import KernelGrid, combine
from kernelviewer.gui.views.grid.mosaic import (
    MAX_FRAMES,
    NO_FRAME,
    GridContent,
    GridGroup,
    Mosaic,
    build_mosaic,
    common_gain,
)

__all__ = [
    "COLORMAPS",
    "MAX_FRAMES",
    "NO_FRAME",
    "GridContent",
    "GridGroup",
    "KernelGrid",
    "Mosaic",
    "build_mosaic",
    "combine",
    "common_gain",
]
