"""What a view says of itself: all that the window needs to know of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from PySide6.QtWidgets import QWidget

    from kernelviewer.gui.controller import Controller
    from kernelviewer.state.document import Document

FIGURE_WORDS = {"model": "network"}
"""The window's words → the figures' words, where they differ."""
Side = Literal["left", "top", "right", "bottom", "below"]


@dataclass(frozen=True, slots=True)
class ViewKeys:
    """The keys and gestures of a widget, as the F1 sheet tells them.

    Attributes
    ----------
    view
        Its name, as people read it.
    module
        Where they are handled, below ``kernelviewer.gui``; a test holds the rows
        against the keys that its code asks for.
    rows
        (what it does, keys or gesture).
    """

    view: str
    module: str
    rows: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class ViewFigure:
    """The figure of a widget, for Copy and Export Figure… in its menu.

    Attributes
    ----------
    kind
        Exhibit.
    scope
        Which kernels, a key of `FigureRequests.choices`.
    options
        The options of `FigureOptions` that the view's own state decides.
    """

    kind: str
    scope: str = "shown"
    options: Callable[[Document], Mapping[str, Any]] = lambda document: {}


@dataclass(frozen=True, slots=True)
class Home:
    """Where a panel lies in an arrangement.

    Attributes
    ----------
    side
        Of the window; ``below``: below all, and shown only when it is needed.
    cell
        Its place along the side, from the top or the left; panels of one cell lie
        behind each other as tabs.
    rank
        Its place among the tabs; the lowest is in front.
    """

    side: Side
    cell: int = 0
    rank: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class ViewSpec:
    """One view: a panel of the window.

    Attributes
    ----------
    id, title, short
        Name of the panel; what its title line says; what its tab says, if that is
        shorter.
    make
        Its widgets from top to bottom, by the name that `Parts` has them under.
    controls
        Widgets of its title line, alike.
    grow
        Number of the widget that takes the room that is left.
    width
        Least width of the panel, pixels.
    controller
        Keeps the widgets equal to the view state; None where they show none of it.
    reads
        The parts of `ViewState` that it shows.
    keys
        The keys and gestures of its widgets.
    figures
        Object name of a widget → its figure.
    home, homes
        Where the panel lies, and where else in some arrangements, by their ids; None
        for what is no panel that can be moved. An arrangement without the side has
        it behind its last panels.
    """

    id: str
    title: str
    make: Mapping[str, Callable[[QWidget], Any]]
    controller: type[Controller] | None = None
    reads: tuple[str, ...] = ()
    keys: tuple[ViewKeys, ...] = ()
    figures: Mapping[str, ViewFigure] = field(default_factory=dict)
    home: Home | None = None
    homes: Mapping[str, Home] = field(default_factory=dict)
    short: str = ""
    controls: Mapping[str, Callable[[QWidget], Any]] = field(default_factory=dict)
    grow: int = -1
    width: int = 0

    @property
    def is_panel(self) -> bool:
        """Whether it can be moved, floated and closed."""
        return self.home is not None

    def home_in(self, arrangement: str) -> Home | None:
        """Where the panel lies in an arrangement, by its id."""
        return self.homes.get(arrangement, self.home)
