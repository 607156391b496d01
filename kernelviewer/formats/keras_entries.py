"""The variables of a Keras model as tensors, in network order."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from kernelviewer.formats.checkpoint import Skipped, Tensor
from kernelviewer.formats.keras_kinds import find_kinds
from kernelviewer.formats.keras_places import places
from kernelviewer.formats.keras_roles import (
    role_of,
    tensor_name,
    turned,
    variable_name,
)
from kernelviewer.formats.names import unique_name
from kernelviewer.formats.roles import STATISTICS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    import numpy as np
    from numpy.typing import NDArray

    from kernelviewer.formats.keras_config import Network
    from kernelviewer.formats.keras_kinds import Kind
    from kernelviewer.formats.keras_places import Place
    from kernelviewer.formats.leaves import Leaf, Load


def entries(
    leaves: Sequence[Leaf],
    network: Network | None,
    attributes: Mapping[str, dict[str, Any]] | None = None,
    written: Mapping[str, int] | None = None,
) -> tuple[list[Tensor], list[Skipped]]:
    """Tensors of a model's variables, and what was left out.

    Parameters
    ----------
    leaves
        The variables; ``raw_name`` is the path that Keras gives them.
    network
        The model's configuration, if the file has it.
    attributes
        What HDF5 notes beside the variables.
    written
        When each variable was written, as a number, if the file tells.
    """
    names = [leaf.raw_name for leaf in leaves]
    found = places(names, dict(attributes or {}), network, written)
    ordered = sorted(leaves, key=lambda leaf: found[leaf.raw_name].order)
    kinds = find_kinds(ordered, found)
    counts = Counter(place.owner for place in found.values())
    tensors: list[Tensor] = []
    skipped: list[Skipped] = []
    taken: set[str] = set()
    for leaf in ordered:
        place = found[leaf.raw_name]
        kind, count = kinds[place.owner], counts[place.owner]
        entry = _entry(leaf, place, kind, count, taken)
        if isinstance(entry, Tensor):
            tensors.append(entry)
        else:
            skipped.append(entry)
    return tensors, skipped


def _entry(
    leaf: Leaf, place: Place, kind: Kind, count: int, taken: set[str]
) -> Tensor | Skipped:
    """A variable as a tensor, or why it is none."""
    layer = place.layer
    variable = variable_name(place.variable, kind.name, layer, count)
    doubt = kind.doubts.get(place.variable, "")
    role = role_of(variable, kind.name, len(leaf.shape))
    if doubt or place.variable in kind.depthwise:
        role = "depthwise"
    if leaf.unusable or role == "statistics":
        return Skipped(leaf.raw_name, leaf.unusable or STATISTICS)
    if not leaf.shape:
        return Skipped(leaf.raw_name, "a single number")
    if "float" not in leaf.dtype and role == "other":
        return Skipped(leaf.raw_name, "whole numbers, no weights")
    name = tensor_name(place.path, variable, "kernel" if doubt else role)
    if role == "other":
        if len(leaf.shape) > 2:
            return Skipped(leaf.raw_name, "no convolution")
        name = unique_name(name, taken)
        return Tensor(name, leaf.shape, leaf.dtype, leaf.load, leaf.raw_name)
    plan = turned(role, leaf.shape, layer)
    if plan is None:
        return Skipped(leaf.raw_name, "its shape is that of no convolution")
    load = _turned(leaf.load, plan.axes, plan.shape)
    name = unique_name(name, taken)
    operator = None if doubt else plan.operator
    shape, dtype = plan.shape, leaf.dtype
    return Tensor(name, shape, dtype, load, leaf.raw_name, operator, doubt)


def _turned(load: Load, axes: tuple[int, ...], shape: tuple[int, ...]) -> Load:
    def turned_values() -> NDArray[np.generic]:
        return load().transpose(axes).reshape(shape)

    return turned_values
