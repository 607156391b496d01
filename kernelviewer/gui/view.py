"""What a view says of itself, and what keeps it equal to the view state."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Concatenate, Generic, Literal, ParamSpec, TypeVar

from PySide6.QtCore import QObject

from kernelviewer.gui.jobs import Reaction
from kernelviewer.state.memo import same

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from PySide6.QtWidgets import QWidget

    from kernelviewer.gui.jobs import Jobs
    from kernelviewer.gui.theme import Looks
    from kernelviewer.gui.window_context import WindowContext
    from kernelviewer.jobs.runner import Lane, Ticket
    from kernelviewer.state.document import Document
    from kernelviewer.state.view_state import ViewState

FIGURE_WORDS = {"model": "network"}
"""The window's words → the figures' words, where they differ."""
Side = Literal["left", "top", "right", "bottom", "below"]
P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ViewKeys:
    """The keys and gestures of a widget, as the F1 sheet tells them."""

    view: str
    """Its name, as people read it."""
    module: str
    """Where they are handled, below ``kernelviewer.gui``; a test holds the rows against
    the keys that its code asks for."""
    rows: tuple[tuple[str, str], ...]
    """(what it does, keys or gesture)."""


def view_keys(view: str, module: str, *rows: tuple[str, str]) -> ViewKeys:
    """`ViewKeys` of these rows."""
    return ViewKeys(view, module, rows)


@dataclass(frozen=True, slots=True)
class ViewFigure:
    """The figure of a widget, for Copy and Export Figure… in its menu."""

    kind: str
    """Exhibit."""
    scope: str = "shown"
    """Which kernels, a key of `FigureRequests.choices`."""
    options: Callable[[Document], Mapping[str, Any]] = lambda document: {}
    """The options of `FigureOptions` that the view's own state decides."""
    instead: Callable[[ViewState], ViewFigure | None] = lambda state: None
    """The figure of what the view shows now, where that is another one."""


@dataclass(frozen=True, slots=True)
class Home:
    """Where a panel lies in an arrangement."""

    side: Side
    """Of the window; ``below``: below all, and shown only when it is needed."""
    cell: int = 0
    """Its place along the side, from the top or the left; panels of one cell lie behind
    each other as tabs."""
    rank: int = 0
    """Its place among the tabs; the lowest is in front."""


@dataclass(frozen=True, slots=True, eq=False)
class ViewSpec:
    """One view: a panel of the window.

    Attributes
    ----------
    id, title, short
        Name of the panel; what its title line says; what its tab says, if that is
        shorter.
    """

    id: str
    title: str
    make: Mapping[str, Callable[[QWidget], Any]]
    """Its widgets from top to bottom, by the name that `Parts` has them under."""
    controller: type[Controller] | None = None
    """Keeps the widgets equal to the view state; None where they show none of it."""
    reads: tuple[str, ...] = ()
    """The parts of `ViewState` that it shows."""
    keys: tuple[ViewKeys, ...] = ()
    """The keys and gestures of its widgets."""
    figures: Mapping[str, ViewFigure] = field(default_factory=dict)
    """Object name of a widget → its figure."""
    home: Home | None = None
    homes: Mapping[str, Home] = field(default_factory=dict)
    """Where the panel lies, and where else in some arrangements, by their ids; None for
    what is no panel that can be moved. An arrangement without the side has it behind
    its last panels."""
    page: str = ""
    """Of the centre, if it lies in one that has a title."""
    short: str = ""
    controls: Mapping[str, Callable[[QWidget], Any]] = field(default_factory=dict)
    """Widgets of its title line, alike."""
    grow: int | None = -1
    """Number of the widget that takes the room that is left; None: none of them."""
    width: int = 0
    """Least width of the panel, pixels."""
    of_runs: bool = False
    of_comparisons: bool = False
    """True: the panel comes when a run is opened, or two networks are compared, and
    goes with the last one."""
    says: Callable[[ViewState], bool] | None = None
    """Whether the panel has something to say of a state; without, it is folded to its
    title. None: it always has."""

    @property
    def is_panel(self) -> bool:
        """True if it can be moved, floated and closed."""
        return self.home is not None

    def home_in(self, arrangement: str) -> Home | None:
        """Where the panel lies in an arrangement, by its id."""
        return self.homes.get(arrangement, self.home)


