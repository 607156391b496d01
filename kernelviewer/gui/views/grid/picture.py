"""The visible kernels as a picture of exactly the view's device pixels."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtGui import QImage

from kernelviewer.gui.theme import LIGHT
from kernelviewer.gui.views.grid.colours import (
    dimmed_colours,
    index_colours,
    qrgb_table,
)
from kernelviewer.gui.views.grid.compose import Marks, compose

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from kernelviewer.gui.views.grid.layout import GridLayout
    from kernelviewer.gui.views.grid.mosaic import GridContent

_RING_FROM = 24
"""Kernels of this side, logical pixels, and larger show the selection as rings;
smaller ones by dimming the others."""


class GridPicture:
    """Draws the kernels, and keeps the last picture until it is told to forget it.

    Attributes
    ----------
    theme, colormap
        Colours.
    selected, preview
        Bool [N] by kernel id: the selection, and what it would be after the gesture
        that is under way; None: nothing, and no gesture.
    """

    def __init__(self) -> None:
        self.theme = LIGHT
        self.colormap = "signed"
        self.selected: NDArray[np.bool_] | None = None
        self.preview: NDArray[np.bool_] | None = None
        self._image: QImage | None = None

    def forget(self) -> None:
        """Draw anew next time."""
        self._image = None

    def image(
        self,
        content: GridContent,
        layout: GridLayout,
        part: tuple[int, int, int, int],
        ratio: float,
    ) -> QImage:
        """Picture of a part of the content: x, y, width, height in device pixels."""
        if self._image is None:
            self._image = self._draw(content, layout, part, ratio)
        return self._image

    def _draw(
        self,
        content: GridContent,
        layout: GridLayout,
        part: tuple[int, int, int, int],
        ratio: float,
    ) -> QImage:
        marks = self._marks(layout, ratio)
        indices = compose(content, layout, part, marks)
        colours = index_colours(self.colormap, self.theme, content.frame_colours)
        if marks.dimmed:
            colours = dimmed_colours(colours, self.theme)
        height, width = indices.shape
        form = QImage.Format.Format_Indexed8
        image = QImage(indices.data, width, height, width, form)
        image.setColorTable(qrgb_table(colours))
        # converting once and copying later is 3 × faster than painting indices
        return image.convertToFormat(QImage.Format.Format_RGB32)

    def _marks(self, layout: GridLayout, ratio: float) -> Marks:
        cell = layout.cell
        selected = self.selected if self.preview is None else self.preview
        if selected is not None and not selected.any():
            selected = None
        rings = max(cell.width, cell.height) >= _RING_FROM * ratio and cell.lead > 0
        return Marks(
            selected=selected,
            dimmed=selected is not None and not rings,
            line=max(1, round(2 * ratio)),
            hatch=max(3, round(6 * ratio)),
        )
