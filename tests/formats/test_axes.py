"""Arrays whose names say nothing: every one is listed, with what its axes may be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from kernelviewer.cli import main
from kernelviewer.formats import CheckpointError, open_checkpoint
from kernelviewer.kernels import extract_kernels
from tests.formats.reading import weights

if TYPE_CHECKING:
    from pathlib import Path

    from kernelviewer.kernels import KernelBank

K = weights(0, (16, 1, 3, 3))
"""16 kernels as PyTorch stores them."""
HWC1 = K.transpose(2, 3, 0, 1)
DENSE = weights(1, (1, 1, 16, 32))


def read(path: Path, arrays: dict[str, Any] | np.ndarray, **options: Any) -> KernelBank:
    if isinstance(arrays, dict):
        np.savez(path.with_suffix(".npz"), **arrays)
        path = path.with_suffix(".npz")
    else:
        np.save(path.with_suffix(".npy"), arrays)
        path = path.with_suffix(".npy")
    return extract_kernels(open_checkpoint(path), **options)


@pytest.mark.parametrize("container", ["npy", "npz"])
@pytest.mark.parametrize(
    ("axes", "order"),
    [
        ("height, width, channels, multiplier", (2, 3, 0, 1)),
        ("channels, height, width, 1", (0, 2, 3, 1)),
        ("1, height, width, channels", (1, 2, 3, 0)),
    ],
)
def test_doubtful_axes_are_ambiguous_and_can_be_included(
    tmp_path: Path, container: str, axes: str, order: tuple[int, ...]
) -> None:
    array = K.transpose(order)
    arrays = array if container == "npy" else {"arr_0": array}
    bank = read(tmp_path / "arr_0", arrays)
    (layer,) = bank.layers
    assert (layer.kind, layer.kernels, layer.included) == ("ambiguous", 16, False)
    assert layer.reason.startswith(f"Its axes may be [{axes}], of depthwise kernels")
    taken = read(tmp_path / "arr_0", arrays, include=["arr_0"])
    np.testing.assert_array_equal(taken.sizes[3, 3].weights, K[:, 0])


@pytest.mark.parametrize(
    ("shape", "size", "kernels"),
    [
        ((3, 3, 16, 2), (3, 3), 32),
        ((31, 31, 16, 1), (31, 31), 16),
        ((31, 31, 1, 16), (31, 31), 16),
        ((1, 5, 16, 1), (1, 5), 16),
        ((3, 3, 3, 16, 1), (3, 3, 3), 16),
        ((9, 16, 1), (9,), 16),
        ((7, 7, 96), (7, 7), 96),
        ((16, 1, 5, 1), (5, 1), 16),
    ],
)
def test_shapes_that_may_be_kernels_are_listed(
    tmp_path: Path, shape: tuple[int, ...], size: tuple[int, ...], kernels: int
) -> None:
    (layer,) = read(tmp_path / "x", weights(0, shape)).layers
    assert (layer.kind, layer.size, layer.kernels) == ("ambiguous", size, kernels)


@pytest.mark.parametrize(
    "shape", [(1, 16, 3, 3), (64, 64, 1, 1), (2, 2, 2, 2, 2, 2), (4, 49, 50)]
)
def test_nothing_of_three_dimensions_vanishes(
    tmp_path: Path, shape: tuple[int, ...]
) -> None:
    bank = read(tmp_path / "x", weights(0, shape))
    (entry,) = bank.skipped
    assert (entry.name, entry.reason) == (
        "x",
        "by its name and shape no convolution's weight",
    )


def test_a_name_that_says_depthwise_settles_it(tmp_path: Path) -> None:
    for name in ("block1_depthwise", "dw_conv"):
        (layer,) = read(tmp_path / "x", {name: HWC1}).layers
        assert (layer.kind, layer.kernels, layer.size) == ("depthwise", 16, (3, 3))


@pytest.mark.parametrize("module", ["depthwise_conv2d_3", "conv_dw_1"])
def test_keras_3_calls_a_depthwise_kernel_kernel(tmp_path: Path, module: str) -> None:
    arrays = {
        "conv2d/kernel": weights(0, (3, 3, 3, 16)),
        f"{module}/kernel": HWC1,
        "conv2d_1/kernel": DENSE,
        "head/kernel": weights(0, (3, 3, 32, 1)),
    }
    bank = read(tmp_path / "x", arrays)
    (layer,) = bank.layers
    assert (layer.name, layer.kind) == (module, "depthwise")
    np.testing.assert_array_equal(bank.sizes[3, 3].weights, K[:, 0])
    assert len(bank.convolutions) == 3


def test_neighbours_settle_nameless_arrays(tmp_path: Path) -> None:
    arrays = [
        *(weights(0, (3, 3, 3, 16)), weights(0, (16,)), HWC1, weights(0, (16,))),
        *(DENSE, weights(0, (32,)), weights(0, (3, 3, 32, 1)), weights(0, (32, 10))),
    ]
    bank = read(tmp_path / "x", {f"arr_{i}": a for i, a in enumerate(arrays)})
    assert [(layer.name, layer.kind) for layer in bank.layers] == [
        ("arr_2", "depthwise"),
        ("arr_6", "ambiguous"),
    ]
    assert [entry.name for entry in bank.skipped] == ["arr_0", "arr_4"]


def test_square_tables_beside_a_network_are_no_stacks(tmp_path: Path) -> None:
    arrays = {"dw.weight": K, "bias_table": weights(0, (4, 49, 49))}
    bank = read(tmp_path / "x", arrays)
    assert [layer.name for layer in bank.layers] == ["dw"]
    assert [entry.name for entry in bank.skipped] == ["bias_table"]


def test_the_command_lists_and_includes_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = str(tmp_path / "mine.npy")
    np.save(path, HWC1)
    assert main(["info", path]) == 0
    listed = capsys.readouterr().out
    assert "(ambiguous)" in listed
    assert "Not counted (--include LAYER takes one in)" in listed
    assert main(["info", path, "--include", "mine"]) == 0
    assert "1 depthwise layer, 16 kernels of 3×3" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (K.astype(np.complex64), "complex numbers.* value.real and value.imag"),
        (K.astype(np.int64), "whole numbers"),
        (K[:0], "it is empty"),
        (np.array(["a"]), "it holds text, no numbers"),
    ],
)
def test_what_a_single_array_is_instead(
    tmp_path: Path, values: np.ndarray, message: str
) -> None:
    with pytest.raises(CheckpointError, match=message):
        read(tmp_path / "x", values)
