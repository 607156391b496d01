"""``kernelviewer train --shipped``: remake what comes with the program."""

from __future__ import annotations

import shlex
import sys
from fnmatch import fnmatch
from pathlib import Path
from typing import TYPE_CHECKING

from kernelviewer.commands.networks import (
    LINE,
    device_of,
    read_banks,
)
from kernelviewer.commands.output import complain, say
from kernelviewer.commands.reading import cannot_write
from kernelviewer.latent.errors import LatentError
from kernelviewer.latent.shipping import CARD, Material, ship

if TYPE_CHECKING:
    import argparse

    from kernelviewer.kernels import KernelBank


def run(options: argparse.Namespace) -> int:
    """Train on all files, judge and write to the folder ``options.output``."""
    folder = options.output
    if not folder.is_dir():
        complain(f"{folder} is no folder; with --shipped the output is one")
        return 2
    device = device_of(options)
    read, held_out = read_banks(options, options.files, options.holdout)
    if not held_out.whole:
        return 1
    banks: list[KernelBank] = []
    controls: list[KernelBank] = []
    for path, bank in read.named:
        name = Path(path).name
        excluded = any(fnmatch(name, pattern) for pattern in options.exclude)
        (controls if excluded else banks).append(bank)
    try:
        ship(
            Material(banks, controls, held_out.banks),
            folder,
            command=_typed(),
            seed=options.seed,
            device=device,
            workers=options.workers,
            watch=LINE,
        )
    except LatentError as error:
        complain(str(error))
        return 1
    except OSError as error:
        complain(cannot_write(folder, error))
        return 1
    say(f"{folder}: autoencoders and {CARD}")
    return 0


def _typed() -> str:
    """The command line, as a person would type it."""
    return shlex.join(["kernelviewer", *sys.argv[1:]])
