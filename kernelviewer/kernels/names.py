"""What names and shapes tell: of layers what they are, of networks the architecture.

The index in resources holds every architecture of timm that has depthwise
convolutions, with what each of them does (stride, dilation, padding).
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import zlib
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any

from kernelviewer.files import resource
from kernelviewer.formats.checkpoint import Operator

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


if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from kernelviewer.formats.checkpoint import Checkpoint, Tensor

    _Group = tuple[str, list[str], str]
    """Details, names of architectures, and packed facts."""

HEAD_DIMENSIONS = 3
"""Tensors of fewer dimensions (heads, norms) do not count: heads are replaced."""
_STATISTICS = ("running_mean", "running_var", "num_batches_tracked")


def fingerprint(shapes: Mapping[str, tuple[int, ...]]) -> str:
    """Hash of the names and shapes of all convolution weights.

    Parameters
    ----------
    shapes
        Name → shape of every tensor; those with fewer than three dimensions are
        ignored, so that a replaced classifier changes nothing.
    """
    lines = sorted(
        f"{name}:{'x'.join(map(str, shape))}"
        for name, shape in shapes.items()
        if len(shape) >= HEAD_DIMENSIONS
    )
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:20]


def details(shapes: Mapping[str, tuple[int, ...]]) -> str:
    """Hash of the vectors and matrices beside the convolutions.

    It tells architectures apart whose convolutions are alike, such as ConvNeXt and
    ConvNeXt V2. Top modules without convolutions (heads) and running statistics do not
    count.
    """
    tops = {
        name.partition(".")[0]
        for name, shape in shapes.items()
        if len(shape) >= HEAD_DIMENSIONS
    }
    lines = sorted(
        f"{name}:{'x'.join(map(str, shape))}"
        for name, shape in shapes.items()
        if len(shape) < HEAD_DIMENSIONS
        and name.partition(".")[0] in tops
        and not name.endswith(_STATISTICS)
    )
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:12]


@cache
def _index() -> dict[str, list[_Group]]:
    """Fingerprint → the architectures that have it, by their details."""
    try:
        data = resource("architectures", "index.json").read_bytes()
    except FileNotFoundError:
        return {}
    known: dict[str, list[_Group]] = json.loads(data)["architectures"]
    return known


def _unpacked(text: str) -> dict[str, Any]:
    facts: dict[str, Any] = json.loads(zlib.decompress(base64.b85decode(text)))
    return facts


def recognise(checkpoint: Checkpoint) -> Checkpoint:
    """The checkpoint with its architecture's name and operators, if it is known.

    What the file says itself is kept.
    """
    shapes = {tensor.name: tensor.shape for tensor in checkpoint.tensors}
    for prefix in dict.fromkeys(("", _common_prefix(shapes))):
        own = {name[len(prefix) :]: shape for name, shape in shapes.items()}
        groups = _index().get(fingerprint(own), [])
        if groups:
            return _named(checkpoint, prefix, own, groups)
    return checkpoint


def _named(
    checkpoint: Checkpoint,
    prefix: str,
    shapes: Mapping[str, tuple[int, ...]],
    groups: list[_Group],
) -> Checkpoint:
    """With the name of the group whose details fit, or of all that come into question.

    ``shapes`` are under their names without the prefix.
    """
    own = details(shapes)
    fitting = [group for group in groups if group[0] == own] or groups
    names = [name for _, alike, _ in fitting for name in alike]
    stated = checkpoint.architecture
    name = stated or (names[0] if len(names) == 1 else f"{names[0]} or alike")
    facts = _unpacked(fitting[0][2])
    tensors = tuple(
        _with_operator(tensor, tensor.name[len(prefix) :], facts)
        for tensor in checkpoint.tensors
    )
    return replace(checkpoint, architecture=name, tensors=tensors)


def _common_prefix(names: Iterable[str]) -> str:
    """The start shared by all names, up to a dot: ``net.`` of ``net.stem.0.weight``."""
    parts = [name.split(".")[:-1] for name in names]
    common = []
    for same in zip(*parts, strict=False):
        if len({*same}) > 1:
            break
        common.append(f"{same[0]}.")
    return "".join(common)


def _with_operator(tensor: Tensor, name: str, facts: dict[str, Any]) -> Tensor:
    if tensor.operator is not None:
        return tensor
    if name in facts["one_channel"]:
        return replace(tensor, operator=Operator(groups=1, in_channels=1))
    if name not in facts["depthwise"]:
        return tensor
    groups, stride, dilation, padding, channels = facts["depthwise"][name]
    operator = Operator(
        groups=groups,
        stride=tuple(stride),
        dilation=tuple(dilation),
        padding=padding if isinstance(padding, str) else tuple(padding),
        in_channels=channels,
    )
    return replace(tensor, operator=operator)
