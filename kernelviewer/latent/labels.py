"""From codes and family members to classes, and to a table of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from kernelviewer.files import csv_writer
from kernelviewer.kernels import size_key, size_label
from kernelviewer.kernels.classes import (
    CLASSES,
    FINE,
    FLAT,
    INDEX,
    PAPER,
    PAPER_OF,
    PATTERNS,
    UNIDENTIFIED,
    Naming,
)
from kernelviewer.latent.stretches import TOLERANCE, stretch_of
from kernelviewer.text import csv_text
from kernelviewer.watch import NEVER

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from kernelviewer.device import Device
    from kernelviewer.kernels import KernelBank, KernelSet, Size
    from kernelviewer.kernels.classes import By, Scheme
    from kernelviewer.kernels.family import FamilyFit
    from kernelviewer.latent.autoencoder import Autoencoder
    from kernelviewer.latent.curve import Codes
    from kernelviewer.latent.noise import Null
    from kernelviewer.latent.stretches import Stretches
    from kernelviewer.text import AnyPath
    from kernelviewer.watch import Watch


_FLAT, _UNIDENTIFIED = INDEX[FLAT.id], INDEX[UNIDENTIFIED.id]


@dataclass(frozen=True, slots=True, eq=False)
class Labels:
    """Classes of N kernels; indices into `kernelviewer.kernels.classes.CLASSES`."""

    class_index: NDArray[np.int8]
    """int8 [N], the class; unidentified where the fit is below the threshold."""
    best_class: NDArray[np.int8]
    """int8 [N], the class whatever the fit: that of the kernel's stretch, or of its
    nearest family member."""
    identified: NDArray[np.bool_]
    """bool [N]."""
    threshold: float
    """The fit from which on a kernel is identified."""

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

    def counts(self, scheme: Scheme = PAPER) -> dict[str, int]:
        """Kernels of a scheme's classes, and of others that occur, by id; sums to N."""
        found = np.bincount(self.class_index, minlength=len(CLASSES))
        return scheme.counts(found.tolist())


@dataclass(frozen=True, slots=True)
class Agreement:
    """How a kernel's name by its code agrees with its name by the family."""

    kernels: int
    """Identified kernels that were compared."""
    exact: float
    """Share of them whose stretch has the class that the family gives them."""
    within: float
    """Share of them that their stretch's class explains within 0.05 as well as that."""

    def to_json(self) -> dict[str, float | None]:
        """The shares as plain values, rounded; None without kernels."""
        shares = {"exact": self.exact, "within": self.within}
        return {
            name: round(share, 5) if self.kernels else None
            for name, share in shares.items()
        }


def label(
    codes: Codes, stretches: Stretches, threshold: float, scheme: Scheme | None = None
) -> Labels:
    """Classes of kernels from their codes: that of the stretch the code falls in.

    Parameters
    ----------
    codes
        Codes and fits; both are NaN for flat kernels.
    stretches
        Stretches of the spectrum.
    threshold
        The fit from which on a kernel is identified.
    scheme
        What to name them in; None: as each stretch shows, in the paper's unless
        somebody renamed it.
    """
    names = np.array(
        [item.index_in(scheme or item.scheme) for item in stretches], np.int8
    )
    flat = np.isnan(codes.code)
    best = names[stretch_of(stretches, codes.code)]
    best[flat] = _FLAT
    return _labels(best, codes.fit, threshold)


def label_by_family(
    family: FamilyFit,
    flat: NDArray[np.bool_],
    threshold: float,
    scheme: Scheme = FINE,
    *,
    noise: NDArray[np.bool_] | None = None,
) -> Labels:
    """Classes of kernels from their nearest family members.

    Parameters
    ----------
    family
        Of the kernels that are not flat, in their order.
    flat
        Which kernels are, bool [N].
    threshold
        The cosine from which on a kernel is identified.
    scheme
        The classes that name them.
    noise
        Bool, as long as ``family``: kernels that have no class, as noise fits as well
        on their support; None: none.
    """
    best = np.full(len(flat), _FLAT, np.int8)
    cosine = np.full(len(flat), np.nan, np.float32)
    named = family.index_in(scheme)
    if noise is not None:
        named = np.where(noise, np.int8(_UNIDENTIFIED), named)
    best[~flat], cosine[~flat] = named, family.cosine
    return _labels(best, cosine, threshold)


def _labels(
    best: NDArray[np.int8], fit: NDArray[np.float32], threshold: float
) -> Labels:
    identified = reaches(fit, threshold) & (best < len(PATTERNS))
    found = np.where(identified, best, np.int8(_UNIDENTIFIED))
    found[best == _FLAT] = _FLAT
    return Labels(found, best, identified, threshold)


