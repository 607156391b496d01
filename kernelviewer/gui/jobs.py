"""The one bridge between background tasks and Qt, and what runs for whom."""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from typing import (
    TYPE_CHECKING,
    Any,
    Concatenate,
    Generic,
    ParamSpec,
    Protocol,
    TypeVar,
)

from PySide6.QtCore import QObject, Signal
from shiboken6 import isValid

from kernelviewer.formats.errors import describe_failure, with_hint
from kernelviewer.jobs.runner import (
    FINAL,
    Failure,
    Partial,
    Progress,
    Result,
    Runner,
    Started,
    Stopped,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Mapping

    from PySide6.QtWidgets import QWidget

    from kernelviewer.jobs.runner import Lane, Message, Ticket

P = ParamSpec("P")
K = TypeVar("K", bound="Hashable")


@dataclass(frozen=True, slots=True)
class Reaction:
    """What to do with what a task says, on the GUI thread."""

    done: Callable[[Any], str | None] = lambda value: None
    """Takes the result; may return a sentence for the jobs panel."""
    partial: Callable[[Any], None] = lambda value: None
    """Takes each finished piece."""
    failed: Callable[[str, str], None] = lambda message, hint: None
    """Takes message and hint, after the jobs panel has shown them."""
    stopped: Callable[[], None] = lambda: None
    """Called where the task was cancelled."""
    progress: Callable[[int, int, str], None] = lambda done, total, text: None
    """Takes what is done, how much there is in all, and a text."""
    quiet: bool = False
    """True for quick housekeeping: listed only if it fails."""
    background: bool = False
    """Whether other tasks of the lane go first."""
    stoppable: bool = True
    """False for what cannot be stopped midway: it is listed without Cancel, and the
    list does not come up by itself, for there is nothing to be done about it."""
    kind: str = ""
    """Jobs of one kind are one row of the list, such as *Encode kernels*; empty: it
    stands for itself."""

    def while_alive(self, widget: QWidget) -> Reaction:
        """The same, but silent once the widget is gone."""

        def guarded(call: Callable[..., Any]) -> Callable[..., Any]:
            return lambda *given: call(*given) if isValid(widget) else None

        return replace(
            self,
            done=guarded(self.done),
            partial=guarded(self.partial),
            failed=guarded(self.failed),
            stopped=guarded(self.stopped),
            progress=guarded(self.progress),
        )


class JobList(Protocol):
    """Shows the jobs that are not quiet, each by the number of its ticket."""

    cancel_requested: Any
    """Signal: the number of a job."""

    def add(
        self, number: int, title: str, *, stoppable: bool = True, kind: str = ""
    ) -> None:
        """List a job; those of one kind are one row."""

    def set_progress(self, number: int, done: int, total: int, text: str) -> None:
        """Say how far it is."""

    def fail(self, number: int, title: str, text: str, details: str) -> None:
        """Say that it has failed; it need not be listed."""

    def add_failure(self, number: int, text: str, details: str) -> None:
        """Say that a part of it has failed."""

    def end(self, number: int, text: str) -> None:
        """Say that it is done."""

    def running(self) -> int:
        """How many listed jobs run."""
        ...


GIVING_WAY = 0.001
"""Seconds after which a thread lets the window go on. Python's usual five milliseconds
are waited for at every call of Qt while one paints: 0.1 s a picture of the window."""


class Jobs(QObject):
    """Submits tasks, lists them in the jobs panel and hands results over.

    Parameters
    ----------
    panel
        Lists the jobs that are not quiet.

    Attributes
    ----------
    closed
        Whether everything was stopped, for good.
    """

    arrived = Signal(object)
    """A message, from whichever thread."""
    counted = Signal(int)
    """How many listed jobs run now."""

    def __init__(self, panel: JobList, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._panel = panel
        self._reactions: dict[int, Reaction] = {}
        self.closed = False
        sys.setswitchinterval(min(sys.getswitchinterval(), GIVING_WAY))
        self._runner = Runner(self.arrived.emit)
        self.arrived.connect(self._on_arrived)
        panel.cancel_requested.connect(self._on_cancel_requested)

    def submit(
        self,
        lane: Lane,
        key: str,
        title: str,
        reaction: Reaction,
        task: Callable[Concatenate[Ticket, P], object],
        /,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> Ticket:
        """Run a task in the background; one of the same key is cancelled."""
        ticket = self._runner.ticket(key, title, background=reaction.background)
        self._reactions[ticket.number] = reaction
        if not reaction.quiet:
            stoppable, kind = reaction.stoppable, reaction.kind
            self._panel.add(ticket.number, title, stoppable=stoppable, kind=kind)
            self.counted.emit(self._panel.running())
        return self._runner.submit_to(lane, ticket, task, *args, **kwargs)

    def cancel(self, key: str) -> None:
        """Ask the current task of that key to stop."""
        self._runner.cancel(key)

    def is_current(self, key: str) -> bool:
        """True if a task of that key is queued, running or undelivered."""
        return any(
            ticket.key == key and not ticket.cancelled
            for ticket in self._runner.tickets()
        )

    def is_idle(self) -> bool:
        """Nothing queued, running or undelivered."""
        return self._runner.is_idle()

    def close(self, timeout: float = 2.0) -> bool:
        """Stop everything; False if a task still runs after ``timeout`` seconds."""
        if not self.closed:
            self.closed = True
            self.arrived.disconnect(self._on_arrived)
        return self._runner.close(timeout)

    def _on_arrived(self, message: Message) -> None:
        self._runner.dispatch(message, self._handle)

    def _handle(self, message: Message) -> None:
        """Tell panel and reaction; a reaction that raises fails its own job only."""
        try:
            said = self._react(message)
        except Exception as error:
            self._tell_fault(message, error)
            said = ""
            raise
        finally:
            if isinstance(message, FINAL):
                self._finish(message.ticket.number, said)

    def _react(self, message: Message) -> str:
        """What is to be said of a job that has ended."""
        ticket = message.ticket
        number, reaction = ticket.number, self._reactions[ticket.number]
        match message:
            case Started():
                self._panel.set_progress(number, 0, 0, "running")
            case Progress(_, done, total, text):
                self._panel.set_progress(number, done, total, text)
                reaction.progress(done, total, text)
            case Partial(_, value):
                reaction.partial(value)
            case Result(_, value):
                return reaction.done(value) or "done"
            case Stopped():
                reaction.stopped()
                return "cancelled"
            case Failure(_, text, details, hint):
                self._panel.fail(number, ticket.title, with_hint(text, hint), details)
                reaction.failed(text, hint)
        return ""

    def _tell_fault(self, message: Message, error: Exception) -> None:
        """What was computed could not be used: say so where the job is listed."""
        ticket = message.ticket
        text, details, hint = describe_failure(error, ticket.title)
        whole = with_hint(text, hint)
        if isinstance(message, Partial):
            self._panel.add_failure(ticket.number, whole, details)
        elif isinstance(message, Result | Stopped):
            self._panel.fail(ticket.number, ticket.title, whole, details)

    def _finish(self, number: int, text: str) -> None:
        del self._reactions[number]
        if text:
            self._panel.end(number, text)
        self.counted.emit(self._panel.running())

    def _on_cancel_requested(self, number: int) -> None:
        for ticket in self._runner.tickets():
            if ticket.number == number:
                ticket.cancel()


class Requests(Generic[K]):
    """What runs for whom, told apart by ticket.

    A job that was stopped says so late, when another may already run for the same key;
    it is not heard then.
    """

    def __init__(self, jobs: Jobs) -> None:
        self._jobs = jobs
        self._running: dict[K, tuple[Ticket, object]] = {}

    def __contains__(self, key: object) -> bool:
        return key in self._running

    def keys(self) -> frozenset[K]:
        """What has been asked for and not answered yet."""
        return frozenset(self._running)

    def forget(self, key: K) -> None:
        """Take no answer any more."""
        self._running.pop(key, None)

    def keep(self, wanted: Mapping[K, object]) -> None:
        """Stop what nobody wants: other keys, and keys that mean another object now."""
        for key, (ticket, subject) in list(self._running.items()):
            if wanted.get(key) is not subject:
                del self._running[key]
                ticket.cancel()

    def submit(
        self,
        key: K,
        subject: object,
        lane: Lane,
        name: str,
        title: str,
        reaction: Reaction,
        task: Callable[Concatenate[Ticket, P], object],
        /,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> None:
        """Run a task for ``key``, which means ``subject`` now; the rest as in `Jobs`.

        It counts as running until its result has been used.
        """

        def is_current() -> bool:
            return self._running.get(key, (None,))[0] is ticket

        def done(value: Any) -> str | None:
            try:
                return reaction.done(value) if is_current() else None
            finally:
                if is_current():
                    self.forget(key)

        def ended(call: Callable[..., None]) -> Callable[..., None]:
            def call_if_current(*given: str) -> None:
                if is_current():
                    self.forget(key)
                    call(*given)

            return call_if_current

        answer = replace(
            reaction,
            done=done,
            failed=ended(reaction.failed),
            stopped=ended(reaction.stopped),
        )
        ticket = self._jobs.submit(lane, name, title, answer, task, *args, **kwargs)
        self._running[key] = ticket, subject
