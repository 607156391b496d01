"""Real files with bytes changed or cut off: only `CheckpointError` ever comes out.

``KERNELVIEWER_FUZZ=2000`` tries so many cases of each format, not always the same.
"""

from __future__ import annotations

import os
from random import Random
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kernelviewer.formats import CheckpointError, open_checkpoint
from tests.formats import (
    keras_models,
    onnx_models,
    paddle_models,
    tfjs_models,
    tflite_models,
)
from tests.formats.every_format import FORMATS
from tests.formats.reading import weights
from tests.formats.test_flax import packed
from tests.formats.test_flax import save as save_flax
from tests.formats.test_tf_graph import constant, graph
from tests.recorder import EndedError, Recorder
from tests.shared import CHECKPOINTS, needs_checkpoints

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

CASES = int(os.environ.get("KERNELVIEWER_FUZZ", "0"))
fuzzed = settings(
    max_examples=CASES or 50,
    derandomize=not CASES,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

REAL = {
    "onnx": "cfsr-x2-df2k-aitical.onnx",
    "quantised onnx": "deimv2-atto-coco-dynint8.onnx",
    "tflite": "mcunet-vww-int8-tinyengine.tflite",
    "half precision tflite": "mediapipe-hand-landmark-full-fp16.tflite",
    "keras 2": "eegnet-8-2-erp-arl.h5",
    "keras 3": "minixception-fer-dmytro.keras",
    "npz": "proxylessnas-w0.3-imagenet-flaxlayout.npz",
}


def _onnx(path: Path) -> Path:
    kernels = onnx_models.initializer("w", weights(0, (6, 1, 3, 3)))
    return onnx_models.save(path, [onnx_models.conv("w", 6)], [kernels])


def _onnx_functions(path: Path) -> Path:
    """Attributes by reference, scales, a layer taken apart."""
    from tests.formats.test_onnx_functions import LAST, call, turned
    from tests.formats.test_onnx_split import by_slices

    nodes, given = by_slices()
    nodes = [
        call("Turned", "d"),
        onnx_models.operation("DequantizeLinear", ["q", "s"], ["d"]),
        *nodes,
    ]
    steps = (LAST * 40).astype("int8")
    scales = weights(1, (6,))
    given += [onnx_models.initializer("q", steps), onnx_models.initializer("s", scales)]
    return onnx_models.save(path, nodes, given, functions=[turned(order=[3, 2, 0, 1])])


def _tflite(path: Path) -> Path:
    graph = tflite_models.depthwise_graph(weights(0, (1, 3, 3, 6)), 6)
    return tflite_models.save(path, [graph], far=True)


def _keras(path: Path) -> Path:
    kernels = {"dw": {"dw/depthwise_kernel:0": weights(0, (3, 3, 6, 1))}}
    config = keras_models.model(keras_models.layer("DepthwiseConv2D", "dw"))
    return keras_models.save_keras2(path, kernels, config, compression="gzip")


def _tfjs(path: Path) -> Path:
    arrays = {"dw": weights(0, (3, 3, 6, 1)), "bias": weights(1, (6,))}
    nodes = [tfjs_models.node("a", "DepthwiseConv2dNative", ("x", "dw"))]
    folder = path.parent / "net"
    return tfjs_models.save_graph(folder, nodes, arrays, quantised="uint8", shard=40)


def _paddle(path: Path) -> Path:
    arrays = {"a.w_0": weights(0, (6, 1, 3, 3)), "a.b_0": weights(1, (6,))}
    layers = [paddle_models.Layer("depthwise_conv2d", "a.w_0", 6)]
    return paddle_models.save(path.with_name("net.pdmodel"), layers, arrays)


def _tf_graph(path: Path) -> Path:
    kernels = weights(0, (3, 3, 6, 1))
    path.write_bytes(graph(constant("net/dw/depthwise_weights", kernels)))
    return path


def _flax(path: Path) -> Path:
    kernel = packed(weights(0, (3, 3, 1, 6)))
    return save_flax(path, {"params": {"dw": {"kernel": kernel}}, "step": 3})


def _npy(path: Path) -> Path:
    import numpy as np

    with path.open("wb") as file:
        np.save(file, weights(0, (6, 1, 3, 3)))
    return path


def _npz(path: Path) -> Path:
    import numpy as np

    arrays = [weights(0, shape) for shape in ((3, 3, 6, 1), (1, 1, 6, 4), (5, 6, 1))]
    with path.open("wb") as file:
        np.savez(file, *arrays)
    return path


SMALL: dict[str, Callable[[Path], Path]] = {
    "onnx": _onnx,
    "onnx functions": _onnx_functions,
    "tflite": _tflite,
    "keras": _keras,
    "flax": _flax,
    "tfjs": _tfjs,
    "tf graph": _tf_graph,
    "paddle": _paddle,
    "npy": _npy,
    "nameless npz": _npz,
}


def changed(data: bytes, seed: int) -> bytes:
    """Some bytes changed, rather at the start where the structure is, or a cut.

    Drawn from a seed: Hypothesis itself prefers few and simple changes.
    """
    random = Random(seed)
    near = min(len(data), 1 << random.randint(5, 24))
    result = bytearray(data)
    for _ in range(random.choice([0, 1, 2, 8, 32, 128])):
        at = random.randrange(near)
        other = [0, 1, 0x7F, 0x80, 0xFF, random.randrange(256), result[at] ^ 1]
        result[at] = random.choice(other)
    if random.random() < 0.25:
        del result[random.randrange(8, len(result)) :]
    return bytes(result)


def try_to_read(path: Path) -> None:
    """Open a file and read all its values; any error but ours fails the test."""
    try:
        checkpoint = open_checkpoint(path)
        for tensor in checkpoint.tensors:
            tensor.load()
    except CheckpointError:
        return


@pytest.mark.parametrize("name", SMALL)
def test_opening_can_be_cancelled(name: str, tmp_path: Path) -> None:
    path = SMALL[name](tmp_path / "m")
    with pytest.raises(EndedError):
        open_checkpoint(path, watch=Recorder(end=1))


PARTS = ("Paddle", "TensorFlow.js", "ONNX with weights beside", "sharded")
"""Networks whose weights lie in files beside the one that is opened."""


@pytest.mark.parametrize("name", PARTS)
@pytest.mark.timeout(7200 if CASES else 120)
@fuzzed
@given(seed=st.integers(0, 1 << 64))
def test_changed_parts(name: str, seed: int, tmp_path: Path) -> None:
    """Some of the files are changed, with the others beside them."""
    path = FORMATS[name](tmp_path, 0)
    files = sorted(file for file in tmp_path.iterdir() if file.is_file())
    random = Random(seed)
    chosen = [path] if random.random() < 0.5 else random.sample(files, k=2)
    for number, file in enumerate(chosen):
        file.write_bytes(changed(file.read_bytes(), seed + number))
    try_to_read(path)


@needs_checkpoints
@pytest.mark.parametrize("name", REAL)
@pytest.mark.timeout(3600 if CASES else 120)
@fuzzed
@given(seed=st.integers(0, 1 << 64))
def test_changed_real_files(name: str, seed: int, tmp_path: Path) -> None:
    data = (CHECKPOINTS / REAL[name]).read_bytes()
    path = tmp_path / "changed"
    path.write_bytes(changed(data, seed))
    try_to_read(path)


@pytest.mark.parametrize("name", SMALL)
@pytest.mark.timeout(3600 if CASES else 120)
@fuzzed
@given(seed=st.integers(0, 1 << 64))
def test_changed_small_files(name: str, seed: int, tmp_path: Path) -> None:
    path = SMALL[name](tmp_path / "changed")
    path.write_bytes(changed(path.read_bytes(), seed))
    try_to_read(path)


@pytest.mark.timeout(3600 if CASES else 120)
@fuzzed
@given(seed=st.integers(0, 1 << 64))
def test_senseless_onnx_operations(seed: int, tmp_path: Path) -> None:
    """Operators with inputs and settings drawn at random."""
    random = Random(seed)
    path = onnx_models.senseless(tmp_path / "m.onnx", random)
    checkpoint = open_checkpoint(path)
    for tensor in checkpoint.tensors:
        assert tensor.load().shape == tensor.shape
