"""ONNX: functions of the model, and attributes that they hand to their nodes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
import pytest
from onnx import AttributeProto, TensorProto, helper

from kernelviewer.formats import open_checkpoint
from tests.formats.onnx_models import conv, initializer, save
from tests.formats.reading import depthwise, named, weights

if TYPE_CHECKING:
    from pathlib import Path

W = weights(0, (6, 1, 3, 3))
LAST = np.ascontiguousarray(W.transpose(2, 3, 1, 0))
KINDS = {
    "ints": AttributeProto.INTS,
    "int": AttributeProto.INT,
    "floats": AttributeProto.FLOATS,
    "float": AttributeProto.FLOAT,
    "tensor": AttributeProto.TENSOR,
    "string": AttributeProto.STRING,
    "graph": AttributeProto.GRAPH,
}
node = helper.make_node


def referring(made: onnx.NodeProto, **references: tuple[str, str]) -> onnx.NodeProto:
    """A node with attributes that name one of its function's: name, kind."""
    for own, (name, kind) in references.items():
        made.attribute.add(name=own, ref_attr_name=name, type=KINDS[kind])
    return made


def function(
    name: str,
    nodes: list[onnx.NodeProto],
    attributes: tuple[str, ...] = (),
    inputs: tuple[str, ...] = ("x", "weight"),
    output: str = "y",
    **defaults: Any,
) -> onnx.FunctionProto:
    made = helper.make_function(
        *("my", name, inputs, [output], nodes),
        [helper.make_opsetid("", 21), helper.make_opsetid("my", 1)],
        attributes,
        [helper.make_attribute(key, value) for key, value in defaults.items()],
    )
    made.overload = "" if "." not in name else name.split(".")[1]
    made.name = name.split(".")[0]
    return made


def call(name: str, weight: str = "dw.weight", **attributes: Any) -> onnx.NodeProto:
    return node(
        name, ["x", weight], [f"{name}.{weight}.out"], domain="my", **attributes
    )


def only(path: Path) -> Any:
    checkpoint = open_checkpoint(path)
    assert not checkpoint.warnings
    (tensor,) = checkpoint.tensors
    return tensor


def turned(**more: Any) -> onnx.FunctionProto:
    """A function that transposes its weight by an attribute of its own."""
    nodes = [
        referring(node("Transpose", ["weight"], ["w"]), perm=("order", "ints")),
        node("Conv", ["x", "w"], ["y"], group=6),
    ]
    return function("Turned", nodes, **more)


def check_inlined(path: Path, expected: np.ndarray) -> None:
    """What onnx's own inliner makes of the model agrees with what is expected."""
    from onnx import inliner

    inlined = inliner.inline_local_functions(onnx.load(path))
    other = path.with_name("inlined.onnx")
    onnx.save(inlined, other)
    tensor = only(other)
    np.testing.assert_array_equal(tensor.load(), expected)


def test_the_order_of_axes_by_reference(tmp_path: Path) -> None:
    functions = [turned(attributes=("order",))]
    nodes = [call("Turned", order=[3, 2, 0, 1])]
    path = save(
        tmp_path / "m.onnx",
        nodes,
        [initializer("dw.weight", LAST)],
        functions=functions,
    )
    np.testing.assert_array_equal(only(path).load(), W)
    check_inlined(path, W)


@pytest.mark.parametrize("own", [None, [3, 2, 1, 0]])
def test_a_functions_default_gives_way(tmp_path: Path, own: list[int] | None) -> None:
    functions = [turned(order=[3, 2, 0, 1])]
    nodes = [call("Turned", **({"order": own} if own else {}))]
    path = save(
        tmp_path / "m.onnx",
        nodes,
        [initializer("dw.weight", LAST)],
        functions=functions,
    )
    expected = LAST.transpose(own or [3, 2, 0, 1])
    np.testing.assert_array_equal(only(path).load(), expected)


