"""Sizes without an autoencoder: named by the family, judged beside its own null."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PySide6.QtWidgets import QLabel
from safetensors.numpy import save_file

from kernelviewer.gui.text import percent
from kernelviewer.kernels.classes import INDEX
from kernelviewer.kernels.family import member
from tests.gui.conftest import wait_idle

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from kernelviewer.gui.main_window import MainWindow

SIZE = (13, 13)


@pytest.fixture
def half_noise(tmp_path: Path) -> Path:
    """Eight 13×13 kernels of white noise, and eight Gaussians."""
    noise = np.random.default_rng(0).standard_normal((8, 1, *SIZE))
    centre = member("on-centre", SIZE, sigma=2.0)
    weights = np.concatenate([noise, np.broadcast_to(centre, (8, 1, *SIZE))])
    path = tmp_path / "wide.safetensors"
    save_file(
        {
            "stem.weight": np.ones((16, 3, 3, 3), np.float32),
            "conv_dw.weight": (
                weights * np.linspace(1, 2, 16)[:, None, None, None]
            ).astype(np.float32),
        },
        path,
    )
    return path


def test_noise_is_unidentified_and_its_coverage_stands_beside(
    half_noise: Path, open_anew: Callable[..., MainWindow], qtbot: Any
) -> None:
    window = open_anew(half_noise)
    wait_idle(qtbot, window)
    state = window.state
    assert state.autoencoder is None
    assert state.threshold == 0.7
    assert (state.labels.label[:8] == INDEX["unidentified"]).all()
    assert (state.labels.label[8:] == INDEX["on-centre"]).all()
    bar = window.parts.threshold
    assert bar.isVisibleTo(window)
    assert bar.findChild(QLabel, "nullCoverage").text() == f"white noise {percent(0.0)}"
    window.document.set_threshold(SIZE, 0.0)
    wait_idle(qtbot, window)
    assert not (window.state.labels.label == INDEX["unidentified"]).any()
    assert bar.findChild(QLabel, "nullCoverage").text() == f"white noise {percent(1.0)}"
