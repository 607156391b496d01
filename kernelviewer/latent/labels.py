"""From codes to classes, and to a table of them."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from kernelviewer.files import atomic_write
from kernelviewer.kernels import size_key, size_label
from kernelviewer.kernels.classes import (
    CLASSES,
    FINE,
    FLAT,
    INDEX,
    PATTERNS,
    UNIDENTIFIED,
)
from kernelviewer.latent.naming import TOLERANCE
from kernelviewer.latent.stretches import stretch_of
from kernelviewer.text import csv_text
from kernelviewer.watch import NEVER

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

    from kernelviewer.device import Device
    from kernelviewer.kernels import KernelBank, KernelSet, Size
    from kernelviewer.kernels.family import FamilyFit
    from kernelviewer.latent.autoencoder import Autoencoder
    from kernelviewer.latent.curve import Codes
    from kernelviewer.latent.stretches import Stretches
    from kernelviewer.text import AnyPath
    from kernelviewer.watch import Watch


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
        Share of them whose stretch's class explains them within 0.05 as well as
        their own class.
    """

    kernels: int
    exact: float
    within: float


def label(codes: Codes, stretches: Stretches, threshold: float) -> Labels:
    """Classes of kernels from their codes: that of the stretch the code falls in.

    Parameters
    ----------
    codes
        Codes and fits; both are NaN for flat kernels.
    stretches
        Stretches of the spectrum.
    threshold
        The fit from which on a kernel is identified.
    """
    names = np.array([item.class_index for item in stretches], np.int8)
    flat = np.isnan(codes.code)
    best = names[stretch_of(stretches, codes.code)]
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
    own = family.paper_cosine[here]
    loss = family.cosine[here] - own[np.arange(len(named)), named]
    return Agreement(
        len(named),
        float((named == family.paper_index[here]).mean()),
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


COLUMNS = (
    "source",
    "layer",
    "channel",
    "size",
    "code",
    "fit",
    "class",
    "best_class",
    "scale",
    "offset",
    "family_class",
    "family_cosine",
    "discrete_model",
    "discrete_sigma_x",
    "discrete_sigma_y",
    "discrete_cosine",
    "moment_sigma_x",
    "moment_sigma_y",
)
ROWS_BETWEEN_CHECKS = 4096


@dataclass(frozen=True, slots=True, eq=False)
class Labelling:
    """How kernels of one size are labelled.

    ``codes`` are those that are known already; ``stretches`` and ``threshold`` stand
    for the autoencoder's own where they are None.
    """

    autoencoder: Autoencoder | None
    threshold: float | None = None
    stretches: Stretches | None = None
    codes: Codes | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Labelled:
    """The kernels of one size of one network with all that is found about them.

    ``codes`` and ``labels`` are None where there is no autoencoder, ``family`` (of the
    kernels that are not flat) where the family has no such kernels.
    """

    source: str
    bank: KernelBank
    kernels: KernelSet
    autoencoder: Autoencoder | None
    codes: Codes | None
    labels: Labels | None
    family: FamilyFit | None


def label_kernels(
    source: str,
    bank: KernelBank,
    size: Size,
    how: Labelling,
    device: Device,
    *,
    watch: Watch = NEVER,
) -> Labelled:
    """Encode and label the kernels of one size, and fit the family to them."""
    from kernelviewer.kernels.family import family_fit_set, supported

    kernels = bank.sizes[size]
    autoencoder, codes = how.autoencoder, how.codes
    labels = family = None
    if autoencoder is not None:
        codes = codes or autoencoder.encode_set(kernels, device=device, watch=watch)
        level = autoencoder.threshold if how.threshold is None else how.threshold
        labels = label(codes, how.stretches or autoencoder.stretches, level)
    if supported(size):
        text = f"fitting the family to {size_label(size)} kernels"
        family = family_fit_set(kernels, device=device, watch=watch.saying(text))
    return Labelled(source, bank, kernels, autoencoder, codes, labels, family)


def write_rows(
    path: AnyPath,
    found: Iterable[tuple[Labelled, NDArray[np.bool_] | None]],
    watch: Watch = NEVER,
) -> int:
    """Write the CSV file, whole or not at all, and count its rows.

    Names are printable, and none of them is a formula to a spreadsheet.

    Parameters
    ----------
    found
        Kernels, and bool [N] of those to write; None: all.
    watch
        Checked often; what it raises leaves no file.

    Raises
    ------
    OSError
        The folder is read-only or the disk is full.
    """
    path = Path(path)
    count = 0
    with atomic_write(path) as file:
        text = io.TextIOWrapper(file, "utf-8", newline="")
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(COLUMNS)
        for item, wanted in found:
            here = np.arange(len(item.kernels))
            if wanted is not None:
                here = np.flatnonzero(wanted)
            count += len(here)
            for start in range(0, len(here), ROWS_BETWEEN_CHECKS):
                watch.check()
                part = here[start : start + ROWS_BETWEEN_CHECKS]
                writer.writerows(_rows(item, part))
        text.detach()
    return count


def _rows(item: Labelled, here: NDArray[np.int64]) -> Iterator[tuple[object, ...]]:
    """Rows of kernels by their numbers."""
    kernels, names = item.kernels, [entry.id for entry in CLASSES]
    source = csv_text(item.source)
    layers = [csv_text(layer.name) for layer in item.bank.layers]
    key = size_key(kernels.size)
    family_class, family_cosine = _family_columns(item, here)
    discrete = _scale_space_columns(item, here)
    for at, i in enumerate(here.tolist()):
        flat = bool(kernels.flat[i])
        code = fit = ""
        named = best = FLAT.id if flat else ""
        if item.codes is not None and item.labels is not None and not flat:
            code, fit = f"{item.codes.code[i]:.6f}", f"{item.codes.fit[i]:.6f}"
            named = names[item.labels.class_index[i]]
            best = names[item.labels.best_class[i]]
        yield (
            source,
            layers[kernels.layer[i]],
            int(kernels.channel[i]),
            key,
            code,
            fit,
            named,
            best,
            f"{kernels.scale[i]:.7g}",
            f"{kernels.offset[i]:.7g}",
            family_class[at],
            family_cosine[at],
            *discrete[at],
        )


def _family_columns(
    item: Labelled, here: NDArray[np.int64]
) -> tuple[list[str], list[str]]:
    """Class and cosine of the family for kernels by number; empty for flat ones."""
    classes, cosines = [""] * len(here), [""] * len(here)
    if item.family is not None and len(here):
        place = np.cumsum(~item.kernels.flat[: here[-1] + 1]) - 1
        for at, i in enumerate(here.tolist()):
            if not item.kernels.flat[i]:
                classes[at] = FINE.patterns[item.family.class_index[place[i]]].id
                cosines[at] = f"{item.family.cosine[place[i]]:.6f}"
    return classes, cosines


def _scale_space_columns(
    item: Labelled, here: NDArray[np.int64]
) -> list[tuple[str, ...]]:
    """The nearest discrete scale-space model of kernels by number, and its values.

    Empty for flat kernels and where the family has none of the size.
    """
    from kernelviewer.kernels.family import scale_space, supported

    columns: list[tuple[str, ...]] = [("",) * 6] * len(here)
    places = np.flatnonzero(~item.kernels.flat[here])
    if not len(places) or not supported(item.kernels.size):
        return columns
    found = scale_space.scale_space_fit(item.kernels, here[places])
    values = zip(
        found.sigma_x,
        found.sigma_y,
        found.cosine,
        found.moment_x,
        found.moment_y,
        strict=True,
    )
    for place, model, numbers in zip(places, found.model, values, strict=True):
        name = scale_space.NAMES[model]
        columns[place] = (name, *(f"{value:.6f}" for value in numbers))
    return columns
