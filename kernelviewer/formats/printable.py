"""A file's own words, cleaned once where they enter: names, warnings, metadata."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from kernelviewer.formats.checkpoint import Skipped
from kernelviewer.formats.network.names import unique_name
from kernelviewer.text import printable

if TYPE_CHECKING:
    from kernelviewer.formats.checkpoint import Checkpoint, Tensor

_DEEPEST = 40


def with_printable_names(checkpoint: Checkpoint) -> Checkpoint:
    """The checkpoint with every text of its file made printable; see `printable`.

    Tensors' names stay different from each other.
    """
    return replace(
        checkpoint,
        format=printable(checkpoint.format),
        tensors=_tensors(checkpoint.tensors),
        skipped=tuple(
            Skipped(printable(item.name), printable(item.reason))
            for item in checkpoint.skipped
        ),
        warnings=tuple(map(printable, checkpoint.warnings)),
        copies=tuple(map(printable, checkpoint.copies)),
        copy=printable(checkpoint.copy),
        architecture=printable(checkpoint.architecture),
        metadata=_plain(checkpoint.metadata, _DEEPEST),
    )


def _tensors(tensors: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    names = [printable(item.name) for item in tensors]
    taken = {
        name for name, item in zip(names, tensors, strict=True) if name == item.name
    }
    return tuple(
        item
        if name == item.name and printable(item.raw_name) == item.raw_name
        else replace(
            item,
            name=name if name == item.name else unique_name(name, taken),
            raw_name=printable(item.raw_name),
            doubt=printable(item.doubt),
        )
        for name, item in zip(names, tensors, strict=True)
    )


def _plain(value: Any, depth: int) -> Any:
    """A JSON-like value whose texts are printable, to some depth."""
    if isinstance(value, str):
        return printable(value, keep="\n\t")
    if isinstance(value, dict | list | tuple) and not depth:
        return "…"
    if isinstance(value, dict):
        return {
            printable(key) if isinstance(key, str) else key: _plain(item, depth - 1)
            for key, item in value.items()
        }
    if isinstance(value, list | tuple):
        return [_plain(item, depth - 1) for item in value]
    return value
