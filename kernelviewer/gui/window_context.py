"""The window as views and dialogs know it: open work, widgets, settings."""

from __future__ import annotations

import sys
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Literal

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtWidgets import QApplication, QMainWindow, QWidget

from kernelviewer.gui import accessible
from kernelviewer.gui.acts import Acts
from kernelviewer.gui.controllers.opening import Opener
from kernelviewer.gui.controllers.runs import Runs
from kernelviewer.gui.controllers.schedulers import (
    ComparisonScheduler,
    EncodingScheduler,
    FamilyScheduler,
    FileHashes,
    KeysScheduler,
)
from kernelviewer.gui.controls import ExplainButton
from kernelviewer.gui.frame.layouts import (
    AREAS,
    BY_ID,
    DockLayout,
    LayoutKeeper,
    arrange_panels,
)
from kernelviewer.gui.frame.panel import DockPanel, Panel
from kernelviewer.gui.glossary import terms_of
from kernelviewer.gui.jobs import Jobs
from kernelviewer.gui.registry import FLEETING, VIEWS
from kernelviewer.gui.theme import GAP, Looks, tokens, use_theme
from kernelviewer.gui.view import Parts
from kernelviewer.gui.views.grid.colours import COLORMAPS, weight_colours
from kernelviewer.gui.views.welcome import CENTRE
from kernelviewer.state.arrangement import Charts, Display
from kernelviewer.state.document import Document
from kernelviewer.state.presenter import Presenter
from kernelviewer.state.settings import merged, save_settings
from kernelviewer.state.tally import AllSizes

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from PySide6.QtGui import QAction

    from kernelviewer.gui.controllers.sessions import Sessions
    from kernelviewer.gui.frame.panel import TitleLine
    from kernelviewer.gui.view import Controller, ViewSpec
    from kernelviewer.jobs.corpus import OpenCorpus
    from kernelviewer.kernels.classes import OwnName
    from kernelviewer.state.comparing import Comparing
    from kernelviewer.state.session.form import Look
    from kernelviewer.state.settings import Settings
    from kernelviewer.state.view_state import ViewState

Page = Literal["welcome", "kernels", "overview", "corpus"]
PAGES: tuple[Page, ...] = ("welcome", "kernels", "overview", "corpus")
"""Of the centre, in order."""
TITLES = {"kernels": "Kernels", "overview": "Overview", "corpus": "Corpus"}
"""Of pages, above them."""
_LINE = 40
"""Letters that the controls of the kernels want beyond the least."""
CORNERS = {
    Qt.Corner.TopLeftCorner: "left",
    Qt.Corner.TopRightCorner: "right",
    Qt.Corner.BottomLeftCorner: "left",
    Qt.Corner.BottomRightCorner: "right",
}


def make_panels(window: QMainWindow) -> tuple[Parts, dict[str, DockPanel]]:
    """Make the widgets of every view where they are to lie; docks by name.

    What is moved into a panel after it was made is styled anew, each widget in it.
    """
    parts, docks = Parts(**_made(CENTRE.make, window)), {}
    pages = {page: Panel(title, parts.centre) for page, title in TITLES.items()}
    for spec in VIEWS:
        if spec is CENTRE:
            continue
        panel: Panel | DockPanel | None = pages.get(spec.page)
        if spec.is_panel:
            name = f"{spec.id}Dock"
            panel = docks[spec.id] = DockPanel(name, spec.title, spec.short, window)
            panel.body.column.setMinimumWidth(spec.width)
        widgets = _made(spec.make, panel.body.column if panel else window)
        controls = _made(spec.controls, panel.title_line if panel else window)
        vars(parts).update(widgets, **controls)
        if panel:
            panel.body.add([*widgets.values()], spec.grow)
        if panel and spec.grow is not None:  # not a bar above or below another view
            _fill(panel.title_line, spec, controls)
    parts.centre.addWidget(parts.welcome)
    for page in pages.values():
        parts.centre.addWidget(page)
    window.setCentralWidget(parts.centre)
    return parts, docks


def _made(
    makers: Mapping[str, Callable[[QWidget], QWidget]], parent: QWidget
) -> dict[str, QWidget]:
    return {name: make(parent) for name, make in makers.items()}


