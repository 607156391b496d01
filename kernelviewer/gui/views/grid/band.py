"""The rubber band: drag to select, scrolling at the edges of the view."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QObject, QPointF, QRect, QTimer

from kernelviewer.gui.views.grid.selecting import combine

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kernelviewer.gui.views.grid.selecting import Mode
    from kernelviewer.gui.views.grid.view import GridView

_TICK = 16
"""Between two steps of scrolling at the edge, milliseconds."""
_SPEED = 0.25
"""Part of the distance beyond the edge that one step scrolls."""


class RubberBand(QObject):
    """A band over a view, from a press until it is finished or dropped.

    It shows what the selection would become; only `finish` says what to ask for.
    """

    def __init__(self, view: GridView) -> None:
        super().__init__(view)
        self._view = view
        self._mode: Mode = "replace"
        self._start: tuple[int, int] | None = None
        self._cursor = QPointF()
        self._ids = np.zeros(0, np.int64)
        self._timer = QTimer(self, interval=_TICK)
        self._timer.timeout.connect(self._on_timer_timeout)

    @property
    def active(self) -> bool:
        """Whether a band is drawn."""
        return self._start is not None

    def start(self, point: QPointF, mode: Mode) -> None:
        """Begin at a point of the viewport."""
        self._start = self._view.content_point(point)
        self._mode = mode
        self.move(point)

    def move(self, point: QPointF) -> None:
        """Follow the cursor; near or beyond an edge the view scrolls by itself."""
        self._cursor = point
        if self._overshoot():
            self._timer.start()
        else:
            self._timer.stop()
        self.refresh()

    def finish(self) -> tuple[NDArray[np.int64], Mode]:
        """Kernel ids under the band, in drawing order, and what to do with them."""
        ids = self._ids
        self.drop()
        return ids, self._mode

    def drop(self) -> None:
        """End without a result."""
        self._timer.stop()
        self._start = None
        self._ids = np.zeros(0, np.int64)
        self._view.set_preview(None)

    def box(self) -> QRect | None:
        """The band in device pixels of the viewport."""
        if self._start is None:
            return None
        x0, y0, x1, y1 = self._corners()
        left, top = self._view.scrolled()
        return QRect(x0 - left, y0 - top, x1 - x0 + 1, y1 - y0 + 1)

    def _corners(self) -> tuple[int, int, int, int]:
        assert self._start is not None
        (x0, y0), (x1, y1) = self._start, self._view.content_point(self._cursor)
        return min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)

    def _overshoot(self) -> float:
        """How far above (negative) or below the viewport the cursor is."""
        y, height = self._cursor.y(), self._view.viewport().height()
        return min(y, 0) or max(y - height + 1, 0)

    def _on_timer_timeout(self) -> None:
        step = self._overshoot() * _SPEED
        bar = self._view.verticalScrollBar()
        bar.setValue(bar.value() + round(np.copysign(max(abs(step), 2), step)))

    def refresh(self) -> None:
        """Find the kernels anew: the cursor moved, or the view under it."""
        content, plan = self._view.content, self._view.plan
        if content is None or plan is None:
            self.drop()
            return
        self._ids = content.order[plan.positions_in(*self._corners())]
        count = len(content.mosaic)
        selected = self._view.selected
        self._view.set_preview(combine(selected, count, self._ids, self._mode))
