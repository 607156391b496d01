"""The commands of the window: one row each says all that there is to it.

Menus, shortcuts, what is enabled, tooltips, the F1 sheet and the palette follow from
the rows; a dialog is imported when it is opened.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject
from PySide6.QtGui import QAction, QActionGroup, QGuiApplication, QKeySequence
from PySide6.QtWidgets import QFileDialog, QMenu

from kernelviewer.files import resource
from kernelviewer.gui import theme
from kernelviewer.gui.glossary import TERMS
from kernelviewer.gui.painting.classes import swatch_icon
from kernelviewer.gui.text import offer_text, shortened, spaced
from kernelviewer.gui.views.grid import draws_without_mean
from kernelviewer.gui.views.reconstruction.inspector import array_text
from kernelviewer.kernels.classes import CLASSES, Naming, class_shown
from kernelviewer.latent.stretches import stretch_at
from kernelviewer.state.comparing import Comparing
from kernelviewer.state.own_names import TAGS, tag_name
from kernelviewer.state.selection import Layers

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from kernelviewer.gui.window_context import WindowContext
    from kernelviewer.kernels.classes import By, Words
    from kernelviewer.state.arrangement import EqualKernels
    from kernelviewer.state.view_state import ViewState

MENUS = ("File", "Edit", "View", "Analysis", "Help")
NEEDS: Mapping[str, Callable[[ViewState], object]] = {
    "": lambda s: True,
    "network": lambda s: s.models,
    "two": lambda s: len(s.models) > 1,
    "comparison": lambda s: s.comparing is not None,
    "sizes": lambda s: len(s.sizes) > 1,
    "kernel": lambda s: s.focus is not None,
    "selection": lambda s: s.selection.steps,
    "marked": lambda s: s.focus is not None or s.selection.steps,
    "edits": lambda s: s.edits,
    "tags": lambda s: s.tags,
    "autoencoder": lambda s: s.spectrum is not None,
    "run": lambda s: s.run is not None,
    "undo": lambda s: s.undo,
    "redo": lambda s: s.redo,
}
"""What a command may need → whether it is there."""
READS = (
    *("models", "sizes", "focus", "selection", "spectrum", "undo", "redo"),
    *("only_selected", "charts", "comparing", "run", "mean", "display", "labels"),
    *("edits", "tags"),
)
RECENT_LENGTH = 80
"""Letters of a path in the menu; its middle is left out beyond."""
THEMES = {"system": "As the &System", "light": "&Light", "dark": "&Dark"}
DEVICES = {
    "auto": "&Automatic",
    "cuda": "&CUDA (NVIDIA, AMD)",
    "mps": "&MPS (Apple)",
    "cpu": "C&PU",
}


@dataclass(frozen=True, slots=True)
class Command:
    """Something the user can ask for."""

    id: str
    """Its name, as other modules know it."""
    text: str
    """As in the menu, with its ``&`` mnemonic; an ellipsis where it asks for more."""
    menu: str
    """Title of its menu, after a slash that of a menu within it; commands stand there
    in the table's order."""
    run: Callable[[WindowContext], object] | None = None
    """What it does in a window; None for a menu of choices."""
    keys: tuple[str, ...] = ()
    """Shortcuts, portable text."""
    needs: str = ""
    """A key of `NEEDS`: without it the command is disabled."""
    rule: bool = False
    """True: a separating line goes before it."""
    on: Callable[[WindowContext], bool] | None = None
    """Tells whether it is switched on; None for what is no switch."""
    act: Callable[[ViewState], str] | None = None
    """The name of what it would do now, which goes behind the text."""
    choices: Callable[[WindowContext], QMenu] | None = None
    """The menu that takes its place."""
    tip: str = ""
    """What it does, where the text does not say it."""
    also: str = ""
    """Other words by which people look for it in the palette."""

    @property
    def title(self) -> str:
        """The text without mnemonic and ellipsis."""
        return plain(self.text)


def plain(text: str) -> str:
    """Menu text without its mnemonic and ellipsis."""
    return text.replace("&&", "\0").replace("&", "").replace("\0", "&").rstrip("…")


