"""Makes the window's widgets from the registry and lays them out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt

from kernelviewer.gui.frame.layouts import AREAS, BY_ID, arrange_panels
from kernelviewer.gui.frame.panel import DockPanel, Panel, stacked
from kernelviewer.gui.parts import Parts
from kernelviewer.gui.registry import VIEWS

if TYPE_CHECKING:
    from PySide6.QtWidgets import QMainWindow, QWidget

    from kernelviewer.gui.view_spec import ViewSpec

CORNERS = {
    Qt.Corner.TopLeftCorner: "left",
    Qt.Corner.TopRightCorner: "right",
    Qt.Corner.BottomLeftCorner: "left",
    Qt.Corner.BottomRightCorner: "right",
}


def make_parts(window: QMainWindow) -> Parts:
    """Make the widgets of every view and put the grid into the window's centre."""
    made = {
        name: make(window)
        for spec in VIEWS
        for name, make in {**spec.make, **spec.controls}.items()
    }
    parts = Parts(**made)
    panel = Panel("Kernels", parts.grid)
    panel.title_line.line.addWidget(parts.controls, 1)
    parts.centre.addWidget(parts.welcome)
    parts.centre.addWidget(panel)
    window.setCentralWidget(parts.centre)
    return parts


def make_docks(window: QMainWindow, parts: Parts) -> dict[str, DockPanel]:
    """Put the panels around the centre, as docks by name."""
    docks = {spec.id: _dock(spec, parts) for spec in VIEWS if spec.is_panel}
    docks["jobs"].hide()
    arrange_panels(window, docks, BY_ID["explore"])
    for corner, side in CORNERS.items():
        window.setCorner(corner, AREAS[side])
    return docks


def widgets_of(spec: ViewSpec, parts: Parts) -> dict[str, QWidget]:
    """The widgets of one view."""
    return {name: getattr(parts, name) for name in (*spec.make, *spec.controls)}


def _dock(spec: ViewSpec, parts: Parts) -> DockPanel:
    widgets = [getattr(parts, name) for name in spec.make]
    body = widgets[0] if len(widgets) == 1 else stacked(*widgets, grow=spec.grow)
    if spec.width:
        body.setMinimumWidth(spec.width)
    dock = DockPanel(f"{spec.id}Dock", spec.title, body, spec.short)
    for name in spec.controls:
        dock.title_line.add_control(getattr(parts, name))
    return dock
