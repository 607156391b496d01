"""Keras models: ``.h5``/``.hdf5`` of Keras 1 and 2, ``.keras`` and Keras 3 weights."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from kernelviewer.formats.checkpoint import Checkpoint, Skipped
from kernelviewer.formats.damage import AGAIN, DamagedError, damage_named
from kernelviewer.formats.errors import CheckpointError
from kernelviewer.formats.flax_layout import arrange, no_weights
from kernelviewer.formats.keras_config import read_config
from kernelviewer.formats.keras_entries import entries
from kernelviewer.formats.keras_listing import Hdf5
from kernelviewer.formats.leaves import Leaf
from kernelviewer.formats.roles import OPTIMIZER
from kernelviewer.formats.zip_directory import (
    STORED,
    ZIP_MAGIC,
    ZipRecord,
    zip_records,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

    from kernelviewer.formats.checkpoint import Tensor
    from kernelviewer.formats.keras_config import Network
    from kernelviewer.formats.keras_listing import Dataset
    from kernelviewer.formats.opened import OpenedFile
    from kernelviewer.formats.source import Options, Source
    from kernelviewer.formats.zip_directory import (
        Record,
    )

_SIGNATURE = b"\x89HDF\r\n\x1a\n"
_STARTS = (0, 512, 1024, 2048)  # HDF5 may follow a block of the user's own
_WEIGHTS, _CONFIG, _FACTS = "model.weights.h5", "config.json", "metadata.json"
_MAX_UNPACKED = 1 << 27
_OPTIMIZERS = {"optimizer_weights", "optimizer", "_optimizer", "optimizer_state"}
_BUSINESS = {"metrics", "_metrics", "compile_metrics", "_compile_metrics"}
_PLAIN = re.compile(r"(model|functional|sequential)(_\d+)?")
"""Names that Keras gives to models that have none."""
_DAMAGED = "it is damaged"
_LARGEST_SIDE = 64
_NO_NETWORK = "an HDF5 file, but its contents are not those of a network"


def match(source: Source) -> bool:
    """Whether the file is HDF5, or a zip with Keras's own entries."""
    head = source.head
    if any(head[at : at + 8] == _SIGNATURE for at in _STARTS):
        return True
    if not head.startswith(ZIP_MAGIC):
        return False
    length = int.from_bytes(head[26:28], "little")
    first = head[30 : 30 + length].decode("utf-8", "replace")
    return first == _WEIGHTS or (
        first in (_CONFIG, _FACTS) and (b"keras" in head or _has_weights(source))
    )


def _has_weights(source: Source) -> bool:
    try:
        return _WEIGHTS in zip_records(source)
    except (OSError, ValueError):
        return False


def open_keras(source: Source, options: Options) -> Checkpoint:
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
            return _open(source, options, hdf5, "Keras", texts)
    with damage_named(source.path, "an HDF5 file"):
        file = source.file()
        hdf5 = Hdf5(file, 0, file.size)
        return _open(source, options, hdf5, "Keras HDF5", {})


def _from_zip(source: Source) -> tuple[Hdf5, dict[str, str]]:
    """The weights inside a ``.keras`` file, and its texts by name."""
    file, records = source.file(), zip_records(source)
    if _WEIGHTS not in records:
        msg = "there are no weights in it"
        raise DamagedError(msg)
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


def _open(
    source: Source, options: Options, hdf5: Hdf5, container: str, texts: dict[str, str]
) -> Checkpoint:
    hdf5.list()
    options.check()
    root = hdf5.attributes.get("", {})
    config = texts.get(_CONFIG) or root.get("model_config")
    network = read_config(config) if isinstance(config, str) and config else None
    skipped = [Skipped(path, reason) for path, reason in hdf5.skipped]
    leaves = [_leaf(hdf5, dataset) for dataset in _weights(hdf5, skipped)]
    if network is None and not _is_keras(hdf5):
        return _unknown_layout(source, options, leaves, skipped)
    tensors, others = entries(leaves, network, hdf5.attributes)
    skipped += others
    if not tensors:
        raise _nothing(source, skipped)
    return Checkpoint(
        source.path,
        container,
        source.size,
        tuple(tensors),
        tuple(skipped),
        _warnings(skipped),
        architecture=_architecture(network),
        metadata=_metadata(root, texts),
    )


