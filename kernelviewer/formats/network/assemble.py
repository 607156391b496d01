"""From everything found in a file to the weights of one network."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from kernelviewer.formats.checkpoint import (
    Checkpoint,
    Skipped,
    Tensor,
    advice,
    warnings_of,
)
from kernelviewer.formats.errors import CheckpointError, DamagedError
from kernelviewer.formats.network.copies import choose_copy
from kernelviewer.formats.network.folding import apply_scales, fold
from kernelviewer.formats.network.names import unique_name
from kernelviewer.formats.network.roles import OPTIMIZER, leaf_role
from kernelviewer.formats.source import OpenedFile
from kernelviewer.formats.stored import Contiguous

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from kernelviewer.formats.network.copies import Choice
    from kernelviewer.formats.source import Options, Source
    from kernelviewer.formats.stored import Leaf, Load


@dataclass(slots=True, eq=False)
class Contents:
    """Everything that a reader found in a file.

    Attributes
    ----------
    skipped, warnings, architecture, metadata
        As in `kernelviewer.formats.Checkpoint`.
    """

    format: str
    """The container's name for people."""
    leaves: list[Leaf]
    """Every array, in file order."""
    skipped: list[Skipped] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    numbers: Mapping[str, float] = field(default_factory=dict)
    """Raw name → value of plain numbers that may be scales of quantised arrays."""
    architecture: str = ""
    metadata: dict[str, Any] = field(default_factory=dict)
    files: tuple[OpenedFile, ...] = ()
    """Those beside the file itself that hold weights; their sizes count."""


@dataclass(slots=True, eq=False)
class Loader:
    """Reads values; what is wrong with them becomes a `CheckpointError`."""

    path: Path
    values: Load

    def __call__(self) -> NDArray[np.generic]:
        """Read now."""
        try:
            with np.errstate(all="ignore"):  # weights may be infinite or no numbers
                return self.values()
        except DamagedError as error:
            raise CheckpointError(self.path, str(error), error.hint) from None


def assemble(source: Source, options: Options, contents: Contents) -> Checkpoint:
    """Pick the weights of one network: no optimizer, one copy, whole, named.

    Raises
    ------
    DamagedError
        There are no weights in it, or the wanted copy is not.
    """
    leaves, skipped = apply_scales(contents.leaves, contents.numbers)
    skipped = [*contents.skipped, *skipped]
    weights = []
    for leaf in leaves:
        role = leaf_role(leaf)
        if role:
            skipped.append(Skipped(leaf.raw_name, role))
        else:
            weights.append(leaf)
    weights = _without_loose(weights, skipped)
    options.watch.check()
    choice = choose_copy(weights, options.copy)
    named, repeated = _named(choice)
    named, unknown = fold(named)
    if not named:
        raise _nothing(skipped)
    tensors = tuple(
        [
            Tensor(
                *(name, leaf.shape, leaf.dtype, _guarded(source.path, leaf.load)),
                *(leaf.raw_name, leaf.operator),
            )
            for name, leaf in named.items()
        ]
    )
    warnings = (*contents.warnings, *_warnings(unknown), *warnings_of(skipped))
    size = source.size + sum(file.size for file in contents.files)
    return Checkpoint(
        *(source.path, contents.format, size, tensors),
        skipped=(*skipped, *choice.skipped, *repeated),
        warnings=warnings,
        copies=choice.copies,
        copy=choice.copy,
        architecture=contents.architecture,
        metadata=contents.metadata,
        files=contents.files,
    )


def _guarded(path: Path, load: Load) -> Load:
    """Let reading give nothing but a `CheckpointError`; plain values do so anyway."""
    if type(load) is Contiguous and type(load.origin) is OpenedFile:
        return load
    return Loader(path, load)


def _without_loose(leaves: list[Leaf], skipped: list[Skipped]) -> list[Leaf]:
    """Leave out what lies beside a state dict: metrics, class weights, lists.

    A state dict is known by its dotted names; other dictionaries beside it are taken
    for parts of the network if they hold matrices or kernels.
    """
    if all(leaf.in_state_dict and "." in leaf.path[-1] for leaf in leaves):
        return leaves
    groups: dict[tuple[str, ...], bool] = {}
    for leaf in leaves:
        inside = leaf.in_state_dict and len(leaf.shape) > 1
        groups[leaf.path[:-1]] = groups.get(leaf.path[:-1], False) or inside
    dotted = {leaf.path[:-1] for leaf in leaves if "." in leaf.path[-1]}
    if not any(leaf.in_state_dict and leaf.path[:-1] in dotted for leaf in leaves):
        return leaves
    kept = []
    for leaf in leaves:
        group = leaf.path[:-1]
        if leaf.in_state_dict and (group in dotted or groups[group]):
            kept.append(leaf)
        else:
            skipped.append(Skipped(leaf.raw_name, "an array beside the network"))
    return kept


def _named(choice: Choice) -> tuple[dict[str, Leaf], list[Skipped]]:
    """Readable name → leaf, each once; names for values already there are returned."""
    named: dict[str, Leaf] = {}
    first: dict[Any, str] = {}
    repeated = []
    taken: set[str] = set()
    for name, leaf in zip(choice.names, choice.leaves, strict=True):
        if leaf.identity is not None:
            other = first.setdefault(leaf.identity, name)
            if other != name:
                reason = f"the same values as {other}"
                repeated.append(Skipped(leaf.raw_name, reason))
                continue
        named[unique_name(name, taken)] = leaf
    return named, repeated


def _nothing(skipped: list[Skipped]) -> DamagedError:
    """Say why no weights are left."""
    if any(item.reason == OPTIMIZER for item in skipped):
        return DamagedError(
            "it holds the state of an optimizer and no network",
            "Open the file with the network's weights, saved beside it.",
        )
    if skipped:
        reasons = ", ".join(dict.fromkeys(item.reason for item in skipped[:3]))
        return DamagedError(
            f"it holds no weights of a network ({reasons})",
            advice(item.reason for item in skipped)
            or "Open the file that holds the network's state dict.",
        )
    return DamagedError(
        "it holds no arrays", "Open the file that holds the network's state dict."
    )


def _warnings(unknown: list[str]) -> list[str]:
    """Say which weights are not what the network computes with."""
    if not unknown:
        return []
    which = unknown[0] if len(unknown) == 1 else f"{len(unknown)} weights"
    return [
        f"{which}: re-parametrised in a way that the file does not tell; "
        "shown is the part that is stored"
    ]
