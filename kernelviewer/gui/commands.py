"""One table of commands: menus, shortcuts, tooltips and the F1 sheet come from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtGui import QAction, QKeySequence

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from PySide6.QtWidgets import QMainWindow, QMenu


@dataclass(frozen=True, slots=True)
class Command:
    """Something the user can ask for.

    Attributes
    ----------
    id
        Name of the handler.
    text
        As in the menu, with its ``&`` mnemonic; an ellipsis where it asks for more.
    menu
        Title of its menu, after a slash that of a menu within it; commands stand
        there in the table's order.
    keys
        Shortcuts, portable text.
    rule
        True: a separating line goes before it.
    checkable
        True: it is switched on and off.
    tip
        What it does, where the text does not say it.
    """

    id: str
    text: str
    menu: str
    keys: tuple[str, ...] = ()
    rule: bool = False
    checkable: bool = False
    tip: str = ""


COMMANDS: tuple[Command, ...] = (
    Command("open", "&Open…", "File", ("Ctrl+O",), tip="Open checkpoints and sessions"),
    Command("open_folder", "Open &Folder…", "File", ("Ctrl+Shift+O",)),
    Command(
        "open_model",
        "Open &Model…",
        "File",
        ("Ctrl+M",),
        tip="Open a pretrained network by its name",
    ),
    Command("open_sample", "Open &Sample", "File", tip="Open the bundled network"),
    Command(
        "open_sample_run",
        "Open Sample &Run",
        "File",
        tip="Open the bundled training run, step by step",
    ),
    Command(
        "watch_folder",
        "&Watch Folder…",
        "File",
        tip="Let the checkpoints of a running training join as they are written",
    ),
    Command("recent", "Open &Recent", "File"),
    Command("save", "&Save Session", "File", ("Ctrl+S",), rule=True),
    Command("save_as", "Save Session &As…", "File", ("Ctrl+Shift+S",)),
    Command("export", "&Export Figure…", "File", ("Ctrl+E",), rule=True),
    Command(
        "export_kernels",
        "Export &Kernels…",
        "File",
        ("Ctrl+Alt+E",),
        tip="Write the selected kernels, or those in view, as arrays or pictures",
    ),
    Command(
        "export_labels",
        "Export &Labels…",
        "File",
        ("Ctrl+Shift+E",),
        tip="Write code, fit and class of every open kernel as a table",
    ),
    Command("close_model", "&Close Network", "File", ("Ctrl+W",)),
    Command("close_all", "Close &All Networks", "File", ("Ctrl+Shift+W",)),
    Command("quit", "&Quit", "File", ("Ctrl+Q",), rule=True),
    Command("undo", "&Undo", "Edit", ("Ctrl+Z",)),
    Command("redo", "&Redo", "Edit", ("Ctrl+Shift+Z", "Ctrl+Y")),
    Command("select_all", "Select &All Shown", "Edit", ("Ctrl+A",), rule=True),
    Command("select_layer", "Select &Layer of Focused Kernel", "Edit", ("Ctrl+L",)),
    Command(
        "similar",
        "Select &Similar Kernels",
        "Edit",
        ("Ctrl+Shift+A",),
        tip="Select kernels of all open networks that are like the focused one",
    ),
    Command("invert", "&Invert Selection", "Edit", ("Ctrl+I",)),
    Command("clear", "&Clear Selection", "Edit", ("Ctrl+D",)),
    Command("copy_kernel", "&Copy Kernel as Array", "Edit", ("Ctrl+C",), rule=True),
    Command("find", "&Find Layer", "Edit", ("Ctrl+F",)),
    Command("zoom_in", "Zoom &In", "View", ("Ctrl++", "Ctrl+=")),
    Command("zoom_out", "Zoom &Out", "View", ("Ctrl+-",)),
    Command("zoom_reset", "&Reset Zoom", "View", ("Ctrl+0",)),
    Command(
        "only_layer",
        "Show &Only the Focused Layer",
        "View",
        ("Ctrl+Shift+F",),
        rule=True,
    ),
    Command("show_all", "Show All &Layers", "View", ("Ctrl+Shift+L",)),
    Command(
        "only_selected",
        "Show Only S&elected Kernels",
        "View",
        ("Ctrl+H",),
        checkable=True,
        tip="Leave what is not selected out of the grid",
    ),
    Command(
        "equal_once",
        "&Count Equal Kernels Once",
        "View",
        checkable=True,
        tip="Kernels that several open networks have alike, bit for bit, count once "
        "wherever networks are counted together",
    ),
    Command("next_size", "&Next Kernel Size", "View", ("Ctrl+]",)),
    Command("previous_size", "&Previous Kernel Size", "View", ("Ctrl+[",)),
    Command(
        "picture",
        "Kernels, &Reconstructions, Residuals",
        "View",
        ("Ctrl+R",),
        tip="Show the kernels, their reconstructions, the residuals, or all three",
    ),
    Command("play", "Pla&y the Run", "View", ("Ctrl+Space",), rule=True),
    Command("next_step", "Next Training &Step", "View", ("Ctrl+.",)),
    Command("previous_step", "Previous Training S&tep", "View", ("Ctrl+,",)),
    Command("framed", "&Frame Kernels by Class", "View", checkable=True),
    Command(
        "layout_explore",
        "&Explore",
        "View/Layout",
        ("Ctrl+1",),
        tip="Everything at a glance",
    ),
    Command(
        "layout_compare",
        "&Compare",
        "View/Layout",
        ("Ctrl+2",),
        tip="Classes and layers large, kernels by network",
    ),
    Command(
        "layout_label",
        "&Label",
        "View/Layout",
        ("Ctrl+3",),
        tip="The spectrum large, kernels by class",
    ),
    Command(
        "layout_reset",
        "&Reset the Layout",
        "View/Layout",
        ("Ctrl+Shift+0",),
        rule=True,
        tip="Put every panel back where the last layout had it",
    ),
    Command("panels", "&Panels", "View"),
    Command("next_panel", "&Next Panel", "View", ("F6",)),
    Command("previous_panel", "Pre&vious Panel", "View", ("Shift+F6",)),
    Command("theme", "&Theme", "View", rule=True),
    Command("device", "&Device", "View"),
    Command("jobs", "Show &Jobs", "View", ("Ctrl+J",), checkable=True),
    Command("train", "&Train on What Is Open…", "Code", ("Ctrl+T",)),
    Command("load_autoencoder", "&Load an Autoencoder…", "Code"),
    Command(
        "encode",
        "&Encode Again",
        "Code",
        tip="Encode the kernels whose encoding was cancelled or has failed",
    ),
    Command("null_test", "&Null Test…", "Code", ("Ctrl+Shift+N",)),
    Command("reset_borders", "&Reset the Stretches", "Code", rule=True),
    Command(
        "palette",
        "&Search Commands…",
        "Help",
        ("Ctrl+K",),
        tip="Find a command, a layer, a class and more by typing",
    ),
    Command("shortcuts", "&Keyboard Shortcuts", "Help", ("F1",)),
    Command("about", "&About kernelviewer", "Help"),
)
MENUS = ("File", "Edit", "View", "Code", "Help")


def build_menus(
    window: QMainWindow,
    handlers: Mapping[str, Callable[[], object]],
    submenus: Mapping[str, QMenu],
) -> dict[str, QAction]:
    """Fill the menu bar from the table.

    Parameters
    ----------
    window
        Gets the menus and the shortcuts.
    handlers
        Command id → what it does.
    submenus
        Command id → menu that takes its place.

    Returns
    -------
    dict
        Command id → its action.
    """
    menus = {name: window.menuBar().addMenu(f"&{name}") for name in MENUS}
    actions: dict[str, QAction] = {}
    for command in COMMANDS:
        top, _, inner = command.menu.partition("/")
        if command.menu not in menus:
            menus[command.menu] = menus[top].addMenu(f"&{inner}")
        menu = menus[command.menu]
        if command.rule:
            menu.addSeparator()
        if command.id in submenus:
            submenus[command.id].setTitle(command.text)
            actions[command.id] = menu.addMenu(submenus[command.id])
            continue
        action = QAction(command.text, window)
        action.setObjectName(command.id)
        action.setShortcuts([QKeySequence(keys) for keys in command.keys])
        action.setCheckable(command.checkable)
        action.setStatusTip(command.tip)
        action.triggered.connect(_without_argument(handlers[command.id]))
        menu.addAction(action)
        actions[command.id] = action
    return actions


def _without_argument(handler: Callable[[], object]) -> Callable[[bool], None]:
    def call(_checked: bool = False) -> None:
        handler()

    return call
