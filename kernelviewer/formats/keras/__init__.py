"""Keras models: ``.h5``/``.hdf5`` of Keras 1 and 2, ``.keras`` and Keras 3 weights."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from kernelviewer.formats.checkpoint import Checkpoint
from kernelviewer.formats.containers.zip_directory import (
    STORED,
    ZIP_MAGIC,
    ZipRecord,
    zip_records,
)
from kernelviewer.formats.errors import (
    AGAIN,
    CheckpointError,
    DamagedError,
    damage_named,
)
from kernelviewer.formats.keras.config import read_config
from kernelviewer.formats.keras.contents import (
    DAMAGED,
    Contents,
    entries,
    warnings_of_damage,
)
from kernelviewer.formats.keras.hdf5_client import Hdf5
from kernelviewer.formats.network.layout import arrange, no_weights
from kernelviewer.formats.network.roles import OPTIMIZER
from kernelviewer.formats.source import Reader

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from kernelviewer.formats.checkpoint import Skipped, Tensor
    from kernelviewer.formats.containers.zip_directory import Record
    from kernelviewer.formats.keras.config import Network
    from kernelviewer.formats.source import OpenedFile, Options, Source
    from kernelviewer.formats.stored import Leaf


_SIGNATURE = b"\x89HDF\r\n\x1a\n"
_STARTS = (0, 512, 1024, 2048)  # HDF5 may follow a block of the user's own
_WEIGHTS, _CONFIG, _FACTS = "model.weights.h5", "config.json", "metadata.json"
_INDEX = "model.weights.json"
_MAX_UNPACKED = 1 << 27
_PLAIN = re.compile(r"(model|functional|sequential)(_\d+)?")
"""Names that Keras gives to models that have none."""
_LARGEST_SIDE = 64
_NO_NETWORK = "an HDF5 file, but its contents are not those of a network"


def match(source: Source) -> bool:
    """True if the file is HDF5, or a zip with Keras's own entries."""
    head = source.head
    if is_hdf5(source):
        return True
    if not head.startswith(ZIP_MAGIC):
        return False
    length = int.from_bytes(head[26:28], "little")
    first = head[30 : 30 + length].decode("utf-8", "replace")
    return first == _WEIGHTS or (
        first in (_CONFIG, _FACTS) and (b"keras" in head or _has_weights(source))
    )


def is_hdf5(source: Source) -> bool:
    """True if the file is HDF5."""
    return any(source.head[at : at + 8] == _SIGNATURE for at in _STARTS)


def _has_weights(source: Source) -> bool:
    try:
        return _WEIGHTS in zip_records(source)
    except (OSError, ValueError):
        return False


def read(source: Source, options: Options) -> Checkpoint:
    """Open a Keras model or a file of its weights.

    The HDF5 library runs in a process of its own, where damaged files can neither
    hang nor crash the program; values are read straight from the file.

    Raises
    ------
    CheckpointError
        The file is damaged, or an HDF5 file without a network.
    """
    if source.head.startswith(ZIP_MAGIC):
        with damage_named(source.path, "a Keras model"):
            hdf5, texts = _from_zip(source)
            return _open(source, options, "Keras", Contents.of(hdf5), texts)
    with damage_named(source.path, "an HDF5 file"):
        contents = Contents.of(_whole(source))
        texts = _texts_beside(source.path)
        return _open(source, options, "Keras HDF5", contents, texts)


def read_parts(
    source: Source,
    options: Options,
    parts: Sequence[Source],
    where: Mapping[str, Sequence[str]],
) -> Checkpoint:
    """Open weights that Keras divided over several files.

    Parameters
    ----------
    parts
        The files that it names.
    where
        Names of the files that hold each layer's variables, by their path.

    Raises
    ------
    CheckpointError
        A part is damaged, or they hold no network.
    """
    whole = Contents()
    size = source.size
    for part in parts:
        options.watch.check()
        with damage_named(part.path, "a part of sharded weights"):
            if not is_hdf5(part):
                raise DamagedError("it is no HDF5 file, as the others are")
            contents = Contents.of(_whole(part))
        expected = [path.strip("/") for path in where if part.path.name in where[path]]
        contents.note_missing(expected, part.path.name)
        whole.add(contents)
        size += part.size
    container = f"Keras HDF5, {len(parts)} parts"
    index = replace(source, size=size)
    texts = _texts_beside(source.path)
    opened = _open(index, options, container, whole, texts)
    return replace(opened, files=tuple(whole.files))


def _whole(source: Source) -> Hdf5:
    """A file that is HDF5 as a whole."""
    file = source.file()
    return Hdf5(file, 0, file.size)


