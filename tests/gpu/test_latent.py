"""Codes and training on a GPU: the same as on a CPU, up to rounding."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from kernelviewer.device import choose_device  # noqa: E402
from kernelviewer.latent.training import Training, TrainingOptions  # noqa: E402
from tests.latent.made import CPU, SIZE, networks, patterns, small  # noqa: E402

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(
        not (torch.cuda.is_available() or torch.backends.mps.is_available()),
        reason="no GPU",
    ),
]


@pytest.mark.parametrize("method", ["curve", "paper"])
def test_codes_agree_with_those_of_the_cpu(method: str) -> None:
    kernels, _ = patterns(5000, noise=0.4)
    here = small(method).encode(kernels, device=CPU)
    there = small(method).encode(kernels, device=choose_device())
    np.testing.assert_allclose(there.fit, here.fit, atol=1e-5)
    # where two points of the curve are as near, either may be found
    assert (np.abs(there.code - here.code) < 1e-3).mean() > 0.995


@pytest.mark.parametrize("method", ["curve", "paper"])
def test_training_on_a_gpu_repeats_itself(method: str) -> None:
    options = TrainingOptions(method=method, sweeps=2)
    spectra = []
    for _ in range(2):
        training = Training(
            SIZE, networks(1, 300), options=options, device=choose_device()
        )
        *_, last = training
        spectra.append(last.spectrum(64))
    np.testing.assert_allclose(spectra[0], spectra[1], atol=1e-4)