def _fill(line: TitleLine, spec: ViewSpec, controls: Mapping[str, QWidget]) -> None:
    """Put the controls of a panel's view and what explains its words into its title."""
    whole = spec.id == "grid"  # whose controls take all the room there is
    for control in controls.values():
        if whole:
            line.line.addWidget(control, 1)
        else:
            line.add_control(control)
    if terms_of(spec.id):
        button = ExplainButton(spec.id, spec.short or line.label.text(), line)
        line.add_control(button, spare=_LINE if whole else 0)
    if not (whole or spec.is_panel):
        line.line.addStretch(1)


def place_docks(window: QMainWindow, docks: Mapping[str, DockPanel]) -> None:
    """Lay the panels around the centre."""
    for name in FLEETING:
        docks[name].hide()
    arrange_panels(window, docks, BY_ID["explore"])
    for corner, side in CORNERS.items():
        window.setCorner(corner, AREAS[side])


def widgets_of(spec: ViewSpec, parts: Parts) -> dict[str, QWidget]:
    """The widgets of one view."""
    return {name: getattr(parts, name) for name in (*spec.make, *spec.controls)}


class Repainter:
    """Has all be painted anew when classes are called otherwise, as in a new theme."""

    def __init__(self, window: QMainWindow) -> None:
        self._window = window
        self._known: dict[str, OwnName] = {}

    def show(self, state: ViewState) -> None:
        """Tell the widgets."""
        if state.own_classes != self._known:
            self._known = state.own_classes
            for widget in self._window.findChildren(QWidget):
                QApplication.sendEvent(widget, QEvent(QEvent.Type.StyleChange))


