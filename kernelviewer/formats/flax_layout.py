"""Named arrays to a network's tensors: what is a weight, and which axis is which.

NumPy and Flax files hold names and arrays only. Names tell weights from other state;
the last part of a name (``kernel``: channels last; ``weight``: PyTorch) or, without
one, the shape tells the layout.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from kernelviewer.formats.checkpoint import CheckpointError, Operator, Skipped, Tensor
from kernelviewer.formats.names import natural_key, unique_name
from kernelviewer.formats.roles import OPTIMIZER, STATISTICS, branch_role

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from kernelviewer.formats.leaves import Leaf, Load

    Layout = Literal["pytorch", "flax", "keras", "stack", "unknown"]

_OPTIMIZER = {"opt_state", "optimizer", "optimizer_state", "opt", "optim"}
_OPTIMIZED = {("optimizer", "target"), ("opt", "target")}
"""Where old Flax keeps the weights: inside the optimizer."""
_STATISTICS = {"batch_stats", "running_mean", "running_var", "moving_mean"}
_STATISTICS |= {"moving_variance", "num_batches_tracked", "moving_average"}
_PROGRESS = {"step", "global_step", "epoch", "seed", "count", "loss"}
_WRAPPERS = {"params", "model", "target", "params_ema", "ema_params", "ema"}
_ATTENTION = {"query", "key", "value", "qkv", "out"}
_LAST = {"kernel": "weight", "scale": "weight", "w": "weight", "b": "bias"}
_DEPTHWISE = re.compile(r"depthwise_(kernel|weights?)(:0)?")
_STACK = re.compile(r"kernels?(_\d+x\d+)?")
_LARGEST = 64
"""Taps along one side beyond which a shape is not taken for a kernel's."""


@dataclass(frozen=True, slots=True)
class Arranged:
    """What a file's arrays come to; the members are those of `Checkpoint`."""

    tensors: tuple[Tensor, ...]
    skipped: tuple[Skipped, ...]
    warnings: tuple[str, ...]
    copies: tuple[str, ...]
    copy: str


def arrange(path: Path, leaves: Iterable[Leaf], copy: str = "") -> Arranged:
    """Tell weights from other state and turn them to PyTorch's layout.

    Parameters
    ----------
    path
        The file, for messages.
    leaves
        Its arrays in file order.
    copy
        The wanted copy of the network; ``""``: the EMA copy if there is one.

    Raises
    ------
    CheckpointError
        The file has no such copy.
    """
    weights: list[Leaf] = []
    skipped: list[Skipped] = []
    for leaf in leaves:
        reason = leaf.unusable or _other_state(leaf)
        if reason:
            skipped.append(Skipped(leaf.raw_name, reason))
        else:
            weights.append(leaf)
    copies = _copies(weights)
    chosen = _choose(path, copies, copy)
    if copies:
        left = {*copies} - {chosen}
        skipped += [
            Skipped(leaf.raw_name, "another copy of the network")
            for leaf in weights
            if leaf.path[0] in left
        ]
        weights = [leaf for leaf in weights if leaf.path[0] not in left]
    names = [leaf.raw_name for leaf in weights]
    if names == sorted(names):  # the writer sorted: block_10 before block_2
        weights.sort(key=lambda leaf: natural_key(leaf.raw_name))
    tensors, unsure = _tensors(weights)
    warnings = (_unsure(unsure),) if unsure else ()
    return Arranged(tuple(tensors), tuple(skipped), warnings, copies, chosen)


def no_weights(path: Path, what: str, skipped: Iterable[Skipped]) -> CheckpointError:
    """Why a file without tensors cannot be used.

    Parameters
    ----------
    path
        The file.
    what
        What it is, with an article.
    skipped
        What is in it instead.
    """
    left = list(skipped)
    if any(OPTIMIZER in item.reason for item in left):
        problem = "this file holds an optimizer's state and no network"
        return CheckpointError(path, problem, "Open the model's own file.")
    problem = f"{what} without weights"
    if not left:
        return CheckpointError(path, problem)
    return CheckpointError(path, problem, f"Of “{left[0].name}”: {left[0].reason}.")


def _other_state(leaf: Leaf) -> str:
    """Why an array is no weight; empty if it is one."""
    path = leaf.path
    if path[:2] not in _OPTIMIZED:
        if _OPTIMIZER & set(path):
            return OPTIMIZER
        if len(path) > 1 and (role := branch_role(path[0])):
            return role
    if _STATISTICS & set(path):
        return STATISTICS
    if path[-1] in _PROGRESS or path[0] in _PROGRESS:
        return "training progress"
    if not leaf.shape:
        return "a single number"
    if "float" not in leaf.dtype and len(leaf.shape) < 3:
        return "whole numbers, no weights"
    return ""


def _copies(weights: list[Leaf]) -> tuple[str, ...]:
    """First name parts that hold one network each, if there are several."""
    tops = dict.fromkeys(leaf.path[0] for leaf in weights if len(leaf.path) > 1)
    found = [top for top in tops if top == "params" or "ema" in top.split("_")]
    return tuple(found) if len(found) > 1 else ()


