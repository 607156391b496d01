"""``kernelviewer sample``: the bundled network in the window, or as files."""

from __future__ import annotations

import argparse
import contextlib
import io
from pathlib import Path

from kernelviewer.commands import info, window
from kernelviewer.commands.output import complain, say
from kernelviewer.commands.reading import read_bank
from kernelviewer.commands.window import has_display
from kernelviewer.figures.content import FigureError
from kernelviewer.figures.options import FigureOptions
from kernelviewer.figures.writing import write_bytes
from kernelviewer.files import resource

_FOLDER = "kernelviewer-sample"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        default=Path(_FOLDER),
        metavar="FOLDER",
        help="where to write summary and kernels if there is no display "
        f"(default: {_FOLDER})",
    )


def run(options: argparse.Namespace) -> int:
    """Open the window on the sample, or write what it would show."""
    try:
        sample = resource("sample", "sample.safetensors")
    except FileNotFoundError as error:
        complain(str(error))
        return 1
    if has_display():
        parser = argparse.ArgumentParser()
        window.add_arguments(parser)
        return window.run(parser.parse_args([str(sample)]))
    say(
        "There is no display for the window, so the sample's summary and kernels are "
        "written to files."
    )
    return _write_files(sample, options.output)


def _write_files(sample: Path, folder: Path) -> int:
    """Write ``info`` as text and JSON and a sheet of all kernels."""
    from kernelviewer.figures import make_figure, make_scene

    reading = argparse.Namespace(
        files=[str(sample)], copy="", include=[], json=False, count_equal=False
    )
    bank = read_bank(str(sample), reading)
    if bank is None:
        return 1
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_bytes(folder / "info.txt", _printed(reading))
        reading.json = True
        write_bytes(folder / "info.json", _printed(reading))
        look = FigureOptions(title="The sample network")
        make_figure("sheet", make_scene([bank]), look).write(folder / "kernels.png")
    except FigureError as error:
        complain(str(error))
        return 1
    except OSError as error:
        complain(f"{folder}: the folder cannot be made ({error.strerror or error})")
        return 1
    say(f"{folder.resolve()}: info.txt, info.json and kernels.png")
    return 0


def _printed(reading: argparse.Namespace) -> bytes:
    """What ``kernelviewer info`` prints."""
    text = io.StringIO()
    with contextlib.redirect_stdout(text):
        info.run(reading)
    return text.getvalue().encode()
