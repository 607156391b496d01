"""What the commands about codes share: networks, sizes, devices, progress, outputs."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from kernelviewer.commands.output import RefusedError, complain, counted
from kernelviewer.commands.reading import (
    add_reading_arguments,
    check_included,
    parse_threshold,
    read_bank,
)
from kernelviewer.device import CHOICES, choose_device
from kernelviewer.formats import CheckpointError
from kernelviewer.formats.registry import find_checkpoints
from kernelviewer.kernels import size_label
from kernelviewer.kernels.classes import WAYS, WORDS, Naming
from kernelviewer.latent import LatentError
from kernelviewer.latent.autoencoder import Autoencoder, shipped
from kernelviewer.text import printable
from kernelviewer.watch import Watch

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence

    from kernelviewer.device import Device
    from kernelviewer.kernels import KernelBank, Size
    from kernelviewer.kernels.classes import By
    from kernelviewer.latent.autoencoder import Method


def add_network_arguments(parser: argparse.ArgumentParser, files: str) -> None:
    """Add the files, what to take from them, and where to compute."""
    parser.add_argument("files", nargs="+", metavar="FILE", help=files)
    add_reading_arguments(parser)
    add_device_argument(parser)


def add_device_argument(parser: argparse._ActionsContainer) -> None:
    """Add ``--device``."""
    parser.add_argument(
        "--device",
        choices=CHOICES,
        default="auto",
        help="where to compute (default: the best there is)",
    )


def add_autoencoder_argument(parser: argparse.ArgumentParser) -> None:
    """Add ``--autoencoder``."""
    parser.add_argument(
        "--autoencoder",
        action="append",
        default=[],
        type=Path,
        metavar="FILE",
        help="use this autoencoder for its kernel size, in place of the one that "
        "comes with the program (may be repeated)",
    )


def add_by_argument(parser: argparse._ActionsContainer) -> None:
    """Add ``--by`` and ``--words``."""
    parser.add_argument(
        "--by",
        choices=tuple(WAYS),
        help="what names the kernels: the code, by the stretch of the spectrum that it "
        "falls in, or the family, by a kernel's nearest member (default: the "
        f"{Naming().by}; the code with --autoencoder). Kernels without a code are "
        "named by the family",
    )
    parser.add_argument(
        "--words",
        dest="class_words",
        choices=WORDS,
        help="whose classes the family names kernels by: the fine ones, which say what "
        "people see, or the paper's eleven, by which tables of others can be compared "
        f"(default: {Naming().words}). The code has the paper's",
    )


def naming_of(options: argparse.Namespace) -> Naming:
    """How the arguments want kernels to be named."""
    by: By = options.by or ("code" if options.autoencoder else Naming().by)
    return Naming(by, options.class_words or Naming().words)


def add_threshold_argument(parser: argparse._ActionsContainer) -> None:
    """Add ``--threshold``."""
    parser.add_argument(
        "--threshold",
        type=parse_threshold,
        metavar="FIT",
        help="least fit of an identified kernel (default: 0.7, or what 1 %% of white "
        "noise reaches where that is more)",
    )


class Read(NamedTuple):
    """What came of opening files: (path, bank) of each network, and if all went."""

    named: list[tuple[str, KernelBank]]
    whole: bool

    @property
    def banks(self) -> list[KernelBank]:
        """The networks alone."""
        return [bank for _, bank in self.named]


def read_banks(options: argparse.Namespace, *groups: Sequence[str]) -> list[Read]:
    """Open groups of files and what lies in folders.

    Problems are complained of, one line each; so is what the files' readers warn of.

    Raises
    ------
    RefusedError
        A layer to include is in none of them.
    """
    included: set[str] = set()
    read = []
    for paths in groups:
        opened = [*_opened(paths, options, included)]
        named = [(name, bank) for name, bank in opened if bank is not None]
        read.append(Read(named, len(named) == len(opened)))
    if all(group.whole for group in read):
        check_included(options, included)
    return read


def _opened(
    paths: Sequence[str], options: argparse.Namespace, included: set[str]
) -> Iterator[tuple[str, KernelBank | None]]:
    """Path and bank of each network, None after a complaint."""
    for path in paths:
        files = list(find_checkpoints(path))
        if not files:
            complain(f"{path}: there is no checkpoint in this folder")
            yield path, None
        for file in files:
            name = path if files == [Path(path)] else str(file)
            bank = read_bank(name, options, included)
            for warning in _warnings(bank) if bank is not None else ():
                complain(f"{name}: {warning}")
            yield name, bank


def _warnings(bank: KernelBank) -> Iterator[str]:
    """What a user should know of a network before its kernels are worked with."""
    yield from bank.warnings
    if len(bank):
        return
    kinds = Counter(layer.kind for layer in bank.layers)
    advice = "kernelviewer info lists them, --include takes them in"
    if undecided := kinds["ambiguous"]:
        yield f"no layer is surely depthwise, {undecided} may be; {advice}"
    elif fixed := kinds["fixed"]:
        filters = counted(fixed, "fixed filter")
        yield f"it has {filters} (blur pooling, Sobel) and nothing learned; {advice}"


def sizes_of(banks: Sequence[KernelBank], wished: Size | None) -> list[Size]:
    """Kernel sizes that the banks have, largest first, or just the wished one.

    Raises
    ------
    RefusedError
        There are none.
    """
    there = {size for bank in banks for size in bank.sizes}
    sizes = sorted(there if wished is None else there & {wished}, reverse=True)
    if not sizes:
        which = "" if wished is None else f"{size_label(wished)} "
        raise RefusedError(f"the files have no {which}depthwise kernels")
    return sizes


def device_of(options: argparse.Namespace) -> Device:
    """The wished device.

    Raises
    ------
    RefusedError
        It is not there.
    """
    try:
        return choose_device(options.device)
    except ValueError as error:
        raise RefusedError(str(error), 2) from None


class Autoencoders:
    """The autoencoders that a command uses, by kernel size.

    Parameters
    ----------
    paths
        Files that the user named; they come before those of the program.

    Raises
    ------
    RefusedError
        A file cannot be read, or two are for the same size.
    """

    def __init__(self, paths: Sequence[Path]) -> None:
        self._named: dict[Size, Autoencoder] = {}
        self._names: dict[Size, str] = {}
        self.files: dict[Size, Path] = {}
        for path in paths:
            try:
                autoencoder = Autoencoder.load(path)
            except CheckpointError as error:
                raise RefusedError(str(error)) from None
            label = size_label(autoencoder.size)
            if autoencoder.size in self._named:
                msg = f"{path.name}: is the second for {label} kernels; name one a size"
                raise RefusedError(msg)
            self._named[autoencoder.size] = autoencoder
            self._names[autoencoder.size] = path.name
            self.files[autoencoder.size] = path

    def fit(self, banks: Sequence[KernelBank]) -> bool:
        """True if all that the user named have kernels; complains of those without."""
        sizes = {size for bank in banks for size in bank.sizes}
        idle = [size for size in self._named if size not in sizes]
        for size in idle:
            complain(
                f"{self._names[size]} is for {size_label(size)} kernels, "
                "which the files do not have"
            )
        return not idle

    def need(self, size: Size) -> Autoencoder:
        """The one for a size.

        Raises
        ------
        LatentError
            There is none.
        """
        found = self.get(size)
        if found is None:
            msg = f"there is no autoencoder for {size_label(size)} kernels"
            hint = "Name one with --autoencoder; kernelviewer train makes one."
            raise LatentError(msg, hint)
        return found

    def get(self, size: Size, method: Method = "curve") -> Autoencoder | None:
        """The one for a size, if there is one."""
        if method == "curve" and size in self._named:
            return self._named[size]
        return shipped(size, method)


class _Line(Watch):
    """Progress on one line of a terminal; nothing where there is none."""

    def progress(self, done: int, total: int, text: str = "") -> None:
        if sys.stderr is None or not sys.stderr.isatty():
            return
        part = f"{100 * done // total:3d} %  " if total else ""
        sys.stderr.write(f"\r\x1b[K{part}{printable(text)}"[:120])
        if total and done >= total:
            sys.stderr.write("\r\x1b[K")
        sys.stderr.flush()


LINE = _Line()
"""What commands that take long are watched by."""
