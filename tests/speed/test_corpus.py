"""How fast a corpus of ten million kernels answers, and what its engine costs.

Prints; gates on nothing. Run with ``pytest -s tests/speed/test_corpus.py``;
``KERNELVIEWER_SPEED_CORPUS`` names a folder to keep the corpus in (1.3 GB, minutes to
make). Processor time is that of all threads together.
"""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from kernelviewer.corpus.query import Questions, parse
from kernelviewer.corpus.store import Corpus
from tests.shared import CHECKPOINTS, needs_checkpoints
from tests.speed.corpus_harness import make, rows_of

if TYPE_CHECKING:
    from collections.abc import Callable

KERNELS = 10_000_000
COPIES = 3
REPOSITORY = Path(__file__).resolve().parents[2]
LOOP = """
import sys
from pathlib import Path
from kernelviewer.corpus.build import Plan, expand, prepare, recipe_of
from kernelviewer.corpus.child import Job, take_in
from kernelviewer.corpus.store import Store
from kernelviewer.device import use_threads
from kernelviewer.kernels.classes import Naming
use_threads(1)
recipe, files = recipe_of(Naming())
store = Store(Path(sys.argv[1]))
store.folder.mkdir()
prepare(store, Plan(recipe, files))
for source in expand(sys.argv[2:]):
    take_in(Job(source, sys.argv[1], recipe))
store.finish()
"""


WINDOW = """
import os, resource, sys, time
from pathlib import Path
from PySide6.QtWidgets import QApplication
from kernelviewer.gui import create_window
app = QApplication([])
window = create_window()
window.resize(1440, 900)
window.show()
page = window.parts.corpus
def until(ready):
    while not ready():
        app.processEvents()
        time.sleep(0.002)
def told(name, ask, ready):
    wall, processor = time.perf_counter(), time.process_time()
    ask()
    until(ready)
    app.processEvents()
    wall, processor = time.perf_counter() - wall, time.process_time() - processor
    print(f"  {name:28s}{wall:6.2f} s, {processor:6.2f} s processor", flush=True)
until(window.jobs.is_idle)
told("open the corpus", lambda: window.opener.open([Path(sys.argv[1])]),
    lambda: window.corpus is not None and page.kernels.isEnabled())
told("count of a line", lambda: page.line.setText("size=7x7 class=on-centre"),
    lambda: page.kernels.isEnabled())
told("open 100 000", page.kernels.click, lambda: window.document.models)
until(window.jobs.is_idle)
window.acts.focus(5)
told("200 similar", window.commands["similar_corpus"].trigger,
    lambda: len(window.document.models) > 1)
most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
print(f"  memory at most {most:.2f} GB; load {os.getloadavg()[0]:.1f}", flush=True)
os._exit(0)
"""


def spent(action: Callable[[], object]) -> tuple[float, float]:
    """Least seconds on the clock, and of processor time, of three runs."""
    runs = []
    for _ in range(3):
        wall, processor = time.perf_counter(), time.process_time()
        action()
        runs.append((time.perf_counter() - wall, time.process_time() - processor))
    return min(run[0] for run in runs), min(run[1] for run in runs)


