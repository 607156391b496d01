"""Networks cut into several files: an index in JSON, and the parts it names."""

from __future__ import annotations

import glob
import json
import re
from pathlib import PurePath, PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING

from kernelviewer.formats import keras, safetensors
from kernelviewer.formats.checkpoint import Skipped
from kernelviewer.formats.errors import CheckpointError, DamagedError, damage_named
from kernelviewer.formats.network.assemble import Contents
from kernelviewer.formats.network.names import by_parts, is_listed_by_name
from kernelviewer.formats.source import HEAD_BYTES, Reader, Source, settled
from kernelviewer.formats.torch import legacy, zip_file

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from kernelviewer.formats.checkpoint import Checkpoint
    from kernelviewer.formats.source import Options
    from kernelviewer.formats.stored import Leaf


WHAT = "the index of a sharded checkpoint"
_MAX_INDEX = 1 << 23
_MAX_PARTS = 2000
_KERAS_PART = re.compile(r"(.+)_\d{5}\.weights\.h5")
_NUMBERED = re.compile(r"-\d+-of-\d+\.")
_PARTS: tuple[
    tuple[Callable[[Source], bool], Callable[[Source, Options], Contents]], ...
] = (
    (safetensors.match, safetensors.listed),
    (zip_file.match, zip_file.read),
    (legacy.match, legacy.read),
)


def match(source: Source) -> bool:
    """True if the file is such an index."""
    return source.head.lstrip()[:1] == b"{" and b'"weight_map"' in source.head


def read(source: Source, options: Options) -> Contents | Checkpoint:
    """Open all parts as one network.

    Raises
    ------
    CheckpointError
        A part is missing or damaged.
    """
    where = _parts_of(source.path, source.size)
    names = sorted({name for parts in where.values() for name in parts})
    if not 0 < len(names) <= _MAX_PARTS:
        raise DamagedError(f"it names {len(names):,} parts")
    parts = _find_parts(source.path, names)
    if any(keras.is_hdf5(part) for part in parts):
        return keras.read_parts(source, options, parts, where)
    index = {key: held[0] for key, held in where.items() if held}
    return _read_parts(source, options, parts, index)


def _read_parts(
    source: Source, options: Options, parts: list[Source], index: dict[str, str]
) -> Contents:
    """Read parts in PyTorch's formats; they are numbered in network order."""
    found = {}
    whole, by_name = Contents("", []), True
    for part in parts:
        options.watch.check()
        with damage_named(part.path, "a part of a sharded checkpoint"):
            contents = _read(part, options)
        whole.format = f"{contents.format}, {len(parts)} parts"
        found[part.path.name] = safetensors.in_network_order(contents.leaves)
        by_name = by_name and _is_sorted(contents.format, contents.leaves)
        whole.skipped += contents.skipped
    whole.leaves = _each_once(found, index, whole.skipped)
    if by_name:  # the parts say as little of the order as a sorted file does
        whole.leaves.sort(key=lambda leaf: by_parts(leaf.raw_name))
    whole.warnings += _disagreements(source.path, index, whole)
    whole.files = tuple(part.file() for part in parts)
    return whole


def parts_named(index: Path) -> set[str]:
    """Names of the parts in an index; empty if it is none that can be read."""
    try:
        where = _parts_of(index, index.stat().st_size)
    except (OSError, DamagedError):
        return set()
    return {name for parts in where.values() for name in parts}


def index_of(parts: list[Path]) -> str:
    """Name of the index that parts belong to by their names; empty if to none."""
    whole = {path.with_name(_NUMBERED.sub(".", path.name)) for path in parts}
    numbered = all(_NUMBERED.search(path.name) for path in parts)
    return f"{whole.pop().name}.index.json" if numbered and len(whole) == 1 else ""


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
    """True if a name is that of a file right here, on every system."""
    own = PurePosixPath(name).name == PureWindowsPath(name).name == name
    return own and name not in ("", ".", "..") and "\0" not in name


