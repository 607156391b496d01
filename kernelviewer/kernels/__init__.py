"""Checkpoint → kernel bank: which tensors are depthwise, and what is in them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernelviewer.importing import imported_when_used
from kernelviewer.kernels.bank import (
    KernelBank,
    KernelSet,
    LayerInfo,
    Size,
    size_key,
    size_label,
)

if TYPE_CHECKING:
    from kernelviewer.kernels.extract import extract_kernels
else:
    __getattr__, __dir__ = imported_when_used(
        __name__, {"extract_kernels": "kernelviewer.kernels.extract"}
    )

__all__ = [
    "KernelBank",
    "KernelSet",
    "LayerInfo",
    "Size",
    "extract_kernels",
    "size_key",
    "size_label",
]
