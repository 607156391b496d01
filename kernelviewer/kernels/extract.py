"""From an opened checkpoint to its kernels."""

from __future__ import annotations

import math
import os
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Self

import numpy as np

from kernelviewer.formats.checkpoint import Checkpoint, Skipped
from kernelviewer.formats.containers.unpacked import unpacking
from kernelviewer.formats.errors import CheckpointError
from kernelviewer.formats.live import checkpoint_of
from kernelviewer.kernels.bank import PER_KERNEL, KernelBank, KernelSet, LayerInfo
from kernelviewer.kernels.depthwise import Decision, classify
from kernelviewer.kernels.names import module_path, recognise
from kernelviewer.kernels.network import is_kernel_stack
from kernelviewer.kernels.statistics import is_filter_bank, measure
from kernelviewer.kernels.support import find_support, on_support
from kernelviewer.text import printable, shown
from kernelviewer.watch import NEVER

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from kernelviewer.formats.checkpoint import Tensor
    from kernelviewer.formats.live import Network
    from kernelviewer.kernels.bank import Kind, Size, Support
    from kernelviewer.kernels.statistics import Measures
    from kernelviewer.text import AnyPath
    from kernelviewer.watch import Watch


_GENERIC_NAMES = ("model", "pytorch_model", "checkpoint", "weights", "model_weights")
_SHOWN = ("depthwise", "transposed", "ambiguous", "fixed")
_TRAINED = ("depthwise", "transposed")
_FEWEST_DIMENSIONS, _MOST_DIMENSIONS = 3, 5
_NAMED = 5
_BYTES = 4  # of a float32
_MUCH, _RATIO = 1 << 28, 16
_NO_CONVOLUTION = "by its name and shape no convolution's weight"
_SINGLE = "a single kernel, from one channel to one"
_REPEATED = "Its kernels repeat one filter or a few: they are not trained."


def extract_kernels(
    checkpoint: KernelBank | Checkpoint | AnyPath | Network,
    *,
    include: Collection[str] = (),
    copy: str = "",
    watch: Watch = NEVER,
) -> KernelBank:
    """Read the depthwise kernels of a network.

    Each size is one array, filled layer by layer, so memory stays near the size of the
    kernels themselves.

    Parameters
    ----------
    checkpoint
        An opened file; the path of one; a ``torch.nn.Module``; a state dict, name →
        array; or a bank, which stays as it is.
    include
        Names of layers whose kernels to take in although nothing tells that they are
        depthwise (*ambiguous*), or although they are *fixed* filters.
    copy
        Which copy of the network, as `kernelviewer.open_checkpoint` takes it; an opened
        file has one already.
    watch
        Told layers done, their number and the next one's name; what it raises cancels
        the extraction.

    Returns
    -------
    KernelBank
        Kernels with NaN or infinite weights keep them, count as flat and are told of
        in ``warnings``.

    Raises
    ------
    CheckpointError
        The file cannot be read any more, or its kernels are far larger than the file.
    ValueError
        ``include`` names a layer that is not there or whose shape is no kernel stack.
    TypeError
        It is none of these.

    Examples
    --------
    >>> import kernelviewer as kv
    >>> from kernelviewer.files import resource
    >>> bank = kv.extract_kernels(resource("sample", "sample.safetensors"))
    >>> bank
    <KernelBank sample: 880 kernels of 7×7 in 8 layers>
    >>> bank.sizes[7, 7].weights.shape
    (880, 7, 7)
    >>> import numpy as np
    >>> noise = np.random.default_rng(0).normal(size=(64, 1, 5, 5))
    >>> kv.extract_kernels({"stem.conv_dw.weight": noise})
    <KernelBank state dict: 64 kernels of 5×5 in 1 layer>
    """
    if isinstance(checkpoint, KernelBank):
        if include or copy:
            msg = "a bank is extracted already: give include and copy with its file"
            raise TypeError(msg)
        return checkpoint
    return _extract(recognise(_opened(checkpoint, copy, watch)), include, watch)


