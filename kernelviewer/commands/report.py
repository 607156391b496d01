"""``kernelviewer report``: every figure, its data, and a page to look through."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernelviewer.commands.looks import add_looks, add_naming, looks, naming
from kernelviewer.commands.output import complain, say
from kernelviewer.commands.reading import (
    add_equal_argument,
    add_output_argument,
    add_reading_arguments,
    read_files,
)
from kernelviewer.device import DeviceError
from kernelviewer.figures.content import FigureError, OptionError
from kernelviewer.figures.fonts import load_matplotlib
from kernelviewer.figures.report import Report
from kernelviewer.figures.writing import SUFFIXES
from kernelviewer.latent import LatentError
from kernelviewer.watch import Watch

if TYPE_CHECKING:
    import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add = parser.add_argument
    add("files", nargs="+", metavar="FILE", help="checkpoints of any format")
    add_output_argument(
        parser, "DIR", "the folder to write; made if missing", required=True
    )
    add(
        "--format",
        action="append",
        default=[],
        choices=[suffix[1:] for suffix in SUFFIXES],
        help="write figures as this (may be repeated; default: svg)",
    )
    add_looks(parser)
    add_naming(parser)
    add_reading_arguments(parser)
    add_equal_argument(parser)


def run(options: argparse.Namespace) -> int:
    """Write the report."""
    named, failed = read_files(options)
    if not named:
        return 1
    try:
        report = Report(
            folder=options.output,
            options=looks(options),
            naming=lambda size: naming(options, size),
            formats=tuple(f".{name}" for name in options.format) or (".svg",),
            device=options.device,
            count_equal=options.count_equal,
        )
        load_matplotlib(documented=False)
        page = report.write([bank for _, bank in named], watch=_Lines())
    except (OptionError, DeviceError) as error:
        complain(str(error))
        return 2
    except (FigureError, LatentError) as error:
        complain(str(error))
        return 1
    say(f"{page}: the report")
    return int(failed)


class _Lines(Watch):
    """Progress as a line for each figure."""

    def progress(self, done: int, total: int, text: str = "") -> None:
        if done < total:
            say(f"[{done + 1}/{total}] {text}")
