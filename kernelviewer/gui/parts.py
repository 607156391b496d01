"""The widgets of the window, by name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PySide6.QtWidgets import QLabel, QPushButton, QStackedWidget

    from kernelviewer.gui.controls.chart_controls import ChartControls
    from kernelviewer.gui.controls.grid_controls import GridControls
    from kernelviewer.gui.controls.names_line import NamesLine
    from kernelviewer.gui.controls.selection_chips import SelectionChips
    from kernelviewer.gui.controls.size_bar import SizeBar
    from kernelviewer.gui.controls.threshold_bar import ThresholdBar
    from kernelviewer.gui.palette.line import PaletteLine
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


@dataclass(frozen=True, slots=True, eq=False)
class Parts:
    """What the window is made of."""

    tree: ModelTree
    grid: KernelGrid
    controls: GridControls
    charts: ChartControls
    inspector: Inspector
    jobs_panel: JobsPanel
    welcome: Welcome
    sizes: SizeBar
    chips: SelectionChips
    selected: QLabel
    export: QPushButton
    palette: PaletteLine
    threshold: ThresholdBar
    histogram: ClassHistogram
    names: NamesLine
    composition: LayerComposition
    scatter: ScatterView
    spectrum: SpectrumView
    reconstruction: ReconstructionView
    comparison: ComparisonView
    centre: QStackedWidget
