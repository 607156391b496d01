"""Runs tasks on background threads: files, computing, preparing views, keeping work."""

from __future__ import annotations

import queue
import threading
import time
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Any, Concatenate, Literal, ParamSpec

from kernelviewer.formats.errors import describe_failure
from kernelviewer.watch import Watch

if TYPE_CHECKING:
    from collections.abc import Callable


PROGRESS_INTERVAL = 0.05
_numbers = count(1)


class Cancelled(BaseException):
    """Raised inside a task whose ticket was cancelled.

    Not an `Exception`, so that no ``except Exception`` of a library swallows it.
    """


class Ticket(Watch):
    """Handle of one task, which it watches.

    Attributes
    ----------
    number, key, title
        Order of submission; what the task is about (one current ticket a key); its
        name for people.
    background
        Whether every task that is not goes first, also once this one runs.
    """

    def __init__(
        self,
        key: str,
        title: str = "",
        *,
        deliver: Callable[[Message], None] = lambda message: None,
        background: bool = False,
    ) -> None:
        self.number = next(_numbers)
        self.key = key
        self.title = title or key
        self.background = background
        self._deliver = deliver
        self._give_way: Callable[[], None] = lambda: None
        self._cancelled = threading.Event()
        self._next_progress = 0.0

    def cancel(self) -> None:
        """Ask the task to stop at its next check."""
        self._cancelled.set()

    @property
    def cancelled(self) -> bool:
        """True if the task was asked to stop."""
        return self._cancelled.is_set()

    def check(self) -> None:
        """Raise `Cancelled` if the task was asked to stop."""
        if self._cancelled.is_set():
            raise Cancelled(self.key)

    def set_lane(self, run_urgent: Callable[[], None]) -> None:
        """Say how more urgent tasks are run that wait behind this one."""
        self._give_way = run_urgent

    def give_way(self) -> None:
        """Let more urgent tasks run that wait behind this one, and check."""
        self.check()
        self._give_way()
        self.check()

    def progress(self, done: int, total: int, text: str = "") -> None:
        """Report progress (at most 20 a second are passed on) and check."""
        self.check()
        now = time.monotonic()
        if now >= self._next_progress or done == total:
            self._next_progress = now + PROGRESS_INTERVAL
            self._deliver(Progress(self, done, total, text))

    def send(self, value: object) -> None:
        """Hand over one finished piece while the task goes on."""
        self.check()
        self._deliver(Partial(self, value))


@dataclass(frozen=True, slots=True)
class Started:
    """The task has left the queue."""

    ticket: Ticket


@dataclass(frozen=True, slots=True)
class Progress:
    """``done`` of ``total`` units are finished (``total`` 0: not known)."""

    ticket: Ticket
    done: int
    total: int
    text: str


@dataclass(frozen=True, slots=True)
class Partial:
    """One finished piece of a task that goes on."""

    ticket: Ticket
    value: object


@dataclass(frozen=True, slots=True)
class Result:
    """The task has ended with a value."""

    ticket: Ticket
    value: object


@dataclass(frozen=True, slots=True)
class Failure:
    """The task has ended with an error.

    ``message`` and ``hint`` are for people, ``details`` for a bug report.
    """

    ticket: Ticket
    message: str
    details: str
    hint: str


@dataclass(frozen=True, slots=True)
class Stopped:
    """The task was cancelled, before or while it ran."""

    ticket: Ticket


Message = Started | Progress | Partial | Result | Failure | Stopped
FINAL = (Result, Failure, Stopped)


P = ParamSpec("P")
Lane = Literal["files", "compute", "views", "keep"]
LANES: tuple[Lane, ...] = ("files", "compute", "views", "keep")
"""Views have a thread of their own, so that they answer while a network is encoded;
so has keeping the work, so that it waits for no download."""
Job = tuple[Ticket, "Callable[[], object]"]
Queued = tuple[int, int, Job | None]
"""Urgency (the lower the sooner), order of arrival, and the task."""
URGENT, BACKGROUND, END = 0, 1, 2


