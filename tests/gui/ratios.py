"""Running a script in a process of its own, whose screen has another pixel ratio."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

RATIOS = ["1", "1.25", "1.5", "2"]


def run_at_ratio(script: str, ratio: str) -> None:
    """Run a script that prints ``sharp`` at the end; RATIO in it is the ratio."""
    done = subprocess.run(
        [sys.executable, "-c", script.replace("RATIO", repr(ratio))],
        env={**os.environ, "QT_SCALE_FACTOR": ratio, "QT_QPA_PLATFORM": "offscreen"},
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[2],
        timeout=100,
        check=False,
    )
    assert done.stdout == "sharp\n", done.stderr
