"""Frozen TensorFlow graphs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from kernelviewer.formats import CheckpointError, is_checkpoint, open_checkpoint
from kernelviewer.kernels import extract_kernels
from tests.formats.protobuf import field, varint
from tests.formats.reading import depthwise, named, weights

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

K = weights(0, (5, 3, 4, 2))
STEM = weights(1, (3, 3, 3, 4))


def tensor(
    array: NDArray[np.generic], *, one: bool = False, listed: bool = False
) -> bytes:
    """A constant's value: its bytes, its numbers one by one, or one for all."""
    kind = {"float32": 1, "float16": 19}[str(array.dtype)]
    sides = b"".join(field(2, field(1, side)) for side in array.shape)
    raw = array.ravel()[:1].tobytes() if one else array.tobytes()
    return field(1, kind) + field(2, sides) + field(5 if one or listed else 4, raw)


def node(
    name: str, operator: str, inputs: tuple[str, ...] = (), **attributes: bytes
) -> bytes:
    parts = [field(1, name), field(2, operator), *(field(3, item) for item in inputs)]
    parts += [field(5, field(1, k) + field(2, v)) for k, v in attributes.items()]
    return field(1, b"".join(parts))


def constant(name: str, array: NDArray[np.generic], **how: bool) -> bytes:
    return node(name, "Const", value=field(8, tensor(array, **how)))


def numbers(*values: int) -> bytes:
    return field(1, field(3, b"".join(map(varint, values))))


def graph(kernels: bytes) -> bytes:
    return b"".join(
        [
            node("input", "Placeholder"),
            constant("net/stem/weights", STEM),
            node("net/stem/weights/read", "Identity", ("net/stem/weights",)),
            node("net/stem/Conv2D", "Conv2D", ("input", "net/stem/weights/read")),
            kernels,
            node(
                "net/dw/depthwise",
                "DepthwiseConv2dNative",
                ("net/stem/Conv2D:0", "net/dw/depthwise_weights"),
                strides=numbers(1, 2, 2, 1),
                padding=field(2, "SAME"),
            ),
        ]
    )


def test_a_frozen_graph_is_read_by_its_operators(tmp_path: Path) -> None:
    path = tmp_path / "frozen.pb"
    path.write_bytes(graph(constant("net/dw/depthwise_weights", K)))
    checkpoint = open_checkpoint(path)
    assert checkpoint.format == "TensorFlow graph"
    tensors = named(checkpoint)
    assert list(tensors) == ["net.stem.weight", "net.dw.weight"]
    found = tensors["net.dw.weight"]
    np.testing.assert_array_equal(
        found.load(), K.transpose(2, 3, 0, 1).reshape(8, 1, 5, 3)
    )
    facts = found.operator
    assert facts is not None
    assert (facts.groups, facts.stride, facts.padding) == (4, (2, 2), "same")
    assert {size: len(k) for size, k in extract_kernels(checkpoint).sizes.items()} == {
        (5, 3): 8
    }


@pytest.mark.parametrize("listed", [True, False])
def test_other_ways_to_write_values(tmp_path: Path, listed: bool) -> None:
    path = tmp_path / "frozen.pb"
    kernels = K if listed else K.astype(np.float16)
    path.write_bytes(
        graph(constant("net/dw/depthwise_weights", kernels, listed=listed))
    )
    (found,) = depthwise(open_checkpoint(path))
    np.testing.assert_array_equal(
        found.load()[:, 0], kernels.transpose(2, 3, 0, 1).reshape(8, 5, 3)
    )


def test_one_value_for_all(tmp_path: Path) -> None:
    path = tmp_path / "frozen.pb"
    ones = np.ones_like(K)
    path.write_bytes(graph(constant("net/dw/depthwise_weights", ones, one=True)))
    (found,) = depthwise(open_checkpoint(path))
    assert found.load().shape == (8, 1, 5, 3)
    assert (found.load() == 1).all()


def test_a_graph_with_its_weights_elsewhere(tmp_path: Path) -> None:
    path = tmp_path / "graph.pb"
    path.write_bytes(
        node("w", "VariableV2") + node("c", "DepthwiseConv2dNative", ("x", "w"))
    )
    with pytest.raises(CheckpointError, match=r"lie in another file\. Freeze it"):
        open_checkpoint(path)
    path.write_bytes(node("x", "Placeholder") + node("y", "Relu", ("x",)))
    with pytest.raises(CheckpointError, match="graph without convolutions"):
        open_checkpoint(path)


def test_a_cut_or_contradictory_graph(tmp_path: Path) -> None:
    path = tmp_path / "frozen.pb"
    whole = graph(constant("net/dw/depthwise_weights", K))
    path.write_bytes(whole[:-200])
    assert is_checkpoint(path)
    with pytest.raises(CheckpointError, match="a TensorFlow graph, but"):
        open_checkpoint(path)
    short = field(1, 1) + field(2, field(2, field(1, 99))) + field(4, bytes(8))
    path.write_bytes(node("a", "Const", value=field(8, short)))
    with pytest.raises(CheckpointError, match="another number of values"):
        open_checkpoint(path)