@pytest.mark.timeout(3600)
def test_ten_million_kernels(tmp_path: Path) -> None:
    place = os.environ.get("KERNELVIEWER_SPEED_CORPUS")
    folder = Path(place) if place else tmp_path / "corpus"
    make(folder, KERNELS)
    corpus = Corpus.open(folder)
    files = [item for network in corpus.networks for item in network.sizes]
    index = sum(item.index_bytes for item in files) / corpus.kernels
    weights = sum(item.weights_bytes for item in files) / corpus.kernels
    print(
        f"\n{corpus.kernels} kernels of {len(corpus.networks)} networks: {index:.1f} "
        f"bytes of index and {weights:.1f} of weights a kernel"
    )
    questions = Questions(corpus)
    some = parse("size=7x7 class=on-centre cosine>=0.75")
    everything = parse("size=7x7")
    kernel = rows_of(17).weights[4711]
    first = questions.find(some, 100_000)
    spread = questions.find(everything, 100_000, seed=0)
    rows = {
        "open the corpus": (lambda: Corpus.open(folder), 1.0),
        "count by class and network": (
            lambda: questions.counts(everything, ("class", "network")),
            0.3,
        ),
        "histogram of the code": (
            lambda: questions.histogram(everything, "code", 100, 0, 1),
            0.3,
        ),
        "count of a filter": (lambda: questions.count(some), 0.5),
        "places of a filter": (lambda: questions.find(some, KERNELS), 0.5),
        "1 000 nearest": (lambda: questions.nearest(kernel), 5.0),
        "open 100 000 of a filter": (lambda: questions.bank(first, "first"), 2.0),
        "open 100 000 at random": (lambda: questions.bank(spread, "spread"), 2.0),
    }
    for name, (action, wanted) in rows.items():
        wall, processor = spent(action)
        print(
            f"  {name:28s}{wall:6.2f} s, {processor:6.2f} s processor "
            f"(wanted: {wanted:g} s)"
        )
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(f"  memory at most {most:.2f} GB; load {os.getloadavg()[0]:.1f}")
    best = questions.nearest(kernel, most=3)
    assert best.columns["similarity"][0] == pytest.approx(1, abs=1e-3)
    assert (best.networks[best.network[0]], best.row[0]) == (
        f"made-000017-{17:012x}", 4711
    )  # fmt: skip
    assert np.all(np.diff(best.columns["similarity"]) <= 0)


@pytest.mark.timeout(3600)
def test_ten_million_kernels_in_the_window(tmp_path: Path) -> None:
    """Wanted: a count in 0.3 s, 100 000 opened in 2 s, 1 GB."""
    place = os.environ.get("KERNELVIEWER_SPEED_CORPUS")
    folder = Path(place) if place else tmp_path / "corpus"
    make(folder, KERNELS)
    words = [sys.executable, "-c", WINDOW, str(folder)]
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY)}
    print()
    subprocess.run(words, env=environment, check=True)


def run(words: list[str]) -> tuple[float, float]:
    """Seconds on the clock of a process, and of processor time with all it starts."""
    environment = os.environ | {
        **dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1"),
        "PYTHONPATH": str(REPOSITORY),
    }
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.perf_counter()
    subprocess.run(
        words, env=environment, check=False, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    wall = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return wall, processor


@needs_checkpoints
@pytest.mark.timeout(3600)
def test_what_the_engine_costs(tmp_path: Path) -> None:
    """The shared files, some times over, by a plain loop, one worker and two."""
    files = tmp_path / "files"
    files.mkdir()
    for turn in range(COPIES):
        for source in sorted(CHECKPOINTS.iterdir()):
            if source.suffix not in (".json", ".md"):
                shutil.copyfile(source, files / f"{turn}-{source.name}")
    command = [sys.executable, "-m", "kernelviewer", "corpus", "build", str(files)]
    found = {
        "a plain loop": run(
            [sys.executable, "-c", LOOP, str(tmp_path / "loop"), str(files)]
        )
    }
    for workers in ("1", "2"):
        own = ["-o", str(tmp_path / workers), "--workers", workers]
        found[f"{workers} at a time"] = run([*command, *own])
    print()
    for name, (wall, processor) in found.items():
        print(f"  {name:14s}{wall:6.1f} s, {processor:6.1f} s processor")
    loop, one, two = found.values()
    print(
        f"  overhead {100 * (one[1] / loop[1] - 1):.0f} % of processor time, "
        f"{100 * (one[0] / loop[0] - 1):.0f} % of the clock; two are "
        f"{one[0] / two[0]:.2f} × one by the clock (load {os.getloadavg()[0]:.1f}), "
        f"could be {2 * one[1] / two[1]:.2f} × by their processor time"
    )
    made = {folder: len(Corpus.open(tmp_path / folder).networks) for folder in "12"}
    assert made == dict.fromkeys("12", 37 * COPIES)
