"""Options of commands that say how figures look and how kernels are named."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from kernelviewer.commands.values import parse_seed, parse_threshold
from kernelviewer.device import CHOICES
from kernelviewer.figures.colours import COLORMAPS
from kernelviewer.figures.errors import FigureError
from kernelviewer.figures.naming import FAMILY, Naming
from kernelviewer.figures.options import (
    PRESETS,
    WIDTHS,
    Colour,
    FigureOptions,
    Group,
    Scale,
    Sort,
)

if TYPE_CHECKING:
    import argparse

    from kernelviewer.kernels.bank import Size
    from kernelviewer.latent.autoencoder import Autoencoder
    from kernelviewer.latent.segments import Segments

_LOOKS = {
    "width": "width_mm",
    "height": "height_mm",
    "margin": "margin_mm",
    "dpi": "dpi",
    "font": "font_family",
    "font_size": "font_size",
    "title": "title",
    "labels": "labels",
    "legend": "legend",
    "scale_bar": "scale_bar",
    "letters": "panel_letters",
    "colormap": "colormap",
    "scale": "scale",
    "samples": "samples",
    "group": "group",
    "sort": "sort",
    "colour": "colour",
    "components": "components",
    "mark": "mark",
    "seed": "seed",
    "dark": "dark",
}
"""Option of the command → field of `FigureOptions`."""


def add_looks(parser: argparse.ArgumentParser) -> None:
    """Add what `looks` reads; what is not given stays None."""
    from argparse import BooleanOptionalAction

    group = parser.add_argument_group("looks")
    names = ", ".join(f"{name} ({mm:g} mm)" for name, mm in WIDTHS.items())
    presets = ", ".join(f"'{name}'" for name in PRESETS)
    group.add_argument(
        "--preset",
        type=_preset,
        metavar="NAME",
        help=f"start from the looks of {presets}",
    )
    group.add_argument(
        "--width", type=_width, metavar="MM", help=f"column width in mm, or {names}"
    )
    group.add_argument(
        "--height", type=float, metavar="MM", help="height in mm; default: as needed"
    )
    group.add_argument(
        "--margin", type=float, metavar="MM", help="empty border; default: hardly any"
    )
    group.add_argument("--dpi", type=int, help="pixels per inch of PNG files")
    group.add_argument(
        "--font", metavar="FAMILY", help="sans-serif, serif, or an installed family"
    )
    group.add_argument("--font-size", type=float, metavar="PT")
    group.add_argument("--title", help="text above the figure")
    for name, what in (
        ("labels", "names of layers, axes, classes"),
        ("legend", "the colours of classes"),
        ("scale-bar", "the colours of weights"),
        ("letters", "a letter for each panel"),
        ("dark", "dark ground"),
    ):
        group.add_argument(
            f"--{name}", action=BooleanOptionalAction, default=None, help=what
        )
    group.add_argument(
        "--colormap", metavar="NAME", help=f"such as {', '.join(COLORMAPS)}"
    )
    group.add_argument(
        "--scale", choices=get_args(Scale), help="what shares a scale of colours"
    )
    group.add_argument("--samples", type=int, metavar="N", help="kernels in a row")
    group.add_argument(
        "--group", choices=get_args(Group), help="how a sheet's kernels are grouped"
    )
    group.add_argument("--sort", choices=get_args(Sort), help="their order in a group")
    group.add_argument(
        "--colour", choices=get_args(Colour), help="what a point's colour tells"
    )
    group.add_argument(
        "--components",
        type=_components,
        metavar="A,B",
        help="principal components across and up (default: 1,2)",
    )
    group.add_argument(
        "--mark",
        type=float,
        metavar="CODE",
        help="a code from 0 to 1: marked in a spectrum, decoded in a kernel's figure",
    )
    group.add_argument("--seed", type=parse_seed, help="of what is drawn at random")


def looks(
    arguments: argparse.Namespace, start: FigureOptions | None = None
) -> FigureOptions:
    """The options that the arguments ask for.

    Parameters
    ----------
    start
        What is not given comes from here, else from the preset.

    Raises
    ------
    FigureError
        A value is out of range.
    """
    base = start or FigureOptions()
    if arguments.preset:
        base = arguments.preset
    given = {
        field: value
        for name, field in _LOOKS.items()
        if (value := getattr(arguments, name)) is not None
    }
    return replace(base, **given)


def add_naming(parser: argparse.ArgumentParser) -> None:
    """Add what `naming` reads."""
    group = parser.add_argument_group("names of kernels")
    group.add_argument(
        "--autoencoder",
        metavar="FILE",
        help="what encodes the kernels: a file made by kernelviewer train, or "
        f"'family' for each kernel's best member of the {FAMILY} (default: the "
        "autoencoder that comes with the program, else the family)",
    )
    group.add_argument(
        "--threshold",
        type=parse_threshold,
        metavar="FIT",
        help="least fit of an identified kernel (default: 0.7, or what 1 %% of white "
        "noise reaches where that is more)",
    )
    group.add_argument(
        "--device", choices=CHOICES, default="auto", help="where to compute"
    )


def naming(
    arguments: argparse.Namespace,
    size: Size,
    threshold: float | None = None,
    segments: Segments = (),
) -> Naming:
    """How the arguments ask to name kernels of a size.

    Parameters
    ----------
    threshold, segments
        In place of the usual ones, where the arguments name none.

    Raises
    ------
    FigureError
        The autoencoder cannot be used.
    """
    if arguments.threshold is not None:
        threshold = arguments.threshold
    return Naming(_autoencoder(arguments.autoencoder, size), threshold, segments)


def _autoencoder(name: str | None, size: Size) -> Autoencoder | None:
    from kernelviewer.formats import CheckpointError
    from kernelviewer.latent.autoencoder import Autoencoder, shipped

    if name == "family":
        return None
    try:
        return shipped(size) if name is None else Autoencoder.load(Path(name))
    except CheckpointError as error:
        problem = f"{error.name}: {error.problem}"
        raise FigureError(problem, error.hint) from None


def _preset(text: str) -> FigureOptions:
    import argparse

    for name, options in PRESETS.items():
        if name.lower() == text.lower():
            return options
    msg = f"{text!r} is none of {', '.join(PRESETS)}"
    raise argparse.ArgumentTypeError(msg)


def _width(text: str) -> float:
    import argparse

    try:
        return WIDTHS[text] if text in WIDTHS else float(text)
    except ValueError:
        msg = f"{text!r} is no width in mm and none of {', '.join(WIDTHS)}"
        raise argparse.ArgumentTypeError(msg) from None


def _components(text: str) -> tuple[int, int]:
    import argparse

    parts = text.split(",")
    if len(parts) != 2 or not all(part.strip().isdigit() for part in parts):
        msg = f"{text!r} are no two numbers of principal components such as 1,3"
        raise argparse.ArgumentTypeError(msg)
    return int(parts[0]), int(parts[1])
