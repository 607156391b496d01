"""Every view of the window, a line each.

A new view is a folder in `views`: its widget, and a module with its controller and the
`ViewSpec` that this table lists. Docks, menus, arrangements, the F1 sheet, the search
line, figures in the context menu and drawing when seen come from there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernelviewer.gui.frame.centre import CENTRE
from kernelviewer.gui.frame.status_controller import STATUS
from kernelviewer.gui.frame.tool_controller import TOOLS
from kernelviewer.gui.views.classes.controllers import CLASSES_VIEW, COMPOSITION
from kernelviewer.gui.views.grid.controller import GRID
from kernelviewer.gui.views.jobs import JOBS
from kernelviewer.gui.views.models.controller import MODELS
from kernelviewer.gui.views.reconstruction.controller import RECONSTRUCTION
from kernelviewer.gui.views.reconstruction.inspector_controller import INSPECTOR
from kernelviewer.gui.views.scatter.controller import SCATTER
from kernelviewer.gui.views.spectrum.controller import SPECTRUM

if TYPE_CHECKING:
    from kernelviewer.gui.view_spec import ViewSpec

VIEWS: tuple[ViewSpec, ...] = (
    CENTRE,
    MODELS,
    GRID,
    SPECTRUM,
    RECONSTRUCTION,
    INSPECTOR,
    CLASSES_VIEW,
    COMPOSITION,
    SCATTER,
    JOBS,
    STATUS,
    TOOLS,
)
"""In the order in which they are shown: the scope first, what stands on it after."""
