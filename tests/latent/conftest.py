"""Small networks and autoencoders, and nulls of few kernels: those take the time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kernelviewer.latent import baselines, finishing
from tests.latent.made import small, write_network

if TYPE_CHECKING:
    from pathlib import Path

NOISE_KERNELS = 5000


@pytest.fixture(autouse=True)
def little_noise(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (finishing, baselines):
        monkeypatch.setattr(module, "KERNELS", NOISE_KERNELS)


@pytest.fixture
def network(tmp_path: Path) -> Path:
    return write_network(tmp_path / "network.safetensors", 1)


@pytest.fixture
def quick(tmp_path: Path) -> Path:
    """A quickly trained 7×7 autoencoder."""
    path = tmp_path / "quick" / "own.safetensors"
    path.parent.mkdir()
    small().save(path)
    return path
