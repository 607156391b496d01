"""Bad ONNX files: cut off, contradictory, endless, reaching out of their folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

from onnx import TensorProto, helper

from tests.files.bad_file import AGAIN, BadFile, cut
from tests.formats.onnx_models import conv, initializer, save
from tests.formats.reading import weights

if TYPE_CHECKING:
    from pathlib import Path

W = weights(0, (6, 1, 3, 3))
CUT = (
    "an ONNX model, but a part of it reaches beyond the end: "
    f"the file is cut off or damaged. {AGAIN}"
)
COUNT = (
    "an ONNX model, but a weight in it has another number of values "
    f"than its shape says. {AGAIN}"
)


def bad_files(folder: Path) -> list[BadFile]:
    """Write the files; all of them, with the message for each."""
    whole = save(folder / "whole.onnx", [conv("w", 6)], [initializer("w", W)])
    data = whole.read_bytes()
    return [
        *cut(whole, data, CUT),
        _long_graph(folder, data),
        *_shapes(folder),
        *_circles(folder),
        *_other_files(folder),
        _no_graph(folder),
    ]


def _long_graph(folder: Path, data: bytes) -> BadFile:
    """The graph's length says a terabyte."""
    at = data.index(b"\x3a", 2)  # field 7: the graph
    path = folder / "terabyte-length.onnx"
    path.write_bytes(data[: at + 1] + b"\xff\xff\xff\xff\xff\x1f" + data[at + 3 :])
    return BadFile(path, CUT)


def _shapes(folder: Path) -> list[BadFile]:
    """Shapes that contradict the bytes."""
    rows = []
    for name, shape, message in (
        ("terabyte-shape", (1 << 20, 1, 1 << 10, 1 << 8), COUNT),
        ("huge-shape", (1 << 40, 1, 1 << 40, 1 << 40), COUNT),
        ("negative-shape", (-6, 1, 3, 3),
         f"an ONNX model, but a weight in it has the shape [-6, 1, 3, 3]. {AGAIN}"),
        ("short", (7, 1, 3, 3), COUNT),
    ):  # fmt: skip
        tensor = initializer("w", W)
        del tensor.dims[:]
        tensor.dims.extend(shape)
        path = save(folder / f"{name}.onnx", [conv("w", 6)], [tensor])
        rows.append(BadFile(path, message))
    typed = helper.make_tensor("w", TensorProto.INT8, (6, 1, 3, 3), [1] * 54)
    typed.dims[0] = 1 << 40
    path = save(folder / "terabyte-typed.onnx", [conv("w", 6)], [typed])
    return [*rows, BadFile(path, COUNT)]


def _circles(folder: Path) -> list[BadFile]:
    """Weights computed from themselves, functions that call themselves."""
    itself = f"an ONNX model, but a weight in it is computed from itself. {AGAIN}"
    one = [helper.make_node("Identity", ["w"], ["w"]), conv("w", 6)]
    two = [
        helper.make_node("Transpose", ["b"], ["a"]),
        helper.make_node("Mul", ["a", "a"], ["b"]),
        conv("a", 6),
    ]
    call = helper.make_node("Block", ["x"], ["y"], domain="test")
    imports = [helper.make_opsetid("test", 1)]
    block = helper.make_function("test", "Block", ["x"], ["y"], [call], imports)
    nested = helper.make_graph([], "g", [], [])
    for _ in range(18):
        branch = helper.make_node("If", ["c"], ["d"], then_branch=nested)
        nested = helper.make_graph([branch], "g", [], [])
    return [
        BadFile(save(folder / "circle-1.onnx", one), itself),
        BadFile(save(folder / "circle-2.onnx", two), itself),
        BadFile(
            save(folder / "circle-function.onnx", [call], functions=[block]),
            f"an ONNX model, but its functions call each other in a circle. {AGAIN}",
        ),
        BadFile(
            save(folder / "nested.onnx", [*nested.node]),
            f"an ONNX model, but its graphs are nested absurdly deep. {AGAIN}",
        ),
        _unfolding(folder),
    ]


def _unfolding(folder: Path) -> BadFile:
    """Ten functions of which each calls the next ten times: 10¹⁰ operations."""
    imports = [helper.make_opsetid("test", 1)]
    functions = [
        helper.make_function(
            "test", f"F{level}", ["x"], ["y"],
            [helper.make_node(f"F{level + 1}", ["x"], ["y"], domain="test")] * 10,
            imports,
        )
        for level in range(10)
    ]  # fmt: skip
    call = helper.make_node("F0", ["x"], ["y"], domain="test")
    path = save(folder / "unfolding.onnx", [call], functions=functions)
    problem = "its functions unfold into an absurd number of operations"
    return BadFile(path, f"an ONNX model, but {problem}. {AGAIN}")


def _other_files(folder: Path) -> list[BadFile]:
    """Weights said to lie elsewhere."""
    (folder / "short.data").write_bytes(bytes(8))
    (folder.parent / "secret.data").write_bytes(W.tobytes())
    rows = []
    for number, location in enumerate(
        ("/etc/passwd", "../secret.data", "a/../../secret.data", "C:\\secret.data",
         "..\\secret.data", "", "."),
    ):  # fmt: skip
        message = (
            f"it asks for weights from “{location}”, outside its own folder, which is "
            "not allowed. Get the model from a source that you trust."
        )
        rows.append(_external(folder, f"outside-{number}", message, location=location))
    missing = (
        "its weights lie in another file, “m.data”, that is not there. Put “m.data” "
        "into the folder of missing.onnx."
    )
    short = (
        "its weights lie in “short.data” beside it, which is too short. "
        "Copy that file again; it may be half a download."
    )
    place = (
        "an ONNX model, but the place of a weight in another file is no number. "
        f"{AGAIN}"
    )
    where = {"location": "short.data"}
    return [
        *rows,
        _external(folder, "missing", missing, location="m.data"),
        _external(folder, "beyond", short, offset=str(1 << 50), **where),
        _external(folder, "external-length", COUNT, length=str(1 << 40), **where),
        _external(folder, "external-offset", place, offset="-8", **where),
    ]


def _external(folder: Path, name: str, message: str, **where: str) -> BadFile:
    tensor = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=W.shape)
    tensor.data_location = TensorProto.EXTERNAL
    for key, value in where.items():
        tensor.external_data.add(key=key, value=value)
    return BadFile(save(folder / f"{name}.onnx", [conv("w", 6)], [tensor]), message)


def _no_graph(folder: Path) -> BadFile:
    """The graph's field is there but empty of meaning: a number instead of a graph."""
    path = folder / "no-fields.onnx"
    path.write_bytes(b"\x08\x08\x3a\x02\x0b\x0b")
    problem = "it holds a kind of field that no such file has"
    return BadFile(path, f"an ONNX model, but {problem}. {AGAIN}")
