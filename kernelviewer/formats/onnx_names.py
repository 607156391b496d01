"""Readable names for the layers of an ONNX graph."""

from __future__ import annotations

import re

_OPAQUE = re.compile(
    r"\d+|.*::.*|.*_\d{4,}|const_fold_opt.*|.*constant[._]?\d+|(tensor|val|const|init(ializer)?|"
    r"parameter|weights?|w|kernel|b|x)[_./]?\d*",
    re.IGNORECASE,
)
"""Names that exporters make up: they say nothing about the place in the network."""

_ADDED = re.compile(
    r"(_quantized|_dequantized|_fake_quant(ized)?|_fp16|:0|/read(variableop)?)+$",
    re.IGNORECASE,
)
"""What tools append to the name of a weight that they rewrite."""

_PARAMETER = {
    "w_0": "weight",
    "b_0": "bias",
    "kernel": "weight",
    "W": "weight",
    "B": "bias",
}
"""Other frameworks' words for a layer's parameters, as the last part of a name."""


def layer_name(weight: str, node: str, operator: str, place: int) -> str:
    """Dotted name of a convolution's weight, ending in ``weight``.

    The weight's own name is kept where it is a parameter's; else the node's path
    stands for it; else its operator and place (``Conv_12``).

    Parameters
    ----------
    weight, node
        Names in the file, either may be empty.
    operator, place
        The node's operator and its number among the convolutions.
    """
    plain = dotted(_ADDED.sub("", weight))
    if plain.endswith(".weight"):
        return plain
    if "/" in node and (path := _module_path(node)):
        return f"{path}.weight"
    for name in (plain, node):
        if name and not _OPAQUE.fullmatch(name):
            name = dotted(name)
            return name if name.endswith(".weight") else f"{name}.weight"
    return f"{operator}_{place}.weight"


def dotted(name: str) -> str:
    """A parameter's name with dots between its parts and PyTorch's last word."""
    parts = [part for part in re.split(r"[/.]", name) if part]
    if parts and parts[-1] in _PARAMETER:
        parts[-1] = _PARAMETER[parts[-1]]
    return ".".join(parts)


def is_readable(name: str) -> bool:
    """Whether a name says where the weight belongs."""
    return bool(name) and not _OPAQUE.fullmatch(name)


def _module_path(node: str) -> str:
    """Module path of a node: ``/layers/layers.0/conv/Conv`` → ``layers.0.conv``."""
    parts = [part for part in node.split(";")[0].split("/")[:-1] if part]
    kept: list[str] = []
    for part in parts:
        # A list and its entry both appear: blocks, blocks.0
        if kept and part.startswith(f"{kept[-1]}."):
            kept.pop()
        kept.append(part)
    return ".".join(kept)
