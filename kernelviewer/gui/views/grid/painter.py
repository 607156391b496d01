"""Paints the grid: kernels, headings, marks, the rubber band, the message."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QImage

from kernelviewer.gui import theme
from kernelviewer.gui.painting.classes import paint_square
from kernelviewer.gui.views.grid.colours import (
    dimmed_colours,
    index_colours,
    qrgb_table,
)
from kernelviewer.gui.views.grid.compose import Marks, compose
from kernelviewer.gui.views.grid.geometry import MARGIN

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PySide6.QtGui import QPainter

    from kernelviewer.gui.theme import Tokens
    from kernelviewer.gui.views.grid.geometry import Box, GridGeometry, GridLayout
    from kernelviewer.gui.views.grid.mosaic import GridContent, GridGroup

_RING_FROM = 24
"""Kernels of this side, logical pixels, and larger show the selection as rings;
smaller ones by dimming the others."""
_LINE = 2
"""Of rings, logical pixels."""
_HATCH = 6
"""Between the lines of flat kernels, logical pixels."""
_HEADING_PADDING = 6
"""Above and below a heading's text, logical pixels."""
_SWATCH = 9
_TAG = 7
"""Side of the square of a tag, logical pixels."""
_MESSAGE_WIDTH = 420


class GridPainter:
    """Paints what a geometry has in view.

    The kernels' picture is kept until it is told to forget it: what stands over them
    changes much more often.

    Attributes
    ----------
    colormap
        Name of the colours of weights.
    selected, preview
        Bool [N] by kernel id: the selection, and what it would be after the gesture
        that is under way; None: nothing, and no gesture.
    marked
        Kernels with marked corners.
    tags, tag_colours
        uint16 [N] by kernel id, bit n of tag n, None: no kernel has a tag; the colour
        of each tag.
    message
        What would fill the view; shown while there is no kernel.
    """

    def __init__(self) -> None:
        self.colormap = "signed"
        self.selected: NDArray[np.bool_] | None = None
        self.preview: NDArray[np.bool_] | None = None
        self.marked: tuple[int, ...] = ()
        self.tags: NDArray[np.uint16] | None = None
        self.tag_colours: dict[int, str] = {}
        self.message = ""
        self._image: QImage | None = None

    def forget(self) -> None:
        """Draw the kernels anew next time."""
        self._image = None

    def paint(
        self, painter: QPainter, geometry: GridGeometry, font: QFont, band: Box | None
    ) -> None:
        """All that is in view, and the band if there is one."""
        content, plan, view = geometry.content, geometry.plan, geometry.view
        if content is None or plan is None:
            box = QRectF(0, 0, view.width, view.height)
            paint_message(painter, box, self.message, theme.tokens(), font)
            return
        painter.save()
        align_to_pixels(painter, view.ratio)
        if self._image is None:
            self._image = self._draw(content, plan, geometry)
        painter.drawImage(0, 0, self._image)
        painter.restore()
        self._paint_headings(painter, geometry, font)
        painter.save()
        align_to_pixels(painter, view.ratio)
        self._paint_marks(painter, geometry)
        if band is not None:
            paint_band(painter, QRect(*band), view.pixels(1), theme.tokens())
        painter.restore()
        self._paint_stuck(painter, geometry, font)

    def _draw(
        self, content: GridContent, plan: GridLayout, geometry: GridGeometry
    ) -> QImage:
        """The kernels as a picture of exactly the view's device pixels."""
        view = geometry.view
        size = ceil(view.width * view.ratio), ceil(view.height * view.ratio)
        marks = self._marks(plan, view.ratio)
        indices = compose(content, plan, (geometry.left, geometry.top, *size), marks)
        colours = index_colours(self.colormap, theme.tokens(), content.frame_colours)
        if marks.dimmed:
            colours = dimmed_colours(colours, theme.tokens())
        height, width = indices.shape
        form = QImage.Format.Format_Indexed8
        image = QImage(indices.data, width, height, width, form)
        image.setColorTable(qrgb_table(colours))
        # converting once and copying later is 3 × faster than painting indices
        return image.convertToFormat(QImage.Format.Format_RGB32)

    def _marks(self, plan: GridLayout, ratio: float) -> Marks:
        cell = plan.cell
        selected = self.selected if self.preview is None else self.preview
        if selected is not None and not selected.any():
            selected = None
        rings = max(cell.width, cell.height) >= _RING_FROM * ratio and cell.lead > 0
        return Marks(
            selected=selected,
            dimmed=selected is not None and not rings,
            line=max(1, round(_LINE * ratio)),
            hatch=max(3, round(_HATCH * ratio)),
        )

    def _paint_headings(
        self, painter: QPainter, geometry: GridGeometry, font: QFont
    ) -> None:
        for group, y in geometry.headings:
            paint_heading(
                painter, _heading_box(geometry, y), group, theme.tokens(), font
            )

    def _paint_stuck(
        self, painter: QPainter, geometry: GridGeometry, font: QFont
    ) -> None:
        """The heading of the rows below, held at the top while they pass."""
        stuck = geometry.stuck_heading
        if stuck is None:
            return
        group, y = stuck
        inner = _heading_box(geometry, y)
        box = inner.adjusted(-MARGIN, 0, MARGIN, 0)
        painter.fillRect(box, QColor(theme.tokens().panel))
        line = QRectF(box.left(), box.bottom() - 1, box.width(), 1)
        painter.fillRect(line, QColor(theme.tokens().separator))
        paint_heading(painter, inner, group, theme.tokens(), font)

    def _paint_marks(self, painter: QPainter, geometry: GridGeometry) -> None:
        """Corners, then the ring of the focus, counting device pixels."""
        line = geometry.view.pixels(_LINE)
        self._paint_tags(painter, geometry)
        for kernel in self.marked:
            box = _ring_box(geometry, kernel)
            if box is not None:
                paint_corners(painter, box, line, theme.tokens().accent)
        box = _ring_box(geometry, geometry.focus)
        if box is not None:
            paint_frame(painter, box, line, theme.tokens().text)

    def _paint_tags(self, painter: QPainter, geometry: GridGeometry) -> None:
        """Small squares at the lower left of tagged kernels, up the side."""
        content, plan, view = geometry.content, geometry.plan, geometry.view
        if self.tags is None or content is None or plan is None:
            return
        left, top = geometry.left, geometry.top
        places = plan.positions_in(left, top, left + view.across, top + view.down)
        bits = self.tags[content.order[places]]
        cell, edge = plan.cell, view.pixels(1)
        least = min(cell.width, cell.height)
        side = max(edge + 1, min(view.pixels(_TAG), least // 3))
        ground = QColor(theme.tokens().panel)
        for position, own in zip(
            places[bits > 0].tolist(), bits[bits > 0].tolist(), strict=True
        ):
            x, y = plan.origin(position)
            x, y = x - left, y - top + cell.height - side
            for number, colour in self.tag_colours.items():
                if not own >> number & 1 or y < plan.origin(position)[1] - top:
                    continue
                if side > 2 * edge:
                    painter.fillRect(
                        x - edge, y - edge, side + 2 * edge, side + 2 * edge, ground
                    )
                painter.fillRect(x, y, side, side, QColor(colour))
                y -= side + edge


def _heading_box(geometry: GridGeometry, y: int) -> QRectF:
    """Where a heading's text stands, logical pixels, from its top in device pixels."""
    view = geometry.view
    height = view.pixels(view.heading) / view.ratio
    return QRectF(MARGIN, y / view.ratio, view.width - 2 * MARGIN, height)


def _ring_box(geometry: GridGeometry, kernel: int | None) -> QRect | None:
    """What a ring goes round: a kernel in view and its part of the gap."""
    box, plan, view = geometry.box_of(kernel), geometry.plan, geometry.view
    if box is None or plan is None or not -plan.cell.height < box[1] < view.down:
        return None
    grow = min(view.pixels(_LINE), plan.cell.lead)
    return QRect(*box).adjusted(-grow, -grow, grow, grow)


def align_to_pixels(painter: QPainter, ratio: float) -> None:
    """Let the painter count in device pixels from a whole one.

    At fractional pixel ratios a widget may start between two device pixels.
    """
    painter.scale(1 / ratio, 1 / ratio)
    at = painter.deviceTransform()
    painter.translate(round(at.dx()) - at.dx(), round(at.dy()) - at.dy())


def heading_font(font: QFont) -> QFont:
    """The font of headings, from the widget's."""
    bold = QFont(font)
    bold.setWeight(QFont.Weight.DemiBold)
    return bold


def heading_height(font: QFont) -> float:
    """Height of a group's heading, logical pixels."""
    return QFontMetricsF(heading_font(font)).height() + 2 * _HEADING_PADDING


def paint_heading(
    painter: QPainter, box: QRectF, group: GridGroup, tokens: Tokens, font: QFont
) -> None:
    """One heading: square, title, note; the title is shortened where it must be."""
    x = box.left()
    if group.colour is not None:
        square = QRectF(x, box.center().y() - _SWATCH / 2, _SWATCH, _SWATCH)
        paint_square(painter, square, QColor(group.colour), hatched=group.hatched)
        x += _SWATCH + 6
    bold = heading_font(font)
    note_width = QFontMetricsF(font).horizontalAdvance(group.note)
    room = box.right() - x - (note_width + 12 if group.note else 0)
    metrics = QFontMetricsF(bold)
    title = metrics.elidedText(group.title, Qt.TextElideMode.ElideMiddle, room)
    baseline = box.center().y() + (metrics.ascent() - metrics.descent()) / 2
    painter.setFont(bold)
    painter.setPen(QColor(tokens.text))
    painter.drawText(QPointF(x, baseline), title)
    painter.setFont(font)
    painter.setPen(QColor(tokens.secondary))
    x += metrics.horizontalAdvance(title) + 12
    painter.drawText(QPointF(x, baseline), group.note)


def paint_frame(painter: QPainter, box: QRect, line: int, colour: str) -> None:
    """A border just outside of a box; sharp, the painter counting device pixels."""
    outer = box.adjusted(-line, -line, line, line)
    brush = QColor(colour)
    width, height = outer.width(), outer.height()
    painter.fillRect(outer.left(), outer.top(), width, line, brush)
    painter.fillRect(outer.left(), outer.bottom() - line + 1, width, line, brush)
    painter.fillRect(outer.left(), outer.top(), line, height, brush)
    painter.fillRect(outer.right() - line + 1, outer.top(), line, height, brush)


def paint_corners(painter: QPainter, box: QRect, line: int, colour: str) -> None:
    """The corners of a border just outside of a box; all of it if the box is small."""
    outer = box.adjusted(-line, -line, line, line)
    brush, side = QColor(colour), min(outer.width(), outer.height())
    arm = side if side < 10 * line else max(3 * line, side // 4)
    right, bottom = outer.right() + 1, outer.bottom() + 1
    for x in (outer.left(), right - arm):
        painter.fillRect(x, outer.top(), arm, line, brush)
        painter.fillRect(x, bottom - line, arm, line, brush)
    for y in (outer.top(), bottom - arm):
        painter.fillRect(outer.left(), y, line, arm, brush)
        painter.fillRect(right - line, y, line, arm, brush)


def paint_band(painter: QPainter, box: QRect, line: int, tokens: Tokens) -> None:
    """The rubber band."""
    inside = QColor(tokens.accent)
    inside.setAlphaF(0.07)
    painter.fillRect(box, inside)
    inner = box.adjusted(line, line, -line, -line)
    paint_frame(painter, inner, line, tokens.accent)


def paint_message(
    painter: QPainter, box: QRectF, text: str, tokens: Tokens, font: QFont
) -> None:
    """What would fill the empty view."""
    painter.fillRect(box, QColor(tokens.panel))
    painter.setFont(font)
    painter.setPen(QColor(tokens.secondary))
    width = min(_MESSAGE_WIDTH, box.width() - 24)
    inner = QRectF(box.center().x() - width / 2, box.top(), width, box.height())
    flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
    painter.drawText(inner, int(flags), text)
