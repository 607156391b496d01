"""TFLite: every subgraph, quantised and half precision weights, far buffers."""

from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from kernelviewer.formats import open_checkpoint
from tests.formats import tflite_models as models
from tests.formats.reading import SIZES, bytes_read, depthwise, weights
from tests.formats.tflite_models import GraphSpec, OperatorSpec, TensorSpec, save

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

K = weights(0, (1, 3, 5, 6))
"""Kernels as TFLite stores them: [1, kh, kw, C·m]."""


def pytorch(kernels: NDArray[np.generic]) -> NDArray[np.generic]:
    """The same kernels in PyTorch's layout."""
    return kernels.transpose(3, 0, 1, 2)


def only(path: Path) -> Any:
    (tensor,) = open_checkpoint(path).tensors
    return tensor


@pytest.mark.parametrize("size", [size for size in SIZES if len(size) == 2])
def test_kernels_of_any_size(tmp_path: Path, size: tuple[int, int]) -> None:
    kernels = weights(1, (1, *size, 4))
    path = save(tmp_path / "m.tflite", [models.depthwise_graph(kernels, 4)])
    (tensor,) = depthwise(open_checkpoint(path))
    np.testing.assert_array_equal(tensor.load(), pytorch(kernels))


def test_depth_multiplier_three(tmp_path: Path) -> None:
    path = save(tmp_path / "m.tflite", [models.depthwise_graph(K, 2)])
    tensor = only(path)
    assert tensor.shape == (6, 1, 3, 5)
    assert tensor.operator.groups == tensor.operator.in_channels == 2


def test_stride_dilation_and_padding(tmp_path: Path) -> None:
    operator = only(save(tmp_path / "m", [models.depthwise_graph(K, 6)])).operator
    assert operator.stride == (1, 2)
    assert operator.dilation == (4, 3)
    assert operator.padding == "same"


def test_every_subgraph_is_read_and_shared_weights_once(tmp_path: Path) -> None:
    first = models.depthwise_graph(K, 6, "a/dw/depthwise")
    second = models.depthwise_graph(K + 1, 6, "b/dw/depthwise")
    shared = GraphSpec(
        [TensorSpec("x", (1, 8, 8, 6)), TensorSpec("c", K.shape, buffer=1),
         TensorSpec("y", (1, 8, 8, 6))],
        [OperatorSpec(models.DEPTHWISE, (0, 1), (2,), ((3, "i", 1),))],
    )  # fmt: skip
    path = save(tmp_path / "m.tflite", [first, second, shared])
    assert [t.name for t in open_checkpoint(path).tensors] == [
        "a.dw.weight",
        "b.dw.weight",
    ]


def test_float16_behind_dequantize(tmp_path: Path) -> None:
    half = K.astype(np.float16)
    tensors = [
        TensorSpec("x", (1, 8, 8, 6)),
        TensorSpec("net/dw/depthwise", K.shape, half),
        TensorSpec("net/dw/depthwise_dequantize", K.shape),
        TensorSpec("y", (1, 8, 8, 6)),
    ]
    operators = [
        OperatorSpec(models.DEQUANTIZE, (1,), (2,)),
        OperatorSpec(models.DEPTHWISE, (0, 2), (3,), ((3, "i", 1),)),
    ]
    tensor = only(save(tmp_path / "m.tflite", [GraphSpec(tensors, operators)]))
    assert tensor.dtype == "float16"
    assert tensor.name == "net.dw.weight"
    np.testing.assert_array_equal(tensor.load(), pytorch(half))


@pytest.mark.parametrize(
    ("dtype", "scale", "zero"),
    [
        ("int8", (0.5, 1, 2, 3, 4, 5), (0,) * 6),
        ("int8", (0.5, 1, 2, 3, 4, 5), (0,)),
        ("uint8", (0.25,), (131,)),
        ("uint8", (0.25,), ()),
    ],
)
def test_quantised_weights(
    tmp_path: Path, dtype: str, scale: tuple[float, ...], zero: tuple[int, ...]
) -> None:
    steps = (np.arange(K.size) % 127).astype(dtype).reshape(K.shape)
    graph = models.depthwise_graph(steps, 6)
    graph.tensors[1].scale, graph.tensors[1].zero = scale, zero
    graph.tensors[1].axis = 3
    tensor = only(save(tmp_path / "m.tflite", [graph]))
    expected = (steps.astype(np.float32) - np.float32(zero or 0)) * np.float32(scale)
    assert tensor.dtype == dtype
    np.testing.assert_array_equal(tensor.load(), pytorch(expected))


