"""``kernelviewer watch``: the checkpoints of a running training, in the window."""

from __future__ import annotations

import argparse
from pathlib import Path

from kernelviewer.commands import window
from kernelviewer.commands.output import RefusedError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument(
        "folder",
        type=Path,
        metavar="FOLDER",
        help="where the training writes its checkpoints; it may not be there yet",
    )


def run(options: argparse.Namespace) -> int:
    """Open the window and watch the folder.

    Raises
    ------
    RefusedError
        It is a file.
    """
    if options.folder.exists() and not options.folder.is_dir():
        raise RefusedError(f"{options.folder} is a file; watch the folder it is in", 2)
    parser = argparse.ArgumentParser()
    window.add_arguments(parser)
    return window.run(parser.parse_args([]), watch=options.folder)
