"""Ready-made arrangements of the panels: Explore, Compare, Label."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from PySide6.QtCore import Qt

if TYPE_CHECKING:
    from collections.abc import Mapping

    from PySide6.QtCore import QSize
    from PySide6.QtWidgets import QDockWidget, QMainWindow

    from kernelviewer.state.arrangement import GroupBy, SortBy

Side = Literal["left", "top", "right", "bottom"]
Cell = tuple[str, ...]
"""Panels that lie behind each other as tabs, the first in front."""

WIDEST_LIST = 420
"""Of the list of networks: in a large window the kernels have the room, pixels."""
SMALL = (1440, 900)
"""A window that is narrower or lower than this has less beside each other."""
AREAS = {
    "left": Qt.DockWidgetArea.LeftDockWidgetArea,
    "top": Qt.DockWidgetArea.TopDockWidgetArea,
    "right": Qt.DockWidgetArea.RightDockWidgetArea,
    "bottom": Qt.DockWidgetArea.BottomDockWidgetArea,
}
ALONG = {
    "left": Qt.Orientation.Vertical,
    "top": Qt.Orientation.Horizontal,
    "right": Qt.Orientation.Vertical,
    "bottom": Qt.Orientation.Horizontal,
}


@dataclass(frozen=True, slots=True)
class Place:
    """One side of the window.

    Attributes
    ----------
    side
        Which one.
    extent
        How far it reaches into the window, a share of its width or height.
    cells
        What lies along it.
    shares
        How the cells divide its length.
    """

    side: Side
    extent: float
    cells: tuple[Cell, ...]
    shares: tuple[int, ...] = (1,)


@dataclass(frozen=True, slots=True)
class Preset:
    """An arrangement for a task.

    Attributes
    ----------
    id, title
        What settings carry; what people read.
    large, small
        Where the panels go in a large and in a small window.
    group_by, sort_by
        How the grid is ordered for it.
    """

    id: str
    title: str
    large: tuple[Place, ...]
    small: tuple[Place, ...]
    group_by: GroupBy
    sort_by: SortBy


_MODELS = Place("left", 0.19, (("models",),))
_MODELS_SMALL = Place("left", 0.22, (("models",),))
PRESETS: tuple[Preset, ...] = (
    Preset(
        "explore",
        "Explore",
        (
            _MODELS,
            Place("top", 0.23, (("spectrum",),)),
            Place("right", 0.2, (("reconstruction",), ("inspector",)), (1, 1)),
            Place(
                "bottom",
                0.28,
                (("classes",), ("composition",), ("scatter",)),
                (1, 1, 1),
            ),
        ),
        (
            _MODELS_SMALL,
            Place("top", 0.26, (("spectrum",),)),
            Place("right", 0.2, (("reconstruction",), ("inspector",)), (1, 1)),
            Place("bottom", 0.22, (("classes", "composition", "scatter"),)),
        ),
        "class",
        "code",
    ),
    Preset(
        "compare",
        "Compare",
        (
            _MODELS,
            Place("top", 0.23, (("spectrum",),)),
            Place(
                "right",
                0.3,
                (("classes",), ("scatter", "reconstruction", "inspector")),
                (1, 1),
            ),
            Place("bottom", 0.34, (("composition",),)),
        ),
        (
            _MODELS_SMALL,
            Place("top", 0.26, (("spectrum",),)),
            Place(
                "right",
                0.26,
                (("classes",), ("scatter", "reconstruction", "inspector")),
                (1, 1),
            ),
            Place("bottom", 0.3, (("composition",),)),
        ),
        "model",
        "code",
    ),
    Preset(
        "label",
        "Label",
        (
            Place(
                "left",
                0.22,
                (("classes",), ("composition", "scatter", "models")),
                (1, 1),
            ),
            Place("top", 0.4, (("spectrum",),)),
            Place("right", 0.2, (("reconstruction",), ("inspector",)), (1, 1)),
        ),
        (
            Place(
                "left",
                0.22,
                (("classes",), ("composition", "scatter", "models")),
                (1, 1),
            ),
            Place("top", 0.42, (("spectrum",),)),
            Place("right", 0.2, (("reconstruction", "inspector"),)),
        ),
        "class",
        "code",
    ),
)
BY_ID: dict[str, Preset] = {preset.id: preset for preset in PRESETS}


def is_small(size: QSize) -> bool:
    """Whether a window of that size has room for the small arrangement only."""
    return size.width() < SMALL[0] or size.height() < SMALL[1]


def arrange_panels(
    window: QMainWindow, docks: Mapping[str, QDockWidget], preset: Preset
) -> None:
    """Put every panel where the preset has it, floating and closed ones too.

    The jobs panel goes below all, in a small window behind what lies at the bottom,
    shown or hidden as it was; the window keeps its size.
    """
    small = is_small(window.size())
    places = preset.small if small else preset.large
    jobs = docks["jobs"]
    jobs_shown = jobs.toggleViewAction().isChecked()
    for dock in docks.values():
        dock.setFloating(False)
        window.removeDockWidget(dock)
    for place in places:
        for first, *behind in place.cells:
            window.addDockWidget(AREAS[place.side], docks[first], ALONG[place.side])
            for name in behind:
                window.tabifyDockWidget(docks[first], docks[name])
    window.addDockWidget(AREAS["bottom"], jobs, Qt.Orientation.Vertical)
    below = [place.cells[-1][-1] for place in places if place.side == "bottom"]
    if small and below:
        window.tabifyDockWidget(docks[below[-1]], jobs)
    for name, dock in docks.items():
        dock.setVisible(name != "jobs" or jobs_shown)
    for place in places:
        for first, *_ in place.cells:
            docks[first].raise_()
        _resize(window, docks, place)


def _resize(
    window: QMainWindow, docks: Mapping[str, QDockWidget], place: Place
) -> None:
    """Give a side its extent, and its cells their shares of its length."""
    heads = [docks[cell[0]] for cell in place.cells]
    along = ALONG[place.side]
    across = (
        Qt.Orientation.Horizontal
        if along == Qt.Orientation.Vertical
        else Qt.Orientation.Vertical
    )
    room = window.width() if across == Qt.Orientation.Horizontal else window.height()
    reach = round(room * place.extent)
    if place.cells == _MODELS.cells:
        reach = min(reach, WIDEST_LIST)
    window.resizeDocks(heads, [reach] * len(heads), across)
    length = window.height() if along == Qt.Orientation.Vertical else window.width()
    total = sum(place.shares)
    window.resizeDocks(
        heads, [round(length * share / total) for share in place.shares], along
    )