def _extract(
    checkpoint: Checkpoint, include: Collection[str], watch: Watch
) -> KernelBank:
    """Decide which tensors are depthwise kernels, and read them layer by layer."""
    decisions = _with_filters(checkpoint, classify(checkpoint), watch)
    planned = _plan(checkpoint, decisions, _chosen(checkpoint, include))
    _check_size(checkpoint, planned)
    filled = _make_room(planned)
    layers: list[LayerInfo] = []
    broken: list[tuple[LayerInfo, int]] = []
    with unpacking(watch):
        for done, item in enumerate(planned):
            watch.progress(done, len(planned), item.name)
            weights = _load(item.tensor, item.kernels)
            support = find_support(weights)
            measures = _measure(weights, support)
            layer = _describe(item, weights, measures, support)
            if layer.included:
                filled[item.size].add(weights, measures, len(layers), support)
            broken.append((layer, int(measures.broken.sum())))
            layers.append(layer)
    watch.progress(len(planned), len(planned))
    return KernelBank(
        path=checkpoint.path,
        name=name_of(checkpoint.path),
        format=checkpoint.format,
        size_bytes=checkpoint.size_bytes,
        layers=tuple(layers),
        sizes={size: room.finish() for size, room in filled.items() if room.used},
        convolutions=tuple(
            tensor
            for tensor, decision in zip(checkpoint.tensors, decisions, strict=True)
            if decision.verdict == "convolution"
        ),
        skipped=(*checkpoint.skipped, *_not_taken(checkpoint, decisions, planned)),
        warnings=(*checkpoint.warnings, *_warn_of_broken(broken)),
        copies=checkpoint.copies,
        copy=checkpoint.copy,
        architecture=checkpoint.architecture,
        metadata=dict(checkpoint.metadata),
        files=checkpoint.files,
    )


def _opened(
    source: Checkpoint | AnyPath | Network, copy: str, watch: Watch
) -> Checkpoint:
    """What is to be read, opened."""
    if isinstance(source, Checkpoint):
        return source
    if isinstance(source, str | os.PathLike):
        from kernelviewer.formats.registry import open_checkpoint

        return open_checkpoint(source, copy=copy, watch=watch)
    return checkpoint_of(source, copy=copy)


def find_stack(checkpoint: Checkpoint, layer: str) -> Tensor | None:
    """The weight of ``layer`` if its shape allows to include it by hand."""
    layer = printable(layer)  # as the tensors' names are
    for tensor in checkpoint.tensors:
        known = (module_path(tensor.name), tensor.name, tensor.raw_name)
        if layer in known and is_kernel_stack(tensor.shape):
            return tensor
    return None


@dataclass(frozen=True, slots=True)
class _Planned:
    """A layer that will be read."""

    tensor: Tensor
    decision: Decision
    name: str
    by_hand: bool

    @property
    def wanted(self) -> bool:
        return self.by_hand or self.decision.verdict in _TRAINED

    @property
    def size(self) -> Size:
        return self.tensor.shape[2:]

    @property
    def kernels(self) -> int:
        # a depthwise weight is [C·m, 1, *size], a transposed one [C, m, *size]
        return math.prod(self.tensor.shape[:2])


def _with_filters(
    checkpoint: Checkpoint, decisions: Iterable[Decision], watch: Watch
) -> tuple[Decision, ...]:
    """The decisions; first layers that just repeat a filter are fixed, not ordinary.

    A blur or Sobel filter over the channels of an image stands where, by shape, a
    convolution of an image of one channel would. Only their values tell.
    """
    found = []
    for tensor, decision in zip(checkpoint.tensors, decisions, strict=True):
        graph = tensor.operator
        told = graph is not None and (graph.groups or graph.in_channels)
        guessed = decision.verdict == "convolution" and is_kernel_stack(tensor.shape)
        if guessed and not told:
            watch.check()
            weights = _load(tensor, tensor.shape[0])
            if is_filter_bank(weights):
                decision = Decision("fixed", _REPEATED)
        found.append(decision)
    return tuple(found)


