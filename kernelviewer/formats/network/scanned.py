"""Blocks that a network runs in a loop: their arrays are stacked along a first axis.

Flax writes such files where a network is built with ``nn.scan`` or ``nn.vmap``: a bias
is [blocks, channels] then, and a kernel [blocks, *kernel, in / groups, out].
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from kernelviewer.formats.network.leaves import Leaf

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
    """What one of the blocks has of an array."""

    def load() -> NDArray[np.generic]:
        return leaf.load()[index]  # type: ignore[no-any-return]

    return replace(
        leaf,
        path=(*leaf.path[:-2], str(index), *leaf.path[-2:]),
        raw_name=f"{leaf.raw_name}[{index}]",
        shape=leaf.shape[1:],
        load=load,
    )