def _each_once(
    parts: dict[str, list[Leaf]], index: dict[str, str], skipped: list[Skipped]
) -> list[Leaf]:
    """Leaves of all parts, without those that the index takes from another part."""
    held = {(part, leaf.raw_name) for part in parts for leaf in parts[part]}
    found = []
    for part, leaves in parts.items():
        for leaf in leaves:
            where = index.get(leaf.raw_name, part)
            if where == part or (where, leaf.raw_name) not in held:
                found.append(leaf)
            else:
                reason = f"left over: its index takes it from {where}"
                skipped.append(Skipped(f"{leaf.raw_name} in {part}", reason))
    return found


def _is_sorted(kind: str, leaves: list[Leaf]) -> bool:
    """True if a part's writer sorted it by name; PyTorch's own files never are."""
    names = [leaf.raw_name for leaf in safetensors.in_network_order(leaves)]
    return kind == "safetensors" and (len(names) < 2 or is_listed_by_name(names))


def _disagreements(
    index_path: Path, index: dict[str, str], whole: Contents
) -> list[str]:
    """Sentences where an index and the parts beside it do not fit together."""
    there = {leaf.raw_name for leaf in whole.leaves}
    there |= {item.name for item in whole.skipped}
    warnings = []
    lacking = [name for name in index if name not in there]
    if lacking:
        warnings.append(
            f"The index names {_some(lacking, 'tensor')} that no part holds: the index "
            "or a part is of another version of the network."
        )
    unnamed = [leaf.raw_name for leaf in whole.leaves if leaf.raw_name not in index]
    if unnamed:
        warnings.append(
            f"The parts hold {_some(unnamed, 'tensor')} that the index does not name."
        )
    beside = _parts_beside(index_path, set(index.values()))
    if beside:
        warnings.append(
            f"Beside the index lies {_some(beside, 'part')} that it does not name, "
            "left unread."
        )
    return warnings


def _parts_beside(index_path: Path, known: set[str]) -> list[str]:
    """Files beside an index that are named like parts, of its kind, but not by it."""
    suffixes = {PurePath(name).suffix for name in known}
    return [
        path.name
        for path in sorted(index_path.parent.iterdir())
        if path.name not in known
        and path.suffix in suffixes
        and _NUMBERED.search(path.name)
    ]


def _some(names: list[str], what: str) -> str:
    """How many there are, and the first few names."""
    first = ", ".join(names[:3]) + (", …" if len(names) > 3 else "")
    return f"{len(names):,} {what}{'s' * (len(names) > 1)} ({first})"


def _find_parts(index: Path, names: list[str]) -> list[Source]:
    """Look at the parts, numbered in network order.

    Raises
    ------
    CheckpointError
        Some are missing.
    """
    paths = [index.parent / name for name in names]
    missing = [path.name for path in paths if not path.is_file()]
    if missing:
        raise _missing(index, names, missing)
    parts = []
    for path in paths:
        state = settled(path)
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
        parts.append(Source(path, state.st_size, head, mtime_ns=state.st_mtime_ns))
    return parts


def _missing(index: Path, names: list[str], missing: list[str]) -> CheckpointError:
    """Say which parts are missing, and what lies there instead."""
    if len(names) == 1 or len(missing) == 1:
        problem = f"a part of the network, {missing[0]}, is missing"
        hint = "Download it into the same folder."
    else:
        listed = ", ".join(missing[:3]) + (", …" if len(missing) > 3 else "")
        problem = f"{len(missing)} of its {len(names)} parts are missing ({listed})"
        hint = "Download them into the same folder."
    suffixes = {PurePath(name).suffix for name in names}
    stem = index.name.split(".")[0]
    others = [
        path.name
        for path in sorted(index.parent.glob(f"{glob.escape(stem)}*"))
        if path.suffix in suffixes and path.name not in names and path.is_file()
    ]
    if others:
        problem += ", and the index may be out of date"
        hint = f"{hint[:-1]}, or open what lies there: {', '.join(others[:3])}."
    return CheckpointError(index, problem, hint)


def _read(part: Source, options: Options) -> Contents:
    """Read the headers of a part."""
    for matches, read in _PARTS:
        if matches(part):
            return read(part, options)
    raise DamagedError("it is neither safetensors nor PyTorch nor Keras's HDF5")


READER = Reader("sharded checkpoint", WHAT, match, read, has_parts=True)
