"""TensorFlow.js: ``model.json`` of graphs and Keras models, with its weight files."""

from __future__ import annotations

import base64
import binascii
import json
import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from kernelviewer.formats.checkpoint import Checkpoint
from kernelviewer.formats.containers.unpacked import check
from kernelviewer.formats.errors import CheckpointError, DamagedError
from kernelviewer.formats.keras.config import read_config
from kernelviewer.formats.keras.contents import entries
from kernelviewer.formats.network.layout import arrange, no_weights
from kernelviewer.formats.source import Reader, file_beside
from kernelviewer.formats.stored import ITEMSIZE, Leaf, decode
from kernelviewer.formats.tensorflow.graph import FACTS, Found, Node, convolutions

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from kernelviewer.formats.source import OpenedFile, Options, Source
    from kernelviewer.watch import Watch


_WHAT = "a TensorFlow.js network"
_MARKS = (b'"modelTopology"', b'"weightsManifest"', b'"graph-model"', b'"layers-model"')
_MAX_JSON = 1 << 24
_BROKEN = "its JSON is broken"


def match(source: Source) -> bool:
    """True if the file is such a network's JSON, or only its list of weights."""
    text = source.head.lstrip(b"\xef\xbb\xbf \t\r\n")
    if text[:1] == b"{":
        return any(mark in text for mark in _MARKS)
    return text[:1] == b"[" and b'"weights"' in text and b'"dtype"' in text


def read(source: Source, options: Options) -> Checkpoint:
    """Open the network; its weights lie in files beside the JSON.

    Raises
    ------
    CheckpointError
        The JSON is damaged, or a file with weights is missing or cut off.
    """
    content = _json(source)
    model = content if isinstance(content, dict) else {}
    alone = () if model else _alone(source.path, content)
    manifest = model.get("weightsManifest") if model else content
    leaves, files = read_manifest(manifest, source.path, options.watch)
    topology = model.get("modelTopology")
    topology = topology if isinstance(topology, dict) else {}
    found = _found(source, options, topology, leaves)
    if not found.tensors:
        raise no_weights(source.path, _WHAT, found.skipped)
    return Checkpoint(
        source.path,
        "TensorFlow.js",
        source.size + sum(file.size for file in files),
        found.tensors,
        found.skipped,
        (*found.warnings, *alone),
        metadata=_facts(model),
        files=tuple(files),
    )


def _alone(path: Path, manifest: object) -> tuple[str, ...]:
    """A sentence of a list of weights that has no network.

    Raises
    ------
    CheckpointError
        The network that it belongs to lies beside it.
    """
    files = files_of(manifest)
    owner = model_with(path.parent, files, besides=path) if files else None
    if owner is not None:
        problem = f"this is only the list of weights of a network, {owner.name}"
        raise CheckpointError(path, problem, f"Open {owner.name}.")
    return ("This is only a network's list of weights: what they do is told by names.",)


def _found(
    source: Source, options: Options, topology: dict[str, Any], leaves: list[Leaf]
) -> Found:
    """Tensors by the graph, by Keras's configuration, or by names and shapes."""
    if isinstance(topology.get("node"), list):
        constants = {leaf.raw_name: leaf for leaf in leaves if not leaf.unusable}
        return convolutions(_nodes(topology), constants, options.watch)
    config = topology.get("model_config", topology)
    if config:
        network = read_config(json.dumps(config))
        tensors, skipped = entries(leaves, network)
        return Found(tuple(tensors), tuple(skipped))
    arranged = arrange(leaves, options.copy)
    return Found(arranged.tensors, arranged.skipped, arranged.warnings)


def _json(source: Source) -> object:
    if source.size > _MAX_JSON:
        raise DamagedError("its JSON is larger than that of any network")
    try:
        return json.loads(source.path.read_bytes())
    except (ValueError, RecursionError):
        raise DamagedError(_BROKEN) from None


def _nodes(topology: dict[str, Any]) -> Iterator[Node]:
    """The graph's nodes, then those of its functions."""
    library = topology.get("library")
    functions = library.get("function") if isinstance(library, dict) else None
    yield from map(_node, _entries(topology.get("node")))
    for function in _entries(functions):
        yield from map(_node, _entries(function.get("nodeDef")))


def _entries(items: object) -> Iterable[dict[str, Any]]:
    if items is None:
        return []
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise DamagedError(_BROKEN)
    return items