def _weights(hdf5: Hdf5, skipped: list[Skipped]) -> list[Dataset]:
    """Datasets that may be weights; the optimizer's are named as one."""
    kept: list[Dataset] = []
    counts: dict[str, int] = {}
    for dataset in hdf5.datasets:
        top = dataset.path.split("/")[0]
        if top in _OPTIMIZERS | _BUSINESS:
            counts[top] = counts.get(top, 0) + 1
        elif dataset.problem:
            skipped.append(Skipped(dataset.path, dataset.problem))
        elif not hdf5.fits(dataset):
            msg = "a weight in it lies beyond its end: it is cut off or damaged"
            raise DamagedError(msg)
        else:
            kept.append(dataset)
    for top, count in counts.items():
        what = OPTIMIZER if top in _OPTIMIZERS else "measurements of the training"
        arrays = "1 array" if count == 1 else f"{count} arrays"
        skipped.append(Skipped(top, f"{what} ({arrays})"))
    return kept


def _is_keras(hdf5: Hdf5) -> bool:
    """Whether names or attributes are Keras's."""
    marks = {"keras_version", "backend", "layer_names", "layer_names0", "weight_names"}
    if any(marks & values.keys() for values in hdf5.attributes.values()):
        return True
    paths = [item.path for item in hdf5.datasets]
    return any("/vars/" in path or path.endswith("kernel:0") for path in paths)


def _leaf(hdf5: Hdf5, dataset: Dataset) -> Leaf:
    """A dataset as an array of the file."""

    def load() -> NDArray[np.generic]:
        with damage_named(hdf5.file.path, "an HDF5 file"):
            return hdf5.read(dataset)

    parts = tuple(part for part in re.split(r"[/.]", dataset.path) if part)
    return Leaf(parts, dataset.path, dataset.shape, dataset.dtype, load)


def _unknown_layout(
    source: Source, options: Options, leaves: list[Leaf], skipped: list[Skipped]
) -> Checkpoint:
    """An HDF5 file of another program: names and shapes have to do."""
    arranged = arrange(source.path, leaves, options.copy)
    if not any(map(_may_be_of_a_network, arranged.tensors)):
        raise _nothing(source, skipped)
    return Checkpoint(
        source.path,
        "HDF5",
        source.size,
        arranged.tensors,
        (*skipped, *arranged.skipped),
        (*_warnings(skipped), *arranged.warnings),
        arranged.copies,
        arranged.copy,
    )


def _may_be_of_a_network(tensor: Tensor) -> bool:
    """Whether a name is a weight's, or the shape clearly that of depthwise kernels."""
    if {"weight", "bias", "depthwise"} & {*tensor.name.split(".")}:
        return True
    shape = tensor.shape
    kernels = len(shape) > 3 and shape[0] > shape[1] == 1
    return kernels and not tensor.doubt and 1 < max(shape[2:]) <= _LARGEST_SIDE


def _warnings(skipped: list[Skipped]) -> tuple[str, ...]:
    """Say so where a part of the file is damaged."""
    count = sum(item.reason == _DAMAGED for item in skipped)
    entries = "1 entry" if count == 1 else f"{count} entries"
    return (f"{entries} of the file cannot be read: it is damaged.",) if count else ()


def _nothing(source: Source, skipped: list[Skipped]) -> CheckpointError:
    """Why no tensor is left."""
    reasons = {item.reason for item in skipped}
    if _DAMAGED in reasons:
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