def test_int4_weights(tmp_path: Path) -> None:
    graph = models.depthwise_graph(K, 6)
    packed = np.full((K.size + 1) // 2, 0x8F, np.uint8)
    graph.tensors[1] = TensorSpec(
        "w", K.shape, packed, (2.0,), (0,), dtype="int4"
    )  # fmt: skip
    values = only(save(tmp_path / "m.tflite", [graph])).load()
    assert set(values.ravel()) == {-2.0, -16.0}


def layer(code: int, kernels: NDArray[np.generic], channels: int) -> GraphSpec:
    """Another kind of layer; transposed ones take the output's shape first."""
    transposed = code in (models.TRANSPOSE_CONV, 141)
    tensors = [
        TensorSpec("shape", (4,)),
        TensorSpec("net/layer/Conv2D", kernels.shape, kernels),
        TensorSpec("x", (1, 8, 8, channels)),
        TensorSpec("y", (1, 8, 8, 1)),
    ]
    inputs = (0, 1, 2) if transposed else (2, 1)
    return GraphSpec(tensors, [OperatorSpec(code, inputs, (3,), ((0, "b", 1),))])


@pytest.mark.parametrize(
    ("code", "shape", "channels", "order", "groups"),
    [
        (models.CONV_2D, (8, 3, 5, 4), 4, (0, 3, 1, 2), 1),
        (models.CONV_2D, (8, 3, 5, 1), 8, (0, 3, 1, 2), 8),
        (models.TRANSPOSE_CONV, (8, 3, 5, 4), 4, (3, 0, 1, 2), 1),
        (models.CONV_3D, (2, 3, 5, 4, 8), 4, (4, 3, 0, 1, 2), 1),
        (141, (2, 3, 5, 8, 4), 4, (4, 3, 0, 1, 2), 1),
    ],
)
def test_other_convolutions(
    tmp_path: Path,
    code: int,
    shape: tuple[int, ...],
    channels: int,
    order: tuple[int, ...],
    groups: int,
) -> None:
    kernels = weights(2, shape)
    tensor = only(save(tmp_path / "m.tflite", [layer(code, kernels, channels)]))
    np.testing.assert_array_equal(tensor.load(), kernels.transpose(order))
    assert tensor.operator.groups == groups
    assert tensor.operator.in_channels == channels
    assert tensor.operator.transposed == (code in (models.TRANSPOSE_CONV, 141))


def test_values_behind_the_tables_as_in_files_over_2_gb(tmp_path: Path) -> None:
    graph = models.depthwise_graph(K, 6)
    tensor = only(save(tmp_path / "m.tflite", [graph], far=True))
    np.testing.assert_array_equal(tensor.load(), pytorch(K))


def test_a_zip_of_labels_behind_the_model(tmp_path: Path) -> None:
    path = save(tmp_path / "m.tflite", [models.depthwise_graph(K, 6)])
    labels = io.BytesIO()
    with zipfile.ZipFile(labels, "w") as archive:
        archive.writestr("labels.txt", "cat")
    path.write_bytes(path.read_bytes() + labels.getvalue())
    np.testing.assert_array_equal(only(path).load(), pytorch(K))


def test_sparse_and_computed_weights_are_named(tmp_path: Path) -> None:
    sparse, computed = models.depthwise_graph(K, 6), models.depthwise_graph(K, 6)
    sparse.tensors[1].sparse = True
    computed.tensors[1].values = None
    checkpoint = open_checkpoint(save(tmp_path / "m.tflite", [sparse, computed]))
    assert [item.reason for item in checkpoint.skipped] == [
        "it is stored sparse, which is not read: convert the network again without "
        "sparsity",
        "its weights are computed by the network",
    ]
    message = "2 depthwise layers cannot be read, see what was skipped."
    assert checkpoint.warnings == (message,)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("m/bn/FusedBatchNormV3;m/dw_3/depthwise;m/conv/Conv2D", "m.dw_3"),
        ("Net/block/depthwise/depthwise_Fold;Net/block/weights", "Net.block.depthwise"),
        ("fuse_attr_12", "depthwise_conv2d_1"),
        ("depthwise_conv2d_7/Kernel", "depthwise_conv2d_7"),
        ("tfl.pseudo_qconst4", "depthwise_conv2d_1"),
        ("backbone.0.conv_dw.weight", "backbone.0.conv_dw"),
    ],
)
def test_names_say_the_place(tmp_path: Path, written: str, expected: str) -> None:
    path = save(tmp_path / "m.tflite", [models.depthwise_graph(K, 6, written)])
    tensor = only(path)
    assert (tensor.name, tensor.raw_name) == (f"{expected}.weight", written)


def test_opening_reads_no_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = save(tmp_path / "m.tflite", [models.depthwise_graph(K, 6)])
    with bytes_read(monkeypatch) as counts:
        tensor = only(path)
        assert not counts
        tensor.load()
    assert counts == [K.nbytes]
