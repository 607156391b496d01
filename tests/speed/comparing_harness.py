"""Two networks of many kernels compared in a window; run as a script it prints JSON.

``python -m tests.speed.comparing_harness PAIRS`` opens two networks of as many 7×7
kernels each, compares them, and clicks cells of the matrix and layers of the drift.
Each step is timed until all views have been painted and nothing is left to do.
"""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from tests.speed.linked_harness import LAYERS, SIZE, make_bank, naive, settle, timed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from kernelviewer.gui.main_window import MainWindow
    from kernelviewer.kernels import KernelBank


def moved(bank: KernelBank, name: str) -> KernelBank:
    """The same network with each kernel a little another."""
    rng = np.random.default_rng(9)
    kernels = bank.sizes[SIZE]
    weights = kernels.weights.copy()
    weights += rng.normal(scale=0.05, size=weights.shape).astype(np.float32)
    weights[kernels.flat] = 0
    offset = weights.mean((1, 2))
    scale = np.sqrt(np.maximum((weights**2).sum((1, 2)) - 49 * offset**2, 0))
    other = replace(kernels, weights=weights, offset=offset, scale=scale)
    path = bank.path.with_name(f"{name}.safetensors")
    return replace(bank, path=path, name=name, sizes={SIZE: other})


def cells(window: MainWindow) -> Iterator[Callable[[], Any]]:
    """Clicks on the cells that have most pairs."""
    from PySide6.QtCore import Qt

    view, keys = window.parts.transitions, Qt.KeyboardModifier.NoModifier
    assert view.content is not None
    counts = view.content.counts
    for place in np.argsort(-counts, axis=None)[:30].tolist():
        before, after = divmod(place, len(counts))
        yield lambda a=before, b=after: view.cells_requested.emit(a, b, keys)


def layers(window: MainWindow) -> Iterator[Callable[[], Any]]:
    """Clicks on layers of the drift."""
    from PySide6.QtCore import Qt

    view, keys = window.parts.drift, Qt.KeyboardModifier.NoModifier
    for number in range(LAYERS):
        refs = view.layers[number].refs
        yield lambda refs=refs: view.layer_requested.emit(refs, keys)


def measure(pairs: int) -> dict[str, Any]:
    """Times of opening a comparison, and of clicks in it."""
    from PySide6.QtWidgets import QApplication

    from kernelviewer.gui import create_window
    from kernelviewer.state.comparing import Comparing
    from kernelviewer.state.settings import Settings

    app = QApplication.instance() or QApplication([])
    assert isinstance(app, QApplication)
    window = create_window(settings=Settings(theme="light"))
    window.resize(1600, 1000)
    window.show()
    window.use_preset("compare")
    first = make_bank("before", pairs, 1)
    models = [window.document.open(b) for b in (first, moved(first, "after"))]
    settle(app, window)
    how = Comparing(models[0].id, models[1].id)
    found: dict[str, Any] = {"naive": naive(window)}
    found["open"] = timed(app, window, iter([lambda: window.compare(how)]))
    assert window.state.pairs is not None
    found["pairs"] = len(window.state.pairs)
    found["cell"] = timed(app, window, cells(window))
    found["layer"] = timed(app, window, layers(window))
    window.close()
    return found


if __name__ == "__main__":
    print(json.dumps(measure(int(sys.argv[1]))))
