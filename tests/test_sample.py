"""The bundled sample: a small network whose kernels are worth looking at."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

import kernelviewer as kv
from kernelviewer.device import CPU
from kernelviewer.files import resource
from kernelviewer.kernels.classes import FINE
from kernelviewer.kernels.family import family_fit

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from kernelviewer import KernelBank
    from kernelviewer.kernels.family import FamilyFit

STAGES = ("stages.0", "stages.1", "stages.2")


def morans_i(kernels: NDArray[np.float32]) -> NDArray[np.float32]:
    """Likeness of neighbouring taps, kernel by kernel: 0 without order, 1 smooth."""
    centred = kernels - kernels.mean((1, 2), keepdims=True)
    pairs: NDArray[np.float32] = (centred[:, 1:] * centred[:, :-1]).sum((1, 2))
    pairs += (centred[:, :, 1:] * centred[:, :, :-1]).sum((1, 2))
    side = kernels.shape[-1]
    pairs *= side**2 / (2 * side * (side - 1))
    pairs /= (centred**2).sum((1, 2))
    return pairs


@pytest.fixture(scope="module")
def path() -> Path:
    return resource("sample", "sample.safetensors")


@pytest.fixture(scope="module")
def bank(path: Path) -> KernelBank:
    return kv.extract_kernels(kv.open_checkpoint(path))


@pytest.fixture(scope="module")
def fit(bank: KernelBank) -> FamilyFit:
    return family_fit(living(bank), device=CPU)


def living(bank: KernelBank) -> NDArray[np.float32]:
    """Every kernel that has a pattern."""
    kernels = bank.sizes[7, 7]
    return kernels.weights[~kernels.flat]


def in_stage(bank: KernelBank, stage: str) -> NDArray[np.bool_]:
    """Which of the living kernels belong to a stage."""
    kernels = bank.sizes[7, 7]
    inside = [bank.layers[i].name.startswith(f"{stage}.") for i in kernels.layer]
    return np.array(inside)[~kernels.flat]


def test_it_is_small_and_opens_without_complaint(bank: KernelBank, path: Path) -> None:
    assert path.stat().st_size <= 5_000_000
    assert bank.format == "safetensors"
    assert bank.warnings == ()
    assert bank.skipped == ()


def test_it_has_7x7_kernels_at_three_depths(bank: KernelBank) -> None:
    assert list(bank.sizes) == [(7, 7)]
    assert len(bank) >= 600
    for stage in STAGES:
        layers = [x for x in bank.layers if x.name.startswith(f"{stage}.")]
        assert len(layers) >= 2
        assert {x.kind for x in layers} == {"depthwise"}


def test_layers_come_in_network_order(bank: KernelBank) -> None:
    names = [layer.name for layer in bank.layers]
    assert names == sorted(names)
    assert names[0] == "stages.0.blocks.0.conv_dw"


def test_it_has_ordinary_convolutions_to_compare_with(bank: KernelBank) -> None:
    assert "stem.0.weight" in [tensor.name for tensor in bank.convolutions]


def test_almost_no_kernel_is_flat(bank: KernelBank) -> None:
    assert bank.sizes[7, 7].flat.mean() < 0.05


@pytest.mark.parametrize("stage", STAGES)
def test_kernels_are_far_from_shuffled_taps(bank: KernelBank, stage: str) -> None:
    kernels = living(bank)[in_stage(bank, stage)]
    taps = kernels.reshape(len(kernels), -1)
    shuffled = np.random.default_rng(0).permuted(taps, axis=1)
    trained, chance = morans_i(kernels), morans_i(shuffled.reshape(kernels.shape))
    assert abs(np.median(chance)) < 0.05
    assert np.median(trained) > 0.4
    assert (trained > np.quantile(chance, 0.99)).mean() > 0.8


@pytest.mark.parametrize("stage", STAGES)
def test_a_few_patterns_explain_the_kernels(bank: KernelBank, stage: str) -> None:
    kernels = living(bank)[in_stage(bank, stage)]
    patterns = kernels.reshape(len(kernels), -1)
    patterns = patterns - patterns.mean(axis=1, keepdims=True)
    patterns /= np.linalg.norm(patterns, axis=1, keepdims=True)
    spread = np.linalg.svd(patterns - patterns.mean(axis=0), compute_uv=False) ** 2
    assert spread[:5].sum() / spread.sum() > 0.6


@pytest.fixture(scope="module")
def noise_fit() -> FamilyFit:
    noise = np.random.default_rng(0).standard_normal((300, 7, 7)).astype(np.float32)
    return family_fit(noise, device=CPU)


@pytest.mark.parametrize("stage", STAGES)
def test_kernels_look_like_the_pattern_family(
    bank: KernelBank, fit: FamilyFit, noise_fit: FamilyFit, stage: str
) -> None:
    trained = fit.cosine[in_stage(bank, stage)]
    assert trained.mean() > 0.75
    assert (trained > np.quantile(noise_fit.cosine, 0.99)).mean() > 0.8


def test_nearly_every_class_can_be_shown_on_it(fit: FamilyFit) -> None:
    counts = np.bincount(fit.class_index, minlength=len(FINE.patterns))
    assert (counts >= 5).sum() >= 12


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("group", ["-point -centre -square -disc -cross", "edge"])
def test_centres_and_derivatives_occur_at_every_depth(
    bank: KernelBank, fit: FamilyFit, stage: str, group: str
) -> None:
    ids = np.array(
        [FINE.patterns[i].id for i in fit.class_index[in_stage(bank, stage)]]
    )
    of_group = [any(part in name for part in group.split()) for name in ids]
    assert np.mean(of_group) > 0.05


def test_the_file_says_how_it_was_made(path: Path) -> None:
    facts = kv.open_checkpoint(path).metadata
    assert facts["license"] == "MIT"
    chance = 1 / int(str(facts["photographs"]))
    assert float(str(facts["accuracy_unseen_parts"])) > 10 * chance
    assert {"architecture", "made_by", "recipe", "seed", "loss"} <= facts.keys()
