"""A network for the command line, and its complaints."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from safetensors.numpy import save_file

if TYPE_CHECKING:
    from pathlib import Path


def noise(*shape: int, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


@pytest.fixture
def network(tmp_path: Path) -> Path:
    """Two sizes, a strip, one dead kernel, an ambiguous and a fixed layer."""
    first = noise(8, 1, 7, 7)
    first[3] = 0
    path = tmp_path / "network.safetensors"
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


def complaint(capsys: pytest.CaptureFixture[str]) -> str:
    """The one line on stderr."""
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    return lines[0]
