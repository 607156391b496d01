"""See the patterns in a trained network's depthwise convolution kernels."""

from __future__ import annotations

__version__ = "0.1.0"
