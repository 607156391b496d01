"""Real PyTorch and safetensors files against what is known of them."""

from __future__ import annotations

import numpy as np
import pytest

from kernelviewer.formats import CheckpointError, open_checkpoint
from tests.shared import CHECKPOINTS, needs_checkpoints, reference_counts

pytestmark = needs_checkpoints

SUFFIXES = {".pth", ".pt", ".bin", ".pkl", ".safetensors"}
FILES = sorted(
    path.name
    for path in (CHECKPOINTS.iterdir() if CHECKPOINTS.is_dir() else ())
    if path.suffix in SUFFIXES and not path.name.startswith("CORRUPT")
)


def values(name: str, copy: str = "") -> dict[str, np.ndarray]:
    """Raw name → float64 values of every tensor."""
    checkpoint = open_checkpoint(CHECKPOINTS / name, copy=copy)
    return {t.raw_name: t.load().astype(np.float64) for t in checkpoint.tensors}


@pytest.mark.parametrize("name", FILES)
def test_sums_and_lengths_of_every_layer(name: str) -> None:
    copies = open_checkpoint(CHECKPOINTS / name).copies or ("",)
    found = {}
    for copy in copies:
        found |= values(name, copy)
    for layer in reference_counts()[name]["layers"]:
        kernels = found[layer["name"]]
        assert kernels.shape[0] == layer["kernels"]
        assert list(kernels.shape[2:]) == layer["size"]
        assert np.isclose(kernels.sum(), layer["sum"], rtol=1e-6, atol=1e-5)
        assert np.isclose(np.linalg.norm(kernels), layer["l2"], rtol=1e-6)


def test_a_whole_module_equals_its_state_dict() -> None:
    names = [f"mcunet-in4-pruned-cifar10-{kind}-sanchoo1.pth" for kind in KINDS]
    state, module = map(values, names)
    assert list(state) == list(module)
    for name, array in state.items():
        np.testing.assert_array_equal(array, module[name])


KINDS = ("statedict", "wholemodule")


def test_a_whole_module_says_what_its_convolutions_do() -> None:
    path = CHECKPOINTS / "mcunet-in4-pruned-cifar10-wholemodule-sanchoo1.pth"
    checkpoint = open_checkpoint(path)
    for tensor in checkpoint.tensors:
        if len(tensor.shape) == 4:
            assert tensor.operator is not None
            assert (
                tensor.operator.groups == tensor.operator.in_channels // tensor.shape[1]
            )
    assert "ProxylessNASNets" in "".join(checkpoint.metadata["classes"])


def test_the_averaged_copy_is_shown_and_the_other_offered() -> None:
    path = CHECKPOINTS / "vapsr-x4-zhoumumu.pth"
    default = open_checkpoint(path)
    assert default.copies == ("params", "params_ema")
    assert default.copy == "params_ema"
    other = open_checkpoint(path, copy="params")
    assert other.copy == "params"
    assert [t.name for t in other.tensors] == [t.name for t in default.tensors]
    assert {item.name for item in default.skipped} == {"params"}


def test_optimizer_and_scheduler_are_left_out_and_listed() -> None:
    path = CHECKPOINTS / "rfdnext-x4-ntire2022-team38.pth"
    checkpoint = open_checkpoint(path)
    shapes = [t.shape for t in checkpoint.tensors if t.shape[1:] == (1, 7, 7)]
    assert shapes == [(50, 1, 7, 7)] * 4
    reasons = {item.name: item.reason for item in checkpoint.skipped}
    assert reasons == {
        "optimizer_state_dict": "optimizer state",
        "scheduler_state_dict": "scheduler state",
    }


def test_int8_weights_are_dequantised_with_the_scales_beside_them() -> None:
    path = CHECKPOINTS / "proxylessnas-w0.3-imagenet-int8-mit.pkl"
    checkpoint = open_checkpoint(path)
    layer = next(t for t in checkpoint.tensors if "depthwise" in t.name)
    assert layer.dtype == "int8"
    assert layer.load().dtype == np.float32
    assert layer.operator is not None
    assert layer.operator.groups == layer.shape[0]


def test_a_wrapper_does_not_show_in_names() -> None:
    checkpoint = open_checkpoint(CHECKPOINTS / "lkdnet-s-its-swu.pth")
    for tensor in checkpoint.tensors:
        assert tensor.raw_name == f"module.{tensor.name}"


def test_a_file_that_ends_too_early_is_named() -> None:
    with pytest.raises(CheckpointError) as caught:
        open_checkpoint(CHECKPOINTS / "CORRUPT-smfanet-truncated-a.pth")
    assert str(caught.value) == (
        "CORRUPT-smfanet-truncated-a.pth: this is a PyTorch file, but its end is "
        "missing: it is half a download. Download it again."
    )


@pytest.mark.parametrize(
    ("one", "other", "cosine"),
    [
        ("cifar100-best", "cifar100-final", 0.95),
        ("cifar100-best", "tinyimagenet-best", 0.88),
    ],
)
def test_fine_tunings_of_one_network_stay_alike(
    one: str, other: str, cosine: float
) -> None:
    from kernelviewer.kernels import extract_kernels

    banks = [
        extract_kernels(
            open_checkpoint(CHECKPOINTS / f"mcunet-in3-{name}-sanchoo1.pth")
        )
        for name in (one, other)
    ]
    found = []
    for size, kernels in banks[0].sizes.items():
        rows = [
            part.weights.reshape(len(part.weights), -1).astype(np.float64)
            for part in (kernels, banks[1].sizes[size])
        ]
        norms = np.prod([np.linalg.norm(row, axis=1) for row in rows], axis=0)
        dead = norms < 1e-12  # 158 kernels are all zero; they count as unlike
        found.append(np.prod(rows, axis=0).sum(1) / np.where(dead, 1, norms))
    assert np.concatenate(found).mean() == pytest.approx(cosine, abs=0.02)
