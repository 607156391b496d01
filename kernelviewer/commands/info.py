"""``kernelviewer info``: what depthwise layers a checkpoint has."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any

from kernelviewer.commands.output import (
    aligned,
    complain,
    counted,
    megabytes,
    number,
    say,
    share,
)
from kernelviewer.commands.reading import (
    add_equal_argument,
    add_json_argument,
    add_reading_arguments,
    equal_notes,
    read_files,
)
from kernelviewer.kernels import size_label
from kernelviewer.kernels.equality import find_equal
from kernelviewer.kernels.health import layer_health
from kernelviewer.kernels.support import support_size
from kernelviewer.text import shown

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence

    from kernelviewer.kernels import KernelBank, LayerInfo

_HEADINGS = ("layer", "kind", "size", "support", "kernels", "flat", "", "stored as")
_FIRST_NUMBER, _SUPPORT = 2, 3


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument(
        "files",
        nargs="+",
        metavar="FILE",
        help="checkpoints of any format, or hf-hub:owner/repository",
    )
    add_json_argument(parser)
    add_reading_arguments(parser)
    add_equal_argument(parser)


def run(options: argparse.Namespace) -> int:
    """Print the layers."""
    named, failed = read_files(options)
    if not named:
        return 1
    notes = equal_notes([bank for _, bank in named])
    if options.json:
        say(json.dumps(_summarise_all(named, notes, options), indent=1))
    else:
        for number_, (_, bank) in enumerate(named):
            say(*(*[""] * min(number_, 1), *_table(bank)))
        if len(options.files) > 1:
            banks = [bank for _, bank in named]
            say("\n" + _total(*count_together(banks, options.count_equal)))
    for note in notes:
        complain(note)
    return int(failed)


def count_together(banks: Sequence[KernelBank], count_equal: bool) -> tuple[int, int]:
    """Kernels of several networks, and how many equal ones are not among them."""
    kernels = repeated = 0
    for size in {size for bank in banks for size in bank.sizes}:
        sets = [bank.sizes[size] for bank in banks if size in bank.sizes]
        again = 0 if count_equal else find_equal(sets).repeats
        kernels += sum(map(len, sets)) - again
        repeated += again
    return kernels, repeated


def _total(kernels: int, repeated: int) -> str:
    text = f"Together {counted(kernels, 'kernel')}"
    if repeated:
        text += f", {counted(repeated, 'equal one')} counted once"
    return f"{text}."


def _summarise_all(
    named: Sequence[tuple[str, KernelBank]],
    notes: list[str],
    options: argparse.Namespace,
) -> dict[str, Any]:
    """One network's object, or those of several with what they are together."""
    items = [summarise(bank, path) for path, bank in named]
    if len(options.files) == 1:
        return items[0]
    banks = [bank for _, bank in named]
    kernels, repeated = count_together(banks, options.count_equal)
    return {
        "networks": items,
        "kernels": kernels,
        "equal_counted_once": repeated,
        "equal_networks": notes,
    }


def summarise(bank: KernelBank, path: str) -> dict[str, Any]:
    """The bank as the JSON object that ``info --json`` prints."""
    health = {item.layer: item.to_json() for item in layer_health(bank)}
    summary: dict[str, Any] = {
        "path": shown(path),
        "format": bank.format,
        "size_bytes": bank.size_bytes,
        "layers": [
            _summarise_layer(layer)
            | ({"health": health[index]} if index in health else {})
            for index, layer in enumerate(bank.layers)
        ],
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
    for name in ("stride", "dilation", "padding"):
        if (value := getattr(layer, name)) is not None:
            summary[name] = value if isinstance(value, str) else list(value)
    if layer.support is not None:
        summary["support"] = [list(ends) for ends in layer.support]
        summary["support_size"] = list(support_size(layer.support))
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
        if not any(layer.support for layer in bank.layers):
            rows = [(*row[:_SUPPORT], *row[_SUPPORT + 1 :]) for row in rows]
        yield from aligned(rows, frozenset(range(_FIRST_NUMBER, len(rows[0]) - 1)))
    yield ""
    yield _totals(bank)
    yield from _notes(bank)


def _row(layer: LayerInfo) -> tuple[str, ...]:
    return (
        layer.name,
        layer.kind if layer.included else f"({layer.kind})",
        size_label(layer.size),
        layer.support_label,
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
    if any(layer.support for layer in bank.layers):
        yield ""
        yield "Support: taps that saw data; kernels are named on them, not beyond."
    for warning in bank.warnings:
        yield ""
        yield f"Warning: {warning}"
