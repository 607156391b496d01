"""Nulls of fewer kernels than the program measures: they take most of the time."""

from __future__ import annotations

import pytest

from kernelviewer.latent import baselines, finishing

NOISE_KERNELS = 5000


@pytest.fixture(autouse=True)
def little_noise(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (finishing, baselines):
        monkeypatch.setattr(module, "KERNELS", NOISE_KERNELS)
