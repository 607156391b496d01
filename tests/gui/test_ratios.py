"""At other pixel ratios, each in a process of its own: Qt takes the ratio at start."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

START = """
import numpy as np
from PySide6.QtCore import QPoint
from PySide6.QtWidgets import QApplication, QHBoxLayout, QLabel, QVBoxLayout, QWidget
from kernelviewer.gui.theme import LIGHT
from kernelviewer.gui.views.grid.colours import index_colours, weight_colours
from kernelviewer.gui.views.reconstruction import ReconstructionContent
from kernelviewer.gui.views.reconstruction import ReconstructionView
from tests.gui.grid_harness import GridHarness, make_content
from tests.gui.spectrum_harness import SpectrumHarness, make_spectrum

app = QApplication([])
"""
GRID = """
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
SPECTRUM = """
colours = weight_colours("signed", LIGHT)
harness = SpectrumHarness(make_spectrum(), 700)
view, decoded = harness.view, ReconstructionView()
for part in (view, decoded):
    part.set_colours(colours)
window = QWidget()
window.setStyleSheet("background: #00ff00")
column = QVBoxLayout(window)
column.setContentsMargins(7, 5, 3, 3)
column.addWidget(QLabel("above"))
column.addWidget(view)
column.addWidget(decoded, 1)
table, row = view.content.table, view.content.row_at(0.4405)
decoded.set_content(ReconstructionContent(0.4405, table[row]))
window.resize(691, 713)
window.show()
app.processEvents()
ratio = window.devicePixelRatioF()
assert ratio == float(RATIO)
view.set_position(0.4405)
picture = window.grab().toImage()


def seen(x, y):
    colour = picture.pixelColor(x, y)
    return colour.red(), colour.green(), colour.blue()


def corner(widget):
    place = widget.mapTo(window, QPoint(0, 0))
    return int(place.x() * ratio + 0.5), int(place.y() * ratio + 0.5)


def check(taps, left, top, tap):
    share = taps / np.abs(taps).max()
    levels = np.rint((len(colours) - 1) / 2 * (1 + share)).astype(int)
    for (row, column), level in np.ndenumerate(levels):
        wanted = tuple(np.round(colours[level]).astype(int))
        for dy in (0, tap - 1):
            for dx in (0, tap - 1):
                at = left + column * tap + dx, top + row * tap + dy
                assert seen(*at) == wanted, (row, column, dx, dy)


strip = view.kernels
left, top = corner(strip)
tap = strip.wide // 7
assert tap > round(32 * ratio) // 14
top += (strip.pixels(32) // 7 * 7 - 7 * tap) // 2
for z, at in strip.places():
    if abs(z - 0.4405) > 0.05:
        check(table[view.content.row_at(z)], left + at, top, tap)

place = decoded.picture.picture_rect()
left, top = corner(decoded.picture)
check(table[row], left, top, round(place.width() * ratio) // 7)

accent = tuple(bytes.fromhex(LIGHT.accent[1:]))
x = corner(strip)[0] + strip.axis.pixel(0.4405)
first, last = corner(view.histogram)[1], corner(view.slider)[1] + round(9 * ratio)
broken = [y for y in range(first, last) if seen(x, y) != accent]
assert not broken, broken
for y in range(first, corner(view.slider)[1] + round(28 * ratio)):
    assert seen(left + 3, y) != (0, 0, 0), y
print("sharp")
"""


@pytest.mark.parametrize("ratio", ["1", "1.25", "1.5", "2"])
def test_taps_are_whole_pixels_in_the_grid_and_beside_an_unbroken_cursor(
    ratio: str,
) -> None:
    script = (START + GRID + SPECTRUM).replace("RATIO", repr(ratio))
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "QT_SCALE_FACTOR": ratio, "QT_QPA_PLATFORM": "offscreen"},
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[2],
        timeout=100,
        check=False,
    )
    assert done.stdout == "sharp\n" * 2, done.stderr
