"""``kernelviewer compare``: what changed between two networks, kernel by kernel."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING, Any

import numpy as np

from kernelviewer.commands.networks import (
    LINE,
    Autoencoders,
    add_autoencoder_argument,
    add_by_argument,
    add_device_argument,
    add_threshold_argument,
    device_of,
    naming_of,
    read_banks,
)
from kernelviewer.commands.output import (
    RefusedError,
    aligned,
    complain,
    counted,
    number,
    rounded,
    say,
)
from kernelviewer.commands.reading import (
    add_json_argument,
    add_output_argument,
    add_reading_arguments,
    check_output,
    equal_notes,
    parse_pair,
    writing,
)
from kernelviewer.kernels import size_key, size_label
from kernelviewer.kernels.classes import CLASSES
from kernelviewer.kernels.pairing import MATCHES, why_apart
from kernelviewer.latent.compare import compare, write_pairs
from kernelviewer.text import percent

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kernelviewer.kernels import KernelBank
    from kernelviewer.kernels.classes import Naming, Scheme
    from kernelviewer.kernels.comparison import (
        Comparison,
        LayerComparison,
        SizeComparison,
    )

_HEADINGS = ("  layer", "pairs", "cosine", "ln scale ratio", "changed")
_NUMERIC = frozenset({1, 2, 3, 4})
_MOST_CHANGES = 6


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add = parser.add_argument
    add("a", metavar="A", help="a checkpoint: before")
    add("b", metavar="B", help="another, or another copy: after")
    add_output_argument(parser, "OUT.csv", "write one row per pair of kernels")
    add_by_argument(parser)
    add(
        "--match",
        choices=MATCHES,
        default="names",
        help="which kernels correspond: by the layers' names and the channels; by "
        "order and shape of the layers; or the best match within a layer, for "
        "networks trained apart (default: names)",
    )
    add(
        "--pair",
        dest="pairing",
        type=parse_pair,
        action="append",
        metavar="BEFORE=AFTER",
        help="these layers correspond, and no others do; may be given several times "
        "(default: as --match finds)",
    )
    add_threshold_argument(parser)
    add_autoencoder_argument(parser)
    add_json_argument(parser)
    add_reading_arguments(parser)
    add(
        "--copy-b",
        metavar="NAME",
        help="open this copy of the second network (default: as --copy says)",
    )
    add_device_argument(parser)


def run(options: argparse.Namespace) -> int:
    """Compare, write and print."""
    check_output(options.output)
    device, autoencoders = device_of(options), Autoencoders(options.autoencoder)
    banks = _banks(options)
    if banks is None:
        return 1
    if problem := why_apart(*banks, options.pairing or ()):
        complain(problem)
        return 1
    whole, naming = autoencoders.fit(banks), naming_of(options)
    found = compare(
        *banks,
        by=naming.by,
        words=naming.words,
        match=options.match,
        layers=options.pairing,
        threshold=options.threshold,
        autoencoders=autoencoders.get,
        device=device,
        watch=LINE,
    )
    if options.output:
        with writing(options.output):
            write_pairs(options.output, found, LINE)
    if options.json:
        say(json.dumps(summarise(found, naming), indent=1))
    else:
        _print(found, options)
    for note in _notes(found, options):
        complain(note)
    return 0 if whole else 1


def _banks(options: argparse.Namespace) -> tuple[KernelBank, KernelBank] | None:
    """The two networks; None after a complaint.

    Raises
    ------
    RefusedError
        One is a folder with several.
    """
    if options.copy_b is None:
        first, second = read_banks(options, [options.a], [options.b])
    else:
        (first,) = read_banks(options, [options.a])
        other = argparse.Namespace(**{**vars(options), "copy": options.copy_b})
        (second,) = read_banks(other, [options.b])
    for path, read in ((options.a, first), (options.b, second)):
        if len(read.named) > 1:
            msg = f"{path}: this folder has {len(read.named)} networks; name one"
            raise RefusedError(msg)
    if not first.named or not second.named:
        return None
    return first.banks[0], second.banks[0]


def summarise(found: Comparison, naming: Naming) -> dict[str, Any]:
    """What ``compare --json`` prints."""
    scheme = naming.scheme(naming.by)
    return {
        "by": naming.by,
        "words": scheme.id,
        "sizes": {
            size_key(size): _summarise(item, scheme)
            for size, item in found.sizes.items()
        },
        "layers": [
            {
                "layer": found.bank_a.layers[item.layer_a].name,
                "pairs": item.summary.pairs,
                "mean_cosine": rounded(item.summary.mean_cosine),
                "changed": rounded(item.summary.changed),
            }
            for item in found.layers
        ],
    }


def _summarise(item: SizeComparison, scheme: Scheme) -> dict[str, Any]:
    matrix = item.transitions
    kinds: tuple[int, ...] = ()
    if matrix is not None:
        kinds = scheme.listed(np.flatnonzero(matrix.sum(axis=0) + matrix.sum(axis=1)))
    summary = {
        "pairs": len(item),
        "unpaired_a": len(item.unpaired_a),
        "unpaired_b": len(item.unpaired_b),
        "mean_cosine": rounded(item.summary.mean_cosine),
        "shuffled_cosine": rounded(item.null.mean_cosine),
        "changed": rounded(item.summary.changed),
        "transitions": None
        if matrix is None
        else {
            CLASSES[before].id: {
                CLASSES[after].id: int(matrix[before, after]) for after in kinds
            }
            for before in kinds
        },
        "shift": None if item.shift is None else rounded(item.shift.value),
    }
    noise = rounded(item.noise)
    return summary if noise is None else {**summary, "noise_cosine": noise}


def _notes(found: Comparison, options: argparse.Namespace) -> Iterator[str]:
    """What a user should know beside the numbers."""
    yield from equal_notes([found.bank_a, found.bank_b])
    if not len(found):
        other = {"names": "order or best", "order": "best"}.get(options.match, "")
        hint = f"; try --match {other}" if other else ""
        yield f"no kernels of the two networks correspond{hint}"
    by_order = [item for item in found.pairing.layers if item.how == "order"]
    if by_order and options.match != "order":
        first, second = found.bank_a.layers, found.bank_b.layers
        pairs = (f"{first[i.a].name} – {second[i.b].name}" for i in by_order)
        layers = counted(len(by_order), "layer")
        yield f"paired by order, since names differ: {layers}: {', '.join(pairs)}"
    for size, item in found.sizes.items():
        if len(item) and item.transitions is None:
            yield f"{size_label(size)}: nothing names these kernels"
    for bank, left in (
        (found.bank_a, found.pairing.left_a),
        (found.bank_b, found.pairing.left_b),
    ):
        if left:
            names = ", ".join(bank.layers[i].name for i in left)
            yield f"{bank.path.name}: {counted(len(left), 'layer')} alone: {names}"


def _print(found: Comparison, options: argparse.Namespace) -> None:
    if not found.sizes:
        say("There are no depthwise kernels.")
    for place, item in enumerate(found.sizes.values()):
        if place:
            say("")
        say(*_lines(found, item))
    if options.output:
        say(f"\n{options.output}: {counted(len(found), 'row')}")


def _lines(found: Comparison, item: SizeComparison) -> Iterator[str]:
    head = f"{size_label(item.size)}: {counted(len(item), 'pair')}"
    left = len(item.unpaired_a), len(item.unpaired_b)
    if any(left):
        head += f"; without a partner {number(left[0])} before, {number(left[1])} after"
    yield head
    if not len(item):
        return
    summary, null = item.summary, item.null
    if summary.patterned:
        yield (
            f"  mean cosine {summary.mean_cosine:.3f} (shuffled channels "
            f"{_number(null.mean_cosine)}{_noise(item.noise)})"
        )
    if item.transitions is not None:
        yield (
            f"  class changed {percent(summary.changed)} (shuffled channels "
            f"{percent(null.changed)})"
        )
    if item.shift is not None:
        yield (
            f"  shift of the distribution {item.shift.value:.3f} (kernels dealt at "
            f"random {item.shift.null:.3f})"
        )
    changes = list(_changes(item))
    if changes:
        yield f"  most frequent: {'; '.join(changes)}"
    rows = [_row(found, layer) for layer in item.layers]
    yield from aligned([_HEADINGS, *rows], _NUMERIC)


def _changes(item: SizeComparison) -> Iterator[str]:
    """The most frequent changes of class."""
    if item.transitions is None:
        return
    matrix = item.transitions.copy()
    np.fill_diagonal(matrix, 0)
    order = np.argsort(-matrix, axis=None, kind="stable")[:_MOST_CHANGES]
    for place in order.tolist():
        before, after = divmod(place, len(CLASSES))
        if count := int(matrix[before, after]):
            yield f"{CLASSES[before].short} → {CLASSES[after].short} {number(count)}"


def _row(found: Comparison, layer: LayerComparison) -> tuple[str, ...]:
    summary = layer.summary
    return (
        f"  {found.bank_a.layers[layer.layer_a].name}",
        number(summary.pairs),
        _number(summary.mean_cosine),
        _number(summary.scale_ratio[len(summary.scale_ratio) // 2], "+"),
        percent(summary.changed),
    )


def _noise(value: float) -> str:
    return "" if value != value else f", matched noise {value:.3f}"


def _number(value: float, sign: str = "") -> str:
    return "–" if value != value else f"{value:{sign}.3f}"
