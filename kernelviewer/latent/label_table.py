"""The table of labels: one row for each kernel with code, fit, class and family."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from kernelviewer.files import atomic_write
from kernelviewer.kernels import size_key, size_label
from kernelviewer.kernels.classes import CLASSES, FLAT, PATTERNS
from kernelviewer.latent.labels import label
from kernelviewer.text import csv_text
from kernelviewer.watch import NEVER

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

    from kernelviewer.device import Device
    from kernelviewer.kernels import KernelBank, KernelSet, Size
    from kernelviewer.kernels.family import FamilyFit
    from kernelviewer.latent.autoencoder import Autoencoder
    from kernelviewer.latent.codes import Codes
    from kernelviewer.latent.labels import Labels
    from kernelviewer.latent.segments import Segments
    from kernelviewer.text import AnyPath
    from kernelviewer.watch import Watch

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
)
ROWS_BETWEEN_CHECKS = 4096


@dataclass(frozen=True, slots=True, eq=False)
class Labelling:
    """How kernels of one size are labelled.

    ``codes`` are those that are known already; ``segments`` and ``threshold`` stand
    for the autoencoder's own where they are None.
    """

    autoencoder: Autoencoder | None
    threshold: float | None = None
    segments: Segments | None = None
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
    from kernelviewer.kernels.family import family_fit, supported
    from kernelviewer.kernels.statistics import patterns

    kernels = bank.sizes[size]
    autoencoder, codes = how.autoencoder, how.codes
    labels = family = None
    if autoencoder is not None:
        codes = codes or autoencoder.encode_set(kernels, device=device, watch=watch)
        level = autoencoder.threshold if how.threshold is None else how.threshold
        labels = label(codes, how.segments or autoencoder.segments, level)
    if supported(size):
        there = ~kernels.flat
        rows = patterns(
            kernels.weights[there], kernels.scale[there], kernels.offset[there]
        )
        text = f"fitting the family to {size_label(size)} kernels"
        family = family_fit(rows, device=device, watch=watch.saying(text))
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
                classes[at] = PATTERNS[item.family.class_index[place[i]]].id
                cosines[at] = f"{item.family.cosine[place[i]]:.6f}"
    return classes, cosines
