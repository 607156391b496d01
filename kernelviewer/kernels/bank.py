"""The kernels of one network, grouped by size: what every later step works on."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeVar

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from kernelviewer.formats.checkpoint import Skipped, Tensor
    from kernelviewer.formats.source import OpenedFile

_LISTED, _PICTURED, _PLANE = 12, 60, 2
"""Layers and kernels that a notebook shows, and the dimensions that it can."""

T = TypeVar("T")
Size = tuple[int, ...]
_AXES = 3
"""Most axes of a kernel."""
Support = tuple[tuple[int, int], ...]
"""Part of a kernel's window: per axis the first tap and the one after the last."""
PER_KERNEL = ("weights", "layer", "channel", "scale", "offset", "flat")
"""The arrays of a `KernelSet` that have a row for each kernel."""
Kind = Literal["depthwise", "transposed", "ambiguous", "fixed"]


def size_key(size: Size) -> str:
    """Name of a kernel size in files: ``7x7``, ``1x11``, ``7`` (1-D), ``3x3x3``."""
    return "x".join(map(str, size))


def size_label(size: Size) -> str:
    """Name of a kernel size on screen: ``7×7``; 1-D kernels read ``7 (1-D)``."""
    return "×".join(map(str, size)) if len(size) > 1 else f"{size[0]} (1-D)"


def as_size(value: Sequence[int] | str) -> Size:
    """The kernel size that ``(7, 7)`` or ``7x7`` tells.

    Raises
    ------
    ValueError
        It tells none.
    """
    try:
        parts = value.replace("×", "x").split("x") if isinstance(value, str) else value
        size = tuple(map(int, parts))
    except (TypeError, ValueError):
        size = ()
    if not 1 <= len(size) <= _AXES or min(size) < 1:
        msg = f"a kernel size is such as (7, 7), 1-D ones (7,), not {value!r}"
        raise ValueError(msg)
    return size


class BySize(dict[Size, T]):
    """Kernel size → something; ``7x7`` does for ``(7, 7)``."""

    def __missing__(self, key: Any) -> T:
        """What a size has that is told otherwise; else say which sizes there are."""
        size = as_size(key)
        if size in self:
            return self[size]
        there = ", ".join(map(size_label, self)) or "no kernels"
        raise KeyError(f"there are no {size_label(size)} kernels; there are {there}")


@dataclass(frozen=True, slots=True)
class LayerInfo:
    """A layer of depthwise kernels, or one that looks like it.

    Attributes
    ----------
    name
        Module path without the trailing ``weight``: ``stages.2.blocks.0.conv_dw``.
    kind
        ``depthwise``; ``transposed`` (depthwise, transposed); ``ambiguous`` (shape
        alone cannot tell); ``fixed`` (all kernels equal: blur pooling, Sobel).
    kernels, size, dtype
        Number of kernels, their size, stored type.
    reason
        Why the layer is ambiguous or fixed, a sentence; else empty.
    included
        Whether its kernels are in the bank.
    flat
        How many of its kernels are flat (`kernelviewer.kernels.statistics`).
    multiplier
        Kernels per input channel.
    stride, dilation, padding
        Where the file tells.
    raw_name
        Name of the tensor in the file.
    support
        The taps that ever saw data, where the outer ones are nothing in all of its
        kernels (`kernelviewer.kernels.support`); None: all taps.
    """

    name: str
    kind: Kind
    kernels: int
    size: Size
    dtype: str
    reason: str = ""
    included: bool = True
    flat: int = 0
    multiplier: int = 1
    stride: Size | None = None
    dilation: Size | None = None
    padding: Size | str | None = None
    raw_name: str = ""
    support: Support | None = None

    @property
    def support_label(self) -> str:
        """Size of the support on screen, ``5×5``; empty where it is all taps."""
        if self.support is None:
            return ""
        return size_label(tuple(end - start for start, end in self.support))


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class KernelSet:
    """All kernels of one size, in network order. N kernels; arrays are read-only.

    Attributes
    ----------
    size
        (kh, kw); (k,) for 1-D and (kd, kh, kw) for 3-D convolutions.
    weights
        float32 [N, *size], as the file has them (dequantised, weight norm folded in).
    layer
        int32 [N], index into `KernelBank.layers`.
    channel
        int32 [N], output channel within the layer.
    scale, offset
        float32 [N]: ‖w − mean(w)‖₂ and mean(w).
    flat
        bool [N]: dead or constant, without a pattern.
    supports
        Index of a layer → its support, of those layers that have one.
    """

    size: Size
    weights: NDArray[np.float32]
    layer: NDArray[np.int32]
    channel: NDArray[np.int32]
    scale: NDArray[np.float32]
    offset: NDArray[np.float32]
    flat: NDArray[np.bool_]
    supports: Mapping[int, Support] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.weights)


@dataclass(frozen=True, eq=False, repr=False)
class KernelBank:
    """The depthwise kernels of one network. Immutable.

    Attributes
    ----------
    path, name, format
        Where they come from; ``name`` is short, for people.
    layers
        Every depthwise-looking layer in network (else file) order.
    sizes
        Kernel size → `KernelSet`, largest kernels first.
    convolutions
        Lazy handles of the other convolutions, PyTorch layout.
    skipped, warnings, copies, copy, architecture, files
        As in `kernelviewer.formats.Checkpoint`.
    """

    path: Path
    name: str
    format: str
    size_bytes: int
    layers: tuple[LayerInfo, ...]
    sizes: Mapping[Size, KernelSet]
    convolutions: tuple[Tensor, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    warnings: tuple[str, ...] = ()
    copies: tuple[str, ...] = ()
    copy: str = ""
    architecture: str = ""
    metadata: dict[str, object] = field(default_factory=dict)
    files: tuple[OpenedFile, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "sizes", BySize(self.sizes))

    def __len__(self) -> int:
        return sum(map(len, self.sizes.values()))

    def __repr__(self) -> str:
        layers = sum(layer.included for layer in self.layers)
        parts = [
            f"{len(kernels)} kernel{'s' * (len(kernels) != 1)} of {size_label(size)}"
            for size, kernels in self.sizes.items()
        ]
        where = f"in {layers} layer{'s' * (layers != 1)}"
        what = f"{', '.join(parts)} {where}" if parts else "no kernels"
        return f"<KernelBank {self.name}: {what}>"

    def _repr_html_(self) -> str:
        """For notebooks: the layers, and some kernels of each size."""
        from kernelviewer import notebook

        rows = [
            (item.name, item.kind, size_label(item.size), item.kernels, item.flat)
            for item in self.layers[:_LISTED]
        ]
        more = len(self.layers) - len(rows)
        return notebook.card(
            repr(self)[1:-1],
            *(_pictured(kernels) for kernels in self.sizes.values()),
            notebook.table(("layer", "kind", "size", "kernels", "flat"), rows),
            notebook.line(f"… and {more} more layers") if more else "",
            *map(notebook.line, self.warnings),
        )


def _pictured(kernels: KernelSet) -> str:
    """Kernels of one size, evenly from the first layer to the last, as a picture."""
    from kernelviewer import notebook

    if len(kernels.size) > _PLANE:
        return ""
    step = max(1, len(kernels) // _PICTURED)
    some = kernels.weights[::step][:_PICTURED]
    some = some.reshape(len(some), -1, kernels.size[-1])
    return notebook.picture(
        some, about=f"{len(some)} {size_label(kernels.size)} kernels"
    )