def menu_keys() -> list[tuple[str, list[tuple[str, str]]]]:
    """Menus with title and keys of their commands that have any; tags in one row."""
    first, last = str(TAGS[0]), str(TAGS[-1])
    native = QKeySequence.SequenceFormat.NativeText
    rows: dict[str, list[tuple[str, str]]] = {menu: [] for menu in MENUS}
    for command in COMMANDS:
        menu, _, inner = command.menu.partition("/")
        title = f"{inner}: {command.title}" if inner else command.title
        keys = [QKeySequence(one).toString(native) for one in command.keys]
        if keys == [first]:
            rows[menu].append((f"{title} to {last}", f"{first} to {last}"))
        elif keys and command.id not in {f"tag{number}" for number in TAGS}:
            rows[menu].append((title, ", ".join(keys)))
    return [*rows.items()]


class Commands(QObject):
    """The commands of a window: its menu bar, and what is enabled and switched on.

    Attributes
    ----------
    actions
        Command id → its action.
    """

    def __init__(self, window: WindowContext) -> None:
        super().__init__(window)
        self._window = window
        self.actions: dict[str, QAction] = {}
        menus = {name: window.menuBar().addMenu(f"&{name}") for name in MENUS}
        for command in COMMANDS:
            top, _, inner = command.menu.partition("/")
            if command.menu not in menus:
                menus[command.menu] = menus[top].addMenu(f"&{inner}")
            if command.rule:
                menus[command.menu].addSeparator()
            self.actions[command.id] = self._add(command, menus[command.menu])
        window.looks_changed.connect(self._show_switches)
        window.docks["jobs"].visibilityChanged.connect(self._show_switches)
        window.runs.changed.connect(self._show_switches)
        window.overview_changed.connect(self._show_switches)
        window.presenter.add(self, READS)

    def _add(self, command: Command, menu: QMenu) -> QAction:
        if command.choices is not None:
            choices = command.choices(self._window)
            choices.setTitle(command.text)
            return menu.addMenu(choices)
        assert command.run is not None
        run = partial(command.run, self._window)
        action = QAction(command.text, self._window)
        action.setObjectName(command.id)
        action.setShortcuts([QKeySequence(keys) for keys in command.keys])
        action.setCheckable(command.on is not None)
        action.setStatusTip(command.tip)
        action.triggered.connect(lambda: run())
        menu.addAction(action)
        return action

    def show(self, state: ViewState) -> None:
        """Enable what can be done; undo and redo are named after their acts."""
        for command in COMMANDS:
            action = self.actions[command.id]
            action.setEnabled(bool(NEEDS[command.needs](state)))
            if command.act is not None:
                action.setText(f"{command.text} {command.act(state)}".rstrip())
        self._show_switches()

    def _show_switches(self) -> None:
        for command in COMMANDS:
            if command.on is not None:
                self.actions[command.id].setChecked(command.on(self._window))


def _dialog(module: str, name: str) -> Callable[[WindowContext], None]:
    """What shows a dialog beside the window, without blocking it."""

    def show(window: WindowContext) -> None:
        dialogs = import_module(f"kernelviewer.gui.dialogs.{module}")
        getattr(dialogs, name)(window).show()

    return show


# --- files ---


def _open(window: WindowContext) -> None:
    names, _ = QFileDialog.getOpenFileNames(
        window, "Open checkpoints", window.settings.last_folder
    )
    window.opener.open([Path(name) for name in names])


def _open_folder(window: WindowContext) -> None:
    name = QFileDialog.getExistingDirectory(
        window, "Open a folder", window.settings.last_folder
    )
    if name:
        window.opener.open([Path(name)])


def _watch_folder(window: WindowContext) -> None:
    """Ask for a folder and let what comes into it join a run; or stop that."""
    if window.runs.watched is not None:
        window.runs.stop_watching()
        return
    name = QFileDialog.getExistingDirectory(
        window, "Watch a folder", window.settings.last_folder
    )
    window.runs.changed.emit()  # a switch that was given up is off again
    if name:
        window.runs.watch(Path(name), window.opener.take_run)


def _open_model(window: WindowContext) -> None:
    from kernelviewer.gui.dialogs.open_model import OpenModelDialog

    OpenModelDialog(window, window.opener.open_named).show()


def _export_kernels(window: WindowContext) -> None:
    from kernelviewer.gui.dialogs.export_kernels import export_marked

    export_marked(window)


def _export_animation(window: WindowContext) -> None:
    from kernelviewer.gui.dialogs.figure.output import export_animation

    export_animation(window)


def _rename_network(window: WindowContext) -> None:
    """Rename the network of the tree's current row."""
    identity = window.parts.tree.current_model()
    if identity is None:
        identity = window.document.models[-1].id
    window.rename_network(identity)


