"""Named arrays to a network's tensors: what is a weight, and what its name is.

NumPy and Flax files hold names and arrays only. Names tell weights from other state;
names and shapes tell the order of the axes (`kernelviewer.formats.network.axes`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from kernelviewer.formats.checkpoint import (
    EMPTY,
    WHOLE_NUMBERS,
    Skipped,
    advice,
    warnings_of,
)
from kernelviewer.formats.errors import CheckpointError
from kernelviewer.formats.network.axes import DEPTHWISE, find_axes, turned
from kernelviewer.formats.network.copies import choose_copy
from kernelviewer.formats.network.names import in_counted_order, unique_name
from kernelviewer.formats.network.roles import (
    OPTIMIZER,
    STATISTICS,
    array_role,
    type_role,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from kernelviewer.formats.checkpoint import Tensor
    from kernelviewer.formats.stored import Leaf


_OPTIMIZER = {"opt_state", "optimizer", "optimizer_state", "opt", "optim"}
_OPTIMIZED = {("optimizer", "target"), ("opt", "target")}
"""Where old Flax keeps the weights: inside the optimizer."""
_STATISTICS = {"batch_stats", "running_mean", "running_var", "moving_mean"}
_STATISTICS |= {"moving_variance", "num_batches_tracked", "moving_average"}
_PROGRESS = {"step", "global_step", "epoch", "seed", "count", "loss"}
_WRAPPERS = {"params", "model", "target", "params_ema", "ema_params", "ema"}
_BOXES = {"value", "raw_value"}
_BOXED = {"kernel", "bias", "scale", "embedding", "mean", "var"}
_LAST = {"kernel": "weight", "scale": "weight", "w": "weight", "b": "bias"}


@dataclass(frozen=True, slots=True)
class Arranged:
    """The network in a file's arrays; the members are those of `Checkpoint`."""

    tensors: tuple[Tensor, ...]
    skipped: tuple[Skipped, ...]
    warnings: tuple[str, ...]
    copies: tuple[str, ...]
    copy: str


def arrange(leaves: Iterable[Leaf], copy: str = "") -> Arranged:
    """Tell weights from other state and turn them to PyTorch's layout.

    Parameters
    ----------
    leaves
        A file's arrays in its order.
    path
        The file, for messages.
    copy
        The wanted copy of the network; ``""``: the EMA copy if there is one.

    Raises
    ------
    DamagedError
        The file has no such copy.
    """
    weights: list[Leaf] = []
    skipped: list[Skipped] = []
    for leaf in leaves:
        leaf.path = _without_box(leaf.path)
        reason = leaf.unusable or _other_state(leaf)
        if reason:
            skipped.append(Skipped(leaf.raw_name, reason))
        else:
            weights.append(leaf)
    choice = choose_copy(weights, copy)
    skipped += choice.skipped
    weights = choice.leaves
    for leaf in weights:
        leaf.path = _inside(leaf.path, choice.copy)
    paths = [leaf.raw_name.split("/") for leaf in weights]
    weights = [weights[place] for place in in_counted_order(paths)]
    tensors, unsure = _tensors(unstacked(weights))
    warnings = [_unsure(unsure)] if unsure else []
    warnings += warnings_of(skipped)
    return Arranged(
        *(tuple(tensors), tuple(skipped), tuple(warnings)),
        *(choice.copies, choice.copy),
    )


def _without_box(path: tuple[str, ...]) -> tuple[str, ...]:
    """A variable's path without the box that Flax NNX puts its array in."""
    boxed = len(path) > 1 and path[-1] in _BOXES and path[-2] in _BOXED
    return path[:-1] if boxed else path


