"""The window: panels around the kernel grid, a tool line, a status line."""

from __future__ import annotations

import gc
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes

from PySide6.QtCore import QTimer, QUrl
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QLabel, QToolButton

from kernelviewer.device import CPU, describe_device, leave_a_core, needs_torch
from kernelviewer.gui import theme
from kernelviewer.gui.commands import Commands
from kernelviewer.gui.controllers.schedulers import MemoryReleaser
from kernelviewer.gui.controllers.sessions import Sessions
from kernelviewer.gui.controls import ExplainButton, named
from kernelviewer.gui.jobs import Reaction
from kernelviewer.gui.search import collect
from kernelviewer.gui.view_menus import GridMenu, ViewMenus
from kernelviewer.gui.views.grid.colours import COLORMAPS
from kernelviewer.gui.views.status import StatusLine
from kernelviewer.gui.views.tools import make_tool_line
from kernelviewer.gui.views.welcome import DropOverlay
from kernelviewer.gui.window_context import WindowContext
from kernelviewer.importing import there_to_stay
from kernelviewer.jobs.tasks import prepare_device, settle_in
from kernelviewer.kernels.classes import show_classes
from kernelviewer.state.comparing import Comparing
from kernelviewer.text import shown

if TYPE_CHECKING:
    from PySide6.QtCore import QMimeData
    from PySide6.QtGui import (
        QCloseEvent,
        QDragEnterEvent,
        QDragLeaveEvent,
        QDropEvent,
        QPaintEvent,
    )

    from kernelviewer.jobs.runs import RunFound
    from kernelviewer.state.settings import Settings


_ENCODED = QUrl.ComponentFormattingOption.FullyEncoded
JOBS = "Jobs"
"""What the button of the list says while none in it runs; quiet ones may."""


