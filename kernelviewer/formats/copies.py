"""Several copies of one network in a file: recognised, offered, never added up.

Copies are what lies under sibling keys with the same names and shapes, such as
``params`` and ``params_ema``; or, within one state dict, under a prefix that says so,
such as ``model_ema.`` beside ``model.``.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kernelviewer.formats.checkpoint import Skipped
from kernelviewer.formats.damage import DamagedError
from kernelviewer.formats.wrappers import joined, unwrapped
from kernelviewer.text import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from kernelviewer.formats.leaves import Leaf

    Signature = frozenset[tuple[str, tuple[int, ...]]]

_WORDS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
_AVERAGES = {"ema", "swa", "averaged", "average", "teacher", "shadow"}
_FOLLOWERS = (("momentum", ""), ("target", "online"), ("encoder_k", "encoder_q"))
"""Part of the name of a module that follows another slowly, and of that other."""
_SEPARATORS = str.maketrans("", "", "._")
_ALIKE = 0.9
_FEW = 50


@dataclass(frozen=True, slots=True)
class Choice:
    """The leaves of one copy, what was left out, and what there was to choose from.

    ``names`` are the leaves' names as people read them.
    """

    leaves: list[Leaf]
    names: list[str]
    skipped: tuple[Skipped, ...] = ()
    copies: tuple[str, ...] = ()
    copy: str = ""


def choose_copy(leaves: list[Leaf], wish: str) -> Choice:
    """Keep one copy of the network.

    Parameters
    ----------
    leaves
        The weights of the file.
    wish
        Which copy is wanted; ``""`` for the averaged (EMA) one, else the first.

    Raises
    ------
    DamagedError
        There is no copy of that name.
    """
    choice = _choose_branch(leaves, wish)
    inner = _choose_prefix(choice.leaves, "" if choice.copies else wish)
    skipped = (*choice.skipped, *inner.skipped)
    outer = choice if choice.copies else inner
    if wish and wish not in (outer.copy, printable(outer.copy)):
        there = " and ".join(outer.copies) or "just one copy of its network"
        problem = f"it holds no copy of the network called “{wish}”"
        raise DamagedError(problem, f"It holds {there}.")
    return Choice(inner.leaves, inner.names, skipped, outer.copies, outer.copy)


def readable_names(leaves: list[Leaf]) -> list[str]:
    """Dotted names without what only wraps the network."""
    return unwrapped(joined([leaf.path for leaf in leaves]))


def is_average(key: str) -> bool:
    """Whether a name says that it holds averaged weights."""
    return not _AVERAGES.isdisjoint(_words(key))


def _words(key: str) -> set[str]:
    return {word.lower() for word in _WORDS.findall(key)}


def _pick(names: Sequence[str], wish: str) -> str:
    """The wished-for copy, else the averaged one, else the first."""
    wished = next((name for name in names if wish in (name, printable(name))), "")
    return wished or next((name for name in names if is_average(name)), names[0])


# Copies under sibling keys


def _choose_branch(leaves: list[Leaf], wish: str) -> Choice:
    """Keep one copy among the branches of dictionaries and lists."""
    nested = any(len(leaf.path) > 1 for leaf in leaves)
    groups = _branch_copies(leaves) if nested else []
    if not groups:
        return Choice(leaves, [])
    first = groups[0]
    copies = tuple(branch[-1] for branch in first)
    copy = _pick(copies, wish)
    dropped: dict[tuple[str, ...], str] = {}
    for branches in groups:
        names = [branch[-1] for branch in branches]
        alike = [name for name in names if is_average(name) == is_average(copy)]
        kept = copy if branches is first else (alike or names)[0]
        dropped |= {branch: kept for branch in branches if branch[-1] != kept}
    lengths = {len(branch) for branch in dropped}
    left = [
        leaf
        for leaf in leaves
        if not any(leaf.path[:length] in dropped for length in lengths)
    ]
    skipped = tuple(
        Skipped("/".join(branch), f"another copy of the network; {kept} is shown")
        for branch, kept in dropped.items()
    )
    return Choice(left, [], skipped, copies, copy)


def _branch_copies(leaves: list[Leaf]) -> list[list[tuple[str, ...]]]:
    """Groups of branches that are copies of each other, outermost first."""
    branches: dict[tuple[str, ...], list[Leaf]] = defaultdict(list)
    for leaf in leaves:
        for length in range(1, len(leaf.path)):
            branches[leaf.path[:length]].append(leaf)
    siblings: dict[tuple[str, ...], list[tuple[str, ...]]] = defaultdict(list)
    for branch in branches:
        siblings[branch[:-1]].append(branch)
    groups: list[list[tuple[str, ...]]] = []
    for family in siblings.values():
        inside = any(family[0][: len(b)] == b for group in groups for b in group)
        if len(family) > 1 and not inside:
            groups += _alike(family, branches)
    return groups


def _alike(
    family: list[tuple[str, ...]], branches: dict[tuple[str, ...], list[Leaf]]
) -> list[list[tuple[str, ...]]]:
    """Group siblings with the same names and shapes.

    Without dotted names (as PyTorch's state dicts have) they may be a network's equal
    blocks; there only a name that speaks of averaging makes copies.
    """
    by_content: dict[Signature, list[tuple[str, ...]]] = defaultdict(list)
    for branch in family:
        inner = [leaf.path[len(branch) :] for leaf in branches[branch]]
        shapes = [leaf.shape for leaf in branches[branch]]
        by_content[_signature(unwrapped(joined(inner)), shapes)].append(branch)
    return [
        group
        for group in by_content.values()
        if len(group) > 1
        and (
            any("." in leaf.path[-1] for leaf in branches[group[0]])
            or any(is_average(branch[-1]) for branch in group)
        )
    ]


def _signature(names: Iterable[str], shapes: Iterable[tuple[int, ...]]) -> Signature:
    """What makes two networks the same: convolutions, or all weights if none."""
    everything = list(zip(names, shapes, strict=True))
    convolutions = [item for item in everything if len(item[1]) > 2]
    return frozenset(convolutions or everything)


# Copies under prefixes of one state dict


def _choose_prefix(leaves: list[Leaf], wish: str) -> Choice:
    """Keep one copy among the top-level modules of the network."""
    names = readable_names(leaves)
    firsts = dict.fromkeys(name.split(".", 1)[0] for name in names)
    marked = [first for first in firsts if _leaders(first) is not None]
    for prefix in dict.fromkeys(_flat(first) for first in marked[:_FEW]):
        leader = _leaders(prefix) or ""
        bases = ["", *(first for first in firsts if leader in first)][:_FEW]
        pairs = _pairs(prefix, list(zip(names, leaves, strict=True)), bases)
        if pairs is not None:
            base, twins = pairs
            return _choose_twin(leaves, prefix, base, twins, wish)
    return Choice(leaves, names)


def _leaders(first: str) -> str | None:
    """Part of the name of the module that this one follows; None if it follows none."""
    if is_average(first):
        return ""
    return next((leader for mark, leader in _FOLLOWERS if mark in first), None)


def _flat(first: str) -> str:
    """Prefix of the copy: some tools write ``ema_backbone_conv1_weight``."""
    return "ema_" if first.startswith("ema_") and first != "ema_model" else first


def _pairs(
    prefix: str, named: list[tuple[str, Leaf]], bases: list[str]
) -> tuple[str, dict[int, Leaf]] | None:
    """Prefix of the other copy, and each leaf of this copy → its twin there."""
    lead = prefix if prefix == "ema_" else f"{prefix}."
    mine = {
        (name[len(lead) :].translate(_SEPARATORS), leaf.shape): leaf
        for name, leaf in named
        if name.startswith(lead)
    }
    if not mine:
        return None
    for base in bases:
        start = f"{base}." if base else ""
        if start == lead or (base and prefix.startswith(f"{base}.")):
            continue
        theirs = {
            (name[len(start) :].translate(_SEPARATORS), leaf.shape): leaf
            for name, leaf in named
            if name.startswith(start) and not name.startswith(lead)
        }
        shared = mine.keys() & theirs.keys()
        if len(shared) >= _ALIKE * max(len(mine), len(theirs)):
            return base, {id(mine[key]): theirs[key] for key in shared}
    return None


def _choose_twin(
    leaves: list[Leaf], prefix: str, base: str, twins: dict[int, Leaf], wish: str
) -> Choice:
    """Keep the copy under a prefix, or the one it follows; names stay the same."""
    copies = (base or "weights", prefix.rstrip("_"))
    copy = _pick(copies, wish)
    others = {id(leaf) for leaf in twins.values()}
    if copy == copies[0]:
        left = [leaf for leaf in leaves if id(leaf) not in twins]
    else:
        for leaf in leaves:
            if id(leaf) in twins:
                leaf.path = twins[id(leaf)].path
        left = [leaf for leaf in leaves if id(leaf) not in others]
    dropped = copies[copy == copies[0]]
    reason = f"another copy of the network; {copy} is shown"
    names = readable_names(left)
    return Choice(left, names, (Skipped(dropped, reason),), copies, copy)
