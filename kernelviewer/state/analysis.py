"""What was computed of the open kernels: codes, family members, and their classes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Generic, Literal, TypeVar
from weakref import WeakKeyDictionary

import numpy as np

from kernelviewer.kernels.classes import FINE, INDEX, PAPER_OF, PATTERNS
from kernelviewer.latent.labels import Agreement, reaches
from kernelviewer.latent.stretches import stretch_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

    from kernelviewer.kernels.bank import KernelBank, Size
    from kernelviewer.kernels.classes import By, Scheme
    from kernelviewer.kernels.family.spectrum import FamilySpectrum
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
Status = Literal["none", "ask", "running", "done"]
"""How far the family's naming of a size is; "ask": only if it is asked for."""


@dataclass(frozen=True, slots=True, eq=False)
class Analysis:
    """The codes of one model's kernels of one size. N kernels."""

    code: NDArray[np.float32] | None
    fit: NDArray[np.float32]
    """float32 [N]; NaN for flat kernels. ``code`` is None, and all fits are NaN, where
    the size has no autoencoder."""
    order: NDArray[np.int32] | None = None
    """int32 [P], the kernels that have a fit, by rising fit; None: not sorted."""


@dataclass(frozen=True, slots=True, eq=False)
class FamilyNames:
    """What the pattern family says of one model's kernels of one size. N kernels."""

    best: NDArray[np.uint8]
    paper: NDArray[np.uint8]
    """uint8 [N], the best fine class, and the class of the paper that it belongs to;
    that of flat kernels where there is none."""
    near: NDArray[np.uint64]
    """uint64 [N], bit c set where class c of the paper explains the kernel within
    `kernelviewer.latent.stretches.TOLERANCE` as well as its member does."""
    fit: NDArray[np.float32]
    """float32 [N], cosine with the nearest member; NaN for flat kernels."""
    second: NDArray[np.uint8]
    margin: NDArray[np.float32]
    """uint8 and float32 [N], the fine class that comes nearest after the best, and by
    how much it is less near; NaN for flat kernels."""
    code: NDArray[np.float32]
    """float32 [N], on the family's own spectrum of the size; NaN for flat kernels."""
    spectrum: FamilySpectrum
    """That spectrum, its table drawn."""
    order: NDArray[np.int32] | None = None
    """As in `Analysis`."""
    null: Null | None = None
    """What white noise reaches with the family; None: not known."""


Known = Analysis | FamilyNames
"""What names kernels: their codes, or the family."""


@dataclass(frozen=True, slots=True, eq=False)
class PoolLabels:
    """Classes of a pool's kernels. N kernels; indices are into `CLASSES`."""

    by: By
    """What names the kernels."""
    code: NDArray[np.float32]
    """float32 [N], on the spectrum of what names them; NaN where there is none."""
    fit: NDArray[np.float32]
    """float32 [N], cosine with what names the kernel, NaN where there is none."""
    best: NDArray[np.uint8]
    """uint8 [N], the best class whatever the fit; flat kernels are ``FLAT``."""
    label: NDArray[np.uint8]
    """uint8 [N], the same but ``UNIDENTIFIED`` where the fit is below the threshold."""
    other: NDArray[np.float32] | None = None
    """float32 [N], codes on the spectrum of what does not name them; None: not
    known."""

    def codes(self, by: By) -> NDArray[np.float32] | None:
        """Codes on one of the two spectra; None: not known."""
        return self.code if by == self.by else self.other


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
    return Analysis(codes.code, codes.fit)


def family_at(track: Track, step: int) -> FamilyNames:
    """What naming the kernels of a step by the family again would give."""
    from kernelviewer.kernels.family.spectrum import family_spectrum

    codes = track.codes(step)
    return FamilyNames(
        best=track.best[step].astype(np.uint8),
        paper=track.paper[step].astype(np.uint8),
        near=track.near[step].astype(np.uint64),
        fit=codes.fit,
        second=track.second[step].astype(np.uint8),
        margin=track.margins(step),
        code=codes.code,
        spectrum=family_spectrum(track.size),
        null=track.null,
    )


def null_of(
    families: Mapping[tuple[int, Size], FamilyNames], size: Size
) -> Null | None:
    """The null of the family for a size; None: not fitted."""
    nulls = (item.null for key, item in families.items() if key[1] == size)
    return next((null for null in nulls if null is not None), None)


