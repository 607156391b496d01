"""The variables of a Keras model as tensors, in network order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernelviewer.formats.checkpoint import Skipped, Tensor
from kernelviewer.formats.keras_places import places
from kernelviewer.formats.keras_roles import (
    kind_of,
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
    from kernelviewer.formats.keras_places import Place
    from kernelviewer.formats.leaves import Leaf, Load


def entries(
    leaves: Sequence[Leaf],
    network: Network | None,
    attributes: Mapping[str, dict[str, Any]] | None = None,
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
    """
    found = places([leaf.raw_name for leaf in leaves], dict(attributes or {}), network)
    tensors: list[Tensor] = []
    skipped: list[Skipped] = []
    taken: set[str] = set()
    for leaf in sorted(leaves, key=lambda leaf: found[leaf.raw_name].order):
        entry = _entry(leaf, found[leaf.raw_name], taken)
        if isinstance(entry, Tensor):
            tensors.append(entry)
        else:
            skipped.append(entry)
    return tensors, skipped


def _entry(leaf: Leaf, place: Place, taken: set[str]) -> Tensor | Skipped:
    """A variable as a tensor, or why it is none."""
    layer = place.layer
    kind = kind_of(layer.kind) if layer and layer.kind else kind_of(place.path[-1])
    variable = variable_name(place.variable, kind, layer)
    role = role_of(variable, kind, len(leaf.shape))
    if leaf.unusable or role == "statistics":
        return Skipped(leaf.raw_name, leaf.unusable or STATISTICS)
    if not leaf.shape:
        return Skipped(leaf.raw_name, "a single number")
    if "float" not in leaf.dtype and role == "other":
        return Skipped(leaf.raw_name, "whole numbers, no weights")
    name = tensor_name(place.path, variable, role)
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
    return Tensor(name, plan.shape, leaf.dtype, load, leaf.raw_name, plan.operator)


def _turned(load: Load, axes: tuple[int, ...], shape: tuple[int, ...]) -> Load:
    def turned_values() -> NDArray[np.generic]:
        return load().transpose(axes).reshape(shape)

    return turned_values
