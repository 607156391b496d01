"""``kernelviewer [FILE…]``: opens the window."""

from __future__ import annotations

import argparse
import difflib
import os
import re
from pathlib import Path

from kernelviewer import __version__
from kernelviewer.commands import COMMANDS
from kernelviewer.commands.display import (
    has_display,
    missing_library,
    window_problem,
)
from kernelviewer.commands.output import complain
from kernelviewer.device import CHOICES
from kernelviewer.importing import large_import


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the window's arguments."""
    parser.add_argument(
        "files",
        nargs="*",
        metavar="FILE",
        help="checkpoints, folders and sessions to open",
    )
    parser.add_argument(
        "--device", choices=CHOICES, default="", help="where to compute"
    )
    parser.add_argument(
        "--screenshot",
        type=Path,
        metavar="OUT.png",
        help="open the files, write a picture of the window and leave",
    )
    parser.add_argument(
        "--theme", choices=("light", "dark"), default="", help="colours of the window"
    )
    parser.add_argument(
        "--size", type=_size, metavar="WIDTHxHEIGHT", help="size of the window"
    )
    parser.add_argument(
        "--reset", action="store_true", help="forget settings and window layout"
    )
    parser.add_argument(
        "--version", action="version", version=f"kernelviewer {__version__}"
    )


def run(options: argparse.Namespace, watch: Path | None = None) -> int:
    """Open the window and stay until it is closed; ``watch``: a folder to watch."""
    problem = _unknown_command(options.files)
    if problem:
        complain(problem)
        return 2
    if options.screenshot and not has_display():
        os.environ["QT_QPA_PLATFORM"] = "offscreen"  # the picture needs no screen
    problem = window_problem()
    if problem:
        complain(problem)
        return 1
    try:
        with large_import():
            from kernelviewer.gui.application import run as open_window
    except ImportError as error:
        problem = missing_library(error)
        if not problem:
            raise
        complain(problem)
        return 1
    return open_window(
        [Path(file) for file in options.files],
        screenshot=options.screenshot,
        reset=options.reset,
        device=options.device,
        theme=options.theme,
        size=options.size,
        watch=watch,
    )


def _unknown_command(files: list[str]) -> str:
    """What to say where the first word is meant as a command and is none; else empty.

    A word with a folder or an ending is a file, of which the window tells: so do the
    missing files that a file manager or a desktop's list of latest ones names.
    """
    word = files[0] if files else ""
    if not word or Path(word).name != word or Path(word).suffix or Path(word).exists():
        return ""
    close = difflib.get_close_matches(word.lower(), COMMANDS, 1)
    advice = (
        f"is the command {close[0]} meant?"
        if close
        else "kernelviewer --help lists the commands"
    )
    return f"{word!r} is neither a command nor a file; {advice}"


def _size(text: str) -> tuple[int, int]:
    numbers = re.fullmatch(r"(\d{2,5})[x×](\d{2,5})", text)
    if numbers is None:
        msg = f"{text!r} is no size such as 1280x800"
        raise argparse.ArgumentTypeError(msg)
    return int(numbers[1]), int(numbers[2])
