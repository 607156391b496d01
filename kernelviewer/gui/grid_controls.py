"""The line above the kernel grid: what is shown, and how."""

from __future__ import annotations

from dataclasses import replace
from math import log
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QActionGroup
from PySide6.QtWidgets import QHBoxLayout, QLabel, QMenu, QSlider, QToolButton, QWidget

from kernelviewer.gui.text import spaced
from kernelviewer.gui.views.grid.colours import COLORMAPS
from kernelviewer.state.arrangement import Display

if TYPE_CHECKING:
    from PySide6.QtGui import QAction

    from kernelviewer.state.presenter import Counts

BUTTON_PADDING = 7

GROUPS = {
    "layer": "by layer",
    "model": "by network",
    "class": "by class",
    "none": "ungrouped",
}
SORTS = {
    "channel": "network order",
    "scale": "largest scale first",
    "flat": "flat first",
    "code": "sorted by code",
    "fit": "best fit first",
}
SCALES = {
    "kernel": "scale per kernel",
    "layer": "scale per layer",
    "global": "one scale",
}


class ChoiceButton(QToolButton):
    """A flat button that shows the choice made and offers the others."""

    chosen = Signal(str)

    def __init__(
        self, name: str, title: str, choices: dict[str, str], parent: QWidget
    ) -> None:
        super().__init__(parent)
        self.setObjectName(name)
        self._title = title
        self.setToolTip(title)
        self._menu = menu = QMenu(self)
        self._group = QActionGroup(self)
        self._actions: dict[str, QAction] = {}
        for key, text in choices.items():
            action = menu.addAction(text)
            action.setCheckable(True)
            action.setData(key)
            self._group.addAction(action)
            self._actions[key] = action
        self.clicked.connect(self._open_menu)
        self._group.triggered.connect(lambda action: self.chosen.emit(action.data()))

    def sizeHint(self) -> QSize:
        """Qt: as wide as its text; a tool button would add two letters."""
        text = self.fontMetrics().horizontalAdvance(self.text())
        return QSize(text + 2 * BUTTON_PADDING, super().sizeHint().height())

    def minimumSizeHint(self) -> QSize:
        """Qt: the text is never cut."""
        return self.sizeHint()

    def _open_menu(self) -> None:
        """A menu set on the button would make it wider for an arrow of its own."""
        self._menu.popup(self.mapToGlobal(self.rect().bottomLeft()))

    def set_choice(self, key: str) -> None:
        """Show this choice as made."""
        action = self._actions[key]
        action.setChecked(True)
        self.setText(f"{action.text()} ▾")
        self.setAccessibleName(f"{self._title}: {action.text()}")


class GridControls(QWidget):
    """Counts, grouping, sorting, scale, colour map and zoom of the grid."""

    display_requested = Signal(object)
    colormap_requested = Signal(str)
    show_all_requested = Signal()
    """Show what is not selected as well."""
    zoom_requested = Signal(float)
    """Logical pixels per tap."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._display = Display()
        self._zoom_range = (1.0, 64.0)
        self.counts = QLabel(self)
        self.counts.setObjectName("gridCounts")
        self.counts.setProperty("role", "secondary")
        self.only_selected = QToolButton(self)
        self.only_selected.setObjectName("onlySelected")
        self.only_selected.setProperty("chip", True)
        self.only_selected.setText("only selected ×")
        self.only_selected.setToolTip("Show all kernels again (Ctrl+H)")
        self.only_selected.setAccessibleName("Only selected kernels; show all again")
        self.only_selected.clicked.connect(self.show_all_requested)
        self.only_selected.hide()
        self.group_by = ChoiceButton("groupBy", "Group kernels", GROUPS, self)
        self.sort_by = ChoiceButton("sortBy", "Sort kernels in a group", SORTS, self)
        self.scale_mode = ChoiceButton(
            "scaleMode", "Scale of the colours", SCALES, self
        )
        self.colormap = ChoiceButton("colormap", "Colour map", COLORMAPS, self)
        self.zoom = QSlider(Qt.Orientation.Horizontal, self)
        self.zoom.setObjectName("zoomSlider")
        self.zoom.setAccessibleName("Zoom of the kernel grid")
        self.zoom.setToolTip("Zoom (Ctrl+wheel)")
        self.zoom.setRange(0, 100)
        self.zoom.setFixedWidth(80)
        line = QHBoxLayout(self)
        line.setContentsMargins(8, 0, 6, 0)
        line.setSpacing(2)
        line.addWidget(self.counts)
        line.addWidget(self.only_selected)
        for button in (self.group_by, self.sort_by, self.scale_mode):
            line.addWidget(button)
        line.addStretch(1)
        line.addWidget(self.colormap)
        line.addWidget(self.zoom)
        for name, button in (
            ("group_by", self.group_by),
            ("sort_by", self.sort_by),
            ("scale_mode", self.scale_mode),
        ):
            button.chosen.connect(lambda key, name=name: self._ask(**{name: key}))
        self.colormap.chosen.connect(self.colormap_requested)
        self.zoom.valueChanged.connect(self._on_zoom_moved)

    def set_display(self, display: Display) -> None:
        """Show how the grid is grouped, sorted and scaled."""
        self._display = display
        self.group_by.set_choice(display.group_by)
        self.sort_by.set_choice(display.sort_by)
        self.scale_mode.set_choice(display.scale_mode)

    def set_colormap(self, key: str) -> None:
        """Show the colour map in use."""
        self.colormap.set_choice(key)

    def set_counts(self, counts: Counts) -> None:
        """Say how many kernels are shown."""
        only = counts.only_selected
        part, whole = (
            (counts.selected, counts.shown) if only else (counts.shown, counts.total)
        )
        self.counts.setText(f"{spaced(part)} of {spaced(whole)}")
        self.only_selected.setVisible(only)

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
