"""A session as this version writes it, with the small files that it names.

``python -m tests.files.make_session FOLDER`` writes them. What an older version wrote
lies in ``sessions/v1`` and stays there: it has to open for ever.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from safetensors.numpy import save_file

from tests.networks import write_network

if TYPE_CHECKING:
    from kernelviewer.gui.main_window import MainWindow

NAME = "marked.kvsession"
SEVEN, FIVE, THREE = (7, 7), (5, 5), (3, 3)


def write_files(folder: Path) -> None:
    """Two networks, the second with a fixed layer, and an autoencoder."""
    from kernelviewer.latent.autoencoder import Autoencoder
    from kernelviewer.latent.curve import Curve
    from kernelviewer.latent.noise import BINS, Null

    (folder / "nets").mkdir(parents=True, exist_ok=True)
    write_network(folder / "first.safetensors", channels=5)
    rng = np.random.default_rng(2)
    stack: dict[str, Any] = {
        "stem.weight": rng.normal(size=(6, 3, 3, 3)),
        "blocks.0.dw.weight": rng.normal(size=(6, 1, 5, 5)),
        "blocks.0.pw.weight": rng.normal(size=(6, 6, 1, 1)),
        "blocks.0.blur.weight": np.broadcast_to(np.eye(3)[None, None], (6, 1, 3, 3)),
        "blocks.1.dw.weight": rng.normal(size=(6, 1, 7, 7)),
        "blocks.1.pw.weight": rng.normal(size=(6, 6, 1, 1)),
    }
    arrays = {
        name: np.ascontiguousarray(value, np.float32) for name, value in stack.items()
    }
    save_file(arrays, folder / "nets" / "second.safetensors")
    curve = Curve(
        FIVE,
        rng.normal(size=(4, 25)).astype(np.float32),
        np.linspace(0, 1, 5, dtype=np.float32),
    )
    counts = np.zeros(BINS, np.int64)
    counts[BINS // 2] = 1000
    made = Autoencoder.of("curve", curve)
    fields = {key: getattr(made, key) for key in ("method", "size", "model")}
    Autoencoder(
        **fields,
        stretches=made.stretches,
        null=Null(counts),
        point_cosine=made.point_cosine,
    ).save(folder / "own-5x5.safetensors")


def mark(window: MainWindow) -> None:
    """Leave a mark of every kind; every step goes on with what was marked before."""
    from PySide6.QtCore import Qt

    from kernelviewer.latent import stretches as editing
    from kernelviewer.state.arrangement import Display
    from kernelviewer.state.model import LayerRef
    from kernelviewer.state.selection import (
        All,
        Classes,
        CodeRange,
        Every,
        Kernels,
        Layers,
        Similar,
    )

    document = window.document
    first, second = document.models
    document.show_size(SEVEN)
    pool = window.state.pool
    assert pool is not None
    stretches = document.stretches_of(SEVEN)
    assert stretches is not None
    stretches = editing.move_border(stretches, 0, stretches[0].high + 0.004)
    stretches = editing.rename(stretches, 1, "d1-x", "Edges, étroites")
    document.set_stretches(SEVEN, stretches)
    document.set_threshold(SEVEN, 0.412)
    document.set_threshold(THREE, 0.9)
    own = {first.id: np.array([0, 1, 2, 7]), second.id: np.array([4])}
    layer = Layers(frozenset({LayerRef(second.id, 2), LayerRef(first.id, 1)}))
    pattern = pool.weights_of(3).ravel() - pool.weights_of(3).mean()
    taps = tuple(map(float, (pattern / np.linalg.norm(pattern)).astype(np.float32)))
    document.select("replace", Kernels(SEVEN, own))
    document.select("add", layer)
    document.select("subtract", CodeRange(0.1, 0.3))
    document.select("add", Classes(frozenset({"on-centre", "d1-x"})))
    document.select("add", Similar(SEVEN, taps, 0.4, "first stages.0.conv_dw 3"))
    document.select(
        "subtract", Every((CodeRange(0.0, 0.5), Classes(frozenset({"d2-x"}))))
    )
    document.select("toggle", All())
    document.show_layers(frozenset({LayerRef(first.id, 0), LayerRef(second.id, 2)}))
    document.set_focus(pool.locate(2))
    document.set_position(0.375)
    document.show_as(Display("class", "fit", "layer"))
    window.set_colormap("grey")
    window.docks["scatter"].close()
    area = Qt.DockWidgetArea.RightDockWidgetArea
    window.addDockWidget(area, window.docks["composition"])


def main(folder: Path) -> None:
    """Write the files, open them in a window, mark, save."""
    from PySide6.QtTest import QTest
    from PySide6.QtWidgets import QApplication

    from kernelviewer.gui import create_window

    def settle() -> None:
        calm = 0
        while calm < 3:
            QTest.qWait(20)
            calm = calm + 1 if window.jobs.is_idle() else 0

    write_files(folder)
    application = QApplication([])
    window = create_window(
        [folder / "first.safetensors", folder / "nets" / "second.safetensors"]
    )
    window.resize(1280, 800)
    window.show()
    settle()
    window.opener.reopen(window.document.models[1].id, include=["blocks.0.blur"])
    window.opener.load_autoencoder(folder / "own-5x5.safetensors")
    settle()
    mark(window)
    settle()
    window.sessions.save_to(folder / NAME)
    settle()
    window.close()
    application.quit()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
