"""What noise reaches, and thresholds from it."""

from __future__ import annotations

import numpy as np
import pytest

from kernelviewer.latent.noise import Null, white_noise


def test_coverage_is_the_share_that_reaches_the_threshold() -> None:
    fits = np.random.default_rng(0).beta(8, 8, 50_000)
    null = Null.of(fits)
    assert null.kernels == 50_000
    for threshold in (0.0, 0.4, 0.5, 0.613, 0.9, 1.0):
        share = float((fits >= threshold).mean())
        assert null.coverage(threshold) == pytest.approx(share, abs=5e-4)


def test_a_threshold_lets_no_more_than_its_share_through() -> None:
    fits = np.random.default_rng(1).beta(30, 8, 100_000)
    null = Null.of(fits)
    for share in (0.001, 0.01, 0.05):
        threshold = null.threshold(share)
        assert (fits >= threshold).mean() <= share
        assert (fits >= threshold - 0.002).mean() > share


def test_the_usual_threshold_is_at_least_seven_tenths() -> None:
    rng = np.random.default_rng(2)
    assert Null.of(rng.uniform(0, 0.5, 1000)).default_threshold == 0.7
    assert Null.of(rng.uniform(0.9, 1.0, 1000)).default_threshold > 0.99


def test_fits_below_zero_and_of_one_are_counted() -> None:
    null = Null.of(np.array([-0.5, 0.0, 1.0]))
    assert null.kernels == 3
    assert null.coverage(0.999) == pytest.approx(1 / 3)
    assert null.coverage(1.1) == 0


def test_noise_is_the_same_for_a_seed() -> None:
    first = np.concatenate([*white_noise((31, 31), 3000)])
    again = np.concatenate([*white_noise((31, 31), 3000)])
    other = np.concatenate([*white_noise((31, 31), 3000, seed=1)])
    assert first.shape == (3000, 31, 31)
    assert first.dtype == np.float32
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_noise_comes_in_batches_of_few_megabytes() -> None:
    for size in ((3, 3), (51, 51)):
        assert max(batch.nbytes for batch in white_noise(size, 5000)) < 5e6
