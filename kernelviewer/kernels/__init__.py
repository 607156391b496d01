"""Checkpoint → kernel bank: which tensors are depthwise, and what is in them."""

from __future__ import annotations

from kernelviewer.kernels.bank import (
    KernelBank,
    KernelSet,
    LayerInfo,
    Size,
    size_key,
    size_label,
)
from kernelviewer.kernels.extract import extract_kernels

__all__ = [
    "KernelBank",
    "KernelSet",
    "LayerInfo",
    "Size",
    "extract_kernels",
    "size_key",
    "size_label",
]
