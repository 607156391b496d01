"""``kernelviewer keys``: how much of the kernels a few patterns keep."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from kernelviewer.commands.networks import LINE, add_network_arguments, read_banks
from kernelviewer.commands.output import RefusedError, aligned, complain, counted, say
from kernelviewer.commands.reading import (
    add_json_argument,
    check_output,
    equal_notes,
    parse_size,
    writing,
)
from kernelviewer.kernels import size_label
from kernelviewer.kernels.keys import KeysError, write_keys
from kernelviewer.latent.keys import AMONG, PUBLISHED, approximate
from kernelviewer.text import percent

if TYPE_CHECKING:
    import argparse

    from kernelviewer.latent.keys import Approximated

_HEADINGS = ("key", "kernels", "R²", "R² so far", "noise")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add = parser.add_argument
    add_network_arguments(parser, "checkpoints, or folders of them")
    add(
        "--size",
        type=parse_size,
        help="kernel size (default: that of the keys, or the one with most kernels)",
    )
    add_keys_argument(parser)
    add_among_argument(parser)
    add("--save", type=Path, metavar="KEYS.csv", help="write the keys to a file")
    add_json_argument(parser)


def add_keys_argument(parser: argparse._ActionsContainer) -> None:
    """Add ``--keys``."""
    parser.add_argument(
        "--keys",
        metavar="KEYS",
        help=f"{PUBLISHED} (the 8 master key filters, 7x7), a number of keys to seek "
        f"for these networks, or a CSV file (default: {PUBLISHED} at 7x7, else 8)",
    )


def add_among_argument(parser: argparse.ArgumentParser) -> None:
    """Add ``--among``."""
    parser.add_argument(
        "--among",
        choices=AMONG,
        help="where a number of keys is sought: points of the shipped curve, members "
        "of the pattern family, the kernels themselves, or their K-means (default: "
        "curve, at sizes without one family or kernels)",
    )


def run(options: argparse.Namespace) -> int:
    """Approximate, write and print."""
    check_output(options.save)
    (read,) = read_banks(options, options.files)
    if not read.named:
        return 1
    wish = options.keys
    if wish is None:
        sevens = options.size in (None, (7, 7)) and any(
            (7, 7) in bank.sizes for bank in read.banks
        )
        wish = PUBLISHED if sevens else "8"
    try:
        found = approximate(
            read.banks, wish, options.size, among=options.among, watch=LINE
        )
    except KeysError as error:
        raise RefusedError(str(error)) from None
    if options.save:
        names = ", ".join(part.bank.name for part in found.parts)
        with writing(options.save):
            write_keys(options.save, found.keys, [f"{found.keys.name}, for {names}"])
    if options.json:
        say(json.dumps(found.to_json(), indent=1))
    else:
        _print(found)
    for note in equal_notes(read.banks):
        complain(note)
    return 0 if read.whole else 1


def _print(found: Approximated) -> None:
    keys = found.keys
    say(
        f"{counted(len(keys), 'key')} ({keys.name}), {size_label(keys.size)}: mean R² "
        f"{found.mean:.3f}, white noise {found.null.mean:.3f} "
        f"(99 % below {found.null.q99:.3f})\n"
    )
    rows = [_HEADINGS]
    for key, (so_far, noise) in zip(found.order, found.curve, strict=True):
        share, mean = found.use[key]
        kept = f"{mean:.3f}" if share else ""
        row = (str(key + 1), percent(share), kept, f"{so_far:.3f}")
        rows.append((*row, f"{noise:.3f}"))
    say(*aligned(rows, frozenset(range(5))))
    for part in found.parts:
        say(f"\n{part.bank.name}: mean R² {part.mean:.3f}")
        cells = [
            (name, str(kernels), f"{mean:.3f}") for name, kernels, mean in part.layers
        ]
        say(*aligned([("layer", "kernels", "R²"), *cells], frozenset({1, 2})))
