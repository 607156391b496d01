"""The handle of one submitted task, shared by the task and by who asked for it.

Messages are what a running task tells the thread that asked for it.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING

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
        """Whether the task was asked to stop."""
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
