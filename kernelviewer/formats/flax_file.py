"""Flax checkpoints (``.msgpack``): nested names and arrays, read when asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from kernelviewer.formats.checkpoint import Checkpoint
from kernelviewer.formats.damage import DamagedError, damage_named
from kernelviewer.formats.dtypes import decode
from kernelviewer.formats.errors import CheckpointError
from kernelviewer.formats.file_view import viewed
from kernelviewer.formats.flax_layout import arrange, no_weights
from kernelviewer.formats.flax_msgpack import Array, Walker
from kernelviewer.formats.leaves import Leaf

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from kernelviewer.formats.opened import OpenedFile
    from kernelviewer.formats.source import Options, Source

_WHAT = "a Flax checkpoint"
_MAPS = {*range(0x81, 0x90), 0xDE, 0xDF}
_NAMES = {*range(0xA1, 0xC0), 0xD9, 0xDA}
"""First bytes of a MessagePack map that is not empty, and of a short text."""


def match(source: Source) -> bool:
    """Whether the file starts with a map whose first key is a plain name."""
    head = source.head
    if len(head) < 4 or head[0] not in _MAPS:
        return False
    at = {0xDE: 3, 0xDF: 5}.get(head[0], 1)
    if len(head) <= at or head[at] not in _NAMES:
        return False
    try:
        key, _ = Walker(head).value(at)
    except DamagedError:
        return False
    return isinstance(key, str) and key.isascii() and key.isprintable()


def open_flax(source: Source, options: Options) -> Checkpoint:
    """Open a Flax checkpoint.

    Raises
    ------
    CheckpointError
        The file is damaged or holds no arrays.
    """
    with damage_named(source.path, _WHAT):
        file = source.file()
        with viewed(file) as data:
            tree, _ = Walker(data, options.check).value(0)
        leaves = [_leaf(file, parts, item) for parts, item in _flat(tree, ())]
    if not leaves:
        raise CheckpointError(source.path, "a MessagePack file without any arrays")
    arranged = arrange(source.path, leaves, options.copy)
    if not arranged.tensors:
        raise no_weights(source.path, _WHAT, arranged.skipped)
    return Checkpoint(
        source.path,
        "Flax",
        source.size,
        arranged.tensors,
        arranged.skipped,
        arranged.warnings,
        arranged.copies,
        arranged.copy,
    )


def _flat(
    item: object, parts: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], Array]]:
    """The arrays of the tree with the names that lead to them."""
    if isinstance(item, Array):
        yield parts or ("array",), item
    elif isinstance(item, dict):
        for key, inner in item.items():
            yield from _flat(inner, (*parts, key))
    elif isinstance(item, list):
        for index, inner in enumerate(item):
            yield from _flat(inner, (*parts, str(index)))


def _leaf(file: OpenedFile, parts: tuple[str, ...], array: Array) -> Leaf:
    def load() -> NDArray[np.generic]:
        pieces = [file.read(start, size) for start, size in array.pieces]
        raw = pieces[0] if len(pieces) == 1 else np.concatenate(pieces)
        return decode(raw, array.dtype).reshape(array.shape)

    name = "/".join(parts)
    shape, dtype = array.shape, array.dtype
    return Leaf(parts, name, shape, dtype, load, unusable=array.problem)
