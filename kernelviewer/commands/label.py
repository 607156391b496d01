"""``kernelviewer label``: code, fit and class of every kernel."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

from kernelviewer.commands.networks import (
    LINE,
    Autoencoders,
    add_autoencoder_argument,
    add_by_argument,
    add_network_arguments,
    add_threshold_argument,
    device_of,
    naming_of,
    read_banks,
)
from kernelviewer.commands.output import aligned, complain, number, rounded, say
from kernelviewer.commands.reading import (
    add_equal_argument,
    add_json_argument,
    add_output_argument,
    check_output,
    equal_notes,
    writing,
)
from kernelviewer.kernels import size_key, size_label
from kernelviewer.kernels.classes import CLASSES, FLAT
from kernelviewer.kernels.equality import find_equal
from kernelviewer.latent.family_null import stability
from kernelviewer.latent.labels import Labelling, agreement, label_kernels, write_rows
from kernelviewer.latent.noise import LOWEST_THRESHOLD
from kernelviewer.text import percent

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from kernelviewer.kernels import Size
    from kernelviewer.latent.labels import Labelled


_MEASURED = (
    *("mean_fit", "threshold", "coverage", "null_coverage", "stability", "classes"),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add_network_arguments(parser, "checkpoints of any format, or folders of them")
    add_output_argument(parser, "OUT.csv", "write one row per kernel")
    add_by_argument(parser)
    add_threshold_argument(parser)
    add_autoencoder_argument(parser)
    add_equal_argument(parser)
    add_json_argument(parser)


def run(options: argparse.Namespace) -> int:
    """Label, write and print."""
    check_output(options.output)
    device, autoencoders = device_of(options), Autoencoders(options.autoencoder)
    (read,) = read_banks(options, options.files)
    if not read.named:
        return 1
    whole = autoencoders.fit(read.banks) and read.whole
    found = [
        label_kernels(
            source,
            bank,
            size,
            Labelling(autoencoders.get(size), naming_of(options), options.threshold),
            device,
            watch=LINE,
        )
        for source, bank in read.named
        for size in bank.sizes
    ]
    if options.output:
        with writing(options.output):
            write_rows(options.output, [(item, None) for item in found])
    notes = equal_notes(read.banks)
    _print(found, notes, options)
    for note in notes:
        complain(note)
    return 0 if whole else 1


def summarise(
    found: Sequence[Labelled], notes: Sequence[str] = (), *, count_equal: bool = False
) -> dict[str, Any]:
    """What ``label --json`` prints; ``notes`` are about networks that are equal."""
    summary: dict[str, Any] = {
        "sizes": {
            size_key(size): _summarise_size(items, count_equal)
            for size, items in _by_size(found).items()
        }
    }
    return {**summary, "equal_networks": list(notes)} if notes else summary


def _by_size(found: Sequence[Labelled]) -> dict[Size, list[Labelled]]:
    sizes: dict[Size, list[Labelled]] = {}
    for item in found:
        sizes.setdefault(item.kernels.size, []).append(item)
    return dict(sorted(sizes.items(), reverse=True))


def _counted(items: Sequence[Labelled], count_equal: bool) -> NDArray[np.bool_]:
    """Which kernels of the networks count, one network after the other."""
    sets = [item.kernels for item in items]
    everything = np.ones(sum(map(len, sets)), bool)
    return everything if count_equal else find_equal(sets).once(everything)


def _summarise_size(items: Sequence[Labelled], count_equal: bool) -> dict[str, Any]:
    counted = _counted(items, count_equal)
    flat = np.concatenate([item.kernels.flat for item in items])[counted]
    totals: dict[str, Any] = {"kernels": len(flat), "flat": int(flat.sum())}
    if repeated := len(counted) - len(flat):
        totals["equal_counted_once"] = repeated
    by, null = items[0].by, items[0].null
    totals["by"] = by
    totals["words"] = items[0].scheme.id
    labels = [item.labels for item in items if item.labels is not None]
    if null is None or not labels:
        offsets = list(_offsets(items, LOWEST_THRESHOLD))
        return {**totals, **dict.fromkeys(_MEASURED), "offsets": offsets}
    fit = np.concatenate([item.fit for item in items])[counted]
    there = fit[~np.isnan(fit)]
    identified = np.concatenate([item.identified for item in labels])[counted].sum()
    level = labels[0].threshold
    kinds = np.concatenate([item.class_index for item in labels])[counted]
    counts = np.bincount(kinds, minlength=len(CLASSES)).tolist()
    return {
        **totals,
        "mean_fit": rounded(there.mean(dtype=np.float64)) if len(there) else None,
        "threshold": level,
        "coverage": rounded(identified / len(there)) if len(there) else None,
        "null_coverage": rounded(null.coverage(level)),
        "stability": stability(items[0].kernels.size) if by == "family" else None,
        "classes": items[0].scheme.counts(counts),
        "offsets": list(_offsets(items, level)),
    }


def _offsets(items: Sequence[Labelled], least: float) -> Iterator[dict[str, Any]]:
    """Per network and layer, mean and spread of the family's offsets, in px.

    Kernels count whose cosine with the family is ``least`` or more.
    """
    from kernelviewer.kernels.family.fit import layer_offsets

    for item in items:
        if item.family is None:
            continue
        for found in layer_offsets(item.kernels, item.family, least):
            layer = item.bank.layers[found.layer]
            values = {
                name: rounded(value) if found.counted else None
                for name in ("x", "y", "spread_x", "spread_y")
                for value in [getattr(found, name)]
            }
            yield {
                "source": item.source,
                "layer": layer.name,
                "stride": None if layer.stride is None else list(layer.stride),
                "kernels": found.kernels,
                "counted": found.counted,
                **values,
            }


def _print(
    found: Sequence[Labelled], notes: Sequence[str], options: argparse.Namespace
) -> None:
    if options.json:
        summary = summarise(found, notes, count_equal=options.count_equal)
        say(json.dumps(summary, indent=1))
        return
    if not found:
        say("There are no depthwise kernels.")
    for number_, (size, items) in enumerate(_by_size(found).items()):
        if number_:
            say("")
        say(*_table(size, items, options.count_equal))
    if options.output:
        kernels = sum(len(item.kernels) for item in found)
        say(f"\n{options.output}: {number(kernels)} rows")


def _table(size: Size, items: Sequence[Labelled], count_equal: bool) -> Iterator[str]:
    summary = _summarise_size(items, count_equal)
    head = f"{size_label(size)}: {number(summary['kernels'])} kernels"
    head += f", {number(summary['flat'])} flat" if summary["flat"] else ""
    if repeated := summary.get("equal_counted_once"):
        head += f", {number(repeated)} equal ones counted once"
    if summary["classes"] is None:
        yield (
            f"{head}; there is no autoencoder for this size, and the pattern family "
            "has no such kernels."
        )
        yield "  kernelviewer train makes one."
        return
    whose = ", in the paper's classes"
    told = whose if (summary["by"], summary["words"]) == ("family", "paper") else ""
    yield f"{head}; named by the {summary['by']}{told}"
    if summary["coverage"] is not None:
        yield (
            f"  mean fit {summary['mean_fit']:.3f} · coverage "
            f"{percent(summary['coverage'])} at {summary['threshold']:.3f}, where "
            f"white noise reaches {percent(summary['null_coverage'])}"
        )
    yield from _agreement_line(items, _counted(items, count_equal))
    present = summary["kernels"] - summary["flat"]
    rows = [
        (
            f"  {item.name}",
            number(summary["classes"][item.id]),
            percent(summary["classes"][item.id] / present) if present else "",
        )
        for item in CLASSES
        if item is not FLAT and summary["classes"].get(item.id)
    ]
    if rows:
        yield from aligned(rows, frozenset({1, 2}))


def _agreement_line(
    items: Sequence[Labelled], counted: NDArray[np.bool_]
) -> Iterator[str]:
    """How names by code and by the family agree, over all networks."""
    ends = np.cumsum([len(item.kernels) for item in items])
    parts = [
        agreement(item.by_code, item.family, item.labels.identified & own)
        for item, own in zip(items, np.split(counted, ends[:-1]), strict=True)
        if item.labels and item.by_code and item.family
    ]
    kernels = np.array([part.kernels for part in parts])
    if not kernels.sum():
        return
    exact: NDArray[np.float64] = np.nan_to_num([part.exact for part in parts])
    within: NDArray[np.float64] = np.nan_to_num([part.within for part in parts])
    yield (
        f"  names by code and by the family agree: exactly for "
        f"{percent(float(np.average(exact, weights=kernels)))} of the identified, "
        f"within 0.05 for {percent(float(np.average(within, weights=kernels)))}"
    )
