"""Bad Keras and HDF5 files: cut off, damaged, linked elsewhere, no network."""

from __future__ import annotations

import json
import zipfile
from typing import TYPE_CHECKING

import h5py
import numpy as np

from tests.files.bad_file import AGAIN, BadFile, cut
from tests.formats.keras_models import (
    keras3_weights,
    layer,
    model,
    save_keras2,
    save_keras3,
)
from tests.formats.reading import weights

if TYPE_CHECKING:
    from pathlib import Path

K = weights(0, (3, 3, 6, 1))
DW = "depthwise_kernel:0"
HALF = "its end is missing: it is half a download. Download it again."
CONFIG = model(layer("DepthwiseConv2D", "dw"))
NO_NETWORK = (
    "an HDF5 file, but its contents are not those of a network. "
    "Files that Keras saves (.keras, .h5, .weights.h5) can be opened."
)
ELSEWHERE = (
    "its weights lie in another file, and such links are not followed. "
    "Open that file instead."
)
DAMAGED = f"an HDF5 file, but its HDF5 structure is damaged. {AGAIN}"


def bad_files(folder: Path) -> list[BadFile]:
    """Write the files; all of them, with the message for each."""
    whole = save_keras2(folder / "whole.h5", {"dw": {f"dw/{DW}": K}}, CONFIG)
    data = whole.read_bytes()
    return [
        *cut(whole, data, f"an HDF5 file, but {HALF}"),
        *_archives(folder),
        *_links(folder),
        *_claims(folder, data),
        *_configurations(folder),
    ]


def _archives(folder: Path) -> list[BadFile]:
    """Broken ``.keras`` files."""
    stored = keras3_weights({"layers/depthwise_conv2d/vars/0": K})
    whole = save_keras3(folder / "whole.keras", stored, CONFIG)
    half = cut(whole, whole.read_bytes(), f"a Keras model, but {HALF}", 3)
    inner = save_keras3(folder / "inner-cut.keras", stored[:-600], CONFIG)
    empty = folder / "no-weights.keras"
    with zipfile.ZipFile(empty, "w") as archive:
        archive.writestr("metadata.json", json.dumps({"keras_version": "3.10.0"}))
        archive.writestr("config.json", json.dumps(CONFIG))
    return [
        *half,
        BadFile(inner, f"a Keras model, but {HALF}"),
        BadFile(empty, f"a Keras model, but there are no weights in it. {AGAIN}"),
    ]


def _links(folder: Path) -> list[BadFile]:
    """Links out of the file and in circles."""
    outside, virtual = folder / "external-link.h5", folder / "virtual.h5"
    raw, circle = folder / "external-data.h5", folder / "circle.h5"
    with h5py.File(folder / "other.h5", "w") as file:
        file["kernel"] = K
    with h5py.File(outside, "w") as file:
        file[f"dw/{DW}"] = h5py.ExternalLink("other.h5", "kernel")
        file["passwd"] = h5py.ExternalLink("/etc/passwd", "/")
    with h5py.File(virtual, "w") as file:
        layout = h5py.VirtualLayout(K.shape, K.dtype)
        layout[:] = h5py.VirtualSource(folder / "other.h5", "kernel", K.shape)
        file.create_virtual_dataset(f"dw/{DW}", layout)
    with h5py.File(raw, "w") as file:
        external = [("/etc/passwd", 0, K.nbytes)]
        file.create_dataset(f"dw/{DW}", K.shape, K.dtype, external=external)
    with h5py.File(circle, "w") as file:
        file["a"] = h5py.SoftLink("/b")
        file["b"] = h5py.SoftLink("/a")
        file["c/d"] = file["/"]
    return [
        BadFile(outside, ELSEWHERE),
        BadFile(virtual, ELSEWHERE),
        BadFile(raw, ELSEWHERE),
        BadFile(circle, NO_NETWORK),
    ]


def _claims(folder: Path, data: bytes) -> list[BadFile]:
    """Terabytes that are not there, and bytes that mean nothing."""
    huge, packed = folder / "terabytes.h5", folder / "terabytes-packed.h5"
    for path, options in ((huge, {}), (packed, {"chunks": (1, 1, 1024, 1)})):
        with h5py.File(path, "w") as file:
            shape = (3, 3, 1 << 40, 1)
            dataset = file.create_dataset(f"dw/{DW}", shape, "f4", **options)
            if options:
                dataset[0, 0, :8, 0] = 1
    beyond = folder / "beyond.h5"
    at = data.index(K.tobytes()).to_bytes(8, "little")
    beyond.write_bytes(data.replace(at, (1 << 40).to_bytes(8, "little")))
    root = folder / "no-root.h5"
    root.write_bytes(data[:24] + bytes([0xFF] * 72) + data[96:])
    large = "is packed and very large. Save it without packing."
    return [
        BadFile(huge, NO_NETWORK),
        BadFile(packed, f"“dw/{DW}” in it {large}"),
        BadFile(beyond, DAMAGED),
        BadFile(root, DAMAGED),
    ]


def _configurations(folder: Path) -> list[BadFile]:
    """Configurations that cannot be read, and files without a network."""
    optimizer, images = folder / "optimizer.h5", folder / "images.h5"
    with h5py.File(optimizer, "w") as file:
        file.attrs["keras_version"] = "2.4.0"
        file[f"optimizer_weights/dw/{DW}"] = K
    with h5py.File(images, "w") as file:
        file["images"] = np.zeros((8, 28, 28, 1), np.float32)
    stored = keras3_weights({"layers/depthwise_conv2d/vars/0": K})
    nested = folder / "nested.keras"
    with zipfile.ZipFile(nested, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("metadata.json", json.dumps({"keras_version": "3.10.0"}))
        archive.writestr("config.json", "[" * 1_000_000)
        archive.writestr("model.weights.h5", stored)
    return [
        BadFile(
            optimizer,
            "this file holds an optimizer's state and no network. "
            "Open the model's own file.",
        ),
        BadFile(images, NO_NETWORK),
        BadFile(nested, f"a Keras model, but its configuration is damaged. {AGAIN}"),
    ]
