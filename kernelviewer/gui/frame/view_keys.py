"""One table of the keys and gestures of views: what the F1 sheet tells of them.

Keys of commands stand in `kernelviewer.gui.commands`. A test holds the table against
the keys that the views' code asks for.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ViewKeys:
    """The keys of one view.

    Attributes
    ----------
    view
        Its name, as people read it.
    module
        Where they are handled, below ``kernelviewer.gui``.
    rows
        (what it does, keys or gesture).
    """

    view: str
    module: str
    rows: tuple[tuple[str, str], ...]


VIEW_KEYS: tuple[ViewKeys, ...] = (
    ViewKeys(
        "Models",
        "views.model_tree",
        (
            ("Show only some layers", "click them; Ctrl+click adds"),
            ("Show all layers, or clear the search", "Escape"),
            ("Close the network", "Delete"),
        ),
    ),
    ViewKeys(
        "Kernels",
        "views.grid.grid",
        (
            ("Look at a kernel", "click; arrow keys, Page Up, Page Down, Home, End"),
            ("Open it in its panel", "double click, Enter"),
            ("Select", "drag; Shift+click a range, Ctrl+click or Space one"),
            ("A drag adds, takes away, intersects", "Shift, Ctrl, Ctrl+Shift"),
            ("Extend the selection", "Shift+arrow keys"),
            ("Give up a drag, clear the selection", "Escape"),
            ("Zoom", "Ctrl+wheel, pinch, Ctrl++, Ctrl+−, Ctrl+0"),
        ),
    ),
    ViewKeys(
        "Code slider",
        "views.spectrum.slider",
        (
            ("Move", "drag, wheel, arrow keys; Shift: fine"),
            ("To the next stretch, to an end", "Page Up, Page Down; Home, End"),
            ("Play along the spectrum", "Space"),
        ),
    ),
    ViewKeys(
        "Density of codes",
        "views.spectrum.brush",
        (
            ("Select a range of codes", "drag; Left, Right"),
            ("Move its upper or lower end", "Shift+arrows, Ctrl+arrows"),
            ("Give up a drag, clear the selection", "Escape"),
        ),
    ),
    ViewKeys(
        "Stretches",
        "views.spectrum.editing",
        (
            ("Next stretch", "Left, Right"),
            ("Move its upper or lower border", "drag; Shift+arrows, Ctrl+arrows"),
            ("Rename, split, merge", "right click, Enter, F2"),
            ("Give up a drag", "Escape"),
        ),
    ),
    ViewKeys(
        "Surface",
        "views.reconstruction.surface",
        (("Turn, turn back", "drag, arrow keys; double click, Home"),),
    ),
    ViewKeys(
        "Nearest kernels",
        "views.reconstruction.thumbnails",
        (("Look at one", "click; arrow keys, then Enter or Space"),),
    ),
    ViewKeys(
        "Classes",
        "views.classes.histogram",
        (("Select a class", "click; arrow keys, Home, End, then Enter or Space"),),
    ),
    ViewKeys(
        "Layer composition",
        "views.classes.composition",
        (
            ("Select a class of a layer", "click; arrow keys, Home, End, then Space"),
            ("Select the layer", "click its name; Enter"),
        ),
    ),
    ViewKeys(
        "PCA",
        "views.scatter.view",
        (
            ("Select", "drag; Alt+drag: lasso; Space: the focused one"),
            ("Look at a neighbour, move the picture", "arrow keys; Shift+arrow keys"),
            ("Zoom, show all", "wheel, + (=), −; double click, Home, 0"),
            ("Give up a drag", "Escape"),
        ),
    ),
    ViewKeys(
        "Selection in words",
        "controls.selection_chips",
        (("Take a part away", "click its ×; Delete, Backspace"),),
    ),
    ViewKeys(
        "Search line",
        "palette.line",
        (
            ("Mark an entry", "Up, Down, Page Up, Page Down"),
            ("Do it, do the other thing it offers", "Enter; Shift+Enter"),
            ("Close, and go back", "Escape"),
        ),
    ),
)
