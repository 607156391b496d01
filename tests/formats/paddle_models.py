"""Writes Paddle networks: a graph, and the file with its weights beside it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.formats.protobuf import field as message
from tests.formats.protobuf import varint

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

TYPES = {"int8": 21, "float16": 4, "float32": 5, "int64": 3}


@dataclass(frozen=True)
class Layer:
    """An operator that takes a variable as its kernels."""

    operator: str
    weight: str
    groups: int = 1
    lists: dict[str, tuple[int, ...]] = field(default_factory=dict)


def _type(array: NDArray[np.generic]) -> bytes:
    sides = b"".join(message(2, side) for side in array.shape)
    return message(1, TYPES[str(array.dtype)]) + sides


def _variable(name: str, array: NDArray[np.generic]) -> bytes:
    kind = message(1, 7) + message(3, message(1, _type(array)))
    return message(3, message(1, name) + message(2, kind) + message(3, 1))


def _operator(layer: Layer) -> bytes:
    inputs = [("Input", "x"), ("Filter", layer.weight)]
    parts = [message(1, message(1, key) + message(2, name)) for key, name in inputs]
    parts.append(message(3, layer.operator))
    groups = message(1, "groups") + message(2, 0) + message(3, layer.groups)
    parts.append(message(4, groups))
    for key, values in layer.lists.items():
        items = b"".join(message(6, value) for value in values)
        parts.append(message(4, message(1, key) + message(2, 3) + items))
    return message(4, b"".join(parts))


def save(
    path: Path, layers: list[Layer], arrays: dict[str, NDArray[np.generic]]
) -> Path:
    """Write ``net.pdmodel`` and ``net.pdiparams``; gives the first."""
    block = message(1, 0) + varint(2 << 3) + varint(-1)
    block += b"".join(_variable(name, array) for name, array in arrays.items())
    block += b"".join(map(_operator, layers))
    path.write_bytes(message(1, block))
    values = b""
    for _, array in sorted(arrays.items()):
        kind = _type(array)
        values += bytes(16) + len(kind).to_bytes(4, "little") + kind + array.tobytes()
    path.with_suffix(".pdiparams").write_bytes(values)
    return path