def _rename_stretch(window: WindowContext) -> None:
    """Rename the stretch at the slider."""
    stretches = window.state.stretches
    if stretches:
        at = stretch_at(stretches, window.state.position)
        window.rename_stretch(min(at, len(stretches) - 1))


def _rename_class(window: WindowContext) -> QMenu:
    menu = QMenu(window)
    menu.aboutToShow.connect(partial(_fill_classes, window, menu))
    return menu


def _fill_classes(window: WindowContext, menu: QMenu) -> None:
    """The classes that can be called otherwise."""
    menu.clear()
    ratio = window.devicePixelRatioF()
    for index in window.state.scheme.rows[:-2]:
        icon = swatch_icon(index, theme.tokens(), ratio)
        ask = partial(window.rename_class, CLASSES[index].id)
        menu.addAction(icon, f"{class_shown(index).name}…".replace("&", "&&"), ask)


def _tags_menu(
    use: Callable[[WindowContext, int], object], window: WindowContext
) -> QMenu:
    menu = QMenu(window)
    menu.aboutToShow.connect(partial(_fill_tags, window, menu, use))
    return menu


def _fill_tags(
    window: WindowContext, menu: QMenu, use: Callable[[WindowContext, int], object]
) -> None:
    """The tags with how many kernels bear them."""
    menu.clear()
    tags = window.state.tags
    for number in TAGS:
        count = len(tags[number]) if number in tags else 0
        text = f"&{number}  {tag_name(tags, number)}"
        text += f"  ({spaced(count)})" if count else ""
        action = menu.addAction(text, partial(use, window, number))
        action.setEnabled(bool(count) or use is not _select_tagged)


def _select_tagged(window: WindowContext, number: int) -> None:
    window.acts.select_tagged(number)


def _tag(number: int) -> Command:
    """Tagging with one of the keys 1 to 9."""

    def named(state: ViewState) -> str:
        name = tag_name(state.tags, number)
        return "" if name == f"tag {number}" else f"“{name}”"

    return Command(
        f"tag{number}",
        f"Tag &{number}",
        "Edit/Tags",
        lambda window: window.acts.toggle_tag(number),
        (str(number),),
        needs="marked",
        act=named,
        tip="Mark the selected kernels, else the focused one, or take the mark away",
        also="label mark flag",
    )


def _close_all(window: WindowContext) -> None:
    window.opener.stop()
    window.jobs.cancel("session")
    window.document.close_all()


def _close_model(window: WindowContext) -> None:
    """Close the network of the tree's current row."""
    identity = window.parts.tree.current_model()
    if identity is not None:
        window.document.close(identity)
    else:
        window.statusBar().showMessage(
            "Several networks are open: click one in the tree first."
        )


# --- selecting, showing ---


def _select_layer(window: WindowContext) -> None:
    if (layer := window.acts.focused_layer()) is not None:
        window.document.select("replace", Layers(frozenset({layer})))


def _only_layer(window: WindowContext) -> None:
    if (layer := window.acts.focused_layer()) is not None:
        window.document.show_layers(frozenset({layer}))


def _copy_kernel(window: WindowContext) -> None:
    """Copy the focused kernel as a NumPy array."""
    pool, focus = window.state.pool, window.state.focus
    if pool is not None and focus is not None:
        QGuiApplication.clipboard().setText(array_text(pool.weights_of(focus)))
        window.statusBar().showMessage("Kernel copied as a NumPy array", 4000)


def _toggle_only_selected(window: WindowContext) -> None:
    window.document.show_only_selected(not window.document.scope.only_selected)


def _toggle_equal(window: WindowContext) -> None:
    """Count equal kernels of several networks once, or every time."""
    charts = window.document.charts
    equal: EqualKernels = "all" if charts.equal == "once" else "once"
    window.document.show_charts(replace(charts, equal=equal))


def _is_reused(window: WindowContext) -> bool:
    return window.settings.reuse == "on"


def _toggle_reuse(window: WindowContext) -> None:
    """Kept at once: later starts of the program read it while this window is open."""
    reuse = "off" if _is_reused(window) else "on"
    window.settings = replace(window.settings, reuse=reuse)
    window.keep_settings()


def _toggle_jobs(window: WindowContext) -> None:
    """Show the background jobs, also where another panel lies before them, or hide."""
    dock = window.docks["jobs"]
    dock.setVisible(not dock.in_front)
    dock.raise_()


