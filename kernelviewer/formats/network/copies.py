"""Several copies of one network in a file: recognised, offered, never added up.

Copies are what lies under sibling keys with the same names and shapes, such as
``params`` and ``params_ema``; or, within one state dict, under a prefix that says so,
such as ``model_ema.`` beside ``model.``, or with a mark in every name, such as
``conv.weight_ema`` beside ``conv.weight``. Where the keys say that one copy follows the
other, a few names may differ: a module may have been renamed in one of them.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

from kernelviewer.formats.checkpoint import Skipped
from kernelviewer.formats.errors import DamagedError
from kernelviewer.formats.network.names import joined, unwrapped
from kernelviewer.text import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from kernelviewer.formats.stored import Leaf

    Signature = frozenset[tuple[str, tuple[int, ...]]]


_WORDS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
_AVERAGES = {"ema", "swa", "averaged", "average", "polyak", "teacher", "shadow"}
_MARK = re.compile(rf"[._]({'|'.join(sorted(_AVERAGES))})(?=[._]|$)", re.IGNORECASE)
"""What a name of an averaged weight may have that its twin's has not."""
_FOLLOWERS = (("momentum", ""), ("target", "online"), ("encoder_k", "encoder_q"))
"""Part of the name of a module that follows another slowly, and of that other."""
_SEPARATORS = str.maketrans("", "", "._")
_ALIKE, _HALF = 0.9, 0.5
_FEW, _FEW_SHAPES = 50, 2


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
    """True if a name says that it holds averaged weights."""
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
    """Group siblings with the same names and shapes, or nearly so if they say it.

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
        for group in _with_followers(by_content)
        if len(group) > 1
        and (
            any("." in leaf.path[-1] for leaf in branches[group[0]])
            or any(is_average(branch[-1]) for branch in group)
        )
    ]


def _with_followers(
    by_content: dict[Signature, list[tuple[str, ...]]],
) -> list[list[tuple[str, ...]]]:
    """The groups; those are one that follow another and differ in a few names."""
    groups = {content: list(group) for content, group in by_content.items()}
    if len(groups) > _FEW:
        return list(groups.values())
    for one, other in combinations(by_content, 2):
        pairs = [(a, b) for a in by_content[one] for b in by_content[other]]
        told = any(_is_follower(a[-1], b[-1]) for a, b in pairs)
        first = groups[one]
        if told and first is not groups[other] and nearly_same(one, other):
            first += groups[other]
            groups |= {key: first for key in groups if groups[key] is groups[other]}
    order = [branch for group in by_content.values() for branch in group]
    unique = {id(group): group for group in groups.values()}.values()
    return [sorted(group, key=order.index) for group in unique]


def _is_follower(one: str, other: str) -> bool:
    """True if by their names one of two holds averages of the other."""
    if is_average(one) != is_average(other):
        return True
    return any(
        mark in a and mark not in b and leader in b
        for mark, leader in _FOLLOWERS
        for a, b in ((one, other), (other, one))
    )


def nearly_same(one: Signature, other: Signature) -> bool:
    """True if two networks are the same but for a few names, or a prefix of them all.

    Half of the names must agree and of the shapes all but a tenth, or every shape.
    """
    most = max(len(one), len(other))
    same = one & other
    if len(same) < _HALF * most:
        one, other = _without_lead(one), _without_lead(other)
        same = one & other
    shapes = Counter(shape for _, shape in one) & Counter(shape for _, shape in other)
    apart = most - shapes.total()
    if not apart and len(shapes) > _FEW_SHAPES:
        return True
    return len(same) >= _HALF * most and apart <= max(1, (1 - _ALIKE) * most)


def _without_lead(content: Signature) -> Signature:
    """Names without the modules that all of them start with."""
    parts = [name.split(".") for name, _ in content]
    lead = 0
    for same in zip(*(names[:-1] for names in parts), strict=False):
        if len({*same}) > 1:
            break
        lead += 1
    return frozenset(
        (".".join(names[lead:]), shape)
        for names, (_, shape) in zip(parts, content, strict=True)
    )


def _signature(names: Iterable[str], shapes: Iterable[tuple[int, ...]]) -> Signature:
    """The weights that make two networks the same: convolutions, else all."""
    everything = list(zip(names, shapes, strict=True))
    convolutions = [item for item in everything if len(item[1]) > 2]
    return frozenset(convolutions or everything)


# Copies under prefixes of one state dict


@dataclass(frozen=True, slots=True)
class _Pair:
    """A copy under a prefix and the one it follows, as positions among the leaves."""

    prefix: str
    base: str
    """Prefix of the copy; of the other, ``""`` if it has none."""
    mine: list[int]
    theirs: list[int]
    """Everything in the copy, and in the other."""
    twins: dict[int, int]
    """Of a leaf in the copy: the same in the other."""


def _choose_prefix(leaves: list[Leaf], wish: str) -> Choice:
    """Keep one copy among the top-level modules of the network."""
    names = readable_names(leaves)
    pairs = _find_pairs(names, leaves)
    if not pairs:
        return Choice(leaves, names)
    first = pairs[0]
    copies = (first.base or "weights", first.prefix.rstrip("_"))
    copy = _pick(copies, wish)
    followed = copy == copies[0]
    dropped: set[int] = set()
    seen: set[int] = set()
    skipped = []
    for pair in pairs:
        both = (pair.base or "weights", pair.prefix.rstrip("_"))
        one_more = not seen.isdisjoint(pair.theirs)  # a third copy of the same
        seen.update(pair.theirs)
        if followed or one_more:
            dropped.update(pair.mine)
        else:
            dropped.update(pair.theirs)
            _rename(names, pair)
        left_out = both[followed or one_more]
        shown = copy if one_more else both[not followed]
        reason = f"another copy of the network; {shown} is shown"
        skipped.append(Skipped(left_out, reason))
    kept = [index for index in range(len(leaves)) if index not in dropped]
    left = [leaves[index] for index in kept]
    readable = unwrapped([names[index] for index in kept])
    return Choice(left, readable, tuple(skipped), copies, copy)


def _find_pairs(names: list[str], leaves: list[Leaf]) -> list[_Pair]:
    """The copies under prefixes, each with the one it follows."""
    firsts = dict.fromkeys(name.split(".", 1)[0] for name in names)
    marked = [first for first in firsts if _leaders(first) is not None][:_FEW]
    shapes = [leaf.shape for leaf in leaves]
    pairs: list[_Pair] = []
    for prefix in dict.fromkeys(_flat(first) for first in marked):
        leader = _leaders(prefix) or ""
        bases = ["", *(first for first in firsts if leader in first)][:_FEW]
        pair = _pair(prefix, names, shapes, bases)
        if pair is not None:
            pairs.append(pair)
    return pairs or _told_by_each_name(names, shapes)


def _told_by_each_name(names: list[str], shapes: list[tuple[int, ...]]) -> list[_Pair]:
    """The copy whose every weight is named as its twin and ``_ema`` or the like.

    Where hardly any convolution has such a twin these are buffers of a layer.
    """
    places = {name: index for index, name in enumerate(names)}
    marked: dict[str, dict[int, int]] = defaultdict(dict)
    for name, index in places.items():
        for found in _MARK.finditer(name):
            twin = places.get(name[: found.start()] + name[found.end() :])
            if twin is not None and shapes[twin] == shapes[index]:
                marked[found[1].lower()][index] = twin
    pairs = []
    for mark, twins in marked.items():
        followed = sum(len(shapes[twin]) > 2 for twin in twins.values())
        all_of_them = sum(
            len(shape) > 2 and not _MARK.search(name)
            for name, shape in zip(names, shapes, strict=True)
        )
        if followed and followed >= _ALIKE * all_of_them:
            pairs.append(_Pair(mark, "", [*twins], [*twins.values()], twins))
    return pairs


def _leaders(first: str) -> str | None:
    """Part of the name of the module that this one follows; None if it follows none."""
    if is_average(first):
        return ""
    return next((leader for mark, leader in _FOLLOWERS if mark in first), None)


def _flat(first: str) -> str:
    """Prefix of the copy: some tools write ``ema_backbone_conv1_weight``."""
    return "ema_" if first.startswith("ema_") and first != "ema_model" else first


def _pair(
    prefix: str, names: list[str], shapes: list[tuple[int, ...]], bases: list[str]
) -> _Pair | None:
    """The copy under a prefix with the one that it is most like; None if with none."""
    lead = prefix if prefix == "ema_" else f"{prefix}."
    mine = _under(lead, names, shapes, "")
    if not mine:
        return None
    likest: _Pair | None = None
    best = (False, 0, False)
    for base in bases:
        start = f"{base}." if base else ""
        if start == lead or (base and prefix.startswith(f"{base}.")):
            continue
        theirs = _under(start, names, shapes, lead)
        shared = mine.keys() & theirs.keys()
        size = max(len(mine), len(theirs))
        named_alike = len(shared) >= _HALF * size
        alike = (base or named_alike) and (
            len(shared) >= _ALIKE * size
            or nearly_same(frozenset(mine), frozenset(theirs))
        )
        rank = (bool(base) and base in prefix, len(shared), bool(base))
        if alike and (likest is None or rank > best):
            twins = {mine[key]: theirs[key] for key in shared}
            rest = theirs.values() if base else _paired(mine, theirs, twins)
            likest = _Pair(prefix, base, [*mine.values()], [*rest], twins)
            best = rank
    return likest


_Keys = dict[tuple[str, tuple[int, ...]], int]


def _under(
    start: str, names: list[str], shapes: list[tuple[int, ...]], lead: str
) -> _Keys:
    """Name without its prefix and separators, and shape → position of the leaf."""
    return {
        (name[len(start) :].translate(_SEPARATORS), shape): index
        for index, (name, shape) in enumerate(zip(names, shapes, strict=True))
        if name.startswith(start) and not (lead and name.startswith(lead))
    }


def _paired(mine: _Keys, theirs: _Keys, twins: dict[int, int]) -> list[int]:
    """What is the copy's counterpart where that has no prefix of its own.

    Besides the twins, these are leaves of the shapes that the copy has more of.
    """
    found = list(twins.values())
    lacking = Counter(shape for (_, shape), at in mine.items() if at not in twins)
    taken = {*found}
    for (_, shape), at in theirs.items():
        if at not in taken and lacking[shape] > 0:
            lacking[shape] -= 1
            found.append(at)
    return found


def _rename(names: list[str], pair: _Pair) -> None:
    """The leaves of a copy, under the names that they have in the network."""
    lead = pair.prefix if pair.prefix == "ema_" else f"{pair.prefix}."
    start = f"{pair.base}." if pair.base else ""
    for index in pair.mine:
        twin = pair.twins.get(index)
        own = start + names[index].removeprefix(lead)
        names[index] = own if twin is None else names[twin]
