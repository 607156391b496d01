"""A small network in every format, large enough that its files have several pages."""

from __future__ import annotations

import gzip
import io
import json
import pickle
import tarfile
import zipfile
from typing import TYPE_CHECKING, Any

import numpy as np

from tests.formats import (
    keras_models,
    onnx_models,
    paddle_models,
    tfjs_models,
    tflite_models,
)
from tests.formats.reading import weights
from tests.formats.test_flax import packed
from tests.formats.test_flax import save as save_flax
from tests.formats.test_tf_graph import constant, graph

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

CHANNELS = 96


def _kernels(seed: int, *shape: int) -> NDArray[np.float32]:
    return weights(seed, shape or (CHANNELS, 1, 7, 7))


def _state(seed: int) -> dict[str, NDArray[np.float32]]:
    names = ("a.dw.weight", "b.dw.weight", "c.dw.weight")
    return {name: _kernels(seed + 10 * i) for i, name in enumerate(names)}


def _safetensors(folder: Path, seed: int) -> Path:
    from safetensors.numpy import save_file

    path = folder / "net.safetensors"
    save_file(_state(seed), path)
    return path


def _sharded(folder: Path, seed: int) -> Path:
    from safetensors.numpy import save_file

    where = {}
    for part, (name, array) in enumerate(_state(seed).items(), 1):
        file = f"model-{part:05}-of-00003.safetensors"
        save_file({name: array}, folder / file)
        where[name] = file
    path = folder / "model.safetensors.index.json"
    path.write_text(json.dumps({"weight_map": where}))
    return path


def _tensors(seed: int) -> dict[str, Any]:
    import torch

    return {name: torch.from_numpy(array) for name, array in _state(seed).items()}


def _torch(folder: Path, seed: int, **how: Any) -> Path:
    import torch

    path = folder / "net.pth"
    torch.save(_tensors(seed), path, **how)
    return path


def _torch_legacy(folder: Path, seed: int) -> Path:
    return _torch(folder, seed, _use_new_zipfile_serialization=False)


def _torch_packed(folder: Path, seed: int) -> Path:
    path = _torch(folder, seed)
    with zipfile.ZipFile(path) as archive:
        records = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in records.items():
            archive.writestr(name, data)
    return path


def _layer(seed: int) -> Any:
    import torch

    layer = torch.nn.Conv2d(CHANNELS, CHANNELS, 7, groups=CHANNELS)
    layer.weight.data = torch.from_numpy(_kernels(seed))
    return torch.nn.Sequential(layer).eval()


def _script(folder: Path, seed: int) -> Path:
    import torch

    path = folder / "net.pt"
    torch.jit.save(torch.jit.script(_layer(seed)), path)
    return path


def _export(folder: Path, seed: int) -> Path:
    import torch

    path = folder / "net.pt2"
    program = torch.export.export(_layer(seed), (torch.zeros(1, CHANNELS, 9, 9),))
    torch.export.save(program, path)
    return path


def _pickle(folder: Path, seed: int) -> Path:
    path = folder / "net.pkl"
    arrays, tensors = _state(seed), _tensors(seed + 1)
    path.write_bytes(pickle.dumps({"model": arrays, "other": tensors}, 4))
    return path


def _old_pickle(folder: Path, seed: int) -> Path:
    path = folder / "net.pkl"
    path.write_bytes(pickle.dumps({"model": _state(seed)}, 0))
    return path


def _onnx(folder: Path, seed: int) -> Path:
    kernels = onnx_models.initializer("w", _kernels(seed))
    nodes = [onnx_models.conv("w", CHANNELS)]
    return onnx_models.save(folder / "net.onnx", nodes, [kernels])


def _onnx_beside(folder: Path, seed: int) -> Path:
    import onnx

    path = _onnx(folder, seed)
    model = onnx.load(path)
    onnx.save(model, path, save_as_external_data=True, location="net.data")
    return path


def _tflite(folder: Path, seed: int) -> Path:
    kernels = _kernels(seed, 1, 7, 7, CHANNELS)
    graphs = [tflite_models.depthwise_graph(kernels, CHANNELS)]
    return tflite_models.save(folder / "net.tflite", graphs)


