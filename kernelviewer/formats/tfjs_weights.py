"""TensorFlow.js's weights manifest: which bytes of which files are which array."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from kernelviewer.formats.beside import file_beside
from kernelviewer.formats.damage import DamagedError
from kernelviewer.formats.dtypes import ITEMSIZE, decode
from kernelviewer.formats.leaves import Leaf
from kernelviewer.formats.unpacked import check

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from kernelviewer.formats.opened import OpenedFile

_NO_MANIFEST = "its list of weights makes no sense"
_CUT = "the files with its weights are shorter than its list of weights says"
_TYPES = {"float32", "float16", "int32", "uint8", "bool", "complex64"}
_PACKED = {"uint8", "uint16", "float16"}
_MAX_SHARDS = 10_000
_MAX_TEXTS = 1 << 16
_NOTHING = np.empty(0, np.uint8)


def read_manifest(
    manifest: object, model: Path, check: Callable[[], None]
) -> tuple[list[Leaf], list[OpenedFile]]:
    """The arrays of a weights manifest, and the files that they lie in.

    Parameters
    ----------
    manifest
        What the JSON says: groups of files (``paths``) and of the ``weights`` in them.
    model
        The JSON file; the others must lie in its folder or below.
    check
        Called before each file; what it raises cancels.

    Raises
    ------
    DamagedError
        The list makes no sense, or the files are too short.
    CheckpointError
        A file is missing or lies elsewhere.
    """
    leaves: list[Leaf] = []
    files: list[OpenedFile] = []
    for group in _entries(manifest):
        stream = _Stream([])
        for path in _texts(group.get("paths")):
            check()
            stream.files.append(file_beside(model, path))
        files += stream.files
        leaves += _leaves(stream, _entries(group.get("weights")))
    return leaves, files


@dataclass(frozen=True, slots=True, eq=False)
class _Stream:
    """The files of a group, one after the other."""

    files: list[OpenedFile]

    @property
    def size(self) -> int:
        return sum(file.size for file in self.files)

    def read(self, offset: int, count: int) -> NDArray[np.uint8]:
        """Bytes as uint8 [count]; a weight may begin in one file and end in another."""
        pieces = []
        for file in self.files:
            if offset < file.size and count:
                here = min(count, file.size - offset)
                pieces.append(file.read(offset, here))
                offset, count = offset + here, count - here
            offset = max(0, offset - file.size) if count else 0
        return pieces[0] if len(pieces) == 1 else np.concatenate([_NOTHING, *pieces])


def _leaves(stream: _Stream, weights: list[dict[str, Any]]) -> Iterator[Leaf]:
    """The arrays of a group, which lie in its files without gaps."""
    at, size = 0, stream.size
    for weight in weights:
        check()
        name, shape = weight.get("name"), weight.get("shape")
        if (
            not isinstance(name, str)
            or not isinstance(shape, list)
            or not all(type(side) is int and side >= 0 for side in shape)
        ):
            raise DamagedError(_NO_MANIFEST)
        packing = weight.get("quantization")
        packing = packing if isinstance(packing, dict) else {}
        stored = packing.get("dtype", weight.get("dtype"))
        if stored not in (_PACKED if packing else _TYPES | {"string"}):
            msg = f"its weight “{name[-60:]}” is of an unknown type, “{stored}”"
            raise DamagedError(msg)
        count = math.prod(shape)
        length = (
            _length_of_texts(stream, at, count)
            if stored == "string"
            else count * ITEMSIZE[stored]
        )
        if at + length > size:
            raise DamagedError(_CUT, "Download all of them again.")
        yield _leaf(stream, at, name, tuple(shape), stored, packing)
        at += length


def _leaf(
    stream: _Stream,
    at: int,
    name: str,
    shape: tuple[int, ...],
    stored: str,
    packing: dict[str, Any],
) -> Leaf:
    parts = tuple(part for part in name.split("/") if part) or (name,)
    if stored == "string":
        return Leaf(parts, name, shape, stored, lambda: _NOTHING, unusable="texts")
    scale, least = _number(packing.get("scale", 1)), _number(packing.get("min", 0))

    def load() -> NDArray[np.generic]:
        raw = stream.read(at, math.prod(shape) * ITEMSIZE[stored])
        values = decode(raw, stored).reshape(shape)
        if not packing:
            return values
        # float16 has neither; a step of 1 and a least of 0 leave it as it is
        return np.asarray(values.astype(np.float32) * scale + least, np.float32)

    return Leaf(parts, name, shape, stored, load)


def _length_of_texts(stream: _Stream, at: int, count: int) -> int:
    """Bytes of an array of texts, each preceded by its length."""
    if count > _MAX_TEXTS:
        raise DamagedError(_NO_MANIFEST)
    start, size = at, stream.size
    for _ in range(count):
        check()
        if at + 4 > size:
            raise DamagedError(_CUT, "Download all of them again.")
        at += 4 + int(stream.read(at, 4).view("<u4")[0])
    return at - start


def _number(value: object) -> np.float32:
    if not isinstance(value, int | float):
        raise DamagedError(_NO_MANIFEST)
    return np.float32(value)


def _entries(value: object) -> list[dict[str, Any]]:
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise DamagedError(_NO_MANIFEST)
    return value


def _texts(value: object) -> list[str]:
    if (
        not isinstance(value, list)
        or len(value) > _MAX_SHARDS
        or not all(isinstance(item, str) for item in value)
    ):
        raise DamagedError(_NO_MANIFEST)
    return value
