"""Context menus: Copy and Export Figure… of every view, and what the grid adds."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QContextMenuEvent
from PySide6.QtWidgets import QApplication, QMenu, QWidget

from kernelviewer.gui.registry import VIEWS
from kernelviewer.gui.view import ViewFigure, match_option
from kernelviewer.kernels.classes import CLASSES, NAMELESS, class_shown

if TYPE_CHECKING:
    from PySide6.QtCore import QPoint

    from kernelviewer.gui.dialogs.figure.dialog import FigureDialog, ViewFigures
    from kernelviewer.gui.window_context import WindowContext

FIGURES: dict[str, ViewFigure] = {
    name: figure for spec in VIEWS for name, figure in spec.figures.items()
}
"""Object name of a view → its figure."""
LISTS = ("modelTree",)
"""What one chooses in, and does not look at."""
ON_KERNEL = ("copy_kernel", "select_layer", "similar", "only_layer")
ALWAYS = ("select_all", "invert", "clear", "only_selected", "show_all")


class ViewMenus(QObject):
    """Offers the figure of whichever view is asked for its context menu.

    Views that have no menu of their own get one; those that have one add these
    commands to it by `add_to`.
    """

    def __init__(self, window: WindowContext) -> None:
        super().__init__(window)
        self._window = window
        self._figures: ViewFigures | None = None
        for name in FIGURES:
            view = window.findChild(QWidget, name)
            if view is not None:
                view.installEventFilter(self)
        self._looked_at = ""
        app = QApplication.instance()
        assert isinstance(app, QApplication)
        app.focusChanged.connect(self._on_focus_changed)
        window.figure_requested.connect(self.export_shown)
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
        name = watched.objectName()
        if own or name == "kernelGrid" or self._window.state.pool is None:
            return False
        menu = QMenu(self._window)
        menu.setObjectName("viewMenu")
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        assert isinstance(event, QContextMenuEvent)
        place = event.globalPos()
        at: QPoint | None = event.pos()
        if event.reason() == QContextMenuEvent.Reason.Keyboard:
            place, at = watched.mapToGlobal(watched.rect().center()), None
        class_at = getattr(watched, "class_at", None)
        if class_at is not None and (index := class_at(at)) is not None:
            self._add_rename(menu, index)
        self.add_to(menu, name)
        menu.popup(place)
        return True

    def _add_rename(self, menu: QMenu, index: int) -> None:
        """Offer to call a class otherwise."""
        if index not in NAMELESS:
            title = class_shown(index).name.replace("&", "&&")
            ask = partial(self._window.rename_class, CLASSES[index].id)
            menu.addAction(f"Rename “{title}”…", ask).setObjectName("renameClass")

    def add_to(self, menu: QMenu, name: str) -> None:
        """Add the commands of a view, by its name, to a menu."""
        if menu.actions():
            menu.addSeparator()
        copy = menu.addAction("Copy", partial(self.copy, name))
        copy.setObjectName("copyView")
        export = menu.addAction("Export Figure…", partial(self.export, name))
        export.setObjectName("exportView")
        ready = self._window.state.pool is not None
        copy.setEnabled(ready)
        export.setEnabled(ready)

    def export(self, name: str) -> FigureDialog:
        """Open the figure dialog on a view's exhibit and state."""
        return self._drawing().export(FIGURES[name])

    def export_shown(self) -> FigureDialog:
        """Open the figure dialog on what the user looks at.

        That is the chart with the keyboard, else what is compared, the run, or the
        kernels where one of them is focused.
        """
        window, state = self._window, self._window.state
        view = window.findChild(QWidget, self._looked_at) if self._looked_at else None
        if window.overview_shown:
            figure = FIGURES["networkTable"]
        elif view is not None and not view.visibleRegion().isEmpty():
            figure = FIGURES[self._looked_at]
        elif state.comparing is not None:
            figure = ViewFigure("compare", options=match_option)
        elif state.run is not None:
            figure = FIGURES["sharesChart"]
        elif state.focus is not None:
            figure = FIGURES["kernelGrid"]
        else:
            figure = FIGURES["spectrumView"]
        return self._drawing().export(figure)

    def _on_focus_changed(self, old: QWidget | None, now: QWidget | None) -> None:
        """Note the chart that has the keyboard, or had it before a button or menu."""
        if now is None or now.window() is not self._window:
            return
        if self._window.parts.centre.isAncestorOf(now):
            self._looked_at = ""
        for spec in VIEWS:
            if spec.is_panel and self._window.docks[spec.id].isAncestorOf(now):
                charts = [name for name in spec.figures if name not in LISTS]
                views = {n: self._window.findChild(QWidget, n) for n in charts}
                here = [
                    name
                    for name, view in views.items()
                    if view is not None and (view is now or view.isAncestorOf(now))
                ]
                self._looked_at = next(iter([*here, *charts]), "")

    def copy(self, name: str) -> None:
        """Copy a view's figure as image and SVG; the table also as text."""
        self._drawing().copy(FIGURES[name])

    def _drawing(self) -> ViewFigures:
        """What makes the figures, imported when one is asked for."""
        from kernelviewer.gui.dialogs.figure.dialog import ViewFigures

        if self._figures is None:
            self._figures = ViewFigures(self._window)
        return self._figures

    def _on_models_changed(self, _models: object) -> None:
        """What was drawn of closed networks is forgotten."""
        self._figures = None

    def _add(self, name: str, menu: object) -> None:
        assert isinstance(menu, QMenu)
        self.add_to(menu, name)


class GridMenu(QObject):
    """Offers the commands that fit a kernel, or the empty ground beside kernels."""

    def __init__(self, window: WindowContext, figures: ViewMenus) -> None:
        super().__init__(window)
        self._window, self._figures = window, figures
        window.parts.grid.context_menu_requested.connect(self._on_requested)

    def _on_requested(self, number: int, place: QPoint) -> None:
        if self._window.state.pool is None:
            return
        menu = self.menu_for(number)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(place)

    def menu_for(self, number: int) -> QMenu:
        """Menu on a kernel (−1: beside kernels); the kernel is focused first."""
        menu = QMenu(self._window)
        actions = self._window.commands
        if number >= 0:
            self._window.acts.focus(number)
            menu.addActions([actions[name] for name in ON_KERNEL])
            if self._window.corpus is not None:
                menu.addAction(actions["similar_corpus"])
            menu.addSeparator()
        menu.addActions([actions[name] for name in ALWAYS])
        self._figures.add_to(menu, "kernelGrid")
        return menu
