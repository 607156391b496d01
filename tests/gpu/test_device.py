"""Checks that need a GPU; skipped where there is none."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from kernelviewer.device import choose_device, describe_device  # noqa: E402

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(
        not (torch.cuda.is_available() or torch.backends.mps.is_available()),
        reason="no GPU",
    ),
]


def test_automatic_choice_takes_the_gpu() -> None:
    device = choose_device("auto")
    assert device.type in ("cuda", "mps")
    assert describe_device(device).startswith(device.type)
