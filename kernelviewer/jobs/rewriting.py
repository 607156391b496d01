"""Tasks that put other kernels in the place of a network's, and write it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from kernelviewer.formats import CheckpointError, open_checkpoint
from kernelviewer.formats.rewriting import check_container, place_of
from kernelviewer.jobs.drawing import Refusal
from kernelviewer.jobs.tasks import load
from kernelviewer.kernels import extract_kernels
from kernelviewer.latent.replacing import (
    ReplacingError,
    key_sets,
    noise_r2,
    replaced_by,
    tensors_of,
    write_replaced,
)
from kernelviewer.text import shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from kernelviewer.formats import Checkpoint
    from kernelviewer.jobs.runner import Ticket
    from kernelviewer.kernels import KernelBank, Size
    from kernelviewer.latent.replacing import Replaced, Wish

EXAMPLES = 12
"""Kernels of each size that are shown before and after."""


@dataclass(frozen=True, slots=True, eq=False)
class SizeReplaced:
    """What became of the kernels of one size."""

    size: Size
    kernels: int
    """The size, and how many were replaced."""
    r2: float
    null: float
    """Mean share of their variance that is kept, and that of white noise replaced
    alike; NaN where another network's took their place."""
    before: NDArray[np.float32]
    after: NDArray[np.float32]
    """Some of them, float32 [n, *size], from all layers."""


@dataclass(frozen=True, slots=True, eq=False)
class Approximated:
    """A network with other kernels, not written yet."""

    checkpoint: Checkpoint
    replaced: tuple[Replaced, ...]
    how: str
    sizes: tuple[SizeReplaced, ...]


def approximate_network(
    ticket: Ticket, bank: KernelBank, wish: Wish, other: KernelBank | Path | None
) -> Approximated | Refusal:
    """What stands for a network's kernels, as its file could be written.

    The file is read anew; a refusal says why it cannot be written or what is lacking.
    """
    try:
        checkpoint = open_checkpoint(bank.path, copy=bank.copy, watch=ticket.quiet())
        check_container(checkpoint)
        if isinstance(other, Path):
            other = load(ticket, other)
        include = [
            layer.name
            for layer in bank.layers
            if layer.kind in ("ambiguous", "fixed") and layer.included
        ]
        bank = extract_kernels(checkpoint, include=include, watch=ticket.quiet())
        sets = key_sets(bank, wish, ticket) if wish.by == "keys" else {}
        replaced, how = replaced_by(bank, wish, other, sets=sets, watch=ticket)
        for tensor, _ in tensors_of(checkpoint, replaced):
            ticket.check()
            place_of(checkpoint, tensor)
        nulls = {}
        for size in {item.kernels.shape[1:] for item in replaced}:
            nulls[size] = float("nan")
            if wish.by != "other":
                nulls[size] = noise_r2(bank.sizes[size], wish, sets, ticket.quiet())
    except (CheckpointError, ReplacingError) as error:
        name = f"{error.name}: " if isinstance(error, CheckpointError) else ""
        return Refusal(f"{name}{error.problem}", error.hint)
    sizes = _sizes_replaced(bank, replaced, nulls)
    return Approximated(checkpoint, tuple(replaced), how, tuple(sizes))


def _sizes_replaced(
    bank: KernelBank, made: Sequence[Replaced], nulls: Mapping[Size, float]
) -> Iterator[SizeReplaced]:
    """Kernels before and after by size, the size with most kernels first."""
    places = {layer.name: index for index, layer in enumerate(bank.layers)}
    for size, kernels in bank.sizes.items():
        items = [item for item in made if item.kernels.shape[1:] == size]
        pairs: list[tuple[NDArray[np.float32], NDArray[np.float32]]] = []
        kept, weights = [], []
        for item in items:
            own = np.flatnonzero(kernels.layer == places[item.layer])
            own = own[np.argsort(kernels.channel[own], kind="stable")]
            pairs += zip(kernels.weights[own], item.kernels, strict=True)
            if item.r2 == item.r2:
                kept.append(item.r2)
                weights.append(np.count_nonzero(~kernels.flat[own]))
        if pairs:
            r2 = float(np.average(kept, weights=weights)) if kept else float("nan")
            picked = np.linspace(0, len(pairs) - 1, min(EXAMPLES, len(pairs)))
            some = [pairs[int(place)] for place in picked]
            before, after = (np.stack(side) for side in zip(*some, strict=True))
            replaced = len(pairs) - sum(item.kept for item in items)
            yield SizeReplaced(size, replaced, r2, nulls[size], before, after)


def write_approximated(
    ticket: Ticket, made: Approximated, output: Path, freeze: bool
) -> list[Path] | Refusal:
    """Write the network; the files, or why it could not be."""
    try:
        return write_replaced(
            *(made.checkpoint, output, made.replaced, made.how),
            freeze=freeze,
            watch=ticket,
        )
    except (CheckpointError, ReplacingError) as error:
        return Refusal(error.problem, error.hint)
    except OSError as error:
        reason = error.strerror or str(error)
        return Refusal(f"{shown(output)} cannot be written ({reason})", "")
