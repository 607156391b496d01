"""Copy and Export Figure… in the context menu of every view, by one mechanism."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QContextMenuEvent, QGuiApplication
from PySide6.QtWidgets import QMenu, QWidget

from kernelviewer.figures import EXHIBITS, FigureError
from kernelviewer.gui.dialogs.figure import open_figure
from kernelviewer.gui.dialogs.figure.dialog import usual_options
from kernelviewer.gui.export.figure_copy import mime_of
from kernelviewer.gui.export.figure_matter import FigureMatter
from kernelviewer.gui.jobs import Reaction
from kernelviewer.gui.registry import VIEWS
from kernelviewer.jobs.drawing import Refusal, Studio, copy_figure

if TYPE_CHECKING:
    from kernelviewer.figures import FigureOptions
    from kernelviewer.gui.dialogs.figure import FigureDialog
    from kernelviewer.gui.view_spec import ViewFigure
    from kernelviewer.gui.workplace import Workplace
    from kernelviewer.jobs.drawing import Copies


FIGURES: dict[str, ViewFigure] = {
    name: figure for spec in VIEWS for name, figure in spec.figures.items()
}
"""Object name of a view → its figure."""


class ViewMenus(QObject):
    """Offers the figure of whichever view is asked for its context menu.

    Views that have no menu of their own get one; those that have one add these
    commands to it by `add_to`.
    """

    def __init__(self, window: Workplace) -> None:
        super().__init__(window)
        self._window = window
        self._matter = FigureMatter(window)
        self._studio = Studio()
        for name in FIGURES:
            view = window.findChild(QWidget, name)
            if view is not None:
                view.installEventFilter(self)
        window.models_changed.connect(self._on_models_changed)
        for spec in VIEWS:
            for part in spec.make if spec.figures else ():
                opening = getattr(getattr(window.parts, part), "menu_opening", None)
                if opening is not None:
                    opening.connect(partial(self._add, next(iter(spec.figures))))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Qt: open the menu of a view that left the event to others."""
        if event.type() != QEvent.Type.ContextMenu or not isinstance(watched, QWidget):
            return False
        own = watched.contextMenuPolicy() == Qt.ContextMenuPolicy.CustomContextMenu
        if (
            own
            or watched.objectName() == "kernelGrid"
            or self._matter.state.pool is None
        ):
            return False
        menu = QMenu(self._window)
        menu.setObjectName("viewMenu")
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.add_to(menu, watched.objectName())
        assert isinstance(event, QContextMenuEvent)
        place = event.globalPos()
        if event.reason() == QContextMenuEvent.Reason.Keyboard:
            place = watched.mapToGlobal(watched.rect().center())
        menu.popup(place)
        return True

    def add_to(self, menu: QMenu, name: str) -> None:
        """Add the commands of a view, by its name, to a menu."""
        if menu.actions():
            menu.addSeparator()
        copy = menu.addAction("Copy", partial(self.copy, name))
        copy.setObjectName("copyView")
        export = menu.addAction("Export Figure…", partial(self.export, name))
        export.setObjectName("exportView")
        ready = self._matter.state.pool is not None
        copy.setEnabled(ready)
        export.setEnabled(ready)

    def export(self, name: str) -> FigureDialog:
        """Open the figure dialog on a view's exhibit and state."""
        view = FIGURES[name]
        return open_figure(self._window, view.kind, view.scope, self._options(view))

    def copy(self, name: str) -> None:
        """Copy a view's figure as image and SVG; the table also as text."""
        view, say = FIGURES[name], self._window.statusBar().showMessage
        title = EXHIBITS[view.kind].title
        try:
            wish = self._matter.wish(view.kind, view.scope, self._options(view))
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
        lane = "compute" if self._matter.is_waiting() else "views"
        self._window.jobs.submit(
            lane,  # type: ignore[arg-type]
            "copy_view",
            "Copy a figure",
            Reaction(done=done, quiet=True),
            copy_figure,
            self._studio,
            wish,
        )

    def _on_models_changed(self, _models: object) -> None:
        """What was drawn of closed networks is forgotten."""
        self._studio = Studio()
        self._matter.forget()

    def _add(self, name: str, menu: object) -> None:
        assert isinstance(menu, QMenu)
        self.add_to(menu, name)

    def _options(self, view: ViewFigure) -> FigureOptions:
        """The look used last, and the view's own state."""
        own = view.options(self._window.document)
        return usual_options(self._window).with_values(own)
