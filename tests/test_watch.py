"""Watches: what they hear, and that each part of a work can be ended."""

from __future__ import annotations

import pytest

from kernelviewer.jobs.ticket import Cancelled, Ticket
from kernelviewer.watch import NEVER, Watch
from tests.recorder import EndedError, Recorder


def test_nobody_ends_the_work() -> None:
    NEVER.progress(1, 2, "a")
    NEVER.quiet().progress(1, 2)
    NEVER.saying("b").check()


def test_progress_checks() -> None:
    watch = Recorder(end=2)
    watch.progress(0, 2, "a")
    with pytest.raises(EndedError):
        watch.progress(1, 2, "a")


def test_a_quiet_part_tells_nothing_and_can_be_ended() -> None:
    whole = Recorder(end=2)
    part = whole.quiet()
    part.progress(1, 2, "encoding")
    assert (whole.told, whole.checks) == ([], 1)
    with pytest.raises(EndedError):
        part.check()


def test_a_part_tells_in_the_words_of_the_whole() -> None:
    whole = Recorder(end=3)
    part = whole.saying("fitting")
    part.progress(1, 2)
    part.quiet().saying("not this").progress(2, 2)
    assert whole.told == [(1, 2, "fitting")]
    with pytest.raises(EndedError):
        part.check()


def test_a_ticket_is_a_watch() -> None:
    ticket = Ticket("key")
    assert isinstance(ticket, Watch)
    ticket.cancel()
    for watch in (ticket, ticket.quiet(), ticket.saying("text")):
        with pytest.raises(Cancelled):
            watch.progress(1, 2)
