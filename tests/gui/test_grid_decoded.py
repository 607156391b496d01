"""Reconstructions and residuals in the grid, against the comparison's own numbers."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from kernelviewer.gui.views.grid.compose import Marks, compose
from kernelviewer.gui.views.grid.geometry import Cell, GridLayout
from kernelviewer.gui.views.grid.image import decoded_tiles
from kernelviewer.gui.views.grid.mosaic import (
    BLANK,
    FLAT,
    TOP,
    ZERO,
    GridContent,
    build_mosaic,
)
from kernelviewer.gui.views.reconstruction.content import ComparisonContent
from kernelviewer.kernels.family.spectrum import family_spectrum
from kernelviewer.state.similarity import POINTS
from tests.gui.conftest import LARGE, wait_idle

if TYPE_CHECKING:
    from typing import Any

    from kernelviewer.gui.main_window import MainWindow
    from kernelviewer.gui.views.grid.mosaic import Mosaic

pytestmark = pytest.mark.networks(channels=30, size=LARGE)

RNG = np.random.default_rng(5)
SIZES = [(7, 7), (5,), (1, 16), (2, 3, 3)]


def by_hand(values: np.ndarray, amplitude: float) -> np.ndarray:
    """Indices of weights on a kernel's scale."""
    steps = np.floor(values / amplitude * ZERO + ZERO + 0.5)
    return np.clip(steps, 0, TOP)


@pytest.mark.parametrize("size", SIZES)
def test_tiles_are_those_of_reconstruction_and_residual(size: tuple[int, ...]) -> None:
    sources = [RNG.normal(size=(n, *size)).astype(np.float32) + 0.3 for n in (9, 4)]
    flat = np.zeros(13, bool)
    flat[2] = True
    code = RNG.random(13).astype(np.float32)
    code[5] = np.nan
    table = RNG.normal(size=(64, *size)).astype(np.float32)
    mosaic = build_mosaic(sources, flat)
    parts = ("reconstruction", "residual")
    tiles = decoded_tiles(mosaic, sources, flat, code, table, parts)
    rows, columns = size[-2] if len(size) > 1 else 1, size[-1]
    for number, kernel in enumerate(np.concatenate(sources)):
        found = [tiles[part][number].reshape(rows, -1, columns + 1) for part in parts]
        assert all((tile[..., -1] == BLANK).all() for tile in found)
        taps = [tile[..., :-1] for tile in found]
        if number in (2, 5):
            wanted = FLAT if number == 2 else BLANK
            assert all((tap == wanted).all() for tap in taps)
            continue
        decoded = table[round(float(code[number]) * 63)]
        whole = ComparisonContent(kernel, decoded).reconstruction
        amplitude = float(np.abs(kernel).max())
        for tap, values in zip(taps, (whole, kernel - whole), strict=True):
            shaped = values.reshape(-1, rows, columns).transpose(1, 0, 2)
            assert np.abs(tap - by_hand(shaped, amplitude)).max() <= 1


def test_without_their_means_tiles_are_those_of_kernels_without() -> None:
    sources = [RNG.normal(size=(6, 5, 5)).astype(np.float32) + 0.3]
    bare = [taps - taps.mean((1, 2), keepdims=True) for taps in sources]
    flat, code = np.zeros(6, bool), RNG.random(6).astype(np.float32)
    table = RNG.normal(size=(64, 5, 5)).astype(np.float32)
    mosaic = build_mosaic(bare, flat)
    given = flat, code, table, ("reconstruction", "residual")
    centred = decoded_tiles(mosaic, sources, *given, centred=True)
    for part, tiles in decoded_tiles(mosaic, bare, *given).items():
        assert np.abs(centred[part].astype(int) - tiles).max() <= 1


def test_tiles_beside_each_other_are_composed_as_slices() -> None:
    weights = RNG.normal(size=(5, 3, 3)).astype(np.float32)
    one = build_mosaic([weights])
    three = replace(one, beside=(one.tiles[::-1], one.tiles))
    assert one.shape == (1, 3, 3)
    assert three.shape == (3, 3, 3)

    def picture(mosaic: Mosaic) -> tuple[np.ndarray, GridLayout]:
        cell = Cell.fit(mosaic.shape, 2, 1.0)
        starts = np.zeros(1, np.int64)
        plan = GridLayout(cell, 5, starts, width=400, margin=4, heading=0, space=0)
        content = GridContent(mosaic, np.arange(5))
        view = (0, 0, 400, 40)
        return compose(content, plan, view, Marks(None, False, 1, 4)), plan

    single, plan = picture(one)
    side, wide = picture(three)
    for number in range(5):
        x, y = wide.origin(number)
        step = 6 + wide.cell.slice_gap
        for pane, kernel in enumerate((number, 4 - number, number)):
            left = x + pane * step
            at, top = plan.origin(kernel)
            shown = side[y : y + 6, left : left + 6]
            assert np.array_equal(shown, single[top : top + 6, at : at + 6])


def tiles_of(window: MainWindow) -> np.ndarray:
    return window.parts.grid.content.mosaic.tiles


def test_the_grid_shows_them_on_demand_and_goes_back(
    window: MainWindow, qtbot: Any
) -> None:
    kernels = tiles_of(window)
    state = window.state
    table = family_spectrum((7, 7)).table
    decoded = table[round(float(state.labels.code[3]) * (POINTS - 1))]
    kernel = state.pool.weights_of(3)
    content = ComparisonContent(kernel, decoded)
    QTest.keyClick(window, Qt.Key.Key_R, Qt.KeyboardModifier.ControlModifier)
    wait_idle(qtbot, window)
    assert window.document.display.picture == "reconstruction"
    wanted = by_hand(content.reconstruction, float(np.abs(kernel).max()))
    assert np.abs(tiles_of(window)[3][:, :-1] - wanted).max() <= 1
    window.parts.controls.picture.chosen.emit("residual")
    wait_idle(qtbot, window)
    wanted = by_hand(kernel - content.reconstruction, float(np.abs(kernel).max()))
    assert np.abs(tiles_of(window)[3][:, :-1] - wanted).max() <= 1
    window.parts.controls.picture.chosen.emit("beside")
    wait_idle(qtbot, window)
    assert len(window.parts.grid.content.mosaic.beside) == 2
    assert not window.grab().isNull()
    window.parts.controls.picture.chosen.emit("kernel")
    wait_idle(qtbot, window)
    assert tiles_of(window) is kernels


def test_the_nearest_to_the_slider_are_marked_everywhere(window: MainWindow) -> None:
    window.docks["scatter"].raise_()
    QApplication.processEvents()
    for position in (0.2, 0.8):
        window.parts.spectrum.position_requested.emit(position)
        near = window.state.near.tolist()
        assert near
        assert list(window.parts.grid.marked) == near
        assert window.parts.scatter.marked.tolist() == near
        pool = window.state.pool
        rows = pool.layer[near]
        source = window.parts.tree.source
        for row, ref in enumerate(pool.layer_refs):
            item = next(
                item
                for item in window.parts.tree._items(source.roots)
                if item.layer is not None and ref in item.refs
            )
            assert source.marked_of(item) == int((rows == row).sum())
        assert source.marked_of(source.roots[0]) == len(near)
