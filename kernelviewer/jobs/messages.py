"""What a running task tells the thread that asked for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kernelviewer.jobs.ticket import Ticket


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
