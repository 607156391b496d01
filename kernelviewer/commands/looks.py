"""Options of commands that say how figures look and how kernels are named."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kernelviewer.commands.networks import (
    add_by_argument,
    add_device_argument,
    add_threshold_argument,
    naming_of,
)
from kernelviewer.commands.reading import parse_pair
from kernelviewer.figures.content import FigureError
from kernelviewer.figures.naming import FigureNaming
from kernelviewer.figures.options import (
    OPTIONS,
    PRESETS,
    Choice,
    FigureOptions,
    LayerPairs,
    Number,
    Pair,
    Switch,
)
from kernelviewer.figures.scene import FAMILY

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from kernelviewer.figures.options import Option
    from kernelviewer.kernels.bank import Size
    from kernelviewer.latent.autoencoder import Autoencoder
    from kernelviewer.latent.stretches import Stretches


def add_looks(parser: argparse.ArgumentParser) -> None:
    """Add what `looks` reads; what is not given stays None."""
    from argparse import BooleanOptionalAction

    group = parser.add_argument_group("looks")
    presets = ", ".join(f"'{name}'" for name in PRESETS)
    group.add_argument(
        "--preset",
        type=_preset,
        metavar="NAME",
        help=f"start from the looks of {presets}",
    )
    for name, option in OPTIONS.items():
        flag = f"--{option.flag or name.replace('_', '-')}"
        what = option.help or option.title.lower() or option.label.lower()
        common: dict[str, Any] = {"dest": name, "default": None, "help": what}
        if isinstance(option, Switch):
            group.add_argument(flag, action=BooleanOptionalAction, **common)
        elif isinstance(option, LayerPairs):
            metavar = option.metavar
            group.add_argument(
                flag, type=parse_pair, action="append", metavar=metavar, **common
            )
        elif isinstance(option, Choice) and not option.open:
            group.add_argument(flag, choices=tuple(option.choices), **common)
        else:
            parse, metavar = _parser(option), option.metavar
            group.add_argument(flag, type=parse, metavar=metavar, **common)


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
        name: option.frozen(value)
        for name, option in OPTIONS.items()
        if (value := getattr(arguments, name)) is not None
    }
    return base.with_values(given)


def add_naming(parser: argparse.ArgumentParser) -> None:
    """Add what `naming` reads."""
    group = parser.add_argument_group("names of kernels")
    group.add_argument(
        "--autoencoder",
        metavar="FILE",
        help="what encodes the kernels: a file made by kernelviewer train, or "
        f"'family' for no codes, and names by the {FAMILY} (default: the autoencoder "
        "that comes with the program, if there is one for the size)",
    )
    add_by_argument(group)
    add_threshold_argument(group)
    add_device_argument(group)


def naming(
    arguments: argparse.Namespace,
    size: Size,
    threshold: float | None = None,
    stretches: Stretches = (),
) -> FigureNaming:
    """How the arguments ask to name kernels of a size.

    Parameters
    ----------
    threshold, stretches
        In place of the usual ones, where the arguments name none.

    Raises
    ------
    FigureError
        The autoencoder cannot be used.
    """
    if arguments.threshold is not None:
        threshold = arguments.threshold
    autoencoder = _autoencoder(arguments.autoencoder, size)
    chosen = naming_of(arguments)
    if arguments.autoencoder == "family":
        chosen = replace(chosen, by="family")
    return FigureNaming(autoencoder, threshold, stretches, chosen)


def _autoencoder(name: str | None, size: Size) -> Autoencoder | None:
    from kernelviewer.formats import CheckpointError
    from kernelviewer.latent.autoencoder import Autoencoder, shipped

    if name == "family":
        return None
    try:
        return shipped(size) if name is None else Autoencoder.load(Path(name))
    except CheckpointError as error:
        raise FigureError(f"{error.name}: {error.problem}", error.hint) from None


def _preset(text: str) -> FigureOptions:
    import argparse

    for name, options in PRESETS.items():
        if name.lower() == text.lower():
            return options
    raise argparse.ArgumentTypeError(f"{text!r} is none of {', '.join(PRESETS)}")


def _parser(option: Option) -> Callable[[str], Any]:
    """What reads an option's value from a word of the command line."""
    if isinstance(option, Number):
        return partial(_number, option)
    return _components if isinstance(option, Pair) else str


def _number(option: Number, text: str) -> float:
    import argparse

    if text in option.names:
        return option.names[text]
    try:
        number = int(text) if option.whole else float(text)
    except ValueError:
        number = math.nan
    if option.whole and not option.low <= number <= option.high:
        wanted = f"give a whole number from {option.low} to {option.high}"
        raise argparse.ArgumentTypeError(f"{text!r} is no {option.noun}; {wanted}")
    if math.isnan(number) and text.lower() != "nan":
        names = f" and none of {', '.join(option.names)}" if option.names else ""
        raise argparse.ArgumentTypeError(f"{text!r} is no {option.noun}{names}")
    return number


def _components(text: str) -> tuple[int, int]:
    import argparse

    parts = text.split(",")
    if len(parts) != 2 or not all(part.strip().isdigit() for part in parts):
        msg = f"{text!r} are no two numbers of principal components such as 1,3"
        raise argparse.ArgumentTypeError(msg)
    return int(parts[0]), int(parts[1])
