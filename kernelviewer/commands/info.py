"""``kernelviewer info``: what depthwise layers a checkpoint has."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any

from kernelviewer.commands.output import (
    aligned,
    counted,
    megabytes,
    number,
    say,
    share,
)
from kernelviewer.commands.reading import (
    add_reading_arguments,
    check_included,
    read_bank,
)
from kernelviewer.kernels import size_label
from kernelviewer.text import shown

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from kernelviewer.kernels import KernelBank, LayerInfo

_HEADINGS = ("layer", "kind", "size", "kernels", "flat", "", "stored as")
_NUMERIC = frozenset({2, 3, 4, 5})


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument(
        "file",
        metavar="FILE",
        help="a checkpoint of any format, or hf-hub:owner/repository",
    )
    parser.add_argument(
        "--json", action="store_true", help="print one JSON object instead of a table"
    )
    add_reading_arguments(parser)


def run(options: argparse.Namespace) -> int:
    """Print the layers."""
    found: set[str] = set()
    bank = read_bank(options.file, options, found)
    if bank is None:
        return 1
    check_included(options, found)
    if options.json:
        say(json.dumps(summarise(bank, options.file), indent=1))
    else:
        for line in _table(bank):
            say(line)
    return 0


def summarise(bank: KernelBank, path: str) -> dict[str, Any]:
    """The bank as the JSON object that ``info --json`` prints."""
    summary: dict[str, Any] = {
        "path": shown(path),
        "format": bank.format,
        "size_bytes": bank.size_bytes,
        "layers": [_summarise_layer(layer) for layer in bank.layers],
        "other_convolutions": len(bank.convolutions),
        "skipped": [
            {"name": item.name, "reason": item.reason} for item in bank.skipped
        ],
        "warnings": list(bank.warnings),
    }
    if bank.copies:
        summary |= {"copies": list(bank.copies), "copy": bank.copy}
    if bank.architecture:
        summary["architecture"] = bank.architecture
    return summary


def _summarise_layer(layer: LayerInfo) -> dict[str, Any]:
    summary: dict[str, Any] = {
        "name": layer.name,
        "kind": layer.kind,
        "kernels": layer.kernels,
        "size": list(layer.size),
        "dtype": layer.dtype,
        "flat": layer.flat,
    }
    if layer.reason:
        summary["reason"] = layer.reason
    if _is_by_hand(layer):
        summary["included"] = True
    return summary


def _is_by_hand(layer: LayerInfo) -> bool:
    return layer.included and layer.kind in ("ambiguous", "fixed")


def _table(bank: KernelBank) -> Iterator[str]:
    facts = [bank.path.name, bank.format, megabytes(bank.size_bytes)]
    if bank.architecture:
        facts.append(bank.architecture)
    yield " · ".join(facts)
    if bank.copies:
        yield f"Copies of the network: {', '.join(bank.copies)}; open: {bank.copy}"
    if bank.layers:
        yield ""
        rows = [_HEADINGS, *map(_row, bank.layers)]
        yield from aligned(rows, _NUMERIC)
    yield ""
    yield _totals(bank)
    yield from _notes(bank)


def _row(layer: LayerInfo) -> tuple[str, ...]:
    return (
        layer.name,
        layer.kind if layer.included else f"({layer.kind})",
        size_label(layer.size),
        number(layer.kernels),
        number(layer.flat),
        share(layer.flat, layer.kernels),
        layer.dtype,
    )


def _totals(bank: KernelBank) -> str:
    others = f"{counted(len(bank.convolutions), 'other convolution')}."
    if not len(bank):
        return f"No depthwise kernels; {others}"
    included = [layer for layer in bank.layers if layer.included]
    flat = sum(layer.flat for layer in included)
    flats = f"{number(flat)} flat ({share(flat, len(bank))})" if flat else "None flat"
    return (
        f"{counted(len(included), 'depthwise layer')}, "
        f"{counted(len(bank), 'kernel')}{_sizes(bank)}.\n"
        f"{flats}; {others}"
    )


def _sizes(bank: KernelBank) -> str:
    if len(bank.sizes) == 1:
        return f" of {size_label(*bank.sizes)}"
    return ": " + ", ".join(
        f"{number(len(kernels))} of {size_label(size)}"
        for size, kernels in bank.sizes.items()
    )


def _notes(bank: KernelBank) -> Iterator[str]:
    left_out = [layer for layer in bank.layers if not layer.included]
    if left_out:
        yield ""
        yield "Not counted (--include LAYER takes one in):"
        for layer in left_out:
            yield f"  {layer.name}: {layer.reason}"
    if bank.skipped:
        reasons = Counter(item.reason for item in bank.skipped)
        yield ""
        yield "Left out of the file:"
        for reason, count in reasons.most_common():
            yield f"  {number(count)} × {reason}"
    for warning in bank.warnings:
        yield ""
        yield f"Warning: {warning}"
