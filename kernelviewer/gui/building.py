"""Makes the window's widgets and lays them out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QLabel,
    QPushButton,
    QStackedWidget,
)

from kernelviewer.gui.controls.chart_controls import ChartControls
from kernelviewer.gui.controls.grid_controls import GridControls
from kernelviewer.gui.controls.names_line import NamesLine
from kernelviewer.gui.controls.selection_chips import SelectionChips
from kernelviewer.gui.controls.size_bar import SizeBar
from kernelviewer.gui.controls.threshold_bar import ThresholdBar
from kernelviewer.gui.frame.layouts import AREAS, BY_ID, arrange_panels
from kernelviewer.gui.frame.panel import DockPanel, Panel, stacked
from kernelviewer.gui.palette.line import PaletteLine
from kernelviewer.gui.parts import Parts
from kernelviewer.gui.views.classes.composition import LayerComposition
from kernelviewer.gui.views.classes.histogram import ClassHistogram
from kernelviewer.gui.views.grid.grid import KernelGrid
from kernelviewer.gui.views.inspector import Inspector
from kernelviewer.gui.views.jobs_panel import JobsPanel
from kernelviewer.gui.views.model_tree import ModelTree
from kernelviewer.gui.views.reconstruction.comparison import ComparisonView
from kernelviewer.gui.views.reconstruction.view import ReconstructionView
from kernelviewer.gui.views.scatter import ScatterView
from kernelviewer.gui.views.spectrum.view import SpectrumView
from kernelviewer.gui.views.welcome import Welcome

if TYPE_CHECKING:
    from PySide6.QtWidgets import (
        QMainWindow,
    )


LEAST_GRID = 48
"""Height of the grid in a window that is too low for all panels."""

LEAST_TREE = 156
"""Least width of the list of networks: a window that was made small and large again
keeps it as narrow as Qt let it become. More would not fit into the smallest window
beside three charts in a row."""

FOCUSED_WIDE = 277
"""Least width of what is said of a focused kernel: without one the panel is as wide, so
that the first click into the grid moves nothing."""


def make_parts(window: QMainWindow) -> Parts:
    """Make the widgets and put the grid into the window's centre."""
    grid = KernelGrid(window)
    grid.setMinimumHeight(LEAST_GRID)
    centre = QStackedWidget(window)
    parts = Parts(
        tree=ModelTree(window),
        grid=grid,
        controls=GridControls(window),
        charts=ChartControls(window),
        inspector=Inspector(window),
        jobs_panel=JobsPanel(window),
        welcome=Welcome(window),
        sizes=SizeBar(window),
        chips=SelectionChips(window),
        selected=QLabel(window),
        export=QPushButton("Export Figure…", window),
        palette=PaletteLine(window),
        threshold=ThresholdBar(window),
        histogram=ClassHistogram(window),
        names=NamesLine(window),
        composition=LayerComposition(window),
        scatter=ScatterView(window),
        spectrum=SpectrumView(window),
        reconstruction=ReconstructionView(window),
        comparison=ComparisonView(window),
        centre=centre,
    )
    panel = Panel("Kernels", grid)
    panel.title_line.line.addWidget(parts.controls, 1)
    centre.addWidget(parts.welcome)
    centre.addWidget(panel)
    window.setCentralWidget(centre)
    return parts


def make_docks(window: QMainWindow, parts: Parts) -> dict[str, DockPanel]:
    """Put the other widgets around the centre, as docks by name."""
    parts.tree.setMinimumWidth(LEAST_TREE)
    focused = stacked(parts.comparison, parts.inspector)
    focused.setMinimumWidth(FOCUSED_WIDE)
    docks = {
        "models": DockPanel("modelsDock", "Models", parts.tree),
        "spectrum": DockPanel("spectrumDock", "Spectrum of the code", parts.spectrum),
        "reconstruction": DockPanel(
            "reconstructionDock", "Reconstruction", parts.reconstruction
        ),
        "inspector": DockPanel("inspectorDock", "Focused kernel", focused),
        "classes": DockPanel(
            "classesDock", "Classes", stacked(parts.histogram, parts.names, grow=0)
        ),
        "composition": DockPanel(
            "compositionDock", "Layer composition", parts.composition, "Composition"
        ),
        "scatter": DockPanel("scatterDock", "PCA", parts.scatter),
        "jobs": DockPanel("jobsDock", "Jobs", parts.jobs_panel),
    }
    for name, control in (
        ("classes", parts.charts.count_of),
        ("composition", parts.charts.pale),
        ("scatter", parts.charts.colour_by),
        ("scatter", parts.charts.thumbnails),
    ):
        docks[name].title_line.add_control(control)
    docks["jobs"].hide()
    arrange_panels(window, docks, BY_ID["explore"])
    left, right = AREAS["left"], AREAS["right"]
    window.setCorner(Qt.Corner.TopLeftCorner, left)
    window.setCorner(Qt.Corner.TopRightCorner, right)
    window.setCorner(Qt.Corner.BottomLeftCorner, left)
    window.setCorner(Qt.Corner.BottomRightCorner, right)
    return docks
