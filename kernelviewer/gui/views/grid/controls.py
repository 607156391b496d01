"""Grouping, order, scale and size of the grid, in its title line."""

from __future__ import annotations

from dataclasses import replace
from math import log
from typing import TYPE_CHECKING, Any

import numpy as np
from PySide6.QtCore import QRect, QSize, Qt, Signal
from PySide6.QtGui import QColor, QIcon, QImage, QPainter, QPixmap
from PySide6.QtWidgets import QHBoxLayout, QLayout, QToolButton, QWidget

from kernelviewer.gui import theme
from kernelviewer.gui.controls import (
    PADDING,
    ChoiceButton,
    EscapableSlider,
    label_of,
    named,
)
from kernelviewer.gui.text import spaced
from kernelviewer.gui.views.grid.colours import COLORMAPS, weight_colours
from kernelviewer.gui.views.grid.painter import paint_corners
from kernelviewer.state.arrangement import Display

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PySide6.QtCore import QEvent
    from PySide6.QtGui import QPaintEvent, QResizeEvent

    from kernelviewer.state.arrangement import Mean
    from kernelviewer.state.tally import Counts

GROUPS = {
    "layer": "by layer",
    "model": "by network",
    "class": "by class",
    "code": "by code",
    "fit": "by fit",
    "key": "by key",
    "none": "ungrouped",
}
SORTS = {
    "channel": "network order",
    "class": "sorted by class",
    "code": "sorted by code",
    "fit": "best fit first",
    "scale": "largest scale first",
    "flat": "flat first",
}
BRIEF_SORTS = {
    "change": "most changed",
    "like": "most like",
    "channel": "in order",
    "class": "class",
    "code": "code",
    "fit": "fit",
    "scale": "scale",
    "flat": "flat",
}
SCALES = {
    "kernel": "scale per kernel",
    "layer": "scale per layer",
    "global": "one scale",
}
BRIEF_SCALES = {"kernel": "per kernel", "layer": "per layer"}
MEANS = {
    "auto": "without mean where classes are seen",
    "with": "with mean",
    "without": "without mean",
}
PICTURES = {
    "kernel": "kernels",
    "reconstruction": "reconstructions",
    "residual": "residuals",
    "beside": "side by side",
    "key": "a·f + b of their keys",
    "key_residual": "left over by keys",
}
BRIEF_PICTURES = {
    **{"pair": "pairs", "reconstruction": "reconstr.", "beside": "all three"},
    "strip": "film strips",
    "key": "by keys",
    "key_residual": "left over",
}
PAIRED = {
    "group_by": {"transition": "by change of class"},
    "sort_by": {"change": "most changed first"},
    "picture": {"pair": "before, after, difference"},
}
"""What is offered besides while two networks are compared."""
OF_FOUND = {"like": "nearest to what was looked for"}
"""Orders that are offered besides while a network is what is like a kernel."""
NOT_DECODED = ("pair", "strip", "key", "key_residual")
"""Pictures that need no reconstruction."""
OF_RUNS = {"strip": "film strips, first step to last"}
"""Pictures that are offered besides while a run is open."""
SWATCH = QSize(32, 10)
_ZOOM, _LEAST_ZOOM = 80, 56
"""Widths of the slider, pixels."""
KEY = 14
"""Side of the mark that is explained, pixels."""


