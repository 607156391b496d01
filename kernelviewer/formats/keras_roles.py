"""What a variable is in its Keras layer, and its weights in PyTorch's layout."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from kernelviewer.formats.checkpoint import Operator

if TYPE_CHECKING:
    from kernelviewer.formats.keras_config import Layer

    Role = Literal[
        "depthwise", "pointwise", "kernel", "transposed", "dense", "statistics", "other"
    ]

_KINDS = (  # what a class name, or the name that Keras makes of it, stands for
    ("depthwise", re.compile(r"depthwise_?conv", re.IGNORECASE)),
    ("separable", re.compile(r"separable_?conv", re.IGNORECASE)),
    ("transposed", re.compile(r"conv\w*transpose|deconv", re.IGNORECASE)),
    ("convolution", re.compile(r"conv(olution)?_?[123]_?d", re.IGNORECASE)),
    ("norm", re.compile(r"(batch|layer|group|instance|rms)_?norm", re.IGNORECASE)),
    ("dense", re.compile(r"dense", re.IGNORECASE)),
)
_CLASSES = (  # Keras's own classes, also as it writes them in paths
    ("depthwise", r"depthwise_?conv(olution)?_?[123]_?d"),
    ("separable", r"separable_?conv(olution)?_?[123]_?d"),
    ("transposed", r"conv(olution)?_?[123]_?d_?transpose|deconvolution_?[123]_?d"),
    ("convolution", r"(atrous_?)?conv(olution)?_?[123]_?d"),
    ("norm", r"(batch|layer|group|rms)_?normalization(_?v\d)?"),
    ("dense", r"(einsum_?)?dense"),
)
_OWN = [
    (kind, re.compile(rf"({pattern})(_\d+)?", re.IGNORECASE))
    for kind, pattern in _CLASSES
]
_ORDER = {  # variables of a layer, where the file only numbers them
    "depthwise": ("depthwise_kernel", "bias"),
    "separable": ("depthwise_kernel", "pointwise_kernel", "bias"),
    "transposed": ("kernel", "bias"),
    "convolution": ("kernel", "bias"),
    "dense": ("kernel", "bias"),
}
_LAST = {"kernel": "weight", "gamma": "weight", "beta": "bias", "W": "weight"}


@dataclass(frozen=True, slots=True)
class Turned:
    """A weight's axes in PyTorch's order, its shape then, and what uses it."""

    axes: tuple[int, ...]
    shape: tuple[int, ...]
    operator: Operator | None


def kind_of(name: str) -> str:
    """The kind of layer that a class name or a path's part stands for, or empty."""
    return next((kind for kind, words in _KINDS if words.search(name)), "")


def class_kind(name: str) -> str:
    """The kind of one of Keras's own classes, or of the name that it makes of it.

    Empty for classes of others, though their names may hint at a kind.
    """
    return next((kind for kind, words in _OWN if words.fullmatch(name)), "")


def variable_name(written: str, kind: str, layer: Layer | None, count: int) -> str:
    """The variable's name: as written (``kernel:0``), or by its number (``0``).

    ``count`` is the number of the layer's variables.
    """
    name = written.removesuffix(":0")
    if name.isdecimal():
        norm = kind == "norm"
        order = _norm_order(layer, count) if norm else _ORDER.get(kind, ())
        index = int(name) if len(name) < 4 else len(order)
        return order[index] if index < len(order) else name
    old = re.fullmatch(r".*_(W|b|depthwise_kernel|pointwise_kernel)", name)  # Keras 1
    if old:
        return {"W": "kernel", "b": "bias"}.get(old[1], old[1])
    return name


def _norm_order(layer: Layer | None, count: int) -> tuple[str, ...]:
    """Variables of a normalisation; of three without a configuration two are means."""
    settings = layer.settings if layer else {}
    if not settings and count == 3:
        settings = {"center": False}
    parts = [("gamma", "scale"), ("beta", "center")]
    kept = [name for name, setting in parts if settings.get(setting, True)]
    return (*kept, "moving_mean", "moving_variance")


def role_of(variable: str, kind: str, rank: int) -> Role:
    """What the variable is; kernels of unknown layers count as convolutions'."""
    if variable == "depthwise_kernel" or (variable == "kernel" and kind == "depthwise"):
        return "depthwise"
    if variable == "pointwise_kernel":
        return "pointwise"
    if variable in ("moving_mean", "moving_variance"):
        return "statistics"
    if variable != "kernel" and not (variable == "0" and not kind):
        return "other"
    if rank == 2:
        return "dense" if variable == "kernel" else "other"
    if kind in ("dense", "norm") or not 3 <= rank <= 5:
        return "other"
    return "transposed" if kind == "transposed" else "kernel"


def tensor_name(path: tuple[str, ...], variable: str, role: Role) -> str:
    """Dotted name: the layers' names, then PyTorch's word for the variable."""
    parts = [part for item in path for part in item.split("/") if part]
    if role in ("depthwise", "pointwise"):
        parts.append(role)
        variable = "weight"
    elif role in ("kernel", "transposed", "dense"):
        variable = "weight"
    return ".".join((*parts, _LAST.get(variable, variable)))


def turned(role: Role, shape: tuple[int, ...], layer: Layer | None) -> Turned | None:
    """Where the axes go, or None if the shape cannot be that of a convolution.

    Keras puts the taps first: depthwise [*k, C, m], others [*k, in, out], transposed
    [*k, out, in]. Keras 1 on Theano puts them last.
    """
    rank = len(shape)
    if role == "dense":
        return Turned((1, 0), (shape[1], shape[0]), None)
    if not 3 <= rank <= 5 or 0 in shape:
        return None
    stored = tuple(range(rank))
    if rank == 4 and layer is not None and layer.text("dim_ordering") == "th":
        stored = (2, 3, 1, 0)
    *taps, inner, last = (shape[axis] for axis in stored)
    if role == "depthwise":
        order = (rank - 2, rank - 1, *range(rank - 2))
        facts = _operator(layer, inner, inner, transposed=False)
        turned_shape = (inner * last, 1, *taps)
    else:
        order = (rank - 1, rank - 2, *range(rank - 2))
        turned_shape = (last, inner, *taps)
        facts = None
        if role == "pointwise":
            facts = Operator(groups=1, in_channels=inner)
        elif role == "transposed":
            facts = _operator(layer, 1, last, transposed=True)
        elif layer is not None and kind_of(layer.kind) == "convolution":
            groups = max(1, layer.number("groups", 1))
            facts = _operator(layer, groups, inner * groups, transposed=False)
    return Turned(tuple(stored[axis] for axis in order), turned_shape, facts)


def _operator(
    layer: Layer | None, groups: int, in_channels: int, *, transposed: bool
) -> Operator:
    if layer is None:
        return Operator(groups, transposed, in_channels=in_channels)
    return Operator(
        groups,
        transposed,
        stride=layer.numbers("strides"),
        dilation=layer.numbers("dilation_rate"),
        padding=layer.text("padding"),
        in_channels=in_channels,
    )
