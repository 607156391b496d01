"""A spectrum made of Gaussian derivatives, and a stand-in for the document."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QEvent, QPoint
from PySide6.QtGui import QHelpEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QToolTip

from kernelviewer.gui.theme import LIGHT
from kernelviewer.gui.views.grid.colours import weight_colours
from kernelviewer.gui.views.spectrum.content import SpectrumContent, StretchSpan
from kernelviewer.gui.views.spectrum.histogram import bin_codes, count_codes
from kernelviewer.gui.views.spectrum.view import SpectrumView
from kernelviewer.kernels.classes import INDEX
from tests.gui.harness import LEFT, NO_KEY, ViewHarness

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PySide6.QtCore import Qt
    from PySide6.QtWidgets import QWidget

STRETCHES = (
    ("on-centre", 0.137),
    ("off-cross", 0.177),
    ("on-centre", 0.275),
    ("on-cross", 0.315),
    ("off-centre", 0.344),
    ("on-square", 0.413),
    ("on-centre", 0.429),
    ("off-cross", 0.446),
    ("d1-x", 0.5),
    ("on-cross", 0.566),
    ("on-centre", 0.617),
    ("d1-y", 0.68),
    ("on-centre", 0.689),
    ("d2-x", 0.705),
    ("d2-y", 0.722),
    ("off-centre", 0.763),
    ("d1-y", 0.779),
    ("d2-xy", 0.796),
    ("d1-y", 0.869),
    ("off-square", 0.925),
    ("d1-x", 0.956),
    ("off-cross", 0.99),
    ("d1-y", 1.0),
)
"""Class and end of each stretch of the synthetic spectrum."""


def pattern(name: str, size: tuple[int, ...]) -> NDArray[np.float32]:
    """A family member of a class on a grid of this size, mean 0 and length 1."""
    axes = [np.arange(taps) - (taps - 1) / 2 for taps in size]
    grid = np.meshgrid(*axes, indexing="ij")
    y, x = (grid[-2], grid[-1]) if len(size) > 1 else (0 * grid[0], grid[0])
    depth = sum((g**2 for g in grid[:-2]), np.zeros(size))
    wide = max(size) / 7
    if "square" in name:
        x, y = x - 0.5, y - 0.5
    s = wide * (1.5 if "square" in name else 0.8)
    bell = np.exp(-(x**2 + y**2 + depth) / (2 * s**2))
    shapes = {
        "centre": bell - 0.3 * np.exp(-(x**2 + y**2 + depth) / (2 * (2 * s) ** 2)),
        "square": bell,
        "cross": np.exp(-(x**2 / 9 + y**2) / s**2) + np.exp(-(x**2 + y**2 / 9) / s**2),
        "d1-x": x * bell,
        "d1-y": y * bell,
        "d2-x": (x**2 / s**2 - 1) * bell,
        "d2-y": (y**2 / s**2 - 1) * bell,
        "d2-xy": x * y * bell,
    }
    values = shapes[name.split("-", 1)[1] if name[0] == "o" else name]
    values = values - values.mean()
    sign = -1 if name.startswith("off") else 1
    return (sign * values / max(np.linalg.norm(values), 1e-9)).astype(np.float32)


def make_spectrum(size: tuple[int, ...] = (7, 7), rows: int = 2048) -> SpectrumContent:
    """A decoded table that goes through the stretches, and the stretches."""
    starts = [0.0, *(stop for _, stop in STRETCHES)][:-1]
    names = [name for name, _ in STRETCHES]
    stops = [stop for _, stop in STRETCHES]
    middles = [(a + b) / 2 for a, b in zip(starts, stops, strict=True)]
    keys = np.stack([pattern(name, size).ravel() for name in names])
    keys += 0.02 * np.random.default_rng(5).standard_normal(keys.shape)
    at = np.interp(np.linspace(0, 1, rows), middles, np.arange(len(names)))
    low = np.minimum(at.astype(int), len(names) - 2)
    share = np.clip((at - low - 0.5) * 2.2 + 0.5, 0, 1)[:, None]
    table = keys[low] * (1 - share) + keys[low + 1] * share
    table -= table.mean(axis=1, keepdims=True)
    table /= np.maximum(np.linalg.norm(table, axis=1, keepdims=True), 1e-9)
    stretches = tuple(
        StretchSpan(start, stop, INDEX[name], 0.8 + 0.01 * i)
        for i, (start, (name, stop)) in enumerate(zip(starts, STRETCHES, strict=True))
    )
    return SpectrumContent(table.reshape(rows, *size).astype(np.float32), stretches)


def make_codes(count: int = 3416, seed: int = 0) -> NDArray[np.float32]:
    """Codes in clumps; a few kernels have none."""
    rng = np.random.default_rng(seed)
    places = rng.random(24)
    codes = rng.choice(places, count) + rng.normal(0, 0.02, count)
    codes = np.clip(codes, 0, 1).astype(np.float32)
    codes[::97] = np.nan
    return codes


HEARD = (
    *("range_moved", "range_requested", "range_dropped", "clear_requested"),
    *("border_moved", "border_set", "border_dropped", "rename_requested"),
    *("split_requested", "merge_requested", "reset_requested", "train_requested"),
)


class SpectrumHarness(ViewHarness):
    """Answers what the view asks as the document would."""

    view: SpectrumView

    def __init__(
        self, content: SpectrumContent | None, width: int = 1100, count: int = 3416
    ) -> None:
        super().__init__(SpectrumView(), HEARD)
        self.codes = make_codes(count)
        self.bins = bin_codes(self.codes)
        self.selected = np.zeros(count, bool)
        self.view.position_requested.connect(self._on_position_requested)
        self.view.border_set.connect(self._on_border_set)
        self.view.range_requested.connect(self._on_range_requested)
        self.view.set_colours(weight_colours("signed", LIGHT))
        self.view.set_spectrum(content)
        self.show_density()
        self.view.resize(width, self.view.sizeHint().height())
        self.view.show()

    def show_density(self) -> None:
        self.view.set_density(count_codes(self.bins, None, self.selected))

    def _on_position_requested(self, z: float) -> None:
        self.asked.append(("position", z))
        self.view.set_position(z)

    def _on_border_set(self, border: int, z: float) -> None:
        content = self.view.content
        assert content is not None
        self.view.set_spectrum(replace(content.with_border(border, z), edited=True))

    def _on_range_requested(self, low: float, high: float, mode: str) -> None:
        inside = (self.codes >= low) & (self.codes <= high)
        match mode:
            case "add":
                self.selected = self.selected | inside
            case "subtract":
                self.selected = self.selected & ~inside
            case "intersect":
                self.selected = self.selected & inside
            case _:
                self.selected = inside
        self.view.set_ranges(((low, high),))
        self.show_density()


def at(harness: SpectrumHarness, z: float, y: int = 8) -> QPoint:
    """Where a code lies on any strip."""
    return QPoint(round(harness.view.slider.axis.logical(z)), y)


def drag(
    harness: SpectrumHarness,
    widget: QWidget,
    start: float,
    end: float,
    keys: Qt.KeyboardModifier = NO_KEY,
    *,
    drop: bool = True,
) -> None:
    QTest.mousePress(widget, LEFT, keys, at(harness, start))
    QTest.mouseMove(widget, at(harness, (start + end) / 2))
    QTest.mouseMove(widget, at(harness, end))
    if drop:
        QTest.mouseRelease(widget, LEFT, keys, at(harness, end))


def wheel(
    widget: QWidget,
    *,
    angle: int = 0,
    pixels: int = 0,
    keys: Qt.KeyboardModifier = NO_KEY,
) -> None:
    """Turn the wheel over a widget, as the window system would."""
    window = widget.window()
    place = widget.mapTo(window, widget.rect().center())
    turn, way = QPoint(0, angle), QPoint(0, pixels)
    QTest.wheelEvent(window.windowHandle(), place, turn, way, keys)


def colours_at(widget: QWidget, x: float) -> set[str]:
    """Colours on the screen in one column of pixels."""
    picture = widget.grab().toImage()
    ratio = picture.devicePixelRatio()
    rows = range(picture.height())
    return {picture.pixelColor(int(x * ratio), row).name() for row in rows}


def tip(widget: QWidget, place: QPoint) -> str:
    """What is said under the mouse."""
    event = QHelpEvent(QEvent.Type.ToolTip, place, widget.mapToGlobal(place))
    QApplication.sendEvent(widget, event)
    text = QToolTip.text()
    QToolTip.hideText()
    return text
