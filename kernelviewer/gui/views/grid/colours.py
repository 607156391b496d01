"""Colours of the grid: its theme, and colour maps as tables of 256 entries."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from kernelviewer.gui.views.grid.mosaic import (
    BLANK,
    FLAT,
    FRAMES,
    HATCH,
    MISSING,
    RING,
    TOP,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from kernelviewer.gui.theme import Tokens


COLORMAPS: dict[str, str] = {
    "signed": "Blue – red",
    "grey": "Grey",
    "rdbu": "RdBu",
    "coolwarm": "Coolwarm",
    "bwr": "Blue – white – red",
    "viridis": "Viridis",
    "magma": "Magma",
}
"""Id → name on screen; ``signed`` is the theme's own."""

_STOPS: dict[str, tuple[str, ...]] = {
    "grey": ("#000000", "#FFFFFF"),
    "bwr": ("#0000FF", "#FFFFFF", "#FF0000"),
    "rdbu": (
        *("#053061", "#2065AB", "#4393C3", "#90C4DD", "#D1E5F0", "#F7F6F6"),
        *("#FDDBC7", "#F3A481", "#D6604D", "#B1182B", "#67001F"),
    ),
    "coolwarm": (
        *("#3B4CC0", "#4E68D8", "#6282EA", "#779AF7", "#8DB0FE", "#A3C2FE"),
        *("#B9D0F9", "#CCD9ED", "#DDDCDC", "#ECD3C5", "#F5C4AC", "#F7B093"),
        *("#F4987A", "#EB7D62", "#DD5F4B", "#CA3B37", "#B40426"),
    ),
    "viridis": (
        *("#440154", "#481A6C", "#472F7D", "#414487", "#39568C", "#31688E"),
        *("#2A788E", "#23888E", "#1F988B", "#22A884", "#35B779", "#54C568"),
        *("#7AD151", "#A5DB36", "#D2E21B", "#FDE725"),
    ),
    "magma": (
        *("#000004", "#0B0924", "#20114B", "#3B0F70", "#57157E", "#721F81"),
        *("#8C2981", "#A8327D", "#C43C75", "#DE4968", "#F1605D", "#FA7F5E"),
        *("#FE9F6D", "#FEBF84", "#FDDEA0", "#FCFDBF"),
    ),
}
_DIMMED = 0.25
"""How much of its contrast to the panel a dimmed kernel keeps."""
_TINT = 0.16
"""Share of the accent in a selected one: weak taps would not tell it from others."""


def rgb(colour: str) -> NDArray[np.float64]:
    """``#RRGGBB`` as three numbers 0 … 255."""
    return np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)], np.float64)


def _mix(a: str, b: str, share: float) -> NDArray[np.float64]:
    """Colour a with a share of b in it."""
    return rgb(a) * (1 - share) + rgb(b) * share


def weight_colours(colormap: str, theme: Tokens) -> NDArray[np.float64]:
    """Colours [TOP + 1, 3] of weights from the most negative to the most positive.

    Parameters
    ----------
    colormap
        One of `COLORMAPS`.
    """
    stops: Sequence[str] = (
        (theme.negative, theme.zero, theme.positive)
        if colormap == "signed"
        else _STOPS[colormap]
    )
    points = np.stack([rgb(stop) for stop in stops])
    at = np.linspace(0, len(stops) - 1, TOP + 1)
    known = np.arange(len(stops))
    return np.stack([np.interp(at, known, points[:, i]) for i in range(3)], axis=1)


def index_colours(
    colormap: str, theme: Tokens, frames: Sequence[str] = ()
) -> NDArray[np.float64]:
    """Colours [256, 3] of the indices in `kernelviewer.gui.views.grid.mosaic`."""
    colours = np.tile(rgb(theme.panel), (256, 1))
    colours[: TOP + 1] = weight_colours(colormap, theme)
    colours[BLANK] = rgb(theme.panel)
    colours[MISSING] = _mix(theme.secondary, theme.panel, 0.15)
    colours[FLAT] = _mix(theme.panel, theme.neutral, 0.22)
    colours[HATCH] = _mix(theme.panel, theme.neutral, 0.75)
    colours[RING] = rgb(theme.accent)
    for number, colour in enumerate(frames):
        colours[FRAMES + number] = rgb(colour)
    return colours


def dimmed_colours(colours: NDArray[np.float64], theme: Tokens) -> NDArray[np.float64]:
    """Colours [256, 3] for halved indices: faded, and from 128 on tinted."""
    every_other = colours[::2]
    faded = rgb(theme.panel) * (1 - _DIMMED) + every_other * _DIMMED
    tinted = every_other * (1 - _TINT) + rgb(theme.accent) * _TINT
    tinted[BLANK // 2] = rgb(theme.panel)
    return np.concatenate([faded, tinted])


def qrgb_table(colours: NDArray[np.float64]) -> list[int]:
    """Colours as the 256 numbers that an indexed picture takes."""
    red, green, blue = np.round(colours).astype(np.uint32).T
    table: list[int] = (0xFF000000 | red << 16 | green << 8 | blue).tolist()
    return table
