"""The context menu of the kernel grid."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt
from PySide6.QtWidgets import QMenu

if TYPE_CHECKING:
    from PySide6.QtCore import QPoint

    from kernelviewer.gui.export.view_menus import ViewMenus
    from kernelviewer.gui.window_context import WindowContext

ON_KERNEL = ("copy_kernel", "select_layer", "similar", "only_layer")
ALWAYS = ("select_all", "invert", "clear", "only_selected", "show_all")


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
            menu.addSeparator()
        menu.addActions([actions[name] for name in ALWAYS])
        self._figures.add_to(menu, "kernelGrid")
        return menu
