"""The figures of views: on the clipboard, or in the figure dialog."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtGui import QGuiApplication

from kernelviewer.figures import EXHIBITS, FigureError
from kernelviewer.gui.dialogs.figure import open_figure
from kernelviewer.gui.dialogs.figure.dialog import usual_options
from kernelviewer.gui.export.figure_copy import mime_of
from kernelviewer.gui.export.figure_requests import FigureRequests
from kernelviewer.gui.jobs import Reaction
from kernelviewer.jobs.drawing import FigureCache, Refusal, copy_figure

if TYPE_CHECKING:
    from kernelviewer.figures import FigureOptions
    from kernelviewer.gui.dialogs.figure import FigureDialog
    from kernelviewer.gui.view_spec import ViewFigure
    from kernelviewer.gui.window_context import WindowContext
    from kernelviewer.jobs.drawing import Copies


class ViewFigures:
    """Draws the figures of views; keeps what the last one was drawn from."""

    def __init__(self, window: WindowContext) -> None:
        self._window = window
        self._requests = FigureRequests(window)
        self._cache = FigureCache()

    def export(self, view: ViewFigure) -> FigureDialog:
        """Open the figure dialog on a view's exhibit and state."""
        return open_figure(self._window, view.kind, view.scope, self._options(view))

    def copy(self, view: ViewFigure) -> None:
        """Copy a view's figure as image and SVG; the table also as text."""
        say = self._window.statusBar().showMessage
        title = EXHIBITS[view.kind].title
        try:
            wish = self._requests.wish(view.kind, view.scope, self._options(view))
        except FigureError as error:
            say(str(error))
            return

        def done(copies: Copies | Refusal) -> None:
            if isinstance(copies, Refusal):
                say(f"{title} not copied: {copies}")
                return
            QGuiApplication.clipboard().setMimeData(mime_of(copies))
            say(f"{title} copied as image and SVG, with its caption", 6000)

        say(f"Drawing the figure: {title.lower()}…")
        lane = "compute" if self._requests.is_waiting() else "views"
        self._window.jobs.submit(
            lane,  # type: ignore[arg-type]
            "copy_view",
            "Copy a figure",
            Reaction(done=done, quiet=True),
            copy_figure,
            self._cache,
            wish,
        )

    def _options(self, view: ViewFigure) -> FigureOptions:
        """The look used last, and the view's own state."""
        own = view.options(self._window.document)
        return usual_options(self._window).with_values(own)
