"""Networks cut into several files: an index in JSON, and the parts it names."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

from kernelviewer.formats import safetensors, torch_legacy, torch_zip
from kernelviewer.formats.damage import DamagedError, damage_named
from kernelviewer.formats.errors import CheckpointError
from kernelviewer.formats.network import Contents, assemble
from kernelviewer.formats.opened import OpenedFile
from kernelviewer.formats.source import HEAD_BYTES, Source

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from kernelviewer.formats.checkpoint import Checkpoint
    from kernelviewer.formats.source import Options

WHAT = "the index of a sharded checkpoint"
_MAX_INDEX = 1 << 23
_MAX_PARTS = 2000
_HDF5 = b"\x89HDF"
_PARTS: tuple[
    tuple[Callable[[Source], bool], Callable[[Source, Options], Contents]], ...
] = (
    (safetensors.match, safetensors.read),
    (torch_zip.match, torch_zip.read),
    (torch_legacy.match, torch_legacy.read),
)


def match(source: Source) -> bool:
    """Whether the file is such an index."""
    return source.head.lstrip()[:1] == b"{" and b'"weight_map"' in source.head


def open_sharded(source: Source, options: Options) -> Checkpoint:
    """Open all parts as one network.

    Raises
    ------
    CheckpointError
        A part is missing or damaged.
    """
    with damage_named(source.path, WHAT):
        names = _part_names(source)
        folder = source.path.parent
        size = source.size
        files = []
        whole = Contents("", [])
        for name in names:
            options.check()
            part = _part(source.path, folder / name)
            files.append(OpenedFile.of(part.path))
            with damage_named(part.path, "a part of a sharded checkpoint"):
                contents = _read(part, options)
            size += part.size
            whole.format = f"{contents.format}, {len(names)} parts"
            whole.leaves += safetensors.in_network_order(contents.leaves)
            whole.skipped += contents.skipped
        opened = assemble(Source(source.path, size, b""), options, whole)
        return replace(opened, files=tuple(files))


def _part_names(source: Source) -> list[str]:
    """Names of the parts, numbered in network order; the index itself is sorted."""
    if source.size > _MAX_INDEX:
        raise DamagedError("it is larger than any index")
    try:
        index = json.loads(source.path.read_bytes())
        names = sorted(set(index["weight_map"].values()))
    except (ValueError, KeyError, TypeError, AttributeError):
        raise DamagedError("it cannot be read (broken JSON)") from None
    for name in names:
        if not isinstance(name, str) or name != name.replace("\\", "/").split("/")[-1]:
            raise DamagedError(f"it names a part outside its folder, “{name}”")
    if not 0 < len(names) <= _MAX_PARTS:
        raise DamagedError(f"it names {len(names):,} parts")
    return names


def _part(index: Path, path: Path) -> Source:
    """Look at a part."""
    if not path.is_file():
        problem = f"a part of the network, {path.name}, is missing"
        raise CheckpointError(index, problem, "Download it into the same folder.")
    state = path.stat()
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    return Source(path, state.st_size, head, mtime_ns=state.st_mtime_ns)


def _read(part: Source, options: Options) -> Contents:
    """Read the headers of a part."""
    for matches, read in _PARTS:
        if matches(part):
            return read(part, options)
    if part.head.startswith(_HDF5):
        raise DamagedError(
            "it is Keras's, whose sharded weights are not read",
            "Save the network in one file: model.save(…) without max_shard_size.",
        )
    raise DamagedError("it is neither safetensors nor PyTorch")
