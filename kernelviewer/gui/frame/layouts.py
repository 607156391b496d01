"""Ready-made arrangements of the panels: Explore, Compare, Label.

Each view says where it lies (`ViewSpec.home`); an arrangement says how far each side
reaches into the window, and what lies behind each other where there is less room.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt

from kernelviewer.gui.registry import VIEWS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from PySide6.QtCore import QSize
    from PySide6.QtWidgets import QDockWidget, QMainWindow

    from kernelviewer.gui.view_spec import Side
    from kernelviewer.state.arrangement import GroupBy, SortBy

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
        What lies along it, in equal parts.
    """

    side: Side
    extent: float
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Arrangement:
    """An arrangement for a task.

    Attributes
    ----------
    id, title
        What settings carry; what people read.
    extents
        How far each side reaches into a large and into a small window.
    group_by, sort_by
        How the grid is ordered for it.
    folded
        The side whose panels lie behind each other in a small window.
    """

    id: str
    title: str
    extents: Mapping[Side, tuple[float, float]]
    group_by: GroupBy
    sort_by: SortBy = "code"
    folded: Side | None = None

    def places(self, *, small: bool) -> tuple[Place, ...]:
        """Where the panels go in a large or in a small window."""
        return tuple(
            Place(
                side, extents[small], self._cells(side, small and side == self.folded)
            )
            for side, extents in self.extents.items()
        )

    def _cells(self, side: Side, folded: bool) -> tuple[Cell, ...]:
        """What lies along a side, from the homes of the views.

        Panels of a side that the arrangement does not have lie behind its last ones.
        """
        cells: dict[int, list[tuple[int, str]]] = {}
        for spec in VIEWS:
            home = spec.home_in(self.id)
            if home is not None and home.side == side:
                cells.setdefault(home.cell * (not folded), []).append(
                    (home.rank, spec.id)
                )
        found = [
            tuple(name for _, name in sorted(cell, key=lambda item: item[0]))
            for _, cell in sorted(cells.items())
        ]
        if side == [*self.extents][-1]:
            *most, last = found or [()]
            found = [*most, (*last, *self._homeless())]
        return tuple(filter(None, found))

    def _homeless(self) -> Iterator[str]:
        """Panels whose side the arrangement does not have."""
        for spec in VIEWS:
            home = spec.home_in(self.id)
            if home is not None and home.side not in ("below", *self.extents):
                yield spec.id


ARRANGEMENTS: tuple[Arrangement, ...] = (
    Arrangement(
        "explore",
        "Explore",
        {
            "left": (0.19, 0.22),
            "top": (0.23, 0.26),
            "right": (0.2, 0.2),
            "bottom": (0.28, 0.22),
        },
        group_by="class",
        folded="bottom",
    ),
    Arrangement(
        "compare",
        "Compare",
        {
            "left": (0.19, 0.22),
            "top": (0.23, 0.26),
            "right": (0.3, 0.26),
            "bottom": (0.34, 0.3),
        },
        group_by="model",
    ),
    Arrangement(
        "label",
        "Label",
        {"left": (0.22, 0.22), "top": (0.4, 0.42), "right": (0.2, 0.2)},
        group_by="class",
        folded="right",
    ),
)
BY_ID: dict[str, Arrangement] = {item.id: item for item in ARRANGEMENTS}


def is_small(size: QSize) -> bool:
    """Whether a window of that size has room for the small arrangement only."""
    return size.width() < SMALL[0] or size.height() < SMALL[1]


def arrange_panels(
    window: QMainWindow, docks: Mapping[str, QDockWidget], arrangement: Arrangement
) -> None:
    """Put every panel where the arrangement has it, floating and closed ones too.

    The jobs panel goes below all, in a small window behind what lies at the bottom,
    shown or hidden as it was; the window keeps its size.
    """
    small = is_small(window.size())
    places = arrangement.places(small=small)
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
    if place.cells == (("models",),):
        reach = min(reach, WIDEST_LIST)
    window.resizeDocks(heads, [reach] * len(heads), across)
    length = window.height() if along == Qt.Orientation.Vertical else window.width()
    window.resizeDocks(heads, [round(length / len(heads))] * len(heads), along)