def spectrum_of(
    families: Mapping[tuple[int, Size], FamilyNames], size: Size
) -> FamilySpectrum | None:
    """The family's spectrum of a size; None while no kernels were named by it."""
    found = (item.spectrum for key, item in families.items() if key[1] == size)
    return next(found, None)


def parts_of(pool: KernelPool, known: Mapping[tuple[int, Size], T]) -> list[T] | None:
    """What is known of each of a pool's models; None while something is missing."""
    found = [known.get((model.id, pool.size)) for model in pool.models]
    there = [part for part in found if part is not None]
    return there if there and len(there) == len(found) else None


def best_by_code(
    pool: KernelPool,
    analyses: Mapping[tuple[int, Size], Analysis],
    stretches: Stretches | None,
    known: PoolLabels | None = None,
) -> PoolLabels | None:
    """Codes, fits and classes of a pool's stretches, all of them identified.

    ``known`` are the same with other stretches; codes and fits are taken from there.

    Returns
    -------
    PoolLabels or None
        None while codes of the pool are missing.
    """
    parts = parts_of(pool, analyses)
    if parts is None or stretches is None or any(part.code is None for part in parts):
        return None
    if known is not None:
        code, fit = known.code, known.fit
    else:
        codes = [part.code for part in parts if part.code is not None]
        code = np.concatenate(codes)
        fit = np.concatenate([part.fit for part in parts])
    classes = np.array([item.class_index for item in stretches], np.uint8)
    best = classes[np.minimum(stretch_of(stretches, code), len(stretches) - 1)]
    best = np.where(pool.flat, np.uint8(FLAT), best).astype(np.uint8)
    return PoolLabels("code", code, fit, best, best)


def best_by_family(names: FamilyNames, scheme: Scheme = FINE) -> PoolLabels:
    """Codes, fits and family classes of a pool, all of them identified."""
    best = names.best if scheme is FINE else names.paper
    return PoolLabels("family", names.code, names.fit, best, best)


def identified(labels: PoolLabels, threshold: float) -> PoolLabels:
    """The same with kernels below the threshold unidentified."""
    below = ~reaches(labels.fit, threshold) & (labels.best != FLAT)
    label = np.where(below, np.uint8(UNIDENTIFIED), labels.best)
    return replace(labels, label=label)


def coverage(counts: NDArray[np.int64]) -> float:
    """Identified share of the kernels that are not flat; NaN if there are none."""
    named = int(counts[:UNIDENTIFIED].sum())
    patterned = named + int(counts[UNIDENTIFIED])
    return named / patterned if patterned else float("nan")


def join(
    pool: KernelPool, families: Mapping[tuple[int, Size], FamilyNames]
) -> FamilyNames | None:
    """Names of a pool's kernels; None while those of a model are missing."""
    parts = parts_of(pool, families)
    if parts is None:
        return None
    if len(parts) == 1:
        return parts[0]
    return FamilyNames(
        best=np.concatenate([part.best for part in parts]),
        paper=np.concatenate([part.paper for part in parts]),
        near=np.concatenate([part.near for part in parts]),
        fit=np.concatenate([part.fit for part in parts]),
        second=np.concatenate([part.second for part in parts]),
        margin=np.concatenate([part.margin for part in parts]),
        code=np.concatenate([part.code for part in parts]),
        spectrum=parts[0].spectrum,
        null=parts[0].null,
    )


def agreement(
    by_code: PoolLabels, names: FamilyNames, among: NDArray[np.bool_]
) -> Agreement:
    """How a pool's classes by code agree with those by the family, over a mask [N].

    Both are compared in the paper's words.
    The same as `kernelviewer.latent.labels.agreement`.
    """
    here = (by_code.best < len(PATTERNS)) & among
    total = int(np.count_nonzero(here))
    if not total:
        return Agreement(0, float("nan"), float("nan"))
    named = np.array(PAPER_OF, np.uint8)[by_code.best]
    exact = np.count_nonzero((named == names.paper) & here)
    near = (names.near >> named.astype(np.uint64)) & np.uint64(1)
    within = np.count_nonzero(near.astype(bool) & here)
    return Agreement(total, exact / total, within / total)
