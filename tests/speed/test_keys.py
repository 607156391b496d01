"""How fast keys are sought, and what memory rewriting a large checkpoint takes.

Prints; gates on nothing. Run with ``pytest -s tests/speed/test_keys.py``. Times are the
processor's, of all threads together; goals: 16 keys for 50 000 kernels within 10 s on
two cores, a 790 MB file with no more than 200 MB beyond what reading it takes.
"""

from __future__ import annotations

import subprocess
import sys
import time
from typing import TYPE_CHECKING

import numpy as np
import pytest

from kernelviewer.kernels.keys import search_keys
from kernelviewer.kernels.statistics import measure, patterns
from kernelviewer.latent.keys import candidates

if TYPE_CHECKING:
    from pathlib import Path

KERNELS, KEYS = 50_000, 16
_PEAK = """
import sys
from kernelviewer.cli import main
assert main(sys.argv[1:]) == 0
(line,) = (one for one in open("/proc/self/status") if one.startswith("VmHWM"))
print(int(line.split()[1]) / 1024)
"""


@pytest.mark.timeout(600)
def test_time_of_a_search() -> None:
    random = np.random.default_rng(0)
    rows = candidates((7, 7), "curve")
    picked = rows[random.integers(len(rows), size=KERNELS)]
    kernels = picked + random.normal(0, 0.12, picked.shape).astype(np.float32)
    found = measure(kernels)
    unit = patterns(kernels, found.scale, found.offset)
    wall, processor = time.perf_counter(), time.process_time()
    search = search_keys(unit, rows, KEYS)
    wall, processor = time.perf_counter() - wall, time.process_time() - processor
    print(
        f"\n{KEYS} keys among {len(rows)} points of the curve for {KERNELS} kernels: "
        f"{processor:.1f} s processor ({wall:.1f} s on the clock), "
        f"{search.exchanges} exchanges, R² {search.mean:.3f}"
    )
    assert len(set(search.chosen)) == KEYS


@pytest.mark.timeout(900)
def test_memory_of_rewriting(tmp_path: Path) -> None:
    import timm
    from safetensors.torch import save_file

    source = tmp_path / "large.safetensors"
    save_file(timm.create_model("convnextv2_large").state_dict(), source)

    def peak(*words: object) -> float:
        command = [sys.executable, "-c", _PEAK, *map(str, words)]
        return float(subprocess.check_output(command, text=True).split()[-1])

    read = peak("info", source)
    words = ("--keys", "published", "-o", tmp_path / "out.safetensors")
    written = peak("rewrite", source, *words)
    print(
        f"\n{source.stat().st_size / 1e6:.0f} MB: peak {read:.0f} MB when read, "
        f"{written:.0f} MB when rewritten, {written - read:+.0f} MB"
    )
    assert written > 0
