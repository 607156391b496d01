"""Random members of the pattern family, shown to a curve beside trained kernels.

Nine networks have few wide patterns; others, that train on larger pictures or with
larger strides between, have many. The family is closed under what such networks do, so
a share of its members, all kinds alike, stands for networks that are not at hand.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from kernelviewer.kernels.family import random_members, supported
from kernelviewer.latent.noise import SEED

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kernelviewer.kernels import Size

PER_KIND = 500


@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """The patterns a curve learns from. The first ``real`` are trained kernels.

    Attributes
    ----------
    patterns
        float32 [N, *size].
    weight
        float32 [N], sums to 1.
    real
        How many of them come from networks.
    """

    patterns: NDArray[np.float32]
    weight: NDArray[np.float32]
    real: int

    @property
    def real_weight(self) -> NDArray[np.float32]:
        """Weight of the trained kernels alone."""
        return self.weight[: self.real]


def with_members(
    size: Size,
    patterns: NDArray[np.float32],
    weight: NDArray[np.float32],
    share: float,
) -> Shown:
    """Patterns and, with a ``share`` of all the weight, members of the family.

    Sizes that the family has no members of stay as they are.

    Parameters
    ----------
    size
        Kernel size.
    patterns, weight
        float32 [n, *size] and [n].
    share
        From 0 to below 1.
    """
    whole = weight / max(float(weight.sum()), 1e-30)
    if not share or not supported(size):
        return Shown(patterns, whole, len(patterns))
    members = random_members(size, PER_KIND, SEED)
    even = np.full(len(members), share / len(members), np.float32)
    return Shown(
        np.concatenate([patterns, members]),
        np.concatenate([(1 - share) * whole, even]).astype(np.float32),
        len(patterns),
    )
