"""Layout, zoom and scrolling of the grid; nothing is drawn here."""

from __future__ import annotations

from dataclasses import dataclass
from math import floor
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QEvent, QRectF, Qt
from PySide6.QtGui import QTransform
from PySide6.QtWidgets import QAbstractScrollArea, QFrame

from kernelviewer.gui.views.grid.layout import Cell, GridLayout, default_tap
from kernelviewer.gui.views.grid.paint import heading_height

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PySide6.QtCore import QPointF
    from PySide6.QtGui import QResizeEvent
    from PySide6.QtWidgets import QWidget

    from kernelviewer.gui.views.grid.mosaic import GridContent

MARGIN = 12
"""Around the kernels, logical pixels."""
_SPACE = 8
"""Between the groups, logical pixels."""
_SCROLL_STEP = 40
"""One line of the wheel, logical pixels."""
_TALLEST = 2**31 - 1
"""Scroll bars count in 32 bits."""


@dataclass(frozen=True, slots=True)
class Anchor:
    """A place in a cell (share of its pitch) that stays at a height of the view."""

    position: int
    share: float
    view_y: int


class ArrangedArea(QAbstractScrollArea):
    """Knows where every kernel stands. Setters never emit.

    All lengths named x, y, width, height or tap are device pixels, unless they say
    otherwise. Scroll bars count device pixels too.

    Attributes
    ----------
    content, plan
        What is shown, and where; ``plan`` is None while there is no kernel.
    focus, focus_position
        The focused kernel and its place in the drawing order; None: no kernel, or one
        that is not shown.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.content: GridContent | None = None
        self.plan: GridLayout | None = None
        self.focus: int | None = None
        self.focus_position: int | None = None
        self._magnification = 1.0
        self._wished_zoom = 0.0
        self._pin: Anchor | None = None
        self._arranging = False
        self._places: NDArray[np.int32] | None = None
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.viewport().setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)

    def set_content(self, content: GridContent | None) -> None:
        """Show other kernels, or the same in another order; None: no kernels.

        The view stays where it is if every kernel does; else the focused kernel stays
        at its height if it is in view; else the view starts at the top.
        """
        before, self.content = self.content, content
        if before is None or content is None or before.order is not content.order:
            self._places = None
        stays = content is not None and content.same_places(before)
        anchor = self._keep() if stays else None
        focus = self._focus_anchor()
        self.focus_position = self.position_of(self.focus)
        if content is not None and self._wished_zoom:
            self._magnification = self._wished_zoom / default_tap(content.mosaic.shape)
            self._wished_zoom = 0.0
        if not stays and focus is not None and self.focus_position is not None:
            anchor = Anchor(self.focus_position, focus.share, focus.view_y)
        self._arrange(anchor)

    def set_zoom(self, zoom: float) -> None:
        """Draw taps this large, in logical pixels; whole device pixels are used.

        0: as suits the size of the kernels. Kernels of another size are enlarged or
        reduced as much against what suits them.
        """
        if self.content is None:
            self._wished_zoom = zoom
        else:
            zoom = zoom or default_tap(self.content.mosaic.shape)
            self._zoom_to(zoom * self.ratio, self._keep())

    @property
    def zoom(self) -> float:
        """Side of a tap in logical pixels, as drawn, or as wished without kernels."""
        if self.plan is None:
            return self._wished_zoom
        return self.plan.cell.tap / self.ratio

    @property
    def zoom_range(self) -> tuple[float, float]:
        """Smallest zoom, a device pixel per tap, and largest: a kernel fills the view.

        The largest depends on the view and the kernel size.
        """
        largest = 64 if self.content is None else self._largest_tap(self.content)
        return 1 / self.ratio, largest / self.ratio

    def scroll_to(self, kernel: int) -> None:
        """Scroll as little as shows the kernel whole; nothing if it is not shown."""
        position = self.position_of(kernel)
        if position is None or self.plan is None:
            return
        cell, margin = self.plan.cell, self.pixels(MARGIN)
        x, y = self.plan.origin(position)
        top = y - cell.lead - max(margin, self.plan.heading)
        bottom = y + cell.height + margin - self.view_height
        bar = self.verticalScrollBar()
        bar.setValue(min(max(bar.value(), bottom), top))
        bar = self.horizontalScrollBar()
        right = x + cell.width + margin - self.view_width
        bar.setValue(min(max(bar.value(), right), x - margin))

    def kernel_rect(self, kernel: int) -> QRectF | None:
        """Where a kernel is drawn in the viewport, logical pixels; None: not shown."""
        position = self.position_of(kernel)
        if position is None or self.plan is None:
            return None
        x, y = self.plan.origin(position)
        left, top = self.scrolled()
        cell, scale = self.plan.cell, 1 / self.ratio
        pixels = QRectF(x - left, y - top, cell.width, cell.height)
        return QTransform.fromScale(scale, scale).mapRect(pixels)

    def kernel_at(self, point: QPointF) -> int | None:
        """Kernel at a point of the viewport, logical pixels."""
        if self.plan is None or self.content is None:
            return None
        if point.y() * self.ratio < self.stuck_bottom():
            return None
        position = self.plan.position_at(*self.content_point(point))
        return None if position is None else int(self.content.order[position])

    # What drawing and gestures ask

    @property
    def ratio(self) -> float:
        """Device pixels per logical pixel."""
        return self.devicePixelRatioF()

    @property
    def view_width(self) -> int:
        """Whole device pixels across the viewport."""
        return int(self.viewport().width() * self.ratio)

    @property
    def view_height(self) -> int:
        """Whole device pixels down the viewport."""
        return int(self.viewport().height() * self.ratio)

    def pixels(self, length: float) -> int:
        """Logical to device pixels, at least one."""
        return max(1, round(length * self.ratio))

    def scrolled(self) -> tuple[int, int]:
        """Content x, y at the viewport's top left corner."""
        return self.horizontalScrollBar().value(), self.verticalScrollBar().value()

    def content_point(self, point: QPointF) -> tuple[int, int]:
        """Content x, y of a point of the viewport in logical pixels."""
        left, top = self.scrolled()
        return (
            floor(point.x() * self.ratio) + left,
            floor(point.y() * self.ratio) + top,
        )

    def position_of(self, kernel: int | None) -> int | None:
        """Place of a kernel in the drawing order; None: it is not shown."""
        if kernel is None or self.content is None:
            return None
        places = self._find_places(self.content)
        found = int(places[kernel]) if 0 <= kernel < len(places) else -1
        return found if found >= 0 else None

    def _find_places(self, content: GridContent) -> NDArray[np.int32]:
        """Int32 [N], place of every kernel in the drawing order; −1: not shown."""
        if self._places is None:
            self._places = np.full(len(content.mosaic), -1, np.int32)
            self._places[content.order] = np.arange(len(content.order), dtype=np.int32)
        return self._places

    def stuck_bottom(self) -> int:
        """Where the heading held at the top of the view ends; 0: there is none."""
        plan, top = self.plan, self.verticalScrollBar().value()
        if plan is None or not plan.heading:
            return 0
        group = plan.group_at(top)
        if plan.tops[group] >= top:
            return 0
        return max(0, min(plan.heading, int(plan.bottoms[group]) - top))

    def redraw(self) -> None:
        """Draw anew."""
        self.viewport().update()

    # Arranging

    def _zoom_to(self, tap: float, anchor: Anchor | None) -> None:
        if self.content is None:
            return
        whole = min(max(1, round(tap)), self._largest_tap(self.content))
        usual = default_tap(self.content.mosaic.shape) * self.ratio
        self._magnification = whole / usual
        self._arrange(anchor)

    def _largest_tap(self, content: GridContent) -> int:
        """At which one kernel fills the view."""
        slices, rows, columns = content.mosaic.shape
        heading = heading_height(self.font()) if content.headed else MARGIN
        width = self.view_width - self.pixels(2 * MARGIN)
        height = self.view_height - self.pixels(heading + MARGIN)
        return max(1, min(width // (slices * columns), height // rows))

    def _arrange(self, anchor: Anchor | None) -> None:
        """Lay the kernels out anew, keeping a place in view."""
        content = self.content
        self.plan = None
        if content is not None and len(content.order):
            usual = default_tap(content.mosaic.shape) * self.ratio
            tap = max(1, round(self._magnification * usual))
            tap = min(tap, self._largest_tap(content))
            self.plan = self._make_plan(content, tap)
            if self.plan.height > _TALLEST:
                tap = max(1, int(tap * _TALLEST / self.plan.height))
                self.plan = self._make_plan(content, tap)
        self._arranging = True
        self._update_bars(anchor)
        self._arranging = False
        self._pin = anchor
        self.redraw()

    def _make_plan(self, content: GridContent, tap: int) -> GridLayout:
        heading = self.pixels(heading_height(self.font())) if content.headed else 0
        return GridLayout(
            Cell.fit(content.mosaic.shape, tap, self.ratio),
            len(content.order),
            content.starts,
            width=self.view_width,
            margin=self.pixels(MARGIN),
            heading=heading,
            space=self.pixels(_SPACE) if content.headed else 0,
        )

    def _update_bars(self, anchor: Anchor | None) -> None:
        plan = self.plan
        width, height = (plan.width, plan.height) if plan else (0, 0)
        for bar, extent, view in (
            (self.verticalScrollBar(), height, self.view_height),
            (self.horizontalScrollBar(), width, self.view_width),
        ):
            bar.setRange(0, max(0, extent - view))
            bar.setPageStep(view)
            bar.setSingleStep(self.pixels(_SCROLL_STEP))
        if plan is None or anchor is None:
            self.verticalScrollBar().setValue(0)
            return
        y = plan.origin(anchor.position)[1] + anchor.share * plan.cell.pitch_y
        self.verticalScrollBar().setValue(round(y) - anchor.view_y)

    def _anchor_at(self, position: int, view_y: int | None = None) -> Anchor:
        """What keeps a kernel in place: at a height of the view, or where it is."""
        assert self.plan is not None
        y = self.plan.origin(position)[1] - self.verticalScrollBar().value()
        if view_y is None:
            return Anchor(position, 0, y)
        return Anchor(position, (view_y - y) / self.plan.cell.pitch_y, view_y)

    def _keep(self) -> Anchor | None:
        """What keeps the first kernel in view; the same until the user scrolls."""
        if self._pin is not None or self.plan is None:
            return self._pin
        top = self.verticalScrollBar().value()
        position = self.plan.nearest(0, top + self.stuck_bottom()) if top else None
        return None if position is None else self._anchor_at(position)

    def _focus_anchor(self) -> Anchor | None:
        """What keeps the focused kernel where it is, if it is in view."""
        if self.plan is None or self.focus_position is None:
            return None
        anchor = self._anchor_at(self.focus_position)
        return anchor if 0 <= anchor.view_y < self.view_height else None

    # Qt

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Flow anew, the first kernel in view staying there."""
        super().resizeEvent(event)
        self._arrange(self._keep())

    def changeEvent(self, event: QEvent) -> None:
        """Headings follow the font."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange:
            self._arrange(self._keep())

    def event(self, event: QEvent) -> bool:
        """Whole device pixels on whatever screen the window is."""
        done = super().event(event)
        if event.type() == QEvent.Type.DevicePixelRatioChange:
            self._arrange(self._keep())
        return done

    def scrollContentsBy(self, dx: int, dy: int) -> None:
        """Draw the part that is now in view."""
        if not self._arranging:
            self._pin = None
        self.redraw()
