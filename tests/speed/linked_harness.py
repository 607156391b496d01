"""A window with many kernels, moved as a user moves it; run as a script it prints JSON.

``python -m tests.speed.linked_harness KERNELS`` opens two networks of as many kernels
in all, then steps the slider, brushes, moves the threshold, takes that back, picks
layers and switches the naming. Each step is timed from the request until every view has
been painted and nothing is left to do.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from PySide6.QtWidgets import QApplication

    from kernelviewer.gui.main_window import MainWindow
    from kernelviewer.kernels import KernelBank
    from kernelviewer.kernels.classes import By

SIZE = (7, 7)
LAYERS = 20
STEPS = 40


def make_bank(name: str, kernels: int, seed: int) -> KernelBank:
    """A network in memory: points of the shipped curve with noise, and flat ones."""
    from kernelviewer.kernels.bank import KernelBank, KernelSet, LayerInfo
    from kernelviewer.latent.autoencoder import shipped

    rng = np.random.default_rng(seed)
    curve = shipped(SIZE).spectrum(2048)
    weights = np.empty((kernels, *SIZE), np.float32)
    for low in range(0, kernels, 50_000):
        rows = weights[low : low + 50_000]
        rows[:] = curve[rng.integers(0, len(curve), len(rows))]
        rows += rng.normal(scale=0.1, size=rows.shape).astype(np.float32)
    weights[:: max(1, kernels // 100)] = 0
    flat = np.zeros(kernels, bool)
    flat[:: max(1, kernels // 100)] = True
    offset = weights.mean((1, 2))
    scale = np.sqrt(np.maximum((weights**2).sum((1, 2)) - 49 * offset**2, 0))
    layer = np.sort(rng.integers(0, LAYERS, kernels)).astype(np.int32)
    starts = np.searchsorted(layer, np.arange(LAYERS))
    channel = (np.arange(kernels) - starts[layer]).astype(np.int32)
    counts = np.bincount(layer, minlength=LAYERS)
    layers = tuple(
        LayerInfo(f"stages.{number}.conv_dw", "depthwise", int(count), SIZE, "float32")
        for number, count in enumerate(counts)
    )
    found = KernelSet(SIZE, weights, layer, channel, scale, offset, flat)
    path = Path(f"/none/{name}.safetensors")
    return KernelBank(path, name, "memory", weights.nbytes, layers, {SIZE: found})


def resident() -> int:
    """Bytes of this process in memory."""
    pages = Path("/proc/self/statm").read_text().split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


def settle(app: QApplication, window: MainWindow) -> None:
    """Paint what is to be painted, until nothing is left to do.

    While others work this thread waits, as it does for a user.
    """
    from PySide6.QtCore import QEventLoop, QTimer

    wakes, calm = QTimer(), 0
    wakes.start(2)
    while calm < 2:
        if window.jobs.is_idle():
            app.processEvents()
            calm += 1
        else:
            app.processEvents(QEventLoop.ProcessEventsFlag.WaitForMoreEvents)
            calm = 0
    wakes.stop()


def rest(app: QApplication, window: MainWindow, seconds: float = 1.0) -> None:
    """Let the window do what it does when nobody asks for anything."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        app.processEvents()
        time.sleep(0.01)
    settle(app, window)


def timed(
    app: QApplication, window: MainWindow, acts: Iterator[Callable[[], Any]]
) -> list[tuple[float, float, float]]:
    """Milliseconds of each act until all is painted.

    By the clock, of this thread, and of all threads together: what one core of a
    machine would take that has nothing else to do.
    """
    times = []
    for act in acts:
        began = time.perf_counter(), time.thread_time(), time.process_time()
        act()
        settle(app, window)
        ended = time.perf_counter(), time.thread_time(), time.process_time()
        clock, own, every = (1000 * (b - a) for a, b in zip(began, ended, strict=True))
        times.append((clock, own, every))
    return times


def naive(window: MainWindow) -> float:
    """Milliseconds of this thread for drawing the whole window anew."""
    times = []
    for _ in range(5):
        start = time.thread_time()
        window.grab()
        times.append(1000 * (time.thread_time() - start))
    return float(np.median(times))


def scenes(
    window: MainWindow,
) -> dict[str, Iterator[Callable[[], Any]]]:
    """What is timed, by name."""
    from kernelviewer.kernels.classes import Naming
    from kernelviewer.state.selection import CodeRange

    document = window.document
    rng = np.random.default_rng(3)
    (first, _) = document.models
    layers = [ref for ref in window.state.pool.layer_refs if ref.model == first.id]

    def layer(number: int) -> Callable[[], Any]:
        ref = layers[number % len(layers)]
        return lambda: document.show_layers(frozenset({ref}))

    def threshold(value: float) -> Callable[[], Any]:
        return lambda: document.set_threshold(SIZE, value, dragging=True)

    def brush(low: float, high: float) -> Callable[[], Any]:
        query = CodeRange(low, high)
        return lambda: document.select("replace", query, dragging=True)

    def named(by: By) -> Callable[[], Any]:
        return lambda: document.name(Naming(by))

    return {
        "slider": (lambda z=z: document.set_position(z) for z in rng.random(STEPS)),
        "brush": (brush(0.2, 0.2 + 0.015 * step) for step in range(1, STEPS)),
        "threshold": (threshold(0.6 + 0.007 * step) for step in range(STEPS)),
        "undo": (act for _ in range(8) for act in (document.undo, document.redo)),
        "layer": (layer(step) for step in range(STEPS // 2)),
        "naming": (named(by) for _ in range(STEPS // 4) for by in ("code", "family")),
    }


def measure(kernels: int) -> dict[str, Any]:
    """Times of all scenes, and the memory a kernel takes."""
    from PySide6.QtWidgets import QApplication

    from kernelviewer.gui import create_window
    from kernelviewer.state.settings import Settings

    app = QApplication.instance() or QApplication([])
    assert isinstance(app, QApplication)
    window = create_window(settings=Settings(theme="light"))
    window.resize(1600, 1000)
    window.show()
    window.document.open(make_bank("small", 20_000, 1))
    settle(app, window)
    window.document.close(window.document.models[0].id)
    rest(app, window)
    before = resident()
    for number in range(2):
        window.document.open(make_bank(f"net{number}", kernels // 2, number))
    settle(app, window)
    rest(app, window)
    grown = (resident() - before) / kernels
    found: dict[str, Any] = {"bytes": grown, "naive": naive(window)}
    for name, acts in scenes(window).items():
        found[name] = timed(app, window, acts)
        window.document.show_layers(None)
        settle(app, window)
    rest(app, window)
    found["bytes_after"] = (resident() - before) / kernels
    window.close()
    return found


if __name__ == "__main__":
    print(json.dumps(measure(int(sys.argv[1]))))
