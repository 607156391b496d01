"""Readable names for the layers of a TFLite model.

Converters fold layers into one another and join the names of all of them with
semicolons: ``model/bn/FusedBatchNormV3;model/block_1/depthwise;…``.
"""

from __future__ import annotations

import re

_OPERATION = {
    "depthwise_conv2d": r"(separable_conv2d|depthwise(_conv2?d?)?)",
    "conv2d": r"(Conv[12]D|convolution|conv)",
    "conv2d_transpose": r"(conv2d_transpose|Conv2DBackpropInput)",
    "conv3d": r"(Conv3D)",
    "conv3d_transpose": r"(conv3d_transpose|Conv3DBackpropInputV2)",
    "fully_connected": r"(MatMul|Tensordot)",
}
"""Kind of layer → the operation's name, the last part of the path in one of them."""

_ADDED = re.compile(r"(_dequantize|:0|/ReadVariableOp(/resource)?)+\d*$")
_OPAQUE = re.compile(
    r"\d*|.*(const|constant|fuse_attr|tensor|unknown)[._]?\d*|tfl\.\w+\d*|.*::.*",
    re.IGNORECASE,
)


def layer_name(weight: str, output: str, kind: str, place: int) -> str:
    """Dotted name of a layer's weight, ending in ``weight``.

    Parameters
    ----------
    weight, output
        The file's names of the weight and of what the operator puts out.
    kind, place
        The operator and its number among the convolutions.
    """
    operation = re.compile(rf"{_OPERATION[kind]}(_Fold|_quant\w*)?\d*")
    for name in (weight, output):
        for part in name.split(";"):
            path, _, last = _ADDED.sub("", part).rpartition("/")
            if path and operation.fullmatch(last):
                return f"{path.replace('/', '.')}.weight"
    plain = _ADDED.sub("", weight.split(";")[0])
    if _OPAQUE.fullmatch(plain):
        return f"{kind}_{place}.weight"
    parts = [part for part in re.split(r"[/.]", plain) if part]
    if parts[-1].lower() in ("kernel", "weights", "weight", "filter"):
        parts.pop()
    return ".".join((*(parts or [f"{kind}_{place}"]), "weight"))
