"""How soon the window stands, and how long it stays deaf while a large file opens.

Printed for a look, never gated: ``pytest tests/speed/test_window.py -s``.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import numpy as np
import pytest

if TYPE_CHECKING:
    from pathlib import Path

START = """
import sys, time
import numpy
from PySide6.QtWidgets import QApplication
needed = time.process_time()
from kernelviewer.importing import there_to_stay
with there_to_stay():
    from kernelviewer.gui import create_window
app = QApplication([])
window = create_window()
window.show()
app.processEvents()
print(needed, time.process_time(), time.time() - float(sys.argv[1]))
window.close()
"""

OPEN = """
import sys, time
from pathlib import Path
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication
from kernelviewer.gui import create_window
if sys.argv[2] == "warm":
    import torch
app = QApplication([])
window = create_window()
window.resize(1600, 1000)
window.show()
for _ in range(20):
    app.processEvents()
beats = [time.perf_counter()]
timer = QTimer()
timer.timeout.connect(lambda: beats.append(time.perf_counter()))
timer.start(1)
laid = []
window.laid_out.connect(lambda: laid.append(time.perf_counter()))
start = time.perf_counter()
window.opener.open([Path(sys.argv[1])])
calm = 0
while calm < 20:
    app.processEvents()
    time.sleep(0.001)
    calm = calm + 1 if window.jobs.is_idle() else 0
gaps = [b - a for a, b in zip(beats, beats[1:])]
print(max(gaps), laid[0] - start, sum(map(len, window.document.banks)))
window.close()
"""


def run(code: str, *arguments: str) -> list[float]:
    """Numbers that a script prints, in a fresh process that finds byte code written."""
    kept = os.environ | {"QT_QPA_PLATFORM": "offscreen"}
    kept.pop("PYTHONDONTWRITEBYTECODE", None)
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True,
        text=True,
        check=True,
        env=kept,
    )
    return [float(word) for word in done.stdout.split()]


def test_the_window_stands_soon() -> None:
    run(START, "0")
    times = np.array([run(START, str(time.time())) for _ in range(5)])
    needed, spent, clock = np.min(times, axis=0)
    print(
        f"\nwindow visible {clock:.2f} s after the interpreter starts, "
        f"{spent:.2f} s of processor time = {spent / needed:.1f} × starting Python, "
        "numpy and Qt alone"
    )
    assert spent >= needed


@pytest.fixture(scope="module")
def large_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """ConvNeXtV2-L with random weights, 790 MB."""
    import timm
    from safetensors.torch import save_file

    path = tmp_path_factory.mktemp("large") / "convnextv2_large.safetensors"
    save_file(timm.create_model("convnextv2_large").state_dict(), path)
    return path


@pytest.mark.parametrize("torch_imported", [True, False])
def test_the_window_answers_while_a_large_file_opens(
    large_file: Path, torch_imported: bool
) -> None:
    start = time.perf_counter()
    np.asarray(np.memmap(large_file, np.uint8, "r")[::4096]).sum()
    floor = time.perf_counter() - start
    runs = [run(OPEN, str(large_file), "warm" if torch_imported else "cold")]
    runs += [run(OPEN, str(large_file), "warm" if torch_imported else "cold")]
    gap, shown, kernels = np.median(np.array(runs), axis=0)
    print(
        f"\n{kernels:.0f} kernels of {large_file.stat().st_size / 1e6:.0f} MB "
        f"on screen after {shown:.2f} s = {shown / floor:.1f} × touching every page; "
        f"largest gap of the event loop {1000 * gap:.0f} ms "
        f"({'torch imported before' if torch_imported else 'import of torch included'})"
    )
    assert kernels > 0