def test_what_is_not_given_is_not_there(tmp_path: Path) -> None:
    functions = [turned(attributes=("order",))]
    given = [initializer("dw.weight", W.T.copy())]
    path = save(tmp_path / "m.onnx", [call("Turned")], given, functions=functions)
    # Without perm the axes are reversed.
    np.testing.assert_array_equal(only(path).load(), W)


def test_groups_strides_and_padding_by_reference(tmp_path: Path) -> None:
    inner = referring(
        node("Conv", ["x", "weight"], ["y"]),
        group=("g", "int"),
        pads=("p", "ints"),
        strides=("s", "ints"),
        dilations=("d", "ints"),
    )
    auto = referring(
        node("Conv", ["x", "weight"], ["y"]),
        group=("g", "int"),
        auto_pad=("a", "string"),
    )
    functions = [
        function("Plain", [inner], ("g", "p", "s"), d=[2, 2]),
        function("Auto", [auto], ("g", "a")),
    ]
    nodes = [
        call("Plain", "one.weight", g=6, p=[1, 2, 1, 2], s=[2, 1]),
        call("Auto", "two.weight", g=6, a="SAME_LOWER"),
    ]
    given = [initializer("one.weight", W), initializer("two.weight", W + 1)]
    path = save(tmp_path / "m.onnx", nodes, given, functions=functions)
    tensors = named(open_checkpoint(path))
    one, two = (tensors[name].operator for name in ("one.weight", "two.weight"))
    assert one.groups == two.groups == 6
    assert (one.padding, one.stride, one.dilation) == ((1, 2), (2, 1), (2, 2))
    assert two.padding == "same"


def test_functions_hand_references_on(tmp_path: Path) -> None:
    outer = function(
        "Outer",
        [referring(call("Turned", "weight"), order=("perm", "ints"))],
        ("perm",),
        output="Turned.weight.out",
    )
    functions = [turned(attributes=("order",)), outer]
    nodes = [call("Outer", perm=[3, 2, 0, 1])]
    path = save(
        tmp_path / "m.onnx",
        nodes,
        [initializer("dw.weight", LAST)],
        functions=functions,
    )
    np.testing.assert_array_equal(only(path).load(), W)
    check_inlined(path, W)


def test_each_call_has_its_own_attributes(tmp_path: Path) -> None:
    functions = [turned(attributes=("order",))]
    nodes = [
        call("Turned", "one.weight", order=[3, 2, 0, 1]),
        call("Turned", "two.weight", order=[3, 2, 1, 0]),
    ]
    given = [initializer("one.weight", LAST), initializer("two.weight", LAST)]
    path = save(tmp_path / "m.onnx", nodes, given, functions=functions)
    tensors = named(open_checkpoint(path))
    np.testing.assert_array_equal(tensors["one.weight"].load(), W)
    two = tensors["two.weight"].load()
    np.testing.assert_array_equal(two, W.transpose(0, 1, 3, 2))


def test_overloads_are_told_apart(tmp_path: Path) -> None:
    bodies = [[node("Conv", ["x", "weight"], ["y"], group=n)] for n in (1, 6)]
    functions = [function("Block.a", bodies[0]), function("Block.b", bodies[1])]
    nodes = [call("Block", f"{name}.weight", overload=name) for name in "ab"]
    given = [initializer("a.weight", W), initializer("b.weight", W + 1)]
    path = save(tmp_path / "m.onnx", nodes, given, functions=functions)
    assert [t.name for t in depthwise(open_checkpoint(path))] == ["b.weight"]


def test_both_spellings_of_the_standard_domain(tmp_path: Path) -> None:
    made = function("Block", [node("Conv", ["x", "weight"], ["y"], group=6)])
    made.domain = "ai.onnx"
    block = node("Block", ["x", "dw.weight"], ["y"])
    path = save(
        tmp_path / "m.onnx", [block], [initializer("dw.weight", W)], functions=[made]
    )
    np.testing.assert_array_equal(only(path).load(), W)


