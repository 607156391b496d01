"""The decoded kernel of a code, and the focused kernel beside its reconstruction."""

from __future__ import annotations

from kernelviewer.gui.views.reconstruction.comparison import ComparisonView
from kernelviewer.gui.views.reconstruction.content import (
    ComparisonContent,
    FamilyFit,
    NearKernel,
    ReconstructionContent,
)
from kernelviewer.gui.views.reconstruction.view import ReconstructionView

__all__ = [
    "ComparisonContent",
    "ComparisonView",
    "FamilyFit",
    "NearKernel",
    "ReconstructionContent",
    "ReconstructionView",
]
