"""Writes TensorFlow.js networks: the JSON and the files with weights beside it."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    Arrays = dict[str, NDArray[np.generic]]


def packed(
    values: NDArray[np.generic], dtype: str
) -> tuple[NDArray[Any], dict[str, Any]]:
    """Values as the converter quantises them, and what it notes of that."""
    if dtype == "float16":
        return values.astype(np.float16), {"dtype": dtype, "original_dtype": "float32"}
    steps = np.iinfo(dtype).max
    least, scale = float(values.min()), float(np.ptp(values)) / steps
    whole = np.round((values - least) / scale).astype(dtype)
    return whole, {"dtype": dtype, "min": least, "scale": scale}


def manifest(
    folder: Path, arrays: Arrays, quantised: str = "", shard: int = 1 << 20
) -> list[dict[str, Any]]:
    """Write the arrays in pieces of ``shard`` bytes; gives the list of weights."""
    weights, raw = [], b""
    for name, array in arrays.items():
        entry = {"name": name, "shape": list(array.shape), "dtype": str(array.dtype)}
        if quantised and array.dtype == np.float32:
            array, entry["quantization"] = packed(array, quantised)
        weights.append(entry)
        raw += array.tobytes()
    pieces = [raw[at : at + shard] for at in range(0, len(raw), shard)]
    paths = [f"group1-shard{i + 1}of{len(pieces)}.bin" for i in range(len(pieces))]
    for path, piece in zip(paths, pieces, strict=True):
        (folder / path).write_bytes(piece)
    return [{"paths": paths, "weights": weights}]


def node(
    name: str, operator: str, inputs: tuple[str, ...] = (), **facts: Any
) -> dict[str, Any]:
    """A node of a graph; lists of numbers and texts are written as TensorFlow does."""
    attributes = {
        key: {"s": base64.b64encode(value.encode()).decode()}
        if isinstance(value, str)
        else {"list": {"i": [str(item) for item in value]}}
        for key, value in facts.items()
    }
    return {"name": name, "op": operator, "input": list(inputs), "attr": attributes}


def save_graph(
    folder: Path, nodes: list[dict[str, Any]], arrays: Arrays, **how: Any
) -> Path:
    """A graph model in a folder, which is made."""
    folder.mkdir(exist_ok=True)
    constants = [node(name, "Const") for name in arrays]
    content = {
        "format": "graph-model",
        "generatedBy": "2.16.1",
        "modelTopology": {"node": constants + nodes, "versions": {}},
        "weightsManifest": manifest(folder, arrays, **how),
    }
    return _written(folder, content)


def save_layers(folder: Path, config: dict[str, Any], arrays: Arrays) -> Path:
    """A Keras model in a folder, which is made."""
    folder.mkdir(exist_ok=True)
    content = {
        "format": "layers-model",
        "modelTopology": {"keras_version": "2.15.0", "model_config": config},
        "weightsManifest": manifest(folder, arrays),
    }
    return _written(folder, content)


def _written(folder: Path, content: dict[str, Any]) -> Path:
    path = folder / "model.json"
    path.write_text(json.dumps(content))
    return path
