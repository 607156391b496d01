"""``kernelviewer label``: code, fit and class of every kernel."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from kernelviewer.commands.networks import (
    Autoencoders,
    add_autoencoder_argument,
    add_network_arguments,
    add_threshold_argument,
    cannot_write,
    device_of,
    problem_of_output,
    read_banks,
    show_progress,
)
from kernelviewer.commands.output import aligned, complain, number, say
from kernelviewer.files import atomic_write
from kernelviewer.formats import CheckpointError
from kernelviewer.kernels import size_key, size_label
from kernelviewer.kernels.classes import CLASSES, FLAT, PATTERNS
from kernelviewer.latent.labels import agreement, label

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Iterator, Sequence

    import torch
    from numpy.typing import NDArray

    from kernelviewer.kernels import KernelBank, KernelSet, Size
    from kernelviewer.kernels.family import FamilyFit
    from kernelviewer.latent.autoencoder import Autoencoder
    from kernelviewer.latent.codes import Codes
    from kernelviewer.latent.labels import Labels

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


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add_network_arguments(parser, "checkpoints of any format, or folders of them")
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        metavar="OUT.csv",
        help="write one row per kernel",
    )
    add_threshold_argument(parser)
    add_autoencoder_argument(parser)
    parser.add_argument(
        "--json", action="store_true", help="print a JSON object in place of a table"
    )


def run(options: argparse.Namespace) -> int:
    """Label, write and print."""
    problem = problem_of_output(options.output) if options.output else ""
    if problem:
        complain(problem)
        return 1
    device = device_of(options)
    if device is None:
        return 2
    try:
        autoencoders = Autoencoders(options.autoencoder)
    except CheckpointError as error:
        complain(str(error))
        return 1
    banks, whole = read_banks(options.files, options)
    if not banks:
        return 1
    found = [
        label_kernels(source, bank, size, autoencoders, options.threshold, device)
        for source, bank in banks
        for size in bank.sizes
    ]
    if options.output:
        try:
            write_rows(options.output, found)
        except OSError as error:
            complain(cannot_write(options.output, error))
            return 1
    _print(found, options)
    return 0 if whole else 1


def label_kernels(
    source: str,
    bank: KernelBank,
    size: Size,
    autoencoders: Autoencoders,
    threshold: float | None,
    device: torch.device,
) -> Labelled:
    """Encode and label the kernels of one size, and fit the family to them."""
    from kernelviewer.kernels.family import family_fit, supported
    from kernelviewer.kernels.statistics import patterns

    kernels = bank.sizes[size]
    autoencoder = autoencoders.get(size)
    codes = labels = family = None
    if autoencoder is not None:
        codes = autoencoder.encode_set(kernels, device=device, progress=show_progress)
        level = autoencoder.threshold if threshold is None else threshold
        labels = label(codes, autoencoder.segments, level)
    if supported(size):
        there = ~kernels.flat
        rows = patterns(
            kernels.weights[there], kernels.scale[there], kernels.offset[there]
        )
        text = f"fitting the family to {size_label(size)} kernels"
        family = family_fit(
            rows,
            device=device,
            progress=lambda done, total: show_progress(done, total, text),
        )
    return Labelled(source, bank, kernels, autoencoder, codes, labels, family)


def summarise(found: Sequence[Labelled]) -> dict[str, Any]:
    """What ``label --json`` prints."""
    return {
        "sizes": {
            size_key(size): _summarise_size(items)
            for size, items in _by_size(found).items()
        }
    }


def write_rows(path: Path, found: Iterable[Labelled]) -> None:
    """Write the CSV file, whole or not at all.

    Raises
    ------
    OSError
        The folder is read-only or the disk is full.
    """
    with atomic_write(path) as file:
        text = io.TextIOWrapper(file, "utf-8", newline="")
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(COLUMNS)
        for item in found:
            writer.writerows(_rows(item))
        text.detach()


def _rows(item: Labelled) -> Iterator[tuple[object, ...]]:
    kernels, names = item.kernels, [entry.id for entry in CLASSES]
    key = size_key(kernels.size)
    family_class, family_cosine = _family_columns(item)
    for i in range(len(kernels)):
        flat = bool(kernels.flat[i])
        code = fit = ""
        named = best = FLAT.id if flat else ""
        if item.codes is not None and item.labels is not None and not flat:
            code, fit = f"{item.codes.code[i]:.6f}", f"{item.codes.fit[i]:.6f}"
            named = names[item.labels.class_index[i]]
            best = names[item.labels.best_class[i]]
        yield (
            item.source,
            item.bank.layers[kernels.layer[i]].name,
            int(kernels.channel[i]),
            key,
            code,
            fit,
            named,
            best,
            f"{kernels.scale[i]:.7g}",
            f"{kernels.offset[i]:.7g}",
            family_class[i],
            family_cosine[i],
        )


def _family_columns(item: Labelled) -> tuple[list[str], list[str]]:
    """Class and cosine of the family for every kernel; empty for flat ones."""
    classes, cosines = [""] * len(item.kernels), [""] * len(item.kernels)
    if item.family is not None:
        for at, i in enumerate(np.flatnonzero(~item.kernels.flat)):
            classes[i] = PATTERNS[item.family.class_index[at]].id
            cosines[i] = f"{item.family.cosine[at]:.6f}"
    return classes, cosines


def _by_size(found: Sequence[Labelled]) -> dict[Size, list[Labelled]]:
    sizes: dict[Size, list[Labelled]] = {}
    for item in found:
        sizes.setdefault(item.kernels.size, []).append(item)
    return dict(sorted(sizes.items(), reverse=True))


def _summarise_size(items: Sequence[Labelled]) -> dict[str, Any]:
    flat = sum(int(item.kernels.flat.sum()) for item in items)
    count = sum(len(item.kernels) for item in items)
    autoencoder = items[0].autoencoder
    labels = [item.labels for item in items if item.labels is not None]
    fits = [item.codes.fit for item in items if item.codes is not None]
    if autoencoder is None or not labels:
        nothing = ("mean_fit", "threshold", "coverage", "null_coverage", "classes")
        return {"kernels": count, "flat": flat, **dict.fromkeys(nothing)}
    fit = np.concatenate(fits)
    there = fit[~np.isnan(fit)]
    identified = sum(int(item.identified.sum()) for item in labels)
    level = labels[0].threshold
    counts = [item.counts() for item in labels]
    return {
        "kernels": count,
        "flat": flat,
        "mean_fit": _rounded(there.mean(dtype=np.float64)) if len(there) else None,
        "threshold": level,
        "coverage": _rounded(identified / len(there)) if len(there) else None,
        "null_coverage": _rounded(autoencoder.null.coverage(level)),
        "classes": {
            item.id: sum(count[item.id] for count in counts) for item in CLASSES
        },
    }


def _rounded(value: float) -> float:
    return round(float(value), 6)


def _print(found: Sequence[Labelled], options: argparse.Namespace) -> None:
    if options.json:
        say(json.dumps(summarise(found), indent=1))
        return
    if not found:
        say("There are no depthwise kernels.")
    for number_, (size, items) in enumerate(_by_size(found).items()):
        if number_:
            say("")
        for line in _table(size, items):
            say(line)
    if options.output:
        kernels = sum(len(item.kernels) for item in found)
        say(f"\n{options.output}: {number(kernels)} rows")


def _table(size: Size, items: Sequence[Labelled]) -> Iterator[str]:
    summary = _summarise_size(items)
    head = f"{size_label(size)}: {number(summary['kernels'])} kernels"
    head += f", {number(summary['flat'])} flat" if summary["flat"] else ""
    if summary["classes"] is None:
        yield f"{head}; there is no autoencoder for this size."
        yield "  kernelviewer train makes one; family classes are in the CSV file."
        return
    yield head
    if summary["coverage"] is not None:
        yield (
            f"  mean fit {summary['mean_fit']:.3f} · coverage "
            f"{100 * summary['coverage']:.1f} % at {summary['threshold']:.3f}, where "
            f"white noise reaches {_percent(summary['null_coverage'])}"
        )
    yield from _agreement_line(items)
    present = summary["kernels"] - summary["flat"]
    rows = [
        (
            f"  {item.name}",
            number(summary["classes"][item.id]),
            _percent(summary["classes"][item.id] / present) if present else "",
        )
        for item in CLASSES
        if item is not FLAT and summary["classes"][item.id]
    ]
    if rows:
        yield from aligned(rows, frozenset({1, 2}))


def _agreement_line(items: Sequence[Labelled]) -> Iterator[str]:
    """How the stretches' names agree with the family, over all networks."""
    parts = [
        agreement(item.labels, item.family)
        for item in items
        if item.labels is not None and item.family is not None
    ]
    kernels = np.array([part.kernels for part in parts])
    if not kernels.sum():
        return
    exact: NDArray[np.float64] = np.nan_to_num([part.exact for part in parts])
    within: NDArray[np.float64] = np.nan_to_num([part.within for part in parts])
    yield (
        f"  the kernel's own best family class: exactly "
        f"{_percent(float(np.average(exact, weights=kernels)))} of the identified, "
        f"within 0.05 {_percent(float(np.average(within, weights=kernels)))}"
    )


def _percent(share: float) -> str:
    return f"{100 * share:.2f} %" if 0 < share < 0.001 else f"{100 * share:.1f} %"