def _from_zip(source: Source) -> tuple[Hdf5, dict[str, str]]:
    """The weights inside a ``.keras`` file, and its texts by name."""
    file, records = source.file(), zip_records(source)
    if _WEIGHTS not in records:
        raise DamagedError("there are no weights in it")
    texts = {name: _text(file, records, name) for name in (_CONFIG, _FACTS)}
    record = records[_WEIGHTS]
    member = ZipRecord(file, record)
    if record.method == STORED and not record.flags & 1:
        return Hdf5(file, member.start(), record.size), texts
    if record.size > _MAX_UNPACKED:
        problem = "its weights are packed and very large"
        raise CheckpointError(source.path, problem, "Unpack it and open the .h5 file.")
    return Hdf5(file, 0, record.size, member.unpacked()), texts


def _text(file: OpenedFile, records: Mapping[str, Record], name: str) -> str:
    record = records.get(name)
    if record is None or record.size > _MAX_UNPACKED:
        return ""
    return ZipRecord(file, record).unpacked().tobytes().decode("utf-8", "replace")


def _texts_beside(path: Path) -> dict[str, str]:
    """Texts beside the weights in a folder that is a ``.keras`` file unpacked."""
    if path.name not in (_WEIGHTS, _INDEX):
        return {}
    texts = {}
    for name in (_CONFIG, _FACTS):
        beside = path.with_name(name)
        with suppress(OSError):
            if beside.stat().st_size <= _MAX_UNPACKED:
                texts[name] = beside.read_text("utf-8", "replace")
    try:
        config = json.loads(texts.get(_CONFIG, ""))
    except (ValueError, RecursionError):
        return {}
    known = isinstance(config, dict) and {"class_name", "config"} <= config.keys()
    return texts if known else {}


def _open(
    source: Source,
    options: Options,
    container: str,
    contents: Contents,
    texts: dict[str, str],
) -> Checkpoint:
    options.watch.check()
    root = contents.attributes.get("", {})
    config = texts.get(_CONFIG) or root.get("model_config")
    network = read_config(config) if isinstance(config, str) and config else None
    leaves, skipped = contents.leaves, contents.skipped
    if network is None and not contents.is_keras:
        return _unknown_layout(source, options, leaves, skipped)
    tensors, others = entries(leaves, network, contents.attributes, contents.written)
    skipped += others
    if not tensors:
        raise _nothing(source, skipped)
    return Checkpoint(
        source.path,
        container,
        source.size,
        tuple(tensors),
        tuple(skipped),
        contents.warnings(),
        architecture=_architecture(network),
        metadata=_metadata(root, texts),
    )


def _unknown_layout(
    source: Source, options: Options, leaves: list[Leaf], skipped: list[Skipped]
) -> Checkpoint:
    """An HDF5 file of another program: names and shapes have to do."""
    arranged = arrange(leaves, options.copy)
    if not any(map(_may_be_of_a_network, arranged.tensors)):
        raise _nothing(source, skipped)
    return Checkpoint(
        source.path,
        "HDF5",
        source.size,
        arranged.tensors,
        (*skipped, *arranged.skipped),
        (*warnings_of_damage(skipped), *arranged.warnings),
        arranged.copies,
        arranged.copy,
    )


def _may_be_of_a_network(tensor: Tensor) -> bool:
    """True if a name is a weight's, or the shape clearly that of depthwise kernels."""
    if {"weight", "bias", "depthwise"} & {*tensor.name.split(".")}:
        return True
    shape = tensor.shape
    kernels = len(shape) > 3 and shape[0] > shape[1] == 1
    return kernels and not tensor.doubt and 1 < max(shape[2:]) <= _LARGEST_SIDE


def _nothing(source: Source, skipped: list[Skipped]) -> CheckpointError:
    """Why no tensor is left."""
    reasons = {item.reason for item in skipped}
    if DAMAGED in reasons:
        problem = "an HDF5 file, but its HDF5 structure is damaged"
        return CheckpointError(source.path, problem, AGAIN)
    if any("another file" in reason for reason in reasons):
        problem = "its weights lie in another file, and such links are not followed"
        return CheckpointError(source.path, problem, "Open that file instead.")
    if any(OPTIMIZER in reason for reason in reasons):
        return no_weights(source.path, "an HDF5 file", skipped)
    hint = "Files that Keras saves (.keras, .h5, .weights.h5) can be opened."
    return CheckpointError(source.path, _NO_NETWORK, hint)


def _architecture(network: Network | None) -> str:
    """The model's name unless Keras made it up."""
    name = network.root.name if network else ""
    return "" if _PLAIN.fullmatch(name) else name


def _metadata(root: dict[str, Any], texts: dict[str, str]) -> dict[str, Any]:
    found = re.search(r'"keras_version":\s*"([^"]{1,32})"', texts.get(_FACTS, ""))
    version = found[1] if found else root.get("keras_version", "")
    facts = {"Keras version": version, "backend": root.get("backend", "")}
    return {key: value for key, value in facts.items() if value}


READER = Reader("Keras", "a Keras model", match, read)
