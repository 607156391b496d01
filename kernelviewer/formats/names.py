"""Names that no two tensors of a network share."""

from __future__ import annotations


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
