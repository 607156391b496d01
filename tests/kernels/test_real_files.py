"""Kernels of the shared real files against counts made with other tools."""

from __future__ import annotations

from collections import Counter
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from kernelviewer.formats import CheckpointError, open_checkpoint
from kernelviewer.kernels import extract_kernels, size_key
from tests.shared import CHECKPOINTS, needs_checkpoints, reference_counts

if TYPE_CHECKING:
    from kernelviewer.kernels import KernelBank

pytestmark = needs_checkpoints

REFERENCE: dict[str, Any] = reference_counts() if CHECKPOINTS.is_dir() else {}
TWICE = "vapsr-x4-zhoumumu.pth"  # its reference counts both copies of the network
ONE_D = {
    "dvmsr-x4-ntire2024-team07.pth": {"4": 960},
    "hybridids-convnext1d-checkpoint.pth": {"7": 128},
}
READABLE = [name for name in REFERENCE if not name.startswith("CORRUPT")]


@cache
def bank_of(name: str, copy: str = "") -> KernelBank:
    return extract_kernels(open_checkpoint(CHECKPOINTS / name, copy=copy))


def kernels_per_size(bank: KernelBank) -> dict[str, int]:
    return {size_key(size): len(kernels) for size, kernels in bank.sizes.items()}


def layer_values(bank: KernelBank) -> list[tuple[int, tuple[int, ...], float, float]]:
    """(kernels, size, sum, L2) of each layer whose kernels are in the bank."""
    values = []
    for index, layer in enumerate(bank.layers):
        if layer.included:
            kernels = bank.sizes[layer.size]
            weights = kernels.weights[kernels.layer == index].astype(np.float64)
            assert len(weights) == layer.kernels
            norm = float(np.sqrt((weights**2).sum()))
            values.append((len(weights), layer.size, float(weights.sum()), norm))
    return values


@pytest.mark.parametrize("name", [name for name in READABLE if name != TWICE])
def test_kernels_per_size_are_those_of_the_reference(name: str) -> None:
    expected = REFERENCE[name]["kernels_per_size"] | ONE_D.get(name, {})
    assert kernels_per_size(bank_of(name)) == expected


@pytest.mark.parametrize("name", [name for name in READABLE if name != TWICE])
def test_every_layer_has_the_sum_and_norm_of_the_reference(name: str) -> None:
    bank = bank_of(name)
    if name in ONE_D:
        assert not REFERENCE[name]["layers"]
        return
    key = lambda item: (item[0], item[1], round(item[3], 3), item[2])  # noqa: E731
    found = sorted(layer_values(bank), key=key)
    expected = sorted(
        (
            (item["kernels"], tuple(item["size"]), item["sum"], item["l2"])
            for item in REFERENCE[name]["layers"]
        ),
        key=key,
    )
    assert [item[:2] for item in found] == [item[:2] for item in expected]
    for (count, _, total, norm), (_, _, total_wanted, norm_wanted) in zip(
        found, expected, strict=True
    ):
        assert norm == pytest.approx(norm_wanted, rel=1e-5)
        assert total == pytest.approx(total_wanted, abs=1e-5 * norm * count**0.5)


def test_two_copies_of_a_network_count_once() -> None:
    bank = bank_of(TWICE)
    assert kernels_per_size(bank) == {"5x5": 2688}
    assert bank.copy == "params_ema"
    other = bank_of(TWICE, copy="params")
    assert kernels_per_size(other) == {"5x5": 2688}
    weights, others = (item.sizes[5, 5].weights for item in (bank, other))
    assert not np.array_equal(weights, others)
    both = REFERENCE[TWICE]["layers"]
    sums = Counter(round(item["l2"], 3) for item in both)
    assert (
        not Counter(
            round(item[3], 3) for item in layer_values(bank) + layer_values(other)
        )
        - sums
    )


def test_optimizer_state_of_the_same_shapes_is_left_out() -> None:
    bank = bank_of("rfdnext-x4-ntire2022-team38.pth")
    assert kernels_per_size(bank) == {"7x7": 200}
    assert any("optimizer" in item.reason for item in bank.skipped)


def test_a_pickled_module_equals_its_state_dict() -> None:
    plain, module = (
        bank_of(f"mcunet-in4-pruned-cifar10-{kind}-sanchoo1.pth")
        for kind in ("statedict", "wholemodule")
    )
    assert [layer.name for layer in plain.layers] == [
        layer.name for layer in module.layers
    ]
    for size, kernels in plain.sizes.items():
        np.testing.assert_array_equal(kernels.weights, module.sizes[size].weights)


def test_one_channel_stems_are_no_depthwise_layers() -> None:
    bank = bank_of("hybridids-convnext1d-checkpoint.pth")
    assert [(layer.name, layer.kind) for layer in bank.layers] == [
        ("convnext.block.2", "depthwise")
    ]
    assert bank.layers[0].multiplier == 2
    assert {tensor.name for tensor in bank.convolutions} >= {
        "cnn.conv.0.weight",
        "convnext.stem.weight",
    }


@pytest.mark.parametrize("name", READABLE)
def test_no_layer_of_a_real_network_is_left_ambiguous(name: str) -> None:
    kinds = Counter(layer.kind for layer in bank_of(name).layers)
    assert set(kinds) <= {"depthwise"}


@pytest.mark.parametrize(
    ("name", "convolutions"),
    [
        ("imdn-x4-ntire2022-baseline.pth", 43),
        ("resnet8-cifar10-mlcommons.h5", 9),
        ("cfsr-x2-df2k-aitical.pth", 65),
        ("vapsr-x4-zhoumumu.pth", 67),
        ("deimv2-atto-coco-intellindust.safetensors", 52),
    ],
)
def test_other_convolutions_stay_at_hand(name: str, convolutions: int) -> None:
    bank = bank_of(name)
    assert len(bank.convolutions) == convolutions
    values = bank.convolutions[0].load()
    assert values.shape == bank.convolutions[0].shape


def test_half_a_file_is_named() -> None:
    with pytest.raises(CheckpointError, match="CORRUPT-smfanet"):
        bank_of("CORRUPT-smfanet-truncated-a.pth")
