"""NumPy archives and single arrays: layouts, skipped state, nothing unpickled."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from kernelviewer.formats import CheckpointError, open_checkpoint
from tests.formats.reading import SIZES, bytes_read, named, weights

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

W = weights(0, (6, 1, 3, 3))


def save(path: Path, arrays: dict[str, Any]) -> Path:
    np.savez(path, **arrays)
    return path


def channels_last(kernels: np.ndarray) -> np.ndarray:
    """PyTorch's layout to Flax's: [*k, in / groups, out]."""
    return np.moveaxis(kernels, (0, 1), (-1, -2))


@pytest.mark.parametrize("size", SIZES)
def test_flax_kernels_of_any_size_are_turned(
    tmp_path: Path, size: tuple[int, ...]
) -> None:
    kernels = weights(1, (40, 1, *size))
    stored = channels_last(kernels)
    path = save(tmp_path / "m.npz", {"params/dw/kernel": stored})
    (tensor,) = open_checkpoint(path).tensors
    assert (tensor.name, tensor.raw_name) == ("dw.weight", "params/dw/kernel")
    assert tensor.operator is None
    np.testing.assert_array_equal(tensor.load(), kernels)


def test_depth_multiplier_keeps_the_order_of_the_channels(tmp_path: Path) -> None:
    kernels = weights(1, (6, 1, 3, 3))  # channel c · 3 + j
    flax = {"params/dw/kernel": channels_last(kernels)}
    keras = {"dw/depthwise_kernel": kernels.reshape(2, 3, 3, 3).transpose(2, 3, 0, 1)}
    for arrays in (flax, keras):
        (tensor,) = open_checkpoint(save(tmp_path / "m.npz", arrays)).tensors
        np.testing.assert_array_equal(tensor.load(), kernels)
    assert tensor.operator is not None
    assert tensor.operator.groups == tensor.operator.in_channels == 2
    assert tensor.name == "dw.depthwise.weight"


@pytest.mark.parametrize("name", ["stages.0.dw.weight", "dw", "arr_0"])
def test_pytorch_layout_is_kept(tmp_path: Path, name: str) -> None:
    (tensor,) = open_checkpoint(save(tmp_path / "m.npz", {name: W})).tensors
    assert tensor.name == name
    np.testing.assert_array_equal(tensor.load(), W)


def test_channels_last_is_seen_from_the_shape(tmp_path: Path) -> None:
    path = save(tmp_path / "m.npz", {"dw": channels_last(W)})
    np.testing.assert_array_equal(open_checkpoint(path).tensors[0].load(), W)


def test_axes_that_nothing_tells_are_reported(tmp_path: Path) -> None:
    path = save(tmp_path / "m.npz", {"a": weights(0, (7, 7, 7, 7))})
    (warning,) = open_checkpoint(path).warnings
    assert warning.startswith(
        "The order of the axes cannot be told from the file for a"
    )


def test_neighbours_settle_unclear_axes(tmp_path: Path) -> None:
    arrays = {"a/kernel": channels_last(W), "b/mixer": weights(0, (7, 7, 7, 7))}
    checkpoint = open_checkpoint(save(tmp_path / "m.npz", arrays))
    expected = arrays["b/mixer"].transpose(3, 2, 0, 1)
    np.testing.assert_array_equal(checkpoint.tensors[1].load(), expected)
    assert not checkpoint.warnings


def test_only_weights_are_kept(tmp_path: Path) -> None:
    arrays = {
        "params/dw/kernel": channels_last(W),
        "batch_stats/bn/mean": W[:, 0, 0, 0],
        "opt_state/0/mu/params/dw/kernel": channels_last(W),
        "step": np.int64(7),
        "labels": np.array(["cat", "dog"]),
    }
    checkpoint = open_checkpoint(save(tmp_path / "m.npz", arrays))
    assert [t.name for t in checkpoint.tensors] == ["dw.weight"]
    assert {item.name: item.reason for item in checkpoint.skipped} == {
        "batch_stats/bn/mean": "running statistics of a normalisation layer",
        "opt_state/0/mu/params/dw/kernel": "optimizer state",
        "step": "training progress",
        "labels": "it holds text, no numbers",
    }


def test_the_ema_copy_opens_unless_another_is_asked_for(tmp_path: Path) -> None:
    arrays = {f"{top}/dw/kernel": channels_last(W + i)
              for i, top in enumerate(("params", "ema_params"))}  # fmt: skip
    path = save(tmp_path / "m.npz", arrays)
    checkpoint = open_checkpoint(path)
    assert (checkpoint.copies, checkpoint.copy) == (
        ("params", "ema_params"),
        "ema_params",
    )
    np.testing.assert_array_equal(checkpoint.tensors[0].load(), W + 1)
    other = open_checkpoint(path, copy="params")
    np.testing.assert_array_equal(other.tensors[0].load(), W)
    with pytest.raises(CheckpointError, match="no copy of the network called “best”"):
        open_checkpoint(path, copy="best")


def test_sorted_names_are_put_in_order_of_their_numbers(tmp_path: Path) -> None:
    names = sorted(f"block_{i}/dw/kernel" for i in range(12))
    path = save(tmp_path / "m.npz", dict.fromkeys(names, channels_last(W)))
    found = [t.name for t in open_checkpoint(path).tensors]
    assert found == [f"block_{i}.dw.weight" for i in range(12)]


@pytest.mark.parametrize("dtype", ["<f8", ">f4", "<f2", "int8"])
def test_number_types(tmp_path: Path, dtype: str) -> None:
    values = (W * 10).astype(dtype)
    (tensor,) = open_checkpoint(save(tmp_path / "m.npz", {"a.weight": values})).tensors
    np.testing.assert_array_equal(tensor.load(), values)


def test_bfloat16_as_jax_saves_it(tmp_path: Path) -> None:
    values = (W.view(np.uint32) >> 16).astype(np.uint16).view("V2")
    (tensor,) = open_checkpoint(save(tmp_path / "m.npz", {"a.weight": values})).tensors
    assert tensor.dtype == "bfloat16"
    np.testing.assert_allclose(tensor.load(), W, rtol=2**-7)


def test_column_order(tmp_path: Path) -> None:
    path = save(
        tmp_path / "m.npz", {"a.weight": np.asfortranarray(weights(0, (6, 2, 3, 4)))}
    )
    values = open_checkpoint(path).tensors[0].load()
    np.testing.assert_array_equal(values, weights(0, (6, 2, 3, 4)))


@pytest.mark.parametrize("write", [np.savez, np.savez_compressed])
def test_opening_reads_headers_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write: Callable[..., None]
) -> None:
    values = weights(0, (6, 1, 400, 400))
    write(tmp_path / "m.npz", **{"a.weight": values})
    with bytes_read(monkeypatch) as counts:
        (tensor,) = open_checkpoint(tmp_path / "m.npz").tensors
        assert sum(counts) < 30_000
    np.testing.assert_array_equal(tensor.load(), values)


def test_objects_are_never_unpickled(tmp_path: Path) -> None:
    np.save(tmp_path / "m.npy", np.array([{"a": 1}], dtype=object))
    message = "its arrays hold pickled Python objects, which are never loaded"
    with pytest.raises(CheckpointError, match=message):
        open_checkpoint(tmp_path / "m.npy")
    np.savez(tmp_path / "m.npz", a=np.array([{"a": 1}], dtype=object), w=W)
    checkpoint = open_checkpoint(tmp_path / "m.npz")
    assert [item.name for item in checkpoint.skipped] == ["a"]
    assert len(checkpoint.tensors) == 1


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ((96, 1, 7, 7), (96, 1, 7, 7)),
        ((7, 7, 1, 96), (96, 1, 7, 7)),
        ((96, 7, 7), (96, 1, 7, 7)),
    ],
)
def test_a_single_array(
    tmp_path: Path, shape: tuple[int, ...], expected: tuple[int, ...]
) -> None:
    np.save(tmp_path / "kernels.npy", weights(0, shape))
    (tensor,) = open_checkpoint(tmp_path / "kernels.npy").tensors
    assert (tensor.name, tensor.shape) == ("kernels", expected)
    assert tensor.load().shape == expected


def test_a_stack_of_kernels_says_that_they_are_separate(tmp_path: Path) -> None:
    stack = weights(0, (50, 7, 7))
    tensor = named(open_checkpoint(save(tmp_path / "m.npz", {"kernels_7x7": stack})))
    operator = tensor["kernels_7x7"].operator
    assert operator is not None
    assert operator.groups == operator.in_channels == 50
