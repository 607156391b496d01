from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from torch import nn

import kernelviewer as kv
from kernelviewer.kernels.pairing import pair
from kernelviewer.kernels.series import Series

if TYPE_CHECKING:
    from pathlib import Path


class Tiny(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(1, 8, 5)  # of one channel, but not depthwise
        self.filter = nn.Conv2d(8, 16, 7, groups=8)
        self.mix = nn.Conv2d(16, 8, 1)
        self.grow = nn.ConvTranspose2d(8, 8, 4, groups=8)
        self.line = nn.Conv1d(4, 4, 9, groups=4)


def kernels_of(path: Path) -> kv.KernelBank:
    return kv.extract_kernels(kv.open_checkpoint(path))


def test_a_snapshot_holds_the_depthwise_kernels_and_nothing_else(
    tmp_path: Path,
) -> None:
    torch.manual_seed(0)
    network = Tiny()
    path = kv.snapshot(network, 30, tmp_path / "run")
    assert path == tmp_path / "run" / "step-000030.safetensors"
    assert [item.name for item in path.parent.iterdir()] == [path.name]
    bank = kernels_of(path)
    assert [(layer.name, layer.kernels, layer.size) for layer in bank.layers] == [
        ("filter", 16, (7, 7)),
        ("grow", 8, (4, 4)),
        ("line", 4, (9,)),
    ]
    assert all(layer.included for layer in bank.layers)
    assert bank.skipped == ()
    exact = network.filter.weight.detach().numpy()[:, 0]
    np.testing.assert_allclose(bank.sizes[7, 7].weights, exact, atol=1e-4)
    assert bank.metadata["architecture"] == "Tiny"
    assert Series([path]).steps[0].stored == {"step": 30}


def test_wrappers_change_neither_names_nor_kernels(tmp_path: Path) -> None:
    network = Tiny()
    plain = kernels_of(kv.snapshot(network, 0, tmp_path))
    wrapped = nn.DataParallel(network)
    found = kernels_of(kv.snapshot(wrapped, 1, tmp_path, dtype="float32"))
    assert found.metadata["architecture"] == "Tiny"
    assert not pair(plain, found).left_a
    weights = found.sizes[7, 7].weights
    assert np.array_equal(weights, network.filter.weight.detach().numpy()[:, 0])


def test_kernels_that_float16_would_change_are_stored_as_they_are(
    tmp_path: Path,
) -> None:
    network = Tiny()
    with torch.no_grad():
        network.filter.weight.mul_(1e-5)
        network.grow.weight.mul_(1e8)
    bank = kernels_of(kv.snapshot(network, 0, tmp_path))
    kinds = {layer.name: layer.dtype for layer in bank.layers}
    assert kinds == {"filter": "float32", "grow": "float32", "line": "float16"}


def test_other_frameworks_hand_over_arrays(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    layers = {"block/dw": rng.normal(size=(6, 1, 3, 3))}
    path = kv.snapshot(layers, 5, tmp_path, architecture="mini")
    bank = kernels_of(path)
    assert [layer.name for layer in bank.layers] == ["block/dw"]
    assert bank.metadata["architecture"] == "mini"


def test_what_is_no_snapshot_is_told(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no depthwise convolutions"):
        kv.snapshot(nn.Conv2d(3, 8, 3), 0, tmp_path)
    with pytest.raises(ValueError, match="kernels are"):
        kv.snapshot({"a": np.zeros((3, 3))}, 0, tmp_path)
    with pytest.raises(ValueError, match="counted from 0"):
        kv.snapshot(Tiny(), -1, tmp_path)
    assert list(tmp_path.iterdir()) == []
