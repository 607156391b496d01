"""Small ONNX models for tests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from onnx import TensorProto, helper, numpy_helper

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from random import Random

    import onnx
    from numpy.typing import NDArray


def initializer(name: str, values: NDArray[np.generic]) -> TensorProto:
    """A weight with raw bytes."""
    return numpy_helper.from_array(values, name)


def conv(
    weight: str, group: int, operator: str = "Conv", **more: Any
) -> onnx.NodeProto:
    """A convolution of ``x``; ``inputs`` after the weight and attributes may follow."""
    inputs = ["x", weight, *more.pop("inputs", [])]
    output = more.pop("output", f"{weight}_out")
    return helper.make_node(operator, inputs, [output], group=group, **more)


def operation(
    operator: str, inputs: Sequence[str], outputs: Sequence[str], **more: Any
) -> onnx.NodeProto:
    """Any other node."""
    return helper.make_node(operator, inputs, outputs, **more)


def save(
    path: Path,
    nodes: Sequence[onnx.NodeProto],
    initializers: Sequence[TensorProto] = (),
    **more: Any,
) -> Path:
    """Write a model of these nodes; nothing about it is checked."""
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, None)
    graph = helper.make_graph(nodes, "test", [x], [], list(initializers))
    model = helper.make_model(graph, **more)
    path.write_bytes(model.SerializeToString())
    return path


def senseless(path: Path, random: Random) -> Path:
    """A model of known operators, with inputs and settings drawn at random."""
    from kernelviewer.formats.onnx.operations import OPERATIONS

    arrays = _arrays(random)
    names, nodes = [*arrays], []
    for index in range(12):
        operator = random.choice([*OPERATIONS])
        likely = ["", "shape", "four", "eight", "one"] * 3
        inputs = [random.choice(names + likely) for _ in range(random.randint(1, 4))]
        if random.random() < 0.5:
            inputs[0] = random.choice(["kernels", *names[-3:]])
        outputs = [f"n{index}"] + [f"m{index}"] * (operator == "Split")
        nodes.append(operation(operator, inputs, outputs, **_settings(random)))
        names += outputs
        nodes.append(conv(f"n{index}", random.choice([1, 2, 6]), name=f"c{index}"))
    return save(path, nodes, [initializer(*item) for item in arrays.items()])


def _arrays(random: Random) -> dict[str, NDArray[np.generic]]:
    shapes: list[tuple[int, ...]] = [(6, 1, 3, 3), (6, 2, 3, 3), (6,), (), (4,), (1, 3)]
    noise = np.random.default_rng(random.randrange(1 << 32))
    kinds = ["f4", "f2", "f8", "i1", "u1", "i4", "i8", "u8", "?", "i2"]
    arrays: dict[str, NDArray[np.generic]] = {}
    for index in range(12):
        values = noise.integers(-3, 7, random.choice(shapes))
        arrays[f"a{index}"] = np.asarray(values, random.choice(kinds))
    return arrays | {
        "kernels": noise.normal(size=(6, 1, 3, 3)).astype("f4"),
        "large": np.array([1 << 40, -(1 << 63), (1 << 63) - 1, -1]),
        "shape": np.array([6, 1, 3, 3]),
        "four": np.array([1, 0, 2, 1]),
        "eight": np.array([1, 0, 2, 1, 0, -1, 1, 0]),
        "one": np.array([1]),
    }


def _settings(random: Random) -> dict[str, Any]:
    names = ["axis", "axes", "perm", "to", "keepdims", "block_size", "starts", "ends",
             "split", "num_outputs", "mode", "pads", "min", "max", "output_dtype",
             "allowzero", "start", "end", "noop_with_empty_axes", "value"]  # fmt: skip
    return {
        name: random.choice(
            [
                random.randint(-5, 25),
                1 << 62,
                -(1 << 62),
                0.5,
                "reflect",
                "edge",
                "wrap",
            ]
            + [random.sample([-2, -1, 0, 1, 2, 3, 7], random.randint(1, 4))] * 4
        )
        for name in random.sample(names, random.choice([0, 0, 1, 2, 4]))
    }
