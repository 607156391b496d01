"""Names of tensors: unique, and in the order people count in."""

from __future__ import annotations

import re


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
