"""What the names that people give to layers and networks tell of them."""

from __future__ import annotations

import re
from collections import Counter
from itertools import product
from pathlib import PurePath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from kernelviewer.kernels.bank import KernelBank

_WEIGHT = re.compile(
    r"(?:^|[._])(?:weights?|w|(?:depthwise_|pointwise_)?kernels?|filters?)$", re.I
)
_NORM_WEIGHT = re.compile(r"(?:^|[._])(?:weight|gamma|scale)$", re.I)
_BIAS = re.compile(r"(?:^|[._])(?:bias|biases|b)$", re.I)
_NO_KERNEL = re.compile(
    r"pos|emb|token|anchor|bias|gamma|beta|scale|mask|quer|latent|grid|table|prompt"
    r"|mean|std|var|temperature|alpha|index|prototype|memory|state|slot|noise|code",
    re.I,
)
_KERNEL = re.compile(r"conv|kernel|filt|dw|weight", re.I)
_NORM = re.compile(r"(?:\w*norm\w*|bn\d*|ln\d*|gn\d*)", re.I)
_EMBEDDING = re.compile(r"(?:emb\w*|wte|wpe|\w*vocab\w*|tokens?)$", re.I)

_SPELLED = re.compile(r"depth_?wise", re.I)
_DEPTHWISE = re.compile(
    r"(?:^|[^a-z])dw(?:s|c)?\d*(?:$|[^a-z])|dw_?conv|conv_?dw|(?:^|[^a-z])lkb"
    r"|depth_?conv|conv_?depth|separable_?(?:conv_?)?depth|conv_spatial",
    re.I,
)
_TRANSPOSED = re.compile(
    r"(?:^|_|dw|up|depthwise)de_?conv"
    r"|conv(?:_?[123]d)?_?(?:tr|trans|transp|transposed?)(?![a-z])|convt(?![a-z])"
    r"|(?:^|_|dw|up)(?:tconv|transp(?:osed?)?_?conv)|(?:^|_)transposed?(?:_?\d+)?$"
)
"""Words for a transposed convolution, in one part of a name, in small letters."""
_UPSAMPLER = re.compile(
    r"(?:ups?|up_?sampl(?:e[rs]?|ing)|up_?scale|up_?convs?|trans_?convs?|t_conv|conv_t)"
    r"(?:_?\d+)?"
)
"""Words for what mostly is one if its kernel has even sides."""
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_WRAPPERS = {"conv", "block", "layer", "op", "module", "net", "body", "seq"}
_PLAIN = re.compile(
    r"conv\d*|dw\d*|dw_?conv\d*|conv_?dw\d*|depth_?(?:wise)?_?(?:conv)?"
)
_FIXED = re.compile(
    r"sobel|scharr|prewitt|laplac|haar|ssim|(?:^|[._])i?stft(?:$|[._])|(?:^|[._])i?d[wc]t\d*(?:$|[._])",
    re.I,
)
_INPUT = re.compile(
    r"stem\d*|(?:conv_?)?first(?:_?conv)?\d*|(?:conv_?)?in(?:put)?(?:_?conv)?\d*"
    r"|inc|\w*patch_?embed\w*|pixel_embed|conv_?stem|in(?:put)?_?(?:layer|proj|block)"
    r"|entry(?:_flow)?|\w+_stem",
    re.I,
)
_FIRST = re.compile(
    r"conv_?[01]a?|conv2d_?1a\w*|layer_?0|base_layer|features?|conv_block_?[01]", re.I
)
_OUTPUT = re.compile(
    r"head\w*|fc\w*|classifier|out\w*|last\w*|final\w*|decoder\w*|tail|post\w*"
    r"|\w+_(?:last|out|final|post)",
    re.I,
)


def module_path(name: str) -> str:
    """Path of the module a tensor belongs to: its name without ``weight``, ``bias``."""
    for leaf in (_WEIGHT, _BIAS, _NORM_WEIGHT):
        if found := leaf.search(name):
            return name[: found.start()] or name
    return name


def is_weight(name: str) -> bool:
    """True if a tensor of two or more dimensions can be a layer's weight."""
    return _WEIGHT.search(name) is not None


def is_norm_weight(name: str) -> bool:
    """True if a vector can be the weight of a normalisation."""
    return _NORM_WEIGHT.search(name) is not None


def is_bias(name: str) -> bool:
    """True if a vector is a bias."""
    return _BIAS.search(name) is not None


def is_norm(path: str) -> bool:
    """True if a module is a normalisation."""
    return _NORM.fullmatch(path.rpartition(".")[2]) is not None


def is_embedding(path: str) -> bool:
    """True if a matrix is an embedding, whose second dimension is its width."""
    return _EMBEDDING.search(path) is not None


def may_be_kernels(name: str) -> bool | None:
    """True if a parameter that is no layer's weight can be kernels; None: open."""
    leaf = name.rpartition(".")[2]
    if _NO_KERNEL.search(leaf):
        return False
    return True if _KERNEL.search(leaf) else None


def is_fixed(path: str) -> bool:
    """True if the module is a filter of textbooks, such as Sobel or Haar."""
    return _FIXED.search(_tail(path, 2)) is not None


def spells_depthwise(path: str) -> bool:
    """True if the word *depthwise* itself is in the name."""
    return _SPELLED.search(_tail(path, 4)) is not None


def says_depthwise(path: str) -> bool:
    """True if an abbreviation that usually means depthwise is in the name."""
    return _DEPTHWISE.search(_tail(path, 3)) is not None


