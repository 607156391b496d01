"""Small Keras files for tests, written with h5py as Keras writes them."""

from __future__ import annotations

import io
import json
import zipfile
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

Variables = dict[str, "NDArray[np.generic]"]


def layer(kind: str, name: str, **settings: Any) -> dict[str, Any]:
    """A layer's configuration."""
    return {"class_name": kind, "config": {"name": name, **settings}}


def model(*layers: dict[str, Any], name: str = "model") -> dict[str, Any]:
    """A model's configuration."""
    return {"class_name": "Functional", "config": {"name": name, "layers": [*layers]}}


def save_keras2(
    path: Path,
    layers: dict[str, Variables],
    config: dict[str, Any] | None = None,
    *,
    top: str = "model_weights",
    divide: bool = False,
    **options: Any,
) -> Path:
    """Layer → variable → values, as Keras 2 writes a model (or, at "", its weights)."""
    with h5py.File(path, "w") as file:
        if config:
            file.attrs["model_config"] = json.dumps(config).encode()
        group = file.require_group(top) if top else file
        group.attrs["keras_version"] = b"2.4.0"
        names = [name.encode() for name in layers]
        if divide:
            for index, name in enumerate(names):
                group.attrs[f"layer_names{index}"] = [name]
        else:
            group.attrs["layer_names"] = names
        for name, variables in layers.items():
            inner = group.create_group(name)
            inner.attrs["weight_names"] = [item.encode() for item in variables]
            for variable, values in variables.items():
                inner.create_dataset(variable, data=values, **options)
        if top:
            file.create_group("optimizer_weights")["dw/m/depthwise_kernel:0"] = np.ones(
                3
            )
    return path


def keras3_weights(datasets: Variables, names: dict[str, str] | None = None) -> bytes:
    """A ``.weights.h5``: path → values, and the layer's name by its group."""
    stream = io.BytesIO()
    with h5py.File(stream, "w") as file:
        for path, values in datasets.items():
            file[path] = values
        for path, name in (names or {}).items():
            file.require_group(f"{path}/vars").attrs["name"] = name
        file["optimizer/vars/2"] = np.ones((3, 3, 6, 1), np.float32)
    return stream.getvalue()


def keras3_layers(layers: dict[str, tuple[str, list[NDArray[Any]]]]) -> bytes:
    """A ``.weights.h5`` as Keras 3 writes it: in this order, a group for every layer.

    Parameters
    ----------
    layers
        Path → the layer's own name, and its variables. Lists of layers (``layers``)
        have no entry.
    """
    stream = io.BytesIO()
    with h5py.File(stream, "w") as file:
        for path, (name, variables) in [("", ("functional", [])), *layers.items()]:
            group = file.create_group(f"{path}/vars" if path else "vars")
            group.attrs["name"] = name
            for index, values in enumerate(variables):
                group[str(index)] = values
    return stream.getvalue()


def save_keras3(
    path: Path,
    weights: bytes,
    config: dict[str, Any],
    packing: int = zipfile.ZIP_STORED,
) -> Path:
    """A ``.keras`` file."""
    with zipfile.ZipFile(path, "w", packing) as archive:
        archive.writestr("metadata.json", json.dumps({"keras_version": "3.10.0"}))
        archive.writestr("config.json", json.dumps(config))
        archive.writestr("model.weights.h5", weights)
    return path