class WindowContext(QMainWindow):
    """Document, jobs, views and settings of a window; `MainWindow` adds what is done.

    Attributes
    ----------
    jobs
        Background tasks; ``jobs.is_idle()`` when nothing is left to do.
    commands
        Command id → its action.
    all_sizes
        Counts of the kernels of every size, for all views that tell of networks.
    corpus
        The corpus that is open; None: none is.
    keeps_settings
        Whether they are written; not by a window that is there for a picture only.
    jobs_came_up
        Whether the list of jobs was shown by itself, not by the user.
    of_this_run
        Names of settings that were given for this run alone: what was kept of them
        before stays.
    kept_settings
        The settings as they were last read or written: what this window has not
        changed since is as other windows have it.
    """

    sessions: Sessions
    """The session and its file; `MainWindow` makes it."""
    device_requested = Signal(str)
    """Compute there from now on."""
    figure_requested = Signal()
    """A figure of what the user looks at."""
    device_ready = Signal()
    """There is a device to compute on, or another one."""
    looks_changed = Signal()
    """Other colours are in use, of the window or of weights."""
    models_changed = Signal(object)
    """Other networks are open, a tuple of `OpenModel`."""
    overview_changed = Signal()
    """Something else is shown in the place of the kernels, or these again."""
    laid_out = Signal()
    """The grid shows what the document says."""

    def __init__(
        self,
        settings: Settings,
        document: Document | None = None,
        jobs: Jobs | None = None,
    ) -> None:
        super().__init__()
        accessible.install()
        self.setDockNestingEnabled(True)
        self.setAnimated(False)
        self.setContentsMargins(GAP, 0, GAP, 0)
        self.settings = self.kept_settings = settings
        self.keeps_settings = True
        self.of_this_run: set[str] = set()
        self.jobs_came_up = False
        self.device = ""
        self.corpus: OpenCorpus | None = None
        self.commands: Mapping[str, QAction] = {}
        self.document: Document = document or Document(
            Display(settings.group_by, settings.sort_by, settings.scale_mode),  # type: ignore[arg-type]
            Charts(
                colour_by=settings.colour_by,  # type: ignore[arg-type]
                thumbnails=settings.thumbnails,  # type: ignore[arg-type]
                count_of=settings.count_of,  # type: ignore[arg-type]
                pale=settings.pale,  # type: ignore[arg-type]
            ),
        )
        self.parts, self.docks = make_panels(self)
        place_docks(self, self.docks)
        self.jobs = jobs or Jobs(self.parts.jobs_panel, self)
        self.hashes = FileHashes(self.jobs, self)
        self.opener: Opener = Opener(
            self.document, self.jobs, self.parts.jobs_panel, self
        )
        self.families = FamilyScheduler(self.document, self.jobs, self)  # asks first
        self.runs: Runs = Runs(self.document, self.jobs, self)
        self.presenter = Presenter(self.document)
        self.all_sizes = AllSizes(self.document)
        self.acts: Acts = Acts(self.document, self.presenter, self)
        self.analyst: EncodingScheduler = EncodingScheduler(
            self.document, self.jobs, self
        )
        self.comparer: ComparisonScheduler = ComparisonScheduler(
            self.document, self.jobs, self
        )
        self.key_finder: KeysScheduler = KeysScheduler(self.document, self.jobs, self)
        self.looks: Looks = self._looks(framed=False)
        self.controllers = self._make_controllers()
        self.dock_layout = DockLayout(self, self.docks, FLEETING)
        self.layouts: LayoutKeeper = LayoutKeeper(
            self, self.docks, self.dock_layout, settings.preset
        )
        self.presenter.add(self.layouts, ("focus", "position"))
        self.presenter.add(Repainter(self), ("own_classes",))

    def _make_controllers(self) -> tuple[Controller, ...]:
        """Have every view shown, those whose panels are hidden once they are seen."""
        controllers = []
        for spec in VIEWS:
            if spec.controller is None:
                continue
            controller = spec.controller(self, widgets_of(spec, self.parts))
            controllers.append(controller)
            if spec.is_panel:
                self.docks[spec.id].seen_changed.connect(
                    partial(self._on_panel_seen, controller)
                )
            self.presenter.add(controller, (*spec.reads, "own_classes"))
            if spec.id in FLEETING:
                self.presenter.set_hidden(controller, True)
        return tuple(controllers)

    def show_panels(self, names: Sequence[str], shown: bool) -> None:
        """Bring up panels for something that came, or put them away."""
        for name in names:
            self.docks[name].setVisible(shown)
        for name in reversed(names) if shown else ():
            self.docks[name].raise_()

    def _on_panel_seen(self, controller: Controller, visible: bool) -> None:
        self.presenter.set_hidden(controller, not visible)

    def compute_on(self, device: str) -> None:
        """Encode, name and fit there from now on."""
        self.device = device
        self.analyst.set_device(device)
        self.families.set_device(device)
        self.runs.set_device(device)
        self.device_ready.emit()

    def encode_again(self) -> None:
        """Encode what was cancelled or has failed, steps of runs too."""
        self.analyst.encode_again()
        self.runs.encode_again()

    @property
    def state(self) -> ViewState:
        """What the views show."""
        return self.presenter.state

    def set_theme(self, theme: str) -> None:
        """Use ``light``, ``dark`` or ``system`` colours."""
        self.settings = replace(self.settings, theme=theme)
        use_theme(theme)
        self.set_looks(self._looks(framed=self.looks.framed))

    def set_colormap(self, name: str) -> None:
        """Draw weights in another colour map."""
        self.settings = replace(self.settings, colormap=name)
        self.set_looks(self._looks(framed=self.looks.framed))

    def explain(self, view: str = "") -> None:
        """Tell what the words of a panel mean, by its id, or all words.

        What was told before is closed.
        """
        from kernelviewer.gui.dialogs.help import Glossary

        for told in self.findChildren(Glossary):
            told.close()
        Glossary(self, self.looks.weights, view).show()

    def set_framed(self, framed: bool) -> None:
        """Frame kernels in the colour of their class, or not."""
        self.set_looks(replace(self.looks, framed=framed))

    def set_looks(self, looks: Looks) -> None:
        """Use these colours in every view."""
        self.looks = looks
        for controller in self.controllers:
            controller.set_looks(looks)
        self.looks_changed.emit()

    def _looks(self, *, framed: bool) -> Looks:
        """The colours of the settings."""
        name = self.settings.colormap
        return Looks(name, weight_colours(name, tokens()), framed)

    def set_chart(self, name: str, value: str) -> None:
        """Let a chart show something else: a field of `Charts`."""
        charts = replace(self.document.charts, **{name: value})  # type: ignore[arg-type]
        self.document.show_charts(charts)

    @property
    def look(self) -> Look:
        """What a session says of how the work looks."""
        from kernelviewer.state.session.form import Look

        return Look(self.settings.colormap, self.looks.framed, self.dock_layout.text())

    def show_look(self, look: Look) -> None:
        """Show the work as a session says; what is unknown here stays as it is."""
        if look.colormap in COLORMAPS:
            self.set_colormap(look.colormap)
        self.set_framed(look.framed)
        if self.dock_layout.restore(look.layout):
            self.layouts.take_over()

    def compare(self, how: Comparing) -> None:
        """Set two open networks beside each other, and show what changed."""
        self.document.compare(how)

    @property
    def page(self) -> Page:
        """What the centre shows."""
        index: int = self.parts.centre.currentIndex()
        return PAGES[index]

    def show_page(self, page: Page) -> None:
        """Show something else in the centre; the keyboard goes there."""
        if page == self.page:
            return
        parts = self.parts
        if "corpus" in (page, self.page):
            self.layouts.make_room(page == "corpus")
        parts.centre.setCurrentIndex(PAGES.index(page))
        if page != "welcome":
            keys = {"overview": parts.overview.table, "corpus": parts.corpus.line}
            keys.get(page, parts.grid).setFocus()
        self.overview_changed.emit()

    def show_corpus(self, shown: bool) -> None:
        """Show the corpus that is open in the place of the kernels, or these again."""
        if shown and self.corpus is None:
            self.statusBar().showMessage(
                "No corpus is open: drop its folder here, or use File → Open Folder."
            )
        elif shown:
            self.show_page("corpus")
        else:
            self.show_page("kernels" if self.document.models else "welcome")
        self.overview_changed.emit()  # a switch that was given up is off again

    @property
    def overview_shown(self) -> bool:
        """True if the networks stand where the kernels were."""
        return self.page == "overview"

    def show_overview(self, shown: bool) -> None:
        """Show a row for each network in the place of the kernels, or these again."""
        if not self.document.models:
            return
        self.show_page("overview" if shown else "kernels")

    def rename_class(self, class_id: str) -> None:
        """Ask what a class is to be called."""
        from kernelviewer.gui.dialogs.rename import rename_class

        rename_class(self, class_id)

    def rename_stretch(self, index: int) -> None:
        """Ask what a stretch of the spectrum is to be called."""
        from kernelviewer.gui.dialogs.rename import rename_stretch

        rename_stretch(self, index)

    def rename_tag(self, number: int) -> None:
        """Ask what a tag is to be called."""
        from kernelviewer.gui.dialogs.rename import rename_tag

        rename_tag(self, number)

    def rename_network(self, identity: int) -> None:
        """Let the user type what a network is to be called, in the tree."""
        self.layouts.show_panel("models")
        self.parts.tree.start_rename(identity)

    def use_preset(self, name: str) -> None:
        """Arrange the panels and order the grid for a task."""
        preset = BY_ID[name]
        self.layouts.use(name)
        display = self.document.display
        if name != "compare" or self.document.comparing is None:
            self.document.show_as(
                replace(display, group_by=preset.group_by, sort_by=preset.sort_by)
            )

    def keep_settings(self) -> None:
        """Write the settings now, not only when the window closes."""
        if not self.keeps_settings:
            return
        charts = self.document.charts
        display = self.document.display.where(paired=False, found=False, running=False)
        by_itself = "jobs" if self.jobs_came_up else ""  # nobody asked for them
        geometry, layout = self.layouts.saved(without=by_itself)
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
        kept = merged(self.settings, self.kept_settings, self.of_this_run)
        self.kept_settings = self.settings
        try:
            save_settings(kept)
        except OSError as error:
            print(f"kernelviewer: settings not saved: {error}", file=sys.stderr)

    def note_opened(self, path: Path) -> None:
        """Put a file first among the recent ones."""
        self.settings = self.settings.opened(path)
        self.parts.welcome.set_recent(self.settings.recent)
        self.keep_settings()
