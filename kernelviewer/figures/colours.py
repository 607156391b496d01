"""Ink, paper and colour maps, as arrays of 8-bit RGB."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from kernelviewer.figures.content import OptionError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kernelviewer.kernels.classes import PatternClass

LEVELS = 255
"""Entries of a colour map; the middle one, 127, is weight zero."""
COLORMAPS = {
    "signed": "Blue – red",
    "grey": "Grey",
    "rdbu": "RdBu",
    "coolwarm": "Coolwarm",
    "bwr": "Blue – white – red",
    "puor": "Purple – orange",
    "viridis": "Viridis",
    "magma": "Magma",
}
"""Colour maps on offer and their names; ``signed`` runs through the paper's colour."""
_LIFT = 0.08
_REVERSED = {"rdbu": "RdBu_r", "puor": "PuOr_r"}
"""Those that other programs know by the opposite order."""


@dataclass(frozen=True, slots=True)
class Ink:
    """Colours of a figure on light or on dark ground, ``#RRGGBB``."""

    dark: bool
    paper: str
    text: str
    secondary: str
    line: str
    neutral: str
    negative: str
    positive: str

    def of_class(self, item: PatternClass) -> str:
        """Colour of a class on this ground."""
        return item.dark if self.dark else item.light


LIGHT = Ink(
    dark=False,
    paper="#FFFFFF",
    text="#1F1F1C",
    secondary="#5E5E58",
    line="#8C8C86",
    neutral="#C9C9C4",
    negative="#265CB2",
    positive="#D64834",
)
DARK = Ink(
    dark=True,
    paper="#191A1C",
    text="#ECECEA",
    secondary="#B0B1AE",
    line="#77787A",
    neutral="#55575B",
    negative="#68AAFF",
    positive="#FF8060",
)


def ink(dark: bool) -> Ink:
    """The colours for one ground."""
    return DARK if dark else LIGHT


def rgb(colour: str) -> NDArray[np.float64]:
    """``#RRGGBB`` as three numbers 0 … 255."""
    return np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)], np.float64)


def mix(a: str, b: str, share: float) -> str:
    """Colour a with a share of b in it."""
    mixed = np.round(rgb(a) * (1 - share) + rgb(b) * share).astype(int)
    return "#" + "".join(f"{value:02X}" for value in mixed)


def weight_colours(name: str, ground: Ink) -> NDArray[np.uint8]:
    """Colours [LEVELS, 3] of weights from the most negative to the most positive.

    Raises
    ------
    OptionError
        There is no such colour map.
    """
    if name == "signed":
        # on dark ground zero is a little lighter: how far a kernel reaches is seen
        zero = mix(ground.paper, ground.text, _LIFT) if ground.dark else ground.paper
        stops = np.stack([rgb(ground.negative), rgb(zero), rgb(ground.positive)])
    elif name == "grey":
        stops = np.stack([rgb("#000000"), rgb("#FFFFFF")])
    else:
        stops = _named(name)
    at = np.linspace(0, len(stops) - 1, LEVELS)
    known = np.arange(len(stops))
    columns = [np.interp(at, known, stops[:, i]) for i in range(3)]
    return np.round(np.stack(columns, axis=1)).astype(np.uint8)


def _named(name: str) -> NDArray[np.float64]:
    """A colour map of matplotlib's as stops 0 … 255."""
    from matplotlib import colormaps

    name = _REVERSED.get(name, name)
    if name not in colormaps:
        msg = f"there is no colour map {name!r}"
        raise OptionError(msg, f"Choose one of {', '.join(COLORMAPS)}.")
    stops: NDArray[np.float64] = colormaps[name](np.linspace(0, 1, LEVELS))[:, :3] * 255
    return stops
