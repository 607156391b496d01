"""From a file to labels and figures nothing needs torch, where there is no GPU.

That the window does not either is held in `tests.test_architecture`.
"""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from kernelviewer.device import needs_torch
from tests.latent.made import write_network

if TYPE_CHECKING:
    from pathlib import Path

NO_GPU = {"CUDA_VISIBLE_DEVICES": "", "QT_QPA_PLATFORM": "offscreen"}
pytestmark = pytest.mark.skipif(
    sys.platform == "darwin" and needs_torch("auto"), reason="this machine has a GPU"
)

COMMANDS = """
import sys
from kernelviewer.cli import main
file, folder = sys.argv[1:]
commands = [["label", file, "-o", f"{folder}/labels.csv"], ["compare", file, file]]
for kind in ("spectrum", "classes", "sheet", "composition", "pca"):
    picture = f"{folder}/{kind}.svg"
    commands.append(["figure", kind, file, "--size", "7x7", "-o", picture])
for command in commands:
    assert main(command) == 0, command
    heavy = {"torch", "timm", "scipy", "matplotlib.pyplot", "matplotlib.style"}
    heavy |= {"msgspec", "kernelviewer.corpus.store"}
    assert not heavy & set(sys.modules), (command, heavy & set(sys.modules))
"""


def run(code: str, *arguments: str) -> str:
    """What a script prints in a fresh process that sees no GPU."""
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=110,
        env=os.environ | NO_GPU,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_labels_and_figures_are_made(tmp_path: Path) -> None:
    path = write_network(tmp_path / "net.safetensors", 1)
    run(COMMANDS, str(path), str(tmp_path))
    made = {item.name for item in tmp_path.iterdir()}
    assert {"labels.csv", "spectrum.svg", "pca.svg"} <= made
