"""What comes of a job is handed over once, to whoever asked last, whatever happens."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import pytest
from PySide6.QtWidgets import QApplication

from kernelviewer.gui.jobs import Jobs, Reaction
from kernelviewer.gui.views.jobs import JobsPanel
from kernelviewer.state.document import Document
from tests.state.banks import make_bank

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kernelviewer.jobs.runner import Ticket


@pytest.fixture
def harness(qtbot: Any) -> Iterator[tuple[Jobs, JobsPanel]]:
    panel = JobsPanel()
    jobs = Jobs(panel)
    yield jobs, panel
    jobs.close()
    panel.deleteLater()
    jobs.deleteLater()


def test_threads_that_compute_give_way_to_the_window(qtbot: Any) -> None:
    usual = sys.getswitchinterval()
    try:
        sys.setswitchinterval(0.005)
        jobs = Jobs(JobsPanel())
        assert sys.getswitchinterval() <= 0.001
        jobs.close()
    finally:
        sys.setswitchinterval(usual)


def give(ticket: Ticket, value: object) -> object:
    """A task that hands over a piece and returns it."""
    ticket.send(value)
    return value


def broken(*given: object) -> None:
    """A handler with a fault."""
    raise KeyError("no such network")


def submit(jobs: Jobs, reaction: Reaction, title: str = "Work", value: Any = 1) -> None:
    jobs.submit("files", title, title, reaction, give, value)


@pytest.mark.parametrize("quiet", [False, True])
def test_a_handler_that_raises_fails_its_own_job_and_no_other(
    harness: tuple[Jobs, JobsPanel], qtbot: Any, quiet: bool
) -> None:
    jobs, panel = harness
    done: list[Any] = []
    counted: list[int] = []
    jobs.counted.connect(counted.append)
    with qtbot.captureExceptions() as raised:
        submit(jobs, Reaction(done=broken, quiet=quiet))
        qtbot.waitUntil(jobs.is_idle)
        assert counted[-1] == 0, "the number in the status bar"
        submit(jobs, Reaction(done=done.append), "Later", 2)
        qtbot.waitUntil(jobs.is_idle)
    assert [kind for kind, *_ in raised] == [KeyError]
    row, later = sorted(panel.rows.values(), key=lambda row: row.title.text() != "Work")
    assert row.failed
    assert not row.running
    assert "no such network" in row.text.text()
    assert "broken" in row._details
    assert done == [2]
    assert not later.running
    assert panel.running() == 0


def test_a_piece_that_cannot_be_used_is_listed_below_its_job(
    harness: tuple[Jobs, JobsPanel], qtbot: Any
) -> None:
    jobs, panel = harness
    with qtbot.captureExceptions() as raised:
        submit(jobs, Reaction(partial=broken))
        qtbot.waitUntil(jobs.is_idle)
    assert len(raised) == 1
    (row,) = panel.rows.values()
    assert [line.text.text() for line in row.failures] == panel.failures()
    assert "no such network" in panel.failures()[0]
    assert not row.running


def test_the_fault_of_a_view_is_told_not_that_it_came_by_a_signal(
    harness: tuple[Jobs, JobsPanel], qtbot: Any
) -> None:
    jobs, panel = harness
    document = Document()
    document.changed.connect(broken)
    with qtbot.captureExceptions():
        submit(jobs, Reaction(done=document.open), value=make_bank())
        qtbot.waitUntil(jobs.is_idle)
    (row,) = panel.rows.values()
    assert row.text.text().startswith("Work: KeyError: 'no such network'")


def test_a_handler_of_failures_that_raises_leaves_the_first_error_standing(
    harness: tuple[Jobs, JobsPanel], qtbot: Any
) -> None:
    jobs, panel = harness

    def fail(ticket: Ticket) -> None:
        raise OSError(28, "disk full")

    with qtbot.captureExceptions():
        jobs.submit("files", "save", "Save", Reaction(failed=broken), fail)
        qtbot.waitUntil(jobs.is_idle)
    QApplication.processEvents()
    (row,) = panel.rows.values()
    assert "disk full" in row.text.text()
    assert not row.running
