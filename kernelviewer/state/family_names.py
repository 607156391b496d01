"""Each kernel's own best family class, kept small, beside the class of its stretch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from kernelviewer.kernels.classes import PATTERNS
from kernelviewer.latent.labels import Agreement

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from kernelviewer.kernels.bank import Size
    from kernelviewer.state.analysis import PoolLabels
    from kernelviewer.state.pool import KernelPool


@dataclass(frozen=True, slots=True, eq=False)
class FamilyNames:
    """What the analytic family says of N kernels: 3 bytes each.

    Attributes
    ----------
    best
        uint8 [N], the best class; that of flat kernels where there is none.
    near
        uint16 [N], bit c set where class c explains the kernel within
        `kernelviewer.latent.naming.TOLERANCE` as well as the best one.
    """

    best: NDArray[np.uint8]
    near: NDArray[np.uint16]


def join(
    pool: KernelPool, families: Mapping[tuple[int, Size], FamilyNames]
) -> FamilyNames | None:
    """Names of a pool's kernels; None while those of a model are missing."""
    parts = [families.get((model.id, pool.size)) for model in pool.models]
    known = [part for part in parts if part is not None]
    if not known or len(known) < len(parts):
        return None
    if len(known) == 1:
        return known[0]
    return FamilyNames(
        np.concatenate([part.best for part in known]),
        np.concatenate([part.near for part in known]),
    )


def agreement(
    labels: PoolLabels, names: FamilyNames, among: NDArray[np.bool_]
) -> Agreement:
    """How the classes of identified kernels agree with their own family classes.

    The same as `kernelviewer.latent.labels.agreement`, over a mask [N].
    """
    here = (labels.label < len(PATTERNS)) & among
    total = int(np.count_nonzero(here))
    if not total:
        return Agreement(0, float("nan"), float("nan"))
    exact = np.count_nonzero((labels.label == names.best) & here)
    within = np.count_nonzero(((names.near >> labels.label) & 1).astype(bool) & here)
    return Agreement(total, exact / total, within / total)
