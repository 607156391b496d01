from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from kernelviewer.kernels.statistics import (
    is_filter_bank,
    measure,
    patterns,
    without_mean,
)


def noise(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def unit(weights: np.ndarray) -> np.ndarray:
    measures = measure(weights)
    return patterns(weights, measures.scale, measures.offset)


@pytest.mark.parametrize("size", [(7, 7), (1, 11), (4, 4), (5,), (3, 3, 3)])
def test_scale_offset_and_pattern_give_the_kernel_back(size: tuple[int, ...]) -> None:
    weights = noise(200, *size) * 3 + 1
    measures = measure(weights)
    taps = weights.reshape(200, -1).astype(np.float64)
    np.testing.assert_allclose(measures.offset, taps.mean(1), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(
        measures.scale, np.sqrt(((taps - taps.mean(1)[:, None]) ** 2).sum(1)), rtol=1e-6
    )
    x = patterns(weights, measures.scale, measures.offset)
    assert x.shape == weights.shape
    assert x.dtype == np.float32
    broadcast = (slice(None), *[None] * len(size))
    again = measures.scale[broadcast] * x + measures.offset[broadcast]
    np.testing.assert_allclose(again, weights, atol=1e-5)


def test_patterns_are_of_mean_zero_and_length_one() -> None:
    x = unit(noise(20_000, 7, 7)).reshape(20_000, -1).astype(np.float64)
    np.testing.assert_allclose(x.mean(1), 0, atol=1e-7)
    np.testing.assert_allclose(np.linalg.norm(x, axis=1), 1, atol=1e-6)


@pytest.mark.parametrize("offset", [0, 1e3, -1e5])
def test_a_large_offset_does_not_spoil_the_pattern(offset: float) -> None:
    weights = (noise(50, 7, 7) + np.float32(offset)).astype(np.float32)
    exact = weights.reshape(50, -1).astype(np.float64)
    exact -= exact.mean(1, keepdims=True)
    exact /= np.linalg.norm(exact, axis=1, keepdims=True)
    np.testing.assert_allclose(unit(weights).reshape(50, -1), exact, atol=2e-7)
    assert not measure(weights).flat.any()


@given(
    st.floats(0.0078125, 128, width=32),
    st.floats(-10, 10, width=32),
    st.integers(0, 2**32 - 1),
)
@settings(max_examples=50, deadline=None)
def test_patterns_do_not_see_positive_gain_and_offset(
    gain: float, offset: float, seed: int
) -> None:
    weights = noise(4, 5, 5, seed=seed)
    changed = (weights * np.float32(gain) + np.float32(offset)).astype(np.float32)
    np.testing.assert_allclose(
        unit(changed), unit(weights), atol=2e-5 * (1 + abs(offset) / gain)
    )
    np.testing.assert_allclose(unit(-weights), -unit(weights), atol=1e-6)


@given(
    hnp.arrays(
        np.float32, (6, 3, 3), elements=st.floats(width=32, allow_subnormal=True)
    )
)
@settings(max_examples=200, deadline=None)
def test_any_weights_give_finite_statistics(weights: np.ndarray) -> None:
    measures = measure(weights)
    for array in (measures.scale, measures.offset, unit(weights)):
        assert np.isfinite(array).all()
    assert (measures.scale >= 0).all()
    assert measures.flat[measures.broken].all()


def test_dead_and_constant_kernels_are_flat() -> None:
    weights = noise(10, 3, 3)
    weights[2] = 0
    weights[5] = 0.7
    assert measure(weights).flat.nonzero()[0].tolist() == [2, 5]


def test_flat_is_relative_to_the_layer_and_not_to_its_dead_kernels() -> None:
    """With the zeros in it the median would be 0 and nothing would be flat."""
    weights = np.zeros((100, 3, 3), np.float32)
    weights[:40] = noise(40, 3, 3)
    weights[40:45] = noise(5, 3, 3) * np.float32(2e-4)
    flat = measure(weights).flat
    assert not flat[:40].any()
    assert flat[40:].all()


def test_a_layer_of_small_kernels_is_not_flat_but_one_of_tiny_ones_is() -> None:
    assert not measure(noise(10, 3, 3) * np.float32(1e-5)).flat.any()
    assert measure(noise(10, 3, 3) * np.float32(1e-8)).flat.all()


def test_broken_kernels_are_flat_and_do_not_touch_the_others() -> None:
    weights = noise(8, 3, 3)
    clean = measure(weights[2:])
    weights[0, 1, 1] = np.nan
    weights[1, 0, 0] = np.inf
    measures = measure(weights)
    assert measures.broken.nonzero()[0].tolist() == [0, 1]
    assert measures.flat.nonzero()[0].tolist() == [0, 1]
    np.testing.assert_array_equal(measures.scale[2:], clean.scale)
    assert not unit(weights)[:2].any()


def test_no_kernels_are_no_error() -> None:
    empty = np.empty((0, 3, 3), np.float32)
    measures = measure(empty)
    assert measures.scale.shape == (0,)
    assert unit(empty).shape == (0, 3, 3)


def test_more_kernels_than_a_block_are_measured_alike() -> None:
    weights = noise(20_001, 3, 3)
    np.testing.assert_array_equal(
        measure(weights).scale[-500:], measure(weights[-500:]).scale
    )


SOBEL = np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]], np.float32)


def test_one_filter_for_all_channels_is_a_filter_bank() -> None:
    assert is_filter_bank(np.repeat(SOBEL[None], 3, axis=0))


@pytest.mark.parametrize("arrange", [np.tile, np.repeat])
def test_a_few_filters_for_all_channels_are_a_filter_bank(arrange: object) -> None:
    pair = np.stack([SOBEL, SOBEL.T])
    bank = np.tile(pair, (16, 1, 1)) if arrange is np.tile else pair.repeat(16, axis=0)
    assert is_filter_bank(bank)


def test_trained_and_dead_layers_are_no_filter_bank() -> None:
    assert not is_filter_bank(noise(64, 3, 3))
    assert not is_filter_bank(np.zeros((64, 3, 3), np.float32))
    partly = np.repeat(SOBEL[None], 64, axis=0)
    partly[7] = 0
    assert not is_filter_bank(partly)
    pair = np.stack([SOBEL, SOBEL.T])
    assert not is_filter_bank(pair)


def test_the_mean_of_weights_near_the_end_of_float32_is_theirs() -> None:
    weights = np.full((2, 7, 7), 1e38, np.float32)
    weights[1, 0] = -1e38
    weights[1, 1, 0] = np.nan
    with np.errstate(all="raise"):
        free = without_mean(weights)
    assert not free[0].any()
    assert np.nanmean(free[1].astype(float)) == pytest.approx(0, abs=1e32)
    assert np.isnan(free[1, 1, 0])
    assert free[1, 0, 0] < 0 < free[1, 6, 6]
