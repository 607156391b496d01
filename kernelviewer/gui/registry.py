"""Every view of the window, a line each.

A new view is a folder in `views`: its widget, and a module with its controller and the
`ViewSpec` that this table lists. Docks, menus, arrangements, the F1 sheet, the search
line, figures in the context menu and drawing when seen come from there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernelviewer.gui.views.classes import CLASSES_VIEW, COMPOSITION
from kernelviewer.gui.views.comparing import COMPARING, DRIFT, TRANSITIONS
from kernelviewer.gui.views.corpus import CORPUS
from kernelviewer.gui.views.grid import GRID
from kernelviewer.gui.views.jobs import JOBS
from kernelviewer.gui.views.keys import KEYS
from kernelviewer.gui.views.models import MODELS
from kernelviewer.gui.views.overview import OVERVIEW
from kernelviewer.gui.views.reconstruction import RECONSTRUCTION
from kernelviewer.gui.views.reconstruction.inspector import INSPECTOR
from kernelviewer.gui.views.run import FORMATION, SHARES, STEPS
from kernelviewer.gui.views.scatter import SCATTER
from kernelviewer.gui.views.spectrum import SPECTRUM
from kernelviewer.gui.views.status import STATUS
from kernelviewer.gui.views.tools import TOOLS
from kernelviewer.gui.views.welcome import CENTRE

if TYPE_CHECKING:
    from kernelviewer.gui.view import ViewSpec

VIEWS: tuple[ViewSpec, ...] = (
    CENTRE,
    MODELS,
    OVERVIEW,
    CORPUS,
    COMPARING,
    GRID,
    STEPS,
    SPECTRUM,
    RECONSTRUCTION,
    INSPECTOR,
    CLASSES_VIEW,
    COMPOSITION,
    KEYS,
    SCATTER,
    TRANSITIONS,
    DRIFT,
    SHARES,
    FORMATION,
    JOBS,
    STATUS,
    TOOLS,
)
"""In the order in which they are shown: the scope first, what stands on it after."""
OF_RUNS = tuple(spec.id for spec in VIEWS if spec.of_runs)
OF_COMPARISONS = tuple(spec.id for spec in VIEWS if spec.of_comparisons)
FLEETING = ("jobs", *OF_RUNS, *OF_COMPARISONS)
"""Panels that come and go by themselves."""
