"""``kernelviewer rewrite``: the same checkpoint with other depthwise kernels."""

from __future__ import annotations

import argparse
import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kernelviewer import __version__
from kernelviewer.commands.keys import add_among_argument, add_keys_argument
from kernelviewer.commands.networks import LINE, sizes_of
from kernelviewer.commands.output import RefusedError, aligned, counted, number, say
from kernelviewer.commands.reading import (
    add_reading_arguments,
    cannot_write,
    check_output,
    parse_seed,
    parse_size,
)
from kernelviewer.files import file_hash, write_text
from kernelviewer.formats import CheckpointError, open_checkpoint
from kernelviewer.formats.rewriting import check_written, rewrite
from kernelviewer.kernels import extract_kernels, size_key
from kernelviewer.kernels.keys import KeysError
from kernelviewer.latent.keys import key_set
from kernelviewer.latent.replacing import (
    ReplacingError,
    parameter_name,
    replace_kernels,
    tensors_of,
    transplant,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kernelviewer.formats import Checkpoint
    from kernelviewer.kernels import KernelBank
    from kernelviewer.latent.replacing import By, Replaced


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("file", metavar="FILE", help="a checkpoint")
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        required=True,
        metavar="OUT",
        help="the file to write, of the same format; OUT.json tells how it was made, "
        "OUT.freeze.txt (with --from) lists the weights to freeze",
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
        replaced, how = _replaced(bank, options)
        note = _note(checkpoint, replaced, how)
        rewrite(
            checkpoint, options.output, tensors_of(checkpoint, replaced), note, LINE
        )
        write_text(f"{options.output}.json", json.dumps(note, indent=1) + "\n")
        if options.other:
            names = [parameter_name(checkpoint, item.raw_name) for item in replaced]
            write_text(f"{options.output}.freeze.txt", "\n".join(names) + "\n")
    except (CheckpointError, KeysError, ReplacingError, ValueError) as error:
        raise RefusedError(str(error)) from None
    except OSError as error:
        raise RefusedError(cannot_write(options.output, error)) from None
    rows = [("layer", "kernels", "R²")]
    for item in replaced:
        kept = "" if math.isnan(item.r2) else f"{item.r2:.3f}"
        rows.append((item.layer, number(len(item.kernels)), kept))
    for line in aligned(rows, frozenset({1, 2})):
        say(line)
    kernels = sum(len(item.kernels) for item in replaced)
    say(f"\n{options.output}: {counted(kernels, 'kernel')} replaced {how}")
    return 0


def _opened(path: str, options: argparse.Namespace) -> tuple[Checkpoint, KernelBank]:
    checkpoint = open_checkpoint(Path(path), copy=options.copy)
    return checkpoint, extract_kernels(checkpoint, include=options.include)


def _replaced(
    bank: KernelBank, options: argparse.Namespace
) -> tuple[list[Replaced], str]:
    """The new kernels, and by what they are, in words."""
    size = options.size
    if options.other:
        other = argparse.Namespace(copy="", include=[])
        _, giver = _opened(options.other, other)
        found = transplant(bank, giver, sizes_of([bank], size))
        return found, f"by those of {giver.name}"
    by: By = "keys"
    if options.keys is not None:
        given = key_set(options.keys)
        size = size or (given.size if given is not None else None)
        named = given.name if given is not None else f"{options.keys} sought"
        how = f"by {named} keys"
    elif options.family:
        by, how = "family", "by the nearest members of the pattern family"
    elif options.reconstruction:
        by, how = "reconstruction", "by the nearest points of the curve"
    else:
        by, how = "noise", "by white noise of their scale and offset"
    sizes = sizes_of([bank], size)
    found = replace_kernels(
        bank,
        by,
        sizes,
        keys=options.keys or "",
        among=options.among,
        seed=options.seed,
        watch=LINE,
    )
    return found, how


def _note(
    checkpoint: Checkpoint, replaced: Sequence[Replaced], how: str
) -> dict[str, Any]:
    """What is told of the new file."""
    return {
        "program": f"kernelviewer {__version__}",
        "source": checkpoint.path.name,
        "sha256": file_hash(checkpoint.path, LINE),
        "copy": checkpoint.copy,
        "replaced": how,
        "layers": [
            {
                "layer": item.layer,
                "name": item.raw_name,
                "kernels": len(item.kernels),
                "size": size_key(item.kernels.shape[1:]),
            }
            | ({} if math.isnan(item.r2) else {"r2": round(item.r2, 6)})
            for item in replaced
        ],
    }
