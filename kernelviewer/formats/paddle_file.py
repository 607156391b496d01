"""Paddle's networks for inference: ``.pdmodel`` with ``.pdiparams`` beside it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from kernelviewer.formats.advice import unread_layers
from kernelviewer.formats.beside import file_beside
from kernelviewer.formats.checkpoint import Checkpoint, Skipped, Tensor
from kernelviewer.formats.damage import DamagedError, damage_named
from kernelviewer.formats.dtypes import ITEMSIZE, decode
from kernelviewer.formats.errors import CheckpointError
from kernelviewer.formats.file_view import viewed
from kernelviewer.formats.leaves import Leaf
from kernelviewer.formats.names import unique_name
from kernelviewer.formats.onnx_names import layer_name
from kernelviewer.formats.onnx_wire import varint
from kernelviewer.formats.operators import operator_of
from kernelviewer.formats.paddle_program import read_program, tensor_type

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from kernelviewer.formats.onnx_wire import Data
    from kernelviewer.formats.opened import OpenedFile
    from kernelviewer.formats.paddle_program import Program
    from kernelviewer.formats.source import Options, Source

_WHAT = "a Paddle network"
_FIRST_BLOCK = b"\x08\x00\x10" + b"\xff" * 9 + b"\x01"  # number 0, within none
_TYPES = {
    **{0: "bool", 1: "int16", 2: "int32", 3: "int64", 4: "float16", 5: "float32"},
    **{6: "float64", 20: "uint8", 21: "int8", 22: "bfloat16"},
}
"""Number of a type in Paddle's schema → its name."""
_WEIGHTS = ("float16", "float32", "float64", "bfloat16")
_OTHER = "the file with its weights is not the one that belongs to this graph"
_AGAIN = "Take both from the same download."


def match(source: Source) -> bool:
    """Whether the file starts with a graph's first block."""
    if source.head[:1] != b"\x0a":
        return False
    try:
        _, at = varint(source.head, 1, len(source.head))
    except DamagedError:
        return False
    return source.head.startswith(_FIRST_BLOCK, at)


def open_paddle(source: Source, options: Options) -> Checkpoint:
    """Open the graph, and find its weights in the file beside it.

    Raises
    ------
    CheckpointError
        The graph is damaged, or its weights are missing or those of another one.
    """
    with damage_named(source.path, _WHAT):
        with viewed(source.path) as data:
            program = read_program(data, (0, len(data)), options.check)
        if not program.convolutions:
            raise CheckpointError(source.path, f"{_WHAT} without convolutions")
        weights = _beside(source.path)
        if not weights.size:
            raise DamagedError("the file with its weights is empty", _AGAIN)
        with viewed(weights) as data:
            leaves = _leaves(data, weights, program, options.check)
    tensors, skipped, warnings = _tensors(program, leaves)
    return Checkpoint(
        source.path,
        "Paddle",
        source.size + weights.size,
        tuple(tensors),
        tuple(skipped),
        tuple(warnings),
        files=(weights,),
    )


def _beside(model: Path) -> OpenedFile:
    """The file with the weights; older ones have a name of their own."""
    name = model.with_suffix(".pdiparams").name
    if not (model.parent / name).exists() and (model.parent / "__params__").exists():
        name = "__params__"
    return file_beside(model, name)


def _leaves(
    data: Data, file: OpenedFile, program: Program, check: Callable[[], None]
) -> dict[str, Leaf]:
    """The saved variables, which lie one after the other in the order of names."""
    leaves: dict[str, Leaf] = {}
    at = 0
    for name in sorted(program.variables):
        check()
        leaf, at = _leaf(data, file, name, at)
        if leaf.shape != program.variables[name]:
            raise DamagedError(_OTHER, _AGAIN)
        leaves[name] = leaf
    if at != file.size:
        raise DamagedError(_OTHER, _AGAIN)
    return leaves


def _leaf(data: Data, file: OpenedFile, name: str, at: int) -> tuple[Leaf, int]:
    """One variable, and where it ends: version, level of detail, type, values."""
    if int.from_bytes(data[at : at + 12], "little"):
        raise DamagedError(_OTHER, _AGAIN)
    size = int.from_bytes(data[at + 16 : at + 20], "little")
    start = at + 20 + size
    if start > file.size:
        raise DamagedError(_OTHER, _AGAIN)
    kind, shape = tensor_type(data, (at + 20, start))
    dtype = _TYPES.get(kind, "")
    if not dtype or any(side < 0 for side in shape):
        raise DamagedError(_OTHER, _AGAIN)
    length = math.prod(shape) * ITEMSIZE[dtype]
    if start + length > file.size:
        raise DamagedError(_OTHER, _AGAIN)

    def load() -> NDArray[np.generic]:
        return decode(file.read(start, length), dtype).reshape(shape)

    return Leaf((name,), name, shape, dtype, load), start + length


def _tensors(
    program: Program, leaves: dict[str, Leaf]
) -> tuple[list[Tensor], list[Skipped], list[str]]:
    """The convolutions' weights in the graph's order, each once; what is left out."""
    tensors: list[Tensor] = []
    skipped: list[Skipped] = []
    used: set[str] = set()
    taken: set[str] = set()
    unread = 0
    for place, layer in enumerate(program.convolutions, 1):
        leaf = leaves.get(layer.weight)
        name = layer_name(layer.weight, "", layer.operator, place)
        if leaf is None or len(leaf.shape) < 4:
            skipped.append(Skipped(name, "its weights are computed by the network"))
            unread += "depthwise" in layer.operator
        elif layer.weight in used:
            continue
        elif leaf.dtype not in _WEIGHTS:
            used.add(layer.weight)
            skipped.append(Skipped(name, f"it is quantised ({leaf.dtype})"))
            unread += "depthwise" in layer.operator
        else:
            used.add(layer.weight)
            name = unique_name(name, taken)
            operator = operator_of(layer.facts, groups=1)
            tensors.append(
                Tensor(name, leaf.shape, leaf.dtype, leaf.load, leaf.raw_name, operator)
            )
    skipped += [
        Skipped(name, "no convolution's weight")
        for name, leaf in leaves.items()
        if len(leaf.shape) > 2 and name not in used
    ]
    return tensors, skipped, unread_layers(unread)
