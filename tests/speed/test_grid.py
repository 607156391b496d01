"""How fast the kernel grid is with a million kernels, against what copying costs.

Prints; gates on nothing. Run with ``pytest -s tests/speed/test_grid.py``. Times are
those of the thread itself, so that what else the machine does matters little.
"""

from __future__ import annotations

import time
import tracemalloc
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QImage, QPainter

from kernelviewer.gui.views.grid.grid import KernelGrid
from kernelviewer.gui.views.grid.mosaic import (
    GridContent,
    GridGroup,
    build_mosaic,
    common_gain,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytestqt.qtbot import QtBot

COUNT = 1_000_000
LAYERS = 200
SCREEN = (2560, 1440)


def measure(action: Callable[[], object], repeats: int = 9) -> tuple[float, float]:
    """Median and worst milliseconds of processor time."""
    times = []
    for _ in range(repeats):
        start = time.thread_time()
        action()
        times.append((time.thread_time() - start) * 1e3)
    return sorted(times)[repeats // 2], max(times)


def tell(name: str, times: tuple[float, float], floor: float, unit: str) -> None:
    median, worst = times
    print(
        f"{name:<44}{median:8.2f} ms  worst {worst:8.2f} ms"
        f"{median / floor:8.1f} × {unit}"
    )


@pytest.fixture(scope="module")
def weights() -> np.ndarray:
    noise = np.random.default_rng(0).standard_normal(COUNT * 49, np.float32)
    return noise.reshape(COUNT, 7, 7)


@pytest.fixture(scope="module")
def content(weights: np.ndarray) -> GridContent:
    starts = np.linspace(0, COUNT, LAYERS, endpoint=False).astype(int)
    groups = tuple(GridGroup(int(start), f"layer {start}", "5 000") for start in starts)
    return GridContent(build_mosaic([weights]), np.arange(COUNT), groups)


def blank_picture() -> QImage:
    picture = QImage(*SCREEN, QImage.Format.Format_RGB32)
    picture.fill(0)
    return picture


def copy_picture(source: QImage, target: QImage) -> None:
    painter = QPainter(target)
    painter.drawImage(0, 0, source)
    painter.end()


def test_build(weights: np.ndarray) -> None:
    floor, _ = measure(lambda: weights.copy(), 3)
    print(f"\ncopying the weights: {floor:.1f} ms")
    tell(
        "mosaic of 1 M 7×7 kernels",
        measure(lambda: build_mosaic([weights]), 5),
        floor,
        "copy",
    )
    mosaic = build_mosaic([weights])
    layer = np.arange(COUNT) // 5000
    times = measure(lambda: common_gain(mosaic, layer), 5)
    tell("one scale per layer", times, floor, "copy")
    tracemalloc.start()
    built = build_mosaic([weights])
    kept, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    print(
        f"memory per kernel: {kept / COUNT:.0f} bytes kept, {peak / COUNT:.0f} at peak;"
        f" with order and selection {kept / COUNT + 9:.0f}"
    )
    assert len(built) == COUNT


def test_repaint_and_select(content: GridContent, qtbot: QtBot) -> None:
    source, target = blank_picture(), blank_picture()
    floor, _ = measure(lambda: copy_picture(source, target), 21)
    print(f"\ncopying a picture of 2560×1440: {floor:.2f} ms")
    grid = KernelGrid()
    qtbot.addWidget(grid)
    grid.resize(*SCREEN)
    grid.set_content(content)
    grid.show()
    half = np.random.default_rng(1).random(COUNT) < 0.5

    def draw() -> None:
        grid.render(target, QPoint(), grid.rect())

    def scroll_and_draw() -> None:
        bar = grid.verticalScrollBar()
        bar.setValue(bar.value() + 120)
        draw()

    def select_and_draw() -> None:
        grid.set_selection(half.copy())
        draw()

    def resize_and_draw() -> None:
        grid.resize(grid.width() - 8, grid.height())
        draw()

    shuffled = np.random.default_rng(2).permutation(COUNT)
    mixed = GridContent(content.mosaic, shuffled)
    scaled = GridContent(content.mosaic, shuffled, gain=common_gain(content.mosaic))
    for zoom in (1, 2, 3, 6, 14, 60):
        for name, shown in (
            ("in order", content),
            ("shuffled", mixed),
            ("shuffled, one scale", scaled),
        ):
            grid.set_content(shown)
            grid.set_zoom(zoom)
            grid.set_selection(None)
            draw()
            label = f"{zoom} px a tap, {name}: "
            tell(label + "scroll", measure(scroll_and_draw), floor, "copy")
            tell(label + "select half", measure(select_and_draw), floor, "copy")
        tell(f"{zoom} px a tap: repaint only", measure(draw), floor, "copy")
    grid.set_zoom(1)
    tell("resize, flowing anew", measure(resize_and_draw, 5), floor, "copy")
    grid.set_focus(int(content.order[COUNT // 2]))
    tell(
        "arrow key",
        measure(lambda: (qtbot.keyClick(grid, Qt.Key.Key_Down), draw())),
        floor,
        "copy",
    )
