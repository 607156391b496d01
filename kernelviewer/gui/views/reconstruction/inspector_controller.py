"""The focused kernel: what its panel shows, and what it asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from kernelviewer.gui.controller import Computed, Controller
from kernelviewer.gui.view_spec import Home, ViewFigure, ViewSpec
from kernelviewer.gui.views.reconstruction.comparison import ComparisonView
from kernelviewer.gui.views.reconstruction.content import ComparisonContent
from kernelviewer.gui.views.reconstruction.contents import UNIDENTIFIED, without_code
from kernelviewer.gui.views.reconstruction.inspector import Inspector
from kernelviewer.jobs.analysing import fit_points
from kernelviewer.kernels.classes import CLASSES
from kernelviewer.state.similarity import row_at

if TYPE_CHECKING:
    from kernelviewer.jobs.runner import Ticket
    from kernelviewer.kernels.family import FamilyFit
    from kernelviewer.state.pool import KernelPool
    from kernelviewer.state.view_state import ViewState

LEAST_WIDTH = 277
"""Without a focused kernel the panel is as wide as with one, so that the first click
into the grid moves nothing."""


class InspectorController(Controller):
    """The focused kernel beside its reconstruction, and its own family member."""

    def listen(self) -> None:
        """Its code can be gone to, its values can be copied."""
        comparison: ComparisonView = self.parts.comparison
        self.comparison = comparison
        inspector: Inspector = self.parts.inspector
        self.inspector = inspector
        comparison.code_requested.connect(self.document.set_position)
        inspector.copy_requested.connect(
            lambda: self.window.commands["copy_kernel"].trigger()
        )
        title = "Fit the family to the focused kernel"
        self._family = Computed(
            *(self.jobs, "views", "focus", title, _fit_kernel, self.again)
        )
        self.window.device_ready.connect(self.again)

    def show(self, state: ViewState) -> None:
        """Look at one kernel of the pool."""
        pool, focus = state.pool, state.focus
        if self.is_news("kernel", pool, focus):
            self.inspector.set_kernel(pool, focus)
            self.comparison.setVisible(focus is not None)
        if self.is_news("content", pool, focus, state.labels, state.spectrum):
            self.comparison.set_content(_content(state))
        if pool is None or focus is None:
            self._family.forget()
            self.forget("class")
            return
        if self.is_news("class", pool, focus, state.labels):
            self.inspector.set_class(_class_name(state, focus))
        if not self.window.device or pool.flat[focus]:
            self._family.forget()
            self.inspector.set_family(None)
        else:
            self.inspector.set_family(self._family.of(pool, focus))


def _fit_kernel(ticket: Ticket, pool: KernelPool, number: int) -> FamilyFit | None:
    return fit_points(ticket, pool.weights_of(number)[None])


def _class_name(state: ViewState, focus: int) -> str:
    """Class of the kernel's code."""
    labels = state.labels
    if labels is None or np.isnan(labels.code[focus]):
        return ""
    name = CLASSES[int(labels.best[focus])].name
    below = int(labels.label[focus]) == UNIDENTIFIED
    return f"{name}, but unidentified" if below else name


def _content(state: ViewState) -> ComparisonContent | None:
    """The kernel beside what its code is decoded to."""
    pool, focus, labels = state.pool, state.focus, state.labels
    if pool is None or focus is None:
        return None
    kernel = pool.weights_of(focus)
    code = float("nan") if labels is None else float(labels.code[focus])
    if labels is None or state.spectrum is None or np.isnan(code):
        return without_code(state, focus, kernel)
    return ComparisonContent(
        kernel,
        state.spectrum[row_at(code)],
        code,
        float(labels.fit[focus]),
        int(labels.best[focus]),
        int(labels.label[focus]) != UNIDENTIFIED,
    )


INSPECTOR = ViewSpec(
    id="inspector",
    title="Focused kernel",
    make={"comparison": ComparisonView, "inspector": Inspector},
    width=LEAST_WIDTH,
    controller=InspectorController,
    reads=("pool", "focus", "labels", "spectrum"),
    figures={
        "comparisonView": ViewFigure("kernel", "focus"),
        "inspector": ViewFigure("kernel", "focus"),
    },
    home=Home("right", 1, 1),
    homes={"compare": Home("right", 1, 2)},
)
