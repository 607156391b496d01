"""PyTorch zip files."""

from __future__ import annotations

import pickle
import zipfile
from collections import OrderedDict
from typing import TYPE_CHECKING, Any

import numpy as np

from kernelviewer.formats.checkpoint import Checkpoint, CheckpointError, Tensor
from kernelviewer.formats.dtypes import decode

if TYPE_CHECKING:
    from kernelviewer.formats.source import Options, Source


class _Stub:
    def __init__(self, *arguments: Any) -> None:
        self.arguments = arguments

    def __setstate__(self, state: Any) -> None:
        self.state = state


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        """Stand-ins only: nothing is imported."""
        if name == "OrderedDict":
            return OrderedDict
        if name == "_rebuild_tensor_v2":
            return lambda *arguments: ("tensor", *arguments)
        if name.endswith("Storage"):
            return name
        return _Stub

    def persistent_load(self, pid: Any) -> Any:
        """Keep the storage's description."""
        return pid


def match(source: Source) -> bool:
    """Whether the file is a zip with a pickle in it."""
    return source.head[:4] == b"PK\x03\x04" and b"data.pkl" in source.head


def open_torch_zip(source: Source, options: Options) -> Checkpoint:
    """Read the pickle."""
    try:
        archive = zipfile.ZipFile(source.path)
    except zipfile.BadZipFile:
        raise CheckpointError(
            source.path, "half a download: the end of the file is missing"
        ) from None
    with archive:
        record = next(n for n in archive.namelist() if n.endswith("data.pkl"))
        tree = _Unpickler(archive.open(record)).load()
    while isinstance(tree, dict) and tree and not any(isinstance(v, tuple) for v in tree.values()):
        keys = [k for k in ("params_ema", "params", "state_dict", "model_state_dict", "model_state", "model") if k in tree]
        tree = tree[keys[0]] if keys else {}
    tensors = []
    for name, value in tree.items():
        if isinstance(value, tuple) and value[0] == "tensor":
            (_, kind, key, _, _), offset, shape, strides = value[1:5]
            if not kind.startswith(("Float", "Half", "Double")):
                continue
            dtype = {"F": "float32", "H": "float16", "D": "float64"}[kind[0]]
            member = f"{record[:-8]}data/{key}"

            def load(member=member, dtype=dtype, offset=offset, shape=shape) -> Any:
                with zipfile.ZipFile(source.path) as archive:
                    raw = np.frombuffer(archive.read(member), np.uint8)
                count = int(np.prod(shape))
                return decode(raw, dtype)[offset : offset + count].reshape(shape)

            tensors.append(Tensor(name.removeprefix("module."), tuple(shape), dtype, load, name))
    return Checkpoint(source.path, "PyTorch", source.size, tuple(tensors))