def match_option(document: Document) -> Mapping[str, Any]:
    """How a figure pairs the kernels of the networks that are compared."""
    how = document.comparing
    return {} if how is None else {"match": how.match, "pairing": how.layers}


class Parts(SimpleNamespace):
    """What the views of the registry are made of, as attributes."""


class Controller(QObject):
    """Tells a view's widgets what the view state says, and the document what they ask.

    It keeps nothing of its own: what it remembers was derived from the state and can
    be derived again.
    """

    def __init__(self, window: WindowContext, widgets: Mapping[str, QWidget]) -> None:
        super().__init__(window)
        self.window, self.widgets = window, widgets
        self.parts = SimpleNamespace(**widgets)
        self.document, self.jobs = window.document, window.jobs
        self._told: dict[str, tuple[object, ...]] = {}
        self.listen()

    def listen(self) -> None:
        """Connect what the widgets ask for."""

    def show(self, state: ViewState) -> None:
        """Show the view state."""
        raise NotImplementedError

    def set_looks(self, looks: Looks) -> None:
        """Use other colours."""
        for widget in self.widgets.values():
            for name, value in (
                ("set_colormap", looks.colormap),
                ("set_colours", looks.weights),
            ):
                if (setter := getattr(widget, name, None)) is not None:
                    setter(value)

    def again(self, *_: object) -> None:
        """Show the same state again, as when something was derived from it."""
        self.window.presenter.show_again(self)

    def is_news(self, name: str, *values: object) -> bool:
        """True if values differ from those given under that name the last time.

        What classes are called is always one of them.
        """
        values = (self.window.state.own_classes, *values)
        told = self._told.get(name)
        if told is not None and all(map(same, told, values)):
            return False
        self._told[name] = values
        return True

    def forget(self, *names: str) -> None:
        """Hold no values under these names; whatever comes next is news."""
        for name in names:
            self._told.pop(name, None)


class Computed(Generic[P, T]):
    """The result of a background task for the arguments asked for last.

    It depends on nothing but these; ``ready`` is called when there is one.

    Parameters
    ----------
    keeps
        So many results stay known, for who goes to and fro between arguments.
    """

    def __init__(
        self,
        jobs: Jobs,
        lane: Lane,
        name: str,
        title: str,
        task: Callable[Concatenate[Ticket, P], T],
        ready: Callable[[], object],
        keeps: int = 1,
    ) -> None:
        self._jobs, self._task, self._ready = jobs, task, ready
        self._lane: Lane = lane
        self._name, self._title, self._keeps = name, title, keeps
        self._given: tuple[object, ...] | None = None
        self._known: list[tuple[tuple[object, ...], T]] = []

    def of(self, *args: P.args, **kwargs: P.kwargs) -> T | None:
        """The result for these arguments; None until it is there."""
        given = (*args, *kwargs.values())
        for known, result in self._known:
            if all(map(same, known, given)):
                self._given = known
                return result
        if self._given is None or not all(map(same, self._given, given)):
            self._given = given
            del self._known[: len(self._known) + 1 - self._keeps]

            def done(value: Any) -> None:
                if self._given is given:
                    self._known.append((given, value))
                    self._ready()

            reaction = Reaction(done=done, quiet=True)
            self._jobs.submit(
                self._lane,
                self._name,
                self._title,
                reaction,
                self._task,
                *args,
                **kwargs,
            )
        return None

    def forget(self) -> None:
        """Nothing is asked for any more."""
        self._given = None
        self._known.clear()