def _choose(path: Path, copies: tuple[str, ...], wanted: str) -> str:
    if wanted and wanted not in copies:
        hint = f"It has {', '.join(copies) or 'just one'}."
        raise CheckpointError(path, f"there is no copy “{wanted}” in it", hint)
    if wanted or not copies:
        return wanted
    return next((item for item in copies if "ema" in item), copies[0])


def _tensors(weights: list[Leaf]) -> tuple[list[Tensor], list[str]]:
    """The tensors, and the names of those whose axes cannot be told."""
    layouts = [_layout(leaf) for leaf in weights]
    votes = [layouts.count(layout) for layout in ("flax", "pytorch")]
    clear: Layout = "flax" if votes[0] > votes[1] else "pytorch"
    taken: set[str] = set()
    tensors, unsure = [], []
    for leaf, layout in zip(weights, layouts, strict=True):
        name = unique_name(_name(leaf.path), taken)
        if layout == "unknown":
            layout = clear
            if votes[0] == votes[1]:
                unsure.append(name)
        tensors.append(_turned(name, leaf, layout))
    return tensors, unsure


def _name(parts: tuple[str, ...]) -> str:
    """Dotted name without wrappers, its last part in PyTorch's words."""
    if parts[0] in ("optimizer", "opt"):
        parts = parts[1:]
    while len(parts) > 1 and parts[0] in _WRAPPERS:
        parts = parts[1:]
    last = parts[-1].removesuffix(":0")
    if _DEPTHWISE.fullmatch(last):
        return ".".join((*parts[:-1], "depthwise", "weight"))
    return ".".join((*parts[:-1], _LAST.get(last, last)))


def _layout(leaf: Leaf) -> Layout:
    """Where the channels are: by the name's last part, else by the shape."""
    last, shape = leaf.path[-1].removesuffix(":0"), leaf.shape
    if not 3 <= len(shape) <= 5:
        return "flax" if last == "kernel" and len(shape) == 2 else "pytorch"
    if _DEPTHWISE.fullmatch(last):
        return "keras"
    if last in ("kernel", "w", "weights"):
        return "flax"
    if last.startswith("weight"):
        return "pytorch"
    if (
        len(shape) == 3
        and max(shape[1:]) <= _LARGEST
        and (
            _STACK.fullmatch(last) or (len(leaf.path) == 1 and shape[1] == shape[2] > 1)
        )
    ):
        return "stack"
    return _layout_by_shape(shape)


def _layout_by_shape(shape: tuple[int, ...]) -> Layout:
    """Taps are few and channels many; one channel per group stands beside the many."""
    first, last = shape[2:], shape[:-2]  # the taps, if PyTorch's or channels last
    pytorch = max(first) <= _LARGEST and max(first) <= max(shape[:2])
    flax = max(last) <= _LARGEST and max(last) <= max(shape[-2:])
    if shape[1] == 1 and pytorch and shape[-2] != 1:
        return "pytorch"
    if shape[-2] == 1 and flax and shape[1] != 1:
        return "flax"
    if pytorch != flax:
        return "pytorch" if pytorch else "flax"
    return "unknown"


def _turned(name: str, leaf: Leaf, layout: Layout) -> Tensor:
    """The tensor in PyTorch's layout."""
    shape, rank, load, operator = leaf.shape, len(leaf.shape), leaf.load, leaf.operator
    if layout == "stack":
        shape = (shape[0], 1, *shape[1:])
        operator = Operator(groups=shape[0], in_channels=shape[0])
        load = _reshaped(load, tuple(range(rank)), shape)
    elif layout == "flax" and _is_convolution(leaf):
        axes = (rank - 1, rank - 2, *range(rank - 2))
        shape = tuple(shape[axis] for axis in axes)
        load = _reshaped(load, axes, shape)
    elif layout == "keras":
        axes = (rank - 2, rank - 1, *range(rank - 2))
        operator = Operator(groups=shape[-2], in_channels=shape[-2])
        shape = (shape[-2] * shape[-1], 1, *shape[:-2])
        load = _reshaped(load, axes, shape)
    return Tensor(name, shape, leaf.dtype, load, leaf.raw_name, operator)


def _reshaped(load: Load, axes: tuple[int, ...], shape: tuple[int, ...]) -> Load:
    return lambda: load().transpose(axes).reshape(shape)


def _is_convolution(leaf: Leaf) -> bool:
    """Whether a channels-last kernel can be one's: attention has 3-D kernels too."""
    parent = leaf.path[-2] if len(leaf.path) > 1 else ""
    return parent not in _ATTENTION or len(leaf.shape) != 3


def _unsure(names: list[str]) -> str:
    some = ", ".join(names[:3]) + (" …" if len(names) > 3 else "")
    return (
        f"The order of the axes cannot be told from the file for {some}: "
        "taken as [out, in, height, width]."
    )
