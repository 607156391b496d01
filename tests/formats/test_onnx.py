"""ONNX: weights as initializers, constants, behind operations, beside the model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from kernelviewer.formats import CheckpointError, open_checkpoint
from tests.formats.onnx_models import conv, initializer, save
from tests.formats.reading import SIZES, bytes_read, depthwise, named, weights

if TYPE_CHECKING:
    from pathlib import Path

W = weights(0, (6, 1, 3, 3))


def only(path: Path) -> Any:
    """The only tensor of a model."""
    (tensor,) = open_checkpoint(path).tensors
    return tensor


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("multiplier", [1, 3])
def test_kernels_of_any_size_come_as_written(
    tmp_path: Path, size: tuple[int, ...], multiplier: int
) -> None:
    kernels = weights(1, (4 * multiplier, 1, *size))
    path = save(tmp_path / "m.onnx", [conv("w", 4)], [initializer("w", kernels)])
    (tensor,) = depthwise(open_checkpoint(path))
    assert tensor.shape == kernels.shape
    np.testing.assert_array_equal(tensor.load(), kernels)


def test_what_the_node_says_is_kept(tmp_path: Path) -> None:
    facts = {"strides": [2, 2], "dilations": [3, 3], "pads": [9, 8, 9, 8]}
    path = save(tmp_path / "m.onnx", [conv("w", 6, **facts)], [initializer("w", W)])
    operator = only(path).operator
    assert operator.groups == operator.in_channels == 6
    assert (operator.stride, operator.dilation) == ((2, 2), (3, 3))
    assert operator.padding == (9, 8)
    assert not operator.transposed


def test_one_sided_and_automatic_padding(tmp_path: Path) -> None:
    nodes = [
        conv("a", 6, pads=[0, 0, 1, 1]),
        conv("b", 6, auto_pad="SAME_UPPER"),
    ]
    given = [initializer("a", W), initializer("b", W + 1)]
    tensors = open_checkpoint(save(tmp_path / "m.onnx", nodes, given)).tensors
    assert [t.operator.padding for t in tensors] == [(0, 0, 1, 1), "same"]


def test_groups_decide_not_shape(tmp_path: Path) -> None:
    nodes = [conv("stem.weight", 1), conv("dw.weight", 6), conv("grouped.weight", 2)]
    given = [
        initializer("stem.weight", W),
        initializer("dw.weight", W + 1),
        initializer("grouped.weight", weights(2, (6, 4, 3, 3))),
    ]
    checkpoint = open_checkpoint(save(tmp_path / "m.onnx", nodes, given))
    assert [t.operator.in_channels for t in checkpoint.tensors] == [1, 6, 8]
    assert [t.name for t in depthwise(checkpoint)] == ["dw.weight"]


def test_transposed_convolution_keeps_its_layout(tmp_path: Path) -> None:
    node = conv("up.weight", 6, "ConvTranspose")
    operator = only(save(tmp_path / "m.onnx", [node], [initializer("up.weight", W)]))
    assert operator.operator.transposed
    assert operator.operator.groups == operator.operator.in_channels == 6


@pytest.mark.parametrize("operator", ["FusedConv", "DeformConv"])
def test_other_operators_that_convolve(tmp_path: Path, operator: str) -> None:
    node = conv("w", 6, operator, domain="com.microsoft")
    tensor = only(save(tmp_path / "m.onnx", [node], [initializer("w", W)]))
    np.testing.assert_array_equal(tensor.load(), W)


@pytest.mark.parametrize(
    ("operator", "side", "last"),
    [
        ("NhwcConv", None, True),
        ("NhwcConv", [3, 3], True),
        ("NhwcConv", [3, 3], False),
        ("NhwcFusedConv", [3, 3], True),
        ("NhwcFusedConv", None, False),
    ],
)
def test_convolutions_on_channels_last_images(
    tmp_path: Path, operator: str, side: list[int] | None, last: bool
) -> None:
    told = {"kernel_shape": side} if side else {}
    node = conv("w", 6, operator, domain="com.microsoft", **told)
    stored = np.ascontiguousarray(W.transpose(0, 2, 3, 1)) if last else W
    tensor = only(save(tmp_path / "m.onnx", [node], [initializer("w", stored)]))
    assert tensor.operator.in_channels == 6
    np.testing.assert_array_equal(tensor.load(), W)


def constant_nodes() -> dict[str, list[onnx.NodeProto]]:
    """Ways to write weights as Constant nodes."""
    flat, shape = W.ravel().tolist(), np.array(W.shape)
    return {
        "value": [helper.make_node("Constant", [], ["w"], value=initializer("", W))],
        "value_floats": [
            helper.make_node("Constant", [], ["flat"], value_floats=flat),
            helper.make_node("Constant", [], ["shape"], value_ints=shape.tolist()),
            helper.make_node("Reshape", ["flat", "shape"], ["w"]),
        ],
    }


@pytest.mark.parametrize("way", constant_nodes())
def test_weights_as_constant_nodes(tmp_path: Path, way: str) -> None:
    nodes = [*constant_nodes()[way], conv("w", 6)]
    np.testing.assert_array_equal(only(save(tmp_path / "m.onnx", nodes)).load(), W)


def test_weights_behind_operations(tmp_path: Path) -> None:
    stored = np.ascontiguousarray(W.transpose(2, 3, 1, 0)[:, :, 0]).astype(np.float16)
    nodes = [
        helper.make_node("Identity", ["stored"], ["a"]),
        helper.make_node("Cast", ["a"], ["b"], to=TensorProto.FLOAT),
        helper.make_node("Unsqueeze", ["b", "axes"], ["c"]),
        helper.make_node("Transpose", ["c"], ["d"], perm=[3, 2, 0, 1]),
        helper.make_node("Reshape", ["d", "shape"], ["e"]),
        helper.make_node("Squeeze", ["e", "axes5"], ["w"]),
        conv("w", 6),
    ]
    given = [
        initializer("stored", stored),
        initializer("axes", np.array([-2])),
        initializer("shape", np.array([0, -1, 3, 3, 1])),
        initializer("axes5", np.array([4])),
    ]
    tensor = only(save(tmp_path / "m.onnx", nodes, given))
    assert (tensor.shape, tensor.dtype, tensor.raw_name) == (
        W.shape,
        "float16",
        "stored",
    )
    np.testing.assert_array_equal(tensor.load(), W.astype(np.float16))


@pytest.mark.parametrize("axis", [None, 0])
def test_dequantised_per_tensor_and_per_axis(tmp_path: Path, axis: int | None) -> None:
    steps = np.random.default_rng(0).integers(-128, 128, W.shape).astype(np.int8)
    scale = np.float32([0.5, 1, 2, 3, 4, 5]) if axis == 0 else np.float32(0.25)
    zero = np.int8([1, 2, 3, 4, 5, -6]) if axis == 0 else np.int8(7)
    more = {} if axis is None else {"axis": axis}
    nodes = [
        helper.make_node("DequantizeLinear", ["q", "scale", "zero"], ["w"], **more),
        conv("w", 6),
    ]
    given = [
        initializer(n, np.asarray(v))
        for n, v in (("q", steps), ("scale", scale), ("zero", zero))
    ]
    tensor = only(save(tmp_path / "m.onnx", nodes, given))
    spread = (-1, 1, 1, 1) if axis == 0 else ()
    expected = (steps.astype(np.float32) - zero.reshape(spread)) * scale.reshape(spread)
    assert tensor.dtype == "int8"
    np.testing.assert_array_equal(tensor.load(), expected)


def test_dequantised_in_blocks(tmp_path: Path) -> None:
    steps = np.arange(6, dtype=np.int8).reshape(6, 1, 1, 1) * np.ones(
        (1, 1, 3, 3), "i1"
    )
    scale = np.float32([1, 10, 100]).reshape(3, 1, 1, 1) * np.ones((1, 1, 3, 3), "f4")
    nodes = [
        helper.make_node("DequantizeLinear", ["q", "s"], ["w"], axis=0, block_size=2),
        conv("w", 6),
    ]
    given = [initializer("q", steps), initializer("s", scale)]
    values = only(save(tmp_path / "m.onnx", nodes, given)).load()
    np.testing.assert_array_equal(values[:, 0, 1, 1], [0, 1, 20, 30, 400, 500])


def test_fake_quantised_weights_are_rounded(tmp_path: Path) -> None:
    nodes = [
        helper.make_node("QuantizeLinear", ["f", "s", "z"], ["q"]),
        helper.make_node("DequantizeLinear", ["q", "s", "z"], ["w"]),
        conv("w", 6),
    ]
    given = [
        initializer("f", W),
        initializer("s", np.float32(0.5).reshape(())),
        initializer("z", np.int8(0).reshape(())),
    ]
    values = only(save(tmp_path / "m.onnx", nodes, given)).load()
    np.testing.assert_array_equal(values, np.rint(W * 2) / 2)


def test_qlinearconv_applies_its_own_scales(tmp_path: Path) -> None:
    steps = np.arange(54, dtype=np.uint8).reshape(W.shape)
    scale, zero = np.float32([1, 2, 3, 4, 5, 6]), np.uint8([9] * 6)
    node = helper.make_node(
        "QLinearConv", ["x", "xs", "xz", "w", "ws", "wz", "ys", "yz"], ["y"], group=6
    )
    given = [initializer("w", steps), initializer("ws", scale), initializer("wz", zero)]
    values = only(save(tmp_path / "m.onnx", [node], given)).load()
    expected = (steps.astype(np.float32) - 9) * scale.reshape(-1, 1, 1, 1)
    np.testing.assert_array_equal(values, expected)


def test_quantised_biases_are_no_odd_arrays(tmp_path: Path) -> None:
    """int32 behind DequantizeLinear or in QLinearConv: not told of as left out."""
    inputs = ["x", "xs", "xz", "q", "ws", "wz", "ys", "yz", "bias"]
    nodes = [
        helper.make_node("DequantizeLinear", ["q", "ws", "wz"], ["w"], axis=0),
        helper.make_node("DequantizeLinear", ["bias", "ws"], ["b"], axis=0),
        conv("w", 6, inputs=["b"]),
        helper.make_node("QLinearConv", inputs, ["y"], group=6),
    ]
    arrays = {
        "q": np.arange(54, dtype=np.int8).reshape(W.shape),
        "ws": np.ones(6, np.float32),
        "wz": np.zeros(6, np.int8),
        "bias": np.arange(6, dtype=np.int32),
    }
    given = [initializer(name, values) for name, values in arrays.items()]
    checkpoint = open_checkpoint(save(tmp_path / "m.onnx", nodes, given))
    assert not checkpoint.skipped
    assert not checkpoint.warnings
    assert {tensor.raw_name for tensor in checkpoint.tensors} == {"q"}


def test_convinteger_gives_whole_numbers_and_says_so(tmp_path: Path) -> None:
    steps = np.arange(54, dtype=np.uint8).reshape(W.shape)
    node = conv("w", 6, "ConvInteger", inputs=["xz", "wz"])
    given = [initializer("w", steps), initializer("wz", np.uint8(20).reshape(()))]
    checkpoint = open_checkpoint(save(tmp_path / "m.onnx", [node], given))
    expected = steps.astype(np.float32) - 20
    np.testing.assert_array_equal(checkpoint.tensors[0].load(), expected)
    assert "whole numbers" in checkpoint.warnings[0]


def typed_tensors() -> dict[str, tuple[TensorProto, np.ndarray]]:
    """Weights written number by number, and what they must read as."""
    numbers = np.linspace(-8, 7, 54).reshape(W.shape).round()
    made = {}
    for name in ("FLOAT", "DOUBLE", "FLOAT16", "BFLOAT16", "INT8", "INT32", "INT64"):
        kind = getattr(TensorProto, name)
        tensor = helper.make_tensor("w", kind, W.shape, numbers.ravel())
        made[name] = (tensor, numbers)
    positive = np.abs(numbers)
    for name in ("UINT8", "UINT16", "UINT32", "UINT64"):
        kind = getattr(TensorProto, name)
        tensor = helper.make_tensor("w", kind, W.shape, positive.ravel())
        made[name] = (tensor, positive)
    packed = helper.make_tensor("w", TensorProto.INT4, W.shape, numbers.ravel())
    return made | {"INT4": (packed, numbers)}


@pytest.mark.parametrize("kind", typed_tensors())
def test_weights_written_number_by_number(tmp_path: Path, kind: str) -> None:
    tensor, expected = typed_tensors()[kind]
    assert not tensor.raw_data
    values = only(save(tmp_path / "m.onnx", [conv("w", 6)], [tensor])).load()
    np.testing.assert_array_equal(values.astype(np.float64), expected)


def test_raw_bfloat16_and_int4(tmp_path: Path) -> None:
    bits = (W.view(np.uint32) >> 16).astype(np.uint16)
    raw = helper.make_tensor(
        "w", TensorProto.BFLOAT16, W.shape, bits.tobytes(), raw=True
    )
    values = only(save(tmp_path / "m.onnx", [conv("w", 6)], [raw])).load()
    np.testing.assert_allclose(values, W, rtol=2**-7)
    nibbles = bytes([0x8F] * 27)
    raw = helper.make_tensor("w", TensorProto.INT4, W.shape, nibbles, raw=True)
    values = only(save(tmp_path / "m.onnx", [conv("w", 6)], [raw])).load()
    assert values.ravel()[:2].tolist() == [-1, -8]


def test_branches_and_functions_are_visited(tmp_path: Path) -> None:
    branch = helper.make_graph(
        [conv("inner.weight", 6)], "then", [], [], [initializer("inner.weight", W)]
    )
    function = helper.make_function(
        "test", "Block", ["x", "weight"], ["y"],
        [helper.make_node("Conv", ["x", "weight"], ["y"], group=6)],
        [helper.make_opsetid("", 18)],
    )  # fmt: skip
    nodes = [
        helper.make_node("If", ["c"], ["i"], then_branch=branch, else_branch=branch),
        helper.make_node("Block", ["x", "block.weight"], ["y"], domain="test"),
    ]
    given = [initializer("block.weight", W + 1)]
    path = save(tmp_path / "m.onnx", nodes, given, functions=[function])
    tensors = named(open_checkpoint(path))
    np.testing.assert_array_equal(tensors["inner.weight"].load(), W)
    np.testing.assert_array_equal(tensors["block.weight"].load(), W + 1)


def test_shared_weights_are_listed_once(tmp_path: Path) -> None:
    nodes = [conv("head.weight", 6, output="a"), conv("head.weight", 6, output="b")]
    path = save(tmp_path / "m.onnx", nodes, [initializer("head.weight", W)])
    assert len(open_checkpoint(path).tensors) == 1


@pytest.mark.parametrize(
    ("weight", "node", "expected"),
    [
        ("stages.0.dw.weight", "/stages/Conv", "stages.0.dw.weight"),
        ("stages.0.dw.weight_quantized", "", "stages.0.dw.weight"),
        ("onnx::Conv_123", "/a/a.0/blocks/blocks.1/dw/Conv", "a.0.blocks.1.dw.weight"),
        ("onnx::Conv_123", "", "Conv_1.weight"),
        ("7", "net/dw_1/depthwise;net/dw_1/conv", "net.dw_1.weight"),
        ("1234", "Conv.7", "Conv.7.weight"),
        ("conv2d_118.w_0", "Conv.5", "conv2d_118.weight"),
        (
            "const_fold_opt__31",
            "StatefulPartitionedCall/model/block_1/depthwise",
            "StatefulPartitionedCall.model.block_1.weight",
        ),
    ],
)
def test_opaque_names_give_way_to_the_place_in_the_graph(
    tmp_path: Path, weight: str, node: str, expected: str
) -> None:
    path = save(
        tmp_path / "m.onnx", [conv(weight, 6, name=node)], [initializer(weight, W)]
    )
    tensor = only(path)
    assert (tensor.name, tensor.raw_name) == (expected, weight)


def test_other_weights_keep_the_tree_whole(tmp_path: Path) -> None:
    nodes = [
        conv("a.weight", 6, output="y"),
        helper.make_node("LayerNormalization", ["y", "norm.weight"], ["z"]),
        helper.make_node("Add", ["z", "position"], ["t"]),
    ]
    given = [
        initializer("a.weight", W),
        initializer("norm.weight", W[:, 0, 0, 0]),
        initializer("position", weights(3, (1, 49, 6))),
    ]
    checkpoint = open_checkpoint(save(tmp_path / "m.onnx", nodes, given))
    assert [t.name for t in checkpoint.tensors] == ["a.weight", "norm.weight"]
    assert [s.name for s in checkpoint.skipped] == ["position"]


def test_nothing_with_the_shape_of_kernels_is_lost(tmp_path: Path) -> None:
    steps = np.ones((6, 1, 3, 3), np.int8)
    nodes = [
        conv("a.weight", 6),
        helper.make_node("QConv", ["x", "q"], ["y"], domain="vendor"),
        helper.make_node("Transpose", ["t"], ["u"]),
        helper.make_node("Einsum", ["x", "u"], ["z"]),
    ]
    given = [initializer("a.weight", W), initializer("q", steps)]
    given += [initializer("t", W), initializer("left.weight", W), initializer("n", W)]
    checkpoint = open_checkpoint(save(tmp_path / "m.onnx", nodes, given))
    assert [(item.name, item.reason) for item in checkpoint.skipped] == [
        ("q", "no convolution: a weight of QConv"),
        ("t", "no convolution: a weight of Einsum"),
        ("left.weight", "no operation of the network takes it"),
        ("n", "no operation of the network takes it"),
    ]


@pytest.mark.parametrize("last", ["length", "x"])
def test_a_table_that_is_cut_is_listed_whole(last: str, tmp_path: Path) -> None:
    nodes = [
        conv("a.weight", 6, output="y"),
        helper.make_node("Slice", ["positions", "none", last], ["cut"]),
        helper.make_node("Slice", ["positions", "none", "length"], ["other"]),
        helper.make_node("Add", ["y", "cut"], ["z"]),
        helper.make_node("Add", ["z", "other"], ["t"]),
    ]
    given = [initializer("a.weight", W), initializer("positions", weights(1, (9, 6)))]
    given += [initializer("none", np.array([0])), initializer("length", np.array([4]))]
    checkpoint = open_checkpoint(save(tmp_path / "m.onnx", nodes, given))
    shapes = [(tensor.name, tensor.shape) for tensor in checkpoint.tensors]
    assert shapes == [("a.weight", W.shape), ("positions", (9, 6))]


def test_computed_weights_are_left_out_with_the_reason(tmp_path: Path) -> None:
    nodes = [
        helper.make_node("Softmax", ["a"], ["w"]),
        conv("w", 6, name="dynamic"),
        conv("x", 6, output="y", name="fed"),
    ]
    path = save(tmp_path / "m.onnx", nodes, [initializer("a", W)])
    checkpoint = open_checkpoint(path)
    reasons = {item.name: item.reason for item in checkpoint.skipped}
    assert reasons["dynamic"] == "it is computed in the graph by Softmax"
    assert reasons["fed"] == "it is an input of the network"
    assert checkpoint.warnings == (
        "2 convolutions are left out. The first is dynamic: it is computed in the "
        "graph by Softmax.",
    )


def test_sparse_weights_say_how_to_export_them(tmp_path: Path) -> None:
    values = helper.make_tensor("w", TensorProto.FLOAT, [2], [1.0, 2.0])
    places = helper.make_tensor("i", TensorProto.INT64, [2], [0, 5])
    model = onnx.load(save(tmp_path / "m.onnx", [conv("w", 6)], []))
    model.graph.sparse_initializer.append(
        helper.make_sparse_tensor(values, places, [6, 1, 3, 3])
    )
    onnx.save(model, tmp_path / "m.onnx")
    checkpoint = open_checkpoint(tmp_path / "m.onnx")
    (warning,) = checkpoint.warnings
    assert warning.startswith("A convolution is left out. ")
    assert warning.endswith("export the network again without sparse weights.")


def external(path: Path, location: str, **more: str) -> Path:
    """A model whose weight is said to lie in another file."""
    tensor = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=W.shape)
    tensor.data_location = TensorProto.EXTERNAL
    for key, value in {"location": location, **more}.items():
        tensor.external_data.add(key=key, value=value)
    return save(path, [conv("w", 6)], [tensor])


def test_weights_beside_the_model(tmp_path: Path) -> None:
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "m.data").write_bytes(bytes(64) + W.tobytes())
    where = {"offset": "64", "length": str(W.nbytes)}
    path = external(tmp_path / "m.onnx", "parts/m.data", **where)
    np.testing.assert_array_equal(only(path).load(), W)


def test_a_model_linked_from_a_download_cache(tmp_path: Path) -> None:
    blobs, snapshot = tmp_path / "blobs", tmp_path / "snapshots" / "1"
    blobs.mkdir()
    snapshot.mkdir(parents=True)
    external(blobs / "aaa", "m.onnx_data")
    (blobs / "bbb").write_bytes(W.tobytes())
    (snapshot / "m.onnx").symlink_to("../../blobs/aaa")
    (snapshot / "m.onnx_data").symlink_to("../../blobs/bbb")
    np.testing.assert_array_equal(only(snapshot / "m.onnx").load(), W)


def test_a_link_out_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(W.tobytes())
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "m.data").symlink_to("../secret")
    path = external(folder / "m.onnx", "m.data")
    with pytest.raises(CheckpointError, match="outside its own folder"):
        open_checkpoint(path)


def test_opening_reads_no_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = save(tmp_path / "m.onnx", [conv("w", 6)], [initializer("w", W)])
    with bytes_read(monkeypatch) as counts:
        tensor = only(path)
        assert not counts
        tensor.load()
    assert counts == [W.nbytes]


def test_a_file_that_changed_since_is_noticed(tmp_path: Path) -> None:
    path = save(tmp_path / "m.onnx", [conv("w", 6)], [initializer("w", W)])
    tensor = only(path)
    path.write_bytes(path.read_bytes() + b"\0")
    with pytest.raises(CheckpointError, match="changed after it was opened"):
        tensor.load()
