"""ONNX: weights computed from constants, against onnx's own reference evaluator."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from onnx.reference import ReferenceEvaluator

from kernelviewer.formats import CheckpointError, open_checkpoint
from kernelviewer.kernels import extract_kernels
from tests.formats.onnx_models import conv, initializer, save
from tests.formats.protobuf import field, varint
from tests.formats.reading import weights

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    Case = tuple[int, list[onnx.NodeProto], dict[str, NDArray[np.generic]]]

W = weights(0, (6, 1, 3, 3))
node = helper.make_node


def ints(*values: int) -> NDArray[np.int64]:
    return np.array(values, np.int64)


def steps(shape: tuple[int, ...], dtype: str = "int8") -> NDArray[np.generic]:
    return np.random.default_rng(0).integers(1, 100, shape).astype(dtype)


def cases() -> dict[str, Case]:
    """Name → opset, the nodes that make ``w``, the initializers they take."""
    big = weights(1, (8, 1, 5, 5))
    half = np.float32(0.5).reshape(())
    return {
        "slice": (13, [node("Slice", ["a", "s", "e", "x", "t"], ["w"])],
                  {"a": big, "s": ints(-1, 4), "e": ints(-7, 0), "x": ints(0, -1),
                   "t": ints(-1, -2)}),
        "slice to the end": (13, [node("Slice", ["a", "s", "e"], ["w"])],
                             {"a": big, "s": ints(2, 0, 1, -3),
                              "e": ints(2**63 - 1, 1, 99, 2**63 - 1)}),
        "slice by attributes": (9, [node("Slice", ["a"], ["w"], starts=[2, 1],
                                         ends=[8, 4], axes=[0, 2])], {"a": big}),
        "concat": (13, [node("Concat", ["a", "b"], ["w"], axis=0)],
                   {"a": W, "b": W * 2}),
        "concat taps": (13, [node("Concat", ["a", "b"], ["w"], axis=-1)],
                        {"a": W, "b": W[..., :1]}),
        "pad": (13, [node("Pad", ["a", "p", "v"], ["w"])],
                {"a": W, "p": ints(0, 0, 2, 1, 0, 0, 1, 0), "v": half}),
        "pad some axes": (18, [node("Pad", ["a", "p", "", "x"], ["w"])],
                          {"a": W, "p": ints(1, 1, 1, 1), "x": ints(-1, 2)}),
        "pad by reflection": (13, [node("Pad", ["a", "p"], ["w"], mode="reflect")],
                              {"a": W, "p": ints(0, 0, 1, 1, 0, 0, 1, 2)}),
        "pad by the edge": (13, [node("Pad", ["a", "p"], ["w"], mode="edge")],
                            {"a": W, "p": ints(0, 0, 1, 1, 0, 0, 1, 2)}),
        "split": (13, [node("Split", ["a", "n"], ["l", "w"], axis=0)],
                  {"a": big, "n": ints(3, 5)}),
        "split evenly": (13, [node("Split", ["a"], ["l", "w"])], {"a": big}),
        "split unevenly": (18, [node("Split", ["a"], ["l", "m", "w"], num_outputs=3)],
                           {"a": big}),
        "split by attribute": (11, [node("Split", ["a"], ["w", "l"], split=[6, 2])],
                               {"a": big}),
        "gather": (13, [node("Gather", ["a", "i"], ["w"])],
                   {"a": big, "i": ints(7, 0, -2, 3)}),
        "gather one": (13, [node("Gather", ["a", "i"], ["w"], axis=1)],
                       {"a": weights(2, (4, 3, 1, 5, 5)), "i": np.array(2)}),
        "expand": (13, [node("Expand", ["a", "s"], ["w"])],
                   {"a": W[:1], "s": ints(6, 1, 1, 3)}),
        "tile": (13, [node("Tile", ["a", "r"], ["w"])],
                 {"a": W[:2], "r": ints(3, 1, 1, 2)}),
        "constant of shape": (13, [node("ConstantOfShape", ["s"], ["w"],
                              value=initializer("", np.float32([0.25])))],
                              {"s": ints(6, 1, 3, 3)}),
        "zeros": (13, [node("ConstantOfShape", ["s"], ["w"])],
                  {"s": ints(6, 1, 3, 3)}),
        "flatten": (13, [node("Flatten", ["a"], ["f"], axis=1),
                         node("Reshape", ["f", "s"], ["w"])],
                    {"a": big, "s": ints(0, 1, 5, -1)}),
        "own shape": (15, [node("Shape", ["a"], ["s"], start=2),
                           node("Concat", ["n", "s"], ["t"], axis=0),
                           node("Reshape", ["b", "t"], ["w"])],
                      {"a": big, "b": big.reshape(-1), "n": ints(-1, 1)}),
        "squeeze and unsqueeze": (13, [node("Squeeze", ["a"], ["b"]),
                                       node("Unsqueeze", ["b", "x"], ["w"])],
                                  {"a": W[None], "x": ints(-3)}),
        "transposed the other way": (13, [node("Transpose", ["a"], ["w"])],
                                     {"a": W.T.copy()}),
        "arithmetic": (13, [node("Mul", ["a", "s"], ["b"]),
                            node("Div", ["b", "t"], ["c"]),
                            node("Add", ["c", "t"], ["d"]),
                            node("Sub", ["d", "s"], ["w"])],
                       {"a": W, "s": weights(3, (6, 1, 1, 1)), "t": half}),
        "whole numbers divided": (13, [node("Div", ["a", "b"], ["c"]),
                                       node("Cast", ["c"], ["w"], to=1)],
                                  {"a": np.int32(-20) + np.arange(36, dtype=np.int32)
                                   .reshape(4, 1, 3, 3), "b": np.int32([[[[-3]]]])}),
        "weight norm": (13, [node("ReduceL2", ["v"], ["l"], axes=[1, 2, 3]),
                             node("Div", ["v", "l"], ["n"]),
                             node("Mul", ["g", "n"], ["w"])],
                        {"v": W, "g": weights(4, (6, 1, 1, 1))}),
        "weight norm by hand": (18, [node("Pow", ["v", "two"], ["q"]),
                                     node("ReduceSum", ["q", "x"], ["s"]),
                                     node("Sqrt", ["s"], ["l"]),
                                     node("Div", ["v", "l"], ["w"])],
                                {"v": W, "two": np.array(2, np.float32),
                                 "x": ints(1, 2, 3)}),
        "standardised": (18, [node("ReduceMean", ["v", "x"], ["m"]),
                              node("Sub", ["v", "m"], ["c"]),
                              node("Abs", ["c"], ["d"]),
                              node("ReduceMax", ["d", "x"], ["s"], keepdims=1),
                              node("Div", ["c", "s"], ["w"])],
                         {"v": W, "x": ints(1, 2, 3)}),
        "clipped": (13, [node("Clip", ["a", "", "h"], ["b"]),
                         node("Neg", ["b"], ["w"])],
                    {"a": W, "h": half}),
        "several": (13, [node("Max", ["a", "b", "c"], ["m"]),
                         node("Sum", ["m", "b"], ["w"])],
                    {"a": W, "b": -W, "c": half}),
        "expanded as PyTorch exports it": (13, [
            node("ConstantOfShape", ["n"], ["ones"],
                 value=initializer("", np.array([1]))),
            node("Mul", ["ones", "minus"], ["kept"]),
            node("Equal", ["wanted", "kept"], ["same"]),
            node("Where", ["same", "ones", "wanted"], ["shape"]),
            node("Expand", ["a", "shape"], ["w"]),
        ], {"a": W[:1], "n": ints(4), "minus": ints(-1).reshape(()),
            "wanted": ints(6, 1, -1, 3)}),
        "pruned": (13, [node("Abs", ["a"], ["size"]),
                        node("Less", ["size", "half"], ["small"]),
                        node("Where", ["small", "zero", "a"], ["w"])],
                   {"a": W, "half": half, "zero": np.array(0, np.float32)}),
        "dequantised per channel": (21, [node("DequantizeLinear", ["q", "s", "z"],
                                              ["w"], axis=0)],
                                    {"q": steps((6, 1, 3, 3)), "z": steps((6,)),
                                     "s": np.abs(weights(5, (6,)))}),
        "the default axis": (21, [node("DequantizeLinear", ["q", "s", "z"], ["t"]),
                                  node("Transpose", ["t"], ["w"], perm=[1, 0, 2, 3])],
                             {"q": steps((6, 6, 3, 3)), "z": steps((6,)),
                              "s": np.abs(weights(5, (6,)))}),
        "dequantised in blocks": (21, [node("DequantizeLinear", ["q", "s"], ["w"],
                                            axis=-4, block_size=2)],
                                  {"q": steps((6, 1, 3, 3)),
                                   "s": np.abs(weights(6, (3, 1, 3, 3)))}),
        "fake quantised": (21, [node("QuantizeLinear", ["a", "s", "z"], ["q"], axis=0),
                                node("DequantizeLinear", ["q", "s", "z"], ["w"],
                                     axis=0)],
                           {"a": W, "s": np.abs(weights(7, (6,))) / 50,
                            "z": steps((6,))}),
        "to steps of a wide type": (21, [node("QuantizeLinear", ["a", "s"], ["q"],
                                              output_dtype=TensorProto.INT16),
                                         node("DequantizeLinear", ["q", "s"], ["w"])],
                                    {"a": W, "s": np.float32(1e-3).reshape(())}),
    }  # fmt: skip


@pytest.mark.parametrize("name", cases())
def test_weights_are_what_the_reference_computes(name: str, tmp_path: Path) -> None:
    opset, nodes, arrays = cases()[name]
    given = [initializer(key, values) for key, values in arrays.items()]
    output = helper.make_tensor_value_info("w", TensorProto.FLOAT, None)
    imports = [helper.make_opsetid("", opset)]
    graph = helper.make_graph(nodes, "test", [], [output], given)
    model = helper.make_model(graph, opset_imports=imports)
    (expected,) = ReferenceEvaluator(model).run(None, {})

    path = save(tmp_path / "m.onnx", [*nodes, conv("w", len(expected))], given)
    (tensor,) = [t for t in open_checkpoint(path).tensors if t.operator]
    values = tensor.load()
    assert tensor.shape == values.shape == expected.shape
    assert tensor.operator.groups == len(expected)
    np.testing.assert_allclose(values, expected, rtol=1e-6, atol=1e-6)


def test_negative_pads_cut_off(tmp_path: Path) -> None:
    big = weights(1, (8, 1, 5, 5))
    given = [initializer("a", big), initializer("p", ints(-2, 0, 1, -1, 0, 0, -2, 0))]
    nodes = [node("Pad", ["a", "p"], ["w"]), conv("w", 6)]
    (tensor,) = open_checkpoint(save(tmp_path / "m.onnx", nodes, given)).tensors
    cut = big[2:, :, :3, 1:]
    expected = np.concatenate([np.zeros((6, 1, 1, 4), "f4"), cut], axis=2)
    np.testing.assert_array_equal(tensor.load(), expected)


def layers(path: Path) -> Any:
    """The checkpoint of a file, its readable kernels, and reasons by layer."""
    checkpoint = open_checkpoint(path)
    bank = extract_kernels(checkpoint)
    reasons = {item.name: item.reason for item in checkpoint.skipped}
    return checkpoint, [layer.name for layer in bank.layers], reasons


def broken() -> dict[str, tuple[list[onnx.NodeProto], dict[str, Any], str]]:
    """Name → the nodes that make ``w``, what they take, the reason that is given."""
    shape = "[6, 1, 3, 3]"
    return {
        "scales": ([node("DequantizeLinear", ["q", "s"], ["w"])],
                   {"s": np.ones(5, "f4")},
                   f"its scales of shape [5] fit no axis of its shape, {shape}"),
        "scales of two axes": (
            [node("DequantizeLinear", ["q", "s"], ["w"])], {"s": np.ones(3, "f4")},
            f"its scales of shape [3] fit more than one axis of its shape, {shape}"),
        "an axis": ([node("DequantizeLinear", ["q", "s"], ["w"], axis=1)],
                    {"s": np.ones(6, "f4")},
                    f"its scales of shape [6] do not fit axis 1 of its shape, {shape}"),
        "blocks": ([node("DequantizeLinear", ["q", "s"], ["w"], axis=0, block_size=4)],
                   {"s": np.ones((3, 1, 3, 3), "f4")},
                   "its scales of shape [3, 1, 3, 3] in blocks of 4 do not fit axis 0 "
                   f"of its shape, {shape}"),
        "no scale": ([node("DequantizeLinear", ["q"], ["w"])], {},
                     "its DequantizeLinear has no scale"),
        "perm": ([node("Transpose", ["q"], ["w"], perm=[0, 1, 2])], {},
                 "its Transpose orders 4 axes as [0, 1, 2]"),
        "shape": ([node("Reshape", ["q", "s"], ["w"])], {"s": ints(6, 1, 4, 3)},
                  f"its Reshape turns the shape {shape} into [6, 1, 4, 3]"),
        "cast": ([node("Cast", ["q"], ["w"], to=8)], {},
                 "its Cast turns it into a number type that is not read"),
        "slice": ([node("Slice", ["q", "s", "s", "a"], ["w"])],
                  {"s": ints(0), "a": ints(7)}, "its Slice names axis 7 of 4"),
        "gather": ([node("Gather", ["q", "s"], ["w"])], {"s": ints(6)},
                   "its Gather takes entries that do not exist among 6"),
        "concat": ([node("Concat", ["q", "s"], ["w"], axis=0)],
                   {"s": steps((6, 1, 3, 2))},
                   "its Concat joins shapes that do not fit"),
        "add": ([node("Add", ["q", "s"], ["w"])], {"s": steps((6, 2, 3, 2))},
                f"its Add joins the shapes [{shape}, [6, 2, 3, 2]]"),
        "text": ([node("Cast", ["q"], ["b"], to=9), node("Mul", ["b", "b"], ["w"])], {},
                 "its Mul computes with numbers of type bool"),
        "absurd": ([node("Expand", ["q", "s"], ["w"])],
                   {"s": ints(1 << 20, 6, 1, 3, 3)},
                   "it is computed by a formula that makes it absurdly large"),
        "terabytes": ([node("ConstantOfShape", ["s"], ["w"])],
                      {"s": ints(1 << 30, 1, 1 << 5, 1 << 5)},
                      "it is computed by a formula that makes it absurdly large"),
        "an unknown operator": ([node("Einsum", ["q"], ["w"])], {},
                                "it is computed in the graph by Einsum"),
        "a plugin's operator": ([node("Transpose", ["q"], ["w"], domain="my")], {},
                                "it is computed in the graph by Transpose"),
    }  # fmt: skip


@pytest.mark.parametrize("name", broken())
def test_one_unreadable_weight_costs_its_layer_only(name: str, tmp_path: Path) -> None:
    nodes, arrays, reason = broken()[name]
    arrays = {"q": steps((6, 1, 3, 3)), "good.weight": W, **arrays}
    given = [initializer(key, values) for key, values in arrays.items()]
    nodes = [*nodes, conv("w", 6, name="bad"), conv("good.weight", 6)]
    path = save(tmp_path / "m.onnx", nodes, given)
    checkpoint, found, reasons = layers(path)
    assert (found, reasons["bad"]) == (["good"], reason)
    assert checkpoint.warnings == (f"A convolution is left out. bad: {reason}.",)


@pytest.mark.parametrize("at_all", [False, True])
def test_a_broken_weight_costs_its_layer_too(tmp_path: Path, at_all: bool) -> None:
    """Without any other the file is called damaged."""
    short = initializer("q", W)
    short.dims[0] = 7
    nodes = [
        node("Add", ["x", "q"], ["y"]),
        node("Transpose", ["q"], ["w"]),
        *(conv("w", 6, name="bad"), conv("good.weight", 6)),
        *(node("Identity", ["b"], ["c"]), node("Identity", ["c"], ["b"])),
        conv("b", 6, name="circle"),
    ]
    good = [initializer("good.weight", W)] * (not at_all)
    path = save(tmp_path / "m.onnx", nodes, [short, *good])
    reason = "a weight in it has another number of values than its shape says"
    if at_all:
        with pytest.raises(CheckpointError, match=reason):
            open_checkpoint(path)
        return
    _, found, reasons = layers(path)
    assert found == ["good"]
    assert (reasons["q"], reasons["bad"]) == (reason, reason)
    assert reasons["circle"] == "a weight in it is computed from itself"


@pytest.mark.parametrize("axes", [(0, 1, 2, 3), (2, 3, 1, 0)])
def test_scales_without_an_axis_go_along_the_only_one_that_fits(
    tmp_path: Path, axes: tuple[int, ...]
) -> None:
    stored = np.ascontiguousarray(steps((6, 1, 3, 3)).transpose(axes))
    scale, zero = np.abs(weights(1, (6,))), steps((6,))
    back = [*np.argsort(axes)]
    nodes = [
        node("DequantizeLinear", ["q", "s", "z"], ["d"]),
        node("Transpose", ["d"], ["w"], perm=back),
        conv("w", 6),
    ]
    arrays = {"q": stored, "s": scale, "z": zero}
    given = [initializer(key, values) for key, values in arrays.items()]
    (tensor,) = open_checkpoint(save(tmp_path / "m.onnx", nodes, given)).tensors
    spread = (-1, 1, 1, 1)
    expected = steps((6, 1, 3, 3)).astype("f4") - zero.reshape(spread)
    np.testing.assert_array_equal(tensor.load(), expected * scale.reshape(spread))


def test_a_block_larger_than_the_weight(tmp_path: Path) -> None:
    made = node("DequantizeLinear", ["q", "s"], ["w"], axis=0, block_size=1 << 40)
    scale = np.full((1, 1, 3, 3), 2, "f4")
    given = [initializer("q", steps((6, 1, 3, 3))), initializer("s", scale)]
    path = save(tmp_path / "m.onnx", [made, conv("w", 6)], given)
    (tensor,) = open_checkpoint(path).tensors
    np.testing.assert_array_equal(tensor.load(), steps((6, 1, 3, 3)) * 2.0)


def test_blocks_without_an_axis_go_along_the_only_one_that_fits(tmp_path: Path) -> None:
    scale = np.abs(weights(1, (3, 1, 3, 3)))
    made = node("DequantizeLinear", ["q", "s"], ["w"], block_size=2)
    given = [initializer("q", steps((6, 1, 3, 3))), initializer("s", scale)]
    path = save(tmp_path / "m.onnx", [made, conv("w", 6)], given)
    (tensor,) = open_checkpoint(path).tensors
    expected = steps((6, 1, 3, 3)) * np.repeat(scale, 2, 0)
    np.testing.assert_array_equal(tensor.load(), expected)


@pytest.mark.parametrize(
    "name", ["bfloat16", "float8_e4m3fn", "float8_e5m2", "float8_e4m3fnuz"]
)
def test_narrow_types_round(name: str, tmp_path: Path) -> None:
    import ml_dtypes

    halves = np.ldexp(np.arange(-64, 80, 1.0), -4).reshape(16, 1, 3, 3).astype("f4")
    values = np.concatenate([halves, 1.3 * halves, weights(1, (8, 1, 3, 3))])
    kind = getattr(TensorProto, name.upper().replace("8_", "8"))
    given = [initializer("a", values), initializer("s", np.float32(1).reshape(()))]
    nodes = [
        node("Cast", ["a"], ["b"], to=kind),
        node("Cast", ["b"], ["w"], to=TensorProto.FLOAT),
        node("QuantizeLinear", ["a", "s"], ["q"], output_dtype=kind),
        node("DequantizeLinear", ["q", "s"], ["v"]),
        conv("w", 40),
        conv("v", 40),
    ]
    path = save(tmp_path / "m.onnx", nodes, given)
    tensors = open_checkpoint(path).tensors
    expected = values.astype(getattr(ml_dtypes, name)).astype("f4")
    assert len(tensors) == (1 if name == "bfloat16" else 2)
    for tensor in tensors:
        np.testing.assert_array_equal(tensor.load(), expected)


@pytest.mark.parametrize("number", [7, 8])
def test_long_packed_lists_are_read(number: int, tmp_path: Path) -> None:
    kernels = np.rint(weights(1, (400, 1, 7, 7)) * 9)
    name = {7: "value_floats", 8: "value_ints"}[number]
    flat = [int(value) for value in kernels.ravel()]
    packed = b"".join(varint(value) for value in flat)
    if number == 7:
        packed = kernels.astype("<f4").tobytes()
    attribute = field(1, name) + field(number, packed)
    constant = field(2, "flat") + field(4, "Constant") + field(5, attribute)
    nodes = [
        node("Reshape", ["flat", "shape"], ["shaped"]),
        node("Cast", ["shaped"], ["w"], to=1),
        conv("w", 400),
    ]
    given = [initializer("shape", ints(400, 1, 7, 7))]
    graph = onnx.load(save(tmp_path / "m.onnx", nodes, given)).graph
    whole = field(1, constant) + graph.SerializeToString()
    (tmp_path / "m.onnx").write_bytes(field(1, 8) + field(7, whole))
    (tensor,) = open_checkpoint(tmp_path / "m.onnx").tensors
    np.testing.assert_array_equal(tensor.load(), kernels)


def test_scales_of_the_other_domain(tmp_path: Path) -> None:
    """ONNX Runtime's operators of the same name."""
    made = node("DequantizeLinear", ["q", "s"], ["w"], axis=0, domain="com.microsoft")
    given = [initializer("q", steps((6, 1, 3, 3))), initializer("s", np.ones(6, "f4"))]
    path = save(tmp_path / "m.onnx", [made, conv("w", 6)], given)
    (tensor,) = open_checkpoint(path).tensors
    np.testing.assert_array_equal(tensor.load(), steps((6, 1, 3, 3)))


