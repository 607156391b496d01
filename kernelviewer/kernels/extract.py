"""From an opened checkpoint to its kernels."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from kernelviewer.formats.checkpoint import Skipped
from kernelviewer.formats.errors import CheckpointError
from kernelviewer.formats.unpacked import unpacking
from kernelviewer.kernels.architectures import recognise
from kernelviewer.kernels.bank import KernelBank, LayerInfo
from kernelviewer.kernels.depthwise import classify
from kernelviewer.kernels.filling import Filling
from kernelviewer.kernels.layer import is_kernel_stack
from kernelviewer.kernels.names import module_path
from kernelviewer.kernels.statistics import is_filter_bank, measure

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator

    from numpy.typing import NDArray

    from kernelviewer.formats.checkpoint import Checkpoint, Tensor
    from kernelviewer.kernels.bank import Kind, Size
    from kernelviewer.kernels.decision import Decision
    from kernelviewer.kernels.statistics import Measures

    Progress = Callable[[int, int, str], None]
    Check = Callable[[], None]

_GENERIC_NAMES = ("model", "pytorch_model", "checkpoint", "weights", "model_weights")
_SHOWN = ("depthwise", "transposed", "ambiguous", "fixed")
_TRAINED = ("depthwise", "transposed")
_FEWEST_DIMENSIONS = 3
_BYTES = 4  # of a float32
_MUCH, _RATIO = 1 << 28, 16
_NO_CONVOLUTION = "by its name and shape no convolution's weight"


def extract_kernels(
    checkpoint: Checkpoint,
    *,
    include: Collection[str] = (),
    progress: Progress | None = None,
    check: Check | None = None,
) -> KernelBank:
    """Read the depthwise kernels of a network.

    Only numpy is used. Each size is one array, filled layer by layer, so memory stays
    near the size of the kernels themselves.

    Parameters
    ----------
    checkpoint
        An opened file.
    include
        Names of layers whose kernels to take in although nothing tells that they are
        depthwise (*ambiguous*), or although they are *fixed* filters.
    progress
        Called as ``progress(done, total, layer)`` before each layer and at the end.
    check
        Called before each layer; what it raises cancels the extraction.

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
    """
    checkpoint = recognise(checkpoint)
    decisions = classify(checkpoint)
    planned = _plan(checkpoint, decisions, _chosen(checkpoint, include))
    _check_size(checkpoint, planned)
    filled = _make_room(planned)
    layers: list[LayerInfo] = []
    warnings = list(checkpoint.warnings)
    with unpacking(check or _never):
        for done, item in enumerate(planned):
            if check is not None:
                check()
            if progress is not None:
                progress(done, len(planned), item.name)
            weights = _load(item)
            measures = measure(weights)
            layer = _describe(item, weights, measures)
            if layer.included:
                filled[item.size].add(weights, measures, len(layers))
            warnings.extend(_warn_of_broken(layer, measures))
            layers.append(layer)
    if progress is not None:
        progress(len(planned), len(planned), "")
    return KernelBank(
        path=checkpoint.path,
        name=_short_name(checkpoint),
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
        warnings=tuple(warnings),
        copies=checkpoint.copies,
        copy=checkpoint.copy,
        architecture=checkpoint.architecture,
        metadata=dict(checkpoint.metadata),
        files=checkpoint.files,
    )


def _never() -> None:
    """Nothing cancels."""


def find_stack(checkpoint: Checkpoint, layer: str) -> Tensor | None:
    """The weight of ``layer`` if its shape allows to include it by hand."""
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


def _not_taken(
    checkpoint: Checkpoint,
    decisions: Iterable[Decision],
    planned: Iterable[_Planned],
) -> Iterator[Skipped]:
    """Tensors that have the dimensions of a convolution's weight but are none."""
    read = {id(item.tensor) for item in planned}
    for tensor, decision in zip(checkpoint.tensors, decisions, strict=True):
        none = decision.verdict == "none" and id(tensor) not in read
        if none and len(tensor.shape) >= _FEWEST_DIMENSIONS:
            yield Skipped(tensor.raw_name or tensor.name, _NO_CONVOLUTION)


def _chosen(checkpoint: Checkpoint, include: Collection[str]) -> set[int]:
    """Identities of the tensors that were named by hand."""
    chosen = set()
    for layer in include:
        tensor = find_stack(checkpoint, layer)
        if tensor is None:
            msg = f"{checkpoint.path.name} has no layer {layer!r} that can be included"
            raise ValueError(msg)
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


def _load(item: _Planned) -> NDArray[np.float32]:
    """The layer's kernels, float32 [K, *size]."""
    with np.errstate(over="ignore"):  # float64 beyond float32 becomes infinite
        values = item.tensor.load().astype(np.float32, copy=False)
    return values.reshape(item.kernels, *item.size)


def _describe(
    item: _Planned, weights: NDArray[np.float32], measures: Measures
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
    )


def _kind(item: _Planned, weights: NDArray[np.float32]) -> tuple[Kind, str]:
    verdict, reason = item.decision.verdict, item.decision.reason
    if verdict == "fixed":
        return "fixed", reason
    if is_filter_bank(weights):
        return "fixed", "Its kernels repeat one filter or a few: they are not trained."
    if verdict == "convolution" or verdict == "none":
        return "ambiguous", "It looks like an ordinary convolution of one channel."
    return verdict, reason


def _warn_of_broken(layer: LayerInfo, measures: Measures) -> list[str]:
    broken = int(measures.broken.sum())
    if not broken:
        return []
    return [
        f"{layer.name}: {broken} of {layer.kernels} kernels have weights that are "
        "NaN, infinite or beyond float32; they count as flat."
    ]


def _short_name(checkpoint: Checkpoint) -> str:
    """File name without suffix; a generic one is preceded by its folder's."""
    path = checkpoint.path
    if path.stem.lower() in _GENERIC_NAMES and path.parent.name:
        return f"{path.parent.name}/{path.stem}"
    return path.stem