class MainWindow(WindowContext):
    """Everything a user sees.

    Attributes
    ----------
    stopped
        After closing: False if a task did not stop in time.
    """

    @there_to_stay()
    def __init__(self, settings: Settings, problem: str = "") -> None:
        if settings.colormap not in COLORMAPS:  # of another version
            settings = replace(settings, colormap="signed")
        super().__init__(settings)
        self.setObjectName("mainWindow")
        self.setWindowTitle("kernelviewer")
        self.setAcceptDrops(True)
        self.stopped = True
        self._settled = False
        self._under_way = ""
        self.addToolBar(make_tool_line(self, self.parts))
        self._make_status_line()
        self.tidier = MemoryReleaser(self.document, self.jobs, self.presenter, self)
        self.sessions = Sessions(self)
        self.commands = Commands(self).actions
        self._overlay = DropOverlay(self)
        self._connect()
        self.set_theme(settings.theme)
        self.layouts.restore(settings.geometry, settings.layout)
        self.sessions.recovery.look()
        if problem:
            self.parts.jobs_panel.add_error("Settings", problem, problem)

    def _make_status_line(self) -> None:
        self.device_label = QLabel(f"device: {self.settings.device}", self)
        self.device_label.setObjectName("deviceLabel")
        self.jobs_button = named(QToolButton(self), "jobsButton")
        self.jobs_button.setText(JOBS)
        self.jobs_button.setProperty("quiet", True)
        self.jobs_button.setAccessibleName("Show or hide the background jobs")
        self.unopened_button = named(QToolButton(self), "unopenedButton")
        self.unopened_button.setProperty("warning", True)
        self.unopened_button.hide()
        parts, device, jobs = self.parts, self.device_label, self.jobs_button
        unopened = self.unopened_button
        self.setStatusBar(
            StatusLine(parts.chips, parts.selected, device, unopened, jobs, self)
        )

    def _connect(self) -> None:
        parts, commands = self.parts, self.commands
        self.view_menus = ViewMenus(self)
        GridMenu(self, self.view_menus)
        parts.palette.set_source(lambda: collect(self))
        parts.welcome.open_requested.connect(commands["open"].trigger)
        parts.welcome.sample_requested.connect(commands["open_sample"].trigger)
        parts.welcome.path_requested.connect(
            lambda path: self.opener.open([Path(path)])
        )
        clipboard = QGuiApplication.clipboard()
        parts.jobs_panel.copy_requested.connect(lambda text: clipboard.setText(text))
        parts.jobs_panel.attention_requested.connect(self._on_jobs_need_attention)
        self.opener.opened.connect(self.note_opened)
        self.models_changed.connect(self.statusBar().clearMessage)
        self.opener.run_found.connect(self._on_run_found)
        self.runs.told.connect(self.statusBar().showMessage)
        self.opener.told.connect(self.statusBar().showMessage)
        self.opener.under_way.connect(self._on_under_way)
        self.opener.unusable_changed.connect(self._on_unusable_changed)
        self.opener.nothing_opened.connect(self._show_unopened)
        self.unopened_button.clicked.connect(self._show_unopened)
        self.acts.told.connect(self.statusBar().showMessage)
        self.opener.compare_requested.connect(
            lambda before, after: self.compare(Comparing(before, after))
        )
        self.opener.session_found.connect(self.sessions.open)
        self.sessions.told.connect(self.statusBar().showMessage)
        self.sessions.recovery.offered.connect(parts.welcome.set_offers)
        parts.welcome.reopen_requested.connect(self.sessions.take_up)
        parts.welcome.dismiss_requested.connect(self.sessions.recovery.dismiss)
        self.device_requested.connect(self.set_device)
        self.jobs.counted.connect(self._on_jobs_counted)
        self.jobs_button.clicked.connect(commands["jobs"].trigger)
        for button in self.findChildren(ExplainButton):
            button.asked.connect(self.explain)
        self.laid_out.connect(self._on_first_picture)
        hints = QGuiApplication.styleHints()
        hints.colorSchemeChanged.connect(self._on_system_theme_changed)
        parts.welcome.set_recent(self.settings.recent)

    def set_device(self, wish: str) -> None:
        """Compute on another device from now on; for a GPU torch is imported first."""
        self.settings = replace(self.settings, device=wish)
        if not needs_torch(wish):
            self.jobs.cancel("device")
            self._compute_on("cpu", describe_device(CPU))
            return
        self.device_label.setText("device: starting…")
        self.analyst.set_starting()
        reaction = Reaction(
            self._on_device_ready, failed=self._on_device_failed, stoppable=False
        )
        title = "Start torch" if "torch" not in sys.modules else "Change the device"
        self.jobs.submit("compute", "device", title, reaction, prepare_device, wish)

    def _on_run_found(self, found: RunFound) -> None:
        from kernelviewer.gui.dialogs.opening import ask_about_run

        ask_about_run(self, found)

    def _on_under_way(self, text: str, done: int, total: int) -> None:
        """Say at once what is being opened, where one looks."""
        line, before = self.statusBar(), self._under_way
        self._under_way = text
        if text and text != before:
            line.showMessage(text)
        elif before and not text and line.currentMessage() == before:
            line.clearMessage()
        self.parts.welcome.set_opening(text, done, total)

    def _on_unusable_changed(self) -> None:
        from kernelviewer.gui.dialogs.opening import unopened_text

        text, button = unopened_text(self), self.unopened_button
        button.setText(text)
        button.setAccessibleName(f"Show what was not opened: {text}")
        button.setToolTip("Show what was not opened, and what to do")
        button.setVisible(bool(text))

    def _show_unopened(self) -> None:
        """List what could not be opened, where somebody is there to read it."""
        from kernelviewer.gui.dialogs.opening import show_unopened

        if self.opener.unusable and self.opener.asks:
            show_unopened(self)

    def _on_first_picture(self) -> None:
        """Nothing is computed, and torch not imported, before kernels are on screen."""
        self.laid_out.disconnect(self._on_first_picture)
        leave_a_core()
        self.set_device(self.settings.device)

    def _on_device_ready(self, text: str) -> str:
        self._compute_on(self.settings.device, text)
        return text

    def _compute_on(self, device: str, text: str) -> None:
        self.device_label.setText(text)
        self.compute_on(device)

    def _on_device_failed(self, message: str, hint: str) -> None:
        if self.settings.device != "auto":
            self.set_device("auto")
        else:
            self._compute_on("cpu", f"{describe_device(CPU)}: torch cannot start")

    def _on_jobs_counted(self, running: int) -> None:
        jobs = "job" if running == 1 else "jobs"
        self.jobs_button.setText(f"{running} {jobs} running" if running else JOBS)
        if not running and self.jobs_came_up and not self.parts.jobs_panel.failed():
            self.jobs_came_up = False
            self.docks["jobs"].hide()

    def _on_jobs_need_attention(self) -> None:
        """The panel comes up by itself, and goes if all went well."""
        jobs = self.docks["jobs"]
        hidden = jobs.isHidden()
        self.jobs_came_up |= hidden
        if hidden or self.parts.jobs_panel.failed():
            jobs.show()
            jobs.raise_()

    def _on_system_theme_changed(self) -> None:
        if self.settings.theme == "system":
            self.set_theme("system")

    def _settle_in(self) -> None:
        """The window is seen: what it may need soon takes nothing from its start."""
        title, quiet = "Settle in", Reaction(quiet=True)
        self.jobs.submit("keep", "settle", title, quiet, settle_in)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Qt: note that the window is seen."""
        super().paintEvent(event)
        if not self._settled:
            self._settled = True
            QTimer.singleShot(0, self, self._settle_in)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Qt: show that files can be dropped."""
        if paths := dropped_paths(event.mimeData()):
            what = shown(paths[0].name) if len(paths) == 1 else _counted(paths)
            text = f"Drop to open {what}"
            if (marked := self._beside(paths)) is not None:
                name = self.document.model(marked).name
                text = f"Drop to compare {name} with {what}"
            self._overlay.show_over(text, theme.tokens().accent)
            event.acceptProposedAction()

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        """Qt: the files went elsewhere."""
        self._overlay.hide()

    def dropEvent(self, event: QDropEvent) -> None:
        """Qt: open what was dropped."""
        self._overlay.hide()
        event.acceptProposedAction()
        paths = dropped_paths(event.mimeData())
        if (marked := self._beside(paths)) is not None:
            self.opener.open_beside(marked, paths[0])
        else:
            self.opener.open(paths)

    def _beside(self, paths: list[Path]) -> int | None:
        """The network that a dropped file is compared with: the one that is marked."""
        return self.parts.tree.marked_model() if len(paths) == 1 else None

    def closeEvent(self, event: QCloseEvent) -> None:
        """Qt: save settings and stop what runs."""
        self.keep_settings()
        self.hide()
        self.sessions.finish()
        self.stopped = self.jobs.close()
        show_classes({})  # names were this session's
        gc.unfreeze()  # what was there to stay may go
        event.accept()


def _counted(paths: list[Path]) -> str:
    """How many files and folders these are, as “2 files and 1 folder”."""
    folders = sum(path.is_dir() for path in paths)
    parts = [
        f"{number} {noun}{'' if number == 1 else 's'}"
        for number, noun in ((len(paths) - folders, "file"), (folders, "folder"))
        if number
    ]
    return " and ".join(parts)


def dropped_paths(data: QMimeData) -> list[Path]:
    """Local files and folders among what is dragged."""
    return [_local_path(url) for url in data.urls() if url.isLocalFile()]


def _local_path(url: QUrl) -> Path:
    """Path of a local URL, exact where its name is no UTF-8, which Qt cannot keep."""
    path = url.toLocalFile()
    if "\ufffd" in path and not url.host():
        path = os.fsdecode(unquote_to_bytes(url.path(_ENCODED)))
    return Path(path)
