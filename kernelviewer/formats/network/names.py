"""Names of tensors: unique, printable, and in the order people count in."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from kernelviewer.formats.checkpoint import Skipped
from kernelviewer.text import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Key = Callable[[str], object]
    from kernelviewer.formats.checkpoint import Checkpoint, Tensor


_SEPARATORS = re.compile(r"[./]")
_DIGITS = re.compile(r"\d+")


def unique_name(name: str, taken: set[str]) -> str:
    """The name, or its last module numbered if it is taken; adds it to ``taken``.

    ``stem.conv.weight`` becomes ``stem.conv_2.weight``.
    """
    unique, number = name, 1
    stem, dot, last = name.rpartition(".")
    while unique in taken:
        number += 1
        unique = f"{stem}_{number}{dot}{last}" if dot else f"{name}_{number}"
    taken.add(unique)
    return unique


def natural_key(name: str) -> tuple[tuple[int, str], ...]:
    """Sorting key that counts: ``block_2`` comes before ``block_10``."""
    pieces = re.split(r"(\d+)", name)
    return tuple((int(p), "") if p.isdecimal() else (0, p) for p in pieces)


def by_parts(name: str) -> list[tuple[tuple[int, str], ...]]:
    """Sorting key that counts within each module's name, as readers bring it about."""
    return [natural_key(part) for part in _SEPARATORS.split(name)]


def in_counted_order(paths: Sequence[Sequence[str]]) -> list[int]:
    """Places of paths with ``block_2`` before ``block_10`` where their writer sorted.

    It may have sorted some levels only, or some of the names of a level: those that
    differ in their numbers alone are taken for blocks that follow each other.

    Parameters
    ----------
    paths
        Names of modules and of their variable, in the order of the file.
    """
    children: dict[tuple[str, ...], dict[str, int]] = {}
    for path in paths:
        for depth, name in enumerate(path):
            level = children.setdefault(tuple(path[:depth]), {})
            level.setdefault(name, len(level))
    changed = False
    for level in children.values():
        names = _counted([*level])
        changed |= names != [*level]
        level.update({name: place for place, name in enumerate(names)})
    if not changed:
        return list(range(len(paths)))

    def key(place: int) -> list[int]:
        path = paths[place]
        return [children[tuple(path[:i])][path[i]] for i in range(len(path))]

    return sorted(range(len(paths)), key=key)


def _counted(names: list[str]) -> list[str]:
    """Siblings in their order: those that were sorted letter by letter, counting."""
    if names == sorted(names):
        return sorted(names, key=natural_key)
    alike: dict[str, list[int]] = {}
    for place, name in enumerate(names):
        alike.setdefault(_DIGITS.sub("#", name), []).append(place)
    found = list(names)
    for places in alike.values():
        own = [names[place] for place in places]
        if own == sorted(own):
            for place, name in zip(places, sorted(own, key=natural_key), strict=True):
                found[place] = name
    return found


def is_listed_by_name(names: Sequence[str]) -> bool:
    """True if names stand in alphabetical order, letter by letter or counting.

    Such a list says nothing of the order in which a network uses its layers. Writers
    sort letter by letter; readers then put ``block_2`` before ``block_10``.
    """
    keys: tuple[Key, ...] = (str, natural_key, by_parts)
    return len(names) > 1 and any(
        all(a <= b for a, b in pairwise(map(key, names)))  # type: ignore[operator]
        for key in keys
    )


_OUTER = ("module.", "_orig_mod.", "model.")
_ANYWHERE = ("_orig_mod.", "_fsdp_wrapped_module.", "_checkpoint_wrapped_module.")


def unwrapped(names: Sequence[str]) -> list[str]:
    """Names without wrapper modules.

    ``module.`` (data parallel), ``_orig_mod.`` (compiled) and ``model.`` go where every
    name starts with them; ``_orig_mod.`` and the wrappers of FSDP and activation
    checkpointing, which sit around parts of a network too, go wherever they stand.
    """
    found = list(names)
    text = "\n".join(found)
    for part in _ANYWHERE:
        if part in text:
            found = [name.replace(part, "") for name in found]
    while found:
        prefix = next((part for part in _OUTER if found[0].startswith(part)), None)
        if prefix is None or not all(name.startswith(prefix) for name in found):
            break
        found = [name[len(prefix) :] for name in found]
    return found


def joined(paths: Sequence[tuple[str, ...]]) -> list[str]:
    """Dotted names of paths, without the keys that all of them start with."""
    if not paths:
        return []
    shared = 0
    first = paths[0]
    while all(
        len(path) > shared + 1 and path[shared] == first[shared] for path in paths
    ):
        shared += 1
    if all(len(path) == shared + 1 for path in paths):
        return [path[-1] for path in paths]
    return [".".join(path[shared:]) for path in paths]


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
