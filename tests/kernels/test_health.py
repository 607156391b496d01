"""Health of layers, against the formulas written out."""

from __future__ import annotations

import math

import numpy as np
import pytest

from kernelviewer.kernels.health import (
    layer_health,
    noise_entropy,
    orthogonality,
    sparsity,
    variance_entropy,
)
from tests.figures.scenes import make_bank


def test_entropy_of_known_spectra() -> None:
    one = np.outer([1.0, 2, 3, 5], [1.0, 0, -1])
    assert variance_entropy(one) == pytest.approx(0, abs=1e-9)
    even = np.concatenate([np.eye(3), -np.eye(3)])
    assert variance_entropy(even) == pytest.approx(math.log10(3))
    assert math.isnan(variance_entropy(np.ones((5, 9))))
    assert math.isnan(variance_entropy(np.ones((1, 9))))


def test_entropy_of_noise_grows_with_the_number_of_kernels() -> None:
    found = [noise_entropy(count, 9) for count in (3, 10, 100, 5000)]
    assert found == sorted(found)
    assert found[-1] == pytest.approx(math.log10(9), abs=0.01)
    published = 1.2618 / (1 + math.exp(-0.8877 * (math.log2(64) - 2.3044))) - 0.3105
    assert noise_entropy(64, 9) == pytest.approx(published, abs=0.03)  # of 3×3


def test_orthogonality() -> None:
    assert orthogonality(np.eye(4)) == pytest.approx(1)
    assert orthogonality(np.array([[1.0, 0], [-2, 0]])) == pytest.approx(0)
    half = np.array([[1.0, 0], [0, 3], [5, 0], [0, 0]])  # one pair of three is alike
    assert orthogonality(half) == pytest.approx(1 - 1 / 3)
    assert math.isnan(orthogonality(np.zeros((3, 2))))


def test_sparsity() -> None:
    kernels = np.array([[10.0, 0], [0.2, -0.05], [0.05, 0.09], [0, 0]])
    assert sparsity(kernels) == 0.5
    assert sparsity(np.zeros((2, 3))) == 1


def test_layers_of_a_network() -> None:
    bank = make_bank()
    found = layer_health(bank)
    assert [item.name for item in found] == [layer.name for layer in bank.layers]
    assert [item.decile for item in found] == sorted(item.decile for item in found)
    for item in found:
        (size,) = [s for s, k in bank.sizes.items() if (k.layer == item.layer).any()]
        kernels = bank.sizes[size]
        own = kernels.layer == item.layer
        assert item.kernels == own.sum()
        assert item.flat == pytest.approx(kernels.flat[own].mean())
        assert item.scale == pytest.approx(
            kernels.scale[own & ~kernels.flat].mean(), rel=1e-5
        )
        assert 0 <= item.entropy <= math.log10(math.prod(size)) + 1e-9