def _compare(window: WindowContext) -> None:
    """Compare the two open networks; ask which, or how, where that is not plain."""
    document = window.document
    if len(document.models) == 2 and document.comparing is None:
        first, second = document.models
        window.compare(Comparing(first.id, second.id))
    else:
        from kernelviewer.gui.dialogs.comparing import ComparingDialog

        ComparingDialog(window).show()


def _play(window: WindowContext) -> None:
    """Play the steps of the run, or stop."""
    if (run := window.state.run) is not None:
        window.runs.toggle(run.id)


def _open_step(window: WindowContext) -> None:
    """Open the step of the run that is shown as a network of its own."""
    model = window.state.run
    if model is not None and model.run is not None:
        window.opener.open([model.run.steps[model.step].path], apart=True)


def _go_by(window: WindowContext, by: int) -> None:
    """Show a later or an earlier step of the run."""
    if (run := window.state.run) is not None:
        window.runs.stop()
        window.runs.go_by(run.id, by)


# --- code ---


def _load_autoencoder(window: WindowContext) -> None:
    name, _ = QFileDialog.getOpenFileName(
        window,
        "Load an autoencoder",
        window.settings.last_folder,
        "Autoencoders (*.safetensors)",
    )
    if name:
        window.opener.load_autoencoder(Path(name))


# --- help ---


def _select_shown(window: WindowContext) -> None:
    """Select all, and give the keyboard to the grid, where Escape takes it back."""
    window.acts.select_shown()
    if window.parts.grid.isVisible():
        window.parts.grid.setFocus()


def _is_without_mean(window: WindowContext) -> bool:
    return draws_without_mean(window.state, framed=window.looks.framed)


def _toggle_mean(window: WindowContext) -> None:
    window.document.draw_mean("with" if _is_without_mean(window) else "without")


def _name_by_other(window: WindowContext) -> None:
    naming = window.document.naming
    by: By = "family" if naming.by == "code" else "code"
    window.document.name(replace(naming, by=by))


def _name_in_other_words(window: WindowContext) -> None:
    words: Words = "paper" if window.document.naming.words == "fine" else "fine"
    window.document.name(Naming("family", words))


def _show_shortcuts(window: WindowContext) -> None:
    from kernelviewer.gui.dialogs.help import show_shortcuts

    show_shortcuts(window, menu_keys())


def _show_about(window: WindowContext) -> None:
    from kernelviewer.gui.dialogs.help import show_about

    show_about(window)


# --- menus of choices ---


def _recent(window: WindowContext) -> QMenu:
    menu = QMenu(window)
    menu.aboutToShow.connect(partial(_fill_recent, window, menu))
    return menu


def _fill_recent(window: WindowContext, menu: QMenu) -> None:
    """Offer work that was not saved, and the files opened last."""
    menu.clear()
    sessions = window.sessions
    for number, offer in enumerate(sessions.recovery.offers):
        text = offer_text(offer, number).replace("&", "&&")
        menu.addAction(text, partial(sessions.take_up, offer.path))
    if sessions.recovery.offers:
        menu.addSeparator()
    for path in window.settings.recent:
        text = shortened(path, RECENT_LENGTH).replace("&", "&&")
        action = menu.addAction(text, partial(window.opener.open, [Path(path)]))
        action.setStatusTip(path)
    if menu.isEmpty():
        menu.addAction("Nothing opened yet").setEnabled(False)


def _panels(window: WindowContext) -> QMenu:
    menu = QMenu(window)
    for dock in window.docks.values():
        menu.addAction(dock.toggleViewAction())
    return menu


def _themes(window: WindowContext) -> QMenu:
    return _choices(window, THEMES, "theme", window.set_theme)


def _devices(window: WindowContext) -> QMenu:
    use = window.device_requested.emit
    return _choices(window, DEVICES, "device", use)


def _choices(
    window: WindowContext,
    choices: Mapping[str, str],
    setting: str,
    use: Callable[[str], object],
) -> QMenu:
    """The values of a setting; one that is chosen here is kept."""

    def choose(action: QAction) -> None:
        window.of_this_run.discard(setting)
        use(action.data())

    now = getattr(window.settings, setting)
    menu = QMenu(window)
    group = QActionGroup(menu)
    for key, text in choices.items():
        action = menu.addAction(text)
        action.setCheckable(True)
        action.setChecked(key == now)
        action.setData(key)
        group.addAction(action)
    group.triggered.connect(choose)
    return menu