def _keras(folder: Path, seed: int, **how: Any) -> Path:
    kernels = {"dw": {"dw/depthwise_kernel:0": _kernels(seed, 7, 7, CHANNELS, 1)}}
    config = keras_models.model(keras_models.layer("DepthwiseConv2D", "dw"))
    return keras_models.save_keras2(folder / "net.h5", kernels, config, **how)


def _keras_packed(folder: Path, seed: int) -> Path:
    return _keras(folder, seed, compression="gzip")


def _keras3(folder: Path, seed: int) -> Path:
    name = "layers/depthwise_conv2d/vars/0"
    data = keras_models.keras3_weights({name: _kernels(seed, 7, 7, CHANNELS, 1)})
    config = keras_models.model(keras_models.layer("DepthwiseConv2D", "dw"))
    return keras_models.save_keras3(folder / "net.keras", data, config)


def _npz(folder: Path, seed: int) -> Path:
    path = folder / "net.npz"
    np.savez(path, **_state(seed))
    return path


def _npz_packed(folder: Path, seed: int) -> Path:
    path = folder / "net.npz"
    np.savez_compressed(path, **_state(seed))
    return path


def _npy(folder: Path, seed: int) -> Path:
    path = folder / "net.npy"
    np.save(path, _kernels(seed))
    return path


def _flax(folder: Path, seed: int) -> Path:
    kernel = packed(_kernels(seed, 7, 7, 1, CHANNELS))
    return save_flax(folder / "net.msgpack", {"params": {"dw": {"kernel": kernel}}})


def _paddle(folder: Path, seed: int) -> Path:
    layers = [paddle_models.Layer("depthwise_conv2d", "a.w_0", CHANNELS)]
    arrays: dict[str, NDArray[Any]] = {"a.w_0": _kernels(seed)}
    return paddle_models.save(folder / "net.pdmodel", layers, arrays)


def _tf_graph(folder: Path, seed: int) -> Path:
    path = folder / "net.pb"
    kernels = _kernels(seed, 7, 7, CHANNELS, 1)
    path.write_bytes(graph(constant("net/dw/depthwise_weights", kernels)))
    return path


def _tfjs(folder: Path, seed: int) -> Path:
    arrays = {"dw": _kernels(seed, 7, 7, CHANNELS, 1)}
    nodes = [tfjs_models.node("a", "DepthwiseConv2dNative", ("x", "dw"))]
    return tfjs_models.save_graph(folder, nodes, arrays, shard=9000)


def _tar(folder: Path, seed: int) -> Path:
    inner = _safetensors(folder, seed)
    path = folder / "net.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        data = inner.read_bytes()
        info = tarfile.TarInfo(inner.name)
        info.size = len(data)
        archive.addfile(info, io.BytesIO(data))
    inner.unlink()
    return path


def _gzip(folder: Path, seed: int) -> Path:
    inner = _safetensors(folder, seed)
    path = folder / "net.safetensors.gz"
    path.write_bytes(gzip.compress(inner.read_bytes(), mtime=0))
    inner.unlink()
    return path


def _zip(folder: Path, seed: int) -> Path:
    inner = _safetensors(folder, seed)
    path = folder / "net.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(inner, inner.name)
    inner.unlink()
    return path


FORMATS: dict[str, Callable[[Path, int], Path]] = {
    "safetensors": _safetensors,
    "sharded": _sharded,
    "torch": _torch,
    "torch packed": _torch_packed,
    "torch legacy": _torch_legacy,
    "TorchScript": _script,
    "torch.export": _export,
    "pickle": _pickle,
    "pickle of protocol 0": _old_pickle,
    "ONNX": _onnx,
    "ONNX with weights beside": _onnx_beside,
    "TFLite": _tflite,
    "Keras": _keras,
    "Keras packed": _keras_packed,
    "Keras 3": _keras3,
    "npz": _npz,
    "npz packed": _npz_packed,
    "npy": _npy,
    "Flax": _flax,
    "Paddle": _paddle,
    "TensorFlow graph": _tf_graph,
    "TensorFlow.js": _tfjs,
    "tar": _tar,
    "gzip": _gzip,
    "zip": _zip,
}
"""Format → writes a network into a folder, with weights drawn from a seed."""
