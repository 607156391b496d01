"""Joins document and views as to the pattern family: whether names hold, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QObject

from kernelviewer.gui.jobs import Reaction
from kernelviewer.gui.work.family_analyst import FamilyAnalyst
from kernelviewer.jobs.analysing import fit_points
from kernelviewer.kernels.classes import CLASSES, INDEX
from kernelviewer.state.analysis import agreement

if TYPE_CHECKING:
    from kernelviewer.gui.jobs import Jobs
    from kernelviewer.gui.parts import Parts
    from kernelviewer.kernels.family import FamilyFit
    from kernelviewer.state.document import Document
    from kernelviewer.state.view_state import ViewState

UNIDENTIFIED = INDEX["unidentified"]


class NamesLinking(QObject):
    """The line under the classes, and the focused kernel's own family member."""

    def __init__(
        self, document: Document, parts: Parts, jobs: Jobs, parent: QObject
    ) -> None:
        super().__init__(parent)
        self._document, self._parts, self._jobs = document, parts, jobs
        self._state: ViewState | None = None
        self._device = ""
        self._fitted: object = None
        self.analyst = FamilyAnalyst(document, jobs, self)
        self.analyst.changed.connect(self._show)
        parts.names.requested.connect(self._on_requested)

    def set_device(self, device: str) -> None:
        """Compute there from now on; before that nothing is computed."""
        self._device = device
        self.analyst.set_device(device)
        if self._state is not None:
            self.show_focus(self._state)

    def show_names(self, state: ViewState) -> None:
        """Show how far the names of the kernels in scope hold."""
        self._state = state
        self._show()

    def show_focus(self, state: ViewState) -> None:
        """Show the class of the focused kernel's code, and its own family member."""
        self._state = state
        pool, focus, labels = state.pool, state.focus, state.labels
        inspector = self._parts.inspector
        if pool is None or focus is None:
            self._fitted = None
            return
        name = ""
        if labels is not None and not np.isnan(labels.code[focus]):
            name = CLASSES[int(labels.best[focus])].name
            if int(labels.label[focus]) == UNIDENTIFIED:
                name = f"{name}, but unidentified"
        inspector.set_class(name)
        if not self._device or pool.flat[focus]:
            self._fitted = None
            inspector.set_family(None)
            return
        wish = pool.locate(focus)
        if wish == self._fitted:
            return
        self._fitted = wish
        inspector.set_family(None)

        def done(found: FamilyFit | None) -> None:
            if self._fitted == wish:
                inspector.set_family(found)

        kernel = pool.weights_of(focus)[None]
        reaction = Reaction(done, quiet=True)
        title = "Fit the family to the focused kernel"
        self._jobs.submit("views", "focus", title, reaction, fit_points, kernel)

    def _show(self) -> None:
        state = self._state
        if state is None or state.labels is None:
            self._parts.names.set_names("none", None, None, 0)
            return
        found = None
        if state.families is not None:
            found = agreement(state.labels, state.families, state.counted)
        status = self.analyst.status(state.size)
        count = 0 if state.pool is None else len(state.pool)
        self._parts.names.set_names(status, found, state.size, count)

    def _on_requested(self) -> None:
        if (size := self._document.size) is not None:
            self.analyst.request(size)
