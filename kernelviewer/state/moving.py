"""Selections of a network that is read again: what they name may have moved."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from kernelviewer.state.model import LayerRef
from kernelviewer.state.selection import Every, Kernels, Layers, Selection

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kernelviewer.kernels.bank import KernelBank, Size
    from kernelviewer.state.selection import Query


def moved_selection(
    selection: Selection, model: int, old: KernelBank, new: KernelBank
) -> Selection:
    """The same layers and kernels, by their names, in another bank of a model."""
    return Selection(
        tuple(
            replace(step, query=_moved(step.query, model, old, new))
            for step in selection.steps
        )
    )


def _moved(query: Query, model: int, old: KernelBank, new: KernelBank) -> Query:
    match query:
        case Layers(layers):
            places = {layer.name: index for index, layer in enumerate(new.layers)}
            own = {old.layers[r.layer].name for r in layers if r.model == model}
            there = {LayerRef(model, places[name]) for name in own & places.keys()}
            others = {ref for ref in layers if ref.model != model}
            return Layers(frozenset(others | there))
        case Kernels(size, indices) if model in indices:
            found = _moved_kernels(indices[model], size, old, new)
            return Kernels(size, {**indices, model: found})
        case Every(queries):
            return Every(tuple(_moved(part, model, old, new) for part in queries))
        case _:
            return query


def _moved_kernels(
    indices: NDArray[np.int64], size: Size, old: KernelBank, new: KernelBank
) -> NDArray[np.int64]:
    """Where kernels of the old bank lie in the new one; those it lacks are left out."""
    if size not in old.sizes or size not in new.sizes:
        return np.zeros(0, np.int64)
    places = {key: index for index, key in enumerate(_names(new, size))}
    names = _names(old, size)
    found = [places[names[i]] for i in indices if names[i] in places]
    return np.array(sorted(found), np.int64)


def _names(bank: KernelBank, size: Size) -> list[tuple[str, int]]:
    """Layer and channel of every kernel of a size."""
    kernels = bank.sizes[size]
    layers, channels = kernels.layer.tolist(), kernels.channel.tolist()
    return [
        (bank.layers[layer].name, channel)
        for layer, channel in zip(layers, channels, strict=True)
    ]
