"""The window as its helpers and dialogs know it: open work, widgets, settings."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QApplication, QMainWindow

from kernelviewer.gui.building import make_docks, make_parts
from kernelviewer.gui.frame.dock_layout import DockLayout
from kernelviewer.gui.frame.layout_keeper import LayoutKeeper
from kernelviewer.gui.frame.layouts import BY_ID
from kernelviewer.gui.jobs import Jobs
from kernelviewer.gui.linking.views import Linking
from kernelviewer.gui.theme import GAP, apply_theme, tokens_for
from kernelviewer.gui.views.grid.colours import COLORMAPS, GridTheme, weight_colours
from kernelviewer.gui.work.hashing import FileHashes
from kernelviewer.gui.work.opening import Opener
from kernelviewer.state.arrangement import Display
from kernelviewer.state.charts import Charts
from kernelviewer.state.document import Document
from kernelviewer.state.session.form import Look
from kernelviewer.state.settings import save_settings

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray
    from PySide6.QtGui import QAction

    from kernelviewer.gui.theme import Tokens
    from kernelviewer.state.settings import Settings


class Workplace(QMainWindow):
    """Document, jobs, views and settings of a window; `MainWindow` adds what is done.

    Attributes
    ----------
    document
        The open work.
    jobs
        Background tasks; ``jobs.is_idle()`` when nothing is left to do.
    commands
        Command id → its action.
    keeps_settings
        Whether they are written; not by a window that is there for a picture only.
    """

    device_requested = Signal(str)
    """Compute there from now on."""
    encode_requested = Signal()
    """Encode what was given up."""
    looks_changed = Signal()
    """Other colours are in use, of the window or of weights."""

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self.setDockNestingEnabled(True)
        self.setContentsMargins(GAP, 0, GAP, 0)
        self.settings = settings
        self.keeps_settings = True
        self.commands: Mapping[str, QAction] = {}
        self.document = Document(
            Display(settings.group_by, settings.sort_by, settings.scale_mode),  # type: ignore[arg-type]
            Charts(
                colour_by=settings.colour_by,  # type: ignore[arg-type]
                thumbnails=settings.thumbnails,  # type: ignore[arg-type]
                count_of=settings.count_of,  # type: ignore[arg-type]
                pale=settings.pale,  # type: ignore[arg-type]
            ),
        )
        self.parts = make_parts(self)
        self.docks = make_docks(self, self.parts)
        self.jobs = Jobs(self.parts.jobs_panel, self)
        self.hashes = FileHashes(self.jobs, self)
        self.opener = Opener(self.document, self.jobs, self.parts.jobs_panel, self)
        self.linking = Linking(self.document, self.parts, self.jobs, self)
        self.dock_layout = DockLayout(self, self.docks, ("jobs",))
        self.layouts = LayoutKeeper(self, self.docks, self.dock_layout, settings.preset)

    @property
    def tokens(self) -> Tokens:
        """The colours in use."""
        return tokens_for(self.settings.theme)

    def set_theme(self, theme: str) -> None:
        """Use ``light``, ``dark`` or ``system`` colours."""
        self.settings = replace(self.settings, theme=theme)
        app = QApplication.instance()
        if isinstance(app, QApplication):
            apply_theme(app, self.tokens)
        self.parts.grid.set_theme(self._grid_theme())
        self.parts.controls.set_theme(self._grid_theme())
        self.linking.set_theme(self.tokens)
        self._show_colours()

    def set_colormap(self, name: str) -> None:
        """Draw weights in another colour map."""
        self.settings = replace(self.settings, colormap=name)
        self.parts.controls.set_colormap(name)
        self.parts.grid.set_colormap(name)
        self._show_colours()

    @property
    def look(self) -> Look:
        """What a session says of how the work looks."""
        framed = self.linking.is_framed
        return Look(self.settings.colormap, framed, self.dock_layout.text())

    def show_look(self, look: Look) -> None:
        """Show the work as a session says; what is unknown here stays as it is."""
        if look.colormap in COLORMAPS:
            self.set_colormap(look.colormap)
        self.commands["framed"].setChecked(look.framed)
        self.linking.set_framed(look.framed)
        self.dock_layout.restore(look.layout)

    def _grid_theme(self) -> GridTheme:
        tokens = self.tokens
        return GridTheme(
            panel=tokens.panel,
            separator=tokens.separator,
            text=tokens.text,
            secondary=tokens.secondary,
            accent=tokens.accent,
            neutral=tokens.neutral,
            negative=tokens.negative,
            positive=tokens.positive,
        )

    def weight_table(self) -> NDArray[np.float64]:
        """Colours [K, 3] of 0 … 255 for weights, zero in the middle."""
        return weight_colours(self.settings.colormap, self._grid_theme())

    def _show_colours(self) -> None:
        colours = self.weight_table()
        self.parts.inspector.set_colours(colours)
        self.parts.spectrum.set_colours(colours)
        self.parts.reconstruction.set_colours(colours)
        self.parts.comparison.set_colours(colours)
        self.linking.set_colours(colours)
        self.looks_changed.emit()

    def use_preset(self, name: str) -> None:
        """Arrange the panels and order the grid for a task."""
        preset = BY_ID[name]
        self.layouts.use(name)
        display = self.document.display
        self.document.show_as(
            replace(display, group_by=preset.group_by, sort_by=preset.sort_by)
        )

    def keep_settings(self) -> None:
        """Write the settings now, not only when the window closes."""
        if not self.keeps_settings:
            return
        display, charts = self.document.display, self.document.charts
        geometry, layout = self.layouts.saved()
        self.settings = replace(
            self.settings,
            group_by=display.group_by,
            sort_by=display.sort_by,
            scale_mode=display.scale_mode,
            colour_by=charts.colour_by,
            thumbnails=charts.thumbnails,
            count_of=charts.count_of,
            pale=charts.pale,
            geometry=geometry,
            layout=layout,
            preset=self.layouts.preset,
        )
        try:
            save_settings(self.settings)
        except OSError as error:
            print(f"kernelviewer: settings not saved: {error}", file=sys.stderr)

    def note_opened(self, path: Path) -> None:
        """Put a file first among the recent ones."""
        self.settings = self.settings.opened(path)
        self.parts.welcome.set_recent(self.settings.recent)
        self.keep_settings()