class Runner:
    """Plain Python task runner: no Qt, no locks in the tasks.

    A task is a function whose first parameter is its `Ticket`. Its messages go to
    ``deliver``, on the task's thread; whoever receives them hands each to `dispatch` on
    the thread that owns the state, which drops what is stale.

    Parameters
    ----------
    deliver
        Carries a message to the owning thread; must not block.
    """

    def __init__(self, deliver: Callable[[Message], None]) -> None:
        self._deliver = deliver
        self._lock = threading.Lock()
        self._open: dict[int, Ticket] = {}
        self._current: dict[str, Ticket] = {}
        self._arrivals = count()
        self._queues: dict[Lane, queue.PriorityQueue[Queued]] = {
            lane: queue.PriorityQueue() for lane in LANES
        }
        self._threads = [
            threading.Thread(target=self._work, args=(jobs,), name=lane, daemon=True)
            for lane, jobs in self._queues.items()
        ]
        for thread in self._threads:
            thread.start()

    def submit(
        self,
        key: str,
        task: Callable[Concatenate[Ticket, P], object],
        /,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> Ticket:
        """Queue a task on the compute thread; see `submit_to`."""
        return self.submit_to(
            "compute", Ticket(key, deliver=self._deliver), task, *args, **kwargs
        )

    def ticket(self, key: str, title: str = "", *, background: bool = False) -> Ticket:
        """Make a ticket for `submit_to`."""
        return Ticket(key, title, deliver=self._deliver, background=background)

    def submit_to(
        self,
        lane: Lane,
        ticket: Ticket,
        task: Callable[Concatenate[Ticket, P], object],
        /,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> Ticket:
        """Queue a task; a task of the same key that has not ended is cancelled."""
        ticket.set_lane(lambda: self._run_urgent(lane))
        with self._lock:
            if older := self._current.get(ticket.key):
                older.cancel()
            self._current[ticket.key] = ticket
            self._open[ticket.number] = ticket
        urgency = BACKGROUND if ticket.background else URGENT
        self._put(lane, urgency, (ticket, lambda: task(ticket, *args, **kwargs)))
        return ticket

    def dispatch(self, message: Message, handle: Callable[[Message], None]) -> None:
        """Hand a message to ``handle`` unless a newer ticket has taken its place.

        The end of a cancelled task reaches ``handle`` as `Stopped`, whatever the task
        returned. Tasks that ``handle`` submits are counted before this one ends, so
        that `is_idle` never flickers.
        """
        ticket = message.ticket
        try:
            if ticket.cancelled and isinstance(message, FINAL):
                handle(Stopped(ticket))
            elif not ticket.cancelled:
                handle(message)
        finally:
            if isinstance(message, FINAL):
                with self._lock:
                    self._open.pop(ticket.number, None)
                    if self._current.get(ticket.key) is ticket:
                        del self._current[ticket.key]

    def cancel(self, key: str) -> None:
        """Ask the current task of that key to stop."""
        with self._lock:
            ticket = self._current.get(key)
        if ticket:
            ticket.cancel()

    def cancel_all(self) -> None:
        """Ask every task to stop."""
        for ticket in self.tickets():
            ticket.cancel()

    def tickets(self) -> tuple[Ticket, ...]:
        """Tickets that are queued, running or undelivered, oldest first."""
        with self._lock:
            return tuple(self._open.values())

    def is_idle(self) -> bool:
        """Nothing queued, running or undelivered."""
        with self._lock:
            return not self._open

    def close(self, timeout: float = 2.0) -> bool:
        """Cancel all and wait up to ``timeout`` seconds; False if a task still runs."""
        self.cancel_all()
        for lane in LANES:
            self._put(lane, END, None)
        deadline = time.monotonic() + timeout
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        return not any(thread.is_alive() for thread in self._threads)

    def _work(self, jobs: queue.PriorityQueue[Queued]) -> None:
        while (job := jobs.get()[2]) is not None:
            self._deliver(self._run(*job))
            del job

    def _put(self, lane: Lane, urgency: int, job: Job | None) -> None:
        self._queues[lane].put((urgency, next(self._arrivals), job))

    def _run_urgent(self, lane: Lane) -> None:
        """Run what is queued and urgent, within a background task of that lane."""
        jobs = self._queues[lane]
        while not jobs.empty():
            found = jobs.get()
            urgency, _, job = found
            if urgency != URGENT or job is None:
                jobs.put(found)
                return
            self._deliver(self._run(*job))

    def _run(self, ticket: Ticket, task: Callable[[], object]) -> Message:
        if ticket.cancelled:
            return Stopped(ticket)
        self._deliver(Started(ticket))
        try:
            return Result(ticket, task())
        except Cancelled:
            return Stopped(ticket)
        except BaseException as error:
            return Failure(ticket, *describe_failure(error, ticket.title))


class GivingWay(Watch):
    """Lets more urgent tasks run wherever it is checked."""

    def __init__(self, ticket: Ticket) -> None:
        self._ticket = ticket

    def check(self) -> None:
        """Let them run, and end the work if the ticket says so."""
        self._ticket.give_way()

    def progress(self, done: int, total: int, text: str = "") -> None:
        """Tell the ticket, and check."""
        self._ticket.progress(done, total, text)
        self.check()


def run_now(
    task: Callable[Concatenate[Ticket, P], Any], /, *args: P.args, **kwargs: P.kwargs
) -> Any:
    """Run a task on this thread, without messages: for commands and tests."""
    return task(Ticket("now"), *args, **kwargs)