@pytest.mark.parametrize("kind", ["tensor", "floats"])
def test_constants_by_reference(tmp_path: Path, kind: str) -> None:
    own = {"tensor": "value", "floats": "value_floats"}[kind]
    nodes = [
        referring(node("Constant", [], ["flat"]), **{own: ("kernels", kind)}),
        referring(node("Constant", [], ["shape"]), value_ints=("shape", "ints")),
        node("Reshape", ["flat", "shape"], ["w"]),
        node("Conv", ["x", "w"], ["y"], group=6),
    ]
    functions = [function("Own", nodes, ("kernels",), ("x",), shape=[6, 1, 3, 3])]
    flat = initializer("", W.ravel()) if kind == "tensor" else W.ravel().tolist()
    block = node("Own", ["x"], ["y"], domain="my", kernels=flat)
    path = save(tmp_path / "m.onnx", [block], functions=functions)
    np.testing.assert_array_equal(only(path).load(), W)


def test_weights_that_a_function_prepares(tmp_path: Path) -> None:
    prepare = function(
        "Prepare",
        [
            referring(
                node("DequantizeLinear", ["q", "s", "z"], ["d"]), axis=("a", "int")
            ),
            referring(node("Transpose", ["d"], ["w"]), perm=("order", "ints")),
        ],
        ("a", "order"),
        ("q", "s", "z"),
        "w",
    )
    steps = np.arange(54, dtype=np.int8).reshape(3, 3, 1, 6)
    scale = np.arange(1, 7, dtype=np.float32)
    # The zero point is left out: where the function is called, and by its name.
    nodes = [
        node(
            "Prepare", inputs, [f"{name}.weight"], domain="my", a=3, order=[3, 2, 0, 1]
        )
        for name, inputs in (("one", ["q", "s"]), ("two", ["q", "t", ""]))
    ]
    nodes += [conv("one.weight", 6), conv("two.weight", 6)]
    given = [
        initializer("q", steps),
        initializer("s", scale),
        initializer("t", 2 * scale),
    ]
    path = save(tmp_path / "m.onnx", nodes, given, functions=[prepare])
    checkpoint = open_checkpoint(path)
    assert not checkpoint.warnings
    expected = (steps * scale).transpose(3, 2, 0, 1)
    one, two = checkpoint.tensors
    np.testing.assert_array_equal(one.load(), expected)
    np.testing.assert_array_equal(two.load(), 2 * expected)


