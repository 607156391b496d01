"""The kernels of a figure, layer by layer, and their colours."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from kernelviewer.figures.content import Table
from kernelviewer.figures.counts import listing
from kernelviewer.figures.tiling import as_pictures, drawn_weights, quantise

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from kernelviewer.figures.options import FigureOptions
    from kernelviewer.figures.scene import Subject


@dataclass(frozen=True, eq=False)
class Block:
    """Kernels that stand together in a figure."""

    network: str
    layer: str
    """Names for people."""
    weights: NDArray[np.float32]
    """float32 [n, *size]"""
    channel: NDArray[np.int32]
    """int [n]"""
    flat: NDArray[np.bool_]
    """bool [n]"""
    total: int
    """How many the layer has, where only some are shown."""

    def __len__(self) -> int:
        return len(self.weights)

    def take(self, chosen: NDArray[np.intp] | slice) -> Block:
        """The block with only these of its kernels."""
        return replace(
            self,
            weights=self.weights[chosen],
            channel=self.channel[chosen],
            flat=self.flat[chosen],
        )

    @property
    def cell(self) -> tuple[int, int]:
        """Rows and columns of a kernel's picture."""
        rows, columns = as_pictures(self.weights[:0]).shape[1:]
        return rows, columns


def make_block(
    subject: Subject, layer: str, index: NDArray[np.intp], total: int = 0
) -> Block:
    """The kernels of a subject with these indices."""
    kernels = subject.kernels
    return Block(
        network=subject.name,
        layer=layer,
        weights=kernels.weights[index],
        channel=kernels.channel[index],
        flat=kernels.flat[index],
        total=total or len(index),
    )


def gather(
    subjects: Sequence[Subject], owner: NDArray[np.intp], index: NDArray[np.intp]
) -> dict[str, NDArray[Any]]:
    """Kernels of several networks and where they come from.

    Parameters
    ----------
    owner, index
        [n]: position in ``subjects``, and index into that one's kernels.

    Returns
    -------
    dict
        ``kernels`` float32 [n, *size], ``layer``, ``channel`` and ``source`` int32 [n],
        ``flat`` bool [n]; ``layer`` and ``source`` count in the names ``layers``,
        ``sources``.
    """
    n = len(index)
    names: list[str] = []
    size = subjects[0].size if subjects else ()
    arrays: dict[str, NDArray[Any]] = {
        "kernels": np.zeros((n, *size), np.float32),
        "layer": np.zeros(n, np.int32),
        "channel": np.zeros(n, np.int32),
        "source": np.asarray(owner, np.int32),
        "flat": np.zeros(n, bool),
    }
    for number, subject in enumerate(subjects):
        mine = owner == number
        kernels, wanted = subject.kernels, index[mine]
        kinds, place = np.unique(kernels.layer[wanted], return_inverse=True)
        arrays["kernels"][mine] = kernels.weights[wanted]
        arrays["layer"][mine] = place + len(names)
        arrays["channel"][mine] = kernels.channel[wanted]
        arrays["flat"][mine] = kernels.flat[wanted]
        names += [subject.bank.layers[i].name for i in kinds]
    arrays["layers"] = np.array(names, np.str_)
    arrays["sources"] = np.array([subject.name for subject in subjects], np.str_)
    return arrays


def gather_block(
    subjects: Sequence[Subject],
    owner: NDArray[np.intp],
    index: NDArray[np.intp],
    name: str,
) -> Block:
    """Kernels of several networks, in the given order, as one block."""
    found = gather(subjects, owner, index)
    return Block(
        network=listing([subject.name for subject in subjects]),
        layer=name,
        weights=found["kernels"],
        channel=found["channel"],
        flat=found["flat"],
        total=len(index),
    )


def gathered_table(found: dict[str, NDArray[Any]]) -> Table:
    """What `gather` found: a row for each kernel."""
    weights = found["kernels"].reshape(len(found["kernels"]), -1)
    columns: dict[str, Any] = {
        "source": found["sources"][found["source"]].tolist(),
        "layer": found["layers"][found["layer"]].tolist(),
        "channel": found["channel"].tolist(),
        "flat": found["flat"].astype(int).tolist(),
    }
    columns |= {f"w{i}": column.tolist() for i, column in enumerate(weights.T)}
    return Table(columns)


def colour_blocks(
    blocks: Sequence[Block], options: FigureOptions
) -> list[NDArray[np.uint16]]:
    """Indices of colours [n, rows, columns] of each block.

    What shares a scale is the option's: a block is a layer.
    """
    pictures = [as_pictures(drawn_weights(block.weights, options)) for block in blocks]
    if options.scale == "kernel":
        reaches: list[NDArray[np.float32] | None] = [None] * len(blocks)
    else:
        largest = [_largest(picture) for picture in pictures]
        if options.scale == "figure":
            largest = [max(largest, default=0.0)] * len(blocks)
        reaches = [
            np.full(len(picture), top, np.float32)
            for picture, top in zip(pictures, largest, strict=True)
        ]
    return [
        quantise(picture, block.flat, reach)
        for picture, block, reach in zip(pictures, blocks, reaches, strict=True)
    ]


def blocks_table(blocks: Sequence[Block]) -> Table:
    """A row for each kernel: source, layer, channel, whether flat, its weights."""
    lengths = [len(block) for block in blocks]
    weights = np.concatenate(
        [block.weights.reshape(len(block), -1) for block in blocks]
    )
    columns: dict[str, Any] = {
        "source": np.repeat([block.network for block in blocks], lengths).tolist(),
        "layer": np.repeat([block.layer for block in blocks], lengths).tolist(),
        "channel": np.concatenate([block.channel for block in blocks]).tolist(),
        "flat": np.concatenate([block.flat for block in blocks]).astype(int).tolist(),
    }
    columns |= {f"w{i}": column.tolist() for i, column in enumerate(weights.T)}
    return Table(columns)


def blocks_arrays(blocks: Sequence[Block]) -> dict[str, NDArray[Any]]:
    """The same as arrays; ``layer`` is an index into ``layers``."""
    lengths = [len(block) for block in blocks]
    return {
        "kernels": np.concatenate([block.weights for block in blocks]),
        "channel": np.concatenate([block.channel for block in blocks]),
        "flat": np.concatenate([block.flat for block in blocks]),
        "layer": np.repeat(np.arange(len(blocks)), lengths),
        "layers": np.array([block.layer for block in blocks]),
        "sources": np.array([block.network for block in blocks]),
    }


def _largest(pictures: NDArray[np.float32]) -> float:
    finite = np.abs(pictures[np.isfinite(pictures)])
    return float(finite.max(initial=0.0))


T = TypeVar("T")


def draw_some(index: NDArray[np.intp], most: int, *seeds: int) -> NDArray[np.intp]:
    """At most ``most`` of the indices at random, in their order."""
    if len(index) <= most:
        return index
    rng = np.random.default_rng(seeds)
    chosen: NDArray[np.intp] = index[np.sort(rng.permutation(len(index))[:most])]
    return chosen


def spread(items: Sequence[T], most: int) -> list[T]:
    """At most ``most`` items at even distances, the first and the last among them."""
    if len(items) <= most:
        return list(items)
    at = np.linspace(0, len(items) - 1, max(most, 1)).round().astype(int)
    return [items[i] for i in at]
