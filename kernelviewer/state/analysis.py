"""What was computed of the open kernels: codes, fits, classes, family classes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, Literal, TypeVar
from weakref import WeakKeyDictionary

import numpy as np

from kernelviewer.kernels.classes import INDEX, PATTERNS
from kernelviewer.latent.labels import Agreement
from kernelviewer.latent.stretches import stretch_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

    from kernelviewer.kernels.bank import KernelBank, Size
    from kernelviewer.latent.film import Track
    from kernelviewer.latent.noise import Null
    from kernelviewer.latent.stretches import Stretches
    from kernelviewer.state.model import OpenModel, Run
    from kernelviewer.state.pool import KernelPool


T = TypeVar("T")
UNIDENTIFIED = INDEX["unidentified"]
FLAT = INDEX["flat"]
Stage = Literal["starting", "encoding", "stopped"]
"""Why open kernels have no codes yet: torch is being imported; they are being encoded;
that was cancelled or has failed."""


@dataclass(frozen=True, slots=True, eq=False)
class Analysis:
    """Codes, fits and classes of one model's kernels of one size. N kernels.

    Attributes
    ----------
    code, fit
        float32 [N]; NaN for flat kernels. ``code`` is None where the size has no
        autoencoder; ``fit`` then is the cosine with the best family member.
    family
        uint8 [N], best class of the analytic family; None where it was not fitted.
    null
        What white noise reaches with the family; None where an autoencoder has it.
    order
        int32 [P], the kernels that have a fit, by rising fit; None: not sorted.
    """

    code: NDArray[np.float32] | None
    fit: NDArray[np.float32]
    family: NDArray[np.uint8] | None = None
    order: NDArray[np.int32] | None = None
    null: Null | None = None


@dataclass(frozen=True, slots=True, eq=False)
class PoolLabels:
    """Classes of a pool's kernels. N kernels; indices are into `CLASSES`.

    Attributes
    ----------
    code, fit
        float32 [N], NaN where there is none.
    best
        uint8 [N], the best class whatever the fit; flat kernels are ``FLAT``.
    label
        uint8 [N], the same but ``UNIDENTIFIED`` where the fit is below the threshold.
    """

    code: NDArray[np.float32]
    fit: NDArray[np.float32]
    best: NDArray[np.uint8]
    label: NDArray[np.uint8]


class Computed(Generic[T]):
    """Results computed of banks or runs, one for each size; they go with them.

    Attributes
    ----------
    known
        Model id and size → what there is of the open models; the same mapping as long
        as nothing in it is another.
    """

    def __init__(self) -> None:
        self._kept: WeakKeyDictionary[KernelBank | Run, dict[Size, tuple[object, T]]]
        self._kept = WeakKeyDictionary()
        self.known: Mapping[tuple[int, Size], T] = {}

    def put(
        self, of: KernelBank | Run, size: Size, value: T, by: object = None
    ) -> None:
        """Keep what ``by`` gave; `look` shows it."""
        self._kept.setdefault(of, {})[size] = by, value

    def look(
        self, models: Iterable[OpenModel], by: Mapping[Size, object] | None = None
    ) -> None:
        """See what is known of open models, given by what is in use for each size."""
        use = by or {}
        found = {
            (model.id, size): value
            for model in models
            for of in _owners(model)
            for size, (maker, value) in self._kept.get(of, {}).items()
            if maker is use.get(size)
        }
        if found != self.known:
            self.known = found


def _owners(model: OpenModel) -> list[KernelBank | Run]:
    """What things may have been computed of."""
    return [model.bank, model.run] if model.run is not None else [model.bank]


def analysis_at(track: Track, step: int) -> Analysis:
    """What encoding the kernels of a step again would give."""
    codes = track.codes(step)
    if track.by == "code":
        return Analysis(codes.code, codes.fit)
    family = track.best[step].astype(np.uint8) if track.by else None
    return Analysis(None, codes.fit, family, null=track.null)


def null_of(analyses: Mapping[tuple[int, Size], Analysis], size: Size) -> Null | None:
    """The null of the family for a size; None: not fitted."""
    nulls = (item.null for key, item in analyses.items() if key[1] == size)
    return next((null for null in nulls if null is not None), None)


def best_classes(
    pool: KernelPool,
    analyses: Mapping[tuple[int, Size], Analysis],
    stretches: Stretches | None,
    known: PoolLabels | None = None,
) -> PoolLabels | None:
    """Codes, fits and best classes of a pool, all of them identified.

    ``known`` are the same with other stretches; codes and fits are taken from there.

    Returns
    -------
    PoolLabels or None
        None while a model of the pool has not been analysed.
    """
    parts = [analyses.get((model.id, pool.size)) for model in pool.models]
    there = [part for part in parts if part is not None]
    if not there or len(there) < len(parts):
        return None
    codes = [part.code for part in there if part.code is not None]
    encoded = len(codes) == len(there) and stretches is not None
    if known is not None:
        code, fit = known.code, known.fit
    else:
        fit = np.concatenate([part.fit for part in there])
        code = (
            np.concatenate(codes) if encoded else np.full(len(pool), np.nan, np.float32)
        )
    if encoded and stretches is not None:
        classes = np.array([item.class_index for item in stretches], np.uint8)
        best = classes[np.minimum(stretch_of(stretches, code), len(stretches) - 1)]
    else:
        families = [part.family for part in there if part.family is not None]
        if len(families) < len(there):
            return None
        best = np.concatenate(families)
    best = np.where(pool.flat, np.uint8(FLAT), best).astype(np.uint8)
    return PoolLabels(code, fit, best, best)


def identified(labels: PoolLabels, threshold: float) -> PoolLabels:
    """The same with kernels below the threshold unidentified."""
    with np.errstate(invalid="ignore"):
        below = ~(labels.fit >= np.float32(threshold)) & (labels.best != FLAT)
    label = np.where(below, np.uint8(UNIDENTIFIED), labels.best)
    return PoolLabels(labels.code, labels.fit, labels.best, label)


def coverage(counts: NDArray[np.int64]) -> float:
    """Identified share of the kernels that are not flat; NaN if there are none."""
    named = int(counts[:UNIDENTIFIED].sum())
    patterned = named + int(counts[UNIDENTIFIED])
    return named / patterned if patterned else float("nan")


@dataclass(frozen=True, slots=True, eq=False)
class FamilyNames:
    """Names of N kernels by the analytic family: 3 bytes each.

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
