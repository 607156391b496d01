"""Paddle: the graph and the file with its weights."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from kernelviewer.formats import CheckpointError, open_checkpoint
from kernelviewer.kernels import extract_kernels
from tests.formats.paddle_models import Layer, save
from tests.formats.reading import named, weights

if TYPE_CHECKING:
    from pathlib import Path

ARRAYS = {
    "conv2d_2.w_0": weights(0, (8, 1, 5, 3)),
    "conv2d_1.w_0": weights(1, (8, 3, 3, 3)),
    "batch_norm_0.b_0": weights(2, (8,)),
    "conv2d_10.w_0": weights(3, (8, 2, 2, 2)),
}
LAYERS = [
    Layer("conv2d", "conv2d_1.w_0"),
    Layer(
        "depthwise_conv2d",
        "conv2d_2.w_0",
        8,
        {"strides": (2, 1), "dilations": (1, 3), "paddings": (2, 1)},
    ),
    Layer("conv2d_transpose", "conv2d_10.w_0"),
]


def test_weights_come_in_the_graphs_order(tmp_path: Path) -> None:
    checkpoint = open_checkpoint(save(tmp_path / "net.pdmodel", LAYERS, ARRAYS))
    assert checkpoint.format == "Paddle"
    tensors = named(checkpoint)
    assert list(tensors) == ["conv2d_1.weight", "conv2d_2.weight", "conv2d_10.weight"]
    for name, tensor in tensors.items():
        array = ARRAYS[name.replace("weight", "w_0")]
        np.testing.assert_array_equal(tensor.load(), array)
    _, depthwise, up = (tensor.operator for tensor in tensors.values())
    assert depthwise is not None
    assert (depthwise.groups, depthwise.stride) == (8, (2, 1))
    assert (depthwise.dilation, depthwise.padding) == ((1, 3), (2, 1))
    assert up is not None
    assert up.transposed
    bank = extract_kernels(checkpoint)
    assert {size: len(kernels) for size, kernels in bank.sizes.items()} == {(5, 3): 8}
    assert len(checkpoint.files) == 2


def test_half_precision_and_quantised_weights(tmp_path: Path) -> None:
    arrays = {
        "a.w_0": weights(0, (4, 1, 3, 3)).astype(np.float16),
        "b.w_0": np.ones((4, 1, 3, 3), np.int8),
    }
    layers = [Layer("depthwise_conv2d", name, 4) for name in arrays]
    checkpoint = open_checkpoint(save(tmp_path / "net.pdmodel", layers, arrays))
    assert [tensor.dtype for tensor in checkpoint.tensors] == ["float16"]
    (left,) = checkpoint.skipped
    assert checkpoint.warnings == (
        "1 depthwise layer cannot be read, see what was skipped.",
    )
    assert (left.name, left.reason) == ("b.weight", "it is quantised (int8)")


def test_the_folder_and_the_older_names(tmp_path: Path) -> None:
    path = save(tmp_path / "__model__", LAYERS, ARRAYS)
    path.with_suffix(".pdiparams").rename(tmp_path / "__params__")
    assert len(open_checkpoint(tmp_path).tensors) == 3


def test_weights_that_are_missing_or_of_another_graph(tmp_path: Path) -> None:
    path = save(tmp_path / "net.pdmodel", LAYERS, ARRAYS)
    weights_path = path.with_suffix(".pdiparams")
    whole = weights_path.read_bytes()
    for wrong in (whole[:-4], whole + b"x", b"\1" + whole[1:], whole[:9]):
        weights_path.write_bytes(wrong)
        with pytest.raises(CheckpointError, match="not the one that belongs to this"):
            open_checkpoint(path)
    other = {**ARRAYS, "conv2d_2.w_0": weights(0, (8, 1, 3, 5))}
    save(tmp_path / "other.pdmodel", LAYERS, other)
    weights_path.write_bytes((tmp_path / "other.pdiparams").read_bytes())
    with pytest.raises(CheckpointError, match="not the one that belongs to this"):
        open_checkpoint(path)
    weights_path.write_bytes(b"")
    with pytest.raises(CheckpointError, match="is empty"):
        open_checkpoint(path)
    weights_path.unlink()
    with pytest.raises(CheckpointError, match=r"“net\.pdiparams”, that is not there"):
        open_checkpoint(path)


def test_a_damaged_graph(tmp_path: Path) -> None:
    path = save(tmp_path / "net.pdmodel", LAYERS, ARRAYS)
    path.write_bytes(path.read_bytes()[:-7])
    with pytest.raises(CheckpointError, match="a Paddle network, but"):
        open_checkpoint(path)
    save(path, [], ARRAYS)
    with pytest.raises(CheckpointError, match="without convolutions"):
        open_checkpoint(path)
