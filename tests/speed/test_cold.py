"""How soon a fresh process shows labels and draws figures, against `info`.

Printed for a look, never gated: ``pytest tests/speed/test_cold.py -s``. Byte code is
written first, as an installed program has it. Ratios are of processor time, which what
else the machine does changes little.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import numpy as np
import pytest
from safetensors.numpy import save_file

from tests.latent.made import patterns

if TYPE_CHECKING:
    from pathlib import Path

COUNT = 3_000
RUNS = 3
COMMANDS = {
    "label": ["label"],
    **{
        f"figure {kind}": ["figure", kind]
        for kind in ("sheet", "spectrum", "classes", "composition", "pca")
    },
}

WINDOW = """
import sys, time
from pathlib import Path
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication
from kernelviewer.gui import create_window
app = QApplication([])
window = create_window()
window.resize(1600, 1000)
window.show()
app.processEvents()
visible = time.time() - float(sys.argv[2])
beats = [(time.perf_counter(), time.process_time())]
timer = QTimer()
timer.timeout.connect(lambda: beats.append((time.perf_counter(), time.process_time())))
timer.start(1)
laid, named = [], []
window.laid_out.connect(lambda: laid.append(time.perf_counter()))
def note(*_):
    if window.document.analyses and not named:
        named.append(time.perf_counter())
window.document.changed.connect(note)
start = time.perf_counter()
window.opener.open([Path(sys.argv[1])])
calm = 0
while calm < 20:
    app.processEvents()
    time.sleep(0.001)
    calm = calm + 1 if window.jobs.is_idle() else 0
gap, spent = max((b[0] - a[0], b[1] - a[1]) for a, b in zip(beats, beats[1:]))
print(visible, laid[0] - start, named[0] - laid[0], gap, spent, "torch" in sys.modules)
window.close()
"""


def environment() -> dict[str, str]:
    """This process's, with byte code written and without a screen or a GPU."""
    kept = os.environ | {"QT_QPA_PLATFORM": "offscreen", "CUDA_VISIBLE_DEVICES": ""}
    kept.pop("PYTHONDONTWRITEBYTECODE", None)
    return kept


def spent(*words: str) -> tuple[float, float]:
    """Seconds on the clock and of processor time of a command."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "kernelviewer", *words],
        check=True,
        env=environment(),
        stdout=subprocess.DEVNULL,
    )
    wall = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    user, system = after.ru_utime - before.ru_utime, after.ru_stime - before.ru_stime
    return wall, user + system


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """3 000 kernels of 7×7 in ten layers."""
    path = tmp_path_factory.mktemp("cold") / "net.safetensors"
    kernels = patterns(COUNT, noise=0.5)[0]
    layers = {
        f"stages.{number}.dwconv.weight": np.ascontiguousarray(part[:, None])
        for number, part in enumerate(np.split(kernels, 10))
    }
    save_file(layers, path)
    return path


@pytest.mark.timeout(600)
def test_labels_and_figures_against_info(network: Path) -> None:
    out = network.parent
    words = {
        name: [*command, str(network), "-o", str(out / f"{command[-1]}.csv")]
        if name == "label"
        else [*command, str(network), "-o", str(out / f"{command[-1]}.svg")]
        for name, command in COMMANDS.items()
    }
    words = {"info": ["info", str(network)], **words}
    for command in words.values():
        spent(*command)
    times = {name: np.full((RUNS, 2), np.inf) for name in words}
    for run in range(RUNS):
        for name, command in words.items():
            times[name][run] = spent(*command)
    wall, processor = times["info"].min(axis=0)
    print(f"\ninfo: {wall:.2f} s, {processor:.2f} s processor")
    for name in COMMANDS:
        own = times[name].min(axis=0)
        print(
            f"  {name:20s}{own[0]:5.2f} s = {own[0] / wall:.1f} × info, processor "
            f"{own[1]:5.2f} s = {own[1] / processor:.1f} ×"
        )


@pytest.mark.timeout(600)
def test_the_window_from_the_start_to_labels(network: Path) -> None:
    rows = []
    for _ in range(RUNS + 1):
        done = subprocess.run(
            [sys.executable, "-c", WINDOW, str(network), str(time.time())],
            capture_output=True,
            text=True,
            check=True,
            env=environment(),
        )
        *numbers, torch = done.stdout.split()
        assert torch == "False"
        rows.append([float(word) for word in numbers])
    visible, grid, labels, gap, processor = np.median(rows[1:], axis=0)
    print(
        f"\nwindow visible {visible:.2f} s after the interpreter starts; "
        f"{COUNT} kernels on screen after {grid:.2f} s, labels {labels:.2f} s later; "
        f"largest gap of the event loop {1000 * gap:.0f} ms "
        f"({1000 * processor:.0f} ms of processor time)"
    )
