"""What the HDF5 files of a Keras network hold, together."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from kernelviewer.formats.checkpoint import Skipped, Tensor
from kernelviewer.formats.errors import DamagedError, damage_named
from kernelviewer.formats.keras.layers import (
    find_kinds,
    role_of,
    tensor_name,
    turned,
    variable_name,
)
from kernelviewer.formats.keras.places import places
from kernelviewer.formats.network.names import unique_name
from kernelviewer.formats.network.roles import OPTIMIZER, STATISTICS
from kernelviewer.formats.stored import Leaf

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Any

    import numpy as np
    from numpy.typing import NDArray

    from kernelviewer.formats.keras.config import Network
    from kernelviewer.formats.keras.hdf5_client import Dataset, Hdf5
    from kernelviewer.formats.keras.layers import Kind
    from kernelviewer.formats.keras.places import Place
    from kernelviewer.formats.source import OpenedFile
    from kernelviewer.formats.stored import Load


DAMAGED = "it is damaged"
_OPTIMIZERS = {"optimizer_weights", "optimizer", "_optimizer", "optimizer_state"}
_BUSINESS = {"metrics", "_metrics", "compile_metrics", "_compile_metrics"}
_VARIABLE = re.compile(r"(^|/)vars/\d+$|/vars/")


@dataclass(slots=True)
class Contents:
    """The contents of HDF5 files, together."""

    leaves: list[Leaf] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    attributes: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Arrays that may be weights, what else there is, and what is noted beside them."""
    written: dict[str, int] = field(default_factory=dict)
    """When each array was written, as a number."""
    is_keras: bool = False
    """Whether Keras wrote them."""
    files: list[OpenedFile] = field(default_factory=list)
    """The files."""
    missing: list[str] = field(default_factory=list)
    """What should be there and is not, each with its file."""
    _paths: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, hdf5: Hdf5) -> Contents:
        """List what is in a file."""
        hdf5.list()
        skipped = [Skipped(path, reason) for path, reason in hdf5.skipped]
        leaves = [_leaf(hdf5, dataset) for dataset in _weights(hdf5, skipped)]
        written = {item.path: item.address for item in hdf5.datasets}
        paths = [*written, *(path for path, _ in hdf5.skipped)]
        return cls(
            *(leaves, skipped, hdf5.attributes, written),
            *(_is_keras(hdf5), [hdf5.file]),
            _paths=paths,
        )

    def note_missing(self, expected: Iterable[str], name: str) -> None:
        """Note which of the groups that a file should have it has not."""
        groups = {path.rpartition("/")[0] for path in self._paths} | {*self._paths}
        for path in expected:
            if path not in groups:
                self.missing.append(f"“{path}” in {name}")
                reason = f"it is not in {name}, as the index says"
                self.skipped.append(Skipped(path, reason))

    def add(self, part: Contents) -> None:
        """Take in what the next file holds; what was written then came later."""
        known = {leaf.raw_name for leaf in self.leaves}
        for leaf in part.leaves:
            if leaf.raw_name in known:
                reason = "another part has it already"
                self.skipped.append(Skipped(leaf.raw_name, reason))
            else:
                self.leaves.append(leaf)
        later = 1 + max(self.written.values(), default=0)
        for path, when in part.written.items():
            self.written.setdefault(path, later + when)
        for path, values in part.attributes.items():
            self.attributes[path] = values | self.attributes.get(path, {})
        self.skipped += part.skipped
        self.files += part.files
        self.missing += part.missing
        self.is_keras = self.is_keras or part.is_keras

    def warnings(self) -> tuple[str, ...]:
        """Warnings about what is missing or cannot be read."""
        if not self.missing:
            return warnings_of_damage(self.skipped)
        count = len(self.missing)
        what = "1 layer" if count == 1 else f"{count} layers"
        warning = (
            f"{what} of the index not found ({self.missing[0]}"
            f"{', …' if count > 1 else ''}): a part may be of another network."
        )
        return (warning, *warnings_of_damage(self.skipped))


def warnings_of_damage(skipped: list[Skipped]) -> tuple[str, ...]:
    """Say so where a part of the file is damaged."""
    count = sum(item.reason == DAMAGED for item in skipped)
    entries = "1 entry" if count == 1 else f"{count} entries"
    return (f"{entries} of the file cannot be read: it is damaged.",) if count else ()


def _weights(hdf5: Hdf5, skipped: list[Skipped]) -> list[Dataset]:
    """Datasets that may be weights; the optimizer's are named as one."""
    kept: list[Dataset] = []
    counts: dict[str, int] = {}
    for dataset in hdf5.datasets:
        top = dataset.path.split("/")[0]
        if top in _OPTIMIZERS | _BUSINESS:
            counts[top] = counts.get(top, 0) + 1
        elif dataset.problem:
            skipped.append(Skipped(dataset.path, dataset.problem))
        elif not hdf5.fits(dataset):
            msg = "a weight in it lies beyond its end: it is cut off or damaged"
            raise DamagedError(msg)
        else:
            kept.append(dataset)
    for top, count in counts.items():
        what = OPTIMIZER if top in _OPTIMIZERS else "measurements of the training"
        arrays = "1 array" if count == 1 else f"{count} arrays"
        skipped.append(Skipped(top, f"{what} ({arrays})"))
    return kept


def _is_keras(hdf5: Hdf5) -> bool:
    """True if names or attributes are Keras's."""
    marks = {"keras_version", "backend", "layer_names", "layer_names0", "weight_names"}
    if any(marks & values.keys() for values in hdf5.attributes.values()):
        return True
    paths = [item.path for item in hdf5.datasets]
    return any(_VARIABLE.search(path) or path.endswith("kernel:0") for path in paths)


def _leaf(hdf5: Hdf5, dataset: Dataset) -> Leaf:
    """A dataset as an array of the file."""

    def load() -> NDArray[np.generic]:
        with damage_named(hdf5.file.path, "an HDF5 file"):
            return hdf5.read(dataset)

    parts = tuple(part for part in re.split(r"[/.]", dataset.path) if part)
    return Leaf(parts, dataset.path, dataset.shape, dataset.dtype, load)


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
