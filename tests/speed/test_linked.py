"""How soon every view answers with 100 000 and 1 000 000 kernels open.

Printed for a look, never gated on seconds: ``pytest tests/speed/test_linked.py -s``.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import numpy as np
import pytest

if TYPE_CHECKING:
    from pathlib import Path

GOALS = {
    100_000: {
        "slider": (16, 33),
        "brush": (33, 33),
        "threshold": (33, 33),
        "undo": (33, 33),
        "layer": (50, 50),
        "naming": (50, 50),
    },
    1_000_000: dict.fromkeys(
        ("slider", "brush", "threshold", "undo", "layer", "naming"), (100, 100)
    ),
}
"""Kernels → scene → wished median and worst, milliseconds."""
WISHED_BYTES = 450


@pytest.mark.timeout(900)
@pytest.mark.parametrize("kernels", GOALS)
def test_every_view_answers(kernels: int, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.speed.linked_harness", str(kernels)],
        capture_output=True,
        text=True,
        check=True,
        env={
            **os.environ,
            "QT_QPA_PLATFORM": "offscreen",
            "KERNELVIEWER_CONFIG": str(tmp_path / "config"),
            "KERNELVIEWER_CACHE": str(tmp_path / "cache"),
        },
    )
    found = json.loads(done.stdout.splitlines()[-1])
    print(f"\n{kernels} kernels, drawing the whole window: {found['naive']:.0f} ms")
    for name, (median, worst) in GOALS[kernels].items():
        clock, busy, _ = np.array(found[name]).T
        print(
            f"{name:10} median {np.median(clock):6.1f} ms (wished {median}), "
            f"worst {clock.max():6.1f} (wished {worst}); of the thread alone "
            f"{np.median(busy):5.1f} and {busy.max():5.1f}, "
            f"{np.median(busy) / found['naive']:.2f} × drawing the whole window"
        )
        assert len(busy) > 10
    print(
        f"{found['bytes']:.0f} bytes a kernel once all is shown, "
        f"{found['bytes_after']:.0f} after use (wished {WISHED_BYTES}, weights 196)"
    )
    assert found["bytes"] > 196
