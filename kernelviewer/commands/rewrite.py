"""``kernelviewer rewrite``: the same checkpoint with other depthwise kernels."""

from __future__ import annotations

import argparse
import math
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from kernelviewer.commands.keys import add_among_argument, add_keys_argument
from kernelviewer.commands.networks import LINE, sizes_of
from kernelviewer.commands.output import RefusedError, aligned, counted, number, say
from kernelviewer.commands.reading import (
    add_output_argument,
    add_reading_arguments,
    check_output,
    parse_seed,
    parse_size,
    writing,
)
from kernelviewer.formats import CheckpointError, open_checkpoint
from kernelviewer.formats.rewriting import check_written
from kernelviewer.kernels import extract_kernels
from kernelviewer.kernels.keys import KeysError
from kernelviewer.latent.replacing import (
    ReplacingError,
    Wish,
    replaced_by,
    write_replaced,
)

if TYPE_CHECKING:
    from kernelviewer.formats import Checkpoint
    from kernelviewer.kernels import KernelBank
    from kernelviewer.latent.replacing import By


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("file", metavar="FILE", help="a checkpoint")
    add_output_argument(
        parser,
        "OUT",
        "the file to write, of the same format; OUT.json tells how it was made, "
        "OUT.freeze.txt (with --from) lists the weights to freeze",
        required=True,
    )
    parser.add_argument(
        "--size",
        type=parse_size,
        help="replace only kernels of this size (default: of all sizes; with keys, of "
        "theirs)",
    )
    what = parser.add_mutually_exclusive_group(required=True)
    add_keys_argument(what)
    what.add_argument(
        "--family",
        action="store_true",
        help="by the nearest member of the pattern family",
    )
    what.add_argument(
        "--reconstruction",
        action="store_true",
        help="by the nearest point of the shipped curve",
    )
    what.add_argument(
        "--noise",
        action="store_true",
        help="by white noise of each kernel's own scale and offset: the control",
    )
    what.add_argument(
        "--from",
        dest="other",
        metavar="OTHER",
        help="by the kernels of another checkpoint, where shapes agree",
    )
    add_among_argument(parser)
    parser.add_argument("--seed", type=parse_seed, default=0, help="default: 0")
    add_reading_arguments(parser)


def run(options: argparse.Namespace) -> int:
    """Replace, write and print."""
    check_output(options.output)
    try:
        checkpoint, bank = _opened(options.file, options)
        check_written(checkpoint, options.output)
        other = None
        if options.other:
            plain = argparse.Namespace(copy="", include=[])
            _, other = _opened(options.other, plain)
        replaced, how = replaced_by(bank, _wish(bank, options), other, watch=LINE)
        with writing(options.output):
            write_replaced(
                *(checkpoint, options.output, replaced, how),
                freeze=other is not None,
                watch=LINE,
            )
    except (CheckpointError, KeysError, ReplacingError, ValueError) as error:
        raise RefusedError(str(error)) from None
    rows = [("layer", "kernels", "R²")]
    for item in replaced:
        kept = "" if math.isnan(item.r2) else f"{item.r2:.3f}"
        rows.append((item.layer, number(len(item.kernels) - item.kept), kept))
    say(*aligned(rows, frozenset({1, 2})))
    left = sum(item.kept for item in replaced)
    kernels = sum(len(item.kernels) for item in replaced) - left
    flat = f"; {counted(left, 'flat kernel')} left as before" if left else ""
    say(f"\n{options.output}: {counted(kernels, 'kernel')} replaced {how}{flat}")
    return 0


def _opened(path: str, options: argparse.Namespace) -> tuple[Checkpoint, KernelBank]:
    checkpoint = open_checkpoint(Path(path), copy=options.copy)
    return checkpoint, extract_kernels(checkpoint, include=options.include)


def _wish(bank: KernelBank, options: argparse.Namespace) -> Wish:
    """What is to stand for the kernels."""
    sizes = tuple(sizes_of([bank], options.size)) if options.size else ()
    if options.keys is not None:
        among = options.among
        return Wish("keys", sizes, options.keys, among=among, seed=options.seed)
    ways: dict[str, By | Literal["other"]] = {
        "other": "other",
        "family": "family",
        "reconstruction": "reconstruction",
    }
    by: By | Literal["other"] = "noise"
    by = next((way for name, way in ways.items() if getattr(options, name)), by)
    return Wish(by, sizes, seed=options.seed)
