"""Small random networks, written as files."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from safetensors.numpy import save_file

if TYPE_CHECKING:
    from pathlib import Path


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
