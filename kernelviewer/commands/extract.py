"""``kernelviewer extract``: the kernels of checkpoints as one ``.npz`` file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from kernelviewer.commands.output import counted, number, say
from kernelviewer.commands.reading import (
    add_reading_arguments,
    check_included,
    check_output,
    read_bank,
    writing,
)
from kernelviewer.kernels import size_label
from kernelviewer.kernels.archive import write_archive

if TYPE_CHECKING:
    import argparse

    from kernelviewer.kernels import KernelBank


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument(
        "files", nargs="+", metavar="FILE", help="checkpoints of any format"
    )
    parser.add_argument(
        "-o", "--output", required=True, metavar="OUT.npz", help="the file to write"
    )
    add_reading_arguments(parser)


def run(options: argparse.Namespace) -> int:
    """Extract and write."""
    output = Path(options.output)
    check_output(output)
    banks: list[tuple[str, KernelBank]] = []
    found: set[str] = set()
    for path in options.files:
        bank = read_bank(path, options, found)
        if bank is not None:
            banks.append((path, bank))
            layers = sum(layer.included for layer in bank.layers)
            say(f"{path}: {counted(len(bank), 'kernel')} in {counted(layers, 'layer')}")
    failed = len(banks) < len(options.files)
    if not failed:
        check_included(options, found)
    if not banks:
        return 1
    with writing(output):
        sizes = write_archive(output, banks)
    kinds = ", ".join(
        f"{number(count)} of {size_label(size)}" for size, count in sizes.items()
    )
    say(f"{output}: {kinds or 'no depthwise kernels'}")
    return int(failed)