# fmt: off
COMMANDS: tuple[Command, ...] = (
    Command("open", "&Open…", "File", _open, ("Ctrl+O",),
        tip="Open checkpoints and sessions"),
    Command("open_folder", "Open &Folder…", "File", _open_folder, ("Ctrl+Shift+O",)),
    Command("open_model", "Open &Pretrained Network…", "File", _open_model, ("Ctrl+M",),
        tip="Open a pretrained network by its name",
        also="model timm hub download"),
    Command("open_sample", "Open &Sample", "File",
        lambda w: w.opener.open([resource("sample", "sample.safetensors")]),
        tip="Open the bundled network"),
    Command("open_sample_run", "Open Sample R&un", "File",
        lambda w: w.opener.open_run([resource("sample-run")], "sample-run"),
        tip="Open the bundled training run, step by step"),
    Command("watch_folder", "&Watch Folder…", "File", _watch_folder,
        on=lambda w: w.runs.watched is not None,
        tip="Let the checkpoints of a running training join as they are written",
        also="run series steps live"),
    Command("recent", "Open &Recent", "File", choices=_recent),
    Command("save", "&Save Session", "File", lambda w: w.sessions.save(), ("Ctrl+S",),
        needs="network", rule=True),
    Command("save_as", "Save Session &As…", "File", lambda w: w.sessions.save_as(),
        ("Ctrl+Shift+S",), needs="network"),
    Command("export", "&Export Figure…", "File",
        lambda w: w.figure_requested.emit(), ("Ctrl+E",), needs="network", rule=True,
        tip="Draw what is looked at as a figure", also="save picture svg pdf png"),
    Command("export_kernels", "Export &Kernels…", "File", _export_kernels,
        ("Ctrl+Alt+E",), needs="network",
        tip="Write the selected kernels, or those in view, as arrays or pictures"),
    Command("export_labels", "Export &Labels…", "File",
        _dialog("export_kernels", "ExportLabelsDialog"), ("Ctrl+Shift+E",),
        needs="network",
        tip="Write code, fit and class of every open kernel as a table"),
    Command("export_animation", "Export Ani&mation…", "File", _export_animation,
        needs="run", tip="Write the run as an animated picture, step by step",
        also="film gif apng movie"),
    Command("write_approximated", "&Write Approximated…", "File",
        _dialog("rewriting", "RewriteDialog"), needs="network",
        also="rewrite checkpoint keys family transplant freeze",
        tip="Write the network with keys, members of the family or other kernels in "
        "the place of its own, to test what they are worth"),
    Command("close_model", "&Close Network", "File", _close_model, ("Ctrl+W",),
        needs="network", also="remove unload"),
    Command("close_all", "Close &All Networks", "File", _close_all, ("Ctrl+Shift+W",),
        needs="network", tip="Close what is open, and stop what is being opened"),
    Command("quit", "&Quit", "File", lambda w: w.close(), ("Ctrl+Q",), rule=True),
    Command("undo", "&Undo", "Edit", lambda w: w.document.undo(), ("Ctrl+Z",),
        needs="undo", act=lambda s: s.undo),
    Command("redo", "&Redo", "Edit", lambda w: w.document.redo(),
        ("Ctrl+Shift+Z", "Ctrl+Y"), needs="redo", act=lambda s: s.redo),
    Command("select_all", "Select &All Shown", "Edit", _select_shown, ("Ctrl+A",),
        needs="network", rule=True),
    Command("select_layer", "Select &Layer of Focused Kernel", "Edit", _select_layer,
        ("Ctrl+L",), needs="kernel"),
    Command("similar", "Select &Similar Kernels", "Edit",
        lambda w: w.acts.select_similar(), ("Ctrl+Shift+A",), needs="network",
        tip="Select kernels of all open networks that are like the focused one"),
    Command("similar_corpus", "Similar in the &Corpus", "Edit",
        lambda w: w.parts.corpus.similar_requested.emit(), ("Ctrl+Alt+A",),
        needs="kernel", also="nearest zoo search like",
        tip="Open the kernels of the corpus that are nearest to the focused one"),
    Command("invert", "&Invert Selection", "Edit", lambda w: w.acts.invert(),
        ("Ctrl+I",), needs="network"),
    Command("clear", "&Clear Selection", "Edit", lambda w: w.document.clear_selection(),
        ("Ctrl+D",), needs="selection"),
    Command("copy_kernel", "&Copy Kernel as Array", "Edit", _copy_kernel, ("Ctrl+C",),
        needs="kernel", rule=True),
    *(_tag(number) for number in TAGS),
    Command("tagged", "&Select Tagged", "Edit/Tags", needs="tags", rule=True,
        choices=partial(_tags_menu, _select_tagged)),
    Command("rename_tag", "&Rename Tag", "Edit/Tags", needs="network",
        choices=partial(_tags_menu, lambda w, number: w.rename_tag(number))),
    Command("rename_network", "Rename &Network…", "Edit/Names", _rename_network,
        needs="network", also="before after own name F2"),
    Command("rename_class", "Rename &Class", "Edit/Names", needs="network",
        choices=_rename_class),
    Command("rename_stretch", "Rename &Stretch at the Slider…", "Edit/Names",
        _rename_stretch, needs="autoencoder", also="own name colour F2"),
    Command("reset_names", "&Reset Names", "Edit/Names",
        lambda w: w.document.reset_names(), needs="edits", rule=True,
        tip="Call networks, classes and stretches as files and program do; tags stay",
        also="edited own usual shipped"),
    Command("find", "&Find Layer", "Edit", lambda w: w.parts.tree.start_search(),
        ("Ctrl+F",), also="search"),
    Command("compare", "Co&mpare Two Networks…", "Edit", _compare, ("Ctrl+Shift+C",),
        needs="two", rule=True, also="before after difference pairs fine-tuning",
        tip="Set two open networks beside each other, kernel by kernel"),
    Command("end_comparison", "End the Com&parison", "Edit",
        lambda w: w.document.compare(None), needs="comparison"),
    Command("zoom_in", "Zoom &In", "View", lambda w: w.parts.grid.zoom_in(),
        ("Ctrl++", "Ctrl+=")),
    Command("zoom_out", "Zoom &Out", "View", lambda w: w.parts.grid.zoom_out(),
        ("Ctrl+-",)),
    Command("zoom_reset", "&Reset Zoom", "View", lambda w: w.parts.grid.reset_zoom(),
        ("Ctrl+0",)),
    Command("only_layer", "Show &Only the Focused Layer", "View", _only_layer,
        ("Ctrl+Shift+F",), needs="kernel", rule=True),
    Command("show_all", "Show All &Layers", "View",
        lambda w: w.document.show_layers(None), ("Ctrl+Shift+L",), needs="network"),
    Command("only_selected", "Show Only S&elected Kernels", "View",
        _toggle_only_selected, ("Ctrl+H",), needs="network",
        on=lambda w: w.document.scope.only_selected,
        tip="Leave what is not selected out of the grid"),
    Command("equal_once", "&Count Equal Kernels Once", "View", _toggle_equal,
        on=lambda w: w.document.charts.equal == "once",
        tip="Kernels that several open networks have alike, bit for bit, count "
        "once wherever networks are counted together",
        also="same duplicate identical weights double"),
    Command("next_size", "&Next Kernel Size", "View", lambda w: w.parts.sizes.step(1),
        ("Ctrl+]",), needs="sizes"),
    Command("previous_size", "&Previous Kernel Size", "View",
        lambda w: w.parts.sizes.step(-1), ("Ctrl+[",), needs="sizes"),
    Command("picture", "Kernels, &Reconstructions, Residuals", "View",
        lambda w: w.parts.controls.picture.step(), ("Ctrl+R",), needs="autoencoder",
        tip="Show the kernels, their reconstructions, the residuals, or all three"),
    Command("mean", "Kernels &without Mean", "View", _toggle_mean, ("Ctrl+Shift+R",),
        needs="network", on=lambda w: _is_without_mean(w),
        tip="Draw kernels without their mean, as their classes are given, or with it",
        also="offset centre pattern"),
    Command("play", "Pla&y the Run", "View", _play, ("Ctrl+Space",), needs="run",
        rule=True, also="film animation steps training time"),
    Command("next_step", "Next Training &Step", "View", lambda w: _go_by(w, 1),
        ("Ctrl+.",), needs="run"),
    Command("previous_step", "Previous Training S&tep", "View",
        lambda w: _go_by(w, -1), ("Ctrl+,",), needs="run"),
    Command("open_step", "Open This Step Se&parately", "View", _open_step, needs="run",
        tip="Open the step that is shown as a network of its own, to be compared with "
        "other steps", also="run compare"),
    Command("framed", "&Frame Kernels by Class", "View",
        lambda w: w.set_framed(not w.looks.framed), on=lambda w: w.looks.framed),
    Command("overview", "O&verview of the Networks", "View",
        lambda w: w.show_overview(not w.overview_shown), ("Ctrl+4",), needs="network",
        on=lambda w: w.overview_shown, rule=True, also="table list many rows compare",
        tip="A row for each network, in the place of the kernels, or these again"),
    Command("corpus", "The Corp&us", "View",
        lambda w: w.show_corpus(w.page != "corpus"), ("Ctrl+5",),
        on=lambda w: w.page == "corpus", also="zoo many networks query find database",
        tip="Networks and kernels of the open corpus, in the place of the kernels"),
    Command("layout_explore", "&Explore", "View/Layout",
        lambda w: w.use_preset("explore"), ("Ctrl+1",), tip="Everything at a glance"),
    Command("layout_compare", "&Compare", "View/Layout",
        lambda w: w.use_preset("compare"), ("Ctrl+2",),
        tip="Classes and layers large, kernels by network"),
    Command("layout_label", "&Label", "View/Layout", lambda w: w.use_preset("label"),
        ("Ctrl+3",), tip="The spectrum large, kernels by class"),
    Command("layout_reset", "&Reset the Layout", "View/Layout",
        lambda w: w.layouts.reset(), ("Ctrl+Shift+0",), rule=True,
        tip="Put every panel back where the last layout had it"),
    Command("panels", "&Panels", "View", choices=_panels),
    Command("next_panel", "&Next Panel", "View", lambda w: w.layouts.cycle(1), ("F6",)),
    Command("previous_panel", "Pre&vious Panel", "View", lambda w: w.layouts.cycle(-1),
        ("Shift+F6",)),
    Command("theme", "&Theme", "View", rule=True, choices=_themes,
        also="dark mode appearance"),
    Command("device", "&Device", "View", choices=_devices, also="gpu"),
    Command("reuse", "Open Files in T&his Window", "View", _toggle_reuse,
        on=_is_reused,
        tip="Files that are opened elsewhere, from a terminal or a file manager, come "
        "here instead of to a window of their own (--new-window)",
        also="single instance running second"),
    Command("jobs", "Show &Jobs", "View", _toggle_jobs, ("Ctrl+J",),
        on=lambda w: w.docks["jobs"].in_front),
    Command("train", "&Train on What Is Open…", "Analysis",
        _dialog("train", "TrainDialog"), ("Ctrl+T",), needs="network",
        also="learn fit autoencoder"),
    Command("load_autoencoder", "&Load an Autoencoder…", "Analysis", _load_autoencoder),
    Command("encode", "&Compute Missing Codes", "Analysis", lambda w: w.encode_again(),
        needs="network", also="encode again",
        tip="Give codes to the kernels for which this was cancelled or has failed"),
    Command("null_test", "&Null Test…", "Analysis",
        _dialog("noise_control", "NullTestDialog"), ("Ctrl+Shift+N",), needs="network",
        also="noise shuffled untrained honest"),
    Command("naming", "Na&me by Family or Code", "Analysis",
        _name_by_other, ("Ctrl+Shift+M",), needs="network",
        tip="Name kernels by their nearest member of the pattern family, or by the "
        "stretch of the spectrum that their code falls in"),
    Command("words", "Fine or the &Paper's Names", "Analysis", _name_in_other_words,
        needs="network", also="classes scheme eleven",
        tip="Name kernels by the family in fine words, which say what people see, or "
        "by the paper's eleven classes"),
    Command("reset_borders", "&Reset the Stretches", "Analysis",
        lambda w: w.document.reset_stretches(), needs="network", rule=True),
    Command("palette", "&Search Commands…", "Help", lambda w: w.parts.palette.start(),
        ("Ctrl+K",), tip="Find a command, a layer, a class and more by typing"),
    Command("glossary", "&Glossary", "Help", lambda w: w.explain(),
        tip="What the words on the screen mean, with a picture of each",
        also=" ".join(f"{term.word} {term.also}" for term in TERMS)),
    Command("shortcuts", "&Keyboard Shortcuts", "Help", _show_shortcuts, ("F1",),
        also="keys help"),
    Command("about", "&About kernelviewer", "Help", _show_about),
)
# fmt: on
