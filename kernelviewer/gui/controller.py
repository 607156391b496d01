"""What keeps a view equal to the view state, and what it derives in the background."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Concatenate, Generic, ParamSpec, TypeVar

from PySide6.QtCore import QObject

from kernelviewer.gui.jobs import Reaction
from kernelviewer.state.memo import same

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from PySide6.QtWidgets import QWidget

    from kernelviewer.gui.jobs import Jobs
    from kernelviewer.gui.looks import Looks
    from kernelviewer.gui.window_context import WindowContext
    from kernelviewer.jobs.runner import Lane, Ticket
    from kernelviewer.state.view_state import ViewState

P = ParamSpec("P")
T = TypeVar("T")


class Controller(QObject):
    """Tells a view's widgets what the view state says, and the document what they ask.

    It keeps nothing of its own: what it remembers was derived from the state and can
    be derived again.

    Parameters
    ----------
    window
        Has the document, the jobs and the commands.
    widgets
        Those of the view, by name.

    Attributes
    ----------
    parts
        The same, as attributes.
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
                ("set_theme", looks.tokens),
                ("set_colormap", looks.colormap),
                ("set_colours", looks.weights),
            ):
                if (setter := getattr(widget, name, None)) is not None:
                    setter(value)

    def again(self, *_: object) -> None:
        """Show the same state again, as when something was derived from it."""
        self.window.presenter.show_again(self)

    def is_news(self, name: str, *values: object) -> bool:
        """Whether values differ from those given under that name the last time."""
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

    Parameters
    ----------
    jobs, lane, name, title
        Where it runs, and as what.
    task
        Depends on nothing but its arguments.
    ready
        Called when there is a result.
    """

    def __init__(
        self,
        jobs: Jobs,
        lane: Lane,
        name: str,
        title: str,
        task: Callable[Concatenate[Ticket, P], T],
        ready: Callable[[], object],
    ) -> None:
        self._jobs, self._task, self._ready = jobs, task, ready
        self._lane: Lane = lane
        self._name, self._title = name, title
        self._given: tuple[object, ...] | None = None
        self._result: T | None = None

    def of(self, *args: P.args, **kwargs: P.kwargs) -> T | None:
        """The result for these arguments; None until it is there."""
        given = (*args, *kwargs.values())
        if self._given is None or not all(map(same, self._given, given)):
            self.forget()
            self._given = given

            def done(value: Any) -> None:
                if self._given is given:
                    self._result = value
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
        return self._result

    def forget(self) -> None:
        """Nothing is asked for any more."""
        self._given = self._result = None