def _not_taken(
    checkpoint: Checkpoint, decisions: Iterable[Decision], planned: Iterable[_Planned]
) -> Iterator[Skipped]:
    """Tensors that look like depthwise kernels, or any convolution's, but are none."""
    read = {id(item.tensor) for item in planned}
    for tensor, decision in zip(checkpoint.tensors, decisions, strict=True):
        if id(tensor) in read:
            continue
        name, shape = tensor.raw_name or tensor.name, tensor.shape
        if decision.verdict == "none" and len(shape) >= _FEWEST_DIMENSIONS:
            yield Skipped(name, _NO_CONVOLUTION)
        elif decision.verdict == "convolution" and _is_of_one_channel(shape):
            yield Skipped(name, decision.reason or _SINGLE)


def _is_of_one_channel(shape: Size) -> bool:
    """True if a shape is that of kernels of one channel each, be it a single one."""
    dimensions = _FEWEST_DIMENSIONS <= len(shape) <= _MOST_DIMENSIONS
    return dimensions and shape[1] == 1 and math.prod(shape[2:]) > 1


def _chosen(checkpoint: Checkpoint, include: Collection[str]) -> set[int]:
    """Identities of the tensors that were named by hand."""
    chosen = set()
    for layer in include:
        tensor = find_stack(checkpoint, layer)
        if tensor is None:
            name = shown(checkpoint.path.name)
            raise ValueError(f"{name} has no layer {layer!r} that can be included")
        chosen.add(id(tensor))
    return chosen


def _plan(
    checkpoint: Checkpoint, decisions: Iterable[Decision], chosen: set[int]
) -> list[_Planned]:
    read = [
        (tensor, decision)
        for tensor, decision in zip(checkpoint.tensors, decisions, strict=True)
        if decision.verdict in _SHOWN or id(tensor) in chosen
    ]
    paths = Counter(module_path(tensor.name) for tensor, _ in read)
    planned = []
    for tensor, decision in read:
        path = module_path(tensor.name)
        name = path if paths[path] == 1 else tensor.name
        planned.append(_Planned(tensor, decision, name, id(tensor) in chosen))
    return planned


def _check_size(checkpoint: Checkpoint, planned: Iterable[_Planned]) -> None:
    """Refuse a small file whose tensors look on the same values again and again."""
    size = sum(math.prod(item.tensor.shape) for item in planned) * _BYTES
    files = {file.path: file.size for file in checkpoint.files}
    room = sum(files.values()) or checkpoint.size_bytes
    if size > max(_MUCH, _RATIO * room):
        raise CheckpointError(
            checkpoint.path,
            f"its kernels would take {size:,} bytes, far more than can be in "
            f"{room:,} bytes of file",
            "Save the network's weights anew, each of them once.",
        )


def _make_room(planned: Iterable[_Planned]) -> dict[Size, Filling]:
    """Arrays for all wanted kernels, the largest size first."""
    counts: Counter[Size] = Counter()
    for item in planned:
        if item.wanted:
            counts[item.size] += item.kernels
    sizes = sorted(counts, key=lambda size: (math.prod(size), size), reverse=True)
    return {size: Filling.of(size, counts[size]) for size in sizes}


def _load(tensor: Tensor, kernels: int) -> NDArray[np.float32]:
    """A tensor's kernels, float32 [K, *size]."""
    with np.errstate(over="ignore"):  # float64 beyond float32 becomes infinite
        values = tensor.load().astype(np.float32, copy=False)
    return values.reshape(kernels, *tensor.shape[2:])


def _measure(weights: NDArray[np.float32], support: Support | None) -> Measures:
    """Of one layer; kernels that are constant on their support are flat as well."""
    measures = measure(weights)
    if support is None:
        return measures
    inner = measure(on_support(weights, support))
    return replace(measures, flat=measures.flat | inner.flat)