def test_a_long_chain_is_no_circle(tmp_path: Path) -> None:
    names = ["a", *(f"n{index}" for index in range(99)), "w"]
    nodes = [node("Identity", [one], [two]) for one, two in pairwise(names)]
    nodes += [conv("w", 6, name="far"), conv("good.weight", 6)]
    given = [initializer("a", W), initializer("good.weight", W)]
    _, found, reasons = layers(save(tmp_path / "m.onnx", nodes, given))
    assert found == ["good"]
    assert reasons["far"] == "it is computed by too long a formula"


def test_many_one_channel_weights_joined(tmp_path: Path) -> None:
    kernels = weights(1, (600, 1, 3, 3))
    nodes = [
        node("Concat", [f"k{index}" for index in range(600)], ["all.weight"], axis=0),
        conv("all.weight", 600),
    ]
    given = [
        initializer(f"k{index}", kernels[index : index + 1]) for index in range(600)
    ]
    checkpoint, found, _ = layers(save(tmp_path / "m.onnx", nodes, given))
    assert found == ["all"]
    np.testing.assert_array_equal(checkpoint.tensors[-1].load(), kernels)
    assert not checkpoint.skipped


def test_pieces_of_one_weight_are_layers_of_their_own(tmp_path: Path) -> None:
    nodes = [
        node("Split", ["both"], ["one.weight", "two.weight"], axis=0),
        conv("one.weight", 3),
        conv("two.weight", 3),
    ]
    path = save(tmp_path / "m.onnx", nodes, [initializer("both", W)])
    checkpoint, found, _ = layers(path)
    assert found == ["one", "two"]
    values = np.concatenate([tensor.load() for tensor in checkpoint.tensors])
    np.testing.assert_array_equal(values, W)


