"""Files → named tensors: any checkpoint a user has, opened without running it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernelviewer.formats.checkpoint import Checkpoint, Operator, Skipped, Tensor
from kernelviewer.formats.errors import CheckpointError
from kernelviewer.importing import imported_when_used

if TYPE_CHECKING:
    from kernelviewer.formats.registry import is_checkpoint, open_checkpoint
else:
    __getattr__, __dir__ = imported_when_used(
        __name__,
        {
            "is_checkpoint": "kernelviewer.formats.registry",
            "open_checkpoint": "kernelviewer.formats.registry",
        },
    )

__all__ = [
    "Checkpoint",
    "CheckpointError",
    "Operator",
    "Skipped",
    "Tensor",
    "is_checkpoint",
    "open_checkpoint",
]