def _describe(
    item: _Planned,
    weights: NDArray[np.float32],
    measures: Measures,
    support: Support | None,
) -> LayerInfo:
    kind, reason = _kind(item, weights)
    operator = item.tensor.operator
    return LayerInfo(
        name=item.name,
        kind=kind,
        kernels=len(weights),
        size=item.size,
        dtype=item.tensor.dtype,
        reason=reason,
        included=item.by_hand or kind in _TRAINED,
        flat=int(measures.flat.sum()),
        multiplier=item.decision.multiplier,
        stride=operator.stride if operator else None,
        dilation=operator.dilation if operator else None,
        padding=operator.padding if operator else None,
        raw_name=item.tensor.raw_name,
        support=support,
    )


def _kind(item: _Planned, weights: NDArray[np.float32]) -> tuple[Kind, str]:
    verdict, reason = item.decision.verdict, item.decision.reason
    if verdict == "fixed":
        return "fixed", reason
    if is_filter_bank(weights):
        return "fixed", _REPEATED
    if verdict == "convolution" or verdict == "none":
        return "ambiguous", "It looks like an ordinary convolution of one channel."
    return verdict, reason


def _warn_of_broken(counted: Iterable[tuple[LayerInfo, int]]) -> list[str]:
    """A sentence where kernels are no numbers, with their count and layers."""
    found = [(layer, broken) for layer, broken in counted if broken]
    if not found:
        return []
    first, count = found[0]
    if len(found) == 1:
        which = f"{first.name}: {count:,} of {first.kernels:,} kernels"
    else:
        names = ", ".join(layer.name for layer, _ in found[:_NAMED])
        names += ", …" if len(found) > _NAMED else ""
        total = sum(broken for _, broken in found)
        every = sum(layer.kernels for layer, _ in found)
        which = f"{total:,} of {every:,} kernels in {len(found)} layers ({names})"
    return [
        f"{which} have weights that are NaN, infinite or beyond float32; they count as "
        "flat."
    ]


def name_of(path: Path) -> str:
    """File name without suffix; a generic one is preceded by its folder's."""
    if path.stem.lower() in _GENERIC_NAMES and path.parent.name:
        return shown(f"{path.parent.name}/{path.stem}")
    return shown(path.stem)


@dataclass(slots=True)
class Filling:
    """Arrays as long as all planned kernels of a size, the first ``used`` filled."""

    kernels: KernelSet
    used: int = 0
    supports: dict[int, Support] = field(default_factory=dict)

    @classmethod
    def of(cls, size: Size, count: int) -> Self:
        """Make room for ``count`` kernels."""
        return cls(
            KernelSet(
                size,
                weights=np.empty((count, *size), np.float32),
                layer=np.empty(count, np.int32),
                channel=np.empty(count, np.int32),
                scale=np.empty(count, np.float32),
                offset=np.empty(count, np.float32),
                flat=np.empty(count, np.bool_),
            )
        )

    def add(
        self,
        weights: NDArray[np.float32],
        measures: Measures,
        layer: int,
        support: Support | None = None,
    ) -> None:
        """Put in the kernels of one layer."""
        if support is not None:
            self.supports[layer] = support
        rows = slice(self.used, self.used + len(weights))
        self.kernels.weights[rows] = weights
        self.kernels.layer[rows] = layer
        self.kernels.channel[rows] = np.arange(len(weights), dtype=np.int32)
        self.kernels.scale[rows] = measures.scale
        self.kernels.offset[rows] = measures.offset
        self.kernels.flat[rows] = measures.flat
        self.used += len(weights)

    def finish(self) -> KernelSet:
        """The filled part, read-only; a layer may have turned out to be fixed."""
        full = self.kernels
        arrays = {name: getattr(full, name)[: self.used] for name in PER_KERNEL}
        for array in arrays.values():
            array.flags.writeable = False
        return KernelSet(full.size, **arrays, supports=self.supports)
