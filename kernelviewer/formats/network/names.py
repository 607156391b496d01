"""Names of tensors: unique, and in the order people count in."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Key = Callable[[str], object]


_SEPARATORS = re.compile(r"[./]")


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


def is_listed_by_name(names: Sequence[str]) -> bool:
    """Whether names stand in alphabetical order, letter by letter or counting.

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
