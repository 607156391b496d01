"""What the commands of the menus do; a dialog is imported when it is opened."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject
from PySide6.QtGui import QActionGroup, QGuiApplication
from PySide6.QtWidgets import QFileDialog, QMenu

from kernelviewer.gui.commands import build_menus
from kernelviewer.gui.text import offer_text, shortened
from kernelviewer.gui.views.reconstruction.inspector import array_text
from kernelviewer.resources import resource
from kernelviewer.state.selection import Layers

if TYPE_CHECKING:
    from collections.abc import Callable

    from kernelviewer.gui.controllers.sessions import Sessions
    from kernelviewer.gui.window_context import WindowContext
    from kernelviewer.state.charts import EqualKernels
    from kernelviewer.state.view_state import ViewState

NEED_A_NETWORK = (
    *("close_model", "close_all", "show_all", "only_layer", "select_all", "invert"),
    *("similar", "only_selected", "export_labels", "save", "save_as"),
    *("train", "encode", "null_test", "reset_borders", "export", "export_kernels"),
)
NEED_A_RUN = ("play", "next_step", "previous_step")
READS = ("undo", "redo", "models", "only_selected", "charts", "run")
RECENT_LENGTH = 80
"""Letters of a path in the menu; its middle is left out beyond."""
THEMES = {"system": "As the &System", "light": "&Light", "dark": "&Dark"}
DEVICES = {
    "auto": "&Automatic",
    "cuda": "&CUDA (NVIDIA, AMD)",
    "mps": "&MPS (Apple)",
    "cpu": "C&PU",
}


class Actions(QObject):
    """Handlers of the command table; menu bar and shortcuts come with it."""

    def __init__(self, window: WindowContext, sessions: Sessions) -> None:
        super().__init__(window)
        self._window, self._sessions = window, sessions
        self._recent_menu = QMenu(window)
        self._recent_menu.aboutToShow.connect(self._fill_recent)
        panels = QMenu(window)
        for dock in window.docks.values():
            panels.addAction(dock.toggleViewAction())
        settings = window.settings
        submenus = {
            "recent": self._recent_menu,
            "theme": self._choices(THEMES, settings.theme, window.set_theme),
            "device": self._choices(
                DEVICES, settings.device, window.device_requested.emit
            ),
            "panels": panels,
        }
        grid, sizes = window.parts.grid, window.parts.sizes
        handlers: dict[str, Callable[[], object]] = {
            "open": self.open,
            "open_folder": self.open_folder,
            "open_model": self.open_model,
            "open_sample": self.open_sample,
            "open_sample_run": self.open_sample_run,
            "watch_folder": self.watch_folder,
            "play": self.play,
            "next_step": lambda: self.go_by(1),
            "previous_step": lambda: self.go_by(-1),
            "save": sessions.save,
            "save_as": sessions.save_as,
            "export": self.export_figure,
            "export_kernels": self.export_kernels,
            "export_labels": self.export_labels,
            "close_model": self.close_model,
            "close_all": self.close_all,
            "quit": window.close,
            "undo": window.document.undo,
            "redo": window.document.redo,
            "select_all": window.acts.select_shown,
            "select_layer": self.select_layer,
            "similar": window.acts.select_similar,
            "invert": window.acts.invert,
            "clear": window.document.clear_selection,
            "copy_kernel": self.copy_kernel,
            "find": window.parts.tree.start_search,
            "zoom_in": grid.zoom_in,
            "zoom_out": grid.zoom_out,
            "zoom_reset": grid.reset_zoom,
            "show_all": lambda: window.document.show_layers(None),
            "only_layer": self.only_layer,
            "only_selected": self.toggle_only_selected,
            "equal_once": self.toggle_equal,
            "picture": window.parts.controls.picture.step,
            "framed": self.toggle_frames,
            "next_size": lambda: sizes.step(1),
            "previous_size": lambda: sizes.step(-1),
            "layout_explore": lambda: window.use_preset("explore"),
            "layout_compare": lambda: window.use_preset("compare"),
            "layout_label": lambda: window.use_preset("label"),
            "layout_reset": window.layouts.reset,
            "next_panel": lambda: window.layouts.cycle(1),
            "previous_panel": lambda: window.layouts.cycle(-1),
            "jobs": self.toggle_jobs,
            "train": self.train,
            "load_autoencoder": self.load_autoencoder,
            "encode": window.analyst.encode_again,
            "null_test": self.test_against_noise,
            "reset_borders": window.document.reset_stretches,
            "palette": window.parts.palette.start,
            "shortcuts": self.show_shortcuts,
            "about": self.show_about,
        }
        self.by_id = build_menus(window, handlers, submenus)
        window.docks["jobs"].visibilityChanged.connect(self._on_jobs_shown)
        window.presenter.add(self, READS)

    def show(self, state: ViewState) -> None:
        """Enable what can be done; undo and redo are named after their acts."""
        for name, verb, act in (
            ("undo", "&Undo", state.undo),
            ("redo", "&Redo", state.redo),
        ):
            self.by_id[name].setEnabled(bool(act))
            self.by_id[name].setText(f"{verb} {act}".rstrip())
        for name in NEED_A_NETWORK:
            self.by_id[name].setEnabled(bool(state.models))
        for name in NEED_A_RUN:
            self.by_id[name].setEnabled(state.run is not None)
        self.by_id["only_selected"].setChecked(state.only_selected)
        self.by_id["equal_once"].setChecked(state.charts.equal == "once")

    def open(self) -> None:
        """Ask for files and open them."""
        names, _ = QFileDialog.getOpenFileNames(
            self._window, "Open checkpoints", self._window.settings.last_folder
        )
        self._window.opener.open([Path(name) for name in names])

    def open_folder(self) -> None:
        """Ask for a folder and open the checkpoints in it."""
        name = QFileDialog.getExistingDirectory(
            self._window, "Open a folder", self._window.settings.last_folder
        )
        if name:
            self._window.opener.open([Path(name)])

    def open_model(self) -> None:
        """Ask for a pretrained network and open it."""
        from kernelviewer.gui.dialogs.open_model import choose_model

        choose_model(self._window, self._window.opener.open_named)

    def open_sample(self) -> None:
        """Open the bundled network."""
        self._window.opener.open([resource("sample", "sample.safetensors")])

    def open_sample_run(self) -> None:
        """Open the bundled training run."""
        self._window.opener.open_run([resource("sample-run")], "sample-run")

    def watch_folder(self) -> None:
        """Ask for a folder and let the checkpoints that come into it join a run."""
        name = QFileDialog.getExistingDirectory(
            self._window, "Watch a folder", self._window.settings.last_folder
        )
        if name:
            self._window.runs.watch(Path(name), self._window.opener.take_run)

    def play(self) -> None:
        """Play the steps of the run, or stop."""
        if (run := self._window.state.run) is not None:
            self._window.runs.toggle(run.id)

    def go_by(self, by: int) -> None:
        """Show a later or an earlier step of the run."""
        if (run := self._window.state.run) is not None:
            self._window.runs.stop()
            self._window.runs.go_by(run.id, by)

    def open_recent(self, path: str) -> None:
        """Open a file again."""
        self._window.opener.open([Path(path)])

    def export_figure(self) -> None:
        """Open the figure dialog."""
        from kernelviewer.gui.dialogs.figure.dialog import open_figure

        open_figure(self._window)

    def export_kernels(self) -> None:
        """Write the selected kernels; without a selection those in view."""
        from kernelviewer.gui.dialogs.export_kernels import export_marked

        export_marked(self._window)

    def export_labels(self) -> None:
        """Ask which labels to write, and where."""
        from kernelviewer.gui.dialogs.export_kernels import open_export_labels

        open_export_labels(self._window)

    def close_model(self) -> None:
        """Close the network of the tree's current row."""
        identity = self._window.parts.tree.current_model()
        if identity is not None:
            self._window.document.close(identity)
        else:
            self._window.statusBar().showMessage(
                "Several networks are open: click one in the tree first."
            )

    def close_all(self) -> None:
        """Close every network."""
        self._window.document.close_all()

    def select_layer(self) -> None:
        """Select all kernels of the focused kernel's layer."""
        if (layer := self._window.acts.focused_layer()) is not None:
            self._window.document.select("replace", Layers(frozenset({layer})))

    def only_layer(self) -> None:
        """Show only the focused kernel's layer."""
        if (layer := self._window.acts.focused_layer()) is not None:
            self._window.document.show_layers(frozenset({layer}))

    def toggle_only_selected(self) -> None:
        """Leave what is not selected out of the grid, or show it again."""
        only = self._window.document.scope.only_selected
        self._window.document.show_only_selected(not only)

    def toggle_equal(self) -> None:
        """Count equal kernels of several networks once, or every time."""
        document = self._window.document
        equal: EqualKernels = "all" if document.charts.equal == "once" else "once"
        document.show_charts(replace(document.charts, equal=equal))

    def copy_kernel(self) -> None:
        """Copy the focused kernel as a NumPy array."""
        pool, focus = self._window.state.pool, self._window.state.focus
        if pool is not None and focus is not None:
            self.copy_text(array_text(pool.weights_of(focus)))
            self._window.statusBar().showMessage("Kernel copied as a NumPy array", 4000)

    def copy_text(self, text: str) -> None:
        """Put text on the clipboard."""
        QGuiApplication.clipboard().setText(text)

    def train(self) -> None:
        """Open the dialog that trains an autoencoder."""
        from kernelviewer.gui.dialogs.train import open_training

        open_training(self._window)

    def test_against_noise(self) -> None:
        """Open the dialog of the null test."""
        from kernelviewer.gui.dialogs.noise_control import open_null_test

        open_null_test(self._window)

    def load_autoencoder(self) -> None:
        """Ask for an autoencoder and use it for its size."""
        name, _ = QFileDialog.getOpenFileName(
            self._window,
            "Load an autoencoder",
            self._window.settings.last_folder,
            "Autoencoders (*.safetensors)",
        )
        if name:
            self._window.opener.load_autoencoder(Path(name))

    def toggle_frames(self) -> None:
        """Frame kernels in the colour of their class, or not."""
        self._window.set_framed(self.by_id["framed"].isChecked())

    def toggle_jobs(self) -> None:
        """Show or hide the background jobs."""
        dock = self._window.docks["jobs"]
        in_front = not dock.visibleRegion().isEmpty()
        dock.setVisible(not in_front)
        dock.raise_()

    def show_shortcuts(self) -> None:
        """Show keys and mouse."""
        from kernelviewer.gui.dialogs.help import show_shortcuts

        show_shortcuts(self._window)

    def show_about(self) -> None:
        """Show what the program is."""
        from kernelviewer.gui.dialogs.help import show_about

        show_about(self._window)

    def _choices(
        self, choices: dict[str, str], now: str, use: Callable[[str], None]
    ) -> QMenu:
        menu = QMenu(self._window)
        group = QActionGroup(menu)
        for key, text in choices.items():
            action = menu.addAction(text)
            action.setCheckable(True)
            action.setChecked(key == now)
            action.setData(key)
            group.addAction(action)
        group.triggered.connect(lambda action: use(action.data()))
        return menu

    def _fill_recent(self) -> None:
        self._recent_menu.clear()
        sessions = self._sessions
        for number, offer in enumerate(sessions.recovery.offers):
            text = offer_text(offer, number).replace("&", "&&")
            self._recent_menu.addAction(text, partial(sessions.take_up, offer.path))
        if sessions.recovery.offers:
            self._recent_menu.addSeparator()
        for path in self._window.settings.recent:
            text = shortened(path, RECENT_LENGTH).replace("&", "&&")
            action = self._recent_menu.addAction(text, partial(self.open_recent, path))
            action.setStatusTip(path)
        if self._recent_menu.isEmpty():
            self._recent_menu.addAction("Nothing opened yet").setEnabled(False)

    def _on_jobs_shown(self, visible: bool) -> None:
        self.by_id["jobs"].setChecked(visible)
