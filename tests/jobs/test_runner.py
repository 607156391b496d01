from __future__ import annotations

import queue
import threading
import time
from typing import TYPE_CHECKING

import pytest

from kernelviewer.formats import CheckpointError
from kernelviewer.jobs.runner import (
    Failure,
    Partial,
    Progress,
    Result,
    Runner,
    Stopped,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from kernelviewer.jobs.runner import (
        Message,
        Ticket,
    )

WAIT = 10.0
pause = threading.Event()


class Harness:
    """Receives messages on the test's thread, as the window does on its own."""

    def __init__(self) -> None:
        self.inbox: queue.SimpleQueue[Message] = queue.SimpleQueue()
        self.runner = Runner(self.inbox.put)
        self.seen: list[Message] = []

    def deliver_until_idle(self) -> list[Message]:
        while not self.runner.is_idle():
            self.runner.dispatch(self.inbox.get(timeout=WAIT), self.seen.append)
        return self.seen

    def of(self, kind: type) -> list:
        return [message for message in self.seen if isinstance(message, kind)]


@pytest.fixture
def harness() -> Iterator[Harness]:
    harness = Harness()
    yield harness
    assert harness.runner.close(WAIT)


def double(ticket: Ticket, value: int) -> int:
    return 2 * value


def test_a_task_gives_its_result_and_then_nothing_is_left(harness: Harness) -> None:
    ticket = harness.runner.submit("double", double, 21)
    assert not harness.runner.is_idle()
    harness.deliver_until_idle()
    assert [(m.ticket, m.value) for m in harness.of(Result)] == [(ticket, 42)]


def test_tasks_of_different_keys_all_end_in_order(harness: Harness) -> None:
    for number in range(5):
        harness.runner.submit(f"key {number}", double, number)
    harness.deliver_until_idle()
    assert [m.value for m in harness.of(Result)] == [0, 2, 4, 6, 8]


def test_progress_and_pieces_arrive_before_the_result(harness: Harness) -> None:
    def count(ticket: Ticket) -> str:
        for number in range(3):
            ticket.progress(number, 3, f"step {number}")
            ticket.send(number)
        ticket.progress(3, 3)
        return "done"

    harness.runner.submit("count", count)
    harness.deliver_until_idle()
    assert [m.value for m in harness.of(Partial)] == [0, 1, 2]
    first, last = harness.of(Progress)[0], harness.of(Progress)[-1]
    assert (first.done, first.total, first.text) == (0, 3, "step 0")
    assert (last.done, last.total) == (3, 3)
    assert isinstance(harness.seen[-1], Result)


def test_progress_is_passed_on_at_most_20_times_a_second(harness: Harness) -> None:
    def busy(ticket: Ticket) -> float:
        start = time.monotonic()
        for number in range(20_000):
            ticket.progress(number, 30_000)
        return time.monotonic() - start

    harness.runner.submit("busy", busy)
    harness.deliver_until_idle()
    (result,) = harness.of(Result)
    assert 1 <= len(harness.of(Progress)) <= 20 * result.value + 1


def test_cancel_answers_within_half_a_second(harness: Harness) -> None:
    started = threading.Event()

    def endless(ticket: Ticket) -> None:
        while True:
            started.set()
            ticket.check()
            pause.wait(0.001)

    harness.runner.submit("endless", endless)
    assert started.wait(WAIT)
    asked = time.monotonic()
    harness.runner.cancel("endless")
    harness.deliver_until_idle()
    assert time.monotonic() - asked < 0.5
    assert len(harness.of(Stopped)) == 1


def test_a_failing_task_says_what_and_where(harness: Harness) -> None:
    def fail(ticket: Ticket) -> None:
        raise RuntimeError("shapes differ")

    harness.runner.submit("fail", fail)
    harness.runner.submit("after", double, 4)
    harness.deliver_until_idle()
    (failure,) = harness.of(Failure)
    assert "shapes differ" in failure.message
    assert "in fail" in failure.details
    assert [m.value for m in harness.of(Result)] == [8]


def test_a_checkpoint_error_keeps_its_words(harness: Harness, tmp_path: Path) -> None:
    def fail(ticket: Ticket) -> None:
        raise CheckpointError(tmp_path / "a.pth", "this is a web page", "Get the file.")

    harness.runner.submit("fail", fail)
    harness.deliver_until_idle()
    (failure,) = harness.of(Failure)
    assert failure.message == "a.pth: this is a web page"
    assert failure.hint == "Get the file."


@pytest.mark.parametrize("error", [SystemExit, KeyboardInterrupt, MemoryError])
def test_no_error_ends_the_thread(harness: Harness, error: type[BaseException]) -> None:
    def fail(ticket: Ticket) -> None:
        raise error

    harness.runner.submit("fail", fail)
    harness.runner.submit("after", double, 1)
    harness.deliver_until_idle()
    assert len(harness.of(Failure)) == 1
    assert len(harness.of(Result)) == 1


def test_of_200_rapid_submits_only_the_last_counts(harness: Harness) -> None:
    go = threading.Event()

    def wait(ticket: Ticket) -> None:
        go.wait(WAIT)

    harness.runner.submit("first", wait)
    for number in range(200):
        harness.runner.submit("same", double, number)
    go.set()
    harness.deliver_until_idle()
    results = [m.value for m in harness.of(Result) if m.ticket.key == "same"]
    assert results == [398]
    assert len(harness.of(Stopped)) == 199


def test_a_stale_result_is_dropped(harness: Harness) -> None:
    harness.runner.submit("same", double, 1)
    finished = harness.inbox.get(timeout=WAIT)
    while not isinstance(finished, Result):
        finished = harness.inbox.get(timeout=WAIT)
    harness.runner.submit("same", double, 2)
    harness.runner.dispatch(finished, harness.seen.append)
    harness.deliver_until_idle()
    assert [m.value for m in harness.of(Result)] == [4]
    assert len(harness.of(Stopped)) == 1


def test_follow_up_tasks_leave_no_idle_moment(harness: Harness) -> None:
    idle: list[bool] = []

    def follow(message: Message) -> None:
        if isinstance(message, Result) and message.value < 10:
            harness.runner.submit("next", double, message.value)
        idle.append(harness.runner.is_idle())

    harness.runner.submit("next", double, 1)
    while not harness.runner.is_idle():
        harness.runner.dispatch(harness.inbox.get(timeout=WAIT), follow)
    assert not any(idle)


def test_a_handler_that_fails_does_not_block_the_runner(harness: Harness) -> None:
    def clumsy(message: Message) -> None:
        if isinstance(message, Result):
            raise ValueError("handler")

    harness.runner.submit("double", double, 1)
    message = harness.inbox.get(timeout=WAIT)
    while not isinstance(message, Result):
        message = harness.inbox.get(timeout=WAIT)
    with pytest.raises(ValueError, match="handler"):
        harness.runner.dispatch(message, clumsy)
    assert harness.runner.is_idle()


def test_closing_stops_running_and_waiting_tasks() -> None:
    harness = Harness()
    started = threading.Event()

    def endless(ticket: Ticket) -> None:
        started.set()
        while True:
            ticket.check()
            pause.wait(0.001)

    harness.runner.submit("endless", endless)
    harness.runner.submit("waiting", double, 1)
    assert started.wait(WAIT)
    assert harness.runner.close(WAIT)


def test_closing_does_not_wait_for_native_code() -> None:
    harness = Harness()
    started, release = threading.Event(), threading.Event()

    def deaf(ticket: Ticket) -> None:
        started.set()
        release.wait(WAIT)

    harness.runner.submit("deaf", deaf)
    assert started.wait(WAIT)
    assert not harness.runner.close(0.05)
    release.set()
    assert harness.runner.close(WAIT)


def test_a_background_task_lets_every_other_go_first(harness: Harness) -> None:
    order: list[str] = []
    started, go = threading.Event(), threading.Event()

    def slow(ticket: Ticket, name: str) -> None:
        order.append(f"{name} begins")
        started.set()
        assert go.wait(WAIT)
        ticket.give_way()
        order.append(f"{name} ends")

    def quick(ticket: Ticket, name: str) -> None:
        order.append(name)

    runner = harness.runner
    first = runner.ticket("a", background=True)
    runner.submit_to("compute", first, slow, "first")
    assert started.wait(WAIT)
    second = runner.ticket("b", background=True)
    runner.submit_to("compute", second, slow, "second")
    runner.submit("c", quick, "urgent")
    runner.submit("d", quick, "urgent too")
    go.set()
    harness.deliver_until_idle()
    assert order == [
        *("first begins", "urgent", "urgent too", "first ends"),
        *("second begins", "second ends"),
    ]


def test_a_background_task_that_gave_way_is_cancelled_with_the_rest(
    harness: Harness,
) -> None:
    started, go = threading.Event(), threading.Event()

    def slow(ticket: Ticket) -> None:
        started.set()
        assert go.wait(WAIT)
        ticket.give_way()

    runner = harness.runner
    ticket = runner.ticket("a", background=True)
    runner.submit_to("compute", ticket, slow)
    assert started.wait(WAIT)
    runner.submit("b", double, 2)
    runner.cancel_all()
    go.set()
    harness.deliver_until_idle()
    assert len(harness.of(Stopped)) == 2