def test_a_weight_prepared_twice_in_the_same_way_is_one(tmp_path: Path) -> None:
    """PyTorch writes the steps of weight norm again for each use of a layer."""
    nodes = []
    for use in "ab":
        shape, scale = (
            initializer("", ints(6, 1, 3, 3)),
            initializer("", np.ones(6, "f4")),
        )
        nodes += [
            node("Constant", [], [f"shape.{use}"], value=shape),
            node("Constant", [], [f"scale.{use}"], value=scale),
            node("DequantizeLinear", ["q", f"scale.{use}"], [f"d.{use}"]),
            node("Reshape", [f"d.{use}", f"shape.{use}"], [f"w.{use}"]),
            conv(f"w.{use}", 6),
        ]
    path = save(tmp_path / "m.onnx", nodes, [initializer("q", steps((6, 1, 3, 3)))])
    assert len(open_checkpoint(path).tensors) == 1


def test_numbers_in_the_graph_are_not_taken_for_one_another(tmp_path: Path) -> None:
    nodes = []
    for name, factor in (("one", 1), ("two", 2)):
        flat = (W * factor).ravel().tolist()
        nodes += [
            node("Constant", [], [f"{name}.flat"], value_floats=flat),
            node("Constant", [], [f"{name}.shape"], value_ints=W.shape),
            node("Reshape", [f"{name}.flat", f"{name}.shape"], [f"{name}.weight"]),
            conv(f"{name}.weight", 6),
        ]
    checkpoint, found, _ = layers(save(tmp_path / "m.onnx", nodes, []))
    assert len(found) == 2
    one, two = (tensor.load() for tensor in checkpoint.tensors)
    np.testing.assert_array_equal(two, 2 * one)


def test_quantised_weights_of_other_operations_are_listed(tmp_path: Path) -> None:
    nodes = [
        node("DequantizeLinear", ["head.weight", "s"], ["h"]),
        node("DequantizeLinear", ["head.bias", "s"], ["b"]),
        conv("dw.weight", 6, output="y"),
        node("Gemm", ["y", "h", "b"], ["z"]),
    ]
    arrays = {
        "dw.weight": W,
        "head.weight": steps((4, 6)),
        "head.bias": steps((4,), "int32"),
        "s": np.float32(0.5).reshape(()),
    }
    given = [initializer(key, values) for key, values in arrays.items()]
    checkpoint = open_checkpoint(save(tmp_path / "m.onnx", nodes, given))
    found = {tensor.name: tensor for tensor in checkpoint.tensors}
    assert found.keys() == {"dw.weight", "head.weight", "head.bias"}
    expected = steps((4,), "int32") * np.float32(0.5)
    np.testing.assert_array_equal(found["head.bias"].load(), expected)
