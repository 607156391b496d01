"""safetensors files: a JSON header with names, types and places, then the bytes."""

from __future__ import annotations

import json
import re
from functools import cache
from itertools import groupby, pairwise
from math import prod
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from kernelviewer.formats.checkpoint import Operator
from kernelviewer.formats.errors import DamagedError
from kernelviewer.formats.network.assemble import Contents
from kernelviewer.formats.source import Reader
from kernelviewer.formats.stored import (
    ITEMSIZE,
    Contiguous,
    Leaf,
    Transposed,
    no_values,
)

if TYPE_CHECKING:
    from kernelviewer.formats.source import OpenedFile, Options, Source

    _Entry = tuple[str, str, tuple[int, ...], int, int]

WHAT = "a safetensors file"
KERNELS, DEPTHWISE = "kernels", "depthwise"
"""What a file's metadata say where it holds depthwise kernels and nothing else."""
MAX_HEADER = 1 << 24
_MOST = 32  # dimensions
_DIGITS = re.compile(r"\d+")
_TYPES = {
    **{"F64": "float64", "F32": "float32", "F16": "float16", "BF16": "bfloat16"},
    **{"F8_E4M3": "float8_e4m3fn", "F8_E5M2": "float8_e5m2"},
    **{"F8_E4M3FNUZ": "float8_e4m3fnuz", "F8_E5M2FNUZ": "float8_e5m2fnuz"},
    **{"F8_E8M0": "float8_e8m0fnu", "C64": "complex64"},
    **{"I64": "int64", "I32": "int32", "I16": "int16", "I8": "int8", "BOOL": "bool"},
    **{"U64": "uint64", "U32": "uint32", "U16": "uint16", "U8": "uint8"},
}


def match(source: Source) -> bool:
    """True if the file starts with a length below 2⁴⁰ and an object in JSON."""
    return source.head[5:9] == b"\0\0\0{"


def read(source: Source, options: Options) -> Contents:
    """Read the header; the values stay in the file.

    Raises
    ------
    DamagedError
        The header makes no sense.
    """
    contents = listed(source, options)
    contents.leaves = in_network_order(contents.leaves)
    return contents


def _turn(leaf: Leaf) -> None:
    """Bring a convolution of MLX, [out, *kernel, in / groups], to PyTorch's layout."""
    rank = len(leaf.shape)
    if not 3 <= rank <= 5 or not leaf.path[-1].endswith("weight"):
        return
    order = (0, rank - 1, *range(1, rank - 1))
    leaf.load = Transposed(leaf.load, order)
    leaf.shape = tuple(leaf.shape[axis] for axis in order)


def listed(source: Source, options: Options) -> Contents:
    """Read what a file's header lists.

    Raises
    ------
    DamagedError
        The header makes no sense.
    """
    file = source.file()
    header, start = read_header(file, source)
    options.watch.check()
    facts = header.pop("__metadata__", {})
    leaves = read_leaves(header, file, start)
    metadata = facts if isinstance(facts, dict) else {}
    if metadata.get("format") == "mlx":
        for leaf in leaves:
            _turn(leaf)
    if metadata.get(KERNELS) == DEPTHWISE:
        for leaf in leaves:
            channels = leaf.shape[0] if leaf.shape else 0
            leaf.operator = Operator(groups=channels, in_channels=channels)
    return Contents("safetensors", leaves, metadata=metadata)


def read_header(file: OpenedFile, source: Source) -> tuple[dict[str, Any], int]:
    """The header, and where the values start."""
    length = int.from_bytes(source.head[:8], "little")
    if length > MAX_HEADER:
        raise DamagedError(f"its header claims {length:,} bytes, more than any has")
    if 8 + length > source.size:
        raise DamagedError(
            f"its header claims {length:,} bytes but the file ends after "
            f"{source.size:,}: it is half a download or damaged"
        )
    raw = file.read(8, length).tobytes()
    try:
        header = json.loads(raw)
    except ValueError:
        raise DamagedError("its header is not readable (broken JSON)") from None
    if not isinstance(header, dict):
        raise DamagedError("its header is not a table of names")
    tensors = len(header) - ("__metadata__" in header)
    if raw.count(b'"data_offsets"') > tensors:
        raise DamagedError("its header lists a name twice")
    return header, 8 + length


def read_leaves(header: dict[str, Any], file: OpenedFile, start: int) -> list[Leaf]:
    """Leaves of a header's entries, each checked against the file."""
    leaves = []
    places = []
    end_of_file = file.size - start
    for name, kind, shape, first, last in _entries(header):
        if last > end_of_file:
            raise DamagedError(
                f"it ends before the values of “{name[:80]}”: it is half a download",
                "Download it again.",
            )
        places.append((first, last))
        dtype = _TYPES.get(kind)
        if dtype is None:
            reason = f"its number type, {kind[:20]}, is not read"
            leaf = Leaf((name,), name, shape, "", no_values, unusable=reason)
        elif prod(shape) * ITEMSIZE[dtype] != last - first:
            raise DamagedError(
                f"its header gives “{name[:80]}” a shape that does not fit its bytes"
            )
        else:
            load = Contiguous(file, start + first, last - first, dtype, shape)
            leaf = Leaf((name,), name, shape, dtype, load)
        leaves.append(leaf)
    places.sort()
    if any(this[1] > following[0] for this, following in pairwise(places)):
        raise DamagedError("its header gives two tensors the same bytes")
    return leaves


def _entries(header: dict[str, Any]) -> list[_Entry]:
    """Entries of the header, whose numbers are numbers and not negative."""
    entries: list[_Entry] = []
    numbers: list[int] = []
    for name, item in header.items():
        try:
            first, last = item["data_offsets"]
            shape = tuple(item["shape"])
            entry = (name, item["dtype"], shape, first, last)
        except (TypeError, KeyError, ValueError):
            raise _nonsense(name) from None
        entries.append(entry)
        numbers += shape
        numbers += (first, last)
    if {int}.issuperset(map(type, numbers)) and min(numbers, default=0) >= 0:
        strange = [
            name
            for name, kind, shape, first, last in entries
            if first > last or type(kind) is not str or len(shape) > _MOST
        ]
    else:  # rare, so that it is sought only now
        strange = [name for name, _, *places in entries if not _is_sound(places)]
    if strange:
        raise _nonsense(strange[0])
    return entries


def _is_sound(places: list[Any]) -> bool:
    """True if a shape, a start and an end are whole numbers."""
    shape, *place = places
    return all(type(number) is int and number >= 0 for number in (*shape, *place))


def _nonsense(name: str) -> DamagedError:
    return DamagedError(f"its header makes no sense of “{name[:80]}”")


def in_network_order(leaves: list[Leaf]) -> list[Leaf]:
    """Leaves in the order that people count in, where the file's order says nothing.

    Most writers sort by type and then by name, which puts block 10 before block 2.
    """
    for _, same_type in groupby(leaves, attrgetter("dtype")):
        names = [leaf.raw_name for leaf in same_type]
        if names != sorted(names):
            return leaves
    padded = cache(_padded)  # names are made of few different parts
    return sorted(
        leaves, key=lambda leaf: ".".join(map(padded, leaf.raw_name.split(".")))
    )


def _padded(part: str) -> str:
    """Part of a name with its numbers at equal length, so that they sort as such."""
    return _DIGITS.sub(lambda number: number[0].zfill(9), part)


READER = Reader("safetensors", WHAT, match, read)
