"""ONNX, TFLite, Keras, NumPy and Flax files against the ordinary way of reading them.

Opens a network of some 80 MB and reads the 5 MB of it that are depthwise.
Prints ratios; gates on nothing. Run with ``pytest -s tests/speed``.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import h5py
import msgpack
import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from kernelviewer.formats import open_checkpoint
from tests.formats import keras_models, onnx_models, tflite_models
from tests.formats.reading import is_depthwise
from tests.formats.test_flax import packed
from tests.formats.test_flax import save as save_flax

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

BLOCKS, WIDTH = 32, 768


def blocks(*, channels_last: bool) -> dict[str, NDArray[np.float32]]:
    """Depthwise 7×7 and pointwise weights of every block, in one of two layouts."""
    noise = np.random.default_rng(0)
    bases = {
        "dw": noise.normal(size=(WIDTH, 1, 7, 7)).astype(np.float32),
        "pw": noise.normal(size=(WIDTH, WIDTH, 1, 1)).astype(np.float32),
    }
    made = {
        f"block_{index}/{name}": base + np.float32(index)
        for index in range(BLOCKS)
        for name, base in bases.items()
    }
    if not channels_last:
        return made
    return {name: values.transpose(2, 3, 1, 0).copy() for name, values in made.items()}


def best(action: Callable[[], object], repeats: int = 5) -> float:
    """Shortest time in milliseconds."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        action()
        times.append((time.perf_counter() - start) * 1e3)
    return min(times)


def read_depthwise(path: Path) -> int:
    """Our way: headers, then the depthwise tensors."""
    tensors = [
        tensor
        for tensor in open_checkpoint(path).tensors
        if is_depthwise(tensor) or (len(tensor.shape) == 4 and tensor.shape[1] == 1)
    ]
    assert len(tensors) == BLOCKS
    return sum(tensor.load().nbytes for tensor in tensors)


def compare(name: str, path: Path, ordinary: Callable[[], object], how: str) -> None:
    """Print one row."""
    ours, theirs = best(lambda: read_depthwise(path)), best(ordinary)
    size = path.stat().st_size / 1e6
    print(
        f"\n{name:<12}{size:6.0f} MB {ours:8.1f} ms   {how}: {theirs:8.1f} ms"
        f"   {theirs / ours:6.1f} × faster"
    )


def test_onnx(tmp_path: Path) -> None:
    weights = blocks(channels_last=False)
    nodes = [
        onnx_models.conv(name, WIDTH if name.endswith("dw") else 1) for name in weights
    ]
    given = [onnx_models.initializer(name, values) for name, values in weights.items()]
    path = onnx_models.save(tmp_path / "m.onnx", nodes, given)

    def ordinary() -> None:
        model = onnx.load(path)
        for tensor in model.graph.initializer:
            if tensor.dims[1] == 1:
                numpy_helper.to_array(tensor)

    compare("ONNX", path, ordinary, "onnx.load and numpy_helper")


def test_tflite(tmp_path: Path) -> None:
    graphs = []
    for name, values in blocks(channels_last=True).items():
        if name.endswith("dw"):
            kernels = values.reshape(1, 7, 7, WIDTH)
            layer = f"{name}/depthwise"
            graphs.append(tflite_models.depthwise_graph(kernels, WIDTH, layer))
        else:
            tensors = [
                tflite_models.TensorSpec("x", (1, 8, 8, WIDTH)),
                tflite_models.TensorSpec(name, (WIDTH, 1, 1, WIDTH), values),
                tflite_models.TensorSpec("y", (1, 8, 8, WIDTH)),
            ]
            operator = tflite_models.OperatorSpec(tflite_models.CONV_2D, (0, 1), (2,))
            graphs.append(tflite_models.GraphSpec(tensors, [operator]))
    path = tflite_models.save(tmp_path / "m.tflite", graphs, far=True)
    compare("TFLite", path, path.read_bytes, "reading the bytes at all")


@pytest.mark.parametrize("compression", [None, "gzip"])
def test_keras(tmp_path: Path, compression: str | None) -> None:
    layers = {}
    for name, values in blocks(channels_last=True).items():
        depthwise = name.endswith("dw")
        layer = name.replace("/", "_")
        stored = values.transpose(0, 1, 3, 2) if depthwise else values
        variable = "depthwise_kernel:0" if depthwise else "kernel:0"
        layers[layer] = {f"{layer}/{variable}": stored}
    path = keras_models.save_keras2(tmp_path / "m.h5", layers, compression=compression)

    def ordinary() -> None:
        with h5py.File(path) as file:
            file.visititems(_load)

    kind = "Keras, gzip" if compression else "Keras"
    compare(kind, path, ordinary, "h5py, the whole file")


@pytest.mark.parametrize("write", [np.savez, np.savez_compressed])
def test_npz(tmp_path: Path, write: Callable[..., None]) -> None:
    weights = blocks(channels_last=True)
    named = {f"params/{name}/kernel": values for name, values in weights.items()}
    path = tmp_path / "m.npz"
    write(path, **named)

    def ordinary() -> None:
        with np.load(path) as arrays:
            for name in arrays:
                arrays[name]

    kind = "npz" if write is np.savez else "npz, packed"
    compare(kind, path, ordinary, "numpy.load of all arrays")


def test_flax(tmp_path: Path) -> None:
    weights = blocks(channels_last=True)
    tree = {"params": {name: {"kernel": packed(v)} for name, v in weights.items()}}
    path = save_flax(tmp_path / "m.msgpack", tree)

    def ordinary() -> None:
        msgpack.unpackb(path.read_bytes(), ext_hook=_unpacked, strict_map_key=False)

    compare("Flax", path, ordinary, "msgpack.unpackb of all")


def _load(_: str, item: h5py.HLObject) -> None:
    if isinstance(item, h5py.Dataset):
        item[()]


def _unpacked(code: int, data: bytes) -> NDArray[np.generic]:
    shape, dtype, raw = msgpack.unpackb(data)
    return np.frombuffer(raw, dtype).reshape(shape)