def no_weights(path: Path, what: str, skipped: Iterable[Skipped]) -> CheckpointError:
    """Why a file without tensors cannot be used.

    Parameters
    ----------
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
    hint = f"Of “{left[0].name}”: {left[0].reason}."
    how = advice(item.reason for item in left)
    return CheckpointError(path, problem, f"{hint} {how}" if how else hint)


def _other_state(leaf: Leaf) -> str:
    """Why an array is no weight; empty if it is one."""
    path = leaf.path
    if path[:2] not in _OPTIMIZED:
        if _OPTIMIZER & set(path):
            return OPTIMIZER
        if len(path) > 1 and (role := array_role(path[0], len(leaf.shape))):
            return role
    if _STATISTICS & set(path):
        return STATISTICS
    if path[-1] in _PROGRESS or path[0] in _PROGRESS:
        return "training progress"
    if not leaf.shape:
        return "a single number"
    if 0 in leaf.shape:
        return EMPTY
    if leaf.dtype in ("int8", "uint8") and len(leaf.shape) < 3:
        return WHOLE_NUMBERS
    return type_role(leaf.dtype)


def _inside(path: tuple[str, ...], copy: str) -> tuple[str, ...]:
    """A variable's path in the copy of the network that is shown."""
    return path[path.index(copy) + 1 :] if copy in path[:-1] else path


def _tensors(weights: list[Leaf]) -> tuple[list[Tensor], list[str]]:
    """The tensors, and the names of those whose axes cannot be told."""
    taken: set[str] = set()
    tensors, unsure = [], []
    for leaf, axes in zip(weights, find_axes(weights), strict=True):
        name = unique_name(_name(leaf.path), taken)
        if axes.layout == "unknown":
            unsure.append(name)
        tensors.append(turned(name, leaf, axes))
    return tensors, unsure


def _name(parts: tuple[str, ...]) -> str:
    """Dotted name without wrappers, its last part in PyTorch's words."""
    if parts[0] in ("optimizer", "opt"):
        parts = parts[1:]
    while len(parts) > 1 and parts[0] in _WRAPPERS:
        parts = parts[1:]
    last = parts[-1].removesuffix(":0")
    if DEPTHWISE.fullmatch(last):
        return ".".join((*parts[:-1], "depthwise", "weight"))
    return ".".join((*parts[:-1], _LAST.get(last, last)))


def _unsure(names: list[str]) -> str:
    some = ", ".join(names[:3]) + (" …" if len(names) > 3 else "")
    return (
        f"The order of the axes cannot be told from the file for {some}: "
        "taken as [out, in, height, width]."
    )


_VECTORS = {"bias", "scale"}
_LEAST_DIMENSIONS = 4
"""Those of a stack of kernels over a line."""
_MOST_BLOCKS = 1024


def unstacked(leaves: Sequence[Leaf]) -> list[Leaf]:
    """The leaves; those of stacked blocks one by one, in the order the blocks run in.

    Parameters
    ----------
    leaves
        Arrays under the names that Flax gives them.
    """
    blocks: dict[tuple[str, ...], list[Leaf]] = {}
    for leaf in leaves:
        blocks.setdefault(leaf.path[:-2], []).append(leaf)
    counts = {block: _count(inside) for block, inside in blocks.items()}
    result: list[Leaf] = []
    for leaf in leaves:
        block = leaf.path[:-2]
        if not counts[block]:
            result.append(leaf)
        elif leaf is blocks[block][0]:
            numbers = range(counts[block])
            result += [_part(item, i) for i in numbers for item in blocks[block]]
    return result


def _count(inside: Sequence[Leaf]) -> int:
    """How many blocks the arrays of one are stacked of; 0 if they are not."""
    first = {leaf.shape[0] if len(leaf.shape) > 1 else 0 for leaf in inside}
    count = first.pop()
    names = {leaf.path[-1] for leaf in inside if len(leaf.shape) == 2}
    convolves = any(len(leaf.shape) >= _LEAST_DIMENSIONS for leaf in inside)
    one = not first and 1 < count <= _MOST_BLOCKS
    return count if one and convolves and names & _VECTORS else 0


def _part(leaf: Leaf, index: int) -> Leaf:
    """The part of an array that one of the blocks has."""

    def load() -> NDArray[np.generic]:
        return leaf.load()[index]  # type: ignore[no-any-return]

    return replace(
        leaf,
        path=(*leaf.path[:-2], str(index), *leaf.path[-2:]),
        raw_name=f"{leaf.raw_name}[{index}]",
        shape=leaf.shape[1:],
        load=load,
    )