def test_branches_in_a_function_see_its_attributes(tmp_path: Path) -> None:
    branch = helper.make_graph(
        [
            referring(node("Transpose", ["weight"], ["w"]), perm=("order", "ints")),
            node("Conv", ["x", "w"], ["y"], group=6),
        ],
        "then", [], [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
    )  # fmt: skip
    choose = node("If", ["c"], ["y"], then_branch=branch, else_branch=branch)
    functions = [function("Choose", [choose], ("order",), ("x", "weight", "c"))]
    path = save(
        tmp_path / "m.onnx",
        [call("Choose", order=[3, 2, 0, 1])],
        [initializer("dw.weight", LAST)],
        functions=functions,
    )
    np.testing.assert_array_equal(only(path).load(), W)


@pytest.mark.parametrize("operator", ["Loop", "Scan", "SequenceMap"])
def test_bodies_use_the_weights_around_them(operator: str, tmp_path: Path) -> None:
    inner = [
        node("Transpose", ["turned"], ["w"], perm=[1, 0, 2, 3]),
        node("Conv", ["slice", "w"], ["y"], group=6),
    ]
    end = helper.make_tensor_value_info("y", TensorProto.FLOAT, None)
    body = helper.make_graph(inner, "body", [], [end])
    nodes = [
        node("Transpose", ["dw.weight"], ["turned"], perm=[1, 0, 3, 2]),
        node(operator, ["x"], ["z"], body=body),
    ]
    path = save(tmp_path / "m.onnx", nodes, [initializer("dw.weight", W)])
    np.testing.assert_array_equal(only(path).load(), W.transpose(0, 1, 3, 2))


def one_or_the_other(condition: list[onnx.NodeProto]) -> onnx.FunctionProto:
    """A function that convolves one way or the other, as exporters write it."""
    end = helper.make_tensor_value_info("z", TensorProto.FLOAT, None)
    branches = [
        helper.make_graph(
            [node(operator, ["x", "weight"], ["z"], group=6)], "b", [], [end]
        )
        for operator in ("ConvTranspose", "Conv")
    ]
    choose = node("If", ["c"], ["y"], then_branch=branches[0], else_branch=branches[1])
    return function("Either", [*condition, choose], ("transposed",))


@pytest.mark.parametrize("transposed", [0, 1])
def test_a_branch_that_a_setting_rules_out_is_not_visited(
    transposed: int, tmp_path: Path
) -> None:
    condition = [
        referring(node("Constant", [], ["t"]), value_int=("transposed", "int")),
        node("Cast", ["t"], ["c"], to=TensorProto.BOOL),
    ]
    path = save(
        tmp_path / "m.onnx",
        [call("Either", transposed=transposed)],
        [initializer("dw.weight", W)],
        functions=[one_or_the_other(condition)],
    )
    assert only(path).operator.transposed == bool(transposed)


def test_both_branches_are_visited_where_only_a_run_decides(tmp_path: Path) -> None:
    nodes = [node("ReduceMax", ["x"], ["m"]), node("Cast", ["m"], ["c"], to=9)]
    path = save(
        tmp_path / "m.onnx",
        [call("Either")],
        [initializer("dw.weight", W)],
        functions=[one_or_the_other(nodes)],
    )
    found = [tensor.operator.transposed for tensor in open_checkpoint(path).tensors]
    assert sorted(found) == [False, True]


def test_kernels_in_a_branch_that_never_runs_are_told_of(tmp_path: Path) -> None:
    branches = [
        helper.make_graph([conv(name, 6)], "b", [], [], [initializer(name, W)])
        for name in ("taken", "never")
    ]
    choose = node("If", ["c"], ["y"], then_branch=branches[0], else_branch=branches[1])
    path = save(tmp_path / "m.onnx", [choose], [initializer("c", np.array(True))])
    checkpoint = open_checkpoint(path)
    assert [tensor.name for tensor in checkpoint.tensors] == ["taken.weight"]
    assert [(item.name, item.reason) for item in checkpoint.skipped] == [
        ("never", "no operation of the network takes it")
    ]


@pytest.mark.parametrize("by_default", [True, False])
def test_a_branch_may_be_an_attribute(tmp_path: Path, by_default: bool) -> None:
    branch = helper.make_graph(
        [conv("inner.weight", 6)], "then", [], [], [initializer("inner.weight", W)]
    )
    choose = referring(node("If", ["c"], ["y"]), then_branch=("body", "graph"))
    defaults = {"body": branch} if by_default else {}
    attributes = () if by_default else ("body",)
    functions = [function("Choose", [choose], attributes, ("c",), **defaults)]
    block = node("Choose", ["c"], ["y"], domain="my", **({} if by_default else
                 {"body": branch}))  # fmt: skip
    path = save(tmp_path / "m.onnx", [block], functions=functions)
    np.testing.assert_array_equal(only(path).load(), W)


def test_functions_within_functions_many_deep(tmp_path: Path) -> None:
    functions = [
        function(
            f"F{level}", [node(f"F{level + 1}", ["x", "weight"], ["y"], domain="my")]
        )
        for level in range(30)
    ]
    functions.append(function("F30", [node("Conv", ["x", "weight"], ["y"], group=6)]))
    path = save(
        tmp_path / "m.onnx", [call("F0")], [initializer("dw.weight", W)],
        functions=functions,
    )  # fmt: skip
    np.testing.assert_array_equal(only(path).load(), W)


def test_shared_calls_are_listed_once(tmp_path: Path) -> None:
    functions = [turned(order=[3, 2, 0, 1])]
    nodes = [call("Turned"), call("Turned", order=[3, 2, 0, 1])]
    path = save(
        tmp_path / "m.onnx",
        nodes,
        [initializer("dw.weight", LAST)],
        functions=functions,
    )
    assert len(open_checkpoint(path).tensors) == 1
