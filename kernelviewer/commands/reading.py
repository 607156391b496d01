"""Opening the files that a command is given."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from kernelviewer.commands.output import RefusedError, complain
from kernelviewer.formats import open_checkpoint
from kernelviewer.formats.hub import PREFIX, fetch, short_name
from kernelviewer.jobs.runner import describe_failure
from kernelviewer.kernels import extract_kernels
from kernelviewer.kernels.equality import best_match, told_apart
from kernelviewer.kernels.extract import find_stack

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from kernelviewer.kernels import KernelBank


def add_reading_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options that say what to take from a file."""
    parser.add_argument(
        "--copy",
        default="",
        metavar="NAME",
        help="open this copy of the network, such as params or params_ema, "
        "where a file holds several (default: the moving average)",
    )
    parser.add_argument(
        "--include",
        action="append",
        default=[],
        metavar="LAYER",
        help="take in this ambiguous or fixed layer as well (may be repeated)",
    )


def add_equal_argument(parser: argparse.ArgumentParser) -> None:
    """Add ``--count-equal``."""
    parser.add_argument(
        "--count-equal",
        action="store_true",
        help="count kernels that several of the networks have alike, bit for bit, "
        "every time (default: once, wherever networks are counted together)",
    )


def equal_notes(banks: Sequence[KernelBank]) -> list[str]:
    """A line for each network that has kernels of an earlier one."""
    notes = []
    for number, bank in enumerate(banks):
        if found := best_match(bank, banks[:number]):
            other, match = found
            name, first = told_apart(bank, other)
            notes.append(f"{name}: {match.describe(first)}")
    return notes


def read_bank(
    path: str, options: argparse.Namespace, found: set[str] | None = None
) -> KernelBank | None:
    """Open a file and extract its kernels; complain and return None if it fails.

    ``hf-hub:owner/repository`` opens from the hub or its local cache.

    Names of ``options.include`` that the file has are added to ``found``.
    """
    try:
        on_hub = path.startswith(PREFIX)
        file = fetch(path) if on_hub else Path(path)
        checkpoint = open_checkpoint(file, copy=options.copy)
        include = [
            layer
            for layer in options.include
            if find_stack(checkpoint, layer) is not None
        ]
        if found is not None:
            found.update(include)
        bank = extract_kernels(checkpoint, include=include)
        return replace(bank, name=short_name(path)) if on_hub else bank
    except Exception as error:  # one bad file must not end the others
        message, _, hint = describe_failure(error, path)
        complain(f"{message}. {hint}" if hint else message)
        return None


def check_included(options: argparse.Namespace, found: set[str]) -> None:
    """See that every layer to include is in some file.

    Raises
    ------
    RefusedError
        One is not.
    """
    missing = [layer for layer in options.include if layer not in found]
    if missing:
        names = ", ".join(map(repr, missing))
        msg = f"no layer {names} that could be included; info lists the layers"
        raise RefusedError(msg, 2)
