"""From codes to classes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from kernelviewer.kernels.classes import CLASSES, FLAT, INDEX, PATTERNS, UNIDENTIFIED
from kernelviewer.latent.naming import TOLERANCE
from kernelviewer.latent.segments import segment_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kernelviewer.kernels.family import FamilyFit
    from kernelviewer.latent.codes import Codes
    from kernelviewer.latent.segments import Segments

_FLAT, _UNIDENTIFIED = INDEX[FLAT.id], INDEX[UNIDENTIFIED.id]


@dataclass(frozen=True, slots=True, eq=False)
class Labels:
    """Classes of N kernels; indices into `kernelviewer.kernels.classes.CLASSES`.

    Attributes
    ----------
    class_index
        int8 [N], the class; unidentified where the fit is below the threshold.
    best_class
        int8 [N], the class of the kernel's stretch, whatever its fit.
    identified
        bool [N].
    threshold
        The fit from which on a kernel is identified.
    """

    class_index: NDArray[np.int8]
    best_class: NDArray[np.int8]
    identified: NDArray[np.bool_]
    threshold: float

    def __len__(self) -> int:
        return len(self.class_index)

    @property
    def flat(self) -> NDArray[np.bool_]:
        """Which kernels have no pattern, bool [N]."""
        return np.asarray(self.class_index == _FLAT)

    @property
    def coverage(self) -> float:
        """Identified kernels among those that are not flat; NaN without any."""
        present = len(self) - int(self.flat.sum())
        return int(self.identified.sum()) / present if present else float("nan")

    def counts(self) -> dict[str, int]:
        """Kernels of each class by its id, in the order of `CLASSES`; sums to N."""
        found = np.bincount(self.class_index, minlength=len(CLASSES))
        return {item.id: int(found[i]) for i, item in enumerate(CLASSES)}


@dataclass(frozen=True, slots=True)
class Agreement:
    """How the names of stretches agree with each kernel's own best family class.

    Attributes
    ----------
    kernels
        Identified kernels that were compared.
    exact
        Share of them whose stretch has the class of their own best family member.
    within
        Share of them whose stretch's class explains them within 0.05 as well.
    """

    kernels: int
    exact: float
    within: float


def label(codes: Codes, segments: Segments, threshold: float) -> Labels:
    """Classes of kernels from their codes: that of the stretch the code falls in.

    Parameters
    ----------
    codes
        Codes and fits; both are NaN for flat kernels.
    segments
        Stretches of the spectrum.
    threshold
        The fit from which on a kernel is identified.
    """
    names = np.array([item.class_index for item in segments], np.int8)
    flat = np.isnan(codes.code)
    best = names[segment_of(segments, codes.code)]
    best[flat] = _FLAT
    # fits are float32: compare as such, so that a fit shown as the threshold passes
    enough = codes.fit >= np.float32(threshold)
    identified = enough & (best < len(PATTERNS))
    found = np.where(identified, best, np.int8(_UNIDENTIFIED))
    found[flat] = _FLAT
    return Labels(found, best, identified, threshold)


def agreement(labels: Labels, family: FamilyFit) -> Agreement:
    """Compare labels with `family_fit` of the same kernels, flat ones left out."""
    here = labels.identified[~labels.flat]
    named = labels.class_index[~labels.flat][here]
    if not len(named):
        return Agreement(0, float("nan"), float("nan"))
    own = family.class_cosine[here]
    loss = own.max(axis=1) - own[np.arange(len(named)), named]
    return Agreement(
        len(named),
        float((named == family.class_index[here]).mean()),
        float((loss <= TOLERANCE).mean()),
    )


FIT_BANDS = (0.95, 0.9, 0.85, 0.8, 0.7, 0.6, 0.5)
"""Lower ends of the bands in which fits are told apart, a cosine."""


def fit_bands(fit: NDArray[np.float32]) -> NDArray[np.int64]:
    """Band of each fit [N], 0 the best; ``len(FIT_BANDS) + 1`` where there is none."""
    ends = np.array(FIT_BANDS, np.float32)
    with np.errstate(invalid="ignore"):
        band = (fit[:, None] < ends).sum(axis=1, dtype=np.int64)
    return np.where(np.isnan(fit), len(ends) + 1, band)


def band_title(band: int) -> str:
    """A band as people read it."""
    if band == 0:
        return f"Fit ≥ {FIT_BANDS[0]:.2f}"
    if band == len(FIT_BANDS):
        return f"Fit < {FIT_BANDS[-1]:.2f}"
    return f"Fit {FIT_BANDS[band]:.2f}–{FIT_BANDS[band - 1]:.2f}"
