"""Members of the family at random: a network that has every pattern alike."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from kernelviewer.kernels.family.formulas import planes
from kernelviewer.kernels.family.members import as_plane
from kernelviewer.kernels.family.regions import boxes, kinds

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from kernelviewer.kernels.bank import Size

_THINNEST = 0.05
"""What a limit counts at least, so that boxes without extent are drawn from as well."""


def random_members(size: Size, count: int, seed: int = 0) -> NDArray[np.float32]:
    """Patterns of random members, as many of each kind.

    A kind is a class without its sign. Parameters are drawn evenly between the limits
    of `kernelviewer.kernels.family.regions`, σ on a logarithmic scale; either sign is
    as likely.

    Parameters
    ----------
    size
        Kernel size.
    count
        Members of each kind.
    seed
        The same seed gives the same members.

    Returns
    -------
    float32 [kinds · count, *size], mean 0 and length 1.

    Raises
    ------
    ValueError
        The family has no members of this size.
    """
    import numpy as np

    plane = as_plane(size)
    random = np.random.default_rng(seed)
    found = []
    for kind in kinds(plane):
        p = _parameters(kind, plane, count, random)
        rows = planes(kind, p, plane).T
        rows = rows - rows.mean(axis=1, keepdims=True)
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
        found.append(rows * random.choice([-1.0, 1.0], (count, 1)))
    return np.concatenate(found).astype(np.float32).reshape(-1, *size)


def _parameters(
    kind: str, plane: tuple[int, int], count: int, random: np.random.Generator
) -> NDArray[np.float32]:
    """Parameters [5, count] within the boxes of a kind, the larger ones more often."""
    import numpy as np

    limits = np.array(boxes(kind, plane))
    low, extent = limits[..., 0], limits[..., 1] - limits[..., 0]
    # turning is no extent of a pattern's shape: a box that turns counts no more
    volume = np.prod(np.maximum(extent[:, :4], _THINNEST), axis=1)
    box = random.choice(len(limits), count, p=volume / math.fsum(volume))
    drawn = low[box] + extent[box] * random.random((count, 5))
    return np.ascontiguousarray(drawn.T, np.float32)
