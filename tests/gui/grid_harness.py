"""A grid on its own: a stand-in for the document answers what it asks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import (
    QWheelEvent,
)
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from kernelviewer.gui.views.grid.grid import KernelGrid, combine
from kernelviewer.gui.views.grid.mosaic import GridContent, GridGroup, build_mosaic
from tests.gui.harness import LEFT, NO_KEY, ViewHarness

if TYPE_CHECKING:
    from PySide6.QtGui import QColor


def make_content(
    count: int = 60,
    size: tuple[int, ...] = (7, 7),
    cuts: tuple[int, ...] = (0, 10, 11),
    **more: object,
) -> GridContent:
    """Random kernels in groups that start at the cuts."""
    weights = np.random.default_rng(3).standard_normal((count, *size), np.float32)
    groups = tuple(GridGroup(cut, f"layer {cut}", "9 kernels") for cut in cuts)
    more.setdefault("order", np.arange(count))
    return GridContent(build_mosaic([weights]), groups=groups, **more)  # type: ignore[arg-type]


class GridHarness(ViewHarness):
    """Keeps focus and selection as the document would."""

    def __init__(
        self, content: GridContent | None = None, width: int = 420, height: int = 300
    ) -> None:
        self.grid = KernelGrid()
        heard = ("zoom_changed", "context_menu_requested", "activated")
        super().__init__(self.grid, heard)
        self.count = 0 if content is None else len(content.mosaic)
        self.selected = np.zeros(self.count, bool)
        grid = self.grid
        grid.focus_requested.connect(self._on_focus_requested)
        grid.selection_requested.connect(self._on_selection_requested)
        grid.resize(width, height)
        grid.set_content(content)
        grid.show()

    def _on_focus_requested(self, kernel: int) -> None:
        self.asked.append(("focus", kernel))
        self.grid.set_focus(kernel)

    def _on_selection_requested(self, ids: object, mode: str) -> None:
        ids = np.asarray(ids)
        self.asked.append(("selection", ids.tolist(), mode))
        self.selected = combine(self.selected, self.count, ids, mode)  # type: ignore[arg-type]
        self.grid.set_selection(self.selected)

    @property
    def chosen(self) -> list[int]:
        """Selected kernel ids."""
        return np.flatnonzero(self.selected).tolist()

    def centre(self, kernel: int) -> QPoint:
        """Where to click a kernel."""
        box = self.grid.kernel_rect(kernel)
        assert box is not None
        return box.center().toPoint()

    def click(self, kernel: int, keys: Qt.KeyboardModifier = NO_KEY) -> None:
        QTest.mouseClick(self.grid.viewport(), LEFT, keys, self.centre(kernel))

    def drag(
        self, start: QPoint, end: QPoint, keys: Qt.KeyboardModifier = NO_KEY
    ) -> None:
        """Press, draw a band and let go."""
        self.press_and_move(start, end, keys)
        QTest.mouseRelease(self.grid.viewport(), LEFT, keys, end)

    def press_and_move(
        self, start: QPoint, end: QPoint, keys: Qt.KeyboardModifier = NO_KEY
    ) -> None:
        area = self.grid.viewport()
        QTest.mousePress(area, LEFT, keys, start)
        QTest.mouseMove(area, (start + end) / 2)
        QTest.mouseMove(area, end)

    def key(self, key: Qt.Key, keys: Qt.KeyboardModifier = NO_KEY) -> None:
        QTest.keyClick(self.grid, key, keys)

    def wheel(
        self,
        at: QPoint,
        *,
        angle: int = 0,
        pixels: int = 0,
        keys: Qt.KeyboardModifier = NO_KEY,
    ) -> None:
        """Turn the wheel over a point of the viewport."""
        area = self.grid.viewport()
        event = QWheelEvent(
            QPointF(at),
            QPointF(area.mapToGlobal(at)),
            QPoint(0, pixels),
            QPoint(0, angle),
            Qt.MouseButton.NoButton,
            keys,
            Qt.ScrollPhase.NoScrollPhase,
            False,
        )
        QApplication.sendEvent(area, event)

    def colour(self, point: QPoint) -> QColor:
        """What is on the screen at a point of the viewport."""
        picture = self.grid.viewport().grab().toImage()
        return picture.pixelColor(point * picture.devicePixelRatio())
