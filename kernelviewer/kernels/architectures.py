"""Recognises an architecture by the names and shapes of its tensors.

The index in resources holds every architecture of timm that has depthwise
convolutions, with what each of them does (stride, dilation, padding).
"""

from __future__ import annotations

import base64
import hashlib
import json
import zlib
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any

from kernelviewer.files import resource
from kernelviewer.formats.checkpoint import Operator

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