def _node(entry: dict[str, Any]) -> Node:
    inputs, attributes = entry.get("input"), entry.get("attr")
    inputs = inputs if isinstance(inputs, list) else []
    attributes = attributes if isinstance(attributes, dict) else {}
    facts = {name: _value(attributes.get(name)) for name in FACTS}
    return Node(
        str(entry.get("name")),
        str(entry.get("op")),
        tuple(str(name).split(":")[0] for name in inputs),
        {name: value for name, value in facts.items() if value is not None},
    )


def _value(attribute: object) -> tuple[int, ...] | str | None:
    """A list of numbers, which JSON writes as texts, or a text in base64."""
    if not isinstance(attribute, dict):
        return None
    text, items = attribute.get("s"), attribute.get("list")
    try:
        if isinstance(items, dict):
            return tuple(int(item) for item in items.get("i", []))
        if isinstance(text, str):
            return base64.b64decode(text, validate=True).decode().lower()
    except (ValueError, TypeError, binascii.Error):
        return None
    return None


def _facts(model: dict[str, Any]) -> dict[str, Any]:
    names = {"generatedBy": "generated by", "convertedBy": "converted by"}
    found = {title: model.get(name) for name, title in names.items()}
    return {title: text for title, text in found.items() if isinstance(text, str)}


_SHARD_NAME = re.compile(r"(group\d+-shard\d+of\d+|.*-shard\d+)(\.bin)?")
_MAX_FILES, _MOST_BYTES = 50, 1 << 26
_BESIDE = "It lies beside its list of weights: open its"


def shard(path: Path) -> tuple[str, str] | None:
    """What a file with weights is, with an article, and what to do; None if it is none.

    Files of other names count if a network beside them says that they are its own.
    """
    named = _SHARD_NAME.fullmatch(path.name) is not None
    if not named and path.suffix != ".bin":
        return None
    model = model_with(path.parent, {path.name})
    if model is None and not named:
        return None
    name = model.name if model is not None else "model.json"
    return "a part of a TensorFlow.js network", f"{_BESIDE} {name}."


def model_with(
    folder: Path, names: set[str], besides: Path | None = None
) -> Path | None:
    """The network in a folder that has its weights in files of these names."""
    paths = [path for path in folder.glob("*.json") if path != besides]
    networks = {path: files_of(_json_at(path)) for path in sorted(paths)[:_MAX_FILES]}
    return next((path for path, files in networks.items() if names <= files), None)


def files_of(content: object) -> set[str]:
    """Files with weights that a network's JSON, or a bare list of weights, names."""
    manifest = content.get("weightsManifest") if isinstance(content, dict) else content
    groups = manifest if isinstance(manifest, list) else []
    paths = [group.get("paths") for group in groups if isinstance(group, dict)]
    return {
        name
        for some in paths
        if isinstance(some, list)
        for name in some
        if isinstance(name, str)
    }


def _json_at(path: Path) -> Any:
    """A file's content, or nothing."""
    try:
        if path.stat().st_size > _MOST_BYTES:
            return None
        return json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return None


_NO_MANIFEST = "its list of weights makes no sense"
_CUT = "the files with its weights are shorter than its list of weights says"
_TYPES = {"float32", "float16", "int32", "uint8", "bool", "complex64"}
_PACKED = {"uint8", "uint16", "float16"}
_MAX_SHARDS = 10_000
_MAX_TEXTS = 1 << 16
_NOTHING = np.empty(0, np.uint8)


def read_manifest(
    manifest: object, model: Path, watch: Watch
) -> tuple[list[Leaf], list[OpenedFile]]:
    """The arrays of a weights manifest, and the files that they lie in.

    Parameters
    ----------
    manifest
        What the JSON says: groups of files (``paths``) and of the ``weights`` in them.
    model
        The JSON file; the others must lie in its folder or below.

    Raises
    ------
    DamagedError
        The list makes no sense, or the files are too short.
    CheckpointError
        A file is missing or lies elsewhere.
    """
    leaves: list[Leaf] = []
    files: list[OpenedFile] = []
    for group in _tables(manifest):
        stream = _Stream([])
        for path in _texts(group.get("paths")):
            watch.check()
            stream.files.append(file_beside(model, path))
        files += stream.files
        leaves += _leaves(stream, _tables(group.get("weights")))
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


def _tables(value: object) -> list[dict[str, Any]]:
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


READER = Reader("TensorFlow.js", _WHAT, match, read, has_parts=True)
