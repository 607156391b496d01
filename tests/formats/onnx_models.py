"""Small ONNX models for tests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from onnx import TensorProto, helper, numpy_helper

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import numpy as np
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
