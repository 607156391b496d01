from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernelviewer.gui.views.grid.mosaic import (
    BLANK,
    FLAT,
    MISSING,
    TOP,
    ZERO,
    build_mosaic,
    common_gain,
)
from tests.recorder import EndedError, Recorder


def kernels(count: int, *size: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((count, *size), np.float32)


def test_zero_is_the_middle_and_the_largest_tap_an_end() -> None:
    weights = np.array([[[0, 2], [-4, 1]], [[-0.5, 0.5], [0, 0]]], np.float32)
    mosaic = build_mosaic([weights])
    assert mosaic.amplitude.tolist() == [4, 0.5]
    assert mosaic.tiles[0, :, :2].tolist() == [[ZERO, 162], [0, 135]]
    assert mosaic.tiles[1, :, :2].tolist() == [[0, TOP], [ZERO, ZERO]]


@given(scale=st.floats(1e-20, 1e20), seed=st.integers(0, 99))
def test_indices_are_within_half_a_step_of_the_weights(scale: float, seed: int) -> None:
    weights = kernels(5, 3, 4, seed=seed) * np.float32(scale)
    mosaic = build_mosaic([weights])
    drawn = (mosaic.tiles[:, :, :4].astype(float) - ZERO) / ZERO
    wanted = weights / np.abs(weights).max(axis=(1, 2), keepdims=True)
    assert np.abs(drawn - wanted).max() <= 0.501 / ZERO


def test_sources_are_numbered_through_in_pieces_of_any_size() -> None:
    weights = kernels(9000, 7, 7)
    parts = [weights[:1], weights[1:1], weights[1:8000], weights[8000:]]
    together, apart = build_mosaic([weights]), build_mosaic(parts)
    assert np.array_equal(together.tiles, apart.tiles)
    assert np.array_equal(together.amplitude, apart.amplitude)


@pytest.mark.filterwarnings("error")
def test_taps_that_are_not_finite_are_marked_and_do_not_set_the_scale() -> None:
    weights = np.array([[[np.nan, 1], [np.inf, -2]], [[3, 3], [3, 0]]], np.float32)
    mosaic = build_mosaic([weights])
    assert mosaic.amplitude.tolist() == [2, 3]
    assert mosaic.tiles[0, :, :2].tolist() == [[MISSING, 162], [MISSING, 0]]
    lost = build_mosaic([np.full((1, 2, 2), np.nan, np.float32)])
    assert (lost.tiles[:, :, :2] == MISSING).all()
    assert lost.amplitude.tolist() == [0]


@pytest.mark.parametrize("value", [0.0, 1e-38, 1e-44])
def test_kernels_of_nothing_are_drawn_as_zero(value: float) -> None:
    mosaic = build_mosaic([np.full((2, 3, 3), value, np.float32)])
    assert (mosaic.tiles[:, :, :3] == ZERO).all()


def test_flat_kernels_are_marked_whole() -> None:
    flat = np.array([False, True, False])
    mosaic = build_mosaic([kernels(1, 5, 5), kernels(2, 5, 5)], flat)
    assert (mosaic.tiles[1, :, :5] == FLAT).all()
    assert (mosaic.tiles[:, :, 5] == BLANK).all()
    assert not (mosaic.tiles[[0, 2]] == FLAT).any()


def test_one_dimension_is_a_row_and_three_are_slices_side_by_side() -> None:
    line = build_mosaic([kernels(4, 9)])
    assert line.shape == (1, 1, 9)
    assert line.tiles.shape == (4, 1, 10)
    weights = kernels(4, 2, 3, 5)
    solid = build_mosaic([weights])
    assert solid.shape == (2, 3, 5)
    assert (solid.tiles[:, :, [5, 11]] == BLANK).all()
    step = weights / np.abs(weights).max(axis=(1, 2, 3), keepdims=True) * ZERO + ZERO
    for piece in range(2):
        drawn = solid.tiles[:, :, 6 * piece : 6 * piece + 5].astype(float)
        assert np.abs(drawn - step[:, piece]).max() <= 0.501


def test_what_cannot_be_one_mosaic_is_refused() -> None:
    with pytest.raises(ValueError, match="one size, not of 2"):
        build_mosaic([kernels(2, 3, 3), kernels(2, 5, 5)])
    with pytest.raises(ValueError, match="one size, not of 0"):
        build_mosaic([])
    with pytest.raises(ValueError, match="4 dimensions"):
        build_mosaic([kernels(2, 3, 3, 3, 3)])


def test_no_kernels_make_an_empty_mosaic() -> None:
    mosaic = build_mosaic([np.zeros((0, 7, 7), np.float32)])
    assert len(mosaic) == 0
    assert len(common_gain(mosaic)) == 0


def test_building_can_be_watched_and_cancelled() -> None:
    weights = kernels(30000, 7, 7)
    watch = Recorder(end=2)
    with pytest.raises(EndedError):
        build_mosaic([weights], watch=watch)
    assert [0 < done < 30000 == total for done, total, _ in watch.told] == [True, True]
    watch = Recorder()
    build_mosaic([weights], watch=watch)
    assert watch.told[-1][:2] == (30000, 30000)
    assert watch.told == sorted(watch.told)


def test_memory_stays_below_a_hundred_bytes_a_kernel() -> None:
    weights = kernels(100_000, 7, 7)
    tracemalloc.start()
    mosaic = build_mosaic([weights])
    kept, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(mosaic) == 100_000
    assert kept < 64 * 100_000
    assert peak < 100 * 100_000


def test_a_common_scale_is_set_by_the_largest_kernel_that_counts() -> None:
    weights = np.array([1, 2, 4, 8, 0], np.float32)[:, None, None] * np.ones((3, 3))
    mosaic = build_mosaic([weights.astype(np.float32)])
    assert common_gain(mosaic).tolist() == [1 / 8, 1 / 4, 1 / 2, 1, 0]
    layer = np.array([0, 0, 1, 1, 3])
    assert common_gain(mosaic, layer).tolist() == [1 / 2, 1, 1 / 2, 1, 0]
    shown = np.array([True, True, True, False, True])
    assert common_gain(mosaic, None, shown).tolist() == [1 / 4, 1 / 2, 1, 1, 0]
