"""Kernel bank → codes and labels: a number in [0, 1] for each kernel, and its class."""

from __future__ import annotations

from kernelviewer.latent.autoencoder import METHODS, Autoencoder, Method, shipped
from kernelviewer.latent.codes import Codes
from kernelviewer.latent.errors import LatentError
from kernelviewer.latent.labels import Agreement, Labels, agreement, label
from kernelviewer.latent.noise import PRESETS, Null
from kernelviewer.latent.segments import Segment, Segments

__all__ = [
    "METHODS",
    "PRESETS",
    "Agreement",
    "Autoencoder",
    "Codes",
    "Labels",
    "LatentError",
    "Method",
    "Null",
    "Segment",
    "Segments",
    "agreement",
    "label",
    "shipped",
]
