"""Single values of a PyTorch pickle: what they are called and what they hold."""

from __future__ import annotations

from itertools import islice
from typing import Any

from kernelviewer.formats.pickle_values import (
    Global,
    NumpyArray,
    StoredTensor,
    Stub,
    Unreadable,
)

ARRAYS = (StoredTensor, NumpyArray, Unreadable)
PACKED_PARAMS = "_packed_params"
_MOST_PARTS, _LOOKED_AT = 500, 20


def as_mapping(value: object) -> dict[Any, Any]:
    """Give the items of a dictionary or of what stands for one; else an empty one."""
    if isinstance(value, dict):
        return value
    if not isinstance(value, Stub):
        return {}
    if value.mapping:
        return value.mapping
    arguments = value.arguments
    pairs = arguments[0] if isinstance(arguments, tuple | list) and arguments else ()
    return {
        pair[0]: pair[1]
        for pair in (pairs if isinstance(pairs, tuple | list) else ())
        if isinstance(pair, list | tuple) and len(pair) == 2 and type(pair[0]) is str
    }


def label_of(key: object) -> str:
    """Name of a key; an object's own description could be endless."""
    if isinstance(key, str):
        return key
    if isinstance(key, bytes):
        return key.decode("latin-1")
    return str(key) if isinstance(key, int | float) else type(key).__name__


def strings_of(value: object) -> set[str]:
    """Strings of a list, or of a set as older pickles describe it."""
    if isinstance(value, Stub) and isinstance(value.arguments, tuple):
        return {name for part in value.arguments for name in strings_of(part)}
    if isinstance(value, list | tuple):
        return {name for name in value if isinstance(name, str)}
    return set()


def class_name(kind: object) -> str:
    """Module and name of a class; empty for anything else."""
    return f"{kind.module}.{kind.name}" if isinstance(kind, Global) else ""


def packed_tensors(packed: object) -> list[StoredTensor]:
    """Tensors in the state of a quantised layer: tuples and objects, perhaps nested."""
    found: list[StoredTensor] = []
    waiting = [packed]
    for _ in range(_MOST_PARTS):  # they may contain themselves
        if not waiting:
            break
        value = waiting.pop()
        if isinstance(value, StoredTensor):
            found.append(value)
        elif isinstance(value, Stub):
            waiting += reversed((value.state or {}).values())
        elif isinstance(value, tuple | list):
            waiting += reversed(value[:_LOOKED_AT])
    return found


def is_packed(key: str, value: object) -> bool:
    """Whether an entry is what a quantised layer packs its weight and bias into."""
    if isinstance(value, Stub):
        return class_name(value.kind) == "torch.ScriptObject"
    return isinstance(value, tuple) and key.endswith(PACKED_PARAMS)


def most_dimensions(value: object, depth: int = 3) -> int:
    """The most dimensions of the arrays below a value, as far as one looks."""
    if isinstance(value, ARRAYS):
        return len(value.shape)
    if not depth:
        return 0
    parts: list[object] = []
    if isinstance(value, Stub):
        parts = [value.state, value.mapping, value.items, value.arguments]
    elif isinstance(value, dict):
        parts = [*islice(value.values(), _LOOKED_AT)]
    elif isinstance(value, list | tuple):
        parts = [*value[:_LOOKED_AT]]
    return max((most_dimensions(part, depth - 1) for part in parts), default=0)
