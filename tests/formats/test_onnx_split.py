"""ONNX: depthwise layers that were taken apart into a convolution per channel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from onnx.reference import ReferenceEvaluator

from kernelviewer.formats import open_checkpoint
from kernelviewer.kernels import extract_kernels
from tests.formats.onnx_models import initializer, save
from tests.formats.reading import is_depthwise, weights

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    Apart = tuple[list[onnx.NodeProto], list[TensorProto]]

W = weights(0, (6, 1, 3, 3))
node = helper.make_node


def joined(name: str = "y") -> onnx.NodeProto:
    return node(
        "Concat", [f"y{i}" for i in range(6)], [name], axis=1, name="/net/dw/Cat"
    )


def convolutions(
    pieces: Sequence[str], kernels: Sequence[str], **more: Any
) -> list[onnx.NodeProto]:
    """One for each channel."""
    return [
        node("Conv", [piece, kernel], [f"y{index}"], **{"pads": [1, 1, 1, 1], **more})
        for index, (piece, kernel) in enumerate(zip(pieces, kernels, strict=True))
    ]


def by_split() -> Apart:
    pieces = [f"x{i}" for i in range(6)]
    kernels = [f"net.dw.{i}.weight" for i in range(6)]
    nodes = [node("Split", ["x"], pieces, axis=1, num_outputs=6)]
    given = [initializer(name, W[i : i + 1]) for i, name in enumerate(kernels)]
    return [*nodes, *convolutions(pieces, kernels), joined()], given


def by_slices() -> Apart:
    pieces = [f"x{i}" for i in range(6)]
    kernels = [f"k{i}" for i in range(6)]
    given = [initializer("one", np.array([1])), initializer("net.dw.weight", W)]
    given += [initializer(f"p{i}", np.array([i])) for i in range(7)]
    nodes = [
        node("Slice", ["x", f"p{i}", f"p{i + 1}", "one"], [f"x{i}"]) for i in range(6)
    ]
    cut = node("Split", ["net.dw.weight"], kernels, axis=0, num_outputs=6)
    return [*nodes, cut, *convolutions(pieces, kernels), joined()], given


def by_gather() -> Apart:
    pieces = [f"x{i}" for i in range(6)]
    kernels = [f"dw_{i}" for i in range(6)]
    given = [initializer(name, W[i : i + 1]) for i, name in enumerate(kernels)]
    given += [initializer(f"p{i}", np.array([i])) for i in range(6)]
    nodes = [node("Gather", ["x", f"p{i}"], [f"x{i}"], axis=-3) for i in range(6)]
    return [*nodes, *convolutions(pieces, kernels), joined()], given


def in_another_order() -> Apart:
    """The convolutions stand in the file in another order than in the Concat."""
    nodes, given = by_split()
    return [nodes[0], *reversed(nodes[1:7]), nodes[7]], given


def with_activations() -> Apart:
    nodes, given = by_split()
    nodes = nodes[:-1]
    nodes += [
        made
        for i in range(6)
        for made in (
            node("Relu", [f"y{i}"], [f"r{i}"]),
            node("Clip", [f"r{i}", "", "six"], [f"c{i}"]),
        )
    ]
    end = node("Concat", [f"c{i}" for i in range(6)], ["y"], axis=-3)
    return [*nodes, end], [*given, initializer("six", np.float32(6).reshape(()))]


WAYS = {
    make.__name__: make
    for make in (by_split, by_slices, by_gather, in_another_order, with_activations)
}


@pytest.mark.parametrize("way", WAYS)
def test_the_parts_are_shown_as_one_layer(way: str, tmp_path: Path) -> None:
    nodes, given = WAYS[way]()
    path = save(tmp_path / "m.onnx", nodes, given)
    checkpoint = open_checkpoint(path)
    (tensor,) = [t for t in checkpoint.tensors if t.operator]
    assert is_depthwise(tensor)
    assert tensor.operator.groups == 6
    assert tensor.operator.padding == (1, 1)
    np.testing.assert_array_equal(tensor.load(), W)
    (layer,) = extract_kernels(checkpoint).layers
    assert (layer.kernels, layer.size) == (6, (3, 3))
    assert layer.name in ("net.dw", "dw")
    assert not checkpoint.warnings


@pytest.mark.parametrize("way", ["by_split", "by_slices", "in_another_order"])
def test_the_layer_computes_what_the_parts_do(way: str, tmp_path: Path) -> None:
    nodes, given = WAYS[way]()
    (tensor,) = open_checkpoint(save(tmp_path / "m.onnx", nodes, given)).tensors
    whole = node("Conv", ["x", "w"], ["y"], group=6, pads=[1, 1, 1, 1])
    image = {"x": weights(1, (1, 6, 8, 8))}
    found = [
        _run(nodes, given, image),
        _run([whole], [initializer("w", tensor.load())], image),
    ]
    np.testing.assert_allclose(found[0], found[1], atol=1e-5)


def _run(nodes: Any, given: Any, image: dict[str, Any]) -> Any:
    ends = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in "xy"
    ]
    graph = helper.make_graph(nodes, "test", ends[:1], ends[1:], given)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)])
    return ReferenceEvaluator(model).run(None, image)[0]


def test_each_part_may_be_a_call_of_a_function(tmp_path: Path) -> None:
    pieces = [f"x{i}" for i in range(6)]
    kernels = [f"dw_{i}" for i in range(6)]
    block = helper.make_function(
        *("my", "Block", ["image", "weight"], ["out"]),
        [
            node("Conv", ["image", "weight"], ["made"], pads=[1, 1, 1, 1]),
            node("Relu", ["made"], ["out"]),
        ],
        [helper.make_opsetid("", 18)],
    )
    nodes = [node("Split", ["x"], pieces, axis=1, num_outputs=6)]
    nodes += [
        node("Block", [piece, kernel], [f"y{i}"], domain="my")
        for i, (piece, kernel) in enumerate(zip(pieces, kernels, strict=True))
    ]
    given = [initializer(name, W[i : i + 1]) for i, name in enumerate(kernels)]
    path = save(tmp_path / "m.onnx", [*nodes, joined()], given, functions=[block])
    (tensor,) = open_checkpoint(path).tensors
    assert (tensor.name, tensor.operator.groups) == ("net.dw.weight", 6)
    np.testing.assert_array_equal(tensor.load(), W)


def test_two_kernels_for_each_channel(tmp_path: Path) -> None:
    pieces, kernels = ["a", "b", "c"], ["dw.0", "dw.1", "dw.2"]
    nodes = [
        node("Split", ["x"], pieces, axis=1),
        *convolutions(pieces, kernels),
        node("Concat", ["y0", "y1", "y2"], ["y"], axis=1),
    ]
    given = [initializer(name, W[2 * i : 2 * i + 2]) for i, name in enumerate(kernels)]
    (tensor,) = open_checkpoint(save(tmp_path / "m.onnx", nodes, given)).tensors
    assert (tensor.shape, tensor.operator.groups) == ((6, 1, 3, 3), 3)
    np.testing.assert_array_equal(tensor.load(), W)


def test_transposed_convolutions_taken_apart(tmp_path: Path) -> None:
    nodes, given = by_split()
    for made in nodes[1:7]:
        made.op_type = "ConvTranspose"
    (tensor,) = open_checkpoint(save(tmp_path / "m.onnx", nodes, given)).tensors
    assert tensor.operator.transposed
    assert tensor.operator.groups == tensor.operator.in_channels == 6
    np.testing.assert_array_equal(tensor.load(), W)


def unlike() -> dict[str, Apart]:
    """Name → parts that are no one layer."""
    nodes, given = by_split()
    sizes = [*given[:5], initializer("net.dw.5.weight", weights(1, (1, 1, 5, 5)))]
    rows = [*nodes[:-1], node("Concat", [f"y{i}" for i in range(6)], ["y"], axis=2)]
    strides, _ = by_split()
    strides[3].attribute.append(helper.make_attribute("strides", [2, 2]))
    same, _ = by_split()
    same[2].input[0] = "x0"
    return {
        "kernels of other sizes": (nodes, sizes),
        "joined along rows": (rows, given),
        "other strides": (strides, given),
        "one channel twice": (same, given),
    }


@pytest.mark.parametrize("name", unlike())
def test_what_does_not_fit_together_is_told_of(name: str, tmp_path: Path) -> None:
    nodes, given = unlike()[name]
    checkpoint = open_checkpoint(save(tmp_path / "m.onnx", nodes, given))
    assert len(checkpoint.tensors) == 6
    assert not any(is_depthwise(tensor) for tensor in checkpoint.tensors)
    (warning,) = checkpoint.warnings
    assert warning.startswith("6 convolutions of one channel each work on pieces")


def test_an_unreadable_part_is_named(tmp_path: Path) -> None:
    nodes, given = by_split()
    nodes[3].input[1] = "x"
    nodes[3].name = "third"
    checkpoint = open_checkpoint(save(tmp_path / "m.onnx", nodes, given))
    assert [item.name for item in checkpoint.skipped] == ["third"]
    assert len(checkpoint.warnings) == 2


def test_a_sparse_weight_among_what_is_joined(tmp_path: Path) -> None:
    nodes, given = by_split()
    end = node("Concat", ["sparse", *(f"y{i}" for i in range(6))], ["y"], axis=1)
    model = onnx.load(save(tmp_path / "m.onnx", [*nodes[:-1], end], given))
    values = helper.make_tensor("sparse", TensorProto.FLOAT, [1], [1.0])
    places = helper.make_tensor("i", TensorProto.INT64, [1], [0])
    sparse = helper.make_sparse_tensor(values, places, [1, 6, 8, 8])
    model.graph.sparse_initializer.append(sparse)
    onnx.save(model, tmp_path / "m.onnx")
    assert len(open_checkpoint(tmp_path / "m.onnx").tensors) == 6


def test_branches_of_their_own_are_left_alone(tmp_path: Path) -> None:
    """Inception: convolutions of one image, joined."""
    nodes = [*convolutions(["x"] * 6, [f"k{i}" for i in range(6)]), joined()]
    given = [initializer(f"k{i}", W[i : i + 1]) for i in range(6)]
    checkpoint = open_checkpoint(save(tmp_path / "m.onnx", nodes, given))
    assert len(checkpoint.tensors) == 6
    assert not checkpoint.warnings
