"""Files → named tensors: any checkpoint a user has, opened without running it."""

from __future__ import annotations

from kernelviewer.formats.checkpoint import Checkpoint, Operator, Skipped, Tensor
from kernelviewer.formats.errors import CheckpointError
from kernelviewer.formats.registry import is_checkpoint, open_checkpoint

__all__ = [
    "Checkpoint",
    "CheckpointError",
    "Operator",
    "Skipped",
    "Tensor",
    "is_checkpoint",
    "open_checkpoint",
]