class NearestKey(QWidget):
    """What the marked corners of kernels mean, beside such a mark."""

    TEXT = "nearest to the slider"

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("nearestKey")
        self.setAccessibleName(f"Marked corners: {self.TEXT}")
        self.setToolTip(
            "Marked corners: the kernels most like the pattern at the spectrum's slider"
        )

    def sizeHint(self) -> QSize:
        """Qt: the mark and the text."""
        metrics = self.fontMetrics()
        wide = KEY + 3 * PADDING + metrics.horizontalAdvance(self.TEXT)
        return QSize(wide, metrics.height())

    def minimumSizeHint(self) -> QSize:
        """Qt: the text is never cut."""
        return self.sizeHint()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Qt: paint the mark and the text."""
        painter, tokens = QPainter(self), theme.tokens()
        box = QRect(PADDING + 2, (self.height() - KEY) // 2 + 2, KEY - 4, KEY - 4)
        paint_corners(painter, box, 1, tokens.accent)
        painter.setPen(QColor(tokens.secondary))
        left = KEY + 2 * PADDING
        flags = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        painter.drawText(self.rect().adjusted(left, 0, 0, 0), flags, self.TEXT)


class GridControls(QWidget):
    """Counts, grouping, sorting, scale, colour map and zoom of the grid."""

    display_requested = Signal(object)
    mean_requested = Signal(str)
    """Draw kernels with or without their mean: a `Mean`."""
    colormap_requested = Signal(str)
    show_all_requested = Signal()
    """Show what is not selected as well."""
    zoom_requested = Signal(float)
    """Logical pixels per tap."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._display = Display()
        self._zoom_range = (1.0, 64.0)
        self._long_counts = self._brief_counts = ""
        self._decodable = True
        self._ground: theme.Tokens | None = None
        self.counts = label_of(self, name="gridCounts", role="secondary")
        self.only_selected = named(QToolButton(self), "onlySelected")
        self.only_selected.setProperty("chip", True)
        self.only_selected.setText("only selected ×")
        self.only_selected.setToolTip("Show all kernels again (Ctrl+H)")
        self.only_selected.setAccessibleName("Only selected kernels; show all again")
        self.only_selected.clicked.connect(self.show_all_requested)
        text = self.fontMetrics().horizontalAdvance(self.only_selected.text())
        self.only_selected.setFixedWidth(text + 3 * PADDING)
        self.only_selected.hide()
        self.group_by = ChoiceButton("groupBy", "Group kernels", GROUPS, self)
        self.sort_by = ChoiceButton(
            "sortBy", "Sort kernels in a group", SORTS, self, BRIEF_SORTS
        )
        self.scale_mode = ChoiceButton(
            "scaleMode", "Scale of the colours", SCALES, self, BRIEF_SCALES
        )
        self.mean = ChoiceButton("meanMode", "Mean of the kernels", MEANS, self)
        self.mean.chosen.connect(self.mean_requested)
        self.scale_mode.join(self.mean)
        self.picture = ChoiceButton(
            "gridPicture", "Show of each kernel", PICTURES, self, BRIEF_PICTURES
        )
        self.colormap = ChoiceButton("colormap", "Colour map", COLORMAPS, self)
        self.zoom = EscapableSlider(self)
        self.zoom.setObjectName("zoomSlider")
        self.zoom.setAccessibleName("Zoom of the kernel grid")
        self.zoom.setToolTip("Zoom (Ctrl+wheel)")
        self.zoom.setRange(0, 100)
        self.zoom.setFixedWidth(_ZOOM)
        self._buttons = {
            "group_by": self.group_by,
            "sort_by": self.sort_by,
            "scale_mode": self.scale_mode,
            "picture": self.picture,
        }
        self._line = line = QHBoxLayout(self)
        line.setSizeConstraint(QLayout.SizeConstraint.SetNoConstraint)
        line.setContentsMargins(8, 0, 6, 0)
        line.setSpacing(2)
        line.addWidget(self.counts)
        line.addWidget(self.only_selected)
        for button in self._buttons.values():
            line.addWidget(button)
        self.near = NearestKey(self)
        self._marked = False
        line.addWidget(self.near)
        line.addStretch(1)
        line.addWidget(self.colormap)
        line.addWidget(self.zoom)
        for name, button in self._buttons.items():
            button.chosen.connect(lambda key, name=name: self._ask(**{name: key}))
        self.colormap.chosen.connect(self.colormap_requested)
        self.zoom.valueChanged.connect(self._on_zoom_moved)
        self._show_colormaps()

    def minimumSizeHint(self) -> QSize:
        """Qt: the panel may be narrower than the long texts; then they are short."""
        return QSize(260, super().minimumSizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Qt: short texts, then no total, then no count, where it is narrow."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        """Use the longest texts that there is room for; then buttons shorten theirs."""
        long, short = self._long_counts, self._brief_counts
        room = (
            *((False, long, _ZOOM, True), (True, long, _ZOOM, True)),
            *((True, long, _ZOOM, False), (True, short, _ZOOM, False)),
            (True, "", _LEAST_ZOOM, False),
        )
        for brief, counts, zoom, near in room:
            self.near.setVisible(near and self._marked)
            for button in self._buttons.values():
                button.set_brief(brief)
            self.counts.setText(counts)
            self.counts.setVisible(bool(counts))
            self.zoom.setFixedWidth(zoom)
            if self._line.sizeHint().width() <= self.width():
                return

    def set_display(self, display: Display) -> None:
        """Show how the grid is grouped, sorted and scaled."""
        self._display = display
        for name, button in self._buttons.items():
            button.set_choice(getattr(display, name))
        if not self._decodable and display.picture not in NOT_DECODED:
            self.picture.set_choice("kernel")
        self._fit()

    def set_mean(self, choice: Mean, left_out: bool) -> None:
        """Show what was chosen, and say so where the mean is left out."""
        self.mean.set_choice(choice)
        notes = (", without mean", ", no mean") if left_out else ("", "")
        self.scale_mode.set_notes(*notes)
        self._fit()

    def set_marked(self, marked: bool) -> None:
        """Say what the marked corners mean, where kernels have some."""
        if marked != self._marked:
            self._marked = marked
            self._fit()

    def set_offers(self, comparing: bool, running: bool, found: bool) -> None:
        """Offer what needs a comparison, a run, or what was found by a kernel."""
        pictures = {**PICTURES, **OF_RUNS} if running else PICTURES
        sorts = {**SORTS, **OF_FOUND} if found else SORTS
        plain = {"group_by": GROUPS, "sort_by": sorts, "picture": pictures}
        for name, choices in plain.items():
            more = PAIRED[name] if comparing else {}
            self._buttons[name].set_choices({**choices, **more})
        self.picture.setEnabled(self._decodable or comparing or running)

    def set_decodable(self, decodable: bool, why: str = "") -> None:
        """Offer reconstructions, or say why there are none; then kernels are shown."""
        self._decodable = decodable
        self.set_display(self._display)
        more = len(self.picture.choices) > len(PICTURES)
        self.picture.setEnabled(decodable or more)
        if not self.picture.isEnabled():
            self.picture.setToolTip(why)

    def set_colormap(self, key: str) -> None:
        """Show the colour map in use."""
        self.colormap.set_choice(key)

    def changeEvent(self, event: QEvent) -> None:
        """Qt: show the colour maps as they look on this ground."""
        super().changeEvent(event)
        if theme.is_theme_change(event):
            self._show_colormaps()

    def _show_colormaps(self) -> None:
        tokens = theme.tokens()
        if tokens is not self._ground:  # a change of style tells of each of its parts
            self._ground = tokens
            icons = {key: _swatch(weight_colours(key, tokens)) for key in COLORMAPS}
            self.colormap.set_icons(icons, SWATCH)

    def set_counts(self, counts: Counts, pairs: str | None = None) -> None:
        """Say how many kernels are shown, or how many pairs."""
        only = counts.only_selected
        part, whole = (
            (counts.selected, counts.shown) if only else (counts.shown, counts.total)
        )
        self._long_counts = pairs or f"{spaced(part)} of {spaced(whole)}"
        self._brief_counts = pairs.partition(" of ")[0] if pairs else spaced(part)
        noun = "" if pairs else " kernels"
        self.counts.setToolTip(f"{self._long_counts}{noun} of this size are shown")
        self.only_selected.setVisible(only)
        self._fit()

    def set_zoom(self, zoom: float, zoom_range: tuple[float, float]) -> None:
        """Show the grid's zoom and its range, logical pixels per tap."""
        self._zoom_range = low, high = zoom_range
        share = log(max(zoom, low) / low) / log(high / low) if high > low else 0
        self.zoom.blockSignals(True)
        self.zoom.setValue(round(100 * share))
        self.zoom.blockSignals(False)

    def _ask(self, **changes: Any) -> None:
        self.display_requested.emit(replace(self._display, **changes))

    def _on_zoom_moved(self, value: int) -> None:
        low, high = self._zoom_range
        self.zoom_requested.emit(low * (high / low) ** (value / 100))


def _swatch(colours: NDArray[np.float64]) -> QIcon:
    """A colour map as a small strip."""
    strip = np.ascontiguousarray(np.round(colours).astype(np.uint8)[None])
    form = QImage.Format.Format_RGB888
    image = QImage(strip.data, len(colours), 1, 3 * len(colours), form).copy()
    return QIcon(QPixmap.fromImage(image.scaled(SWATCH * 2)))
