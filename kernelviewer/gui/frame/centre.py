"""The centre of the window: the kernels, or the welcome page where nothing is open."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtWidgets import QStackedWidget

from kernelviewer.gui.controller import Controller
from kernelviewer.gui.view_spec import ViewSpec
from kernelviewer.gui.views.welcome import Welcome

if TYPE_CHECKING:
    from kernelviewer.state.view_state import ViewState


class CentreController(Controller):
    """Shows the one or the other, and tells that other networks are open."""

    def show(self, state: ViewState) -> None:
        """Show the kernels once there are networks."""
        self.parts.centre.setCurrentIndex(1 if state.models else 0)
        self.window.models_changed.emit(state.models)


CENTRE = ViewSpec(
    id="centre",
    title="Centre",
    make={"centre": QStackedWidget, "welcome": Welcome},
    controller=CentreController,
    reads=("models",),
)
