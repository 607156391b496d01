"""At other pixel ratios, each in a process of its own: Qt takes the ratio at start."""

from __future__ import annotations

import pytest

from tests.gui.ratios import RATIOS, run_at_ratio

SCRIPT = """
import numpy as np
from PySide6.QtCore import QPoint
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QHBoxLayout, QLabel, QWidget
from kernelviewer.gui.theme import LIGHT
from kernelviewer.gui.views.grid.colours import index_colours
from tests.gui.grid_harness import (GridHarness, make_content)

app = QApplication([])
harness = GridHarness(make_content(), 420, 300)
window = QWidget()
line = QHBoxLayout(window)
line.setContentsMargins(7, 5, 3, 3)
line.addWidget(QLabel("beside"))
line.addWidget(harness.grid, 1)
window.resize(611, 333)
window.show()
grid, ratio = harness.grid, window.devicePixelRatioF()
assert ratio == float(RATIO)
table = np.round(index_colours("signed", LIGHT)).astype(int)
for zoom in (1, 2.4, 6, 17):
    grid.set_zoom(zoom)
    tap = grid.plan.cell.tap
    assert tap == round(zoom * ratio)
    corner = grid.viewport().mapTo(window, QPoint(0, 0))
    for kernel in (0, 3, 11):
        grid.scroll_to(kernel)
        picture = window.grab().toImage()
        x, y = grid.plan.origin(kernel)
        left = round(corner.x() * ratio) + x
        top = round(corner.y() * ratio) + y - grid.verticalScrollBar().value()
        for (row, column), index in np.ndenumerate(
            grid.content.mosaic.tiles[kernel][:, :-1]
        ):
            for dy in (0, tap - 1):
                for dx in (0, tap - 1):
                    at = left + column * tap + dx, top + row * tap + dy
                    colour = picture.pixelColor(*at)
                    seen = colour.red(), colour.green(), colour.blue()
                    assert seen == tuple(table[index]), (zoom, kernel, row, column)
        harness.click(kernel)
        assert harness.asked[-1] == ("focus", kernel)
print("sharp")
"""


@pytest.mark.parametrize("ratio", RATIOS)
def test_every_tap_is_whole_pixels(ratio: str) -> None:
    run_at_ratio(SCRIPT, ratio)
