"""Makes the window's widgets and lays them out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QStackedWidget,
    QToolBar,
    QWidget,
)

from kernelviewer.gui.grid_controls import GridControls
from kernelviewer.gui.panel import DockPanel, Panel, stacked
from kernelviewer.gui.parts import Parts
from kernelviewer.gui.selection_chips import SelectionChips
from kernelviewer.gui.size_bar import SizeBar
from kernelviewer.gui.threshold_bar import ThresholdBar
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

TOOL_LINE_HEIGHT = 38


def make_parts(window: QMainWindow) -> Parts:
    """Make the widgets and put the grid into the window's centre."""
    grid = KernelGrid(window)
    centre = QStackedWidget(window)
    parts = Parts(
        tree=ModelTree(window),
        grid=grid,
        controls=GridControls(window),
        inspector=Inspector(window),
        jobs_panel=JobsPanel(window),
        welcome=Welcome(window),
        sizes=SizeBar(window),
        chips=SelectionChips(window),
        selected=QLabel(window),
        export=QPushButton("Export Figure…", window),
        threshold=ThresholdBar(window),
        histogram=ClassHistogram(window),
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
    area = Qt.DockWidgetArea
    docks = {
        "models": DockPanel("modelsDock", "Models", parts.tree),
        "spectrum": DockPanel("spectrumDock", "Spectrum of the code", parts.spectrum),
        "reconstruction": DockPanel(
            "reconstructionDock", "Reconstruction", parts.reconstruction
        ),
        "inspector": DockPanel(
            "inspectorDock",
            "Focused kernel",
            stacked(parts.comparison, parts.inspector),
        ),
        "classes": DockPanel("classesDock", "Classes", parts.histogram),
        "composition": DockPanel(
            "compositionDock", "Layer composition", parts.composition
        ),
        "scatter": DockPanel("scatterDock", "PCA", parts.scatter),
        "jobs": DockPanel("jobsDock", "Jobs", parts.jobs_panel),
    }
    window.addDockWidget(area.LeftDockWidgetArea, docks["models"])
    window.addDockWidget(area.TopDockWidgetArea, docks["spectrum"])
    window.addDockWidget(area.RightDockWidgetArea, docks["reconstruction"])
    window.addDockWidget(area.RightDockWidgetArea, docks["inspector"])
    for name in ("classes", "composition", "scatter"):
        window.addDockWidget(area.BottomDockWidgetArea, docks[name])
    below = Qt.Orientation.Vertical
    window.addDockWidget(area.BottomDockWidgetArea, docks["jobs"], below)
    window.setCorner(Qt.Corner.TopLeftCorner, area.LeftDockWidgetArea)
    window.setCorner(Qt.Corner.TopRightCorner, area.RightDockWidgetArea)
    window.setCorner(Qt.Corner.BottomLeftCorner, area.LeftDockWidgetArea)
    window.setCorner(Qt.Corner.BottomRightCorner, area.RightDockWidgetArea)
    return docks


def make_tool_line(window: QMainWindow, parts: Parts) -> QToolBar:
    """The line above everything: title, kernel sizes, threshold."""
    bar = QToolBar("Tools", window)
    bar.setObjectName("toolLine")
    bar.setMovable(False)
    bar.toggleViewAction().setVisible(False)
    title = QLabel("kernelviewer", bar)
    title.setProperty("role", "heading")
    space = QWidget(bar)
    space.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
    holder = QWidget(bar)
    holder.setMinimumHeight(TOOL_LINE_HEIGHT)
    line = QHBoxLayout(holder)
    line.setContentsMargins(4, 4, 4, 6)
    line.setSpacing(20)
    line.addWidget(title)
    line.addWidget(parts.sizes)
    line.addWidget(parts.threshold)
    line.addWidget(space, 1)
    line.addWidget(parts.export)
    bar.addWidget(holder)
    return bar
