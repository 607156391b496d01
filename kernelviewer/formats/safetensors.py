"""safetensors files: a JSON header, then the bytes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from kernelviewer.formats.checkpoint import Checkpoint, Tensor
from kernelviewer.formats.dtypes import decode
from kernelviewer.formats.opened import OpenedFile

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

    from kernelviewer.formats.source import Options, Source

_TYPES = {"F32": "float32", "F16": "float16", "BF16": "bfloat16", "F64": "float64"}


def match(source: Source) -> bool:
    """Whether the file starts with the length of a JSON header."""
    length = int.from_bytes(source.head[:8], "little")
    return source.head[8:9] == b"{" and length <= source.size - 8


def open_safetensors(source: Source, options: Options) -> Checkpoint:
    """Read the header."""
    file = OpenedFile.of(source.path)
    length = int.from_bytes(source.head[:8], "little")
    header = json.loads(file.read(8, length).tobytes())
    tensors = []
    for name, item in header.items():
        if name == "__metadata__" or item["dtype"] not in _TYPES:
            continue
        start, end = item["data_offsets"]
        dtype, shape = _TYPES[item["dtype"]], tuple(item["shape"])
        load = _loader(file, 8 + length + start, end - start, dtype, shape)
        tensors.append(Tensor(name, shape, dtype, load, name))
    return Checkpoint(source.path, "safetensors", source.size, tuple(tensors))


def _loader(
    file: OpenedFile, offset: int, count: int, dtype: str, shape: tuple[int, ...]
) -> Callable[[], NDArray[np.generic]]:
    return lambda: decode(file.read(offset, count), dtype).reshape(shape)