def says_transposed(path: str, size: tuple[int, ...]) -> bool:
    """True if name and size are those of a transposed convolution.

    Its own module or the one around it says so. One named ``up`` counts only if its
    kernel has even sides: odd ones mostly are ordinary convolutions after an
    interpolation. Parts of other words (``last_conv``, ``side_conv``,
    ``transposed_attention``) do not count.
    """
    parts = [part for part in path.split(".") if not part.isdigit()]
    around = [part for part in parts[:-1] if part.lower() not in _WRAPPERS][-1:]
    near = [*around, *parts[-1:]]
    spelled = [form for part in near for form in _spellings(part)]
    if any(_TRANSPOSED.search(part) for part in spelled):
        return True
    if any(side % 2 for side in size):
        return False
    leaf = near[-1].lower() if near else ""
    asked = near if _PLAIN.fullmatch(leaf) else near[-1:]
    return any(
        _UPSAMPLER.fullmatch(form) for part in asked for form in _spellings(part)
    )


def _spellings(part: str) -> tuple[str, str]:
    """Part of a name in small letters, as one word and with its humps divided."""
    return part.lower(), _HUMP.sub("_", part).lower()


def input_scope(path: str) -> str | None:
    """The module of the path whose name is that of a network's first layers."""
    parts = path.split(".")
    for depth, part in enumerate(parts, 1):
        if _INPUT.fullmatch(part.strip("_")):
            return ".".join(parts[:depth])
    return None


def is_patch_embedding(scope: str) -> bool:
    """True if an input scope cuts the image into patches."""
    return "patch" in scope.rpartition(".")[2].lower()


def is_first(path: str) -> bool:
    """True if a module's name is one that first layers bear, or just zeros."""
    parts = path.split(".")
    if any(map(_is_early, parts)):
        return True
    numbers = [part for part in parts if part.isdigit()]
    return len(numbers) >= max(1, len(parts) - 1) and set(numbers) == {"0"}


def order_key(name: str) -> list[tuple[int, list[tuple[int, int, str]]]]:
    """Key that brings an alphabetical list of names near to network order.

    Numbers count as numbers; stems come first, norms after what they follow, heads
    last.
    """
    return [(_rank(part), _natural(part)) for part in name.split(".")]


def _is_early(part: str) -> bool:
    name = part.strip("_")
    return bool(_INPUT.fullmatch(name) or _FIRST.fullmatch(name))


def _rank(part: str) -> int:
    if _is_early(part):
        return -1
    if _NORM.fullmatch(part):
        return 1
    return 2 if _OUTPUT.fullmatch(part) else 0


def _natural(part: str) -> list[tuple[int, int, str]]:
    pieces = re.findall(r"\d+|\D+", part)
    return [(0, int(p), "") if p.isdigit() else (1, 0, p) for p in pieces]


def _tail(path: str, count: int) -> str:
    """The last module names that are not bare numbers."""
    parts = [part for part in path.split(".") if not part.isdigit()]
    return ".".join(parts[-count:])


_PART = re.compile(r"[^\W_]+")
_WORD = re.compile(r"[^\W\d_]{3,}")
"""A part of a name that says something by itself: not ``2``, ``v1`` or ``b``."""


def network_names(banks: Sequence[KernelBank], own: Sequence[str] = ()) -> list[str]:
    """Names by which networks are told apart, no two the same.

    What all files' names begin or end with is left out: ``resnet_best``,
    ``resnet_final`` are ``best``, ``final``. Files of one name are told apart by
    suffix, folder or copy.

    Parameters
    ----------
    own
        The user's name of each network; empty: that of its file.
    """
    names = elided([bank.name for bank in banks])
    names = [mine or name for mine, name in zip(own or names, names, strict=True)]
    apart: tuple[Callable[[KernelBank], str], ...] = (
        lambda bank: bank.path.name,
        lambda bank: "/".join(PurePath(bank.path).parts[-2:]),
        lambda bank: str(bank.path),
        lambda bank: f"{bank.name} ({bank.copy})" if bank.copy else bank.name,
    )
    for name in [name for name, count in Counter(names).items() if count > 1]:
        places = [i for i, other in enumerate(names) if other == name]
        if not any(own[i] for i in places if own):
            for how in apart:
                found = [how(banks[i]) for i in places]
                if len(set(found)) == len(found):
                    for place, text in zip(places, found, strict=True):
                        names[place] = text
                    break
    taken: set[str] = set()
    for place, name in enumerate(names):
        number, wish = 1, name
        while wish in taken:
            number += 1
            wish = f"{name} ({number})"
        taken.add(wish)
        names[place] = wish
    return names


def elided(names: Sequence[str]) -> list[str]:
    """Names without the parts that all of them begin or end with.

    They stay whole where one would have nothing left that says something by itself.
    """
    split = [[match.span() for match in _PART.finditer(name)] for name in names]
    if len(set(names)) < 2 or not all(split):
        return list(names)
    words = [
        [name[a:b] for a, b in spans] for name, spans in zip(names, split, strict=True)
    ]
    most = min(map(len, words)) - 1
    start = end = 0
    while start < most and len({own[start] for own in words}) == 1:
        start += 1
    while start + end < most and len({own[-1 - end] for own in words}) == 1:
        end += 1
    for first, last in product(range(start, -1, -1), dict.fromkeys((end, 0))):
        found = [
            name[
                spans[first][0] if first else 0 : spans[-1 - last][1] if last else None
            ]
            for name, spans in zip(names, split, strict=True)
        ]
        if all(map(_WORD.search, found)):
            return found
    return list(names)
