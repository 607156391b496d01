"""Paints the grid: kernels, headings, focus, message."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING

from PySide6.QtCore import QRect, QRectF
from PySide6.QtGui import QPainter

from kernelviewer.gui.views.grid.arranged import MARGIN, ArrangedArea
from kernelviewer.gui.views.grid.paint import (
    align_to_pixels,
    paint_corners,
    paint_frame,
    paint_heading,
    paint_message,
    paint_stuck_heading,
)
from kernelviewer.gui.views.grid.picture import GridPicture

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PySide6.QtGui import QImage, QPaintEvent
    from PySide6.QtWidgets import QWidget

    from kernelviewer.gui.theme import Tokens
    from kernelviewer.gui.views.grid.layout import GridLayout
    from kernelviewer.gui.views.grid.mosaic import GridContent


class GridView(ArrangedArea):
    """Kernels as small pictures in rows under headings. Setters never emit."""

    def __init__(self, parent: QWidget | None = None) -> None:
        self._picture = GridPicture()
        self._message = ""
        self._marked: tuple[int, ...] = ()
        super().__init__(parent)

    def set_content(self, content: GridContent | None) -> None:
        """Show other kernels, or the same in another order; None: the message.

        The view stays where it is if every kernel does; else the focused kernel stays
        at its height if it is in view; else the view starts at the top. The selection
        is forgotten if there is another number of kernels in all.
        """
        if _count(content) != _count(self.content):
            self._picture.selected = self._picture.preview = None
            self._marked = ()
        super().set_content(content)

    def set_selection(self, selected: NDArray[np.bool_] | None) -> None:
        """Mark kernels: bool [N] by kernel id; None: none.

        Raises
        ------
        ValueError
            If it is not of as many kernels as the content's mosaic has.
        """
        if selected is not None and len(selected) != _count(self.content):
            raise ValueError(
                f"{len(selected)} marks for {_count(self.content)} kernels"
            )
        chosen = selected is not None and selected.any()
        self._picture.selected = selected if chosen else None
        self.redraw()

    def set_preview(self, selected: NDArray[np.bool_] | None) -> None:
        """Show what the selection would become; None: what it is."""
        self._picture.preview = selected
        self.redraw()

    def set_focus(self, kernel: int | None) -> None:
        """Ring one kernel, without scrolling to it; None: no kernel."""
        self.focus = kernel
        self.focus_position = self.position_of(kernel)
        self.viewport().update()

    def set_marked(self, kernels: tuple[int, ...]) -> None:
        """Mark the corners of some kernels, such as those nearest to the slider."""
        if kernels != self._marked:
            before, self._marked = self._marked, kernels
            for kernel in {*before, *kernels}:
                box = self.kernel_rect(kernel)
                if box is not None:
                    self.viewport().update(box.adjusted(-8, -8, 8, 8).toAlignedRect())

    @property
    def marked(self) -> tuple[int, ...]:
        """Kernels with marked corners."""
        return self._marked

    def set_message(self, text: str) -> None:
        """Say what would fill the view; shown while there is no kernel."""
        self._message = text
        self.viewport().update()

    def set_theme(self, theme: Tokens) -> None:
        """Show other colours."""
        self._picture.theme = theme
        self.redraw()

    def set_colormap(self, colormap: str) -> None:
        """Colour weights by one of `COLORMAPS`."""
        self._picture.colormap = colormap
        self.redraw()

    @property
    def selected(self) -> NDArray[np.bool_] | None:
        """Bool [N] by kernel id; None: nothing."""
        return self._picture.selected

    def redraw(self) -> None:
        """Draw the kernels anew."""
        self._picture.forget()
        super().redraw()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Copy the picture, then draw what stands over it."""
        painter = QPainter(self.viewport())
        theme, font = self._picture.theme, self.font()
        if self.content is None or self.plan is None:
            box = QRectF(self.viewport().rect())
            paint_message(painter, box, self._message, theme, font)
            return
        painter.save()
        align_to_pixels(painter, self.ratio)
        painter.drawImage(0, 0, self._image(self.content, self.plan))
        painter.restore()
        self._paint_headings(painter, self.content, self.plan)
        painter.save()
        align_to_pixels(painter, self.ratio)
        self._paint_marked(painter)
        self._paint_focus(painter)
        self._paint_gesture(painter)
        painter.restore()
        self._paint_stuck(painter, self.content, self.plan)

    def _image(self, content: GridContent, plan: GridLayout) -> QImage:
        size = self.viewport().size()
        ratio = self.ratio
        width, height = ceil(size.width() * ratio), ceil(size.height() * ratio)
        part = (*self.scrolled(), width, height)
        return self._picture.image(content, plan, part, ratio)

    def _heading_box(self, plan: GridLayout, y: int) -> QRectF:
        top, height = y / self.ratio, plan.heading / self.ratio
        return QRectF(0, top, self.viewport().width(), height)

    def _paint_headings(
        self, painter: QPainter, content: GridContent, plan: GridLayout
    ) -> None:
        if not plan.heading:
            return
        top = self.verticalScrollBar().value()
        for group in plan.groups_in(top, top + self.view_height):
            box = self._heading_box(plan, int(plan.tops[group]) - top)
            inner = box.adjusted(MARGIN, 0, -MARGIN, 0)
            heading = content.groups[group]
            paint_heading(painter, inner, heading, self._picture.theme, self.font())

    def _paint_stuck(
        self, painter: QPainter, content: GridContent, plan: GridLayout
    ) -> None:
        bottom = self.stuck_bottom()
        if bottom > 0:
            group = plan.group_at(self.verticalScrollBar().value())
            box = self._heading_box(plan, bottom - plan.heading)
            heading, theme = content.groups[group], self._picture.theme
            paint_stuck_heading(painter, box, heading, theme, self.font(), MARGIN)

    def _paint_focus(self, painter: QPainter) -> None:
        box = None if self.focus is None else self._pixel_box(self.focus)
        if box is not None:
            paint_frame(painter, box, self.pixels(2), self._picture.theme.text)

    def _paint_marked(self, painter: QPainter) -> None:
        line = self.pixels(2)
        for kernel in self._marked:
            box = self._pixel_box(kernel)
            if box is not None:
                paint_corners(painter, box, line, self._picture.theme.accent)

    def _pixel_box(self, kernel: int) -> QRect | None:
        """Where a kernel in view is drawn, device pixels, with its ring."""
        position = self.position_of(kernel)
        if position is None or self.plan is None:
            return None
        x, y = self.plan.origin(position)
        left, top = self.scrolled()
        cell = self.plan.cell
        if not -cell.height < y - top < self.view_height:
            return None
        grow = min(self.pixels(2), cell.lead)
        box = QRect(x - left, y - top, cell.width, cell.height)
        return box.adjusted(-grow, -grow, grow, grow)

    def _paint_gesture(self, painter: QPainter) -> None:
        """What a gesture draws, in device pixels; there is none here."""


def _count(content: GridContent | None) -> int:
    return 0 if content is None else len(content.mosaic)
