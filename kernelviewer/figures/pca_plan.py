"""Where the parts of a scatter of kernels go."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from kernelviewer.figures.errors import FigureError
from kernelviewer.figures.legend import Legend
from kernelviewer.figures.page import title_height
from kernelviewer.figures.places import NEAREST
from kernelviewer.figures.scale_bar import scale_bar_height
from kernelviewer.figures.tiling import Blocks

if TYPE_CHECKING:
    from kernelviewer.figures.fonts import Face
    from kernelviewer.figures.legend import Entry
    from kernelviewer.figures.options import FigureOptions
    from kernelviewer.figures.tiling import Tiling

_LARGE, _SMALL = 4.0, 2.8
"""Most size of a kernel beside the scatter and below it, in units of the font size."""
_SIDE_BY_SIDE = 45
"""Least width in units of the font size for thumbnails beside the scatter."""


@dataclass(frozen=True, eq=False)
class PcaPlan:
    """Where scatter, rows of kernels and legend go, in mm."""

    left: float
    top: float
    side: float
    rows_left: float
    rows_top: float
    gutter: float
    tiling: Tiling
    legend: Legend
    height: float

    @classmethod
    def of(
        cls,
        cell: tuple[int, ...],
        places: int,
        entries: list[Entry],
        options: FigureOptions,
        face: Face,
    ) -> PcaPlan:
        """Scatter and rows side by side, or below each other on a narrow page.

        Parameters
        ----------
        cell
            Rows and columns of a kernel's picture.
        places
            Rows of kernels.
        entries
            What the colours stand for.

        Raises
        ------
        FigureError
            It does not fit into the height asked for.
        """
        em, margin = face.em, face.margin
        room = options.width_mm - 2 * margin
        axis = 1.8 * em if options.labels else 0.0
        legend = Legend(entries, face, room)
        top = title_height(options, face)
        foot = legend.height + scale_bar_height(options, face) + margin
        beside = room > _SIDE_BY_SIDE * em
        side = (0.46 if beside else 1.0) * room - axis
        down = (options.height_mm or 1e6) - top - foot - axis - 0.5 * em
        side = min(side, down if beside else 0.6 * down)
        if side < 8 * em:
            problem = "the scatter does not fit into this size"
            raise FigureError(problem, "Make the figure larger, or its font smaller.")
        rows_left = margin + axis + side + 2 * em if beside else margin
        rows_top = top if beside else top + side + axis + em
        width = options.width_mm - margin - rows_left - 2 * em
        rows_down = side + axis if beside else down - side
        largest = _LARGE if beside else _SMALL
        tiling = _rows(cell, places, options, width, rows_down, largest * em, em)
        height = max(top + side + axis, rows_top + tiling.height) + 0.8 * em + foot
        height = max(height, options.height_mm or 0.0)
        left = margin + axis
        if not beside:
            left += (room - axis - side) / 2
        return cls(left, top, side, rows_left, rows_top, 2 * em, tiling, legend, height)


def _rows(
    cell: tuple[int, ...],
    places: int,
    options: FigureOptions,
    width: float,
    height: float,
    largest: float,
    em: float,
) -> Tiling:
    """Rows of kernels, one for each place, that fill the room."""
    places = max(places, 1)
    rows, columns = cell
    pitch = min(height / places, largest)
    plan = Blocks(
        cell=(rows, columns),
        counts=(1,) * places,
        width=width,
        dpi=options.dpi,
        after=0.2 * em,
        least=1.5 * em,
    )
    most = min(NEAREST, plan.tile(1).per_row)
    per_row = options.samples or max(1, int(width / (pitch * columns / rows)))
    per_row = min(per_row, most)
    plan = replace(plan, counts=(per_row,) * places, per_row=per_row)
    tiling = plan.fit(height, largest)
    if tiling is None:
        problem = "the kernels beside the scatter do not fit"
        raise FigureError(problem, "Make the figure larger or show fewer samples.")
    return tiling
