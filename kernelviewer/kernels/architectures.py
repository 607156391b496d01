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

from kernelviewer.formats.checkpoint import Operator
from kernelviewer.resources import resource

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kernelviewer.formats.checkpoint import Checkpoint, Tensor

HEAD_DIMENSIONS = 3
"""Tensors of fewer dimensions (heads, norms) do not count: heads are replaced."""


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


@cache
def _index() -> dict[str, tuple[list[str], str]]:
    """Fingerprint → names and packed facts."""
    try:
        data = resource("architectures", "index.json").read_bytes()
    except FileNotFoundError:
        return {}
    known: dict[str, tuple[list[str], str]] = json.loads(data)["architectures"]
    return known


def _unpacked(text: str) -> dict[str, Any]:
    facts: dict[str, Any] = json.loads(zlib.decompress(base64.b85decode(text)))
    return facts


def depthwise_architectures() -> frozenset[str]:
    """Names of timm's architectures that have depthwise convolutions."""
    return frozenset(name for names, _ in _index().values() for name in names)


def recognise(checkpoint: Checkpoint) -> Checkpoint:
    """The checkpoint with its architecture's name and operators, if it is known.

    What the file says itself is kept.
    """
    shapes = {tensor.name: tensor.shape for tensor in checkpoint.tensors}
    names, text = _index().get(fingerprint(shapes), ([], ""))
    if not names:
        return checkpoint
    facts = _unpacked(text)
    stated = checkpoint.architecture
    name = stated or (names[0] if len(names) == 1 else f"{names[0]} or alike")
    tensors = tuple(_with_operator(tensor, facts) for tensor in checkpoint.tensors)
    return replace(checkpoint, architecture=name, tensors=tensors)


def _with_operator(tensor: Tensor, facts: dict[str, Any]) -> Tensor:
    if tensor.operator is not None:
        return tensor
    if tensor.name in facts["one_channel"]:
        return replace(tensor, operator=Operator(groups=1, in_channels=1))
    if tensor.name not in facts["depthwise"]:
        return tensor
    groups, stride, dilation, padding, channels = facts["depthwise"][tensor.name]
    operator = Operator(
        groups=groups,
        stride=tuple(stride),
        dilation=tuple(dilation),
        padding=padding if isinstance(padding, str) else tuple(padding),
        in_channels=channels,
    )
    return replace(tensor, operator=operator)
