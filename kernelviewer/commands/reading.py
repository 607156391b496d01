"""What a command is given, checked and opened: sizes, seeds, files."""

from __future__ import annotations

import math
import re
from argparse import ArgumentTypeError
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from kernelviewer.commands.output import RefusedError, complain, number
from kernelviewer.formats import open_checkpoint
from kernelviewer.formats.errors import describe_failure, with_hint
from kernelviewer.formats.hub import PREFIX, fetch, short_name
from kernelviewer.kernels import extract_kernels
from kernelviewer.kernels.bank import as_size
from kernelviewer.kernels.equality import best_match, told_apart
from kernelviewer.kernels.extract import find_stack

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from kernelviewer.kernels import KernelBank
    from kernelviewer.kernels.bank import Size
    from kernelviewer.text import AnyPath

MOST_SEED = 2**32 - 1
OUTPUTS = ("output", "save", "animation", "data", "kernels")
"""What commands call the options that name a file to write."""
INPUTS = ("autoencoder", "keys", "accuracy")
"""What they call those that can name a file to read, beside the networks."""


def parse_size(text: str) -> Size:
    """A kernel size such as ``7x7``, ``1x11`` or ``7`` (1-D)."""
    if not re.fullmatch(r"[1-9]\d{0,3}([x×][1-9]\d{0,3}){0,2}", text):
        raise ArgumentTypeError(f"{text!r} is no kernel size such as 7x7, 1x11 or 7")
    return as_size(text)


def parse_pair(text: str) -> tuple[str, str]:
    """Two names of layers, such as ``stem.dw=stem.conv``."""
    before, _, after = text.partition("=")
    if not before or not after:
        msg = f"{text!r} is no pair of layers such as stem.dw=stem.conv"
        raise ArgumentTypeError(msg)
    return before, after


def number_between(least: float, most: float, what: str) -> Callable[[str], float]:
    """A parser of numbers in a range; ``what`` they are, for people."""

    def parse(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not least <= value <= most:
            msg = f"{text!r} is no {what} between {least:g} and {most:g}"
            raise ArgumentTypeError(msg)
        return value

    return parse


parse_threshold = number_between(0, 1, "fit")


def count_to(most: int) -> Callable[[str], int]:
    """A parser of whole numbers from 1 on."""

    def parse(text: str) -> int:
        if not text.isdecimal() or not 0 < int(text) <= most:
            msg = f"{text!r} is no whole number from 1 to {number(most)}"
            raise ArgumentTypeError(msg)
        return int(text)

    return parse


def parse_seed(text: str) -> int:
    """A seed that every generator of random numbers takes."""
    if not re.fullmatch(r"\d{1,10}", text) or int(text) > MOST_SEED:
        msg = f"{text!r} is no seed; give a whole number from 0 to {MOST_SEED}"
        raise ArgumentTypeError(msg)
    return int(text)


def check_output(*outputs: Path | None) -> None:
    """See whether files can be written, as far as a look tells; None: not asked for.

    Raises
    ------
    RefusedError
        One cannot.
    """
    for output in filter(None, outputs):
        problem = ""
        if output.is_dir():
            problem = f"{output} is a folder; name a file in it"
        elif not output.parent.is_dir():
            problem = f"{output}: there is no folder {output.parent}"
        elif output.exists() and not output.is_file():
            problem = f"{output} is no ordinary file; choose another name"
        if problem:
            raise RefusedError(problem)


def keep_apart(options: argparse.Namespace, files: Iterable[AnyPath]) -> None:
    """See that no file that is read would be written over, by whatever name it goes.

    Raises
    ------
    RefusedError
        One would.
    """
    outputs = _named(options, OUTPUTS)
    for file in (*map(Path, files), *_named(options, INPUTS)):
        for output in outputs:
            if file.is_file() and output.is_file() and output.samefile(file):
                msg = f"{output} is one of the files to read; choose another name"
                raise RefusedError(msg, 2)


def _named(options: argparse.Namespace, names: Sequence[str]) -> list[Path]:
    """What options of these names say, as paths."""
    given: list[object] = []
    for name in names:
        said = getattr(options, name, None)
        given += said if isinstance(said, list) else [said]
    return [Path(part) for part in given if isinstance(part, str | Path) and part]


@contextmanager
def writing(output: Path) -> Iterator[None]:
    """Write a file or folder in here.

    Raises
    ------
    RefusedError
        It cannot be written.
    """
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        msg = f"{output}: cannot be written ({reason}); nothing was left there"
        raise RefusedError(msg) from None


def add_output_argument(
    parser: argparse.ArgumentParser, metavar: str, about: str, *, required: bool = False
) -> None:
    """Add ``--output``."""
    parser.add_argument(
        *("-o", "--output"), required=required, type=Path, metavar=metavar, help=about
    )


def add_json_argument(
    parser: argparse.ArgumentParser, about: str = "print a JSON object, not tables"
) -> None:
    """Add ``--json``."""
    parser.add_argument("--json", action="store_true", help=about)


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
    for place, bank in enumerate(banks):
        if found := best_match(bank, banks[:place]):
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

    Raises
    ------
    RefusedError
        What the options name as a file to write is one of those that were read.
    """
    try:
        on_hub = path.startswith(PREFIX)
        file = fetch(path) if on_hub else Path(path)
        checkpoint = open_checkpoint(file, copy=options.copy)
        keep_apart(options, [file, *(part.path for part in checkpoint.files)])
        include = [
            layer
            for layer in options.include
            if find_stack(checkpoint, layer) is not None
        ]
        if found is not None:
            found.update(include)
        bank = extract_kernels(checkpoint, include=include)
        return replace(bank, name=short_name(path)) if on_hub else bank
    except RefusedError:
        raise
    except Exception as error:  # one bad file must not end the others
        message, _, hint = describe_failure(error, path)
        complain(with_hint(message, hint))
        return None


def read_files(
    options: argparse.Namespace,
) -> tuple[list[tuple[str, KernelBank]], bool]:
    """Path and bank of every file that could be read, and if some could not.

    Raises
    ------
    RefusedError
        A layer to include is in none of them.
    """
    found: set[str] = set()
    read = [(path, read_bank(path, options, found)) for path in options.files]
    named = [(path, bank) for path, bank in read if bank is not None]
    failed = len(named) < len(read)
    if not failed:
        check_included(options, found)
    return named, failed


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
