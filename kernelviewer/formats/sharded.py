"""Networks cut into several files: an index in JSON, and the parts it names."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING

from kernelviewer.formats import keras_file, safetensors, torch_legacy, torch_zip
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
_KERAS_PART = re.compile(r"(.+)_\d{5}\.weights\.h5")
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
        where = _parts_of(source.path, source.size)
        names = sorted({name for parts in where.values() for name in parts})
        if not 0 < len(names) <= _MAX_PARTS:
            raise DamagedError(f"it names {len(names):,} parts")
        parts = [_part(source.path, source.path.parent / name) for name in names]
        if any(keras_file.is_hdf5(part) for part in parts):
            return keras_file.open_parts(source, options, parts, where)
        return _open_parts(source, options, parts)


def _open_parts(source: Source, options: Options, parts: list[Source]) -> Checkpoint:
    """Open parts in PyTorch's formats; they are numbered in network order."""
    size = source.size
    files = []
    whole = Contents("", [])
    for part in parts:
        options.check()
        files.append(OpenedFile.of(part.path))
        with damage_named(part.path, "a part of a sharded checkpoint"):
            contents = _read(part, options)
        size += part.size
        whole.format = f"{contents.format}, {len(parts)} parts"
        whole.leaves += safetensors.in_network_order(contents.leaves)
        whole.skipped += contents.skipped
    opened = assemble(Source(source.path, size, b""), options, whole)
    return replace(opened, files=tuple(files))


def parts_named(index: Path) -> set[str]:
    """Names of the parts in an index; empty if it is none that can be read."""
    try:
        where = _parts_of(index, index.stat().st_size)
    except (OSError, DamagedError):
        return set()
    return {name for parts in where.values() for name in parts}


def part_warning(path: Path) -> str:
    """What to tell of a file whose name is that of a part of Keras's weights."""
    found = _KERAS_PART.fullmatch(path.name)
    if found is None:
        return ""
    index = path.with_name(f"{found[1]}.weights.json")
    names = sorted(parts_named(index))
    if path.name in names:
        which = f"part {names.index(path.name) + 1} of {len(names)}"
        return f"This is {which} of a network; open {index.name} for the whole."
    if names:
        return ""
    return (
        "By its name this may be one part of a network; its index, "
        f"{index.name}, which opens the whole, is not beside it."
    )


def _parts_of(index: Path, size: int) -> dict[str, list[str]]:
    """The files that hold each weight, by its name in an index."""
    if size > _MAX_INDEX:
        raise DamagedError("it is larger than any index")
    try:
        where = json.loads(index.read_bytes())["weight_map"].items()
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise DamagedError("it cannot be read (broken JSON)") from None
    # Keras gives a list: a layer's variables may lie in several files.
    found = {key: [*item] if type(item) is list else [item] for key, item in where}
    for names in found.values():
        for name in names:
            if not isinstance(name, str):
                raise DamagedError("it cannot be read (broken JSON)")
            if not _is_plain(name):
                raise DamagedError(f"it names a part outside its folder, “{name[:80]}”")
    return found


def _is_plain(name: str) -> bool:
    """Whether a name is that of a file right here, on every system."""
    own = PurePosixPath(name).name == PureWindowsPath(name).name == name
    return own and name not in ("", ".", "..") and "\0" not in name


def _part(index: Path, path: Path) -> Source:
    """Look at a part."""
    if not path.is_file():
        problem = f"a part of the network, {path.name}, is missing"
        raise CheckpointError(index, problem, "Download it into the same folder.")
    with path.open("rb") as file:
        return Source(path, path.stat().st_size, file.read(HEAD_BYTES))


def _read(part: Source, options: Options) -> Contents:
    """Read the headers of a part."""
    for matches, read in _PARTS:
        if matches(part):
            return read(part, options)
    raise DamagedError("it is neither safetensors nor PyTorch nor Keras's HDF5")
