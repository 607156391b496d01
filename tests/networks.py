"""Small random networks, written as files."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from safetensors.numpy import save_file

if TYPE_CHECKING:
    from pathlib import Path


def noise(*shape: int, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def write_network(path: Path, channels: int = 24, seed: int = 0) -> Path:
    """Write a small random network with depthwise layers of two sizes."""
    rng = np.random.default_rng(seed)

    def weights(*shape: int) -> np.ndarray:
        return rng.normal(size=shape).astype(np.float32)

    save_file(
        {
            "stem.weight": weights(channels, 3, 4, 4),
            "stages.0.conv_dw.weight": weights(channels, 1, 7, 7),
            "stages.0.conv_dw.bias": weights(channels),
            "stages.0.mlp.weight": weights(channels, channels, 1, 1),
            "stages.1.conv_dw.weight": weights(channels, 1, 7, 7),
            "stages.1.conv_dw.bias": weights(channels),
            "stages.1.mlp.weight": weights(channels, channels, 1, 1),
            "stages.2.conv_dw.weight": weights(channels, 1, 3, 3),
            "stages.2.conv_dw.bias": weights(channels),
            "stages.2.mlp.weight": weights(10, channels, 1, 1),
        },
        path,
    )
    return path


def write_every_kind(path: Path) -> Path:
    """Two sizes, a strip, one dead kernel, an ambiguous and a fixed layer."""
    first = noise(8, 1, 7, 7)
    first[3] = 0
    save_file(
        {
            "stem.weight": noise(8, 3, 3, 3),
            "blocks.0.dwconv.weight": first,
            "blocks.1.dwconv.weight": noise(8, 1, 3, 3).astype(np.float16),
            "blocks.2.dwconv.weight": noise(8, 1, 1, 11),
            "blocks.3.dwconv.weight": noise(8, 1, 5),
            "blocks.4.blur.filt": np.ones((8, 1, 3, 3), np.float32),
            "extra.conv_x": noise(4, 1, 7, 7),
            "head.weight": noise(10, 8),
        },
        path,
    )
    return path