def reaches(fit: NDArray[np.float32], threshold: float) -> NDArray[np.bool_]:
    """Which fits [N] are enough to identify a kernel; NaN never is.

    Fits are compared as float32, so that one shown as the threshold passes. A threshold
    of 1 says that noise fits as well as anything, as with three taps: none passes.
    """
    with np.errstate(invalid="ignore"):
        return np.asarray((fit >= np.float32(threshold)) & (threshold < 1))


def agreement(
    labels: Labels,
    family: FamilyFit,
    among: NDArray[np.bool_] | None = None,
    scheme: Scheme = PAPER,
) -> Agreement:
    """Compare names by code with those by the family.

    Parameters
    ----------
    labels
        Classes by code of N kernels.
    family
        `family_fit` of the same kernels, flat ones left out.
    among
        Bool [N], the kernels to compare; by default those that the code identifies.
    scheme
        The words in which both are taken; ``labels`` have the same, or finer ones.
    """
    among = labels.identified if among is None else among
    here = among[~labels.flat]
    named = labels.best_class[~labels.flat][here]
    named = np.array(PAPER_OF)[named] if scheme is PAPER else named
    if not len(named):
        return Agreement(0, float("nan"), float("nan"))
    own = family.index_in(scheme)[here]
    cosine = family.class_cosine if scheme is FINE else family.paper_cosine
    column = np.searchsorted(scheme.rows[:-2], named)
    loss = family.cosine[here] - cosine[here][np.arange(len(named)), column]
    return Agreement(
        len(named), float((named == own).mean()), float((loss <= TOLERANCE).mean())
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


# fmt: off
COLUMNS = (
    "source", "layer", "channel", "size", "code", "fit", "class", "best_class", "scale",
    "offset", "family_class", "family_cosine", "discrete_model", "discrete_sigma_x",
    "discrete_sigma_y", "discrete_cosine", "moment_sigma_x", "moment_sigma_y", "by",
    "code_class", "margin", "family_position",
)
# fmt: on
"""``code`` and ``fit`` are of the autoencoder, whatever names the kernels, and
``family_position`` is the place on the family's own spectrum; ``class`` and
``best_class`` are by what ``by`` says; ``code_class`` and ``family_class`` are the best
by either; ``margin`` is by how much the family's best class is ahead of its second."""
ROWS_BETWEEN_CHECKS = 4096


@dataclass(frozen=True, slots=True, eq=False)
class Labelling:
    """How kernels of one size are labelled.

    ``codes`` are those that are known already; ``stretches`` stand for the
    autoencoder's own where they are None, and ``threshold`` for the usual one of what
    names the kernels: as ``naming`` says, or the family where there is no autoencoder.
    """

    autoencoder: Autoencoder | None
    naming: Naming = field(default_factory=Naming)
    threshold: float | None = None
    stretches: Stretches | None = None
    codes: Codes | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Labelled:
    """The kernels of one size of one network with all that is found about them."""

    source: str
    bank: KernelBank
    kernels: KernelSet
    autoencoder: Autoencoder | None
    codes: Codes | None
    by_code: Labels | None
    """None where there is no autoencoder."""
    family: FamilyFit | None
    by_family: Labels | None
    """The members nearest to the kernels that are not flat, and the classes of all;
    None where the family has no kernels of the size."""
    by: By | None
    scheme: Scheme
    """What names them, None: nothing does; and the classes that it names them by."""
    null: Null | None
    """What white noise reaches by that."""
    more: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Further columns of the table by their names, a text for each kernel."""

    @property
    def labels(self) -> Labels | None:
        """The classes that count."""
        return self.by_code if self.by == "code" else self.by_family

    @property
    def fit(self) -> NDArray[np.float32]:
        """float32 [N], what the threshold is for; NaN where there is none."""
        if self.by == "code" and self.codes is not None:
            return self.codes.fit
        fit = np.full(len(self.kernels), np.nan, np.float32)
        if self.family is not None:
            fit[~self.kernels.flat] = self.family.cosine
        return fit

    @property
    def family_code(self) -> NDArray[np.float32] | None:
        """float32 [N], on the family's own spectrum; None where it has none."""
        if self.family is None:
            return None
        from kernelviewer.kernels.family.spectrum import family_spectrum

        code = np.full(len(self.kernels), np.nan, np.float32)
        spectrum = family_spectrum(self.kernels.size)
        code[~self.kernels.flat] = spectrum.codes(self.family)
        return code


def label_kernels(
    source: str,
    bank: KernelBank,
    size: Size,
    how: Labelling,
    device: Device,
    *,
    watch: Watch = NEVER,
) -> Labelled:
    """Encode the kernels of one size, fit the family to them, and label them by both.

    A threshold that is given is for what names them.
    """
    from kernelviewer.kernels.family import family_fit_set, supported
    from kernelviewer.latent.family_null import family_null, like_noise

    kernels = bank.sizes[size]
    autoencoder, codes = how.autoencoder, how.codes
    by_code = family = by_family = null = None
    by = named_by(
        how.naming.by, has_code=autoencoder is not None, has_family=supported(size)
    )

    def level(way: By, usual: float) -> float:
        return usual if by != way or how.threshold is None else how.threshold

    if autoencoder is not None:
        codes = codes or autoencoder.encode_set(kernels, device=device, watch=watch)
        null = autoencoder.null
        usual = level("code", autoencoder.threshold)
        by_code = label(codes, how.stretches or autoencoder.stretches, usual)
    if supported(size):
        text = f"fitting the family to {size_label(size)} kernels"
        family = family_fit_set(kernels, device=device, watch=watch.saying(text))
        own = family_null(size, device=device, watch=watch)
        null = null if by == "code" else own
        by_family = label_by_family(
            *(family, kernels.flat, level("family", own.default_threshold)),
            how.naming.scheme("family"),
            noise=like_noise(
                *(kernels, np.flatnonzero(~kernels.flat), family.cosine),
                device=device,
                watch=watch,
            ),
        )
    return Labelled(
        *(source, bank, kernels, autoencoder, codes, by_code, family, by_family),
        *(by, how.naming.scheme(by), null),
    )


def named_by(wish: By, *, has_code: bool, has_family: bool) -> By | None:
    """What names the kernels of a size: as wished, else the other; None: nothing."""
    there: dict[By, bool] = {"code": has_code, "family": has_family}
    other: By = "family" if wish == "code" else "code"
    return next((way for way in (wish, other) if there[way]), None)


def write_rows(
    path: AnyPath,
    found: Iterable[tuple[Labelled, NDArray[np.bool_] | None]],
    watch: Watch = NEVER,
    more: Sequence[str] = (),
) -> int:
    """Write the CSV file, whole or not at all, and count its rows.

    Names are printable, and none of them is a formula to a spreadsheet.

    Parameters
    ----------
    found
        Kernels, and bool [N] of those to write; None: all.
    more
        Names of further columns, which `Labelled.more` of each has.

    Raises
    ------
    OSError
        The folder is read-only or the disk is full.
    """
    count = 0
    with csv_writer(path) as writer:
        writer.writerow((*COLUMNS, *more))
        for item, wanted in found:
            here = np.arange(len(item.kernels))
            if wanted is not None:
                here = np.flatnonzero(wanted)
            count += len(here)
            for start in range(0, len(here), ROWS_BETWEEN_CHECKS):
                watch.check()
                part = here[start : start + ROWS_BETWEEN_CHECKS]
                writer.writerows(rows_of(item, part, more))
    return count


def rows_of(
    item: Labelled,
    here: NDArray[np.int64],
    more: Sequence[str] = (),
    cell: Callable[[str], str] = csv_text,
) -> Iterator[tuple[object, ...]]:
    """Rows of kernels by their numbers; ``cell`` makes names fit for where they go."""
    kernels, names = item.kernels, [entry.id for entry in CLASSES]
    source = cell(item.source)
    layers = [cell(layer.name) for layer in item.bank.layers]
    key = size_key(kernels.size)
    family_class, family_cosine, margin = _family_columns(item, here)
    discrete = _scale_space_columns(item, here)
    position = item.family_code
    for at, i in enumerate(here.tolist()):
        flat = bool(kernels.flat[i])
        code = fit = code_class = ""
        named = best = FLAT.id if flat else ""
        if item.codes is not None and item.by_code is not None and not flat:
            code, fit = f"{item.codes.code[i]:.6f}", f"{item.codes.fit[i]:.6f}"
            code_class = names[item.by_code.best_class[i]]
        if item.labels is not None:
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
            item.by or "",
            code_class,
            margin[at],
            "" if position is None or flat else f"{position[i]:.6f}",
            *(csv_text(item.more[name][i]) for name in more),
        )


def _family_columns(
    item: Labelled, here: NDArray[np.int64]
) -> tuple[list[str], list[str], list[str]]:
    """Class, cosine and margin of the family for kernels by number; "" if flat."""
    classes, cosines, margins = ([""] * len(here) for _ in range(3))
    if item.family is not None and len(here):
        place = np.cumsum(~item.kernels.flat[: here[-1] + 1]) - 1
        margin, kinds = item.family.margin, item.family.class_index
        if item.by == "family":
            kinds = item.family.index_in(item.scheme)
        for at, i in enumerate(here.tolist()):
            if not item.kernels.flat[i]:
                classes[at] = CLASSES[kinds[place[i]]].id
                cosines[at] = f"{item.family.cosine[place[i]]:.6f}"
                margins[at] = f"{margin[place[i]]:.6f}"
    return classes, cosines, margins


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
