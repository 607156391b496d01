"""Keras 1, 2 and 3: network order, layouts, links, and what is no network."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np
import pytest

from kernelviewer.formats import CheckpointError, open_checkpoint
from tests.formats.keras_models import (
    keras3_weights,
    layer,
    model,
    save_keras2,
    save_keras3,
)
from tests.formats.reading import bytes_read, depthwise, named, weights

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

K = weights(0, (3, 3, 6, 1))
"""Kernels as Keras stores them: [*k, C, m]."""
TURNED = K.transpose(2, 3, 0, 1)
DW = "depthwise_kernel:0"


def one_layer(
    path: Path, kind: str, variables: dict[str, Any], **settings: Any
) -> Path:
    """A Keras 2 model of one layer called ``dw``."""
    inner = {f"dw/{name}": values for name, values in variables.items()}
    return save_keras2(path, {"dw": inner}, model(layer(kind, "dw", **settings)))


def turned(kernels: NDArray[np.generic]) -> NDArray[np.generic]:
    """[*k, C, m] → [C·m, 1, *k], channel c·m + j."""
    *taps, channels, multiplier = kernels.shape
    moved = np.moveaxis(kernels, (-2, -1), (0, 1))
    return moved.reshape(channels * multiplier, 1, *taps)


@pytest.mark.parametrize(
    "size", [(13, 13), (31, 31), (1, 11), (31, 1), (4, 4), (2, 6), (7,)]
)
@pytest.mark.parametrize("multiplier", [1, 3])
def test_depthwise_kernels_of_any_size(
    tmp_path: Path, size: tuple[int, ...], multiplier: int
) -> None:
    kernels = weights(1, (*size, 4, multiplier))
    kind = f"DepthwiseConv{len(size)}D"
    path = one_layer(tmp_path / "m.h5", kind, {DW: kernels})
    (tensor,) = depthwise(open_checkpoint(path))
    assert tensor.name == "dw.depthwise.weight"
    assert tensor.operator is not None
    assert tensor.operator.groups == 4
    np.testing.assert_array_equal(tensor.load(), turned(kernels))


def test_what_the_layer_says_is_kept(tmp_path: Path) -> None:
    settings = {"strides": [2, 2], "dilation_rate": [3, 3], "padding": "same"}
    path = one_layer(tmp_path / "m.h5", "DepthwiseConv2D", {DW: K}, **settings)
    operator = open_checkpoint(path).tensors[0].operator
    assert operator is not None
    assert (operator.stride, operator.dilation) == ((2, 2), (3, 3))
    assert operator.padding == "same"


def test_separable_layers_give_two_convolutions(tmp_path: Path) -> None:
    point = weights(2, (1, 6, 8))
    variables = {DW: weights(1, (5, 6, 1)), "pointwise_kernel:0": point}
    path = one_layer(tmp_path / "m.h5", "SeparableConv1D", variables)
    tensors = named(open_checkpoint(path))
    assert [*tensors] == ["dw.depthwise.weight", "dw.pointwise.weight"]
    pointwise = tensors["dw.pointwise.weight"]
    np.testing.assert_array_equal(pointwise.load(), point.transpose(2, 1, 0))
    assert pointwise.operator is not None
    assert pointwise.operator.groups == 1


@pytest.mark.parametrize(
    ("kind", "shape", "groups", "channels", "transposed"),
    [
        ("Conv2D", (3, 3, 4, 8), 1, 4, False),
        ("Conv2D", (7, 7, 1, 8), 8, 8, False),
        ("Conv2D", (3, 3, 1, 8), 1, 1, False),
        ("Conv2DTranspose", (3, 3, 8, 4), 1, 4, True),
        ("Conv3D", (3, 3, 3, 2, 8), 4, 8, False),
    ],
)
def test_other_convolutions(
    tmp_path: Path,
    kind: str,
    shape: tuple[int, ...],
    groups: int,
    channels: int,
    transposed: bool,
) -> None:
    kernels = weights(1, shape)
    more = {"groups": groups} if groups > 1 else {}
    path = one_layer(tmp_path / "m.h5", kind, {"kernel:0": kernels}, **more)
    (tensor,) = open_checkpoint(path).tensors
    order = (len(shape) - 1, len(shape) - 2, *range(len(shape) - 2))
    np.testing.assert_array_equal(tensor.load(), kernels.transpose(order))
    operator = tensor.operator
    assert operator is not None
    assert (operator.groups, operator.in_channels) == (groups, channels)
    assert operator.transposed is transposed


def test_network_order_not_the_alphabet(tmp_path: Path) -> None:
    names = ["z_first", "dw_2", "dw_10", "a_last"]
    layers = {name: {f"{name}/{DW}": K} for name in names}
    config = model(*[layer("DepthwiseConv2D", name) for name in names])
    path = save_keras2(tmp_path / "m.h5", layers, config)
    found = [t.name for t in open_checkpoint(path).tensors]
    assert found == [f"{name}.depthwise.weight" for name in names]


@pytest.mark.parametrize("divide", [False, True])
def test_weights_only_files_keep_the_order_of_their_list(
    tmp_path: Path, divide: bool
) -> None:
    names = ["z_first", "dw_2", "dw_10", "a_last"]
    layers = {name: {f"{name}/{DW}": K} for name in names}
    path = save_keras2(tmp_path / "m.h5", layers, top="", divide=divide)
    checkpoint = open_checkpoint(path)
    assert [t.name.split(".")[0] for t in depthwise(checkpoint)] == names


def test_convolutions_without_configuration_leave_the_groups_open(
    tmp_path: Path,
) -> None:
    layers = {"conv": {"conv/kernel:0": weights(0, (3, 3, 1, 8))}}
    path = save_keras2(tmp_path / "m.h5", layers, top="")
    (tensor,) = open_checkpoint(path).tensors
    assert tensor.shape == (8, 1, 3, 3)
    assert tensor.operator is None


def test_keras_3_in_the_old_container_calls_every_kernel_kernel(
    tmp_path: Path,
) -> None:
    path = save_keras2(tmp_path / "m.h5", {"depthwise_conv2d": {"net/dw/kernel": K}})
    (tensor,) = depthwise(open_checkpoint(path))
    np.testing.assert_array_equal(tensor.load(), TURNED)


def test_models_inside_models(tmp_path: Path) -> None:
    inner = model(layer("DepthwiseConv2D", "b"), layer("Conv2D", "a"), name="backbone")
    config = model(inner, layer("Dense", "head"), name="mobilenetv2_1.00_224")
    layers = {
        "backbone": {f"b/{DW}": K, "a/kernel:0": weights(1, (1, 1, 6, 4))},
        "head": {"head/kernel:0": weights(2, (4, 10))},
    }
    checkpoint = open_checkpoint(save_keras2(tmp_path / "m.h5", layers, config))
    tensors = named(checkpoint)
    assert [*tensors] == [
        "backbone.b.depthwise.weight",
        "backbone.a.weight",
        "head.weight",
    ]
    assert tensors["head.weight"].shape == (10, 4)
    assert tensors["backbone.a.weight"].operator is not None
    assert checkpoint.architecture == "mobilenetv2_1.00_224"


def test_keras_1_on_theano(tmp_path: Path) -> None:
    separable = {"class_name": "SeparableConvolution2D", "name": "dw",
                 "config": {"name": "dw", "dim_ordering": "th"}}  # fmt: skip
    config = {"class_name": "Sequential", "config": [separable]}
    kernels = weights(0, (2, 6, 3, 5))  # [m, C, kh, kw]
    layers = {"dw": {"dw_depthwise_kernel": kernels}}
    path = save_keras2(tmp_path / "m.h5", layers, config)
    (tensor,) = open_checkpoint(path).tensors
    expected = kernels.transpose(1, 0, 2, 3).reshape(12, 1, 3, 5)
    np.testing.assert_array_equal(tensor.load(), expected)


KERAS3 = {
    "layers/depthwise_conv2d/vars/0": K,
    "layers/depthwise_conv2d_1/vars/0": K + 1,
    "layers/separable_conv2d/vars/0": K + 2,
    "layers/separable_conv2d/vars/1": weights(3, (1, 1, 6, 8)),
    "layers/separable_conv2d/vars/2": weights(4, (8,)),
    "layers/batch_normalization/vars/0": weights(4, (6,)),
    "layers/batch_normalization/vars/1": weights(4, (6,)),
    "layers/batch_normalization/vars/2": weights(4, (6,)),
}
CONFIG3 = model(
    layer("DepthwiseConv2D", "zebra"),
    layer("BatchNormalization", "norm", scale=False),
    layer("SeparableConv2D", "middle"),
    layer("Custom>DepthwiseConv2D", "ant"),
)
NAMES3 = [
    "zebra.depthwise.weight",
    "norm.bias",
    "middle.depthwise.weight",
    "middle.pointwise.weight",
    "middle.bias",
    "ant.depthwise.weight",
]


@pytest.mark.parametrize("packing", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize("with_names", [False, True])
def test_keras_3(tmp_path: Path, packing: int, with_names: bool) -> None:
    groups = {
        "layers/depthwise_conv2d": "zebra",
        "layers/depthwise_conv2d_1": "ant",
        "layers/separable_conv2d": "middle",
        "layers/batch_normalization": "norm",
    }
    stored = keras3_weights(KERAS3, groups if with_names else None)
    path = save_keras3(tmp_path / "m.keras", stored, CONFIG3, packing)
    checkpoint = open_checkpoint(path)
    assert [t.name for t in checkpoint.tensors] == NAMES3
    np.testing.assert_array_equal(checkpoint.tensors[0].load(), TURNED)
    np.testing.assert_array_equal(checkpoint.tensors[-1].load(), TURNED + 1)
    reasons = {item.name: item.reason for item in checkpoint.skipped}
    assert reasons["optimizer"] == "optimizer state (1 array)"
    assert "running statistics" in reasons["layers/batch_normalization/vars/2"]
    assert checkpoint.metadata["Keras version"] == "3.10.0"


def test_keras_3_models_inside_models_and_wrappers(tmp_path: Path) -> None:
    dw = layer("DepthwiseConv2D", "dw")
    wrapped = layer("TimeDistributed", "steps", layer=dw)
    inner = model(layer("Conv2D", "c"), layer("DepthwiseConv2D", "d"), name="inner")
    datasets = {
        "layers/functional/layers/depthwise_conv2d/vars/0": K,
        "layers/functional/layers/conv2d/vars/0": weights(1, (3, 3, 4, 8)),
        "layers/time_distributed/layer/vars/0": K,
    }
    path = save_keras3(
        tmp_path / "m.keras", keras3_weights(datasets), model(inner, wrapped)
    )
    found = [t.name for t in open_checkpoint(path).tensors]
    assert found == [
        "inner.c.weight",
        "inner.d.depthwise.weight",
        "steps.dw.depthwise.weight",
    ]


def test_keras_3_weights_without_configuration(tmp_path: Path) -> None:
    path = tmp_path / "m.weights.h5"
    many = {f"layers/depthwise_conv2d_{i}/vars/0": K + i for i in range(1, 12)}
    path.write_bytes(keras3_weights(KERAS3 | many))
    checkpoint = open_checkpoint(path)
    found = [t.name.removesuffix(".depthwise.weight") for t in depthwise(checkpoint)]
    assert found == [  # as written, which is the network's order
        "depthwise_conv2d",
        "depthwise_conv2d_1",
        "separable_conv2d",
        *(f"depthwise_conv2d_{i}" for i in range(2, 12)),
    ]


@pytest.mark.parametrize(
    "options", [{"chunks": (2, 2, 3, 1), "compression": "gzip"}, {"shuffle": True}]
)
def test_packed_datasets(tmp_path: Path, options: dict[str, Any]) -> None:
    path = save_keras2(
        tmp_path / "m.h5",
        {"dw": {f"dw/{DW}": K}},
        model(layer("DepthwiseConv2D", "dw")),
        **options,
    )
    np.testing.assert_array_equal(open_checkpoint(path).tensors[0].load(), TURNED)


def test_latest_format_and_big_endian_half_precision(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "m.h5", "w", libver="latest") as file:
        file[f"dw/{DW}"] = K.astype(">f2")
        file.create_dataset("other/kernel:0", data=K.astype("V4"), dtype="V4")
    checkpoint = open_checkpoint(tmp_path / "m.h5")
    np.testing.assert_array_equal(checkpoint.tensors[0].load(), TURNED.astype("f2"))


def test_links_out_of_the_file_are_not_followed(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["kernel"] = K
    with h5py.File(tmp_path / "m.h5", "w") as file:
        file[f"dw/{DW}"] = K
        file[f"out/{DW}"] = h5py.ExternalLink("other.h5", "kernel")
        file["round"] = h5py.SoftLink("/round")
        file["dw/again"] = file["/"]
        layout = h5py.VirtualLayout(K.shape, K.dtype)
        layout[:] = h5py.VirtualSource(tmp_path / "other.h5", "kernel", K.shape)
        file.create_virtual_dataset(f"virtual/{DW}", layout)
    checkpoint = open_checkpoint(tmp_path / "m.h5")
    assert [t.name for t in checkpoint.tensors] == ["dw.depthwise.weight"]
    assert {item.name: item.reason for item in checkpoint.skipped} == {
        f"out/{DW}": "a link to another file, which is not followed",
        "dw/again": "a group that holds itself",
        f"virtual/{DW}": "its values lie in another file, which is not followed",
    }


def test_other_programs_networks(tmp_path: Path) -> None:
    pytorch = weights(0, (6, 1, 3, 3))
    with h5py.File(tmp_path / "m.h5", "w") as file:
        file["stages.0.dw.weight"] = pytorch
        file["stages/0/bias"] = pytorch[:, 0, 0, 0]
    tensors = named(open_checkpoint(tmp_path / "m.h5"))
    assert {*tensors} == {"stages.0.dw.weight", "stages.0.bias"}
    np.testing.assert_array_equal(tensors["stages.0.dw.weight"].load(), pytorch)


def test_opening_reads_no_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = one_layer(tmp_path / "m.h5", "DepthwiseConv2D", {DW: K})
    with bytes_read(monkeypatch) as counts:
        (tensor,) = open_checkpoint(path).tensors
        assert not counts
        tensor.load()
    assert counts == [K.nbytes]


def test_a_damaged_entry_is_named_and_the_rest_opens(tmp_path: Path) -> None:
    path = tmp_path / "m.h5"
    with h5py.File(path, "w") as file:
        file[f"a/{DW}"], file[f"b/{DW}"] = K, K + 1
        header = h5py.h5o.get_info(file[f"a/{DW}"].id).addr
    data = bytearray(path.read_bytes())
    data[header : header + 8] = b"\xff" * 8
    path.write_bytes(data)
    checkpoint = open_checkpoint(path)
    assert [t.name for t in checkpoint.tensors] == ["b.depthwise.weight"]
    message = "1 entry of the file cannot be read: it is damaged."
    assert checkpoint.warnings == (message,)


def test_data_sets_are_no_networks(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "m.h5", "w") as file:
        file["images"] = np.zeros((20, 28, 28, 1), np.float32)
        file["labels"] = np.zeros(20, np.int64)
    with pytest.raises(CheckpointError, match="not those of a network"):
        open_checkpoint(tmp_path / "m.h5")


def test_without_h5py_the_message_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = one_layer(tmp_path / "m.h5", "DepthwiseConv2D", {DW: K})
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(CheckpointError, match="pip install h5py"):
        open_checkpoint(path)


def test_kernels_of_another_program_are_known_by_their_shape(tmp_path: Path) -> None:
    kernels = weights(0, (16, 1, 3, 3))
    with h5py.File(tmp_path / "mine.h5", "w") as file:
        file["stage1/filters"] = kernels
    (tensor,) = open_checkpoint(tmp_path / "mine.h5").tensors
    np.testing.assert_array_equal(tensor.load(), kernels)
    with h5py.File(tmp_path / "data.h5", "w") as file:
        file["images"] = weights(0, (10, 28, 28, 1))
    with pytest.raises(CheckpointError, match="not those of a network"):
        open_checkpoint(tmp_path / "data.h5")
